"""What this kagari is, and what it is built with."""

from __future__ import annotations

from kagari import _core

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]

__version__: str = _core.__version__
debug = False
cuda: str | None = None
hip: str | None = None
xpu: str | None = None
git_version: str | None = None
