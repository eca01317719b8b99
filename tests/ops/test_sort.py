"""Sorting, selecting, searching, unique elements and scans: values, gradients, bits and errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck

REAL = ["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
# one line short for insertion, one for small counters, one for large ones, one for threads
LENGTHS = [1, 17, 300, 5000, 70_000]


def numbers(shape: Any, dtype: str, seed: int = 0) -> np.ndarray:
    """Values with many ties; floats hold zeros of both signs, infinities and NaN."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-50 if dtype[0] != "u" else 0, 50, shape).astype(dtype)
    if dtype.startswith("float"):
        x = x / np.asarray(4, dtype)
        flat = x.reshape(-1)
        for value in (0.0, -0.0, np.nan, np.inf, -np.inf, -np.nan):
            flat[rng.integers(0, max(flat.size, 1), flat.size // 20)] = value
    return x


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = kagari.get_num_threads()
    kagari.set_num_threads(count)
    try:
        yield
    finally:
        kagari.set_num_threads(before)


def stable_order(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """The order that a stable sort gives, with NaN as the largest."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    back = np.argsort(np.flip(x, axis), axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - back, axis)


# ---- sort ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("n", LENGTHS)
def test_sort_is_stable_for_every_dtype(dtype: str, descending: bool, n: int) -> None:
    x = numbers((2, n), dtype, n)
    order = stable_order(x, 1, descending)
    values, indices = kagari.sort(kagari.from_numpy(x), 1, descending)
    np.testing.assert_array_equal(indices.numpy(), order)
    expected = np.take_along_axis(x, order, 1)
    assert values.numpy().dtype == x.dtype
    np.testing.assert_array_equal(values.numpy(), expected)
    if dtype.startswith("float"):
        np.testing.assert_array_equal(np.signbit(values.numpy()), np.signbit(expected))


@pytest.mark.parametrize("dtype", ["bool", "bfloat16", "uint16", "uint32", "uint64"])
def test_sort_of_dtypes_that_numpy_lacks(dtype: str) -> None:
    x = kagari.tensor([3, 1, 0, 2, 1]).to(getattr(kagari, dtype))
    values, indices = x.sort()
    wide = x.long()
    assert values.dtype == x.dtype
    assert values.long().tolist() == sorted(wide.tolist())
    assert wide[indices].tolist() == sorted(wide.tolist())


@pytest.mark.parametrize("dim", [0, 1, 2, -1])
def test_sort_of_strided_tensors(dim: int) -> None:
    x = numbers((4, 6, 5), "float32")
    t = kagari.from_numpy(x).permute(2, 0, 1)[::2]
    values, indices = t.sort(dim)
    y = t.numpy()
    np.testing.assert_array_equal(values.numpy(), np.sort(y, dim))
    np.testing.assert_array_equal(indices.numpy(), stable_order(y, dim, False))


def test_sort_keeps_the_layout() -> None:
    assert kagari.zeros(3, 4).t().sort(0).values.stride() == (1, 4)
    assert kagari.zeros(3, 8)[:, ::2].sort(0).indices.stride() == (4, 1)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0)])
def test_sort_of_little(shape: tuple[int, ...]) -> None:
    values, indices = kagari.sort(kagari.ones(shape))
    assert values.shape == indices.shape == shape
    assert indices.dtype == kagari.int64
    assert int(indices.sum()) == 0


def test_sort_results_have_names() -> None:
    found = kagari.tensor([2, 1]).sort(stable=True)
    assert type(found) is kagari.return_types.sort
    assert found.values.tolist() == [1, 2]
    assert found.indices.tolist() == [1, 0]
    assert kagari.argsort(kagari.tensor([2, 1, 3]), stable=True, descending=True).tolist() == [
        2,
        0,
        1,
    ]
    assert kagari.msort(kagari.tensor([[2, 1], [1, 3]])).tolist() == [[1, 1], [2, 3]]


# ---- selections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64", "float16"])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(("n", "k"), [(5, 5), (40, 3), (3000, 10), (3000, 900), (20_000, 1)])
def test_topk_takes_the_first_of_equal_elements(dtype: str, largest: bool, n: int, k: int) -> None:
    x = numbers((3, n), dtype, n + k)
    order = stable_order(x, 1, largest)[:, :k]
    values, indices = kagari.topk(kagari.from_numpy(x), k, 1, largest)
    np.testing.assert_array_equal(indices.numpy(), order)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, 1))
    loose = kagari.topk(kagari.from_numpy(x), k, 1, largest, sorted=False).indices
    np.testing.assert_array_equal(np.sort(loose.numpy(), 1), np.sort(order, 1))


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64", "int8"])
@pytest.mark.parametrize("n", [1, 9, 5000])
def test_kthvalue_and_medians(dtype: str, n: int) -> None:
    x = numbers((n, 4), dtype, n)
    t = kagari.from_numpy(x)
    order = stable_order(x, 0, False)
    for k in {1, (n + 1) // 2, n}:
        values, indices = kagari.kthvalue(t, k, 0)
        np.testing.assert_array_equal(indices.numpy(), order[k - 1])
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, 0)[k - 1])
    ordered = np.sort(x, 0)
    nans = np.isnan(x.astype("float64")).sum(0)
    rank = np.maximum(n - nans - 1, 0) // 2
    np.testing.assert_array_equal(
        t.nanmedian(0).values.numpy(), np.take_along_axis(ordered, rank[None], 0)[0]
    )
    plain = np.where(
        nans > 0, x.dtype.type(0) if dtype[0] == "i" else np.nan, ordered[(n - 1) // 2]
    )
    np.testing.assert_array_equal(t.median(0).values.numpy(), plain)


def test_median_of_all_and_of_nothing() -> None:
    nan = kagari.nan
    assert kagari.tensor([3, 1, 2, 4]).median().item() == 2
    assert np.isnan(kagari.tensor([1.0, nan, 2.0]).median().item())
    assert kagari.tensor([1.0, nan, 3.0]).nanmedian().item() == 1
    assert kagari.tensor([1.0, nan, nan]).median(0).indices.item() == 1
    assert np.isnan(kagari.tensor([nan, nan]).nanmedian().item())
    assert np.isnan(kagari.zeros(0).median().item())
    assert kagari.zeros(0, 3).median(1).values.shape == (0,)


def test_mode_is_the_smallest_of_the_most_frequent() -> None:
    values, indices = kagari.tensor([[1, 1, 2, 2, 1, 2], [5, 4, 3, 2, 1, 0]]).mode()
    assert values.tolist() == [1, 0]
    assert indices.tolist() == [4, 5]
    assert kagari.tensor(3.0).mode().indices.item() == 0


# ---- unique elements ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int64", "float32", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(50,), (6, 7), (0,), ()])
def test_unique(dtype: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(3).integers(0, 6, shape).astype(dtype)
    x = np.asarray(x)
    got = kagari.unique(kagari.tensor(x), return_inverse=True, return_counts=True)
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(got[0].numpy(), values)
    np.testing.assert_array_equal(got[1].numpy(), inverse.reshape(shape))
    np.testing.assert_array_equal(got[2].numpy(), counts)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_unique_slices(dim: int) -> None:
    x = np.random.default_rng(4).integers(0, 2, (7, 3, 5))[:, :2]
    got = kagari.unique(kagari.from_numpy(x), return_inverse=True, return_counts=True, dim=dim)
    expected = np.unique(x, return_inverse=True, return_counts=True, axis=dim)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.reshape(a.shape))


def test_unique_holds_nan_apart_and_zeros_together() -> None:
    nan = kagari.nan
    assert kagari.unique(kagari.tensor([nan, 1.0, nan])).numel() == 3
    assert kagari.unique(kagari.tensor([0.0, -0.0])).tolist() == [0.0]
    assert kagari.unique_consecutive(kagari.tensor([0.0, -0.0, nan, nan])).numel() == 3


def test_unique_consecutive() -> None:
    x = kagari.tensor([[1, 1, 2], [1, 1, 2], [3, 1, 2]])
    values, inverse, counts = x.unique_consecutive(True, True)
    assert values.tolist() == [1, 2, 1, 2, 3, 1, 2]
    assert inverse.tolist() == [[0, 0, 1], [2, 2, 3], [4, 5, 6]]
    assert counts.tolist() == [2, 1, 2, 1, 1, 1, 1]
    rows, places = kagari.unique_consecutive(x, return_inverse=True, dim=0)
    assert rows.tolist() == [[1, 1, 2], [3, 1, 2]]
    assert places.tolist() == [0, 0, 1]


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 16_384, 16_385, 40_000])
@pytest.mark.parametrize("kinds", [2, 100])
def test_runs_across_pieces(n: int, kinds: int) -> None:
    x = np.random.default_rng(n).integers(0, kinds, n)
    starts = np.flatnonzero(np.concatenate([[True], x[1:] != x[:-1]])[:n])
    for inverse, counts in itertools.product((False, True), repeat=2):
        got = kagari.unique_consecutive(kagari.from_numpy(x), inverse, counts)
        got = got if isinstance(got, tuple) else (got,)
        expected = [x[starts]]
        if inverse:
            expected.append(np.repeat(np.arange(len(starts)), np.diff([*starts, n])))
        if counts:
            expected.append(np.diff([*starts, n]) if n else np.zeros(0, np.int64))
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a.numpy(), b)


# Few tests are compared one by one, a short range of integers has a table, others a set.
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("reach", [30, 10**9])
@pytest.mark.parametrize("count", [0, 1, 10, 11, 700])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
def test_isin(dtype: str, count: int, reach: int, invert: bool) -> None:
    rng = np.random.default_rng(count)
    low = 0 if dtype == "uint8" else -reach
    elements, tests = (rng.integers(low, reach, n).astype(dtype) for n in (1500, count))
    tests[: count // 2] = elements[: count // 2]
    if dtype.startswith("float") and count > 1:
        elements[-4:] = [0.0, -0.0, np.nan, np.inf]
        tests[-2:] = [-0.0, np.nan]
    got = kagari.isin(kagari.from_numpy(elements), kagari.from_numpy(tests), invert=invert)
    np.testing.assert_array_equal(got.numpy(), np.isin(elements, tests, invert=invert))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("n", [20, 9000])
def test_isin_of_halves(dtype: str, n: int) -> None:
    x = kagari.randn(n, generator=kagari.Generator().manual_seed(3)).to(getattr(kagari, dtype))
    x[:3] = kagari.tensor([0.0, -0.0, kagari.nan]).to(x.dtype)
    tests = x[1 : n // 2]
    expected = np.isin(x.float().numpy(), tests.float().numpy())
    np.testing.assert_array_equal(kagari.isin(x, tests).numpy(), expected)


def test_isin_between_the_ends_of_int64() -> None:
    ends = kagari.tensor([-(2**63), 2**63 - 1, 0, 5] * 4)
    assert kagari.isin(ends, ends[:12]).all()
    assert kagari.isin(ends, ends[::4]).tolist() == [True, False, False, False] * 4


def test_isin_promotes_and_takes_strided_tensors() -> None:
    x = kagari.arange(12).view(3, 4).t()
    got = kagari.isin(x, kagari.tensor([1.0, 6.0, 2.5]))
    assert x[got].tolist() == [1, 6]
    with pytest.raises(RuntimeError, match="Unsupported input type encountered for isin"):
        kagari.isin(x > 3, x)
    with pytest.raises(RuntimeError, match="of one dtype"):
        ops._isin(x, x.float(), False)


def test_isin_and_nonzero_static() -> None:
    x = np.random.default_rng(5).integers(0, 40, (6, 7))
    for tests in (x[:1, :3], x[:, ::2], x[:0]):
        got = kagari.isin(kagari.from_numpy(x), kagari.tensor(np.ascontiguousarray(tests)))
        np.testing.assert_array_equal(got.numpy(), np.isin(x, tests))
    assert kagari.isin(kagari.tensor([1.0, kagari.nan]), kagari.tensor([kagari.nan] * 9)).sum() == 0
    assert kagari.isin(2, kagari.tensor([1, 2])).item()
    assert kagari.isin(kagari.tensor([1, 2]), 2, invert=True).tolist() == [True, False]
    assert kagari.nonzero_static(kagari.tensor([[0, 1], [2, 0]]), size=3).tolist() == [
        [0, 1],
        [1, 0],
        [-1, -1],
    ]


# ---- searches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("dtype", ["int64", "float32", "uint8"])
def test_searchsorted_and_bucketize(right: bool, dtype: str) -> None:
    rng = np.random.default_rng(6)
    edges = np.sort(rng.integers(0, 50, (3, 20)).astype(dtype), 1)
    x = rng.integers(0, 60, (3, 11)).astype(dtype)
    side: Any = "right" if right else "left"
    rows = [np.searchsorted(e, v, side) for e, v in zip(edges, x, strict=True)]
    got = kagari.searchsorted(kagari.from_numpy(edges), kagari.from_numpy(x), right=right)
    np.testing.assert_array_equal(got.numpy(), np.stack(rows))
    flat = np.searchsorted(edges[0], x, side)
    t = kagari.bucketize(kagari.from_numpy(x), kagari.from_numpy(edges[0]), right=right)
    np.testing.assert_array_equal(t.numpy(), flat)
    shuffle = rng.permutation(20)
    got = kagari.searchsorted(
        kagari.tensor(edges[0][shuffle]),
        kagari.from_numpy(x),
        side=side,
        sorter=kagari.tensor(np.argsort(shuffle)),
        out_int32=True,
    )
    assert got.dtype == kagari.int32
    np.testing.assert_array_equal(got.numpy(), flat)


def test_searches_for_numbers() -> None:
    edges = kagari.tensor([1, 3, 5])
    assert kagari.searchsorted(edges, 3).item() == 1
    assert kagari.searchsorted(edges, 2.5).item() == 1
    assert kagari.bucketize(3, edges, right=True).item() == 2


# ---- scans --------------------------------------------------------------------------------------

SCANS: dict[str, Callable[..., Any]] = {"cumsum": np.cumsum, "cumprod": np.cumprod}


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("shape", [(5,), (3, 70, 4), (20_000,), (2, 9_000), (0, 3)])
def test_running_sums_and_products(name: str, shape: tuple[int, ...]) -> None:
    x = 1 + np.random.default_rng(7).standard_normal(shape) / 100
    for dim in range(len(shape)):
        got = getattr(kagari, name)(kagari.from_numpy(x), dim).numpy()
        np.testing.assert_allclose(got, SCANS[name](x, dim), rtol=1e-11)
    whole = (x * 100).astype(np.int32)
    got = getattr(kagari, name)(kagari.from_numpy(whole), 0)
    assert got.dtype == kagari.int64
    np.testing.assert_array_equal(got.numpy(), SCANS[name](whole.astype(np.int64), 0))


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize("dim", [0, 1])
def test_running_extremes(dtype: str, dim: int) -> None:
    x = numbers((40, 30), dtype)
    t = kagari.from_numpy(x)
    for name, better in (("cummax", np.maximum), ("cummin", np.minimum)):
        values, indices = getattr(kagari, name)(t, dim)
        np.testing.assert_array_equal(values.numpy(), better.accumulate(x, dim))
        np.testing.assert_array_equal(np.take_along_axis(x, indices.numpy(), dim), values.numpy())
    assert kagari.cummax(kagari.tensor([1, 1, 0, 1]), 0).indices.tolist() == [0, 1, 1, 3]
    if dtype != "int32":
        steps = np.sort(x.reshape(-1)).reshape(x.shape)
        steps[7, 21] = steps[9, 2] = np.nan
        values, indices = kagari.from_numpy(steps).cummax(dim)
        np.testing.assert_array_equal(values.numpy(), np.maximum.accumulate(steps, dim))
        expected = np.take_along_axis(steps, indices.numpy(), dim)
        np.testing.assert_array_equal(expected, values.numpy())
        at = (9, 2) if dim == 0 else (9, -1)
        assert indices[at].item() == (9 if dim == 0 else 2)
        strided = kagari.from_numpy(np.ascontiguousarray(steps.T)).t().cummax(dim)
        np.testing.assert_array_equal(strided.indices.numpy(), indices.numpy())
    assert kagari.cummin(kagari.tensor(2.0), 0).indices.item() == 0


def test_logcumsumexp() -> None:
    inf = kagari.inf
    x = 50 * np.random.default_rng(8).standard_normal((6, 40))
    np.testing.assert_allclose(
        kagari.from_numpy(x).logcumsumexp(1).numpy(), np.logaddexp.accumulate(x, 1), rtol=1e-13
    )
    got = kagari.tensor([-inf, -inf, 1.0, inf, inf]).logcumsumexp(0)
    assert got.tolist() == [-inf, -inf, 1.0, inf, inf]
    z = kagari.tensor([1 + 2j, 2 - 1j], dtype=kagari.complex128)
    np.testing.assert_allclose(z.logcumsumexp(0).exp().numpy(), np.cumsum(np.exp(z.numpy())))


# ---- gradients ----------------------------------------------------------------------------------

GRADIENTS: dict[str, Callable[..., Any]] = {
    "sort": lambda x: x.sort(0, True)[0],
    "sort_last": lambda x: x.sort()[0],
    "topk": lambda x: x.topk(2, 1)[0],
    "kthvalue": lambda x: x.kthvalue(2, 0)[0],
    "kthvalue_keepdim": lambda x: x.kthvalue(2, 1, True)[0],
    "median": lambda x: x.median(),
    "median_dim": lambda x: x.median(1)[0],
    "nanmedian": lambda x: x.nanmedian(0, True)[0],
    "mode": lambda x: x.mode(1)[0],
    "cummax": lambda x: x.cummax(0)[0],
    "cummin": lambda x: x.cummin(1)[0],
    "cumsum": lambda x: x.cumsum(0),
    "cumprod": lambda x: x.cumprod(1),
    "logcumsumexp": lambda x: x.logcumsumexp(1),
    "logcumsumexp_first": lambda x: x.logcumsumexp(0),
    "recurrence": lambda x: ops._linear_recurrence(x, x.sin(), 1),
    "aminmax": lambda x: x.aminmax(dim=1),
    "logsumexp": lambda x: x.logsumexp((0, 1)),
    "quantile": lambda x: x.quantile(0.3, 1),
    "nanquantile": lambda x: x.nanquantile(0.6),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str) -> None:
    kagari.manual_seed(0)
    x = kagari.randperm(12).to(kagari.float64).view(3, 4) / 3
    x.requires_grad_()
    assert gradcheck(GRADIENTS[name], (x,))
    assert gradgradcheck(GRADIENTS[name], (x,))


def test_complex_logcumsumexp_has_gradients() -> None:
    x = kagari.randn(3, 4, dtype=kagari.complex128, requires_grad=True)
    assert gradcheck(lambda x: x.logcumsumexp(1), (x,))
    assert gradgradcheck(lambda x: x.logcumsumexp(1), (x,))


def test_logcumsumexp_is_linear_in_the_gradient_where_it_is_zero() -> None:
    x = kagari.randn(4, dtype=kagari.float64, requires_grad=True)
    g = kagari.tensor([0.0, 0.0, 1.0, 0.0], dtype=kagari.float64, requires_grad=True)
    (first,) = kagari.autograd.grad(x.logcumsumexp(0), x, g, create_graph=True)
    (second,) = kagari.autograd.grad(first.sum(), g)
    np.testing.assert_allclose(second.numpy(), np.ones(4))


def test_indices_carry_no_gradient() -> None:
    x = kagari.rand(5, requires_grad=True)
    assert not x.sort().indices.requires_grad
    assert x.sort().values.requires_grad


# ---- bits ---------------------------------------------------------------------------------------

SAME: dict[str, Callable[[Any], Any]] = {
    "sort": lambda x: kagari.sort(x),
    "sort_rows": lambda x: kagari.sort(x.view(100, -1), 0, True),
    "topk": lambda x: kagari.topk(x, 500),
    "cumsum": lambda x: (kagari.cumsum(x, 0),),
    "cumprod": lambda x: (kagari.cumprod(1 + x / 1000, 0),),
    "logcumsumexp": lambda x: (kagari.logcumsumexp(x.view(100, -1), 1),),
    "median": lambda x: (kagari.median(x),),
    "quantile": lambda x: (kagari.quantile(x, 0.3),),
    "unique_consecutive": lambda x: kagari.unique_consecutive((x * 2).int(), True, True),
    "cummax": lambda x: kagari.cummax(x.view(100, -1), 1),
    "isin": lambda x: (kagari.isin(x, x[::3]),),
    "unique": lambda x: kagari.unique((x * 100).int(), return_inverse=True),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_for_any_number_of_threads(name: str) -> None:
    x = kagari.randn(200_000, generator=kagari.Generator().manual_seed(1))
    with threads(1):
        expected = SAME[name](x)
    for count in (2, 3, 4):
        with threads(count):
            got = SAME[name](x)
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


# ---- errors -------------------------------------------------------------------------------------

X = kagari.ones(2, 3)
I = kagari.tensor([1, 2, 3])
C = kagari.ones(2, dtype=kagari.complex64)
B = kagari.tensor([True])

ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: kagari.sort(C), RuntimeError, "sort: does not support complex dtypes"),
    (lambda: kagari.sort(X, 2), IndexError, "Dimension out of range"),
    (lambda: kagari.topk(X, 4), RuntimeError, "selected index k out of range"),
    (lambda: kagari.topk(X, -1), RuntimeError, "selected index k out of range"),
    (lambda: kagari.topk(B, 1), RuntimeError, "does not support bool"),
    (lambda: kagari.kthvalue(X, 0), RuntimeError, "selected number k out of range"),
    (lambda: kagari.kthvalue(B, 1), NotImplementedError, "not implemented for bool"),
    (lambda: kagari.median(C), NotImplementedError, "complex numbers have no order"),
    (lambda: kagari.median(kagari.ones(0, 3), 0), IndexError, "non-zero size"),
    (lambda: kagari.mode(kagari.ones(3, 0)), IndexError, "non-zero size"),
    (lambda: kagari.unique(C), NotImplementedError, "no order"),
    (lambda: kagari.unique(kagari.ones(0, 3), dim=1), RuntimeError, "0 sized dimensions"),
    (lambda: kagari.unique(kagari.ones(0, 0), dim=1), RuntimeError, "more than one"),
    (lambda: kagari.unique(kagari.tensor(1), dim=0), IndexError, "no dimensions"),
    (lambda: kagari.cummax(C, 0), NotImplementedError, "no order"),
    (lambda: kagari.logcumsumexp(I, 0), NotImplementedError, "not implemented for int64"),
    (lambda: kagari.isin(C, C), RuntimeError, "Unsupported input type"),
    (lambda: kagari.nonzero_static(I, size=-1), RuntimeError, "non-negative integer"),
    (lambda: kagari.searchsorted(kagari.tensor(1), I), RuntimeError, "positive dimension"),
    (lambda: kagari.searchsorted(I, I, side="x"), RuntimeError, "side can only be"),
    (lambda: kagari.searchsorted(I, I, side="left", right=True), RuntimeError, "opposites"),
    (lambda: kagari.searchsorted(X, 1), RuntimeError, "scalar only when"),
    (lambda: kagari.searchsorted(X, I), RuntimeError, "first N-1 dimensions"),
    (lambda: kagari.searchsorted(I, I, sorter=I.int()), RuntimeError, "long dtype"),
    (lambda: kagari.searchsorted(I, I, sorter=I[:2]), RuntimeError, "same size"),
    (lambda: kagari.searchsorted(I, I, sorter=I), RuntimeError, "sorter index out of range"),
    (lambda: kagari.bucketize(I, X), RuntimeError, "must be 1 dimension"),
    (lambda: ops._linear_recurrence(X, I, 0), RuntimeError, "one floating point"),
    (lambda: ops._linear_recurrence(X, X[0], 0), RuntimeError, "decay of the input's shape"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
