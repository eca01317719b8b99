"""The Wishart distribution: covariance matrices of normal samples."""

from __future__ import annotations

import math
import warnings
from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.chi2 import Chi2
from kagari.distributions.exp_family import ExponentialFamily
from kagari.distributions.multivariate_normal import _precision_to_scale_tril
from kagari.distributions.utils import Shape, lazy_property

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["Wishart"]

_log_2 = math.log(2)


def _mvdigamma(x: Tensor, p: int) -> Tensor:
    """The derivative of the logarithm of the multivariate Γ: Σⱼ ψ(x - j / 2)."""
    if not x.gt((p - 1) / 2).all():
        raise AssertionError("Wrong domain for multivariate digamma function.")
    steps = kagari.arange(p, dtype=x.dtype, device=x.device) / 2
    return (x.unsqueeze(-1) - steps).digamma().sum(-1)


def _clamp_above_eps(x: Tensor) -> Tensor:
    return x.clamp(min=kagari.finfo(x.dtype).eps)


class Wishart(ExponentialFamily):
    r"""Positive definite matrices X = Σᵢ xᵢ xᵢᵀ of ν normal vectors of covariance V.

    .. math:: p(X) = \frac{(\det X)^{(ν - p - 1) / 2} e^{-\operatorname{tr}(V^{-1} X) / 2}}
              {2^{ν p / 2} (\det V)^{ν / 2} Γ_p(ν / 2)}

    Args:
        df (Tensor or float): ν, above p - 1.
        covariance_matrix (Tensor): V, ``(..., p, p)``.
        precision_matrix (Tensor): :math:`V^{-1}`, instead of V.
        scale_tril (Tensor): the Cholesky factor of V, instead of V.
        validate_args (bool, optional): see Distribution.

    Raises:
        ValueError: not exactly one of the three matrices, too few dimensions, or ν too small.

    Example:
        >>> import kagari
        >>> kagari.distributions.Wishart(kagari.tensor(3.0), kagari.eye(2)).mean
        tensor([[3., 0.],
                [0., 3.]])

    Reference: https://en.wikipedia.org/wiki/Wishart_distribution
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given: dict[str, Tensor] = {}
        for key, value in (
            ("covariance_matrix", covariance_matrix),
            ("precision_matrix", precision_matrix),
            ("scale_tril", scale_tril),
        ):
            if value is not None:
                given[key] = value
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, param),) = given.items()
        if param.dim() < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, "
                "with optional leading batch dimensions"
            )
        if isinstance(df, Number):
            df = kagari.tensor(df, dtype=param.dtype, device=param.device)
            batch = param.shape[:-2]
        else:
            batch = kagari.broadcast_shapes(param.shape[:-2], df.shape)
        event = param.shape[-2:]
        self.df = df.expand(batch)
        setattr(self, name, param.expand((*batch, -1, -1)))
        if self.df.le(event[-1] - 1).any():
            raise ValueError(
                f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}."
            )
        self._batch_shape, self._event_shape = kagari.Size(batch), kagari.Size(event)
        super().__init__(batch, event, validate_args=validate_args)
        if self.df.lt(event[-1]).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        if scale_tril is not None:
            self._unbroadcasted_scale_tril = scale_tril
        elif covariance_matrix is not None:
            self._unbroadcasted_scale_tril = kagari.linalg.cholesky(covariance_matrix)
        else:
            self._unbroadcasted_scale_tril = _precision_to_scale_tril(param)
        # Bartlett: the squared diagonal of a standard sample's factor is χ² of falling freedom.
        falling = kagari.arange(
            self._event_shape[-1],
            dtype=self._unbroadcasted_scale_tril.dtype,
            device=self._unbroadcasted_scale_tril.device,
        )
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - falling.expand((*self._batch_shape, -1)))

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Wishart, _instance)
        batch = kagari.Size(batch_shape)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril.expand(
            batch + self.event_shape
        )
        new.df = self.df.expand(batch)
        new._dist_chi2 = self._dist_chi2.expand((*batch, self.event_shape[-1]))
        for name in ("covariance_matrix", "scale_tril", "precision_matrix"):
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand(batch + self.event_shape))
        super(Wishart, new).__init__(batch, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._unbroadcasted_scale_tril.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        L = self._unbroadcasted_scale_tril
        return (L @ L.mT).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        L = self._unbroadcasted_scale_tril
        identity = kagari.eye(self._event_shape[-1], device=L.device, dtype=L.dtype)
        return kagari.cholesky_solve(identity, L).expand(self._batch_shape + self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.df.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = factor.masked_fill(factor <= 0, kagari.nan)
        return factor.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        V = self.covariance_matrix
        diagonal = V.diagonal(dim1=-2, dim2=-1)
        products = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.view((*self._batch_shape, 1, 1)) * (V.pow(2) + products)

    def _bartlett_sampling(self, sample_shape: Shape = ()) -> Tensor:
        p = self._event_shape[-1]
        chi2 = self._dist_chi2.rsample(sample_shape)
        noise = _clamp_above_eps(chi2.sqrt()).diag_embed(dim1=-2, dim2=-1)
        rows, columns = kagari.tril_indices(p, p, offset=-1)
        noise[..., rows, columns] = kagari.randn(
            (*sample_shape, *self._batch_shape, p * (p - 1) // 2),
            dtype=noise.dtype,
            device=noise.device,
        )
        chol = self._unbroadcasted_scale_tril @ noise
        return chol @ chol.mT

    def rsample(self, sample_shape: Shape = (), max_try_correction: int | None = None) -> Tensor:
        """Draws with gradients; those that rounding left singular are drawn again.

        Args:
            sample_shape (Size): see Distribution.
            max_try_correction (int, optional): how often, at most; 10 by default.
        """
        tries = 10 if max_try_correction is None else max_try_correction
        sample_shape = kagari.Size(sample_shape)
        sample = self._bartlett_sampling(sample_shape)
        singular = self._singular(sample)
        if singular.any():
            warnings.warn("Singular sample detected.", stacklevel=2)
            for _ in range(tries):
                again = self._bartlett_sampling((int(singular.sum()),))
                sample[singular] = again
                still = kagari.zeros_like(singular)
                still[singular] = self._singular(again)
                singular = still
                if not singular.any():
                    break
        return sample

    def _singular(self, sample: Tensor) -> Tensor:
        """Which draws of the batch hold a matrix that is not positive definite."""
        bad = self.support.check(sample).logical_not()
        batch = len(self._batch_shape)
        return bad.reshape((*bad.shape[: bad.dim() - batch], -1)).any(-1) if batch else bad

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        nu = self.df
        p = self._event_shape[-1]
        L = self._unbroadcasted_scale_tril
        log_det_root = L.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        trace = kagari.cholesky_solve(value, L).diagonal(dim1=-2, dim2=-1).sum(-1)
        return (
            -nu * (p * _log_2 / 2 + log_det_root)
            - kagari.mvlgamma(nu / 2, p=p)
            + (nu - p - 1) / 2 * kagari.linalg.slogdet(value).logabsdet
            - trace / 2
        )

    def entropy(self) -> Tensor:
        nu = self.df
        p = self._event_shape[-1]
        log_det_root = self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return (
            (p + 1) * (p * _log_2 / 2 + log_det_root)
            + kagari.mvlgamma(nu / 2, p=p)
            - (nu - p - 1) / 2 * _mvdigamma(nu / 2, p=p)
            + nu * p / 2
        )

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        nu = self.df
        return -self.precision_matrix / 2, (nu - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        p = self._event_shape[-1]
        half = y + (p + 1) / 2
        log_det = kagari.linalg.slogdet(-2 * x).logabsdet
        return half * (-log_det + _log_2 * p) + kagari.mvlgamma(half, p=p)
