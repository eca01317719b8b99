"""Switches of compilation: kagari runs every function as it is, so these change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]


def compile(*args: Any, **kwargs: Any) -> Any:
    """See ``kagari.compile``: returns the function or module as it is."""
    import kagari

    return kagari.compile(*args, **kwargs)


def reset() -> None:
    """Would forget what was compiled: nothing was."""


def allow_in_graph(fn: Any) -> Any:
    """Returns what it is given.

    Example:
        >>> import kagari
        >>> kagari.compiler.allow_in_graph(len) is len
        True
    """
    if isinstance(fn, list | tuple):
        return [allow_in_graph(one) for one in fn]
    if not callable(fn):
        raise AssertionError("allow_in_graph expects a callable")
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function as it is."""
    return fn


def disable(
    fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None
) -> Any:
    """Returns the function as it is, or a decorator that does: nothing is compiled."""
    return (lambda function: function) if fn is None else fn


class set_stance:
    """Would choose how functions are compiled inside: nothing is.

    Args:
        stance (str): ``"default"``, ``"force_eager"``, ...
    """

    def __init__(
        self,
        stance: str = "default",
        *,
        skip_guard_eval_unsafe: bool = False,
        force_backend: Any = None,
    ) -> None:
        self.stance = stance

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The names of compilers: none.

    Example:
        >>> import kagari
        >>> kagari.compiler.list_backends()
        []
    """
    return []


def cudagraph_mark_step_begin() -> None:
    """Does nothing: there are no graphs on a GPU.

    Example:
        >>> import kagari
        >>> kagari.compiler.cudagraph_mark_step_begin()
    """


def is_compiling() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.compiler.is_compiling()
        False
    """
    return False


def is_dynamo_compiling() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.compiler.is_dynamo_compiling()
        False
    """
    return False


def is_exporting() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.compiler.is_exporting()
        False
    """
    return False
