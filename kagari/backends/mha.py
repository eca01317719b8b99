"""Whether inference of attention layers takes a path of its own: it does not."""

from __future__ import annotations

__all__ = ["get_fastpath_enabled", "set_fastpath_enabled"]

_enabled = True


def get_fastpath_enabled() -> bool:
    """What ``set_fastpath_enabled`` was given.

    Example:
        >>> import kagari
        >>> kagari.backends.mha.get_fastpath_enabled()
        True
    """
    return _enabled


def set_fastpath_enabled(value: bool) -> None:
    """Notes whether a path for inference alone may be taken; results are the same either way."""
    global _enabled
    _enabled = value
