"""A layer and the batch normalization after it as one layer."""

from __future__ import annotations

import copy
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn.parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def _check(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what it and the batch normalization after it do in evaluation.

    Args:
        conv (Module): a convolution.
        bn (Module): a batch normalization with running statistics.
        transpose (bool): the convolution is a transposed one.

    Returns:
        A new convolution.

    Raises:
        AssertionError: one of the two is in training mode, or there are no running statistics.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> conv, bn = nn.Conv2d(2, 3, 3).eval(), nn.BatchNorm2d(3).eval()
        >>> x = kagari.randn(1, 2, 5, 5)
        >>> fused = nn.utils.fuse_conv_bn_eval(conv, bn)
        >>> kagari.allclose(fused(x), bn(conv(x)), atol=1e-5)
        True
    """
    _check(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    return fused


def _fuse(
    w: Tensor,
    b: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    scale: Tensor | None,
    shift: Tensor | None,
    shape: list[int],
) -> tuple[Parameter, Parameter]:
    """``(w x + b - mean) / std * scale + shift`` as a layer of its own."""
    given = w if b is None else b
    wanted = b is not None and b.requires_grad
    if b is None:
        b = kagari.zeros_like(mean)
    factor = kagari.rsqrt(var + eps)
    if scale is not None:
        factor = factor * scale
    bias = (b - mean) * factor
    if shift is not None:
        bias = bias + shift
    weight = (w * factor.reshape(shape)).to(w.dtype)
    return (
        Parameter(weight.detach(), w.requires_grad),
        Parameter(bias.to(given.dtype).detach(), wanted),
    )


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a convolution with the batch normalization after it.

    Args:
        conv_w (Tensor): the convolution's weight.
        conv_b (Tensor, optional): its bias.
        bn_rm (Tensor): the running mean.
        bn_rv (Tensor): the running variance.
        bn_eps (float): added to the variance.
        bn_w (Tensor, optional): the normalization's weight.
        bn_b (Tensor, optional): its bias.
        transpose (bool): the convolution is a transposed one.

    Returns:
        Two parameters.

    Example:
        >>> import kagari
        >>> w, zero, one = kagari.ones(1, 1, 1, 1), kagari.zeros(1), kagari.ones(1)
        >>> w, b = fuse_conv_bn_weights(w, None, one, one, 0.0, one * 2, zero)
        >>> w.item(), b.item()
        (2.0, -2.0)
    """
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    return _fuse(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that does what it and the batch normalization after it do in evaluation.

    Args:
        linear (Module): a linear layer.
        bn (Module): a batch normalization with running statistics.

    Returns:
        A new linear layer.

    Raises:
        AssertionError: one of the two is in training mode, there are no running statistics, or
            the numbers of features differ.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> linear, bn = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
        >>> x = kagari.randn(4, 2)
        >>> kagari.allclose(nn.utils.fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), atol=1e-5)
        True
    """
    _check(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer with the batch normalization after it.

    Args:
        linear_w (Tensor): the layer's weight.
        linear_b (Tensor, optional): its bias.
        bn_rm (Tensor): the running mean.
        bn_rv (Tensor): the running variance.
        bn_eps (float): added to the variance.
        bn_w (Tensor, optional): the normalization's weight.
        bn_b (Tensor, optional): its bias.

    Returns:
        Two parameters.

    Example:
        >>> import kagari
        >>> zero, one = kagari.zeros(1), kagari.ones(1)
        >>> w, b = fuse_linear_bn_weights(kagari.ones(1, 1), None, one, one, 0.0, one * 2, zero)
        >>> w.item(), b.item()
        (2.0, -2.0)
    """
    return _fuse(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])
