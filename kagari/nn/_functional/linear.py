"""Linear maps, convolutions, embeddings, attention."""

from __future__ import annotations

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.nn._functional._primitive import primitive
from kagari.overrides import overridable

linear = primitive("linear")
conv1d = primitive("conv1d")
conv2d = primitive("conv2d")
conv3d = primitive("conv3d")
conv_transpose1d = primitive("conv_transpose1d")
conv_transpose2d = primitive("conv_transpose2d")
conv_transpose3d = primitive("conv_transpose3d")
scaled_dot_product_attention = primitive("scaled_dot_product_attention")


@overridable
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""A form of two vectors for each output: :math:`y_k = x_1^T W_k x_2 + b_k`.

    Args:
        input1 (Tensor): ``(..., in1)``.
        input2 (Tensor): ``(..., in2)`` with the same leading sizes.
        weight (Tensor): ``(out, in1, in2)``.
        bias (Tensor): ``(out,)``.

    Returns:
        ``(..., out)``.

    Raises:
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> one = kagari.ones(1, 2)
        >>> bilinear(one, one, kagari.ones(1, 2, 2)).tolist()
        [[4.0]]
    """
    shapes = (
        f"input1 {tuple(input1.shape)}, input2 {tuple(input2.shape)}, weight {tuple(weight.shape)}"
    )
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(f"bilinear: expected inputs of the same leading sizes, got {shapes}")
    if weight.dim() != 3 or (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise RuntimeError(f"bilinear: expected weight (out, in1, in2), got {shapes}")
    out, in1, in2 = weight.shape
    left = input1 @ weight.permute(1, 0, 2).reshape(in1, out * in2)
    left = left.reshape(*input1.shape[:-1], out, in2)
    result = (left @ input2.unsqueeze(-1)).squeeze(-1)
    return result if bias is None else result + bias


def _group_ends(mat_a: Tensor, mat_b: Tensor, offs: Tensor | None) -> list[int]:
    """Where each group of :func:`grouped_mm` ends."""
    what = f"mat_a {tuple(mat_a.shape)}, mat_b {tuple(mat_b.shape)}"
    if mat_a.dim() not in (2, 3) or mat_b.dim() not in (2, 3):
        raise RuntimeError(f"grouped_mm: expected matrices of 2 or 3 dimensions, got {what}")
    ragged = mat_a.dim() == 2 or mat_b.dim() == 2
    if ragged != (offs is not None):
        raise RuntimeError(
            "grouped_mm: Have to provide offsets if there is a 2d matrix, or no offset if both "
            f"matrices are 3d; got {what} and offs {None if offs is None else tuple(offs.shape)}"
        )
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError(
            f"grouped_mm: contraction dimension of mat_a and mat_b must match, got {what}"
        )
    groups = {m.shape[0] for m in (mat_a, mat_b) if m.dim() == 3}
    if offs is None:
        if len(groups) != 1:
            raise RuntimeError(f"grouped_mm: matrix batch sizes have to match, got {what}")
        return []
    if offs.dim() != 1 or offs.dtype is not kagari.int32:
        raise RuntimeError(
            f"grouped_mm: Offsets have to be int32 in one dimension, got {offs.dtype} "
            f"{tuple(offs.shape)}; convert with .int()"
        )
    if groups and groups != {len(offs)}:
        raise RuntimeError(
            f"grouped_mm: matrix batch sizes have to match the offsets, got {what} and "
            f"{len(offs)} offsets"
        )
    ends: list[int] = offs.tolist()
    length = mat_a.shape[-1 if mat_b.dim() == 2 else 0] if mat_a.dim() == 2 else mat_b.shape[1]
    if any(a > b for a, b in zip([0, *ends], [*ends, length], strict=True)):
        raise RuntimeError(f"grouped_mm: offsets must rise from 0 to at most {length}, got {ends}")
    return ends


@overridable
def grouped_mm(
    mat_a: Tensor,
    mat_b: Tensor,
    *,
    offs: Tensor | None = None,
    bias: Tensor | None = None,
    out_dtype: kagari.dtype | None = None,
) -> Tensor:
    r"""A product for each group: :math:`Y_g = A_g B_g`, the groups being slices of a 2-d matrix or
    the first dimension of a 3-d one. Layers of experts are written so.

    Args:
        mat_a (Tensor): ``(groups, M, K)``, or all groups' rows ``(sum M, K)``.
        mat_b (Tensor): ``(groups, K, N)``, or all groups' columns ``(K, sum N)``. Two 2-d matrices
            are cut along ``K``.
        offs (Tensor): int32 ``(groups,)``, where each group of a 2-d matrix ends. What lies behind
            the last group gives zeros.
        bias (Tensor): added to the result.
        out_dtype (dtype): of the result; that of ``mat_a`` if None.

    Returns:
        ``(sum M, N)``, ``(M, sum N)`` or, for two matrices of as many dimensions,
        ``(groups, M, N)``.

    Raises:
        RuntimeError: the sizes or the offsets do not fit.

    Example:
        >>> import kagari
        >>> tokens, experts = kagari.ones(3, 2), kagari.stack([kagari.eye(2), 5 * kagari.eye(2)])
        >>> ends = kagari.tensor([1, 3], dtype=kagari.int32)
        >>> grouped_mm(tokens, experts, offs=ends).tolist()
        [[1.0, 1.0], [5.0, 5.0], [5.0, 5.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.grouped_mm.html
    """
    ends = _group_ends(mat_a, mat_b, offs)
    starts = [0, *ends][:-1]
    if offs is None:
        result = mat_a @ mat_b
    elif mat_a.dim() == 2 and mat_b.dim() == 2:
        pieces = [mat_a[:, a:b] @ mat_b[a:b] for a, b in zip(starts, ends, strict=True)]
        result = kagari.stack(pieces)
    elif mat_a.dim() == 2:
        pieces = [mat_a[a:b] @ m for a, b, m in zip(starts, ends, mat_b, strict=True)]
        rest = mat_a.new_zeros(mat_a.shape[0] - ends[-1], mat_b.shape[2])
        result = kagari.cat([*pieces, rest])
    else:
        pieces = [m @ mat_b[:, a:b] for a, b, m in zip(starts, ends, mat_a, strict=True)]
        rest = mat_a.new_zeros(mat_a.shape[1], mat_b.shape[1] - ends[-1])
        result = kagari.cat([*pieces, rest], 1)
    if bias is not None:
        result = result + bias
    return result if out_dtype is None else result.to(out_dtype)


@overridable
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of a table at given places.

    Args:
        input (Tensor): places, integers of any shape.
        weight (Tensor): the table ``(V, D)``.
        padding_idx (int): a row that gets no gradient.
        max_norm (float): rows that are used and longer than this are shortened, in place.
        norm_type (float): the exponent of that length.
        scale_grad_by_freq (bool): divide a row's gradient by how often it is used.
        sparse (bool): give the table a sparse gradient.

    Returns:
        ``(*input.shape, D)``.

    Raises:
        AssertionError: ``padding_idx`` is not a row.

    Example:
        >>> import kagari
        >>> embedding(kagari.tensor([1, 0]), kagari.eye(2)).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if padding_idx is None:
        padding_idx = -1
    else:
        rows = weight.size(0)
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if max_norm is not None:
        _renorm_rows_(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


def _renorm_rows_(weight: Tensor, places: Tensor, max_norm: float, norm_type: float) -> None:
    with kagari.no_grad():
        places = places.reshape(-1)
        rows = weight.detach().index_select(0, places)
        norms = ops.linalg_vector_norm(rows, norm_type, 1, True)
        shorter = rows * (max_norm / (norms + 1e-7))
        # A place that occurs twice is written twice with the same values.
        weight.detach()[places] = kagari.where(norms > max_norm, shorter, rows)


@overridable
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    r"""Ones at given places: :math:`y_{i c} = 1` where :math:`c = x_i`, else 0.

    Args:
        input (Tensor): classes, int64 of any shape.
        num_classes (int): C; one more than the greatest class by default.

    Returns:
        int64 ``(*input.shape, C)``.

    Raises:
        RuntimeError: a class is negative or not below C, the dtype is not int64, or C is to be
            found in an empty input.

    Example:
        >>> import kagari
        >>> one_hot(kagari.tensor([1, 0]), 3).tolist()
        [[0, 1, 0], [1, 0, 0]]
    """
    if input.dtype != kagari.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type int64, got {input.dtype}"
        )
    if input.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        shape = (*input.shape, num_classes)
        return kagari.zeros(shape, dtype=kagari.int64, device=input.device)
    if int(input.min()) < 0:
        raise RuntimeError("Class values must be non-negative.")
    greatest = int(input.max())
    if num_classes == -1:
        num_classes = greatest + 1
    elif num_classes <= 0:
        raise RuntimeError(f"num_classes should be positive, got {num_classes}")
    elif greatest >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes, got {greatest} of {num_classes}"
        )
    shape = (*input.shape, num_classes)
    result = kagari.zeros(shape, dtype=kagari.int64, device=input.device)
    return result.scatter_(-1, input.unsqueeze(-1), 1)


@overridable
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    r"""Makes pixels of channels: :math:`(C r^2, H, W)` becomes :math:`(C, H r, W r)`.

    Args:
        input (Tensor): ``(..., C * r * r, H, W)``.
        upscale_factor (int): r.

    Returns:
        ``(..., C, H * r, W * r)``.

    Raises:
        RuntimeError: the shape does not fit.

    Example:
        >>> import kagari
        >>> pixel_shuffle(kagari.arange(4.0).view(4, 1, 1), 2).tolist()
        [[[0.0, 1.0], [2.0, 3.0]]]

    Reference: Shi et al. 2016, https://arxiv.org/abs/1609.05158
    """
    r = upscale_factor
    if input.dim() < 3:
        raise RuntimeError(
            "pixel_shuffle expects input to have at least 3 dimensions, "
            f"but got input with {input.dim()} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, c, h, w = input.shape
    if c % (r * r) != 0:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(lead)
    parts = input.reshape(*lead, c // (r * r), r, r, h, w)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return parts.permute(order).reshape(*lead, c // (r * r), h * r, w * r)


@overridable
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    r"""Makes channels of pixels: :math:`(C, H r, W r)` becomes :math:`(C r^2, H, W)`.

    Args:
        input (Tensor): ``(..., C, H * r, W * r)``.
        downscale_factor (int): r.

    Returns:
        ``(..., C * r * r, H, W)``.

    Raises:
        RuntimeError: the shape does not fit.

    Example:
        >>> import kagari
        >>> pixel_unshuffle(kagari.arange(4.0).view(1, 2, 2), 2).flatten().tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    r = downscale_factor
    if input.dim() < 3:
        raise RuntimeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, "
            f"but got input with {input.dim()} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, c, h, w = input.shape
    if h % r != 0 or w % r != 0:
        raise RuntimeError(
            "pixel_unshuffle expects height and width to be divisible by downscale_factor, "
            f"but input.size(-2)={h} and input.size(-1)={w} are not both divisible by {r}"
        )
    n = len(lead)
    parts = input.reshape(*lead, c, h // r, r, w // r, r)
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return parts.permute(order).reshape(*lead, c * r * r, h // r, w // r)


@overridable
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Mixes channels of groups: the first of each group, then the second of each, and so on.

    Args:
        input (Tensor): ``(N, C, ...)``.
        groups (int): divides C.

    Returns:
        A tensor of the input's shape.

    Raises:
        RuntimeError: the shape does not fit.

    Example:
        >>> import kagari
        >>> channel_shuffle(kagari.arange(4.0).view(1, 4, 1), 2).flatten().tolist()
        [0.0, 2.0, 1.0, 3.0]

    Reference: Zhang et al. 2017, https://arxiv.org/abs/1707.01083
    """
    if input.dim() < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got {input.dim()} dimension(s)"
        )
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive: {groups}")
    batch, channels, *rest = input.shape
    if channels % groups != 0:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and "
            f"{groups} groups."
        )
    parts = input.reshape(batch, groups, channels // groups, *rest)
    return parts.transpose(1, 2).reshape(input.shape)


native_channel_shuffle = channel_shuffle
