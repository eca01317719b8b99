"""The inverse gamma distribution: the reciprocal of a gamma variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.gamma import Gamma
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import PowerTransform
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["InverseGamma"]


class InverseGamma(TransformedDistribution):
    r"""The prior of an unknown variance: 1 / X for X from Gamma(α, β).

    .. math:: p(x) = \frac{β^α}{Γ(α)} x^{-α - 1} e^{-β / x}

    Args:
        concentration (Tensor or float): α.
        rate (Tensor or float): β.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.InverseGamma(kagari.tensor([3.0]), 1.0).mean
        tensor([0.5000])

    Reference: https://en.wikipedia.org/wiki/Inverse-gamma_distribution
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True
    base_dist: Gamma

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        reciprocal = PowerTransform(exponent=-base.rate.new_ones(()))
        super().__init__(base, reciprocal, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(InverseGamma, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def concentration(self) -> Tensor:
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        mean = self.rate / (self.concentration - 1)
        return kagari.where(self.concentration > 1, mean, kagari.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        variance = self.rate.square() / ((a - 1).square() * (a - 2))
        return kagari.where(a > 2, variance, kagari.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()
