"""Approximate decompositions of few vectors, by random projection (Halko et al. 2009)."""

from __future__ import annotations

from kagari._core import composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


def _orthonormal(x: Tensor) -> Tensor:
    import kagari

    return kagari.linalg.qr(x).Q


def _basis(a: Tensor, q: int, steps: int) -> Tensor:
    """Orthonormal columns that span nearly what the first singular vectors do."""
    import kagari

    probe = kagari.randn(a.shape[-1], q, dtype=a.dtype, device=a.device)
    basis = _orthonormal(a @ probe)
    for _ in range(steps):
        basis = _orthonormal(a.mH @ basis)
        basis = _orthonormal(a @ basis)
    return basis


def _svd_lowrank(a: Tensor, q: int, steps: int, mean: Tensor | None) -> tuple[Any, Any, Any]:
    import kagari

    if mean is not None:
        a = a - mean
    wide = a.shape[-2] < a.shape[-1]
    if wide:
        a = a.mH
    basis = _basis(a, q, steps)
    u, s, vh = kagari.linalg.svd(basis.mH @ a, full_matrices=False)
    left, right = basis @ u, vh.mH
    return (right, s, left) if wide else (left, s, right)


@composite(
    "svd_lowrank(Tensor A, int? q=6, int? niter=2, Tensor? M=None)"
    " -> (Tensor U, Tensor S, Tensor V)"
)
def svd_lowrank(A: Tensor, q: int | None, niter: int | None, M: Tensor | None) -> Any:
    r"""The first singular values and vectors, approximately: :math:`A \approx U diag(s) V^H`.

    Args:
        A (Tensor): ``(*, m, n)``.
        q (int): how many; a little more than the rank that is asked for.
        niter (int): steps of subspace iteration, which sharpen the result.
        M (Tensor, optional): subtracted from A first; its shape broadcasts.

    Returns:
        A tuple ``(U, S, V)``: ``(*, m, q)``, ``(*, q)`` and ``(*, n, q)``.

    Example:
        >>> import kagari
        >>> u, s, v = kagari.svd_lowrank(kagari.ones(4, 3), q=1)
        >>> kagari.allclose(u * s @ v.mT, kagari.ones(4, 3), atol=1e-5)
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.svd_lowrank.html
    """
    return _svd_lowrank(A, 6 if q is None else q, 2 if niter is None else niter, M)


@composite(
    "pca_lowrank(Tensor A, int? q=None, bool center=True, int niter=2)"
    " -> (Tensor U, Tensor S, Tensor V)"
)
def pca_lowrank(A: Tensor, q: int | None, center: bool, niter: int) -> Any:
    """The first principal components of rows of data, approximately.

    Args:
        A (Tensor): ``(*, m, n)``, a sample in each row.
        q (int, optional): how many; min(6, m, n) by default.
        center (bool): subtract the mean of the rows first.
        niter (int): steps of subspace iteration.

    Returns:
        A tuple ``(U, S, V)``: the columns of V ``(*, n, q)`` are the directions, and
        S² / (m - 1) ``(*, q)`` the variances along them.

    Raises:
        ValueError: ``q`` is negative or above min(m, n), or ``niter`` is negative.

    Example:
        >>> import kagari
        >>> kagari.pca_lowrank(kagari.eye(4), q=2)[2].shape
        kagari.Size([4, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.pca_lowrank.html
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return _svd_lowrank(A, q, niter, A.mean(-2, keepdim=True) if center else None)
