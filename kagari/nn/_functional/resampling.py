"""Images at other sizes and at the places of grids."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.amp._precision import full_precision
from kagari.nn._functional.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from kagari.overrides import overridable

GRID_SAMPLE_INTERPOLATION_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
GRID_SAMPLE_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}

_AREA = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)
# mode: (spatial dimensions it is for, what the core calls it)
_SMOOTH = {
    "linear": (1, "linear"),
    "bilinear": (2, "linear"),
    "trilinear": (3, "linear"),
    "bicubic": (2, "cubic"),
    "lanczos": (2, "lanczos"),
}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


def _per_axis(name: str, what: str, value: Any, input: Tensor) -> tuple[Any, ...]:
    dims = input.dim() - 2
    if isinstance(value, (list, tuple)):
        if len(value) != dims:
            letter = name[0]
            raise ValueError(
                "Input and "
                f"{'scale_factor' if name == 'scale_factor' else 'output'} must have the same "
                "number of spatial dimensions, but got input with spatial dimensions of "
                f"{list(input.shape[2:])} and {what} of shape {tuple(value)}. Please provide input "
                f"tensor in (N, C, d1, d2, ...,dK) format and {what} in "
                f"({letter}1, {letter}2, ...,{letter}K) format."
            )
        return tuple(value)
    return (value,) * dims


def _target_size(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool | None, mode: str
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The sizes, and the scales where they are more than the sizes tell."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        sizes = _per_axis("output size", "output size", size, input)
        try:
            return tuple(s.__index__() for s in sizes), ()
        except AttributeError:
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or "
                f"Tuple[int, int, int], but got size with types {[type(s) for s in sizes]}"
            ) from None
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    scales = _per_axis("scale_factor", "scale_factor", scale_factor, input)
    if not all(isinstance(s, (int, float)) for s in scales):
        raise TypeError(
            "interpolate: expected scale_factor to be numbers, got "
            f"{[type(s).__name__ for s in scales]}"
        )
    sizes = tuple(math.floor(n * s) for n, s in zip(input.shape[2:], scales, strict=True))
    if recompute or mode == "area":
        return sizes, ()
    return sizes, tuple(float(s) for s in scales)


@overridable
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Images at another size.

    Args:
        input (Tensor): ``(N, C, W)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        size (int or tuple of ints): the spatial sizes of the result.
        scale_factor (float or tuple of floats): their ratio to the input's, instead of ``size``.
        mode (str): ``"nearest"``, ``"nearest-exact"`` (the nearest as other image libraries mean
            it), ``"linear"`` (3-d input), ``"bilinear"``, ``"bicubic"``, ``"lanczos"`` (4-d),
            ``"trilinear"`` (5-d) or ``"area"`` (means of areas).
        align_corners (bool): keep the centres of the corner pixels in their places instead of
            their outer corners; for the smooth modes.
        recompute_scale_factor (bool): compute with the ratio of the sizes, not with
            ``scale_factor``, which may not give whole sizes.
        antialias (bool): widen the kernel where the image shrinks; for ``"bilinear"``,
            ``"bicubic"`` and ``"lanczos"``.

    Returns:
        ``(N, C, *size)``.

    Raises:
        ValueError: options that exclude each other.
        NotImplementedError: a mode that does not exist for the input's number of dimensions.
        RuntimeError: an empty image.

    Example:
        >>> import kagari
        >>> interpolate(kagari.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear").tolist()
        [[[1.0, 1.5, 2.5, 3.0]]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: "
                "linear | bilinear | bicubic | trilinear"
            )
    elif mode == "lanczos":
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
    dims = input.dim() - 2
    sizes, scales = _target_size(input, size, scale_factor, recompute_scale_factor, mode)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and dims == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    known = mode in ("nearest", "nearest-exact", "area") or mode in _SMOOTH
    if dims not in (1, 2, 3) or not known or (mode in ("bicubic", "lanczos") and dims != 2):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {dims + 2}D) for the "
            f"modes: {_MODES} (got {mode})"
        )
    if mode == "area":
        return _AREA[dims - 1](input, sizes)
    name = mode
    if mode in _SMOOTH:
        needed, name = _SMOOTH[mode]
        if needed != dims:
            raise NotImplementedError(
                f"Got {dims + 2}D input, but {mode} mode needs {needed + 2}D input"
            )
    return ops._resize(input, sizes, name, bool(align_corners), scales, antialias)


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """An older name of :func:`interpolate`.

    Example:
        >>> import kagari, warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     upsample(kagari.ones(1, 1, 2), scale_factor=2).shape
        kagari.Size([1, 1, 4])
    """
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """An older name of :func:`interpolate` with ``mode="nearest"``.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.upsample_nearest(kagari.tensor([[[[0.0, 2.0]]]]), size=(1, 4))
        tensor([[[[0., 0., 2., 2.]]]])
    """
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """An older name of :func:`interpolate` with ``mode="bilinear"`` and aligned corners.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.upsample_bilinear(kagari.tensor([[[[0.0, 2.0]]]]), size=(1, 3))
        tensor([[[[0., 1., 2.]]]])
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _deprecated(name: str) -> None:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=3,
    )


_DEFAULT_CHANGED = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
    "Please specify align_corners=True if the old behavior is desired. See the documentation of "
    "grid_sample for details."
)


@overridable
@full_precision
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    r"""The input at the places of a grid: :math:`y_p = \sum_q w(g_p - q)\,x_q`.

    Places run from -1 to 1 over the image; the grid's last dimension names them as (x, y) or
    (x, y, z), x along the width.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        grid (Tensor): ``(N, H_out, W_out, 2)`` or ``(N, D_out, H_out, W_out, 3)``.
        mode (str): ``"bilinear"``, ``"nearest"`` or, for 4-d input, ``"bicubic"``.
        padding_mode (str): what lies outside: ``"zeros"``, the ``"border"``'s pixels, or the
            image's ``"reflection"``.
        align_corners (bool): whether -1 and 1 are the centres of the outermost pixels instead of
            their outer corners; False by default.

    Returns:
        ``(N, C, H_out, W_out)`` or ``(N, C, D_out, H_out, W_out)``.

    Raises:
        ValueError: an unknown mode.
        RuntimeError: shapes or dtypes do not fit.

    Example:
        >>> import kagari
        >>> image, middle = kagari.tensor([[[[1.0, 3.0]]]]), kagari.zeros(1, 1, 1, 2)
        >>> grid_sample(image, middle, align_corners=False).item()
        2.0

    Reference: Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025
    """
    if mode not in GRID_SAMPLE_INTERPOLATION_MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in GRID_SAMPLE_PADDING_MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(_DEFAULT_CHANGED, stacklevel=2)
        align_corners = False
    return kagari.grid_sampler(
        input,
        grid,
        GRID_SAMPLE_INTERPOLATION_MODES[mode],
        GRID_SAMPLE_PADDING_MODES[padding_mode],
        align_corners,
    )


@overridable
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    r"""The places that affine maps give to an image's pixels: :math:`g = \theta (x, y, 1)^T`.

    Args:
        theta (Tensor): ``(N, 2, 3)``, or ``(N, 3, 4)`` for volumes.
        size (tuple of ints): of the image to sample, ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners (bool): whether -1 and 1 are the centres of the outermost pixels instead of
            their outer corners; False by default.

    Returns:
        A grid for :func:`grid_sample`, ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``.

    Raises:
        ValueError: theta's dtype or shape, or a size below one.
        NotImplementedError: a size that is neither an image's nor a volume's.

    Example:
        >>> import kagari
        >>> theta = kagari.eye(3)[:2].unsqueeze(0)
        >>> affine_grid(theta, (1, 1, 1, 2), align_corners=True).tolist()
        [[[[-1.0, 0.0], [1.0, 0.0]]]]

    Reference: Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025
    """
    if align_corners is None:
        warnings.warn(_DEFAULT_CHANGED, stacklevel=2)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple(size)
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {size}."
        )
    dims = len(size) - 2
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size "
            f"{size}. Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid. See the "
            "documentation of affine_grid for details.",
            stacklevel=2,
        )
    return kagari.affine_grid_generator(theta, size, align_corners)
