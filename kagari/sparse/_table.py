"""The table of what can be done with sparse tensors, by the name that was called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

Operation: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=Operation)

TABLE: dict[str, Operation] = {}  # functions, methods and properties ("__get__T")
IN_PLACE: set[str] = set()  # names whose in-place form writes the result into the tensor


class Unsupported(NotImplementedError):
    """What an operation cannot do; the dispatcher puts the operation's name in front."""


def named(*names: str, in_place: bool = False) -> Callable[[F], F]:
    """Enters a function under these names."""

    def install(function: F) -> F:
        for name in names:
            TABLE[name] = function
            if in_place:
                IN_PLACE.add(name)
        return function

    return install
