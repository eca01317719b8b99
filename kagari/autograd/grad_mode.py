"""Switches for recording: no_grad, enable_grad, set_grad_enabled and inference_mode."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType

from kagari import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled"]


class _Switch:
    """A context manager that is also a decorator, for functions and generators alike."""

    def __call__(self, func: F) -> F:
        return _decorate(self, func)

    def clone(self) -> _Switch:
        return type(self)()

    def __enter__(self) -> None:
        raise TypeError(f"{type(self).__name__} has no __enter__")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        raise TypeError(f"{type(self).__name__} has no __exit__")


def _makes_generators(func: Any) -> bool:
    # As the inspect module says, which takes longer to import than all of kagari.autograd.
    while isinstance(func, functools.partial):
        func = func.func
    code = getattr(func, "__code__", None)  # methods pass on that of their function
    return code is not None and bool(code.co_flags & 0x20)  # CO_GENERATOR


def _decorate(switch: _Switch, func: F) -> F:
    if isinstance(func, type):
        raise TypeError(
            f"{type(switch).__name__}: expected a function to decorate, got the class "
            f"{func.__name__}; decorate its methods instead"
        )
    if _makes_generators(func):
        return _decorate_generator(switch, func)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with switch.clone():
            return func(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def _decorate_generator(switch: _Switch, func: F) -> F:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        # The mode holds while the generator runs, not while its consumer does.
        generator = func(*args, **kwargs)
        send: Callable[[], Any] = lambda: next(generator)  # noqa: E731
        try:
            while True:
                try:
                    with switch.clone():
                        value = send()
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield value
                except GeneratorExit:
                    with switch.clone():
                        generator.close()
                    raise
                except BaseException as error:
                    send = functools.partial(generator.throw, error)
                else:
                    send = functools.partial(generator.send, sent)
        finally:
            generator.close()

    return wrapper  # type: ignore[return-value]


class no_grad(_Switch):
    """Switches recording off: results do not require gradients.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([1.0], requires_grad=True)
        >>> with kagari.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    __slots__ = ("_before",)

    def __new__(cls, orig_func: Any = None) -> Any:
        # `@no_grad` without parentheses decorates directly.
        self = super().__new__(cls)
        return self if orig_func is None else _decorate(self, orig_func)

    def __enter__(self) -> None:
        self._before = _core.is_grad_enabled()
        _core._set_grad_enabled(False)

    def __exit__(self, *exc: Any) -> None:
        _core._set_grad_enabled(self._before)


class enable_grad(_Switch):
    """Switches recording on, inside a no_grad block for instance.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([1.0], requires_grad=True)
        >>> with kagari.no_grad(), kagari.enable_grad():
        ...     y = x * 2
        >>> y.requires_grad
        True
    """

    __slots__ = ("_before",)

    def __new__(cls, orig_func: Any = None) -> Any:
        self = super().__new__(cls)
        return self if orig_func is None else _decorate(self, orig_func)

    def __enter__(self) -> None:
        self._before = _core.is_grad_enabled()
        _core._set_grad_enabled(True)

    def __exit__(self, *exc: Any) -> None:
        _core._set_grad_enabled(self._before)


class set_grad_enabled(_Switch):
    """Switches recording on or off, at once and until the end of a with block.

    Args:
        mode: whether to record.

    Example:
        >>> import kagari
        >>> with kagari.set_grad_enabled(False):
        ...     kagari.is_grad_enabled()
        False
    """

    __slots__ = ("_before", "mode")

    def __init__(self, mode: bool) -> None:
        self._before = _core.is_grad_enabled()
        self.mode = bool(mode)
        _core._set_grad_enabled(self.mode)

    def __call__(self, func: F) -> F:
        # As a decorator the mode holds only inside of the function.
        _core._set_grad_enabled(self._before)
        return super().__call__(func)

    def clone(self) -> _Switch:
        # Made without __init__, which would set the mode at once.
        copy = object.__new__(type(self))
        copy.mode = self.mode
        copy._before = _core.is_grad_enabled()
        return copy

    def __enter__(self) -> None:
        _core._set_grad_enabled(self.mode)

    def __exit__(self, *exc: Any) -> None:
        _core._set_grad_enabled(self._before)


class inference_mode(_Switch):
    """Switches recording off for good: results can never take part in a gradient.

    Args:
        mode: whether to switch it on.

    Example:
        >>> import kagari
        >>> with kagari.inference_mode():
        ...     y = kagari.ones(2)
        >>> y.is_inference()
        True
    """

    __slots__ = ("_grad", "_inference", "mode")
    mode: bool

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            self.mode = mode
            return self
        self.mode = True
        return _decorate(self, mode)

    def clone(self) -> _Switch:
        return type(self)(self.mode)  # type: ignore[no-any-return]

    def __enter__(self) -> None:
        self._grad = _core.is_grad_enabled()
        self._inference = _core.is_inference_mode_enabled()
        _core._set_inference_mode(self.mode)
        _core._set_grad_enabled(not self.mode)

    def __exit__(self, *exc: Any) -> None:
        _core._set_inference_mode(self._inference)
        _core._set_grad_enabled(self._grad)
