"""The benchmark harness: how work is timed, when results count as equal, what the table says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import run
import worker

import limits
import table
from rows import FAMILIES, ROWS, Row, load_all
from workloads import arrays, onednn

ROW = Row("overhead", "overhead.add", "`a + b`", lambda m: None, bar=4.0)
SPEEDS = {"read": 10.0, "write": 20.0, "copy": 8.0, "float32": 100.0, "float64": 50.0}


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


def answers(*values: float, result: float = 1.0) -> list[dict[str, Any]]:
    return [{"value": value, "result": printed(result)} for value in values]


def test_cells_are_medians_of_pairs() -> None:
    cells = run.Measured(
        ROW, {"kagari": answers(1, 2, 3), "torch": answers(4, 4, 30), "numpy": answers(3)}
    ).cells()
    assert cells["kagari"] == {"pairs": 3, "value": 2}
    assert cells["torch"] == {"pairs": 3, "value": 4, "ratio": 4}
    assert cells["numpy"] == {"pairs": 1, "value": 3, "ratio": 3}


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        (answers(0.1, result=2.0), "wrong result: 2 instead of 1"),
        ([{"error": "RuntimeError: no"}], "RuntimeError: no"),
    ],
)
def test_a_wrong_or_failed_row_has_no_ratio(ours: Any, words: str) -> None:
    cells = run.Measured(ROW, {"kagari": ours, "torch": answers(1.0)}).cells()
    assert cells["kagari"]["error"] == words
    assert "ratio" not in cells["torch"]
    assert table.failure(cells) == f"kagari: {words}"
    assert not table.is_met(ROW, cells, None)


def test_a_wrong_result_of_a_peer_leaves_the_others() -> None:
    cells = run.Measured(
        ROW,
        {"kagari": answers(1.0), "torch": answers(2.0), "jax": answers(1.0, result=3.0)},
    ).cells()
    assert cells["torch"]["ratio"] == 2 and "ratio" not in cells["jax"]
    assert cells["jax"]["error"] == "wrong result: 3 instead of 1"


def kept(**rows: Any) -> dict[str, Any]:
    return {
        "machine": "a machine",
        "python": "3",
        "versions": {"kagari": "1", "torch": "2"},
        "limits": {"2": SPEEDS},
        "rows": {name.replace("__", "."): cells for name, cells in rows.items()},
    }


def pair(ours: float, theirs: float, date: str = "2026-01-02") -> dict[str, Any]:
    stamp = {"date": date, "pairs": 5}
    return {
        "kagari": {"value": ours} | stamp,
        "torch": {"value": theirs, "ratio": theirs / ours} | stamp,
    }


def test_table_says_what_is_below_its_bar_and_behind_a_peer() -> None:
    load_all()
    numpy = {"numpy": {"value": 1e-7, "ratio": 0.5, "date": "2026-01-01", "pairs": 2}}
    results = kept(
        overhead__add={"2": pair(2e-7, 1e-6) | numpy, "1": pair(2e-7, 1.2e-6)},
        overhead__add_recording={"2": pair(1e-6, 2e-6)},
    )
    text = table.table(results)
    lines = text.splitlines()
    stamp = "2026-01-02 ×5"
    assert (
        "| `a + b`, 8 floats | 0.2 µs | 1 µs | 5.00 | 4 | 0.50 | met | 0.2 µs | 6.00 "
        f"| {stamp}; NumPy 2026-01-01 ×2 |"
    ) in lines
    assert any("recording" in line and "| **below** |" in line for line in lines)
    assert "1 of 2 rows clear their bars." in lines
    assert "**Slower than NumPy**: `a + b`, 8 floats (0.50)." in lines
    assert "**Slower than PyTorch**: no row." in lines
    assert any("PyTorch 3.16 (2 rows, bar 4: **below**)" in line for line in lines)


def test_an_error_stands_in_the_table() -> None:
    load_all()
    cells = {"kagari": {"error": "RuntimeError: no", "date": "d", "pairs": 1}} | {
        "torch": {"value": 1.0, "date": "d", "pairs": 1}
    }
    assert "kagari: RuntimeError: no" in table.table(kept(overhead__add={"2": cells}))


def test_merge_keeps_what_was_not_measured() -> None:
    load_all()
    before = kept(
        overhead__add={"2": pair(1, 2), "1": pair(1, 3)}, overhead__zeros={"2": pair(1, 4)}
    )
    before["rows"]["overhead.gone"] = {"2": pair(1, 1)}
    before["rows"]["overhead.add"]["2"]["jax"] = {"value": 9}
    fresh = kept(overhead__add={"2": pair(1, 5, "2026-02-02")})
    fresh["limits"] = {"2": SPEEDS | {"read": 9.0, "copy": 9.0}, "1": SPEEDS}
    merged = run.merge(before, fresh)
    assert merged["rows"]["overhead.add"] == {
        "2": pair(1, 5, "2026-02-02") | {"jax": {"value": 9}},
        "1": pair(1, 3),
    }
    assert set(merged["rows"]) == {"overhead.add", "overhead.zeros"}
    assert merged["limits"]["2"] == SPEEDS | {"copy": 9.0} and merged["limits"]["1"] == SPEEDS
    fresh["rows"]["overhead.add"]["2"]["jax"] = {"value": 8}
    added = run.merge(before, fresh, peers_only=True)
    assert added["rows"]["overhead.add"]["2"] == pair(1, 2) | {"jax": {"value": 8}}
    other = fresh | {"machine": "another"}
    assert run.merge(before, other) is other


def of_memory(**facts: Any) -> Row:
    return Row("memory", "memory.x", "x", lambda m: None, **facts)


@pytest.mark.parametrize(
    ("facts", "seconds"),
    [
        ({}, None),
        ({"reads": 20.0}, 2.0),
        ({"writes": 20.0}, 1.0),
        ({"reads": 20.0, "writes": 20.0}, 5.0),
        ({"reads": 40.0, "writes": 20.0}, 7.0),
        ({"flops": 200.0}, 2.0),
        ({"flops": 200.0, "dtype": "float64"}, 4.0),
        ({"flops": 200.0, "reads": 50.0}, 5.0),
    ],
)
def test_the_time_that_the_limits_leave(facts: Any, seconds: float | None) -> None:
    assert limits.least_seconds(of_memory(**facts), SPEEDS) == seconds


@pytest.mark.parametrize(
    ("plain", "tcmalloc", "reached", "met"),
    [
        (1.3, 1.0, 0.5, True),
        (1.1, 1.0, 0.5, False),
        (1.1, 0.5, 0.91, True),
        (0.9, 1.0, 0.95, False),
        (1.3, 0.9, 0.5, False),
        (1.3, None, None, True),
    ],
)
def test_a_memory_row_is_met_by_its_ratios_or_at_the_limit(
    plain: float, tcmalloc: float | None, reached: float | None, met: bool
) -> None:
    cells = {"kagari": {"value": 1.0}, "torch": {"value": plain, "ratio": plain}}
    if tcmalloc is not None:
        cells[table.TCMALLOC] = {"value": tcmalloc, "ratio": tcmalloc}
    assert table.is_met(of_memory(bar=1.2, bar_tcmalloc=0.95), cells, reached) is met


def test_a_row_may_have_an_absolute_bar() -> None:
    row = Row("process", "process.x", "x", lambda m: None, bar=2, most=0.15)
    assert table.is_met(row, pair(0.1, 1.0), None)
    assert not table.is_met(row, pair(0.2, 1.0), None)


def test_the_limits_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCK", 2**22)
    monkeypatch.setattr(limits, "SECONDS", 0.01)
    found = limits.measure(1)
    assert set(found) == set(SPEEDS)
    assert all(value > 1e8 for value in found.values())


@pytest.mark.parametrize("name", sorted(n for n in arrays.NUMPY if n.startswith("overhead")))
def test_what_numpy_computes_is_what_kagari_computes(name: str) -> None:
    import numpy

    import kagari

    row = load_all()[name]
    ours = worker.fingerprint(kagari, worker.loop(row.setup(kagari))[1]())
    theirs = worker.fingerprint(numpy, worker.loop(arrays.numpy_work(numpy, name))[1]())
    assert run.difference(theirs, ours, row.tolerance) is None


def test_peers_run_the_rows_that_they_have() -> None:
    rows = load_all()
    assert set(arrays.NUMPY) | set(arrays.JAX) <= set(rows)
    assert run.Peer("numpy", 1).has(rows["memory.sort"])
    assert not run.Peer("numpy", 1).has(rows["memory.gelu"])
    assert run.Peer("torch.compile", 1).has(rows["memory.gelu"])
    assert not run.Peer("torch.compile", 1).has(rows["memory.sort"])
    assert all(run.Peer("torch", 1).has(row) for row in rows.values())


def test_every_row_has_a_title_and_a_family() -> None:
    rows = load_all()
    assert rows is ROWS
    assert {row.family for row in rows.values()} == set(FAMILIES)
    assert len({(row.family, row.title) for row in rows.values()}) == len(rows)


@pytest.mark.skipif(not onednn.is_installed(), reason="needs oneDNN: scripts/setup-venv peers")
@pytest.mark.parametrize("name", ["matmul.float32_128", "matmul.odd"])
def test_what_onednn_computes_is_what_numpy_computes(name: str) -> None:
    import numpy

    ours = worker.fingerprint(numpy, worker.loop(onednn.work(onednn.Library(), name))[1]())
    theirs = worker.fingerprint(numpy, worker.loop(arrays.numpy_work(numpy, name))[1]())
    assert run.difference(ours, theirs, 1e-5) is None
    assert run.Peer("onednn", 1).has(load_all()[name])
    assert not run.Peer("onednn", 1).has(load_all()["memory.gelu"])
