"""Values between processes: tensors travel as bytes, large ones in shared memory."""

from __future__ import annotations

import contextlib
import glob
import io
import itertools
import mmap
import os
import pickle
import traceback
from typing import Any, TypeAlias

import kagari
from kagari.io.tensors import dtype_name, own_bytes

Tensor: TypeAlias = "kagari.Tensor"

_SHARED = "/dev/shm"
# Below this a pipe is as fast.
_SHARED_FROM = 1 << 16


class Pickler(pickle.Pickler):
    """Pickles a value of a worker for the process that loads data.

    Args:
        file: takes the pickle.
        prefix: begins the names of the files in shared memory.
    """

    def __init__(self, file: io.BytesIO, prefix: str, numbers: itertools.count[int]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.prefix = prefix
        self.numbers = numbers

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not kagari.Tensor or obj.device.type != "cpu":
            return NotImplemented
        if obj.requires_grad and not obj.is_leaf:
            raise RuntimeError(
                "DataLoader: a worker's batch has a tensor that carries a gradient's tape, which "
                "stays in its process; detach() it"
            )
        data = own_bytes(obj)
        where: Any = self.share(data) if data.nbytes >= _SHARED_FROM else None
        if where is None:
            where = data.tobytes()
        return _receive, (dtype_name(obj.dtype), tuple(obj.shape), where, obj.requires_grad)

    def share(self, data: Any) -> str | None:
        """Puts bytes into a file in memory and returns its name; None where there is no room."""
        if not os.path.isdir(_SHARED):
            return None
        name = os.path.join(_SHARED, f"{self.prefix}{os.getpid()}-{next(self.numbers)}")
        try:
            fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            return None
        try:
            # Asks for the room: writing beyond it would end the process with a signal.
            os.posix_fallocate(fd, 0, data.nbytes)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
        except OSError:
            os.unlink(name)
            return None
        finally:
            os.close(fd)
        return name


def _receive(dtype: str, shape: tuple[int, ...], where: Any, requires_grad: bool) -> Tensor:
    import numpy as np

    if isinstance(where, str):
        fd = os.open(where, os.O_RDWR)
        try:
            # The mapping lives as long as the tensor; nobody else needs the name.
            room: Any = mmap.mmap(fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)
            os.unlink(where)
    else:
        room = bytearray(where)
    kind = getattr(kagari, dtype)
    if len(room):
        t = kagari.from_numpy(np.frombuffer(room, np.uint8)).view(kind).reshape(shape)
    else:
        t = kagari.empty(shape, dtype=kind)
    return t.requires_grad_() if requires_grad else t


def dumps(value: Any, prefix: str, numbers: itertools.count[int]) -> bytes:
    """Returns a value as bytes for ``pickle.loads`` in the other process."""
    file = io.BytesIO()
    Pickler(file, prefix, numbers).dump(value)
    return file.getvalue()


def sweep(prefix: str) -> None:
    """Removes what was shared and never received."""
    for name in glob.glob(os.path.join(_SHARED, glob.escape(prefix) + "*")):
        with contextlib.suppress(OSError):
            os.unlink(name)


class _KeyErrorMessage(str):
    """A text that KeyError shows with its line breaks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception on its way to another process, with its traceback as text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind: type[BaseException] = type(error)
        try:
            pickle.dumps(self.kind)
        except Exception:
            # A class that only the worker knows.
            self.kind = RuntimeError
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {type(error).__name__} {where}.\nOriginal {text}"

    def reraise(self) -> None:
        """Raises an exception of the same class that tells where it comes from."""
        message = self.message
        if self.kind is KeyError:
            message = _KeyErrorMessage(message)
        try:
            error = self.kind(message)
        except Exception:
            # A constructor that wants something else than a text.
            raise RuntimeError(message) from None
        raise error
