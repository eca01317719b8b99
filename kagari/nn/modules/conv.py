"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init
from kagari.nn._sizes import _ntuple, _pair, _reverse_repeat_tuple, _single, _triple
from kagari.nn.modules.lazy import LazyModuleMixin
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter, UninitializedParameter

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    __constants__ = [  # noqa: RUF012
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]
    weight: Tensor
    bias: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: Any,
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {padding!r}, should be one of 'same', 'valid'"
                )
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, "
                f"but got padding_mode='{padding_mode}'"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        # The padding as F.pad takes it, for the modes that convolution itself does not know.
        if padding == "valid":
            self._reversed_padding_repeated_twice: Any = [0, 0] * len(kernel_size)
        elif padding == "same":
            self._reversed_padding_repeated_twice = []
            for d, k in zip(reversed(dilation), reversed(kernel_size), strict=True):
                total = d * (k - 1)
                self._reversed_padding_repeated_twice += [total // 2, total - total // 2]
        else:
            self._reversed_padding_repeated_twice = _reverse_repeat_tuple(padding, 2)
        if transposed:
            shape = (in_channels, out_channels // groups, *kernel_size)
        else:
            shape = (out_channels, in_channels // groups, *kernel_size)
        self.weight = Parameter(kagari.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(kagari.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values: uniform in the inverse root of the fan-in."""
        with kagari.no_grad():
            if self.weight.is_contiguous():
                init.kaiming_uniform_(self.weight, a=math.sqrt(5))
            else:
                # The numbers are to go by index, whatever the layout in memory.
                plain = kagari.empty(
                    tuple(self.weight.shape), dtype=self.weight.dtype, device=self.weight.device
                )
                self.weight.copy_(init.kaiming_uniform_(plain, a=math.sqrt(5)))
            if self.bias is not None:
                fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
                bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * len(value):
                parts.append(f"{name}={value}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class _Conv(_ConvNd):
    """What the plain convolutions share; they differ in their number of dimensions."""

    _dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        spread = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            spread(kernel_size),
            spread(stride),
            padding if isinstance(padding, str) else spread(padding),
            spread(dilation),
            False,
            spread(0),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    r"""Convolution of sequences (cross-correlation, as everywhere in deep learning).

    :math:`y_o = b_o + \sum_c w_{o c} \star x_c`, with
    :math:`L_{out} = \lfloor (L + 2 p - d (k - 1) - 1) / s \rfloor + 1`.

    Args:
        in_channels (int): C_in.
        out_channels (int): C_out.
        kernel_size (int or tuple): k.
        stride (int or tuple): s.
        padding (int, tuple or str): p; ``"valid"`` for none, ``"same"`` for an output as long as
            the input (with stride 1).
        dilation (int or tuple): d, steps between the kernel's elements.
        groups (int): divides the channels into parts that do not mix.
        bias (bool): whether there is b.
        padding_mode (str): ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(N, C_in, L)`` or ``(C_in, L)`` to ``(N, C_out, L_out)`` or ``(C_out, L_out)``.

    Raises:
        ValueError: the channels are not divisible by the groups, or a padding is not known.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.Conv1d(16, 33, 3, stride=2)(kagari.zeros(20, 16, 50)).shape)
        (20, 33, 24)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    _dims = 1

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = _single(0)
        return F.conv1d(  # type: ignore[no-any-return]
            input, weight, bias, self.stride, padding, self.dilation, self.groups
        )


class Conv2d(_Conv):
    r"""Convolution of pictures (cross-correlation, as everywhere in deep learning).

    :math:`y_o = b_o + \sum_c w_{o c} \star x_c`, with
    :math:`H_{out} = \lfloor (H + 2 p - d (k - 1) - 1) / s \rfloor + 1` and W likewise.

    Args:
        in_channels (int): C_in.
        out_channels (int): C_out.
        kernel_size (int or pair): k.
        stride (int or pair): s.
        padding (int, pair or str): p; ``"valid"`` for none, ``"same"`` for an output as large as
            the input (with stride 1).
        dilation (int or pair): d, steps between the kernel's elements.
        groups (int): divides the channels into parts that do not mix.
        bias (bool): whether there is b.
        padding_mode (str): ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(N, C_in, H, W)`` or ``(C_in, H, W)`` to ``(N, C_out, H_out, W_out)`` or without N.

    Raises:
        ValueError: the channels are not divisible by the groups, or a padding is not known.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))
        >>> tuple(m(kagari.zeros(2, 16, 50, 100)).shape)
        (2, 33, 28, 100)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    _dims = 2

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = _pair(0)
        return F.conv2d(  # type: ignore[no-any-return]
            input, weight, bias, self.stride, padding, self.dilation, self.groups
        )


class Conv3d(_Conv):
    r"""Convolution of volumes (cross-correlation, as everywhere in deep learning).

    :math:`y_o = b_o + \sum_c w_{o c} \star x_c`, with
    :math:`D_{out} = \lfloor (D + 2 p - d (k - 1) - 1) / s \rfloor + 1` and H, W likewise.

    Args:
        in_channels (int): C_in.
        out_channels (int): C_out.
        kernel_size (int or triple): k.
        stride (int or triple): s.
        padding (int, triple or str): p; ``"valid"`` for none, ``"same"`` for an output as large
            as the input (with stride 1).
        dilation (int or triple): d, steps between the kernel's elements.
        groups (int): divides the channels into parts that do not mix.
        bias (bool): whether there is b.
        padding_mode (str): ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(N, C_in, D, H, W)`` or ``(C_in, D, H, W)`` to ``(N, C_out, D_out, H_out, W_out)`` or
        without N.

    Raises:
        ValueError: the channels are not divisible by the groups, or a padding is not known.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Conv3d(2, 4, 3, padding=1, stride=2)
        >>> layer(kagari.rand(1, 2, 8, 8, 8)).shape
        kagari.Size([1, 4, 4, 4, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
    """

    _dims = 3

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = _triple(0)
        return F.conv3d(  # type: ignore[no-any-return]
            input, weight, bias, self.stride, padding, self.dilation, self.groups
        )


class _ConvTransposeNd(_ConvNd):
    """What the transposed convolutions share; they differ in their number of dimensions."""

    _dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        spread = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            spread(kernel_size),
            spread(stride),
            spread(padding),
            spread(dilation),
            True,
            spread(output_padding),
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> Any:
        """The padding at one side that makes the output ``output_size``."""
        if output_size is None:
            return self.output_padding
        dims = self._dims
        lead = 2 if input.dim() == dims + 2 else 1
        if len(output_size) == lead + dims:
            output_size = output_size[lead:]
        if len(output_size) != dims:
            raise ValueError(
                f"ConvTranspose{dims}D: for {input.dim()}D input, output_size must have {dims} "
                f"or {lead + dims} elements (got {len(output_size)})"
            )
        least = [
            (input.size(i + lead) - 1) * self.stride[i]
            - 2 * self.padding[i]
            + self.dilation[i] * (self.kernel_size[i] - 1)
            + 1
            for i in range(dims)
        ]
        most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
        for size, low, high in zip(output_size, least, most, strict=True):
            if not low <= size <= high:
                raise ValueError(
                    f"requested an output size of {output_size}, but valid sizes range from "
                    f"{least} to {most} (for an input of {input.size()[2:]})"
                )
        return [size - low for size, low in zip(output_size, least, strict=True)]

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        function = getattr(F, f"conv_transpose{self._dims}d")
        return function(  # type: ignore[no-any-return]
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTransposeNd):
    r"""The gradient of :class:`Conv1d` as a layer: it makes sequences longer.

    :math:`L_{out} = (L - 1) s - 2 p + d (k - 1) + o + 1`.

    Args:
        in_channels (int): C_in.
        out_channels (int): C_out.
        kernel_size (int or tuple): k.
        stride (int or tuple): s.
        padding (int or tuple): p.
        output_padding (int or tuple): o, elements added at the end; less than the stride.
        groups (int): divides the channels into parts that do not mix.
        bias (bool): whether there is a bias.
        dilation (int or tuple): d, steps between the kernel's elements.
        padding_mode (str): only ``"zeros"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(N, C_in, L)`` to ``(N, C_out, L_out)``. The call takes ``output_size`` to choose among
        the possible output sizes.

    Raises:
        ValueError: the channels are not divisible by the groups.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.ConvTranspose1d(16, 33, 3, stride=2)(kagari.zeros(20, 16, 50)).shape)
        (20, 33, 101)

    Reference: Zeiler et al. 2010, "Deconvolutional networks".
    """

    _dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    r"""The gradient of :class:`Conv2d` as a layer: it makes pictures larger.

    :math:`H_{out} = (H - 1) s - 2 p + d (k - 1) + o + 1` and W likewise.

    Args:
        in_channels (int): C_in.
        out_channels (int): C_out.
        kernel_size (int or pair): k.
        stride (int or pair): s.
        padding (int or pair): p.
        output_padding (int or pair): o, elements added at the end; less than the stride.
        groups (int): divides the channels into parts that do not mix.
        bias (bool): whether there is a bias.
        dilation (int or pair): d, steps between the kernel's elements.
        padding_mode (str): only ``"zeros"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(N, C_in, H, W)`` to ``(N, C_out, H_out, W_out)``. The call takes ``output_size`` to
        choose among the possible output sizes.

    Raises:
        ValueError: the channels are not divisible by the groups.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1)
        >>> tuple(m(kagari.zeros(1, 4, 6, 6), output_size=(12, 12)).shape)
        (1, 2, 12, 12)

    Reference: Zeiler et al. 2010, "Deconvolutional networks".
    """

    _dims = 2


class ConvTranspose3d(_ConvTransposeNd):
    r"""The gradient of :class:`Conv3d` as a layer: it makes volumes larger.

    :math:`D_{out} = (D - 1) s - 2 p + d (k - 1) + o + 1` and H, W likewise.

    Args:
        in_channels (int): C_in.
        out_channels (int): C_out.
        kernel_size (int or triple): k.
        stride (int or triple): s.
        padding (int or triple): p.
        output_padding (int or triple): o, elements added at the end; less than the stride.
        groups (int): divides the channels into parts that do not mix.
        bias (bool): whether there is a bias.
        dilation (int or triple): d, steps between the kernel's elements.
        padding_mode (str): only ``"zeros"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(N, C_in, D, H, W)`` to ``(N, C_out, D_out, H_out, W_out)``. The call takes
        ``output_size`` to choose among the possible output sizes.

    Raises:
        ValueError: the channels are not divisible by the groups.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.ConvTranspose3d(2, 4, 2, stride=2)
        >>> layer(kagari.rand(1, 2, 4, 4, 4)).shape
        kagari.Size([1, 4, 8, 8, 8])

    Reference: Zeiler et al. 2010, "Deconvolutional networks".
    """

    _dims = 3


class _LazyConvXdMixin(LazyModuleMixin):
    """A convolution that takes ``in_channels`` from its first input."""

    def _make_lazy(self: Any, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self: Any) -> None:
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._get_in_channels(input)
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        self.weight.materialize((outer, inner // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _get_in_channels(self: Any, input: Tensor) -> int:
        unbatched = self._dims + 1
        if input.dim() not in (unbatched, unbatched + 1):
            raise RuntimeError(
                f"Expected {unbatched}D (unbatched) or {unbatched + 1}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        return int(input.shape[-unbatched])


class _LazyConv(_LazyConvXdMixin):
    def __init__(
        self: Any,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._make_lazy(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConvXdMixin):
    def __init__(
        self: Any,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            0,
            0,
            kernel_size,
            stride,
            padding,
            output_padding,
            groups,
            False,
            dilation,
            padding_mode,
        )
        self._make_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A :class:`Conv1d` that takes ``in_channels`` from its first input.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.LazyConv1d(4, 3)
        >>> tuple(m(kagari.zeros(1, 2, 5)).shape), m.in_channels
        ((1, 4, 3), 2)
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A :class:`Conv2d` that takes ``in_channels`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyConv2d(4, 3)
        >>> _ = layer(kagari.rand(1, 2, 5, 5))
        >>> layer
        Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A :class:`Conv3d` that takes ``in_channels`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyConv3d(4, 3)
        >>> _ = layer(kagari.rand(1, 2, 5, 5, 5))
        >>> layer
        Conv3d(2, 4, kernel_size=(3, 3, 3), stride=(1, 1, 1))
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A :class:`ConvTranspose1d` that takes ``in_channels`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyConvTranspose1d(4, 3)
        >>> _ = layer(kagari.rand(1, 2, 5))
        >>> layer
        ConvTranspose1d(2, 4, kernel_size=(3,), stride=(1,))
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A :class:`ConvTranspose2d` that takes ``in_channels`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyConvTranspose2d(4, 3)
        >>> _ = layer(kagari.rand(1, 2, 5, 5))
        >>> layer
        ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A :class:`ConvTranspose3d` that takes ``in_channels`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyConvTranspose3d(4, 3)
        >>> _ = layer(kagari.rand(1, 2, 5, 5, 5))
        >>> layer
        ConvTranspose3d(2, 4, kernel_size=(3, 3, 3), stride=(1, 1, 1))
    """

    cls_to_become = ConvTranspose3d
