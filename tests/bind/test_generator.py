"""kagari.Generator: seeds, states, and PyTorch's sequence and state byte for byte."""

from __future__ import annotations

import copy
import pickle
import struct
from typing import Any

import pytest

import kagari as kg


def words(g: kg.Generator) -> tuple[Any, ...]:
    state = bytes(g.get_state().tolist())
    seed, left, seeded, after = struct.unpack("<QiiQ", state[:24])
    return seed, left, seeded, after, struct.unpack("<624Q", state[24:5016])


def test_seeding() -> None:
    g = kg.Generator()
    assert g.initial_seed() == 67280421310721 and g.device == kg.device("cpu")
    assert g.manual_seed(5) is g and g.initial_seed() == 5
    seed, left, seeded, after, table = words(g)
    assert (seed, left, seeded, after) == (5, 1, 1, 0)
    assert table[:3] == (5, 472231674, 2253902500)  # PyTorch's for this seed
    assert kg.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    assert g.seed() == g.initial_seed() != 5


@pytest.mark.parametrize(
    ("seed", "error", "text"),
    [
        (2**64, ValueError, "Overflow"),
        (-(2**63) - 1, ValueError, "Overflow"),
        (1.5, RuntimeError, "expected a long, but got float"),
        (True, RuntimeError, "expected a long, but got bool"),
    ],
)
def test_wrong_seeds(seed: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        kg.Generator().manual_seed(seed)


def test_state() -> None:
    g = kg.Generator().manual_seed(3)
    state = g.get_state()
    assert state.dtype is kg.uint8 and state.shape == (5056,)
    h = kg.Generator()
    assert h.set_state(state) is h and words(h) == words(g)
    for other in (g.clone_state(), copy.deepcopy(g), pickle.loads(pickle.dumps(g))):
        assert words(other) == words(g) and other.initial_seed() == 3


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [
        (kg.zeros(10, dtype=kg.uint8), RuntimeError, "5056 bytes, got 10"),
        (kg.zeros(5056), TypeError, "uint8 Tensor"),
        (kg.zeros(5056, dtype=kg.uint8), RuntimeError, "bytes that are none"),
        (3, TypeError, "expected a uint8 Tensor, but got int"),
    ],
)
def test_wrong_states(state: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        kg.Generator().set_state(state)


def test_errors() -> None:
    with pytest.raises(RuntimeError, match="CPU only"):
        kg.Generator("cuda")
    with pytest.raises(RuntimeError, match="does not use offset"):
        kg.Generator().get_offset()


def test_default_generator() -> None:
    before = kg.get_rng_state()
    try:
        assert kg.manual_seed(11) is kg.default_generator and kg.initial_seed() == 11
    finally:
        kg.set_rng_state(before)


@pytest.mark.conformance
def test_states_interchange_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    t = torch.Generator().manual_seed(123456789012345)
    k = kg.Generator().manual_seed(123456789012345)
    assert bytes(t.get_state().tolist()) == bytes(k.get_state().tolist())
    torch.randn(3, generator=t, dtype=torch.float64)  # leaves a kept normal
    torch.rand(1000, generator=t)
    k.set_state(kg.tensor(t.get_state().tolist(), dtype=kg.uint8))
    assert bytes(t.get_state().tolist()) == bytes(k.get_state().tolist())
