"""Helpers of tests: comparing tensors with tolerances by dtype, and making random ones."""

from __future__ import annotations

from kagari.testing._comparison import assert_allclose, assert_close
from kagari.testing._creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
