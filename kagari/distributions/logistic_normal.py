"""The logistic normal distribution: proportions from normal variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kagari.distributions import constraints
from kagari.distributions.independent import Independent
from kagari.distributions.normal import Normal
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import StickBreakingTransform
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    r"""Points of a simplex of K + 1 parts: the stick-breaking transform of K normal variables.

    Args:
        loc (Tensor or float): the means, ``(..., K)``.
        scale (Tensor or float): the standard deviations, ``(..., K)``.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.LogisticNormal(kagari.zeros(2), kagari.ones(2)).event_shape
        kagari.Size([3])

    Reference: https://en.wikipedia.org/wiki/Logit-normal_distribution
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True
    base_dist: Independent

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LogisticNormal, _instance)
        return super().expand(batch_shape, _instance=new)

    @property
    def loc(self) -> Tensor:
        return self.base_dist.base_dist.loc  # type: ignore[attr-defined]

    @property
    def scale(self) -> Tensor:
        return self.base_dist.base_dist.scale  # type: ignore[attr-defined]
