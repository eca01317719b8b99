"""The geometric distribution: failures before the first success."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import ProbsOrLogits, Shape, broadcast_all
from kagari.nn.functional import binary_cross_entropy_with_logits

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Geometric"]


class Geometric(ProbsOrLogits, Distribution):
    r"""The number of trials that fail before the first that succeeds.

    .. math:: P(X = k) = (1 - p)^k p, \quad k = 0, 1, ...

    Args:
        probs (Tensor or float): p, the probability of success; above zero.
        logits (Tensor or float): :math:`\log p - \log(1 - p)`; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``, or p = 0.

    Example:
        >>> import kagari
        >>> kagari.distributions.Geometric(kagari.tensor([0.25])).mean
        tensor([3.])

    Reference: https://en.wikipedia.org/wiki/Geometric_distribution
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        given = self._take(probs, logits)
        (param,) = broadcast_all(given)
        self._set(probs, param)
        shape = () if isinstance(given, Number) else param.size()
        super().__init__(shape, validate_args=validate_args)
        if self._validate_args and probs is not None:
            valid = self.probs > 0  # probs = 0 would wait for ever
            if not valid.all():
                invalid = self.probs[~valid]
                raise ValueError(
                    "Expected parameter probs "
                    f"({type(self.probs).__name__} of shape {tuple(self.probs.shape)}) "
                    f"of distribution {self!r} "
                    f"to be positive but found invalid values:\n{invalid}"
                )

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(Geometric, batch_shape, _instance)

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return kagari.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        tiny = kagari.finfo(self.probs.dtype).tiny
        with kagari.no_grad():
            u = self.probs.new_empty(shape).uniform_(tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # 0 log 0 is zero: a sure success never fails
        failure = kagari.where((probs == 1) & (value == 0), kagari.zeros_like(probs), probs)
        return value * (-failure).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        toss = binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
        return toss / self.probs
