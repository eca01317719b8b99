"""The Bernoulli distribution: one toss of a coin."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.utils import ProbsOrLogits, Shape, broadcast_all
from kagari.nn.functional import binary_cross_entropy_with_logits

if TYPE_CHECKING:
    from kagari import Size, Tensor

__all__ = ["Bernoulli"]


class Bernoulli(ProbsOrLogits, ExponentialFamily):
    r"""One with probability p, zero otherwise.

    .. math:: P(X = k) = p^k (1 - p)^{1 - k}, \quad k ∈ \{0, 1\}

    Args:
        probs (Tensor or float): p.
        logits (Tensor or float): :math:`\log p - \log(1 - p)`; instead of ``probs``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: neither or both of ``probs`` and ``logits``.

    Example:
        >>> import kagari
        >>> kagari.distributions.Bernoulli(kagari.tensor([0.3])).variance
        tensor([0.2100])

    Reference: https://en.wikipedia.org/wiki/Bernoulli_distribution
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        given = self._take(probs, logits)
        (param,) = broadcast_all(given)
        self._set(probs, param)
        shape = () if isinstance(given, Number) else param.size()
        super().__init__(shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(Bernoulli, batch_shape, _instance)

    def _new(self, *args: Any, **kwargs: Any) -> Tensor:
        return self._param.new(*args, **kwargs)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        mode = (self.probs >= 0.5).to(self.probs)
        mode[self.probs == 0.5] = kagari.nan
        return mode

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    @property
    def param_shape(self) -> Size:
        return self._param.size()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with kagari.no_grad():
            return kagari.bernoulli(self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = kagari.arange(2, dtype=self._param.dtype, device=self._param.device)
        values = values.view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.probs.logit(),)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.exp().log1p()
