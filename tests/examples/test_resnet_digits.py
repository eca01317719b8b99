"""The residual network on the digits: beats the nearest class mean after two epochs."""

from __future__ import annotations

import pytest

from run_example import results, run_example

LAST = "test accuracy #% on # held-out scans; nearest class mean #%, nearest neighbour #%"


def test_learns() -> None:
    lines = run_example("resnet_digits.py", "--epochs", "2")
    reached, count, mean, _ = results(LAST, lines[-1])
    assert count == 360
    assert reached > mean + 2, lines[-1]


@pytest.mark.slow
def test_reads_nearly_all() -> None:
    lines = run_example("resnet_digits.py", "--epochs", "12")
    reached, _, _, neighbour = results(LAST, lines[-1])
    assert reached >= max(98, neighbour), lines[-1]
