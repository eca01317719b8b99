"""The base of all optimisers: parameter groups, state, hooks, saving and loading."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from copy import deepcopy
from itertools import chain
from typing import Any, ClassVar, TypeAlias

import kagari
from kagari import _core
from kagari.utils.hooks import RemovableHandle

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

Tensor: TypeAlias = "kagari.Tensor"
Group: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Any]
StateDict: TypeAlias = dict[str, Any]
ParamsT: TypeAlias = (
    "Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]] | Iterable[Any]"
)
Number: TypeAlias = "float | Tensor"
Hooks: TypeAlias = "OrderedDict[int, Callable[..., Any]]"

# Devices on which a step can be recorded as a graph of kernels.
_CAPTURABLE_DEVICES = ("cuda", "xpu", "hpu", "xla")

_global_pre_hooks: Hooks = OrderedDict()
_global_post_hooks: Hooks = OrderedDict()


class _RequiredParameter:
    """The default of an option that every group has to set itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Registers a hook that runs before the step of every optimiser.

    Args:
        hook: called as ``hook(optimizer, args, kwargs)``; may return new ``(args, kwargs)``.

    Returns:
        A handle whose ``remove()`` takes the hook out.

    Example:
        >>> import kagari
        >>> handle = kagari.optim.optimizer.register_optimizer_step_pre_hook(
        ...     lambda optimizer, args, kwargs: print("before")
        ... )
        >>> x = kagari.zeros(1, requires_grad=True)
        >>> x.grad = kagari.ones(1)
        >>> kagari.optim.SGD([x], lr=0.1).step()
        before
        >>> handle.remove()
    """
    return _register(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., None]) -> RemovableHandle:
    """Registers a hook that runs after the step of every optimiser.

    Args:
        hook: called as ``hook(optimizer, args, kwargs)``.

    Returns:
        A handle whose ``remove()`` takes the hook out.

    Example:
        >>> import kagari
        >>> handle = kagari.optim.optimizer.register_optimizer_step_post_hook(
        ...     lambda optimizer, args, kwargs: print("after")
        ... )
        >>> x = kagari.zeros(1, requires_grad=True)
        >>> x.grad = kagari.ones(1)
        >>> kagari.optim.SGD([x], lr=0.1).step()
        after
        >>> handle.remove()
    """
    return _register(_global_post_hooks, hook)


def _register(hooks: Hooks, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """Runs the step hooks around `step`; the common case without hooks is one test."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        pre, post = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (pre or post or _global_pre_hooks or _global_post_hooks):
            return step(self, *args, **kwargs)
        # Hooks see, and may replace, the arguments with the optimiser among them.
        args = (self, *args)
        for hook in chain(_global_pre_hooks.values(), pre.values()):
            result = hook(self, args, kwargs)
            if result is None:
                continue
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    f"{step} must return None or a tuple of (new_args, new_kwargs), "
                    f"but got {result}."
                )
            args, kwargs = result
        out = step(*args, **kwargs)
        for hook in chain(post.values(), _global_post_hooks.values()):
            hook(self, args, kwargs)
        return out

    hooked.hooked = True  # type: ignore[attr-defined]
    return hooked


def _typename(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _is_tensor(value: object) -> bool:
    return isinstance(value, kagari.Tensor)


def _scalar(x: Number) -> float:
    """The number in a one-element tensor, or the number itself."""
    if type(x) is float:
        return x
    return x.item() if _is_tensor(x) else x  # type: ignore[return-value, union-attr]


def _scalar_dtype(fused: bool | None = False) -> kagari.dtype:
    """The dtype of ``state['step']``."""
    if not fused and kagari.get_default_dtype() == kagari.float64:
        return kagari.float64
    return kagari.float32


def _real(t: Tensor) -> Tensor:
    return kagari.view_as_real(t) if t.is_complex() else t


def _check(ok: bool, what: str, value: object) -> None:
    if not ok:
        raise ValueError(f"Invalid {what}: {value}")


def _check_lr(lr: Number) -> None:
    if _is_tensor(lr) and lr.numel() != 1:  # type: ignore[union-attr]
        raise ValueError("Tensor lr must be 1-element")
    _check(bool(lr >= 0.0), "learning rate", lr)


def _check_betas(betas: tuple[Number, Number]) -> None:
    for i in (0, 1):
        _check(
            bool(betas[i] >= 0.0) and bool(betas[i] < 1.0), f"beta parameter at index {i}", betas[i]
        )


class Optimizer:
    """Base class: holds parameters in groups, state for each of them, and the options.

    An optimiser with one formula per parameter gives ``_init_state`` and ``_apply``; one with a
    fused update for a whole group overrides ``_update``; anything else overrides ``step``.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups. Their order
            has to be the same from run to run.
        defaults: options of groups that do not set them.

    Attributes:
        param_groups: list of dicts, each with ``'params'`` and options.
        state: what the optimiser remembers, by parameter.
        defaults: the default options.

    Raises:
        TypeError: `params` is a single tensor, or holds something else than tensors.
        ValueError: no parameters; a parameter twice; a non-leaf tensor; names for some only.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.ones(2))
        >>> opt = kagari.optim.SGD([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> w.tolist()
        [0.0, 0.0]
    """

    # Keys of the state whose values have the parameter's shape; loading checks them.
    _like_param: ClassVar[tuple[str, ...]] = ()
    # Options that files of older versions lack.
    _late_options: ClassVar[dict[str, Any]] = {}
    _takes_sparse: ClassVar[bool] = False  # gradients of layout sparse_coo
    # Set by a gradient scaler for the duration of a step.
    grad_scale: Tensor | None = None
    found_inf: Tensor | None = None

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._init_hooks()
        self._patch_step_function()
        if _is_tensor(params):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {_typename(params)}"
            )
        self.state: defaultdict[Any, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _init_hooks(self) -> None:
        for name in ("step", "state_dict", "load_state_dict"):
            for when in ("pre", "post"):
                self.__dict__.setdefault(f"_optimizer_{name}_{when}_hooks", OrderedDict())

    _optimizer_step_pre_hooks: Hooks
    _optimizer_step_post_hooks: Hooks
    _optimizer_state_dict_pre_hooks: Hooks
    _optimizer_state_dict_post_hooks: Hooks
    _optimizer_load_state_dict_pre_hooks: Hooks
    _optimizer_load_state_dict_post_hooks: Hooks

    def _patch_step_function(self) -> None:
        cls: Any = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = _with_hooks(cls.step)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._init_hooks()
        self._patch_step_function()
        self.defaults.setdefault("differentiable", False)
        for group in self.param_groups:
            for key, value in self._late_options.items():
                group.setdefault(key, value)
            for p in group["params"]:
                self._upgrade_state(self.state.get(p, {}), p, group)

    def _upgrade_state(self, state: State, p: Tensor, group: Group) -> None:
        """Old files keep the step as a number."""
        if "step" in state and not _is_tensor(state["step"]):
            state["step"] = self._new_step(p, group, float(state["step"]))

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {k}: {group[k]}\n" for k in sorted(group) if k != "params")
        return text + ")"

    # ---- groups --------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group of parameters, for example layers that are unfrozen later.

        Args:
            param_group: ``'params'`` and the options in which it differs from the defaults.

        Raises:
            TypeError: not a dict; a set of parameters; something that is no tensor.
            ValueError: a parameter that is no leaf or already here; names for some only; a
                required option left out.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = param_group
        self._split_names(group)
        for p in group["params"]:
            if not _is_tensor(p):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {_typename(p)}"
                )
            if not self.defaults.get("differentiable") and not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            group.setdefault(name, default)
        self._check_distinct(group)
        self.param_groups.append(group)

    @staticmethod
    def _split_names(group: Group) -> None:
        """Turns ``(name, parameter)`` pairs into two lists of the group."""
        params = group["params"]
        if _is_tensor(params):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        group["params"] = [p[1] if isinstance(p, tuple) else p for p in params]
        if names:
            if len(names) != len(params):
                raise ValueError(
                    "all optimizer params should be with/without names. "
                    "Some param names are missing"
                )
            group["param_names"] = names

    def _check_distinct(self, group: Group) -> None:
        params = set(group["params"])
        if len(params) != len(group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "in future, this will cause an error",
                stacklevel=4,
            )
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                text = "with names" if "param_names" in group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {text} to the optimizer"
                )
            if not params.isdisjoint(other["params"]):
                raise ValueError("some parameters appear in more than one parameter group")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Resets the gradients of all parameters.

        Args:
            set_to_none: drop them; otherwise fill them with zeros in place. Dropping saves memory
                and a pass, and a step skips a parameter without a gradient.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif (grad := p.grad) is not None:
                    if grad.grad_fn is not None:
                        grad.detach_()
                    else:
                        grad.requires_grad_(False)
                    grad.zero_()

    # ---- step ----------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates the parameters that have a gradient.

        Args:
            closure: recomputes the loss with gradients and returns it.

        Returns:
            What `closure` returned, or None.
        """
        loss = None
        if closure is not None:
            with kagari.enable_grad():
                loss = closure()
        # The context manager of the public name costs as much as the update of a small layer.
        before = _core.is_grad_enabled()
        _core._set_grad_enabled(self.defaults.get("differentiable", False))
        try:
            for group in self.param_groups:
                self._update(group)
        finally:
            _core._set_grad_enabled(before)
        return loss

    def _init_state(self, p: Tensor, group: Group) -> State:
        """The state of a parameter before its first step."""
        raise NotImplementedError(f"{type(self).__name__}: define step, or _init_state and _apply")

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """The formula, for one parameter."""
        raise NotImplementedError(f"{type(self).__name__}: define step, or _init_state and _apply")

    def _update(self, group: Group) -> None:
        """Steps the parameters of a group one by one."""
        params, grads, states = self._gather(group)
        for p, grad, state in zip(params, grads, states, strict=True):
            if "step" in state:
                state["step"] += 1
            if grad.is_sparse and not self._takes_sparse:
                raise RuntimeError(self._sparse_refusal())
            if group.get("maximize"):
                grad = -grad
            if p.is_complex():
                p, grad = kagari.view_as_real(p), kagari.view_as_real(grad)
                state = {k: _real(v) if _is_tensor(v) else v for k, v in state.items()}
            self._apply(p, grad, state, group)

    def _gather(self, group: Group) -> tuple[list[Tensor], list[Tensor], list[State]]:
        """Parameters that have a gradient, their gradients, their states (begun where new)."""
        params: list[Tensor] = group["params"]
        grads = [g for p in params if (g := p.grad) is not None]
        if len(grads) != len(params):
            params = [p for p in params if p.grad is not None]
        states = list(map(self.state.__getitem__, params))
        if not all(states):
            for p, state in zip(params, states, strict=True):
                if not state:
                    self._begin(p, state, group)
        if group.get("capturable") and params:
            self._check_capturable(params[0])
        return params, grads, states

    def _begin(self, p: Tensor, state: State, group: Group) -> None:
        if p.grad is not None and p.grad.is_sparse and not self._takes_sparse:
            raise RuntimeError(self._sparse_refusal())
        if group.get("fused"):
            self._check_fused(p)
        state.update(self._init_state(p, group))

    def _sparse_refusal(self) -> str:
        return f"{type(self).__name__} does not support sparse gradients"

    def _check_fused(self, p: Tensor) -> None:
        if not p.is_floating_point():
            raise RuntimeError(
                "`fused=True` requires all the params to be floating point Tensors, "
                f"but got {p.dtype} on {p.device.type}; leave `fused` unset"
            )

    def _check_capturable(self, p: Tensor) -> None:
        if p.device.type not in _CAPTURABLE_DEVICES:
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: "
                f"{list(_CAPTURABLE_DEVICES)}, got {p.device.type}; pass capturable=False."
            )

    def _check_flags(self) -> None:
        """The combinations of `fused`, `foreach`, `differentiable` that contradict each other."""
        if self.defaults.get("fused"):
            if self.defaults.get("differentiable"):
                raise RuntimeError("`fused` does not support `differentiable`")
            if self.defaults.get("foreach"):
                raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
            self._step_supports_amp_scaling = True

    @staticmethod
    def _new_step(p: Tensor, group: Group, value: float = 0.0) -> Tensor:
        on_device = group.get("capturable") or group.get("fused")
        return kagari.tensor(
            value,
            dtype=_scalar_dtype(group.get("fused")),
            device=p.device if on_device else None,
        )

    # ---- hooks ---------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Registers ``hook(optimizer, args, kwargs)`` to run before each step.

        It may return new ``(args, kwargs)``. Returns a handle that removes the hook.
        """
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Registers ``hook(optimizer, args, kwargs)`` to run after each step.

        Returns a handle that removes the hook.
        """
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[[Optimizer], None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers ``hook(optimizer)`` to run before ``state_dict``.

        Returns a handle that removes the hook.
        """
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers ``hook(optimizer, state_dict)`` to run after ``state_dict``.

        It may change the dict or return another. Returns a handle that removes the hook.
        """
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers ``hook(optimizer, state_dict)`` to run before ``load_state_dict``.

        It sees a shallow copy and may change it or return another. Returns a handle that removes
        the hook.
        """
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[[Optimizer], None], prepend: bool = False
    ) -> RemovableHandle:
        """Registers ``hook(optimizer)`` to run after ``load_state_dict``.

        Returns a handle that removes the hook.
        """
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # ---- saving and loading --------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """Returns the state and the groups, with parameters replaced by consecutive numbers.

        Groups made from ``(name, parameter)`` pairs carry ``'param_names'`` as well.

        Returns:
            ``{'state': {number: {...}}, 'param_groups': [{'params': [number, ...], ...}]}``; the
            tensors in it are the optimiser's own, not copies.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            params = group["params"]
            for i, p in enumerate(params, start):
                numbers.setdefault(id(p), i)
            packed = {k: v for k, v in group.items() if k != "params"}
            packed["params"] = [numbers[id(p)] for p in params]
            groups.append(packed)
            start += len(params)
        state = {numbers[id(k)] if _is_tensor(k) else k: v for k, v in self.state.items()}
        result: StateDict = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            if changed is not None:
                result = changed
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Takes over a state made by ``state_dict``.

        Parameters are matched by position; where this optimiser and the saved one both know the
        names of their parameters, by name, so that layers in another order keep their own state.

        Args:
            state_dict: the saved state; tensors in it are used as they are where dtype and device
                fit.

        Raises:
            ValueError: groups, names or shapes do not fit the parameters.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            if changed is not None:
                state_dict = changed
        saved_groups = deepcopy(state_dict["param_groups"])
        by_number = self._match(saved_groups)
        state: defaultdict[Any, State] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in by_number:
                p = by_number[key]
                self._check_shapes(p, value, key)
                state[p] = self._cast(p, value, key, state_dict["param_groups"])
            else:
                state[key] = value
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            saved["params"] = group["params"]
            if "param_names" in group:
                saved["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _match(self, saved_groups: list[Group]) -> dict[int, Tensor]:
        """Which parameter each number of the saved groups means."""
        if len(self.param_groups) != len(saved_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"expected {len(self.param_groups)}, got {len(saved_groups)}"
            )
        found: dict[int, Tensor] = {}
        for i, (group, saved) in enumerate(zip(self.param_groups, saved_groups, strict=True)):
            params, numbers = group["params"], saved["params"]
            if len(params) != len(numbers):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    f"optimizer's group: group {i} has {len(params)} parameters, "
                    f"the saved one {len(numbers)}"
                )
            names, saved_names = group.get("param_names"), saved.get("param_names")
            if names is not None and saved_names is not None and names != saved_names:
                params = self._by_name(i, dict(zip(names, params, strict=True)), saved_names)
            found.update(zip(numbers, params, strict=True))
        return found

    @staticmethod
    def _by_name(i: int, params: dict[str, Tensor], saved_names: list[str]) -> list[Tensor]:
        missing = [n for n in params if n not in saved_names]
        unexpected = [n for n in saved_names if n not in params]
        if missing or unexpected:
            raise ValueError(
                f"loaded state dict names other parameters than optimizer's group {i}: "
                f"missing {missing}, unexpected {unexpected}; rename them in "
                "register_load_state_dict_pre_hook, or delete 'param_names' from the saved groups "
                "to load by position"
            )
        return [params[n] for n in saved_names]

    def _check_shapes(self, p: Tensor, state: Any, number: int) -> None:
        if not isinstance(state, dict):
            return
        for key in self._like_param:
            value: Any = state.get(key)
            if _is_tensor(value) and value.shape != p.shape:
                raise ValueError(
                    f"{type(self).__name__}: saved {key!r} of parameter {number} has shape "
                    f"{tuple(value.shape)}, the parameter has {tuple(p.shape)}; "
                    "the state belongs to other parameters or to the same ones in another order"
                )

    @staticmethod
    def _cast(p: Tensor, value: Any, number: int, groups: list[Group], key: Any = None) -> Any:
        """The saved value with the dtype and on the device that belong to the parameter."""

        def cast(v: Any, key: Any = None) -> Any:
            return Optimizer._cast(p, v, number, groups, key)

        if _is_tensor(value):
            return Optimizer._process_value_according_to_param_policy(p, value, number, groups, key)
        if isinstance(value, dict):
            return {k: cast(v, k) for k, v in value.items()}
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            return type(value)(cast(v) for v in value)  # type: ignore[call-arg]
        return value

    @staticmethod
    def _process_value_according_to_param_policy(
        param: Tensor,
        value: Tensor,
        param_id: int,
        param_groups: list[Group],
        key: Hashable = None,
    ) -> Tensor:
        if key == "step":
            # Kept as it is, for counting in bfloat16 ends at 256.
            for group in param_groups:
                if param_id in group["params"]:
                    if group.get("fused") or group.get("capturable"):
                        return value.to(dtype=kagari.float32, device=param.device)
                    break
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)


def _advance(steps: list[Tensor]) -> None:
    """Counts one step for all parameters of a group."""
    for step in steps:
        step.add_(1)


def _batches(params: list[Tensor], *others: list[Tensor]) -> Iterable[tuple[list[Tensor], ...]]:
    """Splits lists of tensors by the parameters' dtype, with complex tensors seen as pairs."""
    if len({p.dtype for p in params}) == 1 and not params[0].is_complex():
        return ((params, *others),)
    return _split(params, *others)


def _split(params: list[Tensor], *others: list[Tensor]) -> Iterator[tuple[list[Tensor], ...]]:
    for dtype in dict.fromkeys(p.dtype for p in params):
        index = [i for i, p in enumerate(params) if p.dtype == dtype]
        # An empty list (no AMSGrad maximum, no momentum) stays empty.
        lists = (
            [_real(values[i]) for i in index] if values else [] for values in (params, *others)
        )
        yield tuple(lists)
