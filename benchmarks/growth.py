"""Measures how cost grows with size, kagari beside PyTorch; keeps the numbers in growth.json.

    python benchmarks/growth.py                # every curve, about five minutes
    python benchmarks/growth.py add tape       # these; the others stay

As in run.py, every pair is a fresh process of each library, they take turns at each size, and the
results are compared. `plots.py` draws the curves.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from pathlib import Path
from typing import Any

from run import measure

from limits import least_seconds
from table import OURS, PEER
from workloads.growth import CURVES, FLOOR, Curve

STORE = Path(__file__).parent / "growth.json"


def series(curve: Curve, cells: dict[str, Any], limits: dict[str, float]) -> dict[str, Any]:
    """The numbers of one curve: sizes, seconds of both libraries and of the limit."""
    found: dict[str, list[float]] = {"count": [], OURS: [], PEER: [], "limit": []}
    floor = [
        2 * one[OURS]["value"] / FLOOR.sizes[0] for name, one in cells.items() if "plain" in name
    ]
    for n, row in curve.points().items():
        here = cells[row.name]
        for name in (OURS, PEER):
            if "error" in here[name]:
                raise SystemExit(f"growth: {row.name}: {name}: {here[name]['error']}")
            found[name].append(here[name]["value"])
        found["count"].append(curve.count(n))
        least = least_seconds(row, limits) if limits else None
        found["limit"] += [least] if least else [one * curve.count(n) for one in floor]
    return found


def main() -> int:
    """Measures the named curves and keeps them."""
    parser = argparse.ArgumentParser(description="Measure how cost grows with size.")
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=f"of {', '.join(CURVES)}; all")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of processes (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="threads (each library's default)")
    options = parser.parse_args()
    if unknown := [name for name in options.curves if name not in CURVES]:
        parser.error(f"no curve is called {unknown[0]!r}; there are {', '.join(CURVES)}")
    start = time.monotonic()
    chosen = [CURVES[name] for name in options.curves or CURVES]
    rows = [row for curve in chosen for row in curve.points().values()]
    if CURVES["tape"] in chosen:
        rows += FLOOR.points().values()
    results = measure(rows, [OURS, PEER], options.pairs, options.pairs, options.threads)
    limits = next(iter(results["limits"].values()), {})
    cells = {name: next(iter(by_threads.values())) for name, by_threads in results["rows"].items()}
    kept = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    today = datetime.date.today().isoformat()
    for curve in chosen:
        kept[curve.name] = series(curve, cells, limits) | {
            "date": today,
            "pairs": options.pairs,
            "threads": next(iter(next(iter(results["rows"].values())))),
            "machine": results["machine"],
        }
    STORE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"growth: {len(rows)} points took {time.monotonic() - start:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
