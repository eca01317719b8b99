"""Learning rate schedulers against PyTorch's, over forty steps."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref

import numpy as np
import pytest

import kagari

STEPS = 40


def two_groups(lib, lr=0.1):
    params = [lib.nn.Parameter(lib.ones(2)) for _ in range(2)]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.02}]
    return lib.optim.SGD(groups, lr=lr, momentum=0.9)


class Power:
    """A callable object, whose attributes are saved."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


TABLE = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda e: 0.9**e),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]),
    "callable": lambda s, o: s.LambdaLR(o, Power(0.8)),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.8 + 0.01 * e),
    "step": lambda s, o: s.StepLR(o, 3, 0.5),
    "multistep": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 30], 0.3),
    "constant": lambda s, o: s.ConstantLR(o, 0.4, 5),
    "linear": lambda s, o: s.LinearLR(o, 0.25, 0.9, 7),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.85),
    "polynomial": lambda s, o: s.PolynomialLR(o, 9, 2.0),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 8, 0.001),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.002),
    "restarts once": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "triangular": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, 4),
    "triangular2": lambda s, o: s.CyclicLR(o, [0.01, 0.02], 0.1, 2, mode="triangular2"),
    "exp_range": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 2, mode="exp_range", gamma=0.9, cycle_momentum=False
    ),
    "own scale": lambda s, o: s.CyclicLR(
        o, 0.01, 0.1, 2, scale_fn=Power(0.7), scale_mode="iterations"
    ),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.2, total_steps=STEPS + 1),
    "one cycle linear": lambda s, o: s.OneCycleLR(
        o, [0.2, 0.1], epochs=9, steps_per_epoch=5, anneal_strategy="linear", three_phase=True
    ),
    "sequential": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 3), s.CosineAnnealingLR(o, 6), s.StepLR(o, 2)], [3, 20]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.2, 4), s.ExponentialLR(o, 0.9)]),
}


def rates(lib, make, resume=False):
    """Rates and momenta after every step."""
    opt = two_groups(lib)
    sched = make(lib.optim.lr_scheduler, opt)
    out = []
    for step in range(STEPS):
        if resume and step == STEPS // 2:
            states = copy.deepcopy((opt.state_dict(), sched.state_dict()))
            opt = two_groups(lib)
            sched = make(lib.optim.lr_scheduler, opt)
            opt.load_state_dict(states[0])
            sched.load_state_dict(states[1])
        opt.step()
        sched.step()
        out.append([float(g[k]) for g in opt.param_groups for k in ("lr", "momentum")])
        assert [float(v) for v in sched.get_last_lr()] == out[-1][::2]
    return np.array(out)


@pytest.mark.conformance
@pytest.mark.parametrize("name", TABLE)
def test_forty_steps(name):
    torch = pytest.importorskip("torch")
    np.testing.assert_allclose(
        rates(kagari, TABLE[name]), rates(torch, TABLE[name]), rtol=1e-13, atol=1e-16
    )


@pytest.mark.parametrize("name", TABLE)
def test_resumes_where_it_was(name):
    np.testing.assert_array_equal(rates(kagari, TABLE[name], True), rates(kagari, TABLE[name]))


@pytest.mark.conformance
@pytest.mark.parametrize("name", TABLE)
def test_state_has_pytorchs_keys(name):
    torch = pytest.importorskip("torch")
    states = []
    for lib in (kagari, torch):
        opt = two_groups(lib)
        states.append(TABLE[name](lib.optim.lr_scheduler, opt).state_dict())
    ours, theirs = states
    # Read by PyTorch's loading, and the other way round.
    assert set(theirs) - set(ours) <= {"_scale_fn_ref"}


@pytest.mark.conformance
@pytest.mark.parametrize(
    "options",
    [
        {"factor": 0.5, "patience": 1, "cooldown": 1},
        {"mode": "max", "factor": 0.3, "patience": 2, "threshold": 0.05, "threshold_mode": "abs"},
        {"mode": "max", "patience": 0, "min_lr": [1e-3, 5e-3]},
        {"threshold_mode": "abs", "patience": 0, "eps": 0.05},
    ],
)
def test_plateau(options):
    torch = pytest.importorskip("torch")
    losses = [5.0, 4.0, 4.0, 4.1, 4.2, 3.0, 3.01, 3.02, 3.5, 3.5, 3.5, 3.4, 3.3, 2.0, 2.0, 2.0]

    def run(lib):
        opt = two_groups(lib)
        sched = lib.optim.lr_scheduler.ReduceLROnPlateau(opt, **options)
        out = []
        for loss in losses:
            sched.step(loss)
            out.append(sched.get_last_lr())
        return out

    np.testing.assert_allclose(run(kagari), run(torch), rtol=1e-15)


@pytest.mark.conformance
@pytest.mark.parametrize("name", ["step", "multistep", "linear", "cosine", "polynomial"])
def test_stepping_to_an_epoch(name):
    torch = pytest.importorskip("torch")

    def run(lib):
        opt = two_groups(lib)
        sched = TABLE[name](lib.optim.lr_scheduler, opt)
        opt.step()
        out = []
        for epoch in (5, 2, 7):
            with pytest.warns(UserWarning, match="epoch parameter"):
                sched.step(epoch)
            out.append(sched.get_last_lr())
        return out

    np.testing.assert_allclose(run(kagari), run(torch), rtol=1e-14)


def test_restarts_at_fractions():
    torch = pytest.importorskip("torch")

    def run(lib):
        sched = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(two_groups(lib), 3, 2)
        out = []
        for epoch in (0.5, 2.25, 4.5, 11.75):
            sched.step(epoch)
            out.append(sched.get_last_lr())
        return out

    np.testing.assert_allclose(run(kagari), run(torch), rtol=1e-14)


def test_rate_in_a_tensor_changes_in_place():
    w = kagari.nn.Parameter(kagari.ones(1))
    rate = kagari.tensor(1.0)
    opt = kagari.optim.Adam([w], lr=rate)
    sched = kagari.optim.lr_scheduler.ExponentialLR(opt, 0.5)
    first = sched.get_last_lr()[0]
    opt.step()
    sched.step()
    assert opt.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5
    assert first.item() == 1.0


def test_warns_of_the_order():
    schedulers = kagari.optim.lr_scheduler
    sched = schedulers.ExponentialLR(two_groups(kagari), 0.9)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        sched.step()
    opt = two_groups(kagari)
    sched = schedulers.ExponentialLR(opt, 0.9)
    opt.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden"):
        sched.step()
    opt = two_groups(kagari)
    sched = schedulers.ExponentialLR(opt, 0.9)
    opt.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sched.step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        sched.get_lr()


def test_an_optimizer_does_not_hold_itself():
    opt = two_groups(kagari)
    kagari.optim.lr_scheduler.ExponentialLR(opt, 0.9)
    ref = weakref.ref(opt)
    gc.disable()
    try:
        del opt
        assert ref() is None
    finally:
        gc.enable()


ERRORS = [
    (lambda s, o: s.StepLR(1, 2), TypeError, "int is not an Optimizer"),
    (lambda s, o: s.StepLR(o, 2, last_epoch=3), KeyError, "load the optimizer's state first"),
    (lambda s, o: s.LambdaLR(o, [abs]), ValueError, "Expected 2 lr_lambdas, but got 1"),
    (lambda s, o: s.MultiplicativeLR(o, 0.5), TypeError, "should be a function, but got float"),
    (lambda s, o: s.ConstantLR(o, 2.0), ValueError, "between 0 and 1"),
    (lambda s, o: s.LinearLR(o, 0.0), ValueError, "greater than 0"),
    (lambda s, o: s.LinearLR(o, 0.5, 2.0), ValueError, "between 0 and 1"),
    (lambda s, o: s.CosineAnnealingWarmRestarts(o, 0), ValueError, "positive integer T_0"),
    (lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 0), ValueError, "integer T_mult >= 1"),
    (lambda s, o: s.CyclicLR(o, [0.1], 0.2), ValueError, "base_lr has 1 values"),
    (lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"), ValueError, "mode is invalid"),
    (lambda s, o: s.OneCycleLR(o, 0.1), ValueError, "You must define either total_steps"),
    (lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0), ValueError, "positive integer total_steps"),
    (lambda s, o: s.OneCycleLR(o, 0.1, 9, pct_start=2.0), ValueError, "between 0 and 1 pct_start"),
    (lambda s, o: s.OneCycleLR(o, 0.1, 9, anneal_strategy="x"), ValueError, "instead got x"),
    (lambda s, o: s.SequentialLR(o, [], []), ValueError, "expects at least one scheduler"),
    (lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [1]), ValueError, "one more than"),
    (lambda s, o: s.ChainedScheduler([]), ValueError, "got no scheduler"),
    (
        lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
        ValueError,
        "does not support `ReduceLROnPlateau`",
    ),
    (
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2), s.StepLR(two_groups(kagari), 2)], [1]),
        ValueError,
        "belong to the same optimizer",
    ),
    (lambda s, o: s.ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0"),
    (lambda s, o: s.ReduceLROnPlateau(o, mode="up"), ValueError, "mode up is unknown"),
    (lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "mode x is unknown"),
    (lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "expected 2 min_lrs, got 1"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make(kagari.optim.lr_scheduler, two_groups(kagari))


def test_one_cycle_ends():
    opt = two_groups(kagari)
    sched = kagari.optim.lr_scheduler.OneCycleLR(opt, 0.1, total_steps=3)
    for _ in range(3):
        opt.step()
        sched.step()
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        sched.step()
