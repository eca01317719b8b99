"""The multinomial distribution: how often each class comes in n draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.binomial import Binomial
from kagari.distributions.categorical import Categorical
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape, broadcast_all

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    r"""The counts of K classes among n independent draws.

    .. math:: P(X = x) = \frac{n!}{\prod_k x_k!} \prod_k p_k^{x_k}

    Args:
        total_count (int): n, one number for the whole batch.
        probs (Tensor): p, ``(..., K)``, normalised to sum to one.
        logits (Tensor): unnormalised logarithms; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        NotImplementedError: a tensor of counts.
        ValueError: neither or both of ``probs`` and ``logits``.

    Example:
        >>> import kagari
        >>> kagari.distributions.Multinomial(10, kagari.tensor([0.2, 0.8])).mean
        tensor([2., 8.])

    Reference: https://en.wikipedia.org/wiki/Multinomial_distribution
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    total_count: int

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)
        super().__init__(
            self._categorical.batch_shape,
            self._categorical.param_shape[-1:],
            validate_args=validate_args,
        )

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Multinomial, _instance)
        batch = kagari.Size(batch_shape)
        new.total_count = self.total_count
        new._categorical = self._categorical.expand(batch)
        new._binomial = self._binomial.expand((*batch, *self.event_shape))
        super(Multinomial, new).__init__(batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._categorical._new(*args, **kwargs)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def logits(self) -> Tensor:
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        return self._categorical.probs

    @property
    def param_shape(self) -> Size:
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        # The draws are the first dimension: count them along the last.
        drawn = drawn.permute(*range(1, drawn.dim()), 0)
        counts = drawn.new_zeros(self._extended_shape(sample_shape))
        counts.scatter_add_(-1, drawn, kagari.ones_like(drawn))
        return counts.type_as(self.probs)

    def entropy(self) -> Tensor:
        n = kagari.tensor(self.total_count)
        class_entropy = self._categorical.entropy()
        # the zero count adds nothing: log 0! = 0
        counts = self._binomial.enumerate_support(expand=False)[1:]
        weight = self._binomial.log_prob(counts).exp()
        term = (weight * (counts + 1).lgamma()).sum([0, -1])
        return n * class_entropy - (n + 1).lgamma() + term

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.clone(memory_format=kagari.contiguous_format)
        logits[(value == 0) & (logits == -kagari.inf)] = 0
        choices = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        return choices + (logits * value).sum(-1)
