"""The legacy name Variable: tensors themselves have long been variables."""

from __future__ import annotations

from kagari import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, _core.Tensor)


class Variable(metaclass=_VariableMeta):
    """Variable(tensor, requires_grad=False) returns the tensor itself, recorded when asked for.

    Example:
        >>> import kagari
        >>> kagari.autograd.Variable(kagari.ones(2), requires_grad=True)
        tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        if volatile:
            raise ValueError("Variable: volatile was removed; use kagari.no_grad()")
        tensor = data.detach()
        return tensor.requires_grad_(requires_grad)
