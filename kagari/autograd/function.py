"""Differentiable functions written in Python: autograd.Function and its context."""

from __future__ import annotations

from kagari import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Function", "FunctionCtx", "InplaceFunction", "NestedIOFunction", "once_differentiable"]


class FunctionCtx:
    """What forward and backward of a Function share; it is also the node in the graph."""

    # Defaults stand on the class: a context is made for every call.
    to_save: Any = None
    non_differentiable: Any = None
    dirty_tensors: Any = None
    materialize_grads: bool = True
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps tensors (or None) for backward, where `ctx.saved_tensors` returns them."""
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keeps tensors for jvp."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, _core.Tensor):
                raise TypeError(
                    f"save_for_forward: expected Tensors or None, got {type(tensor).__name__}; "
                    "keep other values as attributes of ctx"
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Says that forward wrote these inputs in place; they must be among its outputs."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Says that these outputs carry no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether gradients that did not arrive reach backward as zeros (True) or None."""
        self.materialize_grads = value


class BackwardCFunction(_core.FunctionNode, FunctionCtx):
    """The node type of Functions: what the engine runs calls the class's backward."""

    _forward_cls: type[Function]

    def apply(self, *gradients: Any) -> Any:
        cls = self._forward_cls
        backward, vjp = cls.backward, cls.vjp
        if backward is not Function.backward and vjp is not Function.vjp:
            raise RuntimeError(
                f"{cls.__name__}: implementing both 'backward' and 'vjp' is not allowed; "
                "keep one of them"
            )
        rule = vjp if vjp is not Function.vjp else backward
        return rule(self, *gradients)


class FunctionMeta(type):
    """Gives each Function class a node type of its own, so that graphs show its name."""

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        cls._backward_cls = type(name + "Backward", (BackwardCFunction,), {"_forward_cls": cls})


class Function(metaclass=FunctionMeta):
    """A function with its own derivative: subclass it, define forward and backward, call apply.

    forward(ctx, *args) computes the result outside of the tape. backward(ctx, *grads) gets one
    gradient per output and returns one per argument of forward (None where there is none). With
    `setup_context(ctx, inputs, output)` defined, forward takes no ctx.

    Example:
        >>> import kagari
        >>> class Exp(kagari.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         y = x.exp()
        ...         ctx.save_for_backward(y)
        ...         return y
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (y,) = ctx.saved_tensors
        ...         return g * y
        >>> x = kagari.tensor([0.0], requires_grad=True)
        >>> Exp.apply(x).backward()
        >>> x.grad
        tensor([1.])
    """

    _backward_cls: type[BackwardCFunction]
    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self).__name__}: a Function is not instantiated; call "
            f"{type(self).__name__}.apply(...)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "legacy autograd functions with a non-static forward are not supported; define static "
            "forward and backward and call apply()"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the function; to be defined by the subclass."""
        raise NotImplementedError(
            "Function: define a static method forward(ctx, *args) in your subclass"
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Saves what backward needs, when forward takes no ctx."""
        raise NotImplementedError("Function: setup_context is not defined in your subclass")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Computes gradients of the arguments; to be defined by the subclass."""
        raise NotImplementedError(
            "Function: define a static method backward(ctx, *grad_outputs) in your subclass to use "
            "it with backward()"
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Computes the derivative along a direction; to be defined for forward mode."""
        raise NotImplementedError("Function: define a static method jvp(ctx, *tangents)")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Calls forward and records backward for it."""
        ctx = cls._backward_cls()
        separate = cls.setup_context is not Function.setup_context
        if kwargs:
            args = _bind_keywords(cls, separate, args, kwargs)
        recording = _core._function_begin(ctx, args)
        before = _core.is_grad_enabled()
        _core._set_grad_enabled(False)
        try:
            if separate:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        finally:
            _core._set_grad_enabled(before)
        return _core._function_end(ctx, args, output, recording)


def _bind_keywords(
    cls: type[Function], separate: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    from inspect import signature

    bound = signature(cls.forward).bind(*(args if separate else (None, *args)), **kwargs)
    bound.apply_defaults()
    return bound.args if separate else bound.args[1:]


def once_differentiable(fn: Any) -> Any:
    """Marks a backward whose results must not be differentiated again: doing so raises.

    Example:
        >>> import kagari
        >>> class Double(kagari.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return 2 * x
        ...     @staticmethod
        ...     @kagari.autograd.function.once_differentiable
        ...     def backward(ctx, g):
        ...         return 2 * g
        ...
        >>> x = kagari.ones(2, requires_grad=True)
        >>> Double.apply(x).sum().backward()
        >>> x.grad
        tensor([2., 2.])
    """
    from functools import wraps

    class _NotTwice(Function):
        @staticmethod
        def forward(ctx: Any, *grads: Any) -> Any:
            return tuple(g.detach() if isinstance(g, _core.Tensor) else g for g in grads)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            raise RuntimeError(
                "trying to differentiate twice a function that was marked with @once_differentiable"
            )

    @wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        before = _core.is_grad_enabled()
        _core._set_grad_enabled(False)
        try:
            outputs = fn(ctx, *args)
        finally:
            _core._set_grad_enabled(before)
        if not before or not any(isinstance(a, _core.Tensor) and a.requires_grad for a in args):
            return outputs
        single = not isinstance(outputs, tuple)
        fake = [
            o.detach().requires_grad_() if isinstance(o, _core.Tensor) else o
            for o in ((outputs,) if single else outputs)
        ]
        marked = _NotTwice.apply(*fake)
        return marked[0] if single else marked

    return wrapper


InplaceFunction = Function
NestedIOFunction = Function
