"""Layers between channels and pixels."""

from __future__ import annotations

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    r"""Makes pixels of channels: :math:`(C r^2, H, W)` becomes :math:`(C, H r, W r)`.

    Args:
        upscale_factor (int): r.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.PixelShuffle(3)(kagari.zeros(1, 9, 4, 4)).shape)
        (1, 1, 12, 12)

    Reference: Shi et al. 2016, https://arxiv.org/abs/1609.05158
    """

    __constants__ = ["upscale_factor"]  # noqa: RUF012

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    r"""Makes channels of pixels: :math:`(C, H r, W r)` becomes :math:`(C r^2, H, W)`.

    Args:
        downscale_factor (int): r.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.PixelUnshuffle(3)(kagari.zeros(1, 1, 12, 12)).shape)
        (1, 9, 4, 4)
    """

    __constants__ = ["downscale_factor"]  # noqa: RUF012

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
