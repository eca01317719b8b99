"""The Python half of Tensor: copying, pickling, formatting, and simple questions about tensors."""

from __future__ import annotations

import copyreg
import warnings
from collections import OrderedDict
from collections.abc import Callable

from kagari import _core
from kagari._core import Tensor, UntypedStorage, overridable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Function = Callable[..., Any]

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "detach",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "numel",
    "resize_as_",
    "resolve_conj",
    "resolve_neg",
]


def _method(name: str) -> Callable[[Function], Function]:
    """Makes the function a method of Tensor that subclasses can override."""

    def install(function: Function) -> Function:
        function.__name__ = name
        function.__qualname__ = f"Tensor.{name}"
        setattr(Tensor, name, overridable(function))
        return function

    return install


# ---- Copying -------------------------------------------------------------------------------------

_STORAGES = "kagari storages"  # key in deepcopy's memo


def _copied_storage(storage: UntypedStorage, memo: dict[Any, Any]) -> UntypedStorage:
    """The storage's copy, the same one for all tensors that share it."""
    known = memo.setdefault(_STORAGES, {})
    pair = known.get(storage._cdata)
    if pair is None:
        pair = known[storage._cdata] = (storage, storage.clone())  # the original keeps its address
    copy: UntypedStorage = pair[1]
    return copy


@_method("__deepcopy__")
def _deepcopy(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    """A copy with its own memory; tensors that share memory still share it afterwards."""
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment; detach() the tensor, or clone() it to keep the gradient"
        )
    if id(self) in memo:
        known: Tensor = memo[id(self)]
        return known
    from copy import deepcopy

    with _core.DisableTorchFunctionSubclass():
        if self.is_meta:
            made = self.detach().clone()
        else:
            made = _core.ops.empty(0, dtype=self.dtype)
            storage = _copied_storage(self.untyped_storage(), memo)
            made.set_(storage, self.storage_offset(), self.size(), self.stride())
        if type(self) is not Tensor:
            made = made.as_subclass(type(self))
        made.requires_grad = self.requires_grad
        memo[id(self)] = made
        if self.grad is not None:
            made.grad = deepcopy(self.grad, memo)
        if self.__dict__:
            made.__dict__.update(deepcopy(self.__dict__, memo))
    return made


# ---- Pickling ------------------------------------------------------------------------------------


def _rebuild_storage(data: bytes) -> UntypedStorage:
    return UntypedStorage(data)


def _rebuild_tensor(
    storage: UntypedStorage,
    dtype: Any,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    hooks: Any,
) -> Tensor:
    made: Tensor = _core.ops.empty(0, dtype=dtype)
    made.set_(storage, offset, size, stride)
    made.requires_grad = requires_grad
    if hooks:
        made._backward_hooks = hooks
    return made


def _rebuild_meta(
    dtype: Any, size: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool
) -> Tensor:
    made: Tensor = _core.ops.empty_strided(size, stride, dtype=dtype, device="meta")
    made.requires_grad = requires_grad
    return made


def _rebuild_from_type(
    function: Callable[..., Tensor],
    kind: type[Tensor],
    arguments: tuple[Any, ...],
    state: dict[str, Any],
) -> Tensor:
    made = function(*arguments)
    if type(made) is not kind:
        made = made.as_subclass(kind)
    restore = getattr(made, "__setstate__", None)
    if restore is not None:
        restore(state)
    else:
        made.__dict__.update(state)
    return made


def _dtype_name(dtype: Any) -> str:
    return str(dtype).removeprefix("kagari.")


def _dtype_by_name(name: str) -> Any:
    return getattr(_core, name)


def _reduced(self: Tensor) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    size, stride = tuple(self.size()), tuple(self.stride())
    if self.is_meta:
        return _rebuild_meta, (self.dtype, size, stride, self.requires_grad)
    hooks = self._backward_hooks if self.is_leaf else None
    storage = self.untyped_storage()
    where = (self.storage_offset(), size, stride)
    return _rebuild_tensor, (
        storage,
        self.dtype,
        *where,
        self.requires_grad,
        hooks or OrderedDict(),
    )


@_method("__reduce_ex__")
def _reduce_ex(self: Tensor, protocol: int) -> tuple[Any, ...]:
    """How pickle takes the tensor apart: its storage, and where in it the tensor lies."""
    with _core.DisableTorchFunctionSubclass():
        function, arguments = _reduced(self)
    if type(self) is Tensor and not self.__dict__:
        return function, arguments
    state = dict(self.__dict__)
    return _rebuild_from_type, (function, type(self), arguments, state)


def _reduce_storage(storage: UntypedStorage) -> tuple[Any, ...]:
    return _rebuild_storage, (bytes(storage),)


def _reduce_dtype(dtype: Any) -> tuple[Any, ...]:
    return _dtype_by_name, (_dtype_name(dtype),)


copyreg.pickle(UntypedStorage, _reduce_storage)
copyreg.pickle(_core.dtype, _reduce_dtype)


# ---- The rest of Python's protocols --------------------------------------------------------------


@_method("__format__")
def _format(self: Tensor, spec: str) -> str:
    """A tensor without dimensions formats as its number."""
    if self.dim() == 0 and not self.is_meta and type(self) is Tensor:
        return format(self.item(), spec)
    return object.__format__(self, spec)


@_method("__reversed__")
def _reversed(self: Tensor) -> Tensor:
    """The tensor in reverse order along its first dimension."""
    return self if self.dim() == 0 else self.flip(0)


@_method("__rdiv__")
def _rdiv(self: Tensor, other: Any) -> Tensor:
    """``other / self``, under the name that Python 2 called."""
    quotient: Tensor = self.reciprocal() * other
    return quotient


@_method("apply_")
def _apply(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replaces each element by ``callable(element)``: one Python call per element."""
    if self.requires_grad:
        raise RuntimeError("apply_: cannot be called on a tensor that requires grad")
    values = [callable(v) for v in self.reshape(-1).tolist()]
    return self.copy_(_core.tensor(values, dtype=self.dtype).reshape(self.shape))


@_method("map_")
def _map(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replaces each element by ``callable(element, the other tensor's element)``."""
    if self.requires_grad or tensor.requires_grad:
        raise RuntimeError("map_: cannot be called on a tensor that requires grad")
    pairs = zip(
        self.reshape(-1).tolist(), tensor.expand(self.shape).reshape(-1).tolist(), strict=True
    )
    values = [callable(a, b) for a, b in pairs]
    return self.copy_(_core.tensor(values, dtype=self.dtype).reshape(self.shape))


@_method("resize")
def _resize(self: Tensor, *sizes: Any) -> Tensor:
    """Another shape of as many elements: an old spelling of ``reshape``."""
    warnings.warn("non-inplace resize is deprecated; call reshape", stacklevel=2)
    shape = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    made: Tensor = self.contiguous().view(tuple(shape))
    return made


@_method("storage")
def _storage(self: Tensor) -> Any:
    """The tensor's memory as a list of numbers: an older view of ``untyped_storage()``."""
    from kagari.storage import TypedStorage

    return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype)


@_method("to_dense")
def _to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The strided tensor; itself when it is one, in another dtype if one is given."""
    return self if dtype is None else self.to(dtype)


def _sparse_only(names: str, expected: str) -> None:
    """Members that sparse tensors have, and kagari.sparse answers: a strided one has none."""

    def install(name: str) -> None:
        def raising(self: Tensor, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(
                f"{name} expected {expected} layout but got Strided (shape {tuple(self.shape)}); "
                "call .to_sparse() first"
            )

        raising.__doc__ = f"Of sparse tensors: expects a {expected} layout."
        _method(name)(raising)

    for name in names.split():
        install(name)


_sparse_only(
    "_indices _values _nnz _coalesced_ coalesce indices is_coalesced sparse_resize_"
    " sparse_resize_and_clear_",
    "sparse coordinate tensor",
)
_sparse_only("values", "sparse tensor")
_sparse_only("col_indices crow_indices", "sparse row compressed tensor")
_sparse_only("ccol_indices row_indices", "sparse column compressed tensor")


@_method("sparse_dim")
def _sparse_dim(self: Tensor) -> int:
    """The number of dimensions that are sparse."""
    return 0


@_method("dense_dim")
def _dense_dim(self: Tensor) -> int:
    """The number of dimensions that are dense."""
    return self.dim()


def _to_sparse(names: str) -> None:
    """Conversions to a sparse layout, for strided tensors; kagari.sparse is loaded when needed."""

    def install(name: str) -> None:
        def convert(self: Tensor, *args: Any, **kwargs: Any) -> Any:
            from kagari.sparse import _convert

            return getattr(_convert, name)(self, *args, **kwargs)

        convert.__doc__ = f"See kagari.sparse: the tensor in the layout of ``{name}``."
        _method(name)(convert)

    for name in names.split():
        install(name)


_to_sparse(
    "sparse_mask to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr"
)


def _without(names: str, missing: str, way_out: str) -> None:
    """Members of tensors of kinds that are not here: they raise when they are called."""

    def install(name: str) -> None:
        def raising(self: Tensor, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(
                f"Tensor.{name}: expected {missing}, got a strided tensor of the CPU of shape "
                f"{tuple(self.shape)}; {way_out}"
            )

        raising.__doc__ = f"Raises: there are no {missing}s."
        _method(name)(raising)

    for name in names.split():
        install(name)


_without(
    "dequantize int_repr q_scale q_zero_point qscheme",
    "quantised tensor",
    "its elements are numbers already",
)
_without("record_stream", "tensor of a GPU", "guard the call by x.is_cuda, which is False")

setattr(Tensor, "__array_priority__", 1000)  # noqa: B010 (mypy knows no such attribute)


# ---- Questions -----------------------------------------------------------------------------------


def is_tensor(obj: Any) -> bool:
    """Whether the object is a Tensor.

    Example:
        >>> import kagari
        >>> kagari.is_tensor(kagari.zeros(2)), kagari.is_tensor([0.0])
        (True, False)
    """
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Whether the object is a storage.

    Example:
        >>> import kagari
        >>> kagari.is_storage(kagari.zeros(2).untyped_storage())
        True
    """
    return isinstance(obj, UntypedStorage)


@overridable
def numel(input: Tensor) -> int:
    """The number of elements.

    Example:
        >>> import kagari
        >>> kagari.numel(kagari.zeros(2, 3))
        6
    """
    return input.numel()


@overridable
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a real floating one.

    Example:
        >>> import kagari
        >>> kagari.is_floating_point(kagari.zeros(2))
        True
    """
    return input.is_floating_point()


@overridable
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex.

    Example:
        >>> import kagari
        >>> kagari.is_complex(kagari.zeros(2))
        False
    """
    return input.is_complex()


@overridable
def is_signed(input: Tensor) -> bool:
    """Whether the dtype holds negative values.

    Example:
        >>> import kagari
        >>> kagari.is_signed(kagari.zeros(2, dtype=kagari.uint8))
        False
    """
    return input.is_signed()


@overridable
def is_conj(input: Tensor) -> bool:
    """False: conjugation is never lazy.

    Example:
        >>> import kagari
        >>> kagari.is_conj(kagari.zeros(2))
        False
    """
    return input.is_conj()


@overridable
def is_neg(input: Tensor) -> bool:
    """False: negation is never lazy.

    Example:
        >>> import kagari
        >>> kagari.is_neg(kagari.zeros(2))
        False
    """
    return input.is_neg()


@overridable
def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not zero.

    Raises:
        RuntimeError: the tensor has none or several.

    Example:
        >>> import kagari
        >>> kagari.is_nonzero(kagari.tensor([0.0]))
        False
    """
    return bool(input.is_nonzero())


@overridable
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same sizes.

    Example:
        >>> import kagari
        >>> kagari.is_same_size(kagari.zeros(2, 3), kagari.zeros(3, 2))
        False
    """
    return input.is_same_size(other)


@overridable
def detach(input: Tensor) -> Tensor:
    """The same memory without history.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(2, requires_grad=True)
        >>> kagari.detach(x).requires_grad
        False
    """
    return input.detach()


@overridable
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Gives the tensor the template's sizes; elements that are gained are undefined.

    Example:
        >>> import kagari
        >>> kagari.resize_as_(kagari.zeros(2), kagari.zeros(3, 4)).shape
        kagari.Size([3, 4])
    """
    if memory_format is None:
        memory_format = _core.contiguous_format
    resized: Tensor = input.resize_(the_template.shape, memory_format=memory_format)
    return resized


@overridable
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugation is never lazy.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(2)
        >>> kagari.resolve_conj(x) is x
        True
    """
    resolved: Tensor = input.resolve_conj()
    return resolved


@overridable
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation is never lazy.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(2)
        >>> kagari.resolve_neg(x) is x
        True
    """
    resolved: Tensor = input.resolve_neg()
    return resolved


# ---- Typed constructors --------------------------------------------------------------------------


class _TensorType(type):
    """The type of FloatTensor and its kin: they make and recognise tensors of one dtype."""

    dtype: Any

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        made: Tensor = _core._legacy_tensor(cls.dtype, args)
        return made if device is None else made.to(device)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype and instance.is_cpu


def _typed(name: str, dtype: Any) -> _TensorType:
    doc = f"""Makes {_dtype_name(dtype)} tensors from sizes or data; kagari.tensor is the newer way.

    Example:
        >>> import kagari
        >>> kagari.{name}([1, 0]).dtype, kagari.{name}(2, 3).shape
        ({dtype}, kagari.Size([2, 3]))
    """
    return _TensorType(name, (), {"dtype": dtype, "__module__": "kagari", "__doc__": doc})


BoolTensor = _typed("BoolTensor", _core.bool)
ByteTensor = _typed("ByteTensor", _core.uint8)
CharTensor = _typed("CharTensor", _core.int8)
ShortTensor = _typed("ShortTensor", _core.int16)
IntTensor = _typed("IntTensor", _core.int32)
LongTensor = _typed("LongTensor", _core.int64)
HalfTensor = _typed("HalfTensor", _core.float16)
BFloat16Tensor = _typed("BFloat16Tensor", _core.bfloat16)
FloatTensor = _typed("FloatTensor", _core.float32)
DoubleTensor = _typed("DoubleTensor", _core.float64)
