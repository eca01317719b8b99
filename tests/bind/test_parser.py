"""The argument parser: conversions, aliases, overloads, and what it says of a wrong call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kagari as kg
from kagari._core import composite

X = kg.tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])


class Index:
    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@composite(
    "_echo(Tensor input, int i=0, float f=0.0, bool b=False, *, Scalar s=1, int[2] k=1, "
    "int[]? l=None, float[]? r=None, str t='a', ScalarType? dtype=None, Device? device=None, "
    "Generator? generator=None) -> Any",
    function=False,
    method=True,
)
def _echo(*args: Any) -> Any:
    return args[1:]


NAMES = ("i", "f", "b", "s", "k", "l", "r", "t", "dtype", "device", "generator")


def echo(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return dict(zip(NAMES, kg._core.ops._echo(X, *args, **kwargs), strict=True))


@pytest.mark.parametrize(
    ("kwargs", "want"),
    [
        ({"i": 3}, 3),
        ({"i": np.int32(3)}, 3),
        ({"i": kg.tensor(3)}, 3),
        ({"i": Index(3)}, 3),
        ({"f": 2}, 2.0),
        ({"f": np.float32(0.5)}, 0.5),
        ({"f": kg.tensor(0.5)}, 0.5),
        ({"b": True}, True),
        ({"b": np.bool_(True)}, True),
        ({"s": 2.5}, 2.5),
        ({"s": 2j}, 2j),
        ({"s": True}, True),
        ({"s": np.float64(2)}, 2.0),
        ({"s": np.int8(2)}, 2),
        ({"s": kg.tensor(2)}, 2),
        ({"s": 2**64 - 1}, 2**64 - 1),
        ({"k": 3}, (3, 3)),
        ({"k": [3, 4]}, (3, 4)),
        ({"k": kg.Size([3, 4])}, (3, 4)),
        ({"k": (np.int64(3), kg.tensor(4))}, (3, 4)),
        ({"l": ()}, ()),
        ({"l": list(range(100))}, tuple(range(100))),
        ({"l": None}, None),
        ({"r": [1, 2.5]}, (1.0, 2.5)),
        ({"t": "b"}, "b"),
        ({"dtype": float}, kg.float64),
        ({"device": "meta"}, kg.device("meta")),
    ],
)
def test_conversions(kwargs: dict[str, Any], want: Any) -> None:
    got = echo(**kwargs)[next(iter(kwargs))]
    assert got == want and type(got) is type(want)


def test_defaults() -> None:
    want = (0, 0.0, False, 1, (1, 1), None, None, "a", None, None, None)
    assert tuple(echo().values()) == want


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"i": 1.0}, r"argument 'i' must be int, not float; convert it with int\(...\)"),
        ({"i": True}, "argument 'i' must be int, not bool"),
        ({"i": None}, "argument 'i' must be int, not None; leave it out for its default"),
        ({"i": kg.tensor([1, 2])}, r"must be int, not Tensor int64 \(2,\)"),
        ({"b": 1}, "argument 'b' must be bool, not int; write True or False"),
        ({"f": "a"}, "argument 'f' must be float, not str"),
        ({"k": [1.0, 2]}, r"argument 'k' must be int or tuple of ints, not list of \(float, int\)"),
        ({"l": 3}, "argument 'l' must be tuple of ints or None, not int"),
        ({"t": 3}, "argument 't' must be str, not int"),
        ({"dtype": "x"}, "must be kagari.dtype or None, not str; write kagari.float32"),
        ({"generator": 3}, "must be kagari.Generator or None, not int"),
        ({"gnerator": 3}, "unexpected keyword argument 'gnerator'; did you mean 'generator'"),
    ],
)
def test_wrong_types(kwargs: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        echo(**kwargs)


CALLS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: kg.relu(), TypeError, "^relu: missing required argument 'input'"),
    (
        lambda: kg.relu(3),
        TypeError,
        r"^relu: argument 'input' \(position 1\) must be Tensor, not int",
    ),
    (lambda: kg.relu([1]), TypeError, r"not list of int; convert it with kagari.tensor\(...\)"),
    (
        lambda: kg.relu(np.ones(1)),
        TypeError,
        r"not numpy.ndarray; convert it with kagari.from_numpy",
    ),
    (lambda: kg.relu(X, X), TypeError, "takes at most 1 positional argument, got 2"),
    (lambda: kg.relu(X, foo=1), TypeError, "unexpected keyword argument 'foo'"),
    (lambda: X.relu(out=X), TypeError, "unexpected keyword argument 'out'"),
    (lambda: X.transpose(0), TypeError, "missing required argument 'dim1'"),
    (lambda: X.transpose(0, 1, 2), TypeError, "takes at most 2 positional arguments, got 3"),
    (lambda: X.transpose(0, 1, dim0=0), TypeError, "multiple values for argument 'dim0'"),
    (lambda: kg.sum(X, axis=0, dim=0), TypeError, "multiple values for argument 'dim'"),
    (
        lambda: kg.cat(X),
        TypeError,
        "must be tuple of Tensors, not Tensor .*; put the tensors into a list",
    ),
    (lambda: kg.cat([X, 1]), TypeError, r"not list of \(Tensor, int\)"),
    (
        lambda: kg.max(X, "a"),
        TypeError,
        r"got \(Tensor float32 \(2, 3\), str\).*\n.*max\(Tensor input",
    ),
    (
        lambda: kg.max(X, "a"),
        TypeError,
        r"closest is max\(Tensor input, Tensor other",
    ),
    (lambda: X.view(3.0), TypeError, "argument 'size' .* must be int or tuple of ints, not float"),
    (lambda: kg.zeros(2, dtyp=kg.float32), TypeError, "did you mean 'dtype'?"),
    (lambda: kg.zeros(2**63), ValueError, "zeros: Overflow when unpacking long long"),
    (lambda: X.add(2**70), OverflowError, "int too big to convert"),
    (lambda: kg.zeros(2, device="bla"), RuntimeError, "^zeros: expected one of the device types"),
    (lambda: kg.Tensor.add(), TypeError, "needs a tensor as its first argument"),
    (lambda: kg.add(X, X, out=3), TypeError, "argument 'out' must be Tensor, not int"),
    (lambda: kg.max(X, 1, out=X), TypeError, "argument 'out' must be a tuple of 2 Tensors"),
    (lambda: X + "a", TypeError, r"unsupported operand type\(s\) for \+"),
    (lambda: X + [1], TypeError, r"unsupported operand type\(s\)"),  # noqa: RUF005
]


@pytest.mark.parametrize(("call", "error", "text"), CALLS)
def test_wrong_calls(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_lists_may_be_spread() -> None:
    for y in (X.view(3, 2), X.view((3, 2)), X.view([3, 2]), X.view(size=(3, 2))):
        assert y.shape == (3, 2)
    assert X.view(np.int64(3), kg.tensor(2)).shape == (3, 2)
    assert X.view(6).shape == X.view(-1).shape == (6,)
    assert X.permute(1, 0).shape == X.permute(dims=(1, 0)).shape == (3, 2)
    assert kg.zeros(2, 3).shape == kg.zeros([2, 3]).shape == kg.zeros(size=(2, 3)).shape == (2, 3)
    assert kg.zeros(()).shape == ()


def test_other_spellings() -> None:
    want = X.sum(1, keepdim=True).tolist()
    assert kg.sum(X, axis=1, keepdims=True).tolist() == want
    assert kg.sum(x=X, axis=1, keepdims=True).tolist() == want
    assert kg.add(x1=X, x2=X).tolist() == X.add(X).tolist()
    assert kg.zeros(shape=(2,)).shape == (2,) and X.permute(axes=(1, 0)).shape == (3, 2)


def test_keyword_made_at_run_time() -> None:
    assert kg.sum(X, **{"".join(["d", "im"]): 0}).shape == (3,)


def test_overloads_by_type() -> None:
    assert isinstance(kg.max(X), kg.Tensor) and kg.max(X, 1)[1].tolist() == [0, 1]
    assert kg.max(X, dim=1, keepdim=True).values.shape == (2, 1)
    assert len(X.split(1)) == 2 and len(X.split([1, 1])) == 2
    assert X.view(kg.int32).dtype is kg.int32


def test_numbers_on_either_side() -> None:
    x = kg.tensor([1, 2])
    assert (1.5 - x).tolist() == [0.5, -0.5] and (1.5 - x).dtype is kg.float32
    assert (1 - x).dtype is kg.int64 and (2 / x).tolist() == [2.0, 1.0]
    assert (True + x).tolist() == [2, 3] and (2j * x).dtype is kg.complex64
    h = kg.ones(1, dtype=kg.float16)
    assert (1.0 - h).dtype is kg.float16
    assert (x + np.float64(0.5)).tolist() == [1.5, 2.5]


def test_list_that_changes_while_it_is_read() -> None:
    sizes: list[Any] = [1, None, 2, 3]

    class Shrinks:
        def __index__(self) -> int:
            sizes.clear()
            return 1

    sizes[1] = Shrinks()
    with pytest.raises((TypeError, RuntimeError)):
        kg.zeros(sizes)


def test_error_inside_index_is_passed_on() -> None:
    class Broken:
        def __index__(self) -> int:
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        kg.zeros(Broken())
