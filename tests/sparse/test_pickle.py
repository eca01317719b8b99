"""Copies, pickles and files of sparse tensors."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
from sparse_cases import KINDS, close, coo

import kagari


def through_pickle(x):
    return pickle.loads(pickle.dumps(x))


def through_file(x):
    file = io.BytesIO()
    kagari.save(x, file)
    file.seek(0)
    return kagari.load(file)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, through_pickle, through_file])
def test_round_trip(kind, way):
    x = KINDS[kind]()
    y = way(x)
    assert y is not x and y.layout is x.layout and y._nnz() == x._nnz()
    if x.layout is kagari.sparse_coo:
        assert y.is_coalesced() == x.is_coalesced() and y.sparse_dim() == x.sparse_dim()
    close(y, x)


@pytest.mark.parametrize("way", [copy.deepcopy, through_pickle])
def test_leaves_and_attributes(way):
    x = coo().requires_grad_()
    x.note = "kept"
    y = way(x)
    assert y.requires_grad and y.note == "kept"
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)


@pytest.mark.parametrize("way", [copy.deepcopy, through_pickle, through_file])
def test_parameters(way):
    p = way(kagari.nn.Parameter(coo()))
    assert type(p) is kagari.nn.Parameter and p.requires_grad and p.layout is kagari.sparse_coo
    close(p, coo())


def test_deep_copies_own_their_memory():
    x = coo().coalesce()
    y = copy.deepcopy(x)
    y.values().mul_(0)
    assert x.to_dense().any() and not y.to_dense().any()
    p = kagari.ones(3, requires_grad=True)
    p.grad = kagari.sparse_coo_tensor([[1]], [2.0], (3,))
    q = copy.deepcopy(p)
    assert q.grad is not p.grad and q.grad.to_dense().tolist() == [0, 2, 0]


def test_in_state_dicts():
    class Holder(kagari.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("graph", coo())

    a, b = Holder(), Holder()
    b.graph.zero_()
    b.load_state_dict(through_file(a.state_dict()))
    close(b.graph, coo())
    assert a.float().graph.dtype == kagari.float32


def test_parts_of_files_are_checked():
    from kagari.sparse._pickle import rebuild

    with pytest.raises(RuntimeError, match="size is inconsistent"):
        rebuild("sparse_coo", (kagari.tensor([[7]]), kagari.ones(1), (3,), True))
