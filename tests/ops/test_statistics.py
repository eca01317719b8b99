"""Counting, histograms and order statistics: values, gradients, bits and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kagari

INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bincount(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 20, 1000).astype(dtype)
    for values in (x, x[::3], x[:0]):
        expected = np.bincount(values, minlength=4)
        got = kagari.bincount(kagari.from_numpy(values), minlength=4)
        assert got.dtype == kagari.int64
        np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_bincount_is_the_same_for_any_number_of_threads(threads: int) -> None:
    rng = np.random.default_rng(1)
    x, w = rng.integers(0, 100, 300_000), rng.random(300_000).astype(np.float32)
    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(threads)
        counts = kagari.bincount(kagari.from_numpy(x))
        sums = kagari.bincount(kagari.from_numpy(x), kagari.from_numpy(w))
    finally:
        kagari.set_num_threads(before)
    np.testing.assert_array_equal(counts.numpy(), np.bincount(x))
    expected = np.zeros(100, np.float32)
    np.add.at(expected, x, w)
    np.testing.assert_array_equal(sums.numpy(), expected)


BINCOUNT_ERRORS = [
    (([1.0],), {}, NotImplementedError, "integer dtype"),
    (([[1]],), {}, RuntimeError, "only supports 1-d non-negative integral inputs"),
    (([-1],), {}, RuntimeError, "only supports 1-d non-negative integral inputs, got -1"),
    (([1],), {"minlength": -1}, RuntimeError, "minlength should be >= 0"),
    (([1], [1.0, 2.0]), {}, RuntimeError, "weights should be 1-d and have the same length"),
]


@pytest.mark.parametrize(("args", "kwargs", "error", "text"), BINCOUNT_ERRORS)
def test_bincount_errors(args: Any, kwargs: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        kagari.bincount(*map(kagari.tensor, args), **kwargs)
