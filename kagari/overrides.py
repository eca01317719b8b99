"""``__torch_function__``: how classes and modes take over kagari's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, TypeVar

from kagari import _core
from kagari._core import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
    overridable,
)

__all__ = [
    "BaseTorchFunctionMode",
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TorchFunctionMode",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "overridable",
    "resolve_name",
    "wrap_torch_function",
]

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

_OVERRIDABLE: Any = overridable  # a class, used as a decorator

# The core's functions under public names: layers ask them at every call, so nothing wraps them.
has_torch_function = _core._has_torch_function
has_torch_function_unary = _core._has_torch_function_unary
has_torch_function_variadic = _core._has_torch_function_variadic
handle_torch_function = _core._handle_torch_function
_get_overloaded_args = _core._get_overloaded_args
_is_torch_function_mode_enabled = _core._is_torch_function_mode_enabled


class TorchFunctionMode:
    """A context in which every kagari function is handed to ``__torch_function__`` first.

    While a mode runs it is off, so it may call ``func`` itself.

    Example:
        >>> import kagari
        >>> class Count(TorchFunctionMode):
        ...     calls = 0
        ...     def __torch_function__(self, func, types, args=(), kwargs=None):
        ...         self.calls += 1
        ...         return func(*args, **(kwargs or {}))
        >>> with Count() as count:
        ...     _ = kagari.ones(2) + 1
        >>> count.calls
        2
    """

    inner: TorchFunctionMode

    def __init__(self) -> None:
        pass

    def __torch_function__(
        self,
        func: Function,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}: expected a mode with __torch_function__; "
            "define it in the class"
        )

    def __enter__(self) -> Any:
        _core._push_on_torch_function_stack(self)
        return self

    def __exit__(self, exc_type: object, exc_value: object, traceback: object) -> None:
        _core._pop_torch_function_stack()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> TorchFunctionMode:
        """Makes the mode: an older spelling of calling the class."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(
        self,
        func: Function,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return func(*args, **(kwargs or {}))


def _get_current_function_mode() -> Any:
    depth = _core._len_torch_function_stack()
    return _core._get_function_stack_at(depth - 1) if depth else None


def _get_current_function_mode_stack() -> list[Any]:
    return [_core._get_function_stack_at(i) for i in range(_core._len_torch_function_stack())]


@contextmanager
def _pop_mode_temporarily() -> Iterator[Any]:
    mode = _core._pop_torch_function_stack()
    try:
        yield mode
    finally:
        _core._push_on_torch_function_stack(mode)


def wrap_torch_function(dispatcher: Callable[..., Sequence[Any]]) -> Callable[[F], F]:
    """Makes a Python function overridable through the arguments that ``dispatcher`` returns.

    Args:
        dispatcher: takes the function's arguments, returns those whose types are asked.

    Returns:
        A decorator for the function.

    Example:
        >>> @wrap_torch_function(lambda a: (a,))
        ... def double(a):
        ...     return a + a
        >>> double(2)
        4
    """

    def decorator(func: F) -> F:
        @wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    return decorator


def is_tensor_like(inp: Any) -> bool:
    """Tells whether an object is a tensor or of a class that defines ``__torch_function__``.

    Args:
        inp: any object.

    Returns:
        ``True`` for tensors and for objects that act as one.

    Example:
        >>> is_tensor_like([1.0])
        False
    """
    return isinstance(inp, _core.Tensor) or hasattr(inp, "__torch_function__")


@cache
def get_default_nowrap_functions() -> set[Function]:
    """Returns the getters whose results the default ``__torch_function__`` hands out unchanged."""
    tensor: Any = _core.Tensor
    return {getattr(tensor, name).__get__ for name in ("_base", "grad", "_grad")}


@cache
def get_ignored_functions() -> set[Function]:
    """Returns the public functions that no ``__torch_function__`` can take over.

    They take no tensor: modes do not see them either.

    Example:
        >>> import kagari
        >>> kagari.get_default_dtype in get_ignored_functions()
        True
    """
    import kagari

    ops = {id(f) for f in vars(_core.functions).values()}
    found = set()
    for name in kagari.__all__:
        value = getattr(kagari, name)
        if callable(value) and not isinstance(value, (type, _OVERRIDABLE)) and id(value) not in ops:
            found.add(value)
    return found


@cache
def get_overridable_functions() -> dict[Any, list[Function]]:
    """Returns what ``__torch_function__`` can take over, by the namespace that holds it.

    Example:
        >>> import kagari
        >>> kagari.Tensor.add in get_overridable_functions()[kagari.Tensor]
        True
    """
    import kagari

    found: dict[Any, list[Function]] = {
        kagari: [f for n, f in vars(_core.functions).items() if not n.startswith("_")]
    }
    functional = vars(kagari.nn.functional)
    kinds = (_OVERRIDABLE, _core.OpFunction)
    found[kagari.nn.functional] = [f for f in functional.values() if isinstance(f, kinds)]
    members: list[Function] = []
    for name, value in vars(_core.Tensor).items():
        if name in ("__torch_function__", "__new__", "__class__", "__dict__", "__weakref__"):
            continue
        if hasattr(value, "__set__"):
            members.append(value.__get__)
        elif callable(value):
            members.append(value)
    found[_core.Tensor] = members
    return found


def is_tensor_method_or_property(func: Function) -> bool:
    """Tells whether a function handed to ``__torch_function__`` belongs to ``Tensor``.

    Example:
        >>> import kagari
        >>> is_tensor_method_or_property(kagari.Tensor.add)
        True
        >>> is_tensor_method_or_property(kagari.add)
        False
    """
    return func in get_overridable_functions()[_core.Tensor] or func.__name__ == "__get__"


def resolve_name(f: Function) -> str | None:
    """Returns a function's public name, or ``None`` for one that is not kagari's.

    Example:
        >>> import kagari
        >>> resolve_name(kagari.Tensor.add)
        'kagari.Tensor.add'
    """
    for namespace, members in get_overridable_functions().items():
        if f not in members:
            continue
        holder = getattr(f, "__self__", f) if f.__name__ == "__get__" else f
        prefix = "kagari.Tensor" if namespace is _core.Tensor else namespace.__name__
        return f"{prefix}.{holder.__name__}" + (".__get__" if holder is not f else "")
    return None
