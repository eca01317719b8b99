"""Distances and similarities."""

from __future__ import annotations

import kagari
from kagari import Tensor
from kagari._core import float32, float64, ops
from kagari.overrides import overridable

_PLAIN = (float32, float64)


@overridable
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    r"""Distance of vectors: :math:`\|x_1 - x_2 + \epsilon\|_p` along the last dimension.

    Args:
        x1 (Tensor): ``(N, D)`` or ``(D,)``.
        x2 (Tensor): the same, or broadcast with it.
        p (float): the norm's exponent.
        eps (float): :math:`\epsilon`, which keeps the gradient finite at zero.
        keepdim (bool): keep the last dimension with size 1.

    Returns:
        ``(N,)`` or a scalar; ``(N, 1)`` or ``(1,)`` with ``keepdim``.

    Example:
        >>> import kagari
        >>> pairwise_distance(kagari.tensor([3.0, 4.0]), kagari.zeros(2), eps=0.0).item()
        5.0
    """
    if p == 2 and _is_plain(x1, x2):
        distance: Tensor = ops._distances(*_alike(x1, x2), eps)
        return distance.unsqueeze(-1) if keepdim else distance
    return ops.linalg_vector_norm(x1 - x2 + eps, p, -1, keepdim)


def _is_plain(x1: Tensor, x2: Tensor) -> bool:
    """Whether the kernels of rows take them; halves round after every step."""
    return x1.dtype == x2.dtype and x1.dtype in _PLAIN and x1.dim() > 0 and x2.dim() > 0


@overridable
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    r"""Cosine of the angle: :math:`x_1 \cdot x_2 / (\|x_1\| \|x_2\|)`, norms at least `eps`.

    Args:
        x1 (Tensor): any shape.
        x2 (Tensor): the same, or broadcast with it.
        dim (int): the dimension of the vectors.
        eps (float): :math:`\epsilon`.

    Returns:
        The common shape without ``dim``.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[3.0, 4.0]])
        >>> round(cosine_similarity(x, 2 * x).item(), 4)
        1.0
    """
    x1, x2 = _alike(x1, x2)
    if dim in (-1, x1.dim() - 1) and _is_plain(x1, x2):
        cosine: Tensor = ops._cosines(x1, x2, eps)[0]
        return cosine
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(dim)


def _alike(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    return (x1, x2) if x1.shape == x2.shape else kagari.broadcast_tensors(x1, x2)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    norm = ops.linalg_vector_norm(x, 2, dim, True).clone()
    with kagari.no_grad():  # the bound does not take part in the gradient
        norm.clamp_min_(eps)
    return x / norm


pdist = ops.pdist
