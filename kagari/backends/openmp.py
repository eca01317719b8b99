"""OpenMP, which runs kagari's loops on several threads."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """True.

    Example:
        >>> import kagari
        >>> kagari.backends.openmp.is_available()
        True
    """
    return True
