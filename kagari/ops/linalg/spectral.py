"""Eigenvalues and singular values."""

from __future__ import annotations

from kagari._core import composite, is_grad_enabled, ops
from kagari.ops.linalg import _checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


def _recorded(a: Tensor) -> bool:
    """Whether a gradient may be asked for, which needs the vectors too."""
    return a.requires_grad and is_grad_enabled()


# ---- any square matrix ---------------------------------------------------------------------------


def _eig(name: str, a: Tensor, vectors: bool) -> tuple[Tensor, Tensor]:
    _checks.square(name, a)
    values, found, info = ops._linalg_eig(a, vectors)
    if not info.is_meta and bool((info < 0).any()):
        raise RuntimeError(f"{name}: input tensor should not contain infs or NaNs.")
    _checks.succeeded(name, info, _checks.no_convergence(info, "eigenvalues"))
    return values, found


@composite(
    "linalg_eig(Tensor input) -> (Tensor eigenvalues, Tensor eigenvectors)",
    out=True,
    autocast="fp32",
)
def linalg_eig(input: Tensor) -> Any:
    r"""Eigenvalues and eigenvectors of a square matrix: :math:`A V = V \mathrm{diag}(\lambda)`.

    The vectors have norm one and are given up to a phase: a gradient exists for what does not
    depend on it, and where no eigenvalue is repeated.

    Args:
        input (Tensor): A, ``(*, n, n)``.

    Returns:
        A named tuple ``(eigenvalues, eigenvectors)`` of complex tensors, ``(*, n)`` and
        ``(*, n, n)`` with a vector in each column.

    Raises:
        RuntimeError: the matrices are not square, or hold infinities or NaN.
        LinAlgError: the iteration did not converge.

    Example:
        >>> import kagari
        >>> kagari.linalg.eig(kagari.tensor([[2.0, 0.0], [0.0, 3.0]])).eigenvalues
        tensor([2.+0.j, 3.+0.j])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eig.html
    """
    return _eig("linalg.eig", input, True)


@composite("linalg_eigvals(Tensor input) -> Tensor", out=True, autocast="fp32")
def linalg_eigvals(input: Tensor) -> Tensor:
    """Eigenvalues of a square matrix, complex.

    Args:
        input (Tensor): ``(*, n, n)``.

    Returns:
        ``(*, n)``, in no order.

    Raises:
        RuntimeError: the matrices are not square, or hold infinities or NaN.
        LinAlgError: the iteration did not converge.

    Example:
        >>> import kagari
        >>> kagari.linalg.eigvals(kagari.tensor([[0.0, -1.0], [1.0, 0.0]])).imag
        tensor([ 1., -1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eigvals.html
    """
    return _eig("linalg.eigvals", input, _recorded(input))[0]


# ---- symmetric and Hermitian ones ----------------------------------------------------------------


def _eigh(name: str, a: Tensor, uplo: str, vectors: bool) -> tuple[Tensor, Tensor]:
    _checks.square(name, a)
    if uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    values, found, info = ops._linalg_eigh(a, uplo, vectors)
    _checks.succeeded(name, info, _checks.no_convergence(info, "eigenvalues"))
    return values, found


@composite(
    "linalg_eigh(Tensor input, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)",
    out=True,
    autocast="fp32",
)
def linalg_eigh(input: Tensor, UPLO: str) -> Any:
    r"""Eigenvalues and orthonormal eigenvectors of a symmetric or Hermitian matrix.

    .. math:: A = V \mathrm{diag}(\lambda) V^H

    The vectors are given up to a phase: a gradient exists for what does not depend on it, and
    where no eigenvalue is repeated.

    Args:
        input (Tensor): A, ``(*, n, n)``.
        UPLO (str): which triangle is read, ``"L"`` or ``"U"``.

    Returns:
        A named tuple ``(eigenvalues, eigenvectors)``: real and ascending ``(*, n)``, and
        ``(*, n, n)`` with a vector in each column.

    Raises:
        RuntimeError: the matrices are not square, or ``UPLO`` is another word.
        LinAlgError: the iteration did not converge, or the input has infinities or NaN.

    Example:
        >>> import kagari
        >>> values, vectors = kagari.linalg.eigh(kagari.tensor([[2.0, 1.0], [1.0, 2.0]]))
        >>> values
        tensor([1., 3.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eigh.html
    """
    return _eigh("linalg.eigh", input, UPLO, True)


@composite("linalg_eigvalsh(Tensor input, str UPLO='L') -> Tensor", out=True, autocast="fp32")
def linalg_eigvalsh(input: Tensor, UPLO: str) -> Tensor:
    """Eigenvalues of a symmetric or Hermitian matrix.

    Args:
        input (Tensor): ``(*, n, n)``.
        UPLO (str): which triangle is read, ``"L"`` or ``"U"``.

    Returns:
        ``(*, n)``, real and ascending.

    Raises:
        RuntimeError: the matrices are not square, or ``UPLO`` is another word.
        LinAlgError: the iteration did not converge, or the input has infinities or NaN.

    Example:
        >>> import kagari
        >>> kagari.linalg.eigvalsh(kagari.tensor([[2.0, 1.0], [1.0, 2.0]]))
        tensor([1., 3.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eigvalsh.html
    """
    return _eigh("linalg.eigvalsh", input, UPLO, _recorded(input))[0]


# ---- singular values -----------------------------------------------------------------------------


def _svd(name: str, a: Tensor, full: bool, vectors: bool) -> tuple[Tensor, Tensor, Tensor]:
    _checks.matrices(name, a)
    u, s, vh, info = ops._linalg_svd(a, full, vectors)
    _checks.succeeded(name, info, _checks.no_convergence(info, "singular values"))
    return u, s, vh


def _no_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        raise RuntimeError(
            f"{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER "
            f"backend, got driver={driver!r}"
        )


@composite(
    "linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None)"
    " -> (Tensor U, Tensor S, Tensor Vh)",
    out=True,
    autocast="fp32",
)
def linalg_svd(A: Tensor, full_matrices: bool, driver: str | None) -> Any:
    r"""The singular value decomposition: :math:`A = U\,\mathrm{diag}(s)\,V^H`.

    Singular vectors are given up to a phase: a gradient exists for what does not depend on it,
    where no singular value is repeated, and, unless U and V are square, where none is zero. It
    does not flow through the vectors that ``full_matrices`` adds.

    Args:
        A (Tensor): ``(*, m, n)``.
        full_matrices (bool): U ``(*, m, m)`` and Vh ``(*, n, n)``, else ``(*, m, k)`` and
            ``(*, k, n)``, with k = min(m, n).
        driver (str, optional): None on the CPU.

    Returns:
        A named tuple ``(U, S, Vh)``; S is ``(*, k)``, real and descending.

    Raises:
        RuntimeError: fewer than two dimensions, or a ``driver``.
        LinAlgError: the iteration did not converge, or the input has infinities or NaN.

    Example:
        >>> import kagari
        >>> a = kagari.tensor([[3.0, 0.0], [4.0, 5.0]])
        >>> u, s, vh = kagari.linalg.svd(a)
        >>> kagari.allclose(u * s @ vh, a, atol=1e-6)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.svd.html
    """
    _no_driver("linalg.svd", driver)
    return _svd("linalg.svd", A, full_matrices, True)


@composite("linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor", out=True, autocast="fp32")
def linalg_svdvals(A: Tensor, driver: str | None) -> Tensor:
    """The singular values of a matrix.

    Args:
        A (Tensor): ``(*, m, n)``.
        driver (str, optional): None on the CPU.

    Returns:
        ``(*, min(m, n))``, real and descending.

    Raises:
        RuntimeError: fewer than two dimensions, or a ``driver``.
        LinAlgError: the iteration did not converge, or the input has infinities or NaN.

    Example:
        >>> import kagari
        >>> kagari.linalg.svdvals(kagari.tensor([[0.0, 2.0], [1.0, 0.0]]))
        tensor([2., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.svdvals.html
    """
    _no_driver("linalg.svdvals", driver)
    return _svd("linalg.svdvals", A, False, _recorded(A))[1]


@composite(
    "svd(Tensor input, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)",
    method=True,
    out=True,
    autocast="fp32",
)
def svd(input: Tensor, some: bool, compute_uv: bool) -> Any:
    r"""The singular value decomposition :math:`A = U\,\mathrm{diag}(s)\,V^H`, with V itself.

    Args:
        input (Tensor): A, ``(*, m, n)``.
        some (bool): min(m, n) vectors of each kind, else all.
        compute_uv (bool): False fills U ``(*, m, m)`` and V ``(*, n, n)`` with zeros.

    Returns:
        A named tuple ``(U, S, V)``.

    Raises:
        LinAlgError: the iteration did not converge, or the input has infinities or NaN.

    Example:
        >>> import kagari
        >>> kagari.svd(kagari.tensor([[0.0, 2.0], [1.0, 0.0]])).S
        tensor([2., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.svd.html
    """
    if not compute_uv:
        s = _svd("svd", input, False, _recorded(input))[1]
        m, n = input.shape[-2:]
        batch = input.shape[:-2]
        return input.new_zeros(*batch, m, m), s, input.new_zeros(*batch, n, n)
    u, s, vh = _svd("svd", input, not some, True)
    return u, s, vh.mH
