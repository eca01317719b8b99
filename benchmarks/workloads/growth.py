"""How cost grows: the same work at sizes over six orders of magnitude; growth.py measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rows import Row, data, labels


@dataclass(frozen=True)
class Curve:
    """Work whose size is a number."""

    name: str
    title: str
    unit: str  # what is counted on the axis of sizes
    limit: str  # what bounds it, in words
    sizes: tuple[int, ...]
    count: Callable[[int], int]  # units in a size
    setup: Callable[[Any, int], Any]  # of the library and the size
    facts: Callable[[int], dict[str, float]]  # what Row says of reads, writes and flops

    def points(self) -> dict[int, Row]:
        """A row for every size."""
        blank = Row("growth", "", self.title, lambda m: None, tolerance=1e-3)
        return {
            n: replace(
                blank,
                name=f"growth.{self.name}.{n}",
                setup=partial(self.setup, n=n),
                **self.facts(n),
            )
            for n in self.sizes
        }


def _add(m: Any, n: int) -> Any:
    return "a + b", {"a": data(m, n), "b": data(m, n, seed=1)}


def _matmul(m: Any, n: int) -> Any:
    return "a @ b", {"a": data(m, n, n), "b": data(m, n, n, seed=1)}


CHANNELS = 16


def _conv(m: Any, n: int) -> Any:
    x, weight = data(m, 1, CHANNELS, n, n), data(m, CHANNELS, CHANNELS, 3, 3, seed=1)
    return "f(x, w, padding=1)", {"f": m.nn.functional.conv2d, "x": x, "w": weight}


def _chain(m: Any, n: int) -> Any:
    x = data(m, 8).requires_grad_()

    def step() -> Any:
        x.grad, y = None, x
        for _ in range(n):
            y = y * 1.000001
        y.sum().backward()
        return x.grad

    return step


def _plain_chain(m: Any, n: int) -> Any:
    x = data(m, 8)

    def step() -> Any:
        y = x
        for _ in range(n):
            y = y * 1.000001
        return y

    return step


WIDTH, BATCH = 16, 64


def _loader(m: Any, n: int) -> Any:
    from importlib import import_module

    tools = import_module(f"{m.__name__}.utils.data")
    samples = tools.TensorDataset(data(m, n, WIDTH), labels(m, 10, n))
    loader = tools.DataLoader(samples, batch_size=BATCH)

    def epoch() -> Any:
        last = None
        for batch in loader:
            last = batch
        return last

    return epoch


def _tens(last: int) -> tuple[int, ...]:
    return tuple(10**k for k in range(last + 1))


def _twos(last: int) -> tuple[int, ...]:
    return tuple(2**k for k in range(last + 1))


CURVES: dict[str, Curve] = {
    curve.name: curve
    for curve in (
        Curve(
            "add", "a + b, float32", "elements", "main memory's bandwidth",
            tuple(4**k for k in range(13)), lambda n: n, _add,
            lambda n: {"reads": 8 * n, "writes": 4 * n},
        ),
        Curve(
            "matmul", "a @ b, n × n, float32", "operations (2 n³)", "peak of the processor",
            _twos(11), lambda n: 2 * n**3, _matmul,
            lambda n: {"flops": 2 * n**3},
        ),
        Curve(
            "conv", "conv2d 3×3, 16→16 channels, one image", "pixels", "peak of the processor",
            _twos(10), lambda n: n * n, _conv,
            lambda n: {"flops": 18 * CHANNELS**2 * n * n},
        ),
        Curve(
            "tape", "chain of multiplications of 8 floats, recorded and differentiated",
            "nodes of the tape", "two calls without a tape",
            _tens(6), lambda n: n, _chain, lambda n: {},
        ),
        Curve(
            "loader", "DataLoader, batches of 64 of 16 floats and a label", "samples",
            "main memory's bandwidth",
            _tens(6), lambda n: n, _loader,
            lambda n: {"reads": (4 * WIDTH + 8) * n, "writes": (4 * WIDTH + 8) * n},
        ),
    )
}  # fmt: skip
# What the tape is held against: a call that records nothing.
FLOOR = replace(
    CURVES["tape"], name="plain_chain", sizes=(1000,), setup=_plain_chain, title="the chain alone"
)
POINTS: dict[str, Row] = {
    row.name: row for curve in (*CURVES.values(), FLOOR) for row in curve.points().values()
}
