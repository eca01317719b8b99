"""Dropout; with the same generator state the same elements fall as in PyTorch."""

from __future__ import annotations

import math
import warnings

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.overrides import overridable


def _check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


@overridable
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    r"""Zeroes elements with probability p and multiplies the rest by :math:`1 / (1 - p)`.

    Args:
        input (Tensor): any shape.
        p (float): the probability.
        training (bool): ``False`` gives the input back.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: ``p`` is not a probability.

    Example:
        >>> import kagari
        >>> dropout(kagari.ones(3), 0.5, training=False).tolist()
        [1.0, 1.0, 1.0]

    Reference: Hinton et al. 2012, https://arxiv.org/abs/1207.0580
    """
    _check_probability(p)
    if inplace:
        return _drop(input, p, training, inplace=True, channels=False, alpha=False)
    return ops.dropout(input, p, training)


def _channel_noise(input: Tensor) -> Tensor:
    if input.dim() < 2:
        raise RuntimeError(
            "Feature dropout requires at least 2 dimensions in the input, "
            f"got {input.dim()}; use dropout"
        )
    return input.new_empty(tuple(input.shape[:2]) + (1,) * (input.dim() - 2))


def _drop(
    input: Tensor, p: float, training: bool, inplace: bool, channels: bool, alpha: bool
) -> Tensor:
    """Dropout in place, of whole channels, and with SELU's fixed moments."""
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        return input.mul_(0.0) if inplace else input * 0.0
    with kagari.no_grad():
        noise = _channel_noise(input) if channels else kagari.empty_like(input)
        noise.bernoulli_(1 - p)
        if not alpha:
            noise.div_(1 - p)
    if not alpha:
        return input.mul_(noise) if inplace else input * noise
    limit = 1.7580993408473766  # -selu(-inf), the value of dropped elements
    scale = 1.0 / math.sqrt((limit * limit * p + 1) * (1 - p))
    with kagari.no_grad():
        shift = (noise - 1).mul_(limit * scale).add_(limit * scale * p)
        noise.mul_(scale)
    return input.mul_(noise).add_(shift) if inplace else input * noise + shift


@overridable
def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps zero mean and unit variance, for networks of SELU.

    Args:
        input (Tensor): any shape.
        p (float): the probability.
        training (bool): ``False`` gives the input back.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: ``p`` is not a probability.

    Example:
        >>> import kagari
        >>> alpha_dropout(kagari.ones(3), training=False).tolist()
        [1.0, 1.0, 1.0]

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """
    _check_probability(p)
    return _drop(input, p, training, inplace, channels=False, alpha=True)


@overridable
def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Alpha dropout of whole channels.

    Args:
        input (Tensor): ``(N, C, ...)``.
        p (float): the probability.
        training (bool): ``False`` gives the input back.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: ``p`` is not a probability.
        RuntimeError: the input has fewer than 2 dimensions.
    """
    _check_probability(p)
    return _drop(input, p, training, inplace, channels=True, alpha=True)


@overridable
def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels of sequences.

    Args:
        input (Tensor): ``(N, C, L)`` or ``(C, L)``.
        p (float): the probability.
        training (bool): ``False`` gives the input back.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: ``p`` is not a probability.
        RuntimeError: the input has neither 2 nor 3 dimensions.

    Reference: Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    _check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input; "
            "it drops channels of (N, C, L) or (C, L)"
        )
    if input.dim() == 3:
        return _drop(input, p, training, inplace, channels=True, alpha=False)
    result = _drop(input.unsqueeze(0), p, training, inplace, channels=True, alpha=False)
    return input if inplace else result.squeeze(0)


@overridable
def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels of pictures.

    Args:
        input (Tensor): ``(N, C, H, W)``. ``(N, C, L)`` is taken with a warning.
        p (float): the probability.
        training (bool): ``False`` gives the input back.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: ``p`` is not a probability.

    Reference: Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    _check_probability(p)
    if input.dim() not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.dim()}-D input to dropout2d, which is deprecated and "
            "will result in an error in a future release. Use dropout instead; dropout2d drops "
            "channels of (N, C, H, W).",
            stacklevel=2,
        )
    if input.dim() == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D "
            "dropout behavior is desired - input is interpreted as shape (N, C, L). Use "
            "dropout1d for this.",
            stacklevel=2,
        )
    return _drop(input, p, training, inplace, channels=True, alpha=False)


@overridable
def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels of volumes.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        p (float): the probability.
        training (bool): ``False`` gives the input back.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: ``p`` is not a probability.

    Reference: Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    _check_probability(p)
    if input.dim() not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.dim()}-D input to dropout3d, which is deprecated and "
            "will result in an error in a future release. Use dropout instead; dropout3d drops "
            "channels of (N, C, D, H, W) or (C, D, H, W).",
            stacklevel=2,
        )
    if input.dim() == 5:
        return _drop(input, p, training, inplace, channels=True, alpha=False)
    result = _drop(input.unsqueeze(0), p, training, inplace, channels=True, alpha=False)
    return input if inplace else result.squeeze(0)
