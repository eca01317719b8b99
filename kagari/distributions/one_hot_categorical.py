"""One-hot vectors of a categorical variable, with a straight-through gradient if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.categorical import Categorical
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape
from kagari.nn.functional import one_hot

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(Distribution):
    r"""Vectors of K numbers, one of them one and the others zero.

    Args:
        probs (Tensor): ``(..., K)``, not negative; normalised to sum to one.
        logits (Tensor): ``(..., K)``, unnormalised logarithms; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``.

    Example:
        >>> import kagari
        >>> kagari.distributions.OneHotCategorical(kagari.tensor([0.0, 1.0])).sample()
        tensor([0., 1.])

    Reference: https://en.wikipedia.org/wiki/Categorical_distribution
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(self._categorical.batch_shape, shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(OneHotCategorical, _instance)
        batch = kagari.Size(batch_shape)
        new._categorical = self._categorical.expand(batch)
        super(OneHotCategorical, new).__init__(batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._categorical._new(*args, **kwargs)

    @property
    def _param(self) -> Tensor:
        return self._categorical._param

    @property
    def probs(self) -> Tensor:
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        return self._categorical.logits

    @property
    def mean(self) -> Tensor:
        return self._categorical.probs

    @property
    def mode(self) -> Tensor:
        best = self._categorical.mode
        return one_hot(best, num_classes=self._categorical._num_events).to(self.probs)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    @property
    def param_shape(self) -> Size:
        return self._categorical.param_shape

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = self._categorical.sample(sample_shape)
        return one_hot(drawn, self._categorical._num_events).to(self.probs)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self.event_shape[0]
        values = kagari.eye(n, dtype=self._param.dtype, device=self._param.device)
        values = values.view((n,) + (1,) * len(self.batch_shape) + (n,))
        return values.expand((n, *self.batch_shape, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    r"""OneHotCategorical whose ``rsample`` passes gradients to the probabilities as they are.

    Args:
        probs (Tensor): ``(..., K)``.
        logits (Tensor): instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> p = kagari.tensor([0.2, 0.8], requires_grad=True)
        >>> draw = kagari.distributions.OneHotCategoricalStraightThrough(p).rsample()
        >>> draw.sum().item(), draw.requires_grad
        (1.0, True)

    Reference: Bengio, Léonard and Courville, Estimating or propagating gradients through
    stochastic neurons, https://arxiv.org/abs/1308.3432
    """

    has_rsample = True

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        samples = self.sample(sample_shape)
        probs = self._categorical.probs
        return samples + (probs - probs.detach())
