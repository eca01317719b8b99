"""Attention in tiles beside its formula: masks, shared heads, views, gradients and the law of bits."""

import math

import pytest

import kagari
import kagari.nn.functional as F

# batch, heads, heads of keys, queries, keys, width, width of values
SHAPES = [
    (2, 3, 3, 5, 7, 4, 4),
    (1, 2, 2, 65, 65, 16, 16),
    (2, 4, 2, 33, 130, 24, 40),
    (1, 1, 1, 1, 300, 64, 64),
    (2, 2, 2, 200, 17, 8, 8),
    (1, 2, 2, 1, 1, 1, 1),
    (1, 4, 2, 150, 150, 20, 9),
    (1, 2, 2, 100, 230, 8, 64),
]


def drawn(*shape: int, dtype: kagari.dtype = kagari.float64, seed: int = 1) -> kagari.Tensor:
    return kagari.randn(*shape, dtype=dtype, generator=kagari.Generator().manual_seed(seed))


def operands(shape: tuple[int, ...], dtype: kagari.dtype) -> list[kagari.Tensor]:
    b, h, hk, lq, lk, e, ev = shape
    sizes = [(b, h, lq, e), (b, hk, lk, e), (b, hk, lk, ev)]
    return [drawn(*s, dtype=dtype, seed=i).requires_grad_() for i, s in enumerate(sizes)]


def formula(
    q: kagari.Tensor,
    k: kagari.Tensor,
    v: kagari.Tensor,
    mask: kagari.Tensor | None = None,
    causal: bool = False,
) -> kagari.Tensor:
    repeat = q.shape[1] // k.shape[1]
    k, v = (t.repeat_interleave(repeat, dim=1) for t in (k, v))
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if causal:
        hidden = kagari.ones(scores.shape[-2:], dtype=kagari.bool).tril().logical_not()
        scores = scores.masked_fill(hidden, -math.inf)
    if mask is not None:
        scores = (
            scores.masked_fill(~mask, -math.inf) if mask.dtype == kagari.bool else scores + mask
        )
    return scores.softmax(-1) @ v


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64], ids=str)
@pytest.mark.parametrize("kind", ["plain", "causal", "hidden", "added"])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients(shape: tuple[int, ...], kind: str, dtype: kagari.dtype) -> None:
    q, k, v = operands(shape, dtype)
    lq, lk = shape[3], shape[4]
    mask = None
    if kind == "hidden":
        mask = drawn(lq, lk) > 0.5
        mask[:, 0] = True
    elif kind == "added":
        mask = drawn(shape[0], 1, lq, lk, dtype=dtype)
    causal = kind == "causal"
    shared = shape[1] != shape[2]
    y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, enable_gqa=shared)
    wide = [t.detach().double().requires_grad_() for t in (q, k, v)]
    wide_mask = mask if mask is None or mask.dtype == kagari.bool else mask.double()
    expected = formula(*wide, wide_mask, causal)
    tolerance = 1e-4 if dtype == kagari.float32 else 1e-10
    kagari.testing.assert_close(y.double(), expected, rtol=tolerance, atol=tolerance)
    cotangent = drawn(*y.shape, seed=9)
    grads = kagari.autograd.grad(y, (q, k, v), cotangent.to(dtype))
    wanted = kagari.autograd.grad(expected, wide, cotangent)
    for got, want in zip(grads, wanted, strict=True):
        kagari.testing.assert_close(got.double(), want, rtol=tolerance, atol=tolerance)


def test_views_of_one_projection() -> None:
    qkv = drawn(2, 40, 3, 4, 16).requires_grad_()
    q, k, v = (qkv[:, :, i].transpose(1, 2) for i in range(3))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    expected = formula(q, k, v, causal=True)
    kagari.testing.assert_close(y, expected)
    (got,) = kagari.autograd.grad(y.square().sum(), qkv)
    (want,) = kagari.autograd.grad(expected.square().sum(), qkv)
    kagari.testing.assert_close(got, want)


def test_second_gradients() -> None:
    q, k, v = operands((1, 2, 2, 3, 4, 2, 2), kagari.float64)
    assert kagari.autograd.gradcheck(F.scaled_dot_product_attention, (q, k, v))
    assert kagari.autograd.gradgradcheck(F.scaled_dot_product_attention, (q, k, v))


def test_a_row_without_keys_and_without_queries() -> None:
    q, k, v = (t.detach() for t in operands((1, 2, 2, 3, 4, 2, 2), kagari.float32))
    mask = kagari.ones(3, 4, dtype=kagari.bool)
    mask[1] = False
    y = F.scaled_dot_product_attention(q, k, v, mask)
    kagari.testing.assert_close(y[:, :, 0], formula(q, k, v)[:, :, 0])
    assert F.scaled_dot_product_attention(q[:, :, :0], k, v).shape == (1, 2, 0, 2)
    assert F.scaled_dot_product_attention(q[:0], k[:0], v[:0]).shape == (0, 2, 3, 2)


@pytest.mark.parametrize(
    ("mask", "dropout"),
    [(None, 0.0), (None, 1e-12), (kagari.zeros(3, 4), 0.0), (kagari.zeros(3, 4), 1e-12)],
    ids=["kernel", "formula", "kernel with a mask", "formula with a mask"],
)
def test_a_row_whose_scores_are_all_minus_infinity_gives_zeros(
    mask: kagari.Tensor | None, dropout: float
) -> None:
    q = kagari.ones(1, 2, 3, 4)
    q[:, :, 1] = -math.inf
    k, v = kagari.ones(1, 2, 4, 4), drawn(1, 2, 4, 4, dtype=kagari.float32).requires_grad_()
    y = F.scaled_dot_product_attention(q, k, v, mask, dropout)
    assert y[:, :, 1].eq(0).all()
    kagari.testing.assert_close(y[:, :, 0], v.mean(2))
    for create_graph in (False, True):
        (grad,) = kagari.autograd.grad(y.sum(), v, retain_graph=True, create_graph=create_graph)
        kagari.testing.assert_close(grad, kagari.full_like(grad, 0.5))


@pytest.mark.parametrize("causal", [False, True])
def test_the_same_bits_however_queries_are_shared_out(causal: bool) -> None:
    """Few threads take long chunks of many heads, many threads short ones, forward and backward."""
    leaves = [
        t.detach().requires_grad_() for t in operands((2, 6, 3, 330, 330, 24, 96), kagari.float32)
    ]
    before, want = kagari.get_num_threads(), None
    g = drawn(2, 6, 330, 96, dtype=kagari.float32, seed=9)
    try:
        for threads in (1, 2, 3, 8, 16):
            kagari.set_num_threads(threads)
            y = F.scaled_dot_product_attention(*leaves, is_causal=causal, enable_gqa=True)
            got = [y.detach(), *kagari.autograd.grad(y, leaves, g)]
            want = want or got
            assert all(a.equal(b) for a, b in zip(got, want, strict=True)), threads
    finally:
        kagari.set_num_threads(before)


@pytest.mark.parametrize("causal", [False, True])
def test_the_same_bits_for_any_number_of_threads_and_for_a_head_alone(causal: bool) -> None:
    q, k, v = (t.detach() for t in operands((3, 4, 4, 130, 130, 32, 32), kagari.float32))
    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        for threads in (2, 3, 4, 8):
            kagari.set_num_threads(threads)
            assert F.scaled_dot_product_attention(q, k, v, is_causal=causal).equal(y)
        one = F.scaled_dot_product_attention(q[2:, 1:2], k[2:, 1:2], v[2:, 1:2], is_causal=causal)
        assert one.equal(y[2:, 1:2])
    finally:
        kagari.set_num_threads(before)


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64])
@pytest.mark.parametrize("keys", [1, 9, 37, 130])
def test_a_query_alone_is_the_query_among_others(keys: int, dtype: kagari.dtype) -> None:
    """Queries are weighed side by side, whatever each of them sees."""
    q, k, v = (t.detach() for t in operands((1, 2, 2, 7, keys, 12, 12), dtype))
    hidden = drawn(7, keys, seed=5).gt(0.3)
    hidden[2] = True
    q[:, :, 5, 0] = math.nan
    mask = kagari.zeros(7, keys, dtype=dtype).masked_fill(hidden, -math.inf)
    y = F.scaled_dot_product_attention(q, k, v, mask)
    assert y[:, :, 2].eq(0).all()
    assert y[:, :, 5].isnan().all()
    for i in range(7):
        one = F.scaled_dot_product_attention(q[:, :, i : i + 1], k, v, mask[i : i + 1])
        kagari.testing.assert_close(one, y[:, :, i : i + 1], rtol=0, atol=0, equal_nan=True)
    causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    first = F.scaled_dot_product_attention(q[:, :, :1], k[:, :, :1], v[:, :, :1])
    assert first.equal(causal[:, :, :1])
