"""Compares kagari with PyTorch 2.13, record by record of PyTorch's databases; keeps the table.

    python tests/conformance/run.py                     # all; fails where a check that passed fails
    python tests/conformance/run.py --only '^linalg' --fails 20
    python tests/conformance/run.py --write             # also docs/conformance.md and passed.txt

The operators, modules and optimisers that PyTorch tests itself with come with sample inputs and
error inputs. Each record is run in both libraries, in a pool of worker processes. What passes is
listed in passed.txt; a check listed there that fails makes the run fail.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import importlib
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).parent
PASSED, PAGE = HERE / "passed.txt", HERE.parents[1] / "docs" / "conformance.md"
BAD = ("missing", "wrong", "error", "crash", "timeout")
MARKS = {"pass": "✓", "na": "", "missing": "–"}


@dataclass
class Part:
    """A family of records: what runs one, and what is asked of each."""

    title: str
    checks: list[str]
    items: list[Any]
    names: list[str]
    work: Any
    context: Any
    excluded: dict[str, str]  # not run, with the reason
    uncounted: dict[str, str] = dataclasses.field(default_factory=dict)  # run, not in the totals


def parts(wanted: list[str], only: str) -> dict[str, Part]:
    """The families asked for, with the records whose name matches."""
    import modules
    import operators
    import optimizers
    from library import record_constructors

    found: dict[str, Part] = {}

    def keep(items: list[Any], name: Any) -> tuple[list[Any], list[str]]:
        chosen = [i for i in items if re.search(only, name(i))]
        return chosen, [name(i) for i in chosen]

    if "operators" in wanted:
        excluded = {}
        kept = []
        for op in operators.RECORDS:
            kind, why = operators.tier(op)
            if kind == "excluded":
                excluded[op.full_name] = why
            else:
                kept.append(op)
        found["operators"] = Part(
            "Operators",
            operators.CHECKS,
            *keep(kept, lambda op: op.full_name),
            operators.work,
            operators.Ctx,
            excluded,
            {op.full_name: why for op in kept if (why := operators.uncounted(op))},
        )
    if "modules" in wanted:
        record_constructors()
        in_database = {info.name for info in modules.RECORDS}

        def name(info: Any) -> str:
            more = isinstance(info, modules.Extra) and info.name in in_database
            return info.name + (".more" if more else "")

        found["modules"] = Part(
            "Modules",
            modules.CHECKS,
            *keep(modules.RECORDS + modules.EXTRA, name),
            modules.work,
            modules.Ctx,
            {},
        )
    if "optimizers" in wanted:
        found["optimizers"] = Part(
            "Optimisers and schedulers",
            optimizers.CHECKS,
            *keep(optimizers.all_items(), lambda item: item["name"]),
            optimizers.work,
            optimizers.Ctx,
            {},
        )
    return found


def run(part: Part, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of a family: name, and status and message of every check."""
    import operators
    from workers import run_pool

    rows = run_pool(part.items, part.names, lambda _: part.checks, part.work, part.context, options)
    if part.title == "Operators":
        for op, row in zip(part.items, rows, strict=True):
            for check, result in row["checks"].items():
                if result["status"] in ("timeout", "crash") and operators.static_na(op, check):
                    row["checks"][check] = {"status": "na"}
    return rows


def try_again(
    part: Part, rows: list[dict[str, Any]], before: dict[str, set[str]], options: argparse.Namespace
) -> None:
    """Runs the records that lost a check once more, alone: a busy machine is no fault."""
    lost = [
        i
        for i, row in enumerate(rows)
        if any(row["checks"][c]["status"] in BAD for c in before.get(row["name"], ()))
    ]
    if not lost:
        return
    few = dataclasses.replace(
        part, items=[part.items[i] for i in lost], names=[part.names[i] for i in lost]
    )
    slow = argparse.Namespace(**{**vars(options), "jobs": 1, "limit": 3 * options.limit})
    for i, row in zip(lost, run(few, slow), strict=True):
        rows[i] = row


def passed_before() -> dict[str, set[str]]:
    """Part and record to the checks that passed when the list was written."""
    listed: dict[str, set[str]] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in PASSED.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                record, _, checks = line.partition(": ")
                listed[record] = set(checks.split())
    return listed


def table_of(part: Part, rows: list[dict[str, Any]]) -> list[str]:
    """The totals of a family as Markdown, over the records that count."""
    rows = [row for row in rows if row["name"] not in part.uncounted]
    lines = ["| check | records | pass | % | wrong | error | missing | crash or time-out |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    for check in part.checks:
        count = collections.Counter(row["checks"][check]["status"] for row in rows)
        total = sum(count[s] for s in ("pass", *BAD))
        if total:
            lost = count["crash"] + count["timeout"]
            lines.append(
                f"| {check} | {total} | {count['pass']} | {100 * count['pass'] / total:.1f} | "
                f"{count['wrong']} | {count['error']} | {count['missing']} | {lost} |"
            )
    return lines


def whole(row: dict[str, Any]) -> bool:
    """Whether every check that applies passes."""
    return all(r["status"] in ("pass", "na") for r in row["checks"].values())


def write_page(results: dict[str, tuple[Part, list[dict[str, Any]]]]) -> None:
    """docs/conformance.md, from a run of everything."""
    import torch

    lines = [
        "# Conformance",
        "",
        "<!-- written by tests/conformance/run.py --write -->",
        "",
        f"kagari beside PyTorch {torch.__version__.split('+')[0]}: the operators, modules and "
        "optimisers that PyTorch tests itself",
        "with, with its sample inputs and error inputs. A check passes when every sample passes.",
        "✓ passes, ✗ does not, – the name is missing, blank does not apply. `make conformance`",
        "runs it.",
    ]
    for part, rows in results.values():
        good = sum(map(whole, rows))
        lines += [
            "",
            f"## {part.title}",
            "",
            f"Every check passes for {good} of {len(rows)} records.",
        ]
        reasons = part.uncounted | {k: f"not run: {why}" for k, why in part.excluded.items()}
        if reasons:
            lines += [
                "",
                f"Counted here are the {len(rows) - len(part.uncounted)} public records; the last "
                "column of the list says why one is left out.",
            ]
        lines += ["", *table_of(part, rows)]
        marks = {
            row["name"]: [MARKS.get(row["checks"][c]["status"], "✗") for c in part.checks]
            for row in rows
        }
        head = [*part.checks, "not counted"] if reasons else part.checks
        lines += ["", "| record | " + " | ".join(head) + " |"]
        lines.append("|---|" + ":-:|" * len(part.checks) + ("---|" if reasons else ""))
        for name in sorted(marks.keys() | part.excluded.keys()):
            cells = marks.get(name, [""] * len(part.checks))
            if reasons:
                cells = [*cells, reasons.get(name, "")]
            lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_passed(results: dict[str, tuple[Part, list[dict[str, Any]]]]) -> None:
    """passed.txt, from a run of everything."""
    lines = ["# Checks that pass, written by run.py --write: one that fails makes the run fail."]
    for name, (part, rows) in results.items():
        for row in sorted(rows, key=lambda r: r["name"]):
            good = [c for c in part.checks if row["checks"][c]["status"] == "pass"]
            if good:
                lines.append(f"{name}/{row['name']}: {' '.join(good)}")
    PASSED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Compare kagari with PyTorch 2.13, record by record."
    )
    parser.add_argument("--parts", default="operators,modules,optimizers", help="which families")
    parser.add_argument("--only", default="", metavar="REGEX", help="records whose name matches")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument("--samples", type=int, default=6, help="samples of a record and check")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a record may take")
    parser.add_argument("--memory", type=float, default=8.0, help="GiB a worker may map; 0: any")
    parser.add_argument("--fails", type=int, default=40, help="how many failing checks to print")
    parser.add_argument(
        "--write", action="store_true", help="write docs/conformance.md, passed.txt"
    )
    parser.add_argument("--module", default="kagari", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write needs a run of everything: leave out --only")
    try:
        import torch
    except ModuleNotFoundError:
        print("conformance: skipped, PyTorch is not installed; `make conformance` installs it")
        return 0
    importlib.import_module(options.module)  # before the workers: a broken build says so once
    if not torch.__version__.startswith("2.13."):
        parser.error(f"expected PyTorch 2.13, found {torch.__version__}")
    before, results, lost, left = passed_before(), {}, [], options.fails
    for name, part in parts(options.parts.split(","), options.only).items():
        start = time.time()
        rows = run(part, options)
        listed = {r.partition("/")[2]: c for r, c in before.items() if r.startswith(f"{name}/")}
        try_again(part, rows, listed, options)
        results[name] = part, rows
        good = sum(map(whole, rows))
        seconds = time.time() - start
        print(f"\n{part.title}: all checks pass for {good} of {len(rows)} ({seconds:.0f} s)")
        print("\n".join(table_of(part, rows)))
        for row in rows:
            for check in part.checks:
                result = row["checks"][check]
                if result["status"] not in BAD:
                    continue
                line = f"{row['name']} {check}: {result['status']}: {result.get('msg', '')}"
                if check in listed.get(row["name"], ()):
                    lost.append(line)
                elif left > 0:
                    left -= 1
                    print("  " + line)
    if options.write:
        write_page(results)
        write_passed(results)
    for line in lost:
        print("passed before and fails now: " + line)
    total = sum(len(rows) for _, rows in results.values())
    print(f"{total - len(lost)} passed, {len(lost)} failed")
    return 1 if lost and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
