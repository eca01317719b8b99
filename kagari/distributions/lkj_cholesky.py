"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.beta import Beta
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape, broadcast_all

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    r"""Cholesky factors L of correlation matrices whose density is a power of the determinant.

    .. math:: p(L L^T) ∝ \det(L L^T)^{η - 1}

    η = 1 is uniform over correlation matrices; larger η prefers those near the identity.

    Args:
        dim (int): D, the size of the matrices; at least 2.
        concentration (Tensor or float): η.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: ``dim`` below 2.

    Example:
        >>> import kagari
        >>> kagari.distributions.LKJCholesky(3, 0.5).sample().shape
        kagari.Size([3, 3])

    Reference: Lewandowski, Kurowicka and Joe, Generating random correlation matrices based on
    vines and extended onion method, 2009, section 3.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        batch = self.concentration.size()
        # Onions: the squared length of row i's part left of the diagonal is beta distributed.
        marginal = self.concentration + 0.5 * (self.dim - 2)
        offset = kagari.arange(
            self.dim - 1, dtype=self.concentration.dtype, device=self.concentration.device
        )
        offset = kagari.cat([offset.new_zeros((1,)), offset])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(batch, (dim, dim), validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LKJCholesky, _instance)
        batch = kagari.Size(batch_shape)
        new.dim = self.dim
        new.concentration = self.concentration.expand(batch)
        new._beta = self._beta.expand((*batch, self.dim))
        super(LKJCholesky, new).__init__(batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with kagari.no_grad():
            squared = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = kagari.randn(
                self._extended_shape(sample_shape), dtype=squared.dtype, device=squared.device
            ).tril(-1)
            direction = normal / normal.norm(dim=-1, keepdim=True)
            direction[..., 0, :].fill_(0.0)  # the first row has no part left of the diagonal
            w = squared.sqrt() * direction
            eps = kagari.finfo(w.dtype).tiny
            diagonal = (1 - (w**2).sum(-1)).clamp(min=eps).sqrt()
            return w + diagonal.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        # The change from L to L Lᵀ brings another D - i to the power of the i-th diagonal entry.
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = kagari.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        unnormalised = (order * diagonal.log()).sum(-1)
        # The normaliser of the reference's page 1999, with a multivariate Γ for its product.
        half = 0.5 * (self.dim - 1)
        alpha = self.concentration + half
        denominator = alpha.lgamma() * (self.dim - 1)
        numerator = kagari.mvlgamma(alpha - 0.5, self.dim - 1)
        # Γ_{D-1} has π to the power (D - 1)(D - 2) / 4, the integral D (D - 1) / 4: the difference
        log_pi = 0.5 * (self.dim - 1) * math.log(math.pi)
        return unnormalised - (log_pi + numerator - denominator)
