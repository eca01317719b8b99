"""Module conformance: every ModuleInfo of torch.testing's module_db, and a list of further modules.

A module is built in torch and, with the same arguments, in the target; torch's state_dict is
loaded into the target's module.  Checks:
  ctor       the target's class takes the constructor arguments
  keys       state_dict keys, shapes and dtypes agree, in order
  roundtrip  the loaded state comes back out of state_dict unchanged
  train      forward in float32, training mode (outputs and the state afterwards)
  eval       forward in float32, evaluation mode
  grad       gradients of parameters and inputs in float64, training mode
  repr       the printed form (for information, not counted as behaviour)
"""

import random

import numpy as np
import torch
from torch.testing._internal.common_modules import FunctionInput, ModuleInput, module_db

from compare import Check, Mismatch, check_values, classify, guarded, structure, to_arrays
from library import (
    Missing,
    Target,
    clone_tree,
    dtype_name,
    first_line,
    flatten_out,
    is_torch_tensor,
    pick,
    record_constructors,
    tensors_of,
    torch_to_numpy,
    watch_torch_imports,
)
from operators import TSEED, cotangents, depends_on_seed, differentiable, promote

CHECKS = ["ctor", "keys", "roundtrip", "train", "eval", "grad", "repr"]


RECORDS = list(module_db)


class Extra:
    """A module that module_db lacks: name, and cases (ctor args, ctor kwargs, forward inputs)."""

    def __init__(self, name, *cases):
        self.name = "nn." + name
        self.module_cls = getattr(torch.nn, name)
        self.cases = cases
        self.is_lazy = name.startswith("Lazy")

    def module_inputs_func(self, info, device, dtype, requires_grad, training):
        out = []
        for args, kw, fwd in self.cases:
            f = fwd(dtype)
            f = f if isinstance(f, tuple) else (f,)
            for t in f:
                if isinstance(t, torch.Tensor) and t.is_floating_point():
                    t.requires_grad_(requires_grad)
            a = args() if callable(args) else args
            out.append(
                ModuleInput(
                    constructor_input=FunctionInput(*a, **kw), forward_input=FunctionInput(*f)
                )
            )
        return out


def rn(*shape):
    return lambda dt: torch.randn(*shape).to(dt)


def ints(hi, *shape):
    return torch.randint(0, hi, shape)


def dropout_cases(*shapes):
    return [((p,), {}, rn(*s)) for s in shapes for p in (0.0, 0.4)]


nn = torch.nn
EXTRA = [
    Extra("Identity", ((), {}, rn(2, 3))),
    Extra("Dropout", *dropout_cases((4, 5))),
    Extra("Dropout1d", *dropout_cases((2, 3, 5))),
    Extra("Dropout2d", *dropout_cases((2, 3, 4, 5))),
    Extra("Dropout3d", *dropout_cases((2, 3, 2, 2, 2))),
    Extra("AlphaDropout", *dropout_cases((4, 5))),
    Extra("FeatureAlphaDropout", *dropout_cases((2, 3, 4))),
    Extra("RReLU", ((0.2, 0.2), {}, rn(3, 4)), ((), {}, rn(3, 4))),
    Extra("Hardsigmoid", ((), {}, rn(3, 4))),
    Extra("Flatten", ((), {}, rn(2, 3, 4)), ((0, 1), {}, rn(2, 3, 4))),
    Extra("Unflatten", ((1, (2, 3)), {}, rn(2, 6, 4))),
    Extra("PixelShuffle", ((2,), {}, rn(2, 8, 3, 3))),
    Extra("PixelUnshuffle", ((2,), {}, rn(2, 2, 6, 4))),
    Extra("ChannelShuffle", ((2,), {}, rn(1, 4, 3, 3))),
    Extra("Fold", (((4, 5), (2, 2)), {}, rn(2, 12, 12))),
    Extra(
        "Unfold",
        (((2, 3),), {}, rn(2, 5, 4, 6)),
        ((2,), {"stride": 2, "padding": 1}, rn(2, 3, 4, 6)),
    ),
    Extra(
        "Upsample",
        ((), {"scale_factor": 2, "mode": "nearest"}, rn(1, 2, 3, 3)),
        ((), {"size": (5, 7), "mode": "bilinear", "align_corners": True}, rn(1, 2, 3, 3)),
        ((), {"scale_factor": 1.5, "mode": "bicubic"}, rn(1, 2, 4, 4)),
        ((), {"scale_factor": 2, "mode": "trilinear"}, rn(1, 2, 3, 3, 2)),
        ((), {"scale_factor": 2, "mode": "linear"}, rn(1, 2, 5)),
    ),
    Extra("UpsamplingNearest2d", ((), {"scale_factor": 2}, rn(1, 2, 3, 3))),
    Extra("UpsamplingBilinear2d", ((), {"scale_factor": 2}, rn(1, 2, 3, 3))),
    Extra(
        "MaxUnpool1d",
        (
            (2, 2),
            {},
            lambda dt: torch.nn.functional.max_pool1d(
                torch.randn(1, 2, 8).to(dt), 2, 2, return_indices=True
            ),
        ),
    ),
    Extra(
        "MaxUnpool2d",
        (
            (2, 2),
            {},
            lambda dt: torch.nn.functional.max_pool2d(
                torch.randn(1, 2, 6, 8).to(dt), 2, 2, return_indices=True
            ),
        ),
    ),
    Extra(
        "MaxUnpool3d",
        (
            (2, 2),
            {},
            lambda dt: torch.nn.functional.max_pool3d(
                torch.randn(1, 2, 4, 4, 4).to(dt), 2, 2, return_indices=True
            ),
        ),
    ),
    Extra(
        "CosineSimilarity",
        ((), {"dim": 1}, lambda dt: (torch.randn(4, 5).to(dt), torch.randn(4, 5).to(dt))),
    ),
    Extra(
        "PairwiseDistance",
        ((2,), {}, lambda dt: (torch.randn(4, 5).to(dt), torch.randn(4, 5).to(dt))),
        ((1,), {"keepdim": True}, lambda dt: (torch.randn(4, 5).to(dt), torch.randn(4, 5).to(dt))),
    ),
    Extra(
        "TripletMarginLoss",
        *[
            (
                (),
                {"margin": m, "reduction": r, "swap": s},
                lambda dt: tuple(torch.randn(4, 5).to(dt) for _ in range(3)),
            )
            for m, r, s in ((1.0, "mean", False), (0.5, "sum", True), (1.0, "none", False))
        ],
    ),
    Extra(
        "TripletMarginWithDistanceLoss",
        ((), {"margin": 0.7}, lambda dt: tuple(torch.randn(4, 5).to(dt) for _ in range(3))),
    ),
    Extra(
        "EmbeddingBag",
        *[((10, 4), {"mode": m}, lambda dt: ints(10, 3, 5)) for m in ("sum", "mean", "max")],
        ((10, 4), {"mode": "sum"}, lambda dt: (ints(10, 7), torch.tensor([0, 3, 5]))),
    ),
    Extra(
        "Embedding",
        ((10, 4), {"padding_idx": 2}, lambda dt: ints(10, 3, 5)),
        ((10, 4), {"max_norm": 1.0}, lambda dt: ints(10, 3, 5)),
        ((10, 4), {"scale_grad_by_freq": True}, lambda dt: ints(4, 3, 5)),
    ),
    Extra(
        "AdaptiveLogSoftmaxWithLoss",
        ((8, 20, [5, 12]), {}, lambda dt: (torch.randn(6, 8).to(dt), ints(20, 6))),
    ),
    Extra(
        "TransformerDecoder",
        (
            lambda: (nn.TransformerDecoderLayer(8, 2, 16, 0.0), 2),
            {},
            lambda dt: (torch.randn(3, 2, 8).to(dt), torch.randn(4, 2, 8).to(dt)),
        ),
    ),
    Extra(
        "Sequential",
        (lambda: (nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)), {}, rn(5, 4)),
        (
            lambda: (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten()),
            {},
            rn(2, 2, 6, 6),
        ),
    ),
    Extra(
        "LSTM",
        ((4, 6), {"num_layers": 2, "batch_first": True}, rn(3, 7, 4)),
        ((4, 6), {"bidirectional": True, "proj_size": 3}, rn(7, 3, 4)),
    ),
    Extra(
        "GRU", ((4, 6), {"num_layers": 2, "bidirectional": True, "batch_first": True}, rn(3, 7, 4))
    ),
    Extra("RNN", ((4, 6), {"nonlinearity": "relu", "num_layers": 2}, rn(7, 3, 4))),
    Extra(
        "Conv1d",
        ((4, 6, 3), {"padding": "same", "dilation": 2, "groups": 2}, rn(2, 4, 9)),
        ((2, 3, 3), {"padding": 2, "padding_mode": "circular"}, rn(2, 2, 9)),
    ),
    Extra(
        "Conv2d",
        ((4, 6, 3), {"padding": "same", "groups": 2}, rn(2, 4, 7, 6)),
        ((2, 3, (3, 2)), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}, rn(2, 2, 9, 8)),
        (
            (4, 4, 3),
            {"groups": 4, "bias": False, "padding": 1, "padding_mode": "reflect"},
            rn(2, 4, 6, 6),
        ),
        ((2, 3, 3), {"padding": 1, "padding_mode": "replicate"}, rn(2, 6, 6)),
    ),
    Extra("Conv3d", ((2, 4, (1, 3, 2)), {"groups": 2, "padding": (0, 1, 1)}, rn(2, 2, 3, 5, 4))),
    Extra(
        "ConvTranspose1d",
        ((4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}, rn(2, 4, 5)),
    ),
    Extra(
        "ConvTranspose2d",
        ((4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1}, rn(2, 4, 5, 4)),
        ((4, 2, (2, 3)), {"stride": (1, 2), "dilation": (2, 1)}, rn(2, 4, 5, 4)),
    ),
    Extra("ConvTranspose3d", ((2, 3, 2), {"stride": 2}, rn(1, 2, 3, 3, 2))),
    Extra("LazyLinear", ((5,), {}, rn(3, 4))),
    Extra("LazyBatchNorm1d", ((), {}, rn(4, 5))),
    Extra("LazyBatchNorm2d", ((), {}, rn(4, 3, 2, 2))),
    Extra("LazyBatchNorm3d", ((), {}, rn(4, 3, 2, 2, 2))),
    Extra("LazyInstanceNorm1d", ((), {}, rn(4, 3, 5))),
    Extra("LazyInstanceNorm2d", ((), {}, rn(4, 3, 4, 5))),
    Extra("LazyInstanceNorm3d", ((), {}, rn(4, 3, 4, 5, 2))),
    Extra(
        "Transformer",
        (
            (8, 2, 1, 1, 16, 0.0),
            {"batch_first": True},
            lambda dt: (torch.randn(2, 3, 8).to(dt), torch.randn(2, 4, 8).to(dt)),
        ),
    ),
    Extra(
        "MultiheadAttention",
        (
            (8, 2),
            {"kdim": 4, "vdim": 6},
            lambda dt: (
                torch.randn(3, 2, 8).to(dt),
                torch.randn(5, 2, 4).to(dt),
                torch.randn(5, 2, 6).to(dt),
            ),
        ),
    ),
    Extra(
        "AvgPool2d",
        (
            (3,),
            {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
            rn(1, 2, 7, 8),
        ),
    ),
    Extra(
        "MaxPool2d",
        ((3,), {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}, rn(1, 2, 9, 8)),
        ((2,), {"return_indices": True}, rn(1, 2, 6, 8)),
    ),
    Extra("SyncBatchNorm", ((3,), {}, rn(2, 3, 4))),
]


class Ctx:
    def __init__(self, options):
        self.samples = options.samples
        record_constructors()
        self.T = Target(options.module)
        watch_torch_imports(self.T)


class Case:
    """One module with one set of arguments, in torch."""

    def __init__(self, info, mi, dtype, training):
        self.info, self.mi, self.dtype, self.training = info, mi, dtype, training
        torch.manual_seed(11)
        a, k = clone_tree((tuple(mi.constructor_input.args), dict(mi.constructor_input.kwargs)))
        self.m = info.module_cls(*a, **k)
        self.m.to(dtype)
        self.m.train(training)
        if info.is_lazy and mi.forward_input is not None:
            fa, fk = self.inputs()
            with torch.no_grad():
                self.m(*fa, **fk)
        self.state = {k: v.clone() for k, v in self.m.state_dict().items()}

    def inputs(self):
        f = self.mi.forward_input
        return clone_tree((tuple(f.args), dict(f.kwargs)))

    def desc(self):
        c, f = self.mi.constructor_input, self.mi.forward_input
        t = lambda x: f"T{tuple(x.shape)}" if isinstance(x, torch.Tensor) else repr(x)[:60]
        return (
            f"{self.info.name}({', '.join(map(t, c.args))} {c.kwargs}) on "
            f"{[t(x) for x in f.args] if f else ''} {list(f.kwargs) if f else ''} "
            f"train={self.training}"
        )


def cases(info, dtype, training, n, grad=False):
    try:
        torch.manual_seed(3)
        np.random.seed(3)
        random.seed(3)
        ms = info.module_inputs_func(
            info, device="cpu", dtype=dtype, requires_grad=grad, training=training
        )
        ms = pick(list(ms), n)
    except Exception:
        return
    for mi in ms:
        try:
            yield Case(info, mi, dtype, training)
        except Exception:
            continue


def path_of(info):
    return info.name


def build(ctx, case, load=True):
    """The same module in the target."""
    T = ctx.T
    cls = T.resolve(path_of(case.info))
    c = case.mi.constructor_input
    memo = {}
    m = cls(*T.convert(tuple(c.args), memo), **T.convert(dict(c.kwargs), memo))
    m.to(T.dtype(dtype_name(case.dtype)))
    m.train(case.training)
    if case.info.is_lazy and case.mi.forward_input is not None:
        a, k = T.convert(case.inputs())
        m(*a, **k)  # lets a lazy module take its shape
    if load:
        m.load_state_dict({k: T.from_torch(v) for k, v in case.state.items()})
    return m


def missing_of(ctx, info):
    return None if ctx.T.has(path_of(info)) else path_of(info)


def each(ctx, info, dtype, training, f, n, grad=False, need_forward=True):
    chk = Check()
    miss = missing_of(ctx, info)
    for case in cases(info, dtype, training, n, grad):
        if need_forward and case.mi.forward_input is None:
            continue
        try:
            r = f(chk, case, miss)
            if r is False:
                continue
            chk.good()
        except _Skip as e:
            chk.info.setdefault("why", str(e))
        except Exception as e:
            chk.fail(classify(e), e, case.desc())
    return chk.result()


class _Skip(Exception):
    pass


def check_ctor(ctx, info):
    def f(chk, case, miss):
        if miss:
            raise Missing(miss)
        build(ctx, case, load=False)

    return each(ctx, info, torch.float32, True, f, ctx.samples, need_forward=False)


def state_pairs(T, want, got):
    if list(want) != list(got):
        raise Mismatch(f"state_dict keys {list(got)[:8]} != {list(want)[:8]}")
    pairs = []
    for k, v in want.items():
        structure(v, got[k], T, k, pairs)
    return pairs


def check_keys(ctx, info):
    def f(chk, case, miss):
        if miss:
            raise Missing(miss)
        m = build(ctx, case, load=False)
        state_pairs(ctx.T, case.state, m.state_dict())

    return each(ctx, info, torch.float32, True, f, ctx.samples, need_forward=info.is_lazy)


def check_roundtrip(ctx, info):
    def f(chk, case, miss):
        if not case.state:
            raise _Skip("no state")
        if miss:
            raise Missing(miss)
        m = build(ctx, case)
        check_values(to_arrays(state_pairs(ctx.T, case.state, m.state_dict()), ctx.T))

    return each(ctx, info, torch.float32, True, f, ctx.samples, need_forward=False)


def check_forward(ctx, info, training):
    T = ctx.T

    def f(chk, case, miss):
        def fresh(dtype=None):
            case.m.load_state_dict(case.state)
            return case.inputs()

        def run(seed=7):
            a, k = fresh()
            torch.manual_seed(seed)
            return case.m(*a, **k)

        before = torch.manual_seed(7).get_state()
        try:
            exp = run()
        except Exception as e:
            raise _Skip("torch refuses: " + first_line(e)) from e
        drew = not torch.equal(before, torch.get_rng_state())
        after = {k: v.clone() for k, v in case.m.state_dict().items()}
        rnd = drew and depends_on_seed(exp, run)
        if miss:
            raise Missing(miss)
        m = build(ctx, case)
        fresh()
        T.seed(TSEED)
        a, k = T.convert(case.inputs())
        got = m(*a, **k)
        pairs = structure(exp, got, T)
        state = state_pairs(T, after, m.state_dict())
        if rnd:
            chk.info["random"] = chk.info.get("random", 0) + 1
            return

        def relax():
            import copy

            base = [torch_to_numpy(p[1]) if isinstance(p[1], torch.Tensor) else None for p in pairs]
            fresh()
            m2 = copy.deepcopy(case.m).double()
            x, y = promote(case.inputs())
            alt = [torch_to_numpy(t) for t in flatten_out(m2(*x, **y), is_torch_tensor)]
            return [np.abs(a - b) for a, b in zip(alt, base, strict=False)]

        check_values(to_arrays(pairs, T), None, relax, chk.info)
        check_values(to_arrays(state, T), {"float32": (1e-5, 1e-5)})

    return each(ctx, info, torch.float32, training, f, ctx.samples)


def check_grad(ctx, info):
    T = ctx.T

    def f(chk, case, miss):
        def run(tree=None, seed=7, scale=None):
            case.m.load_state_dict(case.state)
            a, k = tree or case.inputs()
            torch.manual_seed(seed)
            out = flatten_out(case.m(*a, **k), is_torch_tensor)
            sel = [i for i, t in enumerate(out) if differentiable(t)]
            ins = [t for t in tensors_of((a, k), is_torch_tensor) if t.requires_grad]
            ps = [p for p in case.m.parameters() if p.requires_grad]
            if not sel or not (ins or ps):
                return None
            outs = [out[i] for i in sel]
            vs = cotangents(outs, (info.name, case.desc()))
            return (
                sel,
                vs,
                [n for n, p in case.m.named_parameters() if p.requires_grad],
                list(torch.autograd.grad(outs, ps + ins, vs, allow_unused=True)),
            )

        before = torch.manual_seed(7).get_state()
        try:
            ref = run()
        except Exception as e:
            raise _Skip("torch refuses: " + first_line(e)) from e
        if ref is None:
            raise _Skip("nothing requires grad")
        sel, vs, names, exp = ref
        rnd = not torch.equal(before, torch.get_rng_state()) and depends_on_seed(
            [g for g in exp if g is not None],
            lambda s: [g for g in run(seed=s)[3] if g is not None],
        )
        if miss:
            raise Missing(miss)
        m = build(ctx, case)
        T.seed(TSEED)
        rt = case.inputs()
        a, k = tt = T.convert(rt)
        out = flatten_out(m(*a, **k), T.is_tensor)
        rins, tins = tensors_of(rt, is_torch_tensor), tensors_of(tt, T.is_tensor)
        ins = [t for r, t in zip(rins, tins, strict=False) if r.requires_grad]
        tp = dict(m.named_parameters())
        lost = [n for n in names if n not in tp]
        if lost or len(out) <= max(sel):
            raise Mismatch(
                f"parameters {lost} missing" if lost else f"structure: {len(out)} outputs"
            )
        got = T.resolve("autograd.grad")(
            [out[i] for i in sel],
            [tp[n] for n in names] + ins,
            grad_outputs=[T.from_torch(v) for v in vs],
            allow_unused=True,
        )
        pairs = []
        for n, e, g in zip(names + [f"input{i}" for i in range(len(ins))], exp, got, strict=False):
            if e is None and g is None:
                continue
            if g is None:
                if np.count_nonzero(torch_to_numpy(e)) and not rnd:
                    raise Mismatch(f"gradient of {n} is None")
                continue
            ga = T.to_numpy(g)
            ea = torch_to_numpy(e) if e is not None else np.zeros_like(ga)
            if ga.shape != ea.shape or dtype_name(g.dtype) != str(ea.dtype):
                raise Mismatch(
                    f"gradient of {n}: {dtype_name(g.dtype)}{ga.shape} != {ea.dtype}{ea.shape}"
                )
            pairs.append((n, ea, ga, str(ea.dtype)))
        if rnd:
            chk.info["random"] = chk.info.get("random", 0) + 1
        else:
            check_values(pairs, None, None, chk.info)

    return each(ctx, info, torch.float64, True, f, ctx.samples, grad=True)


def check_repr(ctx, info):
    def f(chk, case, miss):
        if miss:
            raise Missing(miss)
        a, b = repr(case.m), repr(build(ctx, case))
        if a != b:
            raise Mismatch(f"{b[:80]!r} != {a[:80]!r}")

    return each(ctx, info, torch.float32, True, f, 2, need_forward=False)


RUN = {
    "ctor": check_ctor,
    "keys": check_keys,
    "roundtrip": check_roundtrip,
    "train": lambda c, i: check_forward(c, i, True),
    "eval": lambda c, i: check_forward(c, i, False),
    "grad": check_grad,
    "repr": check_repr,
}


def work(ctx, info, skip, rep):
    for c in CHECKS:
        if c not in skip:
            guarded(rep, c, lambda: RUN[c](ctx, info))
    ti = getattr(ctx.T, "torch_imports", None)
    if ti:
        rep.extra(torch_imports=sorted(ti))
