"""Pooling undone and pooling at random places: values, derivatives, errors."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck, gradgradcheck


def image(*shape, grad=False, seed=0):
    x = kagari.tensor(np.random.default_rng(seed).standard_normal(shape), dtype=kagari.float64)
    return x.requires_grad_() if grad else x


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_undoes_pooling(dims):
    pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[dims - 1]
    unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[dims - 1]
    for lead in ((2, 3), (3,)):
        x = image(*lead, *(5,) * dims)
        values, places = pool(x, 2, return_indices=True)
        back = unpool(values, places, 2, output_size=(5,) * dims)
        kept = back != 0
        assert kept.sum().item() == values.numel()
        assert back[kept].tolist() == x[kept].tolist()
        assert unpool(values, places % 4**dims, 2).shape == (*lead, *(4,) * dims)


@pytest.mark.conformance
def test_unpooling_beside_pytorch():
    torch = pytest.importorskip("torch")
    given = np.random.default_rng(0).standard_normal((2, 4, 6, 8))
    results = []
    for library in (torch, kagari):
        f = library.nn.functional
        x = library.tensor(given).contiguous(memory_format=library.channels_last)
        y, places = f.max_pool2d(x, 3, 2, 1, return_indices=True)
        y.requires_grad_()
        z = f.max_unpool2d(y, places, 3, 2, 1, output_size=(6, 8))
        (z * z.detach().cos()).sum().backward()
        results.append((z.detach().numpy(), y.grad.numpy(), z.stride()))
    np.testing.assert_allclose(results[1][0], results[0][0])
    np.testing.assert_allclose(results[1][1], results[0][1])
    assert results[1][2] == results[0][2]


def test_unpooling_derivatives():
    values, places = F.max_pool2d(image(1, 2, 4, 4), 2, return_indices=True)
    values.requires_grad_()
    assert gradcheck(lambda v: F.max_unpool2d(v, places, 2), [values])
    assert gradgradcheck(lambda v: F.max_unpool2d(v**2, places, 2), [values])


v, i = F.max_pool2d(image(1, 2, 4, 4), 2, return_indices=True)
UNPOOL_ERRORS = [
    ((v[0, 0], i[0, 0], 2), RuntimeError, "max_unpooling2d should be a 3d or 4d Tensor, but got"),
    (
        (v, i.int(), 2),
        RuntimeError,
        "elements in indices should be type int64 but got: kagari.int32",
    ),
    ((v, i[:, :1], 2), RuntimeError, "Expected shape of indices to be same as that of the input"),
    ((v, i + 20, 2), RuntimeError, r"Found an invalid max index: \d+ \(output volumes are of size"),
    ((v, -1 - i, 2), RuntimeError, "Found an invalid max index: -"),
    ((v[:, :0], i[:, :0], 2), RuntimeError, "dimension 1 being empty"),
    ((v, i, 2, None, 0, (6, 6)), ValueError, r"invalid output_size \"\(6, 6\)\" \(dim 0 must be"),
    (
        (v, i, 2, None, 0, (4,)),
        ValueError,
        "containing 2 or 4 elements, but it has a length of '1'",
    ),
    ((v > 0, i, 2), NotImplementedError, "is not implemented for kagari.bool"),
]


@pytest.mark.parametrize(("args", "error", "text"), UNPOOL_ERRORS)
def test_unpooling_errors(args, error, text):
    with pytest.raises(error, match=text):
        F.max_unpool2d(*args)


def test_unpooling_error_of_strides():
    x = kagari.ones(1, 1, 1, 1)
    with pytest.raises(RuntimeError, match="strides should be greater than zero"):
        F.max_unpool3d(x, x.long() * 0, 2, stride=0)


FRACTIONAL = [
    (2, (2, 3, 7, 8), 2, {"output_size": (3, 4)}),
    (2, (3, 7, 8), (3, 2), {"output_ratio": (0.5, 0.6)}),
    (2, (1, 1, 7, 8), 2, {"output_size": 1}),
    (3, (2, 3, 6, 7, 8), 2, {"output_size": (2, 3, 4)}),
]


@pytest.mark.conformance
@pytest.mark.parametrize(("dims", "shape", "kernel", "options"), FRACTIONAL)
def test_fractional_beside_pytorch(dims, shape, kernel, options):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    given = rng.standard_normal(shape)
    given[..., 2] = np.nan
    draws = rng.random((shape[0] if len(shape) == dims + 2 else 1, shape[-dims - 1], dims))
    results = []
    for library in (torch, kagari):
        x = library.tensor(given, requires_grad=True)
        f = getattr(library.nn.functional, f"fractional_max_pool{dims}d")
        samples = library.tensor(draws)
        y, at = f(x, kernel, **options, return_indices=True, _random_samples=samples)
        y.nan_to_num().sum().backward()
        results.append([y.detach().numpy(), at.numpy(), x.grad.numpy()])
    for expected, got in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.conformance
def test_fractional_draws_pytorchs_numbers():
    torch = pytest.importorskip("torch")
    given = np.random.default_rng(0).standard_normal((2, 3, 9, 9)).astype(np.float32)
    results = []
    for library in (torch, kagari):
        library.manual_seed(3)
        y = library.nn.functional.fractional_max_pool2d(library.tensor(given), 2, output_size=4)
        results.append(y.numpy())
    np.testing.assert_array_equal(*results)


def test_fractional_derivatives():
    x = image(1, 2, 5, 6, grad=True)
    samples = kagari.full((1, 2, 2), 0.4, dtype=kagari.float64)

    def f(x):
        return F.fractional_max_pool2d(x, 2, output_size=3, _random_samples=samples)

    assert gradcheck(f, [x])
    assert gradgradcheck(lambda x: f(x) ** 2, [x])


x = image(2, 3, 7, 8)
FRACTIONAL_ERRORS = [
    (x, 2, {}, ValueError, "requires specifying either an output_size or an output_ratio"),
    (x, 2, {"output_ratio": (0.5,)}, ValueError, "requires output_ratio to either be"),
    (x[0, 0], 2, {"output_size": 3}, IndexError, "expected 3D or 4D input"),
    (x, 9, {"output_size": 3}, RuntimeError, "pool height 9 too large relative to input height 7"),
    (x, 2, {"output_size": (3, 8)}, RuntimeError, "pool width 2 too large relative to input width"),
    (x[:, :0], 2, {"output_size": 3}, RuntimeError, "non-zero size for non-batch dimensions"),
    (x.long(), 2, {"output_size": 3}, NotImplementedError, "is not implemented for kagari.int64"),
    (x, (2, 2, 2), {"output_size": 3}, RuntimeError, "kernel_size must either be a single Int"),
    (
        x,
        2,
        {"output_size": 3, "_random_samples": kagari.rand(2, 3, 2)},
        RuntimeError,
        "to have the same dtype as input",
    ),
    (
        x,
        2,
        {"output_size": 3, "_random_samples": kagari.rand(2, 2, 2).double()},
        RuntimeError,
        r"_random_samples.size\(1\) equals to input channel size",
    ),
    (
        x,
        2,
        {"output_size": 3, "_random_samples": kagari.rand(1, 3, 2).double()},
        RuntimeError,
        r"_random_samples.size\(0\) no less",
    ),
    (
        x,
        2,
        {"output_size": 3, "_random_samples": kagari.rand(2, 3, 3).double()},
        RuntimeError,
        r"_random_samples of shape \(2, 3, 2\), got \(2, 3, 3\)",
    ),
]


@pytest.mark.parametrize(("x", "kernel", "options", "error", "text"), FRACTIONAL_ERRORS)
def test_fractional_errors(x, kernel, options, error, text):
    with pytest.raises(error, match=text):
        F.fractional_max_pool2d(x, kernel, **options)
