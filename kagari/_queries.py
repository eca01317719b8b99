"""Questions about objects and tensors as functions that Tensor's own file does not ask."""

from __future__ import annotations

from kagari._core import Tensor, overridable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["_assert", "_check", "get_device", "get_device_module", "is_inference", "typename"]


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


def get_device_module(device: Any = None) -> Any:
    """Returns the module of a device: ``kagari.cpu``, ``kagari.cuda``, ...

    Args:
        device (device or str, optional): the CPU by default.

    Raises:
        RuntimeError: a device that has no module.

    Example:
        >>> import kagari
        >>> kagari.get_device_module() is kagari.cpu
        True
    """
    import kagari

    kind = "cpu" if device is None else kagari.device(device).type
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise RuntimeError(f"get_device_module: expected cpu, cuda, mps or xpu, got {kind!r}")
    return getattr(kagari, kind)


def _assert(condition: Any, message: str) -> None:
    """Raises AssertionError with a message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def _check(cond: Any, message: Any = None) -> None:
    """Raises RuntimeError with a message, or what a function of none returns, unless it holds."""
    _check_with(RuntimeError, cond, message)


def _check_with(kind: type[Exception], cond: Any, message: Any) -> None:
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise kind(
            "Expected cond to be True, but got False." if message is None else str(message())
        )


def _check_index(cond: Any, message: Any = None) -> None:
    """Raises IndexError unless the condition holds; see ``_check``."""
    _check_with(IndexError, cond, message)


def _check_value(cond: Any, message: Any = None) -> None:
    """Raises ValueError unless the condition holds; see ``_check``."""
    _check_with(ValueError, cond, message)


def _check_type(cond: Any, message: Any = None) -> None:
    """Raises TypeError unless the condition holds; see ``_check``."""
    _check_with(TypeError, cond, message)
