"""Exponential families, whose entropies and divergences follow from one function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kagari
from kagari.distributions.distribution import Distribution

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    r"""A distribution whose density is that of an exponential family.

    .. math:: p(x; θ) = \exp(⟨t(x), θ⟩ - F(θ) + k(x))

    with natural parameters θ, sufficient statistics t, log normaliser F and carrier measure k.
    Entropy and divergences follow from F alone, by its gradient.

    Example:
        >>> import kagari
        >>> from kagari import distributions as D
        >>> isinstance(D.Normal(0.0, 1.0), D.ExponentialFamily)
        True

    Reference: Nielsen and Nock, Entropies and cross-entropies of exponential families, 2010.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> float | Tensor:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy :math:`F(θ) - ⟨θ, ∇F(θ)⟩ - E[k(x)]`."""
        result: Tensor = -self._mean_carrier_measure  # type: ignore[assignment]
        nparams = [p.detach().requires_grad_() for p in self._natural_params]
        log_normalizer = self._log_normalizer(*nparams)
        gradients = kagari.autograd.grad(log_normalizer.sum(), nparams, create_graph=True)
        result = result + log_normalizer
        event = len(self.event_shape)
        for param, gradient in zip(nparams, gradients, strict=True):
            term = param * gradient
            if event:
                term = term.reshape((*self._batch_shape, -1)).sum(-1)
            result = result - term
        return result
