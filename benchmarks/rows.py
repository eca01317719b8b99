"""What a benchmark row is, and the registry that the files in workloads/ fill.

A workload is written once against the API that kagari and PyTorch share. It gets the library as `m`
and returns what is timed:

- a function without arguments, timed with its call; or
- ``(statement, names)``: source text timed inside a bare loop, for work of less than some
  microseconds, where a call would weigh as much as the work. ``(statement, names, expression)``
  names the result where the statement has none.

The result of the first execution is compared between the libraries.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FAMILIES = ("overhead", "memory", "matmul", "conv", "models", "process")

Workload = Callable[[Any], Any]


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    family: str
    name: str
    title: str
    setup: Workload
    bar: float | None = None  # the least PyTorch's time / ours
    bar_tcmalloc: float | None = None  # the same against PyTorch on tcmalloc
    most: float | None = None  # the largest value of ours, in `unit`
    tolerance: float = 1e-4  # of the result, relative to its largest element
    unit: str = "s"  # or "MB" for a row that measures memory
    reads: float = 0.0  # bytes that must come from memory
    writes: float = 0.0  # bytes that must go there
    flops: float = 0.0  # operations of the textbook's formula, a multiply-add counts as two
    dtype: str = "float32"  # of these operations
    compiled: bool = False  # whether the workload passes something through `compiled`


ROWS: dict[str, Row] = {}


def row(title: str, **facts: Any) -> Callable[[Workload], Workload]:
    """Registers the decorated workload under its function's name; ``facts`` are fields of Row."""

    def register(setup: Workload) -> Workload:
        family = setup.__module__.rpartition(".")[2]
        name = f"{family}.{setup.__name__}"
        if name in ROWS:
            raise ValueError(f"two workloads are called {name}")
        ROWS[name] = Row(family, name, title, setup, **facts)
        return setup

    return register


class Compiler:
    """torch.compile in the process that measures it; in all others nothing is compiled."""

    compile: Callable[[Any], Any] | None = None
    used = 0


def compiled(thing: Any) -> Any:
    """``thing``, a model or the work itself, as the column "torch.compile" runs it."""
    if Compiler.compile is None:
        return thing
    Compiler.used += 1
    return Compiler.compile(thing)


def load_all() -> dict[str, Row]:
    """Imports every family; the rows in the order of their files."""
    for family in FAMILIES:
        importlib.import_module(f"workloads.{family}")
    return ROWS


def numbers(*shape: int, seed: int = 0) -> Any:
    """Normally distributed float32 numbers as a NumPy array."""
    import numpy  # here, since the rows of process.py time what they import

    return numpy.random.default_rng(seed).standard_normal(shape, dtype=numpy.float32)


def positions(count: int, *shape: int, seed: int = 0) -> Any:
    """Whole numbers below ``count`` as a NumPy array."""
    import numpy

    return numpy.random.default_rng(seed).integers(0, count, shape)


def data(m: Any, *shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    """Normally distributed numbers of ``shape``, the same for every library."""
    return m.from_numpy(numbers(*shape, seed=seed)).to(getattr(m, dtype))


def labels(m: Any, count: int, *shape: int, seed: int = 0) -> Any:
    """Whole numbers below ``count``, the same for every library."""
    return m.from_numpy(positions(count, *shape, seed=seed))
