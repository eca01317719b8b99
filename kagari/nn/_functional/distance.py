"""Distances and similarities."""

from __future__ import annotations

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.overrides import overridable


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
    return ops.linalg_vector_norm(x1 - x2 + eps, p, -1, keepdim)


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
    x1, x2 = kagari.broadcast_tensors(x1, x2)
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(dim)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    norm = ops.linalg_vector_norm(x, 2, dim, True).clone()
    with kagari.no_grad():  # the bound does not take part in the gradient
        norm.clamp_min_(eps)
    return x / norm


pdist = ops.pdist
