"""Products of groups: values beside one product for each, gradients, errors."""

from __future__ import annotations

from typing import Any

import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck, gradgradcheck

ENDS = kagari.tensor([2, 2, 5], dtype=kagari.int32)


def leaf(*size: int) -> kagari.Tensor:
    return kagari.randn(*size, dtype=kagari.float64, requires_grad=True)


def test_rows_of_groups() -> None:
    a, b = leaf(6, 4), leaf(3, 4, 2)
    y = F.grouped_mm(a, b, offs=ENDS)
    kagari.testing.assert_close(y, kagari.cat([a[:2] @ b[0], a[2:5] @ b[2], a.new_zeros(1, 2)]))
    assert gradcheck(lambda a, b: F.grouped_mm(a, b, offs=ENDS), (a, b))
    assert gradgradcheck(lambda a, b: F.grouped_mm(a, b, offs=ENDS), (a, b))


def test_columns_of_groups() -> None:
    a, b = leaf(3, 2, 4), leaf(4, 6)
    y = F.grouped_mm(a, b, offs=ENDS)
    kagari.testing.assert_close(y[:, :2], a[0] @ b[:, :2])
    kagari.testing.assert_close(y[:, 2:5], a[2] @ b[:, 2:5])
    assert y.shape == (2, 6) and not y[:, 5].any()
    assert gradcheck(lambda a, b: F.grouped_mm(a, b, offs=ENDS), (a, b))


def test_sums_of_groups() -> None:
    a, b = leaf(2, 5), leaf(5, 3)
    y = F.grouped_mm(a, b, offs=ENDS)
    assert y.shape == (3, 2, 3) and not y[1].any()
    kagari.testing.assert_close(y.sum(0), a @ b)
    assert gradcheck(lambda a, b: F.grouped_mm(a, b, offs=ENDS), (a, b))


def test_whole_matrices() -> None:
    a, b, bias = leaf(3, 2, 4), leaf(3, 4, 5), leaf(5)
    y = F.grouped_mm(a, b, bias=bias, out_dtype=kagari.float32)
    kagari.testing.assert_close(y, (a @ b + bias).float())


@pytest.mark.parametrize(
    ("sizes", "offs", "text"),
    [
        (((6, 4), (3, 4, 2)), None, "Have to provide offsets"),
        (((3, 2, 4), (3, 4, 2)), ENDS, "no offset if both"),
        (((6, 4), (3, 5, 2)), ENDS, "contraction dimension"),
        (((6, 4), (2, 4, 2)), ENDS, "batch sizes have to match the offsets"),
        (((2, 6, 4), (3, 4, 2)), None, "batch sizes have to match"),
        (((6, 4), (3, 4, 2)), ENDS.long(), "int32 .*convert"),
        (((6, 4), (3, 4, 2)), ENDS.flip(0), "must rise from 0 to at most 6"),
        (((4, 4), (3, 4, 2)), ENDS, "at most 4, got .2, 2, 5."),
        (((4,), (3, 4, 2)), ENDS, "2 or 3 dimensions"),
    ],
)
def test_errors(sizes: Any, offs: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        F.grouped_mm(leaf(*sizes[0]), leaf(*sizes[1]), offs=offs)
