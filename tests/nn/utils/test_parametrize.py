"""Parametrizations: registering, removing, inverses, caching; weight, spectral and orthogonal."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import kagari
from kagari import nn
from kagari.nn.utils import parametrizations, parametrize


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x):
        return x.triu()


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x


class Sum(nn.Module):
    def forward(self, x, y):
        return x + y

    def right_inverse(self, z):
        return z, kagari.zeros_like(z)


def test_register_and_remove():
    m = nn.Linear(3, 3)
    before = m.weight
    assert parametrize.register_parametrization(m, "weight", Symmetric()) is m
    assert parametrize.is_parametrized(m)
    assert parametrize.is_parametrized(m, "weight")
    assert not parametrize.is_parametrized(m, "bias")
    assert m.parametrizations.weight.original is before
    assert kagari.equal(m.weight, m.weight.mT)
    assert type(m).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(m) is nn.Linear
    assert list(m.state_dict()) == ["bias", "parametrizations.weight.original"]
    m.weight = kagari.eye(3)
    assert kagari.equal(m.weight, kagari.eye(3))
    value = m.weight
    parametrize.remove_parametrizations(m, "weight")
    assert type(m) is nn.Linear
    assert m.weight is before
    assert kagari.equal(m.weight, value)
    assert list(m.state_dict()) == ["bias", "weight"]


def test_several_in_order():
    m = nn.Linear(3, 3)
    parametrize.register_parametrization(m, "weight", Symmetric())
    first = m.weight.detach()
    parametrize.register_parametrization(m, "weight", Doubled())
    assert kagari.equal(m.weight, 2 * first)
    with pytest.raises(RuntimeError, match="Doubled does not implement right_inverse"):
        m.weight = kagari.eye(3)
    original = m.parametrizations.weight.original.detach().clone()
    parametrize.remove_parametrizations(m, "weight", leave_parametrized=False)
    assert kagari.equal(m.weight, original)


def test_several_tensors():
    m = nn.Linear(3, 2)
    before = m.weight.detach().clone()
    parametrize.register_parametrization(m, "weight", Sum())
    assert kagari.equal(m.weight, before)
    names = dict(m.named_parameters())
    assert {"parametrizations.weight.original0", "parametrizations.weight.original1"} < set(names)
    m(kagari.ones(1, 3)).sum().backward()
    assert all(p.grad is not None for p in m.parameters())
    m.weight = 2 * before
    assert kagari.equal(m.weight, 2 * before)
    with pytest.raises(ValueError, match="Cannot leave unparametrized"):
        parametrize.remove_parametrizations(m, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(m, "weight")
    assert isinstance(m.weight, nn.Parameter)
    assert kagari.equal(m.weight, 2 * before)


def test_buffers():
    m = nn.BatchNorm1d(3)
    parametrize.register_parametrization(m, "running_mean", Doubled())
    assert "parametrizations.running_mean.original" in dict(m.named_buffers())
    parametrize.remove_parametrizations(m, "running_mean")
    assert "running_mean" in dict(m.named_buffers())


def test_cached():
    m = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    assert m.weight is not m.weight
    with parametrize.cached():
        assert m.weight is m.weight
        with parametrize.cached():
            inner = m.weight
        assert m.weight is inner
    assert m.weight is not inner


def test_deepcopy_but_no_pickle():
    m = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    other = copy.deepcopy(m)
    assert kagari.equal(other.weight, m.weight)
    other.weight = kagari.eye(3)
    assert not kagari.equal(other.weight, m.weight)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        m.__getstate__()


@pytest.mark.parametrize("make", [Symmetric, Sum])
def test_transfer(make):
    m = parametrize.register_parametrization(nn.Linear(3, 3), "weight", make())
    n = parametrize.transfer_parametrizations_and_params(m, nn.Linear(3, 3))
    assert kagari.equal(m.weight, n.weight)
    shared = set(map(id, m.parameters())) & set(map(id, n.parameters()))
    assert len(shared) == (1 if make is Symmetric else 2)


class Wrong(nn.Module):
    def __init__(self, forward, right_inverse=None):
        super().__init__()
        self.function = forward
        if right_inverse is not None:
            self.right_inverse = right_inverse

    def forward(self, x):
        return self.function(x)


def registered(forward, right_inverse=None, on=None):
    m = on or nn.Linear(3, 3)
    return parametrize.register_parametrization(m, "weight", Wrong(forward, right_inverse))


def on_top(forward, right_inverse=None):
    return registered(forward, right_inverse, registered(lambda x: x))


ERRORS = [
    (
        lambda: parametrize.register_parametrization(nn.Linear(2, 2), "gain", Doubled()),
        ValueError,
        "does not have a parameter, a buffer, or a parametrized element with name 'gain'",
    ),
    (lambda: registered(lambda x: 3), ValueError, "must return a tensor. Got int"),
    (lambda: registered(lambda x: x.double()), ValueError, "may not change the dtype"),
    (lambda: registered(lambda x: x[0]), ValueError, "may not change the shape"),
    (lambda: registered(lambda x: x, lambda x: 3), ValueError, "must return a Tensor or a Seq"),
    (lambda: registered(lambda x: x, lambda x: (x, 3)), ValueError, "Got element 1"),
    (lambda: registered(lambda x: x, lambda x: x.double()), ValueError, "not change the dtype"),
    (lambda: on_top(lambda x: 3), ValueError, "must return a tensor. Got int"),
    (lambda: on_top(lambda x: x.double()), ValueError, "may not change the dtype"),
    (lambda: on_top(lambda x: x[0]), ValueError, "may not change the shape"),
    (lambda: on_top(lambda x: x, lambda x: 3), ValueError, "must return a tensor. Got: int"),
    (lambda: on_top(lambda x: x, lambda x: x[0]), ValueError, "must have the same shape"),
    (lambda: on_top(lambda x: x, lambda x: x.double()), ValueError, "must have the same dtype"),
    (
        lambda: parametrize.remove_parametrizations(nn.Linear(2, 2), "weight"),
        ValueError,
        "does not have a parametrization on weight",
    ),
    (
        lambda: parametrize.ParametrizationList([], kagari.zeros(1)),
        ValueError,
        "requires one or more modules",
    ),
    (
        lambda: parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
        ValueError,
        "Expected n_power_iterations to be positive",
    ),
    (
        lambda: parametrizations.spectral_norm(nn.Linear(2, 2), dim=2),
        IndexError,
        "Dimension out of range",
    ),
    (
        lambda: parametrizations.spectral_norm(nn.Linear(2, 2), "gain"),
        ValueError,
        "has no parameter or buffer with name 'gain'",
    ),
    (
        lambda: parametrizations.orthogonal(nn.Linear(2, 2), "bias"),
        ValueError,
        "Expected a matrix or batch of matrices",
    ),
    (
        lambda: parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr"),
        ValueError,
        "orthogonal_map has to be one of",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


# ---- weight and spectral norm -------------------------------------------------------------------

LAYERS = [
    ("Linear", (3, 4), (5, 3)),
    ("Conv2d", (2, 4, 3), (1, 2, 6, 6)),
    ("ConvTranspose1d", (3, 2, 3), (1, 3, 5)),
]


def double(m):
    return m.double() if hasattr(m, "double") else m


def as_torch(run):
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (ours, *said), (theirs, *their_said) = run(kagari), run(torch)
    assert said == their_said
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-7, atol=1e-9)


@pytest.mark.conformance
@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize(("name", "args", "shape"), LAYERS)
@pytest.mark.parametrize("old", [False, True])
def test_weight_norm_as_torch(name, args, shape, dim, old):
    def run(m):
        m.manual_seed(0)
        utils = m.nn.utils
        net = getattr(m.nn, name)(*args, dtype=m.float64)
        (utils if old else utils.parametrizations).weight_norm(net, dim=dim)
        for p in net.parameters():
            p.data.mul_(1.5)
        x = m.tensor(np.random.default_rng(0).standard_normal(shape))
        y = net(x)
        y.square().sum().backward()
        numbers = [y, *net.state_dict().values(), *(p.grad for p in net.parameters())]
        keys = list(net.state_dict())
        if old:
            utils.remove_weight_norm(net)
        else:
            utils.parametrize.remove_parametrizations(net, "weight")
        return [*numbers, net(x)], keys, list(net.state_dict()), repr(net)

    as_torch(run)


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "args", "shape"), LAYERS)
@pytest.mark.parametrize("old", [False, True])
def test_spectral_norm_as_torch(name, args, shape, old):
    def run(m):
        m.manual_seed(0)
        utils = m.nn.utils
        net = getattr(m.nn, name)(*args, dtype=m.float64)
        (utils if old else utils.parametrizations).spectral_norm(net, n_power_iterations=2)
        x = m.tensor(np.random.default_rng(0).standard_normal(shape))
        net(x)
        y = net(x)
        y.square().sum().backward()
        numbers = [y, net.eval()(x), *net.state_dict().values()]
        numbers += [p.grad for p in net.parameters()]
        keys = list(net.state_dict())
        if old:
            utils.remove_spectral_norm(net)
        else:
            utils.parametrize.remove_parametrizations(net, "weight")
        return [*numbers, net(x)], keys, list(net.state_dict()), repr(net)

    as_torch(run)


def test_states_of_the_older_weight_norm_load():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nn.utils.weight_norm(nn.Linear(3, 4))
    new = parametrizations.weight_norm(nn.Linear(3, 4))
    new.load_state_dict(old.state_dict())
    x = kagari.randn(2, 3)
    assert kagari.allclose(new(x), old(x))


def test_spectral_norm_of_a_vector():
    m = parametrizations.spectral_norm(nn.Linear(3, 4), "bias")
    assert abs(m.bias.norm().item() - 1) < 1e-6


OLD_ERRORS = [
    (lambda m: nn.utils.remove_weight_norm(m), "weight_norm of 'weight' not found"),
    (lambda m: nn.utils.remove_spectral_norm(m), "spectral_norm of 'weight' not found"),
    (lambda m: nn.utils.spectral_norm(m, n_power_iterations=0), "to be positive"),
    (lambda m: nn.utils.weight_norm(nn.LazyLinear(3)), "can't have uninitialized parameters"),
    (lambda m: nn.utils.spectral_norm(nn.LazyLinear(3)), "can't have uninitialized parameters"),
    (lambda m: nn.utils.spectral_norm(nn.Linear(2, 3, bias=False), "bias"), "is None"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("call", "text"), OLD_ERRORS)
def test_errors_of_the_older_norms(call, text):
    with pytest.raises(ValueError, match=text):
        call(nn.Linear(2, 3))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_the_older_norms_once(name):
    m = getattr(nn.utils, name)(nn.Linear(2, 3))
    m._parameters["weight"] = nn.Parameter(kagari.zeros(3, 2))
    with pytest.raises(RuntimeError, match=f"Cannot register two {name} hooks"):
        getattr(nn.utils, name)(m)


def test_the_older_weight_norm_warns():
    with pytest.warns(FutureWarning, match="is deprecated in favor of"):
        nn.utils.weight_norm(nn.Linear(2, 3))


# ---- orthogonal ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("map_name", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
def test_orthogonal(shape, map_name, trivial):
    kagari.manual_seed(0)
    m = nn.Linear(shape[1], shape[0], dtype=kagari.float64)
    parametrizations.orthogonal(m, orthogonal_map=map_name, use_trivialization=trivial)

    def check():
        q = m.weight if shape[0] >= shape[1] else m.weight.mT
        one = kagari.eye(q.size(1), dtype=q.dtype)
        assert kagari.allclose(q.mT @ q, one, atol=1e-10)

    check()
    opt = kagari.optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        m(kagari.ones(2, shape[1], dtype=kagari.float64)).square().sum().backward()
        opt.step()
        check()
    if trivial or map_name == "householder":
        other = nn.init.orthogonal_(kagari.empty(*shape, dtype=kagari.float64))
        m.weight = other
        assert kagari.allclose(m.weight, other, atol=1e-10)
    else:
        with pytest.raises(NotImplementedError, match="It is not possible to assign"):
            m.weight = m.weight.detach()
