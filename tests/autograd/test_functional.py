"""autograd.functional: against derivatives known by hand, strict mode, argument errors, PyTorch."""

from __future__ import annotations

import pytest

import kagari
from kagari.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp


def x64(*values):
    return kagari.tensor(values, dtype=kagari.float64)


def close(a, b):
    return kagari.allclose(a, b, rtol=1e-12, atol=1e-12)


def test_jacobian_of_several_outputs_and_inputs():
    a, b = x64(1.0, 2.0), x64(3.0)
    rows = jacobian(lambda a, b: (a * b, a.sum() + b), (a, b))
    assert close(rows[0][0], 3 * kagari.eye(2, dtype=kagari.float64))
    assert close(rows[0][1], a[:, None])
    assert close(rows[1][0], kagari.ones(1, 2, dtype=kagari.float64))
    assert close(rows[1][1], kagari.ones(1, 1, dtype=kagari.float64))


def test_jacobian_can_be_differentiated():
    x = x64(1.0, 2.0).requires_grad_()
    J = jacobian(lambda x: x**3, x, create_graph=True)
    (gradient,) = kagari.autograd.grad(J.sum(), x)
    assert close(gradient, 6 * x.detach())
    assert not jacobian(lambda x: x**3, x).requires_grad


def test_products_agree_with_matrices():
    x, v = x64(0.3, -1.0, 2.0), x64(1.0, 0.5, -2.0)

    def f(x):
        return kagari.stack([x.prod(), x.sin().sum()])

    def g(x):
        return (x.exp() * x.roll(1)).sum()

    J, H = jacobian(f, x), hessian(g, x)
    u = x64(0.5, -1.5)
    assert close(vjp(f, x, u)[1], u @ J)
    assert close(jvp(f, x, v)[1], J @ v)
    assert close(vhp(g, x, v)[1], v @ H)
    assert close(hvp(g, x, v)[1], H @ v)
    assert close(H, H.T)
    assert close(hvp(g, x, v)[0], g(x))


def test_what_does_not_depend_gives_zeros_or_raises():
    x = x64(1.0, 2.0)
    constant = kagari.ones(2, dtype=kagari.float64)
    assert not jacobian(lambda x: constant, x).any()
    assert not jvp(lambda x: constant, x, x)[1].any()
    assert not hvp(lambda x: x.sum(), x, x)[1].any()
    with pytest.raises(RuntimeError, match="does not require gradients"):
        jacobian(lambda x: constant, x, strict=True)
    with pytest.raises(RuntimeError, match="independent of input 1"):
        vjp(lambda a, b: a, (x, x), x, strict=True)
    with pytest.raises(RuntimeError, match="independent"):
        hvp(lambda x: x.sum(), x, x, strict=True)


def test_errors():
    x = x64(1.0, 2.0)
    with pytest.raises(TypeError, match="must be either a Tensor or a tuple of Tensors"):
        jacobian(lambda x: x, [x])
    with pytest.raises(TypeError, match="outputs of the user-provided function"):
        vjp(lambda x: 1.0, x)
    with pytest.raises(RuntimeError, match="can only be None"):
        vjp(lambda x: x, x)
    with pytest.raises(RuntimeError, match="invalid size"):
        jvp(lambda x: x, x, x64(1.0))
    with pytest.raises(RuntimeError, match="invalid length"):
        jvp(lambda x: x, x, (x, x))
    with pytest.raises(RuntimeError, match="single Tensor with a single element"):
        hessian(lambda x: x, x)
    with pytest.raises(RuntimeError, match="strict=True and vectorize=True"):
        jacobian(lambda x: x, x, strict=True, vectorize=True)
    with pytest.raises(NotImplementedError, match="asks for vectorize=True"):
        jacobian(lambda x: x, x, strategy="forward-mode")
    with pytest.raises(ValueError, match="reverse-mode"):
        jacobian(lambda x: x, x, strategy="sideways")


@pytest.mark.conformance
@pytest.mark.parametrize("create_graph", [False, True])
def test_like_pytorch(create_graph):
    torch = pytest.importorskip("torch")
    results = []
    for m in (kagari, torch):
        F = m.autograd.functional
        x = m.tensor([[0.5, 1.0], [2.0, -1.0]], dtype=m.float64)
        y = m.tensor([1.5, 0.5], dtype=m.float64)

        def f(x, y, m=m):
            return (x @ y).tanh(), (x * y).sum()

        def g(x, y):
            return ((x**2) @ y).exp().sum()

        results.append(
            [
                F.jacobian(f, (x, y), create_graph=create_graph),
                F.hessian(g, (x, y), create_graph=create_graph),
                F.vjp(f, (x, y), (y, m.ones((), dtype=m.float64)), create_graph=create_graph),
                F.jvp(f, (x, y), (x, y), create_graph=create_graph),
                F.hvp(g, (x, y), (x, y), create_graph=create_graph),
                F.vhp(g, (x, y), (x, y), create_graph=create_graph),
            ]
        )

    def compare(a, b):
        assert isinstance(a, tuple) == isinstance(b, tuple)
        if isinstance(a, tuple):
            for one, other in zip(a, b, strict=True):
                compare(one, other)
        else:
            assert a.requires_grad == b.requires_grad
            assert tuple(a.shape) == tuple(b.shape)
            assert kagari.allclose(a.detach(), kagari.tensor(b.detach().numpy()), rtol=1e-9)

    for mine, theirs in zip(*results, strict=True):
        compare(mine, theirs)
