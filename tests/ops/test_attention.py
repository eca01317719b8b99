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


CUTS = {
    "select": lambda x: [x[:, :, i].transpose(1, 2) for i in range(3)],
    "unbind": lambda x: x.permute(2, 0, 3, 1, 4).unbind(0),
    "chunk": lambda x: [p.reshape(2, 40, 4, 16).transpose(1, 2) for p in x.flatten(2).chunk(3, -1)],
    "values first": lambda x: x.permute(2, 0, 3, 1, 4).unbind(0)[::-1],
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("again", ["once", "query twice", "retained", "hooked"])
def test_views_of_one_projection(cut: str, again: str) -> None:
    """The gradients of parts that lie side by side lie so too, and still belong to each part."""
    leaf = drawn(2, 40, 3, 4, 16).requires_grad_()
    found = []
    for attend in (
        F.scaled_dot_product_attention,
        lambda q, k, v, is_causal: formula(q, k, v, causal=is_causal),
    ):
        q, k, v = CUTS[cut](leaf * 1.0)
        seen: list[kagari.Tensor] = []
        if again == "retained":
            for part in (q, k, v):
                part.retain_grad()
        elif again == "hooked":
            k.register_hook(seen.append)
            v.register_hook(lambda g: g * 2)
        y = attend(q, k, v, is_causal=True)
        loss = y.square().sum() + (q.sin().sum() if again == "query twice" else 0.0)
        leaf.grad = None
        loss.backward()
        if again == "retained":
            seen = [part.grad for part in (q, k, v)]
        found.append([y.detach(), leaf.grad, *seen])
    for got, want in zip(*found, strict=True):
        kagari.testing.assert_close(got, want)


def test_a_gradient_that_somebody_holds_is_not_joined_in_place() -> None:
    g = drawn(3, 5)
    x = drawn(3, 5).requires_grad_()
    (joined,) = kagari.autograd.grad(x.unbind(0), x, g.unbind(0))
    before = joined.clone()
    g.zero_()
    assert joined.equal(before)


def test_second_gradients() -> None:
    q, k, v = operands((1, 2, 2, 3, 4, 2, 2), kagari.float64)
    assert kagari.autograd.gradcheck(F.scaled_dot_product_attention, (q, k, v))
    assert kagari.autograd.gradgradcheck(F.scaled_dot_product_attention, (q, k, v))


def dropped_formula(
    q: kagari.Tensor, k: kagari.Tensor, v: kagari.Tensor, kept: kagari.Tensor, causal: bool
) -> kagari.Tensor:
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if causal:
        hidden = kagari.ones(scores.shape[-2:], dtype=kagari.bool).tril().logical_not()
        scores = scores.masked_fill(hidden, -math.inf)
    return (scores.softmax(-1) * kept) @ v


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64], ids=str)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "shape", [(2, 3, 5, 7, 4), (1, 2, 150, 150, 16), (1, 1, 33, 130, 9), (2, 1, 64, 1, 8)]
)
def test_dropout_falls_as_on_the_weights(
    shape: tuple[int, ...], causal: bool, dtype: kagari.dtype
) -> None:
    b, h, lq, lk, e = shape
    q, k, v = operands((b, h, h, lq, lk, e, e), dtype)
    kagari.manual_seed(4)
    kept = kagari.dropout(kagari.ones(b, h, lq, lk, dtype=dtype), 0.3, True)
    after = kagari.rand(3)
    kagari.manual_seed(4)
    y = F.scaled_dot_product_attention(q, k, v, None, 0.3, causal)
    assert kagari.rand(3).equal(after)
    expected = dropped_formula(q, k, v, kept, causal)
    tolerance = 1e-4 if dtype == kagari.float32 else 1e-10
    kagari.testing.assert_close(y, expected, rtol=tolerance, atol=tolerance)
    cotangent = drawn(*y.shape, dtype=dtype, seed=9)
    for create_graph in (False, True):
        got = kagari.autograd.grad(
            y, (q, k, v), cotangent, retain_graph=True, create_graph=create_graph
        )
        want = kagari.autograd.grad(expected, (q, k, v), cotangent, retain_graph=True)
        for a, w in zip(got, want, strict=True):
            kagari.testing.assert_close(a.detach(), w, rtol=tolerance, atol=tolerance)


def test_second_gradients_with_dropout() -> None:
    def attend(*x: kagari.Tensor) -> kagari.Tensor:
        kagari.manual_seed(1)
        return F.scaled_dot_product_attention(*x, dropout_p=0.4)

    operands_ = operands((1, 2, 2, 3, 4, 2, 2), kagari.float64)
    assert kagari.autograd.gradcheck(attend, operands_)
    assert kagari.autograd.gradgradcheck(attend, operands_)


def test_what_the_kernel_refuses() -> None:
    q = drawn(1, 1, 2, 3)
    attend = kagari._core.ops._attention
    with pytest.raises(RuntimeError, match="expected 0 <= dropped < 1, got 1"):
        attend(q, q, q, None, 1.0, False, None, 1.0)
    with pytest.raises(RuntimeError, match="expected `kept` of contiguous bools of shape"):
        attend(q, q, q, None, 1.0, False, drawn(1, 1, 2, 2), 0.5)
    y, lse = attend(q, q, q, None, 1.0, False)
    with pytest.raises(RuntimeError, match="side by side in one tensor"):
        kagari._core.ops._attention_backward(
            y, q, q, q, None, y, lse, 1.0, False, True, True, joined=True
        )


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


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("causal", [False, True])
def test_the_same_bits_however_queries_are_shared_out(causal: bool, dropout: float) -> None:
    """Few threads take long chunks of many heads, many threads short ones, forward and backward."""
    leaves = [
        t.detach().requires_grad_() for t in operands((2, 6, 3, 330, 330, 24, 96), kagari.float32)
    ]
    before, want = kagari.get_num_threads(), None
    g = drawn(2, 6, 330, 96, dtype=kagari.float32, seed=9)
    try:
        for threads in (1, 2, 3, 8, 16):
            kagari.set_num_threads(threads)
            kagari.manual_seed(2)
            y = F.scaled_dot_product_attention(*leaves, None, dropout, causal, enable_gqa=True)
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
