"""Pruning: masks and results beside PyTorch's, containers, removal, errors."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
from kagari import nn
from kagari.nn.utils import prune


def net_of(m):
    m.manual_seed(0)
    return m.nn.Linear(6, 4, dtype=m.float64)


METHODS = [
    [lambda p, n: p.identity(n, "weight")],
    [lambda p, n: p.random_unstructured(n, "weight", 0.3)],
    [lambda p, n: p.random_unstructured(n, "weight", 0)],
    [lambda p, n: p.l1_unstructured(n, "weight", 5)],
    [lambda p, n: p.ln_structured(n, "weight", 0.5, 2, 0)],
    [lambda p, n: p.ln_structured(n, "weight", 2, float("-inf"), -1)],
    [lambda p, n: p.ln_structured(n, "weight", 0, 1, 0)],
    [lambda p, n: p.random_structured(n, "weight", 0, 0)],
    [
        lambda p, n: p.l1_unstructured(n, "weight", 0.25),
        lambda p, n: p.ln_structured(n, "weight", 1, 1, 0),
        lambda p, n: p.l1_unstructured(n, "weight", 0.5),
    ],
    [
        lambda p, n: p.l1_unstructured(n, "weight", 3, importance_scores=-n.weight.abs()),
        lambda p, n: p.random_unstructured(n, "bias", 1),
    ],
    [
        lambda p, n: p.global_unstructured(
            [(n, "weight"), (n, "bias")], p.L1Unstructured, amount=0.4
        ),
        lambda p, n: p.global_unstructured(
            [(n, "weight"), (n, "bias")], p.L1Unstructured, amount=3
        ),
    ],
]


@pytest.mark.conformance
@pytest.mark.parametrize("steps", METHODS)
def test_as_torch(steps):
    torch = pytest.importorskip("torch")
    from torch.nn.utils import prune as theirs

    def run(m, p):
        net = net_of(m)
        m.manual_seed(1)
        for step in steps:
            step(p, net)
        x = m.ones(2, 6, dtype=m.float64)
        y = net(x)
        y.square().sum().backward()
        state = net.state_dict()
        numbers = [y, *state.values(), *(q.grad for q in net.parameters())]
        kinds = [type(h).__name__ for h in net._forward_pre_hooks.values()]
        for name in ("weight", "bias"):
            if hasattr(net, name + "_mask"):
                p.remove(net, name)
        return [*numbers, net(x)], [list(state), list(net.state_dict()), kinds]

    (ours, said), (other, their_said) = run(kagari, prune), run(torch, theirs)
    assert said == their_said
    for a, b in zip(ours, other, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_structured_by_chance():
    m = prune.random_structured(net_of(kagari), "weight", 2, dim=0)
    rows = m.weight_mask.sum(1)
    assert sorted(rows.tolist()) == [0, 0, 6, 6]


def test_what_is_pruned_stays_zero_in_training():
    m = prune.custom_from_mask(net_of(kagari), "weight", kagari.eye(4, 6))
    opt = kagari.optim.SGD(m.parameters(), lr=0.1)
    m(kagari.ones(2, 6, dtype=kagari.float64)).square().sum().backward()
    opt.step()
    m(kagari.ones(2, 6, dtype=kagari.float64))
    assert int((m.weight != 0).sum()) == 4
    assert prune.is_pruned(nn.Sequential(m))
    prune.remove(m, "weight")
    assert not prune.is_pruned(m)
    assert isinstance(m.weight, nn.Parameter)
    assert int((m.weight != 0).sum()) == 4


def test_pruned_copies():
    t = kagari.tensor([1.0, -3.0, 2.0, 0.5])
    assert prune.L1Unstructured(2).prune(t).tolist() == [0, -3, 2, 0]
    scores = kagari.tensor([4.0, 1.0, 2.0, 3.0])
    assert prune.L1Unstructured(2).prune(t, importance_scores=scores).tolist() == [1, 0, 0, 0.5]


def test_a_failed_method_leaves_the_module_as_it_was():
    m = net_of(kagari)
    with pytest.raises(ValueError, match="should be smaller than the number of parameters"):
        prune.l1_unstructured(m, "weight", 100)
    assert list(m.state_dict()) == ["bias", "weight"]
    assert not prune.is_pruned(m)


def test_containers():
    one, two = prune.L1Unstructured(1), prune.RandomUnstructured(1)
    one._tensor_name = two._tensor_name = "weight"
    container = prune.PruningContainer(one)
    container.add_pruning_method(two)
    assert len(container) == 2
    assert list(container) == [one, two]
    assert container[1] is two
    two._tensor_name = "bias"
    with pytest.raises(ValueError, match="acting on the parameter named 'weight'"):
        container.add_pruning_method(two)
    with pytest.raises(TypeError, match="is not a BasePruningMethod subclass"):
        container.add_pruning_method(3)


ERRORS = [
    (lambda m: prune.l1_unstructured(m, "weight", "all"), TypeError, "Invalid type for amount"),
    (lambda m: prune.l1_unstructured(m, "weight", 1.5), ValueError, "amount=1.5 should either"),
    (lambda m: prune.l1_unstructured(m, "weight", -1), ValueError, "amount=-1 should either"),
    (
        lambda m: prune.ln_structured(m, "bias", 1, 2, 0),
        ValueError,
        "Structured pruning can only be applied to multidimensional tensors",
    ),
    (lambda m: prune.ln_structured(m, "weight", 1, 2, 2), IndexError, "Invalid index 2"),
    (lambda m: prune.remove(m, "weight"), ValueError, "has to be pruned before pruning can be"),
    (
        lambda m: prune.l1_unstructured(m, "weight", 1, importance_scores=kagari.zeros(2)),
        AssertionError,
        "importance_scores should have the same shape as parameter weight",
    ),
    (
        lambda m: prune.L1Unstructured(1).prune(kagari.zeros(3), importance_scores=kagari.zeros(2)),
        AssertionError,
        "same shape as tensor t",
    ),
    (
        lambda m: prune.custom_from_mask(m, "weight", kagari.zeros(2)),
        AssertionError,
        "must match self.mask shape",
    ),
    (lambda m: prune.global_unstructured(3, prune.Identity), TypeError, "is not an Iterable"),
    (
        lambda m: prune.global_unstructured([(m, "weight")], prune.L1Unstructured, 3, amount=1),
        TypeError,
        "must be of type dict",
    ),
    (
        lambda m: prune.global_unstructured([(m, "weight")], prune.LnStructured, amount=1, n=1),
        TypeError,
        'Only "unstructured" PRUNING_TYPE supported',
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call(net_of(kagari))
