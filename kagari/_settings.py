"""Settings that programs for PyTorch make: determinism, precision, warnings, compilation."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from kagari import _core, _tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "are_deterministic_algorithms_enabled",
    "compile",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_warn_always",
    "use_deterministic_algorithms",
]


_deterministic = False
_deterministic_warn_only = False
_warn_always = False
_matmul_precision = "highest"
_DEBUG_MODES = ("default", "warn", "error")


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Notes the wish for deterministic algorithms, which kagari's always are.

    Args:
        mode: what ``are_deterministic_algorithms_enabled`` shall answer.
        warn_only: what ``is_deterministic_algorithms_warn_only_enabled`` shall answer.

    Example:
        >>> import kagari
        >>> kagari.use_deterministic_algorithms(True)
        >>> kagari.are_deterministic_algorithms_enabled()
        True
        >>> kagari.use_deterministic_algorithms(False)
    """
    global _deterministic, _deterministic_warn_only
    _deterministic, _deterministic_warn_only = bool(mode), bool(mode) and bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Tells what ``use_deterministic_algorithms`` was given.

    Example:
        >>> import kagari
        >>> kagari.are_deterministic_algorithms_enabled()
        False
    """
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Tells whether ``use_deterministic_algorithms`` was asked to warn only.

    Example:
        >>> import kagari
        >>> kagari.is_deterministic_algorithms_warn_only_enabled()
        False
    """
    return _deterministic_warn_only


def get_deterministic_debug_mode() -> int:
    """Returns 0 (default), 1 (warn) or 2 (error), as ``set_deterministic_debug_mode`` has set.

    Example:
        >>> import kagari
        >>> kagari.get_deterministic_debug_mode()
        0
    """
    return 0 if not _deterministic else 1 if _deterministic_warn_only else 2


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Sets ``use_deterministic_algorithms`` by a number or a name.

    Args:
        debug_mode: 0 or ``"default"``, 1 or ``"warn"``, 2 or ``"error"``.

    Raises:
        RuntimeError: for another value.

    Example:
        >>> import kagari
        >>> kagari.set_deterministic_debug_mode("default")
        >>> kagari.get_deterministic_debug_mode()
        0
    """
    modes: dict[int | str, int] = {name: i for i, name in enumerate(_DEBUG_MODES)}
    mode = modes.get(debug_mode, debug_mode)
    if mode not in (0, 1, 2):
        raise RuntimeError(
            f"set_deterministic_debug_mode: expected 0, 1, 2 or one of {_DEBUG_MODES}, "
            f"got {debug_mode!r}"
        )
    use_deterministic_algorithms(mode != 0, warn_only=mode == 1)


def get_float32_matmul_precision() -> str:
    """Returns what ``set_float32_matmul_precision`` was given.

    Example:
        >>> import kagari
        >>> kagari.get_float32_matmul_precision()
        'highest'
    """
    return _matmul_precision


def set_float32_matmul_precision(precision: str) -> None:
    """Notes how much precision float32 products need; on the CPU they are always full.

    Args:
        precision: ``"highest"``, ``"high"`` or ``"medium"``.

    Raises:
        RuntimeError: for another value.

    Example:
        >>> import kagari
        >>> kagari.set_float32_matmul_precision("highest")
    """
    global _matmul_precision
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(
            "set_float32_matmul_precision: expected 'highest', 'high' or 'medium', "
            f"got {precision!r}"
        )
    _matmul_precision = precision


def set_warn_always(b: bool) -> None:
    """Chooses whether a warning is shown each time or once per place.

    Example:
        >>> import kagari
        >>> kagari.set_warn_always(False)
    """
    global _warn_always
    if bool(b) == _warn_always:
        return
    _warn_always = bool(b)
    entry = ("always", None, UserWarning, None, 0)
    if _warn_always:
        warnings.filterwarnings("always", category=UserWarning)
    elif entry in warnings.filters:
        warnings.filters.remove(entry)  # type: ignore[attr-defined]


def is_warn_always_enabled() -> bool:
    """Tells what ``set_warn_always`` was given.

    Example:
        >>> import kagari
        >>> kagari.is_warn_always_enabled()
        False
    """
    return _warn_always


def compile(
    model: F | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Returns the function or module as it is: eager calls are what kagari makes fast.

    Args:
        model: a function or module; without it a decorator is returned.
        fullgraph: no effect: there is no graph that could break.
        dynamic: no effect: every shape runs through the same code.
        backend: no effect.
        mode: no effect.
        options: no effect.
        disable: no effect.

    Returns:
        ``model`` itself.

    Example:
        >>> import kagari
        >>> @kagari.compile
        ... def double(x):
        ...     return x + x
        >>> double(2)
        4
    """
    return (lambda function: function) if model is None else model


def set_default_tensor_type(t: Any) -> None:
    """Sets the default dtype by a tensor type: an old spelling of ``set_default_dtype``.

    Args:
        t: ``kagari.FloatTensor``, ``kagari.DoubleTensor`` and so on, or its name.

    Raises:
        TypeError: for what names no floating tensor type.

    Example:
        >>> import kagari
        >>> kagari.set_default_tensor_type(kagari.FloatTensor)
        >>> kagari.get_default_dtype()
        kagari.float32
    """
    kind = getattr(_tensor, t.rpartition(".")[2], None) if isinstance(t, str) else t
    dtype = getattr(kind, "dtype", None)
    if not isinstance(kind, type) or not isinstance(dtype, _core.dtype):
        raise TypeError(
            f"set_default_tensor_type: expected a type such as kagari.FloatTensor, got {t!r}; "
            "or call kagari.set_default_dtype(kagari.float32)"
        )
    _core.set_default_dtype(dtype)
