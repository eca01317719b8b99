"""Embeddings of bags of a table's rows."""

from __future__ import annotations

import warnings

import kagari
from kagari import Tensor
from kagari.nn._functional.linear import _renorm_rows_
from kagari.overrides import overridable

_MODES = {"sum": 0, "mean": 1, "max": 2}


def _bags_of_rows(input: Tensor, offsets: Tensor | None) -> tuple[Tensor, Tensor]:
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                f"of fixed length sequences. However, found offsets of type {type(offsets)}"
            )
        bags, length = input.shape
        starts = kagari.arange(bags, device=input.device) * length
        return input.reshape(-1), starts
    if input.dim() != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
        )
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    return input, offsets


@overridable
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    r"""Sums, means or maxima of a table's rows over bags of places.

    Args:
        input (Tensor): places ``(B, L)``, a bag per row, or those of all bags in one dimension.
        weight (Tensor): the table ``(V, D)``.
        offsets (Tensor): where each bag begins in a 1-d input, ``(B,)``.
        max_norm (float): rows that are used and longer than this are shortened, in place.
        norm_type (float): the exponent of that length.
        scale_grad_by_freq (bool): divide a row's gradient by how often it is used; not for
            ``"max"``.
        mode (str): ``"sum"``, ``"mean"`` or ``"max"``.
        sparse (bool): give the table a sparse gradient; not for ``"max"``.
        per_sample_weights (Tensor): factors of the rows, of the input's shape; for ``"sum"``.
        include_last_offset (bool): ``offsets`` ends with the end of the last bag.
        padding_idx (int): a row that counts for nothing.

    Returns:
        ``(B, D)``; zeros for an empty bag.

    Raises:
        ValueError: shapes or the mode do not fit.
        NotImplementedError: ``per_sample_weights`` without ``"sum"``.
        RuntimeError: dtypes or offsets do not fit.

    Example:
        >>> import kagari
        >>> embedding_bag(kagari.tensor([[0, 1], [1, 1]]), kagari.eye(2), mode="sum").tolist()
        [[1.0, 1.0], [0.0, 2.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
    """
    if weight.dtype == kagari.int64 and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage "
            "`embedding_bag(weight, input, ...)` is deprecated, and should now be "
            "`embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then "
            f"it must have the same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}"
        )
    fixed = input.dim() == 2
    input, starts = _bags_of_rows(input, offsets)
    if fixed:
        include_last_offset = False
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max":
        if scale_grad_by_freq:
            raise ValueError("max mode does not support scaling the gradient by the frequency")
        if sparse:
            raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        _renorm_rows_(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'); multiply the rows of an embedding instead"
        )
    result: Tensor = kagari.embedding_bag(
        weight,
        input,
        starts,
        scale_grad_by_freq,
        _MODES[mode],
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )[0]
    return result
