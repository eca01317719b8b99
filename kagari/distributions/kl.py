"""Kullback-Leibler divergences in closed form, found by the types of the two distributions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import total_ordering
from typing import TYPE_CHECKING, Any, TypeVar

import kagari
from kagari.distributions.bernoulli import Bernoulli
from kagari.distributions.beta import Beta
from kagari.distributions.binomial import Binomial
from kagari.distributions.categorical import Categorical
from kagari.distributions.cauchy import Cauchy
from kagari.distributions.continuous_bernoulli import ContinuousBernoulli
from kagari.distributions.dirichlet import Dirichlet
from kagari.distributions.distribution import Distribution
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.exponential import Exponential
from kagari.distributions.gamma import Gamma
from kagari.distributions.geometric import Geometric
from kagari.distributions.gumbel import Gumbel
from kagari.distributions.half_normal import HalfNormal
from kagari.distributions.independent import Independent
from kagari.distributions.laplace import Laplace
from kagari.distributions.lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    _lowrank_logdet,
    _lowrank_mahalanobis,
)
from kagari.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis
from kagari.distributions.normal import Normal
from kagari.distributions.one_hot_categorical import OneHotCategorical
from kagari.distributions.pareto import Pareto
from kagari.distributions.poisson import Poisson
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.uniform import Uniform
from kagari.distributions.utils import _sum_rightmost
from kagari.distributions.utils import euler_constant as _euler_gamma

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["kl_divergence", "register_kl"]

F = TypeVar("F", bound=Callable[..., Any])

_KL_REGISTRY: dict[tuple[type, type], Callable[..., Any]] = {}
_KL_MEMOIZE: dict[tuple[type, type], Callable[..., Any]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[F], F]:
    """Registers a formula for the divergence of two classes of distributions.

    The most specific registered pair of base classes is used; where two are equally near, the
    first argument decides and a warning says so.

    Args:
        type_p (type): a subclass of Distribution, of p.
        type_q (type): a subclass of Distribution, of q.

    Returns:
        A decorator for the function of p and q.

    Raises:
        TypeError: not subclasses of Distribution.

    Example:
        >>> from kagari.distributions import Normal
        >>> class Mine(Normal):
        ...     pass
        >>> @register_kl(Mine, Mine)
        ... def _kl_mine(p, q):
        ...     return 0
    """
    if not (isinstance(type_p, type) and issubclass(type_p, Distribution)):
        raise TypeError(f"Expected type_p to be a Distribution subclass but got {type_p}")
    if not (isinstance(type_q, type) and issubclass(type_q, Distribution)):
        raise TypeError(f"Expected type_q to be a Distribution subclass but got {type_q}")

    def decorator(fun: F) -> F:
        _KL_REGISTRY[type_p, type_q] = fun
        _KL_MEMOIZE.clear()
        return fun

    return decorator


@total_ordering
class _Match:
    """Types compared by inheritance, the first one first: a subclass comes before its bases."""

    def __init__(self, *types: type) -> None:
        self.types = types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Match) and self.types == other.types

    __hash__ = object.__hash__

    def __le__(self, other: _Match) -> bool:
        for mine, its in zip(self.types, other.types, strict=True):
            if not issubclass(mine, its):
                return False
            if mine is not its:
                break
        return True


def _dispatch_kl(type_p: type, type_q: type) -> Callable[..., Any]:
    """The most specific registered formula, or NotImplemented."""
    matches = [(p, q) for p, q in _KL_REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not matches:
        return NotImplemented
    by_p = min(_Match(*m) for m in matches).types
    by_q = min(_Match(*reversed(m)) for m in matches).types
    left = _KL_REGISTRY[by_p[0], by_p[1]]
    right = _KL_REGISTRY[by_q[1], by_q[0]]
    if left is not right:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({by_p[0].__name__}, {by_q[0].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return left


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    r"""How much longer codes for samples of p get when they are made for q.

    .. math:: KL(p ‖ q) = \int p(x) \log \frac{p(x)}{q(x)} dx

    Args:
        p (Distribution): where samples come from.
        q (Distribution): what they are compared with.

    Returns:
        The divergence in nats for each place of the batch.

    Raises:
        NotImplementedError: no formula is registered for the two.

    Example:
        >>> import kagari
        >>> from kagari.distributions import Normal, kl_divergence
        >>> kl_divergence(Normal(kagari.ones(1), 1.0), Normal(kagari.zeros(1), 1.0))
        tensor([0.5000])

    Reference: https://en.wikipedia.org/wiki/Kullback%E2%80%93Leibler_divergence
    """
    try:
        fun = _KL_MEMOIZE[type(p), type(q)]
    except KeyError:
        fun = _dispatch_kl(type(p), type(q))
        _KL_MEMOIZE[type(p), type(q)] = fun
    if fun is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    result: Tensor = fun(p, q)
    return result


def _infinite_like(tensor: Tensor) -> Tensor:
    return kagari.full_like(tensor, kagari.inf)


def _x_log_x(tensor: Tensor) -> Tensor:
    return kagari.special.xlogy(tensor, tensor)


def _trace_xxt(matrix: Tensor) -> Tensor:
    """The trace of M Mᵀ: the sum of the squares."""
    return matrix.pow(2).flatten(-2).sum(-1)


def _solve_lower(L: Tensor, B: Tensor) -> Tensor:
    return kagari.linalg.solve_triangular(L, B, upper=False)


# ---- both of one family --------------------------------------------------------------------------


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(p: Any, q: Any) -> Any:
    failure = kagari.nn.functional.softplus
    t1 = p.probs * (failure(-q.logits) - failure(-p.logits))
    t1 = t1.masked_fill(q.probs == 0, kagari.inf).masked_fill(p.probs == 0, 0)
    t2 = (1 - p.probs) * (failure(q.logits) - failure(p.logits))
    t2 = t2.masked_fill(q.probs == 1, kagari.inf).masked_fill(p.probs == 1, 0)
    return t1 + t2


@register_kl(Beta, Beta)
def _kl_beta_beta(p: Any, q: Any) -> Any:
    sum_p = p.concentration1 + p.concentration0
    sum_q = q.concentration1 + q.concentration0
    log_beta_q = q.concentration1.lgamma() + q.concentration0.lgamma() + sum_p.lgamma()
    log_beta_p = p.concentration1.lgamma() + p.concentration0.lgamma() + sum_q.lgamma()
    t1 = (p.concentration1 - q.concentration1) * p.concentration1.digamma()
    t2 = (p.concentration0 - q.concentration0) * p.concentration0.digamma()
    return log_beta_q - log_beta_p + t1 + t2 + (sum_q - sum_p) * sum_p.digamma()


@register_kl(Binomial, Binomial)
def _kl_binomial_binomial(p: Any, q: Any) -> Any:
    # From binomials of different counts there is no closed form, and from a larger p the
    # divergence is infinite: q never gives its largest counts.
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    larger = p.total_count > q.total_count
    kl[larger] = _infinite_like(kl[larger])
    return kl


@register_kl(Categorical, Categorical)
def _kl_categorical_categorical(p: Any, q: Any) -> Any:
    t = p.probs * (p.logits - q.logits)
    t = kagari.where((q.probs == 0).expand_as(t), kagari.inf, t)
    t = kagari.where((p.probs == 0).expand_as(t), 0, t)
    return t.sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_onehot_onehot(p: Any, q: Any) -> Any:
    return _kl_categorical_categorical(p._categorical, q._categorical)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy_cauchy(p: Any, q: Any) -> Any:
    # Chyzak and Nielsen, https://arxiv.org/abs/1905.10965
    t1 = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    t2 = (4 * p.scale * q.scale).log()
    return t1 - t2


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _kl_continuous_bernoulli_continuous_bernoulli(p: Any, q: Any) -> Any:
    t1 = p.mean * (p.logits - q.logits)
    t2 = p._cont_bern_log_norm() + (-p.probs).log1p()
    t3 = -q._cont_bern_log_norm() - (-q.probs).log1p()
    return t1 + t2 + t3


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet_dirichlet(p: Any, q: Any) -> Any:
    sum_p = p.concentration.sum(-1)
    t1 = sum_p.lgamma() - q.concentration.sum(-1).lgamma()
    t2 = (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    t3 = p.concentration - q.concentration
    t4 = p.concentration.digamma() - sum_p.digamma().unsqueeze(-1)
    return t1 - t2 + (t3 * t4).sum(-1)


@register_kl(Exponential, Exponential)
def _kl_exponential_exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_expfamily_expfamily(p: Any, q: Any) -> Any:
    # The Bregman divergence of the log normaliser between the natural parameters.
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot "
            "be computed using Bregman divergences"
        )
    p_params = [t.detach().requires_grad_() for t in p._natural_params]
    q_params = q._natural_params
    norm = p._log_normalizer(*p_params)
    gradients = kagari.autograd.grad(norm.sum(), p_params, create_graph=True)
    result = q._log_normalizer(*q_params) - norm
    for mine, its, gradient in zip(p_params, q_params, gradients, strict=True):
        term = (its - mine) * gradient
        result = result - _sum_rightmost(term, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _kl_gamma_gamma(p: Any, q: Any) -> Any:
    t1 = q.concentration * (p.rate / q.rate).log()
    t2 = q.concentration.lgamma() - p.concentration.lgamma()
    t3 = (p.concentration - q.concentration) * p.concentration.digamma()
    t4 = (q.rate - p.rate) * (p.concentration / p.rate)
    return t1 + t2 + t3 + t4


@register_kl(Gumbel, Gumbel)
def _kl_gumbel_gumbel(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    shift = (q.loc - p.loc) / q.scale
    moment = (shift + (1 + ratio).lgamma()).exp()
    return -ratio.log() - shift + ratio * _euler_gamma + moment - (1 + _euler_gamma)


@register_kl(Geometric, Geometric)
def _kl_geometric_geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _kl_halfnormal_halfnormal(p: Any, q: Any) -> Any:
    return _kl_normal_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _kl_laplace_laplace(p: Any, q: Any) -> Any:
    # Gil, Alajaji and Linder, Rényi divergence measures for continuous distributions, 2013
    ratio = p.scale / q.scale
    distance = (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _kl_normal_normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    shift = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + shift - 1 - ratio.log())


def _scales(p: Any, q: Any) -> tuple[Any, Any]:
    """The Cholesky factors of both, as batches of one shape."""
    n = p.event_shape[0]
    batch = kagari.broadcast_shapes(
        q._unbroadcasted_scale_tril.shape[:-2], p._unbroadcasted_scale_tril.shape[:-2]
    )
    return (
        p._unbroadcasted_scale_tril.expand((*batch, n, n)),
        q._unbroadcasted_scale_tril.expand((*batch, n, n)),
    )


def _half_log_det(L: Any) -> Any:
    return L.diagonal(dim1=-2, dim2=-1).log().sum(-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def _kl_multivariatenormal_multivariatenormal(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes "
            "cannot be computed"
        )
    log_dets = _half_log_det(q._unbroadcasted_scale_tril) - _half_log_det(
        p._unbroadcasted_scale_tril
    )
    P, Q = _scales(p, q)
    trace = _trace_xxt(_solve_lower(Q, P))
    shift = _batch_mahalanobis(q._unbroadcasted_scale_tril, q.loc - p.loc)
    return log_dets + 0.5 * (trace + shift - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _kl_lowrank_lowrank(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Low Rank Multivariate Normals with different event shapes "
            "cannot be computed"
        )
    log_dets = _lowrank_logdet(q._unbroadcasted_cov_diag, q._capacitance_tril) - _lowrank_logdet(
        p._unbroadcasted_cov_diag, p._capacitance_tril
    )
    shift = _lowrank_mahalanobis(
        q._unbroadcasted_cov_factor,
        q._unbroadcasted_cov_diag,
        q.loc - p.loc,
        q._capacitance_tril,
    )
    # tr(Σq⁻¹ Σp) with Σq⁻¹ = Dq⁻¹ - Aᵀ A: four traces, none of an n × n matrix
    scaled = q._unbroadcasted_cov_factor.mT / q._unbroadcasted_cov_diag.unsqueeze(-2)
    A = _solve_lower(q._capacitance_tril, scaled)
    t1 = (p._unbroadcasted_cov_diag / q._unbroadcasted_cov_diag).sum(-1)
    t2 = _trace_xxt(p._unbroadcasted_cov_factor * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1))
    t3 = _trace_xxt(A * p._unbroadcasted_cov_diag.sqrt().unsqueeze(-2))
    t4 = _trace_xxt(A @ p._unbroadcasted_cov_factor)
    return 0.5 * (log_dets + t1 + t2 - t3 - t4 + shift - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _kl_multivariatenormal_lowrank(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes "
            "cannot be computed"
        )
    log_dets = _lowrank_logdet(q._unbroadcasted_cov_diag, q._capacitance_tril) - 2 * _half_log_det(
        p._unbroadcasted_scale_tril
    )
    shift = _lowrank_mahalanobis(
        q._unbroadcasted_cov_factor,
        q._unbroadcasted_cov_diag,
        q.loc - p.loc,
        q._capacitance_tril,
    )
    scaled = q._unbroadcasted_cov_factor.mT / q._unbroadcasted_cov_diag.unsqueeze(-2)
    A = _solve_lower(q._capacitance_tril, scaled)
    t1 = _trace_xxt(p._unbroadcasted_scale_tril * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1))
    t2 = _trace_xxt(A @ p._unbroadcasted_scale_tril)
    return 0.5 * (log_dets + t1 - t2 + shift - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _kl_lowrank_multivariatenormal(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes "
            "cannot be computed"
        )
    log_dets = 2 * _half_log_det(q._unbroadcasted_scale_tril) - _lowrank_logdet(
        p._unbroadcasted_cov_diag, p._capacitance_tril
    )
    shift = _batch_mahalanobis(q._unbroadcasted_scale_tril, q.loc - p.loc)
    n, rank = p.event_shape[0], p._unbroadcasted_cov_factor.size(-1)
    batch = kagari.broadcast_shapes(
        p._unbroadcasted_cov_factor.shape[:-2], q._unbroadcasted_scale_tril.shape[:-2]
    )
    factor = p._unbroadcasted_cov_factor.expand((*batch, n, rank))
    diagonal = p._unbroadcasted_cov_diag.sqrt().diag_embed().expand((*batch, n, n))
    Q = q._unbroadcasted_scale_tril.expand((*batch, n, n))
    trace = _trace_xxt(_solve_lower(Q, factor)) + _trace_xxt(_solve_lower(Q, diagonal))
    return 0.5 * (log_dets + trace + shift - n)


@register_kl(Pareto, Pareto)
def _kl_pareto_pareto(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    alphas = q.alpha / p.alpha
    result = q.alpha * ratio.log() - alphas.log() + alphas - 1
    return kagari.where(p.support.lower_bound < q.support.lower_bound, kagari.inf, result)


@register_kl(Poisson, Poisson)
def _kl_poisson_poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed_transformed(p: Any, q: Any) -> Any:
    # The same bijection on both sides changes nothing.
    if p.transforms != q.transforms:
        raise NotImplementedError
    if p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _kl_uniform_uniform(p: Any, q: Any) -> Any:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return kagari.where((q.low > p.low) | (q.high < p.high), kagari.inf, result)


@register_kl(Independent, Independent)
def _kl_independent_independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


# ---- different families --------------------------------------------------------------------------


@register_kl(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _kl_beta_continuous_bernoulli(p: Any, q: Any) -> Any:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()


@register_kl(Beta, Exponential)
def _kl_beta_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Gamma)
def _kl_beta_gamma(p: Any, q: Any) -> Any:
    log_mean = p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    return (
        -p.entropy()
        + q.concentration.lgamma()
        - q.concentration * q.rate.log()
        - (q.concentration - 1) * log_mean
        + q.rate * p.mean
    )


def _cross_normal(p: Any, q: Any) -> Any:
    """The expected value of -log q for a normal q, from the moments of p."""
    shift = (p.mean - q.loc).pow(2) + p.variance
    return 0.5 * (2 * math.pi * q.scale.pow(2)).log() + 0.5 * shift / q.scale.pow(2)


@register_kl(Beta, Normal)
def _kl_beta_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(Beta, Uniform)
def _kl_beta_uniform(p: Any, q: Any) -> Any:
    result = -p.entropy() + (q.high - q.low).log()
    outside = (q.low > p.support.lower_bound) | (q.high < p.support.upper_bound)
    return kagari.where(outside, kagari.inf, result)


@register_kl(ContinuousBernoulli, Exponential)
def _kl_continuous_bernoulli_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(ContinuousBernoulli, Normal)
def _kl_continuous_bernoulli_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(ContinuousBernoulli, Uniform)
def _kl_continuous_bernoulli_uniform(p: Any, q: Any) -> Any:
    result = -p.entropy() + (q.high - q.low).log()
    outside = kagari.max(
        kagari.ge(q.low, p.support.lower_bound), kagari.le(q.high, p.support.upper_bound)
    )
    return kagari.where(outside, kagari.full_like(result, kagari.inf), result)


@register_kl(Exponential, Gamma)
def _kl_exponential_gamma(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    t1 = -q.concentration * ratio.log()
    return (
        t1 + ratio + q.concentration.lgamma() + q.concentration * _euler_gamma - (1 + _euler_gamma)
    )


@register_kl(Exponential, Gumbel)
def _kl_exponential_gumbel(p: Any, q: Any) -> Any:
    rate_scale = p.rate * q.scale
    loc_scale = q.loc / q.scale
    t1 = rate_scale.log() - 1
    t2 = loc_scale.exp() * rate_scale / (rate_scale + 1)
    return t1 - loc_scale + t2 + rate_scale.reciprocal()


@register_kl(Exponential, Normal)
def _kl_exponential_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(Gamma, Exponential)
def _kl_gamma_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.concentration / p.rate


@register_kl(Gamma, Gumbel)
def _kl_gamma_gumbel(p: Any, q: Any) -> Any:
    beta_scale = p.rate * q.scale
    loc_scale = q.loc / q.scale
    a = p.concentration
    t1 = (a - 1) * a.digamma() - a.lgamma() - a
    t2 = beta_scale.log() + a / beta_scale
    t3 = loc_scale.exp() * (1 + beta_scale.reciprocal()).pow(-a) - loc_scale
    return t1 + t2 + t3


@register_kl(Gamma, Normal)
def _kl_gamma_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(Gumbel, Normal)
def _kl_gumbel_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(Laplace, Normal)
def _kl_laplace_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(Normal, Gumbel)
def _kl_normal_gumbel(p: Any, q: Any) -> Any:
    mean, width = p.loc / q.scale, (p.scale / q.scale).pow(2)
    loc = q.loc / q.scale
    t1 = mean - loc
    t2 = (-mean + 0.5 * width + loc).exp()
    return -p.entropy() + t1 + t2 + q.scale.log()


@register_kl(Normal, Laplace)
def _kl_normal_laplace(p: Any, q: Any) -> Any:
    difference = p.loc - q.loc
    z = difference / p.scale
    t1 = (2 * q.scale / p.scale).log() - 0.5 * math.log(2 * math.pi)
    t2 = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp()
    t3 = difference * kagari.erf(math.sqrt(0.5) * z)
    return t1 + (t2 + t3) / q.scale - 0.5


@register_kl(Pareto, Exponential)
def _kl_pareto_exponential(p: Any, q: Any) -> Any:
    scale_rate = p.scale * q.rate
    result = (
        (p.alpha / scale_rate).log()
        - p.alpha.reciprocal()
        + p.alpha * scale_rate / (p.alpha - 1)
        - 1
    )
    return kagari.where(p.alpha <= 1, kagari.inf, result)


@register_kl(Pareto, Gamma)
def _kl_pareto_gamma(p: Any, q: Any) -> Any:
    common = p.scale.log() + p.alpha.reciprocal()
    result = (
        p.alpha.log()
        - common
        + q.concentration.lgamma()
        - q.concentration * q.rate.log()
        + (1 - q.concentration) * common
        + q.rate * p.alpha * p.scale / (p.alpha - 1)
        - 1
    )
    return kagari.where(p.alpha <= 1, kagari.inf, result)


@register_kl(Pareto, Normal)
def _kl_pareto_normal(p: Any, q: Any) -> Any:
    return kagari.where(p.alpha <= 2, kagari.inf, -p.entropy() + _cross_normal(p, q))


@register_kl(Poisson, Binomial)
def _kl_poisson_binomial(p: Any, q: Any) -> Any:
    return _infinite_like(p.rate)


@register_kl(Poisson, Bernoulli)
def _kl_poisson_bernoulli(p: Any, q: Any) -> Any:
    return _infinite_like(p.rate)


@register_kl(Uniform, Beta)
def _kl_uniform_beta(p: Any, q: Any) -> Any:
    width = p.high - p.low
    t1 = width.log()
    t2 = (q.concentration1 - 1) * (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    t3 = (q.concentration0 - 1) * (_x_log_x(1 - p.high) - _x_log_x(1 - p.low) + width) / width
    t4 = q.concentration1.lgamma() + q.concentration0.lgamma()
    t5 = (q.concentration1 + q.concentration0).lgamma()
    outside = (p.high > q.support.upper_bound) | (p.low < q.support.lower_bound)
    return kagari.where(outside, kagari.inf, t3 + t4 - t1 - t2 - t5)


@register_kl(Uniform, ContinuousBernoulli)
def _kl_uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    result = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()
    outside = kagari.max(
        kagari.ge(p.high, q.support.upper_bound), kagari.le(p.low, q.support.lower_bound)
    )
    return kagari.where(outside, kagari.full_like(result, kagari.inf), result)


@register_kl(Uniform, Exponential)
def _kl_uniform_exponential(p: Any, q: Any) -> Any:
    result = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return kagari.where(p.low < q.support.lower_bound, kagari.inf, result)


@register_kl(Uniform, Gamma)
def _kl_uniform_gamma(p: Any, q: Any) -> Any:
    width = p.high - p.low
    t1 = width.log()
    t2 = q.concentration.lgamma() - q.concentration * q.rate.log()
    t3 = (1 - q.concentration) * (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    t4 = q.rate * (p.high + p.low) / 2
    return kagari.where(p.low < q.support.lower_bound, kagari.inf, -t1 + t2 + t3 + t4)


@register_kl(Uniform, Gumbel)
def _kl_uniform_gumbel(p: Any, q: Any) -> Any:
    width = q.scale / (p.high - p.low)
    high = (p.high - q.loc) / q.scale
    low = (p.low - q.loc) / q.scale
    return width.log() + 0.5 * (high + low) - width * ((-high).exp() - (-low).exp())


@register_kl(Uniform, Normal)
def _kl_uniform_normal(p: Any, q: Any) -> Any:
    return -p.entropy() + _cross_normal(p, q)


@register_kl(Uniform, Pareto)
def _kl_uniform_pareto(p: Any, q: Any) -> Any:
    width = p.high - p.low
    mean_log = (_x_log_x(p.high) - _x_log_x(p.low) - width) / width
    result = (q.alpha + 1) * mean_log - (q.alpha * q.scale.pow(q.alpha) * width).log()
    return kagari.where(p.low < q.support.lower_bound, kagari.inf, result)


def _register_infinite(pairs: dict[type, tuple[type, ...]]) -> None:
    """Pairs where p gives values that q never does."""
    for p, others in pairs.items():
        for q in others:
            register_kl(p, q)(_kl_outside)


def _kl_outside(p: Any, q: Any) -> Any:
    return _infinite_like(_first_parameter(p))


def _first_parameter(p: Any) -> Any:
    for name in ("concentration1", "rate", "concentration", "loc", "scale", "low", "probs"):
        if hasattr(p, name):
            return getattr(p, name)
    raise AssertionError(f"kl_divergence: {type(p).__name__} has no parameter")


_register_infinite(
    {
        Beta: (Pareto,),
        ContinuousBernoulli: (Pareto,),
        Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
        Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
        Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
        Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
        Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
        Pareto: (Beta, ContinuousBernoulli, Uniform),
    }
)
