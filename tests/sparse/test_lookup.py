"""Sparse gradients of lookups: embeddings, bags of them, gather."""

from __future__ import annotations

import pytest
from sparse_cases import close, values

import kagari
from kagari.nn import functional as F

INDICES = kagari.tensor([[0, 1, 4], [0, 2, 1]])


@pytest.mark.parametrize("padding", [None, 1])
@pytest.mark.parametrize("dtype", [kagari.int64, kagari.int32])
def test_embedding(padding, dtype):
    w, g = values(5, 3).requires_grad_(), values(2, 3, 3, seed=1)
    places = INDICES.to(dtype)
    F.embedding(places, w, padding_idx=padding, sparse=True).backward(g)
    got, w.grad = w.grad, None
    assert got.layout is kagari.sparse_coo and not got.is_coalesced()
    assert (got.sparse_dim(), got.dense_dim()) == (1, 1)
    assert got._nnz() == (6 if padding is None else 4)
    F.embedding(places, w, padding_idx=padding).backward(g)
    close(got, w.grad)


def test_embedding_of_one_index_and_of_none():
    w = values(5, 3).requires_grad_()
    F.embedding(kagari.tensor(2), w, sparse=True).sum().backward()
    assert w.grad._indices().tolist() == [[2]]
    w.grad = None
    F.embedding(kagari.zeros(0, dtype=kagari.int64), w, sparse=True).sum().backward()
    assert w.grad._nnz() == 0 and w.grad.shape == w.shape


def test_second_derivative():
    w = values(5, 3).requires_grad_()
    out = F.embedding(INDICES, w, sparse=True)
    (g,) = kagari.autograd.grad(out.pow(3).sum(), w, create_graph=True)
    assert g.layout is kagari.sparse_coo
    (h,) = kagari.autograd.grad(g.to_dense().square().sum(), w)
    v = w.detach().clone().requires_grad_()
    (g2,) = kagari.autograd.grad(F.embedding(INDICES, v).pow(3).sum(), v, create_graph=True)
    (h2,) = kagari.autograd.grad(g2.square().sum(), v)
    close(h, h2)


@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("padding", [None, 1])
def test_bags(mode, padding):
    g = values(2, 3, seed=1)
    options = {"mode": mode, "padding_idx": padding}
    if mode == "sum":
        options["per_sample_weights"] = values(2, 3, seed=2)
    found = []
    for sparse in (True, False):
        w = values(5, 3).requires_grad_()
        F.embedding_bag(INDICES, w, sparse=sparse, **options).backward(g)
        found.append(w.grad)
    assert found[0].layout is kagari.sparse_coo and found[1].layout is kagari.strided
    close(found[0], found[1])


def test_modules():
    e = kagari.nn.Embedding(5, 3, padding_idx=0, sparse=True)
    e(INDICES).sum().backward()
    assert e.weight.grad.is_sparse
    b = kagari.nn.EmbeddingBag(5, 3, mode="sum", sparse=True)
    b(INDICES).sum().backward()
    assert b.weight.grad.to_dense()[:, 0].tolist() == [2, 2, 1, 0, 1]


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gather(dim):
    index = kagari.tensor([[0, 2], [1, 1]])
    found = []
    for sparse in (True, False):
        x = values(3, 4).requires_grad_()
        kagari.gather(x, dim, index, sparse_grad=sparse).square().sum().backward()
        found.append(x.grad)
    assert found[0].layout is kagari.sparse_coo and found[0].sparse_dim() == 2
    assert found[0]._nnz() == 4
    close(found[0], found[1])


def test_gather_of_a_number():
    x = kagari.tensor(3.0, requires_grad=True)
    x.gather(0, kagari.tensor(0), sparse_grad=True).backward()
    assert x.grad.layout is kagari.sparse_coo and x.grad.to_dense().item() == 1


def test_refused():
    w = values(5, 3).requires_grad_()
    out = F.embedding(INDICES, w, scale_grad_by_freq=True, sparse=True)
    with pytest.raises(RuntimeError, match="scale_grad_by_freq not supported with sparse"):
        out.sum().backward()
    with pytest.raises(ValueError, match="max mode does not support sparse"):
        F.embedding_bag(INDICES, w, mode="max", sparse=True)
