"""Factorisations: Cholesky, LU, LDL, QR and products of Householder reflectors."""

from __future__ import annotations

from kagari._core import composite, int32, ops
from kagari.ops.linalg import _checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

# ---- Cholesky ------------------------------------------------------------------------------------


@composite(
    "linalg_cholesky_ex(Tensor input, *, bool upper=False, bool check_errors=False)"
    " -> (Tensor L, Tensor info)",
    out=True,
    autocast="fp32",
)
def linalg_cholesky_ex(input: Tensor, upper: bool, check_errors: bool) -> Any:
    r"""The Cholesky factor of a positive-definite matrix, without a check that it was one.

    .. math:: A = L L^H

    Args:
        input (Tensor): A, ``(*, n, n)``, symmetric or Hermitian; one triangle of it is read.
        upper (bool): give :math:`L^H` instead, from the upper triangle.
        check_errors (bool): raise as ``cholesky`` does.

    Returns:
        A named tuple ``(L, info)``: ``info`` is 0, or the order of the first leading minor that is
        not positive-definite.

    Raises:
        RuntimeError: the matrices are not square.
        LinAlgError: ``check_errors`` is set and a matrix is not positive-definite.

    Example:
        >>> import kagari
        >>> kagari.linalg.cholesky_ex(kagari.tensor([[-1.0]])).info
        tensor(1, dtype=kagari.int32)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html
    """
    _checks.square("linalg.cholesky_ex", input)
    factor, info = ops._linalg_cholesky_ex(input, upper)
    if check_errors:
        _checks.succeeded("linalg.cholesky_ex", info, _checks.NOT_POSITIVE)
    return factor, info


def _cholesky(name: str, a: Tensor, upper: bool) -> Tensor:
    _checks.square(name, a)
    factor, info = ops._linalg_cholesky_ex(a, upper)
    _checks.succeeded(name, info, _checks.NOT_POSITIVE)
    return factor


@composite(
    "linalg_cholesky(Tensor input, *, bool upper=False) -> Tensor", out=True, autocast="fp32"
)
def linalg_cholesky(input: Tensor, upper: bool) -> Tensor:
    r"""The Cholesky factor of a positive-definite matrix: :math:`A = L L^H`.

    Args:
        input (Tensor): A, ``(*, n, n)``, symmetric or Hermitian; one triangle of it is read.
        upper (bool): give :math:`L^H` instead, from the upper triangle.

    Returns:
        ``(*, n, n)``, lower triangular.

    Raises:
        RuntimeError: the matrices are not square.
        LinAlgError: a matrix is not positive-definite.

    Example:
        >>> import kagari
        >>> kagari.linalg.cholesky(kagari.tensor([[4.0, 2.0], [2.0, 5.0]]))
        tensor([[2., 0.],
                [1., 2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.cholesky.html
    """
    return _cholesky("linalg.cholesky", input, upper)


@composite(
    "cholesky(Tensor input, bool upper=False) -> Tensor", method=True, out=True, autocast="fp32"
)
def cholesky(input: Tensor, upper: bool) -> Tensor:
    """The Cholesky factor of a positive-definite matrix; the older name of ``linalg.cholesky``.

    :math:`A = L L^H`, or :math:`A = U^H U`.

    Args:
        input (Tensor): A, Hermitian positive-definite, ``(..., n, n)``.
        upper (bool): gives U; L by default.

    Returns:
        ``(..., n, n)``.

    Raises:
        LinAlgError: a matrix is not positive-definite.

    Example:
        >>> import kagari
        >>> kagari.cholesky(kagari.tensor([[4.0]])).item()
        2.0

    Reference: https://pytorch.org/docs/stable/generated/torch.cholesky.html
    """
    return _cholesky("cholesky", input, upper)


# ---- LU ------------------------------------------------------------------------------------------


def _lu_factor(name: str, a: Tensor, pivot: bool) -> Any:
    _checks.matrices(name, a)
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")
    return ops._linalg_lu_factor_ex(a)


_ZERO_PIVOT = (
    "U[{k},{k}] is zero and using it on lu_solve would result in a division by zero. If you still "
    "want to perform the factorization, consider calling linalg.lu(A, pivot) or "
    "linalg.lu_factor_ex(A, pivot)"
)


@composite(
    "linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False)"
    " -> (Tensor LU, Tensor pivots, Tensor info)",
    out=True,
)
def linalg_lu_factor_ex(A: Tensor, pivot: bool, check_errors: bool) -> Any:
    """The LU factors in one matrix, without a check that they can be used to solve.

    Args:
        A (Tensor): ``(*, m, n)``.
        pivot (bool): exchange rows; True is what there is on the CPU.
        check_errors (bool): raise as ``lu_factor`` does.

    Returns:
        A named tuple ``(LU, pivots, info)``: U with the part of L below its diagonal; row i was
        exchanged with row ``pivots[i]``, counted from 1; ``info`` is 0, or the number of the first
        zero on U's diagonal.

    Raises:
        RuntimeError: ``pivot`` is False, or ``check_errors`` is set and U is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.lu_factor_ex(kagari.tensor([[1.0, 2.0], [2.0, 2.0]])).LU
        tensor([[2.0000, 2.0000],
                [0.5000, 1.0000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor_ex.html
    """
    found = _lu_factor("linalg.lu_factor_ex", A, pivot)
    if check_errors:
        _checks.succeeded("linalg.lu_factor_ex", found[2], _ZERO_PIVOT)
    return tuple(found)


@composite("linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)", out=True)
def linalg_lu_factor(A: Tensor, pivot: bool) -> Any:
    """The LU factors in one matrix, as ``lu_solve`` takes them.

    Args:
        A (Tensor): ``(*, m, n)``.
        pivot (bool): exchange rows; True is what there is on the CPU.

    Returns:
        A named tuple ``(LU, pivots)``.

    Raises:
        RuntimeError: U is singular, or ``pivot`` is False.

    Example:
        >>> import kagari
        >>> kagari.linalg.lu_factor(kagari.tensor([[1.0, 2.0], [2.0, 2.0]])).pivots
        tensor([2, 2], dtype=kagari.int32)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html
    """
    factors, pivots, info = _lu_factor("linalg.lu_factor", A, pivot)
    _checks.succeeded("linalg.lu_factor", info, _ZERO_PIVOT)
    return factors, pivots


@composite("lu(Tensor input, bool pivot=True, bool get_infos=False) -> Any", method=True, out=True)
def lu(input: Tensor, pivot: bool, get_infos: bool) -> Any:
    """The LU factors in one matrix; the older form of ``linalg.lu_factor``.

    Args:
        input (Tensor): ``(*, m, n)``.
        pivot (bool): exchange rows; True is what there is on the CPU.
        get_infos (bool): give ``info`` too.

    Returns:
        A tuple ``(LU, pivots)`` or ``(LU, pivots, info)``.

    Example:
        >>> import kagari
        >>> kagari.lu(kagari.tensor([[1.0, 2.0], [2.0, 2.0]]))[1]
        tensor([2, 2], dtype=kagari.int32)

    Reference: https://pytorch.org/docs/stable/generated/torch.lu.html
    """
    found = _lu_factor("lu", input, pivot)
    return found if get_infos else tuple(found[:2])


@composite(
    "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True)"
    " -> (Tensor P, Tensor L, Tensor U)",
    out=True,
)
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool, unpack_pivots: bool) -> Any:
    """The three matrices of an LU factorisation.

    Args:
        LU_data (Tensor): ``(*, m, n)`` as ``linalg.lu_factor`` returns it.
        LU_pivots (Tensor): ``(*, min(m, n))``, int32.
        unpack_data (bool): give L and U, else empty tensors.
        unpack_pivots (bool): give P, else an empty tensor.

    Returns:
        A named tuple ``(P, L, U)``: ``(*, m, m)``, ``(*, m, k)`` and ``(*, k, n)`` with
        k = min(m, n).

    Raises:
        RuntimeError: the pivots are not int32.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[1.0, 2.0], [2.0, 2.0]])
        >>> p, l, u = kagari.lu_unpack(*kagari.linalg.lu_factor(a))
        >>> p @ l @ u
        tensor([[1., 2.],
                [2., 2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.lu_unpack.html
    """
    import kagari

    if LU_data.dim() < 2:
        raise RuntimeError(
            "lu_unpack: The input tensor LU_data must have at least 2 dimensions, got shape "
            f"{tuple(LU_data.shape)}"
        )
    if unpack_pivots and LU_pivots.dtype != int32:
        raise RuntimeError(
            "lu_unpack: LU_pivots is expected to have dtype int32, as linalg.lu_factor returns it, "
            f"got {LU_pivots.dtype}"
        )
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    p = left = right = LU_data.new_empty(0)
    if unpack_pivots:
        order = ops._linalg_pivots_to_rows(LU_pivots, m)
        one = LU_data.new_ones(()).expand(*LU_data.shape[:-2], 1, m)
        p = LU_data.new_zeros(*LU_data.shape[:-2], m, m).scatter(-2, order.unsqueeze(-2), one)
    if unpack_data:
        eye = kagari.eye(m, k, dtype=LU_data.dtype, device=LU_data.device)
        left = LU_data[..., :k].tril(-1) + eye
        right = LU_data[..., :k, :].triu()
    return p, left, right


@composite("linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)", out=True)
def linalg_lu(A: Tensor, pivot: bool) -> Any:
    r"""The LU factorisation with rows exchanged: :math:`A = P L U`.

    Args:
        A (Tensor): ``(*, m, n)``.
        pivot (bool): exchange rows; True is what there is on the CPU.

    Returns:
        A named tuple ``(P, L, U)``: a permutation ``(*, m, m)``, a lower triangular matrix with
        ones on its diagonal ``(*, m, k)``, and an upper triangular one ``(*, k, n)``, with
        k = min(m, n).

    Raises:
        RuntimeError: ``pivot`` is False.

    Example:
        >>> import kagari
        >>> kagari.linalg.lu(kagari.tensor([[1.0, 2.0], [2.0, 2.0]])).P
        tensor([[0., 1.],
                [1., 0.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.lu.html
    """
    import kagari

    factors, pivots, _ = _lu_factor("linalg.lu", A, pivot)
    return tuple(kagari.lu_unpack(factors, pivots))


# ---- LDL -----------------------------------------------------------------------------------------


@composite(
    "linalg_ldl_factor_ex(Tensor input, *, bool hermitian=False, bool check_errors=False)"
    " -> (Tensor LD, Tensor pivots, Tensor info)",
    out=True,
)
def linalg_ldl_factor_ex(input: Tensor, hermitian: bool, check_errors: bool) -> Any:
    r"""The LDL factors of a symmetric or Hermitian matrix, without a check that D is regular.

    .. math:: A = P L D L^T P^T

    Args:
        input (Tensor): A, ``(*, n, n)``; its lower triangle is read.
        hermitian (bool): complex matrices are Hermitian, and :math:`L^H` stands for :math:`L^T`.
        check_errors (bool): raise where D is singular.

    Returns:
        A named tuple ``(LD, pivots, info)`` as LAPACK's sytrf and hetrf give it.

    Raises:
        LinAlgError: ``check_errors`` is set and D is singular.

    Example:
        >>> import kagari
        >>> kagari.linalg.ldl_factor_ex(kagari.tensor([[2.0, 0.0], [4.0, 3.0]])).info.item()
        0

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.ldl_factor_ex.html
    """
    return _ldl("linalg.ldl_factor_ex", input, hermitian, check_errors)


def _ldl(name: str, a: Tensor, hermitian: bool, check: bool) -> Any:
    _checks.square(name, a)
    factors, pivots, info = ops._linalg_ldl_factor_ex(a, hermitian)
    if check:
        _checks.succeeded(name, info, "The block of D at row {k} is zero: the matrix is singular.")
    return factors, pivots, info


@composite(
    "linalg_ldl_factor(Tensor input, *, bool hermitian=False) -> (Tensor LD, Tensor pivots)",
    out=True,
)
def linalg_ldl_factor(input: Tensor, hermitian: bool) -> Any:
    r"""The LDL factors of a symmetric or Hermitian matrix, as ``ldl_solve`` takes them.

    .. math:: A = P L D L^T P^T

    Args:
        input (Tensor): A, ``(*, n, n)``; its lower triangle is read.
        hermitian (bool): complex matrices are Hermitian, and :math:`L^H` stands for :math:`L^T`.

    Returns:
        A named tuple ``(LD, pivots)``.

    Raises:
        LinAlgError: D is singular.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[2.0, 4.0], [4.0, 3.0]])
        >>> factors = kagari.linalg.ldl_factor(a)
        >>> b = kagari.ones(2, 1)
        >>> kagari.allclose(a @ kagari.linalg.ldl_solve(*factors, b), b)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.ldl_factor.html
    """
    return _ldl("linalg.ldl_factor", input, hermitian, True)[:2]


# ---- QR and reflectors ---------------------------------------------------------------------------


@composite(
    "linalg_qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)", out=True, autocast="fp32"
)
def linalg_qr(A: Tensor, mode: str) -> Any:
    r"""The QR factorisation: :math:`A = Q R` with orthonormal columns and an upper triangle.

    Args:
        A (Tensor): ``(*, m, n)``.
        mode (str): ``"reduced"``: Q ``(*, m, k)`` and R ``(*, k, n)`` with k = min(m, n);
            ``"complete"``: Q ``(*, m, m)`` and R ``(*, m, n)``; ``"r"``: only R of the first, and
            an empty Q.

    Returns:
        A named tuple ``(Q, R)``.

    Raises:
        RuntimeError: an unknown mode; or a gradient is asked for with ``"r"``, or with
            ``"complete"`` and m > n.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[3.0, 1.0], [4.0, 2.0]])
        >>> q, r = kagari.linalg.qr(a)
        >>> kagari.allclose(q @ r, a)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.qr.html
    """
    _checks.matrices("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    return tuple(ops._linalg_qr(A, mode))


@composite(
    "qr(Tensor input, bool some=True) -> (Tensor Q, Tensor R)",
    method=True,
    out=True,
    autocast="fp32",
)
def qr(input: Tensor, some: bool) -> Any:
    """The QR factorisation; the older form of ``linalg.qr``.

    Args:
        input (Tensor): ``(*, m, n)``.
        some (bool): the reduced form, else the complete one.

    Returns:
        A named tuple ``(Q, R)``.

    Example:
        >>> import kagari
        >>> kagari.qr(kagari.eye(3)[:, :2]).Q.shape
        kagari.Size([3, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.qr.html
    """
    _checks.matrices("qr", input)
    return tuple(ops._linalg_qr(input, "reduced" if some else "complete"))


def _reflectors(name: str, a: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    r"""V and T of a product of reflectors, :math:`H_1 \cdots H_k = 1 - V T V^H`.

    :math:`H_i = 1 - \tau_i v_i v_i^H`, where v_i is zero above row i and one at it. T is upper
    triangular: :math:`T^{-1} = \mathrm{diag}(1/\tau) + \mathrm{striu}(V^H V)` (Schreiber and Van
    Loan 1989), multiplied by diag(τ) here since τ may be zero.
    """
    import kagari

    _checks.matrices(name, a, "input")
    m, n = a.shape[-2:]
    if m < n:
        raise RuntimeError(
            f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1], got "
            f"{tuple(a.shape)}"
        )
    if tau.dim() != a.dim() - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal "
            f"to {tau.dim()} and input.ndim is equal to {a.dim()}"
        )
    k = tau.shape[-1]
    if k > n:
        raise RuntimeError(
            f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1], got "
            f"{tuple(a.shape)} and {tuple(tau.shape)}"
        )
    if tau.shape[:-1] != a.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2] = "
            f"{tuple(a.shape[:-2])}, but got {tuple(tau.shape[:-1])}"
        )
    same = tau.dtype == a.dtype
    if not same:
        raise RuntimeError(f"{name}: tau dtype {tau.dtype} does not match input dtype {a.dtype}")
    v = a[..., :k].tril(-1) + kagari.eye(m, k, dtype=a.dtype, device=a.device)
    scaled = tau.unsqueeze(-1) * (v.mH @ v).triu(1)
    t = ops.linalg_solve_triangular(scaled, tau.diag_embed(), upper=True, unitriangular=True)
    return v, t


def _householder_product(name: str, a: Tensor, tau: Tensor) -> Tensor:
    import kagari

    v, t = _reflectors(name, a, tau)
    m, n = a.shape[-2:]
    eye = kagari.eye(m, n, dtype=a.dtype, device=a.device)
    return eye - v @ (t @ v[..., :n, :].mH)


@composite(
    "linalg_householder_product(Tensor input, Tensor tau) -> Tensor", out=True, autocast="fp32"
)
def linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor:
    r"""The first columns of a product of Householder reflectors.

    .. math:: Q = H_1 \cdots H_k, \quad H_i = 1 - \tau_i v_i v_i^H

    Args:
        input (Tensor): ``(*, m, n)`` with m ≥ n; its columns below the diagonal, under a one, are
            the vectors v.
        tau (Tensor): ``(*, k)`` with k ≤ n.

    Returns:
        ``(*, m, n)``.

    Raises:
        RuntimeError: the shapes or dtypes do not fit.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[3.0, 1.0], [4.0, 2.0]])
        >>> q = kagari.linalg.householder_product(*kagari.geqrf(a))
        >>> kagari.allclose(q.mT @ q, kagari.eye(2), atol=1e-6)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.householder_product.html
    """
    return _householder_product("linalg.householder_product", input, tau)


@composite("orgqr(Tensor input, Tensor input2) -> Tensor", method=True, out=True, autocast="fp32")
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    r"""Another name of ``linalg.householder_product``.

    :math:`Q = \prod_i (I - \tau_i v_i v_i^H)`.

    Args:
        input (Tensor): the reflectors v below the diagonal, ``(..., m, n)``.
        input2 (Tensor): their factors τ, ``(..., k)``.

    Returns:
        Q, ``(..., m, n)``.

    Example:
        >>> import kagari
        >>> kagari.orgqr(*kagari.geqrf(kagari.eye(2)[:, :1])).shape
        kagari.Size([2, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.orgqr.html
    """
    return _householder_product("orgqr", input, input2)


@composite(
    "ormqr(Tensor input, Tensor input2, Tensor input3, bool left=True, bool transpose=False)"
    " -> Tensor",
    method=True,
    out=True,
    autocast="fp32",
)
def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool, transpose: bool) -> Tensor:
    r"""A matrix times the square Q of a QR factorisation that ``geqrf`` holds.

    Args:
        input (Tensor): ``(*, p, k)``, the reflectors.
        input2 (Tensor): τ, ``(*, j)`` with j ≤ k.
        input3 (Tensor): C, ``(*, m, n)``, with p = m, or p = n unless ``left``.
        left (bool): Q C, else C Q.
        transpose (bool): take :math:`Q^H` for Q.

    Returns:
        ``(*, m, n)``.

    Raises:
        RuntimeError: the shapes or dtypes do not fit.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[3.0, 1.0], [4.0, 2.0]])
        >>> r = kagari.ormqr(*kagari.geqrf(a), a, transpose=True)
        >>> kagari.allclose(r, kagari.linalg.qr(a).R, atol=1e-6)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.ormqr.html
    """
    name = "ormqr"
    if input.dim() < 2 or input3.dim() < 2:
        which = "input" if input.dim() < 2 else "other"
        raise RuntimeError(f"{name}: {which} must have at least 2 dimensions.")
    side = -2 if left else -1
    if input3.shape[side] < input2.shape[-1]:
        raise RuntimeError(
            f"{name}: other.shape[{side}] must be greater than or equal to tau.shape[-1]"
        )
    if input3.shape[side] != input.shape[-2]:
        raise RuntimeError(f"{name}: other.shape[{side}] must be equal to input.shape[-2]")
    if input.dim() - input2.dim() != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal "
            f"to {input2.dim()} and input.ndim is equal to {input.dim()}"
        )
    if input.dim() != input3.dim() or input.shape[:-2] != input3.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{tuple(input3.shape)} for input {tuple(input.shape)}"
        )
    _checks.same_dtype(name, input, input3, "input", "other")
    k = min(input2.shape[-1], input.shape[-1])
    v, t = _reflectors(name, input[..., :k], input2)
    if transpose:
        t = t.mH
    if left:
        return input3 - v @ (t @ (v.mH @ input3))
    return input3 - ((input3 @ v) @ t) @ v.mH
