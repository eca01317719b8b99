"""make_tensor: random tensors of any dtype between two bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["make_tensor"]


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any = "cpu",
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of uniform random numbers.

    Args:
        *shape (int or sequence of ints): the sizes.
        dtype (dtype): bool, integer, floating or complex.
        device (device): where.
        low (float, optional): the smallest value; by default 0 for bool and uint8, -9 else.
        high (float, optional): an upper bound, by default 2 for bool, 10 for integers, 9 else.
        requires_grad (bool): floating and complex tensors only.
        noncontiguous (bool): every other element of a larger tensor, if there are several.
        exclude_zero (bool): the smallest positive number in place of zeros.
        memory_format (memory_format, optional): not together with ``noncontiguous``.

    Raises:
        ValueError: bounds that hold no number, or options that do not go together.

    Example:
        >>> import kagari
        >>> kagari.testing.make_tensor(2, 3, dtype=kagari.float32).shape
        kagari.Size([2, 3])

    Reference: https://pytorch.org/docs/stable/testing.html
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, "
            f"but got noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    inexact = dtype.is_floating_point or dtype.is_complex
    if requires_grad and not inexact:
        raise ValueError(
            "make_tensor: requires_grad must be False for boolean and integral dtypes, "
            f"but got dtype={dtype}"
        )
    low, high = _bounds(dtype, low, high, inexact)
    made = kagari.empty(sizes, dtype=dtype, device=device)
    if dtype.is_complex:
        parts = kagari.view_as_real(made)
        parts.uniform_(low, high)
    elif dtype.is_floating_point:
        made.uniform_(low, high)
    elif dtype == kagari.bool:
        made = kagari.randint(0, 2, sizes, device=device, dtype=dtype)
    else:
        made = kagari.randint(math.ceil(low), math.ceil(high), sizes, device=device, dtype=dtype)
    if noncontiguous and made.numel() > 1:
        made = kagari.repeat_interleave(made, 2, dim=-1)[..., ::2]
    elif memory_format is not None:
        made = made.clone(memory_format=memory_format)
    if exclude_zero:
        smallest = kagari.finfo(dtype).tiny if inexact else 1
        made[made == 0] = smallest
    if requires_grad:
        made.requires_grad = True
    return made


def _bounds(
    dtype: Any, low: float | None, high: float | None, inexact: bool
) -> tuple[float, float]:
    if dtype == kagari.bool:
        return 0, 2
    if inexact:
        limit = kagari.finfo(dtype).max
        smallest, largest = -limit, limit
        usual = (-9.0, 9.0)
    else:
        info = kagari.iinfo(dtype)
        smallest, largest = info.min, info.max + 1
        usual = (max(-9, info.min), 10)
    low = usual[0] if low is None else low
    high = usual[1] if high is None else high
    if low != low or high != high:
        raise ValueError(f"make_tensor: expected numbers for low and high, got {low} and {high}")
    if low > high or (low == high and not inexact):
        raise ValueError(f"make_tensor requires low < high, but got low={low} and high={high}")
    return max(low, smallest), min(high, largest)
