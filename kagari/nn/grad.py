"""The gradients of convolutions as functions."""

from __future__ import annotations

from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]


def _gradient(conv: Any, x: Tensor, w: Tensor, wanted: int, g: Tensor, settings: Any) -> Tensor:
    """The gradient of ``conv(x, w)`` to one of the two; recorded itself where gradients are."""
    recorded = kagari.is_grad_enabled()
    with kagari.enable_grad():
        # The product is linear in what is wanted: any value of it gives the same gradient.
        pair = [x, w]
        pair[wanted] = leaf = pair[wanted].detach().requires_grad_()
        y = conv(*pair, None, *settings)
        result: Tensor = kagari.autograd.grad(y, leaf, g, create_graph=recorded)[0]
    return result


def _input(conv: Any, size: Any, w: Tensor, g: Tensor, *settings: Any) -> Tensor:
    x = kagari.zeros(tuple(size), dtype=g.dtype, device=g.device)
    return _gradient(conv, x, w, 0, g, settings)


def _weight(conv: Any, x: Tensor, size: Any, g: Tensor, *settings: Any) -> Tensor:
    w = kagari.zeros(tuple(size), dtype=g.dtype, device=g.device)
    return _gradient(conv, x, w, 1, g, settings)


def conv1d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv1d`` to its input.

    Args:
        input_size (sequence of int): the input's shape.
        weight (Tensor): the weight.
        grad_output (Tensor): the gradient of the output.
        stride, padding, dilation, groups: the convolution's.

    Returns:
        A tensor of shape ``input_size``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> w, g = kagari.ones(1, 1, 2), kagari.ones(1, 1, 2)
        >>> nn.grad.conv1d_input((1, 1, 3), w, g).tolist()
        [[[1.0, 2.0, 1.0]]]
    """
    return _input(F.conv1d, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv1d`` to its weight.

    Args:
        input (Tensor): the input.
        weight_size (sequence of int): the weight's shape.
        grad_output (Tensor): the gradient of the output.
        stride, padding, dilation, groups: the convolution's.

    Returns:
        A tensor of shape ``weight_size``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> x, g = kagari.tensor([[[1.0, 2.0, 3.0]]]), kagari.ones(1, 1, 2)
        >>> nn.grad.conv1d_weight(x, (1, 1, 2), g).tolist()
        [[[3.0, 5.0]]]
    """
    return _weight(F.conv1d, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv2d`` to its input; see :func:`conv1d_input`.

    Example:
        >>> import kagari
        >>> weight, g = kagari.ones(1, 1, 2, 2), kagari.ones(1, 1, 2, 2)
        >>> kagari.nn.grad.conv2d_input((1, 1, 3, 3), weight, g).flatten(0, 2)
        tensor([[1., 2., 1.],
                [2., 4., 2.],
                [1., 2., 1.]])
    """
    return _input(F.conv2d, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv2d`` to its weight; see :func:`conv1d_weight`.

    Example:
        >>> import kagari
        >>> x, g = kagari.ones(1, 1, 3, 3), kagari.ones(1, 1, 2, 2)
        >>> kagari.nn.grad.conv2d_weight(x, (1, 1, 2, 2), g).flatten(0, 2)
        tensor([[4., 4.],
                [4., 4.]])
    """
    return _weight(F.conv2d, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv3d`` to its input; see :func:`conv1d_input`.

    Example:
        >>> import kagari
        >>> weight, g = kagari.ones(1, 1, 2, 2, 2), kagari.ones(1, 1, 2, 2, 2)
        >>> kagari.nn.grad.conv3d_input((1, 1, 3, 3, 3), weight, g).sum()
        tensor(64.)
    """
    return _input(F.conv3d, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv3d`` to its weight; see :func:`conv1d_weight`.

    Example:
        >>> import kagari
        >>> x, g = kagari.ones(1, 1, 3, 3, 3), kagari.ones(1, 1, 2, 2, 2)
        >>> kagari.nn.grad.conv3d_weight(x, (1, 1, 2, 2, 2), g).flatten()
        tensor([8., 8., 8., 8., 8., 8., 8., 8.])
    """
    return _weight(F.conv3d, input, weight_size, grad_output, stride, padding, dilation, groups)
