"""Window functions, symmetric by default."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import kagari

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


class _Options:
    """Where and in which dtype a window is made."""

    def __init__(
        self, name: str, M: int, dtype: Any, layout: Any, device: Any, requires_grad: bool
    ) -> None:
        self.dtype = dtype or kagari.get_default_dtype()
        if M < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={M}")
        if layout != kagari.strided:
            raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if self.dtype not in (kagari.float32, kagari.float64):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {self.dtype}")
        self.device = device
        self.requires_grad = requires_grad

    def ones(self, count: int) -> Tensor:
        made: Tensor = kagari.ones(count, dtype=self.dtype, device=self.device)
        return self.finish(made)

    def steps(self, start: Any, end: Any, count: int) -> Tensor:
        made: Tensor = kagari.linspace(start, end, count, dtype=self.dtype, device=self.device)
        return made

    def finish(self, window: Tensor) -> Tensor:
        return window.requires_grad_() if self.requires_grad else window


def _span(M: int, sym: bool) -> int:
    """Over how many elements a window reaches: one more where it is periodic."""
    return M if not sym and M > 1 else M - 1


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""A window that decays exponentially: :math:`w_k = e^{-|k - c| / \tau}`.

    Args:
        M (int): the number of elements.
        center (float, optional): c; the middle by default, and only that if ``sym``.
        tau (float): the constant of the decay.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, a ``tau`` that is not positive, a ``center`` with ``sym``, or
            a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.exponential(3)
        tensor([0.3679, 1.0000, 0.3679])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.exponential.html
    """
    o = _Options("exponential", M, dtype, layout, device, requires_grad)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if M == 0:
        return o.ones(0)
    middle = _span(M, sym) / 2 if center is None else center
    k = o.steps(-middle / tau, (-middle + (M - 1)) / tau, M)
    return o.finish((-k.abs()).exp())


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""Half a wave of a sine: :math:`w_k = \sin(\pi (k + 1/2) / M)`.

    Args:
        M (int): the number of elements.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.cosine(3)
        tensor([0.5000, 1.0000, 0.5000])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.cosine.html
    """
    o = _Options("cosine", M, dtype, layout, device, requires_grad)
    if M == 0:
        return o.ones(0)
    step = math.pi / (_span(M, sym) + 1)
    return o.finish(o.steps(0.5 * step, (0.5 + (M - 1)) * step, M).sin())


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""The bell curve: :math:`w_k = e^{-(k - c)^2 / (2 \sigma^2)}` around the middle c.

    Args:
        M (int): the number of elements.
        std (float): the standard deviation.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, a ``std`` that is not positive, or a dtype other than float32
            and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.gaussian(3)
        tensor([0.6065, 1.0000, 0.6065])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.gaussian.html
    """
    o = _Options("gaussian", M, dtype, layout, device, requires_grad)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M == 0:
        return o.ones(0)
    start = -_span(M, sym) / 2
    scale = 1 / (std * math.sqrt(2))
    k = o.steps(start * scale, (start + (M - 1)) * scale, M)
    return o.finish((-(k**2)).exp())


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""Kaiser's window: :math:`w_k = I_0(\beta \sqrt{1 - (2 k / (M - 1) - 1)^2}) / I_0(\beta)`.

    Args:
        M (int): the number of elements.
        beta (float): how narrow the window is.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M`` or ``beta``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.kaiser(3, beta=2.0)
        tensor([0.4387, 1.0000, 0.4387])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.kaiser.html
    """
    o = _Options("kaiser", M, dtype, layout, device, requires_grad)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M <= 1:
        return o.ones(M)
    b = kagari.tensor(beta, dtype=o.dtype, device=device)
    step = 2.0 * b / _span(M, sym)
    end = kagari.minimum(b, -b + (M - 1) * step)
    k = o.steps(-float(b), float(end), M)
    return o.finish(kagari.i0((b * b - k**2).sqrt()) / kagari.i0(b))


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""The Hamming window: :math:`w_k = 0.54 - 0.46 \cos(2 \pi k / (M - 1))`.

    Args:
        M (int): the number of elements.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.hamming(3)
        tensor([0.0800, 1.0000, 0.0800])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.hamming.html
    """
    o = _Options("hamming", M, dtype, layout, device, requires_grad)
    return _cosines(o, M, (0.54, 1 - 0.54), sym)


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""The Hann window: :math:`w_k = (1 - \cos(2 \pi k / (M - 1))) / 2`.

    Args:
        M (int): the number of elements.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.hann(3)
        tensor([0., 1., 0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.hann.html
    """
    o = _Options("hann", M, dtype, layout, device, requires_grad)
    return _cosines(o, M, (0.5, 0.5), sym)


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""The Blackman window: three cosines with the coefficients 0.42, 0.5 and 0.08.

    Args:
        M (int): the number of elements.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.blackman(5)[2]
        tensor(1.0000)

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.blackman.html
    """
    o = _Options("blackman", M, dtype, layout, device, requires_grad)
    return _cosines(o, M, (0.42, 0.5, 0.08), sym)


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""Nuttall's window: four cosines with a minimal largest side lobe.

    Args:
        M (int): the number of elements.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.nuttall(5)[2]
        tensor(1.0000)

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.nuttall.html
    """
    o = _Options("nuttall", M, dtype, layout, device, requires_grad)
    return _cosines(o, M, (0.3635819, 0.4891775, 0.1365995, 0.0106411), sym)


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""The triangle: :math:`w_k = 1 - |2 k / (M - 1) - 1|`.

    Args:
        M (int): the number of elements.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.bartlett(5)
        tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.bartlett.html
    """
    o = _Options("bartlett", M, dtype, layout, device, requires_grad)
    if M <= 1:
        return o.ones(M)
    step = 2 / _span(M, sym)
    return o.finish(1 - o.steps(-1, -1 + (M - 1) * step, M).abs())


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""A sum of cosines: :math:`w_k = \sum_i (-1)^i a_i \cos(2 \pi i k / (M - 1))`.

    Args:
        M (int): the number of elements.
        a (iterable of floats): the coefficients.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        TypeError: the coefficients are no iterable.
        ValueError: no coefficients, a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.general_cosine(3, a=[0.5, 0.5])
        tensor([0., 1., 0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.general_cosine.html
    """
    o = _Options("general_cosine", M, dtype, layout, device, requires_grad)
    return _cosines(o, M, a, sym)


def _cosines(o: _Options, M: int, a: Iterable[float], sym: bool) -> Tensor:
    if M == 0:
        return o.ones(0)
    if not isinstance(a, Iterable):
        raise TypeError(f"Coefficients must be a list/tuple, got {type(a).__name__}")
    coefficients = tuple(a)
    if not coefficients:
        raise ValueError("Coefficients cannot be empty")
    if M == 1:
        return o.ones(1)
    k = o.steps(0, (M - 1) * (2 * math.pi / _span(M, sym)), M)
    signed = [(-1) ** i * w for i, w in enumerate(coefficients)]
    weights = kagari.tensor(signed, dtype=o.dtype, device=o.device).unsqueeze(-1)
    i = kagari.arange(len(signed), dtype=o.dtype, device=o.device).unsqueeze(-1)
    return o.finish((weights * (i * k).cos()).sum(0))


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = kagari.strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    r"""A raised cosine: :math:`w_k = \alpha - (1 - \alpha) \cos(2 \pi k / (M - 1))`.

    Args:
        M (int): the number of elements.
        alpha (float): see the formula.
        sym (bool): symmetric, else periodic.

    Returns:
        ``(M,)``

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    Example:
        >>> import kagari
        >>> kagari.signal.windows.general_hamming(3, alpha=0.5)
        tensor([0., 1., 0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.signal.windows.general_hamming.html
    """
    o = _Options("general_hamming", M, dtype, layout, device, requires_grad)
    return _cosines(o, M, (alpha, 1 - alpha), sym)
