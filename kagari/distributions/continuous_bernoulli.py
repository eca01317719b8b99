"""The continuous Bernoulli distribution: pixel values between black and white."""

from __future__ import annotations

import math
from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.utils import ProbsOrLogits, Shape, broadcast_all, clamp_probs
from kagari.nn.functional import binary_cross_entropy_with_logits

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    r"""Numbers between 0 and 1 whose density has the form of Bernoulli's probabilities.

    .. math:: p(x) = C(λ) λ^x (1 - λ)^{1 - x}, \quad
              C(λ) = \frac{2 \operatorname{artanh}(1 - 2λ)}{1 - 2λ}, \quad C(½) = 2

    Near λ = ½ the formulas divide zero by zero; Taylor series take over inside ``lims``.

    Args:
        probs (Tensor or float): λ.
        logits (Tensor or float): :math:`\log λ - \log(1 - λ)`; instead of ``probs``.
        lims (pair of floats): where the series are used.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``.

    Example:
        >>> import kagari
        >>> kagari.distributions.ContinuousBernoulli(kagari.tensor([0.5])).mean
        tensor([0.5000])

    Reference: Loaiza-Ganem and Cunningham, The continuous Bernoulli, https://arxiv.org/abs/1907.06845
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        given = self._take(probs, logits)
        (param,) = broadcast_all(given)
        if probs is not None:
            # checked before it is clamped into the open interval
            check = self._validate_args if validate_args is None else validate_args
            if check and not constraints.unit_interval.check(param).all():
                raise ValueError("The parameter probs has invalid values")
            param = clamp_probs(param)
        self._set(probs, param)
        self._lims = lims
        shape = () if isinstance(given, Number) else param.size()
        super().__init__(shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expand_parameters(ContinuousBernoulli, batch_shape, _instance)
        new._lims = self._lims
        return new

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    def _outside_unstable_region(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self) -> Tensor:
        """λ with a harmless value where the series are used, so that no NaN enters gradients."""
        outside = self._outside_unstable_region()
        return kagari.where(outside, self.probs, self._lims[0] * kagari.ones_like(self.probs))

    def _cont_bern_log_norm(self) -> Tensor:
        """log C(λ)."""
        cut = self._cut_probs()
        below = kagari.where(cut <= 0.5, cut, kagari.zeros_like(cut))
        above = kagari.where(cut >= 0.5, cut, kagari.ones_like(cut))
        log_norm = ((-cut).log1p() - cut.log()).abs().log() - kagari.where(
            cut <= 0.5, (-2.0 * below).log1p(), (2.0 * above - 1.0).log()
        )
        x = (self.probs - 0.5).pow(2)
        taylor = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return kagari.where(self._outside_unstable_region(), log_norm, taylor)

    @property
    def mean(self) -> Tensor:
        cut = self._cut_probs()
        mean = cut / (2.0 * cut - 1.0) + 1.0 / ((-cut).log1p() - cut.log())
        x = self.probs - 0.5
        taylor = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return kagari.where(self._outside_unstable_region(), mean, taylor)

    @property
    def variance(self) -> Tensor:
        cut = self._cut_probs()
        variance = cut * (cut - 1.0) / (1.0 - 2.0 * cut).pow(2)
        variance = variance + 1.0 / ((-cut).log1p() - cut.log()).pow(2)
        x = (self.probs - 0.5).pow(2)
        taylor = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return kagari.where(self._outside_unstable_region(), variance, taylor)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def param_shape(self) -> Size:
        return self._param.size()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with kagari.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(kagari.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        bernoulli = -binary_cross_entropy_with_logits(logits, value, reduction="none")
        return bernoulli + self._cont_bern_log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        cut = self._cut_probs()
        cdf = (cut.pow(value) * (1.0 - cut).pow(1.0 - value) + cut - 1.0) / (2.0 * cut - 1.0)
        inside = kagari.where(self._outside_unstable_region(), cdf, value)
        return kagari.where(
            value <= 0.0,
            kagari.zeros_like(value),
            kagari.where(value >= 1.0, kagari.ones_like(value), inside),
        )

    def icdf(self, value: Tensor) -> Tensor:
        cut = self._cut_probs()
        icdf = ((-cut + value * (2.0 * cut - 1.0)).log1p() - (-cut).log1p()) / (
            cut.log() - (-cut).log1p()
        )
        return kagari.where(self._outside_unstable_region(), icdf, value)

    def entropy(self) -> Tensor:
        log_failure = (-self.probs).log1p()
        log_success = self.probs.log()
        return self.mean * (log_failure - log_success) - self._cont_bern_log_norm() - log_failure

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """The logarithm of (eˣ - 1) / x, by its series near zero."""
        low, high = self._lims
        outside = (x <= low - 0.5) | (x > high - 0.5)
        cut = kagari.where(outside, x, (low - 0.5) * kagari.ones_like(x))
        log_norm = (cut.exp() - 1).abs().log() - cut.abs().log()
        taylor = 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0
        return kagari.where(outside, log_norm, taylor)
