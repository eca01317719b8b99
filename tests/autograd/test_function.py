"""autograd.Function written in Python."""

import pytest

import kagari
from kagari.autograd import Function


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class Scale(Function):
    @staticmethod
    def forward(x, factor):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None


class Two(Function):
    @staticmethod
    def forward(ctx, a, b, materialize):
        ctx.set_materialize_grads(materialize)
        ctx.save_for_backward(a, b)
        return a * b, a + b

    @staticmethod
    def backward(ctx, g, h):
        a, b = ctx.saved_tensors
        ctx.seen = (g is None, h is None)
        Two.seen = ctx.seen
        g = 0 if g is None else g
        h = 0 if h is None else h
        return g * b + h, g * a + h, None


def leaf(*values):
    return kagari.tensor(values, dtype=kagari.float64, requires_grad=True)


def test_gradients_of_any_order():
    x = leaf(0.5, 1.0)
    assert kagari.autograd.gradcheck(Exp.apply, x)
    assert kagari.autograd.gradgradcheck(Exp.apply, x)


def test_setup_context_and_non_tensor_arguments():
    x = leaf(1.0, 2.0)
    y = Scale.apply(x, 3.0)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_the_graph_shows_the_class():
    y = Exp.apply(leaf(1.0))
    assert "ExpBackward" in repr(y.grad_fn)
    assert y.grad_fn.name() == "ExpBackward"


@pytest.mark.parametrize("materialize", [True, False])
def test_several_outputs(materialize):
    a, b = leaf(2.0), leaf(3.0)
    p, _ = Two.apply(a, b, materialize)
    p.backward()
    assert a.grad.item() == 3.0 and b.grad.item() == 2.0
    assert Two.seen == (False, not materialize)


def test_needs_input_grad_and_no_recording():
    class Look(Function):
        @staticmethod
        def forward(ctx, a, b):
            Look.needs = ctx.needs_input_grad
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g, g

    Look.apply(leaf(1.0), kagari.ones(1, dtype=kagari.float64))
    assert Look.needs == (True, False)
    with kagari.no_grad():
        assert not Look.apply(leaf(1.0), leaf(1.0)).requires_grad


def test_non_differentiable_output():
    class ArgMax(Function):
        @staticmethod
        def forward(ctx, x):
            values, index = x * 2, x.argmax()
            ctx.mark_non_differentiable(index)
            return values, index

        @staticmethod
        def backward(ctx, g, _):
            return g * 2

    values, index = ArgMax.apply(leaf(1.0, 3.0))
    assert values.requires_grad and not index.requires_grad


def test_input_returned_as_it_is():
    class Identity(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf(1.0)
    y = Identity.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.item() == 7.0


def test_dirty_input():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(1.0)
    h = x * 1
    y = Double.apply(h)
    assert y is h
    y.backward()
    assert x.grad.item() == 2.0


def test_wrong_number_of_gradients():
    class Few(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="forward took 2 arguments"):
        Few.apply(leaf(1.0), leaf(1.0)).backward()


def test_gradient_of_a_wrong_shape():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, a):
            return a * 1

        @staticmethod
        def backward(ctx, g):
            return kagari.ones(5, dtype=kagari.float64)

    with pytest.raises(RuntimeError, match="WrongBackward returned an invalid gradient at index 0"):
        Wrong.apply(leaf(1.0, 2.0)).sum().backward()


def test_functions_are_not_instantiated():
    with pytest.raises(RuntimeError, match=r"call Exp\.apply"):
        Exp()


def test_saved_tensors_are_freed_after_backward():
    y = Exp.apply(leaf(1.0))
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_once_differentiable():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @kagari.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    x = leaf(3.0)
    cotangent = leaf(1.0)
    (g,) = kagari.autograd.grad(Once.apply(x), x, cotangent, create_graph=True)
    assert g.item() == 6.0
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.backward()


def test_backward_inside_of_backward():
    class Inner(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with kagari.enable_grad():
                y = x.detach().requires_grad_()
                (inner,) = kagari.autograd.grad(y * y, y, g)
            return inner

    x = leaf(4.0)
    Inner.apply(x).backward()
    assert x.grad.item() == 8.0
