"""Promotion: the table for two tensors is NumPy's for real numbers, but that ints never raise the width of floats; numbers and 0-d
tensors are weak."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import kagari

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
ALL = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
RANK = {n: (0 if n == "bool" else 1 if n in INTEGERS else 2 if n in FLOATS else 3) for n in ALL}


def dt(name: str) -> Any:
    return getattr(kagari, name)


def expected(a: str, b: str) -> str:
    """What two tensors of these dtypes give."""
    if RANK[a] == RANK[b] or (RANK[a] >= 2 and RANK[b] >= 2):
        if {a, b} == {"float16", "complex64"}:
            return "complex64"
        return str(np.promote_types(a, b))
    return a if RANK[a] > RANK[b] else b


@pytest.mark.parametrize("a", ALL)
def test_tensors(a: str) -> None:
    for b in ALL:
        want = dt(expected(a, b))
        assert kagari.promote_types(dt(a), dt(b)) is want, (a, b)
        x, y = kagari.ones(2, dtype=dt(a)), kagari.ones(2, dtype=dt(b))
        assert kagari.result_type(x, y) is want
        assert (x * y).dtype is want
        assert kagari.cat([x, y]).dtype is want


def test_bfloat16() -> None:
    for name in ("bool", *INTEGERS):
        assert kagari.promote_types(kagari.bfloat16, dt(name)) is kagari.bfloat16
    assert kagari.promote_types(kagari.bfloat16, kagari.float16) is kagari.float32
    assert kagari.promote_types(kagari.bfloat16, kagari.float64) is kagari.float64
    assert kagari.promote_types(kagari.bfloat16, kagari.complex64) is kagari.complex64


@pytest.mark.parametrize("name", ALL)
def test_scalars_and_0d_tensors_raise_the_kind_alone(name: str) -> None:
    x = kagari.ones(2, dtype=dt(name))
    for number, rank, default in (
        (True, 0, "bool"),
        (2, 1, "int64"),
        (2.5, 2, "float32"),
        (2j, 3, "complex64"),
    ):
        if rank <= RANK[name]:
            want = name
        elif rank == 3 and name == "float64":
            want = "complex128"
        elif rank == 3 and name in ("float16", "float32"):
            want = {"float16": "complex32", "float32": "complex64"}[name]
        else:
            want = default
        assert kagari.result_type(x, number) is dt(want), (name, number)
        if want != "complex32":
            assert (x * number).dtype is dt(want)
    for other in ALL:
        zero_d = kagari.tensor(1).to(dt(other))
        same_kind = RANK[other] <= RANK[name]
        if same_kind:
            assert (x * zero_d).dtype is dt(name), (name, other)


def test_order_does_not_matter() -> None:
    for a, b in itertools.combinations(ALL, 2):
        assert kagari.promote_types(dt(a), dt(b)) is kagari.promote_types(dt(b), dt(a))


def test_unsigned_wide_integers() -> None:
    for name in ("uint16", "uint32", "uint64"):
        assert kagari.promote_types(dt(name), dt(name)) is dt(name)
        assert kagari.promote_types(dt(name), kagari.float32) is kagari.float32
        for other in ("bool", "uint8", "int8", "int64", "complex64"):
            with pytest.raises(RuntimeError, match=f"not supported.*{name}.*convert one of them"):
                kagari.promote_types(dt(name), dt(other))
        # A number alone raises the kind and no more.
        x = kagari.ones(2, dtype=dt(name))
        assert kagari.result_type(x, 2) is dt(name) and kagari.result_type(x, True) is dt(name)
        assert kagari.result_type(x, 2.5) is kagari.float32
        assert kagari.result_type(x, 2j) is kagari.complex64


@pytest.mark.conformance
def test_beside_pytorch() -> None:
    torch = pytest.importorskip("torch")
    names = [*ALL, "bfloat16", "uint16", "uint32", "uint64"]
    for a, b in itertools.product(names, names):
        try:
            want = str(torch.promote_types(getattr(torch, a), getattr(torch, b)))
        except RuntimeError:
            with pytest.raises(RuntimeError):
                kagari.promote_types(dt(a), dt(b))
            continue
        assert str(kagari.promote_types(dt(a), dt(b))) == want.replace("torch", "kagari"), (a, b)
    for a, b in itertools.product(names, names):
        assert kagari.can_cast(dt(a), dt(b)) == torch.can_cast(
            getattr(torch, a), getattr(torch, b)
        ), (a, b)


def test_casts() -> None:
    for a, b in itertools.product(ALL, ALL):
        # Down in kind is refused, down in width is not.
        assert kagari.can_cast(dt(a), dt(b)) is (RANK[a] <= RANK[b])
