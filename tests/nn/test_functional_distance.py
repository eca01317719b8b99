"""Distances and cosines of rows: values in every layout, gradients to second order, the edges of floats."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck, gradgradcheck

SHAPES = [
    ((7, 33), (7, 33)),
    ((4, 1, 20), (1, 5, 20)),
    ((3, 513), (513,)),
    ((1, 3), (4, 3)),
    ((3,), (3,)),
    ((2, 0), (2, 0)),
]


def pair(shapes, dtype=np.float64):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(s).astype(dtype) for s in shapes]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shapes", SHAPES)
def test_values(shapes, dtype):
    x, y = pair(shapes, dtype)
    a, b = kagari.from_numpy(x), kagari.from_numpy(y)
    tolerance = 2e-6 if dtype == np.float32 else 1e-13
    x, y = np.broadcast_arrays(x.astype(np.float64), y.astype(np.float64))
    norms = np.linalg.norm(x, axis=-1), np.linalg.norm(y, axis=-1)
    for eps in (1e-8, 2.0):
        expected = (x * y).sum(-1) / np.maximum(norms[0], eps) / np.maximum(norms[1], eps)
        got = F.cosine_similarity(a, b, dim=-1, eps=eps)
        assert got.dtype == a.dtype
        np.testing.assert_allclose(got.numpy(), expected, tolerance, tolerance)
    for eps, keepdim in ((1e-6, False), (0.1, True)):
        expected = np.linalg.norm(x - y + eps, axis=-1, keepdims=keepdim)
        got = F.pairwise_distance(a, b, eps=eps, keepdim=keepdim)
        assert got.dtype == a.dtype
        np.testing.assert_allclose(got.numpy(), expected, tolerance * 10, tolerance)


def test_strided_rows_are_rows():
    x, y = (kagari.from_numpy(v) for v in pair([(20, 9), (20, 9)], np.float32))
    for f in (lambda a, b: F.cosine_similarity(a, b, dim=1), F.pairwise_distance):
        expected = f(x.t().contiguous(), y.t().contiguous())
        assert kagari.equal(f(x.t(), y.t()), expected)
        assert kagari.equal(f(x.t(), y.t().contiguous()), expected)


def test_columns_and_rows_agree():
    x, y = (kagari.from_numpy(v) for v in pair([(20, 9), (20, 9)]))
    rows = F.cosine_similarity(x.t(), y.t(), dim=1)
    np.testing.assert_allclose(F.cosine_similarity(x, y, dim=0).numpy(), rows.numpy(), 1e-13)


@pytest.mark.parametrize("wanted", ["both", "first", "second"])
@pytest.mark.parametrize("shapes", SHAPES[:5])
def test_gradients(shapes, wanted):
    x, y = (kagari.from_numpy(v) for v in pair([s[-2:] for s in shapes]))
    x.requires_grad_(wanted != "second")
    y.requires_grad_(wanted != "first")
    for f in (
        lambda a, b: F.cosine_similarity(a, b, dim=-1),
        lambda a, b: F.pairwise_distance(a, b, eps=0.1, keepdim=True),
    ):
        assert gradcheck(f, (x, y))
        assert gradgradcheck(f, (x, y))


@pytest.mark.parametrize("recorded", [False, True])
def test_norms_below_the_bound_keep_their_gradient(recorded):
    """The bound takes no part in the gradient: that of a norm flows through it."""
    x, y = (kagari.from_numpy(v).requires_grad_() for v in pair([(3, 4), (3, 4)]))
    z = kagari.zeros(3, 4).double()
    z[1] = 1e-10
    z.requires_grad_()
    for left, right, eps in ((x, y, 100.0), (z, y, 1e-8), (x, z, 1e-8), (z, z, 1e-8)):
        rows = kagari.autograd.grad(
            F.cosine_similarity(left, right, dim=-1, eps=eps).sum(),
            {left, right},
            create_graph=recorded,
        )
        columns = kagari.autograd.grad(
            F.cosine_similarity(left.t(), right.t(), dim=0, eps=eps).sum(), {left, right}
        )
        for a, b in zip(rows, columns, strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b.numpy(), 1e-12, 1e-14)


def test_equal_rows_have_no_slope():
    x = kagari.ones(2, 3, requires_grad=True)
    (g,) = kagari.autograd.grad(F.pairwise_distance(x, x.detach(), eps=0.0).sum(), x)
    assert not g.any()


def test_squares_beyond_float32():
    x = kagari.tensor([[3e25, 4e25], [3e-25, 4e-25]])
    np.testing.assert_allclose(F.cosine_similarity(x, x, eps=0.0).numpy(), [1, 1], 1e-6)
    distances = F.pairwise_distance(x, kagari.zeros(2), eps=0.0)
    np.testing.assert_allclose(distances.numpy(), [5e25, 5e-25], 1e-6)


def test_other_dtypes_and_orders():
    x, y = (kagari.from_numpy(v) for v in pair([(4, 9), (4, 9)], np.float32))
    half = F.cosine_similarity(x.half(), y.half())
    assert half.dtype == kagari.float16
    np.testing.assert_allclose(half.float().numpy(), F.cosine_similarity(x, y).numpy(), 0, 3e-3)
    assert F.cosine_similarity(x, y.double()).dtype == kagari.float64
    assert F.pairwise_distance(x, y.double()).dtype == kagari.float64
    np.testing.assert_allclose(
        F.pairwise_distance(x, y, p=1, eps=0.0).numpy(), (x - y).abs().sum(-1).numpy(), 1e-6
    )


ERRORS = [
    (lambda: F.cosine_similarity(kagari.zeros(3), kagari.zeros(3)), IndexError, "out of range"),
    (lambda: F.cosine_similarity(kagari.zeros(2, 3), kagari.zeros(2, 4)), RuntimeError, "size"),
    (lambda: F.pairwise_distance(kagari.zeros(2, 3), kagari.zeros(2, 4)), RuntimeError, "size"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
