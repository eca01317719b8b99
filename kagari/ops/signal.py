"""Short-time Fourier transforms and window functions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor, device, dtype, layout


# ---- short-time transforms ----------------------------------------------------------------------


def _window(
    name: str, window: Tensor | None, win_length: int, n_fft: int, like: Tensor
) -> Tensor | None:
    """The window, or ones, filled up with zeros on both sides to n_fft; None where all are one."""
    if window is None:
        if win_length == n_fft:
            return None
        window = like.new_ones(win_length, dtype=like.dtype.to_real())
    elif window.dim() != 1 or window.size(0) != win_length:
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, "
            f"but got window with size {tuple(window.shape)}"
        )
    left = (n_fft - win_length) // 2
    if win_length < n_fft:
        padded: Tensor = ops.constant_pad_nd(window, (left, n_fft - win_length - left))
        return padded
    return window


@composite(
    "stft(Tensor input, int n_fft, int? hop_length=None, int? win_length=None, "
    "Tensor? window=None, bool center=True, str pad_mode='reflect', bool normalized=False, "
    "bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> Tensor",
    method=True,
    autocast="fp32",
)
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: Tensor | None,
    center: bool,
    pad_mode: str,
    normalized: bool,
    onesided: bool | None,
    return_complex: bool | None,
    align_to_window: bool | None,
) -> Tensor:
    r"""The Fourier transforms of overlapping windows of a signal.

    .. math:: X_{k, m} = \sum_{j=0}^{n-1} w_j x_{j + m h} e^{-2 \pi i j k / n}

    Args:
        input (Tensor): a signal ``(L,)`` or a batch ``(B, L)``.
        n_fft (int): n, the size of the transforms.
        hop_length (int, optional): h, the steps between windows; ``n_fft // 4`` by default.
        win_length (int, optional): the size of the window; ``n_fft`` by default.
        window (Tensor, optional): w, ``(win_length,)``; ones by default.
        center (bool): pad the signal with ``n_fft // 2`` elements on both sides first.
        pad_mode (str): how: "reflect", "constant", "replicate" or "circular".
        normalized (bool): divide by the root of n.
        onesided (bool, optional): keep the non-negative frequencies only; where signal and window
            are real by default.
        return_complex (bool, optional): return complex numbers; False returns pairs of real ones.
            To be given where signal and window are real.
        align_to_window (bool, optional): without ``center``, let the first window, not the first
            transform, begin at the first element.

    Returns:
        ``(B, N, T)``: frequencies and windows; without B for a single signal.

    Raises:
        RuntimeError: a signal that is neither floating point nor complex, sizes that do not fit.

    Example:
        >>> import kagari
        >>> kagari.stft(kagari.ones(8), 4, return_complex=True).shape
        kagari.Size([3, 9])

    Reference: https://pytorch.org/docs/stable/generated/torch.stft.html
    """
    from kagari.nn.functional import pad

    if align_to_window is not None and center:
        raise RuntimeError("stft only supports align_to_window for center = False.")
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    complex_input = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None:
        if not complex_input:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs; "
                "pass return_complex=True"
            )
        return_complex = True
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            f"stft: expected a tensor of floating point or complex values, got {input.dtype}"
        )
    if input.dim() not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, got shape {tuple(input.shape)}")
    x = input if input.dim() == 2 else input.unsqueeze(0)
    if center:
        half = n_fft // 2
        x = pad(x.unsqueeze(1), (half, half), pad_mode).squeeze(1)
    if not 0 < n_fft <= x.size(1):
        raise RuntimeError(f"stft: expected 0 < n_fft <= {x.size(1)}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"stft: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < size <= n_fft:
        raise RuntimeError(
            f"stft: expected 0 < win_length <= n_fft={n_fft}, but got win_length={size}"
        )
    weights = _window("stft", window, size, n_fft, x)
    if align_to_window:
        # Windows begin at the first element: the zeros beside them lie outside of the signal.
        left = (n_fft - size) // 2
        x = ops.constant_pad_nd(x, (left, n_fft - size - left))
    frames = x.unfold(1, n_fft, hop)
    if weights is not None:
        frames = frames * weights
    if onesided and complex_input:
        raise RuntimeError(
            "stft: a complex signal or window has no onesided spectrum; pass onesided=False"
        )
    norm = "ortho" if normalized else None
    half_only = not complex_input if onesided is None else onesided
    spectrum = (ops.fft_rfft if half_only else ops.fft_fft)(frames, norm=norm).transpose(1, 2)
    if input.dim() == 1:
        spectrum = spectrum.squeeze(0)
    made: Tensor = spectrum if return_complex else ops.view_as_real(spectrum)
    return made


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """The sum of frames ``(B, T, n)`` that begin ``hop`` elements apart."""
    import kagari

    batch, count, n = frames.shape
    at = kagari.arange(count).unsqueeze(1) * hop + kagari.arange(n)
    total = frames.new_zeros((batch, n + hop * (count - 1)))
    return total.index_add(1, at.flatten(), frames.reshape(batch, count * n))


def _check_spectrum(input: Tensor) -> None:
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    if input.numel() == 0:
        raise RuntimeError("istft: input tensor cannot be empty")
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"istft: expected a tensor with 2 or 3 dimensions, got shape {tuple(input.shape)}"
        )


def _check_sizes(input: Tensor, n_fft: int, hop: int, size: int, onesided: bool) -> None:
    want = n_fft // 2 + 1 if onesided else n_fft
    if input.size(-2) != want:
        raise RuntimeError(
            f"istft: expected the frequency dimension (2nd to the last) of the input tensor to be "
            f"{want} with n_fft={n_fft} and onesided={onesided}, but got {input.size(-2)}"
        )
    if not 0 < hop <= size:
        raise RuntimeError(f"istft: expected 0 < hop_length <= win_length={size}, got {hop}")
    if not 0 < size <= n_fft:
        raise RuntimeError(f"istft: expected 0 < win_length <= n_fft={n_fft}, got {size}")


@composite(
    "istft(Tensor input, int n_fft, int? hop_length=None, int? win_length=None, "
    "Tensor? window=None, bool center=True, bool normalized=False, bool? onesided=None, "
    "int? length=None, bool return_complex=False) -> Tensor",
    method=True,
)
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: Tensor | None,
    center: bool,
    normalized: bool,
    onesided: bool | None,
    length: int | None,
    return_complex: bool,
) -> Tensor:
    r"""The signal that fits given short-time transforms best: the inverse of ``stft``.

    The inverse transforms are weighted by the window, added where they overlap and divided by the
    sum of the squared windows there.

    Args:
        input (Tensor): what ``stft`` returned, ``(N, T)`` or ``(B, N, T)``, complex.
        n_fft (int): the size of the transforms.
        hop_length (int, optional): the steps between windows; ``n_fft // 4`` by default.
        win_length (int, optional): the size of the window; ``n_fft`` by default.
        window (Tensor, optional): ``(win_length,)``; ones by default.
        center (bool): the signal was padded by ``stft``.
        normalized (bool): the transforms were divided by the root of n.
        onesided (bool, optional): non-negative frequencies only; by default where the number of
            frequencies differs from ``n_fft``.
        length (int, optional): cut or fill up the signal to this many elements.
        return_complex (bool): return a complex signal.

    Returns:
        ``(L,)`` or ``(B, L)``.

    Raises:
        RuntimeError: sizes that do not fit, or windows that leave an element without weight.

    Example:
        >>> import kagari
        >>> w = kagari.ones(4)
        >>> spectrum = kagari.stft(kagari.ones(8), 4, window=w, return_complex=True)
        >>> kagari.istft(spectrum, 4, window=w)
        tensor([1., 1., 1., 1., 1., 1., 1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.istft.html
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    _check_spectrum(input)
    half_only = onesided if onesided is not None else n_fft != input.size(-2)
    _check_sizes(input, n_fft, hop, size, half_only)
    if return_complex and half_only:
        raise RuntimeError(
            "istft: a complex signal has no onesided spectrum; pass onesided=False as well"
        )
    if not return_complex and window is not None and window.is_complex():
        raise RuntimeError("istft: complex windows are incompatible with return_complex=False")
    spectrum = (input if input.dim() == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        frames = ops.fft_ifft(spectrum, norm=norm)
    else:
        if not half_only:
            spectrum = spectrum.narrow(2, 0, n_fft // 2 + 1)
        frames = ops.fft_irfft(spectrum, n_fft, norm=norm)
    weights = _window("istft", window, size, n_fft, frames)
    if weights is None:
        weights = frames.new_ones(n_fft, dtype=frames.dtype.to_real())
    y = _overlap_add(frames * weights, hop)
    squares = weights * weights
    envelope = _overlap_add(squares.expand(1, frames.size(1), n_fft), hop)
    whole = y.size(1)
    start = n_fft // 2 if center else 0
    if length is not None:
        end = start + length
    else:
        end = whole - n_fft // 2 if center else whole
    y = y.narrow(1, start, max(min(end, whole) - start, 0))
    envelope = envelope.narrow(1, start, max(min(end, whole) - start, 0))
    lowest = float(envelope.detach().abs().min()) if envelope.numel() else math.inf
    if lowest <= 1e-11:
        raise RuntimeError(f"istft: window overlap add min: {lowest:g}; the windows leave a gap")
    y = y / envelope
    if end > whole:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded "
            "with zeros in the tail. Please check your center and hop_length settings.",
            stacklevel=2,
        )
        y = ops.constant_pad_nd(y, (0, end - whole))
    return y if input.dim() == 3 else y.squeeze(0)


# ---- windows ------------------------------------------------------------------------------------

_OPTIONS = (
    "ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
    "bool? pin_memory=None, bool? requires_grad=None"
)


def _make(
    name: str,
    window_length: int,
    periodic: bool,
    shape: Callable[[Tensor, int], Tensor],
    dtype: dtype | None,
    layout: layout | None,
    device: device | None,
    requires_grad: bool | None,
) -> Tensor:
    """shape(positions, size) for a window of that size, less its last element where periodic."""
    import kagari

    dtype = dtype or kagari.get_default_dtype()
    if not dtype.is_floating_point and not dtype.is_complex:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if layout is not None and layout != kagari.strided:
        raise RuntimeError(f"{name} is not implemented for layout {layout}")
    if window_length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={window_length}"
        )
    if window_length <= 1:
        made = kagari.ones(window_length, dtype=dtype, device=device)
    else:
        size = window_length + periodic
        made = shape(kagari.arange(size, dtype=dtype, device=device), size)
        made = made.narrow(0, 0, window_length).clone() if periodic else made
    return made.requires_grad_() if requires_grad else made


def _bartlett(k: Tensor, n: int) -> Tensor:
    x = k * (2 / (n - 1))
    rising = (n - 1) // 2 + 1
    falling = x.narrow(0, rising, n - rising) * -1 + 2
    made: Tensor = ops.cat([x.narrow(0, 0, rising), falling])
    return made


def _blackman(k: Tensor, n: int) -> Tensor:
    x = k * (math.pi / (n - 1))
    return (x * 4).cos() * 0.08 - (x * 2).cos() * 0.5 + 0.42


def _hamming(alpha: float, beta: float) -> Callable[[Tensor, int], Tensor]:
    return lambda k, n: (k * (math.pi * 2 / (n - 1))).cos() * -beta + alpha


def _kaiser(beta: float) -> Callable[[Tensor, int], Tensor]:
    def shape(k: Tensor, n: int) -> Tensor:
        middle = (n - 1) / 2
        r = (k - middle) / middle
        import kagari

        made: Tensor = ops.i0(beta * (1 - r * r).clamp_min(0).sqrt())
        return made / ops.i0(kagari.tensor(beta, dtype=k.dtype))

    return shape


_WINDOWS = {
    "bartlett": (r"1 - |2 k / (n - 1) - 1|", _bartlett),
    "blackman": (r"0.42 - 0.5 \cos(2 \pi k / (n - 1)) + 0.08 \cos(4 \pi k / (n - 1))", _blackman),
    "hann": (r"(1 - \cos(2 \pi k / (n - 1))) / 2", _hamming(0.5, 0.5)),
}


def _doc(name: str, formula: str, more: str = "") -> str:
    return f"""The {name.capitalize()} window: :math:`w_k = {formula}`.

Args:
    window_length (int): the number of elements.
    periodic (bool): leave out the last element of a window one longer, for use in ``stft``.
{more}
Returns:
    ``(window_length,)``, of the default dtype unless ``dtype`` is given.

Raises:
    RuntimeError: a negative length or an integer dtype.

Example:
    >>> import kagari
    >>> kagari.{name}_window(5).shape
    kagari.Size([5])

Reference: https://pytorch.org/docs/stable/generated/torch.{name}_window.html
"""


def _declare(name: str, formula: str, shape: Callable[[Tensor, int], Tensor]) -> None:
    full = f"{name}_window"

    def symmetric(window_length: int, *options: Any) -> Tensor:
        dtype, layout, device, _, requires_grad = options
        return _make(full, window_length, True, shape, dtype, layout, device, requires_grad)

    def periodic(window_length: int, periodic: bool, *options: Any) -> Tensor:
        dtype, layout, device, _, requires_grad = options
        return _make(full, window_length, periodic, shape, dtype, layout, device, requires_grad)

    doc = _doc(name, formula)
    composite(f"{full}(int window_length, *, {_OPTIONS}) -> Tensor", out=True, doc=doc)(symmetric)
    composite(
        f"{full}.periodic(int window_length, bool periodic, *, {_OPTIONS}) -> Tensor",
        out=True,
        doc=doc,
    )(periodic)


for _name, (_formula, _shape) in _WINDOWS.items():
    _declare(_name, _formula, _shape)


@composite(
    "hamming_window(int window_length, bool periodic=True, float alpha=0.54, float beta=0.46, *, "
    f"{_OPTIONS}) -> Tensor",
    out=True,
    doc=_doc(
        "hamming",
        r"\alpha - \beta \cos(2 \pi k / (n - 1))",
        "    alpha (float): see the formula.\n    beta (float): see the formula.\n",
    ),
)
def hamming_window(
    window_length: int,
    periodic: bool,
    alpha: float,
    beta: float,
    dtype: dtype | None,
    layout: layout | None,
    device: device | None,
    pin_memory: bool | None,
    requires_grad: bool | None,
) -> Tensor:
    """The Hamming window."""
    shape = _hamming(alpha, beta)
    name = "hamming_window"
    return _make(name, window_length, periodic, shape, dtype, layout, device, requires_grad)


@composite(
    "kaiser_window(int window_length, bool periodic=True, float beta=12.0, *, "
    f"{_OPTIONS}) -> Tensor",
    out=True,
    doc=_doc(
        "kaiser",
        r"I_0(\beta \sqrt{1 - (2 k / (n - 1) - 1)^2}) / I_0(\beta)",
        "    beta (float): see the formula.\n",
    ),
)
def kaiser_window(
    window_length: int,
    periodic: bool,
    beta: float,
    dtype: dtype | None,
    layout: layout | None,
    device: device | None,
    pin_memory: bool | None,
    requires_grad: bool | None,
) -> Tensor:
    """The Kaiser window."""
    shape = _kaiser(beta)
    name = "kaiser_window"
    return _make(name, window_length, periodic, shape, dtype, layout, device, requires_grad)
