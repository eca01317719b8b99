"""Gradients of convolutions as functions, layers over channels, and modules on several devices."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
from kagari import nn
from kagari.autograd import gradcheck, gradgradcheck
from kagari.nn import functional as F

CASES = [
    (1, (2, 4, 9), (6, 2, 3), {"stride": 2, "padding": 1, "groups": 2}),
    (2, (2, 3, 7, 6), (4, 3, 3, 2), {"padding": (1, 0), "dilation": (1, 2)}),
    (3, (1, 2, 4, 4, 5), (3, 2, 2, 2, 2), {"stride": (1, 2, 1)}),
]


@pytest.mark.parametrize(("dims", "x_shape", "w_shape", "kwargs"), CASES)
def test_gradients_of_convolutions(dims, x_shape, w_shape, kwargs):
    kagari.manual_seed(0)
    x = kagari.randn(*x_shape, dtype=kagari.float64, requires_grad=True)
    w = kagari.randn(*w_shape, dtype=kagari.float64, requires_grad=True)
    y = getattr(F, f"conv{dims}d")(x, w, **kwargs)
    g = kagari.randn_like(y).requires_grad_()
    dx, dw = kagari.autograd.grad(y, (x, w), g.detach())
    got = getattr(nn.grad, f"conv{dims}d_input")(x_shape, w, g, **kwargs)
    assert kagari.allclose(got, dx, atol=1e-12)
    assert got.requires_grad
    got = getattr(nn.grad, f"conv{dims}d_weight")(x, w_shape, g, **kwargs)
    assert kagari.allclose(got, dw, atol=1e-12)
    with kagari.no_grad():
        assert not getattr(nn.grad, f"conv{dims}d_weight")(x, w_shape, g, **kwargs).requires_grad


WEIGHT, GRADIENT = kagari.ones(2, 3, 3, 3), kagari.ones(2, 2, 4, 4)


@pytest.mark.parametrize("size", [(5, 3, 6, 6), (2, 7, 6, 6), (2, 3, 9, 9), (6, 6)])
def test_sizes_of_another_convolution(size):
    with pytest.raises(RuntimeError, match="does not belong to the convolution of an input"):
        nn.grad.conv2d_input(size, WEIGHT, GRADIENT)


@pytest.mark.parametrize("size", [(9, 3, 3, 3), (2, 1, 3, 3), (2, 3, 5, 3), (3, 3)])
def test_weights_of_another_convolution(size):
    with pytest.raises(RuntimeError, match="does not belong to the convolution of an input"):
        nn.grad.conv2d_weight(kagari.ones(2, 3, 6, 6), size, GRADIENT)


@pytest.mark.parametrize(
    "settings", [{"stride": 0}, {"groups": 0}, {"dilation": 0}, {"padding": (1,)}]
)
def test_settings_of_no_convolution(settings):
    with pytest.raises(RuntimeError, match="positive steps and groups"):
        nn.grad.conv2d_input((2, 3, 6, 6), WEIGHT, GRADIENT, **settings)


@pytest.mark.conformance
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_cross_map_normalization_as_torch(size):
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(0).standard_normal((2, 5, 3, 3))

    def run(m):
        net = m.nn.CrossMapLRN2d(size, 0.5, 0.6, 2)
        return net(m.tensor(array)).numpy(), repr(net)

    (y, text), (their_y, their_text) = run(kagari), run(torch)
    np.testing.assert_allclose(y, their_y, rtol=1e-10)
    assert text == their_text


@pytest.mark.parametrize("size", [1, 2, 5])
def test_cross_map_normalization_is_differentiable(size):
    """The gradient is the derivative, also in the first channel, where PyTorch's differs."""
    x = kagari.randn(1, 3, 2, 1, dtype=kagari.float64, requires_grad=True)
    net = nn.CrossMapLRN2d(size, 0.5, 0.6, 2)
    assert gradcheck(net, (x,))
    assert gradgradcheck(net, (x,))


def test_data_parallel_is_the_module():
    inner = nn.Linear(2, 3)
    net = nn.DataParallel(inner)
    x = kagari.randn(4, 2)
    assert kagari.equal(net(x), inner(x))
    assert list(net.state_dict()) == ["module.weight", "module.bias"]


def test_errors():
    with pytest.raises(ValueError, match="CrossMapLRN2d: Expected input to be 4D, got 3D"):
        nn.CrossMapLRN2d(3)(kagari.zeros(1, 2, 3))
    with pytest.raises(NotImplementedError, match="train the Linear in one process"):
        nn.parallel.DistributedDataParallel(nn.Linear(1, 1))
