"""Layers for distances and similarities."""

from __future__ import annotations

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    r"""Distance of vectors: :math:`\|x_1 - x_2 + \epsilon\|_p` along the last dimension.

    Args:
        p (float): the norm's exponent.
        eps (float): :math:`\epsilon`.
        keepdim (bool): keep the last dimension with size 1.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.PairwiseDistance()(kagari.zeros(5, 3), kagari.ones(5, 3)).shape)
        (5,)
    """

    __constants__ = ["norm", "eps", "keepdim"]  # noqa: RUF012

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    r"""Cosine of the angle: :math:`x_1 \cdot x_2 / (\|x_1\| \|x_2\|)` along ``dim``.

    Args:
        dim (int): the dimension of the vectors.
        eps (float): the least norm to divide by.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.CosineSimilarity(dim=1)(kagari.ones(5, 3), kagari.ones(5, 3)).shape)
        (5,)
    """

    __constants__ = ["dim", "eps"]  # noqa: RUF012

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
