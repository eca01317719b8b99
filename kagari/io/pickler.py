"""Pickles values the way PyTorch's files have them, under PyTorch's names."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, ClassVar, TypeAlias

import kagari
from kagari.io.tensors import DTYPE_STORAGES, dtype_name

Tensor: TypeAlias = "kagari.Tensor"


class _Name:
    """A global of PyTorch, written by its name only."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.module}.{self.name} stands for a name in a file")


class _StorageId:
    """A reference to a storage, written as a persistent id."""

    def __init__(self, pid: tuple[Any, ...]) -> None:
        self.pid = pid


class TensorPickler(pickle._Pickler):
    """Pickles values whose tensors' bytes are kept elsewhere.

    ``storages`` then holds a tensor for each storage, by its key: the name of its record. Tensors
    that share a storage refer to one.
    """

    dispatch: ClassVar[dict[type[Any], Any]] = pickle._Pickler.dispatch.copy()

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=2)
        self.storages: dict[str, Tensor] = {}
        self._seen: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._names: dict[tuple[str, str], _Name] = {}

    def persistent_id(self, obj: Any) -> Any:
        return obj.pid if type(obj) is _StorageId else None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, kagari.Tensor):
            return self._reduce_tensor(obj)
        kind = type(obj)
        if kind is kagari.Size:
            return self._name("torch", "Size"), (tuple(obj),)
        if kind is kagari.device:
            args = (obj.type,) if obj.index is None else (obj.type, obj.index)
            return self._name("torch", "device"), args
        if kind is kagari.layout:
            text = f"torch.{str(obj).rpartition('.')[2]}"
            return self._name("torch.serialization", "_get_layout"), (text,)
        return NotImplemented

    def _save_name(self: Any, obj: _Name) -> None:
        self.write(f"c{obj.module}\n{obj.name}\n".encode())
        self.memoize(obj)

    def _save_singleton(self: Any, obj: Any) -> None:
        # dtypes and memory formats are attributes of the top module.
        self.save(self._name("torch", str(obj).rpartition(".")[2]))

    dispatch[_Name] = _save_name
    dispatch[kagari.dtype] = _save_singleton
    dispatch[kagari.memory_format] = _save_singleton

    def _name(self, module: str, name: str) -> _Name:
        """One object per name, so that the second use is a reference."""
        return self._names.setdefault((module, name), _Name(module, name))

    def _reduce_tensor(self, t: Tensor) -> tuple[Any, ...]:
        if isinstance(t, kagari.nn.Parameter):
            rebuild = "_rebuild_parameter"
            data = self._plain(t.detach().as_subclass(kagari.Tensor))
            args: tuple[Any, ...] = (data, t.requires_grad, OrderedDict())
            state = _attributes(t)
            if state:
                rebuild, args = "_rebuild_parameter_with_state", (*args, state)
            return self._name("torch._utils", rebuild), args
        function, args = self._reduce_data(t)
        state = _attributes(t)
        if type(t) is kagari.Tensor and not state:
            return function, args
        kind = self._name("torch", "Tensor") if type(t) is kagari.Tensor else type(t)
        rebuild_type = self._name("torch._tensor", "_rebuild_from_type_v2")
        return rebuild_type, (function, kind, args, state)

    def _plain(self, t: Tensor) -> _Reduced:
        return _Reduced(*self._reduce_data(t))

    def _save_reduced(self: Any, obj: _Reduced) -> None:
        self.save_reduce(obj.function, obj.args)

    def _reduce_data(self, t: Tensor) -> tuple[_Name, tuple[Any, ...]]:
        """What builds the tensor without attributes of its own."""
        name = dtype_name(t.dtype)
        dtype = self._name("torch", name)
        if t.is_meta:
            args: tuple[Any, ...] = (dtype, tuple(t.shape), t.stride(), t.requires_grad)
            return self._name("torch._utils", "_rebuild_meta_tensor_no_storage"), args
        if t.layout != kagari.strided:
            from kagari.sparse._pickle import parts_of

            return self._name("torch._utils", "_rebuild_sparse_tensor"), (t.layout, parts_of(t))
        storage, typed = self._storage(t, name)
        place = (storage, t.storage_offset(), tuple(t.shape), t.stride())
        rest: tuple[Any, ...] = (t.requires_grad, OrderedDict())
        if typed:
            return self._name("torch._utils", "_rebuild_tensor_v2"), (*place, *rest)
        return self._name("torch._utils", "_rebuild_tensor_v3"), (*place, *rest, dtype)

    def _storage(self, t: Tensor, name: str) -> tuple[_StorageId, bool]:
        """The storage's id, and whether its type says the tensor's dtype."""
        storage = t.untyped_storage()
        nbytes = storage.nbytes()
        address = storage.data_ptr()
        # Storages without memory have no address to know them by.
        identity = (str(t.device), address) if address and nbytes else ("none", len(self.storages))
        key, first = self._seen.setdefault(identity, (str(len(self.storages)), name))
        typed = first == name and name in DTYPE_STORAGES
        if key not in self.storages:
            self.storages[key] = t
        if typed:
            kind = self._name("torch", DTYPE_STORAGES[name])
            numel = nbytes // t.element_size()
        else:
            kind = self._name("torch.storage", "UntypedStorage")
            numel = nbytes
        return _StorageId(("storage", kind, key, str(t.device), numel)), typed


class _Reduced:
    """A tensor that stands inside of another one's description."""

    def __init__(self, function: _Name, args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args


TensorPickler.dispatch[_Reduced] = TensorPickler._save_reduced


def _attributes(t: Tensor) -> dict[str, Any]:
    """What was set on the tensor itself."""
    return dict(getattr(t, "__dict__", None) or {})
