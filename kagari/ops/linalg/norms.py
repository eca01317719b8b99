"""Norms of matrices, and what follows from them: condition numbers and ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kagari._core import composite, ops
from kagari.ops.linalg import _checks, solvers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor, dtype


def _plane(name: str, ndim: int, dim: Sequence[int]) -> tuple[int, int]:
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {tuple(dim)}")
    places = []
    for d in dim:
        if not -ndim <= d < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but "
                f"got {d})"
            )
        places.append(d % ndim)
    if places[0] == places[1]:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return places[0], places[1]


def _extreme(x: Tensor, dim: int, order: Any) -> Tensor:
    """The largest, or for a negative order the smallest; nothing at all measures zero."""
    if order > 0:
        return x.amax(dim, True) if x.shape[dim] else x.sum(dim, True)
    return x.amin(dim, True)


def _matrix_norm(
    a: Tensor, order: Any, dim: Sequence[int], keepdim: bool, dtype: dtype | None
) -> Tensor:
    name = "linalg.matrix_norm"
    if a.dim() < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    rows, columns = _plane(name, a.dim(), dim)
    _checks.floating(name, a, low=order not in ("nuc", 2, -2))
    if order == "fro":
        return ops.linalg_vector_norm(a, 2, [rows, columns], keepdim, dtype=dtype)
    if dtype is not None:
        _checks_dtype(name, a, dtype)
        a = a.to(dtype)
    if order in (1, -1, math.inf, -math.inf):
        inner, outer = (rows, columns) if abs(order) == 1 else (columns, rows)
        sums = ops.linalg_vector_norm(a, 1, [inner], True)
        norm = _extreme(sums, outer, order)
        return norm if keepdim else norm.squeeze((rows, columns))
    if order in ("nuc", 2, -2):
        values = ops.linalg_svdvals(a.movedim((rows, columns), (-2, -1)))
        if order == "nuc":
            norm = values.sum(-1)
        else:
            norm = _extreme(values, -1, order).squeeze(-1)
        if keepdim:
            for d in sorted((rows, columns)):
                norm = norm.unsqueeze(d)
        return norm
    raise RuntimeError(f"{name}: Order {order} not supported.")


def _checks_dtype(name: str, a: Tensor, dtype: dtype) -> None:
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex. Got {dtype}")
    if a.is_complex() != dtype.is_complex:
        kind = "complex" if a.is_complex() else "real"
        raise RuntimeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype}")


@composite(
    "linalg_matrix_norm(Tensor input, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor",
    out=True,
)
def linalg_matrix_norm(
    input: Tensor, ord: Any, dim: Sequence[int], keepdim: bool, dtype: dtype | None
) -> Tensor:
    r"""A norm of matrices.

    ``"fro"``: :math:`\sqrt{\sum |a_{ij}|^2}`; ``"nuc"``: the sum of the singular values; 2 and -2:
    the largest and the smallest of them; 1 and -1: the largest and smallest sum of magnitudes in a
    column; ``inf`` and ``-inf``: in a row.

    Args:
        input (Tensor): ``(*, m, n)``, floating point or complex.
        ord (number or str): one of the above; ``"fro"`` by default.
        dim (tuple of two ints): the rows' and the columns' dimension.
        keepdim (bool): keep them with size one.
        dtype (dtype, optional): convert the input to it first.

    Returns:
        A real tensor ``(*)``.

    Raises:
        RuntimeError: another order, or dimensions that are not two different ones.

    Example:
        >>> import kagari
        >>> kagari.linalg.matrix_norm(kagari.tensor([[3.0, 0.0], [0.0, 4.0]]))
        tensor(5.)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
    """
    return _matrix_norm(input, ord, dim, keepdim, dtype)


@composite(
    "linalg_matrix_norm.str_ord(Tensor input, str ord='fro', int[] dim=[-2, -1], "
    "bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    out=True,
)
def _linalg_matrix_norm_str(
    input: Tensor, ord: str, dim: Sequence[int], keepdim: bool, dtype: dtype | None
) -> Tensor:
    """A norm of matrices by its name."""
    return _matrix_norm(input, ord, dim, keepdim, dtype)


def _norm(
    x: Tensor, order: Any, dim: Sequence[int] | None, keepdim: bool, dtype: dtype | None
) -> Tensor:
    if dim is not None and len(dim) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}"
        )
    if dim is None and order is not None and x.dim() not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{x.dim()}D."
        )
    if order is not None and (len(dim) if dim is not None else x.dim()) == 2:
        return _matrix_norm(x, order, (0, 1) if dim is None else dim, keepdim, dtype)
    if isinstance(order, str):
        raise RuntimeError(
            f"linalg.norm: the order {order!r} is one of matrices; expected two dimensions"
        )
    return ops.linalg_vector_norm(x, 2 if order is None else order, dim, keepdim, dtype=dtype)


@composite(
    "linalg_norm(Tensor input, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor",
    out=True,
)
def linalg_norm(
    input: Tensor, ord: Any, dim: Sequence[int] | None, keepdim: bool, dtype: dtype | None
) -> Tensor:
    r"""A norm of vectors or of matrices.

    Over one dimension, or of a vector, it is ``vector_norm``; over two, or of a matrix,
    ``matrix_norm``; without ``ord`` it is :math:`\sqrt{\sum |x|^2}` of what ``dim`` names.

    Args:
        input (Tensor): floating point or complex numbers.
        ord (number or str, optional): the order.
        dim (int or tuple of ints, optional): one or two dimensions; all by default.
        keepdim (bool): keep them with size one.
        dtype (dtype, optional): convert the input to it first.

    Returns:
        A real tensor.

    Raises:
        RuntimeError: an order that the dimensions do not have.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[3.0, 4.0], [0.0, 1.0]])
        >>> kagari.linalg.norm(x, dim=1)
        tensor([5., 1.])
        >>> kagari.linalg.norm(x, 1)
        tensor(5.)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.norm.html
    """
    return _norm(input, ord, dim, keepdim, dtype)


@composite(
    "linalg_norm.ord_str(Tensor input, str ord, int[1]? dim=None, bool keepdim=False, *, "
    "ScalarType? dtype=None) -> Tensor",
    out=True,
)
def _linalg_norm_str(
    input: Tensor, ord: str, dim: Sequence[int] | None, keepdim: bool, dtype: dtype | None
) -> Tensor:
    """A norm of matrices by its name."""
    return _norm(input, ord, dim, keepdim, dtype)


# ---- condition numbers and ranks -----------------------------------------------------------------


def _cond(a: Tensor, p: Any) -> Tensor:
    if a.dim() < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is None or p in (2, -2):
        _checks.floating("linalg.cond", a)
        values = ops.linalg_svdvals(a)
        if values.shape[-1] == 0:
            return values.new_zeros(values.shape[:-1])
        largest, smallest = values[..., 0], values[..., -1]
        ratio = smallest / largest if p == -2 else largest / smallest
        return ratio
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    _checks.square(f"linalg.cond(ord={p})", a)
    if a.numel() == 0:
        return ops.linalg_vector_norm(a, 2, [-2, -1])
    inverse, info = ops._linalg_inv_ex(a)
    # A singular matrix has no inverse: its condition is infinite, whatever the norm.
    singular = info != 0
    if not info.is_meta and bool(singular.any()):
        inverse = a.new_ones(()).where(singular[..., None, None], inverse)
    found = _matrix_norm(a, p, (-2, -1), False, None) * _matrix_norm(
        inverse, p, (-2, -1), False, None
    )
    return found.masked_fill(singular, math.inf)


@composite("linalg_cond(Tensor input, Scalar? p=None) -> Tensor", out=True, autocast="fp32")
def linalg_cond(input: Tensor, p: Any) -> Tensor:
    r"""The condition number of matrices: :math:`\|A\|_p \|A^{-1}\|_p`.

    Args:
        input (Tensor): A, ``(*, m, n)``; square unless p is None, 2 or -2.
        p (number or str, optional): the norm; 2 by default, the quotient of the largest and the
            smallest singular value.

    Returns:
        A real tensor ``(*)``, infinite for singular matrices.

    Raises:
        RuntimeError: another norm, or matrices that are not square.

    Example:
        >>> import kagari
        >>> kagari.linalg.cond(kagari.tensor([[1.0, 0.0], [0.0, 4.0]]))
        tensor(4.)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.cond.html
    """
    return _cond(input, p)


@composite("linalg_cond.p_str(Tensor input, str p) -> Tensor", out=True, autocast="fp32")
def _linalg_cond_str(input: Tensor, p: str) -> Tensor:
    """The condition number in the Frobenius or the nuclear norm."""
    return _cond(input, p)


def _rank(a: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    name = "linalg.matrix_rank"
    (_checks.square if hermitian else _checks.matrices)(name, a)
    a = a.detach()
    values = ops.linalg_eigvalsh(a).abs() if hermitian else ops.linalg_svdvals(a)
    atol, rtol = solvers.tolerances(name, a, atol, rtol, values)
    if values.shape[-1] == 0:
        return values.sum(-1).long()
    largest = values.amax(-1, keepdim=True)
    bound: Tensor = (solvers.column(rtol) * largest).clamp_min(solvers.column(atol))
    return (values > bound).sum(-1)


@composite(
    "linalg_matrix_rank(Tensor input, *, Operand? atol=None, Operand? rtol=None, "
    "bool hermitian=False) -> Tensor",
    out=True,
    autocast="fp32",
)
def linalg_matrix_rank(input: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    r"""How many singular values are above :math:`\max(atol, rtol \cdot s_1)`.

    Args:
        input (Tensor): ``(*, m, n)``.
        atol (float or Tensor, optional): 0 by default; tensors broadcast to the batch.
        rtol (float or Tensor, optional): max(m, n) times the precision by default, and 0 where
            ``atol`` is positive.
        hermitian (bool): the matrices are symmetric or Hermitian: magnitudes of eigenvalues take
            the place of singular values.

    Returns:
        An int64 tensor ``(*)``.

    Raises:
        RuntimeError: fewer than two dimensions, or an integer dtype.

    Example:
        >>> import kagari
        >>> kagari.linalg.matrix_rank(kagari.ones(3, 3))
        tensor(1)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html
    """
    return _rank(input, atol, rtol, hermitian)


@composite(
    "linalg_matrix_rank.tol(Tensor input, Operand tol, bool hermitian=False) -> Tensor",
    out=True,
    autocast="fp32",
)
def _linalg_matrix_rank_tol(input: Tensor, tol: Any, hermitian: bool) -> Tensor:
    """The rank with an absolute bound by position."""
    return _rank(input, tol, 0.0, hermitian)
