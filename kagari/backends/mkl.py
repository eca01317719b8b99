"""Intel's Math Kernel Library: not here; products run on kernels of kagari's own."""

from __future__ import annotations

from typing import Any

__all__ = ["is_available", "verbose"]

VERBOSE_OFF = 0
VERBOSE_ON = 1


def is_available() -> bool:
    """False: kagari computes products itself, and OpenBLAS the factorisations.

    Example:
        >>> import kagari
        >>> kagari.backends.mkl.is_available()
        False
    """
    return False


class verbose:
    """Would print MKL's calls.

    Raises:
        RuntimeError: when entered with another level than 0.
    """

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> verbose:
        if self.enable != VERBOSE_OFF:
            raise RuntimeError(
                "mkl.verbose: kagari is built without MKL; there is nothing to print"
            )
        return self

    def __exit__(self, *exc: Any) -> None:
        pass
