"""Sparse tensors beside PyTorch's: results, layouts, gradients, text, files and steps."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

import kagari

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.conformance, pytest.mark.filterwarnings("ignore")]

PLACES = [[3, 0, 1, 0, 0, 3], [1, 4, 2, 0, 4, 1]]
NUMBERS = np.random.default_rng(0).standard_normal(6)
DENSE = np.random.default_rng(1).standard_normal((5, 3))
FULL = np.random.default_rng(2).standard_normal((4, 5))


def make(lib, kind, grad=False):
    if kind == "hybrid":
        x = lib.sparse_coo_tensor(
            lib.tensor([[2, 0, 2]]), lib.tensor(NUMBERS.reshape(3, 2)), (4, 2)
        )
    else:
        x = lib.sparse_coo_tensor(lib.tensor(PLACES), lib.tensor(NUMBERS), (4, 5))
    x = x.coalesce() if kind == "coalesced" else x.to_sparse_csr() if kind == "csr" else x
    return x.detach().requires_grad_() if grad else x


def text(x):
    return repr(x).replace("torch.", "kagari.")


def array(x):
    return (x if x.layout in (torch.strided, kagari.strided) else x.to_dense()).detach().numpy()


def same(got, want):
    if not isinstance(want, torch.Tensor):
        assert got == want
        return
    assert str(got.layout).rpartition(".")[2] == str(want.layout).rpartition(".")[2]
    assert str(got.dtype).rpartition(".")[2] == str(want.dtype).rpartition(".")[2]
    assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(array(got), array(want), rtol=1e-12, atol=1e-12)
    if want.layout == torch.sparse_coo:
        assert got.is_coalesced() or not want.is_coalesced()
        assert (got.sparse_dim(), got.dense_dim()) == (want.sparse_dim(), want.dense_dim())


def dense(lib):
    return lib.tensor(DENSE)


ALL = ("coo", "coalesced", "csr", "hybrid")
COO = ("coo", "coalesced", "hybrid")
MATRIX = ("coo", "coalesced", "csr")
PLAIN = ("coo", "coalesced")
# kinds, function of the library and the tensor, whether the gradient is compared
ROWS = [
    (ALL, lambda t, x: x, False),
    (ALL, lambda t, x: x.to_dense(), True),
    (COO, lambda t, x: x.coalesce(), True),
    (COO, lambda t, x: x.coalesce().values(), True),
    (ALL, lambda t, x: x * 2, True),
    (COO, lambda t, x: x / 2, True),
    (COO, lambda t, x: -x, True),
    (COO, lambda t, x: x.abs(), True),
    (ALL, lambda t, x: x.sin(), False),
    (COO, lambda t, x: x.relu(), True),
    (COO, lambda t, x: x.pow(2), True),
    (ALL, lambda t, x: x.clone(), True),
    (COO, lambda t, x: x.float(), True),
    (PLAIN, lambda t, x: x.t(), True),
    (("coalesced",), lambda t, x: x + x * 2, True),
    (("csr",), lambda t, x: x + x, False),
    (PLAIN, lambda t, x: t.tensor(FULL) + x, True),
    (PLAIN, lambda t, x: t.tensor(FULL) - x, True),
    (("csr",), lambda t, x: x + t.tensor(FULL), False),
    (PLAIN, lambda t, x: x * t.tensor(FULL), True),
    (("coalesced",), lambda t, x: x * x, True),
    (MATRIX, lambda t, x: x @ dense(t), True),
    (MATRIX, lambda t, x: t.mm(x, dense(t)), True),
    (MATRIX, lambda t, x: x.mv(dense(t)[:, 0]), True),
    (PLAIN, lambda t, x: t.sparse.mm(x, dense(t)), True),
    (MATRIX, lambda t, x: t.addmm(dense(t)[:4], x, dense(t), beta=2, alpha=3), True),
    (PLAIN, lambda t, x: t.sparse.addmm(dense(t)[:4], x, dense(t), beta=2, alpha=3), True),
    (PLAIN, lambda t, x: t.tensor(FULL).t() @ x, True),
    (PLAIN, lambda t, x: t.sparse.mm(x, x.t()), False),
    (("csr",), lambda t, x: t.sparse.mm(x, dense(t), "mean"), False),
    (("csr",), lambda t, x: t.sparse.mm(x, dense(t), "amax"), False),
    (COO, lambda t, x: x.sum(), True),
    (COO, lambda t, x: t.sparse.sum(x), True),
    (COO, lambda t, x: t.sparse.sum(x, 0), True),
    (COO, lambda t, x: t.sparse.sum(x, 1), True),
    (COO, lambda t, x: t.sparse.sum(x, (0, 1)), True),
    (COO, lambda t, x: t.sparse.softmax(x, 0), True),
    (COO, lambda t, x: t.sparse.log_softmax(x, 1), True),
    (COO, lambda t, x: x.norm(), False),
    (COO, lambda t, x: x[0], False),
    (PLAIN, lambda t, x: x[0, 4], False),
    (("csr",), lambda t, x: x[0], False),
    (COO, lambda t, x: x.index_select(0, t.tensor([3, 0, 0])), False),
    (COO, lambda t, x: t.cat([x, x]), False),
    (COO, lambda t, x: t.stack([x, x]), False),
    (COO, lambda t, x: x.unsqueeze(0), False),
    (COO, lambda t, x: t.zeros_like(x), False),
    (PLAIN, lambda t, x: x.to_sparse_csr(), True),
    (PLAIN, lambda t, x: x.to_sparse_csc(), False),
    (PLAIN, lambda t, x: t.tensor(FULL).sparse_mask(x.coalesce()), False),
    (PLAIN, lambda t, x: t.tensor(FULL).to_sparse(), False),
    (PLAIN, lambda t, x: t.tensor(FULL).to_sparse(1), False),
    (("csr",), lambda t, x: x.t(), False),
    (("csr",), lambda t, x: t.sparse.sampled_addmm(x, t.tensor(FULL), t.tensor(FULL.T @ FULL)),
     False),
    (ALL, lambda t, x: x._nnz() if x.layout != t.sparse_coo else x.coalesce()._nnz(), False),
    (ALL, lambda t, x: (x.sparse_dim(), x.dense_dim(), x.is_sparse, x.is_sparse_csr), False),
    (ALL, lambda t, x: x.type() if x.layout == t.sparse_coo else "", False),
]  # fmt: skip
CASES = [(row, kind) for row, (kinds, _, _) in enumerate(ROWS) for kind in kinds]


def plain(value):
    return value.replace("torch", "kagari") if isinstance(value, str) else value


@pytest.mark.parametrize("row, kind", CASES)
def test_results(row, kind):
    f = ROWS[row][1]
    want = f(torch, make(torch, kind))
    same(f(kagari, make(kagari, kind)), plain(want))


@pytest.mark.parametrize("row, kind", [(r, k) for r, k in CASES if ROWS[r][2] and k != "csr"])
def test_gradients_of_leaves(row, kind):
    found = []
    for lib in (kagari, torch):
        x = make(lib, kind, grad=True)
        out = ROWS[row][1](lib, x)
        if out.layout != lib.strided:
            out = out.to_dense()
        weight = lib.tensor(np.random.default_rng(4).standard_normal(tuple(out.shape)))
        (out * weight).sum().backward()
        found.append(x.grad)
    got, want = found
    assert str(got.layout).rpartition(".")[2] == str(want.layout).rpartition(".")[2]
    np.testing.assert_allclose(array(got), array(want), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "complex64"])
def test_text(kind, dtype):
    found = [make(lib, kind).to(getattr(lib, dtype)) for lib in (kagari, torch)]
    assert text(found[0]) == text(found[1])


@pytest.mark.parametrize("kind", ALL)
def test_files(kind):
    """A file of PyTorch's is read, and PyTorch reads ours."""
    for writer, reader in ((torch, kagari), (kagari, torch)):
        file = io.BytesIO()
        writer.save({"x": make(writer, kind)}, file)
        file.seek(0)
        got = reader.load(file)["x"]
        want = make(reader, kind)
        assert got.layout == want.layout
        np.testing.assert_allclose(array(got), array(want))
        if kind in COO:
            assert got.is_coalesced() == want.is_coalesced()


def table(lib):
    return lib.nn.Parameter(lib.tensor(np.random.default_rng(5).standard_normal((6, 3))))


LOOKUPS = [
    lambda t, w, i: t.nn.functional.embedding(i, w, sparse=True),
    lambda t, w, i: t.nn.functional.embedding(i, w, padding_idx=1, sparse=True),
    lambda t, w, i: t.nn.functional.embedding_bag(i, w, mode="sum", sparse=True),
    lambda t, w, i: t.nn.functional.embedding_bag(i, w, mode="mean", sparse=True),
    lambda t, w, i: t.nn.functional.embedding_bag(i, w, mode="sum", padding_idx=1, sparse=True),
    lambda t, w, i: t.gather(w, 0, i, sparse_grad=True),
    lambda t, w, i: t.gather(w, 1, i % 3, sparse_grad=True),
]


@pytest.mark.parametrize("row", range(len(LOOKUPS)))
def test_lookups(row):
    found = []
    for lib in (kagari, torch):
        w, i = table(lib), lib.tensor([[0, 1, 5], [2, 1, 0]])
        for _ in range(2):
            LOOKUPS[row](lib, w, i).square().sum().backward()
        found.append(w.grad)
    same(*found)


STEPS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.01}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("SparseAdam", {"lr": 0.1}),
    ("SparseAdam", {"lr": 0.1, "betas": (0.7, 0.8), "maximize": True}),
    ("LBFGS", {"lr": 0.1}),
]


@pytest.mark.parametrize("name, options", STEPS)
def test_steps(name, options):
    found = []
    for lib in (kagari, torch):
        w = table(lib)
        opt = getattr(lib.optim, name)([w], **options)
        for k in range(5):

            def closure(lib=lib, opt=opt, w=w, k=k):
                opt.zero_grad()
                places = lib.tensor([[0, k], [2, 0]])
                loss = lib.nn.functional.embedding(places, w, sparse=True).square().sum()
                loss.backward()
                return loss

            opt.step(closure)
        found.append(w)
    np.testing.assert_allclose(array(found[0]), array(found[1]), rtol=1e-11, atol=1e-12)


REFUSED = [
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "Adadelta",
    "RMSprop",
    "Rprop",
    "ASGD",
    "Adafactor",
    "Muon",
]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_steps(name):
    texts = []
    for lib in (kagari, torch):
        w = table(lib)
        lib.nn.functional.embedding(lib.tensor([0]), w, sparse=True).sum().backward()
        with warnings.catch_warnings(), pytest.raises(RuntimeError) as raised:
            warnings.simplefilter("ignore")
            getattr(lib.optim, name)([w]).step()
        texts.append(str(raised.value))
    assert texts[0] == texts[1]
