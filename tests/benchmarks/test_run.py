"""The benchmark harness: how work is timed, when results count as equal, what the table says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import run
import worker

from rows import ROWS, Row, load_all

ROW = Row("overhead", "overhead.add", "`a + b`", lambda m: None, 4.0, None, 1e-4, "s")


def printed(*numbers: float) -> list[dict[str, Any]]:
    return [{"shape": [len(numbers)], "mean": abs(sum(numbers)), "some": list(numbers)}]


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda: 5, 5),
        (("a + 1", {"a": 1}), 2),
        (("a.append(2)", {"a": [1]}, "a"), [1, 2]),
    ],
    ids=["function", "statement", "statement with a result"],
)
def test_loop_gives_the_first_result_and_a_time(work: Any, expected: Any) -> None:
    timed, result = worker.loop(work)
    assert result() == expected
    assert timed(10) >= 0


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (printed(1.0, 2.0), printed(1.0, 2.0), None),
        (printed(1.0, 2.0), printed(1.00001, 2.0), None),
        (printed(1.0, 2.0), printed(1.1, 2.0), "1 instead of 1.1"),
        (printed(float("nan")), printed(float("nan")), None),
        (printed(float("nan")), printed(1.0), "nan instead of 1"),
        (printed(1.0), printed(1.0, 2.0), "shape (1,) instead of (2,)"),
        ([], printed(1.0), "0 results instead of 1"),
    ],
)
def test_difference(ours: Any, theirs: Any, words: str | None) -> None:
    assert run.difference(ours, theirs, 1e-4) == words


def test_summary_takes_medians_of_pairs() -> None:
    def answers(*values: float) -> list[dict[str, Any]]:
        return [{"value": value, "result": printed(1.0)} for value in values]

    measured = run.Measured(ROW, {"kagari": answers(1, 2, 3), "torch": answers(4, 4, 30)})
    assert measured.summary() == {"kagari": 2, "torch": 4, "ratio": 4}


def test_a_wrong_or_failed_row_has_no_ratio() -> None:
    right = [{"value": 1.0, "result": printed(1.0)}]
    wrong = [{"value": 0.1, "result": printed(2.0)}]
    failed = [{"error": "RuntimeError: no"}]
    for ours, words in (
        (wrong, "wrong result: 2 instead of 1"),
        (failed, "kagari: RuntimeError: no"),
    ):
        measured = run.Measured(ROW, {"kagari": ours, "torch": right})
        assert measured.summary() == {"error": words}


def test_table_says_what_is_below_its_bar() -> None:
    load_all()
    facts = {"version": "1", "threads": 2}
    kept = {
        "about": {"kagari": facts, "torch": facts},
        "machine": "a machine",
        "python": "3",
        "pairs": 5,
        "rows": {
            "overhead.add": {"kagari": 2e-7, "torch": 1e-6, "ratio": 5.0},
            "overhead.add_recording": {"kagari": 1e-6, "torch": 2e-6, "ratio": 2.0},
        },
    }
    lines = run.table(kept).splitlines()
    assert "| `a + b`, 8 floats | 0.2 µs | 1 µs | 5.00 | 4 |  |  |  | met |" in lines
    assert any("recording" in line and line.endswith("| **below** |") for line in lines)
    assert "Geometric mean of 2 ratios: 3.16" in lines


def test_every_row_has_a_title_and_a_family() -> None:
    rows = load_all()
    assert rows is ROWS
    assert {row.family for row in rows.values()} == set(run.FAMILIES)
    assert len({(row.family, row.title) for row in rows.values()}) == len(rows)
