"""The physical limits of this machine, measured by probe.cpp, and the time that they leave a row.

    python benchmarks/limits.py THREADS          # one JSON line

Run in a process of its own, so that its memory and threads are gone when something is measured.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import mmap
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rows import Row

SOURCE = Path(__file__).with_name("probe.cpp")
BUILD = Path(__file__).parents[1] / "build" / "benchmarks"
BLOCK = 2**28  # bytes: far beyond the caches
SECONDS = 0.4  # spent on each limit; its best pass counts
ROUNDS = 2_000_000

# By name: bytes per second, and floating-point operations per second.
Limits = dict[str, float]


def build() -> ctypes.CDLL:
    """The probe, compiled when its source or the processor is new."""
    words = [*shlex.split(os.environ.get("CXX", "c++")), "-std=c++20", "-O3", "-march=native"]
    words += ["-ffp-contract=fast", "-fopenmp", "-shared", "-fPIC"]
    key = hashlib.sha256(SOURCE.read_bytes() + " ".join(words).encode()).hexdigest()[:16]
    library = BUILD / f"probe-{key}.so"
    if not library.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}")
        subprocess.run([*words, str(SOURCE), "-o", str(fresh)], check=True)
        fresh.replace(library)
    probe = ctypes.CDLL(str(library))
    for name in ("read", "write", "copy", "float32", "float64"):
        getattr(probe, f"{name}_pass").restype = ctypes.c_double
    return probe


def _block() -> ctypes.Array[ctypes.c_char]:
    """Fresh memory, in huge pages where the machine has them."""
    memory = mmap.mmap(-1, BLOCK, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    block = (ctypes.c_char * BLOCK).from_buffer(memory)
    ctypes.memset(block, 0, BLOCK)
    return block


def _least(*passes: Callable[[], float]) -> float:
    """The shortest pass of several ways to do the same."""
    end, least = time.perf_counter() + SECONDS, float("inf")
    while time.perf_counter() < end:
        least = min(least, *(one() for one in passes))
    return least


def measure(threads: int) -> Limits:
    """What ``threads`` threads reach together."""
    probe = build()
    a, b = _block(), _block()
    size, rounds = ctypes.c_int64(BLOCK), ctypes.c_int64(ROUNDS)
    read = _least(lambda: probe.read_pass(threads, a, size))
    write = _least(*(lambda s=s: probe.write_pass(threads, a, size, s) for s in (0, 1)))
    copy = _least(*(lambda s=s: probe.copy_pass(threads, b, a, size, s) for s in (0, 1)))
    limits = {"read": BLOCK / read, "write": BLOCK / write, "copy": 2 * BLOCK / copy}
    for name in ("float32", "float64"):
        seconds = _least(lambda name=name: getattr(probe, f"{name}_pass")(threads, rounds))
        limits[name] = ROUNDS * getattr(probe, f"{name}_flops")(threads) / seconds
    return limits


def least_seconds(row: Row, limits: Limits) -> float | None:
    """The time below which the row's bytes and operations do not fit; None where it states none.

    Bytes read and bytes written in equal number move at the speed of a copy, the rest at that of
    reading or writing alone.
    """
    both = min(row.reads, row.writes)
    memory = 2 * both / limits["copy"]
    memory += (row.reads - both) / limits["read"] + (row.writes - both) / limits["write"]
    return max(memory, row.flops / limits[row.dtype]) or None


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
