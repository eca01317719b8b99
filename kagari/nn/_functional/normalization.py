"""Normalization."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.nn._functional.padding import pad
from kagari.overrides import overridable


def _verify_batch_size(size: Sequence[int]) -> None:
    if size[0] * math.prod(size[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )


def _verify_spatial_size(size: Sequence[int]) -> None:
    if math.prod(size[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {size}"
        )


@overridable
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalizes channels over the batch: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    In training the mean and the biased variance are the batch's, and the running ones move
    towards them (the variance towards the unbiased one); otherwise they are the running ones.

    Args:
        input (Tensor): ``(N, C, ...)``.
        running_mean (Tensor): ``(C,)``, changed in place in training.
        running_var (Tensor): ``(C,)``, changed in place in training.
        weight (Tensor): :math:`\gamma`, ``(C,)``.
        bias (Tensor): :math:`\beta`, ``(C,)``.
        training (bool): use the batch's statistics.
        momentum (float): how far the running statistics move.
        eps (float): :math:`\epsilon`.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: in training a channel has one value, or ``eps`` is out of range.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0], [3.0]])
        >>> batch_norm(x, None, None, training=True, eps=1e-12).tolist()
        [[-1.0], [1.0]]

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """
    if training:
        _verify_batch_size(input.size())
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if input.numel() == 0 and input.dim() == 1:  # nothing to normalise, and no channels
        empty = input if weight is None else input * weight
        return empty.clone() if bias is None else empty + bias
    if training:
        result, mean, var = ops.batch_norm_train(input, weight, bias, eps)
        if input.numel() and (running_mean is not None or running_var is not None):
            _move(running_mean, mean, momentum)
            count = input.numel() // input.size(1)
            _move(running_var, var * (count / (count - 1)), momentum)
        return result
    if running_mean is None or running_var is None:
        raise RuntimeError(
            "batch_norm: expected running_mean and running_var when training=False, got None; "
            "give both or set training=True"
        )
    return ops.batch_norm_eval(input, weight, bias, running_mean, running_var, eps)


def _move(running: Tensor | None, seen: Tensor, momentum: float) -> None:
    if running is not None:
        with kagari.no_grad():
            running.mul_(1 - momentum).add_(seen, alpha=momentum)


@overridable
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalizes each channel of each example: batch_norm with every example's channels apart.

    Args:
        input (Tensor): ``(N, C, ...)``.
        running_mean (Tensor): ``(C,)``, changed in place if ``use_input_stats``.
        running_var (Tensor): ``(C,)``, changed in place if ``use_input_stats``.
        weight (Tensor): ``(C,)``.
        bias (Tensor): ``(C,)``.
        use_input_stats (bool): normalize by the example's statistics, not the running ones.
        momentum (float): how far the running statistics move.
        eps (float): added to the variance.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: with ``use_input_stats`` a channel has one value.

    Example:
        >>> import kagari
        >>> instance_norm(kagari.tensor([[[1.0, 3.0]]]), eps=1e-12).tolist()
        [[[-1.0, 1.0]]]

    Reference: Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022
    """
    if use_input_stats:
        _verify_spatial_size(input.size())
    elif running_mean is None or running_var is None:
        raise ValueError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    shape = tuple(input.shape)
    batch, channels = shape[:2]

    def spread(t: Tensor | None) -> Any:
        return None if t is None else t.repeat(batch)

    mean, var = spread(running_mean), spread(running_var)
    result = batch_norm(
        input.reshape(1, batch * channels, *shape[2:]),
        mean,
        var,
        spread(weight),
        spread(bias),
        use_input_stats,
        momentum,
        eps,
    )
    if use_input_stats:
        with kagari.no_grad():
            for running, moved in ((running_mean, mean), (running_var, var)):
                if running is not None:
                    running.copy_(moved.view(batch, channels).mean(0))
    return result.view(shape)


@overridable
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalizes over the last dimensions: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    Args:
        input (Tensor): ``(..., *normalized_shape)``.
        normalized_shape (sequence of int): the sizes of the last dimensions.
        weight (Tensor): :math:`\gamma`, of ``normalized_shape``.
        bias (Tensor): :math:`\beta`, of ``normalized_shape``.
        eps (float): :math:`\epsilon`.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> layer_norm(kagari.tensor([1.0, 3.0]), (2,), eps=1e-12).tolist()
        [-1.0, 1.0]

    Reference: Ba et al. 2016, https://arxiv.org/abs/1607.06450
    """
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


@overridable
def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    r"""Divides by the root mean square: :math:`\gamma x / \sqrt{\text{mean}(x^2) + \epsilon}`.

    Args:
        input (Tensor): ``(..., *normalized_shape)``.
        normalized_shape (sequence of int): the sizes of the last dimensions.
        weight (Tensor): :math:`\gamma`, of ``normalized_shape``.
        eps (float): :math:`\epsilon`; the dtype's machine epsilon by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> rms_norm(kagari.tensor([2.0, -2.0]), (2,)).tolist()
        [1.0, -1.0]

    Reference: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
    """
    if input.is_complex():  # the mean of the squares themselves, not of their magnitudes
        over = tuple(range(input.dim() - len(normalized_shape), input.dim()))
        least = kagari.finfo(input.dtype).eps if eps is None else eps
        scaled = input * (input.square().mean(over, keepdim=True) + least).rsqrt()
        return scaled if weight is None else scaled * weight
    return ops.rms_norm(input, normalized_shape, weight, eps)


@overridable
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalizes groups of channels: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    Args:
        input (Tensor): ``(N, C, ...)``.
        num_groups (int): number of groups; divides C.
        weight (Tensor): :math:`\gamma`, ``(C,)``.
        bias (Tensor): :math:`\beta`, ``(C,)``.
        eps (float): :math:`\epsilon`.

    Returns:
        A tensor of the input's shape.

    Raises:
        RuntimeError: the input has fewer than 2 dimensions.
        ValueError: a group has one value.

    Example:
        >>> import kagari
        >>> group_norm(kagari.tensor([[1.0, 3.0]]), 1, eps=1e-12).tolist()
        [[-1.0, 1.0]]

    Reference: Wu and He 2018, https://arxiv.org/abs/1803.08494
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    if num_groups > 0 and input.dim() > 1:  # the op itself refuses the others
        per_group = input.size(0) * input.size(1) // num_groups
        _verify_batch_size([per_group, num_groups, *input.size()[2:]])
    return ops.group_norm(input, num_groups, weight, bias, eps)


@overridable
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    r"""Divides by the energy of near channels: :math:`x / (k + \alpha\,\overline{x^2})^\beta`.

    The mean runs over ``size`` channels around each one; missing channels count as zero.

    Args:
        input (Tensor): ``(N, C, ...)`` with at least one spatial dimension.
        size (int): number of channels.
        alpha (float): :math:`\alpha`.
        beta (float): :math:`\beta`.
        k (float): :math:`k`.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: the input has fewer than 3 dimensions.

    Example:
        >>> import kagari
        >>> local_response_norm(kagari.ones(1, 1, 1), 1, alpha=1.0, beta=1.0).tolist()
        [[[0.5]]]

    Reference: Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
    networks".
    """
    if input.dim() < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)"
        )
    if input.numel() == 0:
        return input
    # Channels as the rows of a picture with all spatial places in its columns.
    shape = tuple(input.shape)
    energy = (input * input).reshape(shape[0], 1, shape[1], -1)
    energy = pad(energy, (0, 0, size // 2, (size - 1) // 2))
    mean = ops.avg_pool2d(energy, (size, 1), 1).view(shape)
    return input / (mean * alpha + k).pow(beta)


@overridable
def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: Any = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    r"""Divides by the p-norm along ``dim``: :math:`x / \max(\|x\|_p, \epsilon)`.

    Args:
        input (Tensor): any shape.
        p (float): the norm's exponent.
        dim (int or tuple): the dimensions of the norm.
        eps (float): :math:`\epsilon`.
        out (Tensor): where the result goes.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> normalize(kagari.tensor([[0.0, 4.0]])).tolist()
        [[0.0, 1.0]]
    """
    norm = ops.linalg_vector_norm(input, p, dim, True).clamp_min(eps)
    if out is None:
        return input / norm
    return kagari.div(input, norm, out=out)
