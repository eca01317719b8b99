"""Fourier transforms: NumPy's values at every kind of length, layouts, threads, gradients, errors."""

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


# Every small length; then primes, their powers and products, long lines that are split in two, and
# convolutions that are short and long.
SMALL = (*range(1, 65), 81, 98, 121, 128, 169, 243, 256, 320, 343, 384, 480, 625)
LARGE = (
    67,
    97,
    199,
    211,
    402,
    509,
    512,
    521,
    1000,
    1009,
    1018,
    1024,
    1331,
    2048,
    3000,
    4096,
    4099,
    16384,
    30000,
)


def close(got: Any, want: np.ndarray, n: int) -> None:
    """Errors grow with the root of log n; they are judged against the size of the whole."""
    array = got.numpy()
    assert array.shape == want.shape
    single = array.dtype in (np.float32, np.complex64)
    allowed = (4e-7 if single else 8e-16) * (1 + np.log2(n)) ** 0.5
    assert np.abs(array - want).max() <= allowed * np.abs(want).max()


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("lengths", [SMALL, LARGE])
def test_lengths(lengths: tuple[int, ...], double: bool) -> None:
    rng = np.random.default_rng(1)
    for n in lengths:
        x = rng.standard_normal((11, n)) + 1j * rng.standard_normal((11, n))
        x = x.astype(np.complex128 if double else np.complex64)
        exact = x.astype(np.complex128)
        for form in (x, np.asfortranarray(x)):  # lines that are contiguous, lines side by side
            t = kagari.from_numpy(form)
            close(fft.fft(t), np.fft.fft(exact), n)
            close(fft.ifft(t), np.fft.ifft(exact), n)
            close(fft.rfft(t.real), np.fft.rfft(exact.real), n)
            close(fft.fft(t.real), np.fft.fft(exact.real), n)
            half = n // 2 + 1
            close(fft.irfft(t[:, :half], n), np.fft.irfft(exact[:, :half], n), n)
            close(fft.fft(t.mT, dim=0), np.fft.fft(exact.T, axis=0), n)
            close(fft.rfft(t.mT.real, dim=0), np.fft.rfft(exact.T.real, axis=0), n)


def test_layouts() -> None:
    x = RNG.standard_normal((4, 12, 6, 10)) + 1j * RNG.standard_normal((4, 12, 6, 10))
    t = kagari.from_numpy(x)
    for view, array in (
        (t[:, ::2], x[:, ::2]),
        (t[1:3, :, 1:, ::3], x[1:3, :, 1:, ::3]),
        (t.permute(2, 0, 3, 1), x.transpose(2, 0, 3, 1)),
        (t[:, :1].expand(4, 7, 6, 10), np.broadcast_to(x[:, :1], (4, 7, 6, 10))),
        (t[..., 3:4], x[..., 3:4]),
    ):
        for dims in ((0,), (1,), (3,), (1, 2), (3, 1), (0, 1, 2, 3)):
            same(fft.fftn(view, dim=dims), np.fft.fftn(array, axes=dims))
            same(fft.fftn(view.imag, dim=dims), np.fft.fftn(array.imag, axes=dims))
            same(fft.rfftn(view.real, dim=dims), np.fft.rfftn(array.real, axes=dims))
            if array.shape[dims[-1]] > 1:
                same(fft.irfftn(view, dim=dims), np.fft.irfftn(array, axes=dims))


@pytest.mark.parametrize("n", [8, 60, 100, 509, 512, 1024, 1031, 20000])
def test_a_line_has_the_same_bits_alone_in_a_batch_and_for_any_number_of_threads(n: int) -> None:
    rng = np.random.default_rng(2)
    x = kagari.from_numpy(rng.standard_normal((13, n)) + 1j * rng.standard_normal((13, n)))
    before = kagari.get_num_threads()
    try:
        for t in (x, x.to(kagari.complex64)):
            for f in (fft.fft, fft.ifft, lambda v: fft.rfft(v.real), fft.irfft):
                kagari.set_num_threads(1)
                want = f(t)
                assert f(t[5:6]).equal(want[5:6]) and f(t[12]).equal(want[12])
                for threads in (2, 3, 8):
                    kagari.set_num_threads(threads)
                    assert f(t).equal(want)
                    assert f(t[12]).equal(want[12])
    finally:
        kagari.set_num_threads(before)


def test_what_symmetry_makes_real_is_taken_as_real() -> None:
    x = kagari.from_numpy(COMPLEX)
    for n in (8, 9):
        want = x.clone()
        want[..., 0] = want[..., 0].real + 0j
        if n % 2 == 0:
            want[..., 4] = want[..., 4].real + 0j
        assert fft.irfft(x, n).equal(fft.irfft(want, n))


def test_primitives_check_their_arguments() -> None:
    ops = kagari._core.ops
    z = kagari.ones(3) + 0j
    for call, text in (
        (lambda: ops._fft_c2c(kagari.ones(3), (0,), "none", False), "expected complex64"),
        (lambda: ops._fft_r2c(z, (0,), "none", True), "expected float32 or float64"),
        (lambda: ops._fft_c2c(z, (0,), "half", False), "expected scale none, root or full"),
        (lambda: ops._fft_c2c(z, (), "none", False), "expected a dimension"),
        (lambda: ops._fft_c2r(z, 0, 8, "none"), "expected 5 elements of a spectrum of 8, got 3"),
    ):
        with pytest.raises(RuntimeError, match=text):
            call()


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
