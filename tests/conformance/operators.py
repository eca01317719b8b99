"""Operator conformance: every OpInfo of torch.testing's op_db, run in torch and in the target.

Checks:
  fwd       forward, float32
  strided   forward, float32, from inputs that are not contiguous
  dtypes    forward in float64, int64, bool, bfloat16, complex64 where torch supports them
  grad      first-order gradient in float64 for the same random cotangents
  gradgrad  gradient of the gradient
  errors    torch's error inputs must raise
  method    the Tensor method gives the function's result
  inplace   the in-place method, result and mutated input
  out       out=
  alias     torch's aliases of the op
"""

import functools
import re
import types
import zlib

import numpy as np
import torch

from canonical import FORWARD
from compare import Check, Mismatch, check_values, classify, diff, guarded, structure, to_arrays
from library import (
    ALLOWED_EXC,
    ConvError,
    Missing,
    Target,
    clone_tree,
    dtype_name,
    first_line,
    flatten_out,
    is_test_code,
    is_torch_tensor,
    pick,
    record_constructors,
    tensors_of,
    torch_to_numpy,
    tree_map,
    watch_torch_imports,
)

CHECKS = [
    "fwd",
    "strided",
    "dtypes",
    "grad",
    "gradgrad",
    "errors",
    "method",
    "inplace",
    "out",
    "alias",
]
DTYPES = ["float64", "int64", "int32", "uint8", "bool", "bfloat16", "float16", "complex64"]

TSEED = (
    1007  # the target's seed differs from the oracle's: nothing may rely on equal random streams
)
# values of these are uninitialised memory: only structure, shape and dtype are compared
UNINIT = {
    "empty",
    "empty_like",
    "new_empty",
    "new_empty_strided",
    "empty_strided",
    "empty_permuted",
    "resize_",
    "resize_as_",
}
# decided on rounding noise (a rank, a bin, the nearest pixel): only shape and dtype there
ILL_POSED = {
    ("linalg.pinv.singular", "float32"),
    ("linalg.pinv.singular", "complex64"),
    ("histc", "bfloat16"),
    ("nn.functional.grid_sample", "bfloat16"),
    ("grid_sampler_2d", "bfloat16"),
    ("grid_sampler_3d", "bfloat16"),
}
# Not run at all, with the reason
EXCLUDED = {
    r"jiterator_.*": "CUDA only",
    r"torch\.ops\.aten\._(flash|efficient)_attention_forward": "CUDA only",
    r"nn\.functional\.batch_norm\.without_cudnn": "CUDA only",
}
# Parts of torch that are not public API: counted apart
INTERNAL = {
    "max_pool2d_with_indices_backward",
    "native_batch_norm",
    "native_layer_norm",
    "native_dropout_backward",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "slice",
}
# Tolerances wider than torch.testing.assert_close, by op: {op: {dtype: (rtol, atol)}}
TOL_OPS = {
    "linalg.matrix_rank": {"int64": (0, 0)},
}

from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import _getattr_qual

RECORDS = list(op_db)


def tier(op):
    for p, why in EXCLUDED.items():
        if re.fullmatch(p, op.full_name):
            return "excluded", why
    n = op.name
    if (
        n in INTERNAL
        or n.startswith("torch.")
        or (n.startswith("_") and not n.startswith("__"))
        or isinstance(op.op, (torch._ops.OpOverload, torch._ops.OpOverloadPacket))
    ):
        return "internal", ""
    return "public", ""


# Run and listed, but no part of the percentages: by name, with the reason
UNCOUNTED = {
    r"sparse\..*|to_sparse": "a sparse layout",
    r"(torch\.ops\.aten\.)?_(?!_).*": "a private name",
}


def uncounted(op):
    """Why a record is no part of the percentages; empty for the public ones."""
    kind, why = tier(op)
    if kind == "excluded":
        return why
    return next((why for p, why in UNCOUNTED.items() if re.fullmatch(p, op.full_name)), "")


def primary(op):
    """The one dotted name of the target that the op stands for."""
    f = _getattr_qual(torch, op.name, None)
    if isinstance(op.op, torch._ops.OpOverload):
        return "ops.aten." + op.op.name().split("::")[1].split(".")[0]
    if isinstance(op.op, torch._ops.OpOverloadPacket):
        return "ops.aten." + op.op.__name__.split(".")[-1]
    if op.name.startswith("torch."):
        return op.name[6:]
    if op.name == "max_pool2d_with_indices_backward":
        return "ops.aten." + op.name
    if f is op.op:
        return op.name
    if op.variant_test_name == "in_place":
        return f"Tensor.{op.name}_"
    if f is not None and callable(f):
        return op.name
    if hasattr(torch.Tensor, op.name):
        return f"Tensor.{op.name}"
    if hasattr(torch.Tensor, op.name + "_"):
        return f"Tensor.{op.name}_"
    return op.name


def namespace(path):
    return path.rsplit(".", 1)[0] if "." in path else "(top)"


class Ctx:
    """What a worker holds: the oracle and the target."""

    def __init__(self, options):
        self.samples = options.samples
        record_constructors()
        self.ref = Target("torch")
        self.T = Target(options.module)
        watch_torch_imports(self.T)


class Op:
    """One OpInfo with its callables on both sides."""

    def __init__(self, op, ctx):
        self.op, self.ctx, self.ref, self.T = op, ctx, ctx.ref, ctx.T
        self.path = primary(op)
        self.uninit = op.name in UNINIT or getattr(op, "has_nondeterministic_output", False)
        self.canon = FORWARD.get(op.name)
        self.mask = op.name.startswith("masked.")
        self.tol = TOL_OPS.get(op.name)
        self.samples_ok = False
        self.T.exact_storage = op.name.startswith("as_strided")
        self.cache = {}
        self.rcall = self.callable(self.ref)
        self.missing = None
        self.lookup()

    def lookup(self):
        try:
            self.tcall = self.callable(self.T)
            self.missing = None
        except Missing as e:
            self.tcall, self.missing = None, f"{e}"
        except Exception as e:
            self.tcall, self.missing = None, first_line(e)

    def callable(self, T, f=None, path=None):
        f, path = f or self.op.op, path or self.path
        if path.startswith("ops.aten."):
            p = next((p for p in (path, path[9:]) if T.has(p)), None)
            if p is None:
                raise Missing(path)
            if not isinstance(f, types.FunctionType):
                return f if T is self.ref else T.resolve(p)
        if isinstance(f, types.FunctionType) and is_test_code(f):
            T.resolve(path)
            return T.rebind(f)
        return f if T is self.ref and path == self.path else T.resolve(path)

    # -- samples ------------------------------------------------------------------------------
    def samples(self, dtype, n, grad=False):
        key = (dtype, grad)
        if key not in self.cache:
            try:
                self.cache[key] = list(self.op.sample_inputs("cpu", dtype, requires_grad=grad))
            except Exception:
                self.cache[key] = []
        got = pick(self.cache[key], n)
        big = max(
            (
                sum(t.numel() for t in tensors_of((s.input, s.args, s.kwargs), is_torch_tensor))
                for s in got
            ),
            default=0,
        )
        return pick(got, max(2, n // 4)) if big > 100_000 else got

    def call(self, lib, f, inp, args, kwargs):
        lib.seed(TSEED)
        return f(inp, *args, **kwargs)

    def oracle(self, s, f=None, extra=None):
        """torch's result on a copy of the sample: (out, inputs after, random?) or None if torch
        itself refuses the sample."""
        f = self.rcall if f is None else f
        inp, args, kw = clone_tree((s.input, s.args, s.kwargs))
        kw = {**kw, **(extra or {})}
        torch.manual_seed(7)
        before = torch.get_rng_state()
        try:
            out = f(inp, *args, **kw)
        except Exception as e:
            self.refused = first_line(e)
            return None
        rnd = False
        if not torch.equal(before, torch.get_rng_state()):

            def again(seed):
                inp2, args2, kw2 = clone_tree((s.input, s.args, s.kwargs))
                torch.manual_seed(seed)
                return f(inp2, *args2, **{**kw2, **(extra or {})})

            rnd = depends_on_seed(out, again)
        return out, (inp, args, kw), rnd

    def noise(self, s, f=None, post=None):
        """|torch's result - a better one|, a measure of what rounding alone may change."""
        f = self.rcall if f is None else f
        post = post or (lambda o: o)

        def outs(tree):
            torch.manual_seed(7)
            return [
                torch_to_numpy(t) if is_torch_tensor(t) else None
                for t in leaves(post(f(tree[0], *tree[1], **tree[2])))
            ]

        tree = clone_tree((s.input, s.args, s.kwargs))
        dts = {dtype_name(t.dtype) for t in tensors_of(tree, is_torch_tensor)}
        base = outs(clone_tree((s.input, s.args, s.kwargs)))
        low = dts & {"float32", "complex64", "bfloat16", "float16"}
        if low:
            alts = [outs(promote(clone_tree((s.input, s.args, s.kwargs))))]
        else:
            alts = [outs(perturb(clone_tree((s.input, s.args, s.kwargs)), k)) for k in range(3)]
        res = []
        for i, b in enumerate(base):
            if b is None or b.dtype.kind not in "fc":
                res.append(None)
                continue
            nz = np.zeros(b.shape)
            for a in alts:
                if i < len(a) and a[i] is not None and a[i].shape == b.shape:
                    with np.errstate(all="ignore"):
                        nz = np.maximum(
                            nz, np.nan_to_num(np.abs(a[i] - b), nan=0, posinf=0, neginf=0)
                        )
                        nz[~np.isfinite(b) & np.isfinite(a[i])] = np.inf  # torch itself overflowed
            res.append(nz)
        return res

    def compare(self, exp, act, s, rnd, chk, relax=None, use_canon=True):
        """Raises Mismatch unless the target's output agrees."""
        pairs = structure(exp, act, self.T)
        if self.uninit or (
            isinstance(exp, torch.Tensor)
            and (self.op.full_name, dtype_name(exp.dtype)) in ILL_POSED
        ):
            return
        fn = self.canon if use_canon else None
        if rnd:
            if fn is not None and fn.random:
                arr = to_arrays(pairs, self.T)
                fn(arr, s, self.op)
            chk.info["random"] = chk.info.get("random", 0) + 1
            return
        arr = to_arrays(pairs, self.T)
        if self.mask and isinstance(exp, torch.Tensor):
            arr = self.masked(arr, s)
        try:
            check_values(arr, self.tol, relax, chk.info)
        except Mismatch:
            if fn is None:
                raise
            fn(arr, s, self.op)
            chk.info["canonical"] = chk.info.get("canonical", 0) + 1

    def masked(self, arr, s):
        """torch.masked leaves masked-out elements undefined: compare only the others."""
        m = output_mask(self.op, s)
        if m is None:
            return arr
        path, e, a, dt = arr[0]
        m = np.broadcast_to(torch_to_numpy(m), e.shape)
        z = np.zeros((), e.dtype)
        return [(path, np.where(m, e, z), np.where(m, a, z), dt)]

    # -- one forward --------------------------------------------------------------------------
    def forward(self, dtype, n, chk, rf=None, tf=None, extra=None, missing=None, change=None):
        rf = self.rcall if rf is None else rf
        tf = self.tcall if tf is None else tf
        for s in self.samples(dtype, n):
            s = change(s) if change else s
            r = self.oracle(s, rf)
            if r is None:
                chk.info.setdefault("why", "torch refuses the samples: " + self.refused)
                continue
            if missing is not None:
                chk.fail("missing", missing)
                continue
            exp, after, rnd = r
            try:
                inp, args, kw = tin = self.T.convert((s.input, s.args, s.kwargs))
                act = self.call(self.T, tf, inp, args, kw)
                self.compare(exp, act, s, rnd, chk, lambda: self.noise(s, rf))
                if not rnd and not self.uninit:
                    self.same_inputs(after, tin)
                chk.good()
            except Exception as e:
                chk.fail(classify(e), e, s.summary())

    def same_inputs(self, after, tin):
        """Inputs that torch mutates must be mutated the same way, the others left alone."""
        ra = tensors_of(after, is_torch_tensor)
        ta = tensors_of(tin, self.T.is_tensor)
        if len(ra) != len(ta):
            return
        for r, t in zip(ra, ta, strict=False):
            if r.layout != torch.strided:
                continue
            if tuple(r.shape) != tuple(t.shape):
                raise Mismatch(
                    f"shape of an input after the call: {tuple(t.shape)} != {tuple(r.shape)}"
                )
            try:
                check_values(
                    to_arrays([("input after the call", r, t, dtype_name(r.dtype))], self.T)
                )
            except Mismatch as e:
                a = diff(torch_to_numpy(r), self.T.to_numpy(t), 1e-4, 1e-4)
                if a is not None:
                    raise e


def leaves(x, out=None):
    """Outputs in the order of common.structure's leaf pairs."""
    out = [] if out is None else out
    if isinstance(x, torch.Size):
        return out
    if isinstance(x, (tuple, list)):
        for y in x:
            leaves(y, out)
    elif isinstance(x, dict):
        for y in x.values():
            leaves(y, out)
    elif isinstance(x, (torch.Tensor, bool, int, float, complex)):
        out.append(x)
    return out


def depends_on_seed(first, again):
    """Whether a computation that draws random numbers also shows them in its result."""
    try:
        return any(not same(first, again(1000 + k)) for k in range(24))
    except Exception:
        return True


def same(a, b):
    """Whether two torch outputs agree: a sample that uses the RNG may still be deterministic."""
    a, b = leaves(a), leaves(b)
    if len(a) != len(b):
        return False
    for x, y in zip(a, b, strict=False):
        if isinstance(x, torch.Tensor):
            if x.shape != y.shape:
                return False
            if diff(torch_to_numpy(x), torch_to_numpy(y), 1e-4, 1e-5) is not None:
                return False
        elif x != y and not (x != x and y != y):
            return False
    return True


UP = {
    torch.float32: torch.float64,
    torch.complex64: torch.complex128,
    torch.bfloat16: torch.float64,
    torch.float16: torch.float64,
}


def promote(tree):
    def f(x):
        if isinstance(x, torch.Tensor):
            r = x.detach().to(UP.get(x.dtype, x.dtype))
            return r.requires_grad_(x.requires_grad)
        if isinstance(x, torch.dtype):
            return UP.get(x, x)
        if isinstance(x, torch.Size):
            return x
        if isinstance(x, tuple):
            v = [f(y) for y in x]
            return type(x)(*v) if hasattr(x, "_fields") else tuple(v)
        if isinstance(x, list):
            return [f(y) for y in x]
        if isinstance(x, dict):
            return {k: f(v) for k, v in x.items()}
        return x

    return f(tree)


def perturb(tree, k):
    g = torch.Generator().manual_seed(k)

    def f(t):
        if t.layout != torch.strided or not (t.dtype.is_floating_point or t.dtype.is_complex):
            return t
        n = torch.randn(t.shape, generator=g, dtype=torch.float64) * 2.0**-50
        return (t.detach() * (1 + n)).to(t.dtype).requires_grad_(t.requires_grad)

    return tree_map(f, tree)


def output_mask(op, s):
    try:
        if op.name in ("masked.logaddexp",):
            im, om = s.kwargs.get("input_mask"), s.kwargs.get("other_mask")
            if im is None or om is None:
                return None
            kw = {**s.kwargs, "mask": torch.logical_and(im, om)}
            return torch.masked._input_mask(s.input, *s.args, **kw)
        if s.kwargs.get("mask") is None:
            return None
        return torch.masked._output_mask(op.op, s.input, *s.args, **s.kwargs)
    except Exception:
        return None


# ---------------------------------------------------------------------------------------------
# gradients
# ---------------------------------------------------------------------------------------------


class Side:
    """A gradient computation in one library."""

    def __init__(self, lib, is_tensor, f, sample_tree, post, wrapper, mask):
        self.lib, self.is_tensor = lib, is_tensor
        self.tree = sample_tree
        inp, args, kw = sample_tree
        out = wrapper(f, inp, *args, **kw) if wrapper else f(inp, *args, **kw)
        if mask is not None and is_tensor(out):
            out = lib.resolve("where")(mask, out, out.new_zeros([]))
        self.outs = flatten_out(post(out), is_tensor)


def wrapper_for(op, lib):
    w = op.gradcheck_wrapper
    n = getattr(w, "__name__", "")
    if n == "wrapper_set_seed" or n.startswith("gradcheck_wrapper_masked"):
        return None
    return lib.rebind(w)


def grad_dtype(op):
    b = op.supported_backward_dtypes("cpu")
    for d in (torch.float64, torch.complex128, torch.float32, torch.complex64):
        if d in b and op.supports_dtype(d, "cpu"):
            return d
    return None


def rng_for(*key):
    return np.random.default_rng(zlib.crc32("/".join(map(str, key)).encode()))


def cotangents(outs, key):
    r = rng_for(*key)
    res = []
    for t in outs:
        a = r.standard_normal(tuple(t.shape))
        if t.dtype.is_complex:
            a = a + 1j * r.standard_normal(tuple(t.shape))
        res.append(torch.from_numpy(np.asarray(a)).to(t.dtype))
    return res


def post_for(op, s, lib):
    """What is differentiated instead of the raw outputs where those are not unique."""
    f = s.output_process_fn_grad
    if op.name in ("qr", "linalg.qr"):  # unique up to the phases of R's diagonal
        return lambda out: (out[0].abs(), out[1].abs())
    if op.name in ("linalg.eig", "linalg.eigvals"):  # the order of the eigenvalues is free, too

        def sums(out):
            w = out if op.name == "linalg.eigvals" else out[0]
            r = (w.sum(-1), (w * w).sum(-1), w.abs().sum(-1))
            if op.name == "linalg.eig":
                a = out[1].abs()
                r += ((a * a * w.abs().unsqueeze(-2)).sum(-1),)
            return r

        return sums
    return lib.rebind(f) if is_test_code(f) else f


def differentiable(t):
    return t.requires_grad and (t.dtype.is_floating_point or t.dtype.is_complex)


def run_grads(o, chk, order, n):
    op, T = o.op, o.T
    dt = grad_dtype(op)
    if dt is None:
        chk.info["why"] = "no autograd dtype on the CPU"
        return
    w_ref = wrapper_for(op, o.ref)
    for i, s in enumerate(o.samples(dt, n, grad=True)):
        mask = output_mask(op, s) if o.mask else None
        post_ref = post_for(op, s, o.ref)

        def oracle(tree, seed=7):
            torch.manual_seed(seed)
            side = Side(o.ref, is_torch_tensor, o.rcall, tree, post_ref, w_ref, mask)
            ins = [t for t in tensors_of(tree, is_torch_tensor) if t.requires_grad]
            sel = [j for j, t in enumerate(side.outs) if differentiable(t)]
            if not ins or not sel:
                return None
            outs = [side.outs[j] for j in sel]
            vs = cotangents(outs, (op.full_name, i))
            if order == 1:
                g = torch.autograd.grad(outs, ins, vs, allow_unused=True)
                return sel, vs, None, None, list(g), outs
            vs = [v.requires_grad_() for v in vs]
            g = torch.autograd.grad(outs, ins, vs, allow_unused=True, create_graph=True)
            gsel = [j for j, t in enumerate(g) if t is not None and differentiable(t)]
            if not gsel:
                return None
            ws = cotangents([g[j] for j in gsel], (op.full_name, i, "w"))
            gg = torch.autograd.grad([g[j] for j in gsel], ins + vs, ws, allow_unused=True)
            return sel, vs, gsel, ws, list(gg), outs

        tree = clone_tree((s.input, s.args, s.kwargs))
        state = None
        try:
            torch.manual_seed(7)
            state = torch.get_rng_state()
            ref = oracle(tree)
        except Exception as e:
            chk.info.setdefault("why", "torch refuses: " + first_line(e))
            continue
        if ref is None:
            chk.info.setdefault("why", "nothing requires grad")
            continue
        rnd = False
        if not torch.equal(state, torch.get_rng_state()):
            nn = lambda r: [g for g in r[4] if g is not None]
            rnd = depends_on_seed(
                nn(ref), lambda k: nn(oracle(clone_tree((s.input, s.args, s.kwargs)), k))
            )
        if o.missing is not None:
            chk.fail("missing", o.missing)
            continue
        sel, vs, gsel, ws, exp, routs = ref
        try:
            tt = T.convert((s.input, s.args, s.kwargs))
            rins = list(tensors_of((s.input, s.args, s.kwargs), is_torch_tensor))
            tins = tensors_of(tt, T.is_tensor)
            if len(rins) != len(tins):
                raise ConvError("number of tensors differs after conversion")
            ins = [t for r, t in zip(rins, tins, strict=False) if r.requires_grad]
            T.seed(TSEED)
            side = Side(
                T,
                T.is_tensor,
                o.tcall,
                tt,
                post_for(op, s, T),
                wrapper_for(op, T),
                T.from_torch(mask) if mask is not None else None,
            )
            if len(side.outs) <= max(sel):
                raise Mismatch(f"structure: {len(side.outs)} output tensors")
            outs = [side.outs[j] for j in sel]
            for a, b in zip(outs, routs, strict=False):
                if tuple(a.shape) != tuple(b.shape):
                    raise Mismatch(f"shape: output {tuple(a.shape)} != {tuple(b.shape)}")
            grad = T.resolve("autograd.grad")
            tv = [T.from_torch(v.detach()) for v in vs]
            if order == 1:
                got = grad(outs, ins, grad_outputs=tv, allow_unused=True)
            else:
                for v in tv:
                    v.requires_grad_()
                g = grad(outs, ins, grad_outputs=tv, allow_unused=True, create_graph=True)
                if any(g[j] is None for j in gsel):
                    raise Mismatch("a first-order gradient is None")
                tw = [T.from_torch(w) for w in ws]
                got = grad([g[j] for j in gsel], ins + tv, grad_outputs=tw, allow_unused=True)
            pairs, idx = [], []
            for j, (e, a) in enumerate(zip(exp, got, strict=False)):
                if e is None and a is None:
                    continue
                if a is None:
                    if np.count_nonzero(torch_to_numpy(e)) and not rnd:
                        raise Mismatch(f"gradient {j} is None")
                    continue
                an = T.to_numpy(a)
                if e is None:
                    if np.count_nonzero(an):
                        raise Mismatch(f"gradient {j} is non-zero, torch gives None")
                    continue
                if tuple(an.shape) != tuple(e.shape):
                    raise Mismatch(f"shape: gradient {j} {tuple(an.shape)} != {tuple(e.shape)}")
                if dtype_name(a.dtype) != dtype_name(e.dtype):
                    raise Mismatch(
                        f"dtype: gradient {j} {dtype_name(a.dtype)} != {dtype_name(e.dtype)}"
                    )
                pairs.append((f"grad[{j}]", torch_to_numpy(e), an, dtype_name(e.dtype)))
                idx.append(j)

            def relax():
                res = dict.fromkeys(idx, 0.0)
                for k in range(3):
                    r = oracle(perturb(clone_tree((s.input, s.args, s.kwargs)), k))
                    for j in idx:
                        d = np.abs(torch_to_numpy(r[4][j]) - torch_to_numpy(exp[j]))
                        res[j] = np.maximum(res[j], np.nan_to_num(d, nan=0, posinf=0, neginf=0))
                return [res[j] for j in idx]

            if rnd:
                chk.info["random"] = chk.info.get("random", 0) + 1
            else:
                check_values(pairs, o.tol, relax, chk.info)
            chk.good()
        except Exception as e:
            chk.fail(classify(e), e, s.summary())


# ---------------------------------------------------------------------------------------------
# the checks
# ---------------------------------------------------------------------------------------------


def supported(op, name):
    return op.supports_dtype(getattr(torch, name), "cpu")


def first_dtype(op):
    for d in ("float32", "float64", "int64", "bool", "complex64", "complex128", "bfloat16"):
        if supported(op, d):
            return getattr(torch, d)
    return None


def check_fwd(o, n):
    chk = Check()
    if not supported(o.op, "float32"):
        chk.info["why"] = "torch does not support float32"
        return chk.result()
    o.forward(torch.float32, n, chk, missing=o.missing)
    o.samples_ok |= chk.ok > 0
    return chk.result()


def check_strided(o, n):
    chk = Check()
    if not supported(o.op, "float32"):
        return chk.result()
    o.forward(
        torch.float32, max(2, n // 2), chk, missing=o.missing, change=lambda s: s.noncontiguous()
    )
    return chk.result()


def check_dtypes(o, n):
    total, per = Check(), {}
    for d in DTYPES:
        if not supported(o.op, d):
            continue
        c = Check()
        miss = o.missing
        if miss is None and not o.T.has(d):
            miss = f"dtype {d}"
        o.forward(getattr(torch, d), n, c, missing=miss)
        r = c.result()
        if r["status"] == "na":
            continue
        per[d] = {
            k: r[k]
            for k in ("status", "n", "ok", "msg", "maxabs", "maxrel", "sample", "relaxed")
            if k in r
        }
        total.n += c.n
        total.ok += c.ok
        total.kinds.update(c.kinds)
        for k in ("relaxed", "random", "canonical"):
            if k in c.info:
                total.info[k] = total.info.get(k, 0) + c.info[k]
        order = {"missing": 3, "wrong": 2, "error": 1}
        if order.get(r["status"], 0) > order.get(total.r.get("status"), 0):
            total.r = {
                k: v for k, v in r.items() if k in ("status", "msg", "maxabs", "maxrel", "sample")
            }
            total.r["msg"] = f"{d}: {total.r.get('msg', '')}"
    o.samples_ok |= total.ok > 0
    res = total.result()
    if per:
        res["dtypes"] = per
    return res


def check_grad(o, n, order):
    chk = Check()
    if not (o.op.supports_autograd if order == 1 else o.op.supports_gradgrad):
        chk.info["why"] = "not differentiable"
        return chk.result()
    run_grads(o, chk, order, n if order == 1 else 2)
    return chk.result()


def check_errors(o, n):
    chk = Check()
    if o.op.error_inputs_func is None:
        return chk.result()
    types_ok = 0
    try:
        errs = list(o.op.error_inputs("cpu"))
    except Exception as e:
        chk.info["why"] = first_line(e)
        return chk.result()
    for e in errs:
        s = e.sample_input
        try:
            inp, args, kw = clone_tree((s.input, s.args, s.kwargs))
            o.call(o.ref, o.rcall, inp, args, kw)
            continue  # torch accepts it here
        except Exception as te:
            terr = te
        if o.missing is not None:
            chk.fail("missing", o.missing)
            continue
        try:
            inp, args, kw = o.T.convert((s.input, s.args, s.kwargs))
        except Exception:
            continue  # not expressible in the target
        try:
            o.call(o.T, o.tcall, inp, args, kw)
            chk.fail(
                "wrong", Mismatch(f"no exception; torch: {first_line(terr, 120)}"), s.summary()
            )
        except (*ALLOWED_EXC, type(terr)) as x:
            if not o.samples_ok:
                chk.fail("error", "raises, but no sample of the op works either")
            else:
                chk.good()
                types_ok += type(x).__name__ == type(terr).__name__
        except Exception as x:
            chk.fail(
                "wrong", Mismatch(f"raises {first_line(x, 80)}; torch: {first_line(terr, 80)}")
            )
    r = chk.result()
    if r["status"] != "na":
        r["same_type"] = types_ok
    return r


def variant(o, v, name):
    """(oracle callable, target callable or None, missing) of a method, a torch attribute."""
    if isinstance(v, functools.partial) or (isinstance(v, types.FunctionType) and is_test_code(v)):
        rf = o.ref.rebind(v)
        try:
            return rf, o.T.rebind(v), None
        except Missing as e:
            return rf, None, str(e)
    name = getattr(v, "__name__", name)
    rf = lambda x, *a, **k: getattr(x, name)(*a, **k)
    tf = rf
    miss = None if o.T.has(f"Tensor.{name}") else f"Tensor.{name}"
    return rf, tf, miss


def check_method(o, n):
    chk = Check()
    op = o.op
    if op.method_variant is None or o.path.startswith("Tensor."):
        return chk.result()
    d = first_dtype(op)
    if d is None:
        return chk.result()
    rf, tf, miss = variant(o, op.method_variant, op.name)
    if isinstance(op.method_variant, types.FunctionType) and miss is None and o.missing:
        miss = o.missing
    o.forward(d, 2, chk, rf, tf, missing=miss)
    return chk.result()


def check_inplace(o, n):
    chk = Check()
    op = o.op
    v = op.inplace_variant
    if v is None or o.path.startswith("Tensor.") or op.variant_test_name == "in_place":
        return chk.result()
    d = first_dtype(op)
    if d is None:
        return chk.result()
    rf, tf, miss = variant(o, v, op.name + "_")
    if isinstance(v, (types.FunctionType, functools.partial)) and miss is None and o.missing:
        miss = o.missing
    o.forward(d, 2, chk, rf, tf, missing=miss)
    return chk.result()


def check_out(o, n):
    chk = Check()
    op = o.op
    d = first_dtype(op)
    if not op.supports_out or d is None or o.uninit:
        return chk.result()
    for s in o.samples(d, 2):
        r = o.oracle(s)
        if r is None or "out" in s.kwargs:
            continue
        exp, _, rnd = r
        ts = (
            [exp]
            if isinstance(exp, torch.Tensor)
            else list(exp)
            if isinstance(exp, (tuple, list))
            else []
        )
        if not ts or not all(isinstance(t, torch.Tensor) and t.layout == torch.strided for t in ts):
            continue
        try:
            z = [torch.zeros_like(t.detach()) for t in ts]
            ro = z[0] if isinstance(exp, torch.Tensor) else tuple(z)
            inp, args, kw = clone_tree((s.input, s.args, s.kwargs))
            torch.manual_seed(7)
            o.rcall(inp, *args, **kw, out=ro)
        except Exception as e:
            chk.info.setdefault("why", "torch refuses out=: " + first_line(e))
            continue
        if o.missing is not None:
            chk.fail("missing", o.missing)
            continue
        try:
            inp, args, kw = o.T.convert((s.input, s.args, s.kwargs))
            tz = [o.T.tensor(np.zeros_like(torch_to_numpy(t)), dtype_name(t.dtype)) for t in ts]
            to = tz[0] if isinstance(exp, torch.Tensor) else tuple(tz)
            o.T.seed(TSEED)
            o.tcall(inp, *args, **kw, out=to)
            o.compare(
                exp if isinstance(exp, torch.Tensor) else tuple(ts),
                to,
                s,
                rnd,
                chk,
                lambda: o.noise(s),
            )
            chk.good()
        except Exception as e:
            chk.fail(classify(e), e, s.summary())
    return chk.result()


def check_alias(o, n):
    chk = Check()
    op = o.op
    d = first_dtype(op)
    if d is None:
        return chk.result()
    for a in op.aliases:
        if isinstance(a.op, types.FunctionType) and is_test_code(a.op):
            continue
        p = a.name.removeprefix("torch.")
        miss = None if o.T.has(p) else p
        o.forward(d, 1, chk, o.rcall, o.T.resolve(p) if miss is None else None, missing=miss)
    return chk.result()


RUN = {
    "fwd": check_fwd,
    "strided": check_strided,
    "dtypes": check_dtypes,
    "grad": lambda o, n: check_grad(o, n, 1),
    "gradgrad": lambda o, n: check_grad(o, n, 2),
    "errors": check_errors,
    "method": check_method,
    "inplace": check_inplace,
    "out": check_out,
    "alias": check_alias,
}


def static_na(op, check):
    """n.a. whatever the target does (for what a crash or timeout left unrun)."""
    return (
        (check in ("fwd", "strided") and not supported(op, "float32"))
        or (check == "dtypes" and not any(supported(op, d) for d in DTYPES))
        or (check == "grad" and (not op.supports_autograd or grad_dtype(op) is None))
        or (check == "gradgrad" and (not op.supports_gradgrad or grad_dtype(op) is None))
        or (check == "errors" and op.error_inputs_func is None)
        or (check == "method" and (op.method_variant is None or primary(op).startswith("Tensor.")))
        or (
            check == "inplace" and (op.inplace_variant is None or primary(op).startswith("Tensor."))
        )
        or (check == "out" and not op.supports_out)
        or (check == "alias" and not op.aliases)
    )


def resolve_row(o):
    """Which names torch has for the op, and whether the target has them."""
    op, T = o.op, o.T
    r = {"path": o.path, "found": o.missing is None}
    if o.missing:
        r["missing"] = o.missing
    f = _getattr_qual(torch, op.name, None)
    if f is not None and callable(f) and not isinstance(f, torch.dtype):
        r["function"] = T.has(op.name)
    if callable(getattr(torch.Tensor, op.name, None)):
        r["method"] = T.has(f"Tensor.{op.name}")
    if callable(getattr(torch.Tensor, op.name + "_", None)):
        r["inplace"] = T.has(f"Tensor.{op.name}_")
    if op.aliases:
        r["aliases"] = {a.name: T.has(a.name) for a in op.aliases}
    return r


def work(ctx, op, skip, rep):
    o = Op(op, ctx)
    rep.extra(resolve=resolve_row(o))
    if skip:  # a rerun after a crash: did the forward work?
        o.samples_ok = True
    for c in CHECKS:
        if c not in skip:
            guarded(rep, c, lambda: RUN[c](o, ctx.samples))
    ti = getattr(ctx.T, "torch_imports", None)
    if ti:
        rep.extra(torch_imports=sorted(ti))
