"""A short slice of the fuzz run, the same calls each time; tests/fuzz/run.py makes the long ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fuzz.cases import case
from fuzz.model import Gen
from fuzz.ops import op_call
from fuzz.run import describe, run, run_range
from fuzz.worker import Worker, accident

import kagari

CALLS = 800


def test_a_slice() -> None:
    outcome = run(seed=2026, calls=CALLS, jobs=1)
    assert outcome.counts["calls"] == CALLS
    assert not outcome.findings, describe(outcome, 2026)
    assert outcome.share >= 1 / 2, describe(outcome, 2026)


def test_the_same_number_is_the_same_call() -> None:
    assert [case(3, i).text for i in range(100)] == [case(3, i).text for i in range(100)]
    assert case(3, 0).text != case(4, 0).text


def test_an_op_without_a_recipe_gets_arguments_from_its_signature() -> None:
    kinds = ("Tensor", "Tensor[]", "Operand", "Scalar", "int", "float", "bool", "int[]", "float[]",
             "ScalarType", "Device", "MemoryFormat", "Layout", "str", "Generator", "Any")  # fmt: skip
    blank = {"default": None, "optional": False, "elements_optional": False, "keyword_only": False,
             "spread": False, "repeat": 0}  # fmt: skip
    row = {
        "name": "of_tomorrow", "function": True, "method": False, "inplace": False, "out": False,
        "self": 0, "results": [""],
        "params": [{"name": f"p{i}", "type": k, **blank} for i, k in enumerate(kinds)],
    }  # fmt: skip
    call = op_call(Gen("x"), row)
    assert set(call.args) == {p["name"] for p in row["params"]}  # type: ignore[union-attr, index]


class _Case:
    subject, inplace, tape = "test", False, 0

    def __init__(self, text: str) -> None:
        self.text = text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("r = kagari.ones(2) + 1", ""),
        ("r = kagari.ones(2) + kagari.ones(3)", ""),
        ("kagari.ones(2).no_such_thing", ""),
        ("raise SystemError('null argument')", "SystemError"),
        ("raise RuntimeError('x: internal error in kagari at y')", "internal error"),
        ("raise MemoryError('std::bad_alloc')", "MemoryError"),
        ("raise kagari.OutOfMemoryError('tried')", ""),
        ("r = kagari.ones(2)\ncheck = r.as_strided", ""),
        ("class E(Exception): pass\nraise E()", "E"),
    ],
)
def test_what_counts_as_a_finding(text: str, found: str) -> None:
    worker = Worker()
    worker.run(0, _Case(text))  # type: ignore[arg-type]
    assert bool(worker.findings) == bool(found)
    assert not found or found in worker.findings[0].what


def test_an_accident_inside_the_library_is_told_from_the_callers() -> None:
    try:
        kagari.nn.functional.mse_loss("a", "b")  # type: ignore[arg-type]
    except Exception as error:
        assert not accident(error)
    try:
        raise KeyError("mine")
    except KeyError as error:
        assert not accident(error)


def test_a_crash_is_one_finding_and_the_run_goes_on(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "worker.py").write_text(
        "import json, os, struct, sys\n"
        "seed, first, stop = map(int, sys.argv[1:4])\n"
        "for n in range(first, stop):\n"
        "    with open(sys.argv[4], 'r+b') as f:\n"
        "        f.write(struct.pack('<3q', n, n - first, 0))\n"
        "    if n == 5:\n"
        "        os.abort()\n"
        "print(json.dumps({'calls': stop - first, 'returned': stop - first, 'kernels': 2}))\n"
    )
    monkeypatch.setattr("fuzz.run.HERE", tmp_path)
    outcome = run_range(1, 0, 10)
    assert [(f["number"], f["what"]) for f in outcome.findings] == [(5, "crash: status -6")]
    assert outcome.counts["calls"] == 10 and outcome.counts["returned"] == 9
