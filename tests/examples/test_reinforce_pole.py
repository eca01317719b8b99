"""The policy gradient: the pole stays up; the cart moves as its equations say."""

from __future__ import annotations

import importlib.util
import math

import pytest

import kagari
from run_example import EXAMPLES, results, run_example

LAST = "20 trials last # of # ticks on average; random pushes #"


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_solves(seed: str) -> None:
    lines = run_example("reinforce_pole.py", "--seed", seed)
    learned, limit, chance = results(LAST, lines[-1])
    assert limit == 200
    assert learned >= 150, lines[-1]
    assert chance < 40


def test_physics() -> None:
    spec = importlib.util.spec_from_file_location("reinforce_pole", EXAMPLES / "reinforce_pole.py")
    assert spec and spec.loader
    pole = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pole)
    # Upright and at rest: a push of 10 N on 1.1 kg; the pole falls to the other side.
    state = pole.push(kagari.zeros(2, 4), kagari.tensor([0.0, 1.0]))
    turn = -(10 / 1.1) / (0.5 * (4 / 3 - 0.1 / 1.1))
    gain = 10 / 1.1 - 0.1 * 0.5 * turn / 1.1
    expected = kagari.tensor([0.0, gain * 0.02, 0.0, turn * 0.02])
    assert kagari.allclose(state, kagari.stack([-expected, expected]))
    leaning = kagari.tensor([[0, 0, math.radians(a), 0] for a in (11.9, 12.1, -12.1)])
    assert pole.fallen(leaning).tolist() == [False, True, True]
