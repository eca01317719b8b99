"""Pointwise composites: powers in double precision, binary exponents."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kagari
from kagari.autograd import gradcheck, gradgradcheck


def test_float_power() -> None:
    x = kagari.tensor([2, 3])
    assert kagari.float_power(x, 2).tolist() == [4, 9] and x.float_power(2).dtype == kagari.float64
    assert kagari.float_power(2, kagari.tensor([0.5])).dtype == kagari.float64
    assert kagari.float_power(x, 1j).dtype == kagari.complex128
    assert kagari.float_power(2j, x).tolist() == pytest.approx([-4, -8j])
    y = kagari.tensor([2.0], dtype=kagari.float64)
    assert y.float_power_(3) is y and y.item() == 8
    with pytest.raises(RuntimeError, match=r"float_power_ has dtype .*float32 .* requires dtype"):
        kagari.ones(1).float_power_(2)


def test_ldexp() -> None:
    x = kagari.tensor([1.5, -2.0], dtype=kagari.float64, requires_grad=True)
    e = kagari.tensor([3, -1])
    assert kagari.ldexp(x, e).tolist() == [12, -1]
    assert kagari.ldexp(kagari.tensor([1, 2]), e).dtype == kagari.float32
    assert kagari.ones(2).ldexp_(e).tolist() == [8, 0.5]
    assert gradcheck(lambda t: t.ldexp(e), (x,))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_frexp(dtype: str) -> None:
    info = np.finfo(dtype)
    x = np.array(
        [0, -0.0, 1, -3, 0.1, info.max, info.tiny, info.tiny / 8, math.inf, -math.inf, math.nan],
        dtype,
    )
    mantissa, exponent = kagari.frexp(kagari.from_numpy(x))
    want_mantissa, want_exponent = np.frexp(x)
    np.testing.assert_array_equal(mantissa.numpy(), want_mantissa)
    np.testing.assert_array_equal(exponent.numpy(), want_exponent)
    assert exponent.dtype == kagari.int32 and math.copysign(1, mantissa[1].item()) == -1


def test_frexp_differentiates_its_mantissa() -> None:
    x = kagari.tensor([3.0, 0.3, -40.0], dtype=kagari.float64, requires_grad=True)
    assert gradcheck(lambda t: t.frexp()[0], (x,)) and gradgradcheck(lambda t: t.frexp()[0], (x,))
    with pytest.raises(RuntimeError, match="expected a floating-point dtype"):
        kagari.frexp(kagari.tensor([1]))


def test_results_written_around_the_cache_are_those_of_their_parts() -> None:
    x = kagari.rand(2100, 2100)  # 17 MB
    rows = x.split(300)
    for f in (kagari.exp, lambda t: t + t, lambda t: t.double(), kagari.clone):
        assert kagari.equal(f(x), kagari.cat([f(part) for part in rows]))
    assert kagari.equal(x.t().contiguous(), kagari.cat([r.t().contiguous() for r in rows], 1))
