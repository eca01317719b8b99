"""Special functions: error, gamma, Bessel and entropy functions, element by element."""

from kagari._docs.entry import Family

BROADCAST = "RuntimeError: the shapes do not broadcast."

doc = Family(
    "Special functions",
    returns="A floating tensor of the input's shape, or of the shape the inputs broadcast to.",
)

# ---- the error function and the normal distribution ---------------------------------------------

doc(
    "erf",
    r"y_i = \frac{2}{\sqrt{\pi}} \int_0^{x_i} e^{-t^2} \, dt",
    """
    >>> kagari.erf(kagari.tensor([0.0, 0.5, 3.0]))
    tensor([0.0000, 0.5205, 1.0000])
    """,
)
doc(
    "erfc",
    r"y_i = \frac{2}{\sqrt{\pi}} \int_{x_i}^\infty e^{-t^2} \, dt",
    """
    >>> kagari.erfc(kagari.tensor([0.0, 5.0]))
    tensor([1.0000e+00, 1.5375e-12])
    """,
)
doc(
    "special_erfcx",
    r"y_i = e^{x_i^2} \, \mathrm{erfc}(x_i)",
    """
    >>> kagari.special.erfcx(kagari.tensor([0.0, 50.0]))
    tensor([1.0000, 0.0113])
    """,
    note="Where erfc has long become zero this is about 1 / (√π x).",
)
doc(
    "erfinv",
    r"\mathrm{erf}(y_i) = x_i",
    """
    >>> kagari.erfinv(kagari.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.4769,    inf])
    """,
    note="±inf at ±1, NaN outside.",
)
doc(
    "special_ndtr",
    r"y_i = \Phi(x_i) = \frac{1}{\sqrt{2 \pi}} \int_{-\infty}^{x_i} e^{-t^2 / 2} \, dt",
    """
    >>> kagari.special.ndtr(kagari.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """,
)
doc(
    "special_ndtri",
    r"\Phi(y_i) = x_i",
    """
    >>> kagari.special.ndtri(kagari.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
    """,
    input="probabilities, of any shape.",
)
doc(
    "special_log_ndtr",
    r"y_i = \ln \Phi(x_i)",
    """
    >>> kagari.special.log_ndtr(kagari.tensor([0.0, -30.0]))
    tensor([  -0.6931, -454.3213])
    """,
)

# ---- gamma functions ----------------------------------------------------------------------------

doc(
    "lgamma",
    r"y_i = \ln |\Gamma(x_i)|",
    """
    >>> kagari.lgamma(kagari.tensor([1.0, 5.0, 0.5]))
    tensor([0.0000, 3.1781, 0.5724])
    """,
    note="+inf at zero and the negative integers.",
)
doc(
    "digamma",
    r"y_i = \psi(x_i) = \frac{\Gamma'(x_i)}{\Gamma(x_i)}",
    """
    >>> kagari.digamma(kagari.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """,
)
doc(
    "polygamma",
    r"y_i = \psi^{(n)}(x_i)",
    """
    >>> kagari.polygamma(1, kagari.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """,
    n="the order, zero or above; 0 is digamma.",
    raises="RuntimeError: ``n`` is negative.",
)
doc(
    "igamma",
    r"y = \frac{1}{\Gamma(a)} \int_0^x t^{a - 1} e^{-t} \, dt",
    """
    >>> kagari.igamma(kagari.tensor([1.0, 4.0]), kagari.tensor([1.0, 4.0]))
    tensor([0.6321, 0.5665])
    """,
    note="Differentiable in ``other`` alone.",
    input="a, positive.",
    other="x, not negative; broadcasts with ``input``.",
    raises=BROADCAST,
)
doc(
    "igammac",
    r"y = \frac{1}{\Gamma(a)} \int_x^\infty t^{a - 1} e^{-t} \, dt",
    """
    >>> kagari.igammac(kagari.tensor([1.0, 4.0]), kagari.tensor([1.0, 4.0]))
    tensor([0.3679, 0.4335])
    """,
    note="Differentiable in ``other`` alone.",
    input="a, positive.",
    other="x, not negative; broadcasts with ``input``.",
    raises=BROADCAST,
)
doc(
    "special_zeta",
    r"y = \sum_{k = 0}^\infty \frac{1}{(k + q)^s}",
    """
    >>> kagari.special.zeta(kagari.tensor([2.0, 4.0]), kagari.tensor([1.0]))
    tensor([1.6449, 1.0823])
    """,
    note="Differentiable in ``other`` alone.",
    input="the exponent s, above one.",
    other="the shift q; broadcasts with ``input``.",
    raises=BROADCAST,
)

# ---- logarithms and entropy ---------------------------------------------------------------------

doc(
    "logit",
    r"y_i = \ln \frac{x_i}{1 - x_i}",
    """
    >>> kagari.logit(kagari.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    >>> kagari.logit(kagari.tensor([0.0, 1.0]), eps=1e-6)
    tensor([-13.8155,  13.8023])
    """,
    input="probabilities, of any shape.",
    eps="limits the input to [eps, 1 - eps]; None: no limit, NaN outside [0, 1].",
)
doc(
    "xlogy",
    r"y_i = x_i \ln z_i",
    """
    >>> kagari.xlogy(kagari.tensor([0.0, 2.0]), kagari.tensor([0.0, 3.0]))
    tensor([0.0000, 2.1972])
    """,
    raises=BROADCAST,
)
doc(
    "special_xlog1py",
    r"y_i = x_i \ln(1 + z_i)",
    """
    >>> kagari.special.xlog1py(kagari.tensor([0.0, 2.0]), kagari.tensor([-1.0, 1e-8]))
    tensor([0.0000e+00, 2.0000e-08])
    """,
    raises=BROADCAST,
)
doc(
    "special_entr",
    r"y_i = -x_i \ln x_i",
    """
    >>> kagari.special.entr(kagari.tensor([0.0, 0.5, -1.0]))
    tensor([0.0000, 0.3466,   -inf])
    """,
)

# ---- Bessel and Airy functions ------------------------------------------------------------------

doc(
    "i0",
    r"y_i = I_0(x_i) = \sum_{k = 0}^\infty \frac{(x_i^2 / 4)^k}{(k!)^2}",
    """
    >>> kagari.i0(kagari.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """,
)
doc(
    "special_i0e",
    r"y_i = e^{-|x_i|} I_0(x_i)",
    """
    >>> kagari.special.i0e(kagari.tensor([0.0, 100.0]))
    tensor([1.0000, 0.0399])
    """,
)
doc(
    "special_i1",
    r"y_i = I_1(x_i) = \frac{x_i}{2} \sum_{k = 0}^\infty \frac{(x_i^2 / 4)^k}{k! \, (k + 1)!}",
    """
    >>> kagari.special.i1(kagari.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """,
)
doc(
    "special_i1e",
    r"y_i = e^{-|x_i|} I_1(x_i)",
    """
    >>> kagari.special.i1e(kagari.tensor([0.0, 100.0]))
    tensor([0.0000, 0.0397])
    """,
)
doc(
    "special_bessel_j0",
    r"y_i = J_0(x_i) = \sum_{k = 0}^\infty \frac{(-x_i^2 / 4)^k}{(k!)^2}",
    """
    >>> kagari.special.bessel_j0(kagari.tensor([0.0, 2.0]))
    tensor([1.0000, 0.2239])
    """,
)
doc(
    "special_bessel_j1",
    r"y_i = J_1(x_i) = -J_0'(x_i)",
    """
    >>> kagari.special.bessel_j1(kagari.tensor([0.0, 1.0]))
    tensor([0.0000, 0.4401])
    """,
)
doc(
    "special_bessel_y0",
    r"y_i = Y_0(x_i)",
    """
    >>> kagari.special.bessel_y0(kagari.tensor([0.0, 1.0]))
    tensor([  -inf, 0.0883])
    """,
    note="The solution of Bessel's equation of order 0 that goes to -inf at zero; NaN below.",
)
doc(
    "special_bessel_y1",
    r"y_i = Y_1(x_i) = -Y_0'(x_i)",
    """
    >>> kagari.special.bessel_y1(kagari.tensor([0.0, 1.0]))
    tensor([   -inf, -0.7812])
    """,
    note="-inf at zero, NaN below.",
)
doc(
    "special_modified_bessel_k0",
    r"y_i = K_0(x_i) = \int_0^\infty e^{-x_i \cosh t} \, dt",
    """
    >>> kagari.special.modified_bessel_k0(kagari.tensor([0.0, 1.0]))
    tensor([   inf, 0.4210])
    """,
)
doc(
    "special_modified_bessel_k1",
    r"y_i = K_1(x_i) = -K_0'(x_i)",
    """
    >>> kagari.special.modified_bessel_k1(kagari.tensor([0.0, 1.0]))
    tensor([   inf, 0.6019])
    """,
)
doc(
    "special_scaled_modified_bessel_k0",
    r"y_i = e^{x_i} K_0(x_i)",
    """
    >>> kagari.special.scaled_modified_bessel_k0(kagari.tensor([1.0, 100.0]))
    tensor([1.1445, 0.1252])
    """,
    x="any shape.",
)
doc(
    "special_scaled_modified_bessel_k1",
    r"y_i = e^{x_i} K_1(x_i)",
    """
    >>> kagari.special.scaled_modified_bessel_k1(kagari.tensor([1.0, 100.0]))
    tensor([1.6362, 0.1258])
    """,
    x="any shape.",
)
doc(
    "special_spherical_bessel_j0",
    r"y_i = \frac{\sin x_i}{x_i}",
    """
    >>> kagari.special.spherical_bessel_j0(kagari.tensor([0.0, 1.0]))
    tensor([1.0000, 0.8415])
    """,
)
doc(
    "special_airy_ai",
    r"y_i = \mathrm{Ai}(x_i) = \frac{1}{\pi} \int_0^\infty \cos(t^3 / 3 + x_i t) \, dt",
    """
    >>> kagari.special.airy_ai(kagari.tensor([0.0, 1.0]))
    tensor([0.3550, 0.1353])
    """,
    x="any shape.",
)
