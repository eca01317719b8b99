"""The pointwise rows: values, dtypes, layouts, second gradients, forms; none is missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_checks import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    Row,
    array,
    assert_close,
    assert_same,
    between,
    check_gradients,
    check_inplace,
    check_out,
    check_values,
    ids,
    integers,
    truths,
)

import kagari
from kagari._core import ops

WIDE = (kagari.float64, kagari.float32)
NUMBERS = (*FLOATS, kagari.int64, kagari.int8)
BITS = (kagari.bool, *INTEGERS)

ANY = between(-3, 3)
POSITIVE = between(0.1, 4)
UNIT = between(-0.95, 0.95)


def each(f: Callable[..., float]) -> Callable[..., Any]:
    return np.vectorize(f, otypes=[float])


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def logsigmoid(x: Any) -> Any:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + each(math.erf)(x / math.sqrt(2)))


def digamma(x: Any) -> Any:
    """By recurrence to 12 and the asymptotic series."""
    total = np.zeros_like(x)
    y = np.array(x)
    for _ in range(14):
        total -= 1 / y
        y = y + 1
    u = 1 / y**2
    series = u * (1 / 12 - u * (1 / 120 - u * (1 / 252 - u * (1 / 240 - u / 132))))
    return total + np.log(y) - 0.5 / y - series


def selu(x: Any) -> Any:
    scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


def erfinv(y: Any) -> Any:
    """Newton's steps on erf."""
    x = np.zeros_like(y)
    for _ in range(60):
        x = x - (each(math.erf)(x) - y) * math.sqrt(math.pi) / 2 * np.exp(x * x)
    return x


def softshrink(x: Any, k: float = 0.5) -> Any:
    return np.where(x > k, x - k, np.where(x < -k, x + k, 0))


U = [
    Row("abs", np.abs, (between(-3, 3, 0),), dtypes=NUMBERS),
    Row("neg", np.negative, (ANY,), dtypes=NUMBERS + COMPLEX),
    Row("sign", np.sign, (between(-3, 3, 0),), dtypes=NUMBERS),
    Row("sgn", np.sign, (between(-3, 3, 0),), dtypes=NUMBERS),
    Row("square", np.square, (ANY,), dtypes=NUMBERS + COMPLEX),
    Row("reciprocal", lambda x: 1 / x, (POSITIVE,)),
    Row("sqrt", np.sqrt, (POSITIVE,), dtypes=FLOATS + COMPLEX),
    Row("rsqrt", lambda x: 1 / np.sqrt(x), (POSITIVE,)),
    Row("exp", np.exp, (ANY,), dtypes=FLOATS + COMPLEX),
    Row("exp2", np.exp2, (ANY,)),
    Row("expm1", np.expm1, (ANY,)),
    Row("log", np.log, (POSITIVE,), dtypes=FLOATS + COMPLEX, loose=2),
    Row("log2", np.log2, (POSITIVE,), loose=2),
    Row("log10", np.log10, (POSITIVE,), loose=2),
    Row("log1p", np.log1p, (POSITIVE,)),
    Row("sin", np.sin, (ANY,), dtypes=FLOATS + COMPLEX),
    Row("cos", np.cos, (ANY,), dtypes=FLOATS + COMPLEX),
    Row("tan", np.tan, (between(-1.3, 1.3),), loose=2),
    Row("asin", np.arcsin, (UNIT,)),
    Row("acos", np.arccos, (UNIT,)),
    Row("atan", np.arctan, (ANY,)),
    Row("sinh", np.sinh, (ANY,), dtypes=FLOATS + COMPLEX),
    Row("cosh", np.cosh, (ANY,), dtypes=FLOATS + COMPLEX),
    Row("tanh", np.tanh, (ANY,)),
    Row("asinh", np.arcsinh, (ANY,)),
    Row("acosh", np.arccosh, (between(1.2, 5),)),
    Row("atanh", np.arctanh, (UNIT,)),
    Row("erf", each(math.erf), (ANY,)),
    Row("erfc", each(math.erfc), (between(-3, 2),), loose=4),
    Row("erfinv", erfinv, (between(-0.9, 0.9),), loose=8),  # the reference takes 60 rounded steps
    Row("lgamma", each(math.lgamma), (between(2.5, 6),), loose=2),
    Row("digamma", digamma, (between(2, 6),), loose=8),  # the reference sums 14 rounded terms
    Row("sigmoid", sigmoid, (ANY,)),
    Row("logit", lambda x: np.log(x / (1 - x)), (between(0.1, 0.4),), loose=4),
    Row("floor", np.floor, (between(-3, 3, -2, -1, 0, 1, 2),), dtypes=NUMBERS),
    Row("ceil", np.ceil, (between(-3, 3, -2, -1, 0, 1, 2),), dtypes=NUMBERS),
    Row("trunc", np.trunc, (between(-3, 3, -2, -1, 0, 1, 2),), dtypes=NUMBERS),
    Row("round", np.round, (between(-3, 3, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5),), dtypes=NUMBERS),
    Row("frac", lambda x: x - np.trunc(x), (between(-3, 3, -2, -1, 0, 1, 2),)),
    Row("relu", lambda x: np.maximum(x, 0), (between(-3, 3, 0),), dtypes=NUMBERS),
    Row("nan_to_num", np.nan_to_num, (ANY,)),
    Row("logical_not", np.logical_not, (truths,), dtypes=(kagari.bool,), grad=False),
    Row("bitwise_not", np.invert, (integers(0, 100),), dtypes=INTEGERS, grad=False),
    Row("conj_physical", np.conj, (ANY,), dtypes=FLOATS + COMPLEX),
    # activations
    Row("relu6", lambda x: np.clip(x, 0, 6), (between(-2, 8, 0, 6),), function=False),
    Row(
        "hardtanh",
        lambda x, a, b: np.clip(x, a, b),
        (between(-3, 3, -1, 2),),
        args=(-1, 2),
        function=False,
    ),
    Row("gelu", gelu, (ANY,), function=False, loose=2),
    Row(
        "gelu",
        gelu,
        (ANY,),
        kwargs={"approximate": "tanh"},
        function=False,
        loose=2,
        label="gelu-tanh",
    ),
    Row("silu", lambda x: x * sigmoid(x), (ANY,), function=False),
    Row("mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), (ANY,), function=False, loose=2),
    Row(
        "elu",
        lambda x, a: np.where(x > 0, x, a * np.expm1(x)),
        (between(-3, 3, 0),),
        args=(1.3,),
        function=False,
    ),
    Row("selu", selu, (between(-3, 3, 0),)),
    Row(
        "celu",
        lambda x, a: np.where(x > 0, x, a * np.expm1(x / a)),
        (between(-3, 3, 0),),
        args=(0.75,),
    ),
    Row(
        "leaky_relu",
        lambda x, s: np.where(x > 0, x, s * x),
        (between(-3, 3, 0),),
        args=(0.25,),
        function=False,
    ),
    Row("softplus", lambda x: np.log1p(np.exp(x)), (ANY,), function=False),
    Row("log_sigmoid", logsigmoid, (ANY,), function=False),
    Row(
        "hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, (between(-5, 5, -3, 3),), function=False
    ),
    Row(
        "hardswish",
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        (between(-5, 5, -3, 3),),
        function=False,
        loose=2,
    ),
    Row("softshrink", softshrink, (between(-3, 3, -0.5, 0.5),), function=False),
    Row(
        "hardshrink",
        lambda x: np.where(np.abs(x) > 0.5, x, 0),
        (between(-3, 3, -0.5, 0.5),),
        inplace=False,
    ),
    Row(
        "threshold", lambda x, t, v: np.where(x > t, x, v), (between(-3, 3, 0.5),), args=(0.5, 2.0)
    ),
]

APART = between(0.5, 3)  # beside ANY: quotients far from whole numbers are not asked for
B = [
    Row("add", np.add, (ANY, ANY), dtypes=NUMBERS + COMPLEX),
    Row(
        "add",
        lambda a, b, alpha: a + alpha * b,
        (ANY, ANY),
        kwargs={"alpha": 2},
        dtypes=FLOATS,
        label="add-alpha",
    ),
    Row("sub", np.subtract, (ANY, ANY), dtypes=NUMBERS + COMPLEX),
    Row("rsub", lambda a, b: b - a, (ANY, ANY), inplace=False, out=False),
    Row("mul", np.multiply, (ANY, ANY), dtypes=NUMBERS + COMPLEX),
    Row("div", np.divide, (ANY, APART), dtypes=FLOATS + COMPLEX),
    Row("floor_divide", np.floor_divide, (ANY, APART), dtypes=WIDE, grad=False),
    Row(
        "div",
        lambda a, b, rounding_mode: np.trunc(a / b),
        (ANY, APART),
        dtypes=WIDE,
        kwargs={"rounding_mode": "trunc"},
        grad=False,
        label="div-trunc",
    ),
    Row("remainder", np.remainder, (POSITIVE, between(5, 9)), dtypes=WIDE),
    Row("fmod", np.fmod, (between(-4, 4, 0), between(5, 9)), dtypes=WIDE),
    Row("pow", np.power, (POSITIVE, ANY), loose=4),
    Row("atan2", np.arctan2, (POSITIVE, ANY)),
    Row("hypot", np.hypot, (POSITIVE, POSITIVE)),
    Row("copysign", np.copysign, (POSITIVE, between(-3, 3, 0))),
    Row("nextafter", np.nextafter, (ANY, ANY), dtypes=(kagari.float64,), grad=False),
    Row("xlogy", lambda a, b: a * np.log(b), (ANY, POSITIVE), loose=2),
    Row("logaddexp", np.logaddexp, (ANY, ANY), inplace=False),
    Row("logaddexp2", np.logaddexp2, (ANY, ANY), inplace=False),
    Row("maximum", np.maximum, (ANY, ANY), dtypes=NUMBERS, inplace=False),
    Row("minimum", np.minimum, (ANY, ANY), dtypes=NUMBERS, inplace=False),
    Row("fmax", np.fmax, (ANY, ANY), dtypes=NUMBERS, inplace=False),
    Row("fmin", np.fmin, (ANY, ANY), dtypes=NUMBERS, inplace=False),
    Row("clamp_min", np.maximum, (ANY, ANY), dtypes=NUMBERS),
    Row("clamp_max", np.minimum, (ANY, ANY), dtypes=NUMBERS),
    Row("heaviside", np.heaviside, (between(-3, 3, 0), ANY), grad=False),
    *[
        Row(
            name,
            f,
            (integers(0, 4), integers(0, 4)),
            dtypes=(*NUMBERS, kagari.uint8),
            grad=False,
            result=kagari.bool,
        )
        for name, f in {
            "eq": np.equal,
            "ne": np.not_equal,
            "lt": np.less,
            "le": np.less_equal,
            "gt": np.greater,
            "ge": np.greater_equal,
        }.items()
    ],
    *[
        Row(
            name,
            f,
            (integers(0, 2), integers(0, 2)),
            dtypes=BITS + WIDE,
            grad=False,
            result=kagari.bool,
        )
        for name, f in {
            "logical_and": np.logical_and,
            "logical_or": np.logical_or,
            "logical_xor": np.logical_xor,
        }.items()
    ],
    *[
        Row(name, f, (integers(0, 100), integers(0, 100)), dtypes=INTEGERS, grad=False)
        for name, f in {
            "bitwise_and": np.bitwise_and,
            "bitwise_or": np.bitwise_or,
            "bitwise_xor": np.bitwise_xor,
            "gcd": np.gcd,
        }.items()
    ],
    Row("lcm", np.lcm, (integers(1, 9), integers(1, 9)), dtypes=INTEGERS, grad=False),
    *[
        Row(name, f, (integers(0, 15), integers(0, 3)), dtypes=INTEGERS, grad=False)
        for name, f in {
            "bitwise_left_shift": np.left_shift,
            "bitwise_right_shift": np.right_shift,
        }.items()
    ],
]

T = [
    Row(
        "addcmul",
        lambda a, b, c, value: a + value * b * c,
        (ANY, ANY, ANY),
        kwargs={"value": 0.5},
        dtypes=FLOATS,
        loose=4,
    ),
    Row(
        "addcdiv",
        lambda a, b, c, value: a + value * b / c,
        (ANY, ANY, POSITIVE),
        kwargs={"value": 0.5},
        dtypes=FLOATS,
        loose=4,
    ),
    Row("lerp", lambda a, b, w: a + w * (b - a), (ANY, ANY, between(0, 1)), dtypes=FLOATS, loose=4),
    Row(
        "clamp",
        np.clip,
        (between(-3, 3, -1, 1), between(-1.02, -0.98), between(0.98, 1.02)),
        dtypes=FLOATS,
    ),
]

ROWS = U + B + T

# In place but not pointwise on tensors alone, or with a test of its own in the file named.
ELSEWHERE = {
    "test_random.py": "bernoulli cauchy exponential geometric log_normal normal random uniform",
    "test_views.py": "as_strided squeeze swapaxes swapdims t transpose unsqueeze tril triu",
    "test_indexing.py": "index_put scatter index_add index_copy index_fill index_reduce "
    "masked_fill masked_scatter put scatter_add scatter_reduce",
    "test_reduce.py": "cumsum cumprod",
    "test_matmul.py": "addmm addmv baddbmm",
    "test_special.py": "deg2rad i0 igamma igammac rad2deg sinc",
    "here": "copy fill zero polygamma",
}


def primitives() -> dict[str, dict[str, Any]]:
    return {r["name"]: r for r in kagari._core._rows() if r["primitive"] and r["inplace"]}


def test_no_row_is_missing() -> None:
    """Every row with an in-place form stands in the table above, or is another name of one."""
    known = {r.name for r in ROWS} | set(" ".join(ELSEWHERE.values()).split())
    documents = {r["doc"] for name, r in primitives().items() if name in known}
    missing = [n for n, r in primitives().items() if n not in known and r["doc"] not in documents]
    assert not missing, f"rows without a test: {missing}"


@pytest.mark.parametrize("row", **ids(ROWS))
def test_values(row: Row) -> None:
    check_values(row)


@pytest.mark.parametrize("row", **ids([r for r in ROWS if r.grad]))
def test_gradients(row: Row) -> None:
    check_gradients(row)


@pytest.mark.parametrize("row", **ids([r for r in ROWS if r.inplace]))
def test_in_place(row: Row) -> None:
    check_inplace(row)


@pytest.mark.parametrize("row", **ids([r for r in ROWS if r.out]))
def test_out(row: Row) -> None:
    check_out(row)


# ---- points where values or gradients are conventions -------------------------------------------

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("name", "given", "want"),
    [
        ("abs", [-0.0, -INF, NAN], [0.0, INF, NAN]),
        ("sqrt", [-1.0, 0.0, INF], [NAN, 0.0, INF]),
        ("log", [0.0, -1.0, INF], [-INF, NAN, INF]),
        ("exp", [-INF, 0.0, 1e4], [0.0, 1.0, INF]),
        ("sign", [-0.0, NAN, -INF], [0.0, 0.0, -1.0]),
        ("relu", [-0.0, NAN, INF], [0.0, NAN, INF]),
        ("round", [0.5, 1.5, -2.5], [0.0, 2.0, -2.0]),
        ("trunc", [-0.5, INF, NAN], [-0.0, INF, NAN]),
        ("erfinv", [-1.0, 1.0, 2.0], [-INF, INF, NAN]),
        ("lgamma", [0.0, -1.0, 1.0], [INF, INF, 0.0]),
        ("nan_to_num", [NAN, 2.0, -2.0], [0.0, 2.0, -2.0]),
        ("logit", [0.0, 1.0, 0.5], [-INF, INF, 0.0]),
        ("sigmoid", [-INF, INF, -1e4], [0.0, 1.0, 0.0]),
    ],
)
@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64], ids=str)
def test_edges(name: str, given: list[float], want: list[float], dtype: Any) -> None:
    assert_close(getattr(ops, name)(kagari.tensor(given, dtype=dtype)), np.array(want), dtype)


@pytest.mark.parametrize(
    ("name", "args", "at", "want"),
    [
        ("abs", (), 0.0, 0.0),
        ("relu", (), 0.0, 0.0),
        ("relu6", (), 6.0, 0.0),
        ("hardtanh", (), 1.0, 0.0),
        ("hardsigmoid", (), 3.0, 0.0),
        ("hardswish", (), 3.0, 1.0),
        ("celu", (), 0.0, 1.0),
        ("leaky_relu", (0.25,), 0.0, 0.25),
        ("softshrink", (), 0.5, 0.0),
        ("hardshrink", (), 0.5, 0.0),
        ("threshold", (0.5, 9.0), 0.5, 0.0),
        ("sqrt", (), 0.0, INF),
        ("round", (), 0.25, 0.0),
        ("sign", (), 1.0, 0.0),
    ],
)
def test_gradients_at_kinks(name: str, args: Any, at: float, want: float) -> None:
    x = kagari.tensor(at, dtype=kagari.float64, requires_grad=True)
    getattr(ops, name)(x, *args).backward()
    assert x.grad.item() == want


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_equal_extremes_share_the_gradient(name: str) -> None:
    a = kagari.ones(2, requires_grad=True)
    b = kagari.ones(2, requires_grad=True)
    getattr(ops, name)(a, b).sum().backward()
    assert a.grad.tolist() == b.grad.tolist() == [0.5, 0.5]


def test_polygamma() -> None:
    x = kagari.tensor([1.5, 3.0], dtype=kagari.float64)
    for n, want in enumerate(
        ([0.03648997397857652, 0.9227843350984671], [0.9348022005446793, 0.39493406684822646])
    ):
        np.testing.assert_allclose(array(kagari.polygamma(n, x)), want, rtol=1e-13)


def test_copy_fill_zero() -> None:
    x = kagari.zeros(2, 3)
    assert_same(x.copy_(kagari.arange(3)), kagari.tensor([[0.0, 1.0, 2.0]] * 2))
    assert x.fill_(2).tolist() == [[2.0] * 3] * 2 and x.zero_().tolist() == [[0.0] * 3] * 2
    with pytest.raises(RuntimeError, match="0-dimension"):
        x.fill_(kagari.ones(2))


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: kagari.ones(2) + kagari.ones(3), RuntimeError, r"size of tensor a \(2\).*b \(3\)"),
        (lambda: kagari.ones(1).add_(kagari.ones(2)), RuntimeError, "doesn't match the broadcast"),
        (lambda: kagari.ones(2, dtype=kagari.int64).exp_(), RuntimeError, "can't be cast"),
        (lambda: kagari.ones(2, dtype=kagari.int64).add_(1.5), RuntimeError, "can't be cast"),
        (lambda: kagari.bitwise_and(kagari.ones(2), 1), NotImplementedError, "bitwise_and"),
        (lambda: kagari.tensor([True]) - kagari.tensor([True]), RuntimeError, "bool"),
        (lambda: kagari.add(kagari.ones(2), "a"), TypeError, "other"),
        (lambda: ops.gelu(kagari.ones(2), approximate="x"), RuntimeError, "approximate"),
        (
            lambda: kagari.celu(kagari.ones(2), alpha=0),
            RuntimeError,
            "celu: expected an alpha other",
        ),
        (lambda: kagari.celu_(kagari.ones(0), 0.0), RuntimeError, "celu_: expected an alpha other"),
        (lambda: kagari.div(kagari.ones(2), 2, rounding_mode="up"), RuntimeError, "rounding"),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        (kagari.int8, kagari.uint8, kagari.int16),
        (kagari.int64, kagari.float16, kagari.float16),
        (kagari.bfloat16, kagari.float16, kagari.float32),
        (kagari.bool, kagari.uint8, kagari.uint8),
        (kagari.float64, kagari.complex64, kagari.complex128),
    ],
)
def test_promotion(a: Any, b: Any, want: Any) -> None:
    x, y = kagari.ones(2, dtype=a), kagari.ones(2, dtype=b)
    assert (x + y).dtype == (y * x).dtype == want
    assert (x + y[0]).dtype == kagari.result_type(x, y[0])
    assert (x + 1).dtype == (a if a != kagari.bool else kagari.int64)


def _gelu_beyond_cancellation(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """gelu and its slope in float64, from erfc so that no digit is lost below zero."""
    tail = 0.5 * each(math.erfc)(-x / math.sqrt(2))
    return x * tail, tail + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _gelu_tanh_beyond_cancellation(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    c = 2 * math.sqrt(2 / math.pi)
    e = np.exp(-np.abs(c * (x + 0.044715 * x**3)))
    share, other = np.where(x < 0, e, 1) / (1 + e), np.where(x < 0, 1, e) / (1 + e)
    return x * share, share + x * share * other * c * (1 + 3 * 0.044715 * x * x)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_keeps_its_digits(approximate: str) -> None:
    """Stated in docs/accuracy.md: a few units in the last place, also where the sum of the formula
    cancels; the slope has a zero, next to which the units are those at 1/4."""
    x = np.concatenate(
        [np.linspace(-15.5, 15.5, 60_001), [-13.1, -13.2, -9.9, -10, 0.0, -0.0, 1e-30]]
    )
    x = x.astype(np.float32)
    reference = (
        _gelu_tanh_beyond_cancellation if approximate == "tanh" else _gelu_beyond_cancellation
    )
    t = kagari.tensor(x, requires_grad=True)
    y = kagari.nn.functional.gelu(t, approximate=approximate)
    (slope,) = kagari.autograd.grad(y.sum(), t)
    value, derivative = reference(x.astype(np.float64))
    for got, want, least in ((array(y), value, 2.0**-126), (array(slope), derivative, 0.25)):
        unit = np.spacing(np.maximum(np.abs(want), least).astype(np.float32)).astype(np.float64)
        assert np.max(np.abs(got.astype(np.float64) - want) / unit) <= 4.6


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("dtype", WIDE)
def test_gelu_at_the_ends(approximate: str, dtype: Any) -> None:
    gelu = kagari.nn.functional.gelu
    x = kagari.tensor([1e30, math.inf, -1e30, 0.0, -0.0, math.nan, -math.inf], dtype=dtype)
    y = gelu(x, approximate=approximate).tolist()
    assert y[:5] == [x[0].item(), math.inf, 0, 0, 0]
    assert [math.copysign(1, v) for v in y[2:5]] == [-1, 1, -1]
    assert math.isnan(y[5]) and math.isnan(y[6])
    x.requires_grad_()
    (slope,) = kagari.autograd.grad(gelu(x, approximate=approximate)[:5].sum(), x)
    assert slope[[0, 2, 3, 4]].tolist() == [1, 0, 0.5, 0.5]
