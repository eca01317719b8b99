"""Probability distributions: sampling, densities, moments, divergences, transforms."""

from __future__ import annotations

from kagari.distributions import constraints, transforms
from kagari.distributions.bernoulli import Bernoulli
from kagari.distributions.beta import Beta
from kagari.distributions.binomial import Binomial
from kagari.distributions.categorical import Categorical
from kagari.distributions.cauchy import Cauchy
from kagari.distributions.chi2 import Chi2
from kagari.distributions.constraint_registry import biject_to, transform_to
from kagari.distributions.continuous_bernoulli import ContinuousBernoulli
from kagari.distributions.dirichlet import Dirichlet
from kagari.distributions.distribution import Distribution
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.exponential import Exponential
from kagari.distributions.fishersnedecor import FisherSnedecor
from kagari.distributions.gamma import Gamma
from kagari.distributions.generalized_pareto import GeneralizedPareto
from kagari.distributions.geometric import Geometric
from kagari.distributions.gumbel import Gumbel
from kagari.distributions.half_cauchy import HalfCauchy
from kagari.distributions.half_normal import HalfNormal
from kagari.distributions.independent import Independent
from kagari.distributions.inverse_gamma import InverseGamma
from kagari.distributions.kl import kl_divergence, register_kl
from kagari.distributions.kumaraswamy import Kumaraswamy
from kagari.distributions.laplace import Laplace
from kagari.distributions.lkj_cholesky import LKJCholesky
from kagari.distributions.log_normal import LogNormal
from kagari.distributions.logistic_normal import LogisticNormal
from kagari.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from kagari.distributions.mixture_same_family import MixtureSameFamily
from kagari.distributions.multinomial import Multinomial
from kagari.distributions.multivariate_normal import MultivariateNormal
from kagari.distributions.negative_binomial import NegativeBinomial
from kagari.distributions.normal import Normal
from kagari.distributions.one_hot_categorical import (
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from kagari.distributions.pareto import Pareto
from kagari.distributions.poisson import Poisson
from kagari.distributions.relaxed_bernoulli import RelaxedBernoulli
from kagari.distributions.relaxed_categorical import RelaxedOneHotCategorical
from kagari.distributions.studentT import StudentT
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import *  # noqa: F403
from kagari.distributions.uniform import Uniform
from kagari.distributions.von_mises import VonMises
from kagari.distributions.weibull import Weibull
from kagari.distributions.wishart import Wishart

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "StudentT",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "kl_divergence",
    "register_kl",
    "transform_to",
]
__all__ += transforms.__all__
