"""What a checkpoint may build: the values behind the names in its pickle, and nothing else."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, TypeAlias

import kagari
from kagari.io.tensors import DTYPES, STORAGE_DTYPES, check_geometry, view_bytes
from kagari.io.unpickler import check_key

Tensor: TypeAlias = "kagari.Tensor"

# Never given to a file, even when allowed: they reach everything else.
_BLOCKED_MODULES = ("sys", "os", "posix", "nt")
_ENCODINGS = ("latin1", "latin-1", "ascii", "utf-8", "utf8")


class StorageType:
    """A storage class of PyTorch, which says the dtype of its bytes; None for untyped ones."""

    def __init__(self, dtype: str | None) -> None:
        self.dtype = dtype


class Storage:
    """The bytes of a storage, as a tensor; without data on the meta device."""

    def __init__(self, data: Tensor | None, nbytes: int, dtype: kagari.dtype) -> None:
        self.data = data
        self.nbytes = nbytes
        self.dtype = dtype


# ---- constructors ------------------------------------------------------------------------------


def _fail(name: str, args: tuple[Any, ...]) -> UnpicklingError:
    kinds = ", ".join(type(a).__name__ for a in args)
    return UnpicklingError(f"load: cannot build {name} from ({kinds})")


def _strided(
    storage: object, dtype: kagari.dtype, offset: object, size: object, stride: object
) -> Tensor:
    if type(storage) is not Storage:
        raise UnpicklingError(
            f"load: a tensor's storage is a {type(storage).__name__}; the file is damaged"
        )
    try:
        if storage.data is not None:
            return view_bytes(storage.data, dtype, offset, size, stride)
        place = check_geometry(storage.nbytes // dtype.itemsize, offset, size, stride)
        return kagari.empty_strided(place[1], place[2], dtype=dtype, device="meta")
    except ValueError as e:
        raise UnpicklingError(f"load: a tensor does not fit its storage: {e}") from None


def _finish(t: Tensor, requires_grad: object, metadata: object) -> Tensor:
    if metadata:
        if not isinstance(metadata, dict) or set(metadata) - {"conj", "neg"}:
            raise UnpicklingError(f"load: unknown properties of a tensor: {metadata!r}")
        if metadata.get("conj"):
            t = t.conj_physical()
        if metadata.get("neg"):
            t = t.neg()
    if requires_grad:
        t.requires_grad_(True)
    return t


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    return _strided(storage, getattr(storage, "dtype", kagari.uint8), offset, size, stride)


def _rebuild_tensor_v2(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    metadata: Any = None,
) -> Tensor:
    return _finish(_rebuild_tensor(storage, offset, size, stride), requires_grad, metadata)


def _rebuild_tensor_v3(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Tensor:
    if not isinstance(dtype, kagari.dtype):
        raise UnpicklingError(f"load: expected a dtype, got {type(dtype).__name__}")
    return _finish(_strided(storage, dtype, offset, size, stride), requires_grad, metadata)


def _rebuild_meta_tensor_no_storage(
    dtype: Any, size: Any, stride: Any, requires_grad: Any
) -> Tensor:
    if not isinstance(dtype, kagari.dtype):
        raise UnpicklingError(f"load: expected a dtype, got {type(dtype).__name__}")
    meta = Storage(None, 2**62, dtype)
    return _finish(_strided(meta, dtype, 0, size, stride), requires_grad, None)


def _rebuild_sparse_tensor(layout: Any, data: Any) -> Tensor:
    if not isinstance(layout, kagari.layout) or not isinstance(data, tuple) or len(data) < 3:
        raise UnpicklingError("load: a sparse tensor needs a layout and its parts")
    from kagari.sparse._pickle import rebuild

    try:
        return rebuild(str(layout).rpartition(".")[2], data)
    except (RuntimeError, TypeError, ValueError) as e:
        raise UnpicklingError(f"load: the parts of a sparse tensor do not fit: {e}") from None


def _rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Any:
    if not isinstance(data, kagari.Tensor):
        raise UnpicklingError(f"load: a parameter's data is a {type(data).__name__}")
    return kagari.nn.Parameter(data, bool(requires_grad))


def _rebuild_parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    return _set_attributes(_rebuild_parameter(data, requires_grad, hooks), state)


def _set_attributes(obj: Any, state: Any) -> Any:
    if not isinstance(state, dict) or not all(type(k) is str for k in state):
        raise UnpicklingError(f"load: cannot give a {type(obj).__name__} this state")
    obj.__dict__.update(state)
    return obj


def _ordered_dict(*args: Any) -> OrderedDict[Any, Any]:
    out: OrderedDict[Any, Any] = OrderedDict()
    if len(args) > 1 or (args and type(args[0]) not in (list, tuple)):
        raise _fail("OrderedDict", args)
    for pair in args[0] if args else ():
        key, value = pair
        check_key(key)
        out[key] = value
    return out


def _counter(*args: Any) -> Counter[Any]:
    if len(args) > 1 or (args and type(args[0]) is not dict):
        raise _fail("Counter", args)
    return Counter(*args)


def _set_of(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def build(*args: Any) -> Any:
        if len(args) > 1 or (args and type(args[0]) not in (list, tuple)):
            raise _fail("set", args)
        items = args[0] if args else ()
        for item in items:
            check_key(item)
        return kind(items)

    return build


def _bytearray(*args: Any) -> bytearray:
    if not args:
        return bytearray()
    # A number would ask for so many zeros.
    if len(args) == 1 and type(args[0]) is bytes:
        return bytearray(args[0])
    return bytearray(_encode(*args))


def _bytes(*args: Any) -> bytes:
    # Protocol 2 writes empty bytes as a call, and others as encoded text.
    if args:
        raise _fail("bytes", args)
    return b""


def _encode(*args: Any) -> bytes:
    if len(args) != 2 or type(args[0]) is not str or args[1] not in _ENCODINGS:
        raise _fail("bytes", args)
    return args[0].encode(args[1])


def _complex(*args: Any) -> complex:
    if not all(type(a) in (int, float) for a in args):
        raise _fail("complex", args)
    return complex(*args)


def _size(*args: Any) -> Any:
    if len(args) != 1 or type(args[0]) is not tuple:
        raise _fail("Size", args)
    return kagari.Size(args[0])


def _device(*args: Any) -> Any:
    if not args or len(args) > 2 or type(args[0]) is not str:
        raise _fail("device", args)
    return kagari.device(*args)


def _get_layout(*args: Any) -> Any:
    name = args[0].removeprefix("torch.") if len(args) == 1 and type(args[0]) is str else None
    value = getattr(kagari, name, None) if name else None
    if not isinstance(value, kagari.layout):
        raise _fail("layout", args)
    return value


def _rebuild_from_type_v2(function: Any, kind: Any, args: Any, state: Any) -> Any:
    if function not in _REBUILDS or type(args) is not tuple:
        raise UnpicklingError("load: a tensor is built by something else than PyTorch builds them")
    out = function(*args)
    if type(out) is not kind:
        if kind is not kagari.Tensor and kind not in _allowed().values():
            raise UnpicklingError(f"load: the class {kind} is not allowed")
        out = out.as_subclass(kind)
    own = getattr(kind, "__setstate__", None)
    if own is not None and own is not getattr(kagari.Tensor, "__setstate__", None):
        out.__setstate__(state)
        return out
    return _set_attributes(out, state)


_REBUILDS = (
    _rebuild_tensor,
    _rebuild_tensor_v2,
    _rebuild_tensor_v3,
    _rebuild_meta_tensor_no_storage,
    _rebuild_sparse_tensor,
    _rebuild_parameter,
    _rebuild_parameter_with_state,
)


# ---- names -------------------------------------------------------------------------------------


def _known() -> dict[str, Any]:
    """Names in files and the values they stand for."""
    known: dict[str, Any] = {
        "collections.OrderedDict": OrderedDict,
        "collections.Counter": Counter,
        "builtins.set": set,
        "builtins.frozenset": frozenset,
        "builtins.bytearray": bytearray,
        "builtins.bytes": bytes,
        "builtins.complex": complex,
        "_codecs.encode": _encode,
        "torch.Tensor": kagari.Tensor,
        "torch._tensor.Tensor": kagari.Tensor,
        "torch.nn.parameter.Parameter": kagari.nn.Parameter,
        "torch.Size": kagari.Size,
        "torch.device": kagari.device,
        "torch.serialization._get_layout": _get_layout,
        "torch._tensor._rebuild_from_type_v2": _rebuild_from_type_v2,
        "torch.storage.UntypedStorage": StorageType(None),
        "torch.UntypedStorage": StorageType(None),
    }
    known |= {f"torch._utils.{f.__name__}": f for f in _REBUILDS}
    for storage, dtype in STORAGE_DTYPES.items():
        known[f"torch.{storage}"] = known[f"torch.cuda.{storage}"] = StorageType(dtype)
    for name in (*DTYPES, "contiguous_format", "preserve_format", "channels_last"):
        if hasattr(kagari, name):
            known[f"torch.{name}"] = getattr(kagari, name)
    return known


def _constructors() -> dict[Any, Callable[..., Any]]:
    """What calls each value that may be called."""
    table: dict[Any, Callable[..., Any]] = {
        OrderedDict: _ordered_dict,
        Counter: _counter,
        set: _set_of(set),
        frozenset: _set_of(frozenset),
        bytearray: _bytearray,
        bytes: _bytes,
        complex: _complex,
        kagari.Size: _size,
        kagari.device: _device,
    }
    own = (_encode, _get_layout, _rebuild_from_type_v2, *_REBUILDS)
    return table | {f: f for f in own}


_safe_globals: list[Any] = []


def allow(values: list[Any]) -> None:
    """Adds classes and functions, or ``(value, 'full.path')`` pairs, to what files may name."""
    for value in values:
        if isinstance(value, tuple) and not (len(value) == 2 and type(value[1]) is str):
            raise ValueError(
                "add_safe_globals: expected a class, a function, or a pair of one and the text of "
                f"its path, got {value!r}"
            )
        if value not in _safe_globals:
            _safe_globals.append(value)


def disallow(values: list[Any]) -> None:
    """Takes values out again."""
    for value in values:
        if value in _safe_globals:
            _safe_globals.remove(value)


def allowed_globals() -> list[Any]:
    """Returns what was added."""
    return _safe_globals.copy()


def _allowed() -> dict[str, Any]:
    out = {}
    for value in _safe_globals:
        if isinstance(value, tuple):
            out[value[1]] = value[0]
        else:
            out[f"{value.__module__}.{value.__qualname__}"] = value
    return out


class Rules:
    """Finds, calls and fills the values that an Unpickler meets."""

    def __init__(self) -> None:
        self.known = _known()
        self.constructors = _constructors()
        self.allowed = _allowed()

    def find(self, module: str, name: str) -> Any:
        path = f"{module}.{name}"
        if path in self.known:
            return self.known[path]
        if module.partition(".")[0] in _BLOCKED_MODULES:
            raise UnpicklingError(
                f"load: the file names {path}; values of the module {module} are never given to "
                "a file"
            )
        if path in self.allowed:
            return self.allowed[path]
        hint = ""
        if path.startswith("torch."):
            hint = " (under this name: as the pair (value, path))"
        raise UnpicklingError(
            f"load: Unsupported global: {path} is not among the values that a checkpoint may "
            "hold, and loading runs nothing that a file names. If you trust this class or "
            f"function, allow it{hint}: kagari.serialization.add_safe_globals([{path}])"
        )

    def unsafe(self, names: set[tuple[str, str]]) -> list[str]:
        """Those of the names that would have to be allowed."""
        paths = {f"{module}.{name}" for module, name in names}
        return sorted(paths - set(self.known))

    def is_allowed(self, value: Any) -> bool:
        return any(value is other for other in self.allowed.values())

    def construct(self, value: Any, args: tuple[Any, ...], new: bool) -> Any:
        if self.is_allowed(value):
            return value.__new__(value, *args) if new else value(*args)
        if value is kagari.nn.Parameter:
            data, requires_grad = args if len(args) == 2 else (*args, True)
            return _rebuild_parameter(data, requires_grad, None)
        function = None if new else self.constructors.get(value)
        if function is None:
            raise UnpicklingError(
                f"load: the file calls a {type(value).__name__}, which it may not"
            )
        return function(*args)

    def build(self, obj: Any, state: Any) -> Any:
        if type(obj) is OrderedDict:
            return _set_attributes(obj, state)
        if not self.is_allowed(type(obj)):
            raise UnpicklingError(
                f"load: the file gives a state to a {type(obj).__name__}, which it may not"
            )
        if hasattr(obj, "__setstate__"):
            obj.__setstate__(state)
            return obj
        slots = None
        if isinstance(state, tuple) and len(state) == 2:
            state, slots = state
        if state:
            _set_attributes(obj, state)
        for name, value in (slots or {}).items():
            setattr(obj, name, value)
        return obj


def nbytes_of(kind: Any, numel: Any) -> tuple[int, kagari.dtype]:
    """The size of a storage in bytes, and its dtype, from a file's word."""
    if type(kind) is not StorageType or type(numel) is not int or numel < 0:
        raise UnpicklingError(f"load: senseless storage of {numel!r} elements")
    dtype = getattr(kagari, kind.dtype or "uint8")
    nbytes = math.prod((numel, dtype.itemsize))
    return nbytes, dtype
