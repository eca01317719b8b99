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
    bar: float | None  # the least PyTorch's time / ours
    bar_tcmalloc: float | None  # the same against PyTorch on tcmalloc
    tolerance: float  # of the result, relative to its largest element
    unit: str  # "s", or "MB" for a row that measures memory


ROWS: dict[str, Row] = {}


def row(
    title: str,
    *,
    bar: float | None = None,
    bar_tcmalloc: float | None = None,
    tolerance: float = 1e-4,
    unit: str = "s",
) -> Callable[[Workload], Workload]:
    """Registers the decorated workload under its function's name."""

    def register(setup: Workload) -> Workload:
        family = setup.__module__.rpartition(".")[2]
        name = f"{family}.{setup.__name__}"
        if name in ROWS:
            raise ValueError(f"two workloads are called {name}")
        ROWS[name] = Row(family, name, title, setup, bar, bar_tcmalloc, tolerance, unit)
        return setup

    return register


def load_all() -> dict[str, Row]:
    """Imports every family; the rows in the order of their files."""
    for family in FAMILIES:
        importlib.import_module(f"workloads.{family}")
    return ROWS


def data(m: Any, *shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    """Normally distributed numbers of ``shape``, the same for every library."""
    import numpy  # here, since the rows of process.py time what they import

    values = numpy.random.default_rng(seed).standard_normal(shape, dtype=numpy.float32)
    return m.from_numpy(values).to(getattr(m, dtype))


def labels(m: Any, count: int, *shape: int, seed: int = 0) -> Any:
    """Whole numbers below ``count``, the same for every library."""
    import numpy

    return m.from_numpy(numpy.random.default_rng(seed).integers(0, count, shape))
