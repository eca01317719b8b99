"""The categorical distribution: one of K classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import ProbsOrLogits, Shape

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["Categorical"]


class Categorical(ProbsOrLogits, Distribution):
    r"""An index from 0 to K - 1, drawn with given probabilities.

    .. math:: P(X = k) = p_k

    Args:
        probs (Tensor): ``(..., K)``, not negative; normalised to sum to one.
        logits (Tensor): ``(..., K)``, unnormalised logarithms; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``, or a 0-d parameter.

    Example:
        >>> import kagari
        >>> d = kagari.distributions.Categorical(kagari.tensor([1.0, 1.0, 2.0]))
        >>> d.log_prob(kagari.tensor(2)).exp()
        tensor(0.5000)

    Reference: https://en.wikipedia.org/wiki/Categorical_distribution
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True
    _binary = False

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        name = "logits" if probs is None else "probs"
        param = self._take(probs, logits)
        if param.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is None:
            param = param - param.logsumexp(-1, keepdim=True)
        else:
            param = param / param.sum(-1, keepdim=True)
        self._set(probs, param)
        self._num_events = param.size(-1)
        super().__init__(param.size()[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expand_parameters(Categorical, batch_shape, _instance)
        new._num_events = self._num_events
        return new

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def param_shape(self) -> Size:
        return self._param.size()

    @property
    def mean(self) -> Tensor:
        return self._no_moment()

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self._no_moment()

    def _no_moment(self) -> Tensor:
        """Classes are names, not numbers: NaN."""
        return kagari.full(
            self._batch_shape, kagari.nan, dtype=self.probs.dtype, device=self.probs.device
        )

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        sample_shape = kagari.Size(sample_shape)
        rows = self.probs.reshape(-1, self._num_events)
        drawn = kagari.multinomial(rows, sample_shape.numel(), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, log_pmf = kagari.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_pmf.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        # p log p is zero where p is: keep log p finite there
        logits = self.logits.clamp(min=kagari.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = kagari.arange(self._num_events, dtype=kagari.long, device=self._param.device)
        values = values.view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values
