"""Statistics: quantiles, extremes, covariances, histograms."""

from __future__ import annotations

import math

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

Dims = tuple[int, ...]


# ---- quantiles ----------------------------------------------------------------------------------

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(op: str, input: Tensor, q: Tensor, interpolation: str) -> None:
    import kagari

    if input.numel() == 0:
        raise RuntimeError(f"{op}() input tensor must be non-empty")
    if q.dim() > 1:
        raise RuntimeError(f"{op}() q must be a scalar or 1D tensor, got shape {tuple(q.shape)}")
    if input.dtype not in (kagari.float32, kagari.float64):
        raise RuntimeError(
            f"{op}() input tensor must be either float or double dtype, got {input.dtype}"
        )
    if q.dtype != input.dtype:
        raise RuntimeError(
            f"{op}() q tensor must be same dtype as the input tensor, got {q.dtype} for an input "
            f"of {input.dtype}"
        )
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{op}() interpolation must be one of linear, lower, higher, midpoint or nearest, but "
            f"got {interpolation}"
        )
    if not input.is_meta and not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError(f"{op}() q values must be in the range [0, 1]")


def _quantile(
    op: str,
    input: Tensor,
    q: Tensor,
    dim: int | None,
    keepdim: bool,
    interpolation: str,
) -> Tensor:
    import kagari

    _check_quantile(op, input, q, interpolation)
    if dim is None:
        kept = [1] * input.dim()
        x = input.reshape(-1)
    else:
        kept = list(input.shape)
        if kept:
            kept[dim] = 1
        x = (input.reshape(1) if input.dim() == 0 else input).movedim(dim, -1)
    x = x.sort(-1)[0]
    n = x.shape[-1]
    numbers = x.detach().isnan().logical_not().sum(-1, keepdim=True)  # NaN stand at the end
    if op == "nanquantile":
        ranks = (q.reshape(-1) * (numbers - 1)).clamp(min=0)
    else:
        ranks = kagari.where(numbers == n, q.reshape(-1) * (n - 1), float(n - 1))
    ranks = ranks.to(x.dtype)
    if interpolation == "lower":
        values = x.gather(-1, ranks.detach().floor().long())
    elif interpolation == "higher":
        values = x.gather(-1, ranks.detach().ceil().long())
    elif interpolation == "nearest":
        values = x.gather(-1, ranks.detach().round().long())
    else:
        below, above = ranks.detach().floor(), ranks.detach().ceil()
        weight = (
            kagari.full_like(below, 0.5) * (above > below)
            if interpolation == "midpoint"
            else ranks - below
        )
        values = x.gather(-1, below.long()).lerp(x.gather(-1, above.long()), weight)
    sizes = kept if keepdim else list(values.shape[:-1]) if input.dim() and dim is not None else []
    if q.dim() == 0:
        return values.reshape(sizes)
    return values.movedim(-1, 0).reshape([q.shape[0], *sizes])


def _as_q(op: str, input: Tensor, q: float) -> Tensor:
    import kagari

    if not 0 <= q <= 1:
        raise RuntimeError(f"{op}() q must be in the range [0, 1] but got {q}")
    floating = input.is_floating_point()
    return kagari.tensor(q, dtype=input.dtype if floating else None)


_QUANTILE = (
    "(Tensor input, {q} q, int? dim=None, bool keepdim=False, *, "
    "str interpolation='linear') -> Tensor"
)


@composite("quantile" + _QUANTILE.format(q="Tensor"), method=True, out=True, autocast="fp32")
def quantile(
    input: Tensor, q: Tensor, dim: int | None, keepdim: bool, interpolation: str
) -> Tensor:
    r"""The q-th quantiles along a dimension: sorted elements at rank :math:`q (n - 1)`.

    Args:
        input (Tensor): float32 or float64; a NaN makes its quantiles NaN.
        q (float or Tensor): in [0, 1]; a 1-d tensor asks for several.
        dim (int, optional): the dimension; None takes all elements.
        keepdim (bool): keep the dimension with size one.
        interpolation (str): between neighbours: ``"linear"``, ``"lower"``, ``"higher"``,
            ``"midpoint"`` or ``"nearest"``.

    Returns:
        The quantiles, those of several q along a new first dimension.

    Raises:
        RuntimeError: an empty input, another dtype, q outside [0, 1], an unknown interpolation.

    Example:
        >>> import kagari
        >>> kagari.quantile(kagari.tensor([1.0, 2.0, 4.0]), 0.75)
        tensor(3.)

    Reference: https://pytorch.org/docs/stable/generated/torch.quantile.html
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@composite("quantile.scalar" + _QUANTILE.format(q="float"), method=True, out=True, autocast="fp32")
def _quantile_number(
    input: Tensor, q: float, dim: int | None, keepdim: bool, interpolation: str
) -> Tensor:
    """The q-th quantile along a dimension."""
    return _quantile("quantile", input, _as_q("quantile", input, q), dim, keepdim, interpolation)


@composite("nanquantile" + _QUANTILE.format(q="Tensor"), method=True, out=True, autocast="fp32")
def nanquantile(
    input: Tensor, q: Tensor, dim: int | None, keepdim: bool, interpolation: str
) -> Tensor:
    """The quantiles of the elements that are not NaN; arguments as of ``quantile``.

    Example:
        >>> import kagari
        >>> kagari.nanquantile(kagari.tensor([1.0, kagari.nan, 2.0]), 0.5)
        tensor(1.5000)

    Reference: https://pytorch.org/docs/stable/generated/torch.nanquantile.html
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


@composite(
    "nanquantile.scalar" + _QUANTILE.format(q="float"), method=True, out=True, autocast="fp32"
)
def _nanquantile_number(
    input: Tensor, q: float, dim: int | None, keepdim: bool, interpolation: str
) -> Tensor:
    """The q-th quantile of the elements that are not NaN."""
    op = "nanquantile"
    return _quantile(op, input, _as_q(op, input, q), dim, keepdim, interpolation)


# ---- extremes and sums of exponentials ----------------------------------------------------------


@composite(
    "aminmax(Tensor input, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)",
    method=True,
    out="exact",
)
def aminmax(input: Tensor, dim: int | None, keepdim: bool) -> Any:
    """The smallest and the largest element along a dimension.

    Args:
        input (Tensor): real numbers of any shape.
        dim (int, optional): the dimension; all by default.
        keepdim (bool): keep the dimensions with size one.

    Returns:
        A named tuple (min, max); gradients are shared evenly among equal extremes.

    Raises:
        RuntimeError: nothing to choose from.

    Example:
        >>> import kagari
        >>> low, high = kagari.aminmax(kagari.tensor([3, 1, 2]))
        >>> low, high
        (tensor(1), tensor(3))

    Reference: https://pytorch.org/docs/stable/generated/torch.aminmax.html
    """
    if dim is None and input.numel() == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            f"identity; got shape {tuple(input.shape)}"
        )
    dims = () if dim is None else (dim,)
    return input.amin(dims, keepdim), input.amax(dims, keepdim)


@composite(
    "logsumexp(Tensor input, int[1] dim, bool keepdim=False) -> Tensor", method=True, out=True
)
def logsumexp(input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    r"""The logarithm of a sum of exponentials: :math:`m + \log \sum_i e^{x_i - m}`, m the maximum.

    Args:
        input (Tensor): any shape; integers are computed in the default dtype.
        dim (int or tuple of ints): the dimensions.
        keepdim (bool): keep the dimensions with size one.

    Example:
        >>> import kagari
        >>> kagari.logsumexp(kagari.tensor([500.0, 500.0]), 0)
        tensor(500.6931)

    Reference: https://pytorch.org/docs/stable/generated/torch.logsumexp.html
    """
    import kagari

    if not (input.is_floating_point() or input.is_complex()):
        input = input.to(kagari.get_default_dtype())
    if input.numel() == 0:
        return input.exp().sum(dim, keepdim).log()
    largest = (input.real if input.is_complex() else input).detach().amax(dim, True)
    largest = largest.masked_fill(largest.isinf(), 0)  # exp(inf - inf) would be NaN
    total = (input - largest).exp().sum(dim, keepdim).log()
    return total + (largest if keepdim else largest.reshape(total.shape))


# ---- covariance ---------------------------------------------------------------------------------


def _check_weights(name: str, weights: Tensor, observations: int, integral: bool) -> None:
    fits = not (weights.is_floating_point() or weights.is_complex())
    fits = fits if integral else weights.is_floating_point()
    if weights.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weights.dim()} dimensions"
        )
    if not fits:
        kind = "integral" if integral else "floating point"
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {weights.dtype} dtype"
        )
    if weights.numel() != observations:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input "
            f"but got {weights.numel()} != {observations}"
        )
    if observations and not weights.is_meta and bool((weights < 0).any()):
        raise RuntimeError(f"cov(): {name} cannot be negative")


@composite(
    "cov(Tensor input, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None)"
    " -> Tensor",
    method=True,
)
def cov(input: Tensor, correction: int, fweights: Tensor | None, aweights: Tensor | None) -> Tensor:
    r"""The covariance matrix of variables in rows, observed in columns.

    .. math:: C_{ij} = \frac{\sum_k w_k (x_{ik} - \mu_i) \overline{(x_{jk} - \mu_j)}}{n}

    Args:
        input (Tensor): ``(variables, observations)``, or the observations of one variable.
        correction (int): what the weights' sum is lessened by to give n.
        fweights (Tensor, optional): ``(observations,)`` integers, how often each was seen.
        aweights (Tensor, optional): ``(observations,)`` floats, how reliable each is.

    Returns:
        ``(variables, variables)``, or 0-d for one variable.

    Raises:
        RuntimeError: more than two dimensions, bool input, weights that do not fit.

    Example:
        >>> import kagari
        >>> kagari.cov(kagari.tensor([[0.0, 1, 2], [2, 1, 0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.cov.html
    """
    import kagari

    if input.dim() > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    if input.dtype == kagari.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input; convert with .float()")
    x = input if input.dim() == 2 else input.reshape(1, -1)
    observations = x.shape[1]
    weights: Tensor | None = None
    if fweights is not None:
        _check_weights("fweights", fweights, observations, True)
        weights = fweights
    if aweights is not None:
        _check_weights("aweights", aweights, observations, False)
        weights = aweights if weights is None else weights * aweights
    total: Any = observations if weights is None else weights.sum()
    if weights is not None and not weights.is_meta and observations and float(total) == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = (x if weights is None else x * weights).sum(1) / total
    if weights is not None and aweights is not None and correction != 0:
        norm = total - correction * (weights * aweights).sum() / total
    else:
        norm = total - correction
    x = x - mean.unsqueeze(1)
    product = (x if weights is None else x * weights) @ x.mH
    norm = norm.clamp(min=0) if isinstance(norm, kagari.Tensor) else max(norm, 0)
    covariance: Tensor = (product / norm).squeeze()
    return covariance


@composite("corrcoef(Tensor input) -> Tensor", method=True)
def corrcoef(input: Tensor) -> Tensor:
    r"""The matrix of correlation coefficients: :math:`R_{ij} = C_{ij} / \sqrt{C_{ii} C_{jj}}`.

    Args:
        input (Tensor): ``(variables, observations)``, or the observations of one variable.

    Returns:
        ``(variables, variables)`` with parts in [-1, 1], or 0-d for one variable.

    Raises:
        RuntimeError: more than two dimensions.

    Example:
        >>> import kagari
        >>> kagari.corrcoef(kagari.tensor([[0.0, 1, 2], [2, 1, 0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.corrcoef.html
    """
    import kagari

    if input.dim() > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    c = input.cov()
    if c.dim() == 0:
        return c / c
    variance = c.diagonal()
    spread = (variance.real if c.is_complex() else variance).sqrt()
    r = c / spread.unsqueeze(1) / spread.unsqueeze(0)
    if r.is_complex():
        parts = kagari.view_as_real(r).clamp(-1, 1)
        return kagari.view_as_complex(parts)
    return r.clamp(-1, 1)


# ---- histograms ---------------------------------------------------------------------------------


def _check_histogram(input: Tensor, weight: Tensor | None) -> None:
    if not input.is_floating_point():
        raise NotImplementedError(
            f'"histogramdd" not implemented for {input.dtype}; convert with .float()'
        )
    if input.dim() < 2:
        raise RuntimeError("histogramdd: input tensor should have at least 2 dimensions")
    if weight is None:
        return
    if weight.shape != input.shape[:-1]:
        raise RuntimeError(
            "histogramdd: if weight tensor is provided it should have the same shape as the input "
            f"tensor excluding its innermost dimension, but got input with shape "
            f"{list(input.shape)} and weight with shape {list(weight.shape)}"
        )
    if weight.dtype != input.dtype:
        raise RuntimeError(
            "histogramdd: if weight tensor is provided, input tensor and weight tensor should have "
            f"the same dtype, but got input({input.dtype}), and weight({weight.dtype})"
        )


def _check_edges(edges: list[Tensor], input: Tensor) -> None:
    for d, e in enumerate(edges):
        if e.dim() != 1:
            raise RuntimeError(
                f"histogramdd: bins tensor should have one dimension, but got {e.dim()} dimensions "
                f"in the bins tensor for dimension {d}"
            )
        if e.dtype != input.dtype:
            raise RuntimeError(
                "histogramdd: input tensor and bins tensors should have the same dtype, but got "
                f"input with dtype {input.dtype} and bins for dimension {d} with dtype {e.dtype}"
            )


def _equal_edges(op: str, points: Tensor, bins: list[int], range: Any) -> list[Tensor]:
    """The edges of equally wide bins over a range, or over that of the points."""
    import kagari

    dims = points.shape[-1]
    if range is not None and len(range) != 2 * dims:
        raise RuntimeError(
            f"{op}: for a {dims}-dimensional histogram range should have {2 * dims} elements, but "
            f"got {len(range)}"
        )
    edges = []
    for d, count in enumerate(bins):
        if count <= 0:
            raise RuntimeError(f"{op}: bins must be > 0, but got {count} for dimension {d}")
        if range is not None:
            low, high = float(range[2 * d]), float(range[2 * d + 1])
        elif points.shape[0]:
            low, high = (float(v) for v in points[:, d].aminmax())
        else:
            low, high = 0.0, 1.0
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"{op}: dimension {d}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(
                f"{op}: min should not exceed max, but got min {low:g} max {high:g} for "
                f"dimension {d}"
            )
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(kagari.linspace(low, high, count + 1, dtype=points.dtype))
    return edges


def _count_in_bins(points: Tensor, edges: list[Tensor], weight: Any, density: bool) -> Tensor:
    """How many points (or how much weight) fall into each cell; last bins include their edge."""
    for d, e in enumerate(edges):
        if e.numel() < 2:
            raise RuntimeError(
                f"histogramdd: bins must be > 0, but got {max(e.numel() - 1, 0)} for dimension {d}"
            )
    hist: Tensor = ops._histogram(points, edges, None if weight is None else weight.reshape(-1))
    if density:
        hist = hist / hist.sum()
        for d, e in enumerate(edges):
            widths = e.diff()
            hist = hist / widths.view([-1] + [1] * (len(edges) - 1 - d))
    return hist


@composite(
    "histogram.bins_tensor(Tensor input, Tensor bins, *, Tensor? weight=None, bool density=False)"
    " -> (Tensor hist, Tensor bin_edges)",
    method=True,
    out=True,
)
def _histogram_edges(input: Tensor, bins: Tensor, weight: Tensor | None, density: bool) -> Any:
    """Counts between given edges."""
    points = input.detach().reshape(-1, 1)
    weight = None if weight is None else weight.detach().reshape(-1)
    _check_histogram(points, weight)
    _check_edges([bins], points)
    return _count_in_bins(points, [bins], weight, density), bins.clone()


@composite(
    "histogram.bin_ct(Tensor input, int bins=100, *, float[]? range=None, Tensor? weight=None, "
    "bool density=False) -> (Tensor hist, Tensor bin_edges)",
    method=True,
    out=True,
)
def histogram(input: Tensor, bins: int, range: Any, weight: Tensor | None, density: bool) -> Any:
    """How many elements fall into each bin; bins hold their lower edge, the last one both.

    Args:
        input (Tensor): floating point numbers of any shape.
        bins (int or Tensor): how many equally wide bins, or their edges.
        range (pair of floats): the outer edges; those of the elements by default.
        weight (Tensor, optional): what each element counts, of the input's shape and dtype.
        density (bool): divide by the total and by the bins' widths.

    Returns:
        A named tuple (hist, bin_edges).

    Raises:
        RuntimeError: a range that is empty or not finite, weights or edges that do not fit.

    Example:
        >>> import kagari
        >>> kagari.histogram(kagari.tensor([1.0, 2.0, 1.0]), bins=2).hist
        tensor([2., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.histogram.html
    """
    points = input.detach().reshape(-1, 1)
    weight = None if weight is None else weight.detach().reshape(-1)
    _check_histogram(points, weight)
    edges = _equal_edges("histogram", points, [bins], range)
    return _count_in_bins(points, edges, weight, density), edges[0]


@composite(
    "histogramdd(Tensor input, Any bins, float[]? range=None, Tensor? weight=None, "
    "bool density=False) -> (Tensor hist, Tensor[] bin_edges)"
)
def histogramdd(input: Tensor, bins: Any, range: Any, weight: Tensor | None, density: bool) -> Any:
    """How many points fall into each cell of a grid in several dimensions.

    Args:
        input (Tensor): ``(..., D)`` floating point coordinates.
        bins (int, list of ints, or list of D Tensors): how many equally wide bins each dimension
            has, or their edges.
        range (sequence of 2 D floats): the outer edges; those of the points by default.
        weight (Tensor, optional): ``(...)``, what each point counts.
        density (bool): divide by the total and by the cells' volumes.

    Returns:
        A named tuple (hist, bin_edges), the latter a tuple of D tensors.

    Raises:
        RuntimeError: a range that is empty or not finite, weights or edges that do not fit.

    Example:
        >>> import kagari
        >>> kagari.histogramdd(kagari.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
        tensor([[0., 1.],
                [1., 0.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.histogramdd.html
    """
    _check_histogram(input, weight)
    dims = input.shape[-1]
    each = [bins] * dims if isinstance(bins, int) else list(bins)
    if len(each) != dims:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input: "
            f"{len(each)} bins, {dims} dimensions"
        )
    points = input.detach().reshape(-1, dims)
    edges: list[Any] = each
    if all(isinstance(b, int) for b in each):
        edges = _equal_edges("histogramdd", points, each, range)
    else:
        _check_edges(edges, points)
    hist = _count_in_bins(points, edges, None if weight is None else weight.detach(), density)
    return hist, tuple(edges)


# ---- hashes -------------------------------------------------------------------------------------


@composite(
    "hash_tensor(Tensor input, int[1] dim=[], *, bool keepdim=False, int mode=0) -> Tensor",
    method=True,
    out=True,
)
def hash_tensor(input: Tensor, dim: Dims, keepdim: bool, mode: int) -> Tensor:
    """The exclusive or of the elements' 64 bits, floats as float64 and integers as int64.

    Args:
        input (Tensor): real numbers of any shape.
        dim (int or tuple of ints): the dimensions; all by default.
        keepdim (bool): keep the dimensions with size one.
        mode (int): 0, the only one there is.

    Returns:
        A uint64 tensor.

    Raises:
        RuntimeError: another mode, or nothing to hash.

    Example:
        >>> import kagari
        >>> kagari.hash_tensor(kagari.tensor([5, 6]))
        tensor(3, dtype=kagari.uint64)

    Reference: https://pytorch.org/docs/stable/generated/torch.hash_tensor.html
    """
    import kagari

    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}; expected 0")
    if input.is_complex():
        raise NotImplementedError(f"hash_tensor: not implemented for {input.dtype}")
    n = input.dim()
    dims = sorted({d % max(n, 1) for d in dim}) if dim else list(range(n))
    if not dim and input.numel() == 0:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the 'dim' argument."
        )
    kept = [d for d in range(n) if d not in dims]
    wide = input.detach().to(kagari.float64 if input.is_floating_point() else kagari.int64)
    sizes = [1 if d in dims else s for d, s in enumerate(input.shape)]
    if not keepdim:
        sizes = [s for d, s in enumerate(input.shape) if d not in dims]
    bits = wide.contiguous().view(kagari.int64)
    if n:
        bits = bits.permute([*kept, *dims]).reshape([*(input.shape[d] for d in kept), -1])
        if bits.shape[-1] == 0:
            raise IndexError(
                f"hash_tensor: Expected reduction dim {dims[0]} to have non-zero size; got shape "
                f"{tuple(input.shape)}"
            )
        while (length := bits.shape[-1]) > 1:
            half = length // 2
            folded = bits[..., :half] ^ bits[..., half : 2 * half]
            bits = folded if length % 2 == 0 else kagari.cat([folded, bits[..., -1:]], -1)
    return bits.contiguous().view(kagari.uint64).reshape(sizes)
