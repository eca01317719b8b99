"""Optimisers against PyTorch's, step by step, over all their options."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import kagari

SHAPES = ((3, 4), (5,), ())
# (optimiser, options); every option appears off its default at least once.
TABLE = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "fused": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "foreach": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "maximize": True, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adam", {"lr": 0.1, "fused": True}),
    ("Adam", {"lr": 0.1, "foreach": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True, "maximize": True}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2, "fused": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "weight_decay": 0.1, "maximize": True, "betas": (0.8, 0.95)}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.01, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "betas": (0.8, 0.95), "maximize": True}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-4}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "weight_decay": 0.1, "momentum": 0.9, "centered": True}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "centered": True, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.2), "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.01, "alpha": 0.5, "t0": 4, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.1, "foreach": True, "maximize": True}),
]
IDS = [f"{name}-{','.join(f'{k}={v}' for k, v in options.items())}" for name, options in TABLE]


class Problem:
    """A quadratic bowl per parameter, whose gradients NumPy computes from the values."""

    def __init__(self, shapes=SHAPES, complex_too=False):
        rng = np.random.default_rng(0)
        self.start = [rng.standard_normal(s) for s in shapes]
        self.scale = [1 + rng.random(s) for s in shapes]
        if complex_too:
            self.start.append(self.start[0] + 1j * rng.standard_normal(shapes[0]))
            self.scale.append(self.scale[0])

    def params(self, lib):
        # Copies: from_numpy shares memory, and 0-d NumPy scalars are no arrays.
        return [lib.nn.Parameter(lib.tensor(np.array(p))) for p in self.start]

    def set_grads(self, lib, params, step):
        for p, scale in zip(params, self.scale, strict=True):
            value = p.detach().numpy()
            p.grad = lib.tensor(np.array(value * scale + 0.1 * np.sin(step + value.real)))


def run(lib, name, options, steps, problem, groups=False, state=None, start=None):
    params = problem.params(lib)
    if start is not None:
        with lib.no_grad():
            for p, value in zip(params, start, strict=True):
                p.copy_(lib.tensor(np.array(value)))
    given = [{"params": params[:1]}, {"params": params[1:], "lr": 0.03}] if groups else params
    opt = getattr(lib.optim, name)(given, **options)
    if state is not None:
        opt.load_state_dict(state)
    for step in steps:
        problem.set_grads(lib, params, step)
        opt.step()
    return [p.detach().numpy().copy() for p in params], opt


def assert_same(got, expected, rtol=1e-12):
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=rtol, atol=1e-14)


@pytest.mark.conformance
@pytest.mark.parametrize("groups", [False, True], ids=["one", "groups"])
@pytest.mark.parametrize(("name", "options"), TABLE, ids=IDS)
def test_ten_steps(name, options, groups):
    torch = pytest.importorskip("torch")
    problem = Problem()
    got, opt = run(kagari, name, options, range(10), problem, groups)
    expected, oracle = run(torch, name, options, range(10), problem, groups)
    assert_same(got, expected)
    ours, theirs = opt.state_dict(), oracle.state_dict()
    assert {k: set(v) for k, v in ours["state"].items()} == {
        k: set(v) for k, v in theirs["state"].items()
    }
    assert [set(g) for g in ours["param_groups"]] == [set(g) for g in theirs["param_groups"]]
    assert repr(opt) == repr(oracle)


@pytest.mark.conformance
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adadelta"])
def test_complex(name):
    torch = pytest.importorskip("torch")
    problem = Problem(complex_too=True)
    options = {"lr": 0.1, "momentum": 0.9} if name == "SGD" else {"lr": 0.1, "weight_decay": 0.1}
    got, _ = run(kagari, name, options, range(5), problem)
    expected, _ = run(torch, name, options, range(5), problem)
    assert_same(got, expected)


@pytest.mark.parametrize(("name", "options"), TABLE, ids=IDS)
def test_resumes_where_it_was(name, options):
    problem = Problem()
    straight, _ = run(kagari, name, options, range(6), problem)
    half, opt = run(kagari, name, options, range(3), problem)
    state = copy.deepcopy(opt.state_dict())
    resumed, _ = run(kagari, name, options, range(3, 6), problem, state=state, start=half)
    # Some keep float32 numbers that become float64 on loading, as in PyTorch.
    assert_same(resumed, straight, rtol=1e-6 if name in ("ASGD", "NAdam") else 1e-15)


@pytest.mark.conformance
@pytest.mark.parametrize("options", [{}, {"line_search_fn": "strong_wolfe"}, {"history_size": 2}])
def test_lbfgs(options):
    torch = pytest.importorskip("torch")

    def minimise(lib):
        x = lib.nn.Parameter(lib.tensor([-1.5, 2.0, 0.5], dtype=lib.float64))
        opt = lib.optim.LBFGS([x], lr=0.1, max_iter=6, **options)

        def closure():
            opt.zero_grad()
            loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
            loss.backward()
            return loss

        losses = [opt.step(closure).item() for _ in range(5)]
        return losses, x.tolist(), opt.state_dict()["state"][0]

    losses, x, state = minimise(kagari)
    expected, x_expected, state_expected = minimise(torch)
    np.testing.assert_allclose(losses, expected, rtol=1e-8)
    np.testing.assert_allclose(x, x_expected, rtol=1e-8)
    assert set(state) == set(state_expected)
    assert state["func_evals"] == state_expected["func_evals"]


def test_lbfgs_refuses():
    w, v = (kagari.nn.Parameter(kagari.ones(1)) for _ in range(2))
    with pytest.raises(ValueError, match="per-parameter options"):
        kagari.optim.LBFGS([{"params": [w]}, {"params": [v]}])

    def closure():
        w.grad = kagari.ones(1)
        return kagari.ones(())

    with pytest.raises(RuntimeError, match=r"only 'strong_wolfe' is supported, got .*'armijo'"):
        kagari.optim.LBFGS([w], line_search_fn="armijo").step(closure)


def adam(params=None, **options):
    params = [kagari.nn.Parameter(kagari.ones(2))] if params is None else params
    return kagari.optim.Adam(params, **options)


CONSTRUCTION_ERRORS = [
    ("SGD", {"lr": -1.0}, "Invalid learning rate: -1.0"),
    ("SGD", {"momentum": -1.0}, "Invalid momentum value: -1.0"),
    ("SGD", {"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
    ("SGD", {"nesterov": True}, "Nesterov momentum requires"),
    ("Adam", {"eps": -1.0}, "Invalid epsilon value: -1.0"),
    ("Adam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
    ("Adam", {"betas": (0.9, 1.0)}, "Invalid beta parameter at index 1: 1.0"),
    ("Adam", {"betas": (0, 0.9)}, "both floats or both Tensors"),
    ("Adam", {"weight_decay": -1.0}, "Invalid weight_decay value"),
    ("NAdam", {"momentum_decay": -0.2}, "Invalid momentum_decay value: -0.2"),
    ("Adadelta", {"rho": 1.1}, "Invalid rho value: 1.1"),
    ("Adagrad", {"lr_decay": -0.5}, "Invalid lr_decay value: -0.5"),
    ("Adagrad", {"initial_accumulator_value": -0.5}, "Invalid initial_accumulator_value value"),
    ("RMSprop", {"alpha": -1.0}, "Invalid alpha value: -1.0"),
    ("Rprop", {"etas": (1.0, 0.5)}, "Invalid eta values: 1.0, 0.5"),
]


@pytest.mark.parametrize(("name", "options", "message"), CONSTRUCTION_ERRORS)
def test_options_out_of_range(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(kagari.optim, name)([kagari.nn.Parameter(kagari.ones(2))], **options)


def test_flags():
    with pytest.raises(RuntimeError, match="cannot be `True` together"):
        adam(fused=True, foreach=True)
    with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
        adam(fused=True, differentiable=True)
    with pytest.raises(ValueError, match="lr as a Tensor is not supported"):
        adam(lr=kagari.tensor(0.1), foreach=True)
    w = kagari.nn.Parameter(kagari.ones(2))
    w.grad = kagari.ones(2)
    with pytest.raises(AssertionError, match=r"capturable=True.*got cpu; pass capturable=False"):
        adam([w], capturable=True).step()
    z = kagari.nn.Parameter(kagari.ones(2, dtype=kagari.complex64))
    z.grad = kagari.ones(2, dtype=kagari.complex64)
    with pytest.raises(RuntimeError, match="`fused=True` requires all the params to be floating"):
        adam([z], fused=True).step()


def test_params_refused():
    w = kagari.nn.Parameter(kagari.ones(2))
    with pytest.raises(TypeError, match="should be an iterable of Tensors or dicts"):
        adam(w)
    with pytest.raises(TypeError, match="organized in ordered collections"):
        adam([{"params": {w}}])
    with pytest.raises(TypeError, match="one of the params is int"):
        adam([1])
    with pytest.raises(ValueError, match="empty parameter list"):
        adam([])
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        adam([w * 2])
    with pytest.raises(ValueError, match="in more than one parameter group"):
        adam([{"params": [w]}, {"params": [w]}])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        adam([w, w])
    with pytest.raises(TypeError, match="param_group must be a dict"):
        adam([w]).add_param_group([w])
    with pytest.raises(ValueError, match="Some param names are missing"):
        adam([("w", w), kagari.nn.Parameter(kagari.ones(1))])
    with pytest.raises(ValueError, match="cannot add param group without names"):
        adam([("w", w)]).add_param_group({"params": [kagari.nn.Parameter(kagari.ones(1))]})


def test_required_option():
    from kagari.optim.optimizer import Optimizer, required

    w = kagari.nn.Parameter(kagari.ones(2))
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Optimizer([w], {"lr": required})
    assert repr(required) == "<required parameter>"
    with pytest.raises(NotImplementedError, match="define step, or _init_state and _apply"):
        w.grad = kagari.ones(2)
        Optimizer([w], {"lr": 1.0}).step()


def test_a_parameter_without_gradient_is_skipped():
    w, v = (kagari.nn.Parameter(kagari.ones(2)) for _ in range(2))
    for name in ("SGD", "Adam", "Adamax"):
        opt = getattr(kagari.optim, name)([w, v], lr=0.5)
        w.grad = kagari.ones(2)
        opt.step()
        assert v.tolist() == [1.0, 1.0]
        assert v not in opt.state


def test_a_buffer_begins_at_the_parameters_own_first_step():
    torch = pytest.importorskip("torch")

    def run_late(lib):
        w, v = (lib.nn.Parameter(lib.ones(2, dtype=lib.float64)) for _ in range(2))
        opt = lib.optim.SGD([w, v], lr=0.1, momentum=0.9, dampening=0.5)
        for step in range(4):
            w.grad = lib.full((2,), 1.0 + step, dtype=lib.float64)
            v.grad = None if step < 2 else lib.full((2,), 2.0, dtype=lib.float64)
            opt.step()
        return w.tolist() + v.tolist()

    np.testing.assert_allclose(run_late(kagari), run_late(torch), rtol=1e-14)


def test_zero_grad():
    w = kagari.nn.Parameter(kagari.ones(2))
    opt = adam([w])
    w.grad = kagari.ones(2)
    grad = w.grad
    opt.zero_grad(set_to_none=False)
    assert w.grad is grad
    assert grad.tolist() == [0.0, 0.0]
    opt.zero_grad()
    assert w.grad is None


def test_closure_runs_with_gradients():
    w = kagari.nn.Parameter(kagari.ones(2))
    opt = adam([w])

    def closure():
        opt.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with kagari.no_grad():
        assert opt.step(closure).item() == 2.0
    assert w.grad.tolist() == [2.0, 2.0]
    assert not w.grad.requires_grad


def test_state_kept_by_name():
    a, b = (kagari.nn.Parameter(kagari.full((2,), float(i))) for i in (1, 2))
    opt = adam([("a", a), ("b", b)])
    a.grad, b.grad = kagari.full((2,), 3.0), kagari.full((2,), 5.0)
    opt.step()
    saved = opt.state_dict()
    assert saved["param_groups"][0]["param_names"] == ["a", "b"]

    other = adam([("b", b), ("a", a)])
    other.load_state_dict(saved)
    for p in (a, b):
        assert other.state[p]["exp_avg"].tolist() == opt.state[p]["exp_avg"].tolist()
    assert other.param_groups[0]["param_names"] == ["b", "a"]

    with pytest.raises(ValueError, match=r"missing \['c'\], unexpected \['b'\]; rename"):
        adam([("a", a), ("c", b)]).load_state_dict(saved)
    # Without names on one side the order decides.
    plain = adam([b, a])
    plain.load_state_dict(saved)
    assert plain.state[b]["exp_avg"].tolist() == opt.state[a]["exp_avg"].tolist()


def test_a_state_that_does_not_fit():
    a, b = kagari.nn.Parameter(kagari.ones(2)), kagari.nn.Parameter(kagari.ones(3))
    opt = adam([a, b])
    a.grad, b.grad = kagari.ones(2), kagari.ones(3)
    opt.step()
    saved = opt.state_dict()
    with pytest.raises(ValueError, match=r"saved 'exp_avg' of parameter 0 has shape \(2,\), the"):
        adam([b, a]).load_state_dict(saved)
    with pytest.raises(ValueError, match="group 0 has 1 parameters, the saved one 2"):
        adam([a]).load_state_dict(saved)
    with pytest.raises(ValueError, match="expected 2, got 1"):
        adam([{"params": [a]}, {"params": [b]}]).load_state_dict(saved)


def test_loading_casts_to_the_parameter():
    w = kagari.nn.Parameter(kagari.ones(2))
    w.grad = kagari.ones(2)
    opt = adam([w])
    opt.step()
    double = kagari.nn.Parameter(kagari.ones(2, dtype=kagari.float64))
    other = adam([double])
    other.load_state_dict(opt.state_dict())
    assert other.state[double]["exp_avg"].dtype == kagari.float64
    assert other.state[double]["step"].dtype == kagari.float32
    assert other.state[double]["step"].shape == ()


def test_old_states_get_new_options():
    w = kagari.nn.Parameter(kagari.ones(2))
    w.grad = kagari.ones(2)
    opt = adam([w])
    opt.step()
    saved = opt.state_dict()
    for key in ("amsgrad", "maximize", "foreach", "fused", "differentiable", "capturable"):
        del saved["param_groups"][0][key]
    saved["state"][0]["step"] = 1
    other = adam([w])
    other.load_state_dict(saved)
    assert other.state[w]["step"].item() == 1.0
    other.step()
    assert other.state[w]["step"].item() == 2.0


def test_hooks():
    seen = []
    w = kagari.nn.Parameter(kagari.ones(2))
    w.grad = kagari.ones(2)
    opt = adam([w])
    handles = [
        opt.register_step_pre_hook(lambda o, args, kwargs: seen.append("pre")),
        opt.register_step_post_hook(lambda o, args, kwargs: seen.append("post")),
        kagari.optim.optimizer.register_optimizer_step_pre_hook(
            lambda o, args, kwargs: seen.append("global pre")
        ),
        kagari.optim.optimizer.register_optimizer_step_post_hook(
            lambda o, args, kwargs: seen.append("global post")
        ),
        opt.register_state_dict_pre_hook(lambda o: seen.append("save pre")),
        opt.register_state_dict_post_hook(lambda o, sd: {**sd, "note": 1}),
        opt.register_load_state_dict_pre_hook(lambda o, sd: seen.append("load pre")),
        opt.register_load_state_dict_post_hook(lambda o: seen.append("load post")),
        opt.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True),
    ]
    opt.step()
    saved = opt.state_dict()
    assert saved.pop("note") == 1
    opt.load_state_dict(saved)
    assert seen == [
        *("global pre", "pre", "post", "global post"),
        *("first", "save pre", "load pre", "load post"),
    ]
    for handle in handles:
        handle.remove()
    seen.clear()
    opt.step()
    opt.state_dict()
    assert seen == []
    with (
        opt.register_step_pre_hook(lambda o, args, kwargs: 1),
        pytest.raises(RuntimeError, match="must return None or a tuple"),
    ):
        opt.step()


def test_pickle_and_copy():
    w = kagari.nn.Parameter(kagari.ones(2))
    w.grad = kagari.ones(2)
    opt = adam([w], lr=0.25)
    opt.step()
    for other in (pickle.loads(pickle.dumps(opt)), copy.deepcopy(opt)):
        (p,) = other.param_groups[0]["params"]
        assert other.param_groups[0]["lr"] == 0.25
        assert other.state[p]["exp_avg"].tolist() == opt.state[w]["exp_avg"].tolist()
        p.grad = kagari.ones(2)
        other.step()
        assert other.state[p]["step"].item() == 2.0


def test_tensor_lr():
    torch = pytest.importorskip("torch")
    problem = Problem()
    for name in ("SGD", "Adam", "AdamW", "Adamax", "RAdam"):
        rate = 0.1
        got, _ = run(
            kagari, name, {"lr": kagari.tensor([rate], dtype=kagari.float64)}, [0], problem
        )
        expected, _ = run(torch, name, {"lr": rate}, [0], problem)
        assert_same(got, expected)


def test_scaled_and_skipped_steps():
    for name in ("SGD", "Adam"):
        options = {"lr": 0.5, **({"momentum": 0.9} if name == "SGD" else {})}
        make = getattr(kagari.optim, name)
        w, v = (kagari.nn.Parameter(kagari.ones(2)) for _ in range(2))
        plain, scaled = make([w], **options), make([v], **options)
        scaled.found_inf = kagari.ones(())
        v.grad = kagari.full((2,), 8.0)
        scaled.grad_scale = kagari.full((), 4.0)
        scaled.step()
        assert v.tolist() == [1.0, 1.0]
        scaled.found_inf = kagari.zeros(())
        for _ in range(2):
            w.grad, v.grad = kagari.full((2,), 2.0), kagari.full((2,), 8.0)
            plain.step()
            scaled.step()
        np.testing.assert_allclose(v.tolist(), w.tolist(), rtol=1e-6)


def recorded(lib, name, options, start, differentiable=True):
    """Three steps with gradients that depend on the parameter."""
    w = start.clone() if differentiable else lib.nn.Parameter(start.detach().clone())
    opt = getattr(lib.optim, name)([w], lr=0.1, differentiable=differentiable, **options)
    for g in ([0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]):
        grad = lib.tensor(g, dtype=lib.float64) * w
        w.grad = grad if differentiable else grad.detach()
        opt.step()
    return w


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"weight_decay": 0.1}),
        ("Adam", {"weight_decay": 0.1}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
        ("Adamax", {}),
        ("NAdam", {}),
        ("RAdam", {}),
        ("Adadelta", {}),
        ("Adagrad", {}),
        ("RMSprop", {"momentum": 0.9, "centered": True}),
        ("ASGD", {}),
    ],
)
def test_differentiable(name, options):
    """The recorded steps end where the others do; their gradient fits a central difference."""
    start = kagari.tensor([1.0, 2.0], dtype=kagari.float64, requires_grad=True)
    end = recorded(kagari, name, options, start)
    plain = recorded(kagari, name, options, start, False)
    np.testing.assert_allclose(end.tolist(), plain.tolist(), rtol=1e-12)
    end.sum().backward()
    h = 1e-6
    for i in range(2):
        shift = kagari.tensor([h if j == i else 0.0 for j in range(2)], dtype=kagari.float64)
        high, low = (
            recorded(kagari, name, options, start.detach() + s, False).sum().item()
            for s in (shift, -shift)
        )
        np.testing.assert_allclose(start.grad[i].item(), (high - low) / (2 * h), rtol=1e-8)


def test_differentiable_momentum():
    """As in PyTorch, the first momentum buffer does not carry the tape."""
    torch = pytest.importorskip("torch")
    grads = []
    for lib in (kagari, torch):
        start = lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True)
        options = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}
        recorded(lib, "SGD", options, start).sum().backward()
        grads.append(start.grad.tolist())
    np.testing.assert_allclose(*grads, rtol=1e-12)


def test_state_that_a_program_exchanges_is_used():
    """Programs that prune or grow parameters move states by hand."""
    w = kagari.nn.Parameter(kagari.ones(4))
    opt = adam([w])
    w.grad = kagari.ones(4)
    opt.step()
    state = opt.state.pop(w)
    new = kagari.nn.Parameter(w.detach()[:2].clone())
    state["exp_avg"], state["exp_avg_sq"] = state["exp_avg"][:2], state["exp_avg_sq"][:2]
    opt.param_groups[0]["params"][0] = new
    opt.state[new] = state
    new.grad = kagari.ones(2)
    opt.step()
    assert state["step"].item() == 2.0
    assert new.tolist() != w.tolist()[:2]
