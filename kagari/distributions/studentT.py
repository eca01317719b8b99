"""Student's t distribution: the mean of a few normal samples over its estimated error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.chi2 import Chi2
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape, _standard_normal, broadcast_all

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["StudentT"]


class StudentT(Distribution):
    r"""Heavy tails between Cauchy's (ν = 1) and the normal distribution's (ν → ∞).

    .. math:: p(x) = \frac{Γ((ν + 1) / 2)}{\sqrt{ν π} Γ(ν / 2) σ}
              \left(1 + \frac{(x - μ)^2}{ν σ^2}\right)^{-(ν + 1) / 2}

    Args:
        df (Tensor or float): ν, the degrees of freedom.
        loc (Tensor or float): μ.
        scale (Tensor or float): σ.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.StudentT(kagari.tensor([4.0])).variance
        tensor([2.])

    Reference: https://en.wikipedia.org/wiki/Student%27s_t-distribution
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expand_parameters(StudentT, batch_shape, _instance)
        new._chi2 = self._chi2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, kagari.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        variance = self.scale.pow(2) * self.df / (self.df - 2)
        variance = variance.masked_fill(self.df <= 2, kagari.inf)
        return variance.masked_fill(self.df <= 1, kagari.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        x = _standard_normal(shape, dtype=self.df.dtype, device=self.df.device)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (x * (z / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normaliser = (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * math.log(math.pi)
            + (0.5 * self.df).lgamma()
            - (0.5 * (self.df + 1.0)).lgamma()
        )
        return -0.5 * (self.df + 1.0) * (y**2.0 / self.df).log1p() - normaliser

    def entropy(self) -> Tensor:
        log_beta = (0.5 * self.df).lgamma() + math.lgamma(0.5) - (0.5 * (self.df + 1)).lgamma()
        return (
            self.scale.log()
            + 0.5 * (self.df + 1) * ((0.5 * (self.df + 1)).digamma() - (0.5 * self.df).digamma())
            + 0.5 * self.df.log()
            + log_beta
        )
