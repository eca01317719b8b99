"""Pooling: values and places, gradients to second order, layouts and errors."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck


def listed(v: Any, dims: int) -> tuple[int, ...]:
    return tuple(v) if isinstance(v, tuple) else (v,) * dims


def windows(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool
) -> list[tuple[list[int], int]]:
    """The elements of each window of one dimension, and how many count with padding."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    count = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (count - 1) * stride >= size + padding:
        count -= 1
    found = []
    for o in range(count):
        first = o * stride - padding
        inside = [p for p in range(first, first + kernel * dilation, dilation) if 0 <= p < size]
        found.append((inside, min(first + kernel, size + padding) - first))
    return found


def adaptive(size: int, count: int) -> list[tuple[list[int], int]]:
    bounds = [(o * size // count, -(-(o + 1) * size // count)) for o in range(count)]
    return [(list(range(a, b)), b - a) for a, b in bounds]


def pooled(x: np.ndarray, axes: list[list[tuple[list[int], int]]], mean: Any) -> Any:
    """Maxima with their places, or means where `mean` says what they divide by."""
    dims = len(axes)
    spatial = x.shape[-dims:]
    flat = x.reshape(-1, *spatial)
    out = tuple(len(a) for a in axes)
    values = np.zeros((len(flat), *out))
    places = np.zeros((len(flat), *out), np.int64)
    for o in itertools.product(*map(range, out)):
        parts = [axis[i] for axis, i in zip(axes, o, strict=True)]
        points = list(itertools.product(*(p for p, _ in parts)))
        for n, picture in enumerate(flat):
            elements = [picture[p] for p in points]
            if mean:
                values[(n, *o)] = sum(elements) / mean(parts)
                continue
            best = int(np.argmax(elements))
            values[(n, *o)] = elements[best]
            places[(n, *o)] = np.ravel_multi_index(points[best], spatial)
    shape = (*x.shape[:-dims], *out)
    return values.reshape(shape), places.reshape(shape)


def picture(shape: tuple[int, ...], dtype: Any = kagari.float64) -> tuple[np.ndarray, Any]:
    """Elements far enough apart for central differences."""
    rng = np.random.default_rng(list(shape))
    x = rng.permutation(math.prod(shape)).reshape(shape) / 7.0
    return x, kagari.from_numpy(x).to(dtype)


def lay(t: Any, last: bool) -> Any:
    formats = {4: kagari.channels_last, 5: kagari.channels_last_3d}
    return t.contiguous(memory_format=formats[t.dim()]) if last and t.dim() in formats else t


def same(got: Any, expected: np.ndarray, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(np.asarray(got.tolist()), expected, tolerance, tolerance)


def differentiable(f: Any, x: Any) -> None:
    x = x.detach().clone().requires_grad_()
    assert gradcheck(f, (x,), eps=1e-4)
    assert gradgradcheck(f, (x,), eps=1e-4)


SHAPES = {1: (2, 3, 13), 2: (2, 3, 7, 9), 3: (1, 2, 5, 6, 7)}
MAX_CASES = [(2,), (3, 2, 1), (3, 1, 1, 2), (2, 2, 0, 1, True), (3, 3, 1, 1, True)]
MEAN_CASES = [
    (2,),
    (3, 2, 1),
    (3, 2, 1, True),
    (3, 2, 1, True, False),
    (4, 1, 2, False, False),
]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("args", MAX_CASES)
def test_maxima(dims: int, args: tuple[Any, ...], last: bool) -> None:
    kernel = args[0]
    stride, padding, dilation, ceil = [
        args[i] if len(args) > i else d for i, d in enumerate((kernel, 0, 1, False), 1)
    ]
    x, t = picture(SHAPES[dims])
    axes = [windows(n, kernel, stride, padding, dilation, ceil) for n in x.shape[2:]]
    values, places = pooled(x, axes, None)
    t = lay(t, last)
    got = getattr(ops, f"max_pool{dims}d_with_indices")(t, *args)
    same(got[0], values)
    assert got[1].tolist() == places.tolist()
    f = getattr(ops, f"max_pool{dims}d")
    same(f(t, *args), values)
    same(f(t[0], *args), values[0])
    if last and dims == 2:
        assert got[0].is_contiguous(memory_format=kagari.channels_last)
    differentiable(lambda a: f(a, *args), t)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("args", MEAN_CASES)
def test_means(dims: int, args: tuple[Any, ...], last: bool) -> None:
    kernel = args[0]
    stride, padding, ceil, include = [
        args[i] if len(args) > i else d for i, d in enumerate((kernel, 0, False, True), 1)
    ]

    def divisor(parts: Any) -> int:
        return math.prod(count if include else len(inside) for inside, count in parts)

    x, t = picture(SHAPES[dims])
    axes = [windows(n, kernel, stride, padding, 1, ceil) for n in x.shape[2:]]
    t = lay(t, last)
    f = getattr(ops, f"avg_pool{dims}d")
    same(f(t, *args), pooled(x, axes, divisor)[0])
    differentiable(lambda a: f(a, *args), t)


def test_divisor() -> None:
    _, t = picture(SHAPES[2])
    same(
        ops.avg_pool2d(t, 2, divisor_override=3), np.asarray(ops.avg_pool2d(t, 2).tolist()) * 4 / 3
    )


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("dims", "size"),
    [(1, (4,)), (2, (3, 4)), (2, (1, 1)), (2, (7, 11)), (2, (7, 9)), (3, (2, 3, 3))],
)
def test_adaptive(dims: int, size: tuple[int, ...], last: bool) -> None:
    x, t = picture(SHAPES[dims])
    t = lay(t, last)
    axes = [adaptive(n, o) for n, o in zip(x.shape[2:], size, strict=True)]
    mean = getattr(ops, f"adaptive_avg_pool{dims}d")
    maximum = getattr(ops, f"adaptive_max_pool{dims}d")
    same(mean(t, size), pooled(x, axes, lambda parts: math.prod(n for _, n in parts))[0])
    values, places = pooled(x, axes, None)
    same(maximum(t, size)[0], values)
    assert maximum(t, size)[1].tolist() == places.tolist()
    differentiable(lambda a: mean(a, size), t)
    differentiable(lambda a: maximum(a, size)[0], t)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("planes", [1, 2, 40])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 3), (3, 3), (7, 7), (4, 8), (5, 13), (33, 40)], ids=str
)
def test_images_that_are_one_window(size: tuple[int, int], planes: int, dtype: str) -> None:
    x = np.random.default_rng(planes).standard_normal((planes, 3, *size)).astype(dtype)
    x[0, 0, -1, -1] = np.inf  # no other image sees it
    t = kagari.from_numpy(x).requires_grad_()
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    expected = x.astype(np.float64).mean((2, 3))
    same(ops.adaptive_avg_pool2d(t, (1, 1))[..., 0, 0], expected, tolerance)
    same(ops.avg_pool2d(t, size)[..., 0, 0], expected, tolerance)
    same(ops.adaptive_avg_pool1d(t.flatten(2), 1)[..., 0], expected, tolerance)
    weights = kagari.arange(planes * 3.0).view(planes, 3, 1, 1).to(t.dtype)
    for count, y in (
        (size[0] * size[1], ops.adaptive_avg_pool2d(t, (1, 1))),
        (5, ops.avg_pool2d(t, size, divisor_override=5)),
    ):
        (g,) = kagari.autograd.grad((y * weights).sum(), t)
        assert kagari.equal(g, (weights / count).expand_as(g))


@pytest.mark.parametrize("width", [31, 32, 33, 300])
def test_means_of_long_lines(width: int) -> None:
    x = np.random.default_rng(width).standard_normal((2, 3, 2 * width + 1))
    axes = [adaptive(x.shape[-1], 2)]
    expected = pooled(x, axes, lambda parts: math.prod(n for _, n in parts))[0]
    same(ops.adaptive_avg_pool1d(kagari.from_numpy(x), 2), expected)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("args", [(3, 2, 1), (3, 1, 1), (2,), (3, 3, 1, 2)])
def test_ties_and_nan(args: tuple[int, ...], last: bool) -> None:
    """The first of equal maxima is taken, and the last NaN."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 3, (2, 4, 12, 13)).astype("float32")
    x[rng.random(x.shape) < 0.1] = np.nan
    t = lay(kagari.from_numpy(x), last)
    values, places = ops.max_pool2d_with_indices(t, *args)
    kernel = args[0]
    stride, padding, dilation = [
        args[i] if len(args) > i else d for i, d in enumerate((kernel, 0, 1), 1)
    ]
    rows, columns = (windows(n, kernel, stride, padding, dilation, False) for n in (12, 13))
    got_values, got_places = np.asarray(values.tolist()), np.asarray(places.tolist())
    for n, c, i, j in np.ndindex(*got_values.shape):
        best, place = -math.inf, -1
        for h, w in itertools.product(rows[i][0], columns[j][0]):
            if x[n, c, h, w] > best or math.isnan(x[n, c, h, w]):
                best, place = x[n, c, h, w], h * 13 + w
        assert got_places[n, c, i, j] == place
        np.testing.assert_equal(got_values[n, c, i, j], best)
    np.testing.assert_equal(np.asarray(ops.max_pool2d(t, *args).tolist()), got_values)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 4), (8, 8), (5, 11), (40, 41)])
@pytest.mark.parametrize("args", [(2,), (3, 2, 1), (2, 1, 1, 3, True), (3, 3, 1, 1, True)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bfloat16"])
def test_many_planes_are_each_alone(dtype: str, args: Any, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(size)
    x = kagari.from_numpy(rng.integers(0, 9, (5, 7, *size))).to(getattr(kagari, dtype))
    try:
        values, places = ops.max_pool2d_with_indices(x, *args)
    except RuntimeError as error:
        assert "too small" in str(error)
        return
    alone = [ops.max_pool2d_with_indices(plane, *args) for plane in x.reshape(35, 1, *size)]
    assert values.equal(kagari.stack([v for v, _ in alone]).reshape(values.shape))
    assert places.equal(kagari.stack([p for _, p in alone]).reshape(places.shape))
    assert ops.max_pool2d(x, *args).equal(values)
    if dtype.startswith("float"):
        x.requires_grad_()
        g = kagari.from_numpy(rng.integers(-9, 9, tuple(values.shape))).to(x.dtype)
        (got,) = kagari.autograd.grad(ops.max_pool2d(x, *args), x, g)
        want = kagari.zeros(35, size[0] * size[1], dtype=x.dtype)
        want.scatter_add_(1, places.reshape(35, -1), g.reshape(35, -1))
        assert got.equal(want.reshape(x.shape))


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64"]
)
def test_dtypes(dtype: str) -> None:
    x = np.random.default_rng(1).integers(0, 100, (2, 3, 6, 6))
    t = kagari.from_numpy(x).to(getattr(kagari, dtype))
    values, _ = pooled(x, [windows(6, 3, 2, 1, 1, False)] * 2, None)
    same(ops.max_pool2d(t, 3, 2, 1), values)


def test_empty_and_meta() -> None:
    assert tuple(ops.max_pool2d(kagari.zeros(0, 3, 8, 8), 2).shape) == (0, 3, 4, 4)
    assert tuple(ops.avg_pool2d(kagari.zeros(2, 3, 8, 8, device="meta"), 2).shape) == (2, 3, 4, 4)


def ones(*shape: int) -> Any:
    return kagari.ones(*shape)


ERRORS = [
    (lambda: ops.max_pool2d(ones(2, 3), 2), "Expected 3D or 4D"),
    (lambda: ops.max_pool2d(ones(1, 1, 2, 2), 3), "Output size is too small"),
    (lambda: ops.max_pool2d(ones(1, 1, 4, 4), 2, 2, 2), "pad should be at most half"),
    (lambda: ops.max_pool2d(ones(1, 1, 4, 4), 2, 2, -1), "pad must be non-negative"),
    (lambda: ops.max_pool2d(ones(1, 1, 4, 4), (2, 2, 2)), "a single int, or a tuple of two ints"),
    (lambda: ops.max_pool2d(ones(1, 1, 4, 4), 0), "kernel size should be greater than zero"),
    (lambda: ops.avg_pool2d(ones(1, 1, 4, 4), 2, 0), "stride should be greater than zero"),
    (
        lambda: ops.avg_pool2d(ones(1, 1, 4, 4), 2, divisor_override=0),
        "divisor must be not zero",
    ),
    (lambda: ops.adaptive_avg_pool2d(ones(4, 4), 2), "Expected input to have 3 or 4 dimensions"),
    (lambda: ops.adaptive_max_pool1d(ones(1, 4), -1), "greater than or equal to 0"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call()
