"""The Gaussian process: forecasts better than the mean, with a band that holds what it says."""

from __future__ import annotations

import re

from run_example import results, run_example

LAST = (
    "error # on held-out patients (#% within the 95% band); "
    "linear regression #, mean of the others #"
)


def test_learns() -> None:
    lines = run_example("gaussian_process.py", "--steps", "30")
    error, within, linear, mean = results(LAST, lines[-1])
    assert error < 0.85 * mean, lines[-1]
    assert error < 1.05 * linear
    assert 88 <= within <= 100
    steps = [re.search(r"-log likelihood (\S+)", line) for line in lines]
    surprise = [float(found[1]) for found in steps if found]
    assert len(surprise) == 10
    assert surprise[-1] < surprise[0] - 20
