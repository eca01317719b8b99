"""Ops with a mask: elements where it is false are replaced by the op's identity first.

A mask broadcasts to its input. A reduction of nothing gives the identity, or NaN where there is
none: then the result is not specified, as in PyTorch.
"""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import kagari

if TYPE_CHECKING:
    from kagari import Tensor, dtype

    Dim = int | tuple[int, ...] | list[int] | None

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _dims(dim: Dim, ndim: int) -> tuple[int, ...]:
    """The dimensions, wrapped and sorted; all for None and for ()."""
    if dim is None or dim == () or dim == []:
        return tuple(range(ndim))
    dims = [dim] if isinstance(dim, int) else list(dim)
    wrapped: list[int] = []
    for d in dims:
        if not -max(ndim, 1) <= d < max(ndim, 1):
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-max(ndim, 1)}, "
                f"{max(ndim, 1) - 1}], but got {d})"
            )
        d %= max(ndim, 1)
        if d in wrapped:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        wrapped.append(d)
    return tuple(sorted(d for d in wrapped if d < ndim))


def _mask_of(input: Tensor, mask: Tensor) -> Tensor:
    """The mask as bool, of the input's shape."""
    if mask.dim() > input.dim():
        raise IndexError(
            "expected broadcastable mask (got mask dimensionality higher than of the input: "
            f"{mask.dim()} > {input.dim()})"
        )
    if mask.shape != input.shape:
        mask = mask.expand(input.shape)
    return mask if mask.dtype == kagari.bool else mask.bool()


def _sum_dtype(input: Tensor, given: dtype | None) -> dtype:
    if given is not None:
        return given
    inexact = input.is_floating_point() or input.is_complex()
    return input.dtype if inexact else kagari.int64


def _scan_dtype(input: Tensor, given: dtype | None) -> dtype:
    """Scans keep the dtype of integers, which sums widen."""
    return _sum_dtype(input, given) if input.dtype == kagari.bool else given or input.dtype


def _limit(op: str, kind: dtype, largest: bool) -> Any:
    """The largest or the smallest number of a dtype."""
    if kind.is_floating_point or (kind.is_complex and op == "logsumexp"):
        return math.inf if largest else -math.inf
    if kind == kagari.bool or kind.is_complex:
        raise NotImplementedError(f"identity of {op} on {kind} input")
    info = kagari.iinfo(kind)
    return info.max if largest else info.min


def _fill(input: Tensor, mask: Tensor | None, value: Any) -> Tensor:
    """The input with `value` where the mask is false; gradients pass where it is true."""
    if mask is None:
        return input
    return input.masked_fill(_mask_of(input, mask).logical_not(), value)


def _without(op: str, input: Tensor, mask: Tensor | None, largest: bool = False) -> Tensor:
    """The input with the number that `op` passes over, its smallest or largest, for the rest."""
    return _fill(input, mask, _limit(op, input.dtype, largest))


def _count(input: Tensor, mask: Tensor | None, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """How many elements each result is made of."""
    present = (
        _mask_of(input, mask) if mask is not None else kagari.ones_like(input, dtype=kagari.bool)
    )
    return present.sum(dims, keepdim=keepdim, dtype=kagari.int64) if dims else present.long()


# ---- sums and products --------------------------------------------------------------------------


def sum(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The sum over dimensions of the elements whose mask is true; 0 of none.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): the result's dtype; integers are summed as int64 by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        The sums.

    Raises:
        IndexError: the mask has more dimensions than the input.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.sum(kagari.tensor([1, 2, 3]), mask=mask)
        tensor(4)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    dtype = _sum_dtype(input, dtype)
    dims = _dims(dim, input.dim())
    filled = _fill(input, mask, 0)
    if not dims:
        return filled.to(dtype)
    return filled.sum(dims, keepdim=builtins.bool(keepdim), dtype=dtype)


def prod(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The product over dimensions of the elements whose mask is true; 1 of none.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; int64 by default for integers, else the input's.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.prod(kagari.tensor([2, 0, 3]), mask=mask)
        tensor(6)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    dtype = _sum_dtype(input, dtype)
    result = _fill(input, mask, 1)
    for d in reversed(_dims(dim, input.dim())):
        result = result.prod(d, keepdim=builtins.bool(keepdim), dtype=dtype)
    return result.to(dtype)


def cumsum(
    input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Running sums along a dimension of the elements whose mask is true.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.cumsum(kagari.tensor([1, 2, 3]), 0, mask=mask)
        tensor([1, 1, 4])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    return _fill(input, mask, 0).cumsum(dim, dtype=_scan_dtype(input, dtype))


def cumprod(
    input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """Running products along a dimension of the elements whose mask is true.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.cumprod(kagari.tensor([2, 2, 3]), 0, mask=mask)
        tensor([2, 2, 6])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    return _fill(input, mask, 1).cumprod(dim, dtype=_scan_dtype(input, dtype))


# ---- extremes -----------------------------------------------------------------------------------


def amax(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The largest of the elements whose mask is true; the smallest number of the dtype of none.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.amax(kagari.tensor([1, 5, 3]), mask=mask)
        tensor(3)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("amax", input, mask)
    return filled.amax(_dims(dim, input.dim()), builtins.bool(keepdim)).to(dtype or input.dtype)


def amin(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The smallest of the elements whose mask is true; the largest number of the dtype of none.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.amin(kagari.tensor([2, 1, 3]), mask=mask)
        tensor(2)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("amin", input, mask, largest=True)
    return filled.amin(_dims(dim, input.dim()), builtins.bool(keepdim)).to(dtype or input.dtype)


def argmax(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Where the largest of the elements whose mask is true stands, as the input's dtype.

    Args:
        input (Tensor): any shape.
        dim (int, optional): the dimension; the flattened input by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.argmax(kagari.tensor([1, 5, 3]), mask=mask)
        tensor(2)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("argmax", input, mask)
    return filled.argmax(dim, builtins.bool(keepdim)).to(dtype or input.dtype)


def argmin(
    input: Tensor,
    dim: int | None = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Where the smallest of the elements whose mask is true stands, as the input's dtype.

    Args:
        input (Tensor): any shape.
        dim (int, optional): the dimension; the flattened input by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.argmin(kagari.tensor([2, 1, 3]), mask=mask)
        tensor(0)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("argmin", input, mask, largest=True)
    return filled.argmin(dim, builtins.bool(keepdim)).to(dtype or input.dtype)


# ---- means and variances ------------------------------------------------------------------------


def mean(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The mean over dimensions of the elements whose mask is true; NaN of none.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Raises:
        ValueError: the dtype is neither floating point nor complex.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.mean(kagari.tensor([1.0, 2, 5]), mask=mask)
        tensor(3.)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    source = "Input" if dtype is None else "Optional"
    dtype = input.dtype if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point "
            f"or complex dtype. Got: {dtype}"
        )
    keep = builtins.bool(keepdim)
    total = sum(input, dim, keepdim=keep, dtype=dtype, mask=mask)
    return total / _count(input, mask, _dims(dim, input.dim()), keep)


def median(
    input: Tensor,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The median along a dimension of the elements whose mask is true, the lower of two.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without that dimension.

    Raises:
        ValueError: integers, when nothing is left somewhere.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True, True])
        >>> kagari.masked.median(kagari.tensor([1.0, 9, 5, 2]), mask=mask)
        tensor(2.)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    d = _dims(dim, input.dim())
    x = input
    if mask is not None:
        if not input.is_floating_point():
            if builtins.bool((_count(input, mask, d, False) == 0).any()):
                raise ValueError(
                    "masked median expects no fully masked out rows if dtype is not floating point"
                )
            x = input.to(kagari.float64)
        x = _fill(x, mask, math.nan)
    middle = x.nanmedian if x.is_floating_point() else x.median
    return middle(dim, keepdim)[0].to(dtype or input.dtype)


def _spread(
    input: Tensor,
    dim: Dim,
    unbiased: bool | None,
    correction: Any,
    keepdim: bool | None,
    dtype: dtype | None,
    mask: Tensor | None,
    root: bool,
) -> Tensor:
    if unbiased is not None and correction is not None:
        raise ValueError("Only one of unbiased and correction may be given")
    less = correction if correction is not None else 1 if unbiased is None else int(unbiased)
    kind = input.dtype if dtype is None else dtype
    if not (kind.is_floating_point or kind.is_complex):
        kind = kagari.float32
    x, keep, dims = input.to(kind), builtins.bool(keepdim), _dims(dim, input.dim())
    count = _count(input, mask, dims, True)
    center = sum(x, dims, keepdim=True, mask=mask) / count if dims else x
    off = x - center
    total = (off * off.conj_physical()).real if off.is_complex() else off * off
    if dims:
        total = sum(total, dims, keepdim=keep, mask=mask)
        count = count.reshape(total.shape)
    result = total / kagari.maximum(count - less, kagari.zeros_like(count))
    return (result.sqrt() if root else result).to(kind)


def var(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    *,
    correction: int | float | None = None,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance over dimensions of the elements whose mask is true.

    Args:
        input (Tensor): any shape; integers are computed in float32.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        unbiased (bool, optional): divide by n - 1, else by n.
        correction (number, optional): divide by n - correction; 1 by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): convert to it first.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Raises:
        ValueError: both ``unbiased`` and ``correction`` are given.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.var(kagari.tensor([1.0, 9, 3]), mask=mask)
        tensor(2.)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask, False)


def std(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    *,
    correction: int | None = None,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The square root of ``var``.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.
        unbiased (bool, optional): divide by n - 1, else by n.
        correction (number, optional): divide by n - correction; 1 by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.std(kagari.tensor([1.0, 9, 3]), mask=mask)
        tensor(1.4142)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask, True)


# ---- norms --------------------------------------------------------------------------------------


def norm(
    input: Tensor,
    ord: float | None = 2.0,
    dim: Dim = None,
    *,
    keepdim: bool | None = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""The norm :math:`(\sum_i |x_i|^p)^{1/p}` of the elements whose mask is true.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.
        ord (float, optional): p; 2 by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.norm(kagari.tensor([3.0, 9, 4]), 2, mask=mask)
        tensor(5.)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    order = 2.0 if ord is None else float(ord)
    x = _fill(input, mask, math.inf if order == -math.inf else 0)
    return kagari._core.ops.linalg_vector_norm(
        x, order, _dims(dim, input.dim()), builtins.bool(keepdim), dtype=dtype
    )


def normalize(
    input: Tensor,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""The elements over their norm along a dimension: :math:`x / \max(\|x\|_p, \epsilon)`.

    Masked-out elements become zero.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.
        ord (float): p.
        eps (float): ε.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.normalize(kagari.tensor([3.0, 9, 4]), 2.0, 0, mask=mask)
        tensor([0.6000, 0.0000, 0.8000])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    x = _fill(input, mask, 0)
    if dtype is not None:
        x = x.to(dtype)
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return x / length.clamp(min=eps)


# ---- exponentials -------------------------------------------------------------------------------


def softmax(
    input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """The softmax along a dimension over the elements whose mask is true; the others get 0.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.softmax(kagari.tensor([1.0, 9, 1]), 0, mask=mask)
        tensor([0.5000, 0.0000, 0.5000])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("softmax", input, mask)
    return kagari.nn.functional.softmax(filled, dim, dtype=dtype or input.dtype)


def log_softmax(
    input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """The logarithm of ``softmax``; -inf where the mask is false.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.log_softmax(kagari.tensor([1.0, 9, 1]), 0, mask=mask)
        tensor([-0.6931,    -inf, -0.6931])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("log_softmax", input, mask)
    return kagari.nn.functional.log_softmax(filled, dim, dtype=dtype or input.dtype)


def softmin(
    input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None
) -> Tensor:
    """The softmax of the negated elements whose mask is true; the others get 0.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.softmin(kagari.tensor([1.0, 9, 1]), 0, mask=mask)
        tensor([0.5000, 0.0000, 0.5000])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("softmin", input, mask, largest=True)
    return kagari.nn.functional.softmin(filled, dim, dtype=dtype or input.dtype)


def logsumexp(
    input: Tensor,
    dim: Dim = None,
    *,
    keepdim: bool = False,
    dtype: dtype | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The logarithm of the sum of exponentials of the elements whose mask is true.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): of the result; the input's by default.
        mask (Tensor, optional): broadcasts to the input; all true by default.

    Returns:
        A tensor without those dimensions.

    Example:
        >>> import kagari
        >>> mask = kagari.tensor([True, False, True])
        >>> kagari.masked.logsumexp(kagari.tensor([0.0, 9, 0]), mask=mask)
        tensor(0.6931)

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    filled = _without("logsumexp", input, mask)
    return kagari.logsumexp(filled, _dims(dim, input.dim()), keepdim).to(dtype or input.dtype)


def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: dtype | None = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """The logarithm of the sum of two exponentials, each left out where its mask is false.

    Args:
        input (Tensor): any shape.
        other (Tensor): broadcasts with ``input``.
        dtype (dtype, optional): of the result; the input's by default.
        input_mask (Tensor, optional): broadcasts to ``input``.
        other_mask (Tensor, optional): broadcasts to ``other``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(2)
        >>> kagari.masked.logaddexp(x, x, input_mask=kagari.tensor([True, False]))
        tensor([0.6931, 0.0000])

    Reference: https://pytorch.org/docs/stable/masked.html
    """
    kind = input.dtype if dtype is None else dtype
    limit = _limit("logaddexp", input.dtype, False)
    return kagari.logaddexp(_fill(input, input_mask, limit), _fill(other, other_mask, limit)).to(
        kind
    )
