"""Convolutions that are not products: few channels to a group, many taps, steps of a gradient,
many small images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck

# images, weight, options
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    # one channel to a group
    ((2, 13, 17, 11), (13, 1, 3, 3), {"padding": 1, "groups": 13}),
    ((1, 32, 7, 7), (32, 1, 3, 3), {"padding": 1, "groups": 32}),
    ((2, 16, 9, 70), (16, 1, 3, 3), {"stride": 2, "padding": 1, "groups": 16}),
    ((3, 9, 14, 14), (9, 1, 5, 5), {"stride": (1, 2), "padding": 2, "groups": 9}),
    ((2, 8, 12, 13), (8, 1, 3, 2), {"dilation": (2, 3), "padding": 3, "groups": 8}),
    ((2, 8, 30), (8, 1, 4), {"padding": 3, "groups": 8}),
    ((1, 4, 1200), (4, 1, 3), {"stride": 3, "padding": 2, "groups": 4}),
    ((2, 12, 4, 5, 6), (12, 1, 2, 3, 3), {"padding": (1, 0, 1), "groups": 12}),
    ((1, 8, 10, 10), (8, 1, 1, 1), {"stride": 3, "groups": 8}),
    ((2, 8, 3, 3), (8, 1, 3, 3), {"groups": 8}),
    ((2, 8, 6, 1), (8, 1, 3, 1), {"padding": (1, 0), "groups": 8}),
    # few channels to a group
    ((2, 6, 9, 10), (12, 2, 3, 3), {"padding": 1, "groups": 3}),
    ((2, 16, 8, 8), (16, 4, 3, 3), {"stride": 2, "padding": 1, "groups": 4}),
    ((2, 3, 20, 21), (24, 1, 3, 3), {"padding": 1, "groups": 3}),
    ((1, 5, 40, 9), (1, 5, 3, 3), {"padding": 2}),
    # many taps
    ((2, 3, 30, 33), (19, 3, 7, 7), {"stride": 2, "padding": 3}),
    ((1, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}),
    ((2, 2, 19, 23), (10, 2, 4, 6), {"stride": (3, 4), "padding": (2, 1)}),
    ((2, 3, 16, 16), (20, 3, 4, 4), {"stride": 4}),
    ((1, 3, 70, 75), (71, 3, 5, 5), {"padding": 2}),
    ((3, 1, 60, 57), (32, 1, 3, 3), {}),
    ((2, 20, 600), (9, 20, 5), {"padding": 2}),
    ((1, 2, 1100), (7, 2, 9), {"stride": 2, "padding": 4, "dilation": 3}),
    ((2, 5, 6, 7, 9), (8, 5, 3, 3, 3), {"padding": 1}),
    ((1, 3, 6, 7, 9), (8, 3, 3, 2, 3), {"stride": (2, 1, 2), "padding": 1, "dilation": (1, 2, 1)}),
    ((1, 40, 9, 10), (7, 40, 3, 3), {"dilation": 2, "padding": 2}),
    # steps of a stride, of which some meet no tap
    ((2, 8, 28, 28), (16, 8, 4, 4), {"stride": 2, "padding": 1}),
    ((2, 4, 9, 14), (5, 4, 2, 1), {"stride": 3}),
    ((1, 4, 2, 5), (3, 4, 2, 2), {"stride": (4, 3), "padding": 1}),
    # small images: a lane for each where there are many
    ((8, 1, 8, 8), (16, 1, 3, 3), {"padding": 1}),
    ((19, 16, 8, 8), (16, 16, 3, 3), {"padding": 1}),
    ((16, 32, 4, 4), (32, 32, 3, 3), {"padding": 1}),
    ((9, 6, 14, 14), (16, 6, 5, 5), {}),
    ((8, 3, 1, 1), (5, 3, 3, 3), {"padding": 1}),
    ((7, 4, 5, 3), (13, 4, 1, 1), {"stride": (2, 1)}),
    ((33, 6, 7, 6), (9, 2, 3, 2), {"groups": 3, "padding": (2, 0), "dilation": (2, 1)}),
    ((24, 5, 6, 7), (7, 5, 4, 3), {"stride": (3, 2), "padding": (3, 2)}),
    ((10, 2, 3, 4, 5), (3, 2, 2, 3, 3), {"stride": (1, 2, 1), "padding": (1, 1, 2)}),
    ((12, 4, 60), (6, 4, 7), {"padding": 3, "dilation": 2}),
    ((8, 8, 4, 4), (8, 1, 3, 3), {"padding": 1, "groups": 8}),
    ((6, 2, 2, 400), (4, 2, 2, 5), {"padding": 4}),
]
THREADS = (1, 2, 3)


def digits(shape: tuple[int, ...], seed: int) -> Any:
    """Small integers, of which float32 sums are exact in any order."""
    values = np.random.default_rng([seed, *shape]).integers(-4, 5, shape)
    return kagari.from_numpy(values.astype(np.int64))


def in_layout(t: Any, last: bool) -> Any:
    formats = {4: kagari.channels_last, 5: kagari.channels_last_3d}
    return t.contiguous(memory_format=formats[t.ndim]) if last and t.ndim in formats else t


def listed(value: Any, dims: int) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,) * dims


def input_gradient(x: Any, w: Any, g: Any, options: dict[str, Any]) -> Any:
    """By a transposed convolution of integers, which is a product."""
    dims = x.ndim - 2
    get = [
        listed(options.get(k, d), dims) for k, d in (("stride", 1), ("padding", 0), ("dilation", 1))
    ]
    missing = [
        n - ((o - 1) * s - 2 * p + d * (k - 1) + 1)
        for n, o, k, s, p, d in zip(x.shape[2:], g.shape[2:], w.shape[2:], *get, strict=True)
    ]
    transposed = getattr(F, f"conv_transpose{dims}d")
    return transposed(
        g,
        w,
        stride=get[0],
        padding=get[1],
        output_padding=missing,
        groups=options.get("groups", 1),
        dilation=get[2],
    )


def weight_gradient(x: Any, w: Any, g: Any, options: dict[str, Any]) -> Any:
    """By convolutions of integers between channels, stride and dilation exchanged."""
    dims, groups = x.ndim - 2, options.get("groups", 1)
    exchanged = {
        "stride": options.get("dilation", 1),
        "dilation": options.get("stride", 1),
        "padding": options.get("padding", 0),
    }
    convolve = getattr(F, f"conv{dims}d")
    parts = []
    for xs, gs in zip(x.chunk(groups, 1), g.chunk(groups, 1), strict=True):
        y = convolve(xs.transpose(0, 1), gs.transpose(0, 1), **exchanged).transpose(0, 1)
        parts.append(y[(slice(None), slice(None), *(slice(k) for k in w.shape[2:]))])
    return kagari.cat(parts)


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("xs", "ws", "options"), SHAPES)
def test_small_integers_are_exact(xs: Any, ws: Any, options: Any, last: bool, dtype: Any) -> None:
    x, w, b = digits(xs, 0), digits(ws, 1), digits(ws[:1], 2)
    convolve = getattr(F, f"conv{len(xs) - 2}d")
    expected = convolve(x, w, b, **options)
    g = digits(tuple(expected.shape), 3)
    leaves = [in_layout(x, last).to(dtype), w.to(dtype), b.to(dtype)]
    y = convolve(*(t.requires_grad_() for t in leaves), **options)
    assert y.equal(expected.to(dtype))
    y.backward(in_layout(g, last).to(dtype))
    assert leaves[0].grad.equal(input_gradient(x, w, g, options).to(dtype))
    assert leaves[1].grad.equal(weight_gradient(x, w, g, options).to(dtype))
    assert leaves[2].grad.equal(g.sum([0, *range(2, g.ndim)]).to(dtype))


@pytest.fixture
def threads() -> Iterator[None]:
    count = kagari.get_num_threads()
    yield
    kagari.set_num_threads(count)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("xs", "ws", "options"), SHAPES)
@pytest.mark.usefixtures("threads")
def test_bits_depend_on_neither_threads_nor_batch(
    xs: Any, ws: Any, options: Any, last: bool
) -> None:
    convolve = getattr(F, f"conv{len(xs) - 2}d")
    many = (max(5, xs[0]), *xs[1:])
    generator = kagari.Generator().manual_seed(1)
    x, w = kagari.randn(*many, generator=generator), kagari.randn(*ws, generator=generator)
    x, b = in_layout(x, last), kagari.randn(ws[0], generator=generator)
    results: list[Any] = []
    for count in THREADS:
        kagari.set_num_threads(count)
        leaves = [t.clone().requires_grad_() for t in (x, w, b)]
        y = convolve(*leaves, **options)
        y.backward(y.detach())
        results.append([y.detach(), *(t.grad for t in leaves)])
    for other in results[1:]:
        assert all(p.equal(q) for p, q in zip(results[0], other, strict=True))
    alone = x[3:4].clone().requires_grad_()
    y = convolve(alone, w, b, **options)
    y.backward(y.detach())
    assert y.equal(results[0][0][3:4])
    assert alone.grad.equal(results[0][1][3:4])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("groups", [1, 8])
def test_what_lies_beside_a_window_takes_no_part(groups: int, last: bool) -> None:
    """An infinity reaches the results and gradients of the windows that see it, no others."""
    x = kagari.ones(1, 8, 6, 11)
    x[:, :, 2, 10] = float("inf")
    x = in_layout(x, last)
    w = kagari.ones(8, 8 // groups, 2, 2, requires_grad=True)
    y = F.conv2d(x, w, groups=groups)
    seen = kagari.zeros(5, 10, dtype=kagari.bool)
    seen[1:3, 9] = True
    assert y.isinf().equal(seen.expand_as(y))
    y.backward(kagari.ones_like(y))
    assert w.grad[..., 0].isfinite().all()
    assert w.grad[..., 1].isinf().all()


@pytest.mark.parametrize("batch", [1, 2, 3, 11, 16, 100])
@pytest.mark.usefixtures("threads")
def test_an_image_alone_is_the_image_in_any_batch(batch: int) -> None:
    """Also where weights are not finite: padding meets them, or does not, for all images alike."""
    generator = kagari.Generator().manual_seed(batch)
    x = kagari.randn(batch, 20, 5, 6, generator=generator)
    w = kagari.randn(18, 20, 3, 3, generator=generator)
    broken = w.clone()
    broken[3, 2, 0, 0], broken[17, 19, 2, 2] = float("inf"), float("nan")
    for weight in (w, broken):
        y = F.conv2d(x, weight, padding=1, bias=kagari.arange(18.0))
        for i in range(batch):
            alone = F.conv2d(x[i : i + 1], weight, padding=1, bias=kagari.arange(18.0))
            assert alone.equal(y[i : i + 1]) or alone.view(kagari.int32).equal(
                y[i : i + 1].view(kagari.int32)
            )


def test_infinities_stay_in_their_image() -> None:
    x = kagari.ones(16, 4, 6, 5)
    x[9, 2] = float("inf")
    w = kagari.ones(4, 4, 3, 3, requires_grad=True)
    y = F.conv2d(x, w, padding=1)
    assert y[9].isinf().all()
    assert y[:9].isfinite().all()
    assert y[10:].isfinite().all()
    y.backward(kagari.ones_like(y))
    assert w.grad[:, 2].isinf().all()
    assert w.grad[:, :2].isfinite().all()


@pytest.mark.parametrize("dims", [1, 2])
def test_output_padding_of_a_stride_or_more(dims: int) -> None:
    options = {"stride": 1, "dilation": 3, "output_padding": 2}
    transposed = getattr(F, f"conv_transpose{dims}d")
    x = kagari.randn(2, 3, *(4, 5)[:dims], dtype=kagari.float64, requires_grad=True)
    w = kagari.randn(3, 2, *(2, 3)[:dims], dtype=kagari.float64, requires_grad=True)
    y = transposed(x, w, **options)
    assert tuple(y.shape[2:]) == (9, 13)[:dims]
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert w.grad.shape == w.shape
    assert gradcheck(lambda *t: transposed(*t, **options), (x, w))
