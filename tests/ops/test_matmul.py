"""Matrix products: values, gradients to second order, bits and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck

TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "complex64": 1e-5, "complex128": 1e-12}
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")

PAIRS = [
    ("mm", (3, 4), (4, 5)),
    ("mm", (0, 4), (4, 5)),
    ("mm", (3, 0), (0, 5)),
    ("bmm", (2, 3, 4), (2, 4, 5)),
    ("mv", (3, 4), (4,)),
    ("dot", (7,), (7,)),
    ("outer", (3,), (4,)),
    ("kron", (2, 3), (3, 2)),
    ("kron", (20, 30), (5, 6)),
    ("kron", (2, 30), (7, 1, 9)),
    ("kron", (50,), (1, 40)),
    ("inner", (2, 3), (4, 3)),
    ("matmul", (4,), (4,)),
    ("matmul", (4,), (4, 5)),
    ("matmul", (3, 4), (4,)),
    ("matmul", (4,), (2, 4, 5)),
    ("matmul", (2, 3, 4), (4,)),
    ("matmul", (2, 3, 4), (4, 5)),
    ("matmul", (3, 4), (2, 4, 5)),
    ("matmul", (2, 1, 3, 4), (5, 4, 6)),
    ("matmul", (7, 1, 3, 2, 4), (5, 1, 4, 2)),
]


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    if dtype in INTEGERS:
        return rng.integers(0, 5, shape).astype(dtype)
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def tensor(x: np.ndarray, grad: bool = False) -> Any:
    t = kagari.from_numpy(x.copy())
    return t.requires_grad_() if grad else t


def close(got: Any, expected: np.ndarray, dtype: str) -> None:
    assert tuple(got.shape) == expected.shape
    tolerance = TOLERANCE.get(dtype, 0)
    values = np.asarray(got.tolist()).reshape(expected.shape)
    np.testing.assert_allclose(values, expected, tolerance, tolerance * 10)


@pytest.mark.parametrize("dtype", [*TOLERANCE, *INTEGERS])
@pytest.mark.parametrize(("name", "a", "b"), PAIRS)
def test_values(name: str, a: tuple[int, ...], b: tuple[int, ...], dtype: str) -> None:
    x, y = numbers(a, dtype), numbers(b, dtype, 1)
    reference = {"mm": np.matmul, "bmm": np.matmul, "mv": np.matmul}.get(name) or getattr(np, name)
    close(getattr(ops, name)(tensor(x), tensor(y)), reference(x, y), dtype)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("name", "a", "b"), [p for p in PAIRS if 0 not in p[1]])
def test_gradients(name: str, a: tuple[int, ...], b: tuple[int, ...], dtype: str) -> None:
    inputs = tensor(numbers(a, dtype), True), tensor(numbers(b, dtype, 1), True)
    assert gradcheck(getattr(ops, name), inputs)
    if dtype == "float64":
        assert gradgradcheck(getattr(ops, name), inputs)


@pytest.mark.parametrize("factors", [{}, {"alpha": 2, "beta": 3}, {"alpha": 2, "beta": 0}])
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("addmm", [(3, 5), (3, 4), (4, 5)]),
        ("addmm", [(5,), (3, 4), (4, 5)]),
        ("addmm", [(3, 1), (3, 4), (4, 5)]),
        ("baddbmm", [(2, 3, 5), (2, 3, 4), (2, 4, 5)]),
        ("addmv", [(3,), (3, 4), (4,)]),
        ("addbmm", [(3, 5), (2, 3, 4), (2, 4, 5)]),
        ("addr", [(3, 4), (3,), (4,)]),
    ],
)
def test_sums_with_products(name: str, shapes: list[tuple[int, ...]], factors: Any) -> None:
    arrays = [numbers(s, "float64", i) for i, s in enumerate(shapes)]
    c, a, b = arrays
    product = np.outer(a, b) if name == "addr" else a @ b
    if name == "addbmm":
        product = product.sum(0)
    expected = factors.get("beta", 1) * c + factors.get("alpha", 1) * product
    close(getattr(ops, name)(*map(tensor, arrays), **factors), expected, "float64")
    inputs = [tensor(x, True) for x in arrays]
    assert gradcheck(lambda *t: getattr(ops, name)(*t, **factors), inputs)
    assert gradgradcheck(lambda *t: getattr(ops, name)(*t, **factors), inputs)
    if c.shape == expected.shape:
        target = tensor(c)
        getattr(target, name + "_")(tensor(a), tensor(b), **factors)
        close(target, expected, "float64")


def test_beta_of_zero_ignores_nan() -> None:
    nan = kagari.full((2, 2), float("nan"))
    assert ops.addmm(nan, kagari.ones(2, 2), kagari.ones(2, 2), beta=0).tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize("bias", [None, (5,), (1,), ()])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (0, 4)])
def test_linear(shape: tuple[int, ...], bias: tuple[int, ...] | None) -> None:
    x, w = numbers(shape, "float64"), numbers((5, 4), "float64", 1)
    b = None if bias is None else numbers(bias, "float64", 2)
    expected = x @ w.T + (0 if b is None else b)
    tensors = [tensor(a) for a in (x, w, b) if a is not None]
    close(ops.linear(*tensors), expected, "float64")
    for t in tensors:
        t.requires_grad_()
    if x.size:
        assert gradcheck(ops.linear, tensors)
        assert gradgradcheck(ops.linear, tensors)


def test_operands_at_any_strides() -> None:
    x, y = numbers((6, 4), "float32"), numbers((5, 6), "float32", 1)
    close(tensor(x).T @ tensor(y).T, x.T @ y.T, "float32")
    close(tensor(x)[::2].T @ tensor(y)[:, ::2].T, x[::2].T @ y[:, ::2].T, "float32")
    z = numbers((3, 2, 4), "float32")
    close(ops.linear(tensor(z).transpose(0, 1), tensor(x)), z.swapaxes(0, 1) @ x.T, "float32")


@pytest.mark.parametrize("shape", [(64, 64, 300), (1, 4096, 65), (10, 784, 500)])
def test_bits_depend_on_neither_threads_nor_batch(shape: tuple[int, int, int]) -> None:
    n, k, m = shape
    x, w = kagari.randn(m, k), kagari.randn(n, k)
    b = kagari.randn(n)
    threads = kagari.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            kagari.set_num_threads(count)
            weight = w.clone().requires_grad_()
            y = ops.linear(x, weight, b)
            (y * y).sum().backward()
            results.append((y.tolist(), weight.grad.tolist()))
    finally:
        kagari.set_num_threads(threads)
    assert results[0] == results[1] == results[2]
    assert ops.linear(x[7], w, b).tolist() == results[0][0][7]
    assert ops.linear(x[7:8], w, b).tolist()[0] == results[0][0][7]


@pytest.mark.parametrize("layout", ["plain", "transposed"])
@pytest.mark.parametrize("dtype", ["int8", "int64", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("shape", [(203, 300, 271), (257, 257, 132), (512, 257, 132)])
def test_threads_that_share_a_packed_factor_give_the_bits_of_one(
    shape: tuple[int, int, int], dtype: str, layout: str
) -> None:
    kind = getattr(kagari, dtype)
    m, k, n = shape
    a = (kagari.randn(m, k) * 4).to(kind)
    b = (kagari.randn(k, n) * 4).to(kind)
    if layout == "transposed":
        a, b = a.T.contiguous().T, b.T.contiguous().T
    threads = kagari.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3, 4, 8):
            kagari.set_num_threads(count)
            results.append(a @ b)
    finally:
        kagari.set_num_threads(threads)
    assert all(kagari.equal(results[0], other) for other in results[1:])
    assert kagari.equal(a[77] @ b, results[0][77])


@pytest.mark.parametrize("layout", ["plain", "transposed"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [1, 3, 4, 6, 259])
def test_edges_of_a_product_have_the_bits_of_its_middle(k: int, dtype: str, layout: str) -> None:
    x, y = numbers((13, k), dtype, 1), numbers((k, 130), dtype, 2)
    a = tensor(x.T.copy()).T if layout == "transposed" else tensor(x)
    whole = a @ tensor(y)
    close(whole, x @ y, dtype)
    for n in (1, 7, 8, 9, 16, 17, 64, 65, 96, 97, 129):
        assert kagari.equal(a @ tensor(y[:, :n]), whole[:, :n]), n
    for m in (1, 5, 6, 7, 12):
        assert kagari.equal(a[:m] @ tensor(y), whole[:m]), m


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 8), (21, 300), (64, 2500), (40, 4096)])
def test_few_rows_have_the_bits_of_many(shape: tuple[int, int], dtype: str) -> None:
    n, k = shape
    x, w = tensor(numbers((29, k), dtype)), tensor(numbers((n, k), dtype, 1))
    many = ops.linear(x, w)
    close(many, x.numpy() @ w.numpy().T, dtype)
    for rows in (1, 2, 3, 4, 5):
        assert ops.linear(x[3 : 3 + rows], w).tolist() == many[3 : 3 + rows].tolist()
    turned = x.T.contiguous().T  # rows that do not lie in one piece
    assert ops.linear(turned[3:6], w).tolist() == many[3:6].tolist()
    assert (w @ x[3]).tolist() == many[3].tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "complex64", "bfloat16"])
@pytest.mark.parametrize("n", [0, 1, 9, 16_384, 16_385, 100_003])
def test_long_dot(n: int, dtype: str) -> None:
    a, b = np.random.default_rng(n).integers(-3, 4, (2, n))
    x, y = (tensor(v.astype(np.float64)).to(getattr(kagari, dtype)) for v in (a, b))
    expected = kagari.tensor(int(a @ b)).to(x.dtype)
    assert ops.dot(x, y).equal(expected)
    assert ops.dot(x.flip(0), y.flip(0)).equal(expected)
    every_second = kagari.stack([x, x], 1)[:, 0]
    assert ops.dot(every_second, y).equal(expected)


def test_tensordot_and_chains() -> None:
    a, b = numbers((2, 3, 4), "float64"), numbers((4, 3, 5), "float64")
    for dims in (1, ([1, 2], [1, 0]), ([-1], [0])):
        close(ops.tensordot(tensor(a), tensor(b), dims), np.tensordot(a, b, dims), "float64")
    chain = [numbers(s, "float64") for s in ((2, 3), (3, 7), (7, 1), (1, 4))]
    expected = np.linalg.multi_dot(chain)
    close(ops.chain_matmul(*map(tensor, chain)), expected, "float64")
    close(ops.linalg_multi_dot([tensor(m) for m in chain]), expected, "float64")


def ones(*shape: int, dtype: Any = kagari.float32) -> Any:
    return kagari.ones(*shape, dtype=dtype)


ERRORS = [
    (lambda: ops.mm(ones(2, 3), ones(2, 3)), "mat1 and mat2 shapes cannot be multiplied"),
    (lambda: ops.mm(ones(2), ones(2, 3)), "self must be a matrix"),
    (lambda: ops.bmm(ones(2, 3, 4), ones(2, 3, 4)), "Expected size for first two dimensions"),
    (lambda: ops.dot(ones(2), ones(3)), "inconsistent tensor size"),
    (lambda: ops.mv(ones(2, 3), ones(2)), "size mismatch"),
    (lambda: ones(2, 3) @ ones(4, 3), "matmul: mat1 and mat2 shapes cannot be multiplied"),
    (lambda: kagari.ones(()) @ ones(2), "need to be at least 1D, but they are 0D and 1D"),
    (lambda: ones(1, 1) @ ones(1, 1, dtype=kagari.float64), "to have the same dtype"),
    (lambda: ops.addmm(ones(7), ones(2, 3), ones(3, 4)), "must match the existing size"),
    (
        lambda: ops.linear(ones(2, 3), ones(5, 4)),
        r"input has 3 features, the weight expects 4 \(input \(2, 3\), weight \(5, 4\)\)",
    ),
    (lambda: ops.tensordot(ones(2, 3), ones(2, 3), 1), "contracted dimensions need to match"),
    (lambda: ops.chain_matmul(ones(2)), "expected matrices"),
    (lambda: ops.outer(ones(2, 2), ones(2)), "Expected 1-D arguments"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call()


def test_booleans_have_no_products() -> None:
    with pytest.raises(NotImplementedError, match="products are not implemented for bool"):
        ops.mm(ones(1, 1, dtype=kagari.bool), ones(1, 1, dtype=kagari.bool))


def test_meta() -> None:
    a = kagari.ones(2, 3, device="meta")
    assert tuple((a @ kagari.ones(3, 4, device="meta")).shape) == (2, 4)


def test_factors_of_integer_sums_lose_their_fraction() -> None:
    one, vector = kagari.ones(2, 2, dtype=kagari.int64), kagari.ones(2, dtype=kagari.int64)
    factors = {"beta": 2.6, "alpha": 1.7}
    assert kagari.addmm(one, one, one, **factors).tolist() == [[4, 4], [4, 4]]
    assert kagari.addmv(vector, one, vector, **factors).tolist() == [4, 4]
    assert kagari.baddbmm(one[None], one[None], one[None], **factors).tolist() == [[[4, 4], [4, 4]]]
    with pytest.raises(RuntimeError, match="argument beta must not be a floating point number"):
        kagari.addr(one, vector, vector, **factors)


def test_outer_product_of_truths() -> None:
    a = kagari.tensor([True, False])
    none = kagari.zeros(2, 2, dtype=kagari.bool)
    assert kagari.addr(none, a, a).tolist() == [[True, False], [False, False]]
    assert kagari.addr(~none, a, a, beta=0, alpha=2).tolist() == [[True, False], [False, False]]
