"""Reading and writing at indices: NumPy's results, scatter in all modes, gradients, errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_checks import array, assert_same, layouts

import kagari
from kagari.autograd import gradcheck, gradgradcheck

X = np.arange(2 * 3 * 4, dtype=float).reshape(2, 3, 4) + 1


def t(*values: Any) -> Any:
    return kagari.tensor(np.array(*values))


def native(index: Any) -> Any:
    """The same index for NumPy."""
    if isinstance(index, tuple):
        return tuple(native(i) for i in index)
    return index.numpy() if isinstance(index, kagari.Tensor) else index


INDICES = {
    "int": 1,
    "negative": -1,
    "slice": slice(1, 3),
    "steps": (slice(None), slice(None, None, 2), slice(3, 0, None)),
    "none": (None, 1, None),
    "ellipsis": (..., 2),
    "ellipsis between": (0, ..., slice(1, 3)),
    "integers": t([1, 0, 1]),
    "integers behind": (slice(None), t([2, 0])),
    "integers apart": (t([0, 1]), slice(None), t([3, 1])),
    "integers broadcast": (t([[0], [1]]), t([0, 2])),
    "integers and int": (0, t([2, 2])),
    "mask": t([True, False]),
    "mask of two": t([[True, False, True], [False, False, True]]),
    "mask of all": kagari.tensor(X % 3 == 0),
    "mask behind": (slice(None), t([True, False, True])),
    "mask and integers": (t([True, True]), t([0, 2])),
    "nothing": t([], np.int64),
    "list": [1, 0],
    "true": True,
    "empty slice": slice(2, 2),
    "none and integers": (t([1, 0]), None, t([1, 2])),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize(
    "dtype", [kagari.float32, kagari.int64, kagari.bool, kagari.complex64, kagari.bfloat16], ids=str
)
def test_reading(index: Any, dtype: Any) -> None:
    x = kagari.tensor(X).to(dtype)
    want = array(x)[native(index)]
    got = x[index]
    assert tuple(got.shape) == want.shape and got.dtype == dtype
    np.testing.assert_array_equal(array(got), want)
    for other in layouts(x):
        np.testing.assert_array_equal(array(other[index]), want)


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_writing(index: Any) -> None:
    shape = X[native(index)].shape
    for value in (7.0, np.arange(np.prod(shape)).reshape(shape) + 100.0):
        want = X.copy()
        want[native(index)] = value
        for x in layouts(kagari.tensor(X)):
            x[index] = kagari.tensor(value) if isinstance(value, np.ndarray) else value
            np.testing.assert_array_equal(array(x), want)


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_gradients(index: Any) -> None:
    x = kagari.tensor(X / 10, requires_grad=True)
    value = kagari.tensor(np.array(X[native(index)]) / 10 + 3, requires_grad=True)

    def write(x: Any, value: Any) -> Any:
        y = x * 1
        y[index] = value
        return y

    assert gradcheck(lambda x: x[index], [x])
    assert gradgradcheck(lambda x: x[index] ** 2, [x])
    if X[native(index)].size != np.unique(X[native(index)]).size:
        return  # a place that is written twice: which value stays is not said
    assert gradcheck(write, [x, value])
    assert gradgradcheck(lambda x, v: write(x, v) ** 2, [x, value])


# ---- gather and scatter -------------------------------------------------------------------------

INDEX = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])  # into dimension 1 of 2 x 3
SOURCE = np.arange(8.0).reshape(2, 4) + 0.5
BASE = np.arange(6.0).reshape(2, 3) - 2.25


def scattered(x: np.ndarray, index: np.ndarray, source: np.ndarray, how: str, own: bool) -> Any:
    """Element by element along dimension 1."""
    out = x.copy()
    for i, j in itertools.product(*map(range, x.shape)):
        hits = [source[i, k] for k in range(index.shape[1]) if index[i, k] == j]
        if not hits:
            continue
        hits = ([x[i, j]] if own else []) + hits
        f = {"sum": sum, "prod": np.prod, "mean": np.mean, "amax": max, "amin": min}[how]
        out[i, j] = f(hits)
    return out


def test_gather() -> None:
    x, index = kagari.tensor(BASE, requires_grad=True), kagari.tensor(INDEX)
    np.testing.assert_array_equal(array(x.gather(1, index)), np.take_along_axis(BASE, INDEX, 1))
    assert gradcheck(lambda x: x.gather(1, index), [x])
    assert gradgradcheck(lambda x: x.gather(1, index) ** 2, [x])
    assert_same(x.detach().gather(1, index.int()), x.detach().gather(1, index))


@pytest.mark.parametrize("how", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("own", [True, False], ids=["own", "others"])
def test_scatter_reduce(how: str, own: bool) -> None:
    index = kagari.tensor(INDEX)
    x = kagari.tensor(BASE, requires_grad=True)  # no ties, no zeros
    source = kagari.tensor(SOURCE, requires_grad=True)

    def f(x: Any, s: Any) -> Any:
        return x.scatter_reduce(1, index, s, how, include_self=own)

    want = scattered(BASE, INDEX, SOURCE, how, own)
    np.testing.assert_allclose(array(f(x, source)), want)
    y = x.detach().clone()
    assert y.scatter_reduce_(1, index, source.detach(), how, include_self=own) is y
    np.testing.assert_allclose(array(y), want)
    assert gradcheck(f, [x, source])
    assert gradgradcheck(f, [x, source])
    rows = kagari.tensor([1, 0, 1])
    got = x.detach().index_reduce(
        0, rows, kagari.ones(3, 3).double() * 2, "prod" if how == "sum" else how, include_self=own
    )
    assert got.shape == x.shape


@pytest.mark.parametrize("zeros", [1, 2, 3])
@pytest.mark.parametrize("own", [True, False], ids=["own", "others"])
def test_products_beside_zeros(zeros: int, own: bool) -> None:
    """Second derivatives too: a zero beside another one has a slope in the other's direction."""
    source = np.array([[2.0, 3.0, -1.0, 4.0]])
    source[0, :zeros] = 0
    index = kagari.tensor([[0, 0, 0, 1]])
    x = kagari.tensor([[0.0, 5.0, 1.5]], dtype=kagari.float64, requires_grad=True)
    s = kagari.tensor(source, requires_grad=True)

    def f(x: Any, s: Any) -> Any:
        return x.scatter_reduce(1, index, s, "prod", include_self=own)

    assert gradcheck(f, [x, s])
    assert gradgradcheck(f, [x, s])


WRITES: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "scatter": (
        lambda x, s: x.scatter(1, t([[2, 0, 1], [1, 2, 0]]), s),
        lambda m: m.scatter(1, t([[2, 0, 1], [1, 2, 0]]), 3.0),
    ),
    "scatter_add": (lambda x, s: x.scatter_add(1, t([[0, 0, 1], [2, 2, 2]]), s), None),
    "index_add": (lambda x, s: x.index_add(0, t([1, 1]), s, alpha=2), None),
    "index_copy": (lambda x, s: x.index_copy(0, t([1, 0]), s), None),
    "index_fill": (lambda x, s: x.index_fill(0, t([1]), s[0, 0]), None),
    "masked_fill": (lambda x, s: x.masked_fill(x.detach() > 0, s[0, 0]), None),
    "masked_scatter": (lambda x, s: x.masked_scatter(x.detach() > 0, s), None),
    "index_put": (lambda x, s: x.index_put((t([0, 0]),), s), None),
    "index_put add": (lambda x, s: x.index_put((t([0, 0]),), s, accumulate=True), None),
    "put": (lambda x, s: x.put(t([0, 5, 3]), s[0]), None),
    "put add": (lambda x, s: x.put(t([0, 5, 0]), s[0], accumulate=True), None),
    "take": (lambda x, s: x.take(t([[0, 5], [3, 3]])) * s[0, 0], None),
    "index_select": (lambda x, s: x.index_select(1, t([2, 2, 0])) * s, None),
    "masked_select": (lambda x, s: x.masked_select(x.detach() > 0) * s[0, 0], None),
}  # type: ignore[dict-item]


@pytest.mark.parametrize("name", [n for n in WRITES if n != "index_put"])
def test_gradients_of_writes(name: str) -> None:
    x = kagari.tensor(BASE, requires_grad=True)
    s = kagari.tensor(SOURCE[:, :3].copy(), requires_grad=True)
    assert gradcheck(WRITES[name][0], [x, s])
    assert gradgradcheck(WRITES[name][0], [x, s])


def test_writes() -> None:
    x, s = kagari.tensor(BASE), kagari.tensor(SOURCE[:, :3].copy())
    a, b = BASE, SOURCE[:, :3]
    added = a.copy()
    np.add.at(added, [1, 1], 2 * b)
    np.testing.assert_array_equal(array(x.index_add(0, t([1, 1]), s, alpha=2)), added)
    np.testing.assert_array_equal(array(x.index_copy(0, t([1, 0]), s)), b[::-1])
    np.testing.assert_array_equal(array(x.masked_fill(x > 0, 9)), np.where(a > 0, 9, a))
    placed = a.copy()
    placed[a > 0] = b.ravel()[: (a > 0).sum()]
    np.testing.assert_array_equal(array(x.masked_scatter(x > 0, s)), placed)
    np.testing.assert_array_equal(array(x.take(t([[0, -1]]))), a.take([[0, -1]]))
    put = a.copy()
    np.put(put, [0, 4], [10, 20])
    assert x.put(t([0, 4]), kagari.tensor([10.0, 20.0], dtype=x.dtype)).tolist() == put.tolist()
    assert_same(x.masked_select(x > 0), x[x > 0])


@pytest.mark.parametrize("d", [kagari.float32, kagari.bool, kagari.int8], ids=str)
def test_nonzero(d: Any) -> None:
    x = kagari.tensor(X % 3 == 0).to(d)
    want = np.argwhere(X % 3 == 0)
    assert x.nonzero().tolist() == want.tolist()
    assert [i.tolist() for i in x.nonzero(as_tuple=True)] == want.T.tolist()
    assert kagari.tensor(3.0).nonzero().shape == (1, 0) and kagari.empty(0).nonzero().shape == (
        0,
        1,
    )


@pytest.mark.parametrize(
    ("shape", "dim", "how", "error"),
    [
        ((), 0, {}, IndexError),
        ((3,), 0, {}, IndexError),
        ((3, 3), 0, {}, RuntimeError),
        ((3, 3), -1, {}, RuntimeError),
        ((3, 3), 0, {"alpha": 2}, IndexError),
        ((3, 3, 3), 0, {}, RuntimeError),
        ((3, 3, 3), 1, {}, IndexError),
        ((3, 3, 3), 2, {}, RuntimeError),
    ],
)
@pytest.mark.parametrize("position", [5, -1])
def test_index_add_out_of_range_raises_the_class_of_pytorch(
    shape: tuple[int, ...], dim: int, how: dict[str, Any], error: type, position: int
) -> None:
    index = t([0, position, 1] if shape else [position])
    for dtype in (kagari.int64, kagari.int32):
        wanted = error if dtype == kagari.int64 else IndexError
        with pytest.raises(wanted, match="index_add: index .* is out of bounds for dimension"):
            kagari.ones(shape).index_add(dim, index.to(dtype), kagari.ones(shape), **how)


@pytest.mark.parametrize(
    ("shape", "source", "count"),
    [((0, 0), (3, 0), 3), ((0, 4), (3, 4), 3), ((0, 0), (1, 0), 1), ((3, 0), (2, 0), 2)],
)
def test_index_add_looks_at_no_place_of_an_empty_matrix(
    shape: tuple[int, ...], source: tuple[int, ...], count: int
) -> None:
    x, index, s = kagari.ones(shape), kagari.arange(count), kagari.ones(source)
    assert x.index_add(0, index, s, alpha=2).shape == shape
    assert x.index_add_(0, index, s) is x
    with pytest.raises(IndexError):  # a vector's places are looked at
        kagari.ones(0).index_add(0, t([0]), kagari.ones(1))


ROWS = kagari.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ROWS[2], IndexError, "out of bounds|out of range"),
        (lambda: ROWS[0, 0, 0], IndexError, "too many indices"),
        (lambda: ROWS[t([5])], IndexError, "out of bounds|out of range"),
        (lambda: ROWS[t([0, 1]), t([0, 1, 2])], IndexError, "broadcast"),
        (lambda: ROWS[kagari.tensor([True])], IndexError, "mask"),
        (lambda: ROWS[1.5], (IndexError, TypeError), "indices"),
        (lambda: ROWS[::-1], ValueError, "step"),
        (lambda: ROWS.gather(1, t([[3]])), (IndexError, RuntimeError), "out of bounds"),
        (lambda: ROWS.gather(1, t([0])), RuntimeError, "same number of dimensions"),
        (lambda: ROWS.index_select(0, t([2])), IndexError, "out of bounds"),
        (lambda: ROWS.scatter_reduce(1, t([[0]]), ROWS, "max of"), RuntimeError, "sum, prod"),
        (lambda: ROWS.masked_fill(kagari.ones(2, 3), 0), RuntimeError, "bool"),
        (lambda: ROWS.index_add(0, t([0, 1, 1]), ROWS), RuntimeError, "Number of indices"),
        (
            lambda: kagari.gather(ROWS, 1, t([[0]]), out=kagari.empty(0).double()),
            RuntimeError,
            "Expected out tensor to have dtype float32, but got float64",
        ),
        (
            lambda: kagari.take(ROWS, t([0, 1]), out=kagari.ones(1).expand(2)),
            RuntimeError,
            "single memory location",
        ),
        (
            lambda: kagari.masked_select(ROWS, ROWS > 0, out=kagari.ones(1).expand(6)),
            RuntimeError,
            "single memory location",
        ),
    ],
)
def test_errors(call: Callable[[], Any], error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_an_out_tensor_inside_an_input() -> None:
    x = kagari.arange(6.0)
    with pytest.raises(RuntimeError, match="some elements of the input tensor"):
        kagari.cat([x[:3], x[1:4]], out=x)


APART = {
    "gather": lambda x, out: kagari.gather(x, 0, t([0, 1]), out=out),
    "take": lambda x, out: kagari.take(x, t([0, 1]), out=out),
    "index_select": lambda x, out: kagari.index_select(x, 0, t([0, 1]), out=out),
    "masked_select": lambda x, out: kagari.masked_select(x, x > 1, out=out),
    "index_add": lambda x, out: kagari.index_add(kagari.ones(2), 0, t([0, 1]), x, out=out),
    "cat": lambda x, out: kagari.cat([x], out=out),
    "kthvalue": lambda x, out: kagari.kthvalue(x[None], 1, 0, out=(out, kagari.empty(2).long())),
}


@pytest.mark.parametrize("name", APART)
def test_an_out_tensor_that_is_an_input(name: str) -> None:
    """Elements move: the tensor read may not be the one written, where others may."""
    x = kagari.tensor([2.0, 3.0])
    with pytest.raises(RuntimeError, match="clone"):
        APART[name](x, x)
    assert x.tolist() == [2.0, 3.0]
    assert kagari.exp(x, out=x) is x


def test_out_tensors_of_several_results_are_exact() -> None:
    x = kagari.tensor([[2.0, 3.0]])
    for out in (
        (kagari.empty(1), kagari.empty(1, dtype=kagari.int32)),
        (kagari.empty(1).double(), kagari.empty(1).long()),
    ):
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
            kagari.kthvalue(x, 1, out=out)
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype"):
        kagari.aminmax(x, out=(kagari.empty(0).double(), kagari.empty(0).double()))


@pytest.mark.parametrize("width", [1, 3, 16, 17, 260, 1500])
@pytest.mark.parametrize("dtype", ["float32", "int8", "complex128"])
def test_whole_rows(width: int, dtype: str) -> None:
    """Rows are copied whole, large results around the cache."""
    rng = np.random.default_rng(width)
    x = rng.integers(0, 100, (50, width)).astype(dtype)
    index = rng.integers(0, 50, max(3, min(1 << 20, (17 << 20) // (width * x.itemsize))))
    got = kagari.tensor(x).index_select(0, kagari.tensor(index))
    np.testing.assert_array_equal(got.numpy(), x[index])
    np.testing.assert_array_equal(kagari.tensor(x)[kagari.tensor(index)].numpy(), x[index])
    few = kagari.tensor(x.T.copy()).t().index_select(0, kagari.tensor(index[:7]))
    np.testing.assert_array_equal(few.numpy(), x[index[:7]])
