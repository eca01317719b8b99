"""Attention with several heads, from projections to projections."""

from __future__ import annotations

import math
import warnings
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn._functional.dropout import dropout
from kagari.nn._functional.linear import linear, scaled_dot_product_attention
from kagari.nn._functional.padding import pad
from kagari.overrides import overridable


def _none_or_dtype(input: Tensor | None) -> Any:
    return None if input is None else input.dtype


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """A mask as numbers to add: minus infinity where a bool mask is true."""
    if mask is None:
        return None
    if mask.dtype != kagari.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type "
            "for both instead.",
            stacklevel=3,
        )
    if mask.is_floating_point():
        return mask
    return kagari.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def _check_shapes(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
) -> None:
    dims = query.dim()
    if dims not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor"
        )
    kind = f"For {'batched (3-D)' if dims == 3 else 'unbatched (2-D)'} `query`, expected"
    if key.dim() != dims or value.dim() != dims:
        raise AssertionError(
            f"{kind} `key` and `value` to be {dims}-D but found {key.dim()}-D and "
            f"{value.dim()}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.dim() != dims - 1:
        raise AssertionError(
            f"{kind} `key_padding_mask` to be `None` or {dims - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"{kind} `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{attn_mask.dim()}-D tensor instead"
        )


def _project(
    inputs: tuple[Tensor, Tensor, Tensor],
    weight: Tensor | None,
    bias: Tensor | None,
    separate: tuple[Tensor | None, Tensor | None, Tensor | None] | None,
) -> list[Tensor]:
    query, key, value = inputs
    if separate is None:
        if weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        if query is key and key is value:
            return list(linear(query, weight, bias).chunk(3, -1))  # one product for the three
        weights: Any = weight.chunk(3)
    else:
        for name, given in zip("qkv", separate, strict=True):
            if given is None:
                raise AssertionError(
                    f"use_separate_proj_weight is True but {name}_proj_weight is None"
                )
        weights = separate
    biases = (None, None, None) if bias is None else bias.chunk(3)
    size = query.size(-1)
    for name, x, w in zip(("query", "key", "value"), inputs, weights, strict=True):
        if tuple(w.shape) != (size, x.size(-1)):
            raise AssertionError(
                f"expecting {name} weights shape of {(size, x.size(-1))}, but got {w.shape}"
            )
    return [linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]


def _check_mask(attn_mask: Tensor, batch: int, heads: int, length: int, source: int) -> Tensor:
    """The mask as ``(1 or batch, 1 or heads, length, source)``."""
    wanted = (length, source) if attn_mask.dim() == 2 else (batch * heads, length, source)
    if tuple(attn_mask.shape) != wanted:
        raise RuntimeError(
            f"The shape of the {attn_mask.dim()}D attn_mask is {tuple(attn_mask.shape)}, "
            f"but should be {wanted}."
        )
    if attn_mask.dim() == 2:
        return attn_mask.view(1, 1, length, source)
    return attn_mask.reshape(batch, heads, length, source)


def _static(name: str, given: Tensor, batch: int, heads: int, head_dim: int) -> Tensor:
    if given.size(0) != batch * heads or given.size(2) != head_dim:
        raise AssertionError(
            f"expecting {name} of shape ({batch * heads}, source, {head_dim}), "
            f"but got {tuple(given.shape)}"
        )
    return given.reshape(batch, heads, -1, head_dim)


@overridable
def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    r"""Attention with several heads, from the input projections to the output projection.

    Each head: :math:`\text{softmax}(Q K^T / \sqrt d + M) V`.

    Args:
        query (Tensor): ``(L, N, E)`` or ``(L, E)``.
        key (Tensor): ``(S, N, E_k)`` or ``(S, E_k)``.
        value (Tensor): ``(S, N, E_v)`` or ``(S, E_v)``.
        embed_dim_to_check (int): E.
        num_heads (int): number of heads; divides E.
        in_proj_weight (Tensor): the three input projections ``(3 E, E)``.
        in_proj_bias (Tensor): ``(3 E,)``.
        bias_k (Tensor): one more key ``(1, 1, E)``.
        bias_v (Tensor): one more value ``(1, 1, E)``.
        add_zero_attn (bool): one more key and value of zeros.
        dropout_p (float): probability that a weight falls, in training.
        out_proj_weight (Tensor): the output projection ``(E, E)``.
        out_proj_bias (Tensor): ``(E,)``.
        training (bool): apply dropout.
        key_padding_mask (Tensor): ``(N, S)`` or ``(S,)``; true (or minus infinity) for keys that
            do not count.
        need_weights (bool): give the attention weights too.
        attn_mask (Tensor): ``(L, S)`` or ``(N num_heads, L, S)``; true for pairs that do not
            count, or numbers to add to the scores.
        use_separate_proj_weight (bool): take the three weights below.
        q_proj_weight (Tensor): ``(E, E)``.
        k_proj_weight (Tensor): ``(E, E_k)``.
        v_proj_weight (Tensor): ``(E, E_v)``.
        static_k (Tensor): projected keys ``(N num_heads, S, E / num_heads)`` to use instead.
        static_v (Tensor): projected values, likewise.
        average_attn_weights (bool): give the mean of the heads' weights.
        is_causal (bool): says that ``attn_mask`` is causal; it must be given.

    Returns:
        The output, of the query's shape, and the weights ``(N, L, S)`` (``(N, num_heads, L, S)``
        without the mean), or ``None``.

    Raises:
        AssertionError: a shape of the inputs or projections does not fit.
        RuntimeError: a mask's shape does not fit, or ``is_causal`` comes without a mask.

    Example:
        >>> import kagari
        >>> from kagari.nn import functional as F
        >>> x, w, b = kagari.ones(3, 1, 4), kagari.eye(4), kagari.zeros(4)
        >>> y, attention = F.multi_head_attention_forward(
        ...     x, x, x, 4, 2, w.repeat(3, 1), b.repeat(3), None, None, False, 0.0, w, b
        ... )
        >>> y.shape, attention.shape
        (kagari.Size([3, 1, 4]), kagari.Size([1, 3, 3]))

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """
    _check_shapes(query, key, value, key_padding_mask, attn_mask)
    batched = query.dim() == 3
    if not batched:
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same_key else key.unsqueeze(1)
        value = key if same_value else value.unsqueeze(1)
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, size = query.shape
    source = key.size(0)
    if size != embed_dim_to_check:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}"
        )
    if num_heads <= 0:
        raise ValueError(
            f"multi_head_attention_forward: expected a positive num_heads, got {num_heads}"
        )
    head_dim = size // num_heads
    if head_dim * num_heads != size:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {num_heads}")
    compared = 2 if use_separate_proj_weight else 3
    if key.shape[:compared] != value.shape[:compared]:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint; Transformer's "
            "generate_square_subsequent_mask makes one"
        )
    other = _none_or_dtype(attn_mask)
    padding = _canonical_mask(key_padding_mask, "key_padding_mask", other, "attn_mask", query.dtype)
    # With the hint the mask itself is not looked at, where the kernel knows causality.
    is_causal = is_causal and padding is None and not need_weights
    mask = None
    if attn_mask is not None and not is_causal:
        added = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        assert added is not None
        mask = _check_mask(added, batch, num_heads, length, source)

    separate = None
    if use_separate_proj_weight:
        separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    q, k, v = _project((query, key, value), in_proj_weight, in_proj_bias, separate)
    more = 0
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v are expected together, got only one of them")
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k = kagari.cat([k, bias_k.repeat(1, batch, 1)])
        v = kagari.cat([v, bias_v.repeat(1, batch, 1)])
        more += 1

    def heads(x: Tensor) -> Tensor:  # (length, batch, size) to (batch, heads, length, head_dim)
        return x.reshape(x.size(0), batch, num_heads, head_dim).permute(1, 2, 0, 3)

    q = heads(q)
    k = heads(k) if static_k is None else _static("static_k", static_k, batch, num_heads, head_dim)
    v = heads(v) if static_v is None else _static("static_v", static_v, batch, num_heads, head_dim)
    if add_zero_attn:
        zeros = kagari.zeros((batch, num_heads, 1, head_dim), dtype=k.dtype, device=k.device)
        k = kagari.cat([k, zeros], dim=2)
        v = kagari.cat([v, zeros], dim=2)
        more += 1
    if mask is not None and more:
        mask = pad(mask, (0, more))
    if padding is not None:
        if tuple(padding.shape) != (batch, source):
            raise AssertionError(
                f"Expected key_padding_mask of shape {(batch, source)}, "
                f"but got {tuple(padding.shape)}"
            )
        padding = pad(padding, (0, more)).view(batch, 1, 1, source + more)
        mask = padding if mask is None else mask + padding
    if not training:
        dropout_p = 0.0

    weights = None
    if need_weights:
        scores = (q * math.sqrt(1.0 / head_dim)) @ k.transpose(-2, -1)
        weights = (scores if mask is None else scores + mask).softmax(-1)
        if dropout_p > 0.0:
            weights = dropout(weights, p=dropout_p)
        result = weights @ v
        if average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            weights = weights.squeeze(0)
    else:
        result = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    result = result.permute(2, 0, 1, 3).reshape(length, batch, size)
    result = linear(result, out_proj_weight, out_proj_bias)
    return (result if batched else result.squeeze(1)), weights
