"""Layers that take windows of images apart and put them together."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module

__all__ = ["Fold", "Unfold"]


class Fold(Module):
    """Columns put back as windows of an image, added up where windows overlap.

    Args:
        output_size (int or pair): sizes of the image.
        kernel_size (int or pair): sizes of a window.
        dilation (int or pair): steps between a window's elements.
        padding (int or pair): zeros around the image, which are cut off.
        stride (int or pair): steps between windows.

    Shape:
        ``(N, C * kh * kw, L)`` or ``(C * kh * kw, L)`` to ``(N, C, *output_size)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Fold((1, 3), (1, 2))(kagari.ones(1, 2, 2)).tolist()
        [[[[1.0, 2.0, 1.0]]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Fold.html
    """

    __constants__ = ["output_size", "kernel_size", "dilation", "padding", "stride"]  # noqa: RUF012

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """Each window of an image as a column.

    Args:
        kernel_size (int or pair): sizes of a window.
        dilation (int or pair): steps between a window's elements.
        padding (int or pair): zeros around the image.
        stride (int or pair): steps between windows.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)`` to ``(N, C * kh * kw, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Unfold((1, 2))(kagari.arange(4.0).view(1, 1, 2, 2)).tolist()
        [[[0.0, 2.0], [1.0, 3.0]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Unfold.html
    """

    __constants__ = ["kernel_size", "dilation", "padding", "stride"]  # noqa: RUF012

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )
