"""Attention: weighted means of values, the weights a softmax of products of queries and keys."""

from __future__ import annotations

import math

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Tensor, device, dtype

_NAME = "scaled_dot_product_attention"


def _check(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None) -> None:
    import kagari

    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            f"{_NAME}: Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype} key.dtype: {key.dtype} and value.dtype: {value.dtype} instead."
        )
    if not (query.is_floating_point() or query.is_complex()):
        raise RuntimeError(
            f"{_NAME}: expected floating point tensors, got {query.dtype}; call .float() first"
        )
    if min(query.dim(), key.dim(), value.dim()) < 2:
        raise RuntimeError(
            f"{_NAME}: Expected query, key, and value to all be  at least 2 dimensional, but got "
            f"query.dim: {query.dim()} key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )
    if query.shape[-1] != key.shape[-1]:
        raise RuntimeError(
            f"{_NAME}: expected query and key of the same last size, got query "
            f"{tuple(query.shape)}, key {tuple(key.shape)}"
        )
    if attn_mask is not None and attn_mask.dtype not in (kagari.bool, kagari.float32, query.dtype):
        raise RuntimeError(
            f"{_NAME}: Expected attn_mask dtype to be bool or float or to match query dtype, but "
            f"got attn_mask.dtype: {attn_mask.dtype} and  query.dtype: {query.dtype} instead."
        )


def _check_heads(query: Tensor, key: Tensor, value: Tensor) -> None:
    if min(query.dim(), key.dim(), value.dim()) < 3:
        raise IndexError(
            f"{_NAME}: enable_gqa expected a dimension of heads, got query {tuple(query.shape)}, "
            f"key {tuple(key.shape)}, value {tuple(value.shape)}"
        )
    heads = query.shape[-3]
    for shared in (key.shape[-3], value.shape[-3]):
        if shared == 0 or heads % shared != 0:
            raise RuntimeError(
                f"{_NAME}: Number of heads in key and value must divide the number of heads in "
                f"query, got {key.shape[-3]}, {value.shape[-3]} and {heads}"
            )


def _share_heads(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values repeated, so that groups of query heads share one."""
    heads = query.shape[-3]
    return (
        key.repeat_interleave(heads // key.shape[-3], -3),
        value.repeat_interleave(heads // value.shape[-3], -3),
    )


def _check_mask(scores: tuple[int, ...], mask: Tensor) -> None:
    if mask.dim() > len(scores) or any(
        m not in (1, s) for m, s in zip(reversed(mask.shape), reversed(scores), strict=False)
    ):
        raise RuntimeError(
            f"{_NAME}: expected attn_mask to broadcast to {scores}, got {tuple(mask.shape)}"
        )


def _fusable(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, shared: bool) -> bool:
    """Whether the kernel takes these: one batch, no gradient of the mask, real numbers."""
    if not 2 <= query.dim() == key.dim() == value.dim() <= 4 or query.is_complex():
        return False
    if mask is not None and mask.requires_grad:
        return False
    if key.shape[:-1] != value.shape[:-1] or query.shape[:-3] != key.shape[:-3]:
        return False
    return query.dim() < 3 or shared or query.shape[-3] == key.shape[-3]


def _added_mask(mask: Tensor, scores: tuple[int, ...], dtype: dtype) -> Tensor:
    """The mask as numbers to add to all scores, its rows contiguous."""
    import kagari

    if mask.dtype == kagari.bool:
        zero = kagari.zeros((), dtype=dtype, device=mask.device)
        mask = kagari.where(mask, zero, -math.inf)
    mask = mask.to(dtype)
    if mask.dim() == 0 or mask.shape[-1] != scores[-1]:
        mask = mask.expand(*mask.shape[:-1], scores[-1])
    return mask.contiguous().expand(scores)


def _kept(scores: tuple[int, ...], dropout_p: float, device: device) -> Tensor:
    """Which weights stay, drawn as :func:`kagari.dropout` draws them."""
    import kagari

    with kagari.no_grad():
        drawn = kagari.empty(scores, dtype=kagari.bool, device=device)
        return drawn.bernoulli_(1 - dropout_p)


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout_p: float,
    is_causal: bool,
    scale: float,
) -> Tensor:
    scores = (*query.shape[:-1], key.shape[-2])
    if mask is not None:
        _check_mask(scores, mask)
        mask = _added_mask(mask, scores, query.dtype)
    kept = _kept(scores, dropout_p, query.device) if dropout_p else None
    missing = 4 - query.dim()
    for _ in range(missing):
        query, key, value = query.unsqueeze(0), key.unsqueeze(0), value.unsqueeze(0)
        mask = None if mask is None else mask.unsqueeze(0)
        kept = None if kept is None else kept.unsqueeze(0)
    result = ops._attention(query, key, value, mask, scale, is_causal, kept, dropout_p)[0]
    for _ in range(missing):
        result = result.squeeze(0)
    return result


def _masked(scores: Tensor, mask: Tensor | None, unseen: Tensor | None) -> Tensor:
    """The scores with minus infinity where a place takes no part."""
    import kagari

    if mask is not None:
        if mask.dtype == kagari.bool:
            hidden = mask.logical_not()
        else:
            hidden = mask.detach() == -math.inf
            scores = scores + mask.to(scores.dtype)
        unseen = hidden if unseen is None else hidden | unseen
    return scores if unseen is None else scores.masked_fill(unseen, -math.inf)


def _softmax(scores: Tensor) -> Tensor:
    """The softmax of each row; a row without any place left gives zeros, not NaN."""
    empty = (scores.detach() == -math.inf).all(-1, keepdim=True)
    return scores.masked_fill(empty, 0.0).softmax(-1).masked_fill(empty, 0.0)


@composite(
    "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, "
    "Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None, "
    "bool enable_gqa=False) -> Tensor",
    function=False,
    autocast="lower",
)
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
    enable_gqa: bool,
) -> Tensor:
    r"""Means of values: :math:`\mathrm{softmax}(s\,Q K^T + M)\,V`.

    Args:
        query (Tensor): Q, ``(..., H_q, L, E)``.
        key (Tensor): K, ``(..., H, S, E)``.
        value (Tensor): V, ``(..., H, S, E_v)``.
        attn_mask (Tensor, optional): broadcasts to ``(..., H_q, L, S)``; bools, True where a place
            takes part, or numbers M that are added. A row whose scores are all minus infinity gives
            zeros.
        dropout_p (float): the probability with which a weight is dropped; pass 0 in evaluation.
        is_causal (bool): place i sees the places up to i only.
        scale (float, optional): s; :math:`1 / \sqrt{E}` by default.
        enable_gqa (bool): groups of query heads share a head of keys and values; H divides H_q.

    Returns:
        ``(..., H_q, L, E_v)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or ``dropout_p`` is not a probability.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0], [3.0]])
        >>> one = kagari.zeros(2, 1)
        >>> kagari.nn.functional.scaled_dot_product_attention(one, one, x).tolist()
        [[2.0], [2.0]]

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """
    import kagari

    _check(query, key, value, attn_mask)
    dtype = query.dtype
    if dtype in (kagari.bfloat16, kagari.float16):
        # Scores of 8 or 11 bits would tell few places apart.
        query, key, value = query.float(), key.float(), value.float()
    if scale is None:
        scale = 1.0 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    if enable_gqa:
        _check_heads(query, key, value)
    if 0 <= dropout_p < 1 and _fusable(query, key, value, attn_mask, enable_gqa):
        return _fused(query, key, value, attn_mask, dropout_p, is_causal, scale).to(dtype)
    if enable_gqa:
        key, value = _share_heads(query, key, value)
    scores = (query * scale) @ key.transpose(-2, -1)
    unseen = None
    if is_causal:
        every = kagari.ones(scores.shape[-2:], dtype=kagari.bool, device=query.device)
        unseen = every.triu(1)
    if attn_mask is not None:
        _check_mask(tuple(scores.shape), attn_mask)
    weights = _softmax(_masked(scores, attn_mask, unseen))
    if dropout_p != 0.0:
        weights = ops.dropout(weights, dropout_p, True)
    return (weights @ value).to(dtype)
