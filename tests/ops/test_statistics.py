"""Counting, histograms and order statistics: values, gradients, bits and errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import kagari
from kagari.autograd import gradcheck, gradgradcheck

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bincount(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 20, 1000).astype(dtype)
    for values in (x, x[::3], x[:0]):
        expected = np.bincount(values, minlength=4)
        got = kagari.bincount(kagari.from_numpy(values), minlength=4)
        assert got.dtype == kagari.int64
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_bincount_is_the_same_for_any_number_of_threads(threads: int) -> None:
    rng = np.random.default_rng(1)
    x, w = rng.integers(0, 100, 300_000), rng.random(300_000).astype(np.float32)
    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(threads)
        counts = kagari.bincount(kagari.from_numpy(x))
        sums = kagari.bincount(kagari.from_numpy(x), kagari.from_numpy(w))
    finally:
        kagari.set_num_threads(before)
    np.testing.assert_array_equal(counts.numpy(), np.bincount(x))
    expected = np.zeros(100, np.float32)
    np.add.at(expected, x, w)
    np.testing.assert_array_equal(sums.numpy(), expected)


BINCOUNT_ERRORS = [
    (([1.0],), {}, NotImplementedError, "integer dtype"),
    (([[1]],), {}, RuntimeError, "only supports 1-d non-negative integral inputs"),
    (([-1],), {}, RuntimeError, "only supports 1-d non-negative integral inputs, got -1"),
    (([1],), {"minlength": -1}, RuntimeError, "minlength should be >= 0"),
    (([1], [1.0, 2.0]), {}, RuntimeError, "weights should be 1-d and have the same length"),
]


@pytest.mark.parametrize(("args", "kwargs", "error", "text"), BINCOUNT_ERRORS)
def test_bincount_errors(args: Any, kwargs: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        kagari.bincount(*map(kagari.tensor, args), **kwargs)


# ---- quantiles, extremes, sums of exponentials --------------------------------------------------


@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("dim", [None, 0, 1, -1])
@pytest.mark.parametrize("keepdim", [False, True])
def test_quantile(how: Any, dim: int | None, keepdim: bool) -> None:
    x = np.random.default_rng(2).standard_normal((7, 9))
    q = np.array([0.0, 0.13, 0.5, 1.0])
    got = kagari.quantile(kagari.tensor(x), kagari.tensor(q), dim, keepdim, interpolation=how)
    expected = np.quantile(x, q, axis=dim, keepdims=keepdim, method=how)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-14)
    one = kagari.quantile(kagari.tensor(x), 0.13, dim, keepdim, interpolation=how)
    np.testing.assert_allclose(one.numpy(), expected[1], rtol=1e-14)


def test_quantiles_with_nan() -> None:
    x = np.random.default_rng(3).standard_normal((5, 6))
    x[1, 2] = x[3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = np.nanquantile(x, 0.3, axis=1)
    np.testing.assert_allclose(kagari.tensor(x).nanquantile(0.3, 1).numpy(), expected)
    np.testing.assert_allclose(kagari.tensor(x).quantile(0.3, 1).numpy(), np.quantile(x, 0.3, 1))
    assert kagari.tensor(3.0).quantile(0.3, 0).item() == 3


def test_quantile_is_differentiable_in_both() -> None:
    x = kagari.randperm(10).to(kagari.float64).requires_grad_()
    q = kagari.tensor([0.23, 0.61], dtype=kagari.float64, requires_grad=True)
    assert gradcheck(lambda x, q: x.quantile(q), (x, q))
    assert gradgradcheck(lambda x, q: x.quantile(q), (x, q))


def test_aminmax_and_logsumexp() -> None:
    x = np.random.default_rng(4).standard_normal((4, 5, 6))
    t = kagari.tensor(x)
    low, high = t.aminmax(dim=1, keepdim=True)
    np.testing.assert_array_equal(low.numpy(), x.min(1, keepdims=True))
    np.testing.assert_array_equal(high.numpy(), x.max(1, keepdims=True))
    assert type(t.aminmax()) is kagari.return_types.aminmax
    expected = np.logaddexp.reduce(np.logaddexp.reduce(x, 2), 0)
    np.testing.assert_allclose(t.logsumexp((0, 2)).numpy(), expected, rtol=1e-13)
    np.testing.assert_allclose((t + 5000).logsumexp((0, -1)).numpy(), expected + 5000)
    inf = kagari.inf
    rows = kagari.tensor([[-inf, -inf], [inf, -inf], [0.0, 0.0]])
    np.testing.assert_allclose(rows.logsumexp(1).numpy(), [-inf, inf, np.log(2)], rtol=1e-6)
    assert kagari.zeros(0, 2).logsumexp(0).tolist() == [-inf, -inf]


# ---- covariance ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_cov_and_corrcoef(dtype: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3, 8)).astype(dtype)
    if dtype == "complex128":
        x = x + 1j * rng.standard_normal((3, 8))
    f, a = rng.integers(1, 4, 8), rng.random(8)
    t = kagari.tensor(x)
    np.testing.assert_allclose(t.cov().numpy(), np.cov(x))
    np.testing.assert_allclose(t.corrcoef().numpy(), np.corrcoef(x))
    for correction in (0, 1, 2):
        got = t.cov(correction=correction, fweights=kagari.tensor(f), aweights=kagari.tensor(a))
        np.testing.assert_allclose(got.numpy(), np.cov(x, ddof=correction, fweights=f, aweights=a))
    np.testing.assert_allclose(t[0].cov().numpy(), np.cov(x[0]))


# ---- histograms ---------------------------------------------------------------------------------


@pytest.mark.parametrize("density", [False, True])
def test_histogram(density: bool) -> None:
    rng = np.random.default_rng(6)
    x, w = rng.standard_normal(500), rng.random(500)
    t = kagari.tensor(x)
    hist, edges = kagari.histogram(t, 7, weight=kagari.tensor(w), density=density)
    expected = np.histogram(x, 7, weights=w, density=density)
    np.testing.assert_allclose(hist.numpy(), expected[0])
    np.testing.assert_allclose(edges.numpy(), expected[1])
    bounds = np.array([-1.0, -0.5, 0.25, 2.0])
    hist, _ = t.histogram(kagari.tensor(bounds), density=density)
    np.testing.assert_allclose(hist.numpy(), np.histogram(x, bounds, density=density)[0])
    hist, _ = t.histogram(5, range=(-1.0, 1.0), density=density)
    np.testing.assert_allclose(hist.numpy(), np.histogram(x, 5, (-1, 1), density=density)[0])


@pytest.mark.parametrize("density", [False, True])
def test_histogramdd(density: bool) -> None:
    x = np.random.default_rng(7).standard_normal((200, 3))
    hist, edges = kagari.histogramdd(kagari.tensor(x), [4, 3, 5], density=density)
    expected = np.histogramdd(x, [4, 3, 5], density=density)
    np.testing.assert_allclose(hist.numpy(), expected[0])
    for a, b in zip(edges, expected[1], strict=True):
        np.testing.assert_allclose(a.numpy(), b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_histc(dtype: str) -> None:
    x = np.random.default_rng(8).standard_normal((30, 20)).astype(dtype)
    t = kagari.from_numpy(x)
    assert t.histc(10).dtype == t.dtype
    np.testing.assert_array_equal(t.histc(10).numpy(), np.histogram(x, 10)[0])
    np.testing.assert_array_equal(t.t().histc(6, -1, 2).numpy(), np.histogram(x, 6, (-1, 2))[0])
    assert kagari.tensor([2.0, 2.0]).histc(3).tolist() == [0, 2, 0]
    assert kagari.tensor([1.0, kagari.nan, 3.0]).histc(3, 0, 3).tolist() == [0, 1, 1]
    assert kagari.zeros(0).histc(2).tolist() == [0, 0]


@pytest.mark.parametrize("n", [3, 5000, 100_001])
@pytest.mark.parametrize("bins", [1, 10, 5000])
def test_long_histograms(n: int, bins: int) -> None:
    x = np.random.default_rng(n).standard_normal(n)
    t = kagari.from_numpy(x)
    np.testing.assert_array_equal(t.histc(bins, -1, 2).sum().item(), ((x >= -1) & (x <= 2)).sum())
    hist, edges = t.histogram(bins)
    np.testing.assert_array_equal(hist.numpy(), np.histogram(x, edges.numpy())[0])
    w = np.random.default_rng(1).random(n)
    hist, edges = t.histogram(bins, range=(-1.0, 1.5), weight=kagari.from_numpy(w))
    expected = np.histogram(x, edges.numpy(), weights=w)[0]
    np.testing.assert_allclose(hist.numpy(), expected, rtol=1e-10, atol=1e-12)


def test_edges_that_are_not_equally_far_apart() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.standard_cauchy(3000), [np.nan, np.inf, -np.inf]])
    bounds = np.sort(rng.standard_cauchy(40))
    bounds[7] = bounds[8]  # an empty bin
    x[:40] = bounds
    t = kagari.from_numpy(x)
    expected = np.histogram(x[:-3], bounds)[0]
    np.testing.assert_array_equal(t.histogram(kagari.from_numpy(bounds))[0].numpy(), expected)
    half = kagari.from_numpy(x).to(kagari.float32)
    edges = kagari.from_numpy(bounds).to(kagari.float32)
    expected = np.histogram(half.numpy()[:-3], edges.numpy())[0]
    np.testing.assert_array_equal(half.histogram(edges)[0].numpy(), expected)


# ---- integrals, slopes, hashes ------------------------------------------------------------------


def test_trapezoid() -> None:
    rng = np.random.default_rng(9)
    y, x = rng.standard_normal((4, 6)), np.sort(rng.standard_normal(6))
    t = kagari.tensor(y)
    np.testing.assert_allclose(kagari.trapezoid(t).numpy(), np.trapezoid(y))
    np.testing.assert_allclose(
        kagari.trapz(t, dx=0.5, dim=0).numpy(), np.trapezoid(y, dx=0.5, axis=0)
    )
    np.testing.assert_allclose(kagari.trapezoid(t, kagari.tensor(x)).numpy(), np.trapezoid(y, x))
    running = kagari.cumulative_trapezoid(t, kagari.tensor(x))
    assert running.shape == (4, 5)
    np.testing.assert_allclose(running[:, -1].numpy(), np.trapezoid(y, x))
    assert kagari.trapezoid(kagari.zeros(2, 0)).tolist() == [0, 0]


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient(edge_order: Any) -> None:
    rng = np.random.default_rng(10)
    y, x = rng.standard_normal((5, 6)), np.sort(rng.standard_normal(6))
    t = kagari.tensor(y)
    for got, expected in (
        (kagari.gradient(t, edge_order=edge_order), np.gradient(y, edge_order=edge_order)),
        (
            kagari.gradient(t, spacing=(0.5, kagari.tensor(x)), edge_order=edge_order),
            np.gradient(y, 0.5, x, edge_order=edge_order),
        ),
    ):
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b, rtol=1e-9, atol=1e-12)


def test_hash_tensor() -> None:
    x = np.random.default_rng(11).standard_normal((3, 5))
    bits = x.view(np.uint64)
    t = kagari.tensor(x)
    assert kagari.hash_tensor(t).item() == int(np.bitwise_xor.reduce(bits.reshape(-1)))
    np.testing.assert_array_equal(t.hash_tensor(1).numpy(), np.bitwise_xor.reduce(bits, 1))
    assert t.hash_tensor((0, 1), keepdim=True).shape == (1, 1)


GRADIENTS: dict[str, Any] = {
    "cov": lambda x: x.cov(),
    "corrcoef": lambda x: x.corrcoef(),
    "trapezoid": lambda x: kagari.trapezoid(x, x.exp()),
    "cumulative_trapezoid": lambda x: kagari.cumulative_trapezoid(x, dx=0.3),
    "gradient": lambda x: kagari.gradient(x, spacing=2.0),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str) -> None:
    kagari.manual_seed(0)
    x = kagari.randn(3, 4, dtype=kagari.float64, requires_grad=True)
    assert gradcheck(GRADIENTS[name], (x,))
    assert gradgradcheck(GRADIENTS[name], (x,))


def test_resize_as_and_rdiv() -> None:
    assert kagari.resize_as_(kagari.zeros(2), kagari.zeros(3, 4)).shape == (3, 4)
    x = kagari.zeros(0)
    kagari.resize_as_(x, kagari.zeros(1, 2, 3, 4), memory_format=kagari.channels_last)
    assert x.stride() == (24, 1, 8, 2)
    assert kagari.tensor([2.0, 4.0]).__rdiv__(1).tolist() == [0.5, 0.25]
    assert kagari.broadcast_shapes((2,), (3, 1)) == (3, 2)


# ---- errors -------------------------------------------------------------------------------------

X = kagari.ones(2, 3)
I = kagari.tensor([1, 2, 3])
CUBE = kagari.ones(2, 2, 2)
NAN = kagari.tensor([1.0, kagari.nan])

ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda: X.quantile(1.5), RuntimeError, r"q must be in the range \[0, 1\] but got 1.5"),
    (lambda: X.quantile(kagari.tensor([1.5])), RuntimeError, r"q values must be in the range"),
    (lambda: X.quantile(kagari.ones(1, 1)), RuntimeError, "scalar or 1D"),
    (lambda: X.quantile(kagari.ones(1).double()), RuntimeError, "same dtype"),
    (lambda: I.quantile(0.5), RuntimeError, "either float or double"),
    (lambda: kagari.zeros(0).nanquantile(0.5), RuntimeError, "non-empty"),
    (lambda: X.quantile(0.5, interpolation="x"), RuntimeError, "interpolation must be one of"),
    (lambda: kagari.zeros(0).aminmax(), RuntimeError, "no identity"),
    (lambda: CUBE.cov(), RuntimeError, "two or fewer dimensions"),
    (lambda: CUBE.corrcoef(), RuntimeError, "two or fewer dimensions"),
    (lambda: kagari.tensor([True]).cov(), RuntimeError, "bool dtype is not supported"),
    (lambda: X.cov(fweights=X[0]), RuntimeError, "fweights to have integral dtype"),
    (lambda: X.cov(aweights=I), RuntimeError, "aweights to have floating point dtype"),
    (lambda: X.cov(fweights=I[:2]), RuntimeError, "same numel"),
    (lambda: X.cov(fweights=-I), RuntimeError, "fweights cannot be negative"),
    (lambda: X.cov(fweights=I.view(1, 3)), RuntimeError, "one or fewer dimensions"),
    (lambda: X.cov(fweights=I * 0), RuntimeError, "weights sum to zero"),
    (lambda: kagari.histogram(I), NotImplementedError, "not implemented for kagari.int64"),
    (lambda: kagari.histogram(X, 0), RuntimeError, "bins must be > 0"),
    (lambda: kagari.histogram(X, kagari.ones(1)), RuntimeError, "bins must be > 0"),
    (lambda: kagari.histogram(X, X), RuntimeError, "one dimension"),
    (lambda: kagari.histogram(X, X[0].double()), RuntimeError, "same dtype"),
    (lambda: kagari.histogram(X, 2, range=(3.0, 1.0)), RuntimeError, "min should not exceed max"),
    (lambda: kagari.histogram(X, 2, range=(3.0,)), RuntimeError, "should have 2 elements"),
    (lambda: kagari.histogram(NAN, 2), RuntimeError, "is not finite"),
    (lambda: kagari.histogram(X, 2, weight=X[0]), RuntimeError, "same shape"),
    (lambda: kagari.histogram(X[0], 2, weight=I), RuntimeError, "same dtype"),
    (lambda: kagari.histogramdd(X[0], [2]), RuntimeError, "at least 2 dimensions"),
    (lambda: kagari.histogramdd(X, [2]), RuntimeError, "size of bins"),
    (lambda: kagari.histc(I), NotImplementedError, "not implemented for"),
    (lambda: kagari.histc(X, 0), RuntimeError, "bins must be > 0"),
    (lambda: kagari.histc(X, 2, 5, 0), RuntimeError, "max must be larger than min"),
    (lambda: kagari.histc(NAN), RuntimeError, "is not finite"),
    (lambda: kagari.trapezoid(X, X[0, :2]), RuntimeError, "one `x` value for each sample"),
    (lambda: kagari.trapezoid(kagari.tensor(1.0)), IndexError, "no dimensions"),
    (lambda: kagari.trapezoid(X > 0), RuntimeError, "received a bool input for `y`"),
    (lambda: kagari.trapezoid(X, X > 0), RuntimeError, "received a bool input for `x`"),
    (lambda: kagari.trapezoid(X, dim=2), IndexError, "out of range"),
    (lambda: kagari.gradient(X, edge_order=3), RuntimeError, "edge_order=1 and edge_order=2"),
    (lambda: kagari.gradient(X, edge_order=2), RuntimeError, r"at least edge_order\+1"),
    (lambda: kagari.gradient(X, spacing=X), TypeError, "must be a number or a sequence"),
    (lambda: kagari.gradient(X, spacing=[1.0], dim=(0, 1)), RuntimeError, "same length"),
    (lambda: kagari.gradient(X, dim=(0, 0)), RuntimeError, "multiple times"),
    (lambda: kagari.gradient(X, dim=5), IndexError, "out of range"),
    (lambda: kagari.gradient(X, spacing=(I,), dim=0), RuntimeError, r"shape \(2,\)"),
    (lambda: kagari.gradient(I.to(kagari.uint8)), RuntimeError, "uint8"),
    (lambda: kagari.hash_tensor(X, mode=1), RuntimeError, "Unknown hash_tensor mode"),
    (lambda: kagari.hash_tensor(kagari.zeros(0)), RuntimeError, "numel"),
    (lambda: kagari.hash_tensor(kagari.zeros(0, 2), 0), IndexError, "non-zero size"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
