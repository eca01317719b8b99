"""Complex numbers: parts, polar coordinates, conjugates, transposes, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kagari
from kagari.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((2, 3, 4))
Z = kagari.from_numpy(A + 1j * B)


def real(x: np.ndarray) -> Any:
    return kagari.from_numpy(x.copy()).requires_grad_()


def test_complex_and_polar() -> None:
    a, b = real(A), real(B[:1])
    np.testing.assert_array_equal(kagari.complex(a, b).detach().numpy(), A + 1j * B[:1])
    np.testing.assert_allclose(kagari.polar(a, b).detach().numpy(), A * np.exp(1j * B[:1]))
    for f in (kagari.complex, kagari.polar):
        assert gradcheck(f, (a, b)) and gradgradcheck(f, (a, b))
        assert f(a.detach().float(), b.detach().float()).dtype == kagari.complex64
    out = kagari.empty(0, dtype=kagari.complex128)
    assert kagari.complex(a.detach(), b.detach(), out=out) is out and out.shape == (3, 4)
    assert kagari.complex(a.detach().half(), a.detach().half()).dtype == kagari.complex32


ERRORS = [
    (lambda: kagari.complex(kagari.ones(1), kagari.ones(1).double()), "for second argument"),
    (lambda: kagari.complex(kagari.ones(1).long(), kagari.ones(1)), "Half, Float or Double"),
    (lambda: kagari.polar(kagari.ones(1).half(), kagari.ones(1).half()), "not implemented for"),
    (
        lambda: kagari.complex(kagari.ones(1), kagari.ones(1), out=kagari.ones(1)),
        "dtype complex64, but got float32",
    ),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call()


def test_conjugates() -> None:
    z = Z.clone()
    for c in (z.conj(), kagari.conj(z), z.conj_physical(), kagari.conj_physical(z)):
        np.testing.assert_array_equal(c.numpy(), A - 1j * B)
        assert not c.is_conj() and c.resolve_conj() is c
    x = kagari.ones(2)
    assert x.conj() is x
    assert z.conj_physical_() is z and z[0, 0].item() == (A - 1j * B)[0, 0]
    z.requires_grad_()
    assert gradcheck(kagari.conj, (z,)) and gradgradcheck(kagari.conj, (z,))


def test_transposes() -> None:
    want = A + 1j * B
    np.testing.assert_array_equal(Z.H.numpy(), want.conj().T)
    np.testing.assert_array_equal(Z.mH.numpy(), want.conj().T)
    np.testing.assert_array_equal(Z.T.numpy(), want.T)
    np.testing.assert_array_equal(Z.mT.numpy(), want.T)
    assert kagari.adjoint(Z).equal(Z.mH)


def test_parts_are_views() -> None:
    z = Z.clone()
    z.real.zero_()
    z.imag.mul_(2)
    np.testing.assert_array_equal(z.numpy(), 2j * B)
    pairs = kagari.view_as_real(z)
    pairs[..., 0] = 1
    assert z.real.eq(1).all() and kagari.view_as_complex(pairs).equal(z)
    z = Z.clone().requires_grad_()
    for f in (kagari.real, kagari.imag, kagari.view_as_real):
        assert gradcheck(f, (z,)) and gradgradcheck(f, (z,))


def test_magnitude_and_direction() -> None:
    z = Z.clone().requires_grad_()
    for f in (kagari.abs, kagari.angle, kagari.sgn):
        assert gradcheck(f, (z,)) and gradgradcheck(f, (z,))
    zero = kagari.zeros(2, dtype=kagari.complex64, requires_grad=True)
    zero.abs().sum().backward()
    assert zero.grad.tolist() == [0, 0]


def test_isreal_and_numbers() -> None:
    assert kagari.isreal(kagari.tensor([1 + 0j, 1j])).tolist() == [True, False]
    assert kagari.isreal(kagari.tensor([1, 2])).tolist() == [True, True]
    assert complex(kagari.tensor(1 + 2j)) == 1 + 2j and complex(kagari.tensor(2)) == 2


@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1)])
def test_spread(dim: Any) -> None:
    for f, g in ((kagari.var, np.var), (kagari.std, np.std)):
        np.testing.assert_allclose(f(Z, dim).numpy(), g(A + 1j * B, axis=dim, ddof=1))
        z = Z.clone().requires_grad_()
        assert f(Z, dim).dtype == kagari.float64
        assert gradcheck(lambda t, f=f: f(t, dim), (z,))
        assert gradgradcheck(lambda t, f=f: f(t, dim), (z,))


@pytest.mark.parametrize("p", [0, 1, 1.5, 3, -1])
@pytest.mark.parametrize("dim", [0, 1])
def test_norms(p: float, dim: int) -> None:
    for x in (A, A + 1j * B):
        want = (np.abs(x) ** p).sum(dim) ** (1 / p) if p else (x != 0).sum(dim)
        np.testing.assert_allclose(kagari.norm(kagari.from_numpy(x), p, dim).numpy(), want)


def test_complex32_converts() -> None:
    z = kagari.tensor([1 + 2j, -0.5j])
    half = z.to(kagari.complex32)
    assert half.dtype == z.chalf().dtype == kagari.complex32
    assert half.to(kagari.complex128).tolist() == z.tolist()
    assert kagari.tensor([2.0, 3.0]).chalf().to(kagari.complex64).tolist() == [2, 3]
    assert kagari.view_as_real(half).dtype == kagari.float16
    assert z.chalf()[::2].cfloat().tolist() == [1 + 2j]
