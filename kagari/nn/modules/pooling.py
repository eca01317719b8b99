"""Pooling layers."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn._sizes import _single
from kagari.nn.modules.module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _MaxPoolNd(Module):
    __constants__ = [  # noqa: RUF012
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "return_indices",
        "ceil_mode",
    ]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    r"""The maximum of each window: :math:`y_i = \max_k x_{s i + d k - p}`.

    Args:
        kernel_size (int): elements of a window.
        stride (int): s, steps between windows; ``kernel_size`` by default.
        padding (int): p, elements of minus infinity on both sides, at most half a window.
        dilation (int): d, steps between a window's elements.
        return_indices (bool): give the places of the maxima too.
        ceil_mode (bool): round the number of windows up.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.MaxPool1d(2)(kagari.tensor([[1.0, 4.0, 2.0, 3.0]])).tolist()
        [[4.0, 3.0]]
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class MaxPool2d(_MaxPoolNd):
    """The maximum of each window of a picture.

    Args:
        kernel_size (int or pair): sizes of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        padding (int or pair): elements of minus infinity around, at most half a window.
        dilation (int or pair): steps between a window's elements.
        return_indices (bool): give the places of the maxima too.
        ceil_mode (bool): round the number of windows up.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.MaxPool2d(2)(kagari.arange(16.0).view(1, 4, 4)).tolist()
        [[[5.0, 7.0], [13.0, 15.0]]]
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class MaxPool3d(_MaxPoolNd):
    """The maximum of each window of a volume.

    Args:
        kernel_size (int or triple): sizes of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        padding (int or triple): elements of minus infinity around, at most half a window.
        dilation (int or triple): steps between a window's elements.
        return_indices (bool): give the places of the maxima too.
        ceil_mode (bool): round the number of windows up.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class _AvgPoolNd(Module):
    __constants__ = [  # noqa: RUF012
        "kernel_size",
        "stride",
        "padding",
        "ceil_mode",
        "count_include_pad",
    ]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    r"""The mean of each window: :math:`y_i = \frac 1 K \sum_k x_{s i + k - p}`.

    Args:
        kernel_size (int): K, elements of a window.
        stride (int): s, steps between windows; ``kernel_size`` by default.
        padding (int): p, zeros on both sides, at most half a window.
        ceil_mode (bool): round the number of windows up.
        count_include_pad (bool): the zeros count in the mean.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.AvgPool1d(2)(kagari.tensor([[1.0, 4.0, 2.0, 3.0]])).tolist()
        [[2.5, 2.5]]
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(
            _single(kernel_size),
            None if stride is None else _single(stride),
            _single(padding),
            ceil_mode,
            count_include_pad,
        )
        del self.divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(  # type: ignore[no-any-return]
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class AvgPool2d(_AvgPoolNd):
    """The mean of each window of a picture.

    Args:
        kernel_size (int or pair): sizes of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        padding (int or pair): zeros around, at most half a window.
        ceil_mode (bool): round the number of windows up.
        count_include_pad (bool): the zeros count in the mean.
        divisor_override (int): divide the sums by this instead.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.AvgPool2d(2)(kagari.arange(4.0).view(1, 2, 2)).tolist()
        [[[1.5]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(  # type: ignore[no-any-return]
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool3d(_AvgPoolNd):
    """The mean of each window of a volume.

    Args:
        kernel_size (int or triple): sizes of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        padding (int or triple): zeros around, at most half a window.
        ceil_mode (bool): round the number of windows up.
        count_include_pad (bool): the zeros count in the mean.
        divisor_override (int): divide the sums by this instead.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool3d(  # type: ignore[no-any-return]
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class _LPPoolNd(Module):
    __constants__ = ["norm_type", "kernel_size", "stride", "ceil_mode"]  # noqa: RUF012

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    r"""The p-norm of each window: :math:`(\sum_k x_k^p)^{1/p}`.

    Args:
        norm_type (float): p; infinity gives the maximum.
        kernel_size (int): elements of a window.
        stride (int): steps between windows; ``kernel_size`` by default.
        ceil_mode (bool): round the number of windows up.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.LPPool1d(2, 2)(kagari.tensor([[3.0, 4.0]])).tolist()
        [[5.0]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool2d(_LPPoolNd):
    r"""The p-norm of each window of a picture: :math:`(\sum_k x_k^p)^{1/p}`.

    Args:
        norm_type (float): p; infinity gives the maximum.
        kernel_size (int or pair): sizes of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        ceil_mode (bool): round the number of windows up.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool3d(_LPPoolNd):
    r"""The p-norm of each window of a volume: :math:`(\sum_k x_k^p)^{1/p}`.

    Args:
        norm_type (float): p; infinity gives the maximum.
        kernel_size (int or triple): sizes of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        ceil_mode (bool): round the number of windows up.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class _AdaptiveMaxPoolNd(Module):
    __constants__ = ["output_size", "return_indices"]  # noqa: RUF012

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima of windows that divide a sequence into a given number of parts.

    Args:
        output_size (int): number of windows.
        return_indices (bool): give the places of the maxima too.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.AdaptiveMaxPool1d(2)(kagari.arange(6.0).view(1, 6)).tolist()
        [[2.0, 5.0]]
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima of windows that divide a picture into given numbers of parts.

    Args:
        output_size (int or pair): numbers of windows; ``None`` keeps the input's size.
        return_indices (bool): give the places of the maxima too.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima of windows that divide a volume into given numbers of parts.

    Args:
        output_size (int or triple): numbers of windows; ``None`` keeps the input's size.
        return_indices (bool): give the places of the maxima too.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _AdaptiveAvgPoolNd(Module):
    __constants__ = ["output_size"]  # noqa: RUF012

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Means of windows that divide a sequence into a given number of parts.

    Args:
        output_size (int): number of windows.

    Shape:
        ``(N, C, L)`` or ``(C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.AdaptiveAvgPool1d(2)(kagari.arange(6.0).view(1, 6)).tolist()
        [[1.0, 4.0]]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)  # type: ignore[no-any-return]


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Means of windows that divide a picture into given numbers of parts.

    Args:
        output_size (int or pair): numbers of windows; ``None`` keeps the input's size.

    Shape:
        ``(N, C, H, W)`` or ``(C, H, W)``.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Means of windows that divide a volume into given numbers of parts.

    Args:
        output_size (int or triple): numbers of windows; ``None`` keeps the input's size.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)
