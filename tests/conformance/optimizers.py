"""Optimizer conformance: every OptimizerInfo of torch.testing's optim_db with all its parameter
sets, and every learning-rate scheduler.

Optimizers (one row a parameter set), on a small problem in float64 whose gradients are computed in
numpy from each library's own parameters.  Checks:
  step     parameters after each of 5 steps
  groups   the same with two parameter groups of different lr
  foreach  the same with foreach=True, where torch has it
  fused    the same with fused=True, where torch has it
  resume   state_dict() -> load_state_dict() in a new optimizer after 3 steps, then 2 more steps
  cross    torch's state_dict loads into the target's optimizer, then 2 more steps
  keys     names in state_dict (state per parameter, param_groups)
  errors   torch's error inputs must raise (on the 'default' rows)
Schedulers (one row a class and argument set): lr, resume.
"""

import copy

import numpy as np
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

from compare import Check, Mismatch, check_values, classify, guarded
from library import (
    ALLOWED_EXC,
    Missing,
    Target,
    first_line,
    record_constructors,
    watch_torch_imports,
)
from operators import rng_for

CHECKS = ["step", "groups", "foreach", "fused", "resume", "cross", "keys", "errors", "lr"]
OPT_CHECKS = CHECKS[:-1]
STEPS = 5


class Problem:
    """0.5 p'Mp - c'p for a list of parameters, in numpy."""

    def __init__(self, name):
        r = rng_for("optim", name)
        self.sparse = name == "SparseAdam"
        shapes = [(3, 4), (5, 2)] if name == "Muon" else [(6, 3)] if self.sparse else [(3, 4), (5,)]
        self.p0, self.M, self.c = [], [], []
        for s in shapes:
            n = int(np.prod(s))
            a = r.standard_normal((n, n))
            self.p0.append(r.standard_normal(s))
            self.M.append(a @ a.T / n + np.eye(n))
            self.c.append(r.standard_normal(n))

    def loss(self, ps):
        return float(
            sum(
                0.5 * p.ravel() @ M @ p.ravel() - c @ p.ravel()
                for p, M, c in zip(ps, self.M, self.c, strict=False)
            )
        )

    def grads(self, ps):
        return [
            (M @ p.ravel() - c).reshape(p.shape)
            for p, M, c in zip(ps, self.M, self.c, strict=False)
        ]


def second_lr(kwargs):
    """The rate of the second group."""
    return float(kwargs.get("lr", 1e-2)) * 0.3


class Lib:
    """One library's side of a run."""

    def __init__(self, T):
        self.T, self.torch = T, T.name == "torch"

    def param(self, a):
        t = self.T.tensor(a, "float64")
        return self.T.resolve("nn.Parameter")(t)

    def optimizer(self, name, params, kwargs, groups=False):
        cls = self.T.resolve(f"optim.{name}")
        kw = self.T.convert(dict(kwargs))
        if groups:
            params = [{"params": [params[0]]}, {"params": params[1:], "lr": second_lr(kwargs)}]
        return cls(params, **kw)

    def values(self, ps):
        return [self.T.to_numpy(p).astype(np.float64).copy() for p in ps]

    def set_grads(self, prob, ps, k):
        for _i, (p, g) in enumerate(zip(ps, prob.grads(self.values(ps)), strict=False)):
            if prob.sparse:
                rows = np.array([k % 6, (k + 2) % 6])
                p.grad = self.T.resolve("sparse_coo_tensor")(
                    self.T.tensor(rows[None]), self.T.tensor(g[rows], "float64"), tuple(g.shape)
                )
            else:
                p.grad = self.T.tensor(g, "float64")

    def step(self, opt, prob, ps, k, closure):
        if not closure:
            self.set_grads(prob, ps, k)
            opt.step()
            return

        def f():
            opt.zero_grad()
            self.set_grads(prob, ps, k)
            return self.T.tensor(np.asarray(prob.loss(self.values(ps))), "float64")

        opt.step(f)


def tol_for(name, kwargs, groups):
    if name == "Muon":  # orthogonalises in bfloat16, and steps by the rate
        lr = float(kwargs.get("lr", 1e-3))
        return 0.0, 0.05 * (max(lr, second_lr(kwargs)) if groups else lr) * STEPS
    return 1e-8, 1e-10


def run(lib, info, kwargs, groups=False, steps=range(STEPS), start=None, opt_state=None):
    """Parameters after each step, and the optimizer."""
    prob = Problem(info.name)
    ps = [lib.param(a) for a in (start or prob.p0)]
    opt = lib.optimizer(info.name, ps, kwargs, groups)
    if opt_state is not None:
        opt.load_state_dict(opt_state)
    out = []
    for k in steps:
        lib.step(opt, prob, ps, k, info.step_requires_closure)
        out.append(lib.values(ps))
    return out, opt


class Ctx:
    def __init__(self, options):
        record_constructors()
        self.ref, self.T = Target("torch"), Target(options.module)
        watch_torch_imports(self.T)
        self.rl, self.tl = Lib(self.ref), Lib(self.T)


def compare_runs(exp, got, tol):
    for k, (e, g) in enumerate(zip(exp, got, strict=False)):
        check_values(
            [
                (f"parameter {i} after step {k + 1}", a, b, "float64")
                for i, (a, b) in enumerate(zip(e, g, strict=False))
            ],
            {"float64": tol},
        )


def sd_to_target(T, sd):
    """A torch optimizer state_dict with its tensors in the target."""
    return T.convert(copy.deepcopy(sd))


def check_opt(ctx, item, check):
    chk = Check()
    info, inp = item["info"], item["inp"]
    kw = dict(inp.kwargs.items())
    groups = check == "groups"
    if groups and (
        not info.supports_param_groups
        or info.name == "LBFGS"
        or info.only_supports_sparse_grads
        or isinstance(kw.get("lr"), torch.Tensor)
    ):
        return chk.result()
    if check in ("foreach", "fused"):
        if check not in info.supported_impls or (
            check == "fused" and "cpu" not in info.supports_fused_on
        ):
            return chk.result()
        if isinstance(kw.get("lr"), torch.Tensor):
            return chk.result()
        kw[check] = True
    if check == "errors":
        return check_errors(ctx, item)
    tol = tol_for(info.name, kw, groups)
    try:
        exp, _ropt = run(ctx.rl, info, kw, groups)
        e3, ropt3 = (
            run(ctx.rl, info, kw, steps=range(3))
            if check in ("resume", "cross", "keys")
            else (None, None)
        )
    except Exception as e:
        chk.info["why"] = "torch refuses: " + first_line(e)
        return chk.result()
    try:
        if not ctx.T.has(f"optim.{info.name}"):
            raise Missing(f"optim.{info.name}")
        if check in ("step", "groups", "foreach", "fused"):
            got, _ = run(ctx.tl, info, kw, groups)
            compare_runs(exp, got, tol)
        elif check == "resume":
            g3, o3 = run(ctx.tl, info, kw, steps=range(3))
            got, _ = run(
                ctx.tl, info, kw, steps=range(3, STEPS), start=g3[-1], opt_state=o3.state_dict()
            )
            compare_runs(exp[3:], got, tol)
        elif check == "cross":
            got, _ = run(
                ctx.tl,
                info,
                kw,
                steps=range(3, STEPS),
                start=e3[-1],
                opt_state=sd_to_target(ctx.T, ropt3.state_dict()),
            )
            compare_runs(exp[3:], got, tol)
        elif check == "keys":
            g3, o3 = run(ctx.tl, info, kw, steps=range(3))
            a, b = ropt3.state_dict(), o3.state_dict()
            if set(a) != set(b):
                raise Mismatch(f"state_dict keys {sorted(b)} != {sorted(a)}")
            sa = {k: sorted(v) for k, v in a["state"].items()}
            sb = {k: sorted(v) for k, v in b["state"].items()}
            if sa != sb:
                raise Mismatch(f"state keys {sb} != {sa}"[:300])
            pa, pb = [sorted(g) for g in a["param_groups"]], [sorted(g) for g in b["param_groups"]]
            if pa != pb:
                raise Mismatch(f"param_groups keys differ by {sorted(set(pa[0]) ^ set(pb[0]))}")
        chk.good()
    except Exception as e:
        chk.fail(classify(e), e, f"{info.name}({kw})")
    return chk.result()


def check_errors(ctx, item):
    chk = Check()
    info = item["info"]
    if not item["first"] or info.optim_error_inputs_func is None:
        return chk.result()
    try:
        errs = info.optim_error_inputs_func(device="cpu", dtype=torch.float32)
    except Exception:
        return chk.result()
    works = ctx.T.has(f"optim.{info.name}")
    if works:
        try:
            run(ctx.tl, info, {}, steps=range(1))
        except Exception:
            works = False
    for e in errs:
        inp = e.optimizer_error_input
        if e.error_on != OptimizerErrorEnum.CONSTRUCTION_ERROR or issubclass(e.error_type, Warning):
            continue

        def make(lib):
            T = lib.T
            p = inp.params if inp.params is not None else [torch.nn.Parameter(torch.randn(2, 3))]
            return T.resolve(f"optim.{info.name}")(T.convert(p), **T.convert(dict(inp.kwargs)))

        try:
            make(ctx.rl)
            continue
        except Exception as te:
            terr = te
        try:
            make(ctx.tl)
            chk.fail("wrong", Mismatch(f"no exception; torch: {first_line(terr, 120)}"), inp.desc)
        except Missing as m:
            chk.fail("missing", m)
        except (*ALLOWED_EXC, type(terr)):
            if works:
                chk.good()
            else:
                chk.fail("error", "raises, but the optimizer does not work either")
        except Exception as x:
            chk.fail(
                "wrong", Mismatch(f"raises {first_line(x, 80)}; torch: {first_line(terr, 80)}")
            )
    return chk.result()


# ---------------------------------------------------------------------------------------------
# schedulers: (class, label, constructor(S, opt)), S being the lr_scheduler namespace
# ---------------------------------------------------------------------------------------------

SCHED = [
    ("LambdaLR", "", lambda S, o: S.LambdaLR(o, lambda e: 0.9**e)),
    ("LambdaLR", "list", lambda S, o: S.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)])),
    ("MultiplicativeLR", "", lambda S, o: S.MultiplicativeLR(o, lambda e: 0.8)),
    ("StepLR", "", lambda S, o: S.StepLR(o, 3, 0.5)),
    ("MultiStepLR", "", lambda S, o: S.MultiStepLR(o, [2, 5, 5, 8], 0.3)),
    ("ConstantLR", "", lambda S, o: S.ConstantLR(o, 0.4, 5)),
    ("LinearLR", "", lambda S, o: S.LinearLR(o, 0.25, 0.9, 7)),
    ("ExponentialLR", "", lambda S, o: S.ExponentialLR(o, 0.85)),
    ("CosineAnnealingLR", "", lambda S, o: S.CosineAnnealingLR(o, 8, 0.001)),
    ("CosineAnnealingLR", "past T_max", lambda S, o: S.CosineAnnealingLR(o, 4)),
    ("CosineAnnealingWarmRestarts", "", lambda S, o: S.CosineAnnealingWarmRestarts(o, 3, 2, 0.002)),
    ("PolynomialLR", "", lambda S, o: S.PolynomialLR(o, 9, 2.0)),
    ("CyclicLR", "triangular", lambda S, o: S.CyclicLR(o, 0.01, 0.1, 3, 4)),
    ("CyclicLR", "triangular2", lambda S, o: S.CyclicLR(o, 0.01, 0.1, 2, mode="triangular2")),
    (
        "CyclicLR",
        "exp_range",
        lambda S, o: S.CyclicLR(o, 0.01, 0.1, 2, mode="exp_range", gamma=0.9, cycle_momentum=False),
    ),
    ("OneCycleLR", "cos", lambda S, o: S.OneCycleLR(o, 0.2, total_steps=15)),
    (
        "OneCycleLR",
        "linear",
        lambda S, o: S.OneCycleLR(
            o, [0.2, 0.1], total_steps=15, anneal_strategy="linear", three_phase=True, pct_start=0.4
        ),
    ),
    (
        "ReduceLROnPlateau",
        "min",
        lambda S, o: S.ReduceLROnPlateau(o, "min", 0.5, patience=1, cooldown=1),
    ),
    (
        "ReduceLROnPlateau",
        "max abs",
        lambda S, o: S.ReduceLROnPlateau(
            o, "max", 0.3, patience=2, threshold=0.05, threshold_mode="abs", min_lr=1e-3
        ),
    ),
    (
        "SequentialLR",
        "",
        lambda S, o: S.SequentialLR(o, [S.ConstantLR(o, 0.1, 4), S.ExponentialLR(o, 0.8)], [4]),
    ),
    (
        "SequentialLR",
        "warmup",
        lambda S, o: S.SequentialLR(
            o, [S.LinearLR(o, 0.1, 1.0, 3), S.CosineAnnealingLR(o, 6), S.StepLR(o, 2)], [3, 8]
        ),
    ),
    (
        "ChainedScheduler",
        "",
        lambda S, o: S.ChainedScheduler([S.ConstantLR(o, 0.2, 4), S.ExponentialLR(o, 0.9)]),
    ),
    ("SWALR", "", lambda S, o: S.SWALR(o, 0.05, anneal_epochs=4)),
]


def sched_ns(T):
    class S:
        def __getattr__(self, n):
            return T.resolve(("optim.swa_utils." if n == "SWALR" else "optim.lr_scheduler.") + n)

    return S()


def sched_run(lib, item, resume=False):
    prob = Problem("sched")
    S = sched_ns(lib.T)

    def fresh():
        ps = [lib.param(a) for a in prob.p0]
        o = lib.T.resolve("optim.SGD")(
            [{"params": [ps[0]]}, {"params": [ps[1]], "lr": 0.02}], lr=0.1, momentum=0.9
        )
        return ps, o, item["make"](S, o)

    ps, o, s = fresh()
    out = [[(float(g["lr"]), float(g.get("momentum", 0))) for g in o.param_groups]]
    for k in range(12):
        if resume and k == 6:
            sd, od = s.state_dict(), o.state_dict()
            ps, o, s = fresh()
            o.load_state_dict(od)
            s.load_state_dict(sd)
        lib.set_grads(prob, ps, k)
        o.step()
        if item["name"].startswith("ReduceLROnPlateau"):
            s.step([5.0, 4.0, 4.0, 4.1, 4.2, 3.0, 3.01, 3.02, 3.5, 3.5, 3.5, 3.5][k])
        else:
            s.step()
        out.append([(float(g["lr"]), float(g.get("momentum", 0))) for g in o.param_groups])
        out.append([(float(v), 0.0) for v in s.get_last_lr()])
    return np.array(out)


def check_sched(ctx, item, resume):
    chk = Check()
    try:
        exp = sched_run(ctx.rl, item, resume)
    except Exception as e:
        chk.info["why"] = "torch refuses: " + first_line(e)
        return chk.result()
    try:
        got = sched_run(ctx.tl, item, resume)
        check_values([("lr sequence", exp, got, "float64")], {"float64": (1e-9, 1e-12)})
        chk.good()
    except Exception as e:
        chk.fail(classify(e), e)
    return chk.result()


def applicable(item):
    return ["lr", "resume"] if item["kind"] == "sched" else OPT_CHECKS


def work(ctx, item, skip, rep):
    for c in CHECKS:
        if c in skip:
            continue
        if c not in applicable(item):
            rep.result(c, {"status": "na"})
        elif item["kind"] == "sched":
            guarded(rep, c, lambda: check_sched(ctx, item, c == "resume"))
        else:
            guarded(rep, c, lambda: check_opt(ctx, item, c))
    ti = getattr(ctx.T, "torch_imports", None)
    if ti:
        rep.extra(torch_imports=sorted(ti))


def all_items():
    items = []
    for info in optim_db:
        for i, inp in enumerate(info.optim_inputs_func(device="cpu")):
            items.append(
                {
                    "kind": "opt",
                    "name": f"{info.name}[{inp.desc}]",
                    "base": f"optim.{info.name}",
                    "info": info,
                    "inp": inp,
                    "first": i == 0,
                }
            )
    for n, label, make in SCHED:
        items.append(
            {
                "kind": "sched",
                "name": n + (f"[{label}]" if label else ""),
                "base": f"lr_scheduler.{n}",
                "make": make,
            }
        )
    return items
