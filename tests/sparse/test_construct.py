"""Construction of sparse tensors: what is taken, what is refused, what it prints."""

from __future__ import annotations

import numpy as np
import pytest
from sparse_cases import KINDS, coo, csr, dense

import kagari

sparse_coo_tensor = kagari.sparse_coo_tensor


def test_coordinates():
    x = sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    assert x.layout is kagari.sparse_coo and x.is_sparse and not x.is_sparse_csr
    assert x.shape == (2, 3) and x.dtype == kagari.float32 and x.numel() == 6 and x.dim() == 2
    assert (x.sparse_dim(), x.dense_dim(), x._nnz()) == (2, 0, 3)
    assert not x.is_coalesced()
    assert x.to_dense().tolist() == [[0, 0, 3], [4, 0, 5]]
    assert not x.is_contiguous() and len(x) == 2


def test_size_is_the_smallest_that_holds_the_indices():
    assert sparse_coo_tensor([[0, 3], [1, 0]], [1.0, 2.0]).shape == (4, 2)
    assert sparse_coo_tensor([[0, 3]], kagari.ones(2, 5)).shape == (4, 5)
    assert kagari.sparse_csr_tensor([0, 1, 2], [4, 0], [1.0, 2.0]).shape == (2, 5)


def test_values_at_one_place_add_up():
    x = sparse_coo_tensor([[1, 0, 1]], [1.0, 2.0, 4.0], (3,))
    assert x.to_dense().tolist() == [2, 5, 0]
    y = x.coalesce()
    assert y.is_coalesced() and y.coalesce() is y
    assert y.indices().tolist() == [[0, 1]] and y.values().tolist() == [2, 5]
    assert x._indices().tolist() == [[1, 0, 1]] and x._values().tolist() == [1, 2, 4]


def test_dense_dimensions():
    x = sparse_coo_tensor([[1, 0, 1]], [[1, 2], [3, 4], [5, 6]], (3, 2))
    assert (x.sparse_dim(), x.dense_dim()) == (1, 1) and x.dtype == kagari.int64
    assert x.to_dense().tolist() == [[3, 4], [6, 8], [0, 0]]
    assert sparse_coo_tensor(kagari.zeros((0, 3)), [1.0, 2.0, 4.0], ()).to_dense().item() == 7


@pytest.mark.parametrize("given", [((2, 3),), {"size": (2, 3)}])
def test_size_alone(given):
    x = sparse_coo_tensor(**given) if isinstance(given, dict) else sparse_coo_tensor(*given)
    assert x._nnz() == 0 and x.is_coalesced() and x.dtype == kagari.float32
    assert x.to_dense().tolist() == [[0, 0, 0], [0, 0, 0]]


def test_options():
    x = sparse_coo_tensor([[0]], [1], (2,), dtype=kagari.float64, requires_grad=True)
    assert x.requires_grad and x.is_leaf and x.dtype == kagari.float64
    y = sparse_coo_tensor([[0, 1]], [1, 2], (2,), is_coalesced=True, check_invariants=True)
    assert y.is_coalesced() and y.values().tolist() == [1, 2]


def test_compressed():
    x = kagari.sparse_csr_tensor([0, 1, 1, 3], [2, 0, 2], [3.0, 4.0, 5.0], (3, 3))
    assert x.layout is kagari.sparse_csr and x.is_sparse_csr and not x.is_sparse
    assert x.crow_indices().tolist() == [0, 1, 1, 3] and x.col_indices().tolist() == [2, 0, 2]
    assert x.values().tolist() == [3, 4, 5] and x._nnz() == 3
    assert x.to_dense().tolist() == [[0, 0, 3], [0, 0, 0], [4, 0, 5]]
    y = kagari.sparse_compressed_tensor([0, 1, 2], [1, 0], [1.0, 2.0], layout=kagari.sparse_csc)
    assert y.ccol_indices().tolist() == [0, 1, 2] and y.row_indices().tolist() == [1, 0]
    assert y.to_dense().tolist() == [[0, 2], [1, 0]]
    narrow = kagari.tensor([0, 1], dtype=kagari.int32)
    assert kagari.sparse_csr_tensor(narrow, narrow[:1], [1.0]).crow_indices().dtype == kagari.int32


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["coo", "csr", "csc"])
def test_layouts_turn_into_each_other(kind, target):
    x = KINDS[kind]()
    if target != "coo" and (x.dim() != 2 or x.sparse_dim() != 2):
        with pytest.raises(RuntimeError, match="expected a matrix"):
            getattr(x, f"to_sparse_{target}")()
        return
    y = getattr(x, f"to_sparse_{target}")()
    assert str(y.layout) == f"kagari.sparse_{target}"
    assert y.to_dense().equal(x.to_dense())
    if x.dim() == x.sparse_dim():
        again = getattr(x.to_dense(), f"to_sparse_{target}")()
        assert again.to_dense().equal(x.to_dense())


def test_from_strided():
    x = kagari.tensor([[0.0, 1.0], [0.0, 0.0], [2.0, 3.0]])
    y = x.to_sparse()
    assert y.is_coalesced() and y.indices().tolist() == [[0, 2, 2], [1, 0, 1]]
    rows = x.to_sparse(1)
    assert rows.indices().tolist() == [[0, 2]] and rows.values().tolist() == [[0, 1], [2, 3]]
    assert x.to_sparse(dense_dim=1).sparse_dim() == 1
    assert x.to_sparse(layout=kagari.sparse_csr).layout is kagari.sparse_csr
    assert (x.sparse_dim(), x.dense_dim()) == (0, 2)
    assert kagari.tensor(5.0).to_sparse().to_dense().item() == 5
    assert x.to_dense() is x


PRINTED = [
    (
        lambda: sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)),
        "tensor(indices=tensor([[0, 1],\n                       [2, 0]]),\n"
        "       values=tensor([3., 4.]),\n"
        "       size=(2, 3), nnz=2, layout=kagari.sparse_coo)",
    ),
    (
        lambda: sparse_coo_tensor((2, 3), dtype=kagari.float64, requires_grad=True),
        "tensor(indices=tensor([], size=(2, 0)),\n"
        "       values=tensor([], size=(0,)),\n"
        "       size=(2, 3), nnz=0, dtype=kagari.float64, layout=kagari.sparse_coo,\n"
        "       requires_grad=True)",
    ),
    (
        lambda: kagari.sparse_csr_tensor([0, 1, 2], [2, 0], [3.0, 4.0]),
        "tensor(crow_indices=tensor([0, 1, 2]),\n"
        "       col_indices=tensor([2, 0]),\n"
        "       values=tensor([3., 4.]), size=(2, 3), nnz=2, layout=kagari.sparse_csr)",
    ),
    (
        lambda: kagari.nn.Parameter(sparse_coo_tensor([[1]], [1.0])),
        "Parameter containing:\n"
        "tensor(indices=tensor([[1]]),\n"
        "       values=tensor([1.]),\n"
        "       size=(2,), nnz=1, layout=kagari.sparse_coo, requires_grad=True)",
    ),
]


@pytest.mark.parametrize("row", range(len(PRINTED)))
def test_repr(row):
    make, text = PRINTED[row]
    assert repr(make()) == text


C, R = sparse_coo_tensor, kagari.sparse_csr_tensor
REFUSED = [
    (lambda: C([0, 1], [1.0, 2.0]), RuntimeError, "indices must be sparse_dim x nnz"),
    (lambda: C([[0, 1]], [1.0], (2,)), RuntimeError, "must have same nnz"),
    (lambda: C([[0, -1]], [1.0, 2.0], (2,)), RuntimeError, "found negative index -1 for dim 0"),
    (lambda: C([[0, 2]], [1.0, 2.0], (2,)), RuntimeError, "size is inconsistent with indices"),
    (lambda: C([[0, 1]], [1.0, 2.0], (2, 2)), RuntimeError, "number of dimensions must be"),
    (lambda: C([[0]], kagari.ones(1, 2), (2, 3)), RuntimeError, "values has incorrect size"),
    (lambda: C([[0]], [1.0], (-2,)), RuntimeError, "negative"),
    (lambda: C([[0]]), TypeError, "expected indices and values"),
    (lambda: C([[1, 0]], [1, 2], is_coalesced=True), RuntimeError, "cannot set is_coalesced"),
    (lambda: C([[0]], kagari.ones(1).to_sparse()), RuntimeError, "expected strided values"),
    (
        lambda: C([[0]], kagari.ones(1, device="meta")),
        NotImplementedError,
        "a meta tensor has none",
    ),
    (lambda: R([0, 1], [0], [1.0], (2, 2)), RuntimeError, r"crow_indices.shape\[-1\] must be 3"),
    (lambda: R([0, 1, 2], [0, 5], [1.0, 2.0], (2, 2)), RuntimeError, r"must be in \[0, 2\)"),
    (lambda: R([0, 2, 1], [0, 1], [1.0, 2.0]), RuntimeError, "must begin with 0 and end with nnz"),
    (lambda: R([0, 2, 1, 2], [0, 1], [1.0, 2.0]), RuntimeError, "must not fall"),
    (lambda: R([0, 2], [1, 0], [1.0, 2.0]), RuntimeError, "must be sorted and distinct"),
    (lambda: R([[0, 1]], [[0]], [[1.0]]), NotImplementedError, "expected one matrix"),
    (lambda: R([0.0, 1.0], kagari.tensor([0.0]), [1.0]), RuntimeError, "int32 or int64"),
    (lambda: kagari.sparse_compressed_tensor([0], [], []), RuntimeError, "expected layout"),
    (lambda: kagari.sparse_bsr_tensor([0, 1], [0], [[[1.0]]]), NotImplementedError, "blocks"),
    (lambda: kagari.sparse_bsc_tensor([0, 1], [0], [[[1.0]]]), NotImplementedError, "blocks"),
    (lambda: kagari.ones(2, 2).to_sparse_bsr((1, 1)), NotImplementedError, "blocks"),
    (lambda: kagari.ones(2, 2).to_sparse(3), RuntimeError, "expected sparse_dim from 1 to 2"),
    (lambda: kagari.ones(2).to_sparse_csr(), RuntimeError, "expected a matrix"),
    (lambda: coo().indices(), RuntimeError, r"call .coalesce\(\) first"),
    (lambda: coo().values(), RuntimeError, r"call .coalesce\(\) first"),
    (lambda: csr().coalesce(), RuntimeError, "coalesce expected sparse coordinate"),
    (lambda: csr().indices(), RuntimeError, "indices expected sparse coordinate"),
    (lambda: coo().crow_indices(), RuntimeError, "crow_indices expected"),
    (lambda: kagari.ones(2).coalesce(), RuntimeError, "coalesce expected sparse coordinate tensor"),
    (lambda: kagari.ones(2).values(), RuntimeError, "values expected sparse tensor layout"),
    (lambda: kagari.ones(2).crow_indices(), RuntimeError, "expected sparse row compressed"),
    (lambda: kagari.ones(2).row_indices(), RuntimeError, "expected sparse column compressed"),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_refused(row):
    call, error, text = REFUSED[row]
    with pytest.raises(error, match=text):
        call()


def test_resize():
    x = coo().coalesce()
    before = x.to_dense()
    assert x.sparse_resize_((6, 5), 2, 0) is x and x.shape == (6, 5)
    assert x.to_dense()[:4].equal(before) and not x.to_dense()[4:].any()
    with pytest.raises(RuntimeError, match="can only grow"):
        x.sparse_resize_((3, 5), 2, 0)
    with pytest.raises(RuntimeError, match="cannot change"):
        x.sparse_resize_((6, 5, 2), 2, 1)
    x.sparse_resize_and_clear_((2, 3), 1, 1)
    assert x._nnz() == 0 and x.shape == (2, 3) and x.dense_dim() == 1


def test_indices_that_change_later_cannot_reach_memory():
    """The indices are the user's own memory: kernels check them again."""
    places = kagari.tensor([[0, 1], [1, 0]])
    x = sparse_coo_tensor(places, [1.0, 2.0], (2, 2), is_coalesced=True)
    places[1, 1] = 10**12
    for call in (lambda: x @ kagari.ones(2, 2), x.to_dense, lambda: kagari.zeros(2, 2).add_(x)):
        with pytest.raises((RuntimeError, IndexError), match="out of (range|bounds)"):
            call()
    starts, columns = kagari.tensor([0, 1, 2]), kagari.tensor([0, 1])
    y = kagari.sparse_csr_tensor(starts, columns, [1.0, 2.0])
    starts[1] = 99
    with pytest.raises(RuntimeError):
        y @ kagari.ones(2, 2)
    with pytest.raises(RuntimeError):
        y.to_dense()


def test_numpy_integers_and_sizes():
    x = sparse_coo_tensor(np.array([[0, 1]]), np.array([1.0, 2.0]), kagari.Size([3]))
    assert dense(x).tolist() == [1, 2, 0]


def test_zeros_of_a_sparse_layout():
    for make in (kagari.zeros, kagari.empty):
        for size in ((2, 3), ((2, 3),)):
            x = make(*size, layout=kagari.sparse_coo, dtype=kagari.float64)
            assert x.layout is kagari.sparse_coo and x.shape == (2, 3) and x._nnz() == 0
        assert make(2, 3, layout=kagari.sparse_csr).crow_indices().tolist() == [0, 0, 0]
        assert make(2, 3, layout=kagari.strided).layout is kagari.strided
    assert kagari.zeros_like(kagari.ones(2), layout=kagari.sparse_coo).is_sparse


def test_copies_by_constructors():
    x = coo().coalesce()
    y = kagari.tensor(x, dtype=kagari.float32, requires_grad=True)
    assert y.is_leaf and y.requires_grad and y.dtype == kagari.float32 and y.is_sparse
    assert kagari.as_tensor(x) is x
    kagari.testing.assert_close(x, kagari.tensor(x))
    with pytest.raises(AssertionError, match="not close"):
        kagari.testing.assert_close(x, x * 2)
    with pytest.raises(AssertionError, match="layout"):
        kagari.testing.assert_close(x, x.to_dense())


def test_legacy_types():
    kind = kagari.sparse.FloatTensor
    x = kind(kagari.tensor([[0, 2]]), kagari.tensor([1.0, 2.0]), kagari.Size([4]))
    assert x.to_dense().tolist() == [1, 0, 2, 0] and isinstance(x, kind)
    assert not isinstance(x, kagari.sparse.DoubleTensor) and not isinstance(x.to_dense(), kind)
    assert kind(2, 3).shape == (2, 3) and kind().shape == (0,)
    assert x.type() == "kagari.sparse.FloatTensor"
    with pytest.raises(RuntimeError, match=r"linalg\.solve"):
        kagari.sparse.spsolve(x, x)
