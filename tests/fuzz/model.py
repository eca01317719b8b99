"""What a call is made of: tensors as descriptions, and the random choices of one call."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any, TypeVar

V = TypeVar("V")

FLOATS = ("float32", "float64", "float16", "bfloat16")
COMPLEX = ("complex64", "complex128")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")
STORAGE_ONLY = ("float8_e4m3fn", "float8_e5m2", "complex32")
DTYPES = (*FLOATS, *COMPLEX, *INTEGERS, "bool", *STORAGE_ONLY)
# How often each occurs where an op takes all of them.
WEIGHTS = (40, 20, 5, 5, 4, 3, 10, 5, 2, 2, 4, 1, 1, 1, 6, 0, 0, 0)

VALUES = ("normal", "small", "unit", "zero", "one", "special", "huge", "bits")
LAYOUTS = ("c", "f", "s", "o", "x")


@dataclass
class Raw:
    """Text that stands in the call as it is."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass
class Tens:
    """A tensor argument. `layout`: contiguous, Fortran order, strided, offset, expanded.

    `values` may be ``index:n``: whole numbers from 0 to n-1. `grad`: 0 none, 1 a leaf, 2 an op's
    result. `alias`: the expression of another argument that stands in place of a new tensor.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    values: str = "normal"
    layout: str = "c"
    device: str = "cpu"
    grad: int = 0
    seed: int = 0
    alias: str = ""

    def text(self) -> str:
        parts = [repr(self.shape), repr(self.dtype), repr(self.values), repr(self.layout)]
        parts.append(str(self.seed))
        if self.device != "cpu":
            parts.append(f"device={self.device!r}")
        if self.grad:
            parts.append(f"grad={self.grad}")
        return f"T({', '.join(parts)})"


@dataclass
class Call:
    """One call: `target` is the callee's text, `args` by position or name (see `by_name`)."""

    target: str
    args: dict[str, Any]
    keywords: set[str] = field(default_factory=set)  # parameters that are given by name
    method: bool = False  # the first argument stands before the dot
    inplace: bool = False
    before: list[str] = field(default_factory=list)  # statements that come first

    def tensors(self) -> list[Tens]:
        return [t for value in self.args.values() for t in tensors_in(value)]


def tensors_in(value: Any) -> list[Tens]:
    if isinstance(value, Tens):
        return [value]
    if isinstance(value, list | tuple):
        return [t for v in value for t in tensors_in(v)]
    return []


def render(call: Call) -> str:
    """The statements that make the tensors and run the call; its result is `r`."""
    lines: list[str] = list(call.before)
    count = 0

    def word(value: Any) -> str:
        nonlocal count
        if isinstance(value, Tens):
            name = f"x{count}"
            count += 1
            # The first tensor may have become something else: then there is none to be an alias of.
            own = not value.alias or (name == "x0" and value.alias.startswith("x0"))
            lines.append(f"{name} = {value.text() if own else value.alias}")
            return name
        if isinstance(value, list):
            return f"[{', '.join(word(v) for v in value)}]"
        if isinstance(value, tuple):
            inner = ", ".join(word(v) for v in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        if isinstance(value, slice):
            return f"slice({word(value.start)}, {word(value.stop)}, {word(value.step)})"
        if (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value != value:
            return f"float('{value}')"
        return repr(value)

    parts = []
    for name, value in call.args.items():
        text = word(value)
        if name in call.keywords:
            text = f"**{{{name!r}: {text}}}" if iskeyword(name) else f"{name}={text}"
        parts.append(text)
    if call.method and parts and not parts[0].startswith("x"):
        lines.append(f"self = {parts[0]}")
        parts[0] = "self"
    if call.method:
        lines.append(f"r = {parts[0]}.{call.target}({', '.join(parts[1:])})")
    else:
        lines.append(f"r = {call.target}({', '.join(parts)})")
    return "\n".join(lines)


class Gen:
    """The choices of one call, all drawn from one seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def pick(self, options: Sequence[V]) -> V:
        return self.random.choice(options)

    def weighted(self, options: Sequence[V], weights: Sequence[float]) -> V:
        return self.random.choices(options, weights)[0]

    def int(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def size(self) -> int:
        return self.weighted((0, 1, 2, 3, 4, 5, 7, 17, 33), (3, 12, 20, 25, 15, 10, 8, 4, 3))

    def shape(self, low: int = 0, high: int = 4) -> tuple[int, ...]:
        n = max(low, min(high, self.weighted((0, 1, 2, 3, 4, 5), (10, 25, 30, 20, 10, 5))))
        sizes = [self.size() for _ in range(n)]
        while product(sizes) > 4096:
            sizes[sizes.index(max(sizes))] = 2
        return tuple(sizes)

    def full_shape(self, low: int = 0, high: int = 4) -> tuple[int, ...]:
        """Without sizes of zero."""
        return tuple(max(s, 1) for s in self.shape(low, high))

    def dtype(self, options: Sequence[str] | None = None) -> str:
        if options is None:
            return self.weighted(DTYPES, WEIGHTS)
        return options[0] if self.chance(0.5) else self.pick(options)

    def tensor(
        self,
        shape: tuple[int, ...],
        dtype: str | None = None,
        values: str | None = None,
        layout: str | None = None,
    ) -> Tens:
        if layout is None:
            layout = self.weighted(LAYOUTS, (60, 12, 12, 12, 4))
        if values is None:
            values = self.weighted(("normal", "small", "unit", "one"), (60, 20, 15, 5))
        return Tens(shape, dtype or self.dtype(), values, layout, seed=self.int(0, 99))

    def index(self, shape: tuple[int, ...], limit: int, dtype: str = "") -> Tens:
        return Tens(
            shape,
            dtype or self.weighted(("int64", "int32"), (9, 1)),
            f"index:{max(limit, 1)}",
            self.weighted(LAYOUTS, (70, 10, 10, 8, 2)),
            seed=self.int(0, 99),
        )

    def dim(self, n: int) -> int:
        return self.int(-max(n, 1), max(n, 1) - 1)

    def dims(self, n: int) -> list[int]:
        some = self.random.sample(range(n), self.int(0, n)) if n else []
        return [d - n if self.chance(0.3) else d for d in some]

    def broadcastable(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to `shape`."""
        kind = self.random.random()
        if kind < 0.6:
            return shape
        kept = shape[self.int(0, len(shape)) :]
        return tuple(1 if self.chance(0.3) else s for s in kept)

    def number(self) -> int | float:
        return self.pick((0, 1, 2, -1, 3, 0.5, 1.0, -2.5, 1e-3, 100, 0.0))

    def factors(self, n: int) -> tuple[int, ...]:
        """Sizes whose product is n."""
        sizes = []
        for p in (2, 3, 5, 7):
            while n > 1 and n % p == 0 and self.chance(0.8):
                sizes.append(p)
                n //= p
        sizes.append(n)
        self.random.shuffle(sizes)
        return tuple(sizes)


def product(sizes: Sequence[int]) -> int:
    total = 1
    for s in sizes:
        total *= s
    return total


Recipe = Callable[[Gen], dict[str, Any]]
