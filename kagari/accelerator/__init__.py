"""Whatever accelerator there is: none."""

from __future__ import annotations

from typing import Any, NoReturn

from kagari._absent import absent

__all__ = [
    "Event",
    "Stream",
    "current_accelerator",
    "current_device_idx",
    "current_device_index",
    "device_count",
    "empty_cache",
    "is_available",
    "set_device_idx",
    "set_device_index",
    "synchronize",
]


def _missing(name: str) -> NoReturn:
    raise RuntimeError(
        f"accelerator.{name}: kagari computes on the CPU; guard the call by "
        "kagari.accelerator.is_available(), which is False"
    )


_STREAMS = "kagari computes on the CPU, in order; there is nothing to wait for"
Event = absent("kagari.Event", _STREAMS)
Stream = absent("kagari.Stream", _STREAMS)


def is_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.accelerator.is_available()
        False
    """
    return False


def device_count() -> int:
    """0.

    Example:
        >>> import kagari
        >>> kagari.accelerator.device_count()
        0
    """
    return 0


def current_accelerator(check_available: bool = False) -> Any:
    """None: there is no accelerator.

    Example:
        >>> import kagari
        >>> kagari.accelerator.current_accelerator() is None
        True
    """
    return None


def current_device_index() -> int:
    """The number of the accelerator in use.

    Raises:
        RuntimeError: always.
    """
    _missing("current_device_index")


def set_device_index(device: Any, /) -> None:
    """Chooses the accelerator in use.

    Raises:
        RuntimeError: always.
    """
    _missing("set_device_index")


def synchronize(device: Any = None, /) -> None:
    """Waits for the accelerator.

    Raises:
        RuntimeError: always.
    """
    _missing("synchronize")


def empty_cache() -> None:
    """Gives unused memory of the accelerator back.

    Raises:
        RuntimeError: always.
    """
    _missing("empty_cache")


current_device_idx = current_device_index
set_device_idx = set_device_index
