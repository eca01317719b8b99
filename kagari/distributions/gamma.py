"""The gamma distribution: the time until the α-th event, and positive numbers in general."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari._core import ops
from kagari.distributions import constraints
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.utils import Shape, broadcast_all

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    r"""Positive numbers of shape α and rate β.

    .. math:: p(x) = \frac{β^α}{Γ(α)} x^{α - 1} e^{-β x}

    Args:
        concentration (Tensor or float): α.
        rate (Tensor or float): β, the inverse of the scale.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.Gamma(kagari.tensor([3.0]), 2.0).mean
        tensor([1.5000])

    Reference: https://en.wikipedia.org/wiki/Gamma_distribution
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        both_numbers = isinstance(concentration, Number) and isinstance(rate, Number)
        shape = () if both_numbers else self.concentration.size()
        super().__init__(shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Gamma, _instance)
        new.concentration = self.concentration.expand(batch_shape)
        new.rate = self.rate.expand(batch_shape)
        super(Gamma, new).__init__(batch_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        unit: Tensor = ops._standard_gamma(self.concentration.expand(shape))
        value = unit / self.rate.expand(shape)
        # Small α underflows: keep zeros out of logarithms, without touching the gradient.
        value.detach().clamp_(min=kagari.finfo(value.dtype).tiny)
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        value = kagari.as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        if self._validate_args:
            self._validate_sample(value)
        return (
            kagari.xlogy(self.concentration, self.rate)
            + kagari.xlogy(self.concentration - 1, value)
            - self.rate * value
            - self.concentration.lgamma()
        )

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return kagari.special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return (x + 1).lgamma() + (x + 1) * (-y.reciprocal()).log()
