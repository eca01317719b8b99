"""The half-normal distribution: the size of a normal variable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.normal import Normal
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import AbsTransform
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["HalfNormal"]


class HalfNormal(TransformedDistribution):
    r"""The absolute value of a normal variable around zero.

    .. math:: p(x) = \frac{\sqrt 2}{σ \sqrt π} e^{-x^2 / 2σ^2}, \quad x ≥ 0

    Args:
        scale (Tensor or float): σ, of the normal variable.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.HalfNormal(kagari.ones(1)).mean
        tensor([0.7979])

    Reference: https://en.wikipedia.org/wiki/Half-normal_distribution
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: Normal

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(
            Normal(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args
        )

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(HalfNormal, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def scale(self) -> Tensor:
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return kagari.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        log_prob = self.base_dist.log_prob(value) + math.log(2)
        return kagari.where(value >= 0, log_prob, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Tensor) -> Tensor:
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
