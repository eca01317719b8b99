"""Views and joining: values beside NumPy, shared memory, gradients to second order, errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_checks import array, layouts

import kagari
from kagari._core import ops
from kagari.autograd import gradcheck, gradgradcheck

X = np.arange(24.0).reshape(2, 3, 4)

# name: (kagari's function, NumPy's, whether the result shares memory with its input)
VIEWS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], bool]] = {
    "transpose": (lambda x: x.transpose(0, 2), lambda x: x.swapaxes(0, 2), True),
    "permute": (lambda x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1), True),
    "movedim": (lambda x: x.movedim(0, -1), lambda x: np.moveaxis(x, 0, -1), True),
    "mT": (lambda x: x.mT, lambda x: x.swapaxes(1, 2), True),
    "unsqueeze": (lambda x: x.unsqueeze(1), lambda x: x[:, None], True),
    "squeeze": (lambda x: x[:1].squeeze(), lambda x: x[0], True),
    "squeeze dim": (lambda x: x[:1].squeeze(0), lambda x: x[0], True),
    "expand": (
        lambda x: x[:, :1].expand(-1, 5, -1),
        lambda x: np.broadcast_to(x[:, :1], (2, 5, 4)),
        True,
    ),
    "broadcast_to": (
        lambda x: x.broadcast_to((2, 2, 3, 4)),
        lambda x: np.broadcast_to(x, (2, 2, 3, 4)),
        True,
    ),
    "narrow": (lambda x: x.narrow(2, 1, 2), lambda x: x[..., 1:3], True),
    "select": (lambda x: x.select(1, -1), lambda x: x[:, -1], True),
    "unfold": (
        lambda x: x.unfold(2, 2, 1),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 2),
        True,
    ),
    "diagonal": (lambda x: x.diagonal(1, 1, 2), lambda x: x.diagonal(1, 1, 2), True),
    "as_strided": (
        lambda x: x.as_strided((2, 2), (1, 3), 2),
        lambda x: np.array([[2, 5], [3, 6.0]]),
        True,
    ),
    "unflatten": (lambda x: x.unflatten(2, (2, 2)), lambda x: x.reshape(2, 3, 2, 2), True),
    "unbind": (lambda x: x.unbind(1)[2], lambda x: x[:, 2], True),
    "split": (lambda x: x.split(2, 1)[0], lambda x: x[:, :2], True),
    "split sizes": (lambda x: x.split([1, 2], 1)[1], lambda x: x[:, 1:], True),
    "chunk": (lambda x: x.chunk(3, 2)[1], lambda x: x[..., 2:], True),
    "tensor_split": (
        lambda x: x.tensor_split(3, 2)[0],
        lambda x: np.array_split(x, 3, 2)[0],
        True,
    ),
    "flip": (lambda x: x.flip(0, 2), lambda x: np.flip(x, (0, 2)), False),
    "roll": (lambda x: x.roll((1, -2), (0, 2)), lambda x: np.roll(x, (1, -2), (0, 2)), False),
    "roll all": (lambda x: x.roll(5), lambda x: np.roll(x, 5), False),
    "rot90": (lambda x: x.rot90(1, (1, 2)), lambda x: np.rot90(x, 1, (1, 2)), False),
    "repeat": (lambda x: x.repeat(2, 1, 1, 2), lambda x: np.tile(x, (2, 1, 1, 2)), False),
    "tile": (lambda x: x.tile(2, 3), lambda x: np.tile(x, (2, 3)), False),
    "repeat_interleave": (lambda x: x.repeat_interleave(2, 1), lambda x: x.repeat(2, 1), False),
    "tril": (lambda x: x.tril(1), lambda x: np.tril(x, 1), False),
    "triu": (lambda x: x.triu(-1), lambda x: np.triu(x, -1), False),
    "diag_embed": (
        lambda x: x[0, 0].diag_embed(1),
        lambda x: np.diag(x[0, 0], 1),
        False,
    ),
    "cat": (lambda x: kagari.cat([x, x + 1], 1), lambda x: np.concatenate([x, x + 1], 1), False),
    "stack": (lambda x: kagari.stack([x, x], -1), lambda x: np.stack([x, x], -1), False),
    "hstack": (lambda x: kagari.hstack([x, x]), lambda x: np.hstack([x, x]), False),
    "dstack": (lambda x: kagari.dstack([x, x]), lambda x: np.dstack([x, x]), False),
    "kron": (lambda x: kagari.kron(x[0], x[1]), lambda x: np.kron(x[0], x[1]), False),
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize(
    "dtype", [kagari.float32, kagari.int16, kagari.bool, kagari.complex64], ids=str
)
def test_values(name: str, dtype: Any) -> None:
    f, reference, shares = VIEWS[name]
    if name in ("cat", "kron") and dtype == kagari.bool:
        pytest.skip("the case adds or multiplies numbers")
    x = kagari.tensor(X).to(dtype)
    got, want = f(x), np.asarray(reference(array(x)))
    assert tuple(got.shape) == want.shape and got.dtype == dtype
    np.testing.assert_array_equal(array(got), want.astype(array(got).dtype))
    inside = got.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert inside == shares and (got._base is x or not shares or got._base is not None)
    if name != "as_strided":  # which follows the memory, not the elements
        for other in layouts(x):
            np.testing.assert_array_equal(array(f(other)), array(got))


@pytest.mark.parametrize("name", VIEWS)
def test_gradients(name: str) -> None:
    f = VIEWS[name][0]
    x = kagari.tensor(X / 10 + 0.3, requires_grad=True)
    assert gradcheck(lambda x: f(x * 1), [x])
    assert gradgradcheck(lambda x: f(x * 1) ** 2, [x])


PIECES: dict[str, Any] = {
    "unbind": lambda x: x.unbind(1),
    "unbind the innermost": lambda x: x.unbind(2),
    "split": lambda x: x.split(2, 0),
    "split sizes": lambda x: x.split([1, x.shape[2] - 1], 2),
    "chunk": lambda x: x.chunk(2, 1),
    "tensor_split": lambda x: x.tensor_split([1, 2], 0),
}


@pytest.mark.parametrize("dims", [(2, 0, 1), (1, 2, 0), (2, 1, 0), (0, 1, 2)])
@pytest.mark.parametrize("name", PIECES)
def test_gradients_of_pieces_lie_as_what_was_cut(name: str, dims: tuple[int, ...]) -> None:
    """The gradient of a permuted tensor is permuted too: its source's is contiguous."""
    x = kagari.tensor(X / 10, requires_grad=True)
    cut = x.permute(dims)
    cut.retain_grad()
    pieces = PIECES[name](cut)
    weights = [kagari.randn(p.shape, dtype=p.dtype) for p in pieces]
    kagari.stack([(p * w).sum() for p, w in zip(pieces, weights, strict=True)]).sum().backward()
    back = np.argsort(dims).tolist()
    assert cut.grad.permute(back).is_contiguous()
    marked = kagari.zeros(2, 3, 4, dtype=x.dtype)
    for piece, w in zip(PIECES[name](marked.permute(dims)), weights, strict=True):
        piece.copy_(w)
    assert kagari.equal(x.grad, marked)

    def f(x: Any) -> Any:
        return sum(((i + 1) * p**3).sum() for i, p in enumerate(PIECES[name](x.permute(dims))))

    assert gradcheck(f, [x])
    assert gradgradcheck(f, [x])


def test_gradients_of_pieces_of_what_is_expanded() -> None:
    x = kagari.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    a, _ = x.expand(2, 3).unbind(0)
    (a * a).sum().backward()
    assert x.grad.tolist() == [[2.0, 4.0, 6.0]]


@pytest.mark.parametrize("name", [n for n, v in VIEWS.items() if v[2] and "expand" not in n])
def test_writing_through_a_view(name: str) -> None:
    f = VIEWS[name][0]
    if name in ("broadcast_to", "unfold"):
        pytest.skip("several elements share a place")
    if name.split()[0] in ("unbind", "split", "chunk", "tensor_split"):
        with pytest.raises(RuntimeError, match="multiple views"):
            f(kagari.tensor(X, requires_grad=True) * 1).mul_(3)
        return
    x = kagari.tensor(X, requires_grad=True)

    def write(x: Any) -> Any:
        y = x * 1
        f(y).mul_(3)
        return y

    want = array(kagari.tensor(X))
    marked = kagari.zeros(2, 3, 4)
    f(marked).fill_(1)
    np.testing.assert_array_equal(array(write(x)), np.where(array(marked) == 1, 3 * want, want))
    assert gradcheck(write, [x])


@pytest.mark.parametrize(
    ("shape", "want"),
    [
        ((-1,), (24,)),
        ((4, -1), (4, 6)),
        ((2, 3, 2, 2), None),
        ((24, 1), None),
        ((1, 6, -1), (1, 6, 4)),
    ],
)
def test_reshaping(shape: Any, want: Any) -> None:
    for x in layouts(kagari.tensor(X)):
        got = x.reshape(shape)
        assert got.shape == (want or shape)
        np.testing.assert_array_equal(array(got), X.reshape(shape))
    x = kagari.tensor(X)
    assert x.view(shape).data_ptr() == x.data_ptr()


def test_sums_to_a_size() -> None:
    x = kagari.tensor(X)
    assert x.sum_to_size(3, 1).tolist() == X.sum((0, 2))[:, None].tolist()
    assert x.sum_to_size(2, 3, 4) is x or x.sum_to_size(2, 3, 4).data_ptr() == x.data_ptr()
    assert kagari.tensor(True).sum_to_size(()).dtype == kagari.int64
    with pytest.raises(RuntimeError, match="not expandable"):
        x.sum_to_size(2, 4)


def test_scattering_into_a_window() -> None:
    x = kagari.tensor(X[0], requires_grad=True)
    s = kagari.tensor([[50.0, 51.0]], dtype=x.dtype, requires_grad=True)

    def f(x: Any, s: Any) -> Any:
        return kagari.as_strided_scatter(x, s, (1, 2), (1, 5), 1)

    want = X[0].copy()
    want[0, 1], want[1, 2] = 50, 51
    np.testing.assert_array_equal(array(f(x, s)), want)
    assert gradcheck(f, [x, s])
    assert gradgradcheck(lambda x, s: f(x, s) ** 2, [x, s])


X3 = kagari.ones(2, 3, 4)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: X3.view(5), RuntimeError, "invalid for input of size 24"),
        (lambda: X3.view(-1, -1), RuntimeError, "one dimension can be inferred"),
        (lambda: X3.permute(0, 1), RuntimeError, "permute"),
        (lambda: X3.permute(0, 1, 1), RuntimeError, "repeated|duplicate|unique"),
        (lambda: X3.transpose(0, 3), IndexError, "Dimension out of range"),
        (lambda: X3.transpose(0, 1).view(-1), RuntimeError, "reshape"),
        (lambda: X3.expand(2, 3, 5), RuntimeError, "expanded size|must match"),
        (lambda: X3.narrow(0, 1, 2), RuntimeError, "exceed|start"),
        (lambda: X3.select(0, 2), IndexError, "out of range"),
        (lambda: X3.split([1, 1], 1), RuntimeError, "split_with_sizes|sum"),
        (lambda: X3.chunk(0), RuntimeError, "chunk"),
        (lambda: X3.as_strided((5, 5), (5, 5)), RuntimeError, "storage"),
        (lambda: X3.squeeze(5), IndexError, "Dimension out of range"),
        (lambda: kagari.cat([]), (RuntimeError, ValueError), "non-empty"),
        (lambda: kagari.cat([X3, kagari.ones(2, 3)]), RuntimeError, "dimensions"),
        (lambda: kagari.stack([X3, X3[0]]), RuntimeError, "equal size"),
        (lambda: kagari.tensor(1.0).roll(0, 0), IndexError, "no dimensions"),
        (lambda: X3.roll(1, (0, 1)), RuntimeError, "must align"),
        (lambda: X3.diagonal(0, 1, 1), RuntimeError, "identical|same"),
        (lambda: X3.unflatten(2, (3, 2)), RuntimeError, "unflatten"),
    ],
)
def test_errors(call: Callable[[], Any], error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_unflatten_with_sizes_beyond_any() -> None:
    for sizes in ([1, 2, 2, 1 << 62], [1 << 62, 4], [-1, 1 << 62, 4]):
        with pytest.raises(RuntimeError, match="don't multiply up to the size of dim 1"):
            kagari.ones(2, 4).unflatten(1, sizes)


@pytest.mark.parametrize(
    "dtype",
    [kagari.uint8, kagari.int16, kagari.float32, kagari.float64, kagari.complex128],
    ids=str,
)
@pytest.mark.parametrize(
    "shape", [(70, 3, 41), (2, 33, 4, 17), (5, 2, 300), (1, 130, 130), (9, 16)]
)
def test_copies_between_any_geometries(shape: tuple[int, ...], dtype: Any) -> None:
    """Turned, reversed, spread and repeated: short rows, squares, long rows."""
    x = np.arange(np.prod(shape)).reshape(shape)
    given = kagari.tensor(x).to(dtype)
    for order in itertools.permutations(range(len(shape))):
        turned, want = given.permute(order), x.transpose(order)
        for d in range(-1, len(shape)):
            flipped = turned if d < 0 else turned.flip(d)
            expected = want if d < 0 else np.flip(want, d)
            np.testing.assert_array_equal(
                array(flipped.contiguous()), array(kagari.tensor(expected.copy()).to(dtype))
            )
        for step in (2, 3, 4, 5):
            np.testing.assert_array_equal(
                array(turned[..., ::step].contiguous()), array(turned)[..., ::step]
            )
            wide = turned.unsqueeze(-1).expand(*turned.shape, step).contiguous()
            np.testing.assert_array_equal(array(wide), array(turned)[..., None].repeat(step, -1))
            spread = kagari.zeros(*turned.shape, step, dtype=dtype)
            spread[..., 1] = turned
            np.testing.assert_array_equal(array(spread[..., 1]), array(turned))
            assert not array(spread[..., 0]).any()


def test_block_diag() -> None:
    def blocks(library: Any) -> list[Any]:
        return [library.ones((2, 3)), library.arange(4), library.zeros((2, 0)), library.ones(())]

    got = kagari.block_diag(*blocks(kagari), kagari.tensor([[2.0, 3.0]]).t())
    want = np.zeros((8, 9), np.float32)
    want[:2, :3], want[2, 3:7], want[5, 7], want[6:, 8] = 1, range(4), 1, (2, 3)
    assert got.dtype == kagari.float32
    np.testing.assert_array_equal(got.numpy(), want)
    assert kagari.block_diag(kagari.tensor(True), kagari.arange(2)).dtype == kagari.int64
    x = kagari.rand(2, 3, dtype=kagari.float64, requires_grad=True)
    y = kagari.rand(3, dtype=kagari.float64, requires_grad=True)
    assert gradcheck(lambda a, b: kagari.block_diag(a * a, b, a.t(), b[0]), (x, y))
    assert gradgradcheck(lambda a, b: kagari.block_diag(a * a, b, a), (x, y))
    single = kagari.rand(2, requires_grad=True)
    (g,) = kagari.autograd.grad(kagari.block_diag(single, x.detach()).sum(), single)
    assert g.dtype == kagari.float32 and g.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="2 or fewer dimensions. Input 1 has 3"):
        kagari.block_diag(x, kagari.zeros(1, 1, 1))
    with pytest.raises(RuntimeError, match="at most 2 dimensions, got 3 of tensor 0"):
        ops._block_diag([kagari.zeros(1, 1, 1)])
