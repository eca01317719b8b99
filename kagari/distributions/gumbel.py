"""The Gumbel distribution: the largest of many samples."""

from __future__ import annotations

import math
from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import AffineTransform, ExpTransform
from kagari.distributions.uniform import Uniform
from kagari.distributions.utils import Shape, broadcast_all, euler_constant

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    r"""The limit of the maximum of many light-tailed samples.

    .. math:: P(X ≤ x) = \exp(-e^{-(x - μ) / β})

    Args:
        loc (Tensor or float): μ, the mode.
        scale (Tensor or float): β.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.Gumbel(kagari.zeros(1), 1.0).mean
        tensor([0.5772])

    Reference: https://en.wikipedia.org/wiki/Gumbel_distribution
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        info = kagari.finfo(self.loc.dtype)
        if isinstance(loc, Number) and isinstance(scale, Number):
            base = Uniform(info.tiny, 1 - info.eps, validate_args=validate_args)
        else:
            base = Uniform(
                kagari.full_like(self.loc, info.tiny),
                kagari.full_like(self.loc, 1 - info.eps),
                validate_args=validate_args,
            )
        # x = μ - β log(-log u)
        transforms = [
            ExpTransform().inv,
            AffineTransform(loc=0, scale=-kagari.ones_like(self.scale)),
            ExpTransform().inv,
            AffineTransform(loc=self.loc, scale=-self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Gumbel, _instance)
        new.loc = self.loc.expand(batch_shape)
        new.scale = self.scale.expand(batch_shape)
        return super().expand(batch_shape, _instance=new)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
