"""Transformed distributions: what a variable becomes under a chain of transforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.independent import Independent
from kagari.distributions.transforms import ComposeTransform, Transform
from kagari.distributions.utils import Shape, _sum_rightmost

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    r"""The distribution of Y = f(X) for X from a base distribution.

    .. math:: \log p(y) = \log p_X(x) - \log \left|\det \frac{∂y}{∂x}\right|, \quad x = f^{-1}(y)

    Args:
        base_distribution (Distribution): of X.
        transforms (Transform or list of Transform): f; the first is applied first.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: no transforms, or a base with too few dimensions for them.

    Example:
        >>> import kagari
        >>> from kagari.distributions import ExpTransform, Normal, TransformedDistribution
        >>> d = TransformedDistribution(Normal(kagari.zeros(1), 1.0), ExpTransform())
        >>> d.log_prob(kagari.ones(1))
        tensor([-0.9189])

    Reference: https://en.wikipedia.org/wiki/Probability_density_function#Function_of_random_variables
    """

    arg_constraints: dict[str, constraints.Constraint] = {}

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | list[Transform],
        validate_args: bool | None = None,
    ) -> None:
        if isinstance(transforms, Transform):
            self.transforms = [transforms]
        elif isinstance(transforms, list):
            if not all(isinstance(t, Transform) for t in transforms):
                raise ValueError("transforms must be a Transform or a list of Transforms")
            self.transforms = transforms
        else:
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        base_shape = base_distribution.batch_shape + base_distribution.event_shape
        event_dim = len(base_distribution.event_shape)
        transform = ComposeTransform(self.transforms)
        needed = transform.domain.event_dim
        if len(base_shape) < needed:
            raise ValueError(
                "base_distribution needs to have shape with size at least "
                f"{needed}, but got {base_shape}."
            )
        shape = kagari.Size(transform.forward_shape(base_shape))
        expanded = kagari.Size(transform.inverse_shape(shape))
        if base_shape != expanded:
            batch = expanded[: len(expanded) - event_dim]
            base_distribution = base_distribution.expand(batch)
        # Dimensions that the transforms take together are made part of the base's events.
        joined = needed - event_dim
        if joined > 0:
            base_distribution = Independent(base_distribution, joined)
        self.base_dist = base_distribution
        widened = transform.codomain.event_dim - needed
        cut = len(shape) - max(event_dim + widened, transform.codomain.event_dim)
        if cut < 0:
            raise AssertionError(f"cut must be non-negative, got {cut}")
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(TransformedDistribution, _instance)
        batch = kagari.Size(batch_shape)
        base_shape = ComposeTransform(self.transforms).inverse_shape(batch + self.event_shape)
        cut = len(base_shape) - len(self.base_dist.event_shape)
        new.base_dist = self.base_dist.expand(base_shape[:cut])
        new.transforms = self.transforms
        super(TransformedDistribution, new).__init__(batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        if len(self.event_shape) > support.event_dim:
            support = constraints.independent(support, len(self.event_shape) - support.event_dim)
        return support

    @property
    def has_rsample(self) -> bool:
        return bool(self.base_dist.has_rsample)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with kagari.no_grad():
            x = self.base_dist.sample(sample_shape)
            for transform in self.transforms:
                x = transform(x)
            return x

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        x = self.base_dist.rsample(sample_shape)
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        event_dim = len(self.event_shape)
        log_prob: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            log_prob = log_prob - _sum_rightmost(
                transform.log_abs_det_jacobian(x, y), event_dim - transform.domain.event_dim
            )
            y = x
        base = self.base_dist.log_prob(y)
        result: Tensor = log_prob + _sum_rightmost(
            base, event_dim - len(self.base_dist.event_shape)
        )
        return result

    def _monotonize_cdf(self, value: Tensor) -> Tensor:
        """The distribution function turned around where the transforms fall."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return value
        flipped: Tensor = sign * (value - 0.5) + 0.5
        return flipped

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        value = self.base_dist.icdf(self._monotonize_cdf(value))
        for transform in self.transforms:
            value = transform(value)
        return value
