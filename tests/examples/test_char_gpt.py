"""The character-level GPT: needs fewer bits than it starts with, and writes."""

from __future__ import annotations

import math

from run_example import results, run_example

FLAGS = ("--steps", "120", "--letters", "60000", "--batch-size", "16")
LAST = "# bits per letter of unseen docstrings; a table of letter pairs needs #"


def test_learns() -> None:
    lines = run_example("char_gpt.py", *FLAGS)
    reached, pairs = results(LAST, lines[-1])
    guessing = math.log2(96)
    assert reached < 4.5 < guessing, lines[-1]
    assert 3 < pairs < 4.5
    assert any(line.startswith("Return the ") for line in lines)
