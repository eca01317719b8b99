"""Valid calls of the core's ops, from their signatures and the recipes."""

from __future__ import annotations

from typing import Any

import fuzz.recipes_families  # noqa: F401  # its recipes enter the table
from fuzz.model import DTYPES, FLOATS, Call, Gen, Raw, Tens
from fuzz.recipes import RECIPES, dtype_for

DIMS = {
    "dim", "dims", "dim0", "dim1", "dim2", "axis0", "axis1", "start_dim", "end_dim", "dimension",
}  # fmt: skip
STRINGS = {
    "rounding_mode": ["floor", "trunc", "round"],
    "approximate": ["none", "tanh", "fast"],
    "reduce": ["sum", "prod", "mean", "amax", "amin"],
    "indexing": ["ij", "xy"],
    "padding": ["same", "valid"],
    "equation": ["i->i"],
}
PROBABILITIES = {"p", "label_smoothing", "momentum"}


def valid(g: Gen, row: dict[str, Any]) -> dict[str, Any]:
    """Values for a row's parameters, most of which the op takes."""
    name = row["name"]
    recipe = RECIPES.get(name) or RECIPES.get(name.removesuffix("_copy"))
    given = recipe(g) if recipe else {}
    dtype = dtype_for(g, name)
    shape = g.shape()
    first: Tens | None = next((v for v in given.values() if isinstance(v, Tens)), None)
    if recipe:
        for value in given.values():
            if isinstance(value, Tens) and first and value is not first and first.layout == "x":
                continue
        shape = first.shape if first else shape
    args: dict[str, Any] = {}
    for p in row["params"]:
        key = p["name"]
        optional = p["default"] is not None or p["optional"]
        if key in given:
            if p["default"] is not None and g.chance(0.15):
                continue
            args[key] = given[key]
        elif p["default"] is not None and g.chance(0.6):
            continue
        elif optional and g.chance(0.3):
            args[key] = None if p["optional"] else value_of(g, p, shape, dtype, first)
        else:
            args[key] = value_of(g, p, shape, dtype, first)
        if first is None and isinstance(args.get(key), Tens):
            first = args[key]
    return args


def value_of(
    g: Gen, p: dict[str, Any], shape: tuple[int, ...], dtype: str, first: Tens | None
) -> Any:
    kind, key = p["type"], p["name"]
    n = len(shape)
    if kind in ("Tensor", "Operand", "Any"):
        if kind == "Any" and key in ("p", "ord"):
            return g.pick([2, 1, 0, "fro", "nuc", float("inf"), -1, 2.5])
        if kind != "Tensor" and first is not None and g.chance(0.4):
            return g.number()
        own = shape if first is None else g.broadcastable(shape)
        return g.tensor(own, dtype if g.chance(0.85) else None)
    if kind in ("Tensor[]", "Tensor?[]"):
        return [g.tensor(shape, dtype) for _ in range(g.int(1, 3))]
    if kind == "Scalar":
        return g.number()
    if kind == "int":
        if key in DIMS:
            return g.dim(n)
        return g.int(0, 5) if g.chance(0.8) else g.int(-3, 20)
    if kind == "float":
        return g.random.random() if key in PROBABILITIES else g.pick([0.5, 1.0, 2.0, 1e-5, 0.1])
    if kind == "bool":
        return g.chance(0.5)
    if kind == "int[]":
        if key in DIMS:
            if p["repeat"] and g.chance(0.4):
                return g.dim(n)
            return g.dims(n)
        count = p["repeat"] or g.int(0, 3)
        return [g.int(0, 4) for _ in range(count)]
    if kind == "float[]":
        return [0.5 for _ in range(g.int(0, 3))]
    if kind == "ScalarType":
        return Raw(f"kagari.{g.pick(FLOATS) if g.chance(0.6) else g.pick(DTYPES)}")
    if kind == "Device":
        return g.pick(["cpu", "cpu", "cpu", "meta"])
    if kind == "MemoryFormat":
        return Raw(f"kagari.{g.pick(['preserve_format', 'contiguous_format', 'channels_last'])}")
    if kind == "Layout":
        return Raw("kagari.strided")
    if kind == "str":
        return g.pick(STRINGS.get(key, ["mean", "sum", "none"]))
    if kind == "Generator":
        return Raw("kagari.Generator()")
    return None


def op_call(g: Gen, row: dict[str, Any]) -> Call:
    """A call of a row in one of the forms it has."""
    args = valid(g, row)
    forms = [f for f in ("function", "method", "inplace") if row[f]]
    form = g.pick(forms) if forms else "internal"
    name = row["name"]
    self_name = row["params"][row["self"]]["name"] if row["params"] else ""
    keywords = {p["name"] for p in row["params"] if p["keyword_only"]}
    after_gap = False
    for p in row["params"]:
        after_gap = after_gap or p["name"] not in args
        if after_gap or g.chance(0.1):
            after_gap = True
            keywords.add(p["name"])
    call = Call("", args, keywords)
    if form in ("method", "inplace"):
        call.target = name + ("_" if form == "inplace" else "")
        if self_name in args:
            call.args = {self_name: args.pop(self_name), **args}
            call.keywords.discard(self_name)
            call.method = True
            if form == "inplace":
                call.inplace = True
                _make_writable(g, call.args[self_name])
            return call
    target = "kagari" if form == "function" else "kagari._core.ops"
    call.target = f"{target}.{name}"
    if name.endswith("_"):
        call.inplace = True
    if row["out"] and g.chance(0.12):
        call.args["out"] = _out(g, row, args)
        call.keywords.add("out")
        call.inplace = True
    return call


def _make_writable(g: Gen, x: Any) -> None:
    """In-place ops mostly want a floating tensor whose elements are apart."""
    if isinstance(x, Tens):
        if x.layout == "x" and g.chance(0.8):
            x.layout = "c"
        if x.dtype not in FLOATS and g.chance(0.4):
            x.dtype = "float64"


def _out(g: Gen, row: dict[str, Any], args: dict[str, Any]) -> Any:
    names = [k for k, v in args.items() if isinstance(v, Tens)]
    first = args[names[0]] if names else Tens((2,))

    def one() -> Tens:
        kind = g.random.random()
        if kind < 0.4:
            return g.tensor((0,), first.dtype, layout="c")
        if kind < 0.7:
            return g.tensor(first.shape, first.dtype)
        if names and kind < 0.9:
            return Tens(first.shape, first.dtype, alias="x0" if kind < 0.8 else "x0[..., :1]")
        return g.tensor(g.shape())

    count = len(row["results"])
    return one() if count == 1 else tuple(one() for _ in range(count))
