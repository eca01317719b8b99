"""Special functions: values computed in 40 digits, edges, gradients to second order, errors."""

from __future__ import annotations

import math

import pytest

import kagari
from kagari.autograd import gradcheck, gradgradcheck

special = kagari.special
inf, nan = math.inf, math.nan

# name, arguments, value
VALUES = [
    ("airy_ai", (-40.5,), 0.03908260279582711),
    ("airy_ai", (-7.25,), 0.32374057321118616),
    ("airy_ai", (-3.5,), -0.37553382314043193),
    ("airy_ai", (-1.0,), 0.5355608832923521),
    ("airy_ai", (0.0,), 0.3550280538878172),
    ("airy_ai", (1.5,), 0.07174949700810541),
    ("airy_ai", (6.0,), 9.947694360252889e-06),
    ("airy_ai", (30.0,), 3.2082175915504954e-49),
    ("bessel_j0", (-12.0,), 0.047689310796833535),
    ("bessel_j0", (0.0,), 1.0),
    ("bessel_j0", (0.5,), 0.9384698072408129),
    ("bessel_j0", (7.5,), 0.2663396578803784),
    ("bessel_j0", (8.5,), 0.041939251842934504),
    ("bessel_j0", (100.0,), 0.019985850304223122),
    ("bessel_j1", (-12.0,), 0.2234471044906276),
    ("bessel_j1", (0.5,), 0.2422684576748739),
    ("bessel_j1", (7.5,), 0.1352484275797055),
    ("bessel_j1", (8.5,), 0.2731219636740537),
    ("bessel_j1", (100.0,), -0.07714535201411216),
    ("bessel_y0", (0.001,), -4.471416611375923),
    ("bessel_y0", (0.5,), -0.44451873350670656),
    ("bessel_y0", (7.5,), 0.11731328614820863),
    ("bessel_y0", (8.5,), 0.27020510536578746),
    ("bessel_y0", (100.0,), -0.07724431336508315),
    ("bessel_y1", (0.001,), -636.6221672311394),
    ("bessel_y1", (0.5,), -1.471472392670243),
    ("bessel_y1", (7.5,), -0.25912851048611624),
    ("bessel_y1", (8.5,), -0.02616867939853747),
    ("bessel_y1", (100.0,), -0.020372312002759792),
    ("entr", (0.25,), 0.34657359027997264),
    ("entr", (3.0,), -3.295836866004329),
    ("erfcx", (-5.0,), 144009798674.66104),
    ("erfcx", (-0.5,), 1.952360489182557),
    ("erfcx", (0.5,), 0.6156903441929259),
    ("erfcx", (4.0,), 0.13699945762506138),
    ("erfcx", (60.0,), 0.009401854275176388),
    ("erfcx", (1000000.0,), 5.641895835474742e-07),
    ("i0", (-9.0,), 1093.5883545113747),
    ("i0", (0.0,), 1.0),
    ("i0", (0.5,), 1.0634833707413236),
    ("i0", (7.5,), 268.16131151518937),
    ("i0", (30.0,), 781672297823.9775),
    ("i0e", (-9.0,), 0.134959524581723),
    ("i0e", (0.0,), 1.0),
    ("i0e", (0.5,), 0.6450352704491501),
    ("i0e", (7.5,), 0.14831583007739552),
    ("i0e", (300.0,), 0.02304255841508546),
    ("i1", (-9.0,), -1030.9147225169565),
    ("i1", (0.5,), 0.2578943053908963),
    ("i1", (7.5,), 249.58436542268814),
    ("i1", (30.0,), 768532038938.957),
    ("i1e", (-9.0,), -0.1272249839358912),
    ("i1e", (0.5,), 0.1564208031848717),
    ("i1e", (7.5,), 0.1380412115485542),
    ("i1e", (300.0,), 0.02300412204026895),
    ("log_ndtr", (-30.0,), -454.3212439563432),
    ("log_ndtr", (-1.5,), -2.7059444008238898),
    ("log_ndtr", (-0.5,), -1.1759117615936185),
    ("log_ndtr", (2.0,), -0.02301290932896349),
    ("modified_bessel_k0", (0.25,), 1.5415067512483027),
    ("modified_bessel_k0", (1.5,), 0.21380556264752573),
    ("modified_bessel_k0", (2.5,), 0.06234755320036619),
    ("modified_bessel_k0", (60.0,), 1.4138978405591078e-27),
    ("modified_bessel_k1", (0.25,), 3.7470259744407115),
    ("modified_bessel_k1", (1.5,), 0.2773878004568438),
    ("modified_bessel_k1", (2.5,), 0.07389081634774707),
    ("modified_bessel_k1", (60.0,), 1.4256320265171043e-27),
    ("ndtr", (-10.0,), 7.619853024160525e-24),
    ("ndtr", (-0.5,), 0.3085375387259869),
    ("ndtr", (0.0,), 0.5),
    ("ndtr", (2.0,), 0.9772498680518208),
    ("ndtri", (0.001,), -3.0902323061678136),
    ("ndtri", (0.25,), -0.6744897501960817),
    ("ndtri", (0.75,), 0.6744897501960817),
    ("ndtri", (0.999,), 3.090232306167813),
    ("scaled_modified_bessel_k0", (0.25,), 1.9793338485985688),
    ("scaled_modified_bessel_k0", (2.5,), 0.7595486903280996),
    ("scaled_modified_bessel_k0", (900.0,), 0.04177133915254879),
    ("scaled_modified_bessel_k1", (0.25,), 4.811276588171025),
    ("scaled_modified_bessel_k1", (2.5,), 0.900174423907878),
    ("scaled_modified_bessel_k1", (900.0,), 0.041794539013033705),
    ("sinc", (-2.5,), 0.12732395447351627),
    ("sinc", (0.25,), 0.9003163161571061),
    ("spherical_bessel_j0", (0.125,), 0.9973978670818215),
    ("spherical_bessel_j0", (20.0,), 0.045647262536381385),
    ("gammainc", (0.5, 0.25), 0.5204998778130465),
    ("gammainc", (3.0, 9.0), 0.9937678048936227),
    ("gammainc", (30.0, 28.0), 0.3773896943143976),
    ("gammainc", (400.0, 440.0), 0.9746200375679857),
    ("gammainc", (5.0, 0.01), 8.264185641806499e-13),
    ("gammaincc", (1e-08, 0.5), 5.597735977099587e-09),
    ("gammaincc", (0.5, 0.25), 0.4795001221869535),
    ("gammaincc", (3.0, 9.0), 0.006232195106377317),
    ("gammaincc", (30.0, 28.0), 0.6226103056856024),
    ("gammaincc", (400.0, 440.0), 0.02537996243201434),
    ("gammaincc", (1000.0, 2000.0), 6.847349459614753e-136),
    ("zeta", (2.0, 1.0), 1.6449340668482264),
    ("zeta", (1.5, 3.25), 1.2012173113703717),
    ("zeta", (5.0, 0.5), 32.144760409444466),
    ("polygamma", (1.0, 0.5), 4.934802200544679),
    ("polygamma", (3.0, 2.25), 0.32454400918839604),
    ("chebyshev_polynomial_t", (0.25, 6.0), -0.0546875),
    ("shifted_chebyshev_polynomial_t", (0.625, 6.0), -0.0546875),
    ("chebyshev_polynomial_t", (1.5, 5.0), 61.5),
    ("shifted_chebyshev_polynomial_t", (1.25, 5.0), 61.5),
    ("chebyshev_polynomial_t", (-0.625, 150.0), -0.7393007236302808),
    ("shifted_chebyshev_polynomial_t", (0.1875, 150.0), -0.7393007236302808),
    ("chebyshev_polynomial_t", (1.0625, 120.0), 1.0712304603732196e18),
    ("shifted_chebyshev_polynomial_t", (1.03125, 120.0), 1.0712304603732196e18),
    ("chebyshev_polynomial_u", (0.25, 6.0), 0.203125),
    ("shifted_chebyshev_polynomial_u", (0.625, 6.0), 0.203125),
    ("chebyshev_polynomial_u", (1.5, 5.0), 144.0),
    ("shifted_chebyshev_polynomial_u", (1.25, 5.0), 144.0),
    ("chebyshev_polynomial_u", (-0.625, 150.0), -0.2001689191616713),
    ("shifted_chebyshev_polynomial_u", (0.1875, 150.0), -0.2001689191616713),
    ("chebyshev_polynomial_u", (1.0625, 120.0), 4.241344348385143e18),
    ("shifted_chebyshev_polynomial_u", (1.03125, 120.0), 4.241344348385143e18),
    ("chebyshev_polynomial_v", (0.25, 6.0), -0.828125),
    ("shifted_chebyshev_polynomial_v", (0.625, 6.0), -0.828125),
    ("chebyshev_polynomial_v", (1.5, 5.0), 89.0),
    ("shifted_chebyshev_polynomial_v", (1.25, 5.0), 89.0),
    ("chebyshev_polynomial_v", (-0.625, 150.0), 0.6624419679881038),
    ("shifted_chebyshev_polynomial_v", (0.1875, 150.0), 0.6624419679881038),
    ("chebyshev_polynomial_v", (1.0625, 120.0), 1.2577077479033326e18),
    ("shifted_chebyshev_polynomial_v", (1.03125, 120.0), 1.2577077479033326e18),
    ("chebyshev_polynomial_w", (0.25, 6.0), 1.234375),
    ("shifted_chebyshev_polynomial_w", (0.625, 6.0), 1.234375),
    ("chebyshev_polynomial_w", (1.5, 5.0), 199.0),
    ("shifted_chebyshev_polynomial_w", (1.25, 5.0), 199.0),
    ("chebyshev_polynomial_w", (-0.625, 150.0), -1.0627798063114464),
    ("shifted_chebyshev_polynomial_w", (0.1875, 150.0), -1.0627798063114464),
    ("chebyshev_polynomial_w", (1.0625, 120.0), 7.224980948866952e18),
    ("shifted_chebyshev_polynomial_w", (1.03125, 120.0), 7.224980948866952e18),
    ("hermite_polynomial_h", (0.25, 6.0), -76.859375),
    ("hermite_polynomial_h", (1.5, 5.0), -117.0),
    ("hermite_polynomial_he", (0.25, 6.0), -12.245849609375),
    ("hermite_polynomial_he", (1.5, 5.0), -3.65625),
    ("laguerre_polynomial_l", (0.25, 6.0), -0.08094041612413194),
    ("laguerre_polynomial_l", (1.5, 5.0), 0.11640625),
    ("legendre_polynomial_p", (0.25, 6.0), 0.0242767333984375),
    ("legendre_polynomial_p", (1.5, 5.0), 33.08203125),
]
# Functions with many zeros are accurate against 1 (times the degree), not against their values.
OSCILLATE = ("airy_ai", "bessel", "chebyshev")

EDGES = [
    ("airy_ai", (inf,), 0.0),
    ("bessel_j0", (inf,), 0.0),
    ("bessel_j1", (0.0,), 0.0),
    ("bessel_y0", (0.0,), -inf),
    ("bessel_y0", (-1.0,), nan),
    ("bessel_y1", (0.0,), -inf),
    ("entr", (0.0,), 0.0),
    ("entr", (-1.0,), -inf),
    ("erfcx", (-30.0,), inf),
    ("erfcx", (inf,), 0.0),
    ("gammainc", (0.0, 1.0), 1.0),
    ("gammainc", (2.0, 0.0), 0.0),
    ("gammainc", (2.0, inf), 1.0),
    ("gammainc", (-1.0, 1.0), nan),
    ("gammaincc", (0.0, 0.0), nan),
    ("gammaincc", (2.0, 0.0), 1.0),
    ("gammaincc", (inf, 3.0), 1.0),
    ("i0", (-inf,), inf),
    ("i1", (0.0,), 0.0),
    ("i1e", (inf,), 0.0),
    ("log_ndtr", (-inf,), -inf),
    ("modified_bessel_k0", (0.0,), inf),
    ("modified_bessel_k1", (-1.0,), nan),
    ("ndtri", (0.0,), -inf),
    ("ndtri", (1.0,), inf),
    ("ndtri", (1.5,), nan),
    ("scaled_modified_bessel_k0", (inf,), 0.0),
    ("sinc", (0.0,), 1.0),
    ("spherical_bessel_j0", (0.0,), 1.0),
    ("spherical_bessel_j0", (inf,), 0.0),
    ("zeta", (1.0, 2.0), inf),
    ("zeta", (0.5, 2.0), nan),
    ("chebyshev_polynomial_u", (1.0, 200.0), 201.0),
    ("chebyshev_polynomial_w", (1.0, 200.0), 401.0),
    ("chebyshev_polynomial_v", (-1.0, 201.0), -403.0),
    ("hermite_polynomial_h", (2.0, -1.0), 0.0),
    ("laguerre_polynomial_l", (nan, 3.0), nan),
    ("legendre_polynomial_p", (0.5, 0.0), 1.0),
]

DIFFERENTIABLE = [
    ("airy_ai", [-6.5, -3.0, 0.5, 3.0]),
    ("bessel_j0", [-9.0, 0.5, 3.0]),
    ("bessel_j1", [-9.0, 0.5, 3.0]),
    ("bessel_y0", [0.5, 3.0, 9.0]),
    ("bessel_y1", [0.5, 3.0, 9.0]),
    ("digamma", [0.75, 3.0]),
    ("entr", [0.25, 2.0]),
    ("erfcx", [-0.5, 2.0]),
    ("i0", [-2.0, 0.5]),
    ("i0e", [-2.0, 0.5]),
    ("i1", [-2.0, 0.5]),
    ("i1e", [-2.0, 0.5]),
    ("log_ndtr", [-2.0, 0.5]),
    ("modified_bessel_k0", [0.5, 3.0]),
    ("modified_bessel_k1", [0.5, 3.0]),
    ("ndtr", [-2.0, 0.5]),
    ("ndtri", [0.125, 0.75]),
    ("scaled_modified_bessel_k0", [0.5, 3.0]),
    ("scaled_modified_bessel_k1", [0.5, 3.0]),
    ("sinc", [-1.25, 0.03, 0.75]),
    ("spherical_bessel_j0", [0.0, 0.125, 2.0]),
]
POLYNOMIALS = [name for name in special.__all__ if "polynomial" in name]


def call(name: str, args: tuple[float, ...], dtype: kagari.dtype) -> kagari.Tensor:
    if name == "polygamma":
        return special.polygamma(int(args[0]), kagari.tensor([args[1]], dtype=dtype))
    return getattr(special, name)(*(kagari.tensor([a], dtype=dtype) for a in args))


@pytest.mark.parametrize(("name", "args", "value"), VALUES)
def test_values(name: str, args: tuple[float, ...], value: float) -> None:
    floor = 5e-14 if any(word in name for word in OSCILLATE) else 0.0
    got = call(name, args, kagari.float64).item()
    assert got == pytest.approx(value, rel=4e-14, abs=floor)
    if 1e-30 < abs(value) < 1e30 and all(float(a).hex().endswith("00000p+0") for a in args[:1]):
        got = call(name, args, kagari.float32).item()
        assert got == pytest.approx(value, rel=1e-6, abs=1e-6 * bool(floor))


@pytest.mark.parametrize(("name", "args", "value"), EDGES)
@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64])
def test_edges(name: str, args: tuple[float, ...], value: float, dtype: kagari.dtype) -> None:
    assert call(name, args, dtype).item() == pytest.approx(value, nan_ok=True, rel=1e-6)


@pytest.mark.parametrize(("name", "points"), DIFFERENTIABLE)
def test_gradients(name: str, points: list[float]) -> None:
    x = kagari.tensor(points, dtype=kagari.float64, requires_grad=True)
    assert gradcheck(getattr(special, name), (x,))
    assert gradgradcheck(getattr(special, name), (x,))


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_gradients_of_polynomials(name: str) -> None:
    x = kagari.tensor([[-1.0], [0.25], [1.5]], dtype=kagari.float64, requires_grad=True)
    n = kagari.tensor([-2.0, 0.0, 1.0, 2.0, 5.0], dtype=kagari.float64)
    assert gradcheck(lambda t: getattr(special, name)(t, n), (x,))
    assert gradgradcheck(lambda t: getattr(special, name)(t, n), (x,))


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_gradient_of_the_incomplete_gamma_functions(name: str) -> None:
    a = kagari.tensor([0.5, 3.0, 30.0], dtype=kagari.float64)
    x = kagari.tensor([0.25, 4.0, 28.0], dtype=kagari.float64, requires_grad=True)
    assert gradcheck(lambda t: getattr(kagari, name)(a, t), (x,))
    assert gradgradcheck(lambda t: getattr(kagari, name)(a, t), (x,))
    with pytest.raises(NotImplementedError, match="derivative with respect to 'input'"):
        getattr(kagari, name)(a.requires_grad_(), x).sum().backward()


def test_gradients_at_zero() -> None:
    for name, slope in [("i1", 0.5), ("i1e", 0.5), ("bessel_j1", 0.5), ("sinc", 0.0)]:
        x = kagari.zeros(1, requires_grad=True)
        (g,) = kagari.autograd.grad(getattr(special, name)(x).sum(), x, create_graph=True)
        assert g.item() == slope
        g.sum().backward()
        assert x.grad.isfinite().all()


def test_complex_sinc() -> None:
    z = kagari.tensor([0.5 + 0.25j, 0j, 0.01j], dtype=kagari.complex128, requires_grad=True)
    assert kagari.sinc(z)[1].item() == 1
    assert gradcheck(kagari.sinc, (z,)) and gradgradcheck(kagari.sinc, (z,))


def test_integers_and_numbers() -> None:
    assert special.i0(kagari.tensor([0])).dtype == kagari.float32
    assert special.zeta(2, kagari.tensor([1.0])).item() == pytest.approx(math.pi**2 / 6)
    assert special.hermite_polynomial_h(kagari.tensor([2]), 3).tolist() == [40.0]
    out = kagari.empty(1)
    assert special.legendre_polynomial_p(kagari.tensor([0.5]), 2, out=out) is out
    assert out.item() == -0.125
    with pytest.raises(TypeError):
        special.zeta(2, 3)
    with pytest.raises(NotImplementedError):
        kagari.igamma(kagari.tensor([1]), kagari.tensor([2]))


def test_mvlgamma() -> None:
    x = kagari.tensor([2.5, 4.0], dtype=kagari.float64, requires_grad=True)
    want = [math.log(math.pi) / 2 + math.lgamma(v) + math.lgamma(v - 0.5) for v in (2.5, 4.0)]
    assert special.multigammaln(x, 2).tolist() == pytest.approx(want)
    assert x.detach().mvlgamma_(2).tolist() == pytest.approx(want)
    assert gradcheck(lambda t: t.mvlgamma(2), (x,))
    with pytest.raises(RuntimeError, match="p has to be greater than or equal to 1"):
        x.mvlgamma(0)


def test_names() -> None:
    assert special.erf is kagari.special_erf and not hasattr(kagari.Tensor, "special_erf")
    assert "special_erf" not in kagari.__all__
    x = kagari.tensor([0.5])
    assert special.expit(x).equal(kagari.sigmoid(x)) and special.psi(x).equal(kagari.digamma(x))
    assert special.softmax(x, 0).equal(kagari.softmax(x, 0))
    assert kagari.rad2deg(kagari.deg2rad(kagari.tensor([180]))).item() == pytest.approx(180.0)
