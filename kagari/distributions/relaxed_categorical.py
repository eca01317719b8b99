"""The relaxed one-hot categorical distribution: draws of a class with gradients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.categorical import Categorical
from kagari.distributions.distribution import Distribution
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import ExpTransform
from kagari.distributions.utils import Shape, broadcast_all, clamp_probs

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(Distribution):
    r"""The logarithm of a relaxed one-hot variable.

    .. math:: X = \log \operatorname{softmax}((\operatorname{logits} + g) / τ)

    with g from the standard Gumbel distribution.

    Args:
        temperature (Tensor): τ.
        probs (Tensor): ``(..., K)``.
        logits (Tensor): instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Reference: Maddison, Mnih and Teh, The concrete distribution, https://arxiv.org/abs/1611.00712
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector  # vectors whose exponentials sum to one
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self.temperature = temperature
        shape = self._categorical.param_shape
        super().__init__(self._categorical.batch_shape, shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(ExpRelaxedCategorical, _instance)
        batch = kagari.Size(batch_shape)
        new.temperature = self.temperature
        new._categorical = self._categorical.expand(batch)
        super(ExpRelaxedCategorical, new).__init__(batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._categorical._new(*args, **kwargs)

    @property
    def param_shape(self) -> Size:
        return self._categorical.param_shape

    @property
    def logits(self) -> Tensor:
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        return self._categorical.probs

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        u = clamp_probs(kagari.rand(shape, dtype=self.logits.dtype, device=self.logits.device))
        gumbel = -((-(u.log())).log())
        scores = (self.logits + gumbel) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        k = self._categorical._num_events
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        temperature = kagari.as_tensor(self.temperature)
        log_scale = math.lgamma(k) - temperature.log().mul(-(k - 1))
        score = logits - value.mul(self.temperature)
        score = (score - score.logsumexp(-1, keepdim=True)).sum(-1)
        return score + log_scale


class RelaxedOneHotCategorical(TransformedDistribution):
    r"""Points of the simplex that become one-hot vectors as the temperature falls to zero.

    Args:
        temperature (Tensor): τ.
        probs (Tensor): ``(..., K)``.
        logits (Tensor): instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> d = kagari.distributions.RelaxedOneHotCategorical(kagari.tensor(0.5), kagari.ones(3))
        >>> d.sample().shape
        kagari.Size([3])

    Reference: Jang, Gu and Poole, Categorical reparameterization with Gumbel-softmax,
    https://arxiv.org/abs/1611.01144
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True
    base_dist: ExpRelaxedCategorical

    def __init__(
        self,
        temperature: Tensor,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(RelaxedOneHotCategorical, _instance)
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
