"""Linear equations, inverses, pseudo-inverses and least squares."""

from __future__ import annotations

import math

from kagari._core import composite, finfo, is_grad_enabled, ops
from kagari.ops.linalg import _checks
from kagari.ops.views import broadcast_shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kagari import Tensor


# ---- equations -----------------------------------------------------------------------------------


def _solve(name: str, a: Tensor, b: Tensor, left: bool) -> tuple[Tensor, Tensor]:
    """The solution and LAPACK's info; a vector, or a batch of them, is one column."""
    _checks.square(name, a)
    _checks.same_dtype(name, a, b)
    if b.dim() == 0:
        raise RuntimeError(f"{name}: B must have at least one dimension, got a number")
    vector = b.dim() == 1 or (a.dim() - 1 == b.dim() and b.shape == a.shape[:-1])
    if vector:
        if not left:
            raise RuntimeError(
                f"{name}: Vector broadcasting of the left hand side is not supported for "
                f"left=False. In this case {name} is equivalent to B / A.squeeze(-1)"
            )
        b = b.unsqueeze(-1)
    if b.shape[-2 if left else -1] != a.shape[-1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} "
            f"({a.shape[-2]}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})"
        )
    x, _, _, info = ops._linalg_solve_ex(a, b, left)
    return (x.squeeze(-1) if vector else x), info


@composite(
    "linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False)"
    " -> (Tensor result, Tensor info)",
    out=True,
)
def linalg_solve_ex(A: Tensor, B: Tensor, left: bool, check_errors: bool) -> Any:
    """The solution of a linear equation, without a check that there is one.

    Args:
        A (Tensor): ``(*, n, n)``.
        B (Tensor): as of ``solve``.
        left (bool): solve A X = B, else X A = B.
        check_errors (bool): raise as ``solve`` does.

    Returns:
        A named tuple ``(result, info)``: ``info`` is 0, or the number of the first zero on the
        diagonal of A's LU factor U.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
        LinAlgError: ``check_errors`` is set and A is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.solve_ex(kagari.zeros(1, 1), kagari.ones(1)).info
        tensor(1, dtype=kagari.int32)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.solve_ex.html
    """
    x, info = _solve("linalg.solve", A, B, left)
    if check_errors:
        _checks.succeeded("linalg.solve_ex", info, _checks.UNSOLVABLE)
    return x, info


@composite(
    "linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", out=True, autocast="fp32"
)
def linalg_solve(A: Tensor, B: Tensor, left: bool) -> Tensor:
    r"""The solution of a linear equation: X with :math:`A X = B`, or :math:`X A = B`.

    Args:
        A (Tensor): ``(*, n, n)``.
        B (Tensor): ``(*, n, k)``, or ``(*, k, n)`` where ``left`` is False; a vector ``(n,)``, or
            A's batch of them ``(*, n)``. Other batch dimensions broadcast.
        left (bool): whether A stands on the left.

    Returns:
        X, of B's kind.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.
        LinAlgError: A is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.solve(kagari.tensor([[2.0, 0.0], [0.0, 4.0]]), kagari.ones(2))
        tensor([0.5000, 0.2500])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.solve.html
    """
    x, info = _solve("linalg.solve", A, B, left)
    _checks.succeeded("linalg.solve", info, _checks.UNSOLVABLE)
    return x


@composite(
    "lu_solve(Tensor input, Tensor LU_data, Tensor LU_pivots) -> Tensor",
    method=True,
    out=True,
    autocast="fp32",
)
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """The solution of A X = B from A's LU factors; the older form of ``linalg.lu_solve``.

    Args:
        input (Tensor): B, ``(*, n, k)``.
        LU_data (Tensor): ``(*, n, n)``.
        LU_pivots (Tensor): ``(*, n)``, int32.

    Returns:
        X, ``(*, n, k)``.

    Example:
        >>> import kagari
        >>> factors = kagari.linalg.lu_factor(kagari.tensor([[4.0]]))
        >>> kagari.lu_solve(kagari.ones(1, 1), *factors).item()
        0.25

    Reference: https://pytorch.org/docs/stable/generated/torch.lu_solve.html
    """
    return ops.linalg_lu_solve(LU_data, LU_pivots, input)


@composite(
    "triangular_solve(Tensor input, Tensor A, bool upper=True, bool transpose=False, "
    "bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)",
    method=True,
    out=True,
    autocast="fp32",
)
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool, transpose: bool, unitriangular: bool
) -> Any:
    """The solution of A X = B with a triangular A; the older form of ``linalg.solve_triangular``.

    Args:
        input (Tensor): B, ``(*, n, k)``.
        A (Tensor): ``(*, n, n)``.
        upper (bool): which triangle A is.
        transpose (bool): solve with A's transpose.
        unitriangular (bool): take the diagonal for ones.

    Returns:
        A named tuple ``(solution, cloned_coefficient)``; the second is a copy of A.

    Raises:
        RuntimeError: shapes that do not fit.

    Example:
        >>> import kagari
        >>> kagari.triangular_solve(kagari.ones(1, 1), kagari.tensor([[2.0]])).solution.item()
        0.5

    Reference: https://pytorch.org/docs/stable/generated/torch.triangular_solve.html
    """
    for name, t in (("b", input), ("A", A)):
        if t.dim() < 2:
            raise RuntimeError(
                f"triangular_solve: Expected {name} to have at least 2 dimensions, but it "
                f"has {t.dim()} dimensions instead"
            )
    a = A.mT if transpose else A
    if transpose:
        upper = not upper
    x = ops.linalg_solve_triangular(a, input, upper=upper, unitriangular=unitriangular)
    return x, A.expand(*x.shape[:-2], *A.shape[-2:]).clone()


@composite(
    "cholesky_solve(Tensor input, Tensor input2, bool upper=False) -> Tensor",
    method=True,
    out=True,
    autocast="fp32",
)
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool) -> Tensor:
    r"""The solution of A X = B from A's Cholesky factor.

    .. math:: A = L L^H \quad\text{or}\quad A = U^H U

    Args:
        input (Tensor): B, ``(*, n, k)``.
        input2 (Tensor): the factor, ``(*, n, n)``; batch dimensions broadcast.
        upper (bool): the factor is U.

    Returns:
        X, ``(*, n, k)``.

    Raises:
        RuntimeError: shapes or dtypes that do not fit.

    Example:
        >>> import kagari
        >>> kagari.cholesky_solve(kagari.ones(1, 1), kagari.tensor([[2.0]])).item()
        0.25

    Reference: https://pytorch.org/docs/stable/generated/torch.cholesky_solve.html
    """
    for name, t in (("b", input), ("u", input2)):
        if t.dim() < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {t.dim()} dimensions instead"
            )
    _checks.square("cholesky_solve", input2)
    if upper:
        first, second = input2.mH, input2
    else:
        first, second = input2, input2.mH
    y = ops.linalg_solve_triangular(first, input, upper=False)
    return ops.linalg_solve_triangular(second, y, upper=True)


# ---- inverses ------------------------------------------------------------------------------------


def _inverse(name: str, a: Tensor) -> Tensor:
    _checks.square(name, a)
    inverse, info = ops._linalg_inv_ex(a)
    _checks.succeeded(name, info, _checks.SINGULAR)
    return inverse


@composite(
    "linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)",
    out=True,
    autocast="fp32",
)
def linalg_inv_ex(A: Tensor, check_errors: bool) -> Any:
    """The inverse of a square matrix, without a check that there is one.

    Args:
        A (Tensor): ``(*, n, n)``.
        check_errors (bool): raise as ``inv`` does.

    Returns:
        A named tuple ``(inverse, info)``: ``info`` is 0, or the number of the first zero on the
        diagonal of A's LU factor U.

    Raises:
        RuntimeError: the matrices are not square.
        LinAlgError: ``check_errors`` is set and A is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.inv_ex(kagari.tensor([[2.0]])).inverse
        tensor([[0.5000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.inv_ex.html
    """
    _checks.square("linalg.inv", A)
    inverse, info = ops._linalg_inv_ex(A)
    if check_errors:
        _checks.succeeded("linalg.inv_ex", info, _checks.SINGULAR)
    return inverse, info


@composite("linalg_inv(Tensor A) -> Tensor", out=True, autocast="fp32")
def linalg_inv(A: Tensor) -> Tensor:
    r"""The inverse of a square matrix: :math:`A A^{-1} = 1`.

    Args:
        A (Tensor): ``(*, n, n)``.

    Returns:
        ``(*, n, n)``.

    Raises:
        RuntimeError: the matrices are not square.
        LinAlgError: A is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.inv(kagari.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.inv.html
    """
    return _inverse("linalg.inv", A)


@composite("inverse(Tensor input) -> Tensor", method=True, out=True, autocast="fp32")
def inverse(input: Tensor) -> Tensor:
    """Another name of ``linalg.inv``.

    :math:`A^{-1}`.

    Args:
        input (Tensor): A, ``(..., n, n)``.

    Returns:
        ``(..., n, n)``.

    Example:
        >>> import kagari
        >>> kagari.inverse(kagari.tensor([[2.0]])).item()
        0.5

    Reference: https://pytorch.org/docs/stable/generated/torch.inverse.html
    """
    return _inverse("linalg.inv", input)


@composite(
    "cholesky_inverse(Tensor input, bool upper=False) -> Tensor",
    method=True,
    out=True,
    autocast="fp32",
)
def cholesky_inverse(input: Tensor, upper: bool) -> Tensor:
    r"""The inverse of a positive-definite matrix from its Cholesky factor.

    .. math:: (L L^H)^{-1} \quad\text{or}\quad (U^H U)^{-1}

    Args:
        input (Tensor): the factor, ``(*, n, n)``.
        upper (bool): the factor is U.

    Returns:
        ``(*, n, n)``.

    Raises:
        RuntimeError: the factors are not square.

    Example:
        >>> import kagari
        >>> kagari.cholesky_inverse(kagari.tensor([[2.0]])).item()
        0.25

    Reference: https://pytorch.org/docs/stable/generated/torch.cholesky_inverse.html
    """
    import kagari

    _checks.square("cholesky_inverse", input)
    eye = kagari.eye(input.shape[-1], dtype=input.dtype, device=input.device)
    return kagari.cholesky_solve(eye, input, upper)


# ---- pseudo-inverses -----------------------------------------------------------------------------


def tolerances(name: str, a: Tensor, atol: Any, rtol: Any, real: Tensor) -> tuple[Any, Any]:
    """Absolute and relative bounds below which a singular value counts as zero.

    Given as numbers or tensors of the batch's shape; ``real`` has the dtype that tensors must fit.
    """
    for which, value in (("atol", atol), ("rtol", rtol)):
        if hasattr(value, "is_complex") and value.is_complex():
            raise RuntimeError(
                f"{name}: {which} tensor of complex type is not supported. Got {value.dtype}"
            )
    if rtol is None:
        default = finfo(real.dtype).eps * max(a.shape[-2:])
        if atol is None:
            rtol = default
        elif hasattr(atol, "where"):
            rtol = atol.new_full((), default, dtype=real.dtype).where(atol <= 0, 0.0)
        else:
            rtol = 0.0 if atol > 0 else default
    return (0.0 if atol is None else atol), rtol


def column(value: Any) -> Any:
    """A bound for a whole matrix, set beside its singular values."""
    return value.unsqueeze(-1) if hasattr(value, "unsqueeze") else value


def _pinv(name: str, a: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    if a.dim() < 2 or not (a.is_floating_point() or a.is_complex()):
        raise RuntimeError(
            f"{name}({a.dtype}{{{list(a.shape)}}}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    (_checks.square if hermitian else _checks.matrices)(name, a)
    x = a.detach()
    if a.numel() == 0:
        return a.mH + x.new_zeros(*x.mH.shape)
    if hermitian:
        s, v, info = ops._linalg_eigh(x, "L", True)
        size = s.abs()
        u = v
    else:
        u, s, vh, info = ops._linalg_svd(x, False, True)
        size = s
        v = vh.mH
    _checks.succeeded(name, info, _checks.no_convergence(info, "singular values"))
    atol, rtol = tolerances(name, x, atol, rtol, s)
    bound = (column(rtol) * size.amax(-1, keepdim=True)).clamp_min(column(atol))
    keep = size > bound
    inverse = s.reciprocal().where(keep, 0.0)
    found = (v * inverse.unsqueeze(-2)) @ u.mH
    if a.requires_grad and is_grad_enabled():
        return ops._linalg_pinv_of(a, found)
    return found


@composite(
    "linalg_pinv(Tensor input, *, Operand? atol=None, Operand? rtol=None, bool hermitian=False)"
    " -> Tensor",
    out=True,
)
def linalg_pinv(input: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    r"""The pseudo-inverse of Moore and Penrose.

    .. math:: A^+ = V\,\mathrm{diag}(s^+)\,U^H, \quad s^+ = 1/s \text{ where }
        s > \max(atol, rtol \cdot s_1), \text{ else } 0

    Args:
        input (Tensor): A, ``(*, m, n)``.
        atol (float or Tensor, optional): 0 by default; tensors broadcast to the batch.
        rtol (float or Tensor, optional): max(m, n) times the precision by default, and 0 where
            ``atol`` is positive.
        hermitian (bool): A is symmetric or Hermitian: eigenvalues take the place of singular
            values, and only the lower triangle is read.

    Returns:
        ``(*, n, m)``.

    Raises:
        RuntimeError: fewer than two dimensions or an integer dtype.
        LinAlgError: the iteration did not converge.

    Example:
        >>> import kagari
        >>> kagari.linalg.pinv(kagari.tensor([[2.0, 0.0], [0.0, 0.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.0000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.pinv.html
    """
    return _pinv("linalg.pinv", input, atol, rtol, hermitian)


@composite(
    "linalg_pinv.rcond(Tensor input, Operand rcond, bool hermitian=False) -> Tensor", out=True
)
def _linalg_pinv_rcond(input: Tensor, rcond: Any, hermitian: bool) -> Tensor:
    """The pseudo-inverse with a relative bound by position."""
    return _pinv("linalg.pinv", input, None, rcond, hermitian)


@composite("pinverse(Tensor input, float rcond=1e-15) -> Tensor", method=True, autocast="fp32")
def pinverse(input: Tensor, rcond: float) -> Tensor:
    """The pseudo-inverse; the older form of ``linalg.pinv``.

    :math:`A^+`.

    Args:
        input (Tensor): A, ``(..., m, n)``.
        rcond (float): singular values below this part of the largest count as zero.

    Returns:
        ``(..., n, m)``.

    Example:
        >>> import kagari
        >>> kagari.pinverse(kagari.tensor([[2.0]])).item()
        0.5

    Reference: https://pytorch.org/docs/stable/generated/torch.pinverse.html
    """
    return _pinv("linalg.pinv", input, None, rcond, False)


# ---- least squares -------------------------------------------------------------------------------

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@composite(
    "linalg_lstsq(Tensor input, Tensor b, float? rcond=None, *, str? driver=None)"
    " -> (Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)",
    out=True,
    autocast="fp32",
)
def linalg_lstsq(input: Tensor, b: Tensor, rcond: float | None, driver: str | None) -> Any:
    r"""The least squares solution of a linear equation: X that minimises :math:`\|A X - B\|_F`.

    All drivers run one algorithm, a divide and conquer over singular values, which finds the
    solution of least norm; they differ in what they report.

    Args:
        input (Tensor): A, ``(*, m, n)``.
        b (Tensor): B, ``(*, m, k)``, or vectors ``(*, m)``; batch dimensions broadcast.
        rcond (float, optional): singular values up to ``rcond`` times the largest count as zero;
            max(m, n) times the precision by default.
        driver (str, optional): ``"gelsy"`` (the default) reports the rank, ``"gelsd"`` and
            ``"gelss"`` singular values too, ``"gels"`` neither, for matrices of full rank.

    Returns:
        A named tuple ``(solution, residuals, rank, singular_values)``. ``residuals``
        :math:`\|A X - B\|^2` ``(*, k)`` is empty unless m > n, every A has full rank and the
        driver is not ``"gelsy"``; what a driver does not report is empty.

    Raises:
        RuntimeError: shapes or dtypes that do not fit, or another driver.
        LinAlgError: the iteration did not converge, or the input has infinities or NaN.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[1.0], [1.0]])
        >>> kagari.linalg.lstsq(a, kagari.tensor([[1.0], [3.0]])).solution
        tensor([[2.0000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.lstsq.html
    """
    name = "linalg.lstsq"
    if input.dim() < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if b.dim() < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    _checks.matrices(name, input, "input")
    if input.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype "
            f"{input.dtype} and other's dtype {b.dtype}"
        )
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(
            f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), "
            f"got {driver!r}"
        )
    driver = driver or "gelsy"
    gap = input.dim() - b.dim()
    if gap not in (0, 1):
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - "
            f"other.dim()) <= 1, got shapes {tuple(input.shape)} and {tuple(b.shape)}"
        )
    vector = gap == 1
    right = b.unsqueeze(-1) if vector else b
    m, n = input.shape[-2:]
    if right.shape[-2] != m:
        side = "other.size(-1)" if vector else "other.size(-2)"
        raise RuntimeError(
            f"{name}: input.size(-2) should match {side}, got {m} and {right.shape[-2]}"
        )
    batch = broadcast_shapes(input.shape[:-2], right.shape[:-2])
    a = input.expand(*batch, m, n)
    right = right.expand(*batch, *right.shape[-2:])
    if rcond is None:
        rcond = finfo(input.dtype).eps * max(m, n)
    found, rank, values, info = ops._linalg_lstsq(
        a.detach(), right.detach(), rcond, values=driver != "gelsy"
    )
    _checks.succeeded(name, info, _checks.no_convergence(info, "singular values"))
    solution = found[..., :n, :]
    recorded = is_grad_enabled() and (input.requires_grad or b.requires_grad)
    if recorded:  # as good a value, with a gradient
        solution = ops.linalg_pinv(a, rtol=rcond) @ right
    empty = values.new_empty(0)
    # Of recorded calls a part of the solution, so that programs may ask for its gradient.
    residuals = solution.abs().reshape(-1)[:0] if recorded else empty
    if m > n and driver != "gelsy" and bool((rank == n).all()):
        if recorded:
            residuals = (a @ solution - right).abs().square().sum(-2)
        else:
            residuals = found[..., n:, :].abs().square().sum(-2)
    if vector:
        solution = solution.squeeze(-1)
        residuals = residuals.squeeze(-1) if residuals.dim() > 1 else residuals
    if driver == "gels":
        rank = rank.new_empty(0)
    return solution, residuals, rank, values if driver in ("gelsd", "gelss") else empty


# ---- tensors as matrices -------------------------------------------------------------------------


@composite("linalg_tensorinv(Tensor input, int ind=2) -> Tensor", out=True, autocast="fp32")
def linalg_tensorinv(input: Tensor, ind: int) -> Tensor:
    """The inverse of a tensor that is seen as a square matrix of its first and last dimensions.

    Args:
        input (Tensor): the product of its first ``ind`` sizes equals that of the others.
        ind (int): how many dimensions count as rows.

    Returns:
        The other sizes first, then the first ``ind``: ``tensordot`` over ``ind`` dimensions of it
        with the input is an identity.

    Raises:
        RuntimeError: ``ind`` is not positive, or the products differ.
        LinAlgError: the matrix is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.tensorinv(kagari.eye(4).reshape(4, 2, 2), ind=1).shape
        kagari.Size([2, 2, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.tensorinv.html
    """
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind' argument, got {ind}")
    rows, columns = input.shape[:ind], input.shape[ind:]
    m, n = math.prod(rows), math.prod(columns)
    if m != n:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {n} != {m}"
        )
    inverse, info = ops._linalg_inv_ex(input.reshape(m, n))
    _checks.succeeded("linalg.tensorinv", info, _checks.SINGULAR)
    return inverse.reshape(*columns, *rows)


@composite(
    "linalg_tensorsolve(Tensor input, Tensor other, int[]? dims=None) -> Tensor",
    out=True,
    autocast="fp32",
)
def linalg_tensorsolve(input: Tensor, other: Tensor, dims: Sequence[int] | None) -> Tensor:
    """The solution of ``tensordot(A, X, X.dim()) = B``.

    Args:
        input (Tensor): A; the sizes of B, then those of X, with equal products.
        other (Tensor): B.
        dims (sequence of int, optional): dimensions of A that are moved to the end first.

    Returns:
        X.

    Raises:
        RuntimeError: the products differ.
        LinAlgError: A is singular as a matrix.

    Example:
        >>> import kagari
        >>> a = kagari.eye(4).reshape(2, 2, 4)
        >>> kagari.linalg.tensorsolve(a, kagari.ones(2, 2))
        tensor([1., 1., 1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.tensorsolve.html
    """
    a = input
    if dims is not None:
        places = list(range(a.dim() - len(dims), a.dim()))
        a = a.movedim(list(dims), places)
    shape = a.shape[other.dim() :]
    size = math.prod(shape)
    if math.prod(a.shape[: other.dim()]) != size:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {size} != "
            f"{math.prod(a.shape[: other.dim()])}"
        )
    _checks.same_dtype("linalg.tensorsolve", a, other, "self", "other")
    return ops.linalg_solve(a.reshape(size, size), other.reshape(-1)).reshape(shape)
