"""The Dirichlet distribution: random proportions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kagari
from kagari._core import ops
from kagari.autograd import Function
from kagari.autograd.function import once_differentiable
from kagari.distributions import constraints
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.utils import Shape

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Dirichlet"]


class _Dirichlet(Function):
    """Draws whose gradient follows from the distribution function, held fixed as α moves.

    Reference: Figurnov, Mohamed and Mnih, Implicit reparameterization gradients, 2018.
    """

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        x: Tensor = ops._sample_dirichlet(concentration)
        ctx.save_for_backward(x, concentration)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        x, concentration = ctx.saved_tensors
        total = concentration.sum(-1, True).expand_as(concentration)
        speed: Tensor = ops._dirichlet_grad(x, concentration, total)
        # Moving one part takes from the others in proportion to their size.
        return speed * (grad_output - (x * grad_output).sum(-1, True))


class Dirichlet(ExponentialFamily):
    r"""Vectors of K proportions that sum to one.

    .. math:: p(x) = \frac{Γ(\sum_k α_k)}{\prod_k Γ(α_k)} \prod_k x_k^{α_k - 1}

    Args:
        concentration (Tensor): α, ``(..., K)``.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: a 0-d concentration.

    Example:
        >>> import kagari
        >>> kagari.distributions.Dirichlet(kagari.tensor([1.0, 3.0])).mean
        tensor([0.2500, 0.7500])

    Reference: https://en.wikipedia.org/wiki/Dirichlet_distribution
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(Dirichlet, batch_shape, _instance)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        # With all α below one the density grows towards the corners: the largest α's is taken.
        flat = (self.concentration < 1).all(-1)
        corner = kagari.nn.functional.one_hot(mode[flat].argmax(-1), above.shape[-1])
        mode[flat] = corner.to(mode)
        return mode

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn: Tensor = _Dirichlet.apply(self.concentration.expand(shape))
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return kagari.xlogy(a - 1.0, value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        a, k = self.concentration, self.concentration.size(-1)
        total = a.sum(-1)
        return (
            a.lgamma().sum(-1)
            - total.lgamma()
            - (k - total) * total.digamma()
            - ((a - 1.0) * a.digamma()).sum(-1)
        )

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
