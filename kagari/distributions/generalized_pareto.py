"""The generalized Pareto distribution: how far values exceed a high threshold."""

from __future__ import annotations

import math
from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape, broadcast_all

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    r"""Tails: of power law for ξ > 0, exponential for ξ = 0, ending for ξ < 0.

    .. math:: P(X > x) = (1 + ξ z)^{-1 / ξ}, \quad z = (x - μ) / σ

    Args:
        loc (Tensor or float): μ, the threshold.
        scale (Tensor or float): σ.
        concentration (Tensor or float): ξ.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.GeneralizedPareto(kagari.zeros(1), 1.0, 0.5).mean
        tensor([2.])

    Reference: https://en.wikipedia.org/wiki/Generalized_Pareto_distribution
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        numbers = all(isinstance(p, Number) for p in (loc, scale, concentration))
        super().__init__(() if numbers else self.loc.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(GeneralizedPareto, batch_shape, _instance)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(kagari.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def _exponential(self) -> tuple[Tensor, Tensor]:
        """Where ξ is as good as zero, and ξ with one in its place."""
        flat = kagari.isclose(self.concentration, kagari.zeros_like(self.concentration))
        return flat, kagari.where(flat, kagari.ones_like(self.concentration), self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        flat, xi = self._exponential()
        log_density = -(1 / xi + 1) * (xi * z).log1p()
        return kagari.where(flat, -z, log_density) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of larger values."""
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        flat, xi = self._exponential()
        return kagari.where(flat, -z, -(xi * z).log1p() / xi)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of ``cdf``."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        flat, xi = self._exponential()
        log_survival = (-value).log1p()
        tail = (-xi * log_survival).expm1() / xi
        return self.loc + self.scale * kagari.where(flat, -log_survival, tail)

    def _where_below(self, limit: float, value: Tensor) -> Tensor:
        """The value where the moment exists, infinity elsewhere."""
        return kagari.where(self.concentration < limit, value, kagari.full_like(value, math.inf))

    @property
    def mean(self) -> Tensor:
        return self._where_below(1, self.loc + self.scale / (1 - self.concentration))

    @property
    def variance(self) -> Tensor:
        xi = self.concentration
        return self._where_below(0.5, self.scale**2 / ((1 - xi) ** 2 * (1 - 2 * xi)))

    def entropy(self) -> Tensor:
        return (self.scale.log() + self.concentration + 1).expand(self._batch_shape)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        bounded = self.concentration < 0
        end = self.loc - self.scale / kagari.where(bounded, self.concentration, -1.0)
        return constraints.interval(
            self.loc, kagari.where(bounded, end, kagari.full_like(end, math.inf))
        )
