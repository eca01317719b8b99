"""Parameters and buffers: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import _disabled_torch_function_impl

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]


def _rebuild_parameter(data: Tensor, requires_grad: bool, hooks: Any) -> Parameter:
    parameter: Parameter = Parameter(data, requires_grad)
    parameter._backward_hooks = hooks
    return parameter


def _rebuild_parameter_with_state(
    data: Tensor, requires_grad: bool, hooks: Any, state: dict[str, Any]
) -> Parameter:
    parameter = _rebuild_parameter(data, requires_grad, hooks)
    parameter.__dict__.update(state)
    return parameter


# A tensor of a foreign subclass cannot change its class; it is marked as a parameter instead,
# and the metaclass lets isinstance() see the mark.
class _ParameterMeta(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(self, instance: Any) -> bool:
        if self is Parameter and isinstance(instance, Tensor):
            if type.__instancecheck__(self, instance):
                return True
            return bool(getattr(instance, "_is_param", False))
        return bool(type.__instancecheck__(self, instance))


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a module takes as trainable when it is assigned as an attribute.

    Args:
        data (Tensor): the values; an empty tensor by default. The parameter shares its memory.
        requires_grad (bool): whether gradients are computed for it.

    Returns:
        A leaf of type ``Parameter``; for a ``data`` of another Tensor subclass a leaf of that
        subclass for which ``isinstance(t, Parameter)`` holds.

    Raises:
        RuntimeError: the subclass's ``detach()`` loses the subclass.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> p = nn.Parameter(kagari.zeros(2))
        >>> p.requires_grad, p.is_leaf
        (True, True)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = kagari.empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            return Tensor._make_subclass(cls, data, requires_grad)
        marked = data.detach().requires_grad_(requires_grad)
        if type(marked) is not type(data):
            raise RuntimeError(
                f"Parameter: expected detach() of {type(data).__name__} to return "
                f"{type(data).__name__}, got {type(marked).__name__}; "
                "make detach() keep the subclass"
            )
        marked._is_param = True
        return marked

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        done = memo.get(id(self))
        if done is None:
            done = type(self)(self.detach().clone(), self.requires_grad)
            memo[id(self)] = done
        return done

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, proto: Any) -> Any:
        # Hooks stay behind, as PyTorch's do.
        hooks: OrderedDict[int, Any] = OrderedDict()
        state = dict(self.__dict__)
        if not state:
            return _rebuild_parameter, (self.detach(), self.requires_grad, hooks)
        return _rebuild_parameter_with_state, (self.detach(), self.requires_grad, hooks, state)

    # Results of operations on parameters are plain tensors.
    __torch_function__ = _disabled_torch_function_impl


class UninitializedTensorMixin:
    """A tensor whose shape the first forward pass will tell."""

    cls_to_become: Any = None

    # What may be asked of a tensor without a shape: conversions and the questions they need.
    _allowed_methods = frozenset(
        name
        for names in (
            ("__hash__", "size", "copy_", "get_device", "is_complex", "is_floating_point", "to"),
            ("cpu", "cuda", "half", "bfloat16", "float", "double", "char", "short", "int", "long"),
        )
        for name in names
    )

    def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Gives the tensor memory for ``shape`` and makes it an ordinary parameter or buffer.

        Args:
            shape: the sizes.
            device: where; the placeholder's device by default.
            dtype: the element type; the placeholder's by default.
        """
        self.data = kagari.empty(
            shape,
            device=self.data.device if device is None else device,
            dtype=self.data.dtype if dtype is None else dtype,
        )
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This usually happens "
            "when load_state_dict() copies an uninitialized parameter into an initialized one; "
            "call forward() once first."
        )

    def share_memory_(self) -> Any:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer; call forward() once "
            "before module.share_memory()."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self: Any, proto: Any) -> Any:
        return type(self), (self.requires_grad,)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # Attribute access arrives as the getter of the property, a method-wrapper.
        getter = type(func).__name__ == "method-wrapper"
        if getter or getattr(func, "__name__", None) in cls._allowed_methods:
            return super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[misc]
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {func}. It has no shape before the "
            "module's first forward(); call the module on a batch once, then use "
            f"the {cls.__name__}."
        )


def is_lazy(param: Any) -> bool:
    """Whether ``param`` still waits for its shape.

    Example:
        >>> from kagari import nn
        >>> nn.parameter.is_lazy(nn.UninitializedParameter())
        True
    """
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[metaclass]
    """A parameter whose shape is not known yet; a lazy module fills it in at its first call.

    Args:
        requires_grad (bool): whether gradients will be computed.
        device: where the values will lie.
        dtype: their element type.

    Example:
        >>> from kagari import nn
        >>> p = nn.UninitializedParameter()
        >>> p.materialize((2, 3))
        >>> tuple(p.shape)
        (2, 3)
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        data = kagari.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        done = memo.get(id(self))
        if done is None:
            done = type(self)(self.requires_grad, self.data.device, self.data.dtype)
            memo[id(self)] = done
        return done


class _BufferMeta(type(Tensor)):  # type: ignore[misc]
    def __instancecheck__(self, instance: Any) -> bool:
        if self is Buffer and isinstance(instance, Tensor):
            return bool(getattr(instance, "_is_buffer", False))
        return bool(type.__instancecheck__(self, instance))


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a module registers as state without training it, when it is assigned.

    Args:
        data (Tensor): the values; an empty tensor by default.
        persistent (bool): whether ``state_dict`` contains it.

    Returns:
        A tensor of ``data``'s own type for which ``isinstance(t, Buffer)`` holds.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Module()
        >>> m.mean = nn.Buffer(kagari.zeros(2))
        >>> list(m.state_dict())
        ['mean']
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = kagari.empty(0)
        marked = data.detach().requires_grad_(data.requires_grad)
        marked.persistent = persistent
        marked._is_buffer = True
        return marked

    __torch_function__ = _disabled_torch_function_impl


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet; see :class:`UninitializedParameter`.

    Example:
        >>> from kagari import nn
        >>> b = nn.parameter.UninitializedBuffer()
        >>> b.materialize((2,))
        >>> tuple(b.shape)
        (2,)
    """

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Any:
        data = kagari.empty(0, device=device, dtype=dtype)
        made = Tensor._make_subclass(cls, data, requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made
