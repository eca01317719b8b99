"""The Transformer and attention with several heads: results beside PyTorch's, masks, errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import kagari
from kagari import nn
from kagari.autograd import gradgradcheck

SIZES = {"d_model": 8, "nhead": 2, "dim_feedforward": 12, "dropout": 0.0}
LAYERS = [
    {},
    {"norm_first": True, "activation": "gelu"},
    {"batch_first": True, "bias": False},
    {"layer_norm_eps": 1e-2},
]
MASKS = [None, "causal", "bool", "float", "padding", "both"]


def masks(m, kind, length, source, batch, seed=2):
    """Attention mask and padding mask of a kind."""
    rng = np.random.default_rng(seed)
    hidden = rng.random((length, source)) < 0.3
    hidden[:, 0] = False
    padding = np.zeros((batch, source), bool)
    padding[1, -2:] = True
    if kind == "causal":
        return m.nn.Transformer.generate_square_subsequent_mask(length, dtype=m.float64), None
    if kind == "bool":
        return m.tensor(hidden), None
    if kind == "float":
        return m.tensor(rng.standard_normal((length, source))), None
    if kind == "padding":
        return None, m.tensor(padding)
    if kind == "both":
        return m.tensor(hidden), m.tensor(padding)
    return None, None


def inputs(m, *shapes):
    rng = np.random.default_rng(1)
    return [m.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]


def compare(run):
    """The numbers and texts of one recipe in both libraries."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = run(kagari), run(torch)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, (str, list)):
            assert a == b
        else:
            np.testing.assert_allclose(
                a.detach().numpy(), b.detach().numpy(), rtol=1e-8, atol=1e-10
            )


def gradients(m, y, leaves):
    weights = m.arange(1.0, y.numel() + 1, dtype=m.float64).reshape(y.shape).cos()
    return m.autograd.grad((y * weights).sum(), leaves)


@pytest.mark.conformance
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("kwargs", LAYERS)
def test_encoder_layer_as_torch(kwargs, kind):
    def run(m):
        m.manual_seed(0)
        layer = m.nn.TransformerEncoderLayer(**SIZES, **kwargs, dtype=m.float64)
        shape = (3, 5, 8) if kwargs.get("batch_first") else (5, 3, 8)
        (x,) = inputs(m, shape)
        mask, padding = masks(m, kind, 5, 5, 3)
        y = layer(x, mask, padding, is_causal=kind == "causal")
        grads = gradients(m, y, [x, *layer.parameters()])
        return [y, *grads, *layer.parameters(), repr(layer), list(layer.state_dict())]

    compare(run)


@pytest.mark.conformance
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("kwargs", LAYERS)
def test_decoder_layer_as_torch(kwargs, kind):
    def run(m):
        m.manual_seed(0)
        layer = m.nn.TransformerDecoderLayer(**SIZES, **kwargs, dtype=m.float64)
        first = kwargs.get("batch_first")
        x, memory = inputs(m, (3, 5, 8) if first else (5, 3, 8), (3, 4, 8) if first else (4, 3, 8))
        mask, padding = masks(m, kind, 5, 5, 3)
        other, other_padding = masks(m, None if kind == "causal" else kind, 5, 4, 3)
        y = layer(x, memory, mask, other, padding, other_padding, kind == "causal")
        grads = gradients(m, y, [x, memory, *layer.parameters()])
        return [y, *grads, repr(layer), list(layer.state_dict())]

    compare(run)


@pytest.mark.conformance
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", [None, "causal", "padding"])
def test_encoder_as_torch(kind, training):
    """In evaluation without gradients, padded places are zeros before the norm."""

    def run(m):
        m.manual_seed(0)
        layer = m.nn.TransformerEncoderLayer(**SIZES, batch_first=True, dtype=m.float64)
        norm = m.nn.LayerNorm(8, dtype=m.float64)
        net = m.nn.TransformerEncoder(layer, 2, norm).train(training)
        (x,) = inputs(m, (3, 5, 8))
        mask, padding = masks(m, kind, 5, 5, 3)
        with m.set_grad_enabled(training):
            return [net(x, mask, padding), repr(net)]

    compare(run)


@pytest.mark.conformance
@pytest.mark.parametrize("batched", [True, False])
def test_transformer_as_torch(batched):
    def run(m):
        m.manual_seed(0)
        net = m.nn.Transformer(8, 2, 2, 2, 12, 0.0, batch_first=True, dtype=m.float64)
        src, tgt = inputs(m, (3, 5, 8), (3, 4, 8))
        if not batched:
            src, tgt = src[0], tgt[0]
        mask = net.generate_square_subsequent_mask(4, dtype=m.float64)
        y = net(src, tgt, tgt_mask=mask)
        grads = gradients(m, y, [src, tgt, *net.parameters()])
        return [y, *grads, *net.parameters(), repr(net), list(net.state_dict())]

    compare(run)


HEADS = [
    {},
    {"kdim": 5, "vdim": 7},
    {"add_bias_kv": True, "bias": False},
    {"add_zero_attn": True, "batch_first": True},
    {"kdim": 5, "vdim": 7, "add_bias_kv": True, "add_zero_attn": True},
]


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("kind", "need_weights"),
    [*((kind, True) for kind in MASKS), (None, "each"), ("causal", False), ("both", False)],
)
@pytest.mark.parametrize("kwargs", HEADS)
def test_multihead_attention_as_torch(kwargs, kind, need_weights):
    def run(m):
        m.manual_seed(0)
        net = m.nn.MultiheadAttention(8, 2, **kwargs, dtype=m.float64)
        sizes = ((4, 8), (4, net.kdim), (4, net.vdim))
        order = (lambda n, e: (3, n, e)) if net.batch_first else (lambda n, e: (n, 3, e))
        q, k, v = inputs(m, *(order(*s) for s in sizes))
        mask, padding = masks(m, kind, 4, 4, 3)
        y, weights = net(
            q,
            k,
            v,
            attn_mask=mask,
            key_padding_mask=padding,
            need_weights=bool(need_weights),
            average_attn_weights=need_weights != "each",
            is_causal=kind == "causal" and not kwargs.get("add_zero_attn"),
        )
        grads = gradients(m, y, [q, k, v, *net.parameters()])
        return [y, *([] if weights is None else [weights]), *grads, list(net.state_dict())]

    compare(run)


# ---- standing alone -----------------------------------------------------------------------------


def test_second_derivatives():
    kagari.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 3, 0.0, "gelu", dtype=kagari.float64)
    x = kagari.randn(3, 1, 4, dtype=kagari.float64, requires_grad=True)
    assert gradgradcheck(layer, (x,))


def test_a_causal_mask_hides_what_follows():
    kagari.manual_seed(0)
    net = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True), 2, enable_nested_tensor=False
    )
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    x = kagari.randn(2, 5, 8)
    y = net(x, mask)
    assert kagari.allclose(net(x[:, :3], mask[:3, :3]), y[:, :3], atol=1e-5)


def test_layers_are_copies():
    layer = nn.TransformerEncoderLayer(**SIZES, batch_first=True)
    net = nn.TransformerEncoder(layer, 2)
    assert kagari.equal(net.layers[0].linear1.weight, net.layers[1].linear1.weight)
    assert net.layers[0].linear1.weight is not net.layers[1].linear1.weight


def test_nested_tensors_warn_where_torch_could_not_use_them():
    with pytest.warns(UserWarning, match="norm_first was True"):
        nn.TransformerEncoder(
            nn.TransformerEncoderLayer(**SIZES, norm_first=True, batch_first=True), 1
        )


ERRORS = [
    (
        lambda: nn.TransformerEncoderLayer(8, 2, activation="elu"),
        RuntimeError,
        "activation should be relu/gelu, not elu",
    ),
    (
        lambda: nn.Transformer(8, 2, 1, 1, 4)(kagari.zeros(5, 2, 8), kagari.zeros(5, 3, 8)),
        RuntimeError,
        "the batch number of src and tgt must be equal",
    ),
    (
        lambda: nn.Transformer(8, 2, 1, 1, 4)(kagari.zeros(5, 2, 7), kagari.zeros(5, 2, 7)),
        RuntimeError,
        "the feature number of src and tgt must be equal to d_model",
    ),
    (lambda: nn.MultiheadAttention(8, 3), AssertionError, "divisible by num_heads"),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[kagari.zeros(3, 1, 8)] * 3, is_causal=True),
        RuntimeError,
        "Need attn_mask if specifying the is_causal hint",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
