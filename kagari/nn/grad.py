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


def _settings(
    dims: int, x: Any, w: Any, g: Tensor, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[list[int], list[int], list[int], int]:
    """The settings, a number for each dimension; x, w and g must be of one convolution."""
    steps, around, apart = (
        [s] * dims if isinstance(s, int) else list(s) for s in (stride, padding, dilation)
    )
    x, w = tuple(x), tuple(w)
    counted = len(x) == len(w) == dims + 2 and {len(steps), len(around), len(apart)} == {dims}
    if counted and min(groups, *steps, *apart) > 0:
        reach = [p * 2 - d * (k - 1) - 1 for p, d, k in zip(around, apart, w[2:], strict=True)]
        out = [(n + r) // s + 1 for n, r, s in zip(x[2:], reach, steps, strict=True)]
        wanted = (x[0], w[0], *out)
        if x[1] == w[1] * groups and wanted == tuple(g.shape):
            return steps, around, apart, groups
        came = f"its gradient has the shape {wanted}, and groups={groups}"
    else:
        came = (
            f"expected {dims + 2} sizes, {dims} of each setting, positive steps and groups={groups}"
        )
    raise RuntimeError(
        f"nn.grad: a gradient of shape {tuple(g.shape)} does not belong to the convolution of an "
        f"input {x} with a weight {w}: {came}; "
        "pass the sizes of the convolution whose gradient it is"
    )


def _input(dims: int, size: Any, w: Tensor, g: Tensor, *settings: Any) -> Tensor:
    steps, around, apart, groups = _settings(dims, size, w.shape, g, *settings)
    result: Tensor = ops.conv_input(g, w, list(size)[2:], steps, around, apart, groups)
    return result


def _weight(dims: int, x: Tensor, size: Any, g: Tensor, *settings: Any) -> Tensor:
    steps, around, apart, groups = _settings(dims, x.shape, size, g, *settings)
    kernel = list(size)[2:]
    result: Tensor = ops.conv_weight(g, x, kernel, steps, around, apart, groups, need_bias=False)[0]
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
