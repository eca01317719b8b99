"""Storages and strided views: what shares memory, what geometry may reach, versions, resizing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import kagari

VIEWS: dict[str, Callable[[Any], Any]] = {
    "view": lambda t: t.view(4, 3),
    "reshape": lambda t: t.reshape(-1),
    "slice": lambda t: t[1:, ::2],
    "select": lambda t: t[0],
    "transpose": lambda t: t.t(),
    "permute": lambda t: t.permute(1, 0),
    "expand": lambda t: t[:, :1].expand(3, 5),
    "unsqueeze": lambda t: t.unsqueeze(1),
    "diagonal": lambda t: t.diagonal(),
    "narrow": lambda t: t.narrow(1, 1, 2),
    "unfold": lambda t: t.unfold(1, 2, 1),
    "as_strided": lambda t: t.as_strided((2, 2), (1, 2), 3),
    "detach": lambda t: t.detach(),
    "data": lambda t: t.data,
    "view_dtype": lambda t: t.view(kagari.int32),
    "unbind": lambda t: t.unbind(0)[1],
    "split": lambda t: t.split(2)[1],
}


def sample() -> Any:
    return kagari.arange(12, dtype=kagari.float32).view(3, 4)


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory(name: str) -> None:
    x = sample()
    v = VIEWS[name](x)
    assert v.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert v.data_ptr() == x.data_ptr() + v.storage_offset() * v.element_size()
    x.fill_(7)
    assert (v.view(kagari.float32) if v.dtype is kagari.int32 else v).eq(7).all()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_keeps_the_memory_alive(name: str) -> None:
    v = VIEWS[name](sample())
    want = VIEWS[name](sample()).tolist()
    for _ in range(50):
        kagari.full((12,), -1.0)  # would be handed the same block
    assert v.tolist() == want


@pytest.mark.parametrize("name", [n for n in VIEWS if n not in ("data", "view_dtype")])
def test_versions_are_shared(name: str) -> None:
    x = sample()
    v = VIEWS[name](x)
    before = x._version
    (x if name in ("expand", "unfold") else v).add_(1)
    assert x._version == v._version == before + 1


def test_versions_count_writes() -> None:
    x = kagari.zeros(3)
    y = kagari.zeros(3)
    steps: list[Callable[[], Any]] = [
        lambda: x.add_(1),
        lambda: x.copy_(y),
        lambda: x.__setitem__(0, 2.0),
        lambda: x[1:].mul_(2),
        lambda: kagari.add(y, y, out=x),
        lambda: x.zero_(),
    ]
    for i, step in enumerate(steps, 1):
        step()
        assert x._version == i
    assert y._version == 0
    x.data.add_(1)  # another count, the same memory
    assert x._version == len(steps) and x.tolist() == [1.0] * 3


def test_as_strided_stays_inside() -> None:
    x = sample()
    assert x.as_strided((3, 2), (1, 5)).tolist() == [[0, 5], [1, 6], [2, 7]]
    assert x.as_strided((3,), (0,), 11).tolist() == [11.0] * 3
    assert x[1].as_strided((2,), (1,)).tolist() == [4.0, 5.0]  # counts from the tensor's own offset
    assert x.as_strided((0, 5), (100, 100)).numel() == 0
    for size, stride, offset, error, text in (
        ((13,), (1,), 0, RuntimeError, "bounds|storage"),
        ((2, 2), (1, 11), 0, RuntimeError, "bounds|storage"),
        ((1,), (1,), 12, RuntimeError, "bounds|storage"),
        ((2,), (-1,), 5, RuntimeError, "[Nn]egative stride|negative"),
        ((2,), (2**62,), 0, RuntimeError, "bounds|storage|overflow"),
        ((2**62, 2**62), (1, 1), 0, RuntimeError, "more elements than memory can address"),
        ((-1,), (1,), 0, RuntimeError, "negative"),
        ((2,), (1, 1), 0, RuntimeError, "size|match|length"),
        ((1,), (1,), -1, RuntimeError, "offset|negative"),
    ):
        with pytest.raises(error, match=text):
            x.as_strided(size, stride, offset)


def test_writing_through_overlap_is_refused() -> None:
    x = kagari.zeros(3)
    wide = x.as_strided((3, 3), (0, 1))
    with pytest.raises(RuntimeError, match="single memory location.*clone"):
        wide.add_(1)
    with pytest.raises(RuntimeError, match="single memory location.*clone"):
        x[:1].expand(4).zero_()
    kagari.add(wide, 1)  # reading is fine


def test_overlapping_copies_read_before_they_write() -> None:
    x = kagari.arange(6)
    x[1:] = x[:-1].clone()
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    y = kagari.arange(9).view(3, 3)
    y.copy_(y.t().clone())
    assert y.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]


def test_storage_object() -> None:
    x = kagari.arange(4, dtype=kagari.int16)
    s = x.untyped_storage()
    assert (s.nbytes(), len(s), s.device) == (8, 8, kagari.device("cpu"))
    assert x.untyped_storage() is s or x.untyped_storage().data_ptr() == s.data_ptr()
    s[0] = 255
    assert x[0] == 255 and bytes(s)[:2] == b"\xff\x00"
    copy = s.clone()
    s.fill_(0)
    assert x.tolist() == [0] * 4 and copy[0] == 255
    for index in (8, -9):
        with pytest.raises(IndexError):
            s[index]
    del x
    assert s.tolist() == [0] * 8  # the storage outlives its tensor


def test_resizing() -> None:
    x = kagari.arange(4.0)
    v = x[2:]
    x.resize_(8)
    assert x.tolist()[:4] == [0, 1, 2, 3] and x.shape == (8,)
    assert v.tolist() == [2.0, 3.0]
    s = x.untyped_storage()
    s.resize_(0)
    assert s.nbytes() == 0
    with pytest.raises(RuntimeError):
        kagari.frombuffer(bytearray(8), dtype=kagari.uint8).resize_(100)


def test_a_storage_does_not_move_under_tensors() -> None:
    x = kagari.arange(4.0)
    s = x.untyped_storage()
    s.resize_(0)
    kagari.full((4,), -1.0)  # would be handed the block, had it been freed
    assert s.nbytes() == 0 and x.tolist() == [0, 1, 2, 3]
    s.resize_(16)
    assert x.tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="can shrink under them but not grow.*resize_"):
        s.resize_(1 << 20)


@pytest.mark.parametrize("alias", [lambda x: x.data, lambda x: x.detach(), lambda x: x[:2]])
def test_growing_leaves_the_others_their_memory(alias: Callable[[Any], Any]) -> None:
    for grow in (
        lambda y: y.resize_(1000),
        lambda y: kagari.add(kagari.ones(1000), 1, out=y),
        lambda y: y.set_(y.untyped_storage(), 0, (1000,), (1,)),
    ):
        x = kagari.arange(4.0)
        y = alias(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                grow(y)
            except RuntimeError:  # a view keeps its size
                assert y.shape != (1000,)
        kagari.full((4,), -1.0)
        assert x.tolist() == [0, 1, 2, 3]


def test_set() -> None:
    x, y = kagari.zeros(2), kagari.arange(6.0)
    x.set_(y)
    assert x.data_ptr() == y.data_ptr() and x.shape == (6,)
    x.set_(y.untyped_storage(), 1, (2, 2), (2, 1))
    assert x.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(RuntimeError):
        kagari.zeros(2).set_(y.untyped_storage(), 0, (2,), (-1,))
    with pytest.raises(RuntimeError):
        kagari.zeros(2).set_(y.untyped_storage(), -1, (2,), (1,))
    for source in (y, y.untyped_storage()):
        with pytest.raises(TypeError, match="expected a size beside storage_offset"):
            kagari.zeros(2).set_(source, 1)


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ((2**32, 2**32), "overflow|large|memory"),
        ((2**62, 4), "overflow|large|memory"),
        ((2**63 - 1,), "overflow|large|memory"),
        ((-1,), "negative"),
        ((2**40, 0, -3), "negative"),
    ],
)
def test_sizes_that_cannot_be(sizes: tuple[int, ...], text: str) -> None:
    for make in (kagari.empty, kagari.zeros, kagari.ones, kagari.rand):
        with pytest.raises(RuntimeError, match=text):
            make(sizes)
    with pytest.raises(RuntimeError, match=text):
        kagari.zeros(1).expand(*sizes).clone() if min(sizes) > 0 else kagari.zeros(sizes)


def test_empty_shapes_with_huge_sizes() -> None:
    x = kagari.empty(2**40, 0)
    assert x.numel() == 0 and x.sum() == 0 and (x + 1).shape == (2**40, 0)
