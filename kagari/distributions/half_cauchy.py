"""The half-Cauchy distribution: the size of a Cauchy variable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.cauchy import Cauchy
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import AbsTransform
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["HalfCauchy"]


class HalfCauchy(TransformedDistribution):
    r"""The absolute value of a Cauchy variable around zero.

    .. math:: p(x) = \frac{2}{π γ (1 + (x / γ)^2)}, \quad x ≥ 0

    Args:
        scale (Tensor or float): γ.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.HalfCauchy(kagari.ones(1)).cdf(kagari.ones(1))
        tensor([0.5000])
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: Cauchy

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(
            Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args
        )

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(HalfCauchy, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def scale(self) -> Tensor:
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return kagari.full_like(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return kagari.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value = kagari.as_tensor(value, dtype=self.scale.dtype, device=self.scale.device)
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
