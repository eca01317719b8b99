"""Convolutions in float32 with fewer multiplications: 3x3 windows, larger ones in pieces, strides in phases."""

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F

# batch, channels in and out, height, width, padding
SHAPES = [
    (2, 16, 20, 9, 11, 0),
    (3, 33, 17, 13, 7, 2),
    (5, 32, 64, 8, 8, 1),
    (1, 64, 64, 28, 28, 1),
    (2, 300, 16, 11, 16, 1),
    (1, 16, 300, 10, 33, 1),
    (2, 16, 16, 5, 777, 1),
]


def drawn(*shape: int, channels_last: bool = False) -> kagari.Tensor:
    t = kagari.randn(*shape, generator=kagari.Generator().manual_seed(7))
    return t.contiguous(memory_format=kagari.channels_last) if channels_last else t


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("n, c, k, h, w, padding", SHAPES)
def test_values_and_gradients(
    n: int, c: int, k: int, h: int, w: int, padding: int, channels_last: bool
) -> None:
    x = drawn(n, c, h, w, channels_last=channels_last).requires_grad_()
    weight = (drawn(k, c, 3, 3) / (9 * c) ** 0.5).requires_grad_()
    bias = drawn(k).requires_grad_()
    y = F.conv2d(x, weight, bias, padding=padding)
    cotangent = drawn(*y.shape, channels_last=channels_last)
    grads = kagari.autograd.grad(y, (x, weight, bias), cotangent)
    wide = [t.detach().double().requires_grad_() for t in (x, weight, bias)]
    expected = F.conv2d(*wide, padding=padding)
    expected_grads = kagari.autograd.grad(expected, wide, cotangent.double())
    kagari.testing.assert_close(y.double(), expected, rtol=1e-5, atol=1e-5)
    kagari.testing.assert_close(grads[0].double(), expected_grads[0], rtol=1e-5, atol=1e-5)
    for got, wanted in zip(grads[1:], expected_grads[1:], strict=True):
        kagari.testing.assert_close(got.double(), wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("n, c, k, h, w, padding", SHAPES)
def test_small_integers_stay_exact(n: int, c: int, k: int, h: int, w: int, padding: int) -> None:
    rng = np.random.default_rng(3)
    x = kagari.from_numpy(rng.integers(-8, 9, (n, c, h, w)).astype(np.float32))
    weight = kagari.from_numpy(rng.integers(-8, 9, (k, c, 3, 3)).astype(np.float32))
    y = F.conv2d(x, weight, padding=padding)
    assert y.double().equal(F.conv2d(x.double(), weight.double(), padding=padding))


# Weights' gradients: all tiles in one stage, in several, in parts of a thread each, rows cut into
# segments, and channels that fill no panel.
GRADIENTS = [
    *SHAPES,
    (9, 16, 16, 33, 35, 1),
    (3, 64, 64, 56, 56, 1),
    (20, 96, 80, 14, 13, 1),
    (2, 200, 70, 24, 28, 2),
    (1, 17, 30, 6, 5001, 1),
    (8, 256, 130, 6, 6, 1),
]


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("n, c, k, h, w, padding", GRADIENTS)
def test_gradients_of_small_integers_are_exact_on_any_number_of_threads(
    n: int, c: int, k: int, h: int, w: int, padding: int, channels_last: bool
) -> None:
    rng = np.random.default_rng(11)
    layout = kagari.channels_last if channels_last else kagari.contiguous_format

    def digits(*shape: int) -> kagari.Tensor:
        return kagari.from_numpy(rng.integers(-4, 5, shape).astype(np.float32))

    x = digits(n, c, h, w).contiguous(memory_format=layout)
    weight, bias = digits(k, c, 3, 3).requires_grad_(), digits(k).requires_grad_()
    y = F.conv2d(x, weight, bias, padding=padding)
    cotangent = digits(*y.shape).contiguous(memory_format=layout)
    noise = drawn(*y.shape, channels_last=channels_last)
    wide = [t.detach().double().requires_grad_() for t in (weight, bias)]
    expected = F.conv2d(x.double(), *wide, padding=padding)
    wanted = kagari.autograd.grad(expected, wide, cotangent.double())
    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(1)
        y = F.conv2d(x, weight, bias, padding=padding)
        once = kagari.autograd.grad(y, (weight, bias), noise, retain_graph=True)
        for threads in (1, 2, 3, 8):
            kagari.set_num_threads(threads)
            exact = kagari.autograd.grad(y, (weight, bias), cotangent, retain_graph=True)
            assert all(got.double().equal(want) for got, want in zip(exact, wanted, strict=True))
            again = kagari.autograd.grad(y, (weight, bias), noise, retain_graph=True)
            assert all(got.equal(want) for got, want in zip(again, once, strict=True))
    finally:
        kagari.set_num_threads(before)


def test_gradients_of_slices_to_strided_weights() -> None:
    x = drawn(2, 40, 12, 30)[:, ::2, :, 3:25]
    weight = drawn(3, 3, 20, 24).permute(3, 2, 0, 1).requires_grad_()
    y = F.conv2d(x, weight, padding=1)
    cotangent = drawn(2, 24, 22, 12).transpose(2, 3)
    (got,) = kagari.autograd.grad(y, weight, cotangent)
    wide = weight.detach().double().requires_grad_()
    (wanted,) = kagari.autograd.grad(
        F.conv2d(x.double(), wide, padding=1), wide, cotangent.double()
    )
    kagari.testing.assert_close(got.double(), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("n, c, k, h, w, padding", SHAPES)
def test_an_image_alone_and_any_number_of_threads_give_the_same_bits(
    n: int, c: int, k: int, h: int, w: int, padding: int, channels_last: bool
) -> None:
    x = drawn(n, c, h, w, channels_last=channels_last)
    weight = drawn(k, c, 3, 3)
    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(1)
        y = F.conv2d(x, weight, padding=padding)
        for threads in (2, 3, 4, 8):
            kagari.set_num_threads(threads)
            assert F.conv2d(x, weight, padding=padding).equal(y)
            assert F.conv2d(x[-1:], weight, padding=padding).equal(y[-1:])
    finally:
        kagari.set_num_threads(before)


def test_strided_weights_and_slices_of_images() -> None:
    x = drawn(2, 40, 12, 30)[:, ::2, :, 3:25]
    weight = drawn(3, 3, 20, 24).permute(3, 2, 0, 1)
    y = F.conv2d(x, weight, padding=1)
    expected = F.conv2d(x.double(), weight.double(), padding=1)
    kagari.testing.assert_close(y.double(), expected, rtol=1e-5, atol=1e-4)


# batch, channels in and out, depth, height, width, planes of the window, padding
VOLUMES = [
    (2, 16, 20, 5, 9, 11, 3, (0, 0, 0)),
    (1, 20, 33, 4, 8, 8, 4, (1, 1, 1)),
    (3, 17, 16, 3, 13, 7, 2, (1, 2, 0)),
    (2, 100, 24, 6, 5, 9, 3, (2, 1, 1)),
    (2, 32, 16, 4, 10, 10, 1, (0, 1, 1)),
]


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("n, c, k, d, h, w, planes, padding", VOLUMES)
def test_volumes(
    n: int,
    c: int,
    k: int,
    d: int,
    h: int,
    w: int,
    planes: int,
    padding: tuple[int, int, int],
    channels_last: bool,
) -> None:
    rng = np.random.default_rng(5)
    layout = kagari.channels_last_3d if channels_last else kagari.contiguous_format

    def digits(*shape: int) -> kagari.Tensor:
        return kagari.from_numpy(rng.integers(-6, 7, shape).astype(np.float32))

    x = digits(n, c, d, h, w).contiguous(memory_format=layout).requires_grad_()
    weight, bias = digits(k, c, planes, 3, 3).requires_grad_(), digits(k)
    y = F.conv3d(x, weight, bias, padding=padding)
    cotangent = digits(*y.shape).contiguous(memory_format=layout)
    grads = kagari.autograd.grad(y, (x, weight), cotangent)
    wide = [t.detach().double().requires_grad_() for t in (x, weight)]
    expected = F.conv3d(*wide, bias.double(), padding=padding)
    assert y.double().equal(expected)
    for got, wanted in zip(
        grads, kagari.autograd.grad(expected, wide, cotangent.double()), strict=True
    ):
        assert got.double().equal(wanted)
    before = kagari.get_num_threads()
    noise = drawn(n, c, d, h, w).contiguous(memory_format=layout)
    try:
        kagari.set_num_threads(1)
        once = F.conv3d(noise, weight, bias, padding=padding)
        for threads in (2, 3):
            kagari.set_num_threads(threads)
            assert F.conv3d(noise, weight, bias, padding=padding).equal(once)
            assert F.conv3d(noise[-1:], weight, bias, padding=padding).equal(once[-1:])
    finally:
        kagari.set_num_threads(before)


# Windows in pieces and strides in phases: function, image, weight, options. Wide, high and long
# windows, single pieces of one, two and three taps, results that end amid a tile or a phase, rows
# cut into segments, several planes, and windows one pixel high. Of few channels: lines that end amid
# a vector, results that fill no block, sums of more than one chunk.
FEW_CHANNELS = [
    ("conv2d", (2, 3, 61, 93), (20, 3, 7, 7), {"stride": 2, "padding": 3}),
    ("conv2d", (1, 3, 40, 601), (17, 3, 7, 7), {"stride": 2}),
    ("conv2d", (2, 8, 33, 40), (30, 8, 3, 3), {"padding": 1}),
    ("conv2d", (1, 12, 37, 50), (70, 12, 5, 5), {"stride": (3, 1), "padding": (1, 4)}),
    ("conv2d", (2, 3, 80, 70), (24, 3, 11, 11), {"stride": 4, "padding": 2}),
    ("conv3d", (1, 3, 5, 40, 41), (16, 3, 3, 7, 7), {"stride": (1, 2, 2), "padding": (1, 3, 3)}),
    ("conv3d", (1, 15, 9, 20, 20), (16, 15, 8, 5, 5), {"padding": 2}),
]
WINDOWS = [
    *FEW_CHANNELS,
    ("conv1d", (3, 67, 170), (70, 67, 5), {"padding": 2}),
    ("conv1d", (2, 64, 777), (65, 64, 3), {"padding": 1}),
    ("conv1d", (1, 64, 1111), (66, 64, 7), {}),
    ("conv1d", (2, 64, 190), (64, 64, 9), {"padding": 4}),
    ("conv1d", (2, 300, 141), (64, 300, 3), {"padding": 2}),
    ("conv1d", (2, 64, 401), (65, 64, 9), {"stride": 3, "padding": 1}),
    ("conv1d", (2, 16, 301), (24, 16, 10), {"stride": 3, "padding": 1}),
    ("conv2d", (2, 64, 7, 40), (66, 64, 1, 5), {"padding": (0, 2)}),
    ("conv2d", (2, 65, 9, 40), (64, 65, 1, 3), {"stride": (2, 1)}),
    ("conv2d", (2, 16, 12, 13), (20, 16, 5, 5), {"padding": 2}),
    ("conv2d", (1, 24, 16, 15), (16, 24, 4, 2), {"padding": (1, 0)}),
    ("conv2d", (2, 20, 19, 22), (16, 20, 7, 3), {"padding": (3, 1)}),
    ("conv2d", (2, 17, 20, 21), (24, 17, 5, 5), {"stride": 2, "padding": 2}),
    ("conv2d", (1, 16, 33, 30), (16, 16, 7, 7), {"stride": 2, "padding": 3}),
    ("conv2d", (2, 16, 17, 18), (20, 16, 3, 3), {"stride": 2, "padding": 1}),
    ("conv2d", (1, 16, 25, 26), (16, 16, 6, 8), {"stride": (3, 2), "padding": 1}),
    ("conv3d", (2, 16, 4, 9, 10), (17, 16, 3, 5, 3), {"padding": (1, 2, 1)}),
    ("conv3d", (1, 16, 4, 9, 12), (16, 16, 2, 4, 4), {"stride": (1, 2, 2), "padding": 1}),
    ("conv_transpose1d", (2, 20, 50), (20, 17, 8), {"stride": 2, "padding": 3}),
    ("conv_transpose2d", (2, 24, 9, 10), (24, 17, 4, 4), {"stride": 2, "padding": 1}),
    ("conv_transpose2d", (2, 16, 9, 8), (16, 20, 5, 5), {"stride": 2, "output_padding": 1}),
    ("conv_transpose2d", (1, 16, 10, 9), (16, 16, 6, 4), {"stride": (3, 2), "padding": (1, 0)}),
    ("conv_transpose2d", (1, 16, 5, 40), (16, 16, 1, 4), {"stride": (1, 2)}),
]


def laid(t: kagari.Tensor, channels_last: bool) -> kagari.Tensor:
    layout = {4: kagari.channels_last, 5: kagari.channels_last_3d}.get(t.dim())
    return t.contiguous(memory_format=layout) if channels_last and layout is not None else t


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name, image, window, options", WINDOWS)
def test_windows_in_pieces(
    name: str, image: tuple[int, ...], window: tuple[int, ...], options: dict, channels_last: bool
) -> None:
    function = getattr(F, name)
    out = window[1] if "transpose" in name else window[0]
    x = laid(drawn(*image), channels_last).requires_grad_()
    weight = (drawn(*window) / np.prod(window[1:]) ** 0.5).requires_grad_()
    bias = drawn(out).requires_grad_()
    y = function(x, weight, bias, **options)
    cotangent, second = drawn(*y.shape), drawn(*image)
    wide = [t.detach().double().requires_grad_() for t in (x, weight, bias)]
    expected = function(*wide, **options)

    def gradients(y: kagari.Tensor, inputs: list[kagari.Tensor]) -> list[kagari.Tensor]:
        upstream = cotangent.to(y.dtype).requires_grad_()
        first = kagari.autograd.grad(y, inputs, upstream, create_graph=True)
        twice = kagari.autograd.grad(first[0], (inputs[1], upstream), second.to(y.dtype))
        return [*first, *twice]

    kagari.testing.assert_close(y.double(), expected, rtol=1e-5, atol=1e-5)
    wanted = gradients(expected, wide)
    for a, b in zip(gradients(y, [x, weight, bias]), wanted, strict=True):
        scale = max(1.0, b.detach().abs().max().item())
        kagari.testing.assert_close(a.double(), b, rtol=1e-5, atol=2e-6 * scale)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name, image, window, options", WINDOWS)
def test_windows_in_pieces_are_exact_and_the_same_on_any_number_of_threads(
    name: str, image: tuple[int, ...], window: tuple[int, ...], options: dict, channels_last: bool
) -> None:
    function = getattr(F, name)
    rng = np.random.default_rng(5)

    def digits(shape: tuple[int, ...]) -> kagari.Tensor:
        return kagari.from_numpy(rng.integers(-4, 5, shape).astype(np.float32))

    x, weight = laid(digits(image), channels_last), digits(window)
    y = function(x, weight, **options)
    assert y.double().equal(function(x.double(), weight.double(), **options))
    assert function(x[:0], weight, **options).shape == (0, *y.shape[1:])
    x, weight = laid(drawn(*image), channels_last), drawn(*window)
    before = kagari.get_num_threads()
    try:
        kagari.set_num_threads(1)
        y = function(x, weight, **options)
        for threads in (2, 3, 8):
            kagari.set_num_threads(threads)
            assert function(x, weight, **options).equal(y)
            assert function(x[-1:], weight, **options).equal(y[-1:])
    finally:
        kagari.set_num_threads(before)
