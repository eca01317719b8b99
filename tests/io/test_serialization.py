"""Saving and loading: both ways with PyTorch, and files that are broken or mean harm."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest

import kagari
from kagari.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    get_unsafe_globals_in_checkpoint,
    safe_globals,
)

DTYPES = (
    *("float64", "float32", "float16", "bfloat16", "complex128", "complex64", "complex32"),
    *("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
)


def of_bytes(lib, dtype, shape=(2, 3)):
    """A tensor of any dtype, from its bytes."""
    kind = getattr(lib, dtype)
    n = int(np.prod(shape)) * kind.itemsize
    data = lib.tensor([(7 * i) % 2 if dtype == "bool" else (7 * i) % 50 for i in range(n)])
    return data.to(lib.uint8).view(kind).reshape(shape)


def raw(lib, t):
    return bytes(t.detach().contiguous().reshape(-1).view(lib.uint8).tolist())


def through(obj, **options):
    buffer = io.BytesIO()
    kagari.save(obj, buffer)
    buffer.seek(0)
    return kagari.load(buffer, **options)


def values(lib):
    """A value with everything that a file may hold."""
    x = lib.arange(12, dtype=lib.float32).reshape(3, 4)
    meta = OrderedDict([("w", lib.ones(2)), ("b", lib.zeros(()))])
    meta._metadata = {"": {"version": 1}}
    return {
        "tensor": x,
        "view": x[1:, ::2],
        "transposed": x.t(),
        "expanded": x[:1].expand(3, 4),
        "empty": lib.empty(0, 3),
        "parameter": lib.nn.Parameter(lib.ones(2)),
        "frozen": lib.nn.Parameter(lib.ones(2), requires_grad=False),
        "leaf": lib.ones(2, requires_grad=True),
        "meta": lib.ones(2, 3, device="meta"),
        "state dict": meta,
        "numbers": [0, -1, 255, 65536, -(2**31), 2**70, -(2**70), 1.5, float("inf"), 1 + 2j],
        "flags": (True, False, None),
        "text": ["", "a", "ä\u20ac\U0001f525", "x" * 300],
        "bytes": [b"", b"ab\xff", bytearray(b"cd")],
        "sets": [set(), {1, "a"}, frozenset({2, (3, 4)})],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "keys": {1: "a", (2, "b"): "c", None: 0, 1.5: 1},
        "counter": Counter("aab"),
        "size": x.shape,
        "dtype": lib.float64,
        "device": lib.device("cpu"),
        "layout": lib.strided,
    }


def assert_equal(got, expected):
    """Compares values of the two libraries."""
    if hasattr(expected, "untyped_storage"):
        assert tuple(got.shape) == tuple(expected.shape)
        assert tuple(got.stride()) == tuple(expected.stride())
        assert str(got.dtype).partition(".")[2] == str(expected.dtype).partition(".")[2]
        assert got.requires_grad == expected.requires_grad
        assert str(got.device) == str(expected.device)
        if str(got.device) != "meta":
            assert got.detach().tolist() == expected.detach().tolist()
    elif isinstance(expected, dict):
        assert type(got) is type(expected)
        assert list(got) == list(expected)
        for key in expected:
            assert_equal(got[key], expected[key])
    elif isinstance(expected, list) or type(expected) is tuple:
        assert type(got) is type(expected)
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert_equal(g, e)
    elif type(expected).__module__ in ("torch", "kagari"):
        assert str(got).replace("kagari", "torch") == str(expected).replace("kagari", "torch")
    else:
        assert type(got) is type(expected)
        assert got == expected


def test_round_trip():
    expected = values(kagari)
    got = through(expected)
    assert_equal(got, expected)
    assert got["state dict"]._metadata == {"": {"version": 1}}
    assert type(got["parameter"]) is kagari.nn.Parameter


def test_memory_stays_shared():
    got = through(values(kagari))
    got["tensor"][1, 0] = 77.0
    assert got["view"][0, 0].item() == 77.0
    assert got["transposed"][0, 1].item() == 77.0
    assert got["view"]._base is None


@pytest.mark.conformance
def test_pytorch_loads_ours(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "ours.pt"
    kagari.save(values(kagari), path)
    got = torch.load(path, weights_only=False)
    assert_equal(got, values(torch))
    for options in ({}, {"mmap": True}):
        state = {"w": kagari.ones(3), "b": kagari.arange(5)}
        kagari.save(state, path)
        assert_equal(torch.load(path, **options), {"w": torch.ones(3), "b": torch.arange(5)})


@pytest.mark.conformance
@pytest.mark.parametrize("mmap", [False, True])
def test_we_load_pytorchs(tmp_path, mmap):
    torch = pytest.importorskip("torch")
    path = tmp_path / "theirs.pt"
    torch.save(values(torch), path)
    got = kagari.load(path, mmap=mmap)
    assert_equal(got, values(kagari))
    got["tensor"][1, 0] = 77.0
    assert got["view"][0, 0].item() == 77.0
    # Mapped privately: the file is as it was.
    assert kagari.load(path)["tensor"][1, 0].item() == 4.0


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype):
    torch = pytest.importorskip("torch")
    ours, theirs = of_bytes(kagari, dtype), of_bytes(torch, dtype)
    buffer = io.BytesIO()
    kagari.save([ours, ours[1]], buffer)
    buffer.seek(0)
    there, part = torch.load(buffer)
    assert there.dtype == getattr(torch, dtype)
    assert raw(torch, there) == raw(torch, theirs)
    assert part.data_ptr() - there.data_ptr() == 3 * there.element_size()
    buffer = io.BytesIO()
    torch.save([theirs, theirs[1]], buffer)
    buffer.seek(0)
    here, part = kagari.load(buffer)
    assert here.dtype == getattr(kagari, dtype)
    assert raw(kagari, here) == raw(kagari, ours)
    assert part.data_ptr() - here.data_ptr() == 3 * here.element_size()


@pytest.mark.conformance
def test_two_dtypes_on_one_memory():
    torch = pytest.importorskip("torch")
    x = kagari.arange(4, dtype=kagari.float32)
    buffer = io.BytesIO()
    kagari.save([x, x.view(kagari.int32), x.view(kagari.uint16)], buffer)
    for lib in (kagari, torch):
        buffer.seek(0)
        a, b, c = lib.load(buffer)
        assert a.tolist() == [0.0, 1.0, 2.0, 3.0]
        assert b.tolist() == x.view(kagari.int32).tolist()
        assert c.dtype == lib.uint16
        assert a.data_ptr() == b.data_ptr() == c.data_ptr()


@pytest.mark.conformance
def test_optimizer_and_module_states_travel():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    opt = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 3)).sum().backward()
    opt.step()
    buffer = io.BytesIO()
    torch.save({"model": model.state_dict(), "opt": opt.state_dict()}, buffer)
    buffer.seek(0)
    got = kagari.load(buffer)
    assert_equal(got["opt"]["state"][0]["exp_avg"], opt.state_dict()["state"][0]["exp_avg"])
    ours = kagari.nn.Sequential(kagari.nn.Linear(3, 2), kagari.nn.BatchNorm1d(2))
    ours.load_state_dict(got["model"])
    kagari.optim.Adam(ours.parameters()).load_state_dict(got["opt"])
    assert got["model"]._metadata["1"] == {"version": 2}


@pytest.mark.conformance
@pytest.mark.parametrize("options", [{}, {"pickle_protocol": 4}, {"pickle_protocol": 5}])
def test_other_protocols(options):
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save(values(torch), buffer, **options)
    buffer.seek(0)
    assert_equal(kagari.load(buffer), values(kagari))


@pytest.mark.conformance
def test_files_of_old_pytorch():
    torch = pytest.importorskip("torch")
    given = {k: v for k, v in values(torch).items() if k not in ("layout", "meta")}
    buffer = io.BytesIO()
    torch.save(given, buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    got = kagari.load(buffer)
    expected = {k: v for k, v in values(kagari).items() if k in given}
    assert_equal(got, expected)
    got["tensor"][1, 0] = 77.0
    assert got["view"][0, 0].item() == 77.0
    whole = buffer.getvalue()
    for cut in (10, 60, len(whole) // 2, len(whole) - 1):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            kagari.load(io.BytesIO(whole[:cut]))


@pytest.mark.conformance
def test_checksums_left_out():
    torch = pytest.importorskip("torch")
    torch.serialization.set_crc32_options(False)
    try:
        buffer = io.BytesIO()
        torch.save(torch.ones(3), buffer)
    finally:
        torch.serialization.set_crc32_options(True)
    buffer.seek(0)
    assert kagari.load(buffer).tolist() == [1.0, 1.0, 1.0]


def test_attributes_and_subclasses():
    class Named(kagari.Tensor):
        pass

    globals()["Named"] = Named
    Named.__qualname__ = "Named"
    t = kagari.ones(2)
    t.note = "here"
    p = kagari.nn.Parameter(kagari.ones(2))
    p.decay = 0.5
    got = through([t, p])
    assert got[0].note == "here"
    assert got[1].decay == 0.5
    named = kagari.ones(2).as_subclass(Named)
    named.note = "there"
    with safe_globals([Named]):
        got = through(named)
    assert type(got) is Named
    assert got.note == "there"
    with pytest.raises(pickle.UnpicklingError, match="Named"):
        through(named)


class Point:
    """A user's class."""

    def __init__(self, x):
        self.x = x


def test_allowed_classes():
    given = Point([1, kagari.ones(2)])
    path = f"{Point.__module__}.Point"
    with pytest.raises(pickle.UnpicklingError, match=r"Unsupported global: .*Point.*add_safe_glob"):
        through(given)
    buffer = io.BytesIO()
    kagari.save(given, buffer)
    assert get_unsafe_globals_in_checkpoint(buffer) == [path]
    with safe_globals([Point]):
        assert get_safe_globals() == [Point]
        assert through(given).x[0] == 1
    assert get_safe_globals() == []
    add_safe_globals([(Point, path)])
    try:
        assert through(given).x[1].tolist() == [1.0, 1.0]
    finally:
        clear_safe_globals()
    with pytest.raises(ValueError, match="expected a class, a function, or a pair"):
        add_safe_globals([(Point, 1)])


def test_a_module_of_allowed_classes():
    model = kagari.nn.Sequential(kagari.nn.Linear(2, 1))
    buffer = io.BytesIO()
    kagari.save(model, buffer)
    needed = get_unsafe_globals_in_checkpoint(buffer)
    assert any(name.endswith(".Linear") for name in needed)
    buffer.seek(0)
    with safe_globals([kagari.nn.Sequential, kagari.nn.Linear]):
        got = kagari.load(buffer)
    assert got[0].weight.tolist() == model[0].weight.tolist()


def test_arguments():
    buffer = io.BytesIO()
    kagari.save(1, buffer)
    with pytest.raises(ValueError, match=r"weights_only=False would run code.*add_safe_globals"):
        kagari.load(buffer, weights_only=False)
    with pytest.raises(ValueError, match="expected no pickle_module"):
        kagari.load(buffer, pickle_module=pickle)
    with pytest.raises(ValueError, match="must be a file path in order to use the mmap"):
        kagari.load(buffer, mmap=True)
    with pytest.raises(AttributeError, match="'write' attribute"):
        kagari.save(1, 2)
    with pytest.raises(ValueError, match="expected pickle_protocol 2, got 4"):
        kagari.save(1, buffer, pickle_protocol=4)
    with pytest.raises(ValueError, match=r"before 1\.6 can be loaded, not saved"):
        kagari.save(1, buffer, _use_new_zipfile_serialization=False)
    with pytest.raises(AttributeError, match="without `read`"):
        kagari.load(2)
    with pytest.raises(FileNotFoundError):
        kagari.load("/nowhere/at/all.pt")


def test_locations():
    given = {"a": kagari.ones(2), "b": kagari.zeros(3)}
    assert through(given, map_location="cpu")["a"].device.type == "cpu"
    assert through(given, map_location=kagari.device("cpu"))["a"].device.type == "cpu"
    assert through(given, map_location={"cpu": "cpu"})["a"].tolist() == [1.0, 1.0]
    seen = []
    got = through(given, map_location=lambda storage, place: seen.append(place) or storage)
    assert seen == ["cpu", "cpu"]
    assert got["b"].tolist() == [0.0, 0.0, 0.0]
    assert through(given, map_location=lambda storage, place: None)["a"].tolist() == [1.0, 1.0]
    meta = through(given, map_location="meta")
    assert meta["b"].is_meta
    assert tuple(meta["b"].shape) == (3,)
    with pytest.raises(RuntimeError, match=r"'cuda:7', which is not here.*map_location='cpu'"):
        through(given, map_location={"cpu": "cuda:7"})


def test_a_file_is_replaced_when_complete(tmp_path):
    path = tmp_path / "state.pt"
    kagari.save({"a": kagari.ones(2)}, path)
    os.chmod(path, 0o640)
    old = path.read_bytes()

    class Unpicklable:
        def __reduce__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kagari.save([kagari.ones(1000), Unpicklable()], path)
    assert path.read_bytes() == old
    kagari.save({"a": kagari.zeros(2)}, path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["state.pt"]
    link = tmp_path / "link.pt"
    link.symlink_to(path)
    kagari.save(5, link)
    assert link.is_symlink()
    assert kagari.load(path) == 5
    kagari.save(kagari.ones(3), os.devnull)


def test_equal_values_make_equal_files():
    a, b = io.BytesIO(), io.BytesIO()
    for buffer in (a, b):
        kagari.save({"w": kagari.arange(5)}, buffer)
    assert a.getvalue() == b.getvalue()


def test_records_are_aligned(tmp_path):
    path = tmp_path / "long name, to be sure.pt"
    kagari.save([kagari.ones(i + 1) for i in range(5)], path)
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            assert (info.header_offset + 30 + name + extra) % 64 == 0


def test_other_byte_order():
    x = kagari.tensor([1.5, -2.25])
    z = kagari.tensor([1 + 2j])
    buffer = io.BytesIO()
    kagari.save([x, z, kagari.tensor([True]), kagari.tensor([258], dtype=kagari.int16)], buffer)
    swapped = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(swapped, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("byteorder"):
                data = b"big"
            elif info.filename.endswith(("data/0", "data/1")):
                data = np.frombuffer(data, "u4").byteswap().tobytes()
            elif info.filename.endswith("data/3"):
                data = data[::-1]
            new.writestr(info.filename, data)
    swapped.seek(0)
    got = kagari.load(swapped)
    assert [t.tolist() for t in got] == [[1.5, -2.25], [1 + 2j], [True], [258]]


# ---- harm --------------------------------------------------------------------------------------


def rewritten(change, obj=None):
    """A file whose records went through `change(name, data)`; None drops one."""
    buffer = io.BytesIO()
    kagari.save([kagari.arange(6.0).reshape(2, 3)] if obj is None else obj, buffer)
    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = change(info.filename.partition("/")[2], old.read(info))
            if data is not None:
                new.writestr(info.filename, data)
    out.seek(0)
    return out


def with_pickle(code):
    return rewritten(lambda name, data: code if name == "data.pkl" else data)


def pickled(value):
    return pickle.dumps(value, 2)[2:-1]


def rebuild(offset, size, stride, numel=6, storage=b"ctorch\nFloatStorage\n"):
    return with_pickle(
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + b"(X\x07\x00\x00\x00storage"
        + storage
        + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        + pickled(numel)
        + b"tQ"
        + pickled(offset)
        + pickled(size)
        + pickled(stride)
        + b"\x89ccollections\nOrderedDict\n)RtR."
    )


def test_the_rebuilt_file_is_what_it_should_be():
    assert kagari.load(rebuild(1, (2, 2), (2, 1))).tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((1, (2, 3), (3, 1)), "reaches element 6, the storage has 6"),
        ((0, (2, 3), (4, 1)), "reaches element 6"),
        ((7, (1,), (1,)), "reaches element 7"),
        ((0, (2**62, 2**62), (2**62, 1)), "the storage has 6"),
        ((-1, (1,), (1,)), "nothing negative"),
        ((0, (-1,), (1,)), "nothing negative"),
        ((5, (3,), (-1,)), "nothing negative"),
        ((0, (1, 1), (1,)), "of one length"),
        ((0, [1], (1,)), "of one length"),
        ((0.0, (1,), (1,)), "expected integers"),
        ((0, ("a",), (1,)), "expected integers"),
        ((0, (2**64,), (1,)), "expected integers"),
    ],
)
def test_views_outside_of_their_storage(place, message):
    with pytest.raises(pickle.UnpicklingError, match=message):
        kagari.load(rebuild(*place))


@pytest.mark.parametrize("numel", [5, 7, 10**15, -1, 2**70, "6", 6.0])
def test_storages_of_other_sizes(numel):
    with pytest.raises(pickle.UnpicklingError, match=r"should have|senseless storage"):
        kagari.load(rebuild(0, (1,), (1,), numel=numel))


CODE = {
    "a call": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
    "a call of python 2": b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
    "getattr": b"\x80\x02cbuiltins\ngetattr\n.",
    "a stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    "inst": b"\x80\x02(X\x04\x00\x00\x00trueios\nsystem\n.",
    "obj": b"\x80\x02(cos\nsystem\nX\x04\x00\x00\x00trueo.",
    "an attribute of torch": b"\x80\x02ctorch\nload\n.",
    "dotted": b"\x80\x04\x8c\x0btorch.Tensor\x8c\x08__init__\x93.",
    "extension": b"\x80\x02\x82\x01.",
    "a method by reduce": b"\x80\x02X\x01\x00\x00\x00a)R.",
    "a list called": b"\x80\x02])R.",
    "a new object of a type": b"\x80\x02cbuiltins\nset\n)\x81.",
    "state of a tensor": b"\x80\x02ctorch\nTensor\n}b.",
    "state of a list": b"\x80\x02]}b.",
    "a memory bomb": b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "another memory bomb": b"\x80\x02cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.",
    "a size of text": b"\x80\x02ctorch\nSize\nX\x01\x00\x00\x00a\x85R.",
    "a device of numbers": b"\x80\x02ctorch\ndevice\nK\x01\x85R.",
    "a layout": b"\x80\x02ctorch.serialization\n_get_layout\nX\x0a\x00\x00\x00torch.load\x85R.",
    "an encoding": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R.",
    "a tensor without storage": b"\x80\x02ctorch._utils\n_rebuild_tensor\n(NK\x00))tR.",
    "a parameter of text": (
        b"\x80\x02ctorch._utils\n_rebuild_parameter\nX\x01\x00\x00\x00a\x88}\x87R."
    ),
    "another rebuild": (
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n"
        b"(ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)}tR."
    ),
    "a persistent id of text": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "append to text": b"\x80\x02X\x01\x00\x00\x00aK\x01a.",
    "a key that is none": b"\x80\x02}]K\x01s.",
    "a set of lists": b"\x80\x04\x8f(]\x90.",
    "odd items": b"\x80\x02}(K\x01u.",
    "no mark": b"\x80\x02]e.",
    "a mark as value": b"\x80\x02(.",
    "an empty stack": b"\x80\x02a.",
    "no memo": b"\x80\x02h\x05.",
    "nothing": b"",
    "no end": b"\x80\x02K\x01",
    "a number cut off": b"\x80\x02J\x01.",
    "text longer than the file": b"\x80\x02X\xff\xff\xff\x7fa.",
    "bytes longer than the file": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fa.",
    "text that is none": b"\x80\x02X\x01\x00\x00\x00\xff.",
    "an unknown opcode": b"\x80\x02\xff.",
}


@pytest.mark.parametrize("name", CODE)
def test_pickles_that_mean_harm(name):
    with pytest.raises(pickle.UnpicklingError, match="load:"):
        kagari.load(with_pickle(CODE[name]))


def test_a_deep_key_does_not_exhaust_the_stack():
    deep = b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns."
    with pytest.raises(pickle.UnpicklingError, match="nested more than 32 deep"):
        kagari.load(with_pickle(deep))
    # Deep values are built without recursion.
    value = kagari.load(with_pickle(b"\x80\x02" + b"]" * 1_000_00 + b"a" * (1_000_00 - 1) + b"."))
    assert type(value) is list


def test_blocked_modules_cannot_be_allowed():
    with (
        safe_globals([(len, "os.system")]),
        pytest.raises(pickle.UnpicklingError, match="never given to a file"),
    ):
        kagari.load(with_pickle(CODE["a call"]))


def test_records_that_do_not_fit():
    def drop(what):
        return rewritten(lambda name, data: None if name == what else data)

    with pytest.raises(RuntimeError, match="lacks the record 'data/0'"):
        kagari.load(drop("data/0"))
    with pytest.raises(RuntimeError, match=r"lacks the record 'data\.pkl'"):
        kagari.load(drop("data.pkl"))
    assert kagari.load(drop("byteorder"))[0].shape == (2, 3)
    with pytest.raises(RuntimeError, match="unknown byte order 'odd'"):
        kagari.load(rewritten(lambda name, data: b"odd" if name == "byteorder" else data))
    short = rewritten(lambda name, data: data[:-4] if name == "data/0" else data)
    with pytest.raises(pickle.UnpicklingError, match="should have 24 bytes, its record has 20"):
        kagari.load(short)


def test_compressed_records_are_refused():
    """A few bytes could stand for as many gigabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02X" + struct.pack("<I", 10**7) + b"a" * 10**7)
    out.seek(0)
    with pytest.raises(RuntimeError, match="is compressed"):
        kagari.load(out)


def test_records_that_overlap_are_refused():
    """Many storages on one record's bytes would multiply the file."""
    buffer = io.BytesIO()
    kagari.save([kagari.full((1000,), float(i)) for i in range(40)], buffer)
    data = buffer.getvalue()
    end = data.rindex(b"PK\x05\x06")
    at = struct.unpack_from("<I", data, end + 16)[0]
    first = None
    directory = bytearray()
    while data[at : at + 4] == b"PK\x01\x02":
        length = 46 + sum(struct.unpack_from("<HHH", data, at + 28))
        entry = bytearray(data[at : at + length])
        at += length
        if b"/data/" in entry:
            # The same bytes, and the same checksum, for every storage.
            first = first or (entry[16:20], entry[42:46])
            entry[16:20], entry[42:46] = first
        directory += entry
    # What nothing names any more is cut off; the directory follows the first storage.
    start = struct.unpack("<I", first[1])[0] + 5000
    fake = data[:start] + directory + data[end:]
    fake = bytearray(fake)
    struct.pack_into("<I", fake, start + len(directory) + 16, start)
    with pytest.raises(RuntimeError, match=r"together are longer than the file|truncated"):
        kagari.load(io.BytesIO(bytes(fake)))


def test_every_truncation_and_many_damages_raise():
    buffer = io.BytesIO()
    kagari.save({"w": kagari.arange(6.0), "b": [1, "a"]}, buffer)
    whole = buffer.getvalue()
    errors = (RuntimeError, pickle.UnpicklingError)
    for cut in range(0, len(whole), 7):
        with pytest.raises(errors, match="load:"):
            kagari.load(io.BytesIO(whole[:cut]))
    rng = random.Random(0)
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(whole))] = rng.randrange(256)
        try:
            got = kagari.load(io.BytesIO(bytes(damaged)))
        except errors:
            continue
        # Padding, names of records that are not read: the values are as they were.
        assert got["w"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_damages_behind_the_checksum_raise():
    """The interpreter itself meets every kind of damage."""
    rng = random.Random(1)
    buffer = io.BytesIO()
    given = {"w": kagari.arange(6.0), "s": {1, 2}, "o": OrderedDict(a=1), "b": b"xy", "t": (1, "a")}
    kagari.save(given, buffer)
    with zipfile.ZipFile(buffer) as archive:
        code = archive.read("archive/data.pkl")
    for _ in range(1500):
        damaged = bytearray(code)
        for _ in range(rng.randrange(1, 5)):
            damaged[rng.randrange(len(code))] = rng.randrange(256)
        file = rewritten(lambda name, data, d=damaged: bytes(d) if name == "data.pkl" else data)
        try:
            kagari.load(file)
        except (RuntimeError, pickle.UnpicklingError):
            continue


def test_other_files():
    for data in (b"", b"x", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x80\x02K\x01.", bytes(99)):
        with pytest.raises(RuntimeError, match="load:"):
            kagari.load(io.BytesIO(data))
    program = io.BytesIO()
    with zipfile.ZipFile(program, "w") as archive:
        archive.writestr("m/data.pkl", b"")
        archive.writestr("m/constants.pkl", b"")
    program.seek(0)
    with pytest.raises(RuntimeError, match="TorchScript"):
        kagari.load(program)
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive, pytest.warns(UserWarning):
        archive.writestr("m/data.pkl", b"")
        archive.writestr("m/data.pkl", b"")
    twice.seek(0)
    with pytest.raises(RuntimeError, match="two records of one name"):
        kagari.load(twice)
