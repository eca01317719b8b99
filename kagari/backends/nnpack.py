"""NNPACK: not here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

__all__ = ["flags", "is_available", "set_flags"]

_enabled = False


def is_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.backends.nnpack.is_available()
        False
    """
    return False


def set_flags(_enabled: bool) -> tuple[bool]:
    """Notes whether NNPACK may be used, and returns what was noted before."""
    before = (globals()["_enabled"],)
    globals()["_enabled"] = _enabled
    return before


@contextlib.contextmanager
def flags(enabled: bool = False) -> Iterator[None]:
    """Sets the flag inside."""
    (before,) = set_flags(enabled)
    try:
        yield
    finally:
        set_flags(before)
