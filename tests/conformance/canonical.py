"""Outputs that are not unique: what must agree instead of the values themselves.

Each function gets the leaf pairs [(path, expected, actual, dtype)] of an op, the torch sample and
the OpInfo, and raises Mismatch when the target's output is not a valid answer.  The harness calls
them only after the direct comparison has failed (or, where `random` is set, for outputs that
depend on the random stream).
"""

import numpy as np
import torch

from compare import Mismatch
from library import torch_to_numpy

FORWARD = {}


def op(*names, random=False):
    def deco(f):
        f.random = random
        for n in names:
            FORWARD[n] = f
        return f

    return deco


def close(label, e, a, dt, scale=None):
    e, a = np.asarray(e), np.asarray(a)
    if e.shape != a.shape:
        raise Mismatch(f"value: {label} shape {a.shape} != {e.shape}")
    if e.size == 0:
        return
    s = max(1.0, float(np.nanmax(np.abs(e))) if scale is None else scale)
    tol = {"float64": 1e-9, "complex128": 1e-9}.get(dt, 2e-4) * s
    with np.errstate(all="ignore"):
        d = np.abs(e - a)
    bad = ~((d <= tol) | (np.isnan(e) & np.isnan(a)) | (e == a))
    if bad.any():
        raise Mismatch(f"value: {label} (canonical form) differs", float(np.nanmax(d[bad])))


def H(x):
    return np.conj(np.swapaxes(x, -1, -2))


def param(s, name, pos, default):
    """An argument of the sample by name or by position after the input."""
    if name in s.kwargs:
        return s.kwargs[name]
    return s.args[pos] if pos is not None and len(s.args) > pos else default


def orthonormal(label, q, dt):
    k = q.shape[-1]
    close(label, np.broadcast_to(np.eye(k), (*q.shape[:-2], k, k)), H(q) @ q, dt)


def _svd(pairs, vh):
    (_, U, u, dt), (_, S, s_, _), (_, V, v, _) = pairs
    close("S", S, s_, "float32" if dt in ("float32", "complex64") else "float64")
    k = S.shape[-1]
    if not vh:
        V, v = H(V), H(v)
    if k and not (np.any(U) or np.any(V)):  # compute_uv=False: zeros
        close("U", U, u, dt)
        close("V", V, v, dt)
        return
    close(
        "U S Vh",
        (U[..., :, :k] * S[..., None, :]) @ V[..., :k, :],
        (u[..., :, :k] * s_[..., None, :]) @ v[..., :k, :],
        dt,
    )
    orthonormal("U^H U", u, dt)
    orthonormal("V^H V", H(v), dt)


@op("svd")
def svd(pairs, s, o):
    _svd(pairs, False)


@op("linalg.svd")
def linalg_svd(pairs, s, o):
    _svd(pairs, True)


@op("svd_lowrank", "pca_lowrank", random=True)
def lowrank(pairs, s, o):
    if s.kwargs.get("M") is not None:  # an approximation that depends on the random stream
        orthonormal("U^H U", pairs[0][2], pairs[0][3])
        return
    _svd(pairs, False)


@op("linalg.eigh")
def eigh(pairs, s, o):
    (_, W, w, _), (_, V, v, dt) = pairs
    close("eigenvalues", W, w, dt)
    close("V diag(w) V^H", (V * W[..., None, :]) @ H(V), (v * w[..., None, :]) @ H(v), dt)
    orthonormal("V^H V", v, dt)


def match(label, e, a, dt):
    """Eigenvalues as multisets."""
    for x, y in zip(
        e.reshape(-1, e.shape[-1]) if e.size else [],
        a.reshape(-1, a.shape[-1]) if a.size else [],
        strict=False,
    ):
        y = list(y)
        out = []
        for t in x:
            j = int(np.argmin([abs(t - z) for z in y]))
            out.append(y.pop(j))
        close(label, x, np.array(out), dt)


@op("linalg.eigvals")
def eigvals(pairs, s, o):
    _, e, a, dt = pairs[0]
    match("eigenvalues", e, a, dt)


@op("linalg.eig")
def eig(pairs, s, o):
    (_, W, w, dt), (_, _V, v, _) = pairs
    match("eigenvalues", W, w, dt)
    if w.size:
        A = torch_to_numpy(s.input)
        close(
            "A V - V diag(w)",
            np.zeros(v.shape),
            A @ v - v * w[..., None, :],
            dt,
            float(np.abs(A).max()),
        )
        close("column norms", np.ones(w.shape), np.linalg.norm(v, axis=-2), dt)


@op("qr", "linalg.qr")
def qr(pairs, s, o):
    (_, Q, q, dt), (_, R, r, _) = pairs
    close("lower part of R", np.zeros(r.shape), np.tril(r, -1), dt)
    if Q.size == 0:
        close("R^H R", H(R) @ R, H(r) @ r, dt)
        return
    k = min(Q.shape[-1], R.shape[-2])
    close("Q R", Q[..., :k] @ R[..., :k, :], q[..., :k] @ r[..., :k, :], dt)
    orthonormal("Q^H Q", q, dt)


@op("geqrf")
def geqrf(pairs, s, o):
    (_, A, a, dt), (_, T, t, _) = pairs

    def full(x, y):
        qm = torch.linalg.householder_product(
            torch.from_numpy(x[..., :, : y.shape[-1]].copy()), torch.from_numpy(y.copy())
        ).numpy()
        return qm @ np.triu(x)[..., : y.shape[-1], :]

    close("Q R", full(A, T), full(a, t), dt)


@op("linalg.lu")
def lu(pairs, s, o):
    (_, P, p, _), (_, L, l, _), (_, U, u, dt) = pairs
    if P.size == 0:
        close("L U", L @ U, l @ u, dt)
    else:
        close("P L U", P @ L @ U, p @ l @ u, dt)
    close(
        "|L| <= 1", np.zeros(1), np.maximum(np.abs(l).max(initial=0) - 1 - 1e-5, 0).reshape(1), dt
    )


@op("lu", "linalg.lu_factor", "linalg.lu_factor_ex")
def lu_factor(pairs, s, o):
    (_, A, a, dt), (_, P, p, _) = pairs[:2]

    def full(x, y):
        x, y = torch.from_numpy(x.copy()), torch.from_numpy(y.copy())
        pp, l, u = torch.lu_unpack(x, y)
        return (pp @ l @ u).numpy()

    close("P L U", full(A, P), full(a, p), dt)
    for q in pairs[2:]:
        close(q[0], q[1], q[2], q[3])


@op("linalg.ldl_factor", "linalg.ldl_factor_ex")
def ldl(pairs, s, o):
    (_, A, a, dt), (_, P, p, _) = pairs[:2]
    herm = bool(s.kwargs.get("hermitian", False))

    def inv(x, y):
        x = torch.from_numpy(x.copy())
        eye = torch.eye(x.shape[-1], dtype=x.dtype).expand(x.shape).contiguous()
        return torch.linalg.ldl_solve(x, torch.from_numpy(y.copy()), eye, hermitian=herm).numpy()

    if A.size:
        close("inverse", inv(A, P), inv(a, p), dt)


def _at(x, idx, dim):
    return x if x.ndim == 0 else np.take_along_axis(x, idx, dim)


def _values_indices(pairs, s, dim, keepdim, any_order=False):
    (_, V, v, _dt), (_, _I, i, _) = pairs
    x = torch_to_numpy(s.input)
    if any_order:
        V, v_ = np.sort(V, dim) if V.ndim else V, np.sort(v, dim) if v.ndim else v
    else:
        v_ = v
    if not np.array_equal(V, v_, equal_nan=V.dtype.kind in "fc"):
        raise Mismatch("value: values differ")
    if x.ndim == 0 or V.size == 0:
        return
    ii = i if (keepdim is None or keepdim) else np.expand_dims(i, dim)
    vv = v if (keepdim is None or keepdim) else np.expand_dims(v, dim)
    if (ii < 0).any() or (ii >= x.shape[dim]).any():
        raise Mismatch("value: indices out of range")
    if not np.array_equal(_at(x, ii, dim), vv, equal_nan=x.dtype.kind in "fc"):
        raise Mismatch("value: input at the indices is not the values")


@op("sort")
def sort(pairs, s, o):
    if param(s, "stable", None, False):
        raise Mismatch("value: stable sort differs")
    d = param(s, "dim", 0, -1)
    _values_indices(pairs, s, d, None)
    unique_along(pairs[1][2], d)


def unique_along(i, d):
    if i.ndim and i.size and (np.diff(np.sort(i, d), axis=d) == 0).any():
        raise Mismatch("value: an index occurs twice")


@op("argsort")
def argsort(pairs, s, o):
    if param(s, "stable", None, False):
        raise Mismatch("value: stable sort differs")
    _, e, a, _ = pairs[0]
    d = param(s, "dim", 0, -1)
    x = torch_to_numpy(s.input)
    unique_along(a, d)
    if not np.array_equal(_at(x, e, d), _at(x, a, d), equal_nan=x.dtype.kind in "fc"):
        raise Mismatch("value: input at the indices is not sorted")


@op("topk")
def topk(pairs, s, o):
    d = param(s, "dim", 1, -1)
    _values_indices(pairs, s, d, None, any_order=not param(s, "sorted", 3, True))
    unique_along(pairs[1][2], d)


@op("kthvalue")
def kthvalue(pairs, s, o):
    _values_indices(pairs, s, param(s, "dim", 1, -1), param(s, "keepdim", 2, False))


@op("mode")
def mode(pairs, s, o):
    _values_indices(pairs, s, param(s, "dim", 0, -1), param(s, "keepdim", 1, False))


@op("median", "nanmedian")
def median(pairs, s, o):
    if len(pairs) < 2:
        raise Mismatch("value: differs")
    _values_indices(pairs, s, param(s, "dim", 0, -1), param(s, "keepdim", 1, False))


@op("unique")
def unique(pairs, s, o):
    """Only an unsorted result may come in another order."""
    if param(s, "sorted", None, True) or s.kwargs.get("dim") is not None:
        raise Mismatch("value: differs")
    V, v = pairs[0][1], pairs[0][2]
    oe, oa = np.argsort(V, kind="stable"), np.argsort(v, kind="stable")
    if not np.array_equal(V[oe], v[oa], equal_nan=V.dtype.kind in "fc"):
        raise Mismatch("value: values differ")
    k = 1
    if s.kwargs.get("return_inverse"):
        if not np.array_equal(v[pairs[k][2]], V[pairs[k][1]], equal_nan=V.dtype.kind in "fc"):
            raise Mismatch("value: inverse differs")
        k += 1
    if s.kwargs.get("return_counts") and not np.array_equal(pairs[k][1][oe], pairs[k][2][oa]):
        raise Mismatch("value: counts differ")
