"""Padding: values beside NumPy's, for every dtype and layout; gradients to second order; errors."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck, gradgradcheck

NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
PADS = [
    ((3, 4, 9), (2, 3)),
    ((2, 3, 5, 40), (1, 0, 2, 1)),
    ((2, 5, 7), (0, 2, 3, 0)),
    ((2, 3, 4, 5, 6), (1, 2, 0, 3, 2, 1)),
    ((1, 2, 3, 300), (0, 0, 1, 1)),
]


def numbers(shape: tuple[int, ...], dtype: kagari.dtype = kagari.float64) -> kagari.Tensor:
    x = np.random.default_rng(len(shape)).integers(-60, 60, shape)
    return kagari.tensor(x).to(dtype)


def pairs(shape: tuple[int, ...], pad: tuple[int, ...]) -> list[tuple[int, int]]:
    """NumPy's form of a padding."""
    own = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    return [(0, 0)] * (len(shape) - len(own)) + own


def layouts(x: kagari.Tensor) -> list[kagari.Tensor]:
    """The same numbers in other strides."""
    reverse = tuple(range(x.dim()))[::-1]
    wide = kagari.stack([x, x + 1], -1)[..., 0]
    return [x, x.permute(reverse).contiguous().permute(reverse), wide]


@pytest.mark.parametrize("dtype", [kagari.float64, kagari.bfloat16, kagari.int8, kagari.complex128])
@pytest.mark.parametrize(("shape", "pad"), PADS)
def test_values(shape, pad, dtype):
    x = numbers(shape, dtype)
    at = pairs(shape, pad)
    exact = kagari.complex128 if dtype.is_complex else kagari.float64
    for laid in layouts(x):
        for mode, numpy_mode in NUMPY.items():
            got = F.pad(laid, pad, mode).to(exact).numpy()
            np.testing.assert_array_equal(got, np.pad(x.to(exact).numpy(), at, numpy_mode))
        got = F.pad(laid, pad, value=7).to(exact).numpy()
        np.testing.assert_array_equal(got, np.pad(x.to(exact).numpy(), at, constant_values=7))


@pytest.mark.parametrize(
    ("shape", "pad"),
    [((3, 4, 9), (-2, 3)), ((2, 3, 5, 8), (-1, -2, 2, -1)), ((2, 3, 6), (-1, 4, 1, 1))],
)
def test_negative_padding_cuts(shape, pad):
    x = numbers(shape)
    at = pairs(shape, pad)
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, at, strict=True))
    grown = [(max(a, 0), max(b, 0)) for a, b in at]
    for laid in layouts(x):
        np.testing.assert_array_equal(F.pad(laid, pad).numpy(), np.pad(x.numpy()[cut], grown))
        around = np.pad(x.numpy()[cut], grown, "wrap")
        np.testing.assert_array_equal(F.pad(laid, pad, "circular").numpy(), around)
    edge = F.pad(numbers((1, 1, 6)), (-2, 3), "replicate")
    np.testing.assert_array_equal(edge[..., -3:].numpy(), np.full((1, 1, 3), edge[0, 0, 3].item()))


def test_constants_around_nothing():
    assert F.pad(kagari.zeros(2, 0), (1, 2), value=3.0).tolist() == [[3.0] * 3] * 2
    assert F.pad(kagari.zeros(2, 2), (-2, 1), value=3.0).tolist() == [[3.0]] * 2
    assert F.pad(kagari.zeros(3, 2), (0, 0, -1, -2)).shape == (0, 2)
    assert F.pad(kagari.tensor(5.0), ()).item() == 5


@pytest.mark.parametrize("mode", ["constant", *NUMPY])
@pytest.mark.parametrize(
    ("shape", "pad"),
    [((2, 3, 4), (2, 1)), ((1, 2, 3, 4), (2, 3, 1, 0)), ((2, 1, 2, 3, 3), (1, 2, 1, 1, 0, 1))],
)
def test_gradients_to_second_order(shape, pad, mode):
    x = (numbers(shape) / 7).requires_grad_()
    assert gradcheck(lambda x: F.pad(x, pad, mode), (x,))
    assert gradgradcheck(lambda x: F.pad(x, pad, mode).square(), (x,))


def test_gradients_of_any_strides():
    """The transpose: what each element's copies receive, added up."""
    x = numbers((2, 3, 5, 6)).requires_grad_()
    g = kagari.randn(8, 9, 3, 2, dtype=kagari.float64).permute(3, 2, 1, 0)
    for cotangent in (g, g[:1, :1, :1, :1].expand(2, 3, 9, 8)):
        (got,) = kagari.autograd.grad(F.pad(x, (1, 1, 2, 2), "reflect"), x, cotangent)
        places = F.pad(kagari.arange(180).view(2, 3, 5, 6), (1, 1, 2, 2), "reflect")
        want = np.bincount(places.flatten().numpy(), cotangent.contiguous().flatten().numpy())
        np.testing.assert_allclose(got.flatten().numpy(), want, rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.pad(kagari.zeros(1, 2, 3), (1, 3), "reflect"), RuntimeError, "less than the"),
        (lambda: F.pad(kagari.zeros(1, 2, 3), (4, 0), "circular"), RuntimeError, "more than once"),
        (lambda: F.pad(kagari.zeros(1, 2, 3), (-3, -1), "replicate"), RuntimeError, "cut less"),
        (lambda: F.pad(kagari.zeros(1, 2, 0), (1, 1), "replicate"), RuntimeError, "to pad with"),
        (lambda: F.pad(kagari.zeros(1, 2, 3), (-3, 2), "circular"), RuntimeError, "cuts all 3"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()
