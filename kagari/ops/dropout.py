"""Dropout in all its forms; with the same seed the same elements fall as in PyTorch."""

from __future__ import annotations

import math

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Generator, Tensor

_LIMIT = 1.7580993408473766  # -selu(-inf), the value of elements that alpha dropout drops


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")


def _drop(input: Tensor, p: float, train: bool, *, channels: bool, alpha: bool) -> Tensor:
    """Dropout of whole channels, and with SELU's fixed moments."""
    import kagari

    _check(p)
    if p == 0 or not train or input.numel() == 0:
        return input
    if p == 1:
        return input * 0.0
    with kagari.no_grad():
        if channels:
            if input.dim() < 2:
                raise RuntimeError(
                    "Feature dropout requires at least 2 dimensions in the input, "
                    f"got {input.dim()}; use dropout"
                )
            noise = input.new_empty(tuple(input.shape[:2]) + (1,) * (input.dim() - 2))
        else:
            noise = kagari.empty_like(input)
        noise.bernoulli_(1 - p)
        if not alpha:
            noise.div_(1 - p)
    if not alpha:
        return input * noise
    scale = 1.0 / math.sqrt((_LIMIT * _LIMIT * p + 1) * (1 - p))
    with kagari.no_grad():
        shift = (noise - 1).mul_(_LIMIT * scale).add_(_LIMIT * scale * p)
        noise.mul_(scale)
    return input * noise + shift


@composite("dropout(Tensor input, float p, bool train) -> Tensor", inplace=True)
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes elements with probability p and multiplies the others by 1 / (1 - p).

    Args:
        input (Tensor): floating point numbers of any shape.
        p (float): the probability.
        train (bool): False gives the input back.

    Raises:
        RuntimeError: ``p`` is not a probability.

    Example:
        >>> import kagari
        >>> kagari.dropout(kagari.ones(2), 0.5, train=False)
        tensor([1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
    """
    _check(p)
    if p == 0 or not train or input.numel() == 0:
        return input
    if p == 1:
        return input * 0.0
    result: Tensor = ops._dropout(input, p, True)[0]
    return result


@composite("feature_dropout(Tensor input, float p, bool train) -> Tensor", inplace=True)
def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zeroes whole channels with probability p and multiplies the others by 1 / (1 - p).

    Args:
        input (Tensor): ``(N, C, ...)``.
        p (float): the probability.
        train (bool): False gives the input back.

    Raises:
        RuntimeError: ``p`` is not a probability, or the input has fewer than 2 dimensions.

    Example:
        >>> import kagari
        >>> kagari.feature_dropout(kagari.ones(1, 2, 1), 0.5, train=False).tolist()
        [[[1.0], [1.0]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
    """
    return _drop(input, p, train, channels=True, alpha=False)


@composite("alpha_dropout(Tensor input, float p, bool train) -> Tensor", inplace=True)
def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout that keeps zero mean and unit variance, for networks of SELU.

    Args:
        input (Tensor): any shape.
        p (float): the probability.
        train (bool): False gives the input back.

    Raises:
        RuntimeError: ``p`` is not a probability.

    Example:
        >>> import kagari
        >>> kagari.alpha_dropout(kagari.ones(2), 0.5, train=False)
        tensor([1., 1.])

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """
    return _drop(input, p, train, channels=False, alpha=True)


@composite("feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor", inplace=True)
def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Alpha dropout of whole channels; arguments as of ``feature_dropout``.

    Args:
        input (Tensor): ``(N, C, ...)``.
        p (float): the probability.
        train (bool): whether anything happens.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.feature_alpha_dropout(kagari.ones(1, 2), 0.5, train=False)
        tensor([[1., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html
    """
    return _drop(input, p, train, channels=True, alpha=True)


@composite(
    "native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
)
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout that also gives the mask of the elements that are kept.

    Args:
        input (Tensor): floating point numbers of any shape.
        p (float): the probability.
        train (bool, optional): False keeps every element; None stands for True.

    Returns:
        A tuple (output, mask of bool).

    Raises:
        RuntimeError: ``p`` is not a probability.

    Example:
        >>> import kagari
        >>> kagari.native_dropout(kagari.ones(2), 0.0, True)
        (tensor([1., 1.]), tensor([True, True]))

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
    """
    import kagari

    _check(p)
    if train is False:
        return input.clone(), kagari.ones_like(input, dtype=kagari.bool)
    with kagari.no_grad():
        mask = kagari.empty(input.shape, dtype=kagari.bool, device=input.device).bernoulli_(1 - p)
    return input * mask * (0.0 if p == 1 else 1 / (1 - p)), mask


@composite(
    "native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor",
    function=False,
)
def native_dropout_backward(grad_output: Tensor, mask: Tensor, scale: float) -> Tensor:
    """The gradient of ``native_dropout``: grad * mask * scale."""
    return grad_output * (mask.to(grad_output.dtype) * scale)


@composite(
    "rrelu(Tensor input, float lower=0.125, float upper=0.3333333333333333, bool training=False, "
    "Generator? generator=None) -> Tensor",
    inplace=True,
)
def rrelu(
    input: Tensor, lower: float, upper: float, training: bool, generator: Generator | None
) -> Tensor:
    r"""Leaky relu whose slope is drawn from :math:`\mathcal U(\text{lower}, \text{upper})`.

    In evaluation the slope is the middle of the interval.

    Args:
        input (Tensor): floating point numbers of any shape.
        lower (float): lower end of the slopes.
        upper (float): upper end of the slopes.
        training (bool): draw; one number for each element that is not positive.
        generator (Generator, optional): the source of random numbers.

    Raises:
        RuntimeError: ``lower`` is greater than ``upper``.

    Example:
        >>> import kagari
        >>> kagari.rrelu(kagari.tensor([-2.0, 2.0]), 0.5, 0.5)
        tensor([-1.,  2.])

    Reference: Xu et al. 2015, https://arxiv.org/abs/1505.00853
    """
    if not lower <= upper:
        raise RuntimeError(
            f"rrelu: expected lower <= upper, got lower={lower} and upper={upper}; swap them"
        )
    if not training:
        result: Tensor = ops.leaky_relu(input, (lower + upper) / 2)
    else:
        result = ops._rrelu(input, lower, upper, generator=generator)[0]
    return result
