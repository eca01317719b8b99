"""OpenMP by name: kagari's loops run on workers of its own, as many as ``OMP_NUM_THREADS`` says."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """True: loops run on several threads.

    Example:
        >>> import kagari
        >>> kagari.backends.openmp.is_available()
        True
    """
    return True
