"""The Kumaraswamy distribution: like the beta, with a distribution function in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import AffineTransform, PowerTransform
from kagari.distributions.uniform import Uniform
from kagari.distributions.utils import Shape, broadcast_all, euler_constant

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Kumaraswamy"]


def _moment(a: Tensor, b: Tensor, n: int) -> Tensor:
    """E[Xⁿ] = b B(1 + n / a, b)."""
    first = 1 + n / a
    return (first.lgamma() + b.lgamma() - (first + b).lgamma() + b.log()).exp()


class Kumaraswamy(TransformedDistribution):
    r"""Numbers between 0 and 1.

    .. math:: P(X ≤ x) = 1 - (1 - x^a)^b

    Args:
        concentration1 (Tensor or float): a.
        concentration0 (Tensor or float): b.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.Kumaraswamy(kagari.ones(1), kagari.ones(1)).mean
        tensor([0.5000])

    Reference: https://en.wikipedia.org/wiki/Kumaraswamy_distribution
    """

    arg_constraints = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(
            kagari.zeros_like(self.concentration0),
            kagari.ones_like(self.concentration0),
            validate_args=validate_args,
        )
        # x = (1 - u^(1/b))^(1/a)
        transforms = [
            PowerTransform(exponent=self.concentration0.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(exponent=self.concentration1.reciprocal()),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Kumaraswamy, _instance)
        new.concentration1 = self.concentration1.expand(batch_shape)
        new.concentration0 = self.concentration0.expand(batch_shape)
        return super().expand(batch_shape, _instance=new)

    @property
    def mean(self) -> Tensor:
        return _moment(self.concentration1, self.concentration0, 1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        log_mode = a.reciprocal() * ((1 - a) / (1 - a * b)).log()
        return log_mode.exp().masked_fill((b < 1) | (a < 1), kagari.nan)

    @property
    def variance(self) -> Tensor:
        return _moment(self.concentration1, self.concentration0, 2) - self.mean.pow(2)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()
