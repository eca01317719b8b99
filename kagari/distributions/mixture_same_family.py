"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.categorical import Categorical
from kagari.distributions.constraints import MixtureSameFamilyConstraint
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    r"""One of K components is drawn, and a sample from it.

    .. math:: p(x) = \sum_k w_k p_k(x)

    Args:
        mixture_distribution (Categorical): the weights w, K classes.
        component_distribution (Distribution): its last batch dimension runs over the components.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: not a Categorical, or batch shapes that do not fit.

    Example:
        >>> import kagari
        >>> from kagari.distributions import Categorical, MixtureSameFamily, Normal
        >>> mix = Categorical(kagari.tensor([0.25, 0.75]))
        >>> MixtureSameFamily(mix, Normal(kagari.tensor([0.0, 4.0]), 1.0)).mean
        tensor(3.)

    Reference: https://en.wikipedia.org/wiki/Mixture_distribution
    """

    arg_constraints: dict[str, constraints.Constraint] = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        if not isinstance(self._mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an  instance of "
                "kagari.distributions.Categorical"
            )
        if not isinstance(self._component_distribution, Distribution):
            raise ValueError(
                "The Component distribution need to be an instance of "
                "kagari.distributions.Distribution"
            )
        weights = self._mixture_distribution.batch_shape
        batch = self._component_distribution.batch_shape[:-1]
        for size1, size2 in zip(reversed(weights), reversed(batch), strict=False):
            if size1 != 1 and size2 != 1 and size1 != size2:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({weights}) is not "
                    "compatible with `component_distribution."
                    f"batch_shape`({batch})"
                )
        count = self._mixture_distribution.logits.shape[-1]
        components = self._component_distribution.batch_shape[-1]
        if count != components:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not"
                " equal `component_distribution.batch_shape[-1]`"
                f" ({components})"
            )
        self._num_component = count
        event = self._component_distribution.event_shape
        self._event_ndims = len(event)
        super().__init__(batch, event, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        batch = kagari.Size(batch_shape)
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        new._component_distribution = self._component_distribution.expand(
            (*batch, self._num_component)
        )
        new._mixture_distribution = self._mixture_distribution.expand(batch)
        new._num_component = self._num_component
        new._event_ndims = self._event_ndims
        super(MixtureSameFamily, new).__init__(batch, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        return self._component_distribution

    def _weights(self) -> Tensor:
        """The weights with dimensions of size one for the event."""
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_ndims))

    def _average(self, values: Tensor) -> Tensor:
        return (self._weights() * values).sum(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._average(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        means = self._component_distribution.mean
        deviation = means - self.mean.unsqueeze(-1 - self._event_ndims)
        return self._average(self._component_distribution.variance) + self._average(
            deviation.pow(2)
        )

    def cdf(self, x: Tensor) -> Tensor:
        cdf = self._component_distribution.cdf(self._pad(x))
        return (cdf * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(x)
        log_prob = self._component_distribution.log_prob(self._pad(x))
        log_weight = self._mixture_distribution.logits.log_softmax(-1)
        return (log_prob + log_weight).logsumexp(-1)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with kagari.no_grad():
            sample_shape = tuple(sample_shape)
            dim = len(sample_shape) + len(self.batch_shape)
            event = self.event_shape
            chosen = self._mixture_distribution.sample(sample_shape)
            samples = self._component_distribution.sample(sample_shape)
            chosen = chosen.reshape((*chosen.shape, *(1,) * (len(event) + 1)))
            chosen = chosen.expand((*chosen.shape[: dim + 1], *event))
            return samples.gather(dim, chosen).squeeze(dim)

    def _pad(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1 - self._event_ndims)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self._mixture_distribution},\n  "
            f"{self._component_distribution})"
        )
