"""The relaxed Bernoulli distribution: coin tosses with gradients."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import SigmoidTransform
from kagari.distributions.utils import ProbsOrLogits, Shape, broadcast_all, clamp_probs

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(ProbsOrLogits, Distribution):
    r"""The logit of a relaxed Bernoulli variable: a logistic variable, shifted and scaled.

    .. math:: X = (\log u - \log(1 - u) + \operatorname{logit} p) / τ, \quad u ∼ U(0, 1)

    Args:
        temperature (Tensor): τ.
        probs (Tensor or float): p.
        logits (Tensor or float): instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``.

    Reference: Maddison, Mnih and Teh, The concrete distribution, https://arxiv.org/abs/1611.00712
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real

    def __init__(
        self,
        temperature: Tensor,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        given = self._take(probs, logits)
        (param,) = broadcast_all(given)
        self._set(probs, param)
        shape = () if isinstance(given, Number) else param.size()
        super().__init__(shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expand_parameters(LogitRelaxedBernoulli, batch_shape, _instance)
        new.temperature = self.temperature
        return new

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    @property
    def param_shape(self) -> Size:
        return self._param.size()

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(kagari.rand(shape, dtype=probs.dtype, device=probs.device))
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        diff = logits - value * self.temperature
        log_temperature = kagari.as_tensor(self.temperature).log()
        return log_temperature + diff - 2 * diff.exp().log1p()


class RelaxedBernoulli(TransformedDistribution):
    r"""Numbers between 0 and 1 that become tosses of a coin as the temperature falls to zero.

    Args:
        temperature (Tensor): τ.
        probs (Tensor or float): p.
        logits (Tensor or float): instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> d = kagari.distributions.RelaxedBernoulli(kagari.tensor([2.2]), kagari.tensor([0.5]))
        >>> d.log_prob(kagari.tensor([0.5])).exp()
        tensor([2.2000])

    Reference: Maddison, Mnih and Teh, The concrete distribution, https://arxiv.org/abs/1611.00712
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self,
        temperature: Tensor,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(RelaxedBernoulli, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def temperature(self) -> Tensor:
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        return self.base_dist.probs
