"""__torch_function__: subclasses, foreign objects, order, modes, switches, the decorator."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import kagari as kg
from kagari import overrides
from kagari.overrides import TorchFunctionMode, overridable

X = kg.tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])


class Sub(kg.Tensor):
    pass


class Deeper(Sub):
    asked = 0

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        cls.asked += 1
        return super().__torch_function__(func, types, args, kwargs)


class Disabled(kg.Tensor):
    __torch_function__ = kg._core._disabled_torch_function_impl


class Duck:
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func, types, args, kwargs


class Refuses:
    @classmethod
    def __torch_function__(cls, *args: Any, **kwargs: Any) -> Any:
        return NotImplemented


SUBCLASS_CALLS: list[Callable[[Any], Any]] = [
    lambda s: s + 1,
    lambda s: 1 - s,
    lambda s: X + s,
    lambda s: s + X,
    lambda s: -s,
    lambda s: s.sum(),
    lambda s: kg.add(X, s),
    lambda s: kg.cat([X, s]),
    lambda s: s.max(0)[0],
    lambda s: s.split(1)[1],
    lambda s: s[0],
    lambda s: s.detach(),
    lambda s: s.clone().add_(1),
    lambda s: s.T,
]


@pytest.mark.parametrize("call", SUBCLASS_CALLS)
def test_results_keep_the_subclass(call: Callable[[Any], Any]) -> None:
    assert type(call(X.as_subclass(Sub))) is Sub


def test_named_results_of_subclasses() -> None:
    r = X.as_subclass(Sub).max(0)
    assert type(r) is kg.return_types.max and type(r.indices) is Sub


def test_disabled_classes_give_plain_tensors() -> None:
    assert type(X.as_subclass(Disabled) + 1) is kg.Tensor
    assert type(kg.nn.Parameter(X) + 1) is kg.Tensor


def test_subclasses_are_asked_before_their_bases() -> None:
    Deeper.asked = 0
    assert type(kg.add(X.as_subclass(Sub), X.as_subclass(Deeper))) is Deeper
    assert Deeper.asked == 1


def test_unrelated_subclasses() -> None:
    class Other(kg.Tensor):
        pass

    with pytest.raises(TypeError, match=r"no implementation found for 'add' .*Sub, Other"):
        kg.add(X.as_subclass(Sub), X.as_subclass(Other))


def test_foreign_objects() -> None:
    d = Duck()
    assert kg.add(X, d) == (kg.add, (Duck,), (X, d), {})
    assert kg.add(d, X, alpha=2) == (kg.add, (Duck,), (d, X), {"alpha": 2})
    assert X + d == (kg.Tensor.add, (Duck,), (X, d), {})
    assert kg.cat([X, d], dim=1)[0] is kg.cat
    assert kg.relu(d)[1] == (Duck,)
    with pytest.raises(TypeError, match=r"no implementation found for 'add' .*\[Refuses\]"):
        kg.add(X, Refuses())


def test_a_class_may_change_later() -> None:
    class Late(kg.Tensor):
        pass

    x = X.as_subclass(Late)
    assert type(x + 1) is Late
    Late.__torch_function__ = classmethod(lambda *a, **k: "changed")  # type: ignore[method-assign, assignment]
    assert x + 1 == "changed"
    Late.__torch_function__ = kg._core._disabled_torch_function_impl
    assert type(x + 1) is kg.Tensor


def test_switches() -> None:
    s = X.as_subclass(Sub)
    with overrides.DisableTorchFunctionSubclass():
        assert type(s + 1) is kg.Tensor
        with overrides.DisableTorchFunctionSubclass():
            pass
        assert type(s + 1) is kg.Tensor
    assert type(s + 1) is Sub


class Log(TorchFunctionMode):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        self.seen.append(func.__name__)
        return func(*args, **(kwargs or {}))


MODE_CALLS: list[tuple[str, Callable[[], Any]]] = [
    ("add", lambda: X + 1),
    ("zeros", lambda: kg.zeros(2)),
    ("tensor", lambda: kg.tensor([1.0])),
    ("__get__", lambda: X.shape),
    ("__getitem__", lambda: X[0]),
    ("sum", lambda: X.sum()),
    ("mul_", lambda: X.clone().mul_(2)),
]


@pytest.mark.parametrize(("name", "call"), MODE_CALLS)
def test_modes_see_every_call(name: str, call: Callable[[], Any]) -> None:
    with Log() as log:
        call()
    assert log.seen[-1] == name
    call()
    assert log.seen[-1] == name


def test_modes_nest_and_are_off_while_they_run() -> None:
    with Log() as outer, Log() as inner:
        _ = X + 1
        assert overrides._get_current_function_mode() is inner
    assert outer.seen == inner.seen == ["add"]
    assert overrides._get_current_function_mode() is None


def test_modes_see_subclasses_first() -> None:
    with Log() as log:
        assert type(X.as_subclass(Sub) + 1) is Sub
    assert log.seen == ["as_subclass", "add"]


def test_mode_that_refuses() -> None:
    class Nothing(TorchFunctionMode):
        def __torch_function__(self, *args: Any, **kwargs: Any) -> Any:
            return NotImplemented

    with Nothing(), pytest.raises(TypeError, match="nor on the active modes"):
        _ = X + 1
    with TorchFunctionMode(), pytest.raises(NotImplementedError, match="define it in the class"):
        _ = X + 1


def test_an_error_leaves_the_stack_whole() -> None:
    class Fails(TorchFunctionMode):
        def __torch_function__(self, *args: Any, **kwargs: Any) -> Any:
            raise KeyError("inside")

    with Log() as log, pytest.raises(KeyError), Fails():
        _ = X + 1
    assert kg._core._len_torch_function_stack() == 0 and log.seen == []


def test_modes_belong_to_a_thread() -> None:
    with Log() as log:
        worker = threading.Thread(target=lambda: X + 1)
        worker.start()
        worker.join()
    assert log.seen == []


@overridable
def triple(x: Any, *, extra: Any = None) -> Any:
    """Three times x."""
    return x * 3, extra


def test_overridable() -> None:
    d = Duck()
    assert triple(2, extra=1) == (6, 1)
    assert triple(d) == (triple, (Duck,), (d,), {})
    assert triple(2, extra=d)[3] == {"extra": d}
    assert triple.__name__ == "triple" and triple.__doc__ == "Three times x."
    assert triple.__wrapped__(2) == (6, None) and pickle.loads(pickle.dumps(triple)) is triple
    with Log() as log:
        triple(1)
    assert log.seen == ["triple"]
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        triple()

    class Holder:
        method = triple

        def __mul__(self, n: int) -> int:
            return n

    assert Holder().method() == (3, None)


def test_questions() -> None:
    d, s = Duck(), X.as_subclass(Sub)
    assert overrides.has_torch_function((X, d)) and not overrides.has_torch_function((X, 1, "a"))
    assert overrides.has_torch_function_unary(s) and not overrides.has_torch_function_unary(X)
    assert overrides.has_torch_function_variadic(X, s)
    assert overrides.is_tensor_like(d) and not overrides.is_tensor_like(1)
    assert overrides.handle_torch_function(triple, (d,), 1, extra=2) == (
        triple,
        (Duck,),
        (1,),
        {"extra": 2},
    )


def test_names() -> None:
    assert overrides.resolve_name(kg.add) == "kagari.add"
    assert overrides.resolve_name(kg.Tensor.add) == "kagari.Tensor.add"
    assert overrides.resolve_name(kg.Tensor.shape.__get__) == "kagari.Tensor.shape.__get__"
    assert overrides.resolve_name(print) is None
    assert overrides.is_tensor_method_or_property(kg.Tensor.shape.__get__)
    assert not overrides.is_tensor_method_or_property(kg.add)
    assert kg.get_default_dtype in overrides.get_ignored_functions()
    assert kg.add not in overrides.get_ignored_functions()


def test_wrap_torch_function() -> None:
    @overrides.wrap_torch_function(lambda a, b=None: (a, b))
    def both(a: Any, b: Any = None) -> Any:
        return a, b

    d = Duck()
    assert both(1) == (1, None) and both(1, b=d) == (both, (Duck,), (1,), {"b": d})
