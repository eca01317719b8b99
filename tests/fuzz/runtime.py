"""The namespace in which a call's text runs, and what is asked of its results."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np

import kagari
import kagari.nn.functional

_N = 4096


def _pools() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    normal = rng.standard_normal(_N)
    special = normal.copy()
    special[::3] = np.nan
    special[1::7] = np.inf
    special[2::7] = -np.inf
    special[3::7] = -0.0
    special[4::7] = 1e-310
    huge = normal * 10.0 ** rng.integers(-300, 300, _N)
    return {
        "normal": normal,
        "small": rng.integers(-3, 4, _N).astype(np.float64),
        "unit": rng.random(_N),
        "zero": np.zeros(_N),
        "one": np.ones(_N),
        "special": special,
        "huge": huge,
        "bits": rng.integers(-(2**63), 2**63 - 1, _N),
        "index": rng.integers(0, 2**31, _N),
    }


_POOLS = _pools()
_VIEWED = {
    "float8_e4m3fn": "uint8",
    "float8_e5m2": "uint8",
    "float8_e4m3fnuz": "uint8",
    "float8_e5m2fnuz": "uint8",
    "float8_e8m0fnu": "uint8",
    "complex32": "int32",
}


def _elements(n: int, dtype: str, values: str, seed: int) -> Any:
    kind, _, limit = values.partition(":")
    data = _POOLS[kind][(np.arange(n) + 37 * seed) % _N]
    if limit:
        data = data % int(limit)
    if dtype.startswith("complex") and kind in ("normal", "special", "huge"):
        return kagari.from_numpy(data + 1j * np.roll(data, 1)).to(getattr(kagari, dtype))
    if dtype in _VIEWED:
        bits = kagari.from_numpy(np.nan_to_num(data).astype(np.int64, copy=False) % 127)
        return bits.to(getattr(kagari, _VIEWED[dtype])).view(getattr(kagari, dtype))
    return kagari.from_numpy(data).to(getattr(kagari, dtype))


def T(
    shape: tuple[int, ...],
    dtype: str = "float32",
    values: str = "normal",
    layout: str = "c",
    seed: int = 0,
    *,
    device: str = "cpu",
    grad: int = 0,
) -> Any:
    if device != "cpu":
        x = kagari.empty(shape, dtype=getattr(kagari, dtype), device=device)
    else:
        n = 1
        for s in shape:
            n *= s
        if layout == "f":
            x = _elements(n, dtype, values, seed).view(shape[::-1])
            x = x.permute(tuple(range(len(shape)))[::-1])
        elif layout == "s" and shape:
            x = _elements(2 * n, dtype, values, seed).view(*shape[:-1], 2 * shape[-1])[..., ::2]
        elif layout == "o":
            x = _elements(n + 3, dtype, values, seed)[3:].view(shape)
        elif layout == "x":
            small = tuple(1 if i % 2 == 0 else s for i, s in enumerate(shape))
            m = 1
            for s in small:
                m *= s
            x = _elements(m, dtype, values, seed).view(small).expand(shape)
        else:
            x = _elements(n, dtype, values, seed).view(shape)
    if grad:
        x = x.detach().requires_grad_()
        if grad == 2:
            x = x * 1
    return x


class Weird:
    """Objects whose own methods raise, lie or change what is being read."""

    def __init__(self, kind: str = "") -> None:
        self.kind = kind

    def __index__(self) -> int:
        if self.kind == "raises":
            raise LookupError("__index__ was asked")
        return 1

    def __float__(self) -> float:
        raise LookupError("__float__ was asked")

    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> Any:
        if self.kind == "raises" and i == 1:
            raise LookupError("__getitem__ was asked")
        if i > 2:
            raise IndexError
        return 1


class Shrinking(list):  # type: ignore[type-arg]
    """A list that loses its elements while it is read."""

    def __len__(self) -> int:
        n = super().__len__()
        self.clear()
        return n


class Sub(kagari.Tensor):
    """A plain subclass."""


class Liar:
    """Offers __array_interface__ that describes memory it does not have."""

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"shape": (2,), "typestr": "<f8", "data": (0, False), "version": 3}


class Square(kagari.autograd.Function):
    """A function with a derivative of its own."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * g


class Wrong(kagari.autograd.Function):
    """A function whose derivative has another shape, another type, or is one too many."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.kind = x.numel() % 3
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return (g.sum(), g)[0] if ctx.kind == 0 else (g, g) if ctx.kind == 1 else "no tensor"


def array_of(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def loop() -> Any:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


def grads(r: Any, inputs: list[Any], twice: bool) -> Any:
    """First, and perhaps second, derivatives of what a call returned."""
    outputs = [t for t in flat(r) if t.requires_grad]
    inputs = [t for t in inputs if t.requires_grad]
    if not outputs or not inputs or any(t.numel() > 100_000 for t in outputs):
        return None
    first = kagari.autograd.grad(
        outputs,
        inputs,
        [kagari.ones_like(t) for t in outputs],
        allow_unused=True,
        create_graph=twice,
    )
    second = [g for g in first if g is not None and g.requires_grad]
    if second:
        return kagari.autograd.grad(
            second, inputs, [kagari.ones_like(g) for g in second], allow_unused=True
        )
    return first


def flat(value: Any, depth: int = 3) -> list[Any]:
    """The tensors of a result."""
    if isinstance(value, kagari.Tensor):
        return [value]
    if isinstance(value, list | tuple) and depth:
        return [t for v in value[:64] for t in flat(v, depth - 1)]
    return []


class BrokenResult(AssertionError):
    """A call returned, but what it returned or left behind is not a sound tensor."""


def check(t: Any, thorough: bool, cut: bool = False) -> None:
    """A tensor lies within its storage, says so truly, and can be read and printed.

    `cut`: the storage may have been made smaller under it, which leaves the memory where it is.
    """
    if t.device.type != "cpu":
        return
    sizes, strides, offset = t.shape, t.stride(), t.storage_offset()
    numel = 1
    for s in sizes:
        numel *= s
    if numel != t.numel():
        raise BrokenResult(f"numel {t.numel()} of shape {tuple(sizes)}")
    if numel == 0:
        return
    last = offset + sum((s - 1) * d for s, d in zip(sizes, strides, strict=True))
    held = t.untyped_storage().nbytes()
    if offset < 0 or ((last + 1) * t.itemsize > held and not cut):
        raise BrokenResult(
            f"sizes {tuple(sizes)}, strides {strides}, offset {offset} reach beyond {held} bytes"
        )
    if numel <= 4096:
        t.detach().clone()
        if thorough:
            try:
                repr(t)
            except BaseException as e:
                raise BrokenResult(f"repr failed: {type(e).__name__}: {e}") from e


def ran_kernel(r: Any, arguments: list[Any], inplace: bool) -> bool:
    """Whether values were computed or moved: no meta tensors, no views of arguments, nothing empty."""
    results = flat(r)
    if results:
        given = {t.untyped_storage().data_ptr() for t in arguments if t.device.type == "cpu"}
        return any(
            t.device.type == "cpu"
            and t.numel() > 0
            and (inplace or t.untyped_storage().data_ptr() not in given)
            for t in results
        )
    return any(t.device.type == "cpu" and t.numel() > 0 for t in arguments)


def namespace() -> dict[str, Any]:
    return {
        "kagari": kagari,
        "F": kagari.nn.functional,
        "np": np,
        "T": T,
        "Weird": Weird,
        "Shrinking": Shrinking,
        "Sub": Sub,
        "Liar": Liar,
        "Square": Square,
        "Wrong": Wrong,
        "array_of": array_of,
        "loop": loop,
        "copy": copy,
        "pickle": pickle,
        "inf": float("inf"),
        "nan": float("nan"),
    }
