"""What sparse tensors are made of, and their conversion to other layouts and types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import kagari
from kagari._core import _sparse_check_inplace, _sparse_parts, _sparse_set
from kagari.autograd import Function
from kagari.sparse import _layout
from kagari.sparse._layout import (
    COO,
    CSC,
    CSR,
    Pattern,
    assemble,
    coalesced,
    describe,
    gather,
    is_sparse,
    pattern_of,
    raw_values,
    to_layout,
    values_of,
)
from kagari.sparse._table import TABLE, Operation, Unsupported, named

Tensor: TypeAlias = "kagari.Tensor"


def recorded(x: Tensor) -> bool:
    return x.requires_grad and kagari.is_grad_enabled()


class _Linear(Function):
    """A linear map of a sparse tensor, and the map of its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, act: Operation, adjoint: Operation) -> Any:
        ctx.adjoint = adjoint
        return act(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return ctx.adjoint(gradient), None, None


def linear(x: Tensor, act: Operation, adjoint: Operation) -> Tensor:
    made: Tensor = _Linear.apply(x, act, adjoint) if recorded(x) else act(x)
    return made


def with_values(x: Tensor, change: Operation) -> Tensor:
    """The values changed where they lie, without history."""
    return assemble(change(raw_values(x).detach()), pattern_of(x))


def each(x: Tensor, change: Operation) -> Tensor:
    """A function with f(0) = 0 of every element, with history."""
    x = coalesced(x)
    return assemble(change(values_of(x)), pattern_of(x))


def wide(x: Tensor) -> Tensor:
    """A leaf as a strided tensor, whose gradient is strided too, as PyTorch's is.

    Other tensors come of values, and only the gradient at their places goes on: they stay sparse.
    """
    return densified(x) if is_sparse(x) and x.is_leaf and recorded(x) else x


def densified(x: Tensor) -> Tensor:
    """The strided tensor; the gradient is not confined to the places of the values."""
    return linear(x, _layout.to_dense, lambda gradient: gradient)


# ---- Writing in place ----------------------------------------------------------------------------


def check_in_place(x: Tensor, *others: Any) -> None:
    _sparse_check_inplace(x)
    found = [o for o in (x, *others) if isinstance(o, kagari.Tensor) and recorded(o)]
    if found:
        raise NotImplementedError(
            "writes to sparse tensors are not recorded for gradients; write x = x + y instead of "
            "x += y, or use kagari.no_grad()"
        )


def replace(x: Tensor, result: Tensor, resize: bool = False) -> Tensor:
    """Puts the parts of another sparse tensor into x."""
    if result.shape != x.shape and not resize:
        raise RuntimeError(
            f"the result of shape {tuple(result.shape)} does not fit the written tensor of shape "
            f"{tuple(x.shape)}"
        )
    if not is_sparse(result):
        raise Unsupported(f"the result is strided, and cannot be written to {describe(x)}")
    if result.dtype != x.dtype:
        if not kagari.can_cast(result.dtype, x.dtype):
            raise RuntimeError(
                f"result type {result.dtype} can't be cast to the desired output type {x.dtype}"
            )
        result = to(result, x.dtype)
    _sparse_set(x, _sparse_parts(to_layout(result, x.layout)), tuple(result.shape))
    return x


@named("copy_")
def copy_(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    if not (is_sparse(input) and is_sparse(src)):
        raise Unsupported("copying between strided and sparse tensors; call .to_dense() first")
    check_in_place(input, src)
    return replace(input, clone(to(src, input.dtype)))


@named("zero_")
def zero_(input: Tensor) -> Tensor:
    check_in_place(input)
    return replace(input, zeros_like(input))


@named("resize_as_sparse_", "resize_as_")
def resize_as_sparse_(input: Tensor, other: Tensor) -> Tensor:
    check_in_place(input)
    p = pattern_of(other)
    return sparse_resize_(input, other.shape, p.sparse_dim, other.dim() - p.sparse_dim)


@named("sparse_resize_")
def sparse_resize_(input: Tensor, size: Sequence[int], sparse_dim: int, dense_dim: int) -> Tensor:
    x, p, size = input, coo(input, "sparse_resize_"), tuple(size)
    check_in_place(x)
    if sparse_dim + dense_dim != len(size):
        raise RuntimeError(
            f"number of dimensions must be sparse_dim ({sparse_dim}) + dense_dim ({dense_dim}), "
            f"but got {len(size)}"
        )
    if p.nnz == 0:
        return sparse_resize_and_clear_(x, size, sparse_dim, dense_dim)
    if sparse_dim != p.sparse_dim or len(size) != len(p.size):
        raise RuntimeError(
            "sparse_resize_: the number of sparse and dense dimensions of a tensor with values "
            f"cannot change, got {sparse_dim} and {dense_dim} for {describe(x)}; call "
            "sparse_resize_and_clear_"
        )
    shrinks = any(new < old for new, old in zip(size, p.size, strict=True))
    if shrinks or size[sparse_dim:] != p.size[sparse_dim:]:
        raise RuntimeError(
            "sparse_resize_: sparse dimensions of a tensor with values can only grow, and dense "
            f"ones stay, got {size} for {describe(x)}; call sparse_resize_and_clear_"
        )
    return replace(x, assemble(raw_values(x), p._replace(size=size)), resize=True)


@named("sparse_resize_and_clear_")
def sparse_resize_and_clear_(
    input: Tensor, size: Sequence[int], sparse_dim: int, dense_dim: int
) -> Tensor:
    coo(input, "sparse_resize_and_clear_")
    check_in_place(input)
    if sparse_dim + dense_dim != len(size):
        raise RuntimeError(
            f"number of dimensions must be sparse_dim ({sparse_dim}) + dense_dim ({dense_dim}), "
            f"but got {len(size)}"
        )
    return replace(input, empty(COO, tuple(size), sparse_dim, input.dtype), resize=True)


@named("_coalesced_")
def _coalesced_(input: Tensor, coalesced: bool) -> Tensor:
    p = coo(input, "_coalesced_")
    _sparse_set(
        input, (COO, p.indices, None, raw_values(input), bool(coalesced)), tuple(input.shape)
    )
    return input


# ---- Parts ---------------------------------------------------------------------------------------


def coo(x: Tensor, name: str) -> Pattern:
    p = pattern_of(x)
    if p.layout != COO:
        raise RuntimeError(
            f"{name} expected sparse coordinate tensor layout but got {p.layout}; "
            "call .to_sparse_coo() first"
        )
    return p


def _compressed(x: Tensor, name: str, layout: Any) -> Pattern:
    p = pattern_of(x)
    if p.layout != layout:
        raise RuntimeError(f"{name} expected a tensor of layout {layout}, got {describe(x)}")
    return p


@named("indices")
def indices(input: Tensor) -> Tensor:
    p = coo(input, "indices")
    if not p.coalesced:
        raise RuntimeError(
            "Cannot get indices on an uncoalesced tensor, please call .coalesce() first"
        )
    return p.indices.detach()  # type: ignore[no-any-return]


@named("values")
def values(input: Tensor) -> Tensor:
    if not pattern_of(input).coalesced:
        raise RuntimeError(
            "Cannot get values on an uncoalesced tensor, please call .coalesce() first"
        )
    return values_of(input) if recorded(input) else raw_values(input).detach()


@named("_indices")
def _indices(input: Tensor) -> Tensor:
    return coo(input, "_indices").indices.detach()  # type: ignore[no-any-return]


@named("_values")
def _values(input: Tensor) -> Tensor:
    coo(input, "_values")
    return raw_values(input).detach()


@named("crow_indices")
def crow_indices(input: Tensor) -> Tensor:
    return _compressed(input, "crow_indices", CSR).indices.detach()  # type: ignore[no-any-return]


@named("col_indices")
def col_indices(input: Tensor) -> Tensor:
    return _compressed(input, "col_indices", CSR).plain.detach()  # type: ignore[no-any-return]


@named("ccol_indices")
def ccol_indices(input: Tensor) -> Tensor:
    return _compressed(input, "ccol_indices", CSC).indices.detach()  # type: ignore[no-any-return]


@named("row_indices")
def row_indices(input: Tensor) -> Tensor:
    return _compressed(input, "row_indices", CSC).plain.detach()  # type: ignore[no-any-return]


@named("coalesce")
def coalesce(input: Tensor) -> Tensor:
    coo(input, "coalesce")
    return coalesced(input)


@named("is_coalesced")
def is_coalesced(input: Tensor) -> bool:
    return coo(input, "is_coalesced").coalesced


@named("_nnz")
def _nnz(input: Tensor) -> int:
    return pattern_of(input).nnz


@named("sparse_dim", "_dimI")
def sparse_dim(input: Tensor) -> int:
    return pattern_of(input).sparse_dim


@named("dense_dim", "_dimV")
def dense_dim(input: Tensor) -> int:
    return input.dim() - pattern_of(input).sparse_dim


# ---- Conversion ----------------------------------------------------------------------------------


@named("to_dense")
def to_dense(input: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The strided tensor; its gradient has the places of the values, or is strided too."""
    made = densified(input) if masked_grad is False else _layout.to_dense(input)
    return made if dtype is None else made.to(dtype)


@named("to_sparse")
def to_sparse(
    input: Tensor,
    sparse_dim: int | None = None,
    *,
    layout: Any = None,
    blocksize: Any = None,
    dense_dim: int | None = None,
) -> Tensor:
    """A strided or sparse tensor in a sparse layout."""
    if layout is None:
        layout = COO
    if layout not in (COO, CSR, CSC):
        raise NotImplementedError(
            f"to_sparse: expected layout sparse_coo, sparse_csr or sparse_csc, got {layout}"
        )
    if blocksize is not None:
        raise RuntimeError(f"to_sparse: blocksize has no meaning for layout {layout}")
    if layout != COO and (dense_dim or sparse_dim not in (None, 2)):
        raise NotImplementedError(
            f"to_sparse: matrices of layout {layout} have 2 sparse dimensions and no dense ones"
        )
    if is_sparse(input):
        if sparse_dim not in (None, pattern_of(input).sparse_dim):
            raise RuntimeError(
                f"to_sparse: conversion from {describe(input)} cannot change the number of sparse "
                "dimensions; call .to_dense() first"
            )
        return to_layout(input, layout)
    if layout != COO and input.dim() != 2:
        raise NotImplementedError(
            f"to_sparse: expected a matrix for layout {layout}, got shape {tuple(input.shape)}; "
            "other shapes have the layout sparse_coo"
        )
    if dense_dim is not None:
        sparse_dim = input.dim() - dense_dim
    sparse_dim = input.dim() if sparse_dim is None else sparse_dim
    if not 0 <= sparse_dim <= input.dim() or (input.dim() > 0 and sparse_dim == 0):
        raise RuntimeError(
            f"to_sparse: expected sparse_dim from 1 to {input.dim()}, got {sparse_dim}"
        )
    return to_layout(_layout.from_dense(input, sparse_dim), layout)


@named("to_sparse_coo")
def to_sparse_coo(input: Tensor) -> Tensor:
    return to_sparse(input)


@named("to_sparse_csr")
def to_sparse_csr(input: Tensor, dense_dim: int | None = None) -> Tensor:
    return to_sparse(input, layout=CSR, dense_dim=dense_dim)


@named("to_sparse_csc")
def to_sparse_csc(input: Tensor, dense_dim: int | None = None) -> Tensor:
    return to_sparse(input, layout=CSC, dense_dim=dense_dim)


def to_sparse_bsr(input: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
    raise NotImplementedError(f"to_sparse_bsr: {_BLOCKS}")


def to_sparse_bsc(input: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
    raise NotImplementedError(f"to_sparse_bsc: {_BLOCKS}")


_BLOCKS = "layouts of blocks are not supported; call .to_sparse_csr() or .to_sparse_csc()"


@named("sparse_mask")
def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    if not is_sparse(mask):
        raise RuntimeError(
            f"sparse_mask: expected a mask of a sparse layout, got {mask.layout}; "
            "call .to_sparse() on it"
        )
    p = pattern_of(coalesced(mask))
    return assemble(gather(input, p), p)


def _cast(x: Tensor, dtype: Any) -> Tensor:
    before = x.dtype
    return linear(
        x, lambda t: with_values(t, lambda v: v.to(dtype)), lambda gradient: to(gradient, before)
    )


@named("to", "type_as")
def to(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    if not is_sparse(input):
        like = args[0] if args else kwargs.pop("other")
        return input.to(like.device, like.dtype, *args[1:], **kwargs)
    # A strided tensor without elements says what the arguments mean.
    args = tuple(kagari.empty(0, dtype=a.dtype) if is_sparse(a) else a for a in args)
    if is_sparse(kwargs.get("other")):
        kwargs["other"] = kagari.empty(0, dtype=kwargs["other"].dtype)
    probe = kagari.empty(0, dtype=input.dtype).to(*args, **kwargs)
    if probe.device.type != "cpu":
        raise Unsupported(f"sparse tensors live on the CPU, not on {probe.device}")
    if probe.dtype != input.dtype:
        return _cast(input, probe.dtype)
    return clone(input) if kwargs.get("copy") else input


_CASTS = (
    "bfloat16", "bool", "byte", "cdouble", "cfloat", "char", "double", "float", "half", "int",
    "long", "short",
)  # fmt: skip


def _install_casts() -> None:
    def install(name: str) -> None:
        def cast(input: Tensor, **kwargs: Any) -> Tensor:
            return to(input, getattr(kagari.empty(0), name)(**kwargs).dtype)

        TABLE[name] = cast

    for name in [
        "bfloat16",
        "bool",
        "byte",
        "cdouble",
        "cfloat",
        "char",
        "double",
        "float",
        "half",
        "int",
        "long",
        "short",
    ]:
        install(name)


_install_casts()


@named("cpu")
def cpu(input: Tensor, memory_format: Any = None) -> Tensor:
    return input


_TYPE_NAMES = {
    "float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16",
    "int64": "Long", "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte",
    "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble",
}  # fmt: skip


@named("type")
def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
    if dtype is not None:
        return to(input, kagari.empty(0).type(dtype).dtype)
    name = str(input.dtype).rpartition(".")[2]
    return f"kagari.sparse.{_TYPE_NAMES.get(name, name)}Tensor"


@named("clone")
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    def act(x: Tensor) -> Tensor:
        p = pattern_of(x)
        plain = None if p.plain is None else p.plain.clone()
        return assemble(raw_values(x).clone(), p._replace(indices=p.indices.clone(), plain=plain))

    return linear(input, act, lambda gradient: gradient)


@named("as_subclass")
def as_subclass(input: Tensor, cls: Any) -> Tensor:
    if cls is type(input):
        return input
    if input.grad_fn is not None:
        raise Unsupported("a sparse tensor with history keeps its class; call .detach() first")
    made: Tensor = kagari.Tensor._make_subclass(cls, input, input.requires_grad)
    return made


def empty(layout: Any, size: tuple[int, ...], sparse_dim: int, dtype: Any) -> Tensor:
    values = kagari.zeros((0, *size[sparse_dim:]), dtype=dtype)
    if layout == COO:
        places = kagari.zeros((sparse_dim, 0), dtype=kagari.int64)
        return assemble(values, Pattern(COO, places, None, True, size))
    starts = kagari.zeros(size[0 if layout == CSR else 1] + 1, dtype=kagari.int64)
    return assemble(values, Pattern(layout, starts, starts[:0], True, size))


@named("tensor")
def tensor(
    data: Tensor,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    return clone(as_tensor(data, dtype, device)).detach().requires_grad_(requires_grad)


@named("as_tensor")
def as_tensor(data: Tensor, dtype: Any = None, device: Any = None) -> Tensor:
    return to(data, device or data.device, dtype or data.dtype)


@named("zeros", "empty")
def zeros(*size: Any, layout: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
    """A tensor without values in a sparse layout."""
    size = size or (kwargs.pop("size", ()),)
    sizes = tuple(kagari.empty(*size, device="meta").shape)
    if layout not in (COO, CSR, CSC):
        raise Unsupported(f"layouts of blocks are not supported, got {layout}")
    if layout != COO and len(sizes) != 2:
        raise RuntimeError(f"a tensor of layout {layout} is a matrix, got the size {sizes}")
    made = empty(layout, sizes, len(sizes), dtype or kagari.get_default_dtype())
    return made.requires_grad_() if kwargs.get("requires_grad") else made


@named("zeros_like", "empty_like")
def zeros_like(input: Tensor, *, dtype: Any = None, **kwargs: Any) -> Tensor:
    """A tensor without values: PyTorch's empty_like has none either."""
    dtype = input.dtype if dtype is None else dtype
    if not is_sparse(input):
        return zeros(input.shape, dtype=dtype, **kwargs)
    p = pattern_of(input)
    layout = kwargs.get("layout") or p.layout
    if layout == kagari.strided:
        made = kagari.zeros(p.size, dtype=dtype)
    else:
        made = empty(layout, p.size, p.sparse_dim, dtype)
    return made.requires_grad_() if kwargs.get("requires_grad") else made


# ---- The rest of Python's protocols --------------------------------------------------------------


@named("__len__")
def _len(input: Tensor) -> int:
    if input.dim() == 0:
        raise TypeError("len() of a 0-d tensor")
    return int(input.shape[0])


@named("__repr__", "__str__")
def _repr(input: Tensor, *, tensor_contents: str | None = None) -> str:
    from kagari._tensor_str import tensor_str

    return tensor_str(input, tensor_contents=tensor_contents)


@named("__format__")
def _format(input: Tensor, spec: str) -> str:
    return object.__format__(input, spec)


@named("numpy", "__array__", "__dlpack__")
def _numpy(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    raise TypeError(
        f"can't convert a tensor of layout {input.layout} to numpy. Use Tensor.to_dense() first."
    )


@named("data_ptr", "storage", "untyped_storage", "const_data_ptr", "share_memory_")
def _no_storage(input: Tensor) -> Any:
    raise NotImplementedError(
        f"Cannot access storage of a tensor of layout {input.layout}; ask .values() and the indices"
    )


@named("result_type")
def result_type(tensor1: Any, tensor2: Any) -> Any:
    def plain(x: Any) -> Any:
        return kagari.empty((0,) * x.dim(), dtype=x.dtype) if is_sparse(x) else x

    return kagari.result_type(plain(tensor1), plain(tensor2))


@named("is_contiguous")
def _is_contiguous(input: Tensor, memory_format: Any = None) -> bool:
    return False


@named("new_zeros", "new_empty")
def new_zeros(input: Tensor, *size: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
    """A tensor of sparse dimensions without values."""
    size = size or (kwargs.pop("size", ()),)
    sizes = kagari.empty(*size, device="meta").shape
    made = empty(COO, tuple(sizes), len(sizes), input.dtype if dtype is None else dtype)
    return made.requires_grad_() if kwargs.get("requires_grad") else made
