"""The binomial distribution: how many of n tosses succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import ProbsOrLogits, Shape, broadcast_all
from kagari.nn.functional import logsigmoid

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["Binomial"]


class Binomial(ProbsOrLogits, Distribution):
    r"""The number of successes among n independent trials of probability p.

    .. math:: P(X = k) = \binom{n}{k} p^k (1 - p)^{n - k}

    Args:
        total_count (int or Tensor): n.
        probs (Tensor): p.
        logits (Tensor): :math:`\log p - \log(1 - p)`; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``.

    Example:
        >>> import kagari
        >>> kagari.distributions.Binomial(10, kagari.tensor([0.2])).mean
        tensor([2.])

    Reference: https://en.wikipedia.org/wiki/Binomial_distribution
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self.total_count, param = broadcast_all(total_count, self._take(probs, logits))
        self.total_count = self.total_count.type_as(param)
        self._set(probs, param)
        super().__init__(param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(Binomial, batch_shape, _instance)

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    @property
    def param_shape(self) -> Size:
        return self._param.size()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with kagari.no_grad():
            return kagari.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        choices = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return value * logits + n * logsigmoid(-logits) + choices

    def entropy(self) -> Tensor:
        n = int(self.total_count.max())
        if not self.total_count.min() == n:
            raise NotImplementedError("Inhomogeneous total count not supported by `entropy`.")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = int(self.total_count.max())
        if not self.total_count.min() == n:
            raise NotImplementedError(
                "Inhomogeneous total count not supported by `enumerate_support`."
            )
        values = kagari.arange(1 + n, dtype=self._param.dtype, device=self._param.device)
        values = values.view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values
