"""What makes a valid call worse: other shapes, strides, dtypes, devices, values and types."""

from __future__ import annotations

from typing import Any

from fuzz.model import DTYPES, LAYOUTS, VALUES, Call, Gen, Raw, Tens

# Never between 2**22 and 2**40: such sizes could be allocated, and filling them takes long.
INTEGERS = (
    -1, 0, 1, 2, 7, 63, 64, 65, 255, 256, -2, -7, 2**40, 2**48, 2**62, 2**63 - 1, 2**63, 2**64,
    -(2**31), -(2**40), -(2**62), -(2**63), -(2**63) - 1, 10**30,
)  # fmt: skip
REPEATS = ("niter",)  # numbers of steps: as many as are asked for are made
REALS = (0.0, -0.0, 0.5, -1.0, 1e-320, 1e308, -1e308, 3e38, 1e19, float("nan"), float("inf"),
         float("-inf"))  # fmt: skip
OBJECTS = (
    "None", "True", "'x'", "''", "b'x'", "[]", "()", "{}", "[1, 2]", "[None]", "[[1], [2, 3]]", "1j",
    "object()", "int", "kagari.float32", "kagari", "...", "slice(None)", "np.float64(2.5)",
    "np.int64(3)", "np.ones((2, 3))", "np.array(['a'])", "np.zeros((2,), 'M8[s]')", "range(3)",
    "Weird()", "Weird('raises')", "Shrinking([1, 2, 3])", "Liar()", "(lambda *a: a)", "'\\ud800'",
    "kagari.Size([2, 3])", "kagari.device('meta')", "kagari.strided", "kagari.Generator()",
    "kagari.tensor(2)", "kagari.tensor([1, 0])", "kagari.tensor(True)", "kagari.tensor(2.5)",
    "kagari.empty(0)", "kagari.empty((2, 3), device='meta')", "kagari.tensor(1+2j)",
    "kagari.ones(2, 3).as_subclass(Sub)", "kagari.nn.Parameter(kagari.ones(2))", "kagari.Tensor",
)  # fmt: skip


def mutate(g: Gen, call: Call) -> None:
    """Between no and three changes."""
    for _ in range(g.weighted((0, 1, 2, 3), (40, 36, 16, 8))):
        kind = g.random.random()
        tensors = call.tensors()
        if kind < 0.55 and tensors:
            change_tensor(g, call, g.pick(tensors))
        elif kind < 0.62 and len(tensors) > 1:
            share(g, tensors)
        elif kind < 0.70 and tensors:
            for t in tensors:  # all alike: most calls stay valid
                t.grad = g.pick((1, 1, 2)) if t.dtype in ("float32", "float64") else t.grad
        elif kind < 0.73 and tensors:
            for t in tensors:
                t.device = "meta"
        elif kind < 0.96:
            change_argument(g, call)
        else:
            change_count(g, call)


def change_tensor(g: Gen, call: Call, t: Tens) -> None:
    kind = g.random.random()
    if kind < 0.18:
        t.dtype = g.pick(DTYPES)
    elif kind < 0.42:
        t.layout = g.pick(LAYOUTS)
    elif kind < 0.62:
        t.values = g.pick(VALUES) if not t.values.startswith("index") else g.pick(
            (t.values, "index:1", "zero", "one", "small", "index:40", "bits")
        )  # fmt: skip
    elif kind < 0.80:
        t.shape = change_shape(g, t.shape)
    elif kind < 0.84:
        t.device = "meta"
    elif kind < 0.95:
        t.grad = g.pick((1, 2))
        if g.chance(0.7) and t.dtype not in ("float32", "float64", "complex64"):
            t.dtype = "float32"
    else:
        t.alias = f"{t.text()}.as_subclass(Sub)" if g.chance(0.5) else f"{t.text()}.data"


def change_shape(g: Gen, shape: tuple[int, ...]) -> tuple[int, ...]:
    sizes = list(shape)
    kind = g.int(0, 5)
    if kind == 0 or not sizes:
        return (*sizes, g.pick((0, 1, 1, 2, 5)))
    at = g.int(0, len(sizes) - 1)
    if kind == 1:
        del sizes[at]
    elif kind == 2:
        sizes[at] = g.pick((0, 1, 2, 3, 65))
    elif kind == 3:
        sizes.insert(at, 1)
    elif kind == 4:
        sizes = [0 if g.chance(0.5) else s for s in sizes]
    else:
        sizes = [] if g.chance(0.5) else [1] * g.pick((1, 6, 9, 63, 64, 65))
    return tuple(sizes)


def share(g: Gen, tensors: list[Tens]) -> None:
    """A later argument becomes the first one, or a view of it."""
    t = g.pick(tensors[1:])
    views = ("x0", "x0", "x0.view(-1)", "x0[..., 1:]", "x0.mT", "x0.detach()", "x0.reshape(-1)[:1]",
             "x0.expand(2, *x0.shape)", "x0[:1]", "x0.flip(0)")  # fmt: skip
    t.alias = g.pick(views)


def change_argument(g: Gen, call: Call) -> None:
    keys = [k for k in call.args if not (call.method and k == next(iter(call.args)))]
    plain = [k for k in keys if not isinstance(call.args[k], Tens)]
    if plain and g.chance(0.75):
        key = g.pick(plain)
    elif keys:
        key = g.pick(keys)
    else:
        return
    value = changed(g, call.args[key])
    if key in REPEATS and isinstance(value, int) and value > 63:
        value = 63
    call.args[key] = value


def changed(g: Gen, value: Any) -> Any:
    """A value near `value`, or one of another type."""
    if g.chance(0.15):
        return Raw(g.pick(OBJECTS))
    if isinstance(value, bool):
        return g.pick((True, False, 1, 0, None))
    if isinstance(value, int):
        return g.pick(INTEGERS) if g.chance(0.6) else value + g.pick((-1, 1, -3, 3))
    if isinstance(value, float):
        return g.pick(REALS)
    if isinstance(value, str):
        return g.pick(("", "mean", "none", "x" * 300, "\u00e9", "a\0b"))
    if isinstance(value, list | tuple):
        items = list(value)
        kind = g.int(0, 4)
        if kind == 0 or not items:
            items.append(g.pick((0, 1, -1, 2**62)))
        elif kind == 1:
            items.pop(g.int(0, len(items) - 1))
        elif kind == 2:
            items = items * g.pick((0, 2, 20))
        else:
            at = g.int(0, len(items) - 1)
            if not isinstance(items[at], Tens):
                items[at] = changed(g, items[at])
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Raw):
        return Raw(g.pick((f"kagari.{g.pick(DTYPES)}", g.pick(OBJECTS))))
    return Raw(g.pick(OBJECTS))


def change_count(g: Gen, call: Call) -> None:
    kind = g.int(0, 2)
    keys = list(call.args)
    if kind == 0 and len(keys) > 1:
        del call.args[keys[-1]]
    elif kind == 1:
        call.args["bogus"] = 1
        call.keywords.add("bogus")
    elif not call.keywords:
        call.args["extra"] = Raw(g.pick(OBJECTS))
