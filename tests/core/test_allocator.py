"""The caching allocator: its counts, giving memory back, frees from other threads, running out."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import kagari

MIB = 1 << 20
SYSTEM = os.environ.get("KAGARI_ALLOCATOR") == "system"
cached = pytest.mark.skipif(
    SYSTEM, reason="KAGARI_ALLOCATOR=system keeps nothing and counts nothing"
)


def stats() -> dict[str, int]:
    return kagari._core._memory_stats()  # type: ignore[no-any-return]


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@cached
@pytest.mark.parametrize("floats", [1, 100, 5_000, 60_000, 100_000, 3_000_000])
def test_what_is_allocated_is_counted(floats: int) -> None:
    gc.collect()
    before = stats()
    x = kagari.empty(floats)
    held = stats()
    size = held["allocated"] - before["allocated"]
    assert 4 * floats <= size <= max(8 * floats, 4 * floats + 2 * MIB, 64)
    assert held["allocations"] == before["allocations"] + 1
    assert held["reserved"] >= held["allocated"] and held["peak_allocated"] >= held["allocated"]
    del x
    assert stats()["allocated"] == before["allocated"]


@cached
def test_blocks_are_used_again() -> None:
    for floats in (16, 2_000, 500_000):
        x = kagari.empty(floats)
        where = x.data_ptr()
        del x
        before = stats()["cache_hits"]
        y = kagari.empty(floats)
        assert y.data_ptr() == where and stats()["cache_hits"] == before + 1


@cached
def test_empty_cache_gives_memory_back() -> None:
    kagari._core._empty_cache()
    before, reserved = resident(), stats()["reserved"]
    x = kagari.ones(16 * MIB)  # 64 MiB, every page touched
    del x
    assert stats()["reserved"] >= reserved + 64 * MIB
    kagari._core._empty_cache()
    assert stats()["reserved"] == reserved
    assert resident() < before + 16 * MIB


@cached
def test_kept_memory_has_a_limit() -> None:
    kagari._core._empty_cache()
    kagari._core._reset_peak_memory_stats()
    before = stats()["reserved"] - stats()["allocated"]  # in chunks of small blocks: these stay
    for size in range(8 * MIB, 40 * MIB, 2 * MIB):  # sixteen sizes, one after another
        kagari.empty(size, dtype=kagari.uint8)
    s = stats()
    kept = s["reserved"] - s["allocated"] - before
    assert kept <= max(s["peak_allocated"], 64 * MIB) + 4 * MIB


@cached
def test_peaks_can_be_forgotten() -> None:
    kagari.empty(8 * MIB)
    assert stats()["peak_allocated"] >= 32 * MIB
    kagari._core._reset_peak_memory_stats()
    assert stats()["peak_allocated"] == stats()["allocated"]


def test_tensors_may_be_freed_by_another_thread() -> None:
    start = stats()["allocated"]
    made: list[Any] = []

    def make() -> None:
        made.extend(kagari.full((n % 700 + 1,), float(n)) for n in range(3000))

    for _ in range(4):
        t = threading.Thread(target=make)
        t.start()
        t.join()
        assert all(x[0] == float(i % 3000) for i, x in enumerate(made))
        made.clear()  # frees here what the other thread, now gone, has allocated
    assert stats()["allocated"] == start


def test_threads_allocate_at_once() -> None:
    wrong: list[str] = []

    def work(seed: int) -> None:
        kept = [kagari.full((100 + seed,), float(seed)) for _ in range(50)]
        for i in range(400):
            kept[i % 50] = kagari.full((i * 37 % 9000 + 1,), float(seed))
            if not all((t == seed).all() for t in kept[:3]):
                wrong.append(f"thread {seed} reads what another wrote")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.parametrize("exponent", [42, 45, 48, 55, 57])
def test_out_of_memory_raises(exponent: int) -> None:
    before = resident()
    with pytest.raises(
        kagari.OutOfMemoryError, match=r"out of memory: tried to allocate .* GiB.*smaller"
    ):
        kagari.empty(1 << exponent, dtype=kagari.uint8)
    assert resident() < before + 8 * MIB
    assert kagari.ones(3).sum() == 3


LIMITED = """
import pathlib, kagari
from kagari import _core
limit = min(
    int(line.split()[1]) * 1024
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines()
    if line.startswith("MemTotal")
)
kept = []
try:
    for _ in range(64):
        kept.append(kagari.empty(limit // 2 + (1 << 30), dtype=kagari.uint8))
        kept[-1][:: 1 << 28] = 1
    # Mappings that nobody has written to count for nothing; what is refused is a request above what is left.
    kagari.empty(limit + (1 << 30), dtype=kagari.uint8)
except kagari.OutOfMemoryError as e:
    print("raised", "left" in str(e))
kept.clear()
print(kagari.ones(4).sum().item())
"""


@pytest.mark.skipif(
    "ASAN_OPTIONS" in os.environ,
    reason="AddressSanitizer keeps notes of every byte that is mapped: half the machine takes minutes",
)
def test_more_than_the_machine_has_is_refused_before_it_is_mapped() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["raised", "True", "4.0"], done.stderr


def test_out_of_memory_inside_an_op_leaves_things_usable() -> None:
    x = kagari.ones(1, requires_grad=True)
    wide = x.expand(1 << 45)
    with pytest.raises(kagari.OutOfMemoryError):
        wide * 2
    with pytest.raises(kagari.OutOfMemoryError):
        wide.clone()
    (x * 3).backward()
    assert x.grad.item() == 3


def test_blocks_are_aligned() -> None:
    for n in (1, 3, 17, 100, 4097, 70_001, 3_000_001):
        assert kagari.empty(n, dtype=kagari.uint8).data_ptr() % 64 == 0


BYPASSED = """
import kagari
x = kagari.ones(1000, 1000)
print(kagari._core._memory_stats()["reserved"], (x @ x).sum().item() == 1e9)
"""


def test_the_system_allocator_by_choice() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", BYPASSED],
        capture_output=True,
        text=True,
        env={**os.environ, "KAGARI_ALLOCATOR": "system"},
        check=True,
    )
    assert done.stdout.split() == ["0", "True"]
