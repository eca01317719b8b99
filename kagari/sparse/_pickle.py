"""Copies and pickles of sparse tensors: their parts, from which they are built again."""

from __future__ import annotations

from typing import Any, TypeAlias

import kagari
from kagari.sparse._convert import clone
from kagari.sparse._layout import COO, pattern_of, raw_values
from kagari.sparse._table import named

Tensor: TypeAlias = "kagari.Tensor"


def parts_of(x: Tensor) -> tuple[Any, ...]:
    """What PyTorch's files keep: indices, values, size and whether they are coalesced; of
    compressed layouts both kinds of indices, values and size."""
    p = pattern_of(x)
    if p.layout == COO:
        return p.indices, raw_values(x).detach(), p.size, p.coalesced
    return p.indices, p.plain, raw_values(x).detach(), p.size


def rebuild(layout: str, parts: tuple[Any, ...], requires_grad: bool = False) -> Tensor:
    """A tensor of the parts of a file or a pickle, which are checked as those of a user are."""
    if layout == "sparse_coo":
        indices, values, size, *rest = parts
        made = kagari.sparse_coo_tensor(
            indices, values, size, is_coalesced=bool(rest and rest[0]) or None
        )
    else:
        starts, plain, values, size = parts
        made = kagari.sparse_compressed_tensor(
            starts, plain, values, size, layout=getattr(kagari, layout)
        )
    return made.requires_grad_() if requires_grad else made


@named("__reduce_ex__")
def _reduce_ex(self: Tensor, protocol: int) -> tuple[Any, ...]:
    from kagari._tensor import _rebuild_from_type

    arguments = (str(self.layout).rpartition(".")[2], parts_of(self), self.requires_grad)
    if type(self) is kagari.Tensor and not self.__dict__:
        return rebuild, arguments
    return _rebuild_from_type, (rebuild, type(self), arguments, dict(self.__dict__))


@named("__deepcopy__")
def _deepcopy(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    from copy import deepcopy

    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment; detach() the tensor, or clone() it to keep the gradient"
        )
    if id(self) in memo:
        known: Tensor = memo[id(self)]
        return known
    made = clone(self.detach())
    if type(self) is not kagari.Tensor:
        made = kagari.Tensor._make_subclass(type(self), made)
    made.requires_grad = self.requires_grad
    memo[id(self)] = made
    if self.grad is not None:
        made.grad = deepcopy(self.grad, memo)
    if self.__dict__:
        made.__dict__.update(deepcopy(self.__dict__, memo))
    return made
