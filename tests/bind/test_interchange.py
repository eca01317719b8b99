"""NumPy, DLPack and the buffer protocol: what is shared, how long it lives, what is refused."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import kagari

NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16",
         "float32", "float64", "complex64", "complex128")  # fmt: skip


class Owner(np.ndarray):
    """An array whose end can be seen."""


@pytest.mark.parametrize("name", NAMES)
def test_dtypes_go_both_ways(name: str) -> None:
    a = np.arange(6).reshape(2, 3).astype(name)
    t = kagari.from_numpy(a)
    assert t.dtype is getattr(kagari, name) and t.shape == (2, 3)
    assert t.numpy().dtype == a.dtype and (t.numpy() == a).all()
    assert (np.asarray(t) == a).all() and kagari.equal(kagari.tensor(a), t)


def test_memory_is_shared_with_numpy() -> None:
    a = np.zeros((2, 3))
    t = kagari.from_numpy(a)
    a[0, 1] = 5
    t[1, 2] = 7
    assert t[0, 1] == 5 and a[1, 2] == 7
    b = t.numpy()
    b[0, 0] = 9
    assert a[0, 0] == 9 and b.ctypes.data == t.data_ptr() == a.ctypes.data
    assert not np.shares_memory(kagari.tensor(a).numpy(), a)
    assert np.shares_memory(kagari.as_tensor(a).numpy(), a)
    part = kagari.from_numpy(a[:, ::2])
    assert part.stride() == (3, 2) and np.shares_memory(part.t().numpy(), a)


def test_an_array_lives_as_long_as_its_tensor() -> None:
    a = np.arange(5.0).view(Owner)
    ref = weakref.ref(a)
    t = kagari.from_numpy(a)
    v = t[1:3]
    del a, t
    gc.collect()
    assert ref() is not None and v.tolist() == [1.0, 2.0]
    del v
    gc.collect()
    assert ref() is None


def test_a_tensor_lives_as_long_as_its_array() -> None:
    a = kagari.arange(5.0).numpy()
    b = a[2:]
    del a
    for _ in range(50):
        kagari.full((5,), -1.0)
    assert b.tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("array", "error", "text"),
    [
        (np.ones((2, 3))[::-1], ValueError, "stride.*negative"),
        (np.ones(3, ">f4"), (ValueError, TypeError), "byte order"),
        (np.array(["a"]), TypeError, "str"),
        (np.array([None], object), TypeError, "object_"),
        (np.ndarray((2,), "f8", bytearray(33), 1), ValueError, "aligned"),
        (np.zeros(2, "M8[s]"), TypeError, "datetime"),
        ([1, 2], TypeError, "ndarray"),
    ],
)
def test_arrays_that_are_refused(array: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        kagari.from_numpy(array)


def test_read_only_arrays() -> None:
    a = np.frombuffer(b"12345678", "i4")
    with pytest.warns(UserWarning, match="not writable"):
        t = kagari.from_numpy(a)
    assert t.tolist() == a.tolist()


def test_dlpack() -> None:
    x = kagari.arange(6.0).view(2, 3).t()
    y = kagari.from_dlpack(x)
    assert y.data_ptr() == x.data_ptr() and y.stride() == x.stride() and y.shape == x.shape
    a = np.from_dlpack(x)
    assert np.shares_memory(a, x.numpy()) and a.shape == (3, 2)
    z = kagari.from_dlpack(np.arange(4.0))
    assert z.tolist() == [0, 1, 2, 3]
    assert x.__dlpack_device__()[0] == 1


def test_dlpack_lifetimes() -> None:
    x = kagari.arange(5.0)
    x.canary = Owner(1)
    ref = weakref.ref(x.canary)
    capsule = kagari.to_dlpack(x)
    y = kagari.from_dlpack(capsule)
    with pytest.raises(RuntimeError, match="consumed only once"):
        kagari.from_dlpack(capsule)
    del x, capsule
    gc.collect()
    for _ in range(50):
        kagari.full((5,), -1.0)
    assert y.tolist() == [0, 1, 2, 3, 4]
    del y
    gc.collect()
    assert ref() is None
    for _ in range(2000):
        kagari.to_dlpack(kagari.ones(1000))  # nobody takes it: the capsule frees it


def test_dlpack_refuses() -> None:
    with pytest.raises((RuntimeError, BufferError), match="requires? grad"):
        kagari.ones(2, requires_grad=True).__dlpack__()
    with pytest.raises(RuntimeError, match="expected a DLPack capsule"):
        kagari.from_dlpack(object())


def test_the_buffer_protocol() -> None:
    x = kagari.arange(6, dtype=kagari.int32).view(2, 3)
    m = memoryview(x)
    assert (m.shape, m.format, m.tolist()) == ((2, 3), "i", [[0, 1, 2], [3, 4, 5]])
    m[1, 1] = 40
    assert x[1, 1] == 40
    del x
    gc.collect()
    assert m[0, 2] == 2


def test_frombuffer() -> None:
    raw = bytearray(range(16))
    t = kagari.frombuffer(raw, dtype=kagari.uint8, count=4, offset=2)
    raw[2] = 99
    assert t.tolist() == [99, 3, 4, 5]
    with pytest.raises(BufferError):
        raw.extend(b"x")  # the tensor holds the buffer
    del t
    raw.extend(b"x")
    for how, text in (
        ({"count": 5}, "buffer"),
        ({"offset": 17}, "offset"),
        ({"offset": 1}, "aligned|multiple"),
        ({"count": 0}, "must not be 0"),
    ):
        with pytest.raises(ValueError, match=text):
            kagari.frombuffer(bytearray(16), dtype=kagari.float32, **how)


def test_lists_and_numbers() -> None:
    x = kagari.tensor([[1, 2], [3, 4]])
    assert x.tolist() == [[1, 2], [3, 4]] and kagari.tensor(x.tolist()).dtype is kagari.int64
    assert float(kagari.tensor(2.5)) == 2.5 and int(kagari.tensor([3])) == 3
    assert complex(kagari.tensor(1j)) == 1j and [10, 20, 30][kagari.tensor(1)] == 20
    assert kagari.tensor(2**63 - 1).item() == 2**63 - 1
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="too many dimensions|recursive|nested"):
        kagari.tensor(loop)


def test_subclasses_of_other_libraries_are_asked_once() -> None:
    class Odd:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.ones(3)

    assert kagari.as_tensor(Odd()).tolist() == [1.0] * 3
