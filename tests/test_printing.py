"""Printed tensors, against PyTorch's text over some hundred tensors and options."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

import kagari
from kagari._tensor_str import get_printoptions, printoptions, tensor_str

INF, NAN = math.inf, math.nan
RNG = np.random.default_rng(0)

# Lists of numbers, printed in every dtype that holds them.
FLOATS = {
    "plain": [1.0, 2.5, -3.25],
    "whole": [1.0, 2.0, -300.0],
    "wide": [1.0, 1000.5],
    "too wide": [0.001, 1000.5],
    "whole and too wide": [1.0, 10000.0],
    "large": [1e9, 2e9],
    "small": [1e-5, 2e-5],
    "zeros": [0.0, -0.0],
    "nothing finite": [INF, -INF, NAN],
    "some not finite": [INF, 1.5, NAN, -INF],
    "whole and not finite": [INF, 1.0, NAN],
    "range and not finite": [INF, 1e-7, NAN, 3.0],
    "rounding": [0.12345, 0.99999, 9.99996],
    "halves": [0.5, 1.5, 2.5],
    "one": [7.0],
    "third": [1 / 3],
    "many": list(np.linspace(-1, 1, 47)),
    "many wide": list(np.linspace(-1234, 1234, 33)),
    "matrix": [[1.0, -2.5], [3.0, 4.0]],
    "row": [[1.5, 2.0, 3.0]],
    "cube": RNG.standard_normal((2, 3, 4)).tolist(),
    "deep": RNG.standard_normal((2, 1, 2, 1, 2)).tolist(),
    "scalar": 2.5,
    "scalar whole": -3.0,
    "scalar inf": INF,
    "scalar nan": NAN,
    "scalar small": 1e-6,
    "scalar large": 123456789.0,
    "long vector": list(np.arange(1001) / 7),
    "long matrix": RNG.standard_normal((40, 30)).tolist(),
    "tall matrix": RNG.standard_normal((501, 2)).tolist(),
    "wide matrix": RNG.standard_normal((2, 501)).tolist(),
    "long cube": (RNG.standard_normal((11, 12, 13)) * 100).round().tolist(),
}
INTEGERS = {
    "vector": [1, 20, 3],
    "scalar": 100,
    "matrix": [[1, 2], [30, 4]],
    "many": list(range(60)),
    "long": list(range(120)) * 10,
    "cube": [[[1], [2]], [[3], [4]]],
}
COMPLEX = {
    "plain": [1 + 2j, -3.5 - 4j],
    "whole": [1 + 2j, 10 - 20j],
    "range": [1e-6 + 1j, 1 - 1e6j],
    "not finite": [complex(NAN, 1), complex(1, INF), complex(-INF, NAN)],
    "zeros": [0j, complex(-0.0, -0.0)],
    "scalar": 1.5 - 2j,
    "matrix": [[1 + 1j, 2 - 0.5j], [3j, 4 + 0j]],
    "long": [complex(i, -i / 2) for i in range(1100)],
}
OPTIONS = {
    "default": {},
    "short": {"profile": "short"},
    "full": {"profile": "full"},
    "precise": {"precision": 8},
    "coarse": {"precision": 0},
    "summary": {"threshold": 3, "edgeitems": 1},
    "no edges": {"threshold": 3, "edgeitems": 0},
    "narrow": {"linewidth": 24},
    "exponents": {"sci_mode": True},
    "no exponents": {"sci_mode": False},
}


def cases():
    for dtype, (name, values) in itertools.product(("float32", "float64"), FLOATS.items()):
        yield f"{name}-{dtype}", values, dtype
    for dtype, name in itertools.product(
        ("float16", "bfloat16"), ("plain", "whole", "zeros", "some not finite", "matrix", "many")
    ):
        yield f"{name}-{dtype}", FLOATS[name], dtype
    for dtype, (name, values) in itertools.product(
        ("int64", "int32", "int16", "int8", "uint8"), INTEGERS.items()
    ):
        yield f"{name}-{dtype}", values, dtype
    yield "negative", [-1, 100, -1000], "int64"
    yield "bools", [True, False], "bool"
    yield "bool", True, "bool"
    yield "bool matrix", [[True] * 30, [False] * 30], "bool"
    for dtype, (name, values) in itertools.product(("complex64", "complex128"), COMPLEX.items()):
        yield f"{name}-{dtype}", values, dtype


CASES = {name: (values, dtype) for name, values, dtype in cases()}


def normal(text):
    """The text with one name for both libraries, whose lengths also decide where lines end."""
    text = text.replace("torch.", "kagari.")
    return re.sub(r",\s+(dtype|size|device|grad_fn|requires_grad)=", r", \1=", text)


def check(torch, make, **options):
    with printoptions(**options):
        torch.set_printoptions(**options)
        try:
            got, expected = normal(tensor_str(make(kagari))), normal(repr(make(torch)))
        finally:
            torch.set_printoptions(profile="default")
    assert got == expected


@pytest.mark.conformance
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("case", CASES)
def test_values(case, options):
    torch = pytest.importorskip("torch")
    values, dtype = CASES[case]
    check(torch, lambda lib: lib.tensor(values, dtype=getattr(lib, dtype)), **OPTIONS[options])


SHAPES = [(0,), (0, 3), (3, 0), (2, 0, 4), (1,), (1, 1), (1, 1, 1), ()]


@pytest.mark.conformance
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "bool", "complex64"])
def test_small_shapes(shape, dtype):
    torch = pytest.importorskip("torch")
    check(torch, lambda lib: lib.zeros(shape, dtype=getattr(lib, dtype)))


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "complex64"])
@pytest.mark.parametrize("shape", [(2, 3), (0,), ()], ids=str)
def test_meta(shape, dtype):
    torch = pytest.importorskip("torch")
    check(torch, lambda lib: lib.zeros(shape, dtype=getattr(lib, dtype), device="meta"))


@pytest.mark.conformance
def test_default_dtype():
    torch = pytest.importorskip("torch")
    for dtype, value in itertools.product(
        ("float32", "float64", "complex64", "complex128", "int64"), ([1], [])
    ):
        old = torch.get_default_dtype(), kagari.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        kagari.set_default_dtype(kagari.float64)
        try:
            check(torch, lambda lib, d=dtype, v=value: lib.tensor(v, dtype=getattr(lib, d)))
        finally:
            torch.set_default_dtype(old[0])
            kagari.set_default_dtype(old[1])


HISTORIES = {
    "leaf": lambda lib: lib.tensor([1.0, 2.0], requires_grad=True),
    "sum": lambda lib: lib.tensor([1.0, 2.0], requires_grad=True) + 1,
    "product": lambda lib: lib.tensor([1.0, 2.0], requires_grad=True) * 2,
    "scalar": lambda lib: lib.tensor([1.0, 2.0], requires_grad=True).sum(),
    "view": lambda lib: lib.tensor([[1.0, 2.0]], requires_grad=True).view(2),
    "wrapped": lambda lib: lib.ones(40, requires_grad=True) + 0.5,
    "double": lambda lib: lib.ones(2, dtype=lib.float64, requires_grad=True).exp(),
    "detached": lambda lib: (lib.ones(2, requires_grad=True) * 2).detach(),
    "transposed": lambda lib: lib.tensor([[1, 2, 3], [4, 5, 6]]).t(),
    "strided": lambda lib: lib.arange(20)[::3],
    "expanded": lambda lib: lib.tensor([1.5]).expand(2, 3),
}


@pytest.mark.conformance
@pytest.mark.parametrize("case", HISTORIES)
def test_history(case):
    torch = pytest.importorskip("torch")
    check(torch, HISTORIES[case])


@pytest.mark.conformance
@pytest.mark.parametrize(
    "dtype",
    ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"],
)
def test_every_float8(dtype):
    torch = pytest.importorskip("torch")
    # Over the whole range PyTorch's choice of the form overflows for the dtype of exponents.
    bits = list(range(100, 156) if dtype == "float8_e8m0fnu" else range(256))
    with printoptions(profile="full"):
        got = tensor_str(kagari.tensor(bits, dtype=kagari.uint8).view(getattr(kagari, dtype)))
    torch.set_printoptions(profile="full")
    try:
        expected = repr(torch.tensor(bits, dtype=torch.uint8).view(getattr(torch, dtype)))
    finally:
        torch.set_printoptions(profile="default")
    assert normal(got) == normal(expected)


@pytest.mark.conformance
def test_complex32():
    torch = pytest.importorskip("torch")
    halves = [1.0, 2.0, -0.5, 3.0]
    for shape in ((2,), (2, 1), (1, 2)):
        check(
            torch,
            lambda lib, s=shape: (
                lib.tensor(halves, dtype=lib.float16).view(lib.complex32).reshape(s)
            ),
        )


def test_subclasses():
    class Named(kagari.Tensor):
        pass

    class NamedParameter(kagari.nn.Parameter):
        pass

    named = kagari.ones(2).as_subclass(Named)
    assert tensor_str(named) == "Named([1., 1.])"
    assert tensor_str(kagari.nn.Parameter(kagari.ones(2))) == (
        "tensor([1., 1.], requires_grad=True)"
    )
    assert repr(kagari.nn.Parameter(kagari.ones(2))) == (
        "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    )
    assert tensor_str(NamedParameter(kagari.ones(2))).startswith("Parameter(NamedParameter([1.")


def test_printing_records_nothing():
    x = kagari.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    version = y._version
    repr(y), repr(y[0])
    assert y._version == version
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_values_that_cannot_be_read():
    class Locked(kagari.Tensor):
        def as_subclass(self, cls):
            raise RuntimeError("values are elsewhere")

    text = tensor_str(kagari.ones(2, 3).as_subclass(Locked))
    assert text == "Locked(<RuntimeError: values are elsewhere>, size=(2, 3))"


def test_lines_end_before_a_suffix_that_does_not_fit():
    x = kagari.ones(9, dtype=kagari.int32)
    with printoptions(linewidth=40):
        assert tensor_str(x) == (f"tensor([1, 1, 1, 1, 1, 1, 1, 1, 1],\n       dtype={x.dtype})")
    assert tensor_str(x) == f"tensor([1, 1, 1, 1, 1, 1, 1, 1, 1], dtype={x.dtype})"


def test_own_contents():
    assert tensor_str(kagari.ones(2), tensor_contents="...") == "tensor(...)"


def test_options():
    before = get_printoptions()
    assert before == {
        "precision": 4,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 80,
        "sci_mode": None,
    }
    with pytest.raises(ZeroDivisionError), printoptions(precision=2, sci_mode=True):
        assert get_printoptions()["sci_mode"] is True
        raise ZeroDivisionError
    assert get_printoptions() == before
    with pytest.raises(ValueError, match="expected profile 'default', 'short' or 'full', got 'x'"):
        kagari.set_printoptions(profile="x")
