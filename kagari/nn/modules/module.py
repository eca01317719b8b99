"""``Module``, the base of all layers and models, and the hooks common to all modules."""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import kagari
from kagari import Tensor, _core
from kagari.nn.modules._hooks import (
    BoundHook,
    HookedCall,
    _global_buffer_registration_hooks,
    _global_module_registration_hooks,
    _global_parameter_registration_hooks,
    has_any_global_hook,
    register,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from kagari.nn.modules._trace import annotate
from kagari.nn.parameter import Buffer, Parameter, is_lazy
from kagari.utils.hooks import RemovableHandle

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

Self = TypeVar("Self", bound="Module")

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"

# ---- small parts -----------------------------------------------------------------------------


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _addindent(text: str, spaces: int) -> str:
    """Indents all lines but the first; blank lines stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * spaces + line if line.strip() else "" for line in rest)])


def _type_name(value: Any) -> str:
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "") else f"{module}.{kind.__qualname__}"


def _parse_to(
    device: Any = None,
    dtype: Any = None,
    non_blocking: bool = False,
    *,
    tensor: Any = None,
    memory_format: Any = None,
) -> tuple[Any, Any, bool, Any]:
    """Sorts the spellings of ``to``: ``(device, dtype)``, ``(dtype)``, ``(tensor)``."""
    first = device
    if isinstance(first, (kagari.dtype, Tensor)):
        # The second positional argument of these spellings is non_blocking.
        if dtype is not None:
            if not isinstance(dtype, bool):
                raise TypeError(
                    "to: expected to(device, dtype), to(dtype) or to(tensor), "
                    f"got to({_type_name(first)}, {_type_name(dtype)})"
                )
            non_blocking = dtype
        device, dtype = None, None
        if isinstance(first, Tensor):
            tensor = first
        else:
            dtype = first
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    if device is not None and not isinstance(device, kagari.device):
        device = kagari.device(device)
    if dtype is not None and not isinstance(dtype, kagari.dtype):
        raise TypeError(f"to: expected dtype to be a kagari.dtype, got {_type_name(dtype)}")
    return device, dtype, non_blocking, memory_format


def _forward_unimplemented(self: Module, *input: Any) -> None:
    """Defines the computation of a call; every subclass writes its own.

    Call the module, not ``forward``: the call also runs the hooks.
    """
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


_REGISTRIES = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
_CALL_REGISTRIES = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_pre_hooks",
)


class Module(_core.ModuleBase):
    """The base of all layers and models: holds parameters, buffers and submodules by name.

    Parameters and modules that are assigned as attributes are registered; buffers are registered
    with :meth:`register_buffer` or as :class:`~kagari.nn.Buffer`. Subclasses call
    ``super().__init__()`` first and define ``forward``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.hidden = nn.Linear(4, 8)
        ...         self.out = nn.Linear(8, 2)
        ...
        ...     def forward(self, x):
        ...         return self.out(self.hidden(x).relu())
        >>> net = Net()
        >>> tuple(net(kagari.zeros(3, 4)).shape)
        (3, 2)
        >>> [name for name, _ in net.named_parameters()]
        ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Module.html
    """

    dump_patches: bool = False
    _version: int = 1
    call_super_init: bool = False
    _compiled_call_impl: Callable[..., Any] | None = None

    # Whether a call may have hooks to run: the one thing a call asks. True in an instance's
    # __dict__ once a hook is registered there, true on the class once one is registered for all
    # modules; a call that finds no hooks any more takes it back.
    _hooked: bool = False

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]
    _is_full_backward_hook: bool | None
    _backward_pre_hooks: OrderedDict[int, Any]
    _backward_hooks: OrderedDict[int, Any]
    _forward_hooks: OrderedDict[int, Any]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _state_dict_hooks: OrderedDict[int, Any]
    _state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_post_hooks: OrderedDict[int, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"'{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but "
                    f"{len(args) + 1} were given"
                )
        # Straight into the dictionary: __setattr__ sorts values, which these do not need.
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_non_persistent_buffers_set"] = set()
        own["_modules"] = {}
        own["_is_full_backward_hook"] = None
        for name in _REGISTRIES:
            own[name] = OrderedDict()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    forward: Callable[..., Any] = _forward_unimplemented

    # ---- registration ----

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a buffer: state that is not trained, such as BatchNorm's ``running_mean``.

        Args:
            name (str): the attribute's name.
            tensor (Tensor or None): the values; ``None`` is left out of ``state_dict``.
            persistent (bool): whether ``state_dict`` contains it.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: the name is empty, contains a dot or is taken.
            TypeError: the name is not a string, or the value is not a tensor.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> m = nn.Module()
            >>> m.register_buffer("mean", kagari.zeros(2))
            >>> list(m.state_dict())
            ['mean']
        """
        self._check_name("buffer", "_buffers", name)
        if not (
            tensor is None or isinstance(tensor, Tensor) or hasattr(tensor, "__torch_function__")
        ):
            raise TypeError(
                f"cannot assign '{_type_name(tensor)}' object to buffer '{name}' "
                "(kagari Tensor or None required)"
            )
        for hook in _global_buffer_registration_hooks.values():
            changed = hook(self, name, tensor)
            if changed is not None:
                tensor = changed
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter under ``name``.

        Args:
            name (str): the attribute's name.
            param (Parameter or None): ``None`` reserves the name and is left out of ``state_dict``.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: the name is empty, contains a dot or is taken.
            TypeError: the name is not a string, or the value is not a parameter.
            ValueError: the tensor is the result of a computation.
        """
        self._check_name("parameter", "_parameters", name)
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_type_name(param)}' object to parameter '{name}' "
                "(kagari.nn.Parameter or None required)"
            )
        if param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly; to express '{name}' as a function of another Tensor, "
                "compute the value in the forward() method."
            )
        for hook in _global_parameter_registration_hooks.values():
            changed = hook(self, name, param)
            if changed is not None:
                param = changed
        self._parameters[name] = param

    def _check_name(self, kind: str, registry: str, name: Any) -> None:
        own = self.__dict__
        if registry not in own:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_type_name(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in own[registry] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a submodule under ``name``.

        Args:
            name (str): the attribute's name.
            module (Module or None): the submodule.

        Raises:
            KeyError: the name is empty, contains a dot or is taken.
            TypeError: the name is not a string, or the value is not a module.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_type_name(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {_type_name(name)}")
        if name not in self._modules and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._enter_module(name, module)

    def _enter_module(self, name: str, module: Module | None) -> None:
        for hook in _global_module_registration_hooks.values():
            changed = hook(self, name, module)
            if changed is not None:
                module = changed
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as :meth:`add_module`."""
        self.add_module(name, module)

    # ---- look-up by path ----

    def get_submodule(self, target: str) -> Module:
        """The submodule at a dotted path; the empty path is the module itself.

        Args:
            target (str): for example ``"encoder.layers.0"``.

        Raises:
            AttributeError: a step of the path does not exist or is not a module.

        Example:
            >>> from kagari import nn
            >>> net = nn.Sequential(nn.Sequential(nn.ReLU()))
            >>> net.get_submodule("0.0")
            ReLU()
        """
        module = self
        for step in target.split(".") if target else ():
            module = module._attribute(step)
            if not isinstance(module, Module):
                raise AttributeError(f"`{step}` is not an nn.Module")
        return module

    def _attribute(self, name: str) -> Any:
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts ``module`` at a dotted path.

        Args:
            target (str): for example ``"encoder.layers.0"``.
            module (Module): the new submodule.
            strict (bool): raise if there is no submodule at the path yet.

        Raises:
            ValueError: the path is empty, or ``module`` is not a module.
            AttributeError: a step of the path does not exist or is not a module.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent_path, _, name = target.rpartition(".")
        parent = self.get_submodule(parent_path)
        replaces = strict or hasattr(parent, name)
        if replaces and not isinstance(parent._attribute(name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.

        Args:
            target (str): for example ``"encoder.weight"``.

        Raises:
            AttributeError: a step of the path does not exist, or it does not lead to a parameter.
        """
        path, _, name = target.rpartition(".")
        value = self.get_submodule(path)._attribute(name)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path.

        Args:
            target (str): for example ``"norm.running_mean"``.

        Raises:
            AttributeError: a step of the path does not exist, or it does not lead to a buffer.
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        value = module._attribute(name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        buffer: Tensor = value
        return buffer

    def get_extra_state(self) -> Any:
        """What ``state_dict`` keeps beside parameters and buffers; overridden with its setter."""
        raise RuntimeError(
            f"get_extra_state: {self._get_name()} does not define it; "
            "override it together with set_extra_state"
        )

    def set_extra_state(self, state: Any) -> None:
        """Takes back what :meth:`get_extra_state` gave.

        Args:
            state: the extra state from the ``state_dict``.
        """
        raise RuntimeError(
            f"set_extra_state: {self._get_name()} does not define it; "
            "override it together with get_extra_state"
        )

    # ---- conversion ----

    def _apply(self: Self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, param in self._parameters.items():
            if param is None:
                continue
            grad = param.grad
            # The converted values are leaves of their own: the tape must not see the conversion.
            with kagari.no_grad():
                applied = fn(param)
            if _can_take_data(param, applied):
                param.data = applied
                kept = param
            else:
                kept = self._parameters[name] = Parameter(applied, param.requires_grad)
            if grad is None:
                continue
            with kagari.no_grad():
                applied_grad = fn(grad)
            if _can_take_data(grad, applied_grad) and kept.grad is not None:
                kept.grad.data = applied_grad
            else:
                kept.grad = applied_grad.requires_grad_(grad.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Calls ``fn`` on every submodule, children first, and on the module itself.

        Args:
            fn: called with each module.

        Returns:
            The module itself.

        Example:
            >>> from kagari import nn
            >>> def ones(m):
            ...     if isinstance(m, nn.Linear):
            ...         nn.init.ones_(m.weight)
            >>> net = nn.Sequential(nn.Linear(2, 2)).apply(ones)
            >>> net[0].weight.sum().item()
            4.0
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def cuda(self: Self, device: Any = None) -> Self:
        """Moves parameters and buffers to the GPU, in place.

        Args:
            device: which one; the current one by default.

        Returns:
            The module itself.
        """
        return self._apply(lambda t: t.cuda(device))

    def _to_backend(self: Self, backend: str, device: Any) -> Self:
        if isinstance(device, int):
            device = f"{backend}:{device}"
        return self._apply(lambda t: t.to(backend if device is None else device))

    def ipu(self: Self, device: Any = None) -> Self:
        """Moves parameters and buffers to an IPU; raises where tensors cannot go there."""
        return self._to_backend("ipu", device)

    def xpu(self: Self, device: Any = None) -> Self:
        """Moves parameters and buffers to an XPU; raises where tensors cannot go there."""
        return self._to_backend("xpu", device)

    def mtia(self: Self, device: Any = None) -> Self:
        """Moves parameters and buffers to an MTIA; raises where tensors cannot go there."""
        return self._to_backend("mtia", device)

    def cpu(self: Self) -> Self:
        """Moves parameters and buffers to the CPU, in place, and returns the module."""
        return self._apply(lambda t: t.cpu())

    def type(self: Self, dst_type: Any) -> Self:
        """Casts all parameters and buffers to ``dst_type``, in place, and returns the module."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: Self) -> Self:
        """Casts floating parameters and buffers to float32, in place, and returns the module."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self: Self) -> Self:
        """Casts floating parameters and buffers to float64, in place, and returns the module."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self: Self) -> Self:
        """Casts floating parameters and buffers to float16, in place, and returns the module."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self: Self) -> Self:
        """Casts floating parameters and buffers to bfloat16, in place, and returns the module."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Moves parameters and buffers to ``device`` without their values.

        Args:
            device: where.
            recurse (bool): submodules too.

        Returns:
            The module itself.
        """
        return self._apply(lambda t: kagari.empty_like(t, device=device), recurse=recurse)

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Moves and casts parameters and buffers, in place.

        Spellings: ``to(device=None, dtype=None, non_blocking=False)``,
        ``to(dtype, non_blocking=False)``, ``to(tensor, non_blocking=False)`` and
        ``to(memory_format=...)``. Only floating and complex tensors change their dtype.

        Args:
            device: where.
            dtype: a floating or complex dtype.
            tensor (Tensor): its device and dtype are taken.
            memory_format: the layout for parameters and buffers of 4 or 5 dimensions.

        Returns:
            The module itself.

        Raises:
            TypeError: the dtype is neither floating nor complex, or the arguments fit no spelling.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> nn.Linear(2, 2).to(kagari.float64).weight.dtype == kagari.float64
            True
        """
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    "nn.Module.to only accepts floating point or complex dtypes, "
                    f"but got desired dtype={dtype}"
                )
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may "
                    "change, and some modules might not work as expected when using complex "
                    "tensors as parameters or buffers.",
                    stacklevel=2,
                )

        def convert(t: Any) -> Any:
            cast = dtype if t.is_floating_point() or t.is_complex() else None
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, cast, non_blocking, memory_format=memory_format)
            if t.is_meta and device is not None and device.type != "meta":
                raise NotImplementedError(
                    "Cannot copy out of meta tensor; no data! Please use Module.to_empty() "
                    "instead of Module.to() when moving a module from meta to another device."
                )
            return t.to(device, cast, non_blocking)

        return self._apply(convert)

    # ---- hooks ----

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Registers a hook that runs before ``forward``: ``hook(module, args)``.

        Args:
            hook: returns ``None``, or the arguments to use instead (a single value stands for a
                tuple of one); with ``with_kwargs`` a pair of both kinds of arguments.
            prepend (bool): run before the hooks that are registered already.
            with_kwargs (bool): the hook is called as ``hook(module, args, kwargs)``.

        Returns:
            A handle whose ``remove()`` takes the hook out.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> m = nn.Identity()
            >>> handle = m.register_forward_pre_hook(lambda module, args: args[0] + 1)
            >>> m(kagari.zeros(1)).item()
            1.0
        """
        handle = register(
            self._forward_pre_hooks, hook, (self._forward_pre_hooks_with_kwargs, with_kwargs)
        )
        if prepend:
            self._forward_pre_hooks.move_to_end(handle.id, last=False)
        self.__dict__["_hooked"] = True
        return handle

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Registers a hook that runs after ``forward``: ``hook(module, args, output)``.

        Args:
            hook: returns ``None`` or the output to use instead.
            prepend (bool): run before the hooks that are registered already.
            with_kwargs (bool): the hook is called as ``hook(module, args, kwargs, output)``.
            always_call (bool): the hook also runs when ``forward`` raises.

        Returns:
            A handle whose ``remove()`` takes the hook out.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> m = nn.Identity()
            >>> with m.register_forward_hook(lambda module, args, output: output * 2):
            ...     m(kagari.ones(1)).item()
            2.0
        """
        handle = register(
            self._forward_hooks,
            hook,
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
        )
        if prepend:
            self._forward_hooks.move_to_end(handle.id, last=False)
        self.__dict__["_hooked"] = True
        return handle

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Registers a hook before the module's backward: ``hook(module, grad_output)``.

        Args:
            hook: returns ``None`` or the output gradients to use instead, as a tuple.
            prepend (bool): run before the hooks that are registered already.

        Returns:
            A handle whose ``remove()`` takes the hook out.
        """
        handle = register(self._backward_pre_hooks, hook)
        if prepend:
            self._backward_pre_hooks.move_to_end(handle.id, last=False)
        self.__dict__["_hooked"] = True
        return handle

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Registers a hook after the module's backward: ``hook(module, grad_input, grad_output)``.

        Args:
            hook: returns ``None`` or the input gradients to use instead, as a tuple. Entries of
                arguments that are not tensors are ``None``.
            prepend (bool): run before the hooks that are registered already.

        Returns:
            A handle whose ``remove()`` takes the hook out.

        Raises:
            RuntimeError: the module has non-full backward hooks.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> m = nn.Tanh()
            >>> handle = m.register_full_backward_hook(lambda module, gi, go: (gi[0] * 10,))
            >>> x = kagari.zeros(1, requires_grad=True)
            >>> m(x).backward()
            >>> x.grad.item()
            10.0
        """
        handle = self._enter_backward_hook(hook, full=True)
        if prepend:
            self._backward_hooks.move_to_end(handle.id, last=False)
        return handle

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Registers a backward hook on the node of the module's output (deprecated).

        Args:
            hook: ``hook(module, grad_input, grad_output)`` with the gradients of that one node.

        Returns:
            A handle whose ``remove()`` takes the hook out.

        Raises:
            RuntimeError: the module has full backward hooks.
        """
        return self._enter_backward_hook(hook, full=False)

    def _enter_backward_hook(self, hook: Any, full: bool) -> RemovableHandle:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a "
                "single Module. Please use only one of them."
            )
        self._is_full_backward_hook = full
        self.__dict__["_hooked"] = True
        return register(self._backward_hooks, hook)

    # ---- the call ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooked:
                return self._call_hooked(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            annotate(error, self)
            raise

    # Names that libraries know from PyTorch.
    _call_impl = __call__
    _wrapped_call_impl = __call__

    def _call_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not any(self.__dict__[name] for name in _CALL_REGISTRIES):
            self.__dict__.pop("_hooked", None)
            if not has_any_global_hook():
                Module._hooked = False
                return self.forward(*args, **kwargs)
        call = HookedCall(self, args, kwargs)
        try:
            return call.run()
        except Exception:
            call.run_always_called()
            raise

    # ---- attributes ----

    def __getattr__(self, name: str) -> Any:
        # ModuleBase has looked there already; this serves `super().__getattr__` and the error.
        own = self.__dict__
        members = own.get("_parameters")
        if members is not None and name in members:
            return members[name]
        members = own.get("_modules")
        if members is not None and name in members:
            return members[name]
        members = own.get("_buffers")
        if members is not None and name in members:
            return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        params = own.get("_parameters")
        if isinstance(value, Parameter):
            if params is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
            return
        if params is not None and name in params:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_type_name(value)}' as parameter '{name}' "
                    "(kagari.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
            return
        modules = own.get("_modules")
        if isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_modules")
            self._enter_module(name, value)
            return
        if modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_type_name(value)}' as child module '{name}' "
                    "(kagari.nn.Module or None expected)"
                )
            self._enter_module(name, value)
            return
        buffers = own.get("_buffers")
        if isinstance(value, Buffer) or (buffers is not None and name in buffers):
            self._set_buffer(name, value)
            return
        super().__setattr__(name, value)

    def _forget(self, name: str, keep: str) -> None:
        """Takes the name out of every place but the registry that it is about to enter."""
        own = self.__dict__
        own.pop(name, None)
        for registry in ("_parameters", "_buffers", "_modules"):
            if registry != keep:
                own[registry].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def _set_buffer(self, name: str, value: Any) -> None:
        if not (value is None or isinstance(value, Tensor) or hasattr(value, "__torch_function__")):
            raise TypeError(
                f"cannot assign '{_type_name(value)}' as buffer '{name}' "
                "(kagari.nn.Buffer, kagari.Tensor or None expected)"
            )
        if isinstance(value, Buffer):
            persistent = bool(getattr(value, "persistent", True))
        else:
            persistent = name not in self._non_persistent_buffers_set
        if type(self).register_buffer is not Module.register_buffer:
            import inspect  # only for overridden methods, which may lack the argument

            if "persistent" not in inspect.signature(self.register_buffer).parameters:
                if not persistent:
                    raise RuntimeError(
                        "Registering a non-persistent buffer on a Module subclass that "
                        "implements register_buffer() without the persistent argument "
                        "is not allowed."
                    )
                self.register_buffer(name, value)
                return
        self.register_buffer(name, value, persistent)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__]
        names += [*self._parameters, *self._modules, *self._buffers]
        # Numbers, as in Sequential, are no attributes that could be typed.
        return sorted(name for name in names if not name[0].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = self.__dict__
        own.update(state)
        # States saved by older versions lack the registries that came later.
        for name in _REGISTRIES:
            own.setdefault(name, OrderedDict())
        own.setdefault("_non_persistent_buffers_set", set())
        own.setdefault("_is_full_backward_hook", None)
        if any(own[name] for name in _CALL_REGISTRIES):
            own["_hooked"] = True

    # ---- state ----

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Registers a hook before ``state_dict`` collects: ``hook(module, prefix, keep_vars)``.

        Args:
            hook: its result is not used.

        Returns:
            A handle whose ``remove()`` takes the hook out.
        """
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Registers a hook after ``state_dict`` of the module has collected.

        Args:
            hook: ``hook(module, state_dict, prefix, local_metadata)``; it changes the
                ``state_dict`` in place and returns ``None``.

        Returns:
            A handle whose ``remove()`` takes the hook out.
        """
        hook._from_public_api = True  # type: ignore[attr-defined]
        return register(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        # The older form: its result, if any, becomes the state_dict.
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was "
                "previously registered via register_state_dict_post_hook"
            )
        return register(self._state_dict_hooks, hook)

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(
        self,
        *args: Any,
        destination: Any = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> Any:
        """The parameters and persistent buffers by dotted name.

        Args:
            destination (dict): filled and returned instead of a new ordered dictionary.
            prefix (str): put before every name.
            keep_vars (bool): the parameters themselves instead of detached aliases.

        Returns:
            An ordered dictionary; its tensors share the module's memory.

        Example:
            >>> from kagari import nn
            >>> list(nn.Linear(2, 3).state_dict())
            ['weight', 'bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead.",
                FutureWarning,
                stacklevel=2,
            )
            if destination is None:
                destination = args[0]
            if len(args) > 1 and prefix == "":
                prefix = args[1]
            if len(args) > 2 and not keep_vars:
                keep_vars = args[2]
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, local_metadata)
            if changed is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = changed
        return destination

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Registers a hook before the module takes its part of a ``state_dict``.

        Args:
            hook: ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
                unexpected_keys, error_msgs)``; it may change the ``state_dict`` and the lists.

        Returns:
            A handle whose ``remove()`` takes the hook out.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        bound = BoundHook(hook, self if with_module else None)
        return register(self._load_state_dict_pre_hooks, bound)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Registers a hook after the module has taken its part of a ``state_dict``.

        Args:
            hook: ``hook(module, incompatible_keys)``; it may change the lists
                ``incompatible_keys.missing_keys`` and ``.unexpected_keys`` and returns ``None``.

        Returns:
            A handle whose ``remove()`` takes the hook out.
        """
        return register(self._load_state_dict_post_hooks, hook)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        local: dict[str, Any] = {k: p for k, p in self._parameters.items() if p is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                local[name] = buffer
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, own in local.items():
            key = prefix + name
            if key in state_dict:
                self._load_one(name, key, own, state_dict[key], assign, error_msgs)
            elif strict:
                missing_keys.append(key)
        extra_key = prefix + _EXTRA_STATE_KEY_SUFFIX
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)
        if not strict:
            return
        for key in state_dict:
            if not key.startswith(prefix) or key == extra_key:
                continue
            first, dot, _ = key[len(prefix) :].partition(".")
            if first not in (self._modules if dot else local):
                unexpected_keys.append(key)

    def _load_one(
        self, name: str, key: str, own: Any, given: Any, assign: bool, error_msgs: list[str]
    ) -> None:
        """Copies (or assigns) one entry of a ``state_dict``; what fails goes to ``error_msgs``."""
        if not isinstance(given, Tensor) and not hasattr(type(given), "__torch_function__"):
            error_msgs.append(
                f'While copying the parameter named "{key}", expected kagari.Tensor or '
                f"Tensor-like object from checkpoint but received {type(given)}"
            )
            return
        if not is_lazy(own):
            # Checkpoints of old versions hold scalars as tensors of one element.
            if len(own.shape) == 0 and tuple(given.shape) == (1,):
                given = given[0]
            if given.shape != own.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {given.shape} from "
                    f"checkpoint, the shape in current model is {own.shape}."
                )
                return
        if own.is_meta and not given.is_meta and not assign:
            warnings.warn(
                f"for {key}: copying from a non-meta parameter in the checkpoint to a meta "
                "parameter in the current model, which is a no-op. (Did you mean to pass "
                "`assign=True` to assign items in the state dictionary to their corresponding "
                "key in the module instead of copying them in place?)",
                stacklevel=4,
            )
        try:
            with kagari.no_grad():
                if not assign:
                    own.copy_(given)
                    return
                if isinstance(own, Parameter):
                    if isinstance(given, Parameter):
                        given.requires_grad_(own.requires_grad)
                    else:
                        given = Parameter(given, requires_grad=own.requires_grad)
                setattr(self, name, given)
        except Exception as error:
            error_msgs.append(
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{own.size()} and whose dimensions in the checkpoint are {given.size()}, "
                f"an exception occurred : {error.args}."
            )

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Copies parameters and buffers from a ``state_dict`` into the module.

        Args:
            state_dict (dict): names and tensors, as :meth:`state_dict` gives them.
            strict (bool): raise if names are missing or not expected.
            assign (bool): take the tensors themselves instead of copying their values.

        Returns:
            A named tuple ``(missing_keys, unexpected_keys)``.

        Raises:
            TypeError: ``state_dict`` is not a mapping.
            RuntimeError: names (with ``strict``) or shapes do not agree.

        Example:
            >>> from kagari import nn
            >>> a, b = nn.Linear(2, 3), nn.Linear(2, 3)
            >>> a.load_state_dict(b.state_dict())
            <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing_keys: list[str] = []
        unexpected_keys: list[str] = []
        error_msgs: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        copied: Any = OrderedDict(state_dict)  # hooks may change it
        if metadata is not None:
            copied._metadata = metadata

        def load(module: Module, entries: Any, prefix: str) -> None:
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = assign
            module._load_from_state_dict(
                entries, prefix, local_metadata, True, missing_keys, unexpected_keys, error_msgs
            )
            for name, child in module._modules.items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {k: v for k, v in entries.items() if k.startswith(below)}, below)
            incompatible = _IncompatibleKeys(missing_keys, unexpected_keys)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, incompatible) is not None:
                    raise AssertionError(
                        "Hooks registered with register_load_state_dict_post_hook are not "
                        "expected to return new values; change incompatible_keys in place."
                    )

        load(self, copied, "")
        if strict:
            for what, keys in (("Unexpected", unexpected_keys), ("Missing", missing_keys)):
                if keys:
                    names = ", ".join(f'"{k}"' for k in keys)
                    error_msgs.insert(0, f"{what} key(s) in state_dict: {names}. ")
        if error_msgs:
            raise RuntimeError(
                "Error(s) in loading state_dict for {}:\n\t{}".format(
                    type(self).__name__, "\n\t".join(error_msgs)
                )
            )
        return _IncompatibleKeys(missing_keys, unexpected_keys)

    # ---- iteration ----

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules: Any = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield (f"{path}.{name}" if path else name), member

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Iterates over the parameters, each once.

        Args:
            recurse (bool): those of submodules too.

        Example:
            >>> from kagari import nn
            >>> sum(p.numel() for p in nn.Linear(2, 3).parameters())
            9
        """
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Iterates over the parameters with their dotted names.

        Args:
            prefix (str): put before every name.
            recurse (bool): those of submodules too.
            remove_duplicate (bool): name a shared parameter once.
        """
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Iterates over the buffers, each once.

        Args:
            recurse (bool): those of submodules too.
        """
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Iterates over the buffers with their dotted names.

        Args:
            prefix (str): put before every name.
            recurse (bool): those of submodules too.
            remove_duplicate (bool): name a shared buffer once.
        """
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def children(self) -> Iterator[Module]:
        """Iterates over the direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Iterates over the direct submodules with their names, each once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Iterates over the module and all its descendants.

        Args:
            remove_duplicate (bool): give a shared module once.
        """
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Iterates over the module and all its descendants with their dotted names.

        Args:
            memo (set): modules to leave out; grows.
            prefix (str): put before every name.
            remove_duplicate (bool): name a shared module once.
        """
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    # ---- modes and gradients ----

    def train(self: Self, mode: bool = True) -> Self:
        """Sets training mode here and below; Dropout and BatchNorm heed it.

        Args:
            mode (bool): ``False`` for evaluation mode.

        Returns:
            The module itself.

        Raises:
            ValueError: ``mode`` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Sets evaluation mode here and below; the same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Sets whether gradients are computed for all parameters.

        Args:
            requires_grad (bool): ``False`` freezes them.

        Returns:
            The module itself.
        """
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of all parameters.

        Args:
            set_to_none (bool): ``False`` fills them with zeros instead.
        """
        if getattr(self, "_is_replica", False):
            warnings.warn(
                "zero_grad: a replica's parameters are copies, not leaves, and hold no gradients; "
                "use autograd.grad for gradients inside forward.",
                stacklevel=2,
            )
        for param in self.parameters():
            grad = param.grad
            if grad is None:
                continue
            if set_to_none:
                param.grad = None
                continue
            if grad.grad_fn is not None:
                grad.detach_()
            else:
                grad.requires_grad_(False)
            grad.zero_()

    def share_memory(self: Self) -> Self:
        """Moves parameters and buffers to shared memory, in place, and returns the module."""
        return self._apply(lambda t: t.share_memory_())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepts what ``torch.nn.Module.compile`` does and leaves the module as it is.

        Compilation never changes results; until there is a compiler the call runs eagerly.
        """

    # ---- printing ----

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The part of ``repr`` that tells the settings; subclasses override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()
        ]
        if not lines and not children:
            return f"{self._get_name()}()"
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def _replicate_for_data_parallel(self) -> Module:
        replica = self.__new__(type(self))
        replica.__dict__.update(self.__dict__)
        # A replica's parameters are copies that belong to the graph: they are plain attributes.
        replica.__dict__["_parameters"] = {}
        replica.__dict__["_buffers"] = self._buffers.copy()
        replica.__dict__["_modules"] = self._modules.copy()
        replica.__dict__["_is_replica"] = True
        return replica


def _can_take_data(tensor: Any, applied: Any) -> bool:
    """Whether ``tensor.data = applied`` is possible: not from one kind of memory to another."""
    return bool(tensor.device.type == applied.device.type and tensor.layout == applied.layout)
