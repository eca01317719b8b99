"""Measures kagari beside PyTorch, row by row in alternating processes, and keeps the table.

    python benchmarks/run.py                         # every row; writes benchmarks/RESULTS.md
    python benchmarks/run.py --rows overhead         # rows whose name matches; the others stay
    python benchmarks/run.py --tcmalloc --threads 1

Each pair is a fresh process of every library. They take turns on each row, so that a slow minute of
the machine meets all of them; while one works the others sleep. The ratio is PyTorch's time divided
by kagari's: the median of the pairs' ratios. The first result of each row is compared between the
libraries in the same run: a wrong result is no result.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes.util
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rows import FAMILIES, ROWS, Row, load_all

HERE = Path(__file__).parent
STORE, TABLE = HERE / "results.json", HERE / "RESULTS.md"
OURS, PEER, TCMALLOC = "kagari", "torch", "torch + tcmalloc"
HEADINGS = {
    "overhead": "Small work: the call path",
    "memory": "Memory-bound work (16M float32 unless said)",
    "matmul": "Matrix products",
    "conv": "Convolutions",
    "models": "Models",
    "process": "Whole processes",
}
Answer = dict[str, Any]


def find_tcmalloc() -> str:
    """The path of libtcmalloc_minimal."""
    name = ctypes.util.find_library("tcmalloc_minimal")
    if name is None:
        raise SystemExit(
            "run: --tcmalloc: no libtcmalloc_minimal; install it (Debian: libtcmalloc-minimal4)"
        )
    return name


class Peer:
    """A library in a process of its own."""

    def __init__(self, name: str, threads: int) -> None:
        self.library = OURS if name == OURS else PEER
        self.threads = threads
        self.environment = dict(os.environ)
        if threads:
            self.environment["OMP_NUM_THREADS"] = str(threads)
        if name == TCMALLOC:
            self.environment["LD_PRELOAD"] = find_tcmalloc()
        self.process: subprocess.Popen[str] | None = None
        self.about: Answer = {}

    def command(self, *more: str) -> list[str]:
        """How its worker is started."""
        return [sys.executable, str(HERE / "worker.py"), self.library, str(self.threads), *more]

    def start(self) -> None:
        """Starts a fresh process and waits until the library is imported."""
        self.process = subprocess.Popen(
            self.command(),
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.about = self._read()
        if "error" in self.about:
            raise SystemExit(f"run: {self.library} does not start: {self.about['error']}")

    def stop(self) -> None:
        """Ends the process."""
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process = None

    def measure(self, row: Row) -> Answer:
        """One visit of the row."""
        if row.family == "process":
            return self._measure_process(row)
        if self.process is None:
            self.start()
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(row.name + "\n")
        self.process.stdin.flush()
        return self._read()

    def _measure_process(self, row: Row) -> Answer:
        environment = self.environment | {"KAGARI_BENCH_START": str(time.monotonic())}
        done = subprocess.run(
            self.command("--once", row.name), env=environment, capture_output=True, text=True
        )
        if done.returncode:
            return {"error": f"ended with status {done.returncode}"}
        answer: Answer = json.loads(done.stdout)
        return answer

    def _read(self) -> Answer:
        assert self.process is not None and self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.process = None
            return {"error": f"the process ended with status {status}"}
        answer: Answer = json.loads(line)
        return answer


def difference(ours: list[Answer], theirs: list[Answer], tolerance: float) -> str | None:
    """Where two results disagree, in words; None where they agree."""
    if len(ours) != len(theirs):
        return f"{len(ours)} results instead of {len(theirs)}"
    for a, b in zip(ours, theirs, strict=True):
        if a["shape"] != b["shape"]:
            return f"shape {tuple(a['shape'])} instead of {tuple(b['shape'])}"
        largest = max((abs(x) for x in b["some"]), default=0.0)
        for x, y in [*zip(a["some"], b["some"], strict=True), (a["mean"], b["mean"])]:
            same = x == y or (math.isnan(x) and math.isnan(y))
            if not same and not abs(x - y) <= tolerance * max(largest, abs(y)):
                return f"{x:.6g} instead of {y:.6g}"
    return None


@dataclass
class Measured:
    """The answers of all pairs for one row."""

    row: Row
    answers: dict[str, list[Answer]]

    def summary(self) -> dict[str, Any]:
        """What is kept of it."""
        ours, theirs = self.answers[OURS], self.answers[PEER]
        for name, answers in self.answers.items():
            if error := next((answer["error"] for answer in answers if "error" in answer), None):
                return {"error": f"{name}: {error}"}
        if wrong := difference(ours[0]["result"], theirs[0]["result"], self.row.tolerance):
            return {"error": f"wrong result: {wrong}"}
        kept: dict[str, Any] = {
            name: statistics.median(answer["value"] for answer in answers)
            for name, answers in self.answers.items()
        }
        for key, name in (("ratio", PEER), ("ratio_tcmalloc", TCMALLOC)):
            if name in self.answers:
                pairs = zip(self.answers[name], ours, strict=True)
                kept[key] = statistics.median(b["value"] / a["value"] for b, a in pairs)
        return kept


def measure(rows: list[Row], names: list[str], pairs: int, threads: int) -> dict[str, Any]:
    """Runs every row `pairs` times in every library; the answers and what the libraries are."""
    peers = {name: Peer(name, threads) for name in names}
    answers: dict[str, dict[str, list[Answer]]] = {row.name: {n: [] for n in names} for row in rows}
    try:
        for number in range(pairs):
            for peer in peers.values():
                peer.start()
            for row in rows:
                if sys.stderr.isatty():
                    print(f"\rpair {number + 1}/{pairs}  {row.name:40s}", end="", file=sys.stderr)
                for name, peer in peers.items():
                    answers[row.name][name].append(peer.measure(row))
            for peer in peers.values():
                peer.stop()
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
        for peer in peers.values():
            peer.stop()
    measured = {row.name: Measured(row, answers[row.name]).summary() for row in rows}
    about = {name: peer.about for name, peer in peers.items()}
    return {"rows": measured, "about": about}


def machine() -> str:
    """The processor, in words."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        model = found[1] if found else model
    return f"{model}, {os.cpu_count()} cores"


def quantity(value: float | None, unit: str) -> str:
    """A time or a size for people."""
    if value is None:
        return ""
    if unit != "s":
        return f"{value:,.0f} {unit}"
    for limit, factor, name in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{value * factor:.3g} {name}"
    return f"{value:.3g} s"


def verdict(row: Row, kept: dict[str, Any]) -> str:
    """Whether the row clears its bars."""
    below = row.bar is not None and kept["ratio"] < row.bar
    ratio = kept.get("ratio_tcmalloc")
    below |= row.bar_tcmalloc is not None and ratio is not None and ratio < row.bar_tcmalloc
    return "**below**" if below else "met"


def section(family: str, kept: dict[str, Any]) -> list[str]:
    """The table of one family, with the rows that were measured."""
    rows = [row for row in ROWS.values() if row.family == family and row.name in kept]
    if not rows:
        return []
    lines = [
        f"## {HEADINGS[family]}",
        "",
        "| what | kagari | PyTorch | ratio | bar | with tcmalloc | ratio | bar | |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        entry = kept[row.name]
        if "error" in entry:
            lines.append(f"| {row.title} | | | | {row.bar or ''} | | | | {entry['error']} |")
            continue
        tcmalloc = entry.get("ratio_tcmalloc")
        cells = [
            row.title,
            quantity(entry[OURS], row.unit),
            quantity(entry[PEER], row.unit),
            f"{entry['ratio']:.2f}",
            f"{row.bar:g}" if row.bar else "",
            quantity(entry.get(TCMALLOC), row.unit),
            f"{tcmalloc:.2f}" if tcmalloc else "",
            f"{row.bar_tcmalloc:g}" if row.bar_tcmalloc and tcmalloc else "",
            verdict(row, entry),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    ratios = [kept[row.name]["ratio"] for row in rows if "ratio" in kept[row.name]]
    if ratios:
        lines += [
            "",
            f"Geometric mean of {len(ratios)} ratios: {statistics.geometric_mean(ratios):.2f}",
        ]
    return [*lines, ""]


def table(kept: dict[str, Any]) -> str:
    """The whole page."""
    about = kept["about"]
    libraries = ", ".join(f"{name} {facts['version']}" for name, facts in about.items())
    lines = [
        "# Measured",
        "",
        "<!-- written by benchmarks/run.py -->",
        "",
        f"{kept['machine']}; {about[OURS]['threads']} threads; {libraries}; "
        f"Python {kept['python']}; medians of {kept['pairs']} pairs of fresh processes.",
        "",
        "The ratio is PyTorch's time (or memory) divided by kagari's: above 1 kagari is ahead. The",
        "bar is the ratio aimed at. Every row's result was compared in the same run.",
        "",
    ]
    for family in FAMILIES:
        lines += section(family, kept["rows"])
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description="Measure kagari beside PyTorch.")
    parser.add_argument("--rows", default="", metavar="REGEX", help="only rows whose name matches")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of processes (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="threads (each library's default)")
    parser.add_argument("--tcmalloc", action="store_true", help="add PyTorch with tcmalloc")
    parser.add_argument("--no-write", action="store_true", help="print, keep nothing")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    options = parser.parse_args()
    if options.pairs < 1 or options.threads < 0:
        parser.error("--pairs must be at least 1 and --threads at least 0")
    return options


def main() -> int:
    """Measures, prints the table of what was measured, updates the kept one."""
    options = parse_arguments()
    rows = [row for name, row in load_all().items() if re.search(options.rows, name)]
    if options.list or not rows:
        print("\n".join(row.name for row in rows) or f"run: no row matches {options.rows!r}")
        return 0 if rows else 2
    names = [OURS, PEER] + [TCMALLOC] * options.tcmalloc
    fresh = measure(rows, names, options.pairs, options.threads)
    fresh |= {"machine": machine(), "python": platform.python_version(), "pairs": options.pairs}
    print(table(fresh))
    if not options.no_write:
        if STORE.exists():
            before = json.loads(STORE.read_text(encoding="utf-8"))
            known = {name: entry for name, entry in before["rows"].items() if name in ROWS}
            fresh["rows"] = known | fresh["rows"]
            fresh["about"] = before["about"] | fresh["about"]
        STORE.write_text(json.dumps(fresh, indent=1) + "\n", encoding="utf-8")
        TABLE.write_text(table(fresh), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
