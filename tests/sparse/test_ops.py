"""Operations on sparse tensors beside the same on strided ones: values, layouts, errors."""

from __future__ import annotations

import operator

import pytest
from sparse_cases import DTYPES, KINDS, close, coo, csc, csr, cube, dense, hybrid, values

import kagari

UNARY = [
    "abs",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "deg2rad",
    "erf",
    "erfinv",
    "expm1",
    "floor",
    "frac",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "log1p",
    "nan_to_num",
    "neg",
    "rad2deg",
    "relu",
    "round",
    "sgn",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNARY)
def test_unary(kind, name):
    x = KINDS[kind]() * 0.25
    got = getattr(kagari, name)(x)
    assert got.layout is x.layout
    want = getattr(kagari, name)(x.to_dense())
    assert dense(got).dtype == want.dtype
    assert kagari.allclose(dense(got).double(), want.double(), equal_nan=True)
    if want.dtype == x.dtype:
        again = x.clone()
        assert getattr(again, f"{name}_")() is again
        assert kagari.allclose(again.to_dense(), want, equal_nan=True)


SCALED = [
    (lambda x: x * 3, "mul"),
    (lambda x: 3 * x, "rmul"),
    (lambda x: x * kagari.tensor(3.0), "mul tensor"),
    (lambda x: x / 4, "div"),
    (lambda x: x.div(kagari.tensor(4.0)), "div tensor"),
    (lambda x: x.div(2, rounding_mode="floor"), "div floor"),
    (lambda x: x // 2, "floordiv"),
    (lambda x: -x, "neg"),
    (lambda x: +x, "pos"),
    (lambda x: abs(x), "abs"),
    (lambda x: x**2, "pow"),
    (lambda x: x.clone(), "clone"),
    (lambda x: x.detach(), "detach"),
    (lambda x: x.float(), "float"),
    (lambda x: x.to(kagari.complex128), "to"),
    (lambda x: x.type_as(kagari.ones(1)), "type_as"),
    (lambda x: x.cpu(), "cpu"),
    (lambda x: x.to("cpu", copy=True), "copy"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", range(len(SCALED)), ids=[name for _, name in SCALED])
def test_elements(kind, row):
    x, f = KINDS[kind](), SCALED[row][0]
    got = f(x)
    assert got.layout is x.layout
    close(got, f(x.to_dense()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_two(kind, dtype):
    x, y = KINDS[kind](dtype), KINDS[kind](dtype) * 2
    close(x + y, x.to_dense() + y.to_dense())
    close(x - y, x.to_dense() - y.to_dense())
    close(x.add(y, alpha=3), x.to_dense().add(y.to_dense(), alpha=3))
    close(x.to_dense() + y, x.to_dense() + y.to_dense())
    close(x.to_dense().sub(y, alpha=2), x.to_dense().sub(y.to_dense(), alpha=2))
    d = x.to_dense()
    assert d.add_(y, alpha=2) is d
    close(d, x.to_dense() + 2 * y.to_dense())
    z = x.clone()
    z += y
    z -= x
    assert z.layout is x.layout
    close(z, x.to_dense() + y.to_dense() - x.to_dense())


def test_sum_of_two_keeps_what_is_coalesced():
    x = coo()
    assert not (x + x).is_coalesced() and (x + x)._nnz() == 2 * x._nnz()
    y = x.coalesce()
    assert (y + y).is_coalesced() and (y + y)._nnz() == y._nnz()
    assert (csr() + kagari.ones(4, 5).double()).layout is kagari.strided
    assert (coo("float32") + coo()).dtype == kagari.float64
    into = kagari.zeros(5, 4).t()  # not contiguous
    close(into.add_(coo("float32")), coo("float32").to_dense())


@pytest.mark.parametrize("kind", KINDS)
def test_products_of_elements(kind):
    x = KINDS[kind]()
    factor = values(*x.shape, seed=4)
    row = values(x.shape[-1], seed=5)
    close(x * factor, x.to_dense() * factor)
    close(factor * x, x.to_dense() * factor)
    close(x * row, x.to_dense() * row)
    other = (KINDS[kind]().to_dense() * (factor > 0)).to_sparse(x.sparse_dim())
    other = other if x.layout is kagari.sparse_coo else other.to_sparse(layout=x.layout)
    got = x * other
    assert got.layout is x.layout
    close(got, x.to_dense() * other.to_dense())
    if kind == "coalesced":
        assert got._nnz() == other._nnz()


@pytest.mark.parametrize("kind", KINDS)
def test_sums(kind):
    x = KINDS[kind]()
    close(x.sum(), x.to_dense().sum())
    close(kagari.sparse.sum(x, dtype=kagari.float32), x.to_dense().sum(dtype=kagari.float32), 1e-6)
    close(x.norm(), x.to_dense().norm())
    close(x.norm(1), x.to_dense().norm(1))
    assert bool(x.any()) == bool(x.to_dense().any())
    if x.layout is not kagari.sparse_coo:
        with pytest.raises(NotImplementedError, match="call .to_sparse_coo"):
            x.sum(0)
        return
    for dim in (0, -1, (0, 1), tuple(range(x.dim()))):
        close(x.sum(dim), x.to_dense().sum(dim))
        close(kagari.sparse.sum(x, dim), x.to_dense().sum(dim))
        close(x.sum(dim, keepdim=True), x.to_dense().sum(dim, keepdim=True))
    assert x.long().sum(0).dtype == kagari.int64


@pytest.mark.parametrize("kind", ["coo", "coalesced", "hybrid", "cube"])
def test_softmax(kind):
    x = KINDS[kind]()
    lowest = kagari.full(x.shape, -kagari.inf).double()
    y = x.coalesce()
    where = tuple(y.indices())
    lowest[where] = y.values()
    for dim in range(x.dim()):
        for name in ("softmax", "log_softmax"):
            got = getattr(kagari.sparse, name)(x, dim)
            want = getattr(lowest, name)(dim)[where]
            assert got.is_coalesced() and got.indices().equal(y.indices())
            close(got.values(), want)


SHAPED = [
    (coo, lambda x: x.t()),
    (coo, lambda x: x.T),
    (coo, lambda x: x.transpose(0, -1)),
    (csr, lambda x: x.t()),
    (csc, lambda x: x.transpose(1, 0)),
    (cube, lambda x: x.permute(2, 0, 1)),
    (cube, lambda x: x.permute((1, 0, 2))),
    (coo, lambda x: x.unsqueeze(1)),
    (hybrid, lambda x: x.unsqueeze(-1)),
    (coo, lambda x: x[0]),
    (coo, lambda x: x[2]),
    (coo, lambda x: x[0, 4]),
    (coo, lambda x: x[-1, 1]),
    (csr, lambda x: x[0]),
    (csr, lambda x: x[0, 4]),
    (coo, lambda x: x[1:3]),
    (coo, lambda x: x[::2, 1:]),
    (coo, lambda x: x[..., 4]),
    (coo, lambda x: x[None, :, 1:4:2]),
    (coo, lambda x: x[kagari.tensor([3, 0, 0])]),
    (hybrid, lambda x: x[2]),
    (hybrid, lambda x: x[2, 1:]),
    (hybrid, lambda x: x[:, 1]),
    (cube, lambda x: x[1]),
    (cube, lambda x: x[:, 1]),
    (cube, lambda x: x.select(2, -1)),
    (cube, lambda x: x.narrow(2, 1, 2)),
    (coo, lambda x: x.index_select(0, kagari.tensor([0, 3, 0]))),
    (coo, lambda x: x.index_select(1, kagari.tensor([4, 4, 1]))),
    (hybrid, lambda x: x.index_select(1, kagari.tensor([2, 0]))),
    (coo, lambda x: kagari.cat([x, x * 2])),
    (coo, lambda x: kagari.cat([x, x * 2], 1)),
    (hybrid, lambda x: kagari.cat([x, x])),
    (coo, lambda x: kagari.stack([x, x * 2])),
    (coo, lambda x: x.conj()),
    (coo, lambda x: kagari.zeros_like(x)),
    (csr, lambda x: kagari.zeros_like(x)),
    (coo, lambda x: x.clone().zero_()),
    (coo, lambda x: x.clone().copy_(x * 2)),
    (coo, lambda x: x.new_zeros(2, 3)),
]


@pytest.mark.parametrize("row", range(len(SHAPED)))
def test_shapes(row):
    make, f = SHAPED[row]
    x = make()
    got = f(x)
    close(got, f(x.to_dense()))
    if got.layout is kagari.sparse_coo and got.is_coalesced() and got._nnz() > 1:
        flat = kagari.sparse_coo_tensor(got.indices(), got.values(), got.shape, is_coalesced=True)
        assert flat.is_coalesced()  # which the constructor checks


def test_result_types():
    assert kagari.result_type(coo("float32"), kagari.ones(1).double()) == kagari.float64
    assert kagari.result_type(coo("int64"), 1.5) == kagari.float32


def test_exchange_of_layouts():
    assert csr().t().layout is kagari.sparse_csc and csc().t().layout is kagari.sparse_csr
    assert list(coo())[1].to_dense().equal(coo().to_dense()[1])


def test_masks():
    x = values(4, 5, seed=9)
    mask = coo()
    got = x.sparse_mask(mask)
    assert got.is_coalesced() and got.indices().equal(mask.coalesce().indices())
    close(got, x * (mask.to_dense() != 0))
    close(x.sparse_mask(csr()), x * (mask.to_dense() != 0))
    part = coo()[:, :3]
    wide = kagari.cat([part, part[:, :2] * 0], 1)
    close(wide.sparse_mask(mask), wide.to_dense() * (mask.to_dense() != 0))


def test_diagonals():
    lines = kagari.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    made = kagari.sparse.spdiags(lines, kagari.tensor([-1, 1]), (3, 3))
    assert made.to_dense().tolist() == [[0, 5, 0], [1, 0, 6], [0, 2, 0]]
    with pytest.raises(RuntimeError, match="duplicate"):
        kagari.sparse.spdiags(lines, kagari.tensor([1, 1]), (3, 3))


REFUSED = [
    (lambda x: x + 1, RuntimeError, "use|Use"),
    (lambda x: 1 + x, RuntimeError, "call .to_dense"),
    (lambda x: x + x.to_dense(), RuntimeError, r"add\(sparse, dense\) is not supported"),
    (lambda x: x + x[:, :2], RuntimeError, "expected sizes"),
    (lambda x: x / x.to_dense(), RuntimeError, "Sparse division requires"),
    (lambda x: 1 / x, RuntimeError, "to_dense"),
    (lambda x: x**0, NotImplementedError, "pow: .*to_dense"),
    (lambda x: 2**x, NotImplementedError, "to_dense"),
    (lambda x: x == 1, NotImplementedError, "eq is not there for tensors of layout .*to_dense"),
    (lambda x: x.exp(), NotImplementedError, r"exp is not there .*sparse_coo; call .to_dense\(\)"),
    (lambda x: x.view(-1), NotImplementedError, "view is not there"),
    (lambda x: x.reshape(-1), NotImplementedError, "reshape is not there"),
    (lambda x: x.max(), NotImplementedError, "max is not there"),
    (lambda x: x.item(), NotImplementedError, "item is not there"),
    (lambda x: x.tolist(), NotImplementedError, "tolist is not there"),
    (lambda x: bool(x), NotImplementedError, "to_dense"),
    (lambda x: float(x), NotImplementedError, "to_dense"),
    (lambda x: x.numpy(), TypeError, "can't convert"),
    (lambda x: memoryview(x), BufferError, "to_dense"),
    (lambda x: x.data_ptr(), NotImplementedError, "storage"),
    (lambda x: x.untyped_storage(), NotImplementedError, "storage"),
    (lambda x: x.nbytes, NotImplementedError, "nbytes is not there"),
    (lambda x: x.stride(), NotImplementedError, "stride is not there"),
    (lambda x: x.resize_(2), NotImplementedError, "resize_ is not there"),
    (lambda x: x[[0]], NotImplementedError, "__getitem__"),
    (lambda x: x.__setitem__(0, 1), NotImplementedError, "__setitem__"),
    (lambda x: x[9], IndexError, "out of range"),
    (lambda x: x[0, 0, 0], IndexError, "too many"),
    (lambda x: kagari.zeros(4, 5).copy_(x), NotImplementedError, "copy_"),
    (lambda x: kagari.ones(4, 5).double().set_(x), NotImplementedError, "set_ is not there"),
    (lambda x: kagari.ones(4, 5).mul_(x), NotImplementedError, "mul_"),
    (lambda x: kagari.ones(4, 5).__setitem__(0, x[0]), NotImplementedError, "__setitem__"),
    (lambda x: setattr(kagari.ones(4, 5), "data", x), RuntimeError, "incompatible tensor type"),
    (lambda x: kagari.nn.functional.softmax(x, 1), NotImplementedError, "softmax is not there"),
    (lambda x: kagari.einsum("ij,jk", x, x), NotImplementedError, "to_dense"),
    (lambda x: kagari._foreach_exp([x]), NotImplementedError, "exp is not there"),
    (lambda x: kagari.cat([x, x.to_dense()]), NotImplementedError, "cat: "),
    (lambda x: x.to("meta"), NotImplementedError, "live on the CPU"),
    (lambda x: x.permute(0), RuntimeError, "each of 2 dimensions once"),
    (lambda x: hybrid().t(), RuntimeError, "cannot move between"),
    (lambda x: kagari.sparse.softmax(x.to_dense(), 0), RuntimeError, "layout sparse_coo"),
    (lambda x: kagari.sparse.softmax(x.long(), 0), RuntimeError, "floating"),
    (lambda x: kagari.sparse.sum(x.to_dense()), RuntimeError, "expected a sparse tensor"),
    (lambda x: kagari.zeros(2, layout=kagari.sparse_csr), RuntimeError, "is a matrix"),
    (lambda x: kagari.ones(2, layout=kagari.sparse_coo), NotImplementedError, "ones is not there"),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_refused(row):
    call, error, text = REFUSED[row]
    with pytest.raises(error, match=text):
        call(coo())


def test_writes_are_not_recorded():
    x = (coo(requires_grad=True) * 2).coalesce()
    with pytest.raises(NotImplementedError, match="not recorded"):
        x.mul_(2)
    leaf = coo(requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        leaf.mul_(2)
    with kagari.no_grad():
        leaf.mul_(2)
    close(leaf, coo().to_dense() * 2)


def test_operators_in_place_need_a_dtype_that_fits():
    x = coo("int64")
    with pytest.raises(RuntimeError, match="can't be cast"):
        x.div_(2)
    with pytest.raises(RuntimeError, match="can't be cast"):
        kagari.zeros(4, 5, dtype=kagari.int64).add_(coo())
    assert operator.imul(x, 2) is x
