"""Discrete Fourier transforms along one, two and any dimensions, and what goes with them.

Three linear primitives do the work (``csrc/ops/fft.cpp``): complex numbers to complex numbers, real
ones to a spectrum or the half of it, and such a half back to real numbers. The functions of
``kagari.fft`` compose them.
"""

from __future__ import annotations

import math

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kagari import Tensor, device, dtype, layout

Ints = tuple[int, ...]

# The scale of a transform over n elements: 1, 1 / sqrt(n) or 1 / n.
NONE, ROOT, FULL = "none", "root", "full"


# ---- arguments ----------------------------------------------------------------------------------


def _scale(norm: str | None, inverse: bool) -> str:
    if norm not in (None, "backward", "ortho", "forward"):
        raise RuntimeError(
            f'Invalid normalization mode: "{norm}"; expected "forward", "backward" or "ortho"'
        )
    if norm == "ortho":
        return ROOT
    return FULL if (norm == "forward") != inverse else NONE


def _floating(name: str, x: Tensor) -> Tensor:
    """x in a dtype that transforms compute in; integers become the default dtype."""
    import kagari

    if not (x.is_floating_point() or x.is_complex()):
        return x.to(kagari.get_default_dtype())
    if x.dtype in (kagari.float32, kagari.float64, kagari.complex64, kagari.complex128):
        return x
    raise RuntimeError(
        f"{name}: Unsupported dtype {x.dtype}; convert to float32 or complex64 first"
    )


def _complex(name: str, x: Tensor) -> Tensor:
    x = _floating(name, x)
    return x if x.is_complex() else x.to(x.dtype.to_complex())


def _real(name: str, x: Tensor) -> Tensor:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {x.dtype}; take x.real")
    return _floating(name, x)


def _wrap(dim: int, ndim: int) -> int:
    if ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], "
            f"but got {dim})"
        )
    return dim % ndim


def _check_points(n: int) -> None:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")


def _resize(x: Tensor, dims: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Cuts or fills up with zeros, at the ends."""
    pad = [0] * (2 * x.dim())
    for d, size in zip(dims, sizes, strict=True):
        if size < x.size(d):
            x = x.narrow(d, 0, size)
        else:
            pad[2 * (x.dim() - 1 - d) + 1] = size - x.size(d)
    return ops.constant_pad_nd(x, pad) if any(pad) else x


def _plan(x: Tensor, s: Ints | None, dim: Ints | None) -> tuple[Ints, list[int]]:
    """The dimensions to transform and the sizes asked for; -1 stands for the input's."""
    if dim is not None:
        dims = tuple(_wrap(d, x.dim()) for d in dim)
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > x.dim():
            raise RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {x.dim()} dimensions."
            )
        dims = tuple(range(x.dim() - len(s), x.dim()))
    else:
        dims = tuple(range(x.dim()))
    sizes = [x.size(d) for d in dims] if s is None else list(s)
    return dims, [x.size(d) if size == -1 else size for d, size in zip(dims, sizes, strict=True)]


def _check_all(sizes: Sequence[int]) -> None:
    for n in sizes:
        _check_points(n)


def _some_axis(name: str, dims: Ints) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


# ---- transforms over any dimensions -------------------------------------------------------------


def _c2c(x: Tensor, dims: Ints, scale: str, inverse: bool) -> Tensor:
    return ops._fft_c2c(x, dims, scale, inverse) if dims else x


def _complex_transform(
    name: str, x: Tensor, s: Ints | None, dim: Ints | None, norm: str | None, inverse: bool
) -> Tensor:
    dims, sizes = _plan(x, s, dim)
    scale = _scale(norm, inverse)
    real = bool(dims) and not inverse and not x.is_complex()
    x = _floating(name, x) if real else _complex(name, x)
    _check_all(sizes)
    x = _resize(x, dims, sizes)
    # Half of a real signal's spectrum is computed, the other half mirrors it.
    if real:
        return ops._fft_r2c(x, dims, scale, False)
    return _c2c(x, dims, scale, inverse) if dims else x.clone()


def _from_real(
    name: str, x: Tensor, s: Ints | None, dim: Ints | None, norm: str | None, hermitian: bool
) -> Tensor:
    """rfftn, and ihfftn, which is its conjugate with the scale of an inverse."""
    x = _real(name, x)
    dims, sizes = _plan(x, s, dim)
    _some_axis(name, dims)
    scale = _scale(norm, hermitian)
    _check_all(sizes)
    x = _resize(x, dims, sizes)
    if not hermitian:
        return ops._fft_r2c(x, dims, scale, True)
    return _c2c(ops._fft_r2c(x, dims[-1:], scale, True).conj_physical(), dims[:-1], scale, True)


def _to_real(
    name: str, x: Tensor, s: Ints | None, dim: Ints | None, norm: str | None, hermitian: bool
) -> Tensor:
    """irfftn, and hfftn, which is its conjugate with the scale of a forward transform."""
    dims, sizes = _plan(x, s, dim)
    _some_axis(name, dims)
    scale = _scale(norm, not hermitian)
    x = _complex(name, x)
    last = 2 * (x.size(dims[-1]) - 1) if s is None or s[-1] == -1 else s[-1]
    _check_all([*sizes[:-1], last])
    x = _resize(x, dims, [*sizes[:-1], last // 2 + 1])
    x = _c2c(x, dims[:-1], scale, not hermitian)
    return ops._fft_c2r(x.conj_physical() if hermitian else x, dims[-1], last, scale)


# One line for each function: name, transform, whether it is an inverse (of complex numbers) or
# Hermitian, what it computes.
_TRANSFORMS = (
    ("fft", _complex_transform, False, "the discrete Fourier transform"),
    ("ifft", _complex_transform, True, "the inverse discrete Fourier transform"),
    ("rfft", _from_real, False, "the non-negative frequencies of a real signal's transform"),
    (
        "irfft",
        _to_real,
        False,
        "the real signal whose transform has these non-negative frequencies",
    ),
    (
        "hfft",
        _to_real,
        True,
        "the real transform of a Hermitian signal, given its half",
    ),
    ("ihfft", _from_real, True, "the half of the Hermitian inverse transform of a real spectrum"),
)
_FORMULA = r"""
    .. math:: X_k = \sum_{j=0}^{n-1} x_j e^{\mp 2 \pi i j k / n}

with the minus sign forwards (fft, rfft, hfft) and the plus sign in the inverses.
"""
_NORMS = """    norm (str, optional): "backward", the default, divides the inverse by n, "forward"
        the forward transform, "ortho" both by the root of n.

Returns:
    A complex tensor; a real one from irfft and hfft, of 2 (size - 1) elements along the last
    dimension unless a size is given.

Raises:
    RuntimeError: a size below one, an unknown norm, a half-precision dtype, or complex numbers
        where real ones are expected.
"""


def _declare(name: str, transform: Any, flag: bool, what: str) -> None:
    """The forms of a transform along one, two and any dimensions."""
    reference = "Reference: https://pytorch.org/docs/stable/generated/torch.fft."
    size = {_complex_transform: 4, _from_real: 3, _to_real: 6}[transform]

    def example(suffix: str, shape: str) -> str:
        result = shape.replace("4", str(size))
        return (
            "Example:\n    >>> import kagari\n"
            f"    >>> kagari.fft.{name}{suffix}(kagari.ones({shape})).shape\n"
            f"    kagari.Size([{result}])\n\n"
        )

    def one(input: Tensor, n: int | None, dim: int, norm: str | None) -> Tensor:
        sizes = None if n is None else (n,)
        made: Tensor = transform(name, input, sizes, (dim,), norm, flag)
        return made

    def many(input: Tensor, s: Ints | None, dim: Ints | None, norm: str | None) -> Tensor:
        made: Tensor = transform(f"{name}n", input, s, dim, norm, flag)
        return made

    def two(input: Tensor, s: Ints | None, dim: Ints, norm: str | None) -> Tensor:
        made: Tensor = transform(f"{name}2", input, s, dim, norm, flag)
        return made

    composite(
        f"fft_{name}(Tensor input, int? n=None, int dim=-1, str? norm=None) -> Tensor",
        out=True,
        autocast="fp32",
        doc=f"Computes {what} along a dimension.\n{_FORMULA}\nArgs:\n"
        "    input (Tensor): any shape with at least one dimension.\n"
        "    n (int, optional): cut or fill up with zeros to this size first.\n"
        f"    dim (int): the dimension.\n{_NORMS}\n{example('', '4')}{reference}{name}.html",
    )(one)
    for suffix, function, dims in (
        ("2", two, "int[1] dim=[-2,-1]"),
        ("n", many, "int[1]? dim=None"),
    ):
        composite(
            f"fft_{name}{suffix}(Tensor input, int[1]? s=None, {dims}, str? norm=None) -> Tensor",
            out=True,
            autocast="fp32",
            doc=f"Computes {what} over several dimensions.\n{_FORMULA}\nArgs:\n"
            "    input (Tensor): any shape.\n"
            "    s (tuple of ints, optional): cut or fill up with zeros to these sizes first; -1\n"
            "        leaves a size as it is.\n"
            "    dim (tuple of ints, optional): the dimensions; the last ones of ``s``, or all.\n"
            f"{_NORMS}\n{example(suffix, '2, 4')}{reference}{name}{suffix}.html",
        )(function)


for _row in _TRANSFORMS:
    _declare(*_row)


# ---- frequencies and shifts ---------------------------------------------------------------------

_OPTIONS = (
    "ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
    "bool? pin_memory=None, bool? requires_grad=None"
)


def _step(n: int, d: float) -> float:
    whole = n * d
    return 1.0 / whole if whole else math.copysign(math.inf, whole)


def _frequencies(
    name: str, first: int, end: int, step: float, dtype: dtype | None, more: Any
) -> Tensor:
    import kagari

    dtype = dtype or kagari.get_default_dtype()
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype, got {dtype}")
    layout, device, pin_memory, requires_grad = more
    options = {"layout": layout, "device": device, "pin_memory": pin_memory}
    made = kagari.arange(first, end, dtype=dtype, **options) * step
    return made.requires_grad_() if requires_grad else made


@composite(f"fft_fftfreq(int n, float d=1.0, *, {_OPTIONS}) -> Tensor", out=True)
def fftfreq(
    n: int,
    d: float,
    dtype: dtype | None,
    layout: layout | None,
    device: device | None,
    pin_memory: bool | None,
    requires_grad: bool | None,
) -> Tensor:
    """The frequencies that the elements of ``fft`` stand for: zero first, the negative ones last.

    Args:
        n (int): the size of the signal.
        d (float): the time between samples.

    Returns:
        ``(n,)``, of the default dtype unless ``dtype`` is given.

    Raises:
        RuntimeError: an integer dtype.

    Example:
        >>> import kagari
        >>> kagari.fft.fftfreq(4)
        tensor([ 0.0000,  0.2500, -0.5000, -0.2500])

    Reference: https://pytorch.org/docs/stable/generated/torch.fft.fftfreq.html
    """
    more = layout, device, pin_memory, requires_grad
    step = _step(n, d) if n else 0.0
    made = _frequencies("fftfreq", -(n // 2), n - n // 2, step, dtype, (*more[:3], False))
    made = made.roll(-(n // 2)) if n else made
    return made.requires_grad_() if requires_grad else made


@composite(f"fft_rfftfreq(int n, float d=1.0, *, {_OPTIONS}) -> Tensor", out=True)
def rfftfreq(
    n: int,
    d: float,
    dtype: dtype | None,
    layout: layout | None,
    device: device | None,
    pin_memory: bool | None,
    requires_grad: bool | None,
) -> Tensor:
    """The frequencies that the elements of ``rfft`` stand for.

    Args:
        n (int): the size of the real signal.
        d (float): the time between samples.

    Returns:
        ``(n // 2 + 1,)``, of the default dtype unless ``dtype`` is given.

    Raises:
        RuntimeError: an integer dtype.

    Example:
        >>> import kagari
        >>> kagari.fft.rfftfreq(4)
        tensor([0.0000, 0.2500, 0.5000])

    Reference: https://pytorch.org/docs/stable/generated/torch.fft.rfftfreq.html
    """
    step = _step(n, d)
    more = layout, device, pin_memory, requires_grad
    return _frequencies("rfftfreq", 0, n // 2 + 1, step, dtype, more)


def _shift(x: Tensor, dim: Ints | None, inverse: bool) -> Tensor:
    dims = tuple(range(x.dim())) if dim is None else tuple(_wrap(d, x.dim()) for d in dim)
    if not dims:
        raise RuntimeError("`shifts` required: the tensor has no dimensions to shift")
    return x.roll([(x.size(d) + inverse) // 2 for d in dims], dims)


@composite("fft_fftshift(Tensor input, int[1]? dim=None) -> Tensor")
def fftshift(input: Tensor, dim: Ints | None) -> Tensor:
    """Moves the zero frequency to the middle.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.

    Example:
        >>> import kagari
        >>> kagari.fft.fftshift(kagari.fft.fftfreq(4))
        tensor([-0.5000, -0.2500,  0.0000,  0.2500])

    Reference: https://pytorch.org/docs/stable/generated/torch.fft.fftshift.html
    """
    return _shift(input, dim, False)


@composite("fft_ifftshift(Tensor input, int[1]? dim=None) -> Tensor")
def ifftshift(input: Tensor, dim: Ints | None) -> Tensor:
    """Moves the zero frequency from the middle to the front: undoes ``fftshift``.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints, optional): the dimensions; all by default.

    Example:
        >>> import kagari
        >>> kagari.fft.ifftshift(kagari.tensor([-1, 0, 1]))
        tensor([ 0,  1, -1])

    Reference: https://pytorch.org/docs/stable/generated/torch.fft.ifftshift.html
    """
    return _shift(input, dim, True)
