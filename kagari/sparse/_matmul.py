"""Products of sparse matrices.

A sparse matrix times a dense one is a weighted sum of the dense matrix's rows for each row of the
sparse one, as a bag of an embedding is; its derivatives by the values and by the dense matrix are
those of that sum.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import kagari
from kagari import _core
from kagari._core import ops
from kagari.sparse._convert import wide
from kagari.sparse._layout import (
    COO,
    CSC,
    CSR,
    Pattern,
    assemble,
    coalesced,
    describe,
    expand_pointers,
    flat_indices,
    is_sparse,
    pattern_of,
    pointers_of,
    to_layout,
    values_of,
)
from kagari.sparse._ops import add
from kagari.sparse._table import Unsupported, named

Tensor: TypeAlias = "kagari.Tensor"

_SUMS = (kagari.float32, kagari.float64, kagari.float16, kagari.bfloat16)


class _Rows:
    """A sparse matrix by rows: where each begins, and the row, column and value of each element."""

    def __init__(self, x: Tensor) -> None:
        x = to_layout(x, CSR) if x.layout == CSC else coalesced(x)
        p = pattern_of(x)
        if p.sparse_dim != 2 or len(p.size) != 2:
            raise RuntimeError(
                f"matmul: expected a matrix with 2 sparse dimensions and no dense ones, got "
                f"{describe(x)} and {p.sparse_dim} sparse dimensions; call .to_dense() first"
            )
        self.values = values_of(x)
        if p.layout == CSR:
            self.starts = p.indices.long()
            self.row, self.column = expand_pointers(p.indices), p.plain.long()
        else:
            self.row, self.column = p.indices
            self.starts = pointers_of(self.row, p.size[0])


def _weighted_sums(
    table: Tensor, starts: Tensor, row: Tensor, column: Tensor, values: Tensor
) -> Tensor:
    """out[r] = the sum of values[i] * table[column[i]] over row[i] = r."""
    if table.dtype in _SUMS:
        column, row = column.contiguous(), row.contiguous()
        made: Tensor = ops._bag_sum(table, column, starts, row, values.contiguous())
        return made
    terms = table.index_select(0, column) * values.unsqueeze(1)
    return terms.new_zeros((starts.shape[0] - 1, table.shape[1])).index_add(0, row, terms)


def _lowered(*tensors: Any) -> tuple[Any, ...]:
    """Under autocast, in its dtype, as products of strided matrices are."""
    if not _core._autocast_is_enabled():
        return tensors
    dtype = _core._autocast_get_dtype()
    return tuple(
        x.to(dtype) if x.is_floating_point() and x.dtype != kagari.float64 else x for x in tensors
    )


def _check(name: str, a: Tensor, b: Tensor) -> None:
    if a.dim() != 2 or b.dim() != 2:
        raise RuntimeError(
            f"{name}: expected matrices, got shapes {tuple(a.shape)} and {tuple(b.shape)}"
        )
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"{name}: mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and "
            f"{b.shape[0]}x{b.shape[1]})"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: expected m1 and m2 to have the same dtype, but got: {a.dtype} != {b.dtype}"
        )


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """The product of two matrices; sparse when both are."""
    if not is_sparse(a):
        return multiply(b.t(), a.t()).t()
    if is_sparse(b):
        return _both_sparse(a, b)
    rows = _Rows(a)
    return _weighted_sums(b, rows.starts, rows.row, rows.column, rows.values)


def _both_sparse(a: Tensor, b: Tensor) -> Tensor:
    """Each element of a meets the elements of the row of b that its column names."""
    x, y = _Rows(a), _Rows(b)
    first = y.starts[x.column]
    counts = y.starts[x.column + 1] - first
    left = kagari.repeat_interleave(counts)
    within = kagari.arange(left.shape[0]) - (counts.cumsum(0) - counts)[left]
    right = first[left] + within
    values = x.values.index_select(0, left) * y.values.index_select(0, right)
    places = kagari.stack([x.row[left], y.column[right]])
    size = (a.shape[0], b.shape[1])
    made = coalesced(assemble(values, Pattern(COO, places, None, False, size)))
    both_rows = a.layout != COO and b.layout != COO
    return to_layout(made, a.layout) if both_rows else made


@named("mm", "spmm")
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    input, mat2 = _lowered(input, mat2)
    _check("mm", input, mat2)
    if is_sparse(input) != is_sparse(mat2):
        input, mat2 = wide(input), wide(mat2)
        if not is_sparse(input) and not is_sparse(mat2):
            return input.mm(mat2)
    return multiply(input, mat2)


@named("mv")
def mv(input: Tensor, vec: Tensor) -> Tensor:
    if is_sparse(vec) or vec.dim() != 1 or input.dim() != 2:
        raise Unsupported(
            f"expected a matrix and a strided vector, got shapes {tuple(input.shape)} and "
            f"{tuple(vec.shape)}"
        )
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"mv: expected self.size(-1) == vec.size(-1), got {input.shape[1]} and {vec.shape[0]}"
        )
    return mm(input, vec.unsqueeze(1)).squeeze(1)


@named("bmm")
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Batches in one product: the batch's number stands in rows and columns alike."""
    input, mat2 = _lowered(input, mat2)
    if not is_sparse(input) or is_sparse(mat2):
        raise Unsupported("expected a sparse batch and a strided one; call .to_dense() first")
    if input.dim() != 3 or mat2.dim() != 3 or input.shape[::2] != mat2.shape[:2]:
        raise RuntimeError(
            "bmm: expected batches (B, M, K) and (B, K, N), got shapes "
            f"{tuple(input.shape)} and {tuple(mat2.shape)}"
        )
    if input.dtype != mat2.dtype:
        raise RuntimeError(f"bmm: expected one dtype, got {input.dtype} and {mat2.dtype}")
    x = coalesced(wide(input)) if is_sparse(wide(input)) else None
    if x is None:
        return wide(input).bmm(mat2)
    p = pattern_of(x)
    if p.sparse_dim != 3:
        raise Unsupported(f"expected 3 sparse dimensions, got {p.sparse_dim}")
    batch, m, k = p.size
    places = flat_indices(p)
    row = places.div(max(k, 1), rounding_mode="floor")
    column = p.indices[0] * k + p.indices[2]
    made = _weighted_sums(
        mat2.reshape(batch * k, -1), pointers_of(row, batch * m), row, column, values_of(x)
    )
    return made.reshape(batch, m, mat2.shape[2])


@named("matmul")
def matmul(input: Tensor, other: Tensor) -> Tensor:
    if input.dim() == 2 and other.dim() == 2:
        return mm(input, other)
    if input.dim() == 2 and other.dim() == 1:
        return mv(input, other)
    if input.dim() == 1 and other.dim() == 2 and not is_sparse(input):
        return mv(other.t(), input)
    if input.dim() == 3 and other.dim() == 3:
        return bmm(input, other)
    raise Unsupported(
        f"of shapes {tuple(input.shape)} and {tuple(other.shape)}; expected two matrices, or a "
        "matrix and a vector, or two batches; call .to_dense() first"
    )


def _is_one(x: Any) -> bool:
    return isinstance(x, (int, float)) and x == 1


def _sum(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    (input,) = _lowered(input)
    scaled = product if _is_one(alpha) else product * alpha
    if isinstance(beta, (int, float)) and beta == 0:  # not even NaN of the input counts
        return scaled if is_sparse(scaled) else scaled.expand(input.shape)
    kept = input if _is_one(beta) else input * beta
    if not is_sparse(kept) and not is_sparse(scaled):
        return kept + scaled
    return add(kept, scaled)


@named("addmm", in_place=True)
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    return _sum(input, mm(mat1, mat2), beta, alpha)


@named("addmv", in_place=True)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    return _sum(input, mv(mat, vec), beta, alpha)


@named("linear")
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A dense input and a sparse weight, or the other way round."""
    if is_sparse(bias):
        raise Unsupported("expected a strided bias; call .to_dense() first")
    if is_sparse(input):
        made = mm(input, weight.t())
        if is_sparse(made):
            raise Unsupported("input and weight are both sparse; call .to_dense() on one")
    else:
        made = mm(weight, input.reshape(-1, input.shape[-1]).t()).t()
        made = made.reshape(*input.shape[:-1], weight.shape[0])
    return made if bias is None else made + bias


# ---- kagari.sparse -------------------------------------------------------------------------------


def masked_mm(mat1: Tensor, mat2: Tensor, reduce: str = "sum") -> Tensor:
    """The product whose gradient by a sparse matrix is sparse."""
    mat1, mat2 = _lowered(mat1, mat2)
    _check("sparse.mm", mat1, mat2)
    if not is_sparse(mat1) and not is_sparse(mat2):
        raise RuntimeError(
            "sparse.mm: expected a sparse matrix among the two; call .to_sparse(), or kagari.mm"
        )
    if reduce == "sum":
        return multiply(mat1, mat2)
    if reduce not in ("mean", "amax", "amin"):
        raise RuntimeError(
            f"sparse.mm: expected reduce 'sum', 'mean', 'amax' or 'amin', got {reduce!r}"
        )
    if not is_sparse(mat1) or is_sparse(mat2):
        raise RuntimeError("sparse.mm: reduce needs a sparse mat1 and a strided mat2")
    rows = _Rows(mat1)
    if reduce == "mean":
        made = _weighted_sums(mat2, rows.starts, rows.row, rows.column, rows.values)
        counts: Tensor = rows.starts.diff()
        return made / counts.clamp(min=1).unsqueeze(1)
    terms = mat2.index_select(0, rows.column) * rows.values.unsqueeze(1)
    into = terms.new_zeros((mat1.shape[0], mat2.shape[1]))
    where = rows.row.unsqueeze(1).expand(terms.shape)
    return into.scatter_reduce(0, where, terms, reduce, include_self=False)


def masked_addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, beta: Any, alpha: Any) -> Tensor:
    return _sum(mat, masked_mm(mat1, mat2), beta, alpha)


def sampled_addmm(input: Tensor, mat1: Tensor, mat2: Tensor, beta: Any, alpha: Any) -> Tensor:
    """alpha * (mat1 @ mat2) at the places of the input, plus beta times its values."""
    p = pattern_of(input)
    if p.layout == COO:
        raise RuntimeError(
            "sampled_addmm: Expected self to be sparse CSR or CSC tensor, got layout sparse_coo; "
            "call .to_sparse_csr()"
        )
    rows = _Rows(input)
    terms = mat1.index_select(0, rows.row) * mat2.t().index_select(0, rows.column)
    product = terms.sum(1)
    values = product if _is_one(alpha) else product * alpha
    if not (isinstance(beta, (int, float)) and beta == 0):
        values = values + (rows.values if _is_one(beta) else rows.values * beta)
    made = assemble(values, pattern_of(to_layout(input, CSR)))
    return to_layout(made, p.layout)
