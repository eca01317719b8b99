"""Fourier transforms: NumPy's values, gradients to second order, arguments and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kagari
from kagari import fft
from kagari.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((3, 4, 5))
COMPLEX = REAL + 1j * RNG.standard_normal((3, 4, 5))
ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
TOLERANCE = {"float32": 1e-5, "complex64": 1e-5, "float64": 1e-12, "complex128": 1e-12}


def signal(name: str) -> np.ndarray:
    return REAL if name in ("rfft", "ihfft") else COMPLEX


def same(got: Any, want: np.ndarray) -> None:
    array = got.detach().numpy()
    assert array.dtype == want.dtype and array.shape == want.shape
    np.testing.assert_allclose(array, want, rtol=0, atol=TOLERANCE[str(want.dtype)] * 20)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 1, 3, 8])
@pytest.mark.parametrize("dim", [-1, 0])
def test_one_dimension(name: str, norm: str | None, n: int | None, dim: int) -> None:
    x = signal(name)
    for dtype in (x.dtype, np.complex64 if x.dtype == np.complex128 else np.float32):
        want = getattr(np.fft, name)(x.astype(dtype), n, dim, norm)
        same(getattr(fft, name)(kagari.from_numpy(x.astype(dtype)), n, dim, norm), want)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize(
    ("s", "dim"), [(None, None), ((3, 6), (1, 2)), (None, (0,)), (None, (2, 0, 1))]
)
def test_several_dimensions(
    name: str, norm: str | None, s: tuple[int, ...] | None, dim: tuple[int, ...] | None
) -> None:
    x = signal(name)
    want = getattr(np.fft, name + "n")(x, s, dim, norm)
    same(getattr(fft, name + "n")(kagari.from_numpy(x), s, dim, norm), want)
    want = getattr(np.fft, name + "2")(x, norm=norm)
    same(getattr(fft, name + "2")(kagari.from_numpy(x), norm=norm), want)


def test_hermitian_transforms_of_several_dimensions_undo_each_other() -> None:
    x = kagari.from_numpy(REAL[:, :, :4])
    for norm in (None, "ortho", "forward"):
        assert fft.hfftn(fft.ihfftn(x, norm=norm), norm=norm).allclose(x)
        assert fft.hfft2(fft.ihfft2(x, norm=norm), norm=norm).allclose(x)
    first = fft.ihfftn(x, dim=(0, 2))
    assert first.allclose(fft.ifft(fft.ihfft(x, dim=2), dim=0))


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("form", ["", "n"])
def test_gradients(name: str, form: str) -> None:
    f = getattr(fft, name + form)
    inputs = [REAL[0]] if name in ("rfft", "ihfft") else [REAL[0], COMPLEX[0]]
    arguments: list[Any] = [{}, {"norm": "ortho"}]
    arguments += [{"s": (3, 6)}, {"s": (2, 1)}] if form else [{"n": 8}, {"n": 3, "dim": 0}]
    for array in inputs:
        x = kagari.from_numpy(array.copy()).requires_grad_()
        for kwargs in arguments:
            assert gradcheck(lambda t, k=kwargs: f(t, **k), (x,))
            assert gradgradcheck(lambda t, k=kwargs: f(t, **k), (x,))


def test_frequencies_and_shifts() -> None:
    for n in (1, 4, 5):
        np.testing.assert_allclose(fft.fftfreq(n, 0.5).tolist(), np.fft.fftfreq(n, 0.5))
        np.testing.assert_allclose(fft.rfftfreq(n, 0.5).tolist(), np.fft.rfftfreq(n, 0.5))
    assert fft.fftfreq(3, dtype=kagari.float64, requires_grad=True).requires_grad
    x = kagari.from_numpy(REAL)
    for dim in (None, 1, (0, 2)):
        same(fft.fftshift(x, dim), np.fft.fftshift(REAL, dim))
        same(fft.ifftshift(x, dim), np.fft.ifftshift(REAL, dim))


def test_dtypes_and_out() -> None:
    assert fft.fft(kagari.tensor([1, 2])).tolist() == [3, -1]
    assert fft.rfft(kagari.tensor([True, False])).dtype == kagari.complex64
    out = kagari.empty(0, dtype=kagari.complex64)
    assert fft.fft(kagari.ones(3), out=out) is out and out.tolist() == [3, 0, 0]
    assert fft.fft(kagari.ones(0, 3)).shape == (0, 3)
    assert fft.irfft(kagari.ones(0, 3)).shape == (0, 4)
    assert fft.fftn(kagari.tensor(2.0)).item() == 2
    assert fft.rfft(kagari.ones(2, 5, device="meta")).shape == (2, 3)
    assert fft.fft(kagari.ones(4, 3).T).tolist() == fft.fft(kagari.ones(3, 4)).tolist()


ERRORS = [
    (lambda: fft.fft(kagari.tensor(1.0)), IndexError, "tensor has no dimensions"),
    (lambda: fft.fft(kagari.ones(3).half()), RuntimeError, "Unsupported dtype"),
    (lambda: fft.fft(kagari.ones(3, 0)), RuntimeError, r"Invalid number of data points \(0\)"),
    (lambda: fft.hfft(kagari.ones(1)), RuntimeError, r"Invalid number of data points \(0\)"),
    (lambda: fft.fft(kagari.ones(3), norm="x"), RuntimeError, "Invalid normalization mode"),
    (lambda: fft.rfft(kagari.ones(3) + 0j), RuntimeError, "rfft expects a real input tensor"),
    (lambda: fft.fftn(kagari.ones(3), dim=(0, 0)), RuntimeError, "FFT dims must be unique"),
    (lambda: fft.fftn(kagari.ones(3), s=(1, 2)), RuntimeError, "Got shape with 2 values"),
    (lambda: fft.fftn(kagari.ones(3), s=(1, 2), dim=(0,)), RuntimeError, "must have the same"),
    (lambda: fft.fft2(kagari.ones(3)), IndexError, "Dimension out of range"),
    (lambda: fft.rfftn(kagari.tensor(1.0)), RuntimeError, "must transform at least one axis"),
    (lambda: fft.fft(kagari.ones(3), out=kagari.ones(3)), RuntimeError, "can't be cast"),
    (lambda: fft.fftfreq(3, dtype=kagari.int64), RuntimeError, "floating point or complex dtype"),
    (lambda: fft.fftshift(kagari.tensor(1.0)), RuntimeError, "`shifts` required"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
