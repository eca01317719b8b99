"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape, _standard_normal, lazy_property

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["MultivariateNormal"]


def _batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(L: Tensor, x: Tensor) -> Tensor:
    """xᵀ (L Lᵀ)⁻¹ x for a batch ``(..., n)`` of vectors and a smaller batch ``(..., n, n)`` of L.

    L may have fewer or size-one batch dimensions: the vectors that share a matrix become the
    columns of one right-hand side, instead of the matrix being repeated.
    """
    n = x.size(-1)
    batch = x.shape[:-1]
    outer = len(batch) - (L.dim() - 2)
    # Split each of x's dimensions into those that L has and those over which L repeats.
    split: list[int] = list(batch[:outer])
    for size, known in zip(batch[outer:], L.shape[:-2], strict=True):
        split += [size // known, known]
    inner = L.dim() - 2
    repeated = [*range(outer), *range(outer, outer + 2 * inner, 2)]
    own = list(range(outer + 1, outer + 2 * inner, 2))
    last = outer + 2 * inner
    rows = x.reshape((*split, n)).permute(*repeated, *own, last)
    flat = rows.reshape((-1, *L.shape[:-2], n))  # (vectors, batch of L, n)
    columns = flat.movedim(0, -1)  # (batch of L, n, vectors)
    solved = kagari.linalg.solve_triangular(L, columns, upper=False)
    squared = solved.pow(2).sum(-2).movedim(-1, 0)  # (vectors, batch of L)
    shaped = squared.reshape([split[i] for i in (*repeated, *own)])
    back = [0] * len(split)
    for place, source in enumerate((*repeated, *own)):
        back[source] = place
    return shaped.permute(back).reshape(batch)


def _precision_to_scale_tril(P: Tensor) -> Tensor:
    """The Cholesky factor of P⁻¹: P = U Uᵀ with U upper triangular, so it is U⁻ᵀ."""
    flipped = kagari.linalg.cholesky(P.flip((-2, -1)))
    inverse_factor = flipped.flip((-2, -1)).mT
    identity = kagari.eye(P.shape[-1], dtype=P.dtype, device=P.device)
    return kagari.linalg.solve_triangular(inverse_factor, identity, upper=False)


class MultivariateNormal(Distribution):
    r"""Normal vectors of n dimensions.

    .. math:: p(x) = \frac{1}{\sqrt{(2π)^n \det Σ}} e^{-(x - μ)^T Σ^{-1} (x - μ) / 2}

    Args:
        loc (Tensor): μ, ``(..., n)``.
        covariance_matrix (Tensor): Σ, ``(..., n, n)``.
        precision_matrix (Tensor): :math:`Σ^{-1}`, instead of Σ.
        scale_tril (Tensor): L with :math:`L L^T = Σ`, instead of Σ; the fastest.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: not exactly one of the three matrices, or too few dimensions.

    Example:
        >>> import kagari
        >>> d = kagari.distributions.MultivariateNormal(kagari.zeros(2), kagari.eye(2))
        >>> d.log_prob(kagari.zeros(2))
        tensor(-1.8379)

    Reference: https://en.wikipedia.org/wiki/Multivariate_normal_distribution
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, matrix),) = given.items()
        assert matrix is not None
        if matrix.dim() < 2:
            raise ValueError(
                f"{name} matrix must be at least two-dimensional, "
                "with optional leading batch dimensions"
            )
        batch = kagari.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        # What all the rest is computed from.
        if scale_tril is not None:
            self._unbroadcasted_scale_tril = scale_tril
        elif covariance_matrix is not None:
            self._unbroadcasted_scale_tril = kagari.linalg.cholesky(covariance_matrix)
        else:
            self._unbroadcasted_scale_tril = _precision_to_scale_tril(matrix)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._expand_parameters(MultivariateNormal, batch_shape, _instance)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    def _square(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._square(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        L = self._unbroadcasted_scale_tril
        return self._square(L @ L.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return self._square(kagari.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        variance = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return variance.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        eps = _standard_normal(shape, dtype=self.loc.dtype, device=self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, eps)

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        constant = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        entropy = constant + self._half_log_det()
        return entropy if len(self._batch_shape) == 0 else entropy.expand(self._batch_shape)
