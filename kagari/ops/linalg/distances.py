"""Distances between vectors, and vectors brought within a distance of zero."""

from __future__ import annotations

import math

from kagari._core import bfloat16, composite, float16, ops
from kagari.autograd.function import Function
from kagari.ops.views import broadcast_shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


@composite("dist(Tensor input, Tensor other, Scalar p=2) -> Tensor", method=True)
def dist(input: Tensor, other: Tensor, p: Any) -> Tensor:
    r"""The p-norm of a difference: :math:`\|x - y\|_p`.

    Args:
        input (Tensor): x.
        other (Tensor): y; the shapes broadcast.
        p (number): the order.

    Returns:
        A tensor without dimensions.

    Example:
        >>> import kagari
        >>> kagari.dist(kagari.tensor([3.0, 4.0]), kagari.zeros(2))
        tensor(5.)

    Reference: https://pytorch.org/docs/stable/generated/torch.dist.html
    """
    return ops.linalg_vector_norm(input - other, p)


# ---- all pairs -----------------------------------------------------------------------------------

# Above so many rows a product of matrices pays for the 2-norm.
_MANY = 25
_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def _by_product(x: Tensor, y: Tensor) -> Tensor:
    """2-norms as |x|² + |y|² - 2 x·y: one product of matrices, and a gradient of zero at zero."""
    import kagari

    left, right = x.square().sum(-1, True), y.square().sum(-1, True)
    rows = kagari.cat([x * -2, left, kagari.ones_like(left)], -1)
    columns = kagari.cat([y, kagari.ones_like(right), right], -1)
    squares = rows @ columns.mT
    apart = squares > 0
    return squares.where(apart, 1.0).sqrt().where(apart, 0.0)


def _formula(x: Tensor, y: Tensor, p: float) -> Tensor:
    """Norms of all differences, in tensor operations."""
    norms: Tensor = ops.linalg_vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, [-1])
    return norms


class _Distances(Function):
    """Norms of all differences: ``(B, P, M)``, ``(B, R, M)`` to ``(B, P, R)``, B or not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, p: float) -> Tensor:
        distances: Tensor = ops._cdist_forward(x, y, p)
        ctx.save_for_backward(x, y, distances)
        ctx.p = p
        return distances

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        import kagari

        x, y, distances = ctx.saved_tensors
        if kagari.is_grad_enabled():  # a gradient that has gradients
            x, y = x.view_as(x), y.view_as(y)
            made = kagari.autograd.grad(_formula(x, y, ctx.p), (x, y), g, create_graph=True)
            return *made, None
        left, right = ctx.needs_input_grad[:2]
        return (
            ops._cdist_backward(g, x, y, ctx.p, distances) if left else None,
            ops._cdist_backward(g.mT, y, x, ctx.p, distances.mT) if right else None,
            None,
        )


def _direct(x: Tensor, y: Tensor, p: float) -> Tensor:
    distances: Tensor
    if x.dim() == y.dim() == 2:
        distances = _Distances.apply(x, y, p)
        return distances
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    rows, others, width = x.shape[-2], y.shape[-2], x.shape[-1]
    count = math.prod(batch)
    x = x.expand(*batch, rows, width).reshape(count, rows, width)
    y = y.expand(*batch, others, width).reshape(count, others, width)
    distances = _Distances.apply(x, y, p)
    return distances.view(*batch, rows, others)


@composite(
    "cdist(Tensor x1, Tensor x2, float p=2.0, "
    "str compute_mode='use_mm_for_euclid_dist_if_necessary') -> Tensor",
    autocast="fp32",
)
def cdist(x1: Tensor, x2: Tensor, p: float, compute_mode: str) -> Tensor:
    r"""The p-norm distances between all pairs of rows: :math:`\|x_i - y_j\|_p`.

    Distances of zero have a gradient of zero.

    Args:
        x1 (Tensor): ``(*, P, M)``.
        x2 (Tensor): ``(*, R, M)``; batch dimensions broadcast.
        p (float): the order, from 0 (how many elements differ) to infinity.
        compute_mode (str): whether the 2-norm is taken through a product of matrices, which is
            fast and cancels digits between close points: ``"use_mm_for_euclid_dist"``,
            ``"donot_use_mm_for_euclid_dist"``, or, above 25 rows,
            ``"use_mm_for_euclid_dist_if_necessary"``.

    Returns:
        ``(*, P, R)``.

    Raises:
        RuntimeError: fewer than two dimensions, a negative ``p``, or rows that differ in length.
        ValueError: another ``compute_mode``.

    Example:
        >>> import kagari
        >>> kagari.cdist(kagari.tensor([[0.0, 0.0]]), kagari.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.cdist.html
    """
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in (("X1", x1), ("X2", x2)):
        if x.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.dim()}D")
        if not x.is_floating_point() or x.dtype in (float16, bfloat16):
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {x.dtype}; convert with "
                ".float()"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if x1.dtype != x2.dtype:
        raise RuntimeError(f"expected scalar type {x1.dtype} but found {x2.dtype}")
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    if 0 in (x1.numel(), x2.numel()):
        return _direct(x1, x2, p)
    many = x1.shape[-2] > _MANY or x2.shape[-2] > _MANY
    if p == 2 and (compute_mode == _MODES[1] or (compute_mode == _MODES[0] and many)):
        return _by_product(x1, x2)
    return _direct(x1, x2, p)


class _DistancesWithin(Function):
    """Norms of the differences of each two rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float) -> Tensor:
        distances: Tensor = ops._pdist_forward(x, p)
        ctx.save_for_backward(x, distances)
        ctx.p = p
        return distances

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        import kagari

        x, distances = ctx.saved_tensors
        if not kagari.is_grad_enabled():
            return ops._pdist_backward(g, x, ctx.p, distances), None
        n = x.shape[0]
        first, second = kagari.triu_indices(n, n, 1, device=x.device)
        x = x.view_as(x)
        norms = ops.linalg_vector_norm(x[first] - x[second], ctx.p, [1])
        return *kagari.autograd.grad(norms, x, g, create_graph=True), None


@composite("pdist(Tensor input, float p=2) -> Tensor")
def pdist(input: Tensor, p: float) -> Tensor:
    r"""The p-norm distances between the rows of a matrix: :math:`\|x_i - x_j\|_p`, i < j.

    Distances of zero have a gradient of zero.

    Args:
        input (Tensor): ``(N, M)``.
        p (float): the order, from 0 (how many elements differ) to infinity.

    Returns:
        ``(N (N - 1) / 2,)``: the triangle above the diagonal of ``cdist(input, input)``.

    Raises:
        RuntimeError: the input is not a matrix of floating point numbers, or ``p`` is negative.

    Example:
        >>> import kagari
        >>> kagari.pdist(kagari.tensor([[0.0], [1.0], [3.0]]))
        tensor([1., 3., 2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html
    """
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError(f"pdist only supports floating-point dtypes, got {input.dtype}")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    distances: Tensor = _DistancesWithin.apply(input, p)
    return distances


# ---- norms bounded -------------------------------------------------------------------------------


@composite(
    "renorm(Tensor input, Scalar p, int dim, Scalar maxnorm) -> Tensor",
    method=True,
    inplace=True,
    out=True,
)
def renorm(input: Tensor, p: Any, dim: int, maxnorm: Any) -> Tensor:
    r"""The tensor with each slice along a dimension scaled down to a norm of at most ``maxnorm``.

    Args:
        input (Tensor): two dimensions or more.
        p (number): the order of the norm, above zero.
        dim (int): the dimension whose slices are measured.
        maxnorm (number): the largest norm that stays.

    Returns:
        The input's shape.

    Raises:
        RuntimeError: one dimension, ``p`` not positive, or a negative ``maxnorm``.

    Example:
        >>> import kagari
        >>> kagari.renorm(kagari.tensor([[3.0, 4.0], [0.0, 1.0]]), 2, 0, 1.0)[1]
        tensor([0., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.renorm.html
    """
    if isinstance(p, complex):
        raise RuntimeError(f"renorm: p must be real-valued, got {p}")
    if p <= 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got p={p}")
    if isinstance(maxnorm, complex):
        raise RuntimeError(f"renorm: maxnorm must be real-valued, got {maxnorm}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    n = input.dim()
    if n < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {n} dimensions")
    if not -n <= dim < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
        )
    others = [d for d in range(n) if d != dim % n]
    norm = ops.linalg_vector_norm(input, p, others, True)
    # The margin keeps what was scaled once from being scaled again.
    factor: Tensor = (maxnorm / (norm + 1e-7)).where(norm > maxnorm, 1.0)
    return (input * factor).to(input.dtype)
