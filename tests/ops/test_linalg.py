"""Linear algebra: by reconstruction, gradients to second order, batches, bits and errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kagari
from kagari import linalg
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck

KINDS = ("float32", "float64", "complex64", "complex128")
TOLERANCE = {"float32": 2e-5, "float64": 1e-12, "complex64": 2e-5, "complex128": 1e-12}
BATCHES: tuple[tuple[int, ...], ...] = ((), (2,), (3, 1), (0,))
SHAPES = ((4, 4), (5, 3), (3, 5), (1, 1), (1, 4), (4, 1))


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng([seed, *shape])
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    return kagari.from_numpy(x.astype(dtype))


def definite(shape: tuple[int, ...], dtype: str) -> Any:
    x = numbers(shape, dtype)
    return x @ x.mH + kagari.eye(shape[-1], dtype=x.dtype) * shape[-1]


def close(got: Any, expected: Any, scale: float = 1) -> None:
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    tolerance = TOLERANCE[str(got.dtype).split(".")[1]] * scale
    assert kagari.allclose(got, expected, tolerance, tolerance * 20), (got, expected)


def orthonormal(x: Any) -> None:
    eye = kagari.eye(x.shape[-1], dtype=x.dtype).expand(*x.shape[:-2], -1, -1)
    close(x.mH @ x, eye)


# ---- reconstruction ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("batch", BATCHES)
def test_cholesky(batch: tuple[int, ...], dtype: str) -> None:
    a = definite((*batch, 4, 4), dtype)
    low = linalg.cholesky(a)
    close(low @ low.mH, a)
    assert kagari.equal(low, low.tril())
    up = linalg.cholesky(a, upper=True)
    close(up.mH @ up, a)
    close(kagari.cholesky_inverse(low) @ a, kagari.eye(4, dtype=a.dtype).expand_as(a))
    b = numbers((*batch, 4, 2), dtype)
    close(a @ kagari.cholesky_solve(b, low), b)
    close(a @ kagari.cholesky_solve(b, up, upper=True), b)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_lu(batch: tuple[int, ...], shape: tuple[int, int], dtype: str) -> None:
    a = numbers((*batch, *shape), dtype)
    p, low, up = linalg.lu(a)
    close(p @ low @ up, a)
    assert kagari.equal(low, low.tril())
    assert kagari.equal(up, up.triu())
    close(p @ p.mT, kagari.eye(shape[0], dtype=a.dtype).expand(*batch, -1, -1))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_qr(batch: tuple[int, ...], shape: tuple[int, int], dtype: str) -> None:
    a = numbers((*batch, *shape), dtype)
    for mode, k in (("reduced", min(shape)), ("complete", shape[0])):
        q, r = linalg.qr(a, mode)
        assert q.shape[-1] == r.shape[-2] == k
        close(q @ r, a)
        orthonormal(q)
        assert kagari.equal(r, r.triu())
    only = linalg.qr(a, "r")
    assert only.Q.shape == (0,)
    close(only.R, linalg.qr(a).R)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_svd(batch: tuple[int, ...], shape: tuple[int, int], dtype: str) -> None:
    a = numbers((*batch, *shape), dtype)
    k = min(shape)
    for full in (False, True):
        u, s, vh = linalg.svd(a, full_matrices=full)
        assert u.shape[-1] == (shape[0] if full else k)
        assert vh.shape[-2] == (shape[1] if full else k)
        orthonormal(u)
        orthonormal(vh.mH)
        close(u[..., :k] * s.unsqueeze(-2) @ vh[..., :k, :], a)
        assert bool((s.diff(dim=-1) <= 0).all())
        assert not s.is_complex()
    close(linalg.svdvals(a), linalg.svd(a).S)
    u, s, v = kagari.svd(a)
    close(u * s.unsqueeze(-2) @ v.mH, a)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("batch", BATCHES)
def test_eigenvalues(batch: tuple[int, ...], dtype: str) -> None:
    a = numbers((*batch, 4, 4), dtype)
    values, vectors = linalg.eig(a)
    close(a.to(vectors.dtype) @ vectors, vectors * values.unsqueeze(-2))
    close(linalg.eigvals(a).sum(-1), a.diagonal(0, -2, -1).sum(-1).to(values.dtype))
    h = a + a.mH
    for uplo in ("L", "U"):
        triangle = h.tril() if uplo == "L" else h.triu()
        values, vectors = linalg.eigh(triangle, uplo)
        close(vectors * values.unsqueeze(-2) @ vectors.mH, h)
        orthonormal(vectors)
        close(linalg.eigvalsh(h, uplo), values)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", ((4, 4), (5, 3), (4, 1)))
def test_reflectors(shape: tuple[int, int], dtype: str) -> None:
    a = numbers((2, *shape), dtype)
    packed, tau = kagari.geqrf(a)
    q, r = linalg.qr(a)
    close(linalg.householder_product(packed, tau), q)
    close(kagari.orgqr(packed, tau), q)
    close(packed.triu()[..., : shape[1], :], r)
    whole = linalg.qr(a, "complete").Q
    c = numbers((2, shape[0], 3), dtype)
    close(kagari.ormqr(packed, tau, c), whole @ c)
    close(kagari.ormqr(packed, tau, c, transpose=True), whole.mH @ c)
    close(kagari.ormqr(packed, tau, c.mT, left=False), c.mT @ whole)


@pytest.mark.parametrize("dtype", KINDS)
def test_ldl(dtype: str) -> None:
    x = numbers((3, 5, 5), dtype)
    b = numbers((3, 5, 2), dtype)
    for a, hermitian in ((x + x.mT, False), (x + x.mH, True)):
        factors = linalg.ldl_factor(a, hermitian=hermitian)
        close(a @ linalg.ldl_solve(*factors, b, hermitian=hermitian), b, 50)


# ---- equations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("left", (True, False))
@pytest.mark.parametrize(
    "batches", (((), ()), ((2,), (2,)), ((2, 1), (3,)), ((), (2,)), ((4,), ()), ((0,), (0,)))
)
def test_solvers(batches: tuple[tuple[int, ...], ...], left: bool, dtype: str) -> None:
    a = definite((*batches[0], 3, 3), dtype)
    b = numbers((*batches[1], 3, 2) if left else (*batches[1], 2, 3), dtype)

    def residual(x: Any, matrix: Any) -> None:
        product = matrix @ x if left else x @ matrix
        close(product, b.expand_as(product))

    residual(linalg.solve(a, b, left=left), a)
    factors = linalg.lu_factor(a)
    residual(linalg.lu_solve(*factors, b, left=left), a)
    residual(linalg.lu_solve(*factors, b, left=left, adjoint=True), a.mH)
    for upper in (True, False):
        triangle = a.triu() if upper else a.tril()
        residual(linalg.solve_triangular(a, b, upper=upper, left=left), triangle)
        ones = triangle - triangle.diagonal(0, -2, -1).diag_embed() + kagari.eye(3, dtype=a.dtype)
        x = linalg.solve_triangular(a, b, upper=upper, left=left, unitriangular=True)
        residual(x, ones)


def test_solve_of_vectors() -> None:
    a = definite((2, 3, 3), "float64")
    for shape in ((3,), (2, 3)):
        b = numbers(shape, "float64")
        x = linalg.solve(a, b)
        assert x.shape == (2, 3)
        close((a @ x.unsqueeze(-1)).squeeze(-1), b.expand(2, 3))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("batch", BATCHES)
def test_inverse_and_determinant(batch: tuple[int, ...], dtype: str) -> None:
    a = numbers((*batch, 4, 4), dtype)
    eye = kagari.eye(4, dtype=a.dtype).expand_as(a)
    close(linalg.inv(a) @ a, eye, 10)
    close(a.inverse() @ a, eye, 10)
    sign, size = linalg.slogdet(a)
    close(sign * size.exp(), linalg.det(a), 10)
    expected = np.linalg.det(np.asarray(a.tolist()).reshape(a.shape))
    close(linalg.det(a), kagari.from_numpy(np.asarray(expected)).to(a.dtype), 10)
    two = a @ a.mH + eye  # of positive determinant
    close(two.logdet().exp(), linalg.det(two), 50)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_pseudo_inverse(shape: tuple[int, int], dtype: str) -> None:
    a = numbers((2, *shape), dtype)
    p = linalg.pinv(a)
    close(a @ p @ a, a)
    close(p @ a @ p, p, 10)
    close((a @ p).mH, a @ p)
    thin = numbers((2, shape[0], 1), dtype) @ numbers((2, 1, shape[1]), dtype)
    assert linalg.matrix_rank(thin).tolist() == [1, 1]
    close(thin @ linalg.pinv(thin, rtol=1e-4) @ thin, thin)


def test_hermitian_pseudo_inverse_and_rank() -> None:
    a = kagari.tensor([[2.0, 0.0, 0.0], [0.0, -4.0, 0.0], [0.0, 0.0, 0.0]])
    p = linalg.pinv(a, hermitian=True)
    assert p.diagonal().tolist() == [0.5, -0.25, 0.0]
    assert linalg.matrix_rank(a, hermitian=True).item() == 2
    assert linalg.matrix_rank(a, atol=3.0).item() == 1
    assert linalg.matrix_rank(a, 3.0).item() == 1
    assert linalg.matrix_rank(a, rtol=kagari.tensor(0.6)).item() == 1


@pytest.mark.parametrize("driver", ("gels", "gelsy", "gelsd", "gelss", None))
def test_least_squares(driver: str | None) -> None:
    a, b = numbers((2, 5, 3), "float64"), numbers((2, 5, 2), "float64")
    found = linalg.lstsq(a, b, driver=driver)
    close(found.solution, linalg.pinv(a) @ b)
    assert found.rank.tolist() == ([] if driver == "gels" else [3, 3])
    if driver in ("gelsd", "gelss"):
        close(found.singular_values, linalg.svdvals(a))
    if driver in ("gels", "gelsd", "gelss"):
        close(found.residuals, (a @ found.solution - b).square().sum(-2))
    wide = linalg.lstsq(a.mT, b[:, :3], driver=driver)
    close(wide.solution, linalg.pinv(a.mT) @ b[:, :3])
    assert wide.residuals.shape == (0,)


def test_tensor_inverse_and_solve() -> None:
    a = numbers((2, 3, 6), "float64")
    b = numbers((2, 3), "float64")
    x = linalg.tensorsolve(a, b)
    close(kagari.tensordot(a, x, 1), b)
    inverse = linalg.tensorinv(a)
    assert inverse.shape == (6, 2, 3)
    close(kagari.tensordot(inverse, b, 2), x)


# ---- functions, norms, products ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", KINDS)
def test_exponential(dtype: str) -> None:
    a = numbers((3, 4, 4), dtype)
    a = a * kagari.tensor([0.01, 1.0, 6.0], dtype=a.dtype).reshape(3, 1, 1)
    values, vectors = linalg.eig(a.to(kagari.complex128))
    expected = vectors * values.exp().unsqueeze(-2) @ linalg.inv(vectors)
    expected = expected if a.is_complex() else expected.real
    got = linalg.matrix_exp(a)
    for one, other in zip(got, expected, strict=True):
        size = float(other.abs().max())
        close(one / size, (other / size).to(a.dtype), 10)
    for i in range(3):  # alone as in the batch
        assert kagari.equal(linalg.matrix_exp(a[i]), got[i])


def test_powers() -> None:
    a = definite((2, 3, 3), "float64")
    close(linalg.matrix_power(a, 5), a @ a @ a @ a @ a, 10)
    close(linalg.matrix_power(a, -2), linalg.inv(a) @ linalg.inv(a))
    assert kagari.equal(linalg.matrix_power(a, 0), kagari.eye(3, dtype=a.dtype).expand_as(a))
    assert kagari.equal(
        kagari.matrix_power(kagari.tensor([[1, 1], [0, 1]]), 4)[0, 1:], kagari.tensor([4])
    )


@pytest.mark.parametrize("order", ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf))
def test_matrix_norms(order: Any) -> None:
    a = numbers((2, 4, 3), "complex128")
    x = np.asarray(a.tolist())
    expected = np.linalg.norm(x, order, (1, 2))
    close(linalg.matrix_norm(a, order), kagari.from_numpy(expected))
    close(linalg.norm(a, order, dim=(1, 2)), kagari.from_numpy(expected))
    kept = linalg.matrix_norm(a.movedim(0, 2), order, dim=(0, 1), keepdim=True)
    close(kept, kagari.from_numpy(expected.reshape(1, 1, 2)))
    square = numbers((4, 4), "float64")
    condition = np.linalg.cond(np.asarray(square.tolist()), order)
    close(linalg.cond(square, order), kagari.tensor(condition, dtype=kagari.float64), 10)


@pytest.mark.parametrize("order", (0, 0.5, 1, 1.5, 2, 3, -1, math.inf, -math.inf))
@pytest.mark.parametrize("dim", (0, 1, 2, (0, 2), None))
def test_vector_norms(dim: Any, order: float) -> None:
    a = numbers((3, 4, 5), "float64")
    x = np.abs(np.asarray(a.tolist()))
    if order == 0:
        expected = (x != 0).sum(dim).astype(float)
    elif math.isinf(order):
        expected = x.max(dim) if order > 0 else x.min(dim)
    else:
        expected = (x**order).sum(dim) ** (1 / order)
    close(linalg.vector_norm(a, order, dim), kagari.from_numpy(np.asarray(expected)), 10)


def test_singular_matrices_have_infinite_condition() -> None:
    a = kagari.stack([kagari.zeros(2, 2), kagari.eye(2)])
    for p in ("fro", "nuc", 1, -math.inf):
        first, second = linalg.cond(a, p).tolist()
        assert math.isinf(first)
        assert second >= 1


def test_products() -> None:
    a, b = numbers((2, 3), "complex128"), numbers((2, 3), "complex128", 1)
    x, y = np.asarray(a.tolist()), np.asarray(b.tolist())
    close(linalg.cross(a, b), kagari.from_numpy(np.cross(x, y)))
    close(kagari.cross(a.mT, b.mT), kagari.from_numpy(np.cross(x, y).T.copy()))
    close(linalg.vecdot(a, b), kagari.from_numpy((x.conj() * y).sum(-1)))
    v = kagari.tensor([1, 2, 3])
    assert linalg.vander(v, N=4).tolist() == np.vander([1, 2, 3], 4, increasing=True).tolist()
    assert kagari.vander(v).tolist() == np.vander([1, 2, 3]).tolist()
    assert kagari.trace(kagari.tensor([[1, 2, 3], [4, 5, 6]])).item() == 6
    assert kagari.dist(v.double(), v.double() + 2, 1).item() == 6


# ---- distances -----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", (0.0, 0.5, 1.0, 2.0, 3.0, math.inf))
def test_distances(p: float) -> None:
    a, b = numbers((2, 5, 3), "float64"), numbers((4, 3), "float64")
    x, y = np.asarray(a.tolist()), np.asarray(b.tolist())
    difference = np.abs(x[:, :, None] - y[None, None])
    if p == 0:
        expected = (difference != 0).sum(-1).astype(float)
    elif math.isinf(p):
        expected = difference.max(-1)
    else:
        expected = (difference**p).sum(-1) ** (1 / p)
    close(kagari.cdist(a, b, p), kagari.from_numpy(expected))
    first, second = np.triu_indices(5, 1)
    pairs = kagari.cdist(a[0], a[0], p, compute_mode="donot_use_mm_for_euclid_dist")
    close(kagari.pdist(a[0], p), pairs[first.tolist(), second.tolist()])


def test_distances_by_products() -> None:
    a, b = numbers((40, 6), "float64"), numbers((30, 6), "float64")
    b[3] = a[5]
    a.requires_grad_()
    fast, slow = (
        kagari.cdist(a, b, compute_mode=f"{use}use_mm_for_euclid_dist") for use in ("", "donot_")
    )
    close(fast, slow, 1e5)  # the product cancels digits of close points
    weight = numbers((40, 30), "float64")
    weight[5, 3] = 0
    (one,) = kagari.autograd.grad((fast * weight).sum(), a)
    (other,) = kagari.autograd.grad((slow * weight).sum(), a)
    close(one, other, 1e3)


@pytest.mark.parametrize("p", (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_distances_of_many_rows_and_their_gradients(p: float, dtype: str) -> None:
    """Several vectors and chains of rows and of their numbers, and ends of both, beside the formula."""
    a, b = numbers((3, 37, 21), dtype).requires_grad_(), numbers((150, 21), dtype).requires_grad_()
    wide = a.detach().double().requires_grad_(), b.detach().double().requires_grad_()
    formula = linalg.vector_norm(wide[0].unsqueeze(-2) - wide[1], p, -1)
    upstream = numbers((3, 37, 150), "float64")
    expected = [formula, *kagari.autograd.grad(formula, wide, upstream)]
    distances = kagari.cdist(a, b, p, compute_mode="donot_use_mm_for_euclid_dist")
    got = [distances, *kagari.autograd.grad(distances, (a, b), upstream.to(a.dtype))]
    rtol = 1e-12 if dtype == "float64" else 3e-5
    for one, other in zip(got, expected, strict=True):
        kagari.testing.assert_close(
            one.double(), other, rtol=rtol, atol=rtol * other.abs().max().item()
        )
    first, second = kagari.triu_indices(150, 150, 1)
    within = kagari.pdist(b, p)
    full = kagari.cdist(b, b, p, compute_mode="donot_use_mm_for_euclid_dist")
    assert within.equal(full[first, second])
    (one,) = kagari.autograd.grad(within.square().sum(), b)
    (other,) = kagari.autograd.grad(full.triu(1).square().sum(), b)
    kagari.testing.assert_close(one, other, rtol=rtol, atol=rtol * other.abs().max().item())


def test_distances_are_the_same_for_any_number_of_threads() -> None:
    a, b = numbers((70, 30), "float32").requires_grad_(), numbers((90, 30), "float32")
    before = kagari.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 8):
            kagari.set_num_threads(threads)
            made = [kagari.cdist(a, b, 1.0), kagari.pdist(a, 3.0)]
            grads = [kagari.autograd.grad(d.square().sum(), a)[0] for d in made]
            results.append([*made, *grads, kagari.dot(*numbers((2, 100_003), "float32"))])
    finally:
        kagari.set_num_threads(before)
    for other in results[1:]:
        assert all(x.equal(y) for x, y in zip(results[0], other, strict=True))
    assert kagari.cdist(a[5:6], b, 1.0).equal(results[0][0][5:6])


def test_distance_of_zero_has_no_slope() -> None:
    for count in (3, 30):
        a = kagari.ones(count, 2, dtype=kagari.float64, requires_grad=True)
        (g,) = kagari.autograd.grad(kagari.cdist(a, a.detach()).sum(), a)
        assert bool((g == 0).all())
    (g,) = kagari.autograd.grad(kagari.pdist(a).sum(), a)
    assert bool((g == 0).all())


def test_renorm() -> None:
    a = kagari.tensor([[3.0, 4.0], [0.3, 0.4]])
    assert kagari.allclose(a.renorm(2, 0, 1.0), kagari.tensor([[0.6, 0.8], [0.3, 0.4]]))
    a.renorm_(1, 0, 0.7)
    assert kagari.allclose(a.abs().sum(1), kagari.tensor([0.7, 0.7]))


# ---- low rank ------------------------------------------------------------------------------------


def test_low_rank() -> None:
    for m, n in ((12, 7), (7, 12)):
        a = numbers((m, 3), "float64") @ numbers((3, n), "float64")
        u, s, v = kagari.svd_lowrank(a, q=4)
        close(u * s @ v.mT, a)
        centered = a - a.mean(-2, keepdim=True)
        u, s, v = kagari.pca_lowrank(a, q=4)
        close(u * s @ v.mT, centered)


# ---- gradients -----------------------------------------------------------------------------------


def symmetric(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: f(x + x.mH)


def positive(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: f(x @ x.mH + 3 * kagari.eye(x.shape[-1], dtype=x.dtype))


def invariant(u: Any, *more: Any) -> Any:
    """What does not depend on the phases of vectors."""
    return (u.abs(), *more)


GRADIENTS: list[tuple[str, Callable[[Any], Any], tuple[int, ...]]] = [
    ("cholesky", positive(linalg.cholesky), (2, 3, 3)),
    ("cholesky upper", positive(lambda a: linalg.cholesky(a, upper=True)), (3, 3)),
    ("cholesky_inverse", lambda a: kagari.cholesky_inverse(a.tril() + 2), (3, 3)),
    ("lu square", lambda a: linalg.lu_factor(a).LU, (2, 3, 3)),
    ("lu tall", lambda a: linalg.lu(a)[1:], (4, 2)),
    ("lu wide", lambda a: linalg.lu(a)[1:], (2, 4)),
    ("qr square", linalg.qr, (3, 3)),
    ("qr tall", linalg.qr, (2, 4, 2)),
    ("qr wide", linalg.qr, (2, 4)),
    ("qr complete", lambda a: linalg.qr(a, "complete"), (2, 3)),
    ("householder", lambda a: linalg.householder_product(a, a[..., 0, :]), (4, 3)),
    ("ormqr", lambda a: kagari.ormqr(a, a[0], a.mT, left=False), (4, 2)),
    ("svd square", lambda a: tuple(x.abs() for x in linalg.svd(a)), (3, 3)),
    ("svd tall", lambda a: invariant(*linalg.svd(a, full_matrices=False)[:2]), (2, 4, 2)),
    (
        "svd wide",
        lambda a: (lambda u, s, vh: (vh.mH * s) @ vh)(*linalg.svd(a, full_matrices=False)),
        (2, 4),
    ),
    ("svdvals", linalg.svdvals, (3, 2)),
    ("eigh", symmetric(lambda a: invariant(linalg.eigh(a)[1], linalg.eigh(a)[0])), (3, 3)),
    ("eigvalsh", symmetric(linalg.eigvalsh), (2, 3, 3)),
    ("eig", lambda a: invariant(linalg.eig(a)[1], linalg.eig(a)[0].abs()), (3, 3)),
    ("eigvals", lambda a: linalg.eigvals(a).abs(), (3, 3)),
    ("det", linalg.det, (2, 3, 3)),
    ("slogdet", lambda a: linalg.slogdet(a)[1], (2, 3, 3)),
    ("logdet", positive(kagari.logdet), (3, 3)),
    ("inv", linalg.inv, (2, 3, 3)),
    ("pinv tall", linalg.pinv, (4, 2)),
    ("pinv wide", linalg.pinv, (2, 4)),
    ("pinv hermitian", symmetric(lambda a: linalg.pinv(a, hermitian=True)), (3, 3)),
    ("lstsq", lambda a: linalg.lstsq(a, a + 1, driver="gelsd")[:2], (4, 2)),
    ("matrix_exp", linalg.matrix_exp, (2, 3, 3)),
    ("matrix_power", lambda a: linalg.matrix_power(a, -3), (3, 3)),
    ("cond", linalg.cond, (3, 3)),
    ("matrix_norm", lambda a: linalg.matrix_norm(a, "nuc"), (3, 2)),
    ("tensorinv", linalg.tensorinv, (2, 2, 4)),
    ("tensorsolve", lambda a: linalg.tensorsolve(a, a[..., 0]), (2, 2, 4)),
    ("vander", lambda a: linalg.vander(a, N=4), (3,)),
    ("renorm", lambda a: kagari.renorm(a, 2, 0, 0.5), (3, 2)),
    ("trace", kagari.trace, (3, 2)),
]
PAIRS: list[tuple[str, Callable[[Any, Any], Any], tuple[int, ...], tuple[int, ...]]] = [
    ("solve", linalg.solve, (2, 3, 3), (3, 2)),
    ("solve right", lambda a, b: linalg.solve(a, b, left=False), (3, 3), (2, 3)),
    ("solve vector", linalg.solve, (3, 3), (3,)),
    ("triangular", lambda a, b: linalg.solve_triangular(a, b, upper=True), (3, 3), (2, 3, 2)),
    (
        "triangular right",
        lambda a, b: linalg.solve_triangular(a, b, upper=False, left=False, unitriangular=True),
        (3, 3),
        (2, 3),
    ),
    ("cholesky_solve", lambda a, b: kagari.cholesky_solve(b, a.tril()), (3, 3), (3, 1)),
    ("cross", linalg.cross, (2, 3), (1, 3)),
    ("vecdot", linalg.vecdot, (2, 3), (3,)),
]


def _lu_solve(left: bool, adjoint: bool) -> Callable[[Any, Any], Any]:
    def f(a: Any, b: Any) -> Any:
        pivots = linalg.lu_factor(a.detach()).pivots  # the factors vary, the exchanges stay
        return linalg.lu_solve(a, pivots, b if left else b.mT, left=left, adjoint=adjoint)

    return f


PAIRS += [
    (f"lu_solve {left} {adjoint}", _lu_solve(left, adjoint), (2, 3, 3), (3, 2))
    for left in (True, False)
    for adjoint in (True, False)
]


@pytest.mark.parametrize("dtype", ("float64", "complex128"))
@pytest.mark.parametrize(("name", "f", "shape"), GRADIENTS, ids=[g[0] for g in GRADIENTS])
def test_gradients(name: str, f: Any, shape: tuple[int, ...], dtype: str) -> None:
    x = numbers(shape, dtype).requires_grad_()
    assert gradcheck(f, (x,))
    assert gradgradcheck(f, (x,))


@pytest.mark.parametrize("dtype", ("float64", "complex128"))
@pytest.mark.parametrize(("name", "f", "one", "other"), PAIRS, ids=[g[0] for g in PAIRS])
def test_gradients_of_two(
    name: str, f: Any, one: tuple[int, ...], other: tuple[int, ...], dtype: str
) -> None:
    inputs = (numbers(one, dtype).requires_grad_(), numbers(other, dtype, 1).requires_grad_())
    assert gradcheck(f, inputs)
    assert gradgradcheck(f, inputs)


@pytest.mark.parametrize("p", (1.0, 1.5, 2.0, 3.0, math.inf))
@pytest.mark.parametrize("count", (3, 27))
def test_gradients_of_distances(count: int, p: float) -> None:
    a, b = numbers((count, 2), "float64"), numbers((2, 2), "float64", 1)
    few = a[:3].clone().requires_grad_()
    mode = "use_mm_for_euclid_dist" if count > 25 else "donot_use_mm_for_euclid_dist"
    f = lambda x, y: kagari.cdist(x, y, p, mode)  # noqa: E731
    assert gradcheck(f, (few, b.requires_grad_()))
    assert gradgradcheck(f, (few, b))
    assert gradcheck(lambda x: kagari.pdist(x, p), (few,))
    assert gradgradcheck(lambda x: kagari.pdist(x, p), (few,))


@pytest.mark.parametrize("rank", (0, 1, 2))
@pytest.mark.parametrize("dtype", ("float64", "complex128"))
def test_gradient_of_a_singular_determinant(rank: int, dtype: str) -> None:
    a = numbers((3, rank), dtype) @ numbers((rank, 3), dtype)
    a[2] = 0  # singular to the last digit
    a.requires_grad_()
    det = linalg.det(a)
    assert det.item() == 0
    (g,) = kagari.autograd.grad(det.real if a.is_complex() else det, a)
    x = np.asarray(a.tolist())
    cofactors = np.empty_like(x)
    for i in range(3):
        for j in range(3):
            minor = np.delete(np.delete(x, i, 0), j, 1)
            cofactors[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    close(g, kagari.from_numpy(cofactors.conj()))


def test_what_has_no_gradient_says_so() -> None:
    a = numbers((3, 3), "float64").requires_grad_()
    with pytest.raises(NotImplementedError, match="the derivative for 'geqrf'"):
        kagari.geqrf(a)[0].sum().backward()
    with pytest.raises(NotImplementedError, match="linalg_ldl_factor_ex"):
        linalg.ldl_factor(a)[0].sum().backward()
    with pytest.raises(RuntimeError, match="mode='r'"):
        linalg.qr(a, "r").R.sum().backward()
    with pytest.raises(RuntimeError, match="mode='complete' and nrows > ncols"):
        linalg.qr(a[:, :2], "complete").Q.sum().backward()
    z = numbers((3, 3), "complex128").requires_grad_()
    for vectors in (linalg.svd(z).U, linalg.eigh(z + z.mH)[1], linalg.eig(z)[1]):
        with pytest.raises(RuntimeError, match="ill-defined"):
            vectors.imag.sum().backward()


# ---- bits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ("lu_factor", "eigh", "qr", "svd", "cholesky", "inv"))
def test_the_same_bits_from_any_number_of_threads(name: str) -> None:
    a = definite((300, 300), "float64")
    batch = definite((6, 40, 40), "float32")
    f = getattr(linalg, name)
    before = kagari.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3, 4):
            kagari.set_num_threads(threads)
            results = [r for x in (a, batch) for r in _tensors(f(x))]
            found.append([np.asarray(r.tolist()).tobytes() for r in results])
    finally:
        kagari.set_num_threads(before)
    assert all(one == found[0] for one in found)


def test_a_matrix_alone_has_the_bits_it_has_in_a_batch() -> None:
    batch = definite((5, 20, 20), "float32")
    for f in (linalg.lu_factor, linalg.eigh, linalg.qr, linalg.svd, linalg.inv, linalg.det):
        whole = _tensors(f(batch))
        for i in range(5):
            for one, of in zip(_tensors(f(batch[i])), whole, strict=True):
                assert kagari.equal(one, of[i])


def _tensors(found: Any) -> list[Any]:
    return list(found) if isinstance(found, tuple) else [found]


# ---- forms ---------------------------------------------------------------------------------------


def test_inputs_are_kept_and_may_have_any_strides() -> None:
    base = numbers((6, 8), "float64")
    views = [base[::2, ::2], base.mT[:3, 1:4], base[:1], base[:, :1], base[:3, :3].flip(0)]
    for view in views:
        before = view.clone()
        for f in (linalg.svd, linalg.svdvals, linalg.qr, linalg.lu, linalg.pinv, kagari.geqrf):
            for one, other in zip(_tensors(f(view)), _tensors(f(view.contiguous())), strict=True):
                assert kagari.equal(one, other)
        linalg.lstsq(view, view)
        if view.shape[0] == view.shape[1]:
            for f in (linalg.eig, linalg.eigvals, linalg.eigvalsh, linalg.inv, linalg.det):
                f(view)
        assert kagari.equal(view, before)


def test_results_have_names_and_out_forms() -> None:
    a = numbers((3, 3), "float64")
    found = linalg.svd(a)
    assert type(found).__name__.endswith("linalg_svd")
    assert found.Vh is found[2]
    out = (a.new_empty(0), a.new_empty(0), a.new_empty(0))
    again = linalg.svd(a, out=out)
    assert again.U is out[0]
    assert kagari.equal(out[1], found.S)
    inverse = kagari.empty(3, 3, dtype=a.dtype)
    assert linalg.inv(a, out=inverse) is inverse
    assert kagari.equal(inverse, linalg.inv(a))


def test_meta_tensors_have_shapes() -> None:
    a = kagari.empty(2, 4, 3, device="meta")
    assert linalg.svd(a).U.shape == (2, 4, 4)
    assert linalg.qr(a).R.shape == (2, 3, 3)
    assert linalg.solve(a[:, :3], a.mT).shape == (2, 3, 4)


def test_empty_matrices() -> None:
    a = kagari.empty(0, 0)
    assert linalg.det(a).item() == 1
    assert linalg.inv(a).shape == (0, 0)
    assert linalg.cholesky(a).shape == (0, 0)
    assert linalg.eigh(a).eigenvalues.shape == (0,)
    assert linalg.svd(kagari.empty(2, 0)).U.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert linalg.qr(kagari.empty(2, 0), "complete").Q.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert linalg.matrix_rank(kagari.empty(2, 0)).item() == 0
    assert linalg.pinv(kagari.empty(2, 0)).shape == (0, 2)
    assert linalg.matrix_exp(a).shape == (0, 0)
    assert linalg.lstsq(kagari.empty(2, 0), kagari.empty(2, 3)).solution.shape == (0, 3)


# ---- errors --------------------------------------------------------------------------------------

SQUARE = kagari.eye(3)
ZEROS = kagari.zeros(2, 3, 3)
NAN = kagari.full((2, 2), math.nan)
ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: linalg.inv(ZEROS), linalg.LinAlgError, r"linalg.inv: \(Batch element 0\): The diag"),
    (lambda: linalg.inv(ZEROS[0]), linalg.LinAlgError, r"linalg.inv: The diagonal element 1 is z"),
    (lambda: linalg.solve(ZEROS, ZEROS), linalg.LinAlgError, "solver failed because the input mat"),
    (lambda: linalg.cholesky(-SQUARE), linalg.LinAlgError, "leading minor of order 1 is not posi"),
    (lambda: linalg.cholesky_ex(-SQUARE, check_errors=True), linalg.LinAlgError, "not positive-d"),
    (lambda: kagari.cholesky(-SQUARE), linalg.LinAlgError, "cholesky: The factorization could no"),
    (lambda: linalg.lu_factor(ZEROS), RuntimeError, r"U\[1,1\] is zero and using it on lu_solve"),
    (lambda: linalg.ldl_factor(ZEROS), linalg.LinAlgError, "The block of D at row 1 is zero"),
    (lambda: linalg.matrix_power(ZEROS, -1), linalg.LinAlgError, "the inversion could not be"),
    (lambda: linalg.tensorinv(kagari.zeros(2, 2), 1), linalg.LinAlgError, "linalg.tensorinv: The"),
    (lambda: linalg.svd(NAN), linalg.LinAlgError, "contained non-finite values"),
    (lambda: linalg.eigh(NAN), linalg.LinAlgError, "contained non-finite values"),
    (lambda: linalg.lstsq(NAN, NAN), linalg.LinAlgError, "contained non-finite values"),
    (lambda: linalg.eig(NAN), RuntimeError, "should not contain infs or NaNs"),
    (lambda: linalg.inv(kagari.ones(3, 2)), RuntimeError, "square matrices, but they are 3 by 2"),
    (lambda: linalg.inv(kagari.ones(3)), RuntimeError, "at least 2 dimensions, got shape"),
    (lambda: linalg.inv(SQUARE.long()), RuntimeError, "Expected a floating point or complex tens"),
    (lambda: linalg.inv(SQUARE.half()), RuntimeError, "Low precision dtypes not supported. Got"),
    (lambda: linalg.qr(SQUARE, "x"), RuntimeError, "unrecognized mode 'x'"),
    (lambda: linalg.eigh(SQUARE, "X"), RuntimeError, "'L' or 'U', but got X"),
    (lambda: linalg.svd(SQUARE, driver="gesvd"), RuntimeError, "only supported on CUDA inputs"),
    (lambda: linalg.lu(SQUARE, pivot=False), RuntimeError, "without pivoting is not implemented"),
    (lambda: linalg.solve(SQUARE, kagari.ones(4)), RuntimeError, r"AX = B \(3x3 and 4x1\)"),
    (lambda: linalg.solve(SQUARE, kagari.tensor(1.0)), RuntimeError, "B must have at least one d"),
    (lambda: linalg.tensorsolve(SQUARE, kagari.ones(2)), RuntimeError, r"\(3x3 and 2x1\)"),
    (
        lambda: linalg.solve(SQUARE, kagari.ones(3), left=False),
        RuntimeError,
        "Vector broadcasting of the left hand side",
    ),
    (lambda: linalg.solve(SQUARE, SQUARE.double()), RuntimeError, "to have the same dtype"),
    (
        lambda: linalg.solve_triangular(SQUARE, kagari.ones(2, 1), upper=True),
        RuntimeError,
        r"Incompatible shapes of A and B for the equation AX = B \(3x3 and 2x1\)",
    ),
    (
        lambda: linalg.lu_solve(SQUARE, kagari.tensor([1, 2, 9], dtype=kagari.int32), SQUARE),
        RuntimeError,
        "expected pivots from 1 to 3, got 9",
    ),
    (
        lambda: linalg.lu_solve(SQUARE, kagari.tensor([1, 2, 3]), SQUARE),
        RuntimeError,
        "Expected pivots of dtype int32",
    ),
    (
        lambda: linalg.ldl_solve(SQUARE, kagari.tensor([1, 2, -2], dtype=kagari.int32), SQUARE),
        RuntimeError,
        "expected pivots as ldl_factor returns them, got -2 at 2 of 3",
    ),
    (lambda: linalg.lstsq(SQUARE, SQUARE, driver="x"), RuntimeError, "parameter `driver` should"),
    (lambda: linalg.lstsq(SQUARE, kagari.ones(2, 2)), RuntimeError, r"match other.size\(-2\)"),
    (lambda: linalg.pinv(SQUARE.long()), RuntimeError, "expected a tensor with 2 or more dimens"),
    (lambda: linalg.cond(SQUARE, 3), RuntimeError, "linalg.cond got an invalid norm type: 3"),
    (lambda: linalg.matrix_norm(SQUARE, 3), RuntimeError, "Order 3 not supported"),
    (lambda: linalg.matrix_norm(SQUARE, dim=(0, 0)), RuntimeError, "dims must be different"),
    (lambda: linalg.norm(ZEROS, 2), RuntimeError, "the input must be 1D or 2D. Got 3D"),
    (lambda: linalg.norm(ZEROS, dim=(0, 1, 2)), RuntimeError, "must be of length 1 or 2"),
    (lambda: linalg.cross(kagari.ones(2), kagari.ones(2)), RuntimeError, "must have length 3"),
    (lambda: kagari.cross(kagari.ones(2), kagari.ones(2)), RuntimeError, "no dimension of size 3"),
    (lambda: linalg.vander(kagari.tensor(1.0)), RuntimeError, "N must be greater than 1"),
    (lambda: linalg.tensorinv(ZEROS), RuntimeError, "but got 3 != 6"),
    (lambda: linalg.multi_dot([SQUARE]), RuntimeError, "expected at least 2 tensors but got 1"),
    (lambda: kagari.trace(ZEROS), RuntimeError, "expected a matrix, but got tensor with dim 3"),
    (
        lambda: linalg.householder_product(SQUARE, SQUARE),
        RuntimeError,
        "Expected tau to have one dimension less than input",
    ),
    (
        lambda: kagari.lu_unpack(SQUARE, kagari.tensor([1, 2, 3])),
        RuntimeError,
        "LU_pivots is expected to have dtype int32, as linalg.lu_factor",
    ),
    (lambda: kagari.cdist(SQUARE, kagari.ones(2, 2)), RuntimeError, "same number of columns. X1"),
    (lambda: kagari.cdist(SQUARE, SQUARE, -1.0), RuntimeError, "only supports non-negative p val"),
    (lambda: kagari.cdist(SQUARE, SQUARE, compute_mode="x"), ValueError, "not a valid value for"),
    (lambda: kagari.pdist(kagari.ones(2)), RuntimeError, "pdist only supports 2D tensors, got: 1D"),
    (lambda: kagari.renorm(SQUARE, 0, 0, 1), RuntimeError, "non-positive-norm not supported"),
    (lambda: kagari.renorm(SQUARE, 2, 0, -1), RuntimeError, "expected maxnorm to be >= 0"),
    (lambda: kagari.pca_lowrank(SQUARE, q=4), ValueError, r"q\(=4\) must be non-negative integer"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS, ids=[e[2][:30] for e in ERRORS])
def test_errors(call: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()


def test_the_error_class() -> None:
    assert issubclass(linalg.LinAlgError, RuntimeError)
    assert linalg.LinAlgError.__module__ == "kagari.linalg"


def test_unchecked_forms_report() -> None:
    a = kagari.stack([kagari.eye(2), kagari.zeros(2, 2)])
    assert linalg.inv_ex(a).info.tolist() == [0, 1]
    assert linalg.solve_ex(a, a).info.tolist() == [0, 1]
    assert linalg.cholesky_ex(a).info.tolist() == [0, 1]
    assert linalg.lu_factor_ex(a).info.tolist() == [0, 1]
    assert ops._linalg_pivots_to_rows(kagari.tensor([2, 2], dtype=kagari.int32), 3).tolist() == [
        1,
        0,
        2,
    ]


# Up to 16 rows and columns real matrices are worked on without LAPACK.
SMALL = (1, 2, 3, 4, 7, 8, 15, 16, 17)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SMALL)
def test_small_matrices(n: int, dtype: str) -> None:
    a, b = numbers((3, n, n), dtype), numbers((3, n, 19), dtype, 1)
    s = definite((3, n, n), dtype)
    scale = 20.0 * n
    p, lower, upper = linalg.lu(a)
    close(p @ lower @ upper, a, scale)
    assert float(lower.abs().max()) <= 1  # by the largest of each column
    factors, pivots = linalg.lu_factor(s)
    close(s @ linalg.lu_solve(factors, pivots, b), b, scale)
    close(s.mT @ linalg.lu_solve(factors, pivots, b, adjoint=True), b, scale)
    close(linalg.solve(s, b.mT, left=False) @ s, b.mT, scale)
    close(s @ linalg.inv(s), kagari.eye(n, dtype=s.dtype).expand(3, n, n), scale)
    root = linalg.cholesky(s)
    close(root @ root.mT, s, scale)
    close(linalg.cholesky(s, upper=True), root.mT, scale)
    close(root @ linalg.solve_triangular(root, b, upper=False), b, scale)
    close(linalg.solve_triangular(root.mT, b.mT, upper=True, left=False) @ root.mT, b.mT, scale)
    unit = root.tril(-1) / n + kagari.eye(n, dtype=s.dtype)
    x = linalg.solve_triangular(root / n, b, upper=False, unitriangular=True)
    close(unit @ x, b, scale)
    for m in (a, b[..., : n + 2], b[..., : n + 2].mT):
        for mode in ("reduced", "complete"):
            q, r = linalg.qr(m, mode=mode)
            close(q @ r, m, scale)
            close(q.mT @ q, kagari.eye(q.shape[-1], dtype=q.dtype).expand(3, -1, -1), scale)
            assert kagari.equal(r, r.triu())
    for i in range(3):
        for f in (linalg.inv, linalg.det, linalg.cholesky, lambda m: linalg.qr(m)[0]):
            assert kagari.equal(f(s)[i], f(s[i]))


@pytest.mark.parametrize("n", [3, 40])
def test_cholesky_reports_a_pivot_that_is_not_a_number(n: int) -> None:
    a = kagari.eye(n)
    a[2, 0] = float("nan")
    assert linalg.cholesky_ex(a).info == 3
    with pytest.raises(linalg.LinAlgError, match="not positive-definite"):
        linalg.cholesky(a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_matrices_that_have_no_inverse(dtype: str) -> None:
    a = kagari.tensor([[1.0, 2, 3], [2, 4, 6], [0, 0, 5]], dtype=getattr(kagari, dtype))
    assert linalg.det(a) == 0
    assert linalg.lu_factor_ex(a)[2] == 2  # the first pivot that is zero, though not the last
    assert linalg.inv_ex(kagari.zeros(2, 2, dtype=a.dtype))[1] == 1
    assert linalg.cholesky_ex(kagari.diag(kagari.tensor([1.0, -1, 1], dtype=a.dtype)))[1] == 2
    assert math.isnan(linalg.det(kagari.full((2, 2), math.nan, dtype=a.dtype)))
    tiny = kagari.full((3, 2), 1e-30 if dtype == "float32" else 1e-300, dtype=a.dtype)
    q, r = linalg.qr(tiny)
    close(q.mT @ q, kagari.eye(2, dtype=a.dtype), 20)
    close(q @ (r * 1e25), tiny * 1e25, 20)
    assert kagari.equal(
        linalg.qr(kagari.zeros(3, 3, dtype=a.dtype))[1].abs(), kagari.zeros(3, 3, dtype=a.dtype)
    )
