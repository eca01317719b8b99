"""Operations on the elements of sparse tensors, composed of dense operations on the values."""

from __future__ import annotations

from typing import Any, TypeAlias

import kagari
from kagari.autograd import Function
from kagari.sparse import _layout
from kagari.sparse._convert import (
    check_in_place,
    each,
    empty,
    linear,
    recorded,
    replace,
    sparse_dim,
    wide,
    with_values,
)
from kagari.sparse._layout import (
    COO,
    Pattern,
    assemble,
    coalesced,
    describe,
    flat_indices,
    gather,
    is_sparse,
    pattern_of,
    raw_values,
    to_layout,
    values_of,
    wrap_dim,
)
from kagari.sparse._table import TABLE, Unsupported, named

Tensor: TypeAlias = "kagari.Tensor"


# ---- Elements ------------------------------------------------------------------------------------


_UNARY = (
    "abs", "absolute", "angle", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan",
    "atanh", "ceil", "conj_physical", "deg2rad", "erf", "erfinv", "expm1", "fix", "floor", "frac",
    "isinf", "isnan", "isneginf", "isposinf", "log1p", "nan_to_num", "rad2deg", "relu", "round",
    "sgn", "sign", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
)  # fmt: skip


def _install_unary() -> None:
    """Functions with f(0) = 0, of the values."""

    def install(name: str) -> None:
        function = getattr(kagari, name)

        def apply(input: Tensor, **kwargs: Any) -> Tensor:
            return each(input, lambda v: function(v, **kwargs))

        named(name, in_place=True)(apply)

    for name in _UNARY:
        install(name)


_install_unary()


@named("conj", "resolve_conj")
def conj(input: Tensor) -> Tensor:
    return TABLE["conj_physical"](input) if input.is_complex() else input


@named("__get__real", "real")
def real(input: Tensor) -> Tensor:
    return each(input, lambda v: v.real) if input.is_complex() else input


@named("__get__imag", "imag")
def imag(input: Tensor) -> Tensor:
    return each(input, lambda v: v.imag)


@named("neg", "negative", in_place=True)
def neg(input: Tensor) -> Tensor:
    return linear(input, lambda x: with_values(x, kagari.neg), lambda gradient: -gradient)


@named("positive")
def positive(input: Tensor) -> Tensor:
    return input


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex))


def _is_scalar(x: Any) -> bool:
    """A number, or a strided tensor without dimensions."""
    return _is_number(x) or (isinstance(x, kagari.Tensor) and not is_sparse(x) and x.dim() == 0)


@named("mul", "multiply", in_place=True)
def mul(input: Any, other: Any) -> Tensor:
    if not is_sparse(input):
        input, other = other, input
    x = input
    if _is_number(other):
        back = complex(other).conjugate() if isinstance(other, complex) else other
        return linear(
            x, lambda t: with_values(t, lambda v: v * other), lambda gradient: gradient * back
        )
    if _is_scalar(other):
        if recorded(other):
            return each(x, lambda v: v * other)
        return linear(
            x,
            lambda t: with_values(t, lambda v: v * other),
            lambda gradient: gradient * other.conj(),
        )
    if not is_sparse(other):
        if kagari.broadcast_shapes(x.shape, other.shape) != x.shape:
            raise RuntimeError(
                f"mul: a strided factor of shape {tuple(other.shape)} does not broadcast to "
                f"{describe(x)}; call .to_dense() first"
            )
        x = coalesced(x)
        p = pattern_of(x)
        return assemble(values_of(x) * gather(other.expand(x.shape), p), p)
    return _product(x, other)


def _product(x: Tensor, y: Tensor) -> Tensor:
    """Two sparse tensors: at the places that both have."""
    _same_shape("mul", x, y)
    layout = x.layout
    x, y = coalesced(to_layout(x, COO)), coalesced(to_layout(y, COO))
    p, q = pattern_of(x), pattern_of(y)
    if p.sparse_dim != q.sparse_dim:
        raise RuntimeError(
            f"mul: expected as many sparse dimensions, got {p.sparse_dim} and {q.sparse_dim}"
        )
    if p.nnz == 0 or q.nnz == 0:
        dtype = kagari.result_type(raw_values(x), raw_values(y))
        return to_layout(empty(COO, p.size, p.sparse_dim, dtype), layout)
    at, wanted = flat_indices(q), flat_indices(p)
    found = kagari.searchsorted(at, wanted).clamp(max=q.nnz - 1)
    keep = (at[found] == wanted).nonzero().squeeze(1)
    left = values_of(x).index_select(0, keep)
    right = values_of(y).index_select(0, found[keep])
    made = assemble(left * right, p._replace(indices=p.indices[:, keep]))
    return to_layout(made, layout)


@named("div", "divide", "true_divide", in_place=True)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    if not is_sparse(input) or not _is_scalar(other):
        shape = () if _is_number(other) else tuple(other.shape)
        raise RuntimeError(
            "Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
            f"{shape} for divisor); call .to_dense() first"
        )
    if rounding_mode is not None or not _is_number(other):
        return each(input, lambda v: v.div(other, rounding_mode=rounding_mode))
    back = complex(other).conjugate() if isinstance(other, complex) else other
    return linear(
        input, lambda t: with_values(t, lambda v: v / other), lambda gradient: gradient / back
    )


@named("floor_divide", in_place=True)
def floor_divide(input: Any, other: Any) -> Tensor:
    return div(input, other, rounding_mode="floor")


@named("pow", in_place=True)
def pow(input: Any, exponent: Any) -> Tensor:
    if not is_sparse(input) or not _is_number(exponent) or not exponent.real > 0:
        raise Unsupported(
            "expected a positive number for the exponent, which leaves zeros what they are; call "
            ".to_dense() first"
        )
    return each(input, lambda v: v**exponent)


# ---- Addition ------------------------------------------------------------------------------------


def _is_one(x: Any) -> bool:
    return isinstance(x, int) and x == 1


def _same_shape(name: str, x: Tensor, y: Tensor) -> None:
    if x.shape != y.shape:
        raise RuntimeError(
            f"{name}: expected sizes of 'self' and 'other' to match, but {tuple(x.shape)} != "
            f"{tuple(y.shape)}"
        )


class _Concatenate(Function):
    """The sum of two sparse tensors: the values of both, one after the other."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        p, q = pattern_of(x), pattern_of(y)
        dtype = kagari.result_type(raw_values(x), raw_values(y))
        values = kagari.cat([raw_values(x).to(dtype), raw_values(y).to(dtype)])
        places = kagari.cat([p.indices, q.indices], 1)
        made = assemble(values, p._replace(indices=places, coalesced=False))
        return coalesced(made) if p.coalesced and q.coalesced else made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient, gradient


@named("add")
def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    if not is_sparse(other):
        if input.layout != COO and isinstance(other, kagari.Tensor):
            return _add_to_dense(other if _is_one(alpha) else other * alpha, input, 1)
        raise RuntimeError(
            "add(sparse, dense) is not supported. Use add(dense, sparse) instead, or call "
            ".to_dense() first"
        )
    if not is_sparse(input):
        return _add_to_dense(input, other, alpha)
    _same_shape("add", input, other)
    if not _is_one(alpha):
        other = mul(other, alpha)
    layout = input.layout
    x, y = (t if t.layout == COO else to_layout(t, COO) for t in (input, other))
    if pattern_of(x).sparse_dim != pattern_of(y).sparse_dim:
        raise RuntimeError(
            "add: expected 'self' and 'other' to have same number of sparse dims, got "
            f"{sparse_dim(x)} and {sparse_dim(y)}"
        )
    made: Tensor = _Concatenate.apply(x, y)
    return made if layout == COO else to_layout(made, layout)


def _add_to_dense(x: Tensor, y: Tensor, alpha: Any) -> Tensor:
    if kagari.broadcast_shapes(x.shape, y.shape) != x.shape:
        raise RuntimeError(
            f"add: expected 'other' of a shape that broadcasts to {tuple(x.shape)}, got "
            f"{describe(y)}; call .to_dense() first"
        )
    y = wide(y)
    dtype = kagari.result_type(x, y if not is_sparse(y) else raw_values(y))
    if not is_sparse(y) or y.shape != x.shape:
        return x.add(y.to_dense(), alpha=alpha)
    # With history each place counts once.
    y = coalesced(y) if recorded(y) else y
    p, values = pattern_of(y), values_of(y).to(dtype)
    flat = x.to(dtype).reshape(-1, *p.size[p.sparse_dim :])
    return flat.index_add(0, flat_indices(p), values, alpha=alpha).reshape(p.size)


@named("add_")
def add_(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    if is_sparse(input):
        if not is_sparse(other):
            raise RuntimeError(
                "add(sparse, dense) is not supported. Use add(dense, sparse) instead, or call "
                ".to_dense() first"
            )
        check_in_place(input, other)
        return replace(input, add(input, other, alpha=alpha))
    _same_shape("add_", input, other)
    y = coalesced(other) if recorded(other) else other
    p, values = pattern_of(y), values_of(y)
    if not kagari.can_cast(values.dtype, input.dtype):
        raise RuntimeError(
            f"result type {values.dtype} can't be cast to the desired output type {input.dtype}"
        )
    values = values.to(input.dtype)
    x: Tensor = input
    if p.sparse_dim == 1 and p.layout == COO:
        return x.index_add_(0, p.indices[0], values, alpha=alpha)
    if p.sparse_dim == 0:
        return x.add_(values.sum(0), alpha=alpha)
    if not _is_one(alpha):
        values = values * alpha
    return x.index_put_(tuple(_layout.coordinates(p)), values, accumulate=True)


def _negated(alpha: Any) -> Any:
    return -alpha


@named("sub", "subtract")
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    if not is_sparse(other) and input.layout == COO:
        raise RuntimeError(
            "sub(sparse, dense) is not supported. Use sub(dense, sparse) instead, or call "
            ".to_dense() first"
        )
    return add(input, other, alpha=_negated(alpha))


@named("sub_", "subtract_")
def sub_(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    return add_(input, other, alpha=_negated(alpha))


# ---- Sums ----------------------------------------------------------------------------------------


def _dims(dim: Any, count: int) -> list[int]:
    given = [dim] if isinstance(dim, int) else list(dim)
    dims = sorted({wrap_dim(d, count) for d in given})
    if len(dims) != len(given):
        raise RuntimeError(f"sum: a dimension appears twice in {tuple(given)}")
    return dims


@named("sum")
def sum_method(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    if dim is None or dim == () or dim == []:
        x = wide(input)
        return total(x, dtype=dtype) if is_sparse(x) else x.sum(dtype=dtype)
    if keepdim:
        made = total(input, dim, dtype)
        for d in _dims(dim, input.dim()):
            made = made.unsqueeze(d)
        return made
    return total(input, dim, dtype)


def total(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum over all or some dimensions; sparse while a sparse dimension is left."""
    x = input
    if dim is None:
        x = coalesced(x)
        return values_of(x).sum(dtype=dtype)
    if x.layout != COO:
        raise Unsupported(
            f"over some dimensions of {describe(x)}; call .to_sparse_coo() or .to_dense() first"
        )
    dims = _dims(dim, x.dim())
    if not dims:
        raise RuntimeError("sum: expected at least one dimension")
    x = coalesced(x)
    p, values = pattern_of(x), values_of(x)
    dense = [d - p.sparse_dim + 1 for d in dims if d >= p.sparse_dim]
    left = [d for d in range(p.sparse_dim) if d not in dims]
    summed = values.sum(dense, dtype=dtype) if dense else values
    if not dense:
        wanted = dtype if dtype is not None else _sum_dtype(values.dtype)
        summed = summed.to(wanted)
    if not left:
        return summed.sum(0)
    size = tuple(n for d, n in enumerate(p.size) if d not in dims)
    whole = len(left) == p.sparse_dim
    made = assemble(summed, Pattern(COO, p.indices[left], None, whole, size))
    return made if whole else coalesced(made)


def _sum_dtype(dtype: Any) -> Any:
    return dtype if dtype.is_floating_point or dtype.is_complex else kagari.int64


@named("any")
def any_(input: Tensor) -> Tensor:
    return raw_values(coalesced(input)).any()


@named("norm")
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    if dim is not None or keepdim:
        raise Unsupported("norms along dimensions; call .to_dense() first")
    if p not in ("fro", None) and not p > 0:
        raise Unsupported(f"expected a positive order, got {p}; call .to_dense() first")
    return vector_norm(input, 2 if p in ("fro", None) else p, dtype=dtype)


@named("vector_norm", "linalg_vector_norm")
def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    if dim is not None or keepdim or not ord > 0:
        raise Unsupported("only norms of a positive order over all dimensions; call .to_dense()")
    made: Tensor = kagari.linalg.vector_norm(values_of(coalesced(x)), ord, dtype=dtype)
    return made
