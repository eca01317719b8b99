"""gradcheck finds wrong gradients and accepts right ones."""

import pytest

import kagari
from kagari.autograd import Function, gradcheck, gradgradcheck


class Wrong(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2 * x


class WrongTwice(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x.detach() ** 2  # right, but constant in x


def inputs():
    return kagari.tensor([0.5, -1.5], dtype=kagari.float64, requires_grad=True)


def test_right():
    assert gradcheck(lambda x: x**3, inputs()) and gradgradcheck(lambda x: x**3, inputs())


def test_wrong_first():
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        gradcheck(Wrong.apply, inputs())
    assert not gradcheck(Wrong.apply, inputs(), raise_exception=False)


def test_wrong_second():
    assert gradcheck(WrongTwice.apply, inputs())
    assert not gradgradcheck(WrongTwice.apply, inputs(), raise_exception=False)


def test_complex():
    z = kagari.tensor([1 + 2j, 0.5 - 1j], dtype=kagari.complex128, requires_grad=True)
    assert gradcheck(lambda z: z * z, z)


def test_needs_an_input_that_requires_grad():
    with pytest.raises(ValueError, match="require gradient"):
        gradcheck(lambda x: x, kagari.ones(1))


def test_the_function_keeps_its_name_beside_its_module() -> None:
    import importlib

    importlib.import_module("kagari.autograd.gradcheck")
    assert callable(kagari.autograd.gradcheck)
