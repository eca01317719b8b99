"""Pooling layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn._sizes import _pair, _single, _triple
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
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
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

    Example:
        >>> import kagari
        >>> kagari.nn.MaxPool3d(2)(kagari.arange(8.0).view(1, 2, 2, 2)).flatten()
        tensor([7.])
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

    Example:
        >>> import kagari
        >>> kagari.nn.AvgPool3d(2)(kagari.arange(8.0).view(1, 2, 2, 2)).flatten()
        tensor([3.5000])
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

    Example:
        >>> import kagari
        >>> kagari.nn.LPPool2d(2, 2)(kagari.tensor([[[3.0, 4.0], [0.0, 0.0]]]))
        tensor([[[5.]]])
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

    Example:
        >>> import kagari
        >>> kagari.nn.LPPool3d(2, 2)(kagari.ones(1, 2, 2, 2)).flatten()
        tensor([2.8284])
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

    Example:
        >>> import kagari
        >>> kagari.nn.AdaptiveMaxPool2d(1)(kagari.arange(4.0).view(1, 2, 2)).flatten()
        tensor([3.])
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

    Example:
        >>> import kagari
        >>> kagari.nn.AdaptiveMaxPool3d(1)(kagari.arange(8.0).view(1, 2, 2, 2)).flatten()
        tensor([7.])
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

    Example:
        >>> import kagari
        >>> kagari.nn.AdaptiveAvgPool2d(1)(kagari.arange(4.0).view(1, 2, 2)).flatten()
        tensor([1.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Means of windows that divide a volume into given numbers of parts.

    Args:
        output_size (int or triple): numbers of windows; ``None`` keeps the input's size.

    Shape:
        ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.AdaptiveAvgPool3d(1)(kagari.arange(8.0).view(1, 2, 2, 2)).flatten()
        tensor([3.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class _MaxUnpoolNd(Module):
    def __init__(
        self, parse: Callable[[Any], tuple[Any, ...]], kernel_size: Any, stride: Any, padding: Any
    ) -> None:
        super().__init__()
        self.kernel_size = parse(kernel_size)
        self.stride = parse(kernel_size if stride is None else stride)
        self.padding = parse(padding)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Maxima put back where :class:`MaxPool1d` found them, zeros elsewhere.

    Args:
        kernel_size (int): size of a window.
        stride (int): steps between windows; ``kernel_size`` by default.
        padding (int): what the pooling padded.

    Shape:
        ``(N, C, L)`` and the places of the maxima to the pooling's input; ``output_size`` tells its
        size where several fit.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> x, places = nn.MaxPool1d(2, return_indices=True)(kagari.tensor([[1.0, 4.0, 2.0, 3.0]]))
        >>> nn.MaxUnpool1d(2)(x, places).tolist()
        [[0.0, 4.0, 0.0, 3.0]]
    """

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(_single, kernel_size, stride, padding)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool1d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool2d(_MaxUnpoolNd):
    """Maxima put back where :class:`MaxPool2d` found them, zeros elsewhere.

    Args:
        kernel_size (int or pair): size of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        padding (int or pair): what the pooling padded.

    Shape:
        ``(N, C, H, W)`` and the places of the maxima to the pooling's input; ``output_size`` tells
        its size where several fit.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> image = kagari.arange(4.0).view(1, 2, 2)
        >>> nn.MaxUnpool2d(2)(*nn.MaxPool2d(2, return_indices=True)(image)).tolist()
        [[[0.0, 0.0], [0.0, 3.0]]]
    """

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(_pair, kernel_size, stride, padding)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool2d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool3d(_MaxUnpoolNd):
    """Maxima put back where :class:`MaxPool3d` found them, zeros elsewhere.

    Args:
        kernel_size (int or triple): size of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        padding (int or triple): what the pooling padded.

    Shape:
        ``(N, C, D, H, W)`` and the places of the maxima to the pooling's input; ``output_size``
        tells its size where several fit.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> volume = kagari.ones(1, 2, 2, 2)
        >>> nn.MaxUnpool3d(2)(*nn.MaxPool3d(2, return_indices=True)(volume)).sum().item()
        1.0
    """

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(_triple, kernel_size, stride, padding)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool3d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class _FractionalMaxPoolNd(Module):
    __constants__ = ["kernel_size", "return_indices", "output_size", "output_ratio"]  # noqa: RUF012
    _random_samples: Any

    def __init__(
        self,
        parse: Callable[[Any], tuple[Any, ...]],
        kernel_size: Any,
        output_size: Any,
        output_ratio: Any,
        return_indices: bool,
        _random_samples: Tensor | None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = parse(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = parse(output_size) if output_size is not None else None
        self.output_ratio = parse(output_ratio) if output_ratio is not None else None
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The maximum of each window, windows lying at steps that vary at random.

    Args:
        kernel_size (int or pair): sizes of a window.
        output_size (int or pair): numbers of windows.
        output_ratio (float or pair of floats): their ratios to the input's sizes, instead.
        return_indices (bool): give the places of the maxima too.

    Shape:
        ``(N, C, H, W)`` to the same with ``output_size``.

    Raises:
        ValueError: not one of size and ratio is given, or a ratio is not between 0 and 1.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.FractionalMaxPool2d(2, output_size=3)(kagari.randn(1, 1, 7, 7)).shape)
        (1, 1, 3, 3)

    Reference: Graham 2014, https://arxiv.org/abs/1412.6071
    """

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__(
            _pair, kernel_size, output_size, output_ratio, return_indices, _random_samples
        )

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool2d(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """The maximum of each window, windows lying at steps that vary at random.

    Args:
        kernel_size (int or triple): sizes of a window.
        output_size (int or triple): numbers of windows.
        output_ratio (float or triple of floats): their ratios to the input's sizes, instead.
        return_indices (bool): give the places of the maxima too.

    Shape:
        ``(N, C, D, H, W)`` to the same with ``output_size``.

    Raises:
        ValueError: not one of size and ratio is given, or a ratio is not between 0 and 1.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.FractionalMaxPool3d(2, output_size=3)(kagari.randn(1, 1, 7, 7, 7)).shape)
        (1, 1, 3, 3, 3)

    Reference: Graham 2014, https://arxiv.org/abs/1412.6071
    """

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__(
            _triple, kernel_size, output_size, output_ratio, return_indices, _random_samples
        )

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool3d(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )
