"""The safetensors format: a header of names, dtypes, shapes and places, then the bytes."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeAlias

import kagari
from kagari.io.tensors import check_geometry, contiguous_strides, dtype_name, own_bytes, view_bytes

__all__ = ["SafetensorError", "load", "load_file", "safe_open", "save", "save_file"]

Tensor: TypeAlias = "kagari.Tensor"

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_MAX_HEADER = 100_000_000


class SafetensorError(ValueError):
    """The file is no safetensors file, or a damaged one."""


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise SafetensorError("safetensors: a name occurs twice in the header")
    return out


class _Header:
    """The header of a file of `length` bytes that begins with `head`, checked in full."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        size = int.from_bytes(file.read(8), "little")
        if length < 8 or size > length - 8 or size > _MAX_HEADER:
            raise SafetensorError(
                f"safetensors: the header should have {size} bytes, the file has {length}; "
                "it is truncated or no safetensors file"
            )
        text = file.read(size)
        try:
            header = json.loads(text.decode("utf-8"), object_pairs_hook=_only_once)
        except SafetensorError:
            raise
        except (ValueError, RecursionError) as e:
            raise SafetensorError(f"safetensors: the header is no JSON: {e}") from None
        if not isinstance(header, dict) or not text.startswith(b"{"):
            raise SafetensorError("safetensors: the header is no JSON object")
        self.start = 8 + size
        self.metadata = self._check_metadata(header.pop("__metadata__", {}))
        self.tensors = {name: self._check(name, entry) for name, entry in header.items()}
        self._check_places(length - self.start)

    @staticmethod
    def _check_metadata(metadata: Any) -> dict[str, str]:
        if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
            raise SafetensorError("safetensors: __metadata__ should map text to text")
        return metadata

    @staticmethod
    def _check(name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
        """Dtype, shape, first and last byte of a tensor."""
        keys = {"dtype", "shape", "data_offsets"}
        if not isinstance(entry, dict) or set(entry) != keys:
            raise SafetensorError(f"safetensors: the entry of {name!r} should have {sorted(keys)}")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in _DTYPES:
            raise SafetensorError(f"safetensors: {name!r} has the unknown dtype {dtype!r}")
        ok = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
        if not ok or not all(type(n) is int and 0 <= n < 2**63 for n in (*shape, *offsets)):
            raise SafetensorError(
                f"safetensors: senseless shape {shape!r} or place {offsets!r} of {name!r}"
            )
        begin, end = offsets
        nbytes = math.prod(shape) * getattr(kagari, _DTYPES[dtype]).itemsize
        if end - begin != nbytes:
            raise SafetensorError(
                f"safetensors: {name!r} of shape {shape} and dtype {dtype} takes {nbytes} bytes, "
                f"its place {offsets} has {end - begin}"
            )
        return dtype, tuple(shape), begin, end

    def _check_places(self, length: int) -> None:
        """The bytes belong to one tensor each, without gaps."""
        at = 0
        for name, (_, _, begin, end) in sorted(self.tensors.items(), key=lambda i: i[1][2:]):
            if begin != at:
                raise SafetensorError(
                    f"safetensors: {name!r} begins at byte {begin}, the one before ends at {at}"
                )
            at = end
        if at != length:
            raise SafetensorError(
                f"safetensors: the tensors take {at} bytes, the file has {length}; "
                "it is truncated or has something behind them"
            )

    def view(self, name: str, data: Tensor) -> Tensor:
        """A tensor on the bytes behind the header."""
        dtype, shape, begin, end = self.tensors[name]
        kind = getattr(kagari, _DTYPES[dtype])
        strides = contiguous_strides(shape)
        check_geometry((end - begin) // kind.itemsize, 0, shape, strides)
        part = data[begin:end]
        if begin % kind.itemsize:
            part = part.clone()
        return view_bytes(part, kind, 0, shape, strides)


# ---- writing -----------------------------------------------------------------------------------


def _check_tensors(tensors: dict[str, Tensor]) -> None:
    owners: dict[int, str] = {}
    for name, t in tensors.items():
        if not isinstance(name, str) or not isinstance(t, kagari.Tensor):
            raise ValueError(
                f"safetensors: expected names and tensors, got {name!r}: {type(t).__name__}"
            )
        if dtype_name(t.dtype) not in _NAMES:
            raise SafetensorError(f"safetensors: the format has no dtype for {t.dtype} ({name!r})")
        address = t.untyped_storage().data_ptr()
        if t.numel() and address and owners.setdefault(address, name) != name:
            raise RuntimeError(
                f"safetensors: {owners[address]!r} and {name!r} share memory, which the format "
                "cannot keep; save one of them, or a clone"
            )


def _chunks(tensors: dict[str, Tensor], metadata: dict[str, str] | None) -> Iterator[Any]:
    """The file in pieces: the header, then the tensors."""
    _check_tensors(tensors)
    header: dict[str, Any] = {}
    if metadata is not None:
        if not all(isinstance(v, str) for pair in metadata.items() for v in pair):
            raise ValueError("safetensors: expected metadata to map text to text")
        header["__metadata__"] = metadata
    # Wide elements first, so that each lies at a multiple of its size.
    order = sorted(tensors, key=lambda n: (-tensors[n].element_size(), n))
    at = 0
    for name in order:
        t = tensors[name]
        end = at + t.numel() * t.element_size()
        header[name] = {
            "dtype": _NAMES[dtype_name(t.dtype)],
            "shape": list(t.shape),
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    for name in order:
        if tensors[name].numel():
            yield memoryview(own_bytes(tensors[name]))


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Returns tensors in the safetensors format.

    Args:
        tensors: by name; each with memory of its own.
        metadata: text that is kept with them.

    Raises:
        RuntimeError: two tensors share memory.
        ValueError: something else than names and tensors; a dtype that the format lacks.

    Example:
        >>> import kagari
        >>> load(save({"w": kagari.ones(2)}))
        {'w': tensor([1., 1.])}
    """
    return b"".join(_chunks(tensors, metadata))


def save_file(
    tensors: dict[str, Tensor],
    filename: str | os.PathLike[str],
    metadata: dict[str, str] | None = None,
) -> None:
    """Writes tensors to a file, which takes the place of an old one when it is complete.

    Args:
        tensors: by name; each with memory of its own.
        filename: path.
        metadata: text that is kept with them.

    Raises:
        RuntimeError: two tensors share memory.
        ValueError: something else than names and tensors; a dtype that the format lacks.

    Example:
        >>> import kagari
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "x.safetensors")
        >>> kagari.io.safetensors.save_file({"x": kagari.ones(2)}, path)
        >>> kagari.io.safetensors.load_file(path)
        {'x': tensor([1., 1.])}
    """
    from kagari.serialization import _writing

    with _writing(filename) as (file, _):
        for chunk in _chunks(tensors, metadata):
            file.write(chunk)


# ---- reading -----------------------------------------------------------------------------------


def load(data: bytes) -> dict[str, Tensor]:
    """Returns the tensors of a file that was read into memory.

    Raises:
        SafetensorError: it is none, or damaged.

    Example:
        >>> import kagari
        >>> data = kagari.io.safetensors.save({"x": kagari.ones(2)})
        >>> kagari.io.safetensors.load(data)
        {'x': tensor([1., 1.])}
    """
    import io

    import numpy as np

    header = _Header(io.BytesIO(data), len(data))
    room = kagari.empty(len(data) - header.start, dtype=kagari.uint8)
    if room.numel():
        room.numpy()[:] = np.frombuffer(data, np.uint8, offset=header.start)
    return {name: header.view(name, room) for name in header.tensors}


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """Returns the tensors of a file.

    Args:
        filename: path.
        device: where they are put.

    Raises:
        SafetensorError: the file is none of the format, or damaged.

    Example:
        >>> import os, tempfile, kagari
        >>> path = os.path.join(tempfile.mkdtemp(), "w.safetensors")
        >>> save_file({"w": kagari.ones(2)}, path)
        >>> load_file(path)
        {'w': tensor([1., 1.])}
    """
    with open(filename, "rb") as file:
        length = os.fstat(file.fileno()).st_size
        header = _Header(file, length)
        room = kagari.empty(length - header.start, dtype=kagari.uint8)
        if room.numel() and file.readinto(room.numpy()) != room.numel():
            raise SafetensorError("safetensors: the file became shorter while it was read")
    return {name: header.view(name, room).to(device) for name in header.tensors}


class _Opened:
    """A file whose tensors are mapped when they are asked for."""

    def __init__(self, filename: str | os.PathLike[str], device: Any) -> None:
        import numpy as np

        with open(filename, "rb") as file:
            self._header = _Header(file, os.fstat(file.fileno()).st_size)
        self._device = device
        empty = not any(end for *_, end in self._header.tensors.values())
        self._data = (
            kagari.empty(0, dtype=kagari.uint8)
            if empty
            else kagari.from_numpy(
                np.memmap(filename, np.uint8, mode="c", offset=self._header.start)
            )
        )

    def keys(self) -> list[str]:
        """Returns the names of the tensors."""
        return list(self._header.tensors)

    def offset_keys(self) -> list[str]:
        """Returns the names in the order of the bytes."""
        return sorted(self._header.tensors, key=lambda n: self._header.tensors[n][2:])

    def metadata(self) -> dict[str, str]:
        """Returns the text that is kept with the tensors."""
        return dict(self._header.metadata)

    def get_tensor(self, name: str) -> Tensor:
        """Returns a tensor."""
        return self.get_slice(name).clone().to(self._device)

    def get_slice(self, name: str) -> Tensor:
        """Returns a tensor on the mapped file, of which indexing reads a part."""
        if name not in self._header.tensors:
            raise SafetensorError(f"safetensors: the file has no tensor {name!r}")
        return self._header.view(name, self._data)


@contextmanager
def safe_open(
    filename: str | os.PathLike[str], framework: str = "kagari", device: Any = "cpu"
) -> Iterator[_Opened]:
    """Opens a file to read some of its tensors.

    Args:
        filename: path.
        framework: ``'kagari'`` or its other name, ``'pt'``.
        device: where tensors are put.

    Raises:
        SafetensorError: the file is none of the format, or damaged.
        ValueError: another framework.

    Example:
        >>> import os, tempfile, kagari
        >>> path = os.path.join(tempfile.mkdtemp(), "w.safetensors")
        >>> save_file({"w": kagari.arange(4)}, path)
        >>> with safe_open(path) as f:
        ...     f.get_slice("w")[1:3]
        tensor([1, 2])
    """
    if framework not in ("kagari", "pt", "torch", "pytorch"):
        raise ValueError(f"safe_open: expected framework 'kagari', got {framework!r}")
    yield _Opened(filename, device)
