"""The negative binomial distribution: successes before the r-th failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.gamma import Gamma
from kagari.distributions.utils import ProbsOrLogits, Shape, broadcast_all, lazy_property
from kagari.nn.functional import logsigmoid

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["NegativeBinomial"]


class NegativeBinomial(ProbsOrLogits, Distribution):
    r"""The number of successes, of probability p, before r failures; a Poisson with a gamma rate.

    .. math:: P(X = k) = \frac{Γ(k + r)}{k! Γ(r)} p^k (1 - p)^r

    Args:
        total_count (float or Tensor): r, not negative, not necessarily an integer.
        probs (Tensor): p, below one.
        logits (Tensor): :math:`\log p - \log(1 - p)`; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``.

    Example:
        >>> import kagari
        >>> kagari.distributions.NegativeBinomial(3, kagari.tensor([0.5])).mean
        tensor([3.])

    Reference: https://en.wikipedia.org/wiki/Negative_binomial_distribution
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self.total_count, param = broadcast_all(total_count, self._take(probs, logits))
        self.total_count = self.total_count.type_as(param)
        self._set(probs, param)
        super().__init__(param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(NegativeBinomial, batch_shape, _instance)

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    @property
    def param_shape(self) -> Size:
        return self._param.size()

    @lazy_property
    def _gamma(self) -> Gamma:
        return Gamma(concentration=self.total_count, rate=(-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with kagari.no_grad():
            return kagari.poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        r = self.total_count
        unnormalised = r * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        normalisation = -(r + value).lgamma() + (1.0 + value).lgamma() + r.lgamma()
        # Γ(0) is infinite on both sides where r and the value are zero
        normalisation = normalisation.masked_fill(r + value == 0.0, 0.0)
        return unnormalised - normalisation
