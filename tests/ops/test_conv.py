"""Convolutions: values, gradients to second order, layouts, bits and errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck


def listed(v: Any, dims: int) -> tuple[int, ...]:
    return tuple(v) if isinstance(v, tuple) else (v,) * dims


def reference(
    x: np.ndarray, w: np.ndarray, stride: Any, padding: Any, dilation: Any, groups: int
) -> np.ndarray:
    """The sum over the kernel's elements of shifted images."""
    dims = x.ndim - 2
    stride, padding, dilation = (listed(v, dims) for v in (stride, padding, dilation))
    x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    kernel = w.shape[2:]
    out = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    ]
    y = np.zeros((x.shape[0], w.shape[0], *out), x.dtype)
    per_in, per_out = w.shape[1], w.shape[0] // groups
    for place in itertools.product(*map(range, kernel)):
        parts = zip(place, dilation, stride, out, strict=True)
        window = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, s, o in parts)
        for g in range(groups):
            image = x[(slice(None), slice(g * per_in, (g + 1) * per_in), *window)]
            taps = w[(slice(g * per_out, (g + 1) * per_out), slice(None), *place)]
            y[:, g * per_out : (g + 1) * per_out] += np.einsum("nc...,oc->no...", image, taps)
    return y


CASES = [
    ((2, 3, 9), (4, 3, 3), {}),
    ((2, 3, 9), (4, 3, 4), {"stride": 2, "padding": 1}),
    ((2, 4, 5, 6), (6, 4, 3, 3), {"padding": 1}),
    (
        (2, 4, 5, 6),
        (6, 2, 3, 2),
        {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2},
    ),
    ((2, 4, 5, 6), (4, 1, 3, 3), {"padding": 1, "groups": 4}),
    ((2, 4, 5, 6), (3, 4, 1, 1), {}),
    ((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), {"stride": (1, 2, 1), "padding": (1, 0, 1)}),
]
TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "complex128": 1e-12, "int64": 0}


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    if dtype == "int64":
        return rng.integers(-3, 4, shape)
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def tensor(x: np.ndarray, grad: bool = False) -> Any:
    t = kagari.from_numpy(x.copy())
    return t.requires_grad_() if grad else t


def image(x: np.ndarray, last: bool) -> Any:
    formats = {4: kagari.channels_last, 5: kagari.channels_last_3d}
    t = tensor(x)
    return t.contiguous(memory_format=formats[x.ndim]) if last and x.ndim in formats else t


def full(options: dict[str, Any]) -> tuple[Any, Any, Any, int]:
    get = options.get
    return get("stride", 1), get("padding", 0), get("dilation", 1), get("groups", 1)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("xs", "ws", "options"), CASES)
def test_values(xs: Any, ws: Any, options: Any, dtype: str, last: bool) -> None:
    x, w, b = numbers(xs, dtype), numbers(ws, dtype, 1), numbers(ws[:1], dtype, 2)
    f = getattr(ops, f"conv{len(xs) - 2}d")
    expected = reference(x, w, *full(options)) + b.reshape(-1, *(1,) * (len(xs) - 2))
    y = f(image(x, last), tensor(w), tensor(b), **options)
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(np.asarray(y.tolist()), expected, tolerance, tolerance * 10)
    if last and len(xs) == 4:
        assert y.is_contiguous(memory_format=kagari.channels_last)
    alone = f(tensor(x[0]), tensor(w), tensor(b), **options)
    np.testing.assert_allclose(np.asarray(alone.tolist()), expected[0], tolerance, tolerance * 10)


@pytest.mark.parametrize(("xs", "ws", "options"), CASES)
def test_gradients(xs: Any, ws: Any, options: Any) -> None:
    f = getattr(ops, f"conv{len(xs) - 2}d")
    inputs = [tensor(numbers(s, "float64", i), True) for i, s in enumerate((xs, ws, ws[:1]))]
    assert gradcheck(lambda *t: f(*t, **options), inputs)
    assert gradgradcheck(lambda *t: f(*t, **options), inputs)


@pytest.mark.parametrize(
    ("xs", "ws", "options"),
    [
        ((2, 3, 5), (3, 4, 3), {"stride": 2}),
        ((2, 4, 4, 3), (4, 3, 3, 3), {}),
        (
            (2, 4, 4, 3),
            (4, 2, 3, 2),
            {
                "stride": (2, 3),
                "padding": 1,
                "output_padding": (1, 0),
                "groups": 2,
                "dilation": (1, 2),
            },
        ),
        ((1, 2, 2, 3, 2), (2, 2, 2, 3, 2), {"stride": (1, 2, 1), "padding": (1, 0, 1)}),
    ],
)
def test_transposed_is_the_gradient(xs: Any, ws: Any, options: Any) -> None:
    dims = len(xs) - 2
    x, w = numbers(xs, "float64"), numbers(ws, "float64", 1)
    f = getattr(ops, f"conv_transpose{dims}d")
    y = f(tensor(x), tensor(w), **options)
    forward = {k: v for k, v in options.items() if k != "output_padding"}
    at = kagari.zeros(*y.shape, dtype=kagari.float64, requires_grad=True)
    getattr(ops, f"conv{dims}d")(at, tensor(w), **forward).backward(tensor(x))
    np.testing.assert_allclose(np.asarray(y.tolist()), np.asarray(at.grad.tolist()), 1e-12, 1e-11)
    bias = numbers((y.shape[1],), "float64", 2)
    inputs = [tensor(a, True) for a in (x, w, bias)]
    assert gradcheck(lambda *t: f(*t, **options), inputs)
    assert gradgradcheck(lambda *t: f(*t, **options), inputs)


# Small images with many channels: weights are packed where they lie, their gradients as they will.
SMALL = [
    ((5, 40, 3, 3), (56, 40, 3, 3), {"padding": 1}),
    ((4, 24, 5, 4), (60, 24, 3, 3), {"stride": 2, "padding": 1}),
    ((3, 24, 6, 5), (40, 12, 1, 1), {"stride": 2, "groups": 2}),
    ((2, 30, 4, 4), (42, 15, 2, 3), {"padding": (1, 2), "dilation": (2, 1), "groups": 2}),
    ((1, 300, 7), (20, 300, 3), {"padding": 1}),
    ((2, 20, 3, 3, 4), (32, 20, 2, 3, 1), {"padding": (1, 1, 0), "stride": (1, 1, 2)}),
]


@pytest.mark.parametrize("strided", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "float16"])
@pytest.mark.parametrize(("xs", "ws", "options"), SMALL)
def test_gradients_of_small_images(
    xs: Any, ws: Any, options: Any, dtype: str, strided: bool
) -> None:
    stride, padding, dilation, groups = full(options)
    dims = len(xs) - 2
    stride, padding, dilation = (listed(v, dims) for v in (stride, padding, dilation))

    def digits(shape: tuple[int, ...], seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        x = rng.integers(-2, 3, shape) * rng.integers(0, 2, shape)
        if dtype.startswith("complex"):
            x = x + 1j * rng.integers(-2, 3, shape)
        return x.astype(dtype)

    x, w = digits(xs, 1), digits(ws, 2)
    weight = (
        tensor(np.ascontiguousarray(w.swapaxes(0, -1))).transpose(0, -1) if strided else tensor(w)
    )
    at = [tensor(x).requires_grad_(), weight.requires_grad_(), tensor(digits(ws[:1], 3), True)]
    y = getattr(ops, f"conv{dims}d")(*at, **options)
    g = digits(tuple(y.shape), 4)
    exact = np.complex128 if dtype.startswith("complex") else np.float64
    wide_g = g.astype(exact)
    image = np.pad(x.astype(exact), [(0, 0), (0, 0), *((p, p) for p in padding)])
    dx, dw = np.zeros_like(image), np.zeros(ws, exact)
    per_in, per_out = ws[1], ws[0] // groups
    for place in itertools.product(*map(range, ws[2:])):
        parts = zip(place, dilation, stride, y.shape[2:], strict=True)
        window = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, s, o in parts)
        for j in range(groups):
            seen = (slice(None), slice(j * per_in, (j + 1) * per_in), *window)
            outs = slice(j * per_out, (j + 1) * per_out)
            taps = (outs, slice(None), *place)
            dw[taps] = np.einsum(
                "nop,ncp->oc",
                wide_g[:, outs].reshape(xs[0], per_out, -1),
                image[seen].conj().reshape(xs[0], per_in, -1),
            )
            dx[seen] += np.einsum("no...,oc->nc...", wide_g[:, outs], w[taps].astype(exact).conj())
    inside = tuple(slice(p, p + n) for p, n in zip(padding, xs[2:], strict=True))
    wanted = (dx[(slice(None), slice(None), *inside)], dw, wide_g.sum((0, *range(2, dims + 2))))
    for got, want in zip(kagari.autograd.grad(y, at, tensor(g)), wanted, strict=True):
        assert np.array_equal(np.asarray(got.tolist()), want)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_padding_by_name(size: int) -> None:
    x, w = numbers((2, 3, 7, 8), "float64"), numbers((4, 3, size, 3), "float64", 1)
    y = ops.conv2d(tensor(x), tensor(w), padding="same", dilation=(1, 2))
    before, total = (size - 1) // 2, size - 1
    padded = np.pad(x, [(0, 0), (0, 0), (before, total - before), (2, 2)])
    expected = reference(padded, w, 1, 0, (1, 2), 1)
    np.testing.assert_allclose(np.asarray(y.tolist()), expected, 1e-12, 1e-11)
    plain = ops.conv2d(tensor(x), tensor(w), padding="valid")
    np.testing.assert_allclose(
        np.asarray(plain.tolist()), reference(x, w, 1, 0, 1, 1), 1e-12, 1e-11
    )


def test_bits_depend_on_neither_threads_nor_batch() -> None:
    x, w, b = kagari.randn(3, 16, 20, 20), kagari.randn(24, 16, 3, 3), kagari.randn(24)
    threads = kagari.get_num_threads()
    results = []
    try:
        for count in (1, 2, 3):
            kagari.set_num_threads(count)
            leaves = [t.clone().requires_grad_() for t in (x, w, b)]
            y = ops.conv2d(*leaves, padding=1)
            (y * y).sum().backward()
            results.append([y.tolist(), *(t.grad.tolist() for t in leaves)])
    finally:
        kagari.set_num_threads(threads)
    assert results[0] == results[1] == results[2]
    assert ops.conv2d(x[1:2], w, b, padding=1).tolist()[0] == results[0][0][1]


def test_empty_batch() -> None:
    x = kagari.zeros(0, 3, 5, 5, requires_grad=True)
    w = kagari.ones(2, 3, 3, 3, requires_grad=True)
    y = ops.conv2d(x, w)
    y.sum().backward()
    assert tuple(y.shape) == (0, 2, 3, 3)
    assert w.grad.abs().sum().item() == 0


def ones(*shape: int) -> Any:
    return kagari.ones(*shape)


X, W = (1, 3, 5, 5), (4, 3, 3, 3)
ERRORS = [
    (lambda: ops.conv2d(ones(2, 3), ones(1, 1, 1, 1)), r"Expected 3D \(unbatched\) or 4D"),
    (lambda: ops.conv2d(ones(1, 2, 5, 5), ones(*W)), "to have 3 channels, but got 2"),
    (lambda: ops.conv2d(ones(1, 3, 2, 2), ones(*W)), "Kernel size can't be greater than"),
    (lambda: ops.conv2d(ones(*X), ones(*W), ones(5)), "expected bias to be 1-dimensional with 4"),
    (lambda: ops.conv2d(ones(*X), ones(*W), None, 0), "non-positive stride is not supported"),
    (lambda: ops.conv2d(ones(*X), ones(*W), None, (1, 2, 3)), "list of 2 values to match"),
    (lambda: ops.conv2d(ones(*X), ones(*W), None, 2, "same"), "for strided convolutions"),
    (lambda: ops.conv2d(ones(*X), ones(*W), None, 1, "foo"), "Invalid padding string: 'foo'"),
    (lambda: ops.conv2d(ones(*X), ones(*W).double()), "should be the same"),
    (lambda: ops.conv2d(ones(*X), ones(*W), padding=-1), "negative padding is not supported"),
    (lambda: ops.conv2d(ones(*X), ones(*W), dilation=0), "dilation should be greater than zero"),
    (lambda: ops.conv2d(ones(*X), ones(*W), groups=0), "non-positive groups is not supported"),
    (lambda: ops.conv2d(ones(1, 4, 5, 5), ones(3, 2, 3, 3), groups=2), "divisible by 2"),
    (lambda: ops.conv_transpose2d(ones(*X), ones(*W)), "transposed=1.*to have 4 channels"),
    (
        lambda: ops.conv_transpose2d(ones(*X), ones(3, 2, 3, 3), output_padding=1),
        "output padding must be smaller than either stride or dilation",
    ),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call()
