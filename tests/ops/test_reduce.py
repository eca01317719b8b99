"""Reductions and scans: values over all sets of dimensions, dtypes, gradients, forms, errors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_checks import (
    COMPLEX,
    FLOATS,
    TOLERANCES,
    Row,
    array,
    assert_close,
    assert_same,
    between,
    check_gradients,
    check_inplace,
    check_out,
    check_values,
    ids,
    layouts,
)

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck

SHAPE = (3, 5, 4)
DIMS: list[tuple[int, ...]] = [(0,), (1,), (2,), (-1,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


def norm_of(p: float) -> Callable[..., Any]:
    def norm(x: Any, axis: Any, keepdims: bool) -> Any:
        a = np.abs(x)
        if math.isinf(p):
            return (a.max if p > 0 else a.min)(axis=axis, keepdims=keepdims)
        if p == 0:
            return (a != 0).sum(axis=axis, keepdims=keepdims)
        return (a**p).sum(axis=axis, keepdims=keepdims) ** (1 / p)

    return norm


# name of the case: (kagari's function of x, dim, keepdim; NumPy's of x, axis, keepdims; dtypes)
REDUCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "sum": (kagari.sum, np.sum, FLOATS + COMPLEX),
    "nansum": (kagari.nansum, np.nansum, FLOATS),
    "mean": (kagari.mean, np.mean, FLOATS + COMPLEX),
    "amax": (kagari.amax, np.max, FLOATS),
    "amin": (kagari.amin, np.min, FLOATS),
    "var": (lambda x, d, k: kagari.var(x, d, correction=0, keepdim=k), np.var, FLOATS + COMPLEX),
    "std": (lambda x, d, k: kagari.std(x, d, correction=0, keepdim=k), np.std, FLOATS + COMPLEX),
    **{
        f"norm {p}": (
            (lambda x, d, k, p=p: ops.linalg_vector_norm(x, p, d, k)),
            norm_of(p),
            FLOATS + COMPLEX,
        )
        for p in (0.5, 1, 2, 3, -1, math.inf, -math.inf)
    },
}
SMOOTH = [n for n in REDUCTIONS if n not in ("amax", "amin", "norm inf", "norm -inf")]


def draw(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    x = between(-3, 3, 0)(np.random.default_rng(seed), shape)
    return np.round(x * 1024) / 1024  # exact in every dtype's sums but halves'


@pytest.mark.parametrize("name", REDUCTIONS)
def test_values(name: str) -> None:
    f, reference, dtypes = REDUCTIONS[name]
    for dtype, dims, keep in itertools.product(dtypes, DIMS, (False, True)):
        x = kagari.tensor(draw()).to(dtype)
        if dtype.is_complex:
            x = x + x.flip(0) * 1j
        before = x.clone()
        got = f(x, dims, keep)
        want = np.asarray(reference(array(x), axis=dims, keepdims=keep))
        loose = 60 if dtype not in (kagari.bfloat16, kagari.float16) else 2  # sums of 60 terms
        assert got.dtype == (x.dtype if np.iscomplexobj(want) else (x[:0].abs().dtype))
        assert_close(got, want, got.dtype, loose)
        assert_same(x, before)
        for other in layouts(x):
            assert_close(f(other, dims, keep), want, got.dtype, loose)


LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 257, 1000, 4096, 4097, 9001]


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64, kagari.complex64, kagari.int64])
@pytest.mark.parametrize("n", LENGTHS)
def test_rows_of_every_length(n: int, dtype: Any) -> None:
    """The loops for short rows, whole blocks, four rows at a time and what is left of each."""
    for rows in (1, 6):
        x = kagari.tensor(draw((rows, n), seed=n)).to(dtype)
        a = array(x)
        np.testing.assert_allclose(array(x.sum(1)), a.sum(1), rtol=1e-5, atol=1e-5 * n)
        if dtype != kagari.complex64:
            np.testing.assert_array_equal(array(x.amax(1)), a.max(1))
            np.testing.assert_array_equal(array(x.amin(1)), a.min(1))
        np.testing.assert_array_equal(array(x.count_nonzero(1)), (a != 0).sum(1))
        if dtype != kagari.int64:
            norm = np.sqrt((np.abs(a.astype(np.complex128)) ** 2).sum(1))
            np.testing.assert_allclose(array(x.norm(dim=1)), norm, rtol=1e-5)
        if dtype in FLOATS and n > 1:
            np.testing.assert_allclose(array(x.var(1)), a.var(1, ddof=1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 7), (129, 2049), (131, 4100), (4, 9000)], ids=str)
def test_columns_of_every_kind(shape: tuple[int, int]) -> None:
    x = kagari.tensor(draw(shape)).float()
    a = array(x).astype(np.float64)
    np.testing.assert_allclose(array(x.sum(0)), a.sum(0), rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(array(x.var(0)), a.var(0, ddof=1), rtol=1e-4)
    np.testing.assert_array_equal(array(x.amax(0)), a.max(0).astype(np.float32))
    np.testing.assert_array_equal(array(x.argmax(0)), a.argmax(0))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(5, 3, 7), (2, 3, 4, 5), (6, 2, 70, 9)], ids=str)
def test_both_sides(shape: tuple[int, ...], dtype: Any) -> None:
    """The first and the last dimensions reduced at once, as a convolution's bias has it."""
    x = kagari.tensor(draw(shape)).to(dtype)
    dims = (0, *range(2, len(shape)))
    want = array(x).astype(np.float64)
    for got, f in ((x.sum(dims), np.sum), (x.mean(dims), np.mean)):
        tolerance = 4 * TOLERANCES[dtype][0]
        np.testing.assert_allclose(
            array(got).astype(np.float64), f(want, axis=dims), rtol=tolerance, atol=tolerance * 9
        )
    assert x.sum(dims, keepdim=True).shape == (1, shape[1], *(1 for _ in shape[2:]))


@pytest.mark.parametrize("p", [0.5, 1.5, 3, 20, -1.5])
@pytest.mark.parametrize("n", [1, 3, 8, 13, 64, 65, 5000])
def test_powers_of_rows(p: float, n: int) -> None:
    """Zeros, infinities and NaN come out of the sum of powers as they go in."""
    x = draw((7, n), seed=n)
    x[2, 0], x[3, n // 2], x[4, n - 1], x[5] = 0, math.inf, math.nan, 0
    got = array(ops.linalg_vector_norm(kagari.tensor(x).float(), p, [1]))
    with np.errstate(divide="ignore"):
        want = (np.abs(x.astype(np.float32).astype(np.float64)) ** p).sum(1) ** (1 / p)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    huge = ops.linalg_vector_norm(kagari.full((1, n), 1e38), 20.0, [1])
    assert huge.item() == math.inf


def test_a_nan_is_the_extreme_of_its_row() -> None:
    for n in (3, 8, 20, 64, 70, 300):
        for at in (0, n // 2, n - 1):
            x = kagari.zeros(5, n)
            x[2, at] = float("nan")
            assert x.amax(1).isnan().tolist() == [False, False, True, False, False]
            assert x.amin(1).isnan().tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("dims", [(1,), (0, 2), (0, 1, 2)], ids=str)
def test_gradients(name: str, dims: tuple[int, ...]) -> None:
    f = REDUCTIONS[name][0]
    x = kagari.tensor(draw((2, 3, 2)), requires_grad=True)
    assert gradcheck(lambda x: f(x, dims, False), [x])
    assert gradgradcheck(lambda x: f(x, dims, True), [x])


@pytest.mark.parametrize("name", ["var", "std", "norm 2", "norm 3", "sum", "mean"])
def test_complex_gradients(name: str) -> None:
    f = REDUCTIONS[name][0]
    x = kagari.tensor(draw((2, 3)) + 1j * draw((2, 3), 1), requires_grad=True)
    assert gradcheck(lambda x: f(x, (1,), False), [x])
    assert gradgradcheck(lambda x: f(x, (1,), False), [x])


def test_extremes_share_the_gradient_among_equals() -> None:
    x = kagari.tensor([[1.0, 3.0, 3.0]], requires_grad=True)
    x.amax(1).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.5, 0.5]]
    x.grad = None
    x.max(1).values.sum().backward()
    assert x.grad.sum().item() == 1 and x.grad.max().item() == 1  # one of them takes it all


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "var", "std", "prod"])
def test_out(name: str) -> None:
    f = getattr(kagari, name)
    x = kagari.tensor(draw()).float()
    want = f(x, 1)
    empty = kagari.empty(0)
    assert f(x, 1, out=empty) is empty
    assert_same(empty, want)
    with pytest.raises(RuntimeError, match="single memory location"):
        f(x, 1, out=kagari.empty(1).expand(want.shape))


def test_integers_and_truths_add_up_in_int64() -> None:
    for d in (kagari.bool, kagari.uint8, kagari.int8, kagari.int32):
        x = kagari.ones(300, dtype=d)
        assert x.sum().dtype == x.prod().dtype == x.cumsum(0).dtype == kagari.int64
        assert x.sum().item() == 300
    assert kagari.ones(3, dtype=kagari.int8).sum(dtype=kagari.float16).dtype == kagari.float16


@pytest.mark.parametrize(
    ("name", "want"),
    [("sum", 0.0), ("prod", 1.0), ("mean", math.nan), ("all", True), ("any", False)],
)
def test_nothing_reduced(name: str, want: Any) -> None:
    got = getattr(kagari.empty(0), name)().item()
    assert got == want or (got != got and want != want)
    assert getattr(kagari.empty(2, 0), name)(1).tolist() == pytest.approx([want] * 2, nan_ok=True)
    assert getattr(kagari.empty(0, 2), name)(1).shape == (0,)


def test_truths() -> None:
    x = kagari.tensor([[0.0, 2.0], [math.nan, 0.0]])
    assert x.any(1).tolist() == [True, True] and x.all(1).tolist() == [False, False]
    assert kagari.count_nonzero(x).item() == 2 and kagari.count_nonzero(x, 0).tolist() == [1, 1]
    assert x.to(kagari.uint8).any().dtype == kagari.uint8


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_places_of_extremes(name: str) -> None:
    x = kagari.tensor([[1.0, 5.0, 5.0], [math.nan, 0.0, 9.0]])
    assert getattr(x, name)(1).tolist() == [{"argmax": 1, "argmin": 0}[name], 0]
    assert getattr(x[0], name)().item() == {"argmax": 1, "argmin": 0}[name]
    assert getattr(x, name)(0, keepdim=True).shape == (1, 3)
    y = draw()
    for d in range(3):
        want = getattr(np, name)(y, axis=d)
        assert getattr(kagari.tensor(y), name)(d).tolist() == want.tolist()


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_products_beside_zeros(zeros: int) -> None:
    x = kagari.tensor([2.0, 3.0, -1.0, 4.0], dtype=kagari.float64)
    x[:zeros] = 0
    x.requires_grad_()
    for f in (lambda x: x.prod(), lambda x: x.view(2, 2).prod(1), lambda x: x.cumprod(0)):
        assert gradcheck(f, [x])
        assert gradgradcheck(f, [x])


SCANS = [
    Row(
        name,
        lambda x, d, f=f: np.asarray(f(x, axis=d)) if x.ndim else x,
        (between(-1.5, 1.5),),
        args=(-1,),
        loose=20,  # running sums and products of up to 19 terms
    )
    for name, f in {"cumsum": np.cumsum, "cumprod": np.cumprod}.items()
]


@pytest.mark.parametrize("row", **ids(SCANS))
def test_scans(row: Row) -> None:
    check_values(row)
    check_gradients(row)
    check_inplace(row)
    check_out(row)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, kagari.int32])
@pytest.mark.parametrize("rows", [1, 3, 4, 5, 8])
@pytest.mark.parametrize("n", [1, 2, 127, 129, 700])
def test_scans_of_rows(rows: int, n: int, dtype: Any) -> None:
    """Rows are scanned several at a time, each as it would be alone."""
    x = kagari.tensor(draw((rows, n))).to(dtype)
    got = x.cumsum(1)
    for i in range(rows):
        assert_same(x[i].cumsum(0), got[i])
    tolerance = 4 * TOLERANCES[dtype][0] if dtype in TOLERANCES else 0
    want = array(x).cumsum(1)
    np.testing.assert_allclose(array(got), want, rtol=tolerance, atol=tolerance * 300)
    y = kagari.empty(n, rows, dtype=got.dtype).t()
    kagari.cumsum(x, 1, out=y)
    assert_same(y.contiguous(), got)


@pytest.mark.parametrize("correction", [0, 1, 2, 7])
def test_corrections(correction: int) -> None:
    x = kagari.tensor(draw((5, 4)))
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = ((array(x) - array(x).mean(0)) ** 2).sum(0)
        want = squares / max(5 - correction, 0)
    got = x.var(0, correction=correction)
    np.testing.assert_allclose(array(got), want, rtol=1e-14)
    assert_same(kagari.var_mean(x, 0, correction=correction)[0], got)
    np.testing.assert_allclose(array(x.std(0, correction=correction)), want**0.5, rtol=1e-14)


def test_sums_do_not_drift() -> None:
    """Blocks and pairs: the error of a long float32 sum stays near one unit in the last place."""
    x = kagari.rand(1 << 20, generator=kagari.Generator().manual_seed(0))
    want = array(x).sum()
    assert abs(x.sum().item() - want) <= 4 * TOLERANCES[kagari.float32][0] * want


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: kagari.ones(2, 3).sum(2), IndexError, "Dimension out of range"),
        (lambda: kagari.ones(2, 3).sum((0, 0)), RuntimeError, "multiple times|twice"),
        (lambda: kagari.ones(2, 3, dtype=kagari.int64).mean(), RuntimeError, "float"),
        (lambda: kagari.ones(2, dtype=kagari.int64).var(), RuntimeError, "floating point"),
        (lambda: kagari.empty(0).max(), RuntimeError, "non-zero|numel|empty"),
        (lambda: kagari.empty(0, 2).amax(0), IndexError, "non-zero size"),
        (lambda: kagari.empty(0, 2).argmax(0), IndexError, "non-zero size"),
        (lambda: kagari.ones(2).cumsum(1), IndexError, "Dimension out of range"),
        (lambda: kagari.norm(kagari.ones(2, dtype=kagari.int64)), RuntimeError, "floating point"),
        (lambda: kagari.norm(kagari.ones(2), "x"), RuntimeError, "'x'"),
        (lambda: ops.linalg_vector_norm(kagari.empty(0), -1), RuntimeError, "empty"),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# ---- the gradient of a product ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64])
@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0]),
        ([1e-30, 1e30, 1e-30], [1.0, 1e-60, 1.0]),  # what float32 cannot hold
        ([math.inf, 2.0, 3.0], [6.0, math.inf, math.inf]),
        ([math.inf, 0.0, 3.0], [0.0, math.inf, math.nan]),
        ([math.nan, 2.0, 3.0], [6.0, math.nan, math.nan]),
        ([5.0], [1.0]),
    ],
)
def test_gradient_of_a_product(
    dtype: kagari.dtype, elements: list[float], expected: list[float]
) -> None:
    want = np.array(expected)
    for lay in (lambda x: x, lambda x: x.expand(3, -1), lambda x: x[:, None].expand(-1, 3)):
        x = lay(kagari.tensor(elements, dtype=dtype)).contiguous().requires_grad_()
        dim = 0 if lay(kagari.arange(len(elements))).stride()[0] == 1 else x.dim() - 1
        (gradient,) = kagari.autograd.grad(x.prod(dim).sum(), x)
        lines = gradient.movedim(dim, -1).reshape(-1, len(elements))
        for line in lines:
            np.testing.assert_allclose(line.numpy(), want.astype(line.numpy().dtype), rtol=1e-6)


def test_gradient_of_a_product_of_columns_that_differ() -> None:
    x = kagari.tensor([[2.0, 2.0, 0.0, 1e-20], [3.0, 0.0, 0.0, 1e-20], [4.0, 4.0, 5.0, 1e-10]])
    x.requires_grad_()
    (gradient,) = kagari.autograd.grad(x.prod(0), x, kagari.tensor([1.0, 2.0, 3.0, 4.0]))
    want = [[12.0, 0.0, 0.0, 4e-30], [8.0, 16.0, 0.0, 4e-30], [6.0, 0.0, 0.0, 0.0]]
    np.testing.assert_allclose(gradient.numpy(), np.float32(want), rtol=1e-6, atol=1e-39)
    kept = kagari.autograd.grad(x.prod(0, keepdim=True).sum(), x)[0]
    np.testing.assert_allclose(kept[:, 0].numpy(), [12.0, 8.0, 6.0], rtol=1e-6)


def test_gradient_of_a_long_product() -> None:
    x = 1 + kagari.randn(50_000, generator=kagari.Generator().manual_seed(0)).double() / 1000
    x.requires_grad_()
    (gradient,) = kagari.autograd.grad(x.prod() * 3, x)
    np.testing.assert_allclose(
        gradient.numpy(), (3 * x.detach().prod() / x.detach()).numpy(), rtol=1e-12
    )
    y = kagari.ones(50_000)
    y[70] = 0
    (gradient,) = kagari.autograd.grad(y.requires_grad_().prod(), y)
    assert gradient.sum() == gradient[70] == 1


# ---- equality -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 255, 257, 5000, 100_000])
@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, kagari.int64, kagari.uint8, kagari.bool])
def test_equal_looks_at_every_element(n: int, dtype: kagari.dtype) -> None:
    x = kagari.ones(n, dtype=dtype)
    y = x.clone()
    assert kagari.equal(x, y) and x.equal(x)
    for at in {0, n // 2, n - 1}:
        y[at] = 0
        assert not kagari.equal(x, y)
        y[at] = 1


def test_equal_knows_shapes_layouts_and_dtypes() -> None:
    x = kagari.arange(12.0).view(3, 4)
    assert kagari.equal(x.t(), x.t().contiguous()) and kagari.equal(x.t(), x.t().clone())
    assert not kagari.equal(x, x.t()) and not kagari.equal(x, x.view(4, 3))
    assert kagari.equal(x[:1].expand(3, 4), x[:1].repeat(3, 1))
    assert kagari.equal(x, x.double()) and kagari.equal(x.long(), x)
    assert kagari.equal(kagari.zeros(0, 3), kagari.zeros(0, 3))
    assert not kagari.equal(kagari.zeros(0, 3), kagari.zeros(3, 0))
    assert kagari.equal(kagari.tensor(0.0), kagari.tensor(-0.0))
    x[1, 1] = kagari.nan
    assert not kagari.equal(x, x)
    assert not kagari.equal(x.requires_grad_(), x)


@pytest.mark.parametrize("dtype", [kagari.bfloat16, kagari.float16])
@pytest.mark.parametrize("shape", [(1, 5), (7, 300), (9, 1000)])
def test_cumsum_of_short_floats_is_rounded_once(shape, dtype):
    x = kagari.tensor(np.random.default_rng(0).standard_normal(shape), dtype=dtype)
    assert kagari.equal(x.cumsum(1), x.float().cumsum(1).to(dtype))
    y = x.clone()
    assert kagari.equal(y.cumsum_(1), x.cumsum(1))
    assert kagari.equal((x * 0.1).exp().cumprod(1), (x * 0.1).exp().float().cumprod(1).to(dtype))
