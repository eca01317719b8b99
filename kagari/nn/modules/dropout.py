"""Dropout layers."""

from __future__ import annotations

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _DropoutNd(Module):
    __constants__ = ["p", "inplace"]  # noqa: RUF012
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    r"""In training zeroes elements with probability p and multiplies the rest by :math:`1/(1-p)`.

    Args:
        p (float): the probability.
        inplace (bool): write into the input.

    Raises:
        ValueError: ``p`` is not a probability.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Dropout(0.2).eval()(kagari.ones(2)).tolist()
        [1.0, 1.0]

    Reference: Hinton et al. 2012, https://arxiv.org/abs/1207.0580
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """In training zeroes whole channels of ``(N, C, L)`` or ``(C, L)``.

    Args:
        p (float): the probability.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> y = kagari.nn.Dropout1d(0.5)(kagari.ones(8, 4, 2))
        >>> sorted(set(y.flatten(1).sum(1).tolist()))
        [4.0, 8.0, 12.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """In training zeroes whole channels of ``(N, C, H, W)``.

    Args:
        p (float): the probability.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> y = kagari.nn.Dropout2d(0.5)(kagari.ones(8, 4, 2, 1))
        >>> sorted(set(y.flatten(1).sum(1).tolist()))
        [4.0, 8.0, 12.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """In training zeroes whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        p (float): the probability.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> y = kagari.nn.Dropout3d(0.5)(kagari.ones(8, 4, 2, 1, 1))
        >>> sorted(set(y.flatten(1).sum(1).tolist()))
        [4.0, 8.0, 12.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps zero mean and unit variance, for networks of SELU.

    Args:
        p (float): the probability.
        inplace (bool): has no effect, as in PyTorch.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.AlphaDropout(0.2).eval()
        >>> layer(kagari.tensor([1.0, 2.0]))  # nothing happens in evaluation
        tensor([1., 2.])

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """:class:`AlphaDropout` of whole channels ``(N, C, ...)``.

    Args:
        p (float): the probability.
        inplace (bool): has no effect, as in PyTorch.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.FeatureAlphaDropout(0.2).eval()
        >>> layer(kagari.tensor([[[1.0], [2.0]]])).flatten()  # nothing happens in evaluation
        tensor([1., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
