"""Helpers around the core: data loading, checkpointing, trees of values, hooks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagari.utils import (
        _pytree,
        benchmark,
        checkpoint,
        cpp_extension,
        data,
        dlpack,
        hooks,
        model_zoo,
        tensorboard,
    )

__all__ = [
    "benchmark",
    "checkpoint",
    "cpp_extension",
    "data",
    "dlpack",
    "hooks",
    "model_zoo",
    "tensorboard",
]


def __getattr__(name: str) -> Any:
    # Imported when first needed: the core wants the hooks, few programs want the rest.
    if name == "_pytree" or name in __all__:
        return importlib.import_module(f"kagari.utils.{name}")
    raise AttributeError(f"module 'kagari.utils' has no attribute {name!r}")
