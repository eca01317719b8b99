"""Seeds and states of the default generator."""

from __future__ import annotations

import pytest

import kagari


def test_fork_rng():
    kagari.manual_seed(1)
    expected = [kagari.rand(2).tolist() for _ in range(2)]
    kagari.manual_seed(1)
    got = [kagari.rand(2).tolist()]
    with pytest.raises(ZeroDivisionError), kagari.random.fork_rng():
        kagari.manual_seed(99)
        raise ZeroDivisionError
    with kagari.random.fork_rng(devices=[]):
        kagari.rand(5)
    with kagari.random.fork_rng(device_type="meta"):
        pass
    got.append(kagari.rand(2).tolist())
    assert got == expected
    with kagari.random.fork_rng(enabled=False):
        kagari.manual_seed(3)
    assert kagari.random.initial_seed() == 3
    with (
        pytest.raises(RuntimeError, match=r"expected no accelerators, got \['cuda:0'\]"),
        kagari.random.fork_rng(devices=["cuda:0"]),
    ):
        pass


def test_state():
    kagari.random.manual_seed(5)
    state = kagari.random.get_rng_state()
    assert state.dtype == kagari.uint8
    first = kagari.rand(3).tolist()
    kagari.random.set_rng_state(state)
    assert kagari.rand(3).tolist() == first


def test_seed():
    number = kagari.random.seed()
    assert kagari.random.initial_seed() == number
    assert kagari.random.manual_seed(-1).initial_seed() in (-1, 2**64 - 1)
    assert kagari.random.default_generator.initial_seed() == kagari.random.initial_seed()


@pytest.mark.conformance
def test_states_travel_to_pytorch():
    torch = pytest.importorskip("torch")
    kagari.random.manual_seed(5)
    torch.manual_seed(5)
    kagari.randn(3)
    torch.randn(3)
    assert kagari.random.get_rng_state().tolist() == torch.get_rng_state().tolist()
