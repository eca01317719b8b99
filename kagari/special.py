"""Special functions: the ops whose names begin with `special_`."""

from __future__ import annotations

from kagari._core import functions as _functions

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]

airy_ai = _functions.special_airy_ai
bessel_j0 = _functions.special_bessel_j0
bessel_j1 = _functions.special_bessel_j1
bessel_y0 = _functions.special_bessel_y0
bessel_y1 = _functions.special_bessel_y1
chebyshev_polynomial_t = _functions.special_chebyshev_polynomial_t
chebyshev_polynomial_u = _functions.special_chebyshev_polynomial_u
chebyshev_polynomial_v = _functions.special_chebyshev_polynomial_v
chebyshev_polynomial_w = _functions.special_chebyshev_polynomial_w
digamma = _functions.special_digamma
entr = _functions.special_entr
erf = _functions.special_erf
erfc = _functions.special_erfc
erfcx = _functions.special_erfcx
erfinv = _functions.special_erfinv
exp2 = _functions.special_exp2
expit = _functions.special_expit
expm1 = _functions.special_expm1
gammainc = _functions.special_gammainc
gammaincc = _functions.special_gammaincc
gammaln = _functions.special_gammaln
hermite_polynomial_h = _functions.special_hermite_polynomial_h
hermite_polynomial_he = _functions.special_hermite_polynomial_he
i0 = _functions.special_i0
i0e = _functions.special_i0e
i1 = _functions.special_i1
i1e = _functions.special_i1e
laguerre_polynomial_l = _functions.special_laguerre_polynomial_l
legendre_polynomial_p = _functions.special_legendre_polynomial_p
log1p = _functions.special_log1p
log_ndtr = _functions.special_log_ndtr
log_softmax = _functions.special_log_softmax
logit = _functions.special_logit
logsumexp = _functions.special_logsumexp
modified_bessel_i0 = _functions.special_modified_bessel_i0
modified_bessel_i1 = _functions.special_modified_bessel_i1
modified_bessel_k0 = _functions.special_modified_bessel_k0
modified_bessel_k1 = _functions.special_modified_bessel_k1
multigammaln = _functions.special_multigammaln
ndtr = _functions.special_ndtr
ndtri = _functions.special_ndtri
polygamma = _functions.special_polygamma
psi = _functions.special_psi
round = _functions.special_round
scaled_modified_bessel_k0 = _functions.special_scaled_modified_bessel_k0
scaled_modified_bessel_k1 = _functions.special_scaled_modified_bessel_k1
shifted_chebyshev_polynomial_t = _functions.special_shifted_chebyshev_polynomial_t
shifted_chebyshev_polynomial_u = _functions.special_shifted_chebyshev_polynomial_u
shifted_chebyshev_polynomial_v = _functions.special_shifted_chebyshev_polynomial_v
shifted_chebyshev_polynomial_w = _functions.special_shifted_chebyshev_polynomial_w
sinc = _functions.special_sinc
softmax = _functions.special_softmax
spherical_bessel_j0 = _functions.special_spherical_bessel_j0
xlog1py = _functions.special_xlog1py
xlogy = _functions.special_xlogy
zeta = _functions.special_zeta
