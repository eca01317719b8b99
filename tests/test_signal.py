"""Short-time transforms and windows: definitions, inverses, gradients, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kagari
from kagari.autograd import gradcheck, gradgradcheck
from kagari.signal import windows

SIGNAL = np.random.default_rng(0).standard_normal((2, 40))
TOP = ("bartlett", "blackman", "hamming", "hann", "kaiser")


# ---- short-time transforms ----------------------------------------------------------------------


def frames(x: np.ndarray, n: int, hop: int) -> np.ndarray:
    count = 1 + (x.shape[-1] - n) // hop
    return np.stack([x[..., i * hop : i * hop + n] for i in range(count)], -2)


@pytest.mark.parametrize("normalized", [False, True])
def test_stft(normalized: bool) -> None:
    w = np.hanning(8)
    want = np.fft.rfft(frames(SIGNAL, 8, 3) * w, norm="ortho" if normalized else None)
    x, window = kagari.from_numpy(SIGNAL), kagari.from_numpy(w)
    options = {"window": window, "center": False, "normalized": normalized}
    got = kagari.stft(x, 8, 3, return_complex=True, **options)
    np.testing.assert_allclose(got.numpy(), want.swapaxes(1, 2), atol=1e-12)
    assert x[0].stft(8, 3, return_complex=True, **options).allclose(got[0])
    pairs = kagari.stft(x, 8, 3, return_complex=False, **options)
    assert pairs.equal(kagari.view_as_real(got))
    whole = kagari.stft(x, 8, 3, return_complex=True, onesided=False, **options)
    assert whole.shape[1] == 8 and whole[:, :5].allclose(got)


def test_stft_pads() -> None:
    x = kagari.from_numpy(SIGNAL)
    for mode, numpy_mode in [("reflect", "reflect"), ("constant", "constant")]:
        padded = kagari.from_numpy(np.pad(SIGNAL, ((0, 0), (4, 4)), numpy_mode))
        a = kagari.stft(x, 8, pad_mode=mode, return_complex=True)
        assert a.allclose(kagari.stft(padded, 8, center=False, return_complex=True))
    small = kagari.stft(x, 8, win_length=4, center=False, return_complex=True)
    w = kagari.tensor([0.0, 0, 1, 1, 1, 1, 0, 0], dtype=kagari.float64)
    assert small.allclose(kagari.stft(x, 8, 2, window=w, center=False, return_complex=True))


@pytest.mark.parametrize("onesided", [True, False])
@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("win_length", [8, 6])
def test_istft_undoes_stft(onesided: bool, normalized: bool, win_length: int) -> None:
    x = kagari.from_numpy(SIGNAL)
    options: dict[str, Any] = {
        "hop_length": 2,
        "win_length": win_length,
        "window": kagari.hann_window(win_length, dtype=kagari.float64) + 0.1,
        "onesided": onesided,
        "normalized": normalized,
    }
    spectrum = kagari.stft(x, 8, return_complex=True, **options)
    assert kagari.istft(spectrum, 8, length=40, **options).allclose(x)
    assert spectrum[0].istft(8, **options).allclose(x[0])
    z = x + 1j * x.flip(1)
    options["onesided"] = False
    back = kagari.istft(kagari.stft(z, 8, **options), 8, return_complex=True, **options)
    assert back.allclose(z)


def test_istft_fills_up() -> None:
    spectrum = kagari.stft(kagari.ones(12), 4, return_complex=True)
    with pytest.warns(UserWarning, match="shorter than the length parameter"):
        y = kagari.istft(spectrum, 4, length=16)
    assert y[:12].allclose(kagari.ones(12)) and y[14:].tolist() == [0, 0]


def test_gradients() -> None:
    x = kagari.from_numpy(SIGNAL[:, :12].copy()).requires_grad_()
    w = kagari.from_numpy(np.hamming(4)).requires_grad_()
    f = lambda x, w: kagari.stft(x, 4, 2, window=w, return_complex=True)  # noqa: E731
    assert gradcheck(f, (x, w)) and gradgradcheck(f, (x, w))
    z = f(x, w).detach().requires_grad_()
    g = lambda z, w: kagari.istft(z, 4, 2, window=w)  # noqa: E731
    assert gradcheck(g, (z, w)) and gradgradcheck(g, (z, w))


ONES = kagari.ones(8)
Z = kagari.ones(3, 4, dtype=kagari.complex64)
ERRORS = [
    (lambda: kagari.stft(ONES, 4), "return_complex parameter be given"),
    (lambda: kagari.stft(ONES.long(), 4, return_complex=True), "floating point or complex values"),
    (lambda: kagari.stft(ONES[0], 4, return_complex=True), "expected a 1D or 2D tensor"),
    (lambda: kagari.stft(ONES, 9, center=False, return_complex=True), "expected 0 < n_fft <= 8"),
    (lambda: kagari.stft(ONES, 4, 0, return_complex=True), "expected hop_length > 0"),
    (lambda: kagari.stft(ONES, 4, win_length=5, return_complex=True), "0 < win_length <= n_fft=4"),
    (lambda: kagari.stft(ONES, 4, window=ONES, return_complex=True), "size equal to win_length=4"),
    (lambda: kagari.stft(ONES + 0j, 4, onesided=True), "has no onesided spectrum"),
    (
        lambda: kagari.stft(ONES, 4, return_complex=True, align_to_window=True),
        "align_to_window for center = False",
    ),
    (lambda: kagari.istft(ONES, 4), "requires a complex-valued input"),
    (lambda: kagari.istft(Z[0], 4), "2 or 3 dimensions"),
    (lambda: kagari.istft(Z[:, :0], 4), "cannot be empty"),
    (lambda: kagari.istft(Z, 8), "frequency dimension"),
    (lambda: kagari.istft(Z, 4, 5), "0 < hop_length <= win_length=4"),
    (lambda: kagari.istft(Z, 4, 1, 5), "0 < win_length <= n_fft=4"),
    (lambda: kagari.istft(Z, 4, window=ONES), "size equal to win_length=4"),
    (lambda: kagari.istft(Z, 4, window=kagari.zeros(4)), "window overlap add min: 0"),
    (lambda: kagari.istft(Z, 4, return_complex=True), "has no onesided spectrum"),
    (lambda: kagari.istft(Z, 4, window=ONES[:4] + 0j), "complex windows"),
    (lambda: kagari.hann_window(-1), "non-negative window_length, got window_length=-1"),
    (lambda: kagari.hann_window(3, dtype=kagari.int32), "expects floating point dtypes"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call()


# ---- windows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 5, 8])
def test_windows_of_numpy(n: int) -> None:
    for name in TOP:
        more = (9.0,) if name == "kaiser" else ()
        numpy_name = {"hann": "hanning"}.get(name, name)
        want = getattr(np, numpy_name)(n, *more)
        extra = {"beta": 9.0} if more else {}
        top = getattr(kagari, f"{name}_window")(n, False, dtype=kagari.float64, **extra)
        np.testing.assert_allclose(top.numpy(), want, atol=1e-14)
        symmetric = getattr(windows, name)(n, dtype=kagari.float64, **extra)
        np.testing.assert_allclose(symmetric.numpy(), want, atol=1e-14)
        longer = getattr(np, numpy_name)(n + 1, *more)[:-1]
        periodic = getattr(kagari, f"{name}_window")(n, dtype=kagari.float64, **extra)
        np.testing.assert_allclose(periodic.numpy(), longer, atol=1e-14)
        periodic = getattr(windows, name)(n, sym=False, dtype=kagari.float64, **extra)
        np.testing.assert_allclose(periodic.numpy(), longer, atol=1e-14)


def test_windows_by_formula() -> None:
    k = np.arange(7)
    options = {"dtype": kagari.float64}
    table = [
        (windows.cosine(7, **options), np.sin(np.pi * (k + 0.5) / 7)),
        (windows.exponential(7, tau=2.0, **options), np.exp(-np.abs(k - 3) / 2)),
        (
            windows.exponential(7, center=1, sym=False, tau=2.0, **options),
            np.exp(-np.abs(k - 1) / 2),
        ),
        (windows.gaussian(7, std=1.5, **options), np.exp(-((k - 3) ** 2) / 4.5)),
        (windows.general_hamming(7, alpha=0.6, **options), 0.6 - 0.4 * np.cos(np.pi * k / 3)),
        (
            windows.nuttall(7, **options),
            0.3635819
            - 0.4891775 * np.cos(np.pi * k / 3)
            + 0.1365995 * np.cos(2 * np.pi * k / 3)
            - 0.0106411 * np.cos(np.pi * k),
        ),
        (windows.general_cosine(7, a=[0.3, 0.2], **options), 0.3 - 0.2 * np.cos(np.pi * k / 3)),
        (kagari.hamming_window(7, False, 0.6, 0.4, **options), 0.6 - 0.4 * np.cos(np.pi * k / 3)),
    ]
    for got, want in table:
        np.testing.assert_allclose(got.numpy(), want, atol=1e-14)


def test_short_windows_and_options() -> None:
    for name in windows.__all__:
        more = {"a": [0.5, 0.5]} if name == "general_cosine" else {}
        f = getattr(windows, name)
        assert f(0, **more).shape == (0,) and f(1, **more).item() == pytest.approx(1.0)
        assert f(3, requires_grad=True, **more).requires_grad
    for name in TOP:
        f = getattr(kagari, f"{name}_window")
        assert f(0).shape == (0,) and f(1).tolist() == [1] and f(4, requires_grad=True).is_leaf
    out = kagari.empty(0)
    assert kagari.hann_window(4, out=out) is out and out.shape == (4,)


WRONG = [
    (lambda: windows.hann(-1), ValueError, "non-negative window length, got M=-1"),
    (lambda: windows.hann(3, dtype=kagari.float16), ValueError, "expects float32 or float64"),
    (lambda: windows.hann(3, layout=kagari.sparse_coo), ValueError, "strided tensors only"),
    (lambda: windows.exponential(3, tau=0), ValueError, "Tau must be positive"),
    (lambda: windows.exponential(3, center=1), ValueError, "Center must be None"),
    (lambda: windows.gaussian(3, std=0), ValueError, "Standard deviation must be positive"),
    (lambda: windows.kaiser(3, beta=-1), ValueError, "beta must be non-negative"),
    (lambda: windows.general_cosine(3, a=1), TypeError, "Coefficients must be a list/tuple"),
    (lambda: windows.general_cosine(3, a=[]), ValueError, "Coefficients cannot be empty"),
]


@pytest.mark.parametrize(("call", "error", "text"), WRONG)
def test_wrong_windows(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# ---- PyTorch beside -----------------------------------------------------------------------------


@pytest.mark.conformance
@pytest.mark.filterwarnings("ignore:A window was not provided")
@pytest.mark.parametrize(
    ("center", "align"), [(True, None), (False, None), (False, True), (False, False)]
)
@pytest.mark.parametrize(("n", "hop", "size"), [(8, None, None), (8, 3, 6), (7, 2, 1)])
def test_stft_as_pytorch(
    center: bool, align: bool | None, n: int, hop: int | None, size: int | None
) -> None:
    torch = pytest.importorskip("torch")
    options = {"center": center, "align_to_window": align, "return_complex": True}
    want = torch.stft(torch.from_numpy(SIGNAL), n, hop, size, **options)
    got = kagari.stft(kagari.from_numpy(SIGNAL), n, hop, size, **options)
    assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(got.numpy(), want.numpy(), atol=1e-12)
    assert math.isfinite(float(got.abs().sum()))
