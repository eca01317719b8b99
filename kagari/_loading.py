"""Loads the core and its libraries: OpenBLAS, called on one thread, starts no others."""

from __future__ import annotations

import os

_NAME = "OPENBLAS_NUM_THREADS"
_given = os.environ.get(_NAME)
os.environ[_NAME] = "1"
try:
    import kagari._core  # noqa: F401
finally:
    if _given is None:
        del os.environ[_NAME]
    else:
        os.environ[_NAME] = _given
