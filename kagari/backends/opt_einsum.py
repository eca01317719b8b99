"""opt_einsum, which finds the order of contractions of ``einsum`` where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["enabled", "get_opt_einsum", "is_available", "strategy"]

enabled = False
strategy: str | None = None


def is_available() -> bool:
    """Whether the package opt_einsum is installed."""
    return find_spec("opt_einsum") is not None


def get_opt_einsum() -> Any:
    """The package opt_einsum, or None; ``einsum`` finds its orders by itself."""
    if not is_available():
        return None
    return import_module("opt_einsum")
