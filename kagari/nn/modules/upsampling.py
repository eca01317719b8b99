"""Layers that bring images to another size."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Images at another size; :func:`kagari.nn.functional.interpolate` as a layer.

    Args:
        size (int or tuple of ints): the spatial sizes of the result.
        scale_factor (float or tuple of floats): their ratio to the input's, instead.
        mode (str): ``"nearest"``, ``"linear"``, ``"bilinear"``, ``"bicubic"``, ``"trilinear"``.
        align_corners (bool): keep the centres of the corner pixels in their places.
        recompute_scale_factor (bool): compute with the ratio of the sizes, not ``scale_factor``.

    Shape:
        ``(N, C, W)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)`` to the same with other sizes.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Upsample(scale_factor=2)(kagari.tensor([[[1.0, 2.0]]])).tolist()
        [[[1.0, 1.0, 2.0, 2.0]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
    """

    __constants__ = [  # noqa: RUF012
        "size",
        "scale_factor",
        "mode",
        "align_corners",
        "name",
        "recompute_scale_factor",
    ]

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor: Any = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Pictures at another size by their nearest pixels.

    Args:
        size (int or pair): the spatial sizes of the result.
        scale_factor (float or pair of floats): their ratio to the input's, instead.

    Shape:
        ``(N, C, H, W)`` to the same with other sizes.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.UpsamplingNearest2d(scale_factor=2)(kagari.ones(1, 1, 1, 1)).sum().item()
        4.0
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Pictures at another size by bilinear interpolation between aligned corners.

    Args:
        size (int or pair): the spatial sizes of the result.
        scale_factor (float or pair of floats): their ratio to the input's, instead.

    Shape:
        ``(N, C, H, W)`` to the same with other sizes.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.UpsamplingBilinear2d(size=(1, 3))(kagari.tensor([[[[0.0, 2.0]]]])).tolist()
        [[[[0.0, 1.0, 2.0]]]]
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
