"""Convolutions. Operations are those of the direct formula; Winograd's does with fewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import data, row


def _forward(
    m: Any,
    convolve: Callable[..., Any],
    x: tuple[int, ...],
    weight: tuple[int, ...],
    **options: Any,
) -> Any:
    images, kernel = data(m, *x, seed=1), data(m, *weight, seed=2)
    return lambda: convolve(images, kernel, **options)


def _training(
    m: Any, x: tuple[int, ...], weight: tuple[int, ...], layout: Any = None, **options: Any
) -> Any:
    images = data(m, *x, seed=1)
    if layout is not None:
        images = images.to(memory_format=layout)
    images.requires_grad_()
    kernel = data(m, *weight, seed=2).requires_grad_()
    with m.no_grad():
        shape = m.nn.functional.conv2d(images, kernel, **options)
    upstream = m.ones_like(shape)

    def step() -> Any:
        images.grad = kernel.grad = None
        out = m.nn.functional.conv2d(images, kernel, **options)
        out.backward(upstream)
        return out, images.grad, kernel.grad

    return step


@row("3×3, 64→64, 56², batch 16", bar=1.4, flops=2 * 16 * 56**2 * 64 * 64 * 9)
def conv3x3(m: Any) -> Any:
    return _forward(m, m.nn.functional.conv2d, (16, 64, 56, 56), (64, 64, 3, 3), padding=1)


@row(
    "3×3, 64→64, 56², batch 16, forward and backward",
    bar=1.2,
    flops=3 * 2 * 16 * 56**2 * 64 * 64 * 9,
)
def conv3x3_training(m: Any) -> Any:
    return _training(m, (16, 64, 56, 56), (64, 64, 3, 3), padding=1)


@row(
    "the same, channels_last, forward and backward", bar=1.1, flops=3 * 2 * 16 * 56**2 * 64 * 64 * 9
)
def conv3x3_channels_last(m: Any) -> Any:
    return _training(m, (16, 64, 56, 56), (64, 64, 3, 3), m.channels_last, padding=1)


@row("1×1, 256→64, 56², batch 8", bar=1.1, flops=2 * 8 * 56**2 * 256 * 64)
def conv1x1(m: Any) -> Any:
    return _forward(m, m.nn.functional.conv2d, (8, 256, 56, 56), (64, 256, 1, 1))


@row("7×7, stride 2, 3→64, 224², batch 4", bar=1.1, flops=2 * 4 * 112**2 * 3 * 64 * 49)
def conv7x7(m: Any) -> Any:
    return _forward(m, m.nn.functional.conv2d, (4, 3, 224, 224), (64, 3, 7, 7), stride=2, padding=3)


@row("depthwise 3×3, 128 channels, 56², batch 8", bar=1.1, flops=2 * 8 * 56**2 * 128 * 9)
def depthwise(m: Any) -> Any:
    return _forward(
        m, m.nn.functional.conv2d, (8, 128, 56, 56), (128, 1, 3, 3), padding=1, groups=128
    )


@row(
    "3×3, 256→256, 14², batch 16, forward and backward",
    bar=1.1,
    flops=3 * 2 * 16 * 14**2 * 256 * 256 * 9,
)
def conv_deep_training(m: Any) -> Any:
    return _training(m, (16, 256, 14, 14), (256, 256, 3, 3), padding=1)


@row("conv1d 5, 64→64, length 1024, batch 16", bar=1.1, flops=2 * 16 * 1024 * 64 * 64 * 5)
def conv1d(m: Any) -> Any:
    return _forward(m, m.nn.functional.conv1d, (16, 64, 1024), (64, 64, 5), padding=2)


@row("conv3d 3³, 16→32, 16×32×32, batch 2", bar=1.1, flops=2 * 2 * 16 * 32**2 * 16 * 32 * 27)
def conv3d(m: Any) -> Any:
    return _forward(m, m.nn.functional.conv3d, (2, 16, 16, 32, 32), (32, 16, 3, 3, 3), padding=1)


@row("transposed 4×4, stride 2, 64→32, 28², batch 8", bar=1.1, flops=2 * 8 * 28**2 * 64 * 32 * 16)
def transposed(m: Any) -> Any:
    return _forward(
        m, m.nn.functional.conv_transpose2d, (8, 64, 28, 28), (64, 32, 4, 4), stride=2, padding=1
    )
