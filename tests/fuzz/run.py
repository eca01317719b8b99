"""Mutated valid calls of every public op in worker processes: no crash, no hang, each failure an exception of its caller.

    python tests/fuzz/run.py --calls 100000 --jobs 2 --seed 0
    python tests/fuzz/run.py --seed 0 --only 1234        # one call, in this process, its text printed first

A worker that dies or stands still is one finding, named by the call it was in; another worker goes on behind it.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHUNK = 1000  # calls of one worker process
PATIENCE = 30.0  # seconds of processor time that one call may take


@dataclass
class Outcome:
    """What a run found."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.counts += other.counts
        self.findings += other.findings

    @property
    def share(self) -> float:
        """The share of calls that reached a kernel."""
        return self.counts["kernels"] / max(self.counts["calls"], 1)


def run_range(seed: int, first: int, stop: int) -> Outcome:
    """Runs the calls first..stop-1, in as many processes as crashes make necessary."""
    outcome = Outcome()
    while first < stop:
        with tempfile.NamedTemporaryFile() as progress:
            progress.write(struct.pack("<3q", first, 0, 0))
            progress.flush()
            lines, end, detail = watch(seed, first, stop, progress.name)
            at, returned, kernels = struct.unpack("<3q", Path(progress.name).read_bytes())
        if not end:
            outcome.counts += Counter(lines.pop())
            outcome.findings += lines
            return outcome
        outcome.counts += Counter(calls=at + 1 - first, returned=returned, kernels=kernels)
        outcome.findings += [line for line in lines if "number" in line]
        outcome.findings.append({"number": at, "what": end, "text": "", "detail": detail})
        first = at + 1
    return outcome


def watch(seed: int, first: int, stop: int, progress: str) -> tuple[list[Any], str, str]:
    """What a worker wrote; how it ended, empty where all is well; the end of its standard error."""
    command = [sys.executable, str(HERE / "worker.py"), *map(str, (seed, first, stop)), progress]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        worker = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        seen, since, hung = -1, 0.0, False
        while worker.poll() is None:
            time.sleep(0.02)
            at = struct.unpack("<q", Path(progress).read_bytes()[:8])[0]
            if at != seen:
                seen, since = at, busy(worker.pid)
            elif busy(worker.pid) - since > PATIENCE:
                worker.kill()
                hung = True
        out.seek(0)
        err.seek(0)
        text = out.read().decode()
        # Libraries written in Fortran may print there too.
        whole = [x for x in text.splitlines(True) if x.startswith("{") and x.endswith("\n")]
        lines = [json.loads(line) for line in whole]
        if worker.returncode == 0:
            return lines, "", ""
        tail = err.read().decode(errors="replace")
    what = f"hang: more than {PATIENCE:.0f} s" if hung else f"crash: status {worker.returncode}"
    return lines, what, tail[:3000] + ("\n...\n" + tail[-1000:] if len(tail) > 4000 else "")


def busy(pid: int) -> float:
    """Seconds of processor time that a process has had: other work on the machine does not count. Sleep does, a little."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def texts(seed: int, findings: list[dict[str, Any]]) -> None:
    """Fills in the calls whose workers could no longer say them."""
    sys.path.insert(0, str(HERE.parent))
    from fuzz.cases import case

    for finding in findings:
        if not finding["text"]:
            c = case(seed, finding["number"])
            finding.update(text=c.text, what=f"{c.subject}: {finding['what']}")


def run(seed: int, calls: int, jobs: int, first: int = 0, quiet: bool = True) -> Outcome:
    """Runs `calls` calls of a seed and returns the sum of what its workers say."""
    ranges = [(f, min(f + CHUNK, first + calls)) for f in range(first, first + calls, CHUNK)]
    total = Outcome()
    with ThreadPoolExecutor(jobs) as pool:
        for done, part in enumerate(pool.map(lambda r: run_range(seed, *r), ranges), 1):
            total.add(part)
            if not quiet:
                print(f"\r{done * CHUNK} calls, {len(total.findings)} findings", end="", flush=True)
    if not quiet:
        print()
    return total


def describe(outcome: Outcome, seed: int) -> str:
    """The counts, and each fault once with the line that repeats it."""
    counts = outcome.counts
    lines = [
        f"{counts['calls']} calls, {counts['returned']} returned, "
        f"{counts['kernels']} ({outcome.share:.1%}) reached a kernel",
        ", ".join(f"{n} {k}" for k, n in counts.most_common() if k[0].isupper()),
    ]
    texts(seed, outcome.findings)
    groups: dict[str, list[dict[str, Any]]] = {}
    for finding in outcome.findings:
        groups.setdefault(finding["what"], []).append(finding)
    for what, same in sorted(groups.items(), key=lambda kv: -len(kv[1])):
        one = min(same, key=lambda f: len(f["text"]))
        lines += ["", f"{len(same)} x {what}"]
        lines += [f"  python tests/fuzz/run.py --seed {seed} --only {one['number']}"]
        lines += ["    " + t for t in (one["text"] + "\n" + one["detail"]).splitlines()]
    return "\n".join(lines)


def only(seed: int, number: int) -> int:
    """Runs one call in this process and shows what it raises."""
    sys.path.insert(0, str(HERE.parent))
    from fuzz.cases import case
    from fuzz.worker import Worker

    c = case(seed, number)
    print(c.text, f"# derivatives: {c.tape}", sep="\n", flush=True)
    worker = Worker()
    worker.run(number, c)
    print(dict(worker.counts))
    for finding in worker.findings:
        print(finding.what, finding.detail, sep="\n")
    return len(worker.findings)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000, help="how many (default: 100000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="worker processes")
    parser.add_argument("--seed", type=int, default=0, help="the first of all choices (default: 0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first call")
    parser.add_argument("--only", type=int, help="run the call of this number alone")
    given = parser.parse_args()
    if given.only is not None:
        return only(given.seed, given.only)
    outcome = run(given.seed, given.calls, given.jobs or 1, given.first, quiet=False)
    print(describe(outcome, given.seed))
    if outcome.share < 0.5:
        print("fewer than half of the calls reached a kernel")
        return 1
    return int(bool(outcome.findings))


if __name__ == "__main__":
    sys.exit(main())
