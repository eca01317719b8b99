"""Whether two results agree: structure, dtypes, values within tolerance; the tally of a check."""

import collections

import numpy as np
import torch

from library import Missing, dtype_name, first_line, torch_to_numpy

#                 rtol,  atol      (those of torch.testing.assert_close)
TOL = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex32": (1e-3, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
# how far the measured noise of the oracle itself may widen the tolerance: fraction of max|expected|
NOISE_CAP = {
    "float16": 0.1,
    "bfloat16": 0.2,
    "float32": 1e-2,
    "complex64": 1e-2,
    "float64": 1e-5,
    "complex128": 1e-5,
    "complex32": 0.1,
}
NOISE_FACTOR = {"float64": 32.0, "complex128": 32.0}


class Mismatch(Exception):
    def __init__(self, msg, maxabs=None, maxrel=None):
        super().__init__(msg)
        self.msg, self.maxabs, self.maxrel = msg, maxabs, maxrel


def fields_of(t):
    f = getattr(type(t), "_fields", None)
    if f:
        return tuple(f)
    if type(t) is not tuple and hasattr(type(t), "n_sequence_fields"):
        return tuple(getattr(type(t), "__match_args__", ()))
    return ()


def structure(exp, act, T, path="out", pairs=None, loose=False):
    """Checks the structure of `act` (target) against `exp` (torch); returns the leaf pairs
    (path, expected numpy, actual numpy, dtype name)."""
    pairs = [] if pairs is None else pairs
    if isinstance(exp, torch.Tensor):
        if not T.is_tensor(act):
            raise Mismatch(f"structure: {path} is {type(act).__name__}, torch gives a Tensor")
        if tuple(act.shape) != tuple(exp.shape):
            raise Mismatch(f"shape: {path} {tuple(act.shape)} != {tuple(exp.shape)}")
        en, an = dtype_name(exp.dtype), dtype_name(act.dtype)
        if en != an:
            raise Mismatch(f"dtype: {path} {an} != {en}")
        el, al = (
            str(exp.layout).split(".")[-1],
            str(getattr(act, "layout", "strided")).split(".")[-1],
        )
        if el != al:
            raise Mismatch(f"layout: {path} {al} != {el}")
        pairs.append((path, exp, act, en))
        return pairs
    if isinstance(exp, torch.Size):
        if not isinstance(act, (tuple, list)) or tuple(act) != tuple(exp):
            raise Mismatch(f"value: {path} {act!r} != {tuple(exp)}"[:200])
        return pairs
    if isinstance(exp, (tuple, list)):
        kind = tuple if isinstance(exp, tuple) else list
        if not isinstance(act, (tuple, list) if loose else kind):
            raise Mismatch(
                f"structure: {path} is {type(act).__name__}, torch gives {type(exp).__name__}"
            )
        if len(act) != len(exp):
            raise Mismatch(f"structure: {path} has {len(act)} elements, torch gives {len(exp)}")
        for f in fields_of(exp):
            if not hasattr(act, f):
                raise Mismatch(f"structure: {path} has no field '{f}' (namedtuple)")
        for i, (e, a) in enumerate(zip(exp, act, strict=False)):
            structure(e, a, T, f"{path}[{i}]", pairs, loose)
        return pairs
    if isinstance(exp, dict):
        if not isinstance(act, dict) or list(act) != list(exp):
            got = list(act) if isinstance(act, dict) else type(act).__name__
            raise Mismatch(f"structure: {path} keys {got} != {list(exp)}"[:300])
        for k in exp:
            structure(exp[k], act[k], T, f"{path}[{k!r}]", pairs, loose)
        return pairs
    if isinstance(exp, torch.dtype):
        if dtype_name(exp) != dtype_name(act):
            raise Mismatch(f"value: {path} dtype {act} != {exp}")
        return pairs
    if isinstance(exp, (torch.device, torch.layout, torch.memory_format)):
        if str(exp).split(".")[-1] != str(act).split(".")[-1]:
            raise Mismatch(f"value: {path} {act} != {exp}")
        return pairs
    if exp is None or isinstance(exp, (str, bytes)):
        if exp != act:
            raise Mismatch(f"value: {path} {act!r} != {exp!r}"[:300])
        return pairs
    if isinstance(exp, (bool, int, float, complex)):
        if T.is_tensor(act):
            raise Mismatch(f"structure: {path} is a Tensor, torch gives {type(exp).__name__}")
        want = next(t for t in (bool, int, float, complex) if isinstance(exp, t))
        if not isinstance(act, want) or (want is int and isinstance(act, bool)):
            raise Mismatch(
                f"structure: {path} is {type(act).__name__}, torch gives {type(exp).__name__}"
            )
        pairs.append(
            (
                path,
                np.asarray(exp),
                np.asarray(act),
                {bool: "bool", int: "int64", float: "float64", complex: "complex128"}[want],
            )
        )
        return pairs
    if isinstance(exp, np.ndarray):
        a = np.asarray(act)
        if a.shape != exp.shape or a.dtype != exp.dtype:
            raise Mismatch(f"numpy: {path} {a.dtype}{a.shape} != {exp.dtype}{exp.shape}")
        pairs.append((path, exp, a, str(exp.dtype)))
        return pairs
    if type(exp).__name__ != type(act).__name__:
        raise Mismatch(
            f"structure: {path} is {type(act).__name__}, torch gives {type(exp).__name__}"
        )
    return pairs


def to_arrays(pairs, T):
    out = []
    for path, e, a, dt in pairs:
        e = torch_to_numpy(e) if isinstance(e, torch.Tensor) else e
        a = T.to_numpy(a) if T.is_tensor(a) else a
        out.append((path, e, np.asarray(a).reshape(e.shape), dt))
    return out


def diff(e, a, rtol, atol, extra=0.0):
    """None when equal within tolerance, else (message, maxabs, maxrel)."""
    if e.size == 0:
        return None
    if e.dtype.kind in "biu":
        bad = e != a
        if not bad.any():
            return None
        d = np.abs(e.astype(np.float64) - a.astype(np.float64))
        return f"{int(bad.sum())}/{bad.size} elements differ", float(np.max(d)), None
    if e.dtype.kind not in "fc":
        return None if np.array_equal(e, a) else ("differs", None, None)
    wide = np.complex128 if e.dtype.kind == "c" else np.float64
    e, a = e.astype(wide), a.astype(wide)
    with np.errstate(all="ignore"):
        d = np.abs(e - a)
        tol = atol + extra + rtol * np.abs(e)
        ok = (e == a) | (np.isnan(e) & np.isnan(a))
        fin = np.isfinite(e) & np.isfinite(a)
        ok |= fin & (d <= tol)
        if ok.all():
            return None
        bad = ~ok
        nf = bad & ~fin
        dd = d[bad & fin]
        ma = float(dd.max()) if dd.size else None
        rel = (d / np.maximum(np.abs(e), 1e-300))[bad & fin]
        mr = float(rel.max()) if rel.size else None
    msg = f"{int(bad.sum())}/{bad.size} elements differ"
    if nf.any():
        i = int(np.flatnonzero(nf.ravel())[0])
        msg += f" ({int(nf.sum())} non-finite: torch {e.ravel()[i]}, got {a.ravel()[i]})"
    return msg, ma, mr


def check_values(pairs, tol=None, relax=None, info=None):
    """pairs: (path, expected, actual, dtype) arrays.  relax(): noise of the oracle, one array (or
    None) per pair; asked for only when the plain tolerances fail."""
    worst, noise = None, None
    for i, (path, e, a, dt) in enumerate(pairs):
        rtol, atol = (tol or {}).get(dt) or TOL.get(dt, (0.0, 0.0))
        r = diff(e, a, rtol, atol)
        if r is None:
            continue
        if relax is not None and e.dtype.kind in "fc":
            if noise is None:
                try:
                    noise = relax()
                except Exception:
                    noise = []
            nz = noise[i] if noise and i < len(noise) else None
            if nz is not None and nz.size:
                fin = np.abs(e[np.isfinite(e)]) if e.size else e
                cap = NOISE_CAP.get(dt, 0) * (float(fin.max()) if fin.size else 0.0)
                nzf = nz[np.isfinite(nz)]
                if (
                    nzf.size < nz.size and np.shape(nz) == e.shape
                ):  # where torch's own result is not finite
                    a = np.where(np.isfinite(nz), a, e)
                    if diff(e, a, rtol, atol) is None:
                        if info is not None:
                            info["relaxed"] = info.get("relaxed", 0) + 1
                        continue
                ex = min(NOISE_FACTOR.get(dt, 4.0) * (float(nzf.max()) if nzf.size else 0.0), cap)
                if ex > 0 and diff(e, a, rtol, atol, ex) is None:
                    if info is not None:
                        info["relaxed"] = info.get("relaxed", 0) + 1
                    continue
        if worst is None or (r[1] or 0) > (worst[2] or 0):
            worst = (path, *r)
    if worst:
        raise Mismatch(f"value: {worst[0]} {worst[1]}", worst[2], worst[3])


# results of one check


class Check:
    """Gathers the outcome of a check's samples."""

    def __init__(self):
        self.n = self.ok = 0
        self.r = {}
        self.kinds = collections.Counter()
        self.info = {}

    def good(self):
        self.n += 1
        self.ok += 1

    def fail(self, kind, e, sample=None):
        self.n += 1
        self.kinds[kind] += 1
        order = {"missing": 3, "wrong": 2, "error": 1}
        if order.get(kind, 0) > order.get(self.r.get("status"), 0):
            keep = {k: self.r.get(k) for k in ("maxabs", "maxrel")}
            self.r = {
                "status": kind,
                "msg": first_line(e) if not isinstance(e, Mismatch) else e.msg,
                **keep,
            }
            if sample is not None:
                self.r["sample"] = str(sample)[:300]
        if isinstance(e, Mismatch):
            for k, v in (("maxabs", e.maxabs), ("maxrel", e.maxrel)):
                if v is not None and (self.r.get(k) or 0) <= v:
                    self.r[k] = v

    def result(self):
        if self.n == 0:
            return {"status": "na", "msg": self.info.get("why", "")}
        r = {"status": "pass", "n": self.n, "ok": self.ok}
        r.update({k: v for k, v in self.r.items() if v is not None})
        if len(self.kinds) > 1:
            r["kinds"] = dict(self.kinds)
        for k, v in self.info.items():
            if k != "why":
                r[k] = v
        return r


def guarded(rep, check, f):
    """Runs one check and reports it; an exception here is a defect of the harness."""
    rep.start(check)
    try:
        r = f()
    except Exception as e:
        import traceback

        traceback.print_exc()
        r = {"status": "error", "msg": "harness: " + first_line(e)}
        rep.extra(harness_error=f"{check}: {first_line(e)}")
    rep.result(check, r)


def classify(e):
    """How an exception of the target counts."""
    if isinstance(e, Missing):
        return "missing"
    if isinstance(e, Mismatch):
        return "wrong"
    return "error"
