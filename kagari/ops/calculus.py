"""Numerical integrals and derivatives of samples."""

from __future__ import annotations

from kagari._core import composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


# ---- integrals ----------------------------------------------------------------------------------


def _checked(op: str, y: Tensor, dim: int) -> int:
    import kagari

    if y.dim() == 0:
        raise IndexError(f"{op}: Dimension specified as {dim} but tensor has no dimensions")
    if not -y.dim() <= dim < y.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-y.dim()}, {y.dim() - 1}], but "
            f"got {dim})"
        )
    if y.dtype == kagari.bool:
        raise RuntimeError(
            f"{op}: received a bool input for `y`, but bool is not supported; call y.float()"
        )
    return dim % y.dim()


def _widths(op: str, y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The distances of neighbouring samples, aligned with y."""
    import kagari

    if x.dtype == kagari.bool:
        raise RuntimeError(
            f"{op}: received a bool input for `x`, but bool is not supported; call x.float()"
        )
    if x.dim() == 1 and y.dim() > 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(
                f"{op}: There must be one `x` value for each sample point: got {x.shape[0]} for "
                f"{y.shape[dim]}"
            )
        x = x.reshape([-1] + [1] * (y.dim() - 1 - dim))
    elif x.dim() < y.dim():
        x = x.reshape([1] * (y.dim() - x.dim()) + list(x.shape))
    n = x.shape[dim - y.dim()]
    if n != y.shape[dim] and n != 1:
        raise RuntimeError(
            f"{op}: There must be one `x` value for each sample point: got {n} for {y.shape[dim]}"
        )
    return x.diff(dim=dim - y.dim())


def _pairs(y: Tensor, dim: int) -> Tensor:
    n = y.shape[dim]
    return y.narrow(dim, 0, n - 1) + y.narrow(dim, 1, n - 1)


def _integral(op: str, y: Tensor, x: Tensor | None, dx: Any, dim: int, running: bool) -> Tensor:
    import kagari

    dim = _checked(op, y, dim)
    if y.shape[dim] == 0:
        if running:
            return y.clone()
        sizes = [s for d, s in enumerate(y.shape) if d != dim]
        return kagari.zeros(sizes, dtype=y.dtype)
    if x is None and not running:  # all but the ends count twice
        ends = y.select(dim, 0) + y.select(dim, -1)
        once: Tensor = (y.sum(dim) - ends * 0.5) * dx
        return once
    areas = _pairs(y, dim) if x is None else _pairs(y, dim) * _widths(op, y, x, dim)
    total: Tensor = areas.cumsum(dim) if running else areas.sum(dim)
    return total / 2.0 if x is not None else total * dx / 2.0


@composite("trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor")
def trapezoid(y: Tensor, x: Tensor, dim: int) -> Tensor:
    r"""The integral of samples by the trapezoidal rule: :math:`\sum_i \Delta x_i (y_i+y_{i+1})/2`.

    Args:
        y (Tensor): the samples.
        x (Tensor, optional): where they were taken, ``(n,)`` or a shape that fits y.
        dx (number): the distance of neighbours when there is no ``x``; 1 by default.
        dim (int): the dimension.

    Returns:
        The integrals, of y's shape without the dimension.

    Raises:
        RuntimeError: bool samples, or another number of places than of samples.

    Example:
        >>> import kagari
        >>> kagari.trapezoid(kagari.tensor([1.0, 2.0, 3.0]))
        tensor(4.)

    Reference: https://pytorch.org/docs/stable/generated/torch.trapezoid.html
    """
    return _integral("trapezoid", y, x, None, dim, False)


@composite("trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor")
def _trapezoid_dx(y: Tensor, dx: Any, dim: int) -> Tensor:
    """The integral of samples at equal distances."""
    return _integral("trapezoid", y, None, dx, dim, False)


@composite("trapz.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor")
def trapz(y: Tensor, x: Tensor, dim: int) -> Tensor:
    """``trapezoid`` under its older name.

    Args:
        y (Tensor): samples of the function.
        x (Tensor, optional): where they were taken; broadcasts with y.
        dx (float): the distance between them, where x is not given.
        dim (int): the dimension of the samples.

    Returns:
        The integrals, without that dimension.

    Example:
        >>> import kagari
        >>> kagari.trapz(kagari.tensor([1.0, 2.0, 3.0]))
        tensor(4.)

    Reference: https://pytorch.org/docs/stable/generated/torch.trapz.html
    """
    return _integral("trapezoid", y, x, None, dim, False)


@composite("trapz.dx(Tensor y, *, float dx=1.0, int dim=-1) -> Tensor")
def _trapz_dx(y: Tensor, dx: float, dim: int) -> Tensor:
    """The integral of samples at equal distances."""
    return _integral("trapezoid", y, None, dx, dim, False)


@composite("cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor")
def cumulative_trapezoid(y: Tensor, x: Tensor, dim: int) -> Tensor:
    """The integrals up to each sample by the trapezoidal rule; arguments as of ``trapezoid``.

    Args:
        y (Tensor): samples of the function.
        x (Tensor, optional): where they were taken; broadcasts with y.
        dx (number): the distance between them, where x is not given.
        dim (int): the dimension of the samples.

    Returns:
        Of y's shape with one element less along the dimension.

    Example:
        >>> import kagari
        >>> kagari.cumulative_trapezoid(kagari.tensor([1.0, 2.0, 3.0]))
        tensor([1.5000, 4.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html
    """
    return _integral("cumulative_trapezoid", y, x, None, dim, True)


@composite("cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor")
def _cumulative_trapezoid_dx(y: Tensor, dx: Any, dim: int) -> Tensor:
    """The integrals up to each sample, at equal distances."""
    return _integral("cumulative_trapezoid", y, None, dx, dim, True)


# ---- derivatives --------------------------------------------------------------------------------


def _slope(x: Tensor, dim: int, spacing: Any, edge_order: int) -> Tensor:
    """Central differences of second order inside, one-sided ones at both ends."""
    import kagari

    n = x.shape[dim]

    def at(first: int, count: int = 1) -> Tensor:
        return x.narrow(dim, first % n, count)

    before, here, after = at(0, n - 2), at(1, n - 2), at(2, n - 2)
    if not isinstance(spacing, kagari.Tensor):
        h = spacing
        inside = (after - before) / (2 * h)
        if edge_order == 1:
            first, last = (at(1) - at(0)) / h, (at(-1) - at(-2)) / h
        else:
            first = (-1.5 * at(0) + 2 * at(1) - 0.5 * at(2)) / h
            last = (1.5 * at(-1) - 2 * at(-2) + 0.5 * at(-3)) / h
        return kagari.cat([first, inside, last], dim)
    steps = spacing.diff()
    a, b = steps[:-1], steps[1:]
    shape = [1] * x.dim()
    shape[dim] = -1
    inside = (
        before * (-b / (a * (a + b))).view(shape)
        + here * ((b - a) / (a * b)).view(shape)
        + after * (a / (b * (a + b))).view(shape)
    )
    if edge_order == 1:
        first, last = (at(1) - at(0)) / steps[0], (at(-1) - at(-2)) / steps[-1]
    else:
        a, b = steps[0], steps[1]
        first = (
            at(0) * (-(2 * a + b) / (a * (a + b)))
            + at(1) * ((a + b) / (a * b))
            + at(2) * (-a / (b * (a + b)))
        )
        a, b = steps[-2], steps[-1]
        last = (
            at(-3) * (b / (a * (a + b)))
            + at(-2) * (-(a + b) / (a * b))
            + at(-1) * ((a + 2 * b) / (b * (a + b)))
        )
    return kagari.cat([first, inside, last], dim)


def _gradient_dims(input: Tensor, spacing: Any, dim: Any) -> tuple[int, ...]:
    if dim is None:
        several = isinstance(spacing, (list, tuple))
        return tuple(range(len(spacing))) if several else tuple(range(input.dim()))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    for d in dims:
        if not -input.dim() <= d < input.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-input.dim()}, "
                f"{input.dim() - 1}], but got {d})"
            )
    dims = tuple(d % input.dim() for d in dims)
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return dims


@composite("gradient(Tensor input, *, Any? spacing=None, Any? dim=None, int edge_order=1) -> Any")
def gradient(input: Tensor, spacing: Any, dim: Any, edge_order: int) -> Any:
    r"""The slopes of samples along dimensions, by differences of second order.

    Args:
        input (Tensor): samples of a function of ``input.dim()`` variables.
        spacing (number, or a sequence of numbers or 1-d Tensors): the distance of neighbours, or
            for each dimension the distance or the coordinates of the samples; 1 by default.
        dim (int or sequence of ints): the dimensions; all by default.
        edge_order (int): the order of the one-sided differences at both ends, 1 or 2.

    Returns:
        A tuple of tensors of the input's shape, one per dimension.

    Raises:
        RuntimeError: too few samples, another edge order, spacings that do not fit the dimensions.
        TypeError: ``spacing`` is a bare tensor.

    Example:
        >>> import kagari
        >>> kagari.gradient(kagari.tensor([1.0, 4.0, 9.0]))
        (tensor([3., 4., 5.]),)

    Reference: https://pytorch.org/docs/stable/generated/torch.gradient.html
    """
    import kagari

    if isinstance(spacing, kagari.Tensor):
        raise TypeError(
            "gradient(): argument 'spacing' must be a number or a sequence, not Tensor; put the "
            "coordinates into a tuple"
        )
    dims = _gradient_dims(input, spacing, dim)
    if isinstance(spacing, (list, tuple)):
        if len(spacing) != len(dims):
            raise RuntimeError(
                "gradient expected spacing to be unspecified, a scalar or it's spacing and dim "
                "arguments to have the same length, but got a spacing argument of length "
                f"{len(spacing)} and a dim argument of length {len(dims)}."
            )
        steps = list(spacing)
    else:
        steps = [1 if spacing is None else spacing] * len(dims)
    if edge_order not in (1, 2):
        raise RuntimeError(
            f"gradient only supports edge_order=1 and edge_order=2, got {edge_order}."
        )
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(
                "gradient expected each dimension size to be at least edge_order+1; got "
                f"{input.shape[d]} along dimension {d}"
            )
    for d, step in zip(dims, steps, strict=True):
        if isinstance(step, kagari.Tensor) and step.shape != (input.shape[d],):
            raise RuntimeError(
                f"gradient expected the coordinates of dimension {d} to have shape "
                f"({input.shape[d]},), got {tuple(step.shape)}"
            )
    if input.dtype == kagari.uint8:
        raise RuntimeError("gradient does not support uint8 input; convert with .float()")
    return tuple(_slope(input, d, step, edge_order) for d, step in zip(dims, steps, strict=True))
