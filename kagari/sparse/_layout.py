"""The parts of sparse tensors: what they are, and how the layouts turn into each other.

A sparse tensor's parts are (layout, indices, plain, values, coalesced):

- ``sparse_coo``: ``indices`` (sparse_dim, nnz), ``plain`` None, ``values`` (nnz, *dense sizes);
- ``sparse_csr``: ``indices`` the row pointers (rows + 1,), ``plain`` the columns (nnz,);
- ``sparse_csc``: ``indices`` the column pointers (columns + 1,), ``plain`` the rows (nnz,).

The values of the parts have no history: ``assemble`` and ``values_of`` carry it over. All other
operations are composed of these two and of dense operations on the values, so their derivatives
follow, to any order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import kagari
from kagari._core import _is_sparse, _sparse_make, _sparse_parts
from kagari.autograd import Function

Tensor: TypeAlias = "kagari.Tensor"

COO, CSR, CSC = kagari.sparse_coo, kagari.sparse_csr, kagari.sparse_csc


class Pattern(NamedTuple):
    """Where the values of a sparse tensor lie."""

    layout: Any
    indices: Any
    plain: Any
    coalesced: bool
    size: tuple[int, ...]

    @property
    def sparse_dim(self) -> int:
        return int(self.indices.shape[0]) if self.layout == COO else 2

    @property
    def nnz(self) -> int:
        return int((self.indices if self.plain is None else self.plain).shape[-1])


def is_sparse(value: Any) -> bool:
    return bool(_is_sparse(value))


def pattern_of(x: Tensor) -> Pattern:
    layout, indices, plain, _, coalesced = _sparse_parts(x)
    return Pattern(layout, indices, plain, coalesced, tuple(x.shape))


def raw_values(x: Tensor) -> Tensor:
    """The values without history, on the tensor's own memory."""
    values: Tensor = _sparse_parts(x)[3]
    return values


def describe(x: Tensor) -> str:
    return f"a tensor of layout {x.layout} and shape {tuple(x.shape)}"


def wrap_dim(dim: int, count: int) -> int:
    if not -count <= dim < count:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-count}, {count - 1}], "
            f"but got {dim})"
        )
    return dim % count


# ---- Between values and tensors ------------------------------------------------------------------


def _made(values: Tensor, p: Pattern) -> Tensor:
    parts = (p.layout, p.indices, p.plain, values.detach(), p.coalesced)
    made: Tensor = _sparse_make(parts, p.size, values.dtype, values.device)
    return made


class _Assemble(Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, pattern: Pattern) -> Tensor:
        ctx.pattern = pattern
        return _made(values, pattern)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gather(gradient, ctx.pattern), None


class _Values(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.pattern = pattern_of(x)
        return raw_values(x).detach()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return assemble(gradient, ctx.pattern)


class _Coalesce(Function):
    """Equal as tensors, so the gradient passes as it is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        p = pattern_of(x)
        flat = flat_indices(p)
        order = flat.argsort(stable=True)
        places, where = flat[order].unique_consecutive(return_inverse=True)
        values = raw_values(x)
        summed = values.new_zeros((places.shape[0], *values.shape[1:]))
        if values.dtype == kagari.bool:
            summed = summed.byte().index_add(0, where, values[order].byte()).bool()
        else:
            summed = summed.index_add(0, where, values[order])
        indices = unflatten(places, p.size[: p.sparse_dim])
        return _made(summed, p._replace(indices=indices, coalesced=True))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient


def assemble(values: Tensor, pattern: Pattern) -> Tensor:
    """The sparse tensor of these values: differentiable in them."""
    if values.requires_grad and kagari.is_grad_enabled():
        made: Tensor = _Assemble.apply(values, pattern)
        return made
    return _made(values, pattern)


def values_of(x: Tensor) -> Tensor:
    """The values of a coalesced tensor, with history."""
    if x.requires_grad and kagari.is_grad_enabled():
        values: Tensor = _Values.apply(x)
        return values
    return raw_values(x)


def coalesced(x: Tensor) -> Tensor:
    """The tensor with each place once, in lexicographic order."""
    p = pattern_of(x)
    if p.layout != COO or p.coalesced:
        return x
    if p.nnz < 2:
        return coalesced_as_is(x)
    made: Tensor = _Coalesce.apply(x)
    return made


class _AsCoalesced(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _made(raw_values(x), pattern_of(x)._replace(coalesced=True))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient


def coalesced_as_is(x: Tensor) -> Tensor:
    made: Tensor = _AsCoalesced.apply(x)
    return made


# ---- Indices -------------------------------------------------------------------------------------


def flat_indices(p: Pattern) -> Tensor:
    """The place of each value in the row-major order of the sparse dimensions."""
    indices = coordinates(p)
    flat = indices.new_zeros(indices.shape[1])
    for d in range(indices.shape[0]):
        flat = flat * p.size[d] + indices[d]
    return flat


def unflatten(flat: Tensor, sizes: Sequence[int]) -> Tensor:
    """The coordinates of row-major places."""
    rows = []
    for size in reversed(sizes):
        rows.append(flat % max(size, 1))
        flat = flat.div(max(size, 1), rounding_mode="floor")
    if not rows:
        return flat.new_zeros((0, flat.shape[0]))
    return kagari.stack(rows[::-1])


def expand_pointers(pointers: Tensor) -> Tensor:
    """The row of each value, of row pointers."""
    return kagari.repeat_interleave(pointers.diff().long())


def pointers_of(rows: Tensor, count: int) -> Tensor:
    """Row pointers, of the sorted rows of the values."""
    return kagari.searchsorted(rows.contiguous(), kagari.arange(count + 1, device=rows.device))


def coordinates(p: Pattern) -> Tensor:
    """(sparse_dim, nnz): the coordinates of each value, in the order of the values."""
    if p.layout == COO:
        indices: Tensor = p.indices
        return indices
    along = expand_pointers(p.indices)
    other = p.plain.long()
    return kagari.stack([along, other] if p.layout == CSR else [other, along])


def gather(x: Tensor, p: Pattern) -> Tensor:
    """The elements of x (dense, or sparse with zeros where it has none) at the pattern's places."""
    if tuple(x.shape) != p.size:
        raise RuntimeError(
            f"sparse_mask: expected a tensor and a mask of one shape, got {tuple(x.shape)} "
            f"and {p.size}"
        )
    if not is_sparse(x):
        if p.sparse_dim == 0:
            return x.expand(p.nnz, *x.shape)
        return x[tuple(coordinates(p))]
    q = pattern_of(x)
    if q.layout == p.layout and q.indices is p.indices and q.plain is p.plain and q.coalesced:
        return values_of(x)
    x = coalesced(x)
    if q.layout == CSC:
        x = to_layout(x, COO)
    q = pattern_of(x)
    values = values_of(x)
    at, wanted = flat_indices(q), flat_indices(p)
    if q.nnz == 0 or p.nnz == 0:
        return values.new_zeros((p.nnz, *values.shape[1:])) + values.sum() * 0
    places = kagari.searchsorted(at, wanted).clamp(max=q.nnz - 1)
    found = (at[places] == wanted).view(-1, *[1] * (values.dim() - 1))
    return kagari.where(found, values[places], values.new_zeros(()))


# ---- Between layouts -----------------------------------------------------------------------------


def to_dense(x: Tensor) -> Tensor:
    """The strided tensor; its gradient is read at the places of the values."""
    x = coalesced(x)
    p, values = pattern_of(x), values_of(x)
    sparse_sizes = p.size[: p.sparse_dim]
    if values.dtype == kagari.bool:
        flat = values.new_zeros((math.prod(sparse_sizes), *values.shape[1:]))
        flat[flat_indices(p)] = values
    else:
        flat = values.new_zeros((math.prod(sparse_sizes), *values.shape[1:]))
        flat = flat.index_add(0, flat_indices(p), values)
    return flat.reshape(p.size)


def from_dense(x: Tensor, sparse_dim: int) -> Tensor:
    """COO of a strided tensor: the places of the leading dimensions that hold a non-zero."""
    lead = x.detach() != 0
    if sparse_dim < x.dim():
        lead = lead.flatten(sparse_dim).any(-1) if x.dim() > 0 else lead
    if sparse_dim == 0:
        count = int(lead.any()) if lead.numel() else 0
        indices = kagari.zeros((0, count), dtype=kagari.int64)
        return assemble(
            x.expand(count, *x.shape), Pattern(COO, indices, None, True, tuple(x.shape))
        )
    indices = lead.nonzero().t().contiguous()
    return assemble(x[tuple(indices)], Pattern(COO, indices, None, True, tuple(x.shape)))


def to_layout(x: Tensor, layout: Any) -> Tensor:
    """The same tensor in another sparse layout."""
    if x.layout == layout:
        return x
    x = coalesced(x)
    p = pattern_of(x)
    values, places = values_of(x), coordinates(p)
    if layout == COO:
        if p.layout == CSC:
            order = flat_indices(p).argsort(stable=True)
            places, values = places[:, order], values[order]
        return assemble(values, Pattern(COO, places, None, True, p.size))
    if len(p.size) != p.sparse_dim or p.sparse_dim != 2:
        name = str(layout).rpartition("_")[2]
        raise RuntimeError(
            f"to_sparse_{name}: expected a matrix (2 sparse dimensions, no dense ones), got "
            f"{describe(x)}; other shapes have the layout sparse_coo"
        )
    along, other = (0, 1) if layout == CSR else (1, 0)
    key = places[along] * p.size[other] + places[other]
    if p.layout != COO or layout == CSC:
        order = key.argsort(stable=True)
        places, values = places[:, order], values[order]
    pointers = pointers_of(places[along], p.size[along])
    return assemble(values, Pattern(layout, pointers, places[other].contiguous(), True, p.size))
