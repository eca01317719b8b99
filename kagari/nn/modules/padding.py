"""Padding layers."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn._sizes import _ntuple
from kagari.nn.modules.module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _PadNd(Module):
    """What the padding layers share."""

    __constants__ = ["padding"]  # noqa: RUF012
    _dims: int
    _mode: str
    padding: tuple[int, ...]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_PadNd):
    _mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        low = self._dims + 1
        if input.dim() not in (low, low + 1):
            raise ValueError(f"expected {low}D or {low + 1}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return super().forward(input)


class _ConstantPadNd(_PadNd):
    __constants__ = ["padding", "value"]  # noqa: RUF012
    _mode = "constant"
    value: float

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Goes around at the edges of sequences.

    Args:
        padding (int or tuple): left, right; negative numbers cut.

    Shape:
        ``(C, L)`` or ``(N, C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.CircularPad1d(1)(kagari.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[3.0, 1.0, 2.0, 3.0, 1.0]]
    """

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Goes around at the edges of pictures.

    Args:
        padding (int or tuple): left, right, top, bottom; negative numbers cut.

    Shape:
        ``(C, H, W)`` or ``(N, C, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.CircularPad2d((1, 0, 0, 1))(kagari.tensor([[[1, 2], [3, 4]]]).float())[0]
        tensor([[2., 1., 2.],
                [4., 3., 4.],
                [2., 1., 2.]])
    """

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """Goes around at the edges of volumes.

    Args:
        padding (int or tuple): left, right, top, bottom, front, back; negative numbers cut.

    Shape:
        ``(C, D, H, W)`` or ``(N, C, D, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.CircularPad3d(1)(kagari.rand(1, 2, 2, 2)).shape
        kagari.Size([1, 4, 4, 4])
    """

    _dims = 3


class ConstantPad1d(_ConstantPadNd):
    """Puts a constant around sequences.

    Args:
        padding (int or tuple): left, right; negative numbers cut.
        value (float): the constant.

    Shape:
        ``(C, L)`` or ``(N, C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ConstantPad1d(1, 9.0)(kagari.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[9.0, 1.0, 2.0, 3.0, 9.0]]
    """

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """Puts a constant around pictures.

    Args:
        padding (int or tuple): left, right, top, bottom; negative numbers cut.
        value (float): the constant.

    Shape:
        ``(C, H, W)`` or ``(N, C, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ConstantPad2d((1, 0, 0, 1), 9)(kagari.tensor([[[1, 2], [3, 4]]]).float())[0]
        tensor([[9., 1., 2.],
                [9., 3., 4.],
                [9., 9., 9.]])
    """

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """Puts a constant around volumes.

    Args:
        padding (int or tuple): left, right, top, bottom, front, back; negative numbers cut.
        value (float): the constant.

    Shape:
        ``(C, D, H, W)`` or ``(N, C, D, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ConstantPad3d(1, 9)(kagari.rand(1, 2, 2, 2)).shape
        kagari.Size([1, 4, 4, 4])
    """

    _dims = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Mirrors, without repeating the edge, at the edges of sequences.

    Args:
        padding (int or tuple): left, right; negative numbers cut.

    Shape:
        ``(C, L)`` or ``(N, C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ReflectionPad1d(1)(kagari.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[2.0, 1.0, 2.0, 3.0, 2.0]]
    """

    _dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirrors, without repeating the edge, at the edges of pictures.

    Args:
        padding (int or tuple): left, right, top, bottom; negative numbers cut.

    Shape:
        ``(C, H, W)`` or ``(N, C, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ReflectionPad2d((1, 0, 0, 1))(kagari.tensor([[[1, 2], [3, 4]]]).float())[0]
        tensor([[2., 1., 2.],
                [4., 3., 4.],
                [2., 1., 2.]])
    """

    _dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirrors, without repeating the edge, at the edges of volumes.

    Args:
        padding (int or tuple): left, right, top, bottom, front, back; negative numbers cut.

    Shape:
        ``(C, D, H, W)`` or ``(N, C, D, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ReflectionPad3d(1)(kagari.rand(1, 2, 2, 2)).shape
        kagari.Size([1, 4, 4, 4])
    """

    _dims = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Repeats the edge of sequences.

    Args:
        padding (int or tuple): left, right; negative numbers cut.

    Shape:
        ``(C, L)`` or ``(N, C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ReplicationPad1d(1)(kagari.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[1.0, 1.0, 2.0, 3.0, 3.0]]
    """

    _dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeats the edge of pictures.

    Args:
        padding (int or tuple): left, right, top, bottom; negative numbers cut.

    Shape:
        ``(C, H, W)`` or ``(N, C, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ReplicationPad2d((1, 0, 0, 1))(kagari.tensor([[[1, 2], [3, 4]]]).float())[0]
        tensor([[1., 1., 2.],
                [3., 3., 4.],
                [3., 3., 4.]])
    """

    _dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeats the edge of volumes.

    Args:
        padding (int or tuple): left, right, top, bottom, front, back; negative numbers cut.

    Shape:
        ``(C, D, H, W)`` or ``(N, C, D, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ReplicationPad3d(1)(kagari.rand(1, 2, 2, 2)).shape
        kagari.Size([1, 4, 4, 4])
    """

    _dims = 3


class ZeroPad1d(ConstantPad1d):
    """Puts zeros around sequences.

    Args:
        padding (int or tuple): left, right; negative numbers cut.

    Shape:
        ``(C, L)`` or ``(N, C, L)``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ZeroPad1d(1)(kagari.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[0.0, 1.0, 2.0, 3.0, 0.0]]
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Puts zeros around pictures.

    Args:
        padding (int or tuple): left, right, top, bottom; negative numbers cut.

    Shape:
        ``(C, H, W)`` or ``(N, C, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ZeroPad2d((1, 0, 0, 1))(kagari.tensor([[[1, 2], [3, 4]]]).float())[0]
        tensor([[0., 1., 2.],
                [0., 3., 4.],
                [0., 0., 0.]])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Puts zeros around volumes.

    Args:
        padding (int or tuple): left, right, top, bottom, front, back; negative numbers cut.

    Shape:
        ``(C, D, H, W)`` or ``(N, C, D, H, W)``.

    Example:
        >>> import kagari
        >>> kagari.nn.ZeroPad3d(1)(kagari.rand(1, 2, 2, 2)).shape
        kagari.Size([1, 4, 4, 4])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
