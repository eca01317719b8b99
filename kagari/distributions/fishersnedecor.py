"""The F distribution: the ratio of two estimates of a variance."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.gamma import Gamma
from kagari.distributions.utils import Shape, broadcast_all

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    r"""The ratio of two independent chi-squared variables, each over its degrees of freedom.

    .. math:: p(x) = \frac{1}{B(d_1 / 2, d_2 / 2)} \left(\frac{d_1}{d_2}\right)^{d_1 / 2}
              x^{d_1 / 2 - 1} \left(1 + \frac{d_1}{d_2} x\right)^{-(d_1 + d_2) / 2}

    Args:
        df1 (Tensor or float): :math:`d_1`.
        df2 (Tensor or float): :math:`d_2`.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.FisherSnedecor(kagari.tensor([1.0]), kagari.tensor([4.0])).mean
        tensor([2.])

    Reference: https://en.wikipedia.org/wiki/F-distribution
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2)
        both_numbers = isinstance(df1, Number) and isinstance(df2, Number)
        super().__init__(() if both_numbers else self.df1.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expand_parameters(FisherSnedecor, batch_shape, _instance)
        new._gamma1 = self._gamma1.expand(batch_shape)
        new._gamma2 = self._gamma2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 2, kagari.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return mode.masked_fill(self.df1 <= 2, kagari.nan)

    @property
    def variance(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 4, kagari.nan)
        return 2 * df2.pow(2) * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).pow(2) * (df2 - 4))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        tiny = kagari.finfo(self.df2.dtype).tiny
        x1 = self._gamma1.rsample(sample_shape).view(shape)
        x2 = self._gamma2.rsample(sample_shape).view(shape).clamp(min=tiny)
        return (x1 / x2).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return (
            a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p() - log_beta
        )
