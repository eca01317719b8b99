"""Losses."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.amp._precision import full_precision
from kagari.nn import _reduction as _Reduction
from kagari.nn._functional.activation import logsigmoid
from kagari.nn._functional.distance import pairwise_distance
from kagari.overrides import overridable

# The arguments that most losses share are told once, here:
#   weight        weights of elements (or of classes) by which the loss is multiplied
#   size_average  and reduce: deprecated, read as a reduction where given
#   reduction     "none": the losses themselves; "mean": their mean; "sum": their sum


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    return loss


def _same_shape(name: str, input: Tensor, target: Tensor) -> None:
    if target.size() != input.size():
        warnings.warn(
            f"{name}: Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=4,
        )


def _weighted(
    loss: Tensor, weight: Tensor, input: Tensor, reduction: str, by_weight: bool
) -> Tensor:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    loss = loss * weight
    if reduction == "mean" and by_weight:
        return loss.sum() / weight.sum()
    return _reduce(loss, reduction)


@overridable
@full_precision
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    r"""Absolute error: :math:`|x - y|`.

    Args:
        input (Tensor): :math:`x`, any shape.
        target (Tensor): :math:`y`, the same shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        weight (Tensor): weights of the input's shape; the mean is then the weighted one.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known, or the weight has another shape.

    Example:
        >>> import kagari
        >>> l1_loss(kagari.tensor([1.0, 3.0]), kagari.zeros(2)).item()
        2.0
    """
    _same_shape("l1_loss", input, target)
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    loss = ops._absolute_error(input, target)
    if weight is not None:
        return _weighted(loss, weight, input, reduction, by_weight=True)
    return _reduce(loss, reduction)


@overridable
@full_precision
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    r"""Squared error: :math:`(x - y)^2`.

    Args:
        input (Tensor): :math:`x`, any shape.
        target (Tensor): :math:`y`, the same shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        weight (Tensor): weights of the input's shape; the mean is then the weighted one.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known, or the weight has another shape.

    Example:
        >>> import kagari
        >>> mse_loss(kagari.tensor([1.0, 3.0]), kagari.zeros(2)).item()
        5.0
    """
    _same_shape("mse_loss", input, target)
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    loss = ops._squared_error(input, target)
    if weight is not None:
        return _weighted(loss, weight, input, reduction, by_weight=True)
    return _reduce(loss, reduction)


@overridable
@full_precision
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    r"""Squared error near zero, absolute error beyond.

    With :math:`d = |x - y|`: :math:`d^2 / (2 \beta)` where :math:`d < \beta`, else
    :math:`d - \beta / 2`.

    Args:
        input (Tensor): :math:`x`, any shape.
        target (Tensor): :math:`y`, the same shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        beta (float): :math:`\beta`, not negative; 0 gives the absolute error.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known.
        RuntimeError: ``beta`` is negative.

    Example:
        >>> import kagari
        >>> smooth_l1_loss(kagari.tensor([1.0, 3.0]), kagari.zeros(2)).item()
        1.5

    Reference: Girshick 2015, https://arxiv.org/abs/1504.08083
    """
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    _same_shape("smooth_l1_loss", input, target)
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if beta == 0.0:
        return _reduce(ops._absolute_error(input, target), reduction)
    return _reduce(ops._smooth_l1(input, target, beta), reduction)


@overridable
@full_precision
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    r"""Squared error near zero, linear beyond.

    With :math:`d = |x - y|`: :math:`d^2 / 2` where :math:`d \le \delta`, else
    :math:`\delta (d - \delta / 2)`.

    Args:
        input (Tensor): :math:`x`, any shape.
        target (Tensor): :math:`y`, the same shape.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        delta (float): :math:`\delta`, positive.
        weight (Tensor): weights of the input's shape.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known, or the weight has another shape.
        RuntimeError: ``delta`` is not positive.

    Example:
        >>> import kagari
        >>> huber_loss(kagari.tensor([1.0, 3.0]), kagari.zeros(2)).item()
        1.5

    Reference: Huber 1964, "Robust estimation of a location parameter".
    """
    if delta <= 0:
        raise RuntimeError(
            f"huber_loss does not support non-positive values for delta, got {delta}"
        )
    _same_shape("huber_loss", input, target)
    reduction = _Reduction.resolve(None, None, reduction)
    loss = ops._huber(input, target, delta)
    if weight is not None:
        return _weighted(loss, weight, input, reduction, by_weight=False)
    return _reduce(loss, reduction)


@overridable
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Negative log likelihood: :math:`-w_y x_y`.

    Args:
        input (Tensor): log probabilities ``(N, C, ...)`` or ``(C,)``.
        target (Tensor): classes ``(N, ...)`` or a scalar.
        weight (Tensor): weights of classes ``(C,)``; the mean is then the weighted one.
        size_average: deprecated, see ``reduction``.
        ignore_index (int): a target that counts for nothing.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the target's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> nll_loss(kagari.tensor([[-1.0, -2.0]]), kagari.tensor([1])).item()
        2.0
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    return ops.nll_loss(input, target, weight, _Reduction.get_enum(reduction), ignore_index)


@overridable
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    r"""Cross entropy of logits: :math:`-\log(e^{x_y} / \sum_c e^{x_c})`.

    Args:
        input (Tensor): logits ``(N, C, ...)`` or ``(C,)``.
        target (Tensor): classes ``(N, ...)`` or a scalar, or probabilities of the input's shape.
        weight (Tensor): weights of classes ``(C,)``; the mean is then the weighted one.
        size_average: deprecated, see ``reduction``.
        ignore_index (int): a target that counts for nothing.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing (float): the part of the target spread evenly over the classes.

    Returns:
        A scalar, or the shape of the classes with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> round(cross_entropy(kagari.zeros(1, 2), kagari.tensor([1])).item(), 4)
        0.6931
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    return ops.cross_entropy_loss(
        input, target, weight, _Reduction.get_enum(reduction), ignore_index, label_smoothing
    )


@overridable
@full_precision
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Cross entropy of probabilities: :math:`-w (y \log x + (1 - y) \log(1 - x))`.

    The logarithms are cut at -100, so that the loss stays finite.

    Args:
        input (Tensor): :math:`x` between 0 and 1, any shape.
        target (Tensor): :math:`y` between 0 and 1, the same shape.
        weight (Tensor): :math:`w`, broadcast to the target's shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the shapes differ, or the reduction is not known.
        RuntimeError: an input is not between 0 and 1.

    Example:
        >>> import kagari
        >>> binary_cross_entropy(kagari.zeros(1), kagari.ones(1)).item()
        100.0
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}) is deprecated. Please ensure they have the same size."
        )
    if not bool(((input >= 0) & (input <= 1)).all()):
        raise RuntimeError(
            "all elements of input should be between 0 and 1; apply sigmoid first, or use "
            "binary_cross_entropy_with_logits"
        )
    loss = ops._binary_cross_entropy(input, target)
    if weight is not None:
        loss = loss * weight
    return _reduce(loss, reduction)


@overridable
@full_precision
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    r"""Cross entropy of logits for two classes.

    :math:`-w (p y \log \sigma(x) + (1 - y) \log(1 - \sigma(x)))`.

    Args:
        input (Tensor): :math:`x`, any shape.
        target (Tensor): :math:`y` between 0 and 1, the same shape.
        weight (Tensor): :math:`w`, broadcast to the target's shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight (Tensor): :math:`p`, the weight of positive examples, broadcast.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the shapes differ, or the reduction is not known.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(2)
        >>> round(binary_cross_entropy_with_logits(x, kagari.ones(2)).item(), 4)
        0.6931
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Target size ({target.size()}) must be the same as input size ({input.size()})"
        )
    if pos_weight is None:
        loss = ops._binary_cross_entropy_with_logits(input, target)
    else:
        loss = ops._binary_cross_entropy_with_logits_weighted(input, target, pos_weight)
    if weight is not None:
        loss = loss * weight
    return _reduce(loss, reduction)


@overridable
@full_precision
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    r"""Kullback-Leibler divergence, pointwise: :math:`y (\log y - x)`.

    Args:
        input (Tensor): log probabilities :math:`x`, any shape.
        target (Tensor): probabilities :math:`y`, the same shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"batchmean"`` (the sum by the batch's size: the divergence),
            ``"mean"``, ``"sum"`` or ``"none"``.
        log_target (bool): the target holds log probabilities.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> p = kagari.tensor([[0.5, 0.5]])
        >>> kl_div(p.log(), p, reduction="batchmean").item()
        0.0

    Reference: Kullback and Leibler 1951, "On information and sufficiency".
    """
    batchmean = reduction == "batchmean" and size_average is None and reduce is None
    if batchmean:
        reduction = "sum"
    elif reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support "
            "size. 'batchmean' divides only by the batch size, and aligns with the KL math "
            "definition.",
            stacklevel=2,
        )
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = ops.xlogy(target, target) - target * input
    reduced = _reduce(loss, reduction)
    if batchmean and input.dim() != 0:
        reduced = reduced / input.size(0)
    return reduced


@overridable
@full_precision
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Negative log likelihood of counts: :math:`e^x - y x`.

    Without ``log_input`` :math:`x - y \log(x + \epsilon)`; ``full`` adds Stirling's
    :math:`y \log y - y + \log(2 \pi y) / 2` where :math:`y > 1`.

    Args:
        input (Tensor): (the logarithm of) the expected counts :math:`x`, any shape.
        target (Tensor): the counts :math:`y`, the same shape.
        log_input (bool): the input is the logarithm.
        full (bool): add the term of the counts alone.
        size_average: deprecated, see ``reduction``.
        eps (float): :math:`\epsilon`.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> poisson_nll_loss(kagari.zeros(1), kagari.ones(1)).item()
        1.0
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return _reduce(loss, reduction)


@overridable
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    r"""Negative log likelihood of a normal: :math:`(\log v + (x - y)^2 / v) / 2`.

    Args:
        input (Tensor): the means :math:`x`, any shape.
        target (Tensor): :math:`y`, the same shape.
        var (Tensor or float): the variances :math:`v`, of the input's shape, without its last
            dimension, or with one dimension of size 1.
        full (bool): add :math:`\log(2 \pi) / 2`.
        eps (float): the variances are raised to this, without an effect on their gradients.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: a variance is negative, its shape does not fit, or the reduction is not known.

    Example:
        >>> import kagari
        >>> gaussian_nll_loss(kagari.zeros(1), kagari.ones(1), 1.0).item()
        0.5

    Reference: Nix and Weigend 1994, "Estimating the mean and variance of the target probability
    distribution".
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * kagari.ones_like(input)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        else:
            different = [n for m, n in zip(input.size(), var.size(), strict=False) if m != n]
            if input.dim() != var.dim() or sum(different) != 1:
                raise ValueError("var is of incorrect size")
    reduction = _Reduction.resolve(None, None, reduction)
    var = var.clone()
    with kagari.no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


@overridable
@full_precision
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""A distance for alike pairs, a hinge for others.

    :math:`x` where :math:`y = 1`, :math:`\max(0, \text{margin} - x)` where :math:`y = -1`.

    Args:
        input (Tensor): distances :math:`x`, any shape.
        target (Tensor): :math:`y`, 1 or -1, the same shape.
        margin (float): the distance that unlike pairs shall have.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> hinge_embedding_loss(kagari.tensor([0.5]), kagari.tensor([-1.0])).item()
        0.5
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    zero = kagari.zeros((), dtype=input.dtype, device=input.device)
    # In halves the margin is rounded to the input's dtype before it is subtracted from.
    apart = kagari.where(target != 1, (zero + margin - input).clamp_min(0), zero)
    return _reduce(apart + kagari.where(target != -1, input, zero), reduction)


@overridable
@full_precision
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Ranks pairs: :math:`\max(0, -y (x_1 - x_2) + \text{margin})`.

    Args:
        input1 (Tensor): :math:`x_1`, any shape.
        input2 (Tensor): :math:`x_2`, the same shape.
        target (Tensor): :math:`y`: 1 if the first shall be greater, -1 if the second.
        margin (float): by how much.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the inputs' shape with ``"none"``.

    Raises:
        RuntimeError: the numbers of dimensions differ.
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> one = kagari.ones(1)
        >>> margin_ranking_loss(one, 3 * one, one).item()
        2.0
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return _reduce((-target * (input1 - input2) + margin).clamp_min(0), reduction)


@overridable
@full_precision
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Logistic loss: :math:`\log(1 + e^{-y x})`.

    Args:
        input (Tensor): :math:`x`, any shape.
        target (Tensor): :math:`y`, 1 or -1, the same shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the input's shape with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> round(soft_margin_loss(kagari.zeros(1), kagari.ones(1)).item(), 4)
        0.6931
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    return _reduce(-logsigmoid(target * input), reduction)


@overridable
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Mean over classes of the binary cross entropy of logits.

    Args:
        input (Tensor): logits ``(N, C)`` or ``(C,)``.
        target (Tensor): 0 or 1, the same shape.
        weight (Tensor): weights of classes ``(C,)``.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or ``(N,)`` with ``"none"``.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(1, 2)
        >>> round(multilabel_soft_margin_loss(x, kagari.ones(1, 2)).item(), 4)
        0.6931
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return _reduce(loss.mean(-1), reduction)


@overridable
@full_precision
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Hinge loss for classes: :math:`\sum_{c \ne y} w_y \max(0, m - x_y + x_c)^p / C`.

    Args:
        input (Tensor): scores ``(N, C)`` or ``(C,)``.
        target (Tensor): classes ``(N,)`` or a scalar.
        p (int): 1 or 2.
        margin (float): :math:`m`.
        weight (Tensor): weights of classes ``(C,)``.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or ``(N,)`` with ``"none"``.

    Raises:
        ValueError: ``p``, the weight's dimensions or the reduction is not allowed.
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> multi_margin_loss(kagari.zeros(1, 2), kagari.tensor([0])).item()
        0.5
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if p != 1 and p != 2:
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    scores = input if input.dim() == 2 else input.reshape(1, -1)
    classes = target.reshape(-1, 1)
    if input.dim() > 2 or classes.size(0) != scores.size(0):
        raise RuntimeError(
            "multi_margin_loss: expected input (N, C) or (C,) and target (N,) or (), got "
            f"{tuple(input.shape)} and {tuple(target.shape)}"
        )
    wanted = scores.gather(1, classes)
    terms = (margin - wanted + scores).clamp_min(0)
    if p == 2:
        terms = terms * terms
    if weight is not None:
        terms = terms * weight[classes]
    # The class itself is left out of the sum.
    terms = terms.scatter(1, classes, 0.0)
    loss = terms.sum(1) / scores.size(1)
    if input.dim() < 2 and target.dim() == 0:
        loss = loss.squeeze(0)
    return _reduce(loss, reduction)


@overridable
@full_precision
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Hinge loss for several classes: :math:`\sum_{t, c} \max(0, 1 - x_t + x_c) / C`.

    :math:`t` runs over the target classes, :math:`c` over the others.

    Args:
        input (Tensor): scores ``(N, C)`` or ``(C,)``.
        target (Tensor): the target classes of the same shape, ended by -1.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or ``(N,)`` with ``"none"``.

    Raises:
        ValueError: the reduction is not known.
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> multilabel_margin_loss(kagari.zeros(1, 2), kagari.tensor([[1, -1]])).item()
        0.5
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if input.dim() > 2 or input.shape != target.shape:
        raise RuntimeError(
            "multilabel_margin_loss: expected input and target (N, C) or (C,), got "
            f"{tuple(input.shape)} and {tuple(target.shape)}"
        )
    size = input.size(-1) if input.dim() else 1
    scores, classes = input.reshape(-1, size), target.reshape(-1, size)
    # What follows the first -1 does not count.
    valid = (classes < 0).cumsum(1) == 0
    classes = classes.clamp_min(0)
    chosen = kagari.zeros_like(scores).scatter_add_(1, classes, valid.to(scores.dtype)) > 0
    wanted = scores.gather(1, classes)
    terms = (1 - wanted.unsqueeze(2) + scores.unsqueeze(1)).clamp_min(0)
    counts = valid.unsqueeze(2) & ~chosen.unsqueeze(1)
    loss = terms.masked_fill(~counts, 0.0).sum((1, 2)) / size
    return _reduce(loss if input.dim() == 2 else loss.squeeze(0), reduction)


@overridable
@full_precision
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Brings alike pairs together by angle and unlike ones apart.

    :math:`1 - \cos(x_1, x_2)` where :math:`y = 1`,
    :math:`\max(0, \cos(x_1, x_2) - \text{margin})` where :math:`y = -1`.

    Args:
        input1 (Tensor): :math:`x_1`, ``(N, D)`` or ``(D,)``.
        input2 (Tensor): :math:`x_2`, the same shape.
        target (Tensor): :math:`y`, ``(N,)`` or a scalar.
        margin (float): between -1 and 1.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or ``(N,)`` with ``"none"``.

    Raises:
        ValueError: the reduction is not known.
        RuntimeError: the numbers of dimensions do not fit.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0, 0.0]])
        >>> cosine_embedding_loss(x, -x, kagari.tensor([1.0])).item()
        2.0
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    expected = target.dim() + 1
    if input1.dim() != expected or input2.dim() != expected:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {expected}D input tensors, but found inputs "
            f"with sizes {list(input1.shape)} and {list(input2.shape)}."
        )
    product = (input1 * input2).sum(-1)
    square1 = (input1 * input1).sum(-1) + 1e-12
    square2 = (input2 * input2).sum(-1) + 1e-12
    cosine = product / (square1 * square2).sqrt()
    zero = kagari.zeros((), dtype=cosine.dtype, device=cosine.device)
    loss = kagari.where(target == 1, 1 - cosine, zero) + kagari.where(
        target == -1, (cosine - margin).clamp_min(0), zero
    )
    return _reduce(loss, reduction)


@overridable
@full_precision
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Brings an anchor nearer to the positive than to the negative example.

    :math:`\max(0, \|a - p\| - \|a - n\| + \text{margin})`.

    Args:
        anchor (Tensor): :math:`a`, ``(N, D)`` or ``(D,)``.
        positive (Tensor): :math:`p`, the same shape.
        negative (Tensor): :math:`n`, the same shape.
        margin (float): by how much; positive.
        p (float): the norm's exponent.
        eps (float): added to the differences.
        swap (bool): take the nearer of anchor and positive for the distance to the negative.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or ``(N,)`` with ``"none"``.

    Raises:
        ValueError: the margin is not positive, or the reduction is not known.
        RuntimeError: the numbers of dimensions differ.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(1, 2)
        >>> triplet_margin_loss(x, x, x).item()
        1.0

    Reference: Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow
    convolutional neural networks".
    """
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    return _triplet(
        anchor,
        positive,
        negative,
        lambda x, y: pairwise_distance(x, y, p, eps),
        margin,
        swap,
        reduction,
    )


@overridable
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with a distance of one's own.

    Args:
        anchor (Tensor): ``(N, ...)``.
        positive (Tensor): the same shape.
        negative (Tensor): the same shape.
        distance_function: of two tensors; the 2-norm of the difference by default.
        margin (float): by how much; positive.
        swap (bool): take the nearer of anchor and positive for the distance to the negative.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A scalar, or the distance's shape with ``"none"``.

    Raises:
        ValueError: the margin is not positive, or the reduction is not known.
        RuntimeError: the numbers of dimensions differ.

    Example:
        >>> import kagari
        >>> a, p, n = kagari.zeros(1, 2), kagari.tensor([[0.0, 1.0]]), kagari.tensor([[3.0, 4.0]])
        >>> kagari.nn.functional.triplet_margin_with_distance_loss(a, p, n, margin=5.0)
        tensor(1.0000)
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if distance_function is None:
        distance_function = pairwise_distance
    return _triplet(anchor, positive, negative, distance_function, margin, swap, reduction)


def _triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    dims = anchor.dim(), positive.dim(), negative.dim()
    if len(set(dims)) != 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {dims[0]}D, positive {dims[1]}D, and negative "
            f"{dims[2]}D inputs"
        )
    near = distance(anchor, positive)
    far = distance(anchor, negative)
    if swap:
        far = kagari.minimum(far, distance(positive, negative))
    return _reduce((margin + near - far).clamp_min(0), reduction)


@overridable
@full_precision
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Negative log likelihood of a label sequence over all its alignments with the input.

    Args:
        log_probs (Tensor): ``(T, N, C)`` or ``(T, C)``.
        targets (Tensor): ``(N, S)`` or all sequences in one dimension.
        input_lengths (Tensor or tuple): ``(N,)``.
        target_lengths (Tensor or tuple): ``(N,)``.
        blank (int): the class of no label.
        reduction (str): ``"mean"`` (by target length, then over the batch), ``"sum"``, ``"none"``.
        zero_infinity (bool): count impossible alignments as zero.

    Returns:
        A scalar, or ``(N,)`` with ``"none"``.

    Raises:
        ValueError: the reduction is not known.
        RuntimeError: shapes or lengths do not fit.

    Example:
        >>> import kagari
        >>> log_probs = kagari.full((1, 1, 2), 0.5).log()
        >>> round(ctc_loss(log_probs, kagari.tensor([[1]]), (1,), (1,)).item(), 4)
        0.6931

    Reference: Graves et al. 2006, "Connectionist temporal classification".
    """
    return kagari.ctc_loss(
        log_probs,
        targets,
        input_lengths,
        target_lengths,
        blank,
        _Reduction.get_enum(reduction),
        zero_infinity,
    )
