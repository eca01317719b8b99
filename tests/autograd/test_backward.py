"""backward and grad: accumulation, graphs kept and freed, higher orders, deep graphs, errors."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import kagari


def leaf(*values, dtype=kagari.float64):
    return kagari.tensor(values, dtype=dtype, requires_grad=True)


def test_gradients_accumulate_in_the_leaf():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]


def test_one_tensor_used_twice():
    x = leaf(2.0)
    y = x * x + x
    y.backward()
    assert x.grad.item() == 5.0


def test_gradient_of_a_vector_needs_a_cotangent():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="only for scalar outputs.*reduce it first"):
        (x * 2).backward()
    (x * 2).backward(kagari.tensor([1.0, 10.0], dtype=kagari.float64))
    assert x.grad.tolist() == [2.0, 20.0]


def test_cotangent_of_another_shape_is_refused():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * 2).backward(kagari.ones(3, dtype=kagari.float64))


def test_broadcasting_is_undone():
    a = kagari.ones(3, 1, dtype=kagari.float64, requires_grad=True)
    b = kagari.ones(4, dtype=kagari.float64, requires_grad=True)
    (a * b).sum().backward()
    assert a.grad.tolist() == [[4.0]] * 3
    assert b.grad.tolist() == [3.0] * 4


def test_second_backward_needs_retain_graph():
    x = leaf(3.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12.0
    with pytest.raises(RuntimeError, match="second time.*retain_graph=True"):
        y.backward()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sum(),
        lambda x: x.unbind(0)[1].sum(),
        lambda x: x.chunk(2, 1)[0].sum(),
        lambda x: x.t().split(1)[0].mean(),
    ],
)
def test_what_needs_sizes_alone_runs_backward_again(f):
    x = leaf([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    y = f(x)
    y.backward()
    once = x.grad.clone()
    y.backward()
    assert kagari.equal(x.grad, 2 * once)


def test_any_order():
    x = leaf(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        (y,) = kagari.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected)


def test_grad_leaves_leaves_alone():
    x, unused = leaf(1.0), leaf(1.0)
    y = x * 2
    with pytest.raises(RuntimeError, match="allow_unused=True"):
        kagari.autograd.grad(y, [x, unused], retain_graph=True)
    gx, gu = kagari.autograd.grad(y, [x, unused], allow_unused=True, retain_graph=True)
    assert gx.item() == 2.0 and gu is None
    gx, gu = kagari.autograd.grad(y, [x, unused], materialize_grads=True)
    assert gu.item() == 0.0
    assert x.grad is None


def test_grad_of_an_intermediate():
    x = leaf(3.0)
    h = x * 2
    y = h * h
    gh, gx = kagari.autograd.grad(y, [h, x])
    assert gh.item() == 12.0 and gx.item() == 24.0


def grads_of(node_of, wanted):
    """What a node of f gives for each of its inputs when only one leaf's gradient is asked for."""
    x, w = kagari.ones(2, 2, requires_grad=True), kagari.ones(2, 2, requires_grad=True)
    leaves = {"x": x, "w": w}
    y, node = node_of(x, w)
    seen = []
    node.register_hook(lambda inputs, outputs: seen.extend(g is not None for g in inputs))
    (g,) = kagari.autograd.grad(y.sum(), leaves[wanted])
    assert g.shape == (2, 2)
    return seen


def recorded(f):
    def node_of(x, w):
        y = f(x, w)
        return y, y.grad_fn

    return node_of


def written(x, w):
    base = x.clone()
    base[0].mul_(w[1])
    return base, base.grad_fn


@pytest.mark.parametrize(
    ("f", "x", "w"),
    [
        (recorded(kagari.mm), [True, False], [False, True]),
        (recorded(kagari.nn.functional.linear), [True, False, False], [False, True, False]),
        (recorded(kagari.mul), [True, False], [False, True]),
        (recorded(lambda x, w: kagari.cat([x, w])), [True, False], [False, True]),
        (
            recorded(lambda x, w: kagari.layer_norm(x, (2, 2), w)),
            [True, False, False],
            [False, True, False],
        ),
        (written, [True, False], [True, True]),  # of a base, what was written over is needed
    ],
    ids=["mm", "linear", "mul", "cat", "layer_norm", "in place"],
)
def test_only_the_gradients_that_are_asked_for_are_computed(f, x, w):
    assert grads_of(f, "x") == x
    assert grads_of(f, "w")[1:] == w[1:]


def test_what_is_asked_for_holds_for_one_run():
    x, w = leaf(2.0), leaf(3.0)
    y = (x * w).sum()
    assert kagari.autograd.grad(y, x, retain_graph=True)[0].tolist() == [3.0]
    assert kagari.autograd.grad(y, w, retain_graph=True)[0].tolist() == [2.0]
    y.backward(inputs=[x], retain_graph=True)
    y.backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([6.0], [2.0])


def test_a_run_that_fails_leaves_nothing_behind():
    x, w = leaf(2.0), leaf(3.0)
    y = kagari.exp(x) * w
    handle = y.grad_fn.register_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        kagari.autograd.grad(y, x, retain_graph=True)
    handle.remove()
    y.backward()
    assert w.grad.item() == pytest.approx(7.38905609893065)


def test_second_gradients_of_one_of_two_inputs():
    x, w = leaf(2.0), leaf(3.0)
    (g,) = kagari.autograd.grad((x * x * w * w).sum(), x, create_graph=True)
    assert g.item() == 36.0
    (h,) = kagari.autograd.grad(g.sum(), w)
    assert h.item() == 24.0


def test_backward_with_inputs_fills_only_these():
    a, b = leaf(1.0), leaf(2.0)
    (a * b).sum().backward(inputs=[a])
    assert a.grad.item() == 2.0 and b.grad is None


def test_nothing_to_differentiate():
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        kagari.ones(1).sum().backward()


def test_integers_cannot_require_grad():
    with pytest.raises(RuntimeError, match="floating point and complex dtype.*int64"):
        kagari.ones(2, dtype=kagari.int64).requires_grad_()


def test_no_grad_and_enable_grad():
    x = leaf(1.0)
    with kagari.no_grad():
        assert not (x * 2).requires_grad
        with kagari.enable_grad():
            assert (x * 2).requires_grad
    assert kagari.is_grad_enabled()

    @kagari.no_grad()
    def f():
        return x * 2

    assert not f().requires_grad

    @kagari.no_grad()
    def generate():
        yield kagari.is_grad_enabled()
        yield kagari.is_grad_enabled()

    seen = []
    for inside in generate():
        seen += [inside, kagari.is_grad_enabled()]
    assert seen == [False, True, False, True]


def test_set_grad_enabled_acts_at_once():
    kagari.set_grad_enabled(False)
    try:
        assert not kagari.is_grad_enabled()
    finally:
        kagari.set_grad_enabled(True)


def test_inference_tensors_cannot_be_saved():
    w = leaf(2.0)
    with kagari.inference_mode():
        x = kagari.ones(1, dtype=kagari.float64)
        assert x.is_inference() and not (w * x).requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * x
    with pytest.raises(RuntimeError, match="outside InferenceMode"):
        x.add_(1)


def test_graph_of_a_million_nodes():
    x = kagari.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y
    z = x
    for _ in range(1_000_000):
        z = z * 1
    del z  # freed without having run


def test_cycles_through_graphs_and_hooks_are_collected():
    import weakref

    class Canary:
        pass

    def cycle():
        x = kagari.ones(2, requires_grad=True)
        y = x * 2
        y.canary = Canary()
        y.register_hook(lambda g: (y, g)[1])
        x.result = y
        return weakref.ref(y.canary)

    ref = cycle()
    gc.collect()
    assert ref() is None


def test_grad_is_the_same_object_and_assignable():
    x = leaf(1.0, 2.0)
    x.sum().backward()
    assert x.grad is x.grad
    x.grad = kagari.zeros(2, dtype=kagari.float64)
    with pytest.raises(RuntimeError, match="size"):
        x.grad = kagari.zeros(3, dtype=kagari.float64)
    with pytest.raises(RuntimeError, match="dtype"):
        x.grad = kagari.zeros(2)
    x.grad = None
    assert x.grad is None


def test_nodes_tell_about_themselves():
    x = leaf(1.0)
    y = x * 2
    assert y.grad_fn.name() == "MulBackward0"
    assert "MulBackward0" in repr(y.grad_fn)
    assert y.grad_fn is y.grad_fn
    (accumulate, slot), *_ = y.grad_fn.next_functions
    assert accumulate.name() == "AccumulateGrad" and slot == 0 and accumulate.variable is x
    assert x.is_leaf and not y.is_leaf and y.output_nr == 0
    y.grad_fn.metadata["note"] = 1
    assert y.grad_fn.metadata == {"note": 1}


@pytest.mark.skipif(
    "ASAN_OPTIONS" in os.environ, reason="AddressSanitizer holds freed memory back for a while"
)
def test_memory_is_flat_over_many_steps():
    import resource

    w = kagari.randn(16, 16, requires_grad=True)
    x = kagari.randn(4, 16)

    def step():
        loss = ((x * w[:4]).tanh() ** 2).sum()
        loss.backward()
        with kagari.no_grad():
            w.sub_(w.grad * 1e-3)
        w.grad = None

    for _ in range(2000):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100_000):
        step()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2048, f"{grown} KiB more after 100,000 steps"


def test_threads_may_differentiate_one_graph_for_different_inputs():
    a, b = (kagari.randn(200, 200, dtype=kagari.float64, requires_grad=True) for _ in range(2))
    y = (((a @ b).tanh() @ b) * a).sum()
    inputs = [(a,), (b,), (a, b), (b, a)]
    wanted = [kagari.autograd.grad(y, of, retain_graph=True) for of in inputs]

    def differentiate(i):
        return [kagari.autograd.grad(y, inputs[i], retain_graph=True) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        for expected, runs in zip(wanted, pool.map(differentiate, range(4)), strict=True):
            for found in runs:
                assert all(kagari.equal(x, z) for x, z in zip(found, expected, strict=True))


def test_a_run_within_a_rule_has_wishes_of_its_own():
    class Inner(kagari.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            (found,) = kagari.autograd.grad(product, w, retain_graph=True)
            ctx_seen.append(found)
            return g

    ctx_seen = []
    x, w = (kagari.randn(3, requires_grad=True) for _ in range(2))
    product = (Inner.apply(x) * w).sum()
    outer = (product * 2,)
    (gx,) = kagari.autograd.grad(outer, x, retain_graph=True)
    assert kagari.equal(gx, 2 * w) and kagari.equal(ctx_seen[0], x)
