"""Distributions beside PyTorch's: densities, moments, divergences, samples, gradients, texts."""

from __future__ import annotations

import numpy as np
import pytest
from distributions.cases import CASES, PAIRS, build, tensors, title

import kagari

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.conformance

EACH = pytest.mark.parametrize("case", CASES, ids=[f"{i}-{title(c)}" for i, c in enumerate(CASES)])

# PyTorch draws these again whenever they are *not* singular, which its backward cannot follow.
OTHER_DRAWS = {"Wishart"}

MOMENTS = ["mean", "variance", "stddev", "mode"]


def outcome(function):
    """A function's result, or the class of what it raises."""
    try:
        return function()
    except (NotImplementedError, AttributeError, RuntimeError) as error:
        return type(error)


def same(mine, theirs, rtol=1e-7, atol=1e-9):
    """Equal results or exceptions of the same class."""
    if isinstance(theirs, type) or isinstance(mine, type):
        assert mine is theirs, f"{mine} is not {theirs}"
        return
    assert tuple(mine.shape) == tuple(theirs.shape)
    assert str(mine.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    if mine.dtype == kagari.float32:
        rtol, atol = 2e-5, 2e-6
    np.testing.assert_allclose(
        mine.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=atol, equal_nan=True
    )


def values(case):
    """Samples of PyTorch's distribution: values where both are asked."""
    torch.manual_seed(3)
    return build(torch, case).sample((5,))


def to_kagari(t):
    return kagari.tensor(t.tolist(), dtype=getattr(kagari, str(t.dtype).split(".")[1])).reshape(
        tuple(t.shape)
    )


@EACH
def test_shapes_and_repr(case):
    mine, theirs = build(kagari, case), build(torch, case)
    assert tuple(mine.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(mine.event_shape) == tuple(theirs.event_shape)
    assert mine.has_rsample == theirs.has_rsample
    assert mine.has_enumerate_support == theirs.has_enumerate_support
    assert repr(mine) == repr(theirs).replace("torch", "kagari")
    for name in ("is_discrete", "event_dim"):
        assert getattr(mine.support, name) == getattr(theirs.support, name)
    assert type(mine.support).__name__ == type(theirs.support).__name__


@EACH
@pytest.mark.parametrize("moment", MOMENTS)
def test_moments(case, moment):
    if case[0] == "Kumaraswamy" and moment == "mode":
        pytest.skip("PyTorch's is NaN everywhere; test_distributions.py compares with the density")
    mine, theirs = build(kagari, case), build(torch, case)
    same(outcome(lambda: getattr(mine, moment)), outcome(lambda: getattr(theirs, moment)))


@EACH
def test_entropy(case):
    mine, theirs = build(kagari, case), build(torch, case)
    same(outcome(mine.entropy), outcome(theirs.entropy))
    same(outcome(mine.perplexity), outcome(theirs.perplexity))


@EACH
def test_log_prob_and_cdf(case):
    mine, theirs, x = build(kagari, case), build(torch, case), values(case)
    same(mine.log_prob(to_kagari(x)), theirs.log_prob(x))
    same(outcome(lambda: mine.cdf(to_kagari(x))), outcome(lambda: theirs.cdf(x)))
    assert mine.support.check(to_kagari(x)).all()


@EACH
def test_icdf(case):
    mine, theirs = build(kagari, case), build(torch, case)
    p = torch.linspace(0.1, 0.9, 4, dtype=torch.float64).reshape(
        (4,) + (1,) * len(theirs.batch_shape)
    )
    same(outcome(lambda: mine.icdf(to_kagari(p))), outcome(lambda: theirs.icdf(p)))


@EACH
def test_enumerate_support(case):
    mine, theirs = build(kagari, case), build(torch, case)
    for expand in (True, False):
        same(
            outcome(lambda e=expand: mine.enumerate_support(e)),
            outcome(lambda e=expand: theirs.enumerate_support(e)),
        )


@EACH
def test_expand(case):
    mine, theirs = build(kagari, case), build(torch, case)
    batch = (2, 3, *theirs.batch_shape)
    mine, theirs = mine.expand(batch), theirs.expand(batch)
    assert tuple(mine.batch_shape) == batch
    torch.manual_seed(4)
    x = theirs.sample()
    same(mine.log_prob(to_kagari(x)), theirs.log_prob(x))
    same(outcome(lambda: mine.mean), outcome(lambda: theirs.mean))
    assert mine.sample((2,)).shape == theirs.sample((2,)).shape


@EACH
def test_samples(case):
    mine, theirs = build(kagari, case), build(torch, case)
    kagari.manual_seed(11)
    a = mine.sample((7,))
    torch.manual_seed(11)
    b = theirs.sample((7,))
    if case[0] in OTHER_DRAWS:
        assert tuple(a.shape) == tuple(b.shape)
    else:
        same(a, b)


@EACH
def test_gradients_of_log_prob(case):
    name, x = case[0], values(case)
    gradients = []
    for library, value in ((kagari, to_kagari(x)), (torch, x)):
        args = tensors(library, case, grad=True)
        d = getattr(library.distributions, name)(**args)
        leaves = [a for a in args.values() if isinstance(a, library.Tensor)]
        if not leaves:
            return
        total = d.log_prob(value).sum()
        if not total.requires_grad:
            gradients.append([])
            continue
        gradients.append(library.autograd.grad(total, leaves, allow_unused=True))
    for mine, theirs in zip(*gradients, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is None:
            continue
        if name == "Wishart":  # PyTorch also gives a slope to what cholesky_solve never reads
            mine, theirs = (g.tril() if g.dim() > 1 else g for g in (mine, theirs))
        same(mine, theirs, rtol=1e-6, atol=1e-8)


@EACH
def test_gradients_of_samples(case):
    name, gradients = case[0], []
    for library in (kagari, torch):
        args = tensors(library, case, grad=True)
        d = getattr(library.distributions, name)(**args)
        leaves = [a for a in args.values() if isinstance(a, library.Tensor)]
        if not d.has_rsample or not leaves or name in OTHER_DRAWS:
            return
        library.manual_seed(5)
        x = d.rsample((6,))
        weights = library.linspace(0.5, 2.0, x.numel(), dtype=x.dtype).reshape(x.shape)
        gradients.append(library.autograd.grad((x * weights).sum(), leaves, allow_unused=True))
    for mine, theirs in zip(*gradients, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            # PyTorch approximates the derivative of gamma draws to four digits.
            same(mine, theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("row", PAIRS, ids=[r[0][0] for r in PAIRS])
def test_kl(row):
    from torch.distributions.kl import kl_divergence as reference

    first, *others = row
    for other in (first, *others):
        mine = outcome(
            lambda o=other: kagari.distributions.kl_divergence(
                build(kagari, first), build(kagari, o)
            )
        )
        theirs = outcome(lambda o=other: reference(build(torch, first), build(torch, o)))
        same(mine, theirs)


def test_kl_pairs_are_all_there():
    from torch.distributions import kl as theirs

    from kagari.distributions import kl as mine

    def names(module):
        return {(p.__name__, q.__name__) for p, q in module._KL_REGISTRY}

    assert names(mine) >= names(theirs)


def test_names():
    assert set(kagari.distributions.__all__) == set(torch.distributions.__all__)
    for name in ("constraints", "transforms"):
        assert set(getattr(kagari.distributions, name).__all__) >= set(
            getattr(torch.distributions, name).__all__
        )


# ---- compound distributions ----------------------------------------------------------------------

COMPOUND = {
    "independent": lambda m, D: D.Independent(
        D.Normal(m.zeros(2, 3).double(), m.ones(3).double()), 1
    ),
    "mixture": lambda m, D: D.MixtureSameFamily(
        D.Categorical(m.tensor([0.3, 0.7]).double()),
        D.Normal(m.tensor([-1.0, 2.0]).double(), m.tensor([0.5, 1.0]).double()),
    ),
    "mixture of vectors": lambda m, D: D.MixtureSameFamily(
        D.Categorical(m.ones(2, 4).double()),
        D.Independent(D.Gamma(m.ones(2, 4, 3).double(), 2 * m.ones(3).double()), 1),
    ),
    "transformed": lambda m, D: D.TransformedDistribution(
        D.Normal(m.zeros(2).double(), m.ones(2).double()),
        [D.AffineTransform(1.0, -2.0), D.SigmoidTransform()],
    ),
    "transformed vector": lambda m, D: D.TransformedDistribution(
        D.Normal(m.zeros(4, 2).double(), m.ones(2).double()), D.StickBreakingTransform()
    ),
    "reshaped": lambda m, D: D.TransformedDistribution(
        D.Normal(m.zeros(3, 4).double(), m.ones(4).double()), D.ReshapeTransform((4,), (2, 2))
    ),
    "identity": lambda m, D: D.TransformedDistribution(
        D.Exponential(m.tensor([1.0, 2.0]).double()), []
    ),
}


@pytest.mark.parametrize("name", COMPOUND)
def test_compound(name):
    mine = COMPOUND[name](kagari, kagari.distributions)
    theirs = COMPOUND[name](torch, torch.distributions)
    assert tuple(mine.batch_shape) == tuple(theirs.batch_shape)
    assert tuple(mine.event_shape) == tuple(theirs.event_shape)
    kagari.manual_seed(2)
    a = mine.sample((3,))
    torch.manual_seed(2)
    b = theirs.sample((3,))
    same(a, b)
    same(mine.log_prob(a), theirs.log_prob(b))
    for moment in ("mean", "variance"):
        same(
            outcome(lambda m=moment: getattr(mine, m)), outcome(lambda m=moment: getattr(theirs, m))
        )
    same(outcome(lambda: mine.cdf(a)), outcome(lambda: theirs.cdf(b)))
    batch = (5, *theirs.batch_shape)
    mine, theirs = mine.expand(batch), theirs.expand(batch)
    same(mine.log_prob(a.unsqueeze(1)), theirs.log_prob(b.unsqueeze(1)))


# ---- transforms ----------------------------------------------------------------------------------

TRANSFORMS = {
    "abs": (lambda m, D: D.AbsTransform(), (3,)),
    "affine": (lambda m, D: D.AffineTransform(0.5, m.tensor([-2.0, 3.0]).double()), (3, 2)),
    "affine event": (lambda m, D: D.AffineTransform(0.5, -2.0, event_dim=1), (3, 2)),
    "cat": (
        lambda m, D: D.CatTransform([D.ExpTransform(), D.SigmoidTransform()], -1, [2, 1]),
        (4, 3),
    ),
    "compose": (
        lambda m, D: D.ComposeTransform([D.AffineTransform(0.0, 2.0), D.StickBreakingTransform()]),
        (3, 4),
    ),
    "corr": (lambda m, D: D.CorrCholeskyTransform(), (2, 6)),
    "cumulative": (
        lambda m, D: D.CumulativeDistributionTransform(D.Normal(m.zeros(3).double(), 1.0)),
        (2, 3),
    ),
    "exp": (lambda m, D: D.ExpTransform(), (3,)),
    "independent": (lambda m, D: D.IndependentTransform(D.ExpTransform(), 1), (2, 3)),
    "lower cholesky": (lambda m, D: D.LowerCholeskyTransform(), (2, 3, 3)),
    "positive definite": (lambda m, D: D.PositiveDefiniteTransform(), (2, 3, 3)),
    "reshape": (lambda m, D: D.ReshapeTransform((4,), (2, 2)), (3, 4)),
    "sigmoid": (lambda m, D: D.SigmoidTransform(), (3,)),
    "softmax": (lambda m, D: D.SoftmaxTransform(), (2, 3)),
    "softplus": (lambda m, D: D.SoftplusTransform(), (3,)),
    "stack": (lambda m, D: D.StackTransform([D.ExpTransform(), D.TanhTransform()], 0), (2, 3)),
    "stick": (lambda m, D: D.StickBreakingTransform(), (2, 3)),
    "tanh": (lambda m, D: D.TanhTransform(), (3,)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    make, shape = TRANSFORMS[name]
    x = np.random.default_rng(1).standard_normal(shape)
    mine, theirs = make(kagari, kagari.distributions), make(torch, torch.distributions)
    a, b = kagari.tensor(x), torch.tensor(x)
    y, z = mine(a), theirs(b)
    same(y, z)
    same(mine.inv(y), theirs.inv(z), rtol=1e-6)
    same(
        outcome(lambda: mine.log_abs_det_jacobian(a, y)),
        outcome(lambda: theirs.log_abs_det_jacobian(b, z)),
    )
    assert tuple(mine.forward_shape(a.shape)) == tuple(theirs.forward_shape(b.shape))
    assert mine.bijective == theirs.bijective
    assert mine.domain.event_dim == theirs.domain.event_dim
    assert mine.codomain.event_dim == theirs.codomain.event_dim
    assert mine.inv.inv is mine
    assert repr(mine.inv) == repr(theirs.inv).replace("torch", "kagari")
    cached = mine.with_cache(1)
    y = cached(a)
    assert cached.inv(y) is a or isinstance(cached, kagari.distributions.ComposeTransform)


CONSTRAINTS = {
    "real": lambda m, c: c.real,
    "positive": lambda m, c: c.positive,
    "less than": lambda m, c: c.less_than(2.0),
    "interval": lambda m, c: c.interval(-1.0, 3.0),
    "unit": lambda m, c: c.unit_interval,
    "half open": lambda m, c: c.half_open_interval(0.0, 2.0),
    "simplex": lambda m, c: c.simplex,
    "lower cholesky": lambda m, c: c.lower_cholesky,
    "positive definite": lambda m, c: c.positive_definite,
    "real vector": lambda m, c: c.real_vector,
    "cat": lambda m, c: c.cat([c.positive, c.real], -1, [1, 2]),
    "stack": lambda m, c: c.stack([c.positive, c.unit_interval, c.real], -1),
}


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_registries(name, registry):
    x = np.random.default_rng(2).standard_normal((3, 3))
    results = []
    for library in (kagari, torch):
        D = library.distributions
        constraint = CONSTRAINTS[name](library, D.constraints)
        result = outcome(lambda D=D, c=constraint, m=library: getattr(D, registry)(c)(m.tensor(x)))
        results.append(result)
        if not isinstance(result, type):
            assert constraint.check(result).all()
    same(*results)


# ---- errors --------------------------------------------------------------------------------------

ERRORS = {
    "scale": lambda m, D: D.Normal(m.zeros(2), m.tensor([1.0, -1.0])),
    "simplex": lambda m, D: D.Categorical(m.tensor([0.3, -0.1])),
    "both": lambda m, D: D.Bernoulli(probs=m.tensor(0.5), logits=m.tensor(0.5)),
    "neither": lambda m, D: D.Geometric(),
    "support": lambda m, D: D.Exponential(m.ones(2)).log_prob(m.tensor([1.0, -1.0])),
    "event": lambda m, D: D.Dirichlet(m.ones(3)).log_prob(m.ones(2) / 2),
    "broadcast": lambda m, D: D.Normal(m.zeros(2), 1.0).log_prob(m.zeros(3)),
    "no tensor": lambda m, D: D.Normal(m.zeros(2), 1.0).log_prob(0.0),
    "uniform": lambda m, D: (
        D.Uniform(1.0, 0.0, validate_args=False)._validate_sample(0) or D.Uniform(1.0, 0.0)
    ),
    "geometric": lambda m, D: D.Geometric(m.tensor([0.0, 0.5])),
    "matrices": lambda m, D: D.MultivariateNormal(m.zeros(2)),
    "wishart": lambda m, D: D.Wishart(m.tensor(0.5), m.eye(3)),
    "lkj": lambda m, D: D.LKJCholesky(1),
    "independent": lambda m, D: D.Independent(D.Normal(m.zeros(2), 1.0), 2),
    "mixture": lambda m, D: D.MixtureSameFamily(
        D.Categorical(m.ones(3)), D.Normal(m.zeros(2), 1.0)
    ),
    "transform": lambda m, D: D.TransformedDistribution(D.Normal(0.0, 1.0), "exp"),
    "dimension": lambda m, D: D.Categorical(m.tensor(1.0)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    with pytest.raises(ValueError) as theirs:
        ERRORS[name](torch, torch.distributions)
    with pytest.raises(ValueError) as mine:
        ERRORS[name](kagari, kagari.distributions)
    text = str(theirs.value).replace("torch.Size", "kagari.Size")
    assert str(mine.value) == text
