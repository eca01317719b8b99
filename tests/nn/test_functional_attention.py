"""Attention: values beside PyTorch's and by hand, hidden rows, derivatives, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kagari
from kagari.autograd import gradcheck, gradgradcheck
from kagari.nn.functional import scaled_dot_product_attention as attention


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) for s in shapes]


def tensors(*shapes, dtype=kagari.float64, grad=False):
    return [kagari.tensor(a, dtype=dtype, requires_grad=grad) for a in arrays(*shapes)]


MASK = np.array([[1, 0, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 1]], dtype=bool)

# shapes of query, key and value; options
CASES = [
    ((3, 4), (5, 4), (5, 2), {}),
    ((2, 3, 4), (2, 5, 4), (2, 5, 4), {"scale": 0.3}),
    ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6), {"is_causal": True}),
    ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4), {"attn_mask": "bool"}),
    ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4), {"attn_mask": "float"}),
    ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4), {"attn_mask": "bool", "is_causal": True}),
    ((1, 6, 3, 4), (1, 2, 5, 4), (1, 3, 5, 4), {"enable_gqa": True}),
    ((2, 3, 4), (2, 0, 4), (2, 0, 4), {}),
    ((2, 0, 4), (2, 5, 4), (2, 5, 4), {}),
]


def options_of(library, options, dtype):
    options = dict(options)
    if options.get("attn_mask") == "bool":
        options["attn_mask"] = library.tensor(MASK)
    elif options.get("attn_mask") == "float":
        added = np.where(MASK, arrays(MASK.shape, seed=3)[0], -math.inf)
        options["attn_mask"] = library.tensor(added, dtype=dtype)
    return options


@pytest.mark.conformance
@pytest.mark.parametrize(("query", "key", "value", "options"), CASES)
def test_beside_pytorch(query, key, value, options):
    torch = pytest.importorskip("torch")
    given = arrays(query, key, value)
    results = []
    for library in (torch, kagari):
        dtype = library.float64
        inputs = [library.tensor(a, dtype=dtype, requires_grad=True) for a in given]
        f = library.nn.functional.scaled_dot_product_attention
        out = f(*inputs, **options_of(library, options, dtype))
        (out * out.detach().cos()).sum().backward()
        results.append([out.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_rows_that_are_hidden_throughout_are_zeros():
    q, k, v = tensors((3, 4), (5, 4), (5, 4), grad=True)
    for mask in (
        kagari.tensor(MASK),
        kagari.zeros(3, 5).masked_fill(~kagari.tensor(MASK), -math.inf),
    ):
        out = attention(q, k, v, mask)
        assert out[1].tolist() == [0.0] * 4
        grads = kagari.autograd.grad(out.sum(), (q, k, v))
        assert all(bool(g.isfinite().all()) for g in grads)
    # The mask hides what causality leaves.
    mask = kagari.ones(3, 5, dtype=kagari.bool)
    mask[0, 0] = False
    assert attention(q, k, v, mask, is_causal=True)[0].tolist() == [0.0] * 4


def test_is_causal_sees_no_later_place():
    q, k, v = tensors((4, 2), (4, 2), (4, 2))
    out = attention(q, k, v, is_causal=True)
    np.testing.assert_allclose(out[0].numpy(), v[0].numpy())
    later = v.clone()
    later[2:] = 100.0
    assert attention(q, k, later, is_causal=True)[:2].tolist() == out[:2].tolist()


def test_half_types_are_computed_in_float32():
    q, k, v = tensors((2, 64, 16), (2, 64, 16), (2, 64, 16), dtype=kagari.bfloat16)
    out = attention(q, k, v)
    assert out.dtype == kagari.bfloat16
    exact = attention(q.double(), k.double(), v.double())
    assert float((out.double() - exact).abs().max()) < 2**-8 * float(exact.abs().max())


def test_dropout():
    q, k, v = tensors((2, 3, 4), (2, 5, 4), (2, 5, 4))
    kagari.manual_seed(1)
    out = attention(q, k, v, dropout_p=0.5)
    kagari.manual_seed(1)
    weights = kagari.dropout((q * 0.5 @ k.transpose(-2, -1)).softmax(-1), 0.5, True)
    np.testing.assert_allclose(out.numpy(), (weights @ v).numpy())
    assert attention(q, k, v, dropout_p=1.0).abs().sum().item() == 0.0


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"attn_mask": "bool"}])
def test_derivatives(options):
    inputs = tensors((2, 3, 2), (2, 5, 2), (2, 5, 3), grad=True)
    options = options_of(kagari, options, kagari.float64)

    def f(q, k, v):
        return attention(q, k, v, **options)

    assert gradcheck(f, inputs)
    assert gradgradcheck(f, inputs)


def test_gradient_of_an_added_mask():
    q, k, v = tensors((2, 3), (4, 3), (4, 3))
    mask = tensors((2, 4), grad=True)[0]
    assert gradcheck(lambda m: attention(q, k, v, m), [mask])


x = kagari.zeros(1, 2, 3, 4)
ERRORS = [
    ((x, x.double(), x), {}, RuntimeError, "to have the same dtype, but got query.dtype"),
    ((x.long(), x.long(), x.long()), {}, RuntimeError, "expected floating point tensors, got"),
    ((x[0, 0, 0], x, x), {}, RuntimeError, "at least 2 dimensional, but got query.dim: 1"),
    ((x, x[..., :2], x), {}, RuntimeError, "expected query and key of the same last size"),
    ((x, x, x, x[0, 0].long()), {}, RuntimeError, "attn_mask dtype to be bool or float"),
    ((x, x, x, kagari.zeros(2, 3)), {}, RuntimeError, r"broadcast to \(1, 2, 3, 3\), got \(2, 3\)"),
    ((x, x, x, None, 1.5), {}, RuntimeError, "between 0 and 1, but got 1.5"),
    ((x[0, 0],) * 3, {"enable_gqa": True}, IndexError, "expected a dimension of heads"),
    (
        (x, kagari.zeros(1, 3, 3, 4), x),
        {"enable_gqa": True},
        RuntimeError,
        "must divide the number of heads in query, got 3, 2 and 2",
    ),
]


@pytest.mark.parametrize(("args", "options", "error", "text"), ERRORS)
def test_errors(args, options, error, text):
    with pytest.raises(error, match=text):
        attention(*args, **options)
