"""The gradients of convolutions as functions."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari._core import ops

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]


def _each(dims: int, setting: Any) -> list[int]:
    """A number for each dimension."""
    return [setting] * dims if isinstance(setting, int) else list(setting)


def _input(
    dims: int,
    size: Any,
    w: Tensor,
    g: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    steps, around, apart = (_each(dims, s) for s in (stride, padding, dilation))
    result: Tensor = ops.conv_input(g, w, list(size)[-dims:], steps, around, apart, groups)
    return result


def _weight(
    dims: int,
    x: Tensor,
    size: Any,
    g: Tensor,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    steps, around, apart = (_each(dims, s) for s in (stride, padding, dilation))
    result: Tensor = ops.conv_weight(
        g, x, list(size)[-dims:], steps, around, apart, groups, need_bias=False
    )[0]
    return result


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
    return _input(1, input_size, weight, grad_output, stride, padding, dilation, groups)


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
    return _weight(1, input, weight_size, grad_output, stride, padding, dilation, groups)


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
    return _input(2, input_size, weight, grad_output, stride, padding, dilation, groups)


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
    return _weight(2, input, weight_size, grad_output, stride, padding, dilation, groups)


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
    return _input(3, input_size, weight, grad_output, stride, padding, dilation, groups)


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
    return _weight(3, input, weight_size, grad_output, stride, padding, dilation, groups)
