"""Products with sparse matrices beside strided ones: values and derivatives."""

from __future__ import annotations

import pytest
from sparse_cases import DTYPES, KINDS, MATRICES, close, coo, csr, cube, dense, values

import kagari
from kagari.autograd import gradcheck, gradgradcheck


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MATRICES)
def test_values(kind, dtype):
    x = KINDS[kind](dtype)
    d = values(5, 3, dtype=dtype, seed=1)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {}
    want = x.to_dense() @ d
    for got in (x @ d, kagari.mm(x, d), x.matmul(d), kagari.sparse.mm(x, d)):
        close(got, want, **tolerance)
    close(x @ d[:, 0], want[:, 0], **tolerance)
    close(kagari.mv(x, d[:, 0]), want[:, 0], **tolerance)
    left = values(3, 4, dtype=dtype, seed=2)
    close(left @ x, left @ x.to_dense(), **tolerance)
    close(left[0] @ x, left[0] @ x.to_dense(), **tolerance)
    close(x.t() @ left.t(), x.to_dense().t() @ left.t(), **tolerance)
    square = x @ x.t()
    assert square.layout is not kagari.strided
    close(square, x.to_dense() @ x.to_dense().t(), **tolerance)
    if dtype != "int64":
        bias = values(4, 3, dtype=dtype, seed=3)
        got = kagari.addmm(bias, x, d, beta=2, alpha=3)
        close(got, kagari.addmm(bias, x.to_dense(), d, beta=2, alpha=3), **tolerance)
        close(kagari.sparse.addmm(bias, x, d, beta=2, alpha=3), got, **tolerance)
        close(bias.clone().addmm_(x, d, alpha=2), bias.addmm(x, d, alpha=2), **tolerance)
        row = values(3, dtype=dtype, seed=3)
        close(row.addmm(x, d), row + want, **tolerance)


def test_not_a_number_of_the_input_does_not_count_with_beta_zero():
    bias = kagari.full((4, 3), kagari.nan).double()
    close(kagari.addmm(bias, coo(), values(5, 3), beta=0), coo().to_dense() @ values(5, 3))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves(dtype):
    x, d = coo().to(getattr(kagari, dtype)), values(5, 3).to(getattr(kagari, dtype))
    got = x @ d
    assert got.dtype == d.dtype
    close(got.double(), x.double().to_dense() @ d.double(), 2e-2, 2e-2)


def test_batches_and_layers():
    x, d = cube(), values(2, 4, 3)
    close(kagari.bmm(x, d), kagari.bmm(x.to_dense(), d))
    close(x @ d, x.to_dense() @ d)
    weight, bias, inputs = coo(), values(4), values(2, 3, 5)
    linear = kagari.nn.functional.linear
    close(linear(inputs, weight, bias), linear(inputs, weight.to_dense(), bias))
    close(linear(inputs, csr()), linear(inputs, weight.to_dense()))
    close(linear(coo(), values(2, 5)), linear(coo().to_dense(), values(2, 5)))


def test_out():
    d, out = values(5, 3), kagari.empty(0, dtype=kagari.float64)
    assert kagari.mm(coo(), d, out=out) is out
    close(out, coo().to_dense() @ d)


@pytest.mark.parametrize("reduce", ["sum", "mean", "amax", "amin"])
def test_reductions(reduce):
    x, d = csr(), values(5, 3)
    full = x.to_dense()
    want = kagari.zeros(4, 3).double()
    for i in range(4):
        terms = full[i].unsqueeze(1) * d
        terms = terms[full[i] != 0]
        if len(terms):
            want[i] = getattr(terms, reduce)(0)
    close(kagari.sparse.mm(x, d, reduce), want)


def test_sampled_addmm():
    x, a, b = csr(), values(4, 2), values(2, 5, seed=1)
    got = kagari.sparse.sampled_addmm(x, a, b, alpha=2, beta=3)
    assert got.layout is kagari.sparse_csr and got.col_indices().equal(x.col_indices())
    close(got, (2 * (a @ b) + 3 * x.to_dense()) * (x.to_dense() != 0))
    out = kagari.sparse_csr_tensor([0] * 5, [], [], (4, 5), dtype=kagari.float64)
    assert kagari.sparse.sampled_addmm(x, a, b, out=out) is out
    close(out, kagari.sparse.sampled_addmm(x, a, b))


# ---- Derivatives ---------------------------------------------------------------------------------

PLACES = [[3, 0, 1, 0, 0, 3], [1, 4, 2, 0, 4, 1]]


def of(v):
    return kagari.sparse_coo_tensor(PLACES, v, (4, 5))


D = values(5, 3, seed=1).requires_grad_()
L = values(2, 4, seed=2).requires_grad_()
BIAS = values(4, 3, seed=3).requires_grad_()
DERIVED = [
    (lambda v, d: of(v) @ d, D),
    (lambda v, d: of(v).coalesce() @ d, D),
    (lambda v, d: of(v).to_sparse_csr() @ d, D),
    (lambda v, d: of(v).to_sparse_csc() @ d, D),
    (lambda v, d: kagari.sparse.mm(of(v), d), D),
    (lambda v, d: kagari.sparse.mm(of(v), d, "mean"), D),
    (lambda v, d: kagari.sparse.mm(of(v), d, "amax"), D),
    (lambda v, d: kagari.addmm(d, of(v), D.detach(), beta=2, alpha=3), BIAS),
    (lambda v, d: kagari.sparse.addmm(d, of(v), D.detach()), BIAS),
    (lambda v, d: of(v) @ d[:, 0], D),
    (lambda v, d: d @ of(v), L),
    (lambda v, d: (of(v) @ of(v).t()).to_dense() @ d, values(4, 2).requires_grad_()),
    (lambda v, d: kagari.nn.functional.linear(d.t(), of(v)), D),
    (lambda v, d: kagari.bmm(of(v).unsqueeze(0), d.unsqueeze(0)), D),
    (
        lambda v, d: kagari.sparse.sampled_addmm(
            of(v).to_sparse_csr(), d, values(3, 5), alpha=2, beta=3
        ).values(),
        BIAS,
    ),
]


@pytest.mark.parametrize("row", range(len(DERIVED)))
def test_derivatives(row):
    f, d = DERIVED[row]
    v = values(6).requires_grad_()
    assert gradcheck(f, (v, d))
    assert gradgradcheck(f, (v, d))


@pytest.mark.parametrize("kind", ["coo", "coalesced", "csr"])
def test_gradients_of_leaves(kind):
    """sparse.mm gives the matrix a gradient at its own places, mm a strided one."""
    d, g = values(5, 3).requires_grad_(), values(4, 3, seed=7)
    full = KINDS[kind]().to_dense()
    want = g @ d.detach().t()
    x = KINDS[kind]().requires_grad_()
    kagari.sparse.mm(x, d).backward(g)
    assert x.grad.layout is not kagari.strided and x.grad.shape == x.shape
    close(x.grad, want * (full != 0))
    close(d.grad, full.t() @ g)
    x = KINDS[kind]().requires_grad_()
    (x @ d).backward(g)
    assert x.grad.layout is kagari.strided
    close(x.grad, want)


REFUSED = [
    (lambda x, d: x @ d.t(), RuntimeError, "cannot be multiplied"),
    (lambda x, d: x @ d.float(), RuntimeError, "same dtype"),
    (lambda x, d: kagari.mv(x, d[:3, 0]), RuntimeError, "mv: expected"),
    (lambda x, d: x @ d.expand(2, 5, 3), NotImplementedError, "matmul: of shapes"),
    (lambda x, d: x.to_sparse().to_dense().to_sparse(1) @ d, RuntimeError, "2 sparse dimensions"),
    (lambda x, d: kagari.sparse.mm(d.t(), d), RuntimeError, "a sparse matrix among"),
    (lambda x, d: kagari.sparse.mm(x, d, "max"), RuntimeError, "expected reduce"),
    (lambda x, d: kagari.sparse.sampled_addmm(x, d, d), RuntimeError, "expected shapes"),
    (
        lambda x, d: kagari.sparse.sampled_addmm(x, values(4, 2), values(2, 5)),
        RuntimeError,
        "to_sparse_csr",
    ),
    (lambda x, d: kagari.bmm(cube(), values(2, 5, 1)), RuntimeError, "bmm: expected batches"),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_refused(row):
    call, error, text = REFUSED[row]
    with pytest.raises(error, match=text):
        call(coo(), values(5, 3))


def test_dense_result_is_dense():
    assert dense(coo() @ values(5, 3)).layout is kagari.strided


def test_autocast():
    x, d, bias = coo("float32"), values(5, 3, dtype="float32"), values(4, 3, dtype="float32")
    with kagari.autocast("cpu", dtype=kagari.bfloat16):
        for got in (x @ d, kagari.sparse.mm(x, d), kagari.addmm(bias, x, d), x @ d[:, 0]):
            assert got.dtype == kagari.bfloat16
        assert (coo() @ d.double()).dtype == kagari.float64
        assert (x + x).dtype == kagari.float32
    assert (x @ d).dtype == kagari.float32


def test_inference_mode():
    with kagari.inference_mode():
        assert (coo() * 2).is_inference() and (coo() @ values(5, 3)).is_inference()
