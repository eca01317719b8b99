"""Optimisers with sparse gradients: the steps, and the refusal of those that need strided ones."""

from __future__ import annotations

import copy

import pytest
from sparse_cases import close, values

import kagari
from kagari import optim

PLACES = [[[0, 3, 0]], [[1]], [[3, 2, 1]], [[0, 0, 0]]]


def gradient(k, shape=(5, 2)):
    places = PLACES[k % len(PLACES)]
    return kagari.sparse_coo_tensor(places, values(len(places[0]), *shape[1:], seed=k), shape)


def run(make, sparse, steps=6):
    p, q = (kagari.nn.Parameter(values(*shape)) for shape in ((5, 2), (3,)))
    opt = make([p, q])
    for k in range(steps):
        g = gradient(k)
        p.grad = g if sparse else g.to_dense()
        q.grad = values(3, seed=k) if k % 2 else None
        opt.step()
    return p, q


SAME = [
    lambda ps: optim.SGD(ps, lr=0.1),
    lambda ps: optim.SGD(ps, lr=0.1, maximize=True),
    lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
    lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.3),
    lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    lambda ps: optim.Adagrad(ps, lr=0.1),
    lambda ps: optim.Adagrad(ps, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.2),
    lambda ps: optim.Adagrad(ps, lr=0.1, maximize=True),
]


@pytest.mark.parametrize("row", range(len(SAME)))
def test_steps_are_those_of_strided_gradients(row):
    for got, want in zip(run(SAME[row], True), run(SAME[row], False), strict=True):
        close(got, want)


@pytest.mark.parametrize("maximize", [False, True])
def test_sparse_adam(maximize):
    lr, beta1, beta2, eps = 0.1, 0.8, 0.95, 1e-6
    p = kagari.nn.Parameter(values(5, 2))
    opt = optim.SparseAdam([p], lr=lr, betas=(beta1, beta2), eps=eps, maximize=maximize)
    want, m, v = p.detach().clone(), kagari.zeros(5, 2).double(), kagari.zeros(5, 2).double()
    for t in range(1, 6):
        p.grad = gradient(t)
        opt.step()
        g = gradient(t).to_dense() * (-1 if maximize else 1)
        for r in set(PLACES[t % len(PLACES)][0]):
            m[r] = beta1 * m[r] + (1 - beta1) * g[r]
            v[r] = beta2 * v[r] + (1 - beta2) * g[r] ** 2
            rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
            want[r] -= rate * m[r] / (v[r].sqrt() + eps)
    close(p, want)
    assert opt.state[p]["step"] == 5


def test_sparse_adam_state():
    p = kagari.nn.Parameter(values(5, 2))
    opt = optim.SparseAdam([p])
    p.grad = gradient(0)
    opt.step()
    saved = copy.deepcopy(opt.state_dict())
    q = kagari.nn.Parameter(p.detach().clone())
    other = optim.SparseAdam([q])
    other.load_state_dict(saved)
    assert other.state[q]["step"] == 1 and isinstance(other.state[q]["step"], int)
    p.grad, q.grad = gradient(1), gradient(1)
    opt.step()
    other.step()
    close(p, q)
    p.grad = kagari.sparse_coo_tensor((5, 2), dtype=kagari.float64)
    before = p.detach().clone()
    opt.step()
    assert p.equal(before)


REFUSED = [
    (lambda ps: optim.Adam(ps), "Adam does not support sparse gradients, please consider Spars"),
    (lambda ps: optim.AdamW(ps), "Adam does not support sparse gradients, please consider Spars"),
    (lambda ps: optim.Adamax(ps), "Adamax does not support sparse gradients"),
    (lambda ps: optim.NAdam(ps), "NAdam does not support sparse gradients"),
    (lambda ps: optim.RAdam(ps), "RAdam does not support sparse gradients"),
    (lambda ps: optim.Adadelta(ps), "Adadelta does not support sparse gradients"),
    (lambda ps: optim.RMSprop(ps), "RMSprop does not support sparse gradients"),
    (lambda ps: optim.Rprop(ps), "Rprop does not support sparse gradients"),
    (lambda ps: optim.ASGD(ps), "ASGD does not support sparse gradients"),
    (lambda ps: optim.Adafactor(ps), "Adafactor does not support sparse gradients"),
    (lambda ps: optim.Muon(ps), "Muon does not support sparse gradients"),
    (lambda ps: optim.SGD(ps, weight_decay=0.1), r"add\(sparse, dense\) is not supported"),
    (lambda ps: optim.Adagrad(ps, weight_decay=0.1), "weight_decay option is not compatible"),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_refused(row):
    make, text = REFUSED[row]
    p = kagari.nn.Parameter(values(5, 2))
    opt = make([p])
    p.grad = gradient(0)
    with pytest.raises(RuntimeError, match=text):
        opt.step()
    # Also after a step with a strided gradient.
    p = kagari.nn.Parameter(values(5, 2))
    opt = make([p])
    p.grad = values(5, 2, seed=1)
    opt.step()
    p.grad = gradient(0)
    with pytest.raises(RuntimeError, match=text):
        opt.step()


def test_sparse_adam_refuses():
    p = kagari.nn.Parameter(values(5, 2))
    with pytest.raises(ValueError, match="Sparse params at indices"):
        optim.SparseAdam([kagari.nn.Parameter(gradient(0))])
    with pytest.raises(ValueError, match="does not support complex"):
        optim.SparseAdam([kagari.nn.Parameter(values(2, dtype="complex128"))])
    for options in ({"lr": 0.0}, {"eps": 0.0}, {"betas": (1.0, 0.5)}):
        with pytest.raises(ValueError, match="Invalid"):
            optim.SparseAdam([p], **options)
    p.grad = values(5, 2)
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        optim.SparseAdam([p]).step()


def test_zero_grad_and_clipping():
    p, q = kagari.nn.Parameter(values(5, 2)), kagari.nn.Parameter(values(3))
    p.grad, q.grad = gradient(0), values(3, seed=2)
    full = kagari.cat([p.grad.to_dense().reshape(-1), q.grad])
    norm = kagari.nn.utils.clip_grad_norm_([p, q], 0.5)
    close(norm, full.norm())
    assert p.grad.is_sparse
    close(p.grad.to_dense().reshape(-1), full[:10] * (0.5 / (full.norm() + 1e-6)))
    opt = optim.SGD([p, q])
    opt.zero_grad(set_to_none=False)
    assert p.grad.is_sparse and p.grad._nnz() == 0 and not q.grad.any()
    opt.zero_grad()
    assert p.grad is None


def test_training_with_a_sparse_table():
    kagari.manual_seed(0)
    table = kagari.nn.Embedding(50, 4, sparse=True)
    head = kagari.nn.Linear(4, 1)
    opts = [optim.SparseAdam(table.parameters(), lr=0.05), optim.SGD(head.parameters(), lr=0.1)]
    words = kagari.arange(50)
    target = (words % 2).float().unsqueeze(1)
    losses = []
    for _ in range(30):
        for opt in opts:
            opt.zero_grad()
        loss = (head(table(words)) - target).square().mean()
        loss.backward()
        for opt in opts:
            opt.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
