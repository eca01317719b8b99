"""Questions about objects and tensors as functions that Tensor's own file does not ask."""

from __future__ import annotations

from typing import Any

from kagari._core import Tensor, overridable

__all__ = ["get_device", "is_inference", "typename"]


def typename(obj: Any, /) -> str:
    """Returns the name of an object's type, a tensor's by its dtype.

    Example:
        >>> import kagari
        >>> kagari.typename(kagari.zeros(2))
        'kagari.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(kind, "__module__", None)
    return kind.__qualname__ if module in (None, "builtins") else f"{module}.{kind.__qualname__}"


@overridable
def is_inference(input: Tensor) -> bool:
    """Tells whether the tensor was made under ``inference_mode``."""
    return input.is_inference()


@overridable
def get_device(input: Tensor) -> int:
    """Returns the number of the tensor's GPU, -1 on the CPU."""
    return input.get_device()
