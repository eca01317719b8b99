"""Images at other sizes and at a grid's places: values, derivatives, same bits, errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari.autograd import gradcheck, gradgradcheck


def image(*shape, dtype=kagari.float64, grad=False, seed=0):
    x = kagari.tensor(np.random.default_rng(seed).standard_normal(shape), dtype=dtype)
    return x.requires_grad_() if grad else x


MODES = {
    1: ["nearest", "nearest-exact", "linear", "area"],
    2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
    3: ["nearest", "nearest-exact", "trilinear", "area"],
}
SMOOTH = ("linear", "bilinear", "bicubic", "trilinear")
TARGETS = [{"size": n} for n in (1, 2, 3, 7)] + [{"scale_factor": s} for s in (0.7, 1.6, 2, 2.6)]


def interpolations():
    for dims, modes in MODES.items():
        for mode in modes:
            corners = (True, False) if mode in SMOOTH else (None,)
            for target, align in itertools.product(TARGETS, corners):
                yield dims, {**target, "mode": mode, "align_corners": align}
    for mode, size, align in itertools.product(("bilinear", "bicubic"), (2, 3, 9), (True, False)):
        yield 2, {"size": size, "mode": mode, "align_corners": align, "antialias": True}
    yield 2, {"size": 3, "mode": "lanczos", "antialias": True}
    yield 2, {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True}


@pytest.mark.conformance
def test_interpolate_beside_pytorch():
    torch = pytest.importorskip("torch")
    for dims, options in interpolations():
        for n in (2, 3, 5):
            given = np.random.default_rng(n).standard_normal((2, 3, *(n,) * (dims - 1), n + 1))
            results = []
            for library in (torch, kagari):
                x = library.tensor(given, requires_grad=True)
                y = library.nn.functional.interpolate(x, **options)
                (y * y.detach().cos()).sum().backward()
                results.append((y.detach().numpy(), x.grad.numpy()))
            for expected, got in zip(*results, strict=True):
                np.testing.assert_allclose(
                    got, expected, rtol=1e-9, atol=1e-11, err_msg=f"{dims} {n} {options}"
                )


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "uint8"])
def test_interpolate_dtypes_beside_pytorch(dtype):
    torch = pytest.importorskip("torch")
    close = {"float32": 1e-3, "bfloat16": 2, "uint8": 2}[dtype]  # of numbers up to 200
    given = np.random.default_rng(0).uniform(0, 200, (2, 3, 5, 6))
    for mode, target in itertools.product(("nearest", "bilinear", "bicubic"), TARGETS[1:]):
        results = []
        for library in (torch, kagari):
            x = library.tensor(given).to(getattr(library, dtype))
            y = library.nn.functional.interpolate(x, mode=mode, **target)
            assert str(y.dtype).endswith(dtype)
            results.append(y.double().numpy())
        np.testing.assert_allclose(results[1], results[0], rtol=0, atol=close)


def test_interpolate_by_hand():
    x = kagari.tensor([[[1.0, 2.0, 5.0]]])
    assert F.interpolate(x, 6).flatten().tolist() == [1, 1, 2, 2, 5, 5]
    assert F.interpolate(x, 5, mode="linear", align_corners=True).flatten().tolist() == [
        1.0,
        1.5,
        2.0,
        3.5,
        5.0,
    ]
    assert F.interpolate(x, 1, mode="area").item() == pytest.approx(8 / 3)
    # A constant stays one in every mode.
    for dims, options in interpolations():
        y = F.interpolate(kagari.full((1, 1, *(5,) * dims), 3.0), **options)
        np.testing.assert_allclose(y.numpy(), 3.0, rtol=1e-5)


def test_interpolate_keeps_the_layout():
    x = image(2, 5, 4, 6, dtype=kagari.float32)
    pixels = x.contiguous(memory_format=kagari.channels_last)
    for mode in ("nearest", "bilinear", "bicubic"):
        y = F.interpolate(pixels, (7, 9), mode=mode)
        assert y.is_contiguous(memory_format=kagari.channels_last)
        np.testing.assert_allclose(
            y.numpy(), F.interpolate(x, (7, 9), mode=mode).numpy(), rtol=1e-5, atol=1e-5
        )
    volume = image(1, 4, 2, 3, 4).contiguous(memory_format=kagari.channels_last_3d)
    y = F.interpolate(volume, (3, 4, 5), mode="trilinear")
    assert y.is_contiguous(memory_format=kagari.channels_last_3d)
    plain = F.interpolate(volume.contiguous(), (3, 4, 5), mode="trilinear")
    np.testing.assert_allclose(y.numpy(), plain.numpy())
    # An input without any such order.
    turned = x.transpose(2, 3)
    y = F.interpolate(turned, (7, 9), mode="bilinear")
    np.testing.assert_array_equal(
        y.numpy(), F.interpolate(turned.contiguous(), (7, 9), mode="bilinear").numpy()
    )


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((2, 2, 4), {"size": 7, "mode": "linear"}),
        ((1, 2, 3, 4), {"size": (5, 2), "mode": "bicubic"}),
        ((1, 1, 6, 5), {"size": 2, "mode": "bilinear", "antialias": True}),
        ((1, 1, 2, 3, 2), {"size": 4, "mode": "trilinear", "align_corners": True}),
        ((1, 2, 3, 4), {"size": (5, 2), "mode": "nearest"}),
    ],
)
def test_interpolate_derivatives(shape, options):
    x = image(*shape, grad=True)
    assert gradcheck(lambda x: F.interpolate(x, **options), [x])
    # Linear: what is differentiated again is the gradient's dependence on the cotangent.
    assert gradgradcheck(lambda x: F.interpolate(x, **options) ** 2, [x])


def test_upsample_is_deprecated():
    x = image(1, 1, 2, 2)
    for f, options in (
        (F.upsample, {"mode": "nearest"}),
        (F.upsample_nearest, {}),
        (F.upsample_bilinear, {}),
    ):
        with pytest.warns(UserWarning, match=f"nn.functional.{f.__name__}` is deprecated"):
            y = f(x, scale_factor=2, **options)
        mode = "bilinear" if f is F.upsample_bilinear else "nearest"
        align = True if mode == "bilinear" else None
        expected = F.interpolate(x, scale_factor=2, mode=mode, align_corners=align)
        assert y.tolist() == expected.tolist()


x4 = image(1, 2, 4, 5)
INTERPOLATE_ERRORS = [
    (x4, {}, ValueError, "either size or scale_factor should be defined"),
    (x4, {"size": 3, "scale_factor": 2}, ValueError, "only one of size or scale_factor"),
    (x4, {"scale_factor": (2,)}, ValueError, "Input and scale_factor must have the same number"),
    (x4, {"size": (3,)}, ValueError, "Input and output must have the same number"),
    (x4, {"size": 3, "mode": "foo"}, NotImplementedError, r"got 4D.*\(got foo\)"),
    (x4, {"size": 3, "mode": "linear"}, NotImplementedError, "Got 4D input, but linear mode needs"),
    (x4[None], {"size": 3, "mode": "bicubic"}, NotImplementedError, "got 5D"),
    (x4, {"size": 3, "align_corners": True}, ValueError, "align_corners option can only be set"),
    (x4, {"size": 3, "antialias": True}, ValueError, "Anti-alias option is restricted"),
    (x4, {"size": 3, "mode": "lanczos"}, ValueError, "requires antialias=True"),
    (
        x4,
        {"size": 3, "mode": "lanczos", "antialias": True, "align_corners": True},
        ValueError,
        "does not support align_corners=True",
    ),
    (x4, {"size": 3, "recompute_scale_factor": True}, ValueError, "with an explicit size"),
    (x4, {"size": 0}, RuntimeError, r"greater than 0, but got input \(4, 5\) output \(0, 0\)"),
    (x4, {"scale_factor": -1.0}, RuntimeError, "Input and output sizes should be greater than 0"),
    (x4, {"size": (3.0, 2)}, TypeError, "expected size to be one of int"),
    (x4, {"scale_factor": "a"}, TypeError, "expected scale_factor to be numbers, got"),
    (x4.long(), {"size": 3}, NotImplementedError, "is not implemented for int64"),
    (
        x4.bfloat16(),
        {"size": 3, "mode": "bilinear", "antialias": True},
        NotImplementedError,
        "not implemented for bfloat16 with antialias",
    ),
]


@pytest.mark.parametrize(("x", "options", "error", "text"), INTERPOLATE_ERRORS)
def test_interpolate_errors(x, options, error, text):
    with pytest.raises(error, match=text):
        F.interpolate(x, **options)


# ---- grids --------------------------------------------------------------------------------------

GRIDS = [
    *itertools.product(
        [2], ["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [True, False]
    ),
    *itertools.product(
        [3], ["bilinear", "nearest"], ["zeros", "border", "reflection"], [True, False]
    ),
]


@pytest.mark.conformance
@pytest.mark.parametrize(("dims", "mode", "padding", "align"), GRIDS)
def test_grid_sample_beside_pytorch(dims, mode, padding, align):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    image = rng.standard_normal((2, 3, *(4, 5, 3)[:dims]))
    grid = rng.uniform(-1.9, 1.9, (2, *(6, 2, 3)[:dims], dims))
    results = []
    for library in (torch, kagari):
        x, g = (library.tensor(a, requires_grad=True) for a in (image, grid))
        y = library.nn.functional.grid_sample(x, g, mode, padding, align)
        (y * y.detach().cos()).sum().backward()
        results.append([y.detach().numpy(), x.grad.numpy(), g.grad.numpy()])
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("dims", "mode", "padding"),
    [(2, "bilinear", "zeros"), (2, "bicubic", "reflection"), (3, "bilinear", "border")],
)
def test_grid_sample_derivatives(dims, mode, padding):
    # Places that no step of the check carries over a pixel's centre.
    size = (3, 4, 2)[:dims]
    x = image(1, 2, *size, grad=True)
    rng = np.random.default_rng(1)
    cells = np.stack([rng.integers(-1, n, 4) for n in reversed(size)], -1)
    places = cells + rng.uniform(0.2, 0.8, cells.shape)
    grid = (2 * places + 1) / np.array(list(reversed(size))) - 1
    grid = kagari.tensor(grid.reshape(1, *(2, 2, 1)[:dims], dims), requires_grad=True)

    def f(x, g):
        return F.grid_sample(x, g, mode, padding, align_corners=False)

    assert gradcheck(f, [x, grid])
    assert gradgradcheck(f, [x, grid])


# From eight channels on an image is turned, so that a place reads rows of channels.
@pytest.mark.parametrize("channels", [8, 19, 70])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_sample_of_many_channels_is_that_of_each(padding, mode, channels):
    x, out = image(2, channels, 6, 7, dtype=kagari.float32), image(2, channels, 9, 11, seed=2)
    grid = image(2, 9, 11, 2, dtype=kagari.float32, seed=1)
    out = out.float()

    def run(first, last):
        a, g = x[:, first:last].clone().requires_grad_(), grid.clone().requires_grad_()
        y = F.grid_sample(a, g, mode, padding, align_corners=False)
        y.backward(out[:, first:last])
        return y.detach(), a.grad, g.grad

    together, each = run(0, channels), [run(c, c + 1) for c in range(channels)]
    for k in (0, 1):
        assert kagari.equal(together[k], kagari.cat([e[k] for e in each], 1))
    total = sum(e[2].double() for e in each)
    assert kagari.allclose(together[2].double(), total, 1e-4, 1e-4)


def test_grid_sample_of_many_channels_skips_what_is_outside():
    x = kagari.full((1, 9, 4, 4), float("nan"))
    grid = kagari.full((1, 5, 5, 2), 3.0)
    y = F.grid_sample(x, grid, align_corners=False)
    assert kagari.equal(y, kagari.zeros(1, 9, 5, 5))


def test_grid_sample_third_derivative():
    x = kagari.tensor([[[[0.0, 1.0, 8.0, 27.0, 64.0, 125.0]]]], dtype=kagari.float64)
    # The cubic kernel reproduces only parabolas, but its own third derivative is constant between
    # two pixels.
    g = kagari.tensor([[[[0.1, 0.0]]]], dtype=kagari.float64, requires_grad=True)
    y = F.grid_sample(x, g, "bicubic", "border", align_corners=True).sum()
    derivatives = []
    for _ in range(4):
        (d,) = kagari.autograd.grad(y, g, create_graph=True)
        y = d[..., 0].sum()
        derivatives.append(y.item())
    scale = 2.5  # pixels per unit of the grid
    taps = np.array([1.0, 8.0, 27.0, 64.0])
    a = -0.75
    third = 6 * np.array([a, a + 2, -(a + 2), -a]) @ taps * scale**3
    assert derivatives[2] == pytest.approx(third)
    assert derivatives[3] == 0.0


def test_grid_places_that_are_no_numbers():
    x = kagari.ones(1, 1, 3, 3)
    for value in (kagari.nan, kagari.inf, -kagari.inf, 1e30):
        g = kagari.full((1, 1, 1, 2), value, requires_grad=True)
        for mode, padding in itertools.product(
            F.GRID_SAMPLE_INTERPOLATION_MODES, F.GRID_SAMPLE_PADDING_MODES
        ):
            F.grid_sample(x, g, mode, padding, align_corners=False).sum().backward()


def test_affine_grid_by_hand():
    theta = kagari.tensor([[[1.0, 0.0, 0.5], [0.0, 2.0, 0.0]]])
    grid = F.affine_grid(theta, (1, 1, 2, 2), align_corners=True)
    assert grid[0].tolist() == [[[-0.5, -2.0], [1.5, -2.0]], [[-0.5, 2.0], [1.5, 2.0]]]
    same = F.affine_grid(kagari.eye(3)[:2].unsqueeze(0), (1, 3, 4, 5), align_corners=False)
    x = image(1, 3, 4, 5, dtype=kagari.float32)
    np.testing.assert_allclose(
        F.grid_sample(x, same, align_corners=False).numpy(), x.numpy(), atol=1e-5
    )
    volume = kagari.eye(4)[:3].unsqueeze(0)
    assert F.affine_grid(volume, (1, 1, 2, 3, 4), align_corners=False).shape == (1, 2, 3, 4, 3)
    t = image(2, 2, 3, grad=True)
    assert gradcheck(lambda t: F.affine_grid(t, (2, 1, 2, 3), align_corners=False), [t])


g4 = kagari.zeros(1, 3, 3, 2, dtype=kagari.float64)
GRID_ERRORS = [
    (x4, g4, {"mode": "foo"}, ValueError, "expected mode to be 'bilinear', 'nearest' or"),
    (x4, g4, {"padding_mode": "foo"}, ValueError, "expected padding_mode to be 'zeros'"),
    (x4, g4[..., :1], {}, RuntimeError, "expected grid to have size 2 in last dimension"),
    (x4, g4.float(), {}, RuntimeError, "expected input and grid to have same dtype"),
    (x4.expand(2, 2, 4, 5), g4, {}, RuntimeError, "to have same batch size"),
    (x4, g4[0], {}, RuntimeError, "to have the same number of dimensions"),
    (x4[:, :, :0], g4, {}, RuntimeError, "dimension 2 being empty"),
    (x4[0, 0], g4, {}, RuntimeError, "expected 4D or 5D input"),
    (
        x4[None],
        kagari.zeros(1, 1, 1, 1, 3, dtype=kagari.float64),
        {"mode": "bicubic"},
        RuntimeError,
        "bicubic interpolation only supports 4D input",
    ),
    (x4.long(), g4.long(), {}, NotImplementedError, "is not implemented for int64"),
    (
        kagari.zeros(1, 1, 1, 1).expand(1, 1, 2**16, 2**16),
        kagari.zeros(1, 1, 1, 2),
        {},
        RuntimeError,
        "planes below 2",
    ),
]


@pytest.mark.parametrize(("x", "grid", "options", "error", "text"), GRID_ERRORS)
def test_grid_sample_errors(x, grid, options, error, text):
    with pytest.raises(error, match=text):
        F.grid_sample(x, grid, align_corners=True, **options)


AFFINE_ERRORS = [
    (kagari.zeros(2, 2, 3).long(), (2, 1, 3, 4), ValueError, "floating point type"),
    (kagari.zeros(2, 2, 3), (2, 1, 3), NotImplementedError, "only supports 4D and 5D sizes"),
    (kagari.zeros(2, 2, 3), (2, 1, 3, 4, 5), ValueError, "shape Nx3x4 for size"),
    (kagari.zeros(2, 2, 3), (2, 1, 0, 4), ValueError, "non-zero, positive output size"),
    (kagari.zeros(2, 2, 3), (3, 1, 2, 2), RuntimeError, r"to be \(3, 2, 3\), got \(2, 2, 3\)"),
]


@pytest.mark.parametrize(("theta", "size", "error", "text"), AFFINE_ERRORS)
def test_affine_grid_errors(theta, size, error, text):
    with pytest.raises(error, match=text):
        F.affine_grid(theta, size, align_corners=False)


def test_default_of_align_corners_warns():
    with pytest.warns(UserWarning, match="align_corners=False since 1.3.0"):
        F.grid_sample(x4, g4)
    with pytest.warns(UserWarning, match="align_corners=False since 1.3.0"):
        F.affine_grid(kagari.zeros(2, 2, 3), (2, 1, 3, 4))


def test_same_bits_for_any_number_of_threads():
    x = image(2, 5, 33, 47, dtype=kagari.float32)
    grid = kagari.tensor(
        np.random.default_rng(0).uniform(-1.1, 1.1, (2, 40, 50, 2)), dtype=kagari.float32
    )

    def run():
        a, g = x.clone().requires_grad_(), grid.clone().requires_grad_()
        y = F.interpolate(a, scale_factor=1.7, mode="bicubic")
        z = F.grid_sample(a, g, align_corners=False)
        (y.square().sum() + z.square().sum()).backward()
        return [t.detach().numpy().tobytes() for t in (y, z, a.grad, g.grad)]

    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(1)
        alone = run()
        for threads in (2, 3):
            kagari.set_num_threads(threads)
            assert run() == alone
    finally:
        kagari.set_num_threads(before)


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.uint8])
def test_large_images_with_channels_last(dtype: kagari.dtype) -> None:
    """Large enough for kernels to run without the interpreter's lock."""
    x = (kagari.rand(2, 3, 130, 140) * 255).to(dtype)
    last = x.contiguous(memory_format=kagari.channels_last)
    for _ in range(100):  # more tensors than the free list holds
        small = F.interpolate(last, (64, 64), mode="bicubic")
    assert small.is_contiguous(memory_format=kagari.channels_last)
    want = F.interpolate(x, (64, 64), mode="bicubic")
    kagari.testing.assert_close(small.contiguous(), want)


@pytest.mark.conformance
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_images_of_bytes_are_pytorchs(mode: str, channels: int) -> None:
    """Bit for bit: data pipelines resize them, and a model sees the difference."""
    torch = pytest.importorskip("torch")
    pixels = np.random.default_rng(0).integers(0, 256, (2, channels, 40, 33)).astype(np.uint8)
    corners = (False,) if mode == "lanczos" else (False, True)
    smooth = (True,) if mode == "lanczos" else (False, True)
    for size, align, antialias in itertools.product(((5, 5), (12, 70), (60, 33)), corners, smooth):
        kw = {"align_corners": align} if align else {}
        for last in (False, True):
            x, y = torch.tensor(pixels), kagari.tensor(pixels)
            if last:
                x = x.contiguous(memory_format=torch.channels_last)
                y = y.contiguous(memory_format=kagari.channels_last)
            want = torch.nn.functional.interpolate(x, size, mode=mode, antialias=antialias, **kw)
            got = F.interpolate(y, size, mode=mode, antialias=antialias, **kw)
            np.testing.assert_array_equal(got.numpy(), want.numpy(), (size, align, antialias))


def test_grid_leaves_what_is_outside_unread():
    """Elements outside count as zero beside infinite ones, values and gradients alike."""
    x = kagari.ones(1, 2, 3, 3)
    x[0, :, 0, 0] = float("inf")
    grid = kagari.tensor([[[[1.2, 1.0], [9.0, 9.0], [0.0, 0.0], [float("nan"), 0.0]]]])
    grid = grid.repeat(1, 1, 40, 1)  # more places than are computed together
    for mode in ("bilinear", "nearest", "bicubic"):
        x.requires_grad_()
        grid.requires_grad_()
        y = F.grid_sample(x, grid, mode, align_corners=True)
        assert y[..., 1::4].eq(0).all()
        assert y[..., 0::4].isfinite().all()
        g = kagari.ones_like(y)
        g.detach()[..., 1::4] = float("inf")
        dx, dgrid = kagari.autograd.grad(y, (x, grid), g)
        assert dx.isfinite().all()
        assert dgrid[:, :, 1::4].eq(0).all()
