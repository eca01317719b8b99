"""The log-normal distribution: what products of many small factors follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kagari.distributions import constraints
from kagari.distributions.normal import Normal
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import ExpTransform
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["LogNormal"]


class LogNormal(TransformedDistribution):
    r"""The exponential of a normal variable.

    .. math:: p(x) = \frac{1}{x σ \sqrt{2π}} e^{-(\log x - μ)^2 / 2σ^2}

    Args:
        loc (Tensor or float): μ, the mean of the logarithm.
        scale (Tensor or float): σ, the standard deviation of the logarithm.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.LogNormal(kagari.zeros(1), 1.0).mean
        tensor([1.6487])

    Reference: https://en.wikipedia.org/wiki/Log-normal_distribution
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive
    has_rsample = True
    base_dist: Normal

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LogNormal, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def loc(self) -> Tensor:
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        s2 = self.scale.pow(2)
        return s2.expm1() * (2 * self.loc + s2).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc
