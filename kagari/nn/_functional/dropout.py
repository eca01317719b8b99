"""Dropout; with the same generator state the same elements fall as in PyTorch."""

from __future__ import annotations

import warnings

import kagari
from kagari import Tensor
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
    return (kagari.dropout_ if inplace else kagari.dropout)(input, p, training)


def _feature_dropout(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    return (kagari.feature_dropout_ if inplace else kagari.feature_dropout)(input, p, training)


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
    drop = kagari.alpha_dropout_ if inplace else kagari.alpha_dropout
    return drop(input, p, training)


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

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> F.feature_alpha_dropout(kagari.ones(1, 2, 2), 0.5).flatten()  # nothing without training
        tensor([1., 1., 1., 1.])
    """
    _check_probability(p)
    drop = kagari.feature_alpha_dropout_ if inplace else kagari.feature_alpha_dropout
    return drop(input, p, training)


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

    Example:
        >>> import kagari
        >>> y = kagari.nn.functional.dropout1d(kagari.ones(8, 4, 2), 0.5)
        >>> sorted(set(y.sum(2).flatten().tolist()))
        [0.0, 4.0]

    Reference: Tompson et al. 2014, https://arxiv.org/abs/1411.4280
    """
    _check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input; "
            "it drops channels of (N, C, L) or (C, L)"
        )
    if input.dim() == 3:
        return _feature_dropout(input, p, training, inplace)
    result = _feature_dropout(input.unsqueeze(0), p, training, inplace)
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

    Example:
        >>> import kagari
        >>> y = kagari.nn.functional.dropout2d(kagari.ones(8, 4, 1, 2), 0.5)
        >>> sorted(set(y.sum((2, 3)).flatten().tolist()))
        [0.0, 4.0]

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
    return _feature_dropout(input, p, training, inplace)


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

    Example:
        >>> import kagari
        >>> y = kagari.nn.functional.dropout3d(kagari.ones(8, 4, 1, 1, 2), 0.5)
        >>> sorted(set(y.sum((2, 3, 4)).flatten().tolist()))
        [0.0, 4.0]

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
        return _feature_dropout(input, p, training, inplace)
    result = _feature_dropout(input.unsqueeze(0), p, training, inplace)
    return input if inplace else result.squeeze(0)
