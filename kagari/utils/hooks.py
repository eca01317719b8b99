"""Handles that take a registered hook out again."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any, TypeVar

__all__ = ["RemovableHandle", "unserializable_hook"]

F = TypeVar("F", bound=Callable[..., Any])


class _Nothing(OrderedDict[int, Any]):
    """A registry of a handle whose own registry is gone; weak references need a class instance."""


class RemovableHandle:
    """Removes a hook: what every ``register_*_hook`` returns.

    Holds its registry weakly, so that a handle keeps no module or optimiser alive. Works as a
    context manager that removes the hook on exit.

    Args:
        hooks_dict: the registry, a mapping from ids to hooks that accepts weak references.
        extra_dict: further registry, or list of them, keyed by the same id.

    Example:
        >>> from collections import OrderedDict
        >>> registry = OrderedDict()
        >>> handle = RemovableHandle(registry)
        >>> registry[handle.id] = print
        >>> handle.remove()
        >>> len(registry)
        0
    """

    id: int
    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref: Callable[[], Any] = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extra = [extra_dict] if isinstance(extra_dict, dict) else list(extra_dict or ())
        self.extra_dict_ref: tuple[Callable[[], Any], ...] = tuple(weakref.ref(d) for d in extra)

    def remove(self) -> None:
        """Removes the hook; does nothing the second time."""
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            registry: MutableMapping[int, Any] | None = ref()
            if registry is not None:
                registry.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        registry = state[0] if state[0] is not None else _Nothing()
        self.hooks_dict_ref = weakref.ref(registry)
        self.id = state[1]
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)
        extra = state[2] if len(state) > 2 and state[2] is not None else ()
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra if d is not None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


def unserializable_hook(f: F) -> F:
    """Marks a hook as known to be lost on saving, so that saving does not warn of it.

    Example:
        >>> hook = unserializable_hook(lambda grad: None)
        >>> hook.__torch_unserializable__
        True
    """
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f
