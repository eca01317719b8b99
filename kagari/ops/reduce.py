"""Reductions composed of others: variances with their means, norms, comparisons, differences."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor, dtype

Dims = tuple[int, ...] | None


# ---- variance -----------------------------------------------------------------------------------


@composite("var.unbiased(Tensor input, bool unbiased) -> Tensor", method=True)
def _var(input: Tensor, unbiased: bool) -> Tensor:
    """The variance of all elements, over n - 1 if ``unbiased``, else over n."""
    return input.var(correction=int(unbiased))


@composite(
    "var.dim(Tensor input, int[1]? dim, bool unbiased, bool keepdim=False) -> Tensor",
    method=True,
    out=True,
)
def _var_dim(input: Tensor, dim: Dims, unbiased: bool, keepdim: bool) -> Tensor:
    """The variance over dimensions, over n - 1 if ``unbiased``, else over n."""
    return input.var(dim, correction=int(unbiased), keepdim=keepdim)


@composite("std.unbiased(Tensor input, bool unbiased) -> Tensor", method=True)
def _std(input: Tensor, unbiased: bool) -> Tensor:
    """The standard deviation of all elements, over n - 1 if ``unbiased``, else over n."""
    return input.std(correction=int(unbiased))


@composite(
    "std.dim(Tensor input, int[1]? dim, bool unbiased, bool keepdim=False) -> Tensor",
    method=True,
    out=True,
)
def _std_dim(input: Tensor, dim: Dims, unbiased: bool, keepdim: bool) -> Tensor:
    """The standard deviation over dimensions, over n - 1 if ``unbiased``, else over n."""
    return input.std(dim, correction=int(unbiased), keepdim=keepdim)


def _with_mean(spread: str, input: Tensor, dim: Dims, correction: Any, keepdim: bool) -> Any:
    value = getattr(input, spread)(dim, correction=correction, keepdim=keepdim)
    return value, input.mean(dim, keepdim)


@composite(
    "var_mean.correction(Tensor input, int[1]? dim=None, *, Scalar? correction=None, "
    "bool keepdim=False) -> (Tensor, Tensor)"
)
def var_mean(input: Tensor, dim: Dims, correction: Any, keepdim: bool) -> Any:
    """The variance and the mean over dimensions.

    Args:
        input (Tensor): floating point numbers of any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        correction (number): what is taken from the number of elements before dividing by it; 1 by
            default.
        keepdim (bool): keep the dimensions with size one.

    Returns:
        A tuple (variance, mean).

    Raises:
        RuntimeError: the input is neither floating point nor complex.

    Example:
        >>> import kagari
        >>> kagari.var_mean(kagari.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))

    Reference: https://pytorch.org/docs/stable/generated/torch.var_mean.html
    """
    return _with_mean("var", input, dim, correction, keepdim)


@composite("var_mean.unbiased(Tensor input, bool unbiased) -> (Tensor, Tensor)")
def _var_mean(input: Tensor, unbiased: bool) -> Any:
    """The variance and the mean of all elements."""
    return _with_mean("var", input, None, int(unbiased), False)


@composite(
    "var_mean.dim(Tensor input, int[1]? dim, bool unbiased, bool keepdim=False) -> (Tensor, Tensor)"
)
def _var_mean_dim(input: Tensor, dim: Dims, unbiased: bool, keepdim: bool) -> Any:
    """The variance and the mean over dimensions."""
    return _with_mean("var", input, dim, int(unbiased), keepdim)


@composite(
    "std_mean.correction(Tensor input, int[1]? dim=None, *, Scalar? correction=None, "
    "bool keepdim=False) -> (Tensor, Tensor)"
)
def std_mean(input: Tensor, dim: Dims, correction: Any, keepdim: bool) -> Any:
    """The standard deviation and the mean over dimensions; arguments as of ``var_mean``.

    Args:
        input (Tensor): floating, any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        correction (number, optional): divide by n - correction; 1 by default.
        unbiased (bool): True is a correction of 1, False of 0.
        keepdim (bool): keep the dimensions with size one.

    Returns:
        The standard deviations and the means.

    Example:
        >>> import kagari
        >>> kagari.std_mean(kagari.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))

    Reference: https://pytorch.org/docs/stable/generated/torch.std_mean.html
    """
    return _with_mean("std", input, dim, correction, keepdim)


@composite("std_mean.unbiased(Tensor input, bool unbiased) -> (Tensor, Tensor)")
def _std_mean(input: Tensor, unbiased: bool) -> Any:
    """The standard deviation and the mean of all elements."""
    return _with_mean("std", input, None, int(unbiased), False)


@composite(
    "std_mean.dim(Tensor input, int[1]? dim, bool unbiased, bool keepdim=False) -> (Tensor, Tensor)"
)
def _std_mean_dim(input: Tensor, dim: Dims, unbiased: bool, keepdim: bool) -> Any:
    """The standard deviation and the mean over dimensions."""
    return _with_mean("std", input, dim, int(unbiased), keepdim)


# ---- norms --------------------------------------------------------------------------------------


@composite(
    "norm(Tensor input, Any p='fro', int[1]? dim=None, bool keepdim=False, "
    "ScalarType? dtype=None) -> Tensor",
    method=True,
    out=True,
)
def norm(input: Tensor, p: Any, dim: Dims, keepdim: bool, dtype: dtype | None) -> Tensor:
    r"""The p-norm over dimensions: :math:`(\sum_i |x_i|^p)^{1/p}`.

    Args:
        input (Tensor): floating point or complex numbers of any shape.
        p (number or str): the order; ``inf`` and ``-inf`` give the largest and smallest magnitude,
            ``"fro"`` the 2-norm, ``"nuc"`` the sum of the singular values of matrices.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): convert the input to it first.

    Returns:
        A real tensor.

    Raises:
        RuntimeError: the input's dtype is integer, or ``p`` is an unknown word.

    Example:
        >>> import kagari
        >>> kagari.norm(kagari.tensor([3.0, 4.0]))
        tensor(5.)

    Reference: https://pytorch.org/docs/stable/generated/torch.norm.html
    """
    if p is None or p == "fro":
        p = 2.0
    elif p == "nuc":
        return _nuclear_norm(input, dim, keepdim, dtype)
    elif isinstance(p, str):
        raise RuntimeError(f"norm: expected p to be a number, 'fro' or 'nuc', got {p!r}")
    return ops.linalg_vector_norm(input, p, dim, keepdim, dtype=dtype)


def _nuclear_norm(input: Tensor, dim: Dims, keepdim: bool, dtype: dtype | None) -> Tensor:
    singular_values = getattr(ops, "linalg_svdvals", None)
    if singular_values is None:
        raise NotImplementedError("norm: p='nuc' expects singular values, which this build lacks")
    if dtype is not None:
        input = input.to(dtype)
    if dim is None:
        dim = (-2, -1) if input.dim() == 2 else None
    if dim is None or len(dim) != 2:
        raise RuntimeError(f"norm: p='nuc' expected two dimensions, got dim={dim}; name a plane")
    total: Tensor = singular_values(input.movedim(dim, (-2, -1))).sum(-1)
    if keepdim:
        for d in sorted(d % input.dim() for d in dim):
            total = total.unsqueeze(d)
    return total


# ---- extremes of two ----------------------------------------------------------------------------


@composite("max.other(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def _max_other(input: Tensor, other: Tensor) -> Tensor:
    """``maximum(input, other)``."""
    return input.maximum(other)


@composite("min.other(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def _min_other(input: Tensor, other: Tensor) -> Tensor:
    """``minimum(input, other)``."""
    return input.minimum(other)


# ---- sums that skip NaN -------------------------------------------------------------------------


@composite(
    "nansum(Tensor input, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)"
    " -> Tensor",
    method=True,
    out=True,
)
def nansum(input: Tensor, dim: Dims, keepdim: bool, dtype: dtype | None) -> Tensor:
    """The sum over dimensions with NaN taken as zero.

    Args:
        input (Tensor): real numbers of any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): the result's dtype; integers are summed as int64 by default.

    Raises:
        RuntimeError: complex numbers.

    Example:
        >>> import kagari
        >>> kagari.nansum(kagari.tensor([1.0, kagari.nan, 2.0]))
        tensor(3.)

    Reference: https://pytorch.org/docs/stable/generated/torch.nansum.html
    """
    if input.is_complex():
        raise RuntimeError("nansum on CPU does not support complex inputs")
    if input.is_floating_point():
        input = ops._nan_to_zero(input)
    return input.sum(dim, keepdim, dtype=dtype)


@composite(
    "nanmean(Tensor input, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)"
    " -> Tensor",
    method=True,
    out=True,
)
def nanmean(input: Tensor, dim: Dims, keepdim: bool, dtype: dtype | None) -> Tensor:
    """The mean over dimensions of the elements that are not NaN.

    Args:
        input (Tensor): floating point numbers of any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        dtype (dtype, optional): the result's dtype.

    Raises:
        RuntimeError: the input's dtype is not floating point.

    Example:
        >>> import kagari
        >>> kagari.nanmean(kagari.tensor([1.0, kagari.nan, 2.0]))
        tensor(1.5000)

    Reference: https://pytorch.org/docs/stable/generated/torch.nanmean.html
    """
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{input.dtype}"
        )
    count = input.detach().isnan().logical_not().sum(dim, keepdim)
    return input.nansum(dim, keepdim, dtype=dtype) / count


# ---- comparisons --------------------------------------------------------------------------------


@composite(
    "isclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, "
    "bool equal_nan=False) -> Tensor",
    method=True,
)
def isclose(input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> Tensor:
    r"""Where :math:`|x - y| \le atol + rtol |y|`.

    Args:
        input (Tensor): x.
        other (Tensor): y, of the same dtype; the shapes broadcast.
        rtol (float): the relative tolerance.
        atol (float): the absolute tolerance.
        equal_nan (bool): two NaN are close.

    Returns:
        A bool tensor.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.

    Example:
        >>> import kagari
        >>> kagari.isclose(kagari.tensor([1.0, 1.1]), kagari.tensor([1.0, 1.0]))
        tensor([ True, False])

    Reference: https://pytorch.org/docs/stable/generated/torch.isclose.html
    """
    if input.dtype != other.dtype:
        raise RuntimeError(f"{input.dtype} did not match {other.dtype}; convert one of them")
    if rtol < 0 or atol < 0:
        name, value = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    input, other = input.detach(), other.detach()
    close = input == other
    inexact = input.is_floating_point() or input.is_complex()
    if equal_nan and inexact:
        close = close | (input.isnan() & other.isnan())
    if rtol == 0 and atol == 0:
        return close
    if not inexact:
        from kagari import bool as boolean
        from kagari import get_default_dtype

        other = other.to(get_default_dtype())
        if input.dtype == boolean:
            input = input.to(get_default_dtype())
    allowed = (other * rtol).abs() + atol
    off = (input - other).abs()
    return close | (off.isfinite() & (off <= allowed))


@composite(
    "allclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, "
    "bool equal_nan=False) -> bool",
    method=True,
)
def allclose(input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool) -> bool:
    r"""Whether all elements are close, in the sense of ``isclose``.

    :math:`|x_i - y_i| \le \mathrm{atol} + \mathrm{rtol} \, |y_i|` for every i.

    Args:
        input (Tensor): x, any shape.
        other (Tensor): y; broadcasts with x.
        rtol (float): the relative tolerance.
        atol (float): the absolute tolerance.
        equal_nan (bool): NaN is close to NaN.

    Returns:
        A bool.

    Example:
        >>> import kagari
        >>> kagari.allclose(kagari.tensor([1.0]), kagari.tensor([1.0 + 1e-7]))
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.allclose.html
    """
    return bool(input.isclose(other, rtol, atol, equal_nan).all())


@composite("equal(Tensor input, Tensor other) -> bool", method=True)
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and equal elements.

    Args:
        input (Tensor): any shape.
        other (Tensor): of any shape; another one makes them unequal.

    Returns:
        A bool; NaN equals nothing.

    Example:
        >>> import kagari
        >>> kagari.equal(kagari.tensor([1, 2]), kagari.tensor([1, 2]))
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.equal.html
    """
    return bool(ops._equal(input, other))


# ---- differences --------------------------------------------------------------------------------


@composite(
    "diff(Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor",
    method=True,
    out=True,
)
def diff(input: Tensor, n: int, dim: int, prepend: Tensor | None, append: Tensor | None) -> Tensor:
    """The n-th differences of neighbours along a dimension.

    Args:
        input (Tensor): at least one dimension; bool tensors are compared by exclusive or.
        n (int): how often differences are taken.
        dim (int): the dimension.
        prepend (Tensor, optional): put before the input along ``dim`` first.
        append (Tensor, optional): put after the input along ``dim`` first.

    Raises:
        RuntimeError: a 0-d input, or a negative ``n``.

    Example:
        >>> import kagari
        >>> kagari.diff(kagari.tensor([1, 3, 6]))
        tensor([2, 3])

    Reference: https://pytorch.org/docs/stable/generated/torch.diff.html
    """
    import kagari

    if input.dim() < 1:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    parts = [part for part in (prepend, input, append) if part is not None]
    x = kagari.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, x.size(dim))):
        later = x.narrow(dim, 1, max(x.size(dim) - 1, 0)) if x.size(dim) else x
        earlier = x.narrow(dim, 0, max(x.size(dim) - 1, 0))
        x = later.logical_xor(earlier) if x.dtype == kagari.bool else later - earlier
    return x.clone() if x is input else x


# ---- shapes brought together --------------------------------------------------------------------


@composite("broadcast_tensors(Tensor[*] tensors) -> Any")
def broadcast_tensors(tensors: tuple[Tensor, ...]) -> Any:
    """The tensors expanded to their common shape.

    Args:
        *tensors (Tensor): shapes that broadcast.

    Returns:
        A tuple of views.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Example:
        >>> import kagari
        >>> [t.shape for t in kagari.broadcast_tensors(kagari.ones(3, 1), kagari.ones(2))]
        [kagari.Size([3, 2]), kagari.Size([3, 2])]

    Reference: https://pytorch.org/docs/stable/generated/torch.broadcast_tensors.html
    """
    shape = _broadcast(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def _broadcast(*shapes: Any) -> list[int]:
    shape = [1] * max((len(s) for s in shapes), default=0)
    for sizes in shapes:
        for i in range(1, len(sizes) + 1):
            if sizes[-i] not in (1, shape[-i]):
                if shape[-i] != 1:
                    raise RuntimeError(
                        f"The size of tensor a ({shape[-i]}) must match the size of tensor b "
                        f"({sizes[-i]}) at non-singleton dimension {len(shape) - i}"
                    )
                shape[-i] = sizes[-i]
    return shape


@composite("meshgrid(Tensor[*] tensors, *, str? indexing=None) -> Any")
def meshgrid(tensors: tuple[Tensor, ...], indexing: str | None) -> Any:
    """Grids of coordinates: the i-th result varies along dimension i as the i-th input.

    Args:
        *tensors (Tensor): 0-d or 1-d, of one dtype.
        indexing (str): ``"ij"`` (the default), or ``"xy"``, which swaps the first two dimensions.

    Returns:
        A tuple of views of one shape.

    Raises:
        RuntimeError: no tensor, more than one dimension, different dtypes, another ``indexing``.

    Example:
        >>> import kagari
        >>> a, b = kagari.meshgrid(kagari.arange(2), kagari.arange(3), indexing="ij")
        >>> a
        tensor([[0, 0, 0],
                [1, 1, 1]])

    Reference: https://pytorch.org/docs/stable/generated/torch.meshgrid.html
    """
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f"meshgrid: indexing must be one of 'xy' or 'ij', but received {indexing}"
        )
    for t in tensors:
        if t.dim() > 1:
            raise RuntimeError(
                f"Expected 0D or 1D tensor in the tensor list but got a shape {tuple(t.shape)}"
            )
        if t.dtype != tensors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(tensors) >= 2
    order = [tensors[1], tensors[0], *tensors[2:]] if swap else list(tensors)
    shape = [t.numel() for t in order]
    grids = []
    for i, t in enumerate(order):
        own = [1] * len(order)
        own[i] = t.numel()
        grids.append(t.reshape(own).expand(shape))
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)
