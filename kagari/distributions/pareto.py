"""The Pareto distribution: sizes of towns and fortunes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kagari.distributions import constraints
from kagari.distributions.exponential import Exponential
from kagari.distributions.transformed_distribution import TransformedDistribution
from kagari.distributions.transforms import AffineTransform, ExpTransform
from kagari.distributions.utils import Shape, broadcast_all

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Pareto"]


class Pareto(TransformedDistribution):
    r"""Numbers above a smallest one, with a tail that falls as a power.

    .. math:: P(X > x) = (x_m / x)^α, \quad x ≥ x_m

    Args:
        scale (Tensor or float): :math:`x_m`.
        alpha (Tensor or float): α.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.Pareto(kagari.ones(1), 2.0).mean
        tensor([2.])

    Reference: https://en.wikipedia.org/wiki/Pareto_distribution
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        transforms = [ExpTransform(), AffineTransform(loc=0, scale=self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Pareto, _instance)
        new.scale = self.scale.expand(batch_shape)
        new.alpha = self.alpha.expand(batch_shape)
        return super().expand(batch_shape, _instance=new)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)  # infinite from there on
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
