"""Windows as columns and back: values, derivatives, errors."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck, gradgradcheck


def image(*shape, dtype=kagari.float64, grad=False):
    x = kagari.tensor(np.random.default_rng(0).standard_normal(shape), dtype=dtype)
    return x.requires_grad_() if grad else x


CASES = [
    ((2, 3, 5, 6), {"kernel_size": 2}),
    ((3, 5, 6), {"kernel_size": (3, 2), "stride": 2}),
    ((2, 3, 5, 6), {"kernel_size": 3, "padding": (1, 2), "dilation": 2, "stride": (1, 2)}),
    ((2, 3, 20, 31), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((0, 3, 5, 6), {"kernel_size": 2}),
    ((1, 1, 5, 6), {"kernel_size": (5, 6)}),
]


@pytest.mark.conformance
@pytest.mark.parametrize(("shape", "options"), CASES)
def test_beside_pytorch(shape, options):
    torch = pytest.importorskip("torch")
    given = np.random.default_rng(0).standard_normal(shape)
    results = []
    for library in (torch, kagari):
        x = library.tensor(given, requires_grad=True)
        f = library.nn.functional
        columns = f.unfold(x, **options)
        back = f.fold(columns * columns.detach().cos(), shape[-2:], **options)
        (back * back.detach().sin()).sum().backward()
        results.append([t.detach().numpy() for t in (columns, back, x.grad)])
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 3, 4), {"kernel_size": (3, 2), "stride": 2}),
        ((1, 1, 5, 4), {"kernel_size": 2, "padding": (1, 0), "dilation": 2}),
    ],
)
def test_derivatives(shape, options):
    x = image(*shape, grad=True)
    assert gradcheck(lambda x: F.unfold(x, **options), [x])
    columns = F.unfold(x.detach(), **options).requires_grad_()
    assert gradcheck(lambda c: F.fold(c, shape[-2:], **options), [columns])
    assert gradgradcheck(lambda c: F.fold(c**2, shape[-2:], **options), [columns])


def test_strided_input_and_dtypes():
    x = image(2, 3, 6, 5)
    np.testing.assert_array_equal(
        F.unfold(x.transpose(2, 3), 2).numpy(), F.unfold(x.transpose(2, 3).contiguous(), 2).numpy()
    )
    for dtype in (kagari.float16, kagari.bfloat16, kagari.complex64, kagari.bool):
        columns = F.unfold(x.to(dtype), 2)
        assert columns.dtype == dtype
        assert F.fold(columns, (6, 5), 2).dtype == dtype


x4 = image(1, 2, 4, 5)
UNFOLD_ERRORS = [
    (x4[0, 0], {"kernel_size": 2}, "Expected 3D or 4D"),
    (x4[:, :0], {"kernel_size": 2}, "Expected 3D or 4D"),
    (x4, {"kernel_size": 6}, r"sliding blocks as \(-1, 0\), but its components must be at least"),
    (x4, {"kernel_size": (2, 2, 2)}, "expected kernel_size equals to 2, but got size 3"),
    (x4, {"kernel_size": 0}, "kernel size should be greater than zero, but got kernel_height: 0"),
    (x4, {"kernel_size": 2, "stride": 0}, "stride should be greater than zero"),
    (x4, {"kernel_size": 2, "dilation": 0}, "dilation should be greater than zero"),
    (x4, {"kernel_size": 2, "padding": -1}, "padding should be non-negative, but got pad_height"),
]


@pytest.mark.parametrize(("x", "options", "text"), UNFOLD_ERRORS)
def test_unfold_errors(x, options, text):
    with pytest.raises(RuntimeError, match=text):
        F.unfold(x, **options)


columns = F.unfold(x4, 2)
FOLD_ERRORS = [
    (columns[0, 0], (4, 5), {}, "Expected 2D or 3D"),
    (columns, (4, 4), {}, r"sliding blocks 3 \* 3 = 9, but got input.size\(2\)=12"),
    (columns[:, :7], (4, 5), {}, r"input.size\(1\)=7 and kernel_size=\(2, 2\)"),
    (columns, (4, 5, 6), {}, "expected output_size equals to 2, but got size 3"),
    (columns, (1, 1), {}, r"0 \* 0 = 0"),
    (columns, (4, 5), {"stride": 0}, "stride should be greater than zero"),
]


@pytest.mark.parametrize(("x", "size", "options", "text"), FOLD_ERRORS)
def test_fold_errors(x, size, options, text):
    with pytest.raises(RuntimeError, match=text):
        F.fold(x, size, 2, **options)
