"""Access to the core's primitives by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kagari._core import ops


def primitive(name: str) -> Callable[..., Any]:
    """The core's function of this name, or one that says that the core lacks it."""
    found: Callable[..., Any] | None = getattr(ops, name, None)
    if found is not None:
        return found

    def missing(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"{name}: expected a kernel in the core, got a build without one; "
            "compose the operation from primitives this build has"
        )

    missing.__name__ = missing.__qualname__ = name
    return missing
