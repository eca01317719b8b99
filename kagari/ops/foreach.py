"""Functions over lists of tensors (``_foreach_*``): each applies one op to every tensor.

They are made from the ops on single tensors, so names, arguments, dtypes and gradients are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kagari._core import ops

if TYPE_CHECKING:
    from kagari import Tensor

Tensors = Sequence["Tensor"]

# fmt: off
_UNARY = [
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1",
    "floor", "frac", "lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal",
    "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
]
# fmt: on
_BINARY = ["add", "sub", "mul", "div", "pow", "clamp_max", "clamp_min", "maximum", "minimum"]
_TERNARY = ["addcmul", "addcdiv"]

_OPERANDS = ("other", "scalar", "scalars", "tensor", "exponent")  # names of the second argument
_WEIGHTS = ("weight", "weights", "scalars")


def _check_list(name: str, tensors: Any) -> list[Tensor]:
    import kagari

    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}: expected a list or tuple of tensors, got {type(tensors).__name__}"
        )
    if not tensors:
        raise RuntimeError(f"{name}: Tensor list must have at least one tensor.")
    for t in tensors:
        if not isinstance(t, kagari.Tensor):
            raise TypeError(f"{name}: expected a list of tensors, found {type(t).__name__}")
    return list(tensors)


def _per_tensor(name: str, count: int, given: Any) -> list[Any]:
    """One operand for each tensor: a list as it is, anything else for all of them."""
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        raise RuntimeError(
            f"{name}: Tensor list must have same number of elements as the list of operands, got "
            f"{count} and {len(given)}"
        )
    return list(given)


def _named(name: str, given: tuple[Any, ...], keywords: dict[str, Any], names: Any) -> Any:
    """The one operand that was given, by position or under one of its names."""
    found = list(given) + [keywords.pop(n) for n in names if n in keywords]
    if keywords or len(found) != 1:
        what = f"got an unexpected keyword argument {min(keywords)!r}" if keywords else ""
        raise TypeError(f"{name}: {what or f'expected one operand ({names[0]}), got {len(found)}'}")
    return found[0]


def _single(op: str, inplace: bool) -> Callable[..., Any]:
    """The op on one tensor; in place by a copy where it has no such form."""
    function: Callable[..., Any] = getattr(ops, op)
    if not inplace:
        return function
    written = getattr(ops, op + "_", None)
    return written or (lambda t, *args, **named: t.copy_(function(t, *args, **named)))


def _make_unary(op: str, inplace: bool) -> Callable[..., Any]:
    def foreach(self: Tensors) -> Any:
        function = _single(op, inplace)
        made = tuple([function(t) for t in _check_list(name, self)])
        return self if inplace else made

    name = foreach.__name__ = f"_foreach_{op}" + "_" * inplace
    return foreach


def _make_binary(op: str, inplace: bool) -> Callable[..., Any]:
    def foreach(self: Any, *other: Any, alpha: Any = None, **keywords: Any) -> Any:
        operand = _named(name, other, keywords, _OPERANDS)
        function = _single(op, inplace)
        if op == "pow" and not inplace and not isinstance(self, (list, tuple)):
            return tuple([function(self, e) for e in _check_list(name, operand)])
        tensors = _check_list(name, self)
        rows = zip(tensors, _per_tensor(name, len(tensors), operand), strict=True)
        if alpha is None:
            made = tuple([function(a, b) for a, b in rows])
        else:
            made = tuple([function(a, b, alpha=alpha) for a, b in rows])
        return self if inplace else made

    name = foreach.__name__ = f"_foreach_{op}" + "_" * inplace
    return foreach


def _make_ternary(op: str, inplace: bool) -> Callable[..., Any]:
    def foreach(
        self: Tensors, tensor1: Tensors, tensor2: Tensors, value: Any = 1, *, scalars: Any = None
    ) -> Any:
        import kagari

        values = value if scalars is None else scalars
        if isinstance(values, kagari.Tensor):
            values = values.tolist()
        function = _single(op, inplace)
        tensors = _check_list(name, self)
        columns = (_per_tensor(name, len(tensors), c) for c in (tensor1, tensor2, values))
        rows = zip(tensors, *columns, strict=True)
        made = tuple([function(x, a, b, value=v) for x, a, b, v in rows])
        return self if inplace else made

    name = foreach.__name__ = f"_foreach_{op}" + "_" * inplace
    return foreach


def _make_lerp(op: str, inplace: bool) -> Callable[..., Any]:
    def foreach(self: Tensors, tensors1: Tensors, *weight: Any, **keywords: Any) -> Any:
        function = _single(op, inplace)
        tensors = _check_list(name, self)
        weights = _named(name, weight, keywords, _WEIGHTS)
        columns = (_per_tensor(name, len(tensors), c) for c in (tensors1, weights))
        made = tuple([function(a, b, w) for a, b, w in zip(tensors, *columns, strict=True)])
        return self if inplace else made

    name = foreach.__name__ = f"_foreach_{op}" + "_" * inplace
    return foreach


def _foreach_norm(self: Tensors, ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    tensors = _check_list("_foreach_norm", self)
    return tuple([ops.linalg_vector_norm(t, ord, dtype=dtype) for t in tensors])


def _foreach_powsum(self: Tensors, ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    tensors = _check_list("_foreach_powsum", self)
    return tuple([ops.sum(ops.pow(ops.abs(t), ord), dtype=dtype) for t in tensors])


def _foreach_max(self: Tensors) -> tuple[Tensor, ...]:
    return tuple([ops.max(t) for t in _check_list("_foreach_max", self)])


def _foreach_mm(self: Tensors, mat2: Tensors) -> tuple[Tensor, ...]:
    tensors = _check_list("_foreach_mm", self)
    others = _per_tensor("_foreach_mm", len(tensors), mat2)
    return tuple([ops.mm(a, b) for a, b in zip(tensors, others, strict=True)])


def _foreach_clone(self: Tensors, *, memory_format: Any = None) -> tuple[Tensor, ...]:
    tensors = _check_list("_foreach_clone", self)
    return tuple([ops.clone(t, memory_format=memory_format) for t in tensors])


def _foreach_copy_(self: Tensors, src: Tensors, non_blocking: bool = False) -> Tensors:
    tensors = _check_list("_foreach_copy_", self)
    for t, s in zip(tensors, _per_tensor("_foreach_copy_", len(tensors), src), strict=True):
        t.copy_(s, non_blocking)
    return self


def _foreach_zero_(self: Tensors) -> Tensors:
    for t in _check_list("_foreach_zero_", self):
        t.zero_()
    return self


def _functions() -> dict[str, Callable[..., Any]]:
    kinds = ((_make_unary, _UNARY), (_make_binary, _BINARY), (_make_ternary, _TERNARY))
    made = [
        make(op, inplace)
        for make, names in (*kinds, (_make_lerp, ["lerp"]))
        for op in names
        for inplace in (False, True)
    ]
    made += [_foreach_norm, _foreach_powsum, _foreach_max, _foreach_mm]
    made += [_foreach_clone, _foreach_copy_, _foreach_zero_]
    for f in made:
        f.__module__, f.__qualname__ = __name__, f.__name__
        op = f.__name__.removeprefix("_foreach_")
        f.__doc__ = f"``{op}`` of every tensor of a list, with operands for all or for each."
    return {f.__name__: f for f in made}


# kagari's names: _foreach_add and so on.
FUNCTIONS = _functions()
