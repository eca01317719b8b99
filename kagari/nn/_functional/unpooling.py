"""Pooling undone, and pooling over windows at random places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.amp._precision import full_precision
from kagari.nn._sizes import _pair, _single, _triple
from kagari.overrides import overridable

# ---- maxima put back in their places -------------------------------------------------------------


def _unpool_output_size(
    input: Tensor,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    output_size: Sequence[int] | None,
) -> list[int]:
    dims = len(kernel_size)
    spatial = input.shape[-dims:]
    usual = [(spatial[d] - 1) * stride[d] + kernel_size[d] - 2 * padding[d] for d in range(dims)]
    if output_size is None:
        return usual
    size = list(output_size)
    if len(size) == dims + 2:
        size = size[2:]
    if len(size) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it "
            f"has a length of '{len(size)}'"
        )
    for d in range(dims):
        low, high = usual[d] - stride[d], usual[d] + stride[d]
        if not low < size[d] < high:
            raise ValueError(
                f'invalid output_size "{tuple(output_size)}" (dim {d} must be between {low} and '
                f"{high})"
            )
    return size


def _max_unpool(
    dims: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: tuple[int, ...],
    stride: Any,
    padding: tuple[int, ...],
    output_size: Sequence[int] | None,
    parse: Any,
) -> Tensor:
    name = f"max_unpool{dims}d"
    stride = kernel_size if stride is None else parse(stride)
    size = _unpool_output_size(input, kernel_size, stride, padding, output_size)
    if input.dim() not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Input to {name.replace('pool', 'pooling')} should be a {dims + 1}d or {dims + 2}d "
            f"Tensor, but got a tensor with {input.dim()} dimensions."
        )
    if not input.is_floating_point() and (input.is_complex() or input.dtype == kagari.bool):
        raise NotImplementedError(f"{name}: is not implemented for {input.dtype}")
    if indices.dtype != kagari.int64:
        raise RuntimeError(
            f"{name}: elements in indices should be type int64 but got: {indices.dtype}"
        )
    if indices.shape != input.shape:
        raise RuntimeError(
            f"{name}: Expected shape of indices to be same as that of the input tensor "
            f"({list(input.shape)}) but got indices tensor with shape: {list(indices.shape)}"
        )
    first = input.dim() - dims - 1
    for d in range(first, input.dim()):
        if input.shape[d] == 0:
            raise RuntimeError(
                f"{name}: Expected input to have non-zero size for non-batch dimensions, but got "
                f"{list(input.shape)} with dimension {d} being empty."
            )
    if min(stride) <= 0 and dims == 3:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(stride)}")
    count = math.prod(size)
    if indices.numel():
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= count or min(size) < 0:
            raise RuntimeError(
                f"{name}: Found an invalid max index: {low if low < 0 else high} (output volumes "
                f"are of size {'x'.join(map(str, size))})"
            )
    lead = input.shape[: first + 1]
    flat = input.new_zeros((*lead, count))
    # A place that occurs twice keeps one of its values, as in PyTorch.
    placed = flat.scatter(-1, indices.flatten(first + 1), input.flatten(first + 1))
    result = placed.reshape(*lead, *size)
    pixels = dims == 2 and input.dim() == 4 and not input.is_contiguous()
    if pixels and input.is_contiguous(memory_format=kagari.channels_last):
        return result.contiguous(memory_format=kagari.channels_last)
    return result


@overridable
@full_precision
def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Maxima put back where :func:`max_pool1d` found them, zeros elsewhere.

    Args:
        input (Tensor): ``(N, C, L)`` or ``(C, L)``.
        indices (Tensor): the places that the pooling returned.
        kernel_size (int): elements of a window.
        stride (int): steps between windows; ``kernel_size`` by default.
        padding (int): what the pooling padded.
        output_size (sequence of ints): the size of the pooling's input, where several fit.

    Returns:
        ``(N, C, L_out)``.

    Raises:
        ValueError: ``output_size`` could not have given this input.
        RuntimeError: shapes do not fit, or a place lies outside.

    Example:
        >>> import kagari
        >>> max_unpool1d(kagari.tensor([[2.0, 4.0]]), kagari.tensor([[1, 2]]), 2).tolist()
        [[0.0, 2.0, 4.0, 0.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool1d.html
    """
    kernel, pad = _single(kernel_size), _single(padding)
    return _max_unpool(1, input, indices, kernel, stride, pad, output_size, _single)


@overridable
@full_precision
def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Maxima put back where :func:`max_pool2d` found them, zeros elsewhere.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        indices (Tensor): the places that the pooling returned.
        kernel_size (int or pair): sizes of a window.
        stride (int or pair): steps between windows; ``kernel_size`` by default.
        padding (int or pair): what the pooling padded.
        output_size (sequence of ints): the size of the pooling's input, where several fit.

    Returns:
        ``(N, C, H_out, W_out)``.

    Raises:
        ValueError: ``output_size`` could not have given this input.
        RuntimeError: shapes do not fit, or a place lies outside.

    Example:
        >>> import kagari
        >>> max_unpool2d(kagari.tensor([[[4.0]]]), kagari.tensor([[[3]]]), 2).tolist()
        [[[0.0, 0.0], [0.0, 4.0]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
    """
    kernel, pad = _pair(kernel_size), _pair(padding)
    return _max_unpool(2, input, indices, kernel, stride, pad, output_size, _pair)


@overridable
@full_precision
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Maxima put back where :func:`max_pool3d` found them, zeros elsewhere.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        indices (Tensor): the places that the pooling returned.
        kernel_size (int or triple): sizes of a window.
        stride (int or triple): steps between windows; ``kernel_size`` by default.
        padding (int or triple): what the pooling padded.
        output_size (sequence of ints): the size of the pooling's input, where several fit.

    Returns:
        ``(N, C, D_out, H_out, W_out)``.

    Raises:
        ValueError: ``output_size`` could not have given this input.
        RuntimeError: shapes do not fit, or a place lies outside.

    Example:
        >>> import kagari
        >>> max_unpool3d(kagari.ones(1, 1, 1, 1), kagari.zeros(1, 1, 1, 1).long(), 2).sum().item()
        1.0

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool3d.html
    """
    kernel, pad = _triple(kernel_size), _triple(padding)
    return _max_unpool(3, input, indices, kernel, stride, pad, output_size, _triple)


# ---- windows at random places --------------------------------------------------------------------


def _starts(samples: Tensor, size: int, count: int, kernel: int) -> Tensor:
    """Where each window begins: steps of one length, shifted by a random part of it."""
    last = size - kernel
    if count == 1:
        return kagari.full((*samples.shape, 1), last, dtype=kagari.int64, device=samples.device)
    alpha = last / (count - 1)
    step = kagari.arange(count, dtype=samples.dtype, device=samples.device)
    shift = samples.unsqueeze(-1)
    alpha_like = kagari.full((), alpha, dtype=samples.dtype, device=samples.device)
    starts = ((step + shift) * alpha_like).long() - (shift * alpha_like).long()
    # The last window ends with the input.
    return kagari.cat([starts[..., :-1], kagari.full_like(starts[..., :1], last)], -1)


def _fractional_max_pool(
    dims: int,
    input: Tensor,
    kernel_size: tuple[int, ...],
    output_size: Any,
    output_ratio: Any,
    samples: Tensor | None,
    parse: Any,
) -> tuple[Tensor, Tensor]:
    name = f"fractional_max_pool{dims}d"
    if output_size is None:
        if output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        if len(output_ratio) != dims:
            raise ValueError(
                f"{name} requires output_ratio to either be a single Int or tuple of Ints."
            )
        output_size = [int(input.size(d - dims) * ratio) for d, ratio in enumerate(output_ratio)]
    size = parse(output_size)
    if len(kernel_size) != dims or len(size) != dims:
        what = "kernel_size" if len(kernel_size) != dims else "output_size"
        raise RuntimeError(f"{name}: {what} must either be a single Int or tuple of Ints")
    if input.dim() not in (dims + 1, dims + 2):
        raise IndexError(
            f"{name}: expected {dims + 1}D or {dims + 2}D input, got {tuple(input.shape)}"
        )
    if not input.is_floating_point():
        raise NotImplementedError(
            f"{name}: is not implemented for {input.dtype}; convert the input with .float()"
        )
    single = input.dim() == dims + 1
    batched = input.unsqueeze(0) if single else input
    batch, channels, *spatial = batched.shape
    if 0 in batched.shape[1:]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got"
            f"{list(input.shape)}"
        )
    for axis, n, k, count in zip("THW"[-dims:], spatial, kernel_size, size, strict=True):
        word = {"T": "time", "H": "height", "W": "width"}[axis]
        if n < count + k - 1:
            raise RuntimeError(
                f"{name}(): pool {word} {k} too large relative to input {word} {n} for {count} "
                "windows"
            )
    if samples is None:
        samples = kagari.rand(batch, channels, dims, dtype=input.dtype, device=input.device)
    if samples.dtype != input.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.dim() != 3 or samples.shape[2] != dims:
        raise RuntimeError(
            f"Expect _random_samples of shape {(batch, channels, dims)}, got {tuple(samples.shape)}"
        )
    if samples.shape[0] < batch:
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if samples.shape[1] != channels:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    samples = samples[:batch].detach()
    # Images draw for the width first, volumes for the depth.
    order = (1, 0) if dims == 2 else (0, 1, 2)
    places = kagari.zeros((1,) * (2 + 2 * dims), dtype=kagari.int64, device=input.device)
    for d in range(dims):
        starts = _starts(samples[..., order[d]], spatial[d], size[d], kernel_size[d])
        at = starts.unsqueeze(-1) + kagari.arange(kernel_size[d], device=input.device)
        shape = [batch, channels, *[1] * (2 * dims)]
        shape[2 + d], shape[2 + dims + d] = size[d], kernel_size[d]
        places = places * spatial[d] + at.reshape(shape)
    area = math.prod(kernel_size)
    flat = batched.reshape(batch, channels, math.prod(spatial))
    chosen = places.reshape(batch, channels, math.prod(size) * area)
    windows = flat.detach().gather(-1, chosen).reshape(batch, channels, *size, area)
    places = places.reshape(windows.shape)
    # Of several NaN the last counts, of equal maxima the first.
    nan = windows.isnan()
    rank = kagari.arange(1, windows.shape[-1] + 1, device=input.device)
    best = kagari.where(
        nan.any(-1), (nan * rank).argmax(-1), windows.masked_fill(nan, 0).argmax(-1)
    )
    indices = places.gather(-1, best.unsqueeze(-1)).squeeze(-1)
    values = flat.gather(-1, indices.flatten(2)).reshape(indices.shape)
    return (values.squeeze(0), indices.squeeze(0)) if single else (values, indices)


@overridable
@full_precision
def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`fractional_max_pool2d` and their places in the flattened picture.

    Example:
        >>> import kagari
        >>> x = kagari.rand(1, 1, 8, 8)
        >>> from kagari.nn import functional as F
        >>> values, places = F.fractional_max_pool2d_with_indices(x, 2, output_size=4)
        >>> values.shape, places.shape
        (kagari.Size([1, 1, 4, 4]), kagari.Size([1, 1, 4, 4]))
    """
    kernel = _pair(kernel_size)
    return _fractional_max_pool(2, input, kernel, output_size, output_ratio, _random_samples, _pair)


@overridable
@full_precision
def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The maximum of each window of a picture, windows lying at steps that vary at random.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size (int or pair): sizes of a window.
        output_size (int or pair): numbers of windows.
        output_ratio (pair of floats): their ratios to the input's sizes, instead.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, *output_size)``; with ``return_indices`` a pair.

    Raises:
        ValueError: neither size nor ratio is given.
        RuntimeError: the windows do not fit.

    Example:
        >>> import kagari
        >>> fractional_max_pool2d(kagari.arange(9.0).view(1, 3, 3), 3, output_size=1).tolist()
        [[[8.0]]]

    Reference: Graham 2014, https://arxiv.org/abs/1412.6071
    """
    both = fractional_max_pool2d_with_indices(
        input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )
    return both if return_indices else both[0]


@overridable
@full_precision
def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The maxima of :func:`fractional_max_pool3d` and their places in the flattened volume.

    Example:
        >>> import kagari
        >>> x = kagari.rand(1, 1, 8, 8, 8)
        >>> from kagari.nn import functional as F
        >>> values, places = F.fractional_max_pool3d_with_indices(x, 2, output_size=4)
        >>> values.shape, places.shape
        (kagari.Size([1, 1, 4, 4, 4]), kagari.Size([1, 1, 4, 4, 4]))
    """
    kernel = _triple(kernel_size)
    return _fractional_max_pool(
        3, input, kernel, output_size, output_ratio, _random_samples, _triple
    )


@overridable
@full_precision
def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The maximum of each window of a volume, windows lying at steps that vary at random.

    Args:
        input (Tensor): ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        kernel_size (int or triple): sizes of a window.
        output_size (int or triple): numbers of windows.
        output_ratio (triple of floats): their ratios to the input's sizes, instead.
        return_indices (bool): give the places of the maxima too.

    Returns:
        ``(N, C, *output_size)``; with ``return_indices`` a pair.

    Raises:
        ValueError: neither size nor ratio is given.
        RuntimeError: the windows do not fit.

    Example:
        >>> import kagari
        >>> fractional_max_pool3d(kagari.ones(1, 2, 2, 2), 2, output_size=1).shape
        kagari.Size([1, 1, 1, 1])

    Reference: Graham 2014, https://arxiv.org/abs/1412.6071
    """
    both = fractional_max_pool3d_with_indices(
        input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )
    return both if return_indices else both[0]
