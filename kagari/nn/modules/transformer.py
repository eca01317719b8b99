"""The Transformer: encoder, decoder and their layers."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init
from kagari.nn._functional.attention import _canonical_mask, _none_or_dtype
from kagari.nn.modules.activation import GELU, MultiheadAttention, ReLU
from kagari.nn.modules.container import ModuleList
from kagari.nn.modules.dropout import Dropout
from kagari.nn.modules.linear import Linear
from kagari.nn.modules.module import Module
from kagari.nn.modules.normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]


def _causal_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    """Minus infinity above the diagonal, zero elsewhere."""
    return kagari.full((size, size), -kagari.inf, dtype=dtype, device=device).triu(1)


def _is_causal(mask: Tensor | None, hint: bool | None, size: int | None) -> bool:
    """The hint, or where there is none, whether the mask is the causal one."""
    if hint is not None or mask is None:
        return hint is True
    size = mask.size(-2) if size is None else size
    if tuple(mask.shape) != (size, size) or mask.dtype == kagari.bool:
        return False
    return bool((mask == _causal_mask(size, mask.device, mask.dtype)).all())


def _length(x: Tensor, batch_first: bool) -> int:
    return x.size(1 if batch_first and x.dim() == 3 else 0)


def _clones(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation == "relu":
        return F.relu
    if activation == "gelu":
        return F.gelu
    raise RuntimeError(f"activation should be relu/gelu, not {activation}")


class _Layer(Module):
    """What both kinds of layers share: the feed-forward part and its arguments."""

    __constants__ = ["norm_first"]  # noqa: RUF012
    self_attn: Any
    activation: Any
    norm1: Any
    norm2: Any
    dropout1: Any
    dropout2: Any

    def _feed_forward(
        self, d_model: int, hidden: int, dropout: float, bias: bool, where: dict[str, Any]
    ) -> None:
        self.linear1 = Linear(d_model, hidden, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(hidden, d_model, bias=bias, **where)

    def _between(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return y

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu


class TransformerEncoderLayer(_Layer):
    r"""Self-attention and a feed-forward network, each with a residual and a normalization.

    .. math::
        y = \text{norm}_1(x + \text{attention}(x)), \quad
        z = \text{norm}_2(y + W_2 \text{activation}(W_1 y))

    Args:
        d_model (int): E, size of inputs and outputs.
        nhead (int): number of heads; divides E.
        dim_feedforward (int): size between the two maps of the feed-forward network.
        dropout (float): probability that an element falls, in training.
        activation (str or callable): ``"relu"``, ``"gelu"`` or a function of a tensor.
        layer_norm_eps (float): added to the variances.
        batch_first (bool): tensors are ``(N, L, E)``, not ``(L, N, E)``.
        norm_first (bool): normalize what goes into each part instead of the sums.
        bias (bool): whether maps and normalizations have biases.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        src ``(L, N, E)`` or ``(L, E)`` to the same; masks as :class:`MultiheadAttention`'s.

    Raises:
        RuntimeError: another ``activation``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> layer = nn.TransformerEncoderLayer(8, 2, 16)
        >>> tuple(layer(kagari.zeros(5, 3, 8)).shape)
        (5, 3, 8)

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
        )
        self._feed_forward(d_model, dim_feedforward, dropout, bias, where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation = _activation(activation)
        self.activation_relu_or_gelu = 0
        if activation is F.relu or isinstance(activation, ReLU):
            self.activation_relu_or_gelu = 1
        elif activation is F.gelu or isinstance(activation, GELU):
            self.activation_relu_or_gelu = 2

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        src_key_padding_mask = _canonical_mask(
            src_key_padding_mask,
            "src_key_padding_mask",
            _none_or_dtype(src_mask),
            "src_mask",
            src.dtype,
        )
        src_mask = _canonical_mask(src_mask, "src_mask", None, "", src.dtype, False)
        masks = (src_mask, src_key_padding_mask, is_causal)
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *masks)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, *masks))
        y: Tensor = self.norm2(x + self._ff_block(x))
        return y

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        x = self.self_attn(
            x,
            x,
            x,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            need_weights=False,
            is_causal=is_causal,
        )[0]
        y: Tensor = self.dropout1(x)
        return y

    def _ff_block(self, x: Tensor) -> Tensor:
        y: Tensor = self.dropout2(self._between(x))
        return y


class TransformerDecoderLayer(_Layer):
    r"""Self-attention, attention to the encoder's output and a feed-forward network.

    Args:
        d_model (int): E, size of inputs and outputs.
        nhead (int): number of heads; divides E.
        dim_feedforward (int): size between the two maps of the feed-forward network.
        dropout (float): probability that an element falls, in training.
        activation (str or callable): ``"relu"``, ``"gelu"`` or a function of a tensor.
        layer_norm_eps (float): added to the variances.
        batch_first (bool): tensors are ``(N, L, E)``, not ``(L, N, E)``.
        norm_first (bool): normalize what goes into each part instead of the sums.
        bias (bool): whether maps and normalizations have biases.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        tgt ``(T, N, E)`` and memory ``(S, N, E)`` to ``(T, N, E)``, or all without N; masks as
        :class:`MultiheadAttention`'s.

    Raises:
        RuntimeError: another ``activation``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> layer = nn.TransformerDecoderLayer(8, 2, 16)
        >>> tuple(layer(kagari.zeros(5, 3, 8), kagari.zeros(4, 3, 8)).shape)
        (5, 3, 8)

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where = {"device": device, "dtype": dtype}
        self.self_attn, self.multihead_attn = (
            MultiheadAttention(
                d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
            )
            for _ in range(2)
        )
        self._feed_forward(d_model, dim_feedforward, dropout, bias, where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        x = tgt
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, *other))
        y: Tensor = self.norm3(x + self._ff_block(x))
        return y

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        y: Tensor = self.dropout1(
            self.self_attn(
                x,
                x,
                x,
                attn_mask=attn_mask,
                key_padding_mask=key_padding_mask,
                is_causal=is_causal,
                need_weights=False,
            )[0]
        )
        return y

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        y: Tensor = self.dropout2(
            self.multihead_attn(
                x,
                mem,
                mem,
                attn_mask=attn_mask,
                key_padding_mask=key_padding_mask,
                is_causal=is_causal,
                need_weights=False,
            )[0]
        )
        return y

    def _ff_block(self, x: Tensor) -> Tensor:
        y: Tensor = self.dropout3(self._between(x))
        return y


def _why_not_nested(layer: Any) -> str:
    """Why PyTorch would not skip padding with nested tensors, or nothing."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    attention = layer.self_attn
    reasons = (
        (layer.norm_first, "encoder_layer.norm_first was True"),
        (
            not attention.batch_first,
            "encoder_layer.self_attn.batch_first was not True"
            "(use batch_first for better inference performance)",
        ),
        (
            not attention._qkv_same_embed_dim,
            "encoder_layer.self_attn._qkv_same_embed_dim was not True",
        ),
        (attention.in_proj_bias is None, "encoder_layer.self_attn was passed bias=False"),
        (
            not layer.activation_relu_or_gelu,
            "encoder_layer.activation_relu_or_gelu was not True",
        ),
        (
            layer.norm1.eps != layer.norm2.eps,
            "encoder_layer.norm1.eps was not equal to encoder_layer.norm2.eps",
        ),
        (attention.num_heads % 2 == 1, "encoder_layer.self_attn.num_heads is odd"),
    )
    return next((why for found, why in reasons if found), "")


class TransformerEncoder(Module):
    """A stack of encoder layers, copies of one.

    Args:
        encoder_layer (Module): the layer to copy.
        num_layers (int): how many copies.
        norm (Module, optional): a normalization of the result.
        enable_nested_tensor (bool): accepted as in PyTorch. There, in evaluation without
            gradients, outputs at padded places are zeros; so they are here.
        mask_check (bool): make sure that the padding is on the right before that.

    Shape:
        src ``(L, N, E)`` or ``(L, E)`` to the same.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        >>> tuple(nn.TransformerEncoder(layer, 2)(kagari.zeros(3, 5, 8)).shape)
        (3, 5, 8)
    """

    __constants__ = ["norm"]  # noqa: RUF012

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        why = _why_not_nested(encoder_layer)
        if enable_nested_tensor and why:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because " + why,
                stacklevel=2,
            )
            self.use_nested_tensor = False

    def _padding_to_zero(self, src: Tensor, mask: Tensor | None, padding: Tensor) -> Tensor | None:
        """Where PyTorch's results are zeros: the padding, where it would skip that."""
        first: Any = self.layers[0]
        if not self.use_nested_tensor or first.training or src.dim() != 3 or mask is not None:
            return None
        if kagari.is_grad_enabled() and (
            src.requires_grad or any(p.requires_grad for p in first.parameters())
        ):
            return None
        padded = padding != 0
        # True to the right of the first True only.
        if self.mask_check and bool((padded[:, 1:] < padded[:, :-1]).any()):
            return None
        return padded.unsqueeze(-1)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        padding = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", _none_or_dtype(mask), "mask", src.dtype
        )
        mask = _canonical_mask(mask, "mask", None, "", src.dtype, False)
        first: Any = self.layers[0]
        zero = None if padding is None else self._padding_to_zero(src, mask, padding)
        causal = _is_causal(mask, is_causal, _length(src, first.self_attn.batch_first))
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=causal, src_key_padding_mask=padding)
        if zero is not None:
            output = output.masked_fill(zero, 0.0)
        return output if self.norm is None else self.norm(output)


class TransformerDecoder(Module):
    """A stack of decoder layers, copies of one.

    Args:
        decoder_layer (Module): the layer to copy.
        num_layers (int): how many copies.
        norm (Module, optional): a normalization of the result.

    Shape:
        tgt ``(T, N, E)`` and memory ``(S, N, E)`` to ``(T, N, E)``, or all without N.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2)
        >>> tuple(decoder(kagari.zeros(5, 3, 8), kagari.zeros(4, 3, 8)).shape)
        (5, 3, 8)
    """

    __constants__ = ["norm"]  # noqa: RUF012

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, first.self_attn.batch_first))
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """Encoder and decoder.

    Args:
        d_model (int): E, size of inputs and outputs.
        nhead (int): number of heads; divides E.
        num_encoder_layers (int): layers of the encoder.
        num_decoder_layers (int): layers of the decoder.
        dim_feedforward (int): size between the two maps of the feed-forward networks.
        dropout (float): probability that an element falls, in training.
        activation (str or callable): ``"relu"``, ``"gelu"`` or a function of a tensor.
        custom_encoder (Module, optional): instead of the encoder.
        custom_decoder (Module, optional): instead of the decoder.
        layer_norm_eps (float): added to the variances.
        batch_first (bool): tensors are ``(N, L, E)``, not ``(L, N, E)``.
        norm_first (bool): normalize what goes into each part instead of the sums.
        bias (bool): whether maps and normalizations have biases.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        src ``(S, N, E)`` and tgt ``(T, N, E)`` to ``(T, N, E)``, or all without N; masks as
        :class:`MultiheadAttention`'s.

    Raises:
        RuntimeError: src and tgt have different batches, or another size than E.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> net = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
        >>> tuple(net(kagari.zeros(3, 5, 8), kagari.zeros(3, 4, 8)).shape)
        (3, 4, 8)

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where = {"device": device, "dtype": dtype}
        settings = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
        )

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)

        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            self.encoder = TransformerEncoder(
                TransformerEncoderLayer(*settings, **where), num_encoder_layers, norm()
            )
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            self.decoder = TransformerDecoder(
                TransformerDecoderLayer(*settings, **where), num_decoder_layers, norm()
            )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        output: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return output

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask: minus infinity above the diagonal, zero elsewhere.

        Example:
            >>> from kagari import nn
            >>> nn.Transformer.generate_square_subsequent_mask(2).tolist()
            [[0.0, -inf], [0.0, 0.0]]
        """
        return _causal_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
