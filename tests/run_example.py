"""Runs a program of examples/ as a reader would, on one thread."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run_example(name: str, *flags: str) -> list[str]:
    """The lines that ``examples/name`` prints; its errors end the test."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *flags],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def results(pattern: str, line: str) -> list[float]:
    """The numbers in ``line``, which must be ``pattern`` with a ``#`` for each."""
    found = re.fullmatch(re.escape(pattern).replace(r"\#", r"(\d+(?:\.\d+)?)"), line)
    assert found, line
    return [float(number) for number in found.groups()]
