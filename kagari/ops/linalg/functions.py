"""Functions of a square matrix: determinants, powers, the exponential."""

from __future__ import annotations

import math

from kagari._core import bfloat16, complex64, composite, float16, float32, ops
from kagari.ops.linalg import _checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


# ---- determinants --------------------------------------------------------------------------------


@composite("linalg_det(Tensor A) -> Tensor", out=True)
def linalg_det(A: Tensor) -> Tensor:
    """The determinant of a square matrix.

    Its gradient, the cofactors, exists for singular matrices too.

    Args:
        A (Tensor): ``(*, n, n)``.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: the matrices are not square.

    Example:
        >>> import kagari
        >>> kagari.linalg.det(kagari.tensor([[2.0, 1.0], [0.0, 4.0]]))
        tensor(8.)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.det.html
    """
    _checks.square("linalg.det", A)
    return ops._linalg_det(A)[0]


@composite("det(Tensor input) -> Tensor", method=True)
def det(input: Tensor) -> Tensor:
    r"""Another name of ``linalg.det``.

    :math:`\det A`.

    Args:
        input (Tensor): A, ``(..., n, n)``.

    Returns:
        ``(...)``.

    Example:
        >>> import kagari
        >>> kagari.eye(3).det()
        tensor(1.)

    Reference: https://pytorch.org/docs/stable/generated/torch.det.html
    """
    _checks.square("linalg.det", input)
    return ops._linalg_det(input)[0]


def _slogdet(name: str, a: Tensor) -> tuple[Tensor, Tensor]:
    _checks.square(name, a)
    factors, pivots, _ = ops._linalg_lu_factor_ex(a)
    d = factors.diagonal(0, -2, -1)
    n = a.shape[-1]
    steps = ops.arange(1, n + 1, dtype=pivots.dtype, device=a.device)
    odd = (pivots != steps).sum(-1) % 2
    sign = d.sgn().prod(-1) * (1 - 2 * odd)
    return sign, d.abs().log().sum(-1)


@composite("linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)", out=True)
def linalg_slogdet(A: Tensor) -> Any:
    r"""The sign of a determinant and the logarithm of its magnitude, which does not overflow.

    .. math:: \det A = sign \cdot \exp(logabsdet)

    Args:
        A (Tensor): ``(*, n, n)``.

    Returns:
        A named tuple ``(sign, logabsdet)`` of ``(*)``: the sign has magnitude one (complex of
        complex matrices), or is 0 beside -inf.

    Raises:
        RuntimeError: the matrices are not square.

    Example:
        >>> import kagari
        >>> kagari.linalg.slogdet(-kagari.eye(3)).sign
        tensor(-1.)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.slogdet.html
    """
    return _slogdet("linalg.slogdet", A)


@composite("slogdet(Tensor input) -> (Tensor sign, Tensor logabsdet)", method=True, out=True)
def slogdet(input: Tensor) -> Any:
    r"""Another name of ``linalg.slogdet``.

    :math:`\mathrm{sign} \det A` and :math:`\ln |\det A|`.

    Args:
        input (Tensor): A, ``(..., n, n)``.

    Returns:
        The named tuple ``(sign, logabsdet)``, both ``(...)``.

    Example:
        >>> import kagari
        >>> kagari.eye(3).slogdet().logabsdet
        tensor(0.)

    Reference: https://pytorch.org/docs/stable/generated/torch.slogdet.html
    """
    return _slogdet("linalg.slogdet", input)


@composite("logdet(Tensor input) -> Tensor", method=True)
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant: NaN where that is negative, -inf where it is zero.

    Args:
        input (Tensor): ``(*, n, n)``.

    Returns:
        ``(*)``.

    Raises:
        RuntimeError: the matrices are not square.

    Example:
        >>> import kagari
        >>> kagari.eye(3).logdet()
        tensor(0.)

    Reference: https://pytorch.org/docs/stable/generated/torch.logdet.html
    """
    sign, size = _slogdet("logdet", input)
    if input.is_complex():
        return sign.log() + size
    return size.where(sign != -1, math.nan)


# ---- powers --------------------------------------------------------------------------------------


def _matrix_power(a: Tensor, n: int) -> Tensor:
    import kagari

    if a.dim() < 2:
        raise RuntimeError(
            "linalg.matrix_power: The input tensor A must have at least 2 dimensions."
        )
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{a.shape[-2]} by {a.shape[-1]} matrices"
        )
    if n == 0:
        # Of every matrix, with a gradient of zero.
        eye = kagari.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        return eye.where(kagari.ones(a.shape, dtype=kagari.bool, device=a.device), a)
    if n < 0:
        _checks.floating("linalg.inv", a)
        inverse, info = ops._linalg_inv_ex(a)
        _checks.succeeded("linalg.inv", info, _checks.SINGULAR)
        a, n = inverse, -n
    if n == 1:
        return a.clone()
    # Squares of a, multiplied where n has a bit.
    result = None
    while n:
        if n & 1:
            result = a if result is None else result @ a
        n >>= 1
        if n:
            a = a @ a
    assert result is not None
    return result


@composite("linalg_matrix_power(Tensor input, int n) -> Tensor", out=True)
def linalg_matrix_power(input: Tensor, n: int) -> Tensor:
    """A square matrix times itself, n times; of the inverse where n is negative.

    Args:
        input (Tensor): ``(*, m, m)``.
        n (int): the exponent.

    Returns:
        ``(*, m, m)``.

    Raises:
        RuntimeError: the matrices are not square.
        LinAlgError: n is negative and a matrix is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.matrix_power(kagari.tensor([[1, 1], [0, 1]]), 5)
        tensor([[1, 5],
                [0, 1]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matrix_power.html
    """
    return _matrix_power(input, n)


@composite("matrix_power(Tensor input, int n) -> Tensor", method=True, out=True)
def matrix_power(input: Tensor, n: int) -> Tensor:
    """Another name of ``linalg.matrix_power``.

    :math:`A^n`.

    Args:
        input (Tensor): A, ``(..., m, m)``.
        n (int): the power; a negative one inverts first.

    Returns:
        ``(..., m, m)``.

    Example:
        >>> import kagari
        >>> kagari.eye(2).matrix_power(3)
        tensor([[1., 0.],
                [0., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.matrix_power.html
    """
    return _matrix_power(input, n)


# ---- the exponential -----------------------------------------------------------------------------

# Coefficients of the diagonal Padé approximants' numerators, and the norms up to which they reach
# the precision: Higham 2005, tables 2.3 and for single precision.
_PADE_7: tuple[float, ...] = (
    17297280.0,
    8648640.0,
    1995840.0,
    277200.0,
    25200.0,
    1512.0,
    56.0,
    1.0,
)
_PADE_13: tuple[float, ...] = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
_REACH = {7: 3.925724783138660, 13: 5.371920351148152}


def _pade(a: Tensor, degree: int) -> tuple[Tensor, Tensor]:
    """Even and odd part of the numerator: p(a) = even + odd, and the denominator is even - odd."""
    import kagari

    one = kagari.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    b = _PADE_7 if degree == 7 else _PADE_13
    if degree == 7:
        even = a6 * b[6] + a4 * b[4] + a2 * b[2] + one * b[0]
        odd = a @ (a6 * b[7] + a4 * b[5] + a2 * b[3] + one * b[1])
        return even, odd
    even = a6 @ (a6 * b[12] + a4 * b[10] + a2 * b[8]) + a6 * b[6] + a4 * b[4] + a2 * b[2]
    odd = a6 @ (a6 * b[13] + a4 * b[11] + a2 * b[9]) + a6 * b[7] + a4 * b[5] + a2 * b[3]
    return even + one * b[0], a @ (odd + one * b[1])


def _matrix_exp(a: Tensor) -> Tensor:
    _checks.square("linalg.matrix_exp", a, low=True)
    if a.dtype in (float16, bfloat16):
        return _matrix_exp(a.float()).to(a.dtype)
    if a.numel() == 0:
        return a.clone()
    degree = 7 if a.dtype in (float32, complex64) else 13
    # Each matrix is halved until its norm is within reach, and its exponential squared as often.
    norm = a.detach().abs().sum(-2).amax(-1)
    halvings = (norm / _REACH[degree]).log2().ceil().clamp_min(0)
    halvings = halvings.where(halvings.isfinite(), 0.0)
    even, odd = _pade(a * (-halvings).exp2().unsqueeze(-1).unsqueeze(-1), degree)
    result: Tensor = ops._linalg_solve_ex(even - odd, even + odd, True)[0]
    most = 0 if halvings.is_meta else int(halvings.max())
    for k in range(most):
        more = (halvings > k).unsqueeze(-1).unsqueeze(-1)
        result = (result @ result).where(more, result)
    return result


@composite("linalg_matrix_exp(Tensor input) -> Tensor")
def linalg_matrix_exp(input: Tensor) -> Tensor:
    r"""The exponential of a square matrix: :math:`\sum_k A^k / k!`.

    By scaling and squaring with a diagonal Padé approximant.

    Args:
        input (Tensor): A, ``(*, n, n)``.

    Returns:
        ``(*, n, n)``.

    Raises:
        RuntimeError: the matrices are not square, or hold integers.

    Example:
        >>> import kagari
        >>> kagari.linalg.matrix_exp(kagari.tensor([[0.0, 1.0], [0.0, 0.0]]))
        tensor([[1., 1.],
                [0., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html
    """
    return _matrix_exp(input)


@composite("matrix_exp(Tensor input) -> Tensor", method=True)
def matrix_exp(input: Tensor) -> Tensor:
    r"""Another name of ``linalg.matrix_exp``.

    :math:`e^A = \sum_k A^k / k!`.

    Args:
        input (Tensor): A, ``(..., n, n)``.

    Returns:
        ``(..., n, n)``.

    Example:
        >>> import kagari
        >>> kagari.zeros(2, 2).matrix_exp()
        tensor([[1., 0.],
                [0., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.matrix_exp.html
    """
    return _matrix_exp(input)


@composite("trace(Tensor input) -> Tensor", method=True, autocast="fp32")
def trace(input: Tensor) -> Tensor:
    r"""The sum of a matrix's diagonal: :math:`\sum_i A_{ii}`.

    Args:
        input (Tensor): A, ``(m, n)``.

    Returns:
        A tensor without dimensions; integers are summed as int64.

    Raises:
        RuntimeError: the input is not a matrix.

    Example:
        >>> import kagari
        >>> kagari.trace(kagari.tensor([[1, 2], [3, 4]]))
        tensor(5)

    Reference: https://pytorch.org/docs/stable/generated/torch.trace.html
    """
    if input.dim() != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.dim()}")
    return input.diagonal().sum()
