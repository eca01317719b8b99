"""Ops as Python objects: names, signatures, pickling, binding, results, out= and in-place forms."""

from __future__ import annotations

import contextlib
import copy
import gc
import inspect
import pickle
import sys
import weakref

import pytest

import kagari as kg
from kagari._core import functions, ops

X = kg.tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])


def test_names() -> None:
    assert (kg.add.__name__, kg.add.__qualname__, kg.add.__module__) == ("add", "add", "kagari")
    assert kg.Tensor.add.__qualname__ == "Tensor.add" and kg.Tensor.add_.__name__ == "add_"
    assert repr(kg.add) == "<built-in function add>"
    assert repr(kg.Tensor.add) == "<method 'add' of 'kagari.Tensor' objects>"
    assert "Tensor input" in kg.add.__doc__ and inspect.isroutine(kg.add)


def test_signatures() -> None:
    assert str(inspect.signature(kg.add)) == "(input, other, *, alpha=1, out=None)"
    assert str(inspect.signature(X.add)) == "(other, *, alpha=1)"
    with pytest.raises(ValueError):
        inspect.signature(kg.max)  # several overloads


@pytest.mark.parametrize("op", [kg.add, kg.Tensor.add, kg.Tensor.add_, kg.max])
def test_pickle_and_weakref(op: object) -> None:
    assert pickle.loads(pickle.dumps(op)) is op and copy.deepcopy(op) is op
    assert weakref.ref(op)() is op and hash(op) == hash(op)


def test_functions_do_not_bind_and_methods_do() -> None:
    class Holder:
        function = kg.relu
        method = kg.Tensor.relu

    assert Holder().function(X).tolist() == X.relu().tolist()
    with pytest.raises(TypeError):
        Holder().method()
    assert kg.Tensor.add(X, 1).tolist() == X.add(1).tolist()
    add = X.add
    assert add(1).tolist() == X.add(1).tolist()


def test_named_results() -> None:
    r = X.max(1)
    assert r.values.tolist() == [3.0, 5.0] and r.indices.tolist() == [0, 1]
    values, indices = r
    assert values is r[0] is r.values and indices is r[1] and isinstance(r, tuple)
    assert type(r) is kg.return_types.max and type(r) is type(kg.max(X, 0))
    assert repr(r).startswith("kagari.return_types.max(\nvalues=tensor([3., 5.]),\nindices=")
    again = pickle.loads(pickle.dumps(r))
    assert type(again) is type(r) and again.values.tolist() == r.values.tolist()
    assert kg.return_types.max((1, 2)).indices == 2 and type(r).__match_args__ == (
        "values",
        "indices",
    )
    with pytest.raises(TypeError, match="takes a 2-sequence"):
        kg.return_types.max((1,))
    with pytest.raises(TypeError, match="constructor requires a sequence"):
        kg.return_types.max(1, 2)


def test_results_are_collected() -> None:
    class Sub(kg.Tensor):
        pass

    x = X.as_subclass(Sub)
    r = kg.return_types.max((x, x))
    x.loop = r
    alive = weakref.ref(x)
    del x, r
    gc.collect()
    assert alive() is None


def test_no_reference_leaks() -> None:
    y = kg.ones(2, 3)
    calls = [
        lambda: y + y,
        lambda: 1.0 - y,
        lambda: y.view(3, 2),
        lambda: kg.cat([y, y]),
        lambda: y.max(1),
        lambda: y.add_(y),
        lambda: kg.add(y, y, out=y),
        lambda: kg.cat([y, 1]),
        lambda: kg.add(y, "a"),
    ]
    for call in calls:
        with contextlib.suppress(TypeError):
            call()
        before = sys.getrefcount(y)
        for _ in range(20):
            with contextlib.suppress(TypeError):
                call()
        assert sys.getrefcount(y) <= before + 1


def test_out_and_in_place() -> None:
    out = kg.empty(2, 3)
    assert kg.add(X, 1, out=out) is out and out.tolist() == (X + 1).tolist()
    pair = (kg.empty(0), kg.empty(0, dtype=kg.int64))
    r = kg.max(X, 1, out=pair)
    assert r.values is pair[0] and r.indices is pair[1] and pair[1].tolist() == [0, 1]
    assert kg.add(X, 1, out=None).tolist() == out.tolist()
    y = X.clone()
    assert y.add_(1) is y and kg.relu_(y) is y
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        kg.ones(3).add_(X)


def test_factories_take_requires_grad() -> None:
    assert kg.zeros(2, requires_grad=True).requires_grad
    assert not kg.zeros(2, requires_grad=None).requires_grad
    with pytest.raises(RuntimeError):
        kg.zeros(2, dtype=kg.int32, requires_grad=True)


def test_every_row_is_reachable() -> None:
    for row in kg._core._rows():
        name = row["name"]
        assert callable(getattr(ops, name))
        if row["function"] and not row["overload"]:
            assert getattr(kg, name) is getattr(functions, name)
        if row["method"]:
            assert hasattr(kg.Tensor, name)
        if row["inplace"]:
            assert callable(getattr(ops, name + "_"))
        if row["inplace_method"]:
            assert hasattr(kg.Tensor, name + "_")


def test_activations_and_dropout_are_in_place_as_functions_only() -> None:
    for name in ("gelu", "silu", "mish", "elu", "celu", "leaky_relu", "hardswish", "dropout"):
        assert not hasattr(kg.Tensor, name) and not hasattr(kg.Tensor, name + "_")
        assert callable(getattr(ops, name + "_"))
    for name in ("relu_", "fill_", "zero_", "copy_", "uniform_", "sigmoid_", "prelu"):
        assert hasattr(kg.Tensor, name)
    x = kg.tensor([-1.0, 2.0])
    assert kg.celu_(x) is x and x[0] < 0
    assert not hasattr(kg.Tensor, "rsub") and kg.rsub(x, 1)[1].item() == -1


def test_every_row_has_a_sentence() -> None:
    assert not [r["signature"] for r in kg._core._rows() if r["primitive"] and not r["doc"]]


def test_index_of_names() -> None:
    assert len(set(kg.__all__)) == len(kg.__all__)
    assert all(hasattr(kg, name) for name in kg.__all__)
    assert set(functions.__all__) <= set(kg.__all__) and "nn" in dir(kg)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = kg.nonsense
