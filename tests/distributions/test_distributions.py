"""Distributions by themselves: samples, moments, gradients, the rules of the classes."""

from __future__ import annotations

import math
import pickle

import pytest
from distributions.cases import CASES, build, title

import kagari
from kagari.distributions import (
    AffineTransform,
    Beta,
    Categorical,
    ComposeTransform,
    Dirichlet,
    Distribution,
    ExpTransform,
    Gamma,
    Independent,
    Kumaraswamy,
    Normal,
    Wishart,
    constraints,
    kl_divergence,
    register_kl,
)

EACH = pytest.mark.parametrize("case", CASES, ids=[f"{i}-{title(c)}" for i, c in enumerate(CASES)])


def ks_distance(samples, cdf):
    """The largest distance between the samples' distribution function and the true one."""
    x = samples.sort(0).values
    n = x.shape[0]
    steps = kagari.arange(1, n + 1, dtype=x.dtype).reshape((n,) + (1,) * (x.dim() - 1)) / n
    true = cdf(x)
    return max(
        float((steps - true).max()),
        float((true - steps + 1 / n).max()),
    )


CONTINUOUS = [
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "Exponential",
    "Gamma",
    "GeneralizedPareto",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "InverseGamma",
    "Kumaraswamy",
    "Laplace",
    "LogNormal",
    "Normal",
    "Pareto",
    "Uniform",
    "Weibull",
]


@pytest.mark.parametrize("case", [c for c in CASES if c[0] in CONTINUOUS], ids=title)
def test_samples_follow_the_distribution_function(case):
    d = build(kagari, case)
    kagari.manual_seed(0)
    n = 2000
    # 1.95 / √n is exceeded once in a thousand tries
    assert ks_distance(d.sample((n,)), d.cdf) < 1.95 / math.sqrt(n)


SKIP_MOMENTS = {"Cauchy", "HalfCauchy", "FisherSnedecor", "StudentT", "Pareto", "InverseGamma"}


@EACH
def test_samples_have_the_moments(case):
    d = build(kagari, case)
    try:
        mean, variance = d.mean, d.variance
    except NotImplementedError:
        return
    if case[0] in SKIP_MOMENTS or case[0] == "VonMises" or mean.isnan().any():
        return
    kagari.manual_seed(1)
    n = 4000
    samples = d.sample((n,)).double()
    error = ((samples.mean(0) - mean).abs() / (variance / n + 1e-30).sqrt()).max()
    assert float(error) < 5
    spread = samples.var(0)
    close = (spread - variance).abs() <= 0.25 * variance + 1e-12
    assert bool(close.all()), (spread, variance)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.5])
def test_implicit_gradient_of_gamma(alpha):
    """d/dα E[X²] = 2 α + 1 for Gamma(α, 1)."""
    kagari.manual_seed(3)
    a = kagari.full((20000,), alpha, dtype=kagari.float64, requires_grad=True)
    x = Gamma(a, kagari.ones_like(a.detach())).rsample()
    (gradient,) = kagari.autograd.grad((x**2).sum(), a)
    assert float(gradient.mean()) == pytest.approx(2 * alpha + 1, rel=0.08)


def test_implicit_gradient_of_beta_and_dirichlet():
    """The gradients of E[X²], from the moments' formula and from samples."""
    a = kagari.tensor([1.5, 2.5, 0.8], dtype=kagari.float64, requires_grad=True)

    def second_moment(a):
        total = a.sum()
        return a[0] * (a[0] + 1) / (total * (total + 1))

    (exact,) = kagari.autograd.grad(second_moment(a), a)
    kagari.manual_seed(4)
    x = Dirichlet(a).rsample((40000,))
    (estimate,) = kagari.autograd.grad((x[:, 0] ** 2).mean(), a)
    assert kagari.allclose(estimate, exact, rtol=0.1, atol=0.005)
    (exact,) = kagari.autograd.grad(second_moment(a[:2]), a)
    x = Beta(a[0], a[1]).rsample((40000,))
    (estimate,) = kagari.autograd.grad((x**2).mean(), a)
    assert kagari.allclose(estimate, exact, rtol=0.1, atol=0.005)


def test_wishart_samples_have_gradients():
    L = kagari.tensor([[1.0, 0.0], [0.3, 0.5]], dtype=kagari.float64, requires_grad=True)
    x = Wishart(kagari.tensor(4.0, dtype=kagari.float64), scale_tril=L).rsample((5,))
    (gradient,) = kagari.autograd.grad(x.sum(), L)
    assert bool(gradient.isfinite().all())


def test_kumaraswamy_mode_is_the_densest_place():
    d = Kumaraswamy(kagari.tensor(2.0), kagari.tensor(3.0))
    grid = kagari.linspace(0.001, 0.999, 999)
    assert float(d.mode) == pytest.approx(float(grid[d.log_prob(grid).argmax()]), abs=2e-3)


def test_monte_carlo_agrees_with_kl():
    p = Gamma(kagari.tensor(2.0, dtype=kagari.float64), kagari.tensor(1.0, dtype=kagari.float64))
    q = Gamma(kagari.tensor(3.0, dtype=kagari.float64), kagari.tensor(1.5, dtype=kagari.float64))
    kagari.manual_seed(6)
    x = p.sample((20000,))
    estimate = (p.log_prob(x) - q.log_prob(x)).mean()
    assert float(estimate) == pytest.approx(float(kl_divergence(p, q)), rel=0.05)


def test_validation_is_chosen_per_instance_and_per_class():
    bad = kagari.tensor([-1.0])
    Normal(kagari.zeros(1), bad, validate_args=False)
    with pytest.raises(ValueError, match="to satisfy the constraint GreaterThan"):
        Normal(kagari.zeros(1), bad, validate_args=True)
    before = Distribution._validate_args
    try:
        Distribution.set_default_validate_args(False)
        Normal(kagari.zeros(1), bad)
    finally:
        Distribution.set_default_validate_args(before)
    with pytest.raises(ValueError, match="expected True or False"):
        Distribution.set_default_validate_args("yes")


def test_lazy_properties_are_kept_and_differentiable():
    logits = kagari.tensor([0.1, 0.2], requires_grad=True)
    d = Categorical(logits=logits)
    with kagari.no_grad():
        probs = d.probs
    assert d.probs is probs
    assert probs.requires_grad
    assert isinstance(Categorical.probs, property)


def test_subclass_with_its_own_constructor_must_expand_itself():
    class Mine(Normal):
        def __init__(self):
            super().__init__(kagari.zeros(1), kagari.ones(1))

    with pytest.raises(NotImplementedError, match=r"must also define a custom \.expand\(\) method"):
        Mine().expand((3, 1))


def test_kl_of_unknown_and_ambiguous_pairs():
    class A(Normal):
        pass

    class B(Normal):
        pass

    with pytest.raises(NotImplementedError, match="No KL"):
        kl_divergence(Independent(Normal(kagari.zeros(1), 1.0), 1), Normal(0.0, 1.0))

    from kagari.distributions.kl import _KL_MEMOIZE, _KL_REGISTRY

    try:
        register_kl(A, Normal)(lambda p, q: 1)
        register_kl(Normal, B)(lambda p, q: 2)
        with pytest.warns(RuntimeWarning, match="Ambiguous kl_divergence"):
            assert kl_divergence(A(0.0, 1.0), B(0.0, 1.0)) == 1
        with pytest.raises(TypeError, match="Distribution subclass"):
            register_kl(int, Normal)
    finally:
        _KL_REGISTRY.pop((A, Normal))
        _KL_REGISTRY.pop((Normal, B))
        _KL_MEMOIZE.clear()


def test_transform_cache_keeps_the_very_input():
    t = ExpTransform(cache_size=1)
    x = kagari.tensor([0.3, 800.0])
    assert t.inv(t(x)) is x
    assert ExpTransform() == ExpTransform()
    assert AffineTransform(0, 1) != AffineTransform(0, 2)
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        ExpTransform(cache_size=2)
    chain = ComposeTransform([AffineTransform(1.0, 2.0), t])
    assert chain.inv.inv is chain
    assert isinstance(pickle.loads(pickle.dumps(chain)), ComposeTransform)


def test_constraints_show_themselves():
    assert repr(constraints.unit_interval) == "Interval(lower_bound=0.0, upper_bound=1.0)"
    assert repr(constraints.real_vector) == "IndependentConstraint(Real(), 1)"
    with pytest.raises(ValueError, match="dependent constraint"):
        constraints.dependent.check(kagari.zeros(1))
