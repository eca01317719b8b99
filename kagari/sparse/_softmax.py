"""Softmax over the values that a sparse tensor has: what it has not counts as minus infinity."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import kagari
from kagari.sparse._layout import (
    COO,
    Pattern,
    assemble,
    coalesced,
    describe,
    flat_indices,
    is_sparse,
    pattern_of,
    values_of,
    wrap_dim,
)

Tensor: TypeAlias = "kagari.Tensor"


def _groups(p: Pattern, dim: int) -> tuple[Tensor, int]:
    """For each value the number of its line along a sparse dimension, and how many lines."""
    rest = [d for d in range(p.sparse_dim) if d != dim]
    size = tuple(p.size[d] for d in rest)
    flat = flat_indices(p._replace(indices=p.indices[rest], size=size))
    lines, group = flat.unique(return_inverse=True)
    return group, int(lines.shape[0])


def softmax(name: str, input: Tensor, dim: int, dtype: Any, log: bool) -> Tensor:
    if not is_sparse(input) or input.layout != COO:
        raise RuntimeError(
            f"sparse.{name}: expected a tensor of layout sparse_coo, got {describe(input)}; call "
            ".to_sparse_coo()"
        )
    x = coalesced(input if dtype is None else input.to(dtype))
    if not x.is_floating_point():
        raise RuntimeError(f"sparse.{name}: expected a floating tensor, got {x.dtype}")
    p, values, dim = pattern_of(x), values_of(x), wrap_dim(dim, x.dim())
    if dim >= p.sparse_dim:
        at = dim - p.sparse_dim + 1
        done = values.log_softmax(at) if log else values.softmax(at)
        return assemble(done, p)
    group, count = _groups(p, dim)
    where = group.view(-1, *[1] * (values.dim() - 1)).expand(values.shape)
    lowest = values.new_full((count, *values.shape[1:]), -math.inf)
    top = lowest.scatter_reduce(0, where, values.detach(), "amax").index_select(0, group)
    shifted = values - top.masked_fill(top == -math.inf, 0)
    powers = shifted.exp()
    sums = values.new_zeros((count, *values.shape[1:])).index_add(0, group, powers)
    if log:
        return assemble(shifted - sums.log().index_select(0, group), p)
    return assemble(powers / sums.index_select(0, group), p)
