"""Hooks of modules: the registries common to all modules and the call of a module with hooks."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kagari import Tensor
from kagari.utils.hooks import RemovableHandle

if TYPE_CHECKING:
    from kagari.nn.modules.module import Module

_global_buffer_registration_hooks: OrderedDict[int, Any] = OrderedDict()
_global_module_registration_hooks: OrderedDict[int, Any] = OrderedDict()
_global_parameter_registration_hooks: OrderedDict[int, Any] = OrderedDict()
_global_backward_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_global_backward_hooks: OrderedDict[int, Any] = OrderedDict()
_global_is_full_backward_hook: bool | None = None
_global_forward_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_global_forward_hooks: OrderedDict[int, Any] = OrderedDict()
_global_forward_hooks_always_called: OrderedDict[int, bool] = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict[int, bool] = OrderedDict()


def has_any_global_hook() -> bool:
    return bool(
        _global_backward_pre_hooks
        or _global_backward_hooks
        or _global_forward_pre_hooks
        or _global_forward_hooks
    )


def register(
    registry: OrderedDict[int, Any], hook: Any, *flags: tuple[OrderedDict[int, bool], bool]
) -> RemovableHandle:
    """Enters ``hook`` and those of its flags that are set, under one id."""
    handle = RemovableHandle(registry, extra_dict=[d for d, _ in flags])
    registry[handle.id] = hook
    for flag, value in flags:
        if value:
            flag[handle.id] = True
    return handle


def _watch_all_modules() -> None:
    from kagari.nn.modules.module import Module

    Module._hooked = True


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a hook that every ``register_buffer`` calls: ``hook(module, name, buffer)``.

    Args:
        hook: returns ``None`` or the buffer to register instead.

    Returns:
        A handle whose ``remove()`` takes the hook out.

    Example:
        >>> from kagari import nn
        >>> seen = []
        >>> hook = nn.modules.module.register_module_buffer_registration_hook(
        ...     lambda module, name, buffer: seen.append(name)
        ... )
        >>> m = nn.BatchNorm1d(2)
        >>> hook.remove()
        >>> seen
        ['running_mean', 'running_var', 'num_batches_tracked']
    """
    return register(_global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a hook that every registration of a submodule calls: ``hook(module, name, child)``.

    Args:
        hook: returns ``None`` or the submodule to register instead.

    Returns:
        A handle whose ``remove()`` takes the hook out.
    """
    return register(_global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a hook that every ``register_parameter`` calls: ``hook(module, name, parameter)``.

    Args:
        hook: returns ``None`` or the parameter to register instead.

    Returns:
        A handle whose ``remove()`` takes the hook out.
    """
    return register(_global_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a hook that runs before every module's ``forward``: ``hook(module, args)``.

    Args:
        hook: returns ``None`` or the positional arguments to use instead.

    Returns:
        A handle whose ``remove()`` takes the hook out.
    """
    _watch_all_modules()
    return register(_global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Registers a hook that runs after every module's ``forward``: ``hook(module, args, output)``.

    Args:
        hook: returns ``None`` or the output to use instead.
        with_kwargs (bool): the hook is called as ``hook(module, args, kwargs, output)``.
        always_call (bool): the hook also runs when ``forward`` raises.

    Returns:
        A handle whose ``remove()`` takes the hook out.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> seen = []
        >>> hook = nn.modules.module.register_module_forward_hook(
        ...     lambda module, args, output: seen.append(type(module).__name__)
        ... )
        >>> y = nn.Sequential(nn.ReLU(), nn.Tanh())(kagari.ones(2))
        >>> hook.remove()
        >>> seen
        ['ReLU', 'Tanh', 'Sequential']
    """
    _watch_all_modules()
    return register(
        _global_forward_hooks,
        hook,
        (_global_forward_hooks_with_kwargs, with_kwargs),
        (_global_forward_hooks_always_called, always_call),
    )


def _register_global_backward_hook(hook: Any, full: bool) -> RemovableHandle:
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a "
            "global Module hook. Please use only one of them."
        )
    _global_is_full_backward_hook = full
    _watch_all_modules()
    return register(_global_backward_hooks, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a non-full backward hook for all modules (deprecated).

    Args:
        hook: see :meth:`Module.register_backward_hook`.

    Returns:
        A handle whose ``remove()`` takes the hook out.

    Raises:
        RuntimeError: full backward hooks are registered for all modules.
    """
    return _register_global_backward_hook(hook, full=False)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a backward hook for all modules: ``hook(module, grad_input, grad_output)``.

    Args:
        hook: see :meth:`Module.register_full_backward_hook`.

    Returns:
        A handle whose ``remove()`` takes the hook out.

    Raises:
        RuntimeError: non-full backward hooks are registered for all modules.
    """
    return _register_global_backward_hook(hook, full=True)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a hook before every module's backward: ``hook(module, grad_output)``.

    Args:
        hook: see :meth:`Module.register_full_backward_pre_hook`.

    Returns:
        A handle whose ``remove()`` takes the hook out.
    """
    _watch_all_modules()
    return register(_global_backward_pre_hooks, hook)


class BoundHook:
    """A hook that gets its module first, held weakly so that the module does not hold itself."""

    def __init__(self, hook: Callable[..., Any], module: Module | None = None) -> None:
        self.hook = hook
        self.__name__ = getattr(hook, "__name__", type(hook).__name__)
        self.module = None if module is None else weakref.ref(module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.module is None:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {"hook": self.hook, "module": None if self.module is None else self.module()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["hook"], state["module"])  # type: ignore[misc]


def _backward_hooks_of(module: Module) -> tuple[list[Any], list[Any], list[Any]]:
    """The full, the non-full and the pre hooks that apply, those of all modules first."""
    hooks: dict[bool, list[Any]] = {True: [], False: []}
    if _global_is_full_backward_hook is not None:
        hooks[_global_is_full_backward_hook].extend(_global_backward_hooks.values())
    if module._is_full_backward_hook is not None:
        hooks[module._is_full_backward_hook].extend(module._backward_hooks.values())
    before = [*_global_backward_pre_hooks.values(), *module._backward_pre_hooks.values()]
    return hooks[True], hooks[False], before


class HookedCall:
    """One call of a module that has hooks."""

    def __init__(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.result: Any = None
        self.called: set[int] = set()

    def run(self) -> Any:
        module = self.module
        self._run_pre_hooks()
        full, legacy, before = _backward_hooks_of(module)
        backward = None
        if full or before:
            from kagari.nn.modules._backward_hooks import ModuleBackward

            backward = ModuleBackward(module, full, before)
            self.args = backward.wrap_inputs(self.args)
        self.result = module.forward(*self.args, **self.kwargs)
        for key, hook in self._forward_hooks():
            self._run_forward_hook(key, hook)
        if backward is not None:
            if not isinstance(self.result, (Tensor, tuple)):
                warnings.warn(
                    "For backward hooks to be called, module output should be a Tensor or a tuple "
                    f"of Tensors but received {type(self.result)}",
                    stacklevel=5,
                )
            self.result = backward.wrap_outputs(self.result)
        if legacy:
            self._enter_legacy_hooks(legacy)
        return self.result

    def _run_pre_hooks(self) -> None:
        module = self.module
        hooks = (*_global_forward_pre_hooks.items(), *module._forward_pre_hooks.items())
        for key, hook in hooks:
            if key in module._forward_pre_hooks_with_kwargs:
                changed = hook(module, self.args, self.kwargs)
                if changed is None:
                    continue
                if not isinstance(changed, tuple) or len(changed) != 2:
                    raise RuntimeError(
                        "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                        f"but got {changed}."
                    )
                self.args, self.kwargs = changed
            else:
                changed = hook(module, self.args)
                if changed is not None:
                    self.args = changed if isinstance(changed, tuple) else (changed,)

    def _forward_hooks(self) -> tuple[tuple[int, Any], ...]:
        return (*_global_forward_hooks.items(), *self.module._forward_hooks.items())

    def _always_called(self, key: int) -> bool:
        return (
            key in self.module._forward_hooks_always_called
            or key in _global_forward_hooks_always_called
        )

    def _run_forward_hook(self, key: int, hook: Any) -> None:
        module = self.module
        self.called.add(key)
        if key in module._forward_hooks_with_kwargs or key in _global_forward_hooks_with_kwargs:
            changed = hook(module, self.args, self.kwargs, self.result)
        else:
            changed = hook(module, self.args, self.result)
        if changed is not None:
            self.result = changed

    def run_always_called(self) -> None:
        """After an exception: the ``always_call`` hooks that have not run yet."""
        for key, hook in self._forward_hooks():
            if not self._always_called(key) or key in self.called:
                continue
            try:
                self._run_forward_hook(key, hook)
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was "
                    f"silenced as another error was raised in forward: {error}",
                    stacklevel=5,
                )

    def _enter_legacy_hooks(self, hooks: list[Any]) -> None:
        first = self.result
        while not isinstance(first, Tensor):
            if isinstance(first, dict):
                first = next(v for v in first.values() if isinstance(v, Tensor))
            else:
                first = first[0]
        node = first.grad_fn
        if node is None:
            return
        from kagari.nn.modules._backward_hooks import warn_if_legacy_hook_sees_less

        for hook in hooks:
            node.register_hook(BoundHook(hook, self.module))
        warn_if_legacy_hook_sees_less(self.args, self.result, node)
