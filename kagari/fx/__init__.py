"""Graphs of programs: not here; ``wrap``, which marks functions for them, does nothing."""

from __future__ import annotations

from typing import Any

from kagari._absent import absent, absent_modules

__all__ = ["wrap"]

_REASON = "kagari records no graphs of Python programs; call the function or module as it is"


def wrap(fn_or_name: Any) -> Any:
    """Returns what it is given: marks a function that graphs would keep as one call.

    Args:
        fn_or_name (callable or str): a function or the name of one.

    Raises:
        RuntimeError: another type.

    Example:
        >>> import kagari
        >>> @kagari.fx.wrap
        ... def double(x):
        ...     return x + x
        >>> double(2)
        4
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(
            "Unsupported type for global function! Must be either a callable or string name"
        )
    return fn_or_name


_NAMES = [
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "Tracer",
    "Transformer",
    "replace_pattern",
    "symbolic_trace",
]

for _name in _NAMES:
    globals()[_name] = absent(f"kagari.fx.{_name}", _REASON)

absent_modules(
    "kagari.fx",
    {
        "experimental.proxy_tensor": ("make_fx",),
        "experimental.symbolic_shapes": ("ShapeEnv", "guard_size_oblivious"),
        "graph": ("Graph", "CodeGen"),
        "graph_module": ("GraphModule",),
        "interpreter": ("Interpreter", "Transformer"),
        "node": ("Argument", "Node", "Target", "map_aggregate", "map_arg"),
        "passes.shape_prop": ("ShapeProp",),
        "proxy": ("Proxy", "TracerBase"),
        "subgraph_rewriter": ("replace_pattern",),
    },
    _REASON,
)
