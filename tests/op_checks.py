"""Strict checks of ops, driven by rows of a table: written once, used by every file in tests/ops.

A row names the op, gives a reference in NumPy on float64, and says where its numbers are drawn
from. From it follow the checks of values (every dtype and layout, 0-d, empty, broadcast), of
gradients against central differences to second order, and of the in-place and out= forms.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck

FLOATS = (kagari.float64, kagari.float32, kagari.bfloat16, kagari.float16)
INTEGERS = (kagari.int64, kagari.int32, kagari.int16, kagari.int8, kagari.uint8)
COMPLEX = (kagari.complex128, kagari.complex64)

# (relative, absolute): a few units in the last place of each dtype. Halves compute in float32 and
# are rounded once.
TOLERANCES = {
    kagari.float64: (4e-15, 1e-15),
    kagari.float32: (1e-6, 3e-7),
    kagari.bfloat16: (2**-8, 1e-6),
    kagari.float16: (2**-11, 1e-6),
    kagari.complex128: (1e-14, 1e-14),
    kagari.complex64: (2e-6, 1e-6),
}

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def between(low: float, high: float, *kinks: float) -> Draw:
    """Uniform numbers, none nearer than 0.05 to a point where a derivative jumps."""

    def draw(g: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        x = g.uniform(low, high, shape)
        for k in kinks:
            x = np.where(np.abs(x - k) < 0.05, k + np.where(x < k, -0.05, 0.05) * 2, x)
        return x

    return draw


def integers(low: int, high: int) -> Draw:
    return lambda g, shape: g.integers(low, high, shape)


def truths(g: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return g.random(shape) < 0.5


@dataclass(frozen=True)
class Row:
    name: str
    reference: Callable[..., Any]
    draws: tuple[Draw, ...]
    args: tuple[Any, ...] = ()  # behind the tensors, for the reference too
    kwargs: dict[str, Any] = field(default_factory=dict)
    dtypes: tuple[kagari.dtype, ...] = FLOATS
    grad: bool = True  # to second order
    loose: float = 1  # factor on the tolerances, with its reason beside the row
    inplace: bool = True
    function: bool = True
    out: bool = True
    result: kagari.dtype | None = None  # the result's dtype, where it is not the input's
    label: str = ""

    @property
    def id(self) -> str:
        return self.label or self.name

    def call(self, *tensors: Any, **more: Any) -> Any:
        return getattr(ops, self.name)(*tensors, *self.args, **self.kwargs, **more)

    def wanted(self, *arrays: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(self.reference(*arrays, *self.args, **self.kwargs))

    def arrays(self, *shapes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
        g = np.random.default_rng(seed)
        return [np.asarray(d(g, s)) for d, s in zip(self.draws, shapes, strict=True)]


def ids(rows: Any) -> dict[str, Any]:
    return {"argvalues": rows, "ids": [r.id for r in rows]}


def array(t: Any) -> np.ndarray:
    """A tensor's numbers, exactly, in the widest type of its kind."""
    t = t.detach()
    if t.is_complex():
        return t.to(kagari.complex128).numpy()
    return t.to(kagari.float64).numpy() if t.is_floating_point() else t.numpy()


def assert_close(got: Any, want: np.ndarray, dtype: kagari.dtype, loose: float = 1) -> None:
    assert tuple(got.shape) == want.shape
    if dtype not in TOLERANCES:
        np.testing.assert_array_equal(array(got), want)
        return
    relative, absolute = TOLERANCES[dtype]
    np.testing.assert_allclose(array(got), want, rtol=relative * loose, atol=absolute * loose)


def assert_same(a: Any, b: Any) -> None:
    """The same dtype, shape and bits."""
    assert a.dtype == b.dtype and a.shape == b.shape
    np.testing.assert_array_equal(array(a), array(b))


def layouts(t: Any) -> Iterator[Any]:
    """The same values lying otherwise in memory."""
    if t.dim() == 0:
        yield kagari.stack([t, t])[1]
        return
    turned = tuple(reversed(range(t.dim())))
    yield t.permute(turned).contiguous().permute(turned)
    spread = kagari.zeros(tuple(2 * n + 1 for n in t.shape), dtype=t.dtype)
    window = spread[tuple(slice(1, None, 2) for _ in t.shape)]
    yield window.copy_(t)


# Shapes of up to three operands: vectors of several blocks, 0-d, empty, broadcast.
SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((),), ((0, 3),), ((7, 19),), ((2, 3, 1),)],
    2: [((), ()), ((0, 3), (3,)), ((5, 17), (5, 17)), ((4, 1), (3,)), ((), (6,)), ((2, 3), ())],
    3: [((), (), ()), ((0, 2), (2,), ()), ((5, 9),) * 3, ((3, 1), (4,), (1, 4))],
}


SMALL: dict[int, list[tuple[tuple[int, ...], ...]]] = {  # every element is moved by itself
    1: [((2, 3),), ((),)],
    2: [((2, 3), (3,)), ((2,), ())],
    3: [((2, 1), (2,), ())],
}


def tensors_of(row: Row, arrays: list[np.ndarray], dtype: kagari.dtype) -> list[Any]:
    made = [kagari.tensor(a) for a in arrays]
    return [t if t.dtype == kagari.bool and dtype != kagari.bool else t.to(dtype) for t in made]


def check_values(row: Row) -> None:
    for dtype, shapes in itertools.product(row.dtypes, SHAPES[len(row.draws)]):
        given = tensors_of(row, row.arrays(*shapes), dtype)
        before = [t.clone() for t in given]
        got = row.call(*given)
        assert got.dtype == (row.result or dtype), (dtype, shapes)
        assert_close(got, row.wanted(*map(array, given)), got.dtype, row.loose)
        for t, b in zip(given, before, strict=True):
            assert_same(t, b)  # inputs are not written
        for others in zip(*map(layouts, given), strict=False):
            assert_same(row.call(*others), got)
        method = getattr(given[0], row.name, None)
        if row.function and method is not None:
            assert_same(method(*given[1:], *row.args, **row.kwargs), got)


def check_gradients(row: Row) -> None:
    for shapes in SMALL[len(row.draws)]:
        given = [t.requires_grad_() for t in tensors_of(row, row.arrays(*shapes), kagari.float64)]
        assert gradcheck(row.call, given)
        assert gradgradcheck(row.call, given)


def check_inplace(row: Row) -> None:
    shapes = SHAPES[len(row.draws)][2]
    for dtype in row.dtypes:
        given = tensors_of(row, row.arrays(*shapes), dtype)
        want = row.call(*given)
        if not kagari.can_cast(want.dtype, dtype):
            continue
        target = given[0].clone()
        version = target._version
        got = getattr(ops, row.name + "_")(target, *given[1:], *row.args, **row.kwargs)
        assert got is target and target._version > version
        assert_same(target, want.to(dtype))
    wide = kagari.ones(2, dtype=row.dtypes[0]).expand(3, 2)  # several elements share a place
    rest = [kagari.ones(3, 2, dtype=row.dtypes[0]) for _ in row.draws[1:]]
    with pytest.raises(RuntimeError, match="single memory location"):
        getattr(ops, row.name + "_")(wide, *rest, *row.args, **row.kwargs)


def check_out(row: Row) -> None:
    shapes = SHAPES[len(row.draws)][2]
    given = tensors_of(row, row.arrays(*shapes), row.dtypes[0])
    want = row.call(*given)
    empty = kagari.empty(0, dtype=want.dtype)
    assert row.call(*given, out=empty) is empty
    assert_same(empty, want)
    turned = kagari.empty(want.shape[::-1], dtype=want.dtype).t()
    row.call(*given, out=turned)
    assert_same(turned, want)
    shared = kagari.empty(1, dtype=want.dtype).expand(want.shape)
    with pytest.raises(RuntimeError, match="single memory location"):
        row.call(*given, out=shared)
    if want.is_floating_point():
        with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
            row.call(*given, out=kagari.empty(want.shape, dtype=kagari.int64))
        leaf = kagari.empty(want.shape, dtype=want.dtype, requires_grad=True)
        with pytest.raises(RuntimeError, match="requires grad"):
            row.call(*given, out=leaf)
