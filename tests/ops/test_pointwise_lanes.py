"""Pointwise functions in vector lanes: exact where they must be, alike in body, tail and any layout."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kagari
from kagari import Tensor
from kagari.autograd import gradcheck, gradgradcheck

INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -3.0, 7.25, 1e-40, -1e-40, 1e30, -1e30, INF, -INF, NAN]


def bits(t: Tensor) -> np.ndarray:
    kinds = {1: kagari.uint8, 2: kagari.int16, 4: kagari.int32, 8: kagari.int64}
    if t.is_complex():
        t = kagari.view_as_real(t)
    return t.contiguous().view(kinds[t.element_size()]).numpy()


def pairs(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of special values, then numbers of near and of far magnitudes."""
    rng = np.random.default_rng(0)
    edge = [v for v in SPECIAL if dtype == "float64" or not 0 < abs(v) < 1e-37]
    x, y = (v.ravel() for v in np.meshgrid(edge, edge))
    near = rng.uniform(-20, 20, (2, 500))
    far = np.ldexp(rng.uniform(-1, 1, (2, 500)), rng.integers(-60, 60, (2, 500)))
    whole = rng.integers(-9, 9, (2, 200))
    a, b = np.concatenate([[x, y], near, far, whole], 1).astype(dtype)
    return a, b


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["fmod", "remainder", "floor_divide"])
def test_remainders_of_floats(name: str, dtype: str) -> None:
    a, b = pairs(dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, name)(a, b)
        if name == "floor_divide":
            want = np.where(b == 0, a / b, want)
    got = getattr(kagari, name)(kagari.from_numpy(a), kagari.from_numpy(b)).numpy()
    np.testing.assert_array_equal(got, want)
    if name != "floor_divide":
        kept = want == 0  # numpy gives a zero the divisor's sign, as Python does
        if name == "fmod":
            np.testing.assert_array_equal(np.signbit(got[kept]), np.signbit(a[kept]))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint64", "int8"])
def test_division_of_integers(dtype: str) -> None:
    rng = np.random.default_rng(1)
    info = np.iinfo(dtype)
    edge = [
        info.min,
        info.min + 1,
        info.max,
        info.max - 1,
        1,
        2,
        3,
        7,
        100,
        2**51,
        2**51 - 1,
        2**53,
    ]
    if info.min < 0:
        edge += [-1, -2, -7, -(2**51), 1 - 2**51]
    edge = [v for v in edge if info.min <= v <= info.max and v != 0]
    x, y = (v.ravel() for v in np.meshgrid(np.array(edge, dtype), np.array(edge, dtype)))
    top = min(info.max, 2**40)
    a = np.concatenate([x, rng.integers(0 if info.min == 0 else -top, top, 500).astype(dtype)])
    b = np.concatenate([y, rng.integers(1, min(top, 1000), 500).astype(dtype)])
    p, q = kagari.from_numpy(a), kagari.from_numpy(b)
    span = 2**info.bits

    def wrap(v: int) -> int:
        return (v - info.min) % span + info.min

    def trunc(m: int, n: int) -> int:
        return abs(m) // abs(n) * (1 if (m < 0) == (n < 0) else -1)

    cases: dict[str, tuple[Tensor, Callable[[int, int], int]]] = {
        "floor_divide": (kagari.floor_divide(p, q), lambda m, n: m // n),
        "trunc": (kagari.div(p, q, rounding_mode="trunc"), trunc),
        "fmod": (kagari.fmod(p, q), lambda m, n: m - n * trunc(m, n)),
        "remainder": (kagari.remainder(p, q), lambda m, n: m % n),
    }
    for name, (got, want) in cases.items():
        wanted = [wrap(want(int(m), int(n))) for m, n in zip(a, b, strict=True)]
        assert got.tolist() == wanted, name


@pytest.mark.parametrize("dtype", [kagari.int32, kagari.int64, kagari.uint8])
@pytest.mark.parametrize("n", [1, 9, 40])
def test_integers_are_not_divided_by_zero(dtype: Any, n: int) -> None:
    x, y = kagari.ones(n, dtype=dtype), kagari.ones(n, dtype=dtype)
    y[-1] = 0
    for f in (kagari.floor_divide, kagari.remainder, kagari.fmod):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            f(x, y)
        assert f(x, x).sum() >= 0


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_gcd(dtype: str) -> None:
    rng = np.random.default_rng(2)
    a = np.concatenate([[0, 0, 5, -12, 2**31 - 1, -(2**31)], rng.integers(-(10**6), 10**6, 500)])
    b = np.concatenate([[0, 7, 0, 18, 2**30, 6], rng.integers(-(10**4), 10**4, 500)])
    a, b = a.astype(dtype), b.astype(dtype)
    if dtype == "int64":
        a[-3:], b[-3:] = [2**62, 3**39, -(2**51)], [2**55 * 3, 3**37 * 2, 2**20]
    got = kagari.gcd(kagari.from_numpy(a), kagari.from_numpy(b)).tolist()
    assert got == [math.gcd(int(m), int(n)) for m, n in zip(a, b, strict=True)]


@pytest.mark.parametrize("dtype", [kagari.int32, kagari.int64, kagari.uint8])
def test_shifts_beyond_the_bits(dtype: Any) -> None:
    values = [5, 127, 1, 0, 64] if dtype is kagari.uint8 else [5, -5, 1 << 30, -(1 << 30), -1]
    counts = [0, 1, 7, 31, 32, 33, 63, 64, 65, 100]
    x = kagari.tensor(values, dtype=dtype)
    size = kagari.iinfo(dtype).bits if dtype is not kagari.uint8 else 32
    for c in counts:
        got = (x >> kagari.full_like(x, c)).tolist()
        assert got == [v >> min(c, size - 1) for v in values], c
        left = (x << kagari.full_like(x, c)).tolist()
        half, span = (0, 256) if dtype is kagari.uint8 else (1 << size - 1, 1 << size)
        want = [((v << c) + half) % span - half if c < size else 0 for v in values]
        assert left == want, c


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nextafter(dtype: str) -> None:
    a, b = pairs(dtype)
    info = np.finfo(dtype)
    a = np.concatenate([a, np.array([info.max, -info.max, info.tiny, -info.tiny, 0, 0], dtype)])
    b = np.concatenate([b, np.array([INF, -INF, 0, 0, 1, -1], dtype)])
    got = kagari.nextafter(kagari.from_numpy(a), kagari.from_numpy(b))
    with np.errstate(all="ignore"):
        want = np.nextafter(a, b)
    same = bits(got) == bits(kagari.from_numpy(want))
    assert (same | (np.isnan(want) & np.isnan(got.numpy()))).all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_arithmetic(dtype: str) -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.normal(size=(2, 37, 2)) @ [1, 1j]).astype(dtype)
    p, q = kagari.from_numpy(a), kagari.from_numpy(b)
    real = a.real.dtype
    tolerance = {"rtol": 4 * np.finfo(real).eps, "atol": 4 * np.finfo(real).eps}
    for f in (np.add, np.subtract, np.multiply):
        name = {"subtract": "sub", "multiply": "mul"}.get(f.__name__, f.__name__)
        g = getattr(kagari, name)
        for n in (1, 2, 3, 37):
            np.testing.assert_allclose(g(p[:n], q[:n]).numpy(), f(a[:n], b[:n]), **tolerance)
        for x, y, u, v in (
            (p[::3], q[:13], a[::3], b[:13]),
            (p, q[4], a, b[4]),
            (p[5], q, a[5], b),
        ):
            np.testing.assert_allclose(g(x, y).numpy(), f(u, v), **tolerance)
        np.testing.assert_allclose(g(p, 2 - 1j).numpy(), f(a, np.array(2 - 1j, dtype)), **tolerance)
        alone = kagari.cat([g(x, y) for x, y in zip(p.split(1), q.split(1), strict=True)])
        np.testing.assert_array_equal(bits(alone), bits(g(p, q)))
    for name in ("abs", "angle"):
        g = getattr(kagari, name)
        for n in (1, 2, 5, 37):
            np.testing.assert_allclose(g(p[:n]).numpy(), getattr(np, name)(a[:n]), **tolerance)
        np.testing.assert_array_equal(bits(g(p)[::3]), bits(g(p[::3])))
        assert g(p).dtype == p.real.dtype and g(p[:0]).numel() == 0


def test_complex_magnitudes_neither_overflow_nor_underflow() -> None:
    values = [3e38 + 1e38j, 1e-45 + 0j, complex(INF, NAN), complex(NAN, -INF), 0j, complex(NAN, 1)]
    z = kagari.tensor(values, dtype=kagari.complex64)
    want = np.abs(np.array(values[:2]).astype(np.complex64).astype(complex))
    np.testing.assert_allclose(z[:2].abs().numpy(), want, rtol=2e-7)
    assert z[2:5].abs().tolist() == [INF, INF, 0] and math.isnan(z[5].abs().item())
    edges = kagari.tensor([-1 + 0j, complex(-1, -0.0), complex(-0.0, 0.0), complex(INF, -INF)])
    np.testing.assert_allclose(
        edges.angle().numpy(), [math.pi, -math.pi, math.pi, -math.pi / 4], rtol=1e-6
    )


@pytest.mark.parametrize("dtype", [kagari.float16, kagari.bfloat16], ids=str)
def test_signs_of_short_floats(dtype: Any) -> None:
    x = kagari.arange(-(2**15), 2**15).to(kagari.int16).view(dtype)
    u = bits(x).astype(np.uint16)
    np.testing.assert_array_equal(bits(-x).astype(np.uint16), u ^ 0x8000)
    np.testing.assert_array_equal(bits(x.abs()).astype(np.uint16), u & 0x7FFF)
    for part in (x[5:22], x[::7], x.view(256, 256).t(), x[3], x[:1]):
        np.testing.assert_array_equal(bits(-part), bits(part) ^ -0x8000)
        np.testing.assert_array_equal(bits(part.abs()), bits(part) & 0x7FFF)
    y = x[:40].clone()
    assert y.neg_() is y and bits(y).tolist() == bits(-x[:40]).tolist()
    assert kagari.abs(x[:40], out=kagari.empty(40, dtype=dtype)).dtype == dtype


def test_floats_become_bfloat16_by_rounding_to_even() -> None:
    rng = np.random.default_rng(4)
    u = rng.integers(0, 2**32, 4001, dtype=np.uint64).astype(np.uint32)
    u[:8] = [0x3F808000, 0x3F818000, 0x3F808001, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0xFFFFFFFF, 1]
    x = u.view(np.float32)
    rounded = (u + np.uint32(0x7FFF) + (u >> 16 & 1)) >> 16
    want = np.where(np.isnan(x), 0x7FC0, rounded).astype(np.uint16)
    for n in (4001, 1, 15, 16, 17):
        got = bits(kagari.from_numpy(x[:n]).bfloat16()).astype(np.uint16)
        np.testing.assert_array_equal(got, want[:n])


@pytest.mark.parametrize(
    "dtype", [kagari.float32, kagari.float64, kagari.int32, kagari.int64, kagari.bool], ids=str
)
def test_comparisons_of_every_length(dtype: Any) -> None:
    rng = np.random.default_rng(5)
    a, b = (kagari.from_numpy(v).to(dtype) for v in rng.integers(0, 3, (2, 70)))
    m, n = a.numpy(), b.numpy()
    for k in range(70):
        assert (a[:k] == b[:k]).tolist() == (m[:k] == n[:k]).tolist()
        assert (a[:k] < b[:k]).tolist() == (m[:k] < n[:k]).tolist()
        assert kagari.logical_not(a[:k]).tolist() == np.logical_not(m[:k]).tolist()


UNARY = [
    *[
        "erf",
        "erfinv",
        "lgamma",
        "digamma",
        "sigmoid",
        "i0",
        "special.i0e",
        "special.i1",
        "special.i1e",
        "angle",
    ],
    *["nn.functional.mish", "nn.functional.silu"],
]
BINARY = ["fmod", "remainder", "floor_divide", "pow", "hypot", "nextafter"]


def word(name: str) -> Callable[..., Tensor]:
    f: Any = kagari
    for part in name.split("."):
        f = getattr(f, part)
    return f


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64], ids=str)
@pytest.mark.parametrize("name", UNARY + BINARY)
def test_a_number_has_its_bits_anywhere(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(6)
    x = kagari.from_numpy(np.concatenate([SPECIAL, rng.normal(size=51) * 3])).to(dtype)
    y = kagari.from_numpy(rng.normal(size=65)).to(dtype)
    f = word(name)
    g = (lambda a, b: f(a)) if name in UNARY else f
    whole = bits(g(x, y))
    np.testing.assert_array_equal(bits(g(x[::3], y[::3])), whole[::3])
    np.testing.assert_array_equal(bits(g(x.view(5, 13).t(), y.view(5, 13).t()).t()).ravel(), whole)
    alone = np.concatenate([bits(g(a, b)) for a, b in zip(x.split(1), y.split(1), strict=True)])
    np.testing.assert_array_equal(alone, whole)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lgamma_of_negative_numbers(dtype: str) -> None:
    x = np.concatenate([-np.linspace(0.001, 30, 3001), [-2.4570247, -2.7476826, -1e-30, -1e5]])
    x = x.astype(dtype)
    want = [INF if v == round(v) else math.lgamma(v) for v in x.tolist()]
    got = kagari.lgamma(kagari.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, want, rtol=4e-7 if dtype == "float32" else 1e-12, atol=1e-14)


def test_nansum_and_glu_are_one_pass_each() -> None:
    x = kagari.tensor([1.0, NAN, INF, -0.0], requires_grad=True)
    x.nansum().backward()
    assert x.grad.tolist() == [1, 0, 1, 1] and x.nansum().item() == INF
    z = kagari.randn(3, 4, dtype=kagari.float64, requires_grad=True)
    glu = kagari.nn.functional.glu
    assert kagari.allclose(glu(z), z[:, :2] * z[:, 2:].sigmoid())
    assert gradcheck(glu, (z,)) and gradgradcheck(glu, (z,))
    assert gradcheck(lambda t: t.nansum(1), (z,)) and gradgradcheck(lambda t: t.nansum(1), (z,))


def test_cosine_similarity_keeps_its_range() -> None:
    f = kagari.nn.functional.cosine_similarity
    x = kagari.tensor([[3e18, 4e18], [3e-18, 4e-18], [0.0, 0.0]])
    assert f(x, 2 * x, eps=0.0)[:2].tolist() == pytest.approx([1, 1]) and f(x, x)[2].item() == 0
    a = kagari.randn(3, 5, dtype=kagari.float64, requires_grad=True)
    b = kagari.randn(3, 5, dtype=kagari.float64, requires_grad=True)
    assert gradcheck(f, (a, b)) and gradgradcheck(f, (a, b))


# ---- floats of 16 bits: widened, computed in float32 and rounded once -----------------------------

SHORT_FORMULAS: dict[str, Callable[..., Tensor]] = {
    "add": lambda x, y: x + y,
    "add alpha": lambda x, y: kagari.add(x, y, alpha=0.3),
    "sub alpha": lambda x, y: kagari.sub(x, y, alpha=0.3),
    "number first": lambda x, y: 1.7 - x,
    "mul": lambda x, y: x * y,
    "mul number": lambda x, y: x * 1.3,
    "div": lambda x, y: x / y,
    "square": lambda x, y: x**2,
    "reciprocal": lambda x, y: kagari.reciprocal(x),
    "sqrt": lambda x, y: kagari.sqrt(x),
    "rsqrt": lambda x, y: kagari.rsqrt(x),
    "addcmul": lambda x, y: kagari.addcmul(x, y, y, value=0.3),
    "lerp": lambda x, y: kagari.lerp(x, y, 0.3),
    "maximum": lambda x, y: kagari.maximum(x, y),
    "clamp": lambda x, y: x.clamp(-0.25, 0.5),
    "relu": lambda x, y: kagari.relu(x),
    "leaky_relu": lambda x, y: kagari.nn.functional.leaky_relu(x, 0.125),
    "exp": lambda x, y: kagari.exp(x),
    "log": lambda x, y: kagari.log(x),
    "sigmoid": lambda x, y: kagari.sigmoid(x),
    "tanh": lambda x, y: kagari.tanh(x),
    "sin": lambda x, y: kagari.sin(x),
    "erf": lambda x, y: kagari.erf(x),
    "silu": lambda x, y: kagari.nn.functional.silu(x),
    "gelu": lambda x, y: kagari.nn.functional.gelu(x),
}
SHORT_LAYOUTS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "contiguous": lambda x: (x, x.flip(0)),
    "one row": lambda x: (x, x[3]),
    "one column": lambda x: (x, x[:, 2:3]),
    "one element": lambda x: (x, x[3, 2]),
    "turned": lambda x: (x[:, :37], x[:, :37].t()),
    "steps": lambda x: (x[:, ::2], x[:, 1::2]),
    "short": lambda x: (x[:, :5], x[:, 5:10]),
}


@pytest.mark.parametrize("layout", SHORT_LAYOUTS)
@pytest.mark.parametrize("dtype", [kagari.bfloat16, kagari.float16])
def test_short_floats_are_rounded_once(dtype: kagari.dtype, layout: str) -> None:
    rng = np.random.default_rng(0)
    given = rng.standard_normal((37, 70)).astype(np.float32)
    given[:, :14] = SPECIAL
    x, y = SHORT_LAYOUTS[layout](kagari.from_numpy(given).to(dtype))
    for name, f in SHORT_FORMULAS.items():
        want = f(x.float(), y.float()).to(dtype)
        np.testing.assert_array_equal(bits(f(x, y)), bits(want), err_msg=name)


@pytest.mark.parametrize("dtype", [kagari.bfloat16, kagari.float16])
def test_short_floats_beside_numbers_keep_their_precision(dtype: kagari.dtype) -> None:
    x = kagari.linspace(-3, 3, 101).to(dtype)
    factor = kagari.tensor(1.2345678)  # no dimension: no say in the dtype, and not rounded to it
    want = (x.float() * factor).to(dtype)
    assert kagari.equal(x * factor, want)
    assert (x * factor).dtype == dtype


@pytest.mark.parametrize("dtype", [kagari.bfloat16, kagari.float16])
@pytest.mark.parametrize("name", ["mul", "div", "relu", "sigmoid", "tanh", "silu", "gelu"])
def test_short_gradients_are_rounded_once(name: str, dtype: kagari.dtype) -> None:
    rng = np.random.default_rng(1)
    x, y, g = (kagari.from_numpy(rng.standard_normal(83).astype("f4")).to(dtype) for _ in range(3))
    short, wide = x.clone().requires_grad_(), x.float().requires_grad_()
    SHORT_FORMULAS[name](short, y).backward(g)
    z = SHORT_FORMULAS[name](wide, y.float())
    if name in ("sigmoid", "tanh"):  # their slopes are made of the rounded result
        y16 = z.detach().to(dtype).float()
        slope = y16 * (1 - y16) if name == "sigmoid" else 1 - y16 * y16
        want = g.float() * slope
    else:
        z.backward(g.float())
        want = wide.grad
    np.testing.assert_array_equal(bits(short.grad), bits(want.to(dtype)))


@pytest.mark.parametrize("dtype", [kagari.bfloat16, kagari.float16])
def test_short_floats_are_converted_alike_in_body_and_tail(dtype: kagari.dtype) -> None:
    every = kagari.from_numpy(np.arange(65536, dtype=np.uint16).view(np.int16)).view(dtype)
    back = every.float().to(dtype)
    same = bits(back) == bits(every)
    assert same[~every.isnan().numpy()].all()
    for n in (1, 7, 31, 33, 100):
        assert kagari.equal(every[200 : 200 + n].float(), every.float()[200 : 200 + n])
