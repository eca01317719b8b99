"""Where calls with sparse tensors arrive: what each name does, and the refusal of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

import kagari
from kagari.sparse import _matmul, _ops, _optim, _pickle, _shape  # noqa: F401 (they fill the table)
from kagari.sparse._convert import check_in_place, replace
from kagari.sparse._layout import is_sparse
from kagari.sparse._table import IN_PLACE, TABLE, Unsupported

Tensor: TypeAlias = "kagari.Tensor"


def dispatch(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answers a call of which an argument is a sparse tensor.

    Raises:
        NotImplementedError: nothing here does it.
    """
    name = _name_of(func)
    handler = TABLE.get(name)
    if handler is None:
        handler = _in_place(name)
    if handler is None:
        _refuse(name, args, kwargs)
    out = kwargs.pop("out", None)
    try:
        result = handler(*args, **kwargs)
    except Unsupported as e:
        raise NotImplementedError(f"{name}: {e}") from None
    return result if out is None else _written(name, out, result)


def known(name: str) -> bool:
    """Whether calls of this name are answered."""
    return name in TABLE or _in_place(name) is not None


def _name_of(func: Any) -> str:
    name: str = func.__name__
    if name in ("__get__", "__set__", "__delete__"):
        return f"{name}{func.__self__.__name__}"
    return name


def _in_place(name: str) -> Callable[..., Any] | None:
    """The in-place form of an operation on values: the tensor takes the parts of the result."""
    function = TABLE.get(name[:-1]) if name.endswith("_") and not name.endswith("__") else None
    if function is None or name[:-1] not in IN_PLACE:
        return None

    def write(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not is_sparse(self):
            result = function(self, *args, **kwargs) if name in ("addmm_", "addmv_") else None
            if result is None or result.shape != self.shape:
                raise Unsupported(
                    "a strided tensor cannot be written with a sparse one; call .to_dense() on "
                    "the other tensor"
                )
            return self.copy_(result)
        check_in_place(self, *args, *kwargs.values())
        with kagari.no_grad():
            return replace(self, function(self, *args, **kwargs))

    return write


def _written(name: str, out: Any, result: Any) -> Any:
    if not isinstance(out, kagari.Tensor) or not isinstance(result, kagari.Tensor):
        raise NotImplementedError(f"{name}: out= is not there for these sparse tensors")
    if is_sparse(out):
        check_in_place(out, result)
        return replace(out, result, resize=True)
    if is_sparse(result):
        raise RuntimeError(
            f"{name}: expected an out= of layout {result.layout}, got a strided tensor; "
            "call .to_dense() on the result"
        )
    if result.requires_grad:
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if out.shape != result.shape:
        out.resize_(result.shape)
    return out.copy_(result)


def _refuse(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
    shown = name.removeprefix("__get__").removeprefix("__set__")
    layout = next((x.layout for x in _tensors((*args, *kwargs.values())) if is_sparse(x)), None)
    raise NotImplementedError(
        f"{shown} is not there for tensors of layout {layout}; call .to_dense() first"
    )


def _tensors(values: Any) -> Any:
    for v in values:
        if isinstance(v, (tuple, list)):
            yield from _tensors(v)
        elif isinstance(v, kagari.Tensor):
            yield v
