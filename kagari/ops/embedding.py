"""Embeddings of bags: sums, means and maxima of a table's rows."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

_SUM, _MEAN, _MAX = 0, 1, 2


def _bounds(indices: Tensor, offsets: Tensor, include_last_offset: bool) -> Tensor:
    """Where each bag begins, and where the last one ends."""
    import kagari

    offsets = offsets.long()
    count = indices.shape[0]
    if offsets.numel():
        first, last = int(offsets[0]), int(offsets[-1])
        if first != 0:
            raise RuntimeError(
                "embedding_bag: offsets[0] has to be 0, i.e., the first sequence in the mini-batch "
                f"has to start from position 0. However, got {first}"
            )
        if last > count:
            raise RuntimeError(
                f"embedding_bag: offsets[-1] can not be greater than input's length {count} but "
                f"got offsets[-1] of {last}"
            )
    elif include_last_offset:
        raise RuntimeError(
            "embedding_bag: include_last_offset: number of offset should be at least 1"
        )
    if include_last_offset:
        return offsets
    return kagari.cat([offsets, offsets.new_tensor([count])])


@composite(
    "embedding_bag(Tensor weight, Tensor indices, Tensor offsets, "
    "bool scale_grad_by_freq=False, int mode=0, bool sparse=False, "
    "Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None)"
    " -> (Tensor, Tensor, Tensor, Tensor)"
)
def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool,
    mode: int,
    sparse: bool,
    per_sample_weights: Tensor | None,
    include_last_offset: bool,
    padding_idx: int | None,
) -> Any:
    """Sums, means or maxima of the rows of each bag; see ``nn.functional.embedding_bag``.

    Args:
        weight (Tensor): the table ``(V, D)``.
        indices (Tensor): the rows of all bags, one after another, ``(L,)``.
        offsets (Tensor): where each bag begins, ``(B,)``.
        scale_grad_by_freq (bool): divide a row's gradient by how often it is used.
        mode (int): 0 sum, 1 mean, 2 max.
        sparse (bool): give the table a sparse gradient, for sums and means.
        per_sample_weights (Tensor, optional): factors of the rows ``(L,)``, for sums.
        include_last_offset (bool): ``offsets`` ends with the end of the last bag.
        padding_idx (int, optional): a row that counts for nothing.

    Returns:
        ``(B, D)``, then the bag of each index, the size of each bag, and for maxima the rows they
        come from.

    Raises:
        RuntimeError: shapes, dtypes or offsets do not fit.

    Example:
        >>> import kagari
        >>> rows, bags = kagari.tensor([0, 1, 1]), kagari.tensor([0, 2])
        >>> kagari.embedding_bag(kagari.eye(2), rows, bags)[0].tolist()
        [[1.0, 1.0], [0.0, 1.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
    """
    import kagari

    if not weight.is_floating_point():
        raise RuntimeError(
            "embedding_bag: Expected tensor for argument #1 'weight' to have one of the following "
            f"scalar types: Half, BFloat16, Float, Double; but got {weight.dtype} instead"
        )
    if per_sample_weights is not None and per_sample_weights.dtype != weight.dtype:
        raise RuntimeError(
            "embedding_bag: Expected tensor for argument #1 'weight' to have the same type as "
            f"tensor for argument #1 'per_sample_weights'; but type {weight.dtype} does not equal "
            f"{per_sample_weights.dtype}"
        )
    padding = -1
    if padding_idx is not None:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"embedding_bag: padding_idx must be within the number of embeddings, {-rows} "
                f"through {rows - 1}, but got {padding_idx}"
            )
        padding = padding_idx % rows
    bounds = _bounds(indices, offsets, include_last_offset)
    counts = bounds.diff() if bounds.numel() > 1 else bounds[:0]
    bags = kagari.repeat_interleave(counts)
    used = bags.shape[0]
    if used < indices.shape[0]:  # what follows the end of the last bag
        indices = indices[:used]
        per_sample_weights = None if per_sample_weights is None else per_sample_weights[:used]
    sizes = counts
    if padding >= 0:
        sizes = kagari.zeros_like(counts).index_add(0, bags, (indices != padding).long())
    if mode == _MAX:
        places = ops._bag_argmax(weight.detach(), indices, bounds, padding)
        result = weight.gather(0, places.clamp(min=0)).masked_fill(places < 0, 0)
        return result, bags, sizes, places
    if mode not in (_SUM, _MEAN):
        raise RuntimeError(f"embedding_bag: expected mode 0 (sum), 1 (mean) or 2 (max), got {mode}")
    result = ops._bag_sum(
        weight, indices, bounds, bags, per_sample_weights, padding, scale_grad_by_freq, sparse
    )
    if mode == _MEAN:
        result = result / sizes.clamp(min=1).to(result.dtype).unsqueeze(1)
    return result, bags, sizes, kagari.zeros_like(counts)
