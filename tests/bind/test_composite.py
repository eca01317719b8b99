"""Composites: Python functions declared with a signature become ops like the rows of the table."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import kagari as kg
from kagari._core import composite, ops

X = kg.tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])


@composite(
    "_test_scaled(Tensor input, float by=2, *, int[2] k=1, str mode='plain') -> Tensor",
    function=False,
    method=True,
    inplace=True,
    out=True,
)
def scaled(input: Any, by: float, k: tuple[int, int], mode: str) -> Any:
    """Scales a tensor.

    Args:
        by: the factor.
    """
    assert type(by) is float and len(k) == 2 and type(mode) is str
    return input * by * k[0]


@composite("_test_many(Tensor[*] tensors, *, str? indexing=None) -> Tensor[]", function=False)
def many(tensors: Any, indexing: str | None) -> Any:
    return tensors, indexing


@composite("_test_norm(Tensor input, Any p='fro', int[1]? dim=None) -> Tensor", function=False)
def norm(*args: Any) -> Any:
    return args[1:]


@composite("_test_norm.two(Tensor input, str a, str b) -> bool", function=False)
def norm_two(*args: Any) -> Any:
    return "two"


def test_calls() -> None:
    want = (X * 4).tolist()
    assert scaled(X, 4).tolist() == X._test_scaled(by=4).tolist() == want
    assert scaled(X, 2, k=[2, 3]).tolist() == want and scaled(x=X, by=kg.tensor(4)).tolist() == want
    assert scaled(X).tolist() == (X * 2).tolist()
    assert ops._test_scaled is scaled


def test_in_place_and_out() -> None:
    y = X.clone()
    assert y._test_scaled_(3) is y and y.tolist() == (X * 3).tolist()
    out = kg.empty(0)
    assert scaled(X, 3, out=out) is out and out.tolist() == y.tolist()
    with pytest.raises(RuntimeError, match="can't be cast"):
        scaled(X, out=kg.empty(2, 3, dtype=kg.int64))
    with pytest.raises(TypeError, match="'out' must be Tensor, not int"):
        scaled(X, out=3)


def test_in_place_gradient() -> None:
    x = X.clone().requires_grad_()
    y = x * 1
    y._test_scaled_(3)
    y.sum().backward()
    assert x.grad.tolist() == [[3.0] * 3] * 2
    with pytest.raises(RuntimeError, match="leaf"):
        x._test_scaled_(3)


def test_lists_of_tensors_may_be_spread() -> None:
    for got in (many(X, X), many([X, X]), many((X, X)), many(tensors=[X, X])):
        assert len(got[0]) == 2 and got[0][1] is X and got[1] is None
    assert many(X, indexing="ij")[1] == "ij"
    with pytest.raises(TypeError, match="missing required argument 'tensors'"):
        many()
    with pytest.raises(TypeError, match="must be tuple of Tensors, not int"):
        many(X, 1)


def test_overloads_and_any() -> None:
    assert norm(X) == ("fro", None) and norm(X, None) == (None, None)
    assert norm(X, p=[1], axis=1) == ([1], (1,)) and norm(X, "a", "b") == "two"
    assert norm is norm_two


def test_facts() -> None:
    assert scaled.__name__ == "_test_scaled" and scaled.__module__ == __name__
    assert str(inspect.signature(scaled)) == (
        "(input, by=2.0, *, k=(1, 1), mode='plain', out=None)"
    )
    doc = scaled.__doc__
    assert doc.startswith("_test_scaled(Tensor input, float by=2")
    assert doc.endswith("Scales a tensor.\n\nArgs:\n    by: the factor.")
    row = next(r for r in kg._core._rows() if r["name"] == "_test_many")
    assert row["returns"] == "Tensor[]" and row["params"][0]["spread"] and not row["primitive"]


def test_subclasses_and_errors() -> None:
    class Sub(kg.Tensor):
        pass

    assert type(scaled(X.as_subclass(Sub))) is Sub
    with pytest.raises(TypeError, match=r"^test_scaled: .* did you mean 'mode'"):
        scaled(X, mod="a")

    @composite("_test_fails(Tensor input) -> Tensor", function=False)
    def fails(input: Any) -> Any:
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fails(X)


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("f(Tensor x)", "lacks '-> ...'"),
        ("f(Tensor x, Foo y) -> Tensor", "unknown type"),
        ("f(Tensor x, Tensor x) -> Tensor", "occurs twice"),
        ("f(int x=1, int y) -> Tensor", "required parameter follows"),
        ("f(int x=q) -> Tensor", "the default 'q' does not read"),
        ("add(Tensor x) -> Tensor", "is taken by the primitive add"),
    ],
)
def test_wrong_declarations(signature: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        composite(signature, function=False)(lambda *args: None)


def test_a_declaration_may_be_repeated() -> None:
    for answer in (1, 2):
        f = composite("_test_again(Tensor input) -> int", function=False)(lambda _, n=answer: n)
        assert f(X) == answer
