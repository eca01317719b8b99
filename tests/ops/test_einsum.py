"""Sums of products in Einstein's notation: values, gradients, kept programs and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kagari
from kagari.autograd import gradcheck
from kagari.ops.einsum import _contraction_path, _program


def numbers(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(x: np.ndarray, grad: bool = False) -> Any:
    return kagari.from_numpy(x.copy()).requires_grad_(grad)


def close(got: Any, expected: np.ndarray) -> None:
    kagari.testing.assert_close(got, kagari.tensor(expected), rtol=1e-12, atol=1e-12)


EQUATIONS = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("...ij->...ji", [(2, 3, 4)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("i,j->ij", [(3,), (4,)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]),
    ("...ij,...jk", [(2, 1, 3, 4), (5, 4, 6)]),
    ("ij,j,jk->ik", [(2, 3), (3,), (3, 4)]),
    ("bn,anm,bm->ba", [(2, 3), (4, 3, 5), (2, 5)]),
    ("iij,jk->ik", [(2, 2, 3), (3, 4)]),
]


@pytest.mark.parametrize(("equation", "shapes"), EQUATIONS)
def test_values_and_gradients(equation: str, shapes: list[tuple[int, ...]]) -> None:
    arrays = [numbers(s, i) for i, s in enumerate(shapes)]
    close(kagari.einsum(equation, *map(tensor, arrays)), np.einsum(equation, *arrays))
    assert gradcheck(lambda *t: kagari.einsum(equation, *t), [tensor(a, True) for a in arrays])


def test_ones_broadcast() -> None:
    x, y = numbers((2, 1)), numbers((3, 4))
    close(kagari.einsum("ij,jk->ik", tensor(x), tensor(y)), x * y.sum(0))


def test_lists_of_numbers() -> None:
    a, b = numbers((2, 3)), numbers((3, 4))
    x, y = tensor(a), tensor(b)
    close(kagari.einsum(x, [0, 1], y, [1, 2], [2, 0]), (a @ b).T)
    close(kagari.einsum(x, [0, 1], y, [1, 2]), a @ b)
    close(kagari.einsum(x, [..., 50], [50, ...]), a.T)
    with pytest.raises(ValueError, match=r"subscript 52 in subscript list is not within \[0, 52\)"):
        kagari.einsum(x, [0, 52])


@pytest.mark.parametrize("count", (3, 5, 9))
def test_many_operands(count: int) -> None:
    letters = "abcdefghijk"
    sizes = [2 + i % 3 for i in range(count + 1)]
    parts = [numbers((sizes[i], sizes[i + 1]), i) for i in range(count)]
    equation = ",".join(letters[i : i + 2] for i in range(count)) + f"->{letters[count]}a"
    close(kagari.einsum(equation, *map(tensor, parts)), np.linalg.multi_dot(parts).T)


def test_the_cheapest_pair_comes_first() -> None:
    sizes = (("i", 100), ("j", 100), ("k", 100))
    path = _contraction_path((("i", "j"), ("j", "k"), ("k",)), sizes, ("i",))
    assert path == ((1, 2), (0, 1))  # the vector goes through the matrices


def test_a_program_is_kept_for_shapes_not_for_values() -> None:
    a, b = numbers((3, 4)), numbers((5, 4), 1)
    _program.cache_clear()
    for x, y in ((a, b), (a + 1, b), (a, b[:1]), (a[:1], b)):
        close(kagari.einsum("ij,kj->ik", tensor(x), tensor(y)), x @ y.T)
    assert _program.cache_info().misses == 3
    for _ in range(2):  # an error leaves nothing behind
        with pytest.raises(RuntimeError, match="has size 3 for operand 1"):
            kagari.einsum("ij,kj->ik", tensor(a), tensor(b[:, :3]))


def test_the_result_is_a_view_never_the_operand() -> None:
    x = kagari.zeros(2, 3)
    for equation in ("ij->ij", "ij->ji", "...->..."):
        y = kagari.einsum(equation, x)
        assert y is not x
        assert y.data_ptr() == x.data_ptr()


ERRORS = [
    (lambda x: kagari.einsum("ij,jk", x), "fewer operands were provided"),
    (lambda x: kagari.einsum("ij", x, x), "more operands were provided"),
    (lambda x: kagari.einsum("ij->k", x), "output subscript k does not appear"),
    (lambda x: kagari.einsum("ij->ii", x), "output subscript i appears more than once"),
    (lambda x: kagari.einsum("ii", kagari.ones(2, 3)), "repeated for an operand but the sizes"),
    (lambda x: kagari.einsum("i?->i", x), "invalid subscript given at index 1"),
    (lambda x: kagari.einsum("i..", x), "that is not part of any ellipsis"),
    (lambda x: kagari.einsum("ijk", x), "does not match the number of dimensions"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call(kagari.ones(2, 2))
