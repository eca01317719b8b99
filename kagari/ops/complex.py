"""Complex numbers: built from parts, conjugated, asked whether they are real."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Tensor


def _same_dtype(real: Tensor, imag: Tensor) -> None:
    if not (real.is_floating_point() and imag.is_floating_point()):
        raise RuntimeError(
            "Expected both inputs to be Half, Float or Double tensors but got "
            f"{real.dtype} and {imag.dtype}"
        )
    if real.dtype != imag.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {real.dtype} but got scalar type {imag.dtype} "
            "for second argument; convert one of them"
        )


@composite("complex(Tensor real, Tensor imag) -> Tensor", out="exact")
def complex_(real: Tensor, imag: Tensor) -> Tensor:
    r"""Complex numbers from their parts: :math:`z = a + b i`.

    Args:
        real (Tensor): a, floating point numbers.
        imag (Tensor): b, of the same dtype; the shapes broadcast.

    Returns:
        A complex tensor.

    Raises:
        RuntimeError: dtypes that differ or are not floating point.

    Example:
        >>> import kagari
        >>> kagari.complex(kagari.tensor([1.0]), kagari.tensor([2.0]))
        tensor([1.+2.j])

    Reference: https://pytorch.org/docs/stable/generated/torch.complex.html
    """
    _same_dtype(real, imag)
    parts = (real, imag) if real.shape == imag.shape else ops.broadcast_tensors(real, imag)
    made: Tensor = ops.view_as_complex(ops.stack(parts, -1))
    return made


@composite("polar(Tensor abs, Tensor angle) -> Tensor", out="exact")
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    r"""Complex numbers from their polar coordinates: :math:`z = r \cos\phi + i r \sin\phi`.

    Args:
        abs (Tensor): r, float32 or float64.
        angle (Tensor): :math:`\phi` in radians, of the same dtype; the shapes broadcast.

    Returns:
        A complex tensor.

    Raises:
        RuntimeError: dtypes that differ or are not float32 or float64.

    Example:
        >>> import kagari
        >>> kagari.polar(kagari.tensor([2.0]), kagari.tensor([0.0]))
        tensor([2.+0.j])

    Reference: https://pytorch.org/docs/stable/generated/torch.polar.html
    """
    import kagari

    _same_dtype(abs, angle)
    if abs.dtype not in (kagari.float32, kagari.float64):
        raise NotImplementedError(f"polar: not implemented for {abs.dtype}; call .float() first")
    made: Tensor = ops.complex(abs * angle.cos(), abs * angle.sin())
    return made


@composite("conj(Tensor input) -> Tensor", method=True)
def conj(input: Tensor) -> Tensor:
    r"""The complex conjugate: :math:`\bar z = a - b i`.

    The numbers are computed at once: the result has memory of its own, where PyTorch's shares its
    input's and carries a conjugate bit. Real tensors are returned as they are.

    Args:
        input (Tensor): any dtype.

    Returns:
        A tensor of the same dtype.

    Example:
        >>> import kagari
        >>> kagari.conj(kagari.tensor([1 + 2j]))
        tensor([1.-2.j])

    Reference: https://pytorch.org/docs/stable/generated/torch.conj.html
    """
    return input.conj_physical() if input.is_complex() else input


@composite("isreal(Tensor input) -> Tensor", method=True)
def isreal(input: Tensor) -> Tensor:
    """Whether the element has no imaginary part.

    Args:
        input (Tensor): any dtype.

    Returns:
        A bool tensor.

    Example:
        >>> import kagari
        >>> kagari.isreal(kagari.tensor([1 + 0j, 1j]))
        tensor([ True, False])

    Reference: https://pytorch.org/docs/stable/generated/torch.isreal.html
    """
    import kagari

    if input.is_complex():
        return input.imag == 0
    made: Tensor = kagari.ones_like(input, dtype=kagari.bool)
    return made
