"""Windows of images as columns, and columns added up to images."""

from __future__ import annotations

from typing import Any

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.nn._functional.padding import pad
from kagari.overrides import overridable

Pair = tuple[int, int]


def _two(name: str, value: Any) -> Pair:
    if isinstance(value, (tuple, list)):
        if len(value) == 1:
            value = (value[0], value[0])
        if len(value) != 2:
            raise RuntimeError(
                f"It is expected {name} equals to 2, but got size {len(value)}; give one number or "
                "two"
            )
        return value[0], value[1]
    return value, value


def _check(kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair) -> None:
    for name, short, value in (
        ("kernel size", "kernel", kernel_size),
        ("dilation", "dilation", dilation),
        ("stride", "stride", stride),
    ):
        if min(value) <= 0:
            raise RuntimeError(
                f"{name} should be greater than zero, but got {short}_height: {value[0]} "
                f"{short}_width: {value[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(
            f"padding should be non-negative, but got pad_height: {padding[0]} "
            f"pad_width: {padding[1]}"
        )


def _windows(size: Pair, kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Pair:
    """How many windows fit along each axis; below one where none does."""
    high, wide = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel_size, dilation, padding, stride, strict=True)
    )
    return high, wide


def _options(kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair | None = None) -> str:
    text = f"kernel_size={kernel_size}, dilation={dilation}, padding={padding}"
    return text if stride is None else f"{text}, stride={stride}"


@overridable
def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Each window of an image as a column.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size (int or pair): sizes of a window.
        dilation (int or pair): steps between a window's elements.
        padding (int or pair): zeros around the image.
        stride (int or pair): steps between windows.

    Returns:
        ``(N, C * kh * kw, L)``, L the number of windows, row by row.

    Raises:
        RuntimeError: shapes or options do not fit.

    Example:
        >>> import kagari
        >>> unfold(kagari.arange(4.0).view(1, 1, 2, 2), (1, 2)).tolist()
        [[[0.0, 2.0], [1.0, 3.0]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
    """
    kernel_size, dilation = _two("kernel_size", kernel_size), _two("dilation", dilation)
    padding, stride = _two("padding", padding), _two("stride", stride)
    _check(kernel_size, dilation, padding, stride)
    if input.dim() not in (3, 4) or 0 in input.shape[input.dim() - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(input.shape)}"
        )
    *lead, channels, high, wide = input.shape
    count = _windows((high, wide), kernel_size, dilation, padding, stride)
    if min(count) < 1:
        raise RuntimeError(
            f"Given input with spatial size {(high, wide)}, "
            f"{_options(kernel_size, dilation, padding)}, calculated shape of the array of sliding "
            f"blocks as {count}, but its components must be at least one."
        )
    if padding != (0, 0):
        input = pad(input, (padding[1], padding[1], padding[0], padding[0]))
    row, column = input.stride()[-2:]
    shape = (*lead, channels, *kernel_size, *count)
    strides = (dilation[0] * row, dilation[1] * column, stride[0] * row, stride[1] * column)
    # Windows overlap in memory: the copy into columns is the only one.
    windows = input.as_strided(shape, (*input.stride()[:-2], *strides), input.storage_offset())
    area = kernel_size[0] * kernel_size[1]
    return windows.reshape(*lead, channels * area, count[0] * count[1])


@overridable
def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Columns put back as windows of an image, added up where windows overlap.

    Args:
        input (Tensor): ``(N, C * kh * kw, L)`` or ``(C * kh * kw, L)``.
        output_size (int or pair): sizes of the image.
        kernel_size (int or pair): sizes of a window.
        dilation (int or pair): steps between a window's elements.
        padding (int or pair): zeros around the image, which are cut off.
        stride (int or pair): steps between windows.

    Returns:
        ``(N, C, *output_size)``.

    Raises:
        RuntimeError: shapes or options do not fit.

    Example:
        >>> import kagari
        >>> fold(kagari.ones(1, 2, 2), (1, 3), (1, 2)).tolist()
        [[[[1.0, 2.0, 1.0]]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
    """
    size, kernel_size = _two("output_size", output_size), _two("kernel_size", kernel_size)
    dilation = _two("dilation", dilation)
    padding, stride = _two("padding", padding), _two("stride", stride)
    _check(kernel_size, dilation, padding, stride)
    if input.dim() not in (2, 3) or 0 in input.shape[input.dim() - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(input.shape)}"
        )
    *lead, rows, columns = input.shape
    area = kernel_size[0] * kernel_size[1]
    if rows % area != 0:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={rows} and kernel_size={kernel_size}."
        )
    count = _windows(size, kernel_size, dilation, padding, stride)
    if min(count) < 1 or count[0] * count[1] != columns:
        raise RuntimeError(
            f"Given output_size={size}, {_options(kernel_size, dilation, padding, stride)}, "
            "expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{count[0]} * {count[1]} = {count[0] * count[1]}, but got input.size(2)={columns}."
        )
    channels = rows // area
    windows = input.reshape(*lead, channels, *kernel_size, *count)
    high, wide = size[0] + 2 * padding[0], size[1] + 2 * padding[1]
    strides = (dilation[0] * wide, dilation[1], stride[0] * wide, stride[1])
    plane = high * wide
    outer = (channels * plane, plane) if lead else (plane,)
    image: Tensor = ops.embed(windows, (*lead, channels, high, wide), (*outer, *strides), 0)
    if padding == (0, 0):
        return image
    image = image[..., padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
    return image.contiguous(memory_format=kagari.contiguous_format)
