"""Tensors as bytes and back: storages, their dtypes' names, and checked views of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import kagari

Tensor: TypeAlias = "kagari.Tensor"

# PyTorch's names of storages, which stand for dtypes in its files.
STORAGE_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "BFloat16Storage": "bfloat16",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
}
DTYPE_STORAGES = {dtype: storage for storage, dtype in STORAGE_DTYPES.items()}

# Those without a storage of their own: files name the dtype beside an untyped storage.
_UNTYPED = (
    "uint16",
    "uint32",
    "uint64",
    "complex32",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
)
DTYPES = (*DTYPE_STORAGES, *_UNTYPED)

_MAX_INT = 2**63 - 1


def dtype_name(dtype: kagari.dtype) -> str:
    """Returns ``'float32'`` for the dtype of this name."""
    return str(dtype).rpartition(".")[2]


def storage_bytes(t: Tensor) -> Any:
    """Returns the whole storage of a tensor as a NumPy array of bytes that shares its memory."""
    with kagari.no_grad():
        n = t.untyped_storage().nbytes() // t.element_size()
        flat = t.detach().as_strided((n,), (1,), 0)
        if flat.device.type != "cpu":
            flat = flat.cpu()
        return flat.view(kagari.uint8).numpy()


def own_bytes(t: Tensor) -> Any:
    """Returns the elements of a tensor in order as a NumPy array of bytes."""
    with kagari.no_grad():
        return t.detach().cpu().contiguous().reshape(-1).view(kagari.uint8).numpy()


def _is_int(value: object) -> bool:
    return type(value) is int and abs(value) <= _MAX_INT


def check_geometry(
    numel: int, offset: object, size: object, stride: object
) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Checks that a view of a storage with `numel` elements stays inside of it.

    Raises:
        ValueError: it does not, or the numbers are none.
    """
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
        raise ValueError(f"expected size and stride of one length, got {size!r} and {stride!r}")
    if not all(_is_int(v) for v in (offset, *size, *stride)):
        raise ValueError(
            f"expected integers, got offset {offset!r}, size {size!r}, stride {stride!r}"
        )
    assert isinstance(offset, int)
    if offset < 0 or min((*size, *stride), default=0) < 0:
        raise ValueError(
            f"expected nothing negative, got offset {offset}, size {size}, stride {stride}"
        )
    last = offset - 1
    if 0 not in size:
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if last >= numel:
        raise ValueError(
            f"size {size} with stride {stride} from offset {offset} reaches element {last}, "
            f"the storage has {numel}"
        )
    return offset, tuple(size), tuple(stride)


def view_bytes(
    data: Tensor, dtype: kagari.dtype, offset: object, size: object, stride: object
) -> Tensor:
    """Returns a tensor on a storage that is given as a tensor of bytes.

    Raises:
        ValueError: the view leaves the storage.
    """
    itemsize = dtype.itemsize
    numel = data.numel() // itemsize
    place = check_geometry(numel, offset, size, stride)
    with kagari.no_grad():
        flat = data[: numel * itemsize].view(dtype)
        start = flat.storage_offset() + place[0]
        # Detached: not a view for autograd, which would remember that nothing was recorded here.
        return flat.as_strided(place[1], place[2], start).detach()


def new_bytes(n: int) -> Tensor:
    """Returns room for n bytes."""
    return kagari.empty(n, dtype=kagari.uint8)


def swap_bytes(data: Tensor, dtype: kagari.dtype) -> None:
    """Turns numbers of the other byte order round, in place."""
    width = dtype.itemsize // (2 if dtype.is_complex else 1)
    if width > 1:
        data.numpy().view(f"u{width}").byteswap(inplace=True)


def contiguous_strides(size: Sequence[int]) -> tuple[int, ...]:
    """Returns the strides of a tensor whose elements lie in order."""
    strides = []
    step = 1
    for n in reversed(size):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))
