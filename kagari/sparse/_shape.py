"""Operations on the shape of sparse tensors: indexing, joining, exchange of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import kagari
from kagari.sparse._convert import coo, linear, recorded
from kagari.sparse._layout import (
    COO,
    CSC,
    CSR,
    Pattern,
    assemble,
    coalesced,
    describe,
    is_sparse,
    pattern_of,
    raw_values,
    to_layout,
    values_of,
    wrap_dim,
)
from kagari.sparse._ops import conj
from kagari.sparse._table import Unsupported, named

Tensor: TypeAlias = "kagari.Tensor"


# ---- Shapes --------------------------------------------------------------------------------------


@named("transpose", "swapaxes", "swapdims")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    a, b = wrap_dim(dim0, input.dim()), wrap_dim(dim1, input.dim())
    order = list(range(input.dim()))
    order[a], order[b] = order[b], order[a]
    return permute(input, order)


@named("t")
def t(input: Tensor) -> Tensor:
    if input.dim() > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.dim()}D")
    return input if input.dim() < 2 else transpose(input, 0, 1)


@named("permute")
def permute(input: Tensor, *dims: Any) -> Tensor:
    given = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    n, p = input.dim(), pattern_of(input)
    order = [wrap_dim(d, n) for d in given]
    if sorted(order) != list(range(n)):
        raise RuntimeError(
            f"permute(sparse): expected each of {n} dimensions once, got {tuple(given)}"
        )
    if order == list(range(n)):
        return input
    if any(d >= p.sparse_dim for d in order[: p.sparse_dim]):
        raise RuntimeError(
            f"permute: dimensions cannot move between the {p.sparse_dim} sparse and the "
            f"{n - p.sparse_dim} dense ones, got the order {tuple(order)}; call .to_dense() first"
        )
    inverse = sorted(range(n), key=order.__getitem__)

    def act(x: Tensor) -> Tensor:
        p = pattern_of(x)
        size = tuple(p.size[d] for d in order)
        if p.layout != COO:
            return assemble(
                raw_values(x), p._replace(layout=CSC if p.layout == CSR else CSR, size=size)
            )
        dense = [0, *(d - p.sparse_dim + 1 for d in order[p.sparse_dim :])]
        moved = order[: p.sparse_dim]
        stays = moved == list(range(p.sparse_dim))
        return assemble(
            raw_values(x).permute(dense),
            p._replace(indices=p.indices[moved], size=size, coalesced=p.coalesced and stays),
        )

    return linear(input, act, lambda gradient: gradient.permute(inverse))


@named("__get__T", "__get__mT")
def _transposed(input: Tensor) -> Tensor:
    return permute(input, list(range(input.dim()))[::-1])


@named("__get__H", "__get__mH", "adjoint")
def _adjoint(input: Tensor) -> Tensor:
    return conj(_transposed(input))


@named("unsqueeze")
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    n = input.dim()
    at, p = wrap_dim(dim, n + 1), coo(input, "unsqueeze")
    size = (*p.size[:at], 1, *p.size[at:])
    x = coalesced(input) if recorded(input) else input
    p, values = pattern_of(x), values_of(x)
    if at > p.sparse_dim:
        return assemble(values.unsqueeze(at - p.sparse_dim + 1), p._replace(size=size))
    zeros = p.indices.new_zeros((1, p.nnz))
    places = kagari.cat([p.indices[:at], zeros, p.indices[at:]])
    return assemble(values, p._replace(indices=places, size=size))


def _kept(x: Tensor, keep: Tensor, indices: Tensor, size: tuple[int, ...]) -> Tensor:
    """Of a coalesced tensor the values at `keep`, at other places in the same order."""
    p = pattern_of(x)
    values = values_of(x).index_select(0, keep)
    return assemble(values, p._replace(indices=indices, size=size))


@named("select")
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along a dimension; strided when no sparse dimension is left."""
    x = coalesced(to_layout(input, COO))
    p, dim = pattern_of(x), wrap_dim(dim, x.dim())
    if not -p.size[dim] <= index < p.size[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(p.size)} at dimension "
            f"{dim}"
        )
    index %= p.size[dim]
    size = p.size[:dim] + p.size[dim + 1 :]
    if dim >= p.sparse_dim:
        at = dim - p.sparse_dim + 1
        return assemble(values_of(x).select(at, index), p._replace(size=size))
    keep = (p.indices[dim] == index).nonzero().squeeze(1)
    if p.sparse_dim == 1:
        return values_of(x).index_select(0, keep).sum(0)
    rest = [d for d in range(p.sparse_dim) if d != dim]
    return _kept(x, keep, p.indices[rest][:, keep], size)


def _sliced(x: Tensor, dim: int, part: slice) -> Tensor:
    x = coalesced(x)
    p = pattern_of(x)
    start, stop, step = part.indices(p.size[dim])
    if step < 1:
        raise ValueError("step must be greater than zero")
    count = len(range(start, stop, step))
    if count == p.size[dim]:
        return x
    size = (*p.size[:dim], count, *p.size[dim + 1 :])
    if dim >= p.sparse_dim:
        at = (slice(None),) * (dim - p.sparse_dim + 1)
        return assemble(values_of(x)[(*at, part)], p._replace(size=size))
    along = p.indices[dim] - start
    keep = ((along >= 0) & (along < stop - start) & (along % step == 0)).nonzero().squeeze(1)
    places = p.indices[:, keep].clone()
    places[dim] = along[keep].div(step, rounding_mode="floor")
    return _kept(x, keep, places, size)


@named("narrow", "narrow_copy")
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    coo(input, "narrow")
    dim = wrap_dim(dim, input.dim())
    n = input.shape[dim]
    start = start + n if start < 0 else start
    if length < 0 or not 0 <= start <= n - length:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _sliced(input, dim, slice(start, start + length))


@named("__getitem__")
def getitem(input: Any, index: Any) -> Any:
    if not is_sparse(input):
        raise Unsupported("an index must be strided; call .to_dense() on it")
    items = index if isinstance(index, tuple) else (index,)
    given = sum(1 for i in items if i is not None and i is not Ellipsis)
    if given > input.dim():
        raise IndexError(f"too many indices for tensor of dimension {input.dim()}")
    x, dim = input, 0
    for item in items:
        if item is Ellipsis:
            dim += input.dim() - given
        elif item is None:
            x, dim = unsqueeze(x, dim), dim + 1
        elif isinstance(item, slice):
            x, dim = (
                (_sliced(x, dim, item) if is_sparse(x) else _strided_slice(x, dim, item)),
                dim + 1,
            )
        elif isinstance(item, int) and not isinstance(item, bool):
            x = select(x, dim, item) if is_sparse(x) else x.select(dim, item)
        elif isinstance(item, kagari.Tensor) and item.dim() == 1 and item.dtype != kagari.bool:
            x, dim = x.index_select(dim, item), dim + 1
            if len(items) > 1:
                raise Unsupported("one tensor among other indices; call index_select")
        else:
            raise Unsupported(
                "indices of sparse tensors are numbers, slices, None, ... or one tensor of "
                f"places, got {type(item).__name__}; call .to_dense() first"
            )
    return x


def _strided_slice(x: Tensor, dim: int, part: slice) -> Tensor:
    return x[(*(slice(None),) * dim, part)]


@named("index_select")
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    if not is_sparse(input) or is_sparse(index):
        raise Unsupported("expected a strided index")
    if index.dim() > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    coo(input, "index_select")
    x = coalesced(input)
    p, dim = pattern_of(x), wrap_dim(dim, x.dim())
    index = index.reshape(-1).long()
    n = p.size[dim]
    if index.numel() and not (int(index.min()) >= 0 and int(index.max()) < n):
        raise IndexError(f"index_select(): index out of range in dimension {dim} of size {n}")
    size = (*p.size[:dim], index.shape[0], *p.size[dim + 1 :])
    if dim >= p.sparse_dim:
        at = dim - p.sparse_dim + 1
        return assemble(values_of(x).index_select(at, index), p._replace(size=size))
    # The values of each chosen slice stand together when they are sorted by it.
    order = p.indices[dim].argsort(stable=True)
    along = p.indices[dim][order]
    first = kagari.searchsorted(along, index)
    counts = kagari.searchsorted(along, index, right=True) - first
    chosen = kagari.repeat_interleave(counts)
    within = kagari.arange(chosen.shape[0]) - (counts.cumsum(0) - counts)[chosen]
    keep = order[first[chosen] + within]
    places = p.indices[:, keep].clone()
    places[dim] = chosen
    made = assemble(
        values_of(x).index_select(0, keep),
        p._replace(indices=places, size=size, coalesced=dim == 0),
    )
    return made


@named("cat", "concat", "concatenate")
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    if not all(is_sparse(x) and x.layout == COO for x in tensors):
        raise Unsupported("expected all tensors to be of layout sparse_coo")
    n = tensors[0].dim()
    dim = wrap_dim(dim, n)
    if any(recorded(x) for x in tensors):
        tensors = [coalesced(x) for x in tensors]
    patterns = [pattern_of(x) for x in tensors]
    first = patterns[0]
    for i, p in enumerate(patterns[1:], 1):
        same = p.size[:dim] + p.size[dim + 1 :] == first.size[:dim] + first.size[dim + 1 :]
        if len(p.size) != n or p.sparse_dim != first.sparse_dim or not same:
            raise RuntimeError(
                "cat: expected sizes that match except in the dimension concatenated, and as many "
                f"sparse dimensions, got {describe(tensors[i])} after {describe(tensors[0])}"
            )
    if dim >= first.sparse_dim:
        raise Unsupported("concatenation along a dense dimension; call .to_dense() first")
    places, offset = [], 0
    for p in patterns:
        shifted = p.indices.clone()
        shifted[dim] += offset
        offset += p.size[dim]
        places.append(shifted)
    size = (*first.size[:dim], offset, *first.size[dim + 1 :])
    in_order = dim == 0 and all(p.coalesced for p in patterns)
    return assemble(
        kagari.cat([values_of(x) for x in tensors]),
        Pattern(COO, kagari.cat(places, 1), None, in_order, size),
    )


@named("stack")
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    if not all(is_sparse(x) and x.layout == COO for x in tensors):
        raise Unsupported("expected all tensors to be of layout sparse_coo")
    return cat([unsqueeze(x, dim) for x in tensors], wrap_dim(dim, tensors[0].dim() + 1))


@named("__iter__")
def _iter(input: Tensor) -> Any:
    return iter(unbind(input))


@named("unbind")
def unbind(input: Tensor, dim: int = 0) -> Any:
    return tuple(select(input, dim, i) for i in range(input.shape[wrap_dim(dim, input.dim())]))
