"""Checkpoints: the same gradients, random numbers and errors, and that nothing is kept."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

import kagari
from kagari import nn
from kagari.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)

KINDS = pytest.mark.parametrize("use_reentrant", [True, False])


@KINDS
def test_gradients_are_those_without(use_reentrant):
    kagari.manual_seed(0)
    block = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
    x = kagari.randn(3, 4, requires_grad=True)
    block(x).exp().sum().backward()
    expected = [x.grad, *(p.grad for p in block.parameters())]
    x.grad = None
    block.zero_grad()
    checkpoint(block, x, use_reentrant=use_reentrant).exp().sum().backward()
    for a, b in zip([x.grad, *(p.grad for p in block.parameters())], expected, strict=True):
        assert kagari.equal(a, b)


@KINDS
def test_random_numbers_come_again_and_the_generator_goes_on(use_reentrant):
    x = kagari.ones(100, requires_grad=True)
    kagari.manual_seed(1)
    out = checkpoint(lambda x: nn.functional.dropout(x * 2), x, use_reentrant=use_reentrant)
    between = kagari.get_rng_state()
    out.sum().backward()
    assert kagari.equal((out.detach() != 0), (x.grad != 0))
    assert kagari.equal(kagari.get_rng_state(), between)


def test_nothing_saved_inside_is_kept():
    kept = []

    def block(x):
        y = x.exp()
        kept.append(weakref.ref(y))
        return y * y

    x = kagari.ones(3, requires_grad=True)
    out = checkpoint(block, x, use_reentrant=False)
    gc.collect()
    assert kept[0]() is None
    out.sum().backward()
    assert len(kept) == 2


def test_takes_keywords_second_derivatives_and_repeated_backward():
    x = kagari.tensor([0.5, 1.5], requires_grad=True)
    out = checkpoint(lambda x, *, power: (x**power).exp(), x, power=2, use_reentrant=False).sum()
    (first,) = kagari.autograd.grad(out, x, create_graph=True)
    (second,) = kagari.autograd.grad(first.sum(), x, retain_graph=True)
    e = (x**2).exp().detach()
    assert kagari.allclose(second, (2 + 4 * x.detach() ** 2) * e)
    (again,) = kagari.autograd.grad(out, x)
    assert kagari.allclose(again, first.detach())


def test_nested():
    x = kagari.tensor([0.3], requires_grad=True)

    def inner(x):
        return x.sin() * x

    def outer(x):
        return checkpoint(inner, x.exp(), use_reentrant=False) * 2

    checkpoint(outer, x, use_reentrant=False).backward()
    (expected,) = kagari.autograd.grad(2 * x.exp().sin() * x.exp(), x)
    assert kagari.allclose(x.grad, expected)


def test_the_second_run_stops_early():
    reached = []

    def block(x):
        y = x.exp()
        reached.append("end")
        return y

    x = kagari.ones(2, requires_grad=True)
    checkpoint(block, x, use_reentrant=False).sum().backward()
    assert reached == ["end"]
    with set_checkpoint_early_stop(False):
        out = checkpoint(block, x, use_reentrant=False)
    out.sum().backward()
    assert reached == ["end"] * 3


def test_contexts_surround_both_runs():
    seen = []

    @contextlib.contextmanager
    def note(name):
        seen.append(name)
        yield

    x = kagari.ones(2, requires_grad=True)
    out = checkpoint(
        lambda x: x.exp(), x, use_reentrant=False, context_fn=lambda: (note("first"), note("again"))
    )
    out.sum().backward()
    assert seen == ["first", "again"]


def test_another_second_run_is_an_error():
    def changing():
        runs = []

        def block(x):
            runs.append(None)
            return (x if len(runs) == 1 else x[:1]).exp().sum()

        return block

    x = kagari.ones(2, requires_grad=True)
    with pytest.raises(CheckpointError, match="different metadata than during the forward"):
        checkpoint(changing(), x, use_reentrant=False).backward()
    with (
        set_checkpoint_debug_enabled(True),
        pytest.raises(CheckpointError, match="Saved tensors"),
    ):
        checkpoint(changing(), x, use_reentrant=False).backward()

    runs = []

    def shorter(x):
        runs.append(None)
        return x.exp().sum() if len(runs) == 1 else x.sum()

    with pytest.raises(CheckpointError, match="saved fewer tensors"):
        checkpoint(shorter, x, use_reentrant=False).backward()


@KINDS
def test_sequential(use_reentrant):
    kagari.manual_seed(2)
    layers = nn.Sequential(*[nn.Linear(3, 3) for _ in range(5)])
    x = kagari.randn(2, 3, requires_grad=True)
    (expected,) = kagari.autograd.grad(layers(x).sum(), x)
    checkpoint_sequential(layers, 2, x, use_reentrant=use_reentrant).sum().backward()
    assert kagari.allclose(x.grad, expected)


def test_arguments():
    x = kagari.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed"):
        checkpoint(lambda x: x.exp(), x)
    with pytest.warns(UserWarning, match="requires_grad=True"):
        checkpoint(lambda x: x.exp(), x.detach(), use_reentrant=True)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: other"):
        checkpoint(lambda x: x.exp(), x, use_reentrant=True, other=1)
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        checkpoint(lambda x: x.exp(), x, use_reentrant=True, debug=True)
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(lambda x: x.exp(), x, use_reentrant=False, determinism_check="maybe")
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint_sequential([kagari.exp], 1, x, use_reentrant=False, other=1)
