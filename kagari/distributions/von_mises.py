"""The von Mises distribution: the normal distribution's likeness on a circle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import kagari
from kagari.distributions import constraints
from kagari.distributions.distribution import Distribution
from kagari.distributions.utils import Shape, broadcast_all, lazy_property

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["VonMises"]

# Abramowitz and Stegun 9.8.1 to 9.8.4: the modified Bessel functions I₀ and I₁ below and above
# 3.75, to seven digits.
_SMALL = (
    (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2),
    (0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3),
)
_LARGE = (
    (0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2, -0.2057706e-1, 0.2635537e-1,
     -0.1647633e-1, 0.392377e-2),
    (0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1, 0.2282967e-1,
     -0.2895312e-1, 0.1787654e-1, -0.420059e-2),
)  # fmt: skip


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    result: Any = 0.0
    for c in reversed(coefficients):
        result = c + x * result
    value: Tensor = result
    return value


def _log_modified_bessel_fn(x: Tensor, order: int = 0) -> Tensor:
    """The logarithm of I₀ or I₁ for positive x."""
    small = _polynomial((x / 3.75) ** 2, _SMALL[order])
    if order == 1:
        small = x.abs() * small
    large = x - 0.5 * x.log() + _polynomial(3.75 / x, _LARGE[order]).log()
    return kagari.where(x < 3.75, small.log(), large)


class VonMises(Distribution):
    r"""Angles around μ, gathered as κ grows.

    .. math:: p(x) = \frac{e^{κ \cos(x - μ)}}{2π I_0(κ)}

    Angles are in radians; samples lie between -π and π. Sampling has no gradient.

    Args:
        loc (Tensor): μ.
        concentration (Tensor): κ, like the inverse of a variance.
        validate_args (bool, optional): see Distribution.

    Example:
        >>> import kagari
        >>> kagari.distributions.VonMises(kagari.zeros(1), kagari.ones(1)).variance
        tensor([0.5536])

    Reference: https://en.wikipedia.org/wiki/Von_Mises_distribution; sampling: Best and Fisher,
    Efficient simulation of the von Mises distribution, 1979.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        return self._expand_parameters(VonMises, batch_shape, _instance)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return (
            self.concentration * (value - self.loc).cos()
            - math.log(2 * math.pi)
            - _log_modified_bessel_fn(self.concentration, order=0)
        )

    @lazy_property
    def _loc(self) -> Tensor:
        return self.loc.to(kagari.double)

    @lazy_property
    def _concentration(self) -> Tensor:
        return self.concentration.to(kagari.double)

    @lazy_property
    def _proposal_r(self) -> Tensor:
        """The parameter of the wrapped Cauchy envelope."""
        kappa = self._concentration
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        exact = (1 + rho**2) / (2 * rho)
        # For small κ the roots cancel: a series.
        return kagari.where(kappa < 1e-5, 1 / kappa + kappa, exact)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with kagari.no_grad():
            shape = self._extended_shape(sample_shape)
            kappa = self._concentration.expand(shape)
            r = self._proposal_r.expand(shape)
            x = kagari.empty(shape, dtype=self._loc.dtype, device=self.loc.device)
            done = kagari.zeros(x.shape, dtype=kagari.bool, device=self.loc.device)
            while not done.all():
                u1, u2, u3 = kagari.rand((3, *shape), dtype=x.dtype, device=x.device).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                if accept.any():
                    x = kagari.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                    done = done | accept
            x = (x + math.pi + self._loc) % (2 * math.pi) - math.pi
            return x.to(self.loc.dtype)

    @property
    def mean(self) -> Tensor:
        """The circular mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The circular variance, 1 - I₁(κ) / I₀(κ)."""
        kappa = self.concentration
        ratio = _log_modified_bessel_fn(kappa, order=1) - _log_modified_bessel_fn(kappa, order=0)
        return 1 - ratio.exp()
