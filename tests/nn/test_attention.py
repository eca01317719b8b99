"""nn.attention: the choice of kernels, causal biases, flex attention and block masks."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kagari
from kagari.autograd import gradgradcheck
from kagari.nn import attention
from kagari.nn import functional as F
from kagari.nn.attention import SDPBackend, sdpa_kernel
from kagari.nn.attention.bias import (
    CausalBias,
    CausalVariant,
    causal_lower_right,
    causal_upper_left,
)
from kagari.nn.attention.flex_attention import (
    AuxRequest,
    BlockMask,
    and_masks,
    create_block_mask,
    create_mask,
    flex_attention,
    noop_mask,
    or_masks,
)


def causal(b, h, q, kv):
    return q >= kv


def window(b, h, q, kv):
    return (q - kv).abs() <= 3


def by_head(b, h, q, kv):
    return (kv + h) % 2 == 0


def qkv(*shape, keys=None, dtype=kagari.float64):
    kagari.manual_seed(0)
    other = (*shape[:2], keys or shape[2], shape[3])
    return [kagari.randn(*s, dtype=dtype, requires_grad=True) for s in (shape, other, other)]


def test_choice_of_kernels_is_kept_and_given_back():
    before = attention._cur_sdpa_kernel_backends(True)
    assert before[0] == SDPBackend.FLASH_ATTENTION
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION], set_priority=True):
        inside = attention._cur_sdpa_kernel_backends(True)
        assert inside == [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION]
        with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):
            assert attention._cur_sdpa_kernel_backends() == [SDPBackend.EFFICIENT_ATTENTION]
        assert attention._cur_sdpa_kernel_backends(True) == inside
    assert attention._cur_sdpa_kernel_backends(True) == before


@pytest.mark.parametrize("make", [causal_upper_left, causal_lower_right])
@pytest.mark.parametrize("keys", [5, 7])
def test_causal_bias(make, keys):
    q, k, v = qkv(2, 2, 5, 4, keys=keys)
    bias = make(5, keys)
    assert isinstance(bias, CausalBias)
    got = F.scaled_dot_product_attention(q, k, v, bias)
    want = F.scaled_dot_product_attention(q, k, v, bias._materialize())
    assert kagari.allclose(got, want, atol=1e-12)
    assert repr(bias) == repr(bias._materialize())


def test_flex_attention_is_attention():
    q, k, v = qkv(2, 3, 5, 4, keys=6)
    want = F.scaled_dot_product_attention(q, k, v)
    assert kagari.allclose(flex_attention(q, k, v), want, atol=1e-12)
    want = F.scaled_dot_product_attention(q, k, v, scale=0.3)
    assert kagari.allclose(flex_attention(q, k, v, scale=0.3), want, atol=1e-12)


def test_functions_of_scores_and_masks():
    q, k, v = qkv(2, 3, 9, 4)
    slopes = kagari.tensor([0.5, 0.25, 0.125], dtype=kagari.float64)
    table = kagari.randn(9, 9, dtype=kagari.float64, requires_grad=True)

    def bias(score, b, h, q_idx, kv_idx):
        return score + slopes[h] * (kv_idx - q_idx) + table[q_idx, kv_idx]

    mask = create_block_mask(and_masks(causal, by_head), None, 3, 9, 9, BLOCK_SIZE=4)
    got = flex_attention(q, k, v, bias, mask)
    scores = q @ k.mT / 2
    i, j = kagari.arange(9).reshape(9, 1), kagari.arange(9)
    scores = scores + slopes.reshape(3, 1, 1) * (j - i) + table
    heads = kagari.arange(3).reshape(3, 1, 1)
    seen = (i >= j) & ((j + heads) % 2 == 0)
    weights = scores.masked_fill(~seen, -math.inf).softmax(-1).nan_to_num(0.0)
    assert kagari.allclose(got, weights @ v, atol=1e-12)
    # A query that sees nothing gives zeros, and its gradient is no NaN.
    assert got[:, 1, 0].abs().max() == 0
    grads = kagari.autograd.grad(got.sum(), [q, k, v, table])
    assert all(bool(g.isfinite().all()) for g in grads)


def test_flex_attention_to_second_order():
    q, k, v = qkv(1, 2, 4, 2)
    mask = create_block_mask(causal, None, None, 4, 4)
    assert gradgradcheck(lambda *x: flex_attention(*x, lambda s, *_: s.tanh(), mask), (q, k, v))


def test_groups_of_heads_and_a_batch_of_keys():
    q, _, _ = qkv(2, 4, 5, 4)
    _, k, v = qkv(1, 2, 5, 4)
    mask = create_block_mask(noop_mask, 2, None, 5, 5)
    got = flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
    want = F.scaled_dot_product_attention(
        q, *(t.repeat_interleave(2, dim=1).expand(2, -1, -1, -1) for t in (k, v))
    )
    assert kagari.allclose(got, want, atol=1e-12)


def test_what_is_given_besides():
    q, k, v = qkv(1, 1, 3, 2)
    out, aux = flex_attention(q, k, v, return_aux=AuxRequest(lse=True, max_scores=True))
    scores = q @ k.mT / math.sqrt(2)
    assert kagari.allclose(aux.lse, scores.exp().sum(-1).log())
    assert kagari.equal(aux.max_scores, scores.amax(-1))
    with pytest.warns(FutureWarning, match="return_lse is deprecated"):
        again, lse = flex_attention(q, k, v, return_lse=True)
    assert kagari.equal(again, out)
    assert kagari.equal(lse, aux.lse)


def tensors_of(mask):
    return {n: getattr(mask, n) for n in BlockMask._TENSORS[:8]}


@pytest.mark.conformance
@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("mod", [causal, window, by_head])
def test_block_masks_as_torch(mod, separate):
    pytest.importorskip("torch")
    from torch.nn.attention import flex_attention as theirs

    args = (mod, 2, 3, 9, 11)
    kwargs = {"BLOCK_SIZE": (2, 4), "separate_full_blocks": separate, "device": "cpu"}
    ours, other = create_block_mask(*args, **kwargs), theirs.create_block_mask(*args, **kwargs)
    steps = (
        lambda m: m,
        lambda m: m[:, 1],
        lambda m: m[1, :, :2],
        lambda m: m._adjust(5, 7),
    )
    for step in steps:
        a, b = step(ours), step(other)
        for name, t in tensors_of(a).items():
            want = getattr(b, name)
            assert (t is None) == (want is None)
            # Only the first places of a row count.
            if t is not None and not name.endswith("indices"):
                np.testing.assert_array_equal(t.numpy(), want.numpy())
        np.testing.assert_array_equal(a.to_dense().numpy(), b.to_dense().numpy())
        assert (a.shape, a.numel(), a.sparsity()) == (b.shape, b.numel(), b.sparsity())
        assert str(a) == str(b)
    assert repr(ours).replace("kagari.Size", "torch.Size") == repr(other)
    np.testing.assert_array_equal(
        create_mask(*args).numpy(), theirs.create_mask(*args, device="cpu").numpy()
    )


def test_masks_combined():
    both = create_mask(and_masks(causal, window), 1, 1, 6, 6)
    either = create_mask(or_masks(causal, window), 1, 1, 6, 6)
    a, b = create_mask(causal, 1, 1, 6, 6), create_mask(window, 1, 1, 6, 6)
    assert kagari.equal(both, a & b)
    assert kagari.equal(either, a | b)
    scores = create_mask(lambda s, b, h, q, kv: s.masked_fill(q < kv, -math.inf), 1, 1, 6, 6)
    assert kagari.equal(scores, a)


def test_block_mask_from_blocks():
    mask = create_block_mask(window, 1, 2, 8, 8, BLOCK_SIZE=2)
    again = BlockMask.from_kv_blocks(*(list(tensors_of(mask).values())[:4]), BLOCK_SIZE=2)
    assert again.shape == (1, 2, 8, 8)
    assert kagari.equal(again.to_dense(), mask.to_dense())
    assert len(mask.as_tuple()) == 17
    assert len(mask.as_tuple(flatten=False)) == 15
    assert kagari.equal(mask.to("cpu").q_indices, mask.q_indices)


X = kagari.zeros(1, 2, 4, 4)
MASK = create_block_mask(causal, None, None, 4, 4)
ERRORS = [
    (lambda: sdpa_kernel("math").__enter__(), AssertionError, "instance of SDPBackend"),
    (lambda: CausalBias("upper", 2, 3), AssertionError, "variant must be a CausalVariant"),
    (lambda: causal_upper_left(3), AssertionError, "only supports 2D tensors"),
    (lambda: causal_lower_right(3), AssertionError, "only supports 2D tensors"),
    (
        lambda: F.scaled_dot_product_attention(X, X, X, causal_upper_left(4, 4), is_causal=True),
        ValueError,
        "should not be used with causal=True",
    ),
    (lambda: flex_attention(X[0], X[0], X[0]), NotImplementedError, "must be 4D"),
    (lambda: flex_attention(X, X[..., :3], X), ValueError, "same embedding dimension"),
    (lambda: flex_attention(X, X[:, :1], X[:, :1]), ValueError, "same number of heads"),
    (
        lambda: flex_attention(X[:, :1], X, X, enable_gqa=True),
        ValueError,
        "a multiple of kv heads",
    ),
    (
        lambda: flex_attention(X.expand(2, -1, -1, -1), X, X),
        ValueError,
        "or non-none block_mask",
    ),
    (
        lambda: flex_attention(X.expand(2, -1, -1, -1), X, X, block_mask=MASK),
        ValueError,
        "B_block_mask=1",
    ),
    (
        lambda: flex_attention(X[:, :, :3], X, X, block_mask=MASK),
        ValueError,
        "created for a larger length",
    ),
    (
        lambda: flex_attention(*[kagari.zeros(1, 2, 5, 4)] * 3, block_mask=MASK),
        ValueError,
        "created for a smaller length",
    ),
    (
        lambda: flex_attention(X, X, X, block_mask=MASK[:, :]),
        RuntimeError,
        "Cannot use mask_mod from a sliced BlockMask",
    ),
    (
        lambda: flex_attention(X, X, X, return_lse=True, return_aux=AuxRequest()),
        ValueError,
        "Cannot specify both",
    ),
    (
        lambda: create_block_mask(lambda s, b, h, q, kv: s, 1, 1, 4, 4),
        AssertionError,
        "requires a mask_mod function",
    ),
    (lambda: create_mask(lambda q, kv: q, 1, 1, 4, 4), AssertionError, "Expected 4 or 5"),
    (
        lambda: create_block_mask(causal, 1, 1, 4, 4, compute_dq_write_order=True),
        NotImplementedError,
        "expected compute_dq_write_order=False",
    ),
    (lambda: or_masks(causal, 3), RuntimeError, "should be callable mask_mods"),
    (
        lambda: BlockMask.from_kv_blocks(kagari.zeros(()), kagari.zeros(1)),
        RuntimeError,
        "at least 2 dimensions",
    ),
    (
        lambda: BlockMask.from_kv_blocks(kagari.zeros(1), kagari.zeros(1, 1), kagari.zeros(1)),
        AssertionError,
        "both provided or omitted",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_lower_right_with_more_queries_than_keys_warns():
    with pytest.warns(UserWarning, match="will produce NaNs"):
        CausalBias(CausalVariant.LOWER_RIGHT, 5, 3)
