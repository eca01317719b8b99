"""Saving and loading of values with tensors, in PyTorch's file format; loading runs no code."""

from __future__ import annotations

import contextlib
import io
import os
import pickletools
import stat
import struct
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from pickle import UnpicklingError
from typing import IO, Any, TypeAlias

import kagari
from kagari.io import safetensors
from kagari.io.archive import BrokenArchiveError, Reader, Writer
from kagari.io.pickler import TensorPickler
from kagari.io.rebuild import Rules, Storage, allow, allowed_globals, disallow, nbytes_of
from kagari.io.tensors import new_bytes, storage_bytes, swap_bytes
from kagari.io.unpickler import Unpickler

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
]

Tensor: TypeAlias = "kagari.Tensor"
FileLike: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
MapLocation: TypeAlias = "Callable[[Any, str], Any] | kagari.device | str | dict[str, str] | None"

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_WEIGHTS_ONLY = (
    "load: weights_only=False would run code that the file names, which kagari never does; leave "
    "it out. Tensors, plain containers, numbers and text load as they are. For a class or function "
    "that you trust, call kagari.serialization.add_safe_globals([it]) first; "
    "kagari.serialization.get_unsafe_globals_in_checkpoint(f) lists what the file needs."
)


# ---- what files may name -----------------------------------------------------------------------


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allows files to name these classes and functions, and so to call them.

    Args:
        safe_globals: classes and functions, or ``(value, 'module.name')`` pairs for one that files
            know under another path.

    Raises:
        ValueError: a pair of something else.

    Example:
        >>> import fractions
        >>> add_safe_globals([fractions.Fraction])
        >>> get_safe_globals()
        [<class 'fractions.Fraction'>]
        >>> clear_safe_globals()
    """
    allow(safe_globals)


def clear_safe_globals() -> None:
    """Allows nothing any more that ``add_safe_globals`` had allowed.

    Example:
        >>> import kagari
        >>> kagari.serialization.clear_safe_globals()
    """
    disallow(allowed_globals())


def get_safe_globals() -> list[Any]:
    """Returns what ``add_safe_globals`` has allowed.

    Example:
        >>> import kagari
        >>> kagari.serialization.get_safe_globals()
        []
    """
    return allowed_globals()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """Allows classes and functions for a while.

    Example:
        >>> import fractions
        >>> with safe_globals([fractions.Fraction]):
        ...     len(get_safe_globals())
        1
    """
    new = [g for g in safe_globals if g not in allowed_globals()]
    allow(new)
    try:
        yield
    finally:
        disallow(new)


def get_unsafe_globals_in_checkpoint(f: FileLike) -> list[str]:
    """Returns the names in a file that ``add_safe_globals`` would have to allow.

    Args:
        f: path or file.

    Raises:
        RuntimeError: no checkpoint, or a damaged one.

    Example:
        >>> import io, kagari
        >>> buffer = io.BytesIO()
        >>> kagari.save({"a": kagari.ones(2)}, buffer)
        >>> get_unsafe_globals_in_checkpoint(buffer)
        []
    """
    with _reading(f) as file:
        data = Reader(file).read("data.pkl")
    names: set[tuple[str, str]] = set()

    def find(module: str, name: str) -> Any:
        names.add((module, name))
        return None

    # The names only: nothing is built.
    strings: list[str] = []
    for opcode, arg, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            module, name = str(arg).split(" ", 1)
            Unpickler(b"", find, _nothing, _nothing, _nothing).look_up(module, name)
        elif opcode.name == "STACK_GLOBAL" and len(strings) > 1:
            Unpickler(b"", find, _nothing, _nothing, _nothing).look_up(*strings[-2:])
        elif isinstance(arg, str):
            strings.append(arg)
    return Rules().unsafe(names)


def _nothing(*args: Any) -> None:
    return None


# ---- saving ------------------------------------------------------------------------------------


def save(
    obj: object,
    f: FileLike,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Saves a value to a file that this library and PyTorch load.

    A file at a path is replaced when the new one is complete. Tensors that share memory share it
    after loading, and the whole of that memory is saved.

    Args:
        obj: tensors in containers, numbers, text; objects of classes that can be pickled.
        f: path, or file opened for writing.
        pickle_module: None; there is one way to pickle.
        pickle_protocol: 2, the format's.

    Raises:
        AttributeError: `f` cannot be written.
        ValueError: another pickle module, protocol or format.

    Example:
        >>> import io, kagari
        >>> buffer = io.BytesIO()
        >>> kagari.save({"w": kagari.ones(2)}, buffer)
        >>> kagari.load(buffer)
        {'w': tensor([1., 1.])}
    """
    if not isinstance(f, str | os.PathLike) and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )
    if pickle_module is not None and getattr(pickle_module, "__name__", "") != "pickle":
        raise ValueError(f"save: expected no pickle_module, got {pickle_module!r}; leave it out")
    if pickle_protocol != 2:
        raise ValueError(f"save: expected pickle_protocol 2, got {pickle_protocol}; leave it out")
    if not _use_new_zipfile_serialization:
        raise ValueError("save: PyTorch's format from before 1.6 can be loaded, not saved")
    data = io.BytesIO()
    pickler = TensorPickler(data)
    pickler.dump(obj)
    with _writing(f) as (file, name):
        archive = Writer(file, name)
        archive.write("data.pkl", data.getbuffer())
        if not _disable_byteorder_record:
            archive.write("byteorder", sys.byteorder.encode())
        for key, t in pickler.storages.items():
            archive.write(f"data/{key}", storage_bytes(t))
        archive.close()


@contextlib.contextmanager
def _writing(f: FileLike) -> Iterator[tuple[IO[bytes], str]]:
    """A file to write to, and the name of the archive in it."""
    if not isinstance(f, str | os.PathLike):
        yield f, "archive"
        return
    path = os.path.realpath(os.fspath(f))
    name = os.path.splitext(os.path.basename(path))[0]
    if not name or not name.isascii() or "/" in name:
        name = "archive"
    mode = os.stat(path).st_mode if os.path.exists(path) else None
    if mode is not None and not stat.S_ISREG(mode):
        # A pipe or a device cannot be replaced.
        with open(path, "wb") as file:
            yield file, name
        return
    with replacing(path, mode) as file:
        yield file, name


@contextlib.contextmanager
def replacing(path: str, mode: int | None) -> Iterator[IO[bytes]]:
    """A new file beside `path` that takes its place when everything has been written."""
    temporary = f"{path}.{uuid.uuid4().hex[:12]}.tmp"
    try:
        with open(temporary, "xb") as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            yield file
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


# ---- loading -----------------------------------------------------------------------------------


def load(
    f: FileLike,
    map_location: MapLocation = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Loads a value saved by ``save`` or by PyTorch, without running anything from the file.

    Args:
        f: path, or file opened for reading; a path that ends in ``.safetensors`` is read as such.
        map_location: device for the tensors: one; a dict from saved to wanted ones; or a function
            of a storage and its saved location that returns a storage, or None for the default.
        pickle_module: None.
        weights_only: True or None.
        mmap: maps the file's tensors into memory, privately, instead of reading them; for paths.
        pickle_load_args: ``encoding`` of byte strings from Python 2.

    Returns:
        The value.

    Raises:
        pickle.UnpicklingError: the file names something that is not allowed, or is damaged.
        RuntimeError: no checkpoint; a truncated or a damaged one; a device that is not there.
        ValueError: ``weights_only=False`` or a pickle module; mmap of something without a path.

    Example:
        >>> import io, kagari
        >>> buffer = io.BytesIO()
        >>> kagari.save([kagari.zeros(2), "text"], buffer)
        >>> kagari.load(buffer)
        [tensor([0., 0.]), 'text']
    """
    if weights_only is False:
        raise ValueError(_WEIGHTS_ONLY)
    if pickle_module is not None:
        raise ValueError("load: expected no pickle_module; loading runs no code from a file")
    encoding = pickle_load_args.pop("encoding", "utf-8")
    if pickle_load_args:
        warnings.warn(f"load: {sorted(pickle_load_args)} have no meaning here", stacklevel=2)
    path = os.fspath(f) if isinstance(f, str | os.PathLike) else None
    if path is not None and path.endswith(".safetensors"):
        if isinstance(map_location, dict) or callable(map_location):
            raise RuntimeError(
                "load: of a safetensors file, map_location can be a device only, got "
                f"{type(map_location).__name__}"
            )
        return safetensors.load_file(path, device=map_location or "cpu")
    if mmap and path is None:
        raise ValueError("f must be a file path in order to use the mmap argument")
    with _reading(f) as file:
        start = file.tell()
        magic = file.read(4)
        file.seek(start)
        if magic == b"PK\x03\x04":
            return _ZipLoader(Reader(file), map_location, path if mmap else None, encoding).load()
        if mmap:
            raise RuntimeError("load: mmap can only be used with files of PyTorch 1.6 and later")
        return _LegacyLoader(file.read(), map_location, encoding).load()


@contextlib.contextmanager
def _reading(f: FileLike) -> Iterator[IO[bytes]]:
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            yield file
        return
    for name in ("read", "seek", "tell"):
        if not hasattr(f, name):
            raise AttributeError(
                f"load: expected a path or a file that can be read and sought, got "
                f"{type(f).__name__} without `{name}`; read it into io.BytesIO first"
            )
    at = f.tell()
    # What was just written is meant, when nothing follows.
    if at and not f.read(1):
        f.seek(0)
    else:
        f.seek(at)
    yield f


class _Loader:
    """Builds the value of a pickle, with storages on the devices they are wanted on."""

    def __init__(self, map_location: MapLocation, encoding: str) -> None:
        self.map_location = map_location
        self.encoding = encoding
        self.rules = Rules()
        self.storages: dict[str, Storage] = {}

    def unpickler(self, data: bytes, start: int = 0) -> Unpickler:
        rules = self.rules
        return Unpickler(
            data,
            rules.find,
            rules.construct,
            rules.build,
            self.persistent_load,
            start,
            self.encoding,
        )

    def persistent_load(self, pid: Any) -> Any:
        raise NotImplementedError

    @property
    def wants_meta(self) -> bool:
        return isinstance(self.map_location, str | kagari.device) and (
            kagari.device(self.map_location).type == "meta"
        )

    def place(self, data: Tensor, location: Any) -> Tensor | None:
        """The bytes on the wanted device; None for meta."""
        if isinstance(location, bytes):
            location = location.decode("ascii")
        if not isinstance(location, str):
            raise UnpicklingError(f"load: the location of a storage is a {type(location).__name__}")
        wanted = self.map_location
        if isinstance(wanted, dict):
            location = wanted.get(location, location)
        elif isinstance(wanted, str | kagari.device):
            location = str(wanted)
        elif wanted is not None:
            storage = wanted(data.untyped_storage(), location)
            if storage is not None:
                location = str(storage.device)
        device = str(location).partition(":")[0]
        if device == "cpu":
            return data
        if device == "meta":
            return None
        try:
            return data.to(location)
        except Exception as e:
            raise RuntimeError(
                f"load: a storage was saved on {location!r}, which is not here ({e}); "
                "pass map_location='cpu'"
            ) from e


class _ZipLoader(_Loader):
    def __init__(
        self, archive: Reader, map_location: MapLocation, path: str | None, encoding: str
    ) -> None:
        super().__init__(map_location, encoding)
        self.archive = archive
        self.mapped = None
        if path is not None:
            import numpy as np

            # Copy on write: changes stay in memory.
            self.mapped = np.memmap(path, dtype=np.uint8, mode="c")
        order = sys.byteorder
        if "byteorder" in archive:
            order = archive.read("byteorder").decode("ascii", "replace")  # type: ignore[assignment]
            if order not in ("little", "big"):
                raise BrokenArchiveError(f"load: unknown byte order {order!r}")
        self.swap = order != sys.byteorder

    def load(self) -> Any:
        if "constants.pkl" in self.archive:
            raise RuntimeError(
                "load: this is a TorchScript program, not a checkpoint; save its state_dict with "
                "PyTorch"
            )
        return self.unpickler(self.archive.read("data.pkl")).load()

    def persistent_load(self, pid: Any) -> Any:
        if type(pid) is not tuple or len(pid) != 5 or pid[0] != "storage":
            raise UnpicklingError("load: a persistent id names something else than a storage")
        _, kind, key, location, numel = pid
        if type(key) is not str:
            raise UnpicklingError(f"load: the key of a storage is a {type(key).__name__}")
        nbytes, dtype = nbytes_of(kind, numel)
        storage = self.storages.get(key)
        if storage is None:
            storage = Storage(self.read(key, nbytes, dtype, location), nbytes, dtype)
            self.storages[key] = storage
        # The same storage may be named again with another type, and its size in that.
        if nbytes // dtype.itemsize * dtype.itemsize > storage.nbytes:
            raise UnpicklingError(f"load: storage {key!r} is given two sizes")
        return storage if storage.dtype == dtype else Storage(storage.data, storage.nbytes, dtype)

    def read(self, key: str, nbytes: int, dtype: kagari.dtype, location: Any) -> Tensor | None:
        name = f"data/{key}"
        start, size, _ = self.archive.span(name)
        # A storage need not be a multiple of its elements.
        if not 0 <= size - nbytes < max(dtype.itemsize, 1):
            raise UnpicklingError(
                f"load: storage {key!r} should have {nbytes} bytes, its record has {size}"
            )
        if self.wants_meta:
            return None
        if self.mapped is not None and not self.swap:
            data = kagari.from_numpy(self.mapped[start : start + nbytes])
        else:
            data = new_bytes(size)
            if size:
                self.archive.read_into(name, data.numpy())
            if self.swap:
                swap_bytes(data[:nbytes], dtype)
        return self.place(data, location)


class _LegacyLoader(_Loader):
    """Files from before PyTorch 1.6: pickles in a row, then the storages."""

    def __init__(self, data: bytes, map_location: MapLocation, encoding: str) -> None:
        super().__init__(map_location, encoding)
        self.data = data
        self.at = 0
        self.promised = 0
        self.rooms: dict[str, tuple[Tensor, kagari.dtype]] = {}

    def next(self) -> Any:
        unpickler = self.unpickler(self.data, self.at)
        value = unpickler.load()
        self.at = unpickler.at
        return value

    def load(self) -> Any:
        try:
            magic = self.next() if self.data[:1] == b"\x80" else None
        except UnpicklingError:
            magic = None
        if magic != _LEGACY_MAGIC:
            raise BrokenArchiveError(
                "load: this is no checkpoint, or a truncated or damaged one: it begins neither "
                "like a zip archive nor like a file of PyTorch before 1.6"
            )
        protocol = self.next()
        if protocol != _LEGACY_PROTOCOL:
            raise BrokenArchiveError(f"load: unknown version {protocol!r} of the old format")
        system = self.next()
        little = system.get("little_endian", True) if isinstance(system, dict) else True
        result = self.next()
        keys = self.next()
        if not isinstance(keys, list) or set(keys) != set(self.rooms):
            raise BrokenArchiveError("load: the file's list of storages does not fit its tensors")
        for key in keys:
            self.fill(*self.rooms[key], swap=little != (sys.byteorder == "little"))
        return result

    def fill(self, room: Tensor, dtype: kagari.dtype, swap: bool) -> None:
        numel = struct.unpack_from("<q", self.data, self.at)[0] if self.left() >= 8 else -1
        self.at += 8
        nbytes = numel * dtype.itemsize
        if nbytes != room.numel() or nbytes > self.left():
            raise BrokenArchiveError(
                f"load: a storage should have {room.numel()} bytes, the file says {nbytes} and "
                f"has {max(self.left(), 0)} more"
            )
        if nbytes:
            room.numpy()[:] = memoryview(self.data)[self.at : self.at + nbytes]
        self.at += nbytes
        if swap:
            swap_bytes(room, dtype)

    def left(self) -> int:
        return len(self.data) - self.at

    def persistent_load(self, pid: Any) -> Any:
        if type(pid) is tuple and len(pid) == 4 and pid[0] in ("module", b"module"):
            return pid[1]
        if type(pid) is not tuple or len(pid) != 6 or pid[0] not in ("storage", b"storage"):
            raise UnpicklingError("load: a persistent id names something else than a storage")
        _, kind, key, location, numel, view = pid
        nbytes, dtype = nbytes_of(kind, numel)
        storage = self.storages.get(key)
        if storage is None:
            self.promised += nbytes
            if self.promised > len(self.data):
                raise UnpicklingError(
                    f"load: the storages should have {self.promised} bytes, the file has "
                    f"{len(self.data)}"
                )
            room = new_bytes(nbytes)
            if self.place(room, location) is not room:
                raise RuntimeError(
                    f"load: the storages of this old file are for {location!r}; "
                    "pass map_location='cpu' and move them afterwards"
                )
            self.rooms[key] = room, dtype
            storage = self.storages[key] = Storage(room, nbytes, dtype)
        if view is None:
            return storage
        if type(view) is not tuple or len(view) != 3 or storage.data is None:
            raise UnpicklingError("load: senseless view of a storage")
        first, length = view[1] * dtype.itemsize, view[2] * dtype.itemsize
        if first < 0 or length < 0 or first + length > storage.nbytes:
            raise UnpicklingError("load: a view of a storage leaves it")
        return Storage(storage.data[first : first + length], length, dtype)
