"""assert_close and make_tensor."""

from __future__ import annotations

import pytest

import kagari
from kagari.testing import assert_allclose, assert_close, make_tensor


def t(*values, **kwargs):
    return kagari.tensor(values, **kwargs)


PASSING = [
    (t(1.0, 2.0), t(1.0, 2.0 + 1e-6)),
    (t(1, 2), t(1, 2)),
    (t(True), t(True)),
    (1.0, 1.0 + 1e-9),
    ([t(1.0), {"a": 2}], [t(1.0), {"a": 2}]),
    (t(1 + 2j), t(1 + 2j)),
    (None, None),
]


@pytest.mark.parametrize("pair", PASSING, ids=range(len(PASSING)))
def test_close(pair):
    assert_close(*pair)


FAILING = [
    (t(1.0, 2.0), t(1.0, 2.1), {}, r"Mismatched elements: 1 / 2 \(50.0%\)"),
    (t(1.0, 2.0), t(1.0, 2.1), {}, r"Greatest absolute difference: 0\.0999.* at index \(1,\)"),
    (t(1, 2), t(1, 3), {}, "Tensor-likes are not equal!"),
    (t(1.0), t(1.0, 2.0), {}, "attribute 'shape'"),
    (t(1.0), t(1.0, dtype=kagari.float64), {}, "attribute 'dtype'"),
    (t(float("nan")), t(float("nan")), {}, "Tensor-likes are not close!"),
    (1.0, 1.1, {}, "Scalars are not close!"),
    (1, 2, {}, "Scalars are not equal!"),
    ([t(1.0), t(2.0)], [t(1.0), t(3.0)], {}, r"for item \[1\]"),
    ({"a": [1]}, {"a": [2]}, {}, r"for item \['a'\]\[0\]"),
    ([1], [1, 2], {}, "length of the sequences mismatch: 1 != 2"),
    ({"a": 1}, {"b": 1}, {}, "Missing keys in the actual mapping: \\['b'\\]"),
    (None, t(1.0), {}, "None mismatch"),
    (t(1.0), t(2.0), {"msg": "mine"}, "^mine$"),
    (t(1.0), t(2.0), {"msg": lambda m: "mine: " + m}, "^mine: Tensor-likes"),
    (kagari.ones(2, 2).T, kagari.ones(2, 2), {"check_stride": True}, "stride"),
]


@pytest.mark.parametrize("row", FAILING, ids=range(len(FAILING)))
def test_not_close(row):
    actual, expected, options, text = row
    with pytest.raises(AssertionError, match=text):
        assert_close(actual, expected, **options)


def test_options():
    nan = t(float("nan"))
    assert_close(nan, nan, equal_nan=True)
    assert_close(t(1.0), t(1.0, dtype=kagari.float64), check_dtype=False)
    assert_close(t(1.0), t(1.1), rtol=0, atol=0.2)
    assert_allclose(t(1.0), [1.0])
    with pytest.raises(ValueError, match="both be specified"):
        assert_close(t(1.0), t(1.0), rtol=1.0)
    with pytest.raises(TypeError, match="values of the same type"):
        assert_close(t(1.0), "1")


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64", "complex64"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 4)])
def test_make_tensor(dtype, shape):
    dtype = getattr(kagari, dtype)
    x = make_tensor(shape, dtype=dtype)
    assert x.dtype == dtype and tuple(x.shape) == shape and x.is_contiguous()
    if len(shape) == 2 and dtype != kagari.bool:
        y = make_tensor(*shape, dtype=dtype, low=2, high=5, noncontiguous=True)
        assert not y.is_contiguous()
        if not dtype.is_complex:
            assert bool((y >= 2).all()) and bool((y <= 5).all())


def test_make_tensor_options():
    assert make_tensor(2, dtype=kagari.float32, requires_grad=True).requires_grad
    assert bool((make_tensor(200, dtype=kagari.int64, low=0, high=2, exclude_zero=True) != 0).all())
    with pytest.raises(ValueError, match="low < high"):
        make_tensor(2, dtype=kagari.int64, low=3, high=3)
    with pytest.raises(ValueError, match="requires_grad"):
        make_tensor(2, dtype=kagari.int64, requires_grad=True)
    with pytest.raises(ValueError, match="mutually exclusive"):
        make_tensor(
            2, dtype=kagari.float32, noncontiguous=True, memory_format=kagari.contiguous_format
        )


@pytest.mark.conformance
def test_tolerances_are_pytorch_s():
    torch = pytest.importorskip("torch")
    from torch.testing._comparison import default_tolerances as theirs

    from kagari.testing._comparison import default_tolerances as mine

    for name in ("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int64"):
        assert mine(getattr(kagari, name)) == theirs(getattr(torch, name))
