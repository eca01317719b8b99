"""Functions over lists agree with the ops on single tensors they are made from."""

from __future__ import annotations

from typing import Any

import pytest
from op_checks import assert_same

import kagari
from kagari._core import ops
from kagari.ops import foreach
from kagari.ops.foreach import FUNCTIONS


def tensors(low: float = 0.2, high: float = 0.9) -> list[Any]:
    g = kagari.Generator().manual_seed(4)
    shapes = [(3,), (2, 4), (), (0,)]
    return [kagari.rand(s, generator=g) * (high - low) + low for s in shapes]


def single(op: str, *columns: Any, **named: Any) -> list[Any]:
    return [getattr(ops, op)(*row, **named) for row in zip(*columns, strict=True)]


def check(name: str, want: list[Any], *args: Any, **kwargs: Any) -> None:
    """Both forms: the one that returns a tuple and the one that writes into the first list."""
    got = getattr(kagari, name)(*args, **kwargs)
    assert type(got) is tuple
    for a, b in zip(got, want, strict=True):
        assert_same(a, b)
    target = [t.clone() for t in args[0]]
    held = list(target)
    got = getattr(kagari, name + "_")(target, *args[1:], **kwargs)
    assert got is target
    for t, h, b in zip(target, held, want, strict=True):
        assert t is h
        assert_same(t, b)


@pytest.mark.parametrize("op", foreach._UNARY)
def test_unary(op: str) -> None:
    check(f"_foreach_{op}", single(op, tensors()), tensors())


@pytest.mark.parametrize("op", foreach._BINARY)
def test_binary(op: str) -> None:
    name, x, y = f"_foreach_{op}", tensors(), tensors(0.3, 1.5)
    check(name, single(op, x, y), x, y)
    if op not in ("maximum", "minimum"):  # a row without numbers as operands
        check(name, single(op, x, [0.5] * 4), x, 0.5)
        check(name, single(op, x, [0.5, 1.0, 2.0, 3.0]), x, [0.5, 1.0, 2.0, 3.0])
        check(name, single(op, x, [0.5, 1.0, 2.0, 3.0]), x, scalars=(0.5, 1.0, 2.0, 3.0))
    if op in ("add", "sub"):
        check(name, single(op, x, y, alpha=2), x, y, alpha=2)
    if op in ("add", "mul", "div"):
        check(name, single(op, x, [kagari.tensor(2.0)] * 4), x, kagari.tensor(2.0))


def test_a_number_to_the_powers() -> None:
    for a, b in zip(kagari._foreach_pow(2.0, tensors()), tensors(), strict=True):
        assert_same(a, ops.pow(2.0, b))


@pytest.mark.parametrize("op", foreach._TERNARY)
def test_ternary(op: str) -> None:
    name, x, y, z = f"_foreach_{op}", tensors(), tensors(0.3, 1.5), tensors(1, 2)
    check(name, single(op, x, y, z), x, y, z)
    check(name, single(op, x, y, z, value=0.5), x, y, z, 0.5)
    values = [0.5, 1.0, 2.0, 3.0]
    rows = zip(x, y, z, values, strict=True)
    want = [getattr(ops, op)(a, b, c, value=v) for a, b, c, v in rows]
    check(name, want, x, y, z, values)
    check(name, want, x, y, z, scalars=values)
    check(name, want, x, y, z, kagari.tensor(values))


def test_lerp() -> None:
    x, y, w = tensors(), tensors(2, 3), tensors(0, 1)
    check("_foreach_lerp", single("lerp", x, y, [0.25] * 4), x, y, 0.25)
    check("_foreach_lerp", single("lerp", x, y, w), x, y, weights=w)
    check("_foreach_lerp", single("lerp", x, y, [0.1, 0.2, 0.3, 0.4]), x, y, [0.1, 0.2, 0.3, 0.4])


def test_norms_copies_and_zeros() -> None:
    x = tensors()
    for p in (1, 2, 3.0, float("inf")):
        filled = x[:3] if p == float("inf") else x  # an empty tensor has no largest element
        for a, t in zip(kagari._foreach_norm(filled, p), filled, strict=True):
            assert_same(a, kagari.norm(t, p))
    for a, t in zip(kagari._foreach_norm(x, dtype=kagari.float64), x, strict=True):
        assert_same(a, kagari.norm(t.double()))
    for a, t in zip(kagari._foreach_powsum(x, 3), x, strict=True):
        assert_same(a, t.abs().pow(3).sum())
    for a, t in zip(kagari._foreach_max(x[:3]), x, strict=False):
        assert_same(a, t.max())
    copies = kagari._foreach_clone(x)
    for a, t in zip(copies, x, strict=True):
        assert_same(a, t)
    assert kagari._foreach_zero_(copies) is copies
    assert all(not bool(c.any()) for c in copies)
    kagari._foreach_copy_(copies, [t.double() for t in x])
    for a, t in zip(copies, x, strict=True):
        assert_same(a, t)
    a, b = kagari.ones(2, 3), kagari.ones(3, 4)
    assert_same(kagari._foreach_mm([a], [b])[0], a @ b)


def test_gradients_flow() -> None:
    x = [t.requires_grad_() for t in tensors()]
    sum(t.sum() for t in kagari._foreach_mul(x, 3.0)).backward()
    assert all(t.grad.tolist() == kagari.full_like(t, 3.0).tolist() for t in x)
    with pytest.raises(RuntimeError, match="leaf"):
        kagari._foreach_add_(x, 1.0)


def test_every_function_is_a_name_of_kagari() -> None:
    assert len(FUNCTIONS) > 80
    for name, f in FUNCTIONS.items():
        assert getattr(kagari, name) is f and f.__name__ == name and f.__doc__
    with pytest.raises(AttributeError, match="_foreach_nothing"):
        kagari._foreach_nothing  # noqa: B018


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: kagari._foreach_abs([]), RuntimeError, "at least one tensor"),
        (lambda: kagari._foreach_abs(kagari.ones(2)), TypeError, "expected a list or tuple"),
        (lambda: kagari._foreach_abs([1]), TypeError, "found int"),
        (lambda: kagari._foreach_add(tensors(), [1.0]), RuntimeError, "same number of elements"),
        (lambda: kagari._foreach_add(tensors()), TypeError, "expected one operand"),
        (lambda: kagari._foreach_add(tensors(), 1, to=2), TypeError, "unexpected .* 'to'"),
        (lambda: kagari._foreach_add_([kagari.ones(1)], [kagari.ones(2)]), RuntimeError, "shape"),
    ],
)
def test_errors(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
