"""Discrete Fourier transforms; kagari/ops/fft.py computes them."""

from __future__ import annotations

from kagari._core import functions as _functions

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

fft = _functions.fft_fft
fft2 = _functions.fft_fft2
fftfreq = _functions.fft_fftfreq
fftn = _functions.fft_fftn
fftshift = _functions.fft_fftshift
hfft = _functions.fft_hfft
hfft2 = _functions.fft_hfft2
hfftn = _functions.fft_hfftn
ifft = _functions.fft_ifft
ifft2 = _functions.fft_ifft2
ifftn = _functions.fft_ifftn
ifftshift = _functions.fft_ifftshift
ihfft = _functions.fft_ihfft
ihfft2 = _functions.fft_ihfft2
ihfftn = _functions.fft_ihfftn
irfft = _functions.fft_irfft
irfft2 = _functions.fft_irfft2
irfftn = _functions.fft_irfftn
rfft = _functions.fft_rfft
rfft2 = _functions.fft_rfft2
rfftfreq = _functions.fft_rfftfreq
rfftn = _functions.fft_rfftn
