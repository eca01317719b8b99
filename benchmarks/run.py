"""Measures kagari beside PyTorch and other peers, row by row in alternating processes.

    python benchmarks/run.py                         # every row; writes benchmarks/RESULTS.md
    python benchmarks/run.py --rows overhead         # rows whose name matches; the others stay
    python benchmarks/run.py --tcmalloc --compile    # more peers; --all for every one
    python benchmarks/run.py --threads 1 --pairs 3

Each pair is a fresh process of every library. They take turns on each row, so that a slow minute of
the machine meets all of them; while one works the others sleep. The ratio is PyTorch's time divided
by kagari's: the median of the pairs' ratios. The first result of each row is compared between the
libraries in the same run: a wrong result is no result. What is measured takes the place of what
results.json kept for the same row, number of threads and library; all else stays.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes.util
import datetime
import importlib.util
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

from rows import ROWS, Row, load_all
from table import COMPILE, JAX, NUMPY, ONEDNN, OURS, PEER, TCMALLOC, Cells, Results, table
from workloads import arrays, onednn

HERE = Path(__file__).parent
STORE, TABLE = HERE / "results.json", HERE / "RESULTS.md"
BARRED = (OURS, PEER, TCMALLOC)  # take part in bars: measured in every pair
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
        self.library = PEER if name == TCMALLOC else name
        self.threads = threads
        self.environment = dict(os.environ)
        if threads:
            for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
                self.environment[variable] = str(threads)
        if name == COMPILE:  # no helper processes, which would still work when time is taken
            self.environment["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
        if name == TCMALLOC:
            self.environment["LD_PRELOAD"] = find_tcmalloc()
        self.process: subprocess.Popen[str] | None = None
        self.about: Answer = {}

    def has(self, row: Row) -> bool:
        """Whether this library runs the row."""
        if self.library in (JAX, NUMPY):
            return row.name in (arrays.JAX if self.library == JAX else arrays.NUMPY)
        if self.library == ONEDNN:
            return row.name in onednn.ROWS
        return self.library != COMPILE or row.compiled

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

    def cells(self) -> Cells:
        """What is kept of it: a cell for each library."""
        found: Cells = {}
        for name, answers in self.answers.items():
            found[name] = {"pairs": len(answers)}
            error = next((answer["error"] for answer in answers if "error" in answer), None)
            if error is None and name != PEER and "error" not in found.get(PEER, {}):
                expected = self.answers[PEER][0]
                if "error" not in expected:
                    error = difference(answers[0]["result"], expected["result"], self.row.tolerance)
                    error = error and f"wrong result: {error}"
            if error is not None:
                found[name]["error"] = error
                continue
            found[name]["value"] = statistics.median(answer["value"] for answer in answers)
        for name, cell in found.items():
            if name != OURS and "value" in cell and "value" in found[OURS]:
                pairs = zip(self.answers[name], self.answers[OURS], strict=False)
                cell["ratio"] = statistics.median(b["value"] / a["value"] for b, a in pairs)
        return found


def physical_limits(threads: int) -> dict[str, float]:
    """What limits.py measures; nothing, with a word, where it cannot be compiled."""
    done = subprocess.run(
        [sys.executable, str(HERE / "limits.py"), str(threads)], capture_output=True, text=True
    )
    if done.returncode:
        print(f"run: no limits: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(rows: list[Row], names: list[str], pairs: int, more: int, threads: int) -> Results:
    """Runs every row `pairs` times in every library, `more` times in those that have no bar."""
    peers = {name: Peer(name, threads) for name in names}
    answers: dict[str, dict[str, list[Answer]]] = {
        row.name: {name: [] for name, peer in peers.items() if peer.has(row)} for row in rows
    }
    limits: dict[str, float] = {}
    count = threads or len(os.sched_getaffinity(0))
    try:
        for number in range(pairs):
            if any(row.reads or row.writes or row.flops for row in rows):
                for key, value in physical_limits(count).items():
                    limits[key] = max(value, limits.get(key, 0.0))
            for row in rows:
                if sys.stderr.isatty():
                    print(f"\rpair {number + 1}/{pairs}  {row.name:40s}", end="", file=sys.stderr)
                for name in answers[row.name]:
                    if number >= more and name not in BARRED:
                        continue
                    answers[row.name][name].append(peers[name].measure(row))
            for peer in peers.values():
                peer.stop()
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
        for peer in peers.values():
            peer.stop()
    today = datetime.date.today().isoformat()
    measured: dict[str, dict[str, Cells]] = {}
    for row in rows:
        cells = Measured(row, answers[row.name]).cells()
        measured[row.name] = {str(count): {n: c | {"date": today} for n, c in cells.items()}}
    about = {peers[name].library: peers[name].about for name in names}
    return {
        "machine": machine(),
        "python": platform.python_version(),
        "versions": {n: facts["version"] for n, facts in about.items() if n != COMPILE and facts},
        "limits": {str(count): limits} if limits else {},
        "rows": measured,
    }


def merge(before: Results, fresh: Results, peers_only: bool = False) -> Results:
    """The kept results with the fresh ones in their place, by row, threads and library.

    With ``peers_only`` the cells of kagari and PyTorch stay where there are any.
    """
    if before.get("machine") != fresh["machine"]:
        return fresh  # times of two machines are never mixed
    rows = {name: dict(cells) for name, cells in before["rows"].items() if name in ROWS}
    for name, by_threads in fresh["rows"].items():
        for threads, cells in by_threads.items():
            kept = rows.setdefault(name, {})
            known = kept.get(threads, {})
            stays = (OURS, PEER) if peers_only else ()
            kept[threads] = known | {
                n: c for n, c in cells.items() if n not in stays or n not in known
            }
    limits = {count: dict(values) for count, values in before["limits"].items()}
    for count, values in fresh["limits"].items():
        kept_limits = limits.setdefault(count, {})
        for key, value in values.items():
            kept_limits[key] = max(value, kept_limits.get(key, 0.0))
    versions = before["versions"] | fresh["versions"]
    return fresh | {"rows": rows, "limits": limits, "versions": versions}


def machine() -> str:
    """The processor, in words."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        model = found[1] if found else model
    return f"{model}, {os.cpu_count()} cores"


def parse_arguments() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description="Measure kagari beside PyTorch.")
    parser.add_argument("--rows", default="", metavar="REGEX", help="only rows whose name matches")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of processes (%(default)s)")
    parser.add_argument(
        "--more-pairs",
        type=int,
        default=2,
        help="of these with compile, JAX, NumPy, oneDNN (%(default)s)",
    )
    parser.add_argument("--threads", type=int, default=0, help="threads (each library's default)")
    parser.add_argument("--tcmalloc", action="store_true", help="add PyTorch with tcmalloc")
    parser.add_argument("--compile", action="store_true", help="add torch.compile (slow to start)")
    parser.add_argument("--jax", action="store_true", help="add JAX with jit")
    parser.add_argument("--numpy", action="store_true", help="add NumPy")
    parser.add_argument("--onednn", action="store_true", help="add oneDNN alone, for products")
    parser.add_argument("--all", action="store_true", help="add all of these")
    parser.add_argument(
        "--peers-only", action="store_true", help="write the added columns alone, where others are"
    )
    parser.add_argument("--no-write", action="store_true", help="print, keep nothing")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    options = parser.parse_args()
    if options.pairs < 1 or options.more_pairs < 1 or options.threads < 0:
        parser.error("--pairs and --more-pairs must be at least 1 and --threads at least 0")
    return options


def main() -> int:
    """Measures, prints the table of what was measured, updates the kept one."""
    options = parse_arguments()
    rows = [row for name, row in load_all().items() if re.search(options.rows, name)]
    if options.list or not rows:
        print("\n".join(row.name for row in rows) or f"run: no row matches {options.rows!r}")
        return 0 if rows else 2
    flags = {TCMALLOC: "tcmalloc", COMPILE: "compile", JAX: "jax", NUMPY: "numpy", ONEDNN: "onednn"}
    more = [name for name, flag in flags.items() if options.all or getattr(options, flag)]
    if JAX in more and importlib.util.find_spec("jax") is None:
        raise SystemExit("run: --jax: JAX is not installed; scripts/setup-venv peers does it")
    if ONEDNN in more and not onednn.is_installed():
        raise SystemExit("run: --onednn: oneDNN is not installed; scripts/setup-venv peers does it")
    start = time.monotonic()
    fresh = measure(rows, [OURS, PEER, *more], options.pairs, options.more_pairs, options.threads)
    print(table(fresh))
    print(f"run: {len(rows)} rows took {time.monotonic() - start:.0f} s", file=sys.stderr)
    if not options.no_write:
        if STORE.exists():
            before = json.loads(STORE.read_text(encoding="utf-8"))
            fresh = merge(before, fresh, options.peers_only)
        STORE.write_text(json.dumps(fresh, indent=1) + "\n", encoding="utf-8")
        TABLE.write_text(table(fresh), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
