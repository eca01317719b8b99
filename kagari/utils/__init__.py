"""Helpers around the core: data loading, trees of values, hooks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagari.utils import _pytree, data, hooks

__all__ = ["data", "hooks"]


def __getattr__(name: str) -> Any:
    # Imported when first needed: the core wants the hooks, few programs want the rest.
    if name in ("_pytree", "data", "hooks"):
        return importlib.import_module(f"kagari.utils.{name}")
    raise AttributeError(f"module 'kagari.utils' has no attribute {name!r}")
