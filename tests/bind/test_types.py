"""dtype, device, layout, memory_format, Size, finfo, iinfo: values, text, pickling, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import kagari as kg

DTYPES = {
    # name: (itemsize, floating, complex, signed, aliases)
    "bool": (1, False, False, False, ()),
    "uint8": (1, False, False, False, ()),
    "int8": (1, False, False, True, ()),
    "int16": (2, False, False, True, ("short",)),
    "int32": (4, False, False, True, ("int",)),
    "int64": (8, False, False, True, ("long",)),
    "uint16": (2, False, False, False, ()),
    "uint32": (4, False, False, False, ()),
    "uint64": (8, False, False, False, ()),
    "float16": (2, True, False, True, ("half",)),
    "bfloat16": (2, True, False, True, ()),
    "float32": (4, True, False, True, ("float",)),
    "float64": (8, True, False, True, ("double",)),
    "complex32": (4, False, True, True, ("chalf",)),
    "complex64": (8, False, True, True, ("cfloat",)),
    "complex128": (16, False, True, True, ("cdouble",)),
    "float8_e4m3fn": (1, True, False, True, ()),
    "float8_e5m2": (1, True, False, True, ()),
}


@pytest.mark.parametrize("name", DTYPES)
def test_dtype(name: str) -> None:
    size, floating, is_complex, signed, aliases = DTYPES[name]
    d = getattr(kg, name)
    assert (d.itemsize, d.is_floating_point, d.is_complex, d.is_signed) == (
        size,
        floating,
        is_complex,
        signed,
    )
    assert repr(d) == f"kagari.{name}" and isinstance(d, kg.dtype)
    assert pickle.loads(pickle.dumps(d)) is d and copy.deepcopy(d) is d
    assert all(getattr(kg, a) is d for a in aliases)


def test_dtype_parts() -> None:
    assert kg.complex64.to_real() is kg.float32 and kg.float64.to_complex() is kg.complex128
    assert kg.int32.to_real() is kg.int32
    with pytest.raises(RuntimeError, match="no complex dtype has parts of int32"):
        kg.int32.to_complex()
    with pytest.raises(TypeError):
        kg.dtype("float32")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (float, kg.float64),
        (int, kg.int64),
        (bool, kg.bool),
        (complex, kg.complex128),
        (np.float32, kg.float32),
        (np.dtype("int16"), kg.int16),
        (np.bool_, kg.bool),
        (np.longlong, kg.int64),
    ],
)
def test_dtypes_of_others(given: object, dtype: kg.dtype) -> None:
    assert kg.zeros(2, dtype=given).dtype is dtype


@pytest.mark.parametrize("given", ["float32", np.str_, 3, str])
def test_no_dtype(given: object) -> None:
    with pytest.raises(TypeError, match=r"zeros: argument 'dtype' must be kagari\.dtype"):
        kg.zeros(2, dtype=given)


@pytest.mark.parametrize(
    ("args", "text", "string"),
    [
        (("cpu",), "device(type='cpu')", "cpu"),
        (("cuda", 1), "device(type='cuda', index=1)", "cuda:1"),
        (("cuda:1",), "device(type='cuda', index=1)", "cuda:1"),
        (("meta",), "device(type='meta')", "meta"),
        ((kg.device("cpu"),), "device(type='cpu')", "cpu"),
    ],
)
def test_device(args: tuple, text: str, string: str) -> None:
    d = kg.device(*args)
    assert repr(d) == text and str(d) == string
    assert pickle.loads(pickle.dumps(d)) == d and hash(kg.device(*args)) == hash(d)


def test_device_attributes() -> None:
    d = kg.device(type="cuda", index=2)
    assert (d.type, d.index) == ("cuda", 2) and kg.device("cpu").index is None
    assert kg.device("cpu") != kg.device("cpu:0") and kg.device("cpu") != "cpu"
    with pytest.raises(TypeError):
        _ = kg.device("cpu") < kg.device("meta")


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        (("tpu",), RuntimeError, "device type"),
        (("cpu:",), RuntimeError, "Invalid device string"),
        (("cpu:01",), RuntimeError, "Invalid device string"),
        (("cpu", -1), RuntimeError, "must not be negative"),
        (("cuda:0", 1), RuntimeError, "must not include an index"),
        (("cuda", "1"), TypeError, "must be int"),
        ((None,), TypeError, "expected a device"),
        ((), TypeError, "type"),
    ],
)
def test_device_errors(args: tuple, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        kg.device(*args)


def test_device_context() -> None:
    with kg.device("meta") as d:
        assert d == kg.device("meta") == kg.get_default_device()
        assert kg.zeros(2).is_meta and kg.tensor([1.0]).is_meta
        assert not kg.zeros(2, device="cpu").is_meta
        cpu = kg.zeros(2, device="cpu")
        assert not kg.zeros_like(cpu).is_meta and not cpu.new_zeros(3).is_meta
        with kg.device("cpu"):
            assert not kg.ones(2).is_meta
        assert kg.arange(3).is_meta
    assert not kg.zeros(2).is_meta


def test_default_device() -> None:
    kg.set_default_device("meta")
    try:
        assert kg.zeros(1).is_meta
    finally:
        kg.set_default_device(None)
    assert kg.get_default_device() == kg.device("cpu") and not kg.zeros(1).is_meta


def test_size() -> None:
    s = kg.Size([2, 3])
    assert s == (2, 3) and hash(s) == hash((2, 3)) and isinstance(s, tuple)
    assert repr(s) == "kagari.Size([2, 3])" and s.numel() == 6
    assert kg.Size([kg.tensor(2), np.int64(3)]) == s and kg.Size() == ()
    for got, want in [
        (s[1:], (3,)),
        (s[:], (2, 3)),
        (s + (1,), (2, 3, 1)),  # noqa: RUF005
        ((1,) + s, (1, 2, 3)),  # noqa: RUF005
        (s * 2, (2, 3, 2, 3)),
        (2 * s, (2, 3, 2, 3)),
        (pickle.loads(pickle.dumps(s)), (2, 3)),
        (copy.deepcopy(s), (2, 3)),
        (kg.zeros(2, 3).shape, (2, 3)),
    ]:
        assert type(got) is kg.Size and got == want
    assert s[0] == 2 and type(s[0]) is int and s.index(3) == 1


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: kg.Size("ab"), "item 0 is 'str'"),
        (lambda: kg.Size([2.5]), "item 0 is 'float'"),
        (lambda: kg.Size(3), "not iterable"),
        (lambda: kg.Size([2]) + [3], "can only concatenate tuple"),  # noqa: RUF005
        (lambda: kg.Size([2]) + ("a",), "holds ints only"),  # noqa: RUF005
    ],
)
def test_size_errors(call: object, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        call()  # type: ignore[operator]


def test_finfo_iinfo() -> None:
    f = kg.finfo(kg.float32)
    n = np.finfo(np.float32)
    assert (f.bits, f.eps, f.max, f.min, f.tiny) == (32, n.eps, n.max, n.min, n.tiny)
    assert f.resolution == 1e-6 and f.dtype == "float32" and f == kg.finfo(kg.complex64)
    assert repr(kg.finfo(kg.float16)).startswith("finfo(resolution=0.001, min=-65504, max=65504,")
    assert (kg.iinfo(kg.int8).min, kg.iinfo(kg.int8).max, kg.iinfo(kg.int8).bits) == (-128, 127, 8)
    assert kg.iinfo(kg.uint64).max == 2**64 - 1 and kg.iinfo(kg.int64).min == -(2**63)
    assert repr(kg.iinfo(kg.int8)) == "iinfo(min=-128, max=127, dtype=int8)"
    for call in (
        lambda: kg.finfo(kg.int32),
        lambda: kg.iinfo(kg.float32),
        lambda: kg.iinfo(kg.bool),
        lambda: kg.finfo("a"),
    ):
        with pytest.raises(TypeError):
            call()


def test_promotion() -> None:
    assert kg.promote_types(kg.int32, kg.float16) is kg.float16
    assert kg.promote_types(type1=kg.uint8, type2=kg.int8) is kg.int16
    assert kg.result_type(kg.ones(2, dtype=kg.int32), 1.0) is kg.float32
    assert kg.result_type(kg.ones(2, dtype=kg.int32), kg.tensor(1, dtype=kg.int64)) is kg.int32
    assert kg.result_type(1, 2j) is kg.complex64
    assert not kg.can_cast(kg.float32, to=kg.int32) and kg.can_cast(kg.int32, kg.float16)
    with pytest.raises(RuntimeError, match="not supported"):
        kg.promote_types(kg.uint32, kg.int8)


def test_default_dtype() -> None:
    assert kg.get_default_dtype() is kg.float32
    kg.set_default_dtype(kg.float64)
    try:
        assert kg.zeros(1).dtype is kg.float64 and kg.finfo().bits == 64
    finally:
        kg.set_default_dtype(kg.float32)
    for bad in (kg.int32, "f"):
        with pytest.raises(TypeError, match="only floating-point types"):
            kg.set_default_dtype(bad)  # type: ignore[arg-type]


def test_singletons_pickle() -> None:
    for name in ("strided", "preserve_format", "channels_last"):
        value = getattr(kg, name)
        assert repr(value) == f"kagari.{name}" and pickle.loads(pickle.dumps(value)) is value


def test_settings() -> None:
    before = kg.get_num_threads()
    kg.set_num_threads(2)
    assert kg.get_num_threads() == 2
    kg.set_num_threads(before)
    for bad in (0, -1):
        with pytest.raises(RuntimeError, match="positive number of threads"):
            kg.set_num_threads(bad)
    with pytest.raises(TypeError, match="expects an int"):
        kg.set_num_threads("a")  # type: ignore[arg-type]
    stats = kg._core._memory_stats()
    assert stats["reserved"] >= stats["allocated"] >= 0


def test_out_of_memory_is_both() -> None:
    for kind in (MemoryError, RuntimeError, kg.OutOfMemoryError):
        with pytest.raises(kind, match="out of memory"):
            kg.empty(1 << 50)
