"""Storages with a dtype: an older view of the memory behind a tensor, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kagari
from kagari import UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]


class TypedStorage:
    """The memory behind tensors as a list of numbers of one dtype.

    Args:
        *args (int or sequence): how many elements, or their values.
        wrap_storage (UntypedStorage, optional): the memory, instead.
        dtype (dtype, optional): the default dtype by default.

    Raises:
        TypeError: elements and memory together.

    Example:
        >>> import kagari
        >>> kagari.arange(6).view(2, 3)[1].storage().tolist()
        [0, 1, 2, 3, 4, 5]

    Reference: https://pytorch.org/docs/stable/storage.html
    """

    dtype: Any

    def __init__(
        self, *args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None
    ) -> None:
        kind = getattr(type(self), "_dtype", None) or dtype or kagari.get_default_dtype()
        self.dtype = kind
        if wrap_storage is not None:
            if args:
                raise TypeError(
                    "TypedStorage: expected elements or wrap_storage, got both; leave one out"
                )
            self._untyped_storage = wrap_storage
        elif args and not isinstance(args[0], int):
            self._untyped_storage = kagari.tensor(list(args[0]), dtype=kind).untyped_storage()
        else:
            count = args[0] if args else 0
            self._untyped_storage = kagari.empty(count, dtype=kind).untyped_storage()

    @classmethod
    def from_buffer(
        cls, buffer: Any, byte_order: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> TypedStorage:
        """A copy of a buffer's bytes.

        Args:
            buffer: anything with Python's buffer protocol.
            byte_order (str, optional): ``"native"`` or ``"little"``.
            dtype (dtype, optional): of the elements; the class's own for ``ByteStorage`` and so on.

        Raises:
            ValueError: another byte order.
        """
        if byte_order not in (None, "native", "little"):
            raise ValueError(f"from_buffer: expected byte_order 'native', got {byte_order!r}")
        kind = getattr(cls, "_dtype", None) or dtype
        return cls(wrap_storage=kagari.UntypedStorage(bytes(buffer)), dtype=kind)

    def _tensor(self) -> Any:
        made = kagari.empty(0, dtype=self.dtype)
        return made.set_(self._untyped_storage, 0, (self.size(),), (1,))

    def untyped(self) -> Any:
        """The memory without a dtype."""
        return self._untyped_storage

    @property
    def device(self) -> Any:
        return self._untyped_storage.device

    @property
    def is_cuda(self) -> bool:
        return False

    def element_size(self) -> int:
        """The bytes of an element."""
        return int(self.dtype.itemsize)

    def nbytes(self) -> int:
        """The bytes of the memory."""
        return int(self._untyped_storage.nbytes())

    def size(self) -> int:
        """The number of elements."""
        return self.nbytes() // self.element_size()

    def data_ptr(self) -> int:
        """The memory's address."""
        return int(self._untyped_storage.data_ptr())

    def tolist(self) -> list[Any]:
        """The elements."""
        values: list[Any] = self._tensor().tolist()
        return values

    def clone(self) -> TypedStorage:
        """A copy."""
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    def fill_(self, value: Any) -> TypedStorage:
        """Sets all elements."""
        self._tensor().fill_(value)
        return self

    def is_shared(self) -> bool:
        """Whether processes share the memory."""
        return bool(self._untyped_storage.is_shared())

    def share_memory_(self) -> TypedStorage:
        """Moves it into memory that processes share."""
        self._untyped_storage.share_memory_()
        return self

    def __len__(self) -> int:
        return self.size()

    def __getitem__(self, index: Any) -> Any:
        found = self._tensor()[index]
        return found.item() if found.dim() == 0 else found.tolist()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._tensor()[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __repr__(self) -> str:
        lines = "".join(f" {value}\n" for value in self)
        name = str(self.dtype)
        return f"{lines}[kagari.storage.TypedStorage(dtype={name}) of size {self.size()}]"


def _named(name: str, dtype: Any) -> Any:
    doc = f"Memory of {dtype} elements; see TypedStorage."
    return type(name, (TypedStorage,), {"_dtype": dtype, "__module__": "kagari", "__doc__": doc})


BFloat16Storage = _named("BFloat16Storage", kagari.bfloat16)
BoolStorage = _named("BoolStorage", kagari.bool)
ByteStorage = _named("ByteStorage", kagari.uint8)
CharStorage = _named("CharStorage", kagari.int8)
DoubleStorage = _named("DoubleStorage", kagari.float64)
FloatStorage = _named("FloatStorage", kagari.float32)
HalfStorage = _named("HalfStorage", kagari.float16)
IntStorage = _named("IntStorage", kagari.int32)
LongStorage = _named("LongStorage", kagari.int64)
ShortStorage = _named("ShortStorage", kagari.int16)
