"""The chi-squared distribution: the sum of squares of normal variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kagari.distributions import constraints
from kagari.distributions.gamma import Gamma
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Chi2"]


class Chi2(Gamma):
    r"""The sum of the squares of ν standard normal variables: Gamma(ν / 2, 1 / 2).

    .. math:: p(x) = \frac{x^{ν / 2 - 1} e^{-x / 2}}{2^{ν / 2} Γ(ν / 2)}

    Args:
        df (Tensor or float): ν, the degrees of freedom.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.Chi2(kagari.tensor([3.0])).variance
        tensor([6.])

    Reference: https://en.wikipedia.org/wiki/Chi-squared_distribution
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Chi2, _instance)
        return super().expand(batch_shape, new)

    @property
    def df(self) -> Tensor:
        return self.concentration * 2
