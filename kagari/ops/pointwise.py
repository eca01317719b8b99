"""Pointwise functions composed of others: prelu, powers in double precision, binary exponents."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


# ---- activations --------------------------------------------------------------------------------


@composite("prelu(Tensor input, Tensor weight) -> Tensor", method=True)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    r"""Leaky relu with given slopes: :math:`\max(0, x) + a \min(0, x)`.

    Args:
        input (Tensor): ``(N, C, ...)``, or any shape with one slope.
        weight (Tensor): :math:`a`, a scalar or ``(1,)`` or ``(C,)``.

    Returns:
        A tensor of the input's shape.

    Raises:
        RuntimeError: the slopes do not fit the channels.

    Example:
        >>> import kagari
        >>> kagari.prelu(kagari.tensor([-2.0, 2.0]), kagari.tensor(0.5)).tolist()
        [-1.0, 2.0]

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852
    """
    if weight.dim() > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}"
        )
    slopes = weight.numel()
    if slopes == 1:
        return ops._prelu_kernel(input, weight.reshape(()))
    if input.dim() == 0:
        raise RuntimeError("prelu: Not allow zero-dim input tensor.")
    channels = input.size(1) if input.dim() > 1 else 1
    if channels != slopes:
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{slopes} and channel size = {channels}."
        )
    return ops._prelu_kernel(input, weight.view((-1,) + (1,) * (input.dim() - 2)))


# ---- powers -------------------------------------------------------------------------------------


def _double(*operands: Any) -> Any:
    """The dtype that float_power computes in."""
    import kagari

    is_complex = any(
        x.is_complex() if isinstance(x, kagari.Tensor) else isinstance(x, complex) for x in operands
    )
    return kagari.complex128 if is_complex else kagari.float64


@composite("float_power(Operand input, Operand exponent) -> Tensor", method=True, out=True)
def float_power(input: Tensor | complex, exponent: Tensor | complex) -> Tensor:
    """``pow`` in double precision: both operands are converted to float64 or complex128 first.

    Args:
        input (Tensor or number): the base.
        exponent (Tensor or number): the exponent; the shapes broadcast.

    Returns:
        A float64 tensor, or a complex128 one where an operand is complex.

    Raises:
        TypeError: neither operand is a tensor.

    Example:
        >>> import kagari
        >>> kagari.float_power(kagari.tensor([2, 3]), 2)
        tensor([4., 9.], dtype=kagari.float64)

    Reference: https://pytorch.org/docs/stable/generated/torch.float_power.html
    """
    import kagari

    dtype = _double(input, exponent)
    base, power = (x.to(dtype) if isinstance(x, kagari.Tensor) else x for x in (input, exponent))
    if dtype == kagari.complex128:  # numbers take part in the choice of dtype
        base = base if isinstance(base, kagari.Tensor) else complex(base)
    made: Tensor = ops.pow(base, power)
    return made


@composite("float_power_(Tensor input, Operand exponent) -> Tensor", function=False, method=True)
def float_power_(input: Tensor, exponent: Tensor | complex) -> Tensor:
    """``float_power`` in place; the tensor must have the dtype of the result.

    Args:
        input (Tensor): the base, float64 or complex128.
        exponent (Tensor or number): the exponent; broadcasts to the base.

    Returns:
        The tensor itself.

    Raises:
        RuntimeError: the tensor has another dtype than the result.

    Example:
        >>> import kagari
        >>> kagari.tensor([2.0, 3.0], dtype=kagari.float64).float_power_(2)
        tensor([4., 9.], dtype=kagari.float64)

    Reference: https://pytorch.org/docs/stable/generated/torch.Tensor.float_power_.html
    """
    import kagari

    dtype = _double(input, exponent)
    if input.dtype != dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {input.dtype} but the operation's result "
            f"requires dtype {dtype}"
        )
    return input.pow_(exponent.to(dtype) if isinstance(exponent, kagari.Tensor) else exponent)


# ---- binary exponents ---------------------------------------------------------------------------


@composite("positive(Tensor input) -> Tensor", method=True)
def positive(input: Tensor) -> Tensor:
    """The tensor itself: the operator ``+`` with nothing on its left.

    Args:
        input (Tensor): any shape.

    Returns:
        The input.

    Raises:
        RuntimeError: the input is bool.

    Example:
        >>> import kagari
        >>> kagari.positive(kagari.tensor([-1, 2]))
        tensor([-1,  2])

    Reference: https://pytorch.org/docs/stable/generated/torch.positive.html
    """
    import kagari

    if input.dtype is kagari.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@composite("ldexp(Tensor input, Tensor other) -> Tensor", method=True, inplace=True, out=True)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    r"""Multiplies by a power of two: :math:`x 2^e`.

    Args:
        input (Tensor): x.
        other (Tensor): e, usually integers; the shapes broadcast.

    Returns:
        A tensor of the promoted floating point dtype.

    Example:
        >>> import kagari
        >>> kagari.ldexp(kagari.tensor([1.0]), kagari.tensor([4]))
        tensor([16.])

    Reference: https://pytorch.org/docs/stable/generated/torch.ldexp.html
    """
    return input * ops.exp2(other)


@composite("frexp(Tensor input) -> (Tensor mantissa, Tensor exponent)", method=True, out=True)
def frexp(input: Tensor) -> tuple[Tensor, Tensor]:
    r"""Splits numbers into mantissa and exponent: :math:`x = m 2^e` with :math:`1/2 \le |m| < 1`.

    Args:
        input (Tensor): x, floating point numbers.

    Returns:
        A named tuple (mantissa, exponent), the exponent in int32; zeros, infinities and NaN are
        their own mantissas, with the exponent 0.

    Raises:
        RuntimeError: the dtype is not floating point.

    Example:
        >>> import kagari
        >>> mantissa, exponent = kagari.frexp(kagari.tensor([3.0]))
        >>> mantissa, exponent
        (tensor([0.7500]), tensor([2], dtype=kagari.int32))

    Reference: https://pytorch.org/docs/stable/generated/torch.frexp.html
    """
    import kagari

    if not input.is_floating_point():
        raise RuntimeError(
            f"frexp: expected a floating-point dtype, got {input.dtype}; call .float() first"
        )
    wide = input if input.dtype in (kagari.float32, kagari.float64) else input.float()
    double = wide.dtype == kagari.float64
    integer = kagari.int64 if double else kagari.int32
    bits, bias = (52, 1023) if double else (23, 127)

    def power_of_two(e: Tensor) -> Tensor:
        made: Tensor = ((e + bias) << bits).view(wide.dtype)
        return made

    x = wide.detach()
    # Numbers below the normal ones are scaled up first.
    below = x.abs() < 2.0 ** (1 - bias)
    field = ops.where(below, x * 2.0**bits, x).contiguous().view(integer) >> bits & (2 * bias + 1)
    exponent = field - (bias - 1) - below.to(integer) * bits
    exponent = exponent.masked_fill((x == 0) | ~x.isfinite(), 0)
    # Two factors, for the whole need not be a normal number.
    half = exponent >> 1
    mantissa = wide * power_of_two(-half) * power_of_two(half - exponent)
    return mantissa.to(input.dtype), exponent.to(kagari.int32)
