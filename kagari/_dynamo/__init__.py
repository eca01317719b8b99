"""The names of PyTorch's tracer that programs set and call: kagari traces nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from kagari._absent import absent, absent_modules
from kagari.compiler import allow_in_graph, assume_constant_result, disable, reset

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "config",
    "disable",
    "disallow_in_graph",
    "graph_break",
    "is_compiling",
    "list_backends",
    "mark_dynamic",
    "mark_static",
    "reset",
]

_REASON = "kagari compiles nothing; call the function or module as it is"

# Settings are kept as they are set, and nothing reads them.
config = SimpleNamespace(
    cache_size_limit=8,
    capture_scalar_outputs=False,
    recompile_limit=8,
    suppress_errors=False,
    verbose=False,
)

OptimizedModule = absent("kagari._dynamo.OptimizedModule", _REASON)
explain = absent("kagari._dynamo.explain", _REASON)
export = absent("kagari._dynamo.export", _REASON)

absent_modules("kagari._dynamo", {"eval_frame": ("OptimizedModule",)}, _REASON)


def is_compiling() -> bool:
    """False."""
    return False


def graph_break(msg: str = "") -> None:
    """Does nothing: there is no graph to break."""


def disallow_in_graph(fn: Any) -> Any:
    """Returns the function as it is."""
    return fn


def mark_dynamic(t: Any, index: Any, **kwargs: Any) -> None:
    """Does nothing: every size runs through the same code."""


def mark_static(t: Any, index: Any = None) -> None:
    """Does nothing: every size runs through the same code."""


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The names of compilers: none."""
    return []
