"""Pooling."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari._core import ops
from kagari.nn._functional._primitive import primitive
from kagari.nn._sizes import _list_with_default, _pair, _single, _triple
from kagari.overrides import overridable

avg_pool1d = primitive("avg_pool1d")
avg_pool2d = primitive("avg_pool2d")
avg_pool3d = primitive("avg_pool3d")
adaptive_avg_pool1d = primitive("adaptive_avg_pool1d")

_adaptive_avg_pool2d = primitive("adaptive_avg_pool2d")
_adaptive_avg_pool3d = primitive("adaptive_avg_pool3d")
_adaptive_max_pool1d = primitive("adaptive_max_pool1d")
_adaptive_max_pool2d = primitive("adaptive_max_pool2d")
_adaptive_max_pool3d = primitive("adaptive_max_pool3d")
_max_pool2d_with_indices = primitive("max_pool2d_with_indices")
_max_pool3d = primitive("max_pool3d")
_max_pool3d_with_indices = primitive("max_pool3d_with_indices")


@overridable
def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`max_pool1d` and their places along the last dimension.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.max_pool1d_with_indices(kagari.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
        (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    size = _single(kernel_size)
    # One row of a picture: the places in it are those in the row.
    values, indices = _max_pool2d_with_indices(
        input.unsqueeze(-2),
        (1, *size),
        (1, *(size if stride is None else _single(stride))),
        (0, *_single(padding)),
        (1, *_single(dilation)),
        ceil_mode,
    )
    return values.squeeze(-2), indices.squeeze(-2)


@overridable
def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    r"""The maximum of each window: :math:`y_i = \max_k x_{s i + d k - p}`.

    Args:
        input (Tensor): ``(N, C, L)`` or ``(C, L)``.
        kernel_size (int): elements of a window.
        stride (int): steps between windows; ``kernel_size`` by default.
        padding (int): elements of minus infinity on both sides, at most half a window.
        dilation (int): steps between a window's elements.
        ceil_mode (bool): round the number of windows up.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, L_out)``; with ``return_indices`` a pair.

    Example:
        >>> import kagari
        >>> max_pool1d(kagari.tensor([[1.0, 4.0, 2.0, 3.0]]), 2).tolist()
        [[4.0, 3.0]]
    """
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    if stride is None:
        stride = kernel_size
    return ops.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)


@overridable
def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`max_pool2d` and their places in the flattened picture.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.max_pool2d_with_indices(kagari.arange(4.0).view(1, 2, 2), 2)
        kagari.return_types.max_pool2d_with_indices(
        output=tensor([[[3.]]]),
        indices=tensor([[[3]]]))
    """
    if stride is None:
        stride = kernel_size
    return _max_pool2d_with_indices(  # type: ignore[no-any-return]
        input, kernel_size, stride, padding, dilation, ceil_mode
    )


@overridable
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    r"""The maximum of each window of a picture.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size (int or pair): sizes of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        padding (int or pair): elements of minus infinity around, at most half a window.
        dilation (int or pair): steps between a window's elements.
        ceil_mode (bool): round the number of windows up.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, H_out, W_out)``; with ``return_indices`` a pair.

    Example:
        >>> import kagari
        >>> max_pool2d(kagari.arange(16.0).view(1, 4, 4), 2).tolist()
        [[[5.0, 7.0], [13.0, 15.0]]]
    """
    if stride is None:
        stride = kernel_size
    if return_indices:
        return _max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return ops.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


@overridable
def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`max_pool3d` and their places in the flattened volume.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> values, places = F.max_pool3d_with_indices(kagari.arange(8.0).view(1, 2, 2, 2), 2)
        >>> places.flatten()
        tensor([7])
    """
    if stride is None:
        stride = kernel_size
    return _max_pool3d_with_indices(  # type: ignore[no-any-return]
        input, kernel_size, stride, padding, dilation, ceil_mode
    )


@overridable
def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of a volume.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size (int or triple): sizes of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        padding (int or triple): elements of minus infinity around, at most half a window.
        dilation (int or triple): steps between a window's elements.
        ceil_mode (bool): round the number of windows up.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, D_out, H_out, W_out)``; with ``return_indices`` a pair.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.max_pool3d(kagari.arange(8.0).view(1, 2, 2, 2), 2).flatten()
        tensor([7.])
    """
    if stride is None:
        stride = kernel_size
    if return_indices:
        return _max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)


@overridable
def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`adaptive_max_pool1d` and their places.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> F.adaptive_max_pool1d_with_indices(kagari.tensor([[1.0, 3.0, 2.0]]), 1)
        kagari.return_types.adaptive_max_pool1d(
        output=tensor([[3.]]),
        indices=tensor([[1]]))
    """
    return _adaptive_max_pool1d(input, output_size)  # type: ignore[no-any-return]


@overridable
def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    r"""Maxima of windows that divide the input into ``output_size`` parts.

    Window i reaches from :math:`\lfloor i L / n \rfloor` to :math:`\lceil (i + 1) L / n \rceil`.

    Args:
        input (Tensor): ``(N, C, L)`` or ``(C, L)``.
        output_size (int): number of windows.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, output_size)``; with ``return_indices`` a pair.

    Example:
        >>> import kagari
        >>> adaptive_max_pool1d(kagari.arange(6.0).view(1, 6), 2).tolist()
        [[2.0, 5.0]]
    """
    both = _adaptive_max_pool1d(input, output_size)
    return both if return_indices else both[0]


@overridable
def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`adaptive_max_pool2d` and their places in the flattened picture.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> values, places = F.adaptive_max_pool2d_with_indices(kagari.rand(1, 4, 4), 2)
        >>> values.shape, places.shape
        (kagari.Size([1, 2, 2]), kagari.Size([1, 2, 2]))
    """
    size = _list_with_default(output_size, input.size())
    return _adaptive_max_pool2d(input, size)  # type: ignore[no-any-return]


@overridable
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of windows that divide a picture into ``output_size`` parts.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        output_size (int or pair): numbers of windows; ``None`` keeps the input's size.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, *output_size)``; with ``return_indices`` a pair.

    Example:
        >>> import kagari
        >>> adaptive_max_pool2d(kagari.arange(16.0).view(1, 4, 4), 1).tolist()
        [[[15.0]]]
    """
    both = _adaptive_max_pool2d(input, _list_with_default(output_size, input.size()))
    return both if return_indices else both[0]


@overridable
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`adaptive_max_pool3d` and their places in the flattened volume.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> x = kagari.arange(8.0).view(1, 2, 2, 2)
        >>> values, places = F.adaptive_max_pool3d_with_indices(x, 1)
        >>> places.flatten()
        tensor([7])
    """
    size = _list_with_default(output_size, input.size())
    return _adaptive_max_pool3d(input, size)  # type: ignore[no-any-return]


@overridable
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima of windows that divide a volume into ``output_size`` parts.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        output_size (int or triple): numbers of windows; ``None`` keeps the input's size.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, *output_size)``; with ``return_indices`` a pair.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> F.adaptive_max_pool3d(kagari.arange(8.0).view(1, 2, 2, 2), 1).flatten()
        tensor([7.])
    """
    both = _adaptive_max_pool3d(input, _list_with_default(output_size, input.size()))
    return both if return_indices else both[0]


@overridable
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of windows that divide a picture into ``output_size`` parts.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        output_size (int or pair): numbers of windows; ``None`` keeps the input's size.

    Returns:
        ``(N, C, *output_size)``.

    Example:
        >>> import kagari
        >>> adaptive_avg_pool2d(kagari.arange(4.0).view(1, 2, 2), 1).tolist()
        [[[1.5]]]
    """
    size = _list_with_default(output_size, input.size())
    return _adaptive_avg_pool2d(input, size)  # type: ignore[no-any-return]


@overridable
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means of windows that divide a volume into ``output_size`` parts.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        output_size (int or triple): numbers of windows; ``None`` keeps the input's size.

    Returns:
        ``(N, C, *output_size)``.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> F.adaptive_avg_pool3d(kagari.arange(8.0).view(1, 2, 2, 2), 1).flatten()
        tensor([3.5000])
    """
    size = _list_with_default(output_size, input.size())
    return _adaptive_avg_pool3d(input, size)  # type: ignore[no-any-return]


def _lp_pool(
    input: Tensor,
    norm_type: float,
    kernel_size: tuple[int, ...],
    stride: Any,
    ceil_mode: bool,
    max_pool: Any,
    avg_pool: Any,
) -> Tensor:
    if norm_type == 0:
        raise ValueError(
            f"lp_pool{len(kernel_size)}d: expected a norm_type other than 0, whose root does not "
            "exist; to count what is not zero, pool (input != 0) with avg_pool and multiply"
        )
    if stride is None:
        stride = kernel_size
    if norm_type == float("inf"):
        return max_pool(input.abs(), kernel_size, stride, 0, 1, ceil_mode)  # type: ignore[no-any-return]
    if norm_type == -float("inf"):
        return -max_pool(-input.abs(), kernel_size, stride, 0, 1, ceil_mode)  # type: ignore[no-any-return]
    count = 1
    for size in kernel_size:
        count *= size
    mean = avg_pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    # Odd powers may leave a negative mean: as in PyTorch the root is that of its absolute value
    # with its sign.
    root: Tensor = (mean.sign() * mean.abs().relu()).mul(count).pow(1.0 / norm_type)
    return root


@overridable
def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Any,
    stride: Any = None,
    ceil_mode: bool = False,
) -> Tensor:
    r"""The p-norm of each window: :math:`(\sum_k x_k^p)^{1/p}`.

    Args:
        input (Tensor): ``(N, C, L)`` or ``(C, L)``.
        norm_type (float): :math:`p`; infinity gives the maximum.
        kernel_size (int): elements of a window.
        stride (int): steps between windows; ``kernel_size`` by default.
        ceil_mode (bool): round the number of windows up.

    Returns:
        ``(N, C, L_out)``.

    Example:
        >>> import kagari
        >>> lp_pool1d(kagari.tensor([[3.0, 4.0]]), 2, 2).tolist()
        [[5.0]]
    """
    size = _single(kernel_size)
    return _lp_pool(input, norm_type, size, stride, ceil_mode, max_pool1d, avg_pool1d)


@overridable
def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Any,
    stride: Any = None,
    ceil_mode: bool = False,
) -> Tensor:
    r"""The p-norm of each window of a picture: :math:`(\sum_k x_k^p)^{1/p}`.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        norm_type (float): :math:`p`; infinity gives the maximum.
        kernel_size (int or pair): sizes of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        ceil_mode (bool): round the number of windows up.

    Returns:
        ``(N, C, H_out, W_out)``.

    Example:
        >>> import kagari
        >>> lp_pool2d(kagari.ones(1, 2, 2), 2, 2).tolist()
        [[[2.0]]]
    """
    size = _pair(kernel_size)
    return _lp_pool(input, norm_type, size, stride, ceil_mode, max_pool2d, avg_pool2d)


@overridable
def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Any,
    stride: Any = None,
    ceil_mode: bool = False,
) -> Tensor:
    r"""The p-norm of each window of a volume: :math:`(\sum_k x_k^p)^{1/p}`.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        norm_type (float): :math:`p`; infinity gives the maximum.
        kernel_size (int or triple): sizes of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        ceil_mode (bool): round the number of windows up.

    Returns:
        ``(N, C, D_out, H_out, W_out)``.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.lp_pool3d(kagari.ones(1, 2, 2, 2), 2, 2).flatten()
        tensor([2.8284])
    """
    size = _triple(kernel_size)
    return _lp_pool(input, norm_type, size, stride, ceil_mode, max_pool3d, avg_pool3d)
