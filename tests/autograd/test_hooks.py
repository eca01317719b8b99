"""Hooks on tensors and nodes, retained gradients, saved-tensor hooks, anomaly mode."""

import pytest

import kagari


def leaf(*values):
    return kagari.tensor(values, dtype=kagari.float64, requires_grad=True)


def test_tensor_hook_sees_and_replaces_the_gradient():
    x = leaf(1.0, 2.0)
    h = x * 2
    seen = []
    handle = h.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
    h.sum().backward()
    assert seen == [[1.0, 1.0]] and x.grad.tolist() == [20.0, 20.0]
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0] and len(seen) == 1


@pytest.mark.parametrize(
    "register",
    [
        lambda x, y, f: x.register_hook(f),
        lambda x, y, f: y.register_hook(f),
        lambda x, y, f: x.register_post_accumulate_grad_hook(f),
        lambda x, y, f: y.grad_fn.register_hook(f),
        lambda x, y, f: y.grad_fn.register_prehook(f),
    ],
    ids=["leaf", "tensor", "accumulated", "node", "before node"],
)
def test_a_hook_that_is_removed_runs_no_more(register):
    x = leaf(1.0, 2.0)
    y = x.exp()
    seen = []
    first = register(x, y, lambda *_: seen.append(1))
    second = register(x, y, lambda *_: seen.append(2))
    y.sum().backward(retain_graph=True)
    assert seen == [1, 2]
    first.remove()
    y.sum().backward(retain_graph=True)
    assert seen == [1, 2, 2]
    second.remove()
    second.remove()
    register(x, y, lambda *_: seen.append(3))
    y.sum().backward()
    assert seen == [1, 2, 2, 3]


def test_leaf_hook():
    x = leaf(1.0)
    x.register_hook(lambda g: g * 3)
    (x * 2).backward()
    assert x.grad.item() == 6.0


def test_hooks_run_in_order():
    x = leaf(1.0)
    order = []
    x.register_hook(lambda g: order.append(1))
    x.register_hook(lambda g: order.append(2))
    (x * 1).backward()
    assert order == [1, 2]


def test_hook_that_fails_reaches_the_caller():
    x = leaf(1.0)
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * 1).backward()


def test_hook_must_return_a_tensor():
    x = leaf(1.0)
    x.register_hook(lambda g: "text")
    with pytest.raises(TypeError, match="Tensor or None"):
        (x * 1).backward()


def test_hook_on_a_tensor_without_grad():
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        kagari.ones(1).register_hook(print)


def test_retain_grad():
    x = leaf(3.0)
    h = x * 2
    h.retain_grad()
    assert h.retains_grad
    (h * h).backward()
    assert h.grad.item() == 12.0
    with pytest.warns(UserWarning, match="not a leaf"):
        assert (x * 2).grad is None


def test_post_accumulate_hook():
    x = leaf(1.0)
    seen = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.item())))
    (x * 5).backward()
    assert seen == [(True, 5.0)]
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 1).register_post_accumulate_grad_hook(print)


def test_node_hooks():
    x = leaf(1.0)
    y = x * 4
    order = []
    y.grad_fn.register_prehook(lambda grads: order.append("pre") or (grads[0] * 2,))
    y.grad_fn.register_hook(lambda ins, outs: order.append(("post", ins[0].item(), outs[0].item())))
    y.backward()
    assert order == ["pre", ("post", 8.0, 2.0)] and x.grad.item() == 8.0


def test_saved_tensors_hooks_pack_and_unpack():
    x = leaf(1.0, 2.0)
    packed = []

    def pack(t):
        packed.append(t.tolist())
        return [t]

    with kagari.autograd.graph.saved_tensors_hooks(pack, lambda p: p[0]):
        y = (x * x).exp().sum()
    y.backward()
    expected = 2 * x.detach() * (x.detach() ** 2).exp()
    assert kagari.allclose(x.grad, expected) and len(packed) >= 3


def test_saved_tensors_hooks_keep_double_backward():
    x = leaf(2.0)
    with kagari.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x**3
    (g,) = kagari.autograd.grad(y, x, create_graph=True)
    (gg,) = kagari.autograd.grad(g, x)
    assert gg.item() == pytest.approx(12.0)


def test_saved_tensors_hooks_can_be_forbidden():
    graph = kagari.autograd.graph
    with (
        graph.disable_saved_tensors_hooks("not here"),
        pytest.raises(RuntimeError, match="not here"),
        graph.saved_tensors_hooks(lambda t: t, lambda t: t),
    ):
        pass


def test_anomaly_mode_names_the_forward_call():
    x = kagari.tensor([0.0], requires_grad=True)
    with kagari.autograd.detect_anomaly():
        y = x.sqrt() * 0
        with (
            pytest.warns(UserWarning, match=r"test_hooks\.py"),
            pytest.raises(RuntimeError, match="nan values"),
        ):
            y.sum().backward()


def test_multi_grad_hook():
    a, b = leaf(1.0), leaf(2.0)
    seen = []
    kagari.autograd.graph.register_multi_grad_hook(
        [a, b], lambda gs: seen.append([g.item() for g in gs])
    )
    (a * b).backward()
    assert seen == [[2.0, 1.0]]
