"""PyTorch's TorchScript: functions and modules stay as they are and run eagerly.

Decorators and questions work; ``script`` and ``trace`` return what they are given after checking
it. What needs the compiled form, ``save`` and ``load``, raises.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from kagari._absent import absent

__all__ = [
    "Attribute",
    "Error",
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "TracerWarning",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "export_opnames",
    "fork",
    "freeze",
    "fuser",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "run_frozen_optimizations",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]

F = TypeVar("F")

# kagari.jit.annotations.List and its kin; the name is taken by the __future__ import above.
globals()["annotations"] = typing

_REASON = (
    "kagari does not compile programs; save the state_dict with kagari.save, or pickle the module"
)

Error = RuntimeError


class TracerWarning(Warning):
    """Warns of what a trace cannot follow: never given, as nothing is traced."""

    @staticmethod
    def ignore_lib_warnings() -> None:
        """Does nothing: there are no such warnings."""


def is_scripting() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.jit.is_scripting(), kagari.jit.is_tracing()
        (False, False)
    """
    return False


def is_tracing() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.jit.is_tracing()
        False
    """
    return False


def script(
    obj: F,
    optimize: Any = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> F:
    """Returns the function, module or class as it is; it runs eagerly.

    Args:
        obj: what is to be compiled.
        optimize: no effect.
        example_inputs: no effect.

    Example:
        >>> import kagari
        >>> @kagari.jit.script
        ... def double(x):
        ...     return x + x
        >>> double(2)
        4
    """
    return obj


def trace(
    func: Any,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_kwarg_inputs: dict[str, Any] | None = None,
    _store_inputs: bool = True,
) -> Any:
    """Calls the function or module once with the example, and returns it as it is.

    Unlike a trace it goes on taking its branches by its inputs.

    Args:
        func (callable): a function or module.
        example_inputs (tuple or Tensor): its arguments.
        example_kwarg_inputs (dict, optional): its keyword arguments, instead.

    Raises:
        RuntimeError: neither or both kinds of example.
    """
    if (example_inputs is None) == (example_kwarg_inputs is None):
        raise RuntimeError(
            "jit.trace: expected example_inputs or example_kwarg_inputs, one of the two"
        )
    if example_kwarg_inputs is not None:
        func(**example_kwarg_inputs)
    elif type(example_inputs) in (tuple, list):
        func(*example_inputs)
    else:
        func(example_inputs)
    return func


def trace_module(mod: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Calls the module's methods once with their examples, and returns it as it is."""
    for name, example in inputs.items():
        method = getattr(mod, name)
        method(*example) if type(example) is tuple else method(example)
    return mod


def script_if_tracing(fn: F) -> F:
    """Returns the function as it is."""
    return fn


def _overload_method(func: F) -> F:
    return func


def _overload(func: F) -> F:
    return func


_script_if_tracing = script_if_tracing


def script_method(fn: F) -> F:
    """Returns the method as it is."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Returns the function as it is, or a decorator that does."""
    return drop if callable(drop) else (lambda fn: fn)


def unused(fn: F) -> F:
    """Returns the function as it is."""
    return fn


def export(fn: F) -> F:
    """Returns the function as it is."""
    return fn


def interface(obj: F) -> F:
    """Returns the class as it is."""
    return obj


def annotate(the_type: Any, the_value: F) -> F:
    """Returns the value.

    Example:
        >>> import kagari
        >>> kagari.jit.annotate(list[int], [])
        []
    """
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether an object is of a type; for ``list[int]`` and the like elements are looked at too.

    Example:
        >>> import kagari
        >>> kagari.jit.isinstance([1, 2], list[int]), kagari.jit.isinstance([1, "a"], list[int])
        (True, False)
    """
    import builtins
    import types

    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, one) for one in target_type)
    if target_type is Any:
        return True
    if target_type is None:
        return obj is None
    origin, arguments = typing.get_origin(target_type), typing.get_args(target_type)
    if origin is None:
        return builtins.isinstance(obj, target_type)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance(obj, one) for one in arguments)
    if not builtins.isinstance(obj, origin):
        return False
    if origin is dict:
        return all(
            isinstance(k, arguments[0]) and isinstance(v, arguments[1]) for k, v in obj.items()
        )
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        pairs = zip(obj, arguments, strict=False)
        return len(obj) == len(arguments) and all(isinstance(o, t) for o, t in pairs)
    return all(isinstance(one, arguments[0]) for one in obj)


class Attribute:
    """A value with its type, for modules that are compiled: the value alone counts here."""

    def __new__(cls, value: Any, type: Any) -> Any:
        return value


def __getattr__(name: str) -> Any:
    if name in ("ScriptModule", "ScriptFunction", "RecursiveScriptModule"):
        return _script_class(name)
    raise AttributeError(f"module 'kagari.jit' has no attribute {name!r}")


def _script_class(name: str) -> Any:
    """Classes that programs derive from or ask ``isinstance`` of: a module derives from Module."""
    if name == "ScriptFunction":
        value: Any = absent("kagari.jit.ScriptFunction", _REASON)
    else:
        from kagari.nn import Module

        value = type(
            name, (Module,), {"__module__": "kagari.jit", "__doc__": "A module, run eagerly."}
        )
    globals()[name] = value
    return value


def freeze(mod: F, preserved_attrs: Any = None, optimize_numerics: bool = True) -> F:
    """Returns the module as it is.

    Raises:
        RuntimeError: the module is in training mode.
    """
    if getattr(mod, "training", False):
        raise RuntimeError("jit.freeze: expected a module in eval mode; call .eval() first")
    return mod


def optimize_for_inference(mod: F, other_methods: Any = None) -> F:
    """Returns the module as it is."""
    return mod


def run_frozen_optimizations(
    mod: Any, optimize_numerics: bool = True, preserved_methods: Any = None
) -> None:
    """Does nothing."""


@contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Changes nothing inside."""
    yield


@contextmanager
def fuser(name: str) -> Iterator[None]:
    """Changes nothing inside."""
    yield


@contextmanager
def strict_fusion() -> Iterator[None]:
    """Changes nothing inside."""
    yield


def set_fusion_strategy(strategy: Any) -> Any:
    """Returns the strategy that was set before: none."""
    return []


def enable_onednn_fusion(enabled: bool) -> None:
    """Does nothing: no oneDNN is here whose operations could be fused."""


def onednn_fusion_enabled() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.jit.onednn_fusion_enabled()
        False
    """
    return False


def export_opnames(m: Any) -> list[str]:
    """The operators of a compiled module: none."""
    return []


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls the function now; ``wait`` returns its result."""
    return func(*args, **kwargs)


def wait(future: Any) -> Any:
    """Returns what ``fork`` has returned."""
    return future


save = absent("kagari.jit.save", _REASON)
load = absent("kagari.jit.load", _REASON)
CompilationUnit = absent("kagari.jit.CompilationUnit", _REASON)
