"""The tensor as a Python object: identity, attributes, weak references, subclasses, copies, pickles, garbage, interrupts."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import kagari
from kagari import nn


def leaf(*shape: int) -> Any:
    return kagari.randn(*shape, requires_grad=True)


# ---- identity, attributes, weak references -------------------------------------------------------


def test_a_tensor_comes_back_as_the_same_object() -> None:
    w = leaf(3)
    w.note = "kept"
    y = w * kagari.ones(3)
    y.sum().backward()
    assert w.grad is w.grad
    assert y.grad_fn.next_functions[0][0].variable is w
    assert y.grad_fn.next_functions[0][0].variable.note == "kept"
    p = nn.Parameter(kagari.ones(2))
    p.tag = object()
    kept = p.tag
    z = (p * 2).sum()
    del p
    gc.collect()
    assert z.grad_fn.next_functions[0][0].next_functions[0][0].variable.tag is kept


def test_attributes_and_weak_references() -> None:
    x = kagari.ones(2)
    x.anything = [1]
    assert x.anything == [1] and "anything" in vars(x)
    gone: list[str] = []
    ref = weakref.ref(x, lambda _: gone.append("x"))
    weakref.finalize(x, gone.append, "finalised")
    assert ref() is x
    del x
    assert ref() is None and sorted(gone) == ["finalised", "x"]
    d = weakref.WeakValueDictionary()
    y = d["y"] = kagari.ones(2)
    assert d["y"] is y and len(d) == 1
    del y
    assert len(d) == 0


def test_a_block_that_is_used_again_brings_nothing_along() -> None:
    for _ in range(100):
        x = kagari.ones(3, requires_grad=True)
        x.mark = 1
        x.register_hook(lambda g: g * 2)
        del x
        y = kagari.ones(3)
        assert not y.requires_grad and not vars(y) and y.grad is None and y._version == 0


def test_hashes_and_equality() -> None:
    x, y = kagari.ones(2), kagari.ones(2)
    assert hash(x) != hash(y) and x in [x] and len({x, y, x}) == 2


# ---- subclasses ----------------------------------------------------------------------------------


class Plain(kagari.Tensor):
    """Adds nothing."""


class Named(kagari.Tensor):
    """Carries a word."""

    @staticmethod
    def __new__(cls, data: Any, word: str) -> Any:
        return kagari.Tensor._make_subclass(cls, data)

    def __init__(self, data: Any, word: str) -> None:
        self.word = word


def test_subclasses() -> None:
    x = kagari.ones(3).as_subclass(Plain)
    assert type(x + 1) is Plain and type(x[0]) is Plain and type(kagari.cat([x, x])) is Plain
    n = Named(kagari.ones(2), "hello")
    assert n.word == "hello" and n.tolist() == [1.0, 1.0] and isinstance(n * 2, Named)
    w = leaf(3).as_subclass(Plain)
    w.sum().backward()
    assert type(kagari.Tensor(2)) is kagari.Tensor
    bare = Plain.__new__(Plain)  # nobody initialises it
    assert bare.numel() == 0 and repr(bare)


def test_subclasses_die_cleanly() -> None:
    refs = []
    for _ in range(200):
        n = Named(kagari.ones(2), "x")
        n.me = n  # a cycle through the instance's dictionary
        refs.append(weakref.ref(n))
    del n
    gc.collect()
    assert not any(r() for r in refs)


def test_parameters_by_metaclass() -> None:
    p = nn.Parameter(kagari.ones(2))
    assert isinstance(p, nn.Parameter) and isinstance(p, kagari.Tensor) and p.requires_grad
    assert type(p + 1) is kagari.Tensor
    assert isinstance(copy.deepcopy(p), nn.Parameter)


# ---- copies and pickles --------------------------------------------------------------------------

SAMPLES: dict[str, Callable[[], Any]] = {
    "float": lambda: kagari.randn(2, 3),
    "bool": lambda: kagari.tensor([True, False]),
    "bfloat16": lambda: kagari.randn(3).bfloat16(),
    "complex": lambda: kagari.tensor([1 + 2j, 3]),
    "uint64": lambda: kagari.tensor([2**63], dtype=kagari.uint64),
    "0-d": lambda: kagari.tensor(2.5),
    "empty": lambda: kagari.empty(0, 3),
    "transposed": lambda: kagari.randn(2, 3).t(),
    "part": lambda: kagari.randn(9)[2:7:2],
    "expanded": lambda: kagari.randn(1, 3).expand(4, 3),
    "leaf": lambda: leaf(2),
    "parameter": lambda: nn.Parameter(kagari.ones(2)),
    "attributes": lambda: _with_attributes(),
}


def _with_attributes() -> Any:
    x = kagari.ones(2)
    x.note = {"a": [1]}
    return x


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("how", ["copy", "deepcopy", *(f"pickle{p}" for p in range(2, 6))])
def test_copies(name: str, how: str) -> None:
    x = SAMPLES[name]()
    if how == "copy":
        y = copy.copy(x)
    elif how == "deepcopy":
        y = copy.deepcopy(x)
    else:
        y = pickle.loads(pickle.dumps(x, int(how[-1])))
    assert y is not x and type(y) is type(x) and kagari.equal(x, y)
    assert (y.dtype, y.shape, y.stride(), y.requires_grad) == (
        x.dtype,
        x.shape,
        x.stride(),
        x.requires_grad,
    )
    if how == "deepcopy":
        assert x.numel() == 0 or y.data_ptr() != x.data_ptr()
        assert vars(y) == vars(x)


def test_copies_share_what_was_shared() -> None:
    x = kagari.arange(6.0)
    for both in (copy.deepcopy([x, x, x[2:]]), pickle.loads(pickle.dumps([x, x, x[2:]]))):
        assert both[0] is both[1]
        both[0][3] = 70
        assert both[2].tolist() == [2, 70, 4, 5] and x[3] == 3


def test_only_leaves_are_copied_deeply() -> None:
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(leaf(2) * 2)
    x = leaf(2)
    x.sum().backward()
    y = copy.deepcopy(x)
    assert kagari.equal(y.grad, x.grad) and y.grad is not x.grad


# ---- garbage -------------------------------------------------------------------------------------


class Canary:
    """Something whose end can be seen."""


def _hook_on_itself() -> Any:
    x = leaf(2)
    x.canary = Canary()
    x.register_hook(lambda g: (x, g)[1])
    return weakref.ref(x.canary)


def _grad_that_knows_its_leaf() -> Any:
    x = leaf(2)
    x.sum().backward()
    x.grad.leaf = x
    x.canary = Canary()
    return weakref.ref(x.canary)


def _grad_with_a_graph() -> Any:
    x = leaf(2)
    (x**3).sum().backward(create_graph=True)  # x.grad's graph holds x
    x.canary = Canary()
    return weakref.ref(x.canary)


def _node_hook() -> Any:
    y = leaf(2) * 2
    y.canary = Canary()
    y.grad_fn.register_hook(lambda *_: y)
    return weakref.ref(y.canary)


def _node_metadata() -> Any:
    y = leaf(2) * 2
    y.canary = Canary()
    y.grad_fn.metadata["self"] = y
    return weakref.ref(y.canary)


def _function_context() -> Any:
    class Keep(kagari.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.canary = Canary()
            ctx.ref = weakref.ref(ctx.canary)
            return x.clone()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    y = Keep.apply(leaf(2))
    y.grad_fn.out = y
    return y.grad_fn.ref


def _saved_tensor_hooks() -> Any:
    x = leaf(2)
    x.canary = Canary()
    with kagari.autograd.graph.saved_tensors_hooks(lambda t: (t, x), lambda p: p[0]):
        x.loss = (x * x).sum()
    return weakref.ref(x.canary)


def _module() -> Any:
    m = nn.Linear(2, 2)
    m.canary = Canary()
    m.register_forward_hook(lambda *a: m)
    m.weight.owner = m
    m.last = m(kagari.ones(1, 2))
    return weakref.ref(m.canary)


def _view_of_itself() -> Any:
    x = kagari.ones(4)
    v = x[:2]
    x.canary = Canary()
    x.view_ = v  # v's base is x
    return weakref.ref(x.canary)


def _post_accumulate() -> Any:
    x = leaf(2)
    x.canary = Canary()
    x.register_post_accumulate_grad_hook(lambda t: (x, None)[1])
    x.sum().backward()
    return weakref.ref(x.canary)


CYCLES = {f.__name__[1:]: f for f in (
    _hook_on_itself, _grad_that_knows_its_leaf, _grad_with_a_graph, _node_hook, _node_metadata,
    _function_context, _saved_tensor_hooks, _module, _view_of_itself, _post_accumulate,
)}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
@pytest.mark.parametrize("name", CYCLES)
def test_cycles_are_collected(name: str) -> None:
    ref = CYCLES[name]()
    gc.collect()
    assert ref() is None


def test_without_cycles_nothing_waits_for_the_collector() -> None:
    gc.disable()
    try:
        x = leaf(3)
        y = (x * 2).exp()
        refs = [weakref.ref(y), weakref.ref(y.grad_fn)]
        y.sum().backward()
        del y
        assert not any(r() for r in refs)
        m = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        ref = weakref.ref(m[0].weight)
        m(kagari.ones(4, 2)).sum().backward()
        del m
        assert ref() is None
    finally:
        gc.enable()


# ---- long programs -------------------------------------------------------------------------------


def resident() -> int:
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_memory_is_flat_over_training_steps(count: int) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    opt = kagari.optim.Adam(model.parameters())
    x, y = kagari.randn(8, 4), kagari.randn(8, 1)

    def steps(n: int) -> None:
        for _ in range(n):
            opt.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            opt.step()

    steps(300)
    gc.collect()
    held, objects = kagari._core._memory_stats()["allocated"], len(gc.get_objects())
    before = resident()
    steps(count)
    gc.collect()
    assert kagari._core._memory_stats()["allocated"] == held
    assert len(gc.get_objects()) <= objects + 50
    if "ASAN_OPTIONS" not in os.environ:  # which holds freed memory back for a while
        assert resident() - before < 2 << 20


def test_a_failed_step_leaves_nothing_behind() -> None:
    w = leaf(4, 4)

    def fail() -> None:
        with pytest.raises(RuntimeError):
            (w @ kagari.ones(4, 2)) @ kagari.ones(3, 3)
        y = (w * 2).sum()
        y.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            y.backward()

    fail()
    gc.collect()
    held = kagari._core._memory_stats()["allocated"]
    for _ in range(300):
        fail()
    gc.collect()
    assert kagari._core._memory_stats()["allocated"] == held and w.grad is None


INTERRUPTED = """
import os, signal, kagari
x = kagari.ones(1, requires_grad=True)
y = x
for _ in range(100_000):
    y = y * 1
# C++ alone runs behind this hook, which itself runs no bytecode after the signal has come.
y.grad_fn.register_prehook(lambda g: os.kill(os.getpid(), signal.SIGINT))
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    y.backward(retain_graph=True)
    print("finished")
except KeyboardInterrupt:
    print("interrupted", x.grad)
(x * 3).sum().backward()
print(x.grad.item())
del y
print((x + 1).item())
"""


def test_interrupt_in_the_middle_of_a_backward() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", INTERRUPTED], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == ["interrupted None", "3.0", "2.0"], done.stderr


def test_an_interrupt_from_a_hook_reaches_the_caller() -> None:
    x = leaf(2)
    y = (x * 2).exp()

    def hook(g: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    y.register_hook(hook)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored, in a job
    try:
        with pytest.raises(KeyboardInterrupt):
            y.sum().backward()
    finally:
        signal.signal(signal.SIGINT, before)
    assert x.grad is None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
