"""The safetensors format: both ways with the reference, and files that are broken."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pytest

import kagari
from kagari.io import safetensors
from kagari.io.safetensors import SafetensorError


def given():
    return {
        "a": kagari.arange(6.0).reshape(2, 3),
        "half": kagari.tensor([1.5, -2.0], dtype=kagari.float16),
        "brain": kagari.tensor([1.5, -2.0], dtype=kagari.bfloat16),
        "flags": kagari.tensor([True, False, True]),
        "long": kagari.tensor([[1], [-(2**40)]]),
        "byte": kagari.tensor([7], dtype=kagari.uint8),
        "double": kagari.tensor(2.5, dtype=kagari.float64),
        "none": kagari.empty(0, 3),
        "ä 名": kagari.ones(1),
    }


def assert_same(got, expected):
    assert set(got) == set(expected)
    for name, t in expected.items():
        assert got[name].dtype == t.dtype
        assert tuple(got[name].shape) == tuple(t.shape)
        assert got[name].tolist() == t.tolist()


def test_round_trip(tmp_path):
    path = tmp_path / "w.safetensors"
    safetensors.save_file(given(), path, {"format": "pt"})
    assert_same(safetensors.load_file(path), given())
    assert_same(safetensors.load(path.read_bytes()), given())
    assert_same(kagari.load(path), given())
    with safetensors.safe_open(path) as f:
        assert set(f.keys()) == set(given())
        assert f.metadata() == {"format": "pt"}
        assert f.get_tensor("a").tolist() == given()["a"].tolist()
        assert f.get_slice("a")[1, 1:].tolist() == [4.0, 5.0]
        assert f.offset_keys()[0] in ("double", "long")
        with pytest.raises(SafetensorError, match="no tensor 'z'"):
            f.get_tensor("z")
    with (
        pytest.raises(ValueError, match="expected framework 'kagari', got 'np'"),
        safetensors.safe_open(path, "np"),
    ):
        pass
    assert os.listdir(tmp_path) == ["w.safetensors"]
    assert safetensors.load(safetensors.save({})) == {}


def test_other_strides_are_packed():
    x = kagari.arange(6.0).reshape(2, 3)
    assert safetensors.load(safetensors.save({"t": x.t()}))["t"].tolist() == x.t().tolist()


def test_agrees_with_the_reference(tmp_path):
    reference = pytest.importorskip("safetensors.numpy")
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    plain = {k: v for k, v in given().items() if k != "brain"}
    safetensors.save_file(plain, ours)
    for name, value in reference.load_file(ours).items():
        np.testing.assert_array_equal(value, plain[name].numpy())
    reference.save_file({k: v.numpy() for k, v in plain.items()}, theirs)
    assert_same(safetensors.load_file(theirs), plain)


def test_refuses_to_save():
    x = kagari.ones(4)
    with pytest.raises(RuntimeError, match=r"'a' and 'b' share memory.*or a clone"):
        safetensors.save({"a": x, "b": x[:2]})
    with pytest.raises(SafetensorError, match=r"no dtype for .*complex128 \('z'\)"):
        safetensors.save({"z": kagari.ones(1, dtype=kagari.complex128)})
    with pytest.raises(ValueError, match="expected names and tensors"):
        safetensors.save({"a": [1.0]})
    with pytest.raises(ValueError, match="metadata to map text to text"):
        safetensors.save({"a": x}, {"epoch": 3})


def test_a_device_only(tmp_path):
    path = tmp_path / "w.safetensors"
    safetensors.save_file({"a": kagari.ones(1)}, path)
    with pytest.raises(RuntimeError, match="map_location can be a device only, got dict"):
        kagari.load(path, map_location={"cpu": "cpu"})


def file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(2,), place=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)}


BROKEN = {
    "nothing": (b"", "truncated or no safetensors"),
    "seven bytes": (bytes(7), "truncated or no safetensors"),
    "a long header": (file({}, length=2**40), "truncated or no safetensors"),
    "an endless header": (file({}, length=2**64 - 1), "truncated or no safetensors"),
    "no JSON": (file(b"{"), "no JSON"),
    "no text": (file(b"{\xff}"), "no JSON"),
    "a list": (file(b"[]"), "no JSON object"),
    "white space first": (file(b" {}"), "no JSON object"),
    "deep": (file(b'{"a":' + b"[" * 100000), "no JSON"),
    "twice": (file(b'{"a": 1, "a": 2}'), "a name occurs twice"),
    "metadata": (file({"__metadata__": {"a": 1}}), "map text to text"),
    "no entry": (file({"a": 1}), "the entry of 'a' should have"),
    "half an entry": (file({"a": {"dtype": "F32"}}), "the entry of 'a' should have"),
    "dtype": (file({"a": entry("F31")}, bytes(8)), "unknown dtype 'F31'"),
    "shape": (file({"a": entry(shape=(-2,))}, bytes(8)), "senseless shape"),
    "shape of text": (file({"a": entry(shape="ab")}, bytes(8)), "senseless shape"),
    "shape of truth": (file({"a": entry(shape=(True, 2))}, bytes(8)), "senseless shape"),
    "place": (file({"a": entry(place=(0, 8, 9))}, bytes(8)), "senseless shape"),
    "size": (file({"a": entry(place=(0, 12))}, bytes(12)), "takes 8 bytes"),
    "overflow": (file({"a": entry(shape=(2**62, 2**62))}, bytes(8)), "takes"),
    "backwards": (file({"a": entry(shape=(0,), place=(4, 0))}, b""), "takes 0 bytes"),
    "gap": (file({"a": entry(place=(4, 12))}, bytes(12)), "begins at byte 4"),
    "overlap": (
        file({"a": entry(), "b": entry(place=(4, 12))}, bytes(12)),
        "begins at byte 4, the one before ends at 8",
    ),
    "short": (file({"a": entry()}, bytes(7)), "take 8 bytes, the file has 7"),
    "more": (file({"a": entry()}, bytes(9)), "take 8 bytes, the file has 9"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(name, tmp_path):
    data, message = BROKEN[name]
    with pytest.raises(SafetensorError, match=message):
        safetensors.load(data)
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(SafetensorError, match=message):
        safetensors.load_file(path)
    with pytest.raises(SafetensorError, match=message), safetensors.safe_open(path):
        pass


def test_elements_that_are_not_aligned():
    """Allowed by the format, though writers avoid it."""
    data = b"\x01" + np.array([1.5, 2.5], "<f4").tobytes()
    header = {"a": entry("U8", (1,), (0, 1)), "b": entry("F32", (2,), (1, 9))}
    got = safetensors.load(file(header, data))
    assert got["b"].tolist() == [1.5, 2.5]
    assert got["a"].tolist() == [1]


def test_a_pipe_of_bytes():
    buffer = io.BytesIO(safetensors.save({"a": kagari.ones(2)}))
    assert safetensors.load(buffer.read())["a"].tolist() == [1.0, 1.0]
