"""What the tape asks of sparse tensors: adding up gradients, and the gradients of lookups."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import kagari
from kagari.sparse import _convert, _ops
from kagari.sparse._layout import COO, Pattern, assemble, is_sparse, raw_values

Tensor: TypeAlias = "kagari.Tensor"


def add(a: Tensor, b: Tensor) -> Tensor:
    return _ops.add(b, a) if is_sparse(a) and not is_sparse(b) else _ops.add(a, b)


def add_(a: Tensor, b: Tensor) -> Tensor:
    return _ops.add_(a, b)


def clone(a: Tensor, _: Any) -> Tensor:
    return _convert.clone(a)


def to_dense(a: Tensor, _: Any) -> Tensor:
    return _convert.to_dense(a)


def to_dtype(a: Tensor, dtype: Any) -> Tensor:
    if a.is_complex() and not dtype.is_complex:
        a = _ops.real(a)
    return _convert.to(a, dtype)


def values(a: Tensor, _: Any) -> Tensor:
    return raw_values(a)


def embedding_gradient(g: Tensor, indices: Tensor, size: Any, padding: int) -> Tensor:
    """The rows of ``g`` at the rows of the table that were looked up."""
    rows = indices.reshape(-1).long()
    found = g.reshape(rows.shape[0], size[1])
    if padding >= 0:
        kept = (rows != padding).nonzero().squeeze(1)
        rows, found = rows[kept], found.index_select(0, kept)
    return assemble(found, Pattern(COO, rows.unsqueeze(0), None, False, tuple(size)))


def gather_gradient(g: Tensor, index: Tensor, size: Any, dim: int) -> Tensor:
    """The elements of ``g`` at the places that they were gathered from."""
    if len(size) == 0:
        places = index.new_zeros((0, 1), dtype=kagari.int64)
        return assemble(g.reshape(1), Pattern(COO, places, None, True, ()))
    index = index.long().reshape(g.shape)
    along = [kagari.arange(n, device=g.device) for n in index.shape]
    grid = list(kagari.meshgrid(*along, indexing="ij"))
    grid[dim] = index
    places = kagari.stack(grid).reshape(len(size), math.prod(index.shape))
    return assemble(g.reshape(-1), Pattern(COO, places, None, False, tuple(size)))
