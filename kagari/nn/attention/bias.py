"""Causal masks that are known as such, so that attention need not look at them."""

from __future__ import annotations

import warnings
from enum import IntEnum, auto
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(IntEnum):
    """To which corner of the scores the diagonal of a causal mask is aligned."""

    UPPER_LEFT = auto()
    LOWER_RIGHT = auto()


class CausalBias(Tensor):
    """A causal mask for ``scaled_dot_product_attention``.

    Args:
        variant (CausalVariant): the corner of the diagonal.
        seq_len_q (int): the number of queries.
        seq_len_kv (int): the number of keys.

    Raises:
        AssertionError: ``variant`` is something else.
        ValueError: it is used together with ``is_causal=True``.

    Example:
        >>> import kagari
        >>> from kagari.nn.attention.bias import causal_lower_right
        >>> causal_lower_right(2, 3)._materialize().int().tolist()
        [[1, 1, 0], [1, 1, 1]]
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        return kagari.empty(0).as_subclass(cls)

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        self.variant = variant
        self.seq_len_q = seq_len_q
        self.seq_len_kv = seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warnings.warn(
                "Lower right causal bias will produce NaNs in the output when seq_len_q > "
                "seq_len_kv!",
                stacklevel=3,
            )

    def _materialize(self, device: Any = None) -> Tensor:
        """The mask as a bool tensor: true where a query sees a key."""
        shape = (self.seq_len_q, self.seq_len_kv)
        offset = 0
        if self.variant == CausalVariant.LOWER_RIGHT:
            offset = self.seq_len_kv - self.seq_len_q
        return kagari.ones(shape, dtype=kagari.bool, device=device).tril(offset)

    @staticmethod
    def _dispatch(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: CausalBias,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Attention with the mask."""
        if is_causal:
            raise ValueError("CausalBias should not be used with causal=True")
        square = attn_mask.seq_len_q == attn_mask.seq_len_kv
        simple = square or attn_mask.variant == CausalVariant.UPPER_LEFT
        result: Tensor = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if simple else attn_mask._materialize(query.device),
            dropout_p=dropout_p,
            is_causal=simple,
            scale=scale,
            enable_gqa=enable_gqa,
        )
        return result

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return cls._dispatch(*args, **kwargs)
        return super().__torch_function__(func, types, args, kwargs)

    def __repr__(self) -> str:
        return repr(self._materialize())


def causal_upper_left(*size: int) -> CausalBias:
    """The causal mask with its diagonal from the upper left corner.

    Args:
        *size (int): the numbers of queries and keys.

    Raises:
        AssertionError: there are not two sizes.

    Example:
        >>> from kagari.nn.attention.bias import causal_upper_left
        >>> causal_upper_left(2, 3)._materialize().int().tolist()
        [[1, 0, 0], [1, 1, 0]]
    """
    if len(size) != 2:
        raise AssertionError("causal_upper_left only supports 2D tensors")
    return CausalBias(CausalVariant.UPPER_LEFT, *size)


def causal_lower_right(*size: int) -> CausalBias:
    """The causal mask with its diagonal into the lower right corner.

    Args:
        *size (int): the numbers of queries and keys.

    Raises:
        AssertionError: there are not two sizes.

    Example:
        >>> from kagari.nn.attention.bias import causal_lower_right
        >>> causal_lower_right(2, 3)._materialize().int().tolist()
        [[1, 1, 0], [1, 1, 1]]
    """
    if len(size) != 2:
        raise AssertionError("causal_lower_right only supports 2D tensors")
    return CausalBias(CausalVariant.LOWER_RIGHT, *size)
