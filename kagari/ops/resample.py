"""Reading images at the places of a grid, and under the names of PyTorch's own kernels."""

from __future__ import annotations

import math

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


def _sample(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    no_derivative = (0,) * (input.dim() - 2)
    result: Tensor = ops._grid_sample(
        input, grid, interpolation_mode, padding_mode, align_corners, no_derivative
    )
    return result


@composite(
    "grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor"
)
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """The input at the places of a grid; ``nn.functional.grid_sample`` names its modes.

    Args:
        input (Tensor): ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        grid (Tensor): ``(N, H_out, W_out, 2)`` or ``(N, D_out, H_out, W_out, 3)``.
        interpolation_mode (int): 0 bilinear, 1 nearest, 2 bicubic.
        padding_mode (int): 0 zeros, 1 border, 2 reflection.
        align_corners (bool): whether -1 and 1 are the centres of the outermost pixels.

    Returns:
        ``(N, C, H_out, W_out)`` or ``(N, C, D_out, H_out, W_out)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Example:
        >>> import kagari
        >>> image = kagari.tensor([[[[1.0, 3.0]]]])
        >>> kagari.grid_sampler(image, kagari.zeros(1, 1, 1, 2), 0, 0, True).item()
        2.0

    Reference: Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025
    """
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners)


@composite(
    "grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor"
)
def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """:func:`kagari.grid_sampler` of images ``(N, C, H, W)``.

    Args:
        input (Tensor): images ``(N, C, H, W)``; the other arguments are those of ``grid_sampler``.

    Returns:
        The input at the places of the grid.

    Raises:
        RuntimeError: the input has another number of dimensions, or shapes do not fit.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[[[1.0, 3.0]]]])
        >>> kagari.grid_sampler_2d(x, kagari.zeros(1, 1, 1, 2), 0, 0, True).item()
        2.0
    """
    if input.dim() != 4:
        raise RuntimeError(f"grid_sampler_2d: expected 4D input, got {tuple(input.shape)}")
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners)


@composite(
    "grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor"
)
def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """:func:`kagari.grid_sampler` of volumes ``(N, C, D, H, W)``.

    Args:
        input (Tensor): volumes ``(N, C, D, H, W)``; the other arguments are those of
            ``grid_sampler``.

    Returns:
        The input at the places of the grid.

    Raises:
        RuntimeError: the input has another number of dimensions, or shapes do not fit.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[[[[1.0, 3.0]]]]])
        >>> kagari.grid_sampler_3d(x, kagari.zeros(1, 1, 1, 1, 3), 0, 0, True).item()
        2.0
    """
    if input.dim() != 5:
        raise RuntimeError(f"grid_sampler_3d: expected 5D input, got {tuple(input.shape)}")
    return _sample(input, grid, interpolation_mode, padding_mode, align_corners)


def _centres(count: int, align_corners: bool, like: Tensor) -> Tensor:
    """The places of ``count`` pixels between -1 and 1."""
    import kagari

    if count <= 1:
        return kagari.zeros(count, dtype=like.dtype, device=like.device)
    ends = kagari.linspace(-1, 1, count, dtype=like.dtype, device=like.device)
    return ends if align_corners else ends * ((count - 1) / count)


@composite("affine_grid_generator(Tensor theta, int[] size, bool align_corners) -> Tensor")
def affine_grid_generator(theta: Tensor, size: tuple[int, ...], align_corners: bool) -> Tensor:
    r"""The places :math:`\theta (x, y, 1)^T` of an image's pixels.

    Args:
        theta (Tensor): ``(N, 2, 3)`` or ``(N, 3, 4)``.
        size (tuple of ints): ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners (bool): whether -1 and 1 are the centres of the outermost pixels.

    Returns:
        ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``.

    Raises:
        RuntimeError: shapes do not fit.

    Example:
        >>> import kagari
        >>> theta = kagari.eye(3)[:2].unsqueeze(0)
        >>> kagari.affine_grid_generator(theta, (1, 1, 1, 2), True).tolist()
        [[[[-1.0, 0.0], [1.0, 0.0]]]]

    Reference: Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025
    """
    import kagari

    dims = len(size) - 2
    if dims not in (2, 3):
        raise RuntimeError(
            f"affine_grid_generator: expected 4D or 5D sizes, got {tuple(size)}; only transforms "
            "of images and volumes are supported"
        )
    if theta.dim() != 3 or tuple(theta.shape) != (size[0], dims, dims + 1):
        raise RuntimeError(
            f"affine_grid_generator: Expected size for theta to be {(size[0], dims, dims + 1)}, "
            f"got {tuple(theta.shape)}"
        )
    spatial = tuple(size[2:])
    places = []
    for axis in reversed(range(dims)):
        line = _centres(spatial[axis], align_corners, theta)
        places.append(line.reshape([-1 if d == axis else 1 for d in range(dims)]).expand(spatial))
    places.append(kagari.ones(spatial, dtype=theta.dtype, device=theta.device))
    base = kagari.stack(places, -1).reshape(1, -1, dims + 1).expand(size[0], -1, -1)
    return (base @ theta.transpose(1, 2)).reshape(size[0], *spatial, dims)


# ---- smoothed resizing, as PyTorch's dispatcher names it ----------------------------------------


def _resized_smoothly(
    name: str, mode: str, input: Tensor, size: tuple[int, ...], align_corners: bool, scales: Any
) -> Tensor:
    if input.dim() != 4 or len(size) != 2:
        raise RuntimeError(
            f"{name}: expected an input (N, C, H, W) and two sizes, got {tuple(input.shape)} and "
            f"{tuple(size)}"
        )
    made: Tensor = ops._resize(input, size, mode, align_corners, scales, True)
    return made


def _declare_smooth(kind: str, mode: str) -> None:
    """``_upsample_*2d_aa`` with a size, and the overload with a size or factors."""
    name = f"_upsample_{kind}2d_aa"

    @composite(
        f"{name}(Tensor input, int[2] output_size, bool align_corners, float? scales_h=None, "
        "float? scales_w=None) -> Tensor",
        function=False,
    )
    def sized(
        input: Tensor,
        output_size: tuple[int, ...],
        align_corners: bool,
        scales_h: float | None,
        scales_w: float | None,
    ) -> Tensor:
        """``nn.functional.interpolate(antialias=True)`` to a size."""
        scales = (scales_h or 0.0, scales_w or 0.0)
        return _resized_smoothly(name, mode, input, output_size, align_corners, scales)

    @composite(
        f"{name}.vec(Tensor input, int[]? output_size, bool align_corners, "
        "float[]? scale_factors) -> Tensor",
        function=False,
    )
    def by_factors(
        input: Tensor,
        output_size: tuple[int, ...] | None,
        align_corners: bool,
        scale_factors: tuple[float, ...] | None,
    ) -> Tensor:
        """``nn.functional.interpolate(antialias=True)`` to a size or by factors."""
        if (output_size is None) == (scale_factors is None):
            raise RuntimeError(f"{name}: Must specify exactly one of output_size and scale_factors")
        if output_size is not None:
            return _resized_smoothly(name, mode, input, output_size, align_corners, (0.0, 0.0))
        factors = tuple(scale_factors or ())
        size = tuple(math.floor(n * f) for n, f in zip(input.shape[2:], factors, strict=False))
        return _resized_smoothly(name, mode, input, size, align_corners, factors)


_declare_smooth("bilinear", "linear")
_declare_smooth("bicubic", "cubic")
