"""Calls that are no ops of the table: indexing, tensors from data, methods of the type, the tape."""

from __future__ import annotations

from fuzz.model import FLOATS, Gen, Tens
from fuzz.mutate import OBJECTS

# ---- Indexing -----------------------------------------------------------------------------------


def index_text(g: Gen, shape: tuple[int, ...]) -> str:
    items: list[str] = []
    d = 0
    while d < len(shape) and g.chance(0.85):
        n = shape[d]
        kind = g.random.random()
        d += 1
        if kind < 0.2:
            items.append(str(g.int(-n, max(n - 1, 0))))
        elif kind < 0.5:
            ends = [str(g.pick(("", "", g.int(-n - 1, n + 1)))) for _ in range(2)]
            step = g.pick(("", ":1", ":2", ":3"))
            items.append(f"{ends[0]}:{ends[1]}{step}")
        elif kind < 0.58:
            items.append("None")
            d -= 1
        elif kind < 0.64 and "..." not in items:
            items.append("...")
            break
        elif kind < 0.8:
            items.append(g.index(g.shape(0, 2), n).text())
        elif kind < 0.88:
            items.append(str([g.int(-n, max(n - 1, 0)) for _ in range(g.int(0, 3))]))
        elif kind < 0.96:
            items.append(g.tensor((n,), "bool").text())
        else:
            items.append(g.pick(("True", "False")))
    if g.chance(0.15):
        items.append(
            g.pick((*OBJECTS, str(2**63), str(-(2**62)), "2.5", ":", "::-1", "::0", "1e3"))
        )
    return ", ".join(items) if items else "..."


def index_call(g: Gen) -> str:
    x = g.tensor(g.shape())
    x.grad = g.pick((0, 0, 0, 1, 2)) if x.dtype in FLOATS else 0
    if x.layout == "x" and g.chance(0.5):
        x.layout = "c"
    lines = [f"x0 = {x.text()}"]
    where = index_text(g, x.shape)
    kind = g.random.random()
    if kind < 0.5:
        lines.append(f"r = x0[{where}]")
    elif kind < 0.95:
        value = g.pick(("1", "2.5", "True", "x1", "x1", "x0", g.pick(OBJECTS)))
        lines.append(f"x1 = {g.tensor(g.pick(((), (1,), x.shape)), x.dtype).text()}")
        if x.grad == 1:
            lines.append("x0 = x0 * 1")
        lines += [f"x0[{where}] = {value}", "r = x0"]
    else:
        lines.append(f"del x0[{where}]")
    return "\n".join(lines)


# ---- Tensors from data and back -----------------------------------------------------------------

ARRAYS = (
    "np.ones((2, 3))", "np.ones((2, 3))[::-1]", "np.ones((2, 3), '>f4')", "np.zeros(0)",
    "np.array(3.5)", "np.ones((2, 3), order='F')", "np.arange(6).reshape(2, 3).T",
    "np.ones(4, 'f4')[1::2]", "np.array(['a', 'b'])", "np.array([None, 1], object)",
    "np.zeros(3, [('a', 'f4'), ('b', 'i4')])", "np.zeros(2, 'M8[s]')", "np.ones(2, np.longdouble)",
    "np.broadcast_to(np.ones(1), (4, 2))", "np.frombuffer(b'12345678', 'i4')",
    "np.ones(3, np.float16)", "np.ones(3, np.uint64)", "np.array([True, False])",
    "np.ones(2, np.complex64)", "np.lib.stride_tricks.as_strided(np.ones(9), (3,), (12,))",
    "np.ndarray((2,), 'f8', bytearray(33), 1)", "np.ma.masked_array([1, 2], [True, False])",
    "np.matrix([[1, 2]])", "np.ones((1,) * 32)", "np.float32(2)",
    "np.lib.stride_tricks.as_strided(np.ones(9), (2, 2), (-8, 8))[:0]",
)  # fmt: skip
NESTED = (
    "1", "2.5", "True", "1j", "[]", "[[]]", "[[], [1]]", "[1, 2.5]", "[1, True]", "[[1, 2], [3, 4]]",
    "[[1, 2], [3]]", "[2**63]", "[2**64]", "[-2**63]", "[-2**63-1]", "[1e400]", "[10**400]",
    "[float('nan')]", "['a']", "[None]", "{1: 2}", "'abc'", "b'abc'", "range(4)", "(1, 2)",
    "[np.ones(2), np.ones(2)]", "[np.float32(1)]", "[kagari.tensor(1), kagari.tensor(2.5)]",
    "[kagari.ones(2), kagari.ones(2)]", "[kagari.ones(2), kagari.ones(3)]", "Weird()",
    "Weird('raises')", "[Weird('raises')]", "Shrinking([1, 2, 3])", "[Shrinking([1, 2]), [1, 2]]",
    "Liar()", "kagari.Size([1, 2])", "memoryview(b'abcd')", "bytearray(b'abcd')", "object()",
    "[[[[[[[[1]]]]]]]]", "array_of(70)", "loop()", "iter([1, 2])", "{1, 2}", "(lambda: 1)",
)  # fmt: skip
BUFFERS = (
    "b'12345678'", "bytearray(16)", "bytearray(3)", "b''", "memoryview(b'12345678')[::2]",
    "np.ones(3)", "memoryview(np.ones((2, 3)))", "np.ones((2, 3)).T", "'text'", "1", "object()",
)  # fmt: skip


def _dtype(g: Gen, p: float = 0.5) -> str:
    return f"kagari.{g.dtype()}" if g.chance(p) else "None"


def data_call(g: Gen) -> str:
    x = g.tensor(g.shape())
    kind = g.int(0, 12)
    before = f"x0 = {x.text()}\n"
    if kind == 0:
        how = g.pick(("tensor", "as_tensor", "asarray"))
        extra = g.pick(("", f", dtype={_dtype(g)}", ", device='meta'", ", dtype='float32'"))
        source = g.pick(NESTED if g.chance(0.6) else ARRAYS)
        return f"r = kagari.{how}({source}{extra})"
    if kind == 1:
        return f"r = kagari.from_numpy({g.pick(ARRAYS if g.chance(0.9) else OBJECTS)})"
    if kind == 2:
        count, offset = g.pick((-1, 0, 1, 2, 5, -2, 2**62, 2**63)), g.pick((0, 1, 4, -1, 99, 2**62))
        return (
            f"r = kagari.frombuffer({g.pick(BUFFERS)}, dtype=kagari.{g.dtype()}, count={count}, "
            f"offset={offset})"
        )
    if kind == 3:
        source = g.pick(("x0", "x0.numpy()", "kagari.to_dlpack(x0)", g.pick(ARRAYS), "object()"))
        return before + f"r = kagari.from_dlpack({source})"
    if kind == 4:
        return (
            before
            + "c = kagari.to_dlpack(x0)\na = kagari.from_dlpack(c)\nr = kagari.from_dlpack(c)"
        )
    if kind == 5:
        arguments = g.pick(("", "max_version=(1, 0)", "copy=True", "dl_device=(1, 0)", "stream=1",
                            "max_version=1", "copy=False, max_version=(1, 2)", "dl_device=(2, 0)"))  # fmt: skip
        return before + f"c = x0.__dlpack__({arguments})\nr = kagari.from_dlpack(c)"
    if kind == 6:
        how = g.pick(("x0.numpy()", "np.asarray(x0)", "np.array(x0, 'f4')", "x0.__array__()",
                      "memoryview(x0)", "x0.tolist()", "x0.item()", "x0.__array__(np.int32)",
                      "x0.numpy(force=True)", "np.from_dlpack(x0)", "float(x0)", "int(x0)", "bool(x0)",
                      "complex(x0)", "x0.__index__()", "list(x0)", "len(x0)", "hash(x0)", "repr(x0)",
                      "f'{x0:.3f}'", "1.5 in x0", "dir(x0)", "bytes(x0)", "np.ones(2) + x0",
                      "round(x0)", "divmod(x0, 2)", "x0 @ np.ones(3)", "sum(x0)"))  # fmt: skip
        return before + f"r = {how}"
    if kind == 7:
        how = g.pick(("copy.deepcopy(x0)", "copy.copy(x0)", "pickle.loads(pickle.dumps(x0))",
                      "pickle.loads(pickle.dumps(x0.untyped_storage()))", "x0.__reduce_ex__(2)",
                      "x0.as_subclass(Sub)", "kagari.Tensor._make_subclass(Sub, x0)"))  # fmt: skip
        return before + f"r = {how}"
    if kind == 8:
        size = g.pick(("", "3", "2, 3", "[1, 2]", "x0", "2**40", "-1", "2**63", "x0.untyped_storage()",
                       "kagari.Size([2])", "None", "np.ones(2)", "device='meta'", "1.5"))  # fmt: skip
        cls = g.pick(("Tensor", "FloatTensor", "LongTensor", "BoolTensor", "nn.Parameter"))
        return before + f"r = kagari.{cls}({size})"
    if kind == 9:
        return before + f"s = x0.untyped_storage()\nr = s.{_storage(g)}"
    if kind == 10:
        return before + f"r = x0.{_resizing(g)}\nr = x0"
    if kind == 11:
        target = g.pick(("cpu", "meta", "cuda", "cpu:0", "cpu:1", "xpu", "", "cuda:-1", "'"))
        return f"r = kagari.empty(2, device={target!r})"
    return _object(g)


def _object(g: Gen) -> str:
    value = g.pick(OBJECTS)
    return "r = " + g.pick(
        (f"kagari.Size({value})", f"kagari.device({value})", f"kagari.finfo({value})",
         f"kagari.iinfo({value})", f"kagari.promote_types({value}, kagari.int8)",
         f"kagari.result_type({value}, kagari.ones(1))", f"kagari.can_cast({value}, kagari.int8)",
         f"kagari.Size([2, 3])[{value}]", f"kagari.Size([2, 3]) + {value}",
         f"kagari.Generator({value})", f"kagari.Generator().manual_seed({value})",
         f"kagari.Generator().set_state({value})", f"kagari.UntypedStorage({value})",
         f"kagari.nn.Parameter({value})", f"kagari.Size([1]).numel() * {value}")
    )  # fmt: skip


def _storage(g: Gen) -> str:
    n = g.pick(("0", "1", "8", "64", "-1", "2**40", "2**62", "2**64", "'x'", "None"))
    return g.pick((f"resize_({n})", "nbytes()", "tolist()", f"__getitem__({n})",
                   f"__setitem__({n}, 1)", "clone()", "data_ptr()", "__len__()", "copy_(s)",
                   f"fill_({n})", "is_shared()", "__iter__()", "__getitem__(slice(1, 3))",
                   "__setitem__(slice(0, 2), 3)", "cpu()", "device"))  # fmt: skip


def _resizing(g: Gen) -> str:
    n = g.pick(
        ("0", "3", "2, 3", "(4, 4)", "-1", "2**40", "2**62, 2**62", "2**63", "()", "[1] * 70")
    )
    return g.pick(
        (f"resize_({n})", "resize_as_(kagari.ones(5))", "set_()", "set_(kagari.ones(3))",
         f"set_(kagari.ones(9).untyped_storage(), 0, ({n},), (1,))",
         "set_(kagari.ones(9).untyped_storage(), 2, (2, 2), (2, 1))",
         "set_(kagari.ones(9).untyped_storage(), 2**61, (2,), (1,))",
         "set_(kagari.ones(9).untyped_storage(), 0, (3,), (2**62,))",
         "set_(kagari.ones(9).untyped_storage(), -1, (3,), (1,))",
         "set_(kagari.empty(0, device='meta').untyped_storage())",
         "untyped_storage().resize_(0)", "untyped_storage().resize_(4096)")
    )  # fmt: skip


# ---- Methods and attributes of the type ---------------------------------------------------------

BINARY = ("+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>", "<", ">", "==", "!=")


def operator_call(g: Gen) -> str:
    shape = g.shape()
    dtype = g.dtype()
    x, y = (
        g.tensor(shape, dtype),
        g.tensor(g.broadcastable(shape), None if g.chance(0.2) else dtype),
    )
    if dtype in ("float32", "float64"):
        x.grad = g.pick((0, 0, 1, 2))
    other = "x1" if g.chance(0.6) else g.pick(("2", "0", "-1", "0.5", "True", "1j", "2**63", "2**64",
                                               "-2**70", "1e400", "nan", g.pick(OBJECTS)))  # fmt: skip
    op = g.pick(BINARY)
    a, b = ("x0", other) if g.chance(0.8) else (other, "x0")
    lines = [f"x0 = {x.text()}", f"x1 = {y.text()}"]
    if g.chance(0.25) and op not in ("<", ">", "==", "!="):
        return "\n".join([*lines, "x0 = x0.detach().clone()", f"x0 {op}= {other}", "r = x0"])
    if g.chance(0.1):
        return "\n".join([*lines, f"r = {g.pick(('-', '~', '+', 'abs', 'not '))}(x0)"])
    return "\n".join([*lines, f"r = {a} {op} {b}"])


def member_call(g: Gen, members: list[str]) -> str:
    """Reads, sets, deletes or calls anything that Tensor has besides the ops."""
    x = g.tensor(g.shape())
    x.grad = g.pick((0, 0, 1, 2)) if x.dtype in FLOATS else 0
    x.device = "meta" if g.chance(0.05) else "cpu"
    name = g.pick(members)
    values = [g.pick(OBJECTS), "x0", "1", "2, 3", "kagari.float64", "'cpu'", "x0.clone()", "-1",
              "2**62", "copy=True", "dtype=kagari.int8", "'meta'", "lambda t: t"]  # fmt: skip
    kind = g.random.random()
    lines = [f"x0 = {x.text()}"]
    if kind < 0.35:
        lines.append(f"r = x0.{name}")
    elif kind < 0.6:
        lines += [f"r = x0.{name}", "r = r() if callable(r) else r"]
    elif kind < 0.88:
        lines += [f"r = x0.{name}", f"r = r({g.pick(values)}) if callable(r) else r"]
    elif kind < 0.96 and not name.startswith("__"):
        lines += [f"x0.{name} = {g.pick([v for v in values if '=' not in v])}", "r = x0"]
    elif not name.startswith("__"):
        lines += [f"del x0.{name}", "r = x0"]
    else:
        lines.append(f"r = kagari.Tensor.{name}({g.pick(OBJECTS)})")
    return "\n".join(lines)


# ---- The tape -----------------------------------------------------------------------------------

STEPS = (
    "{a} = {b} * {c}", "{a} = {b} + {c}", "{a} = {b}.sin()", "{a} = {b} @ {c}.mT", "{a} = {b}[1:]",
    "{a} = {b}.view(-1)", "{a} = {b}.t()", "{a} = {b}.detach()", "{a} = {b}.expand(2, 3, 3)",
    "{a} = {b}.sum(0, keepdim=True)", "{a} = {b}.clone()", "{a}, {c} = {b}.unbind(0)[:2]",
    "{b}.mul_(2)", "{b}.add_({c})", "{b}[0] = {c}[0]", "{b}.zero_()", "{b}.relu_()", "{b}.t_()",
    "{b}.copy_({c})", "{b}[0].mul_({c}[0])", "{b}.data.add_(1)", "{b}.squeeze_()", "{b}.exp_()",
    "{b}.detach_()", "{b}.requires_grad_()", "{b}.requires_grad_(False)", "{b}.retain_grad()",
    "{b}.register_hook(lambda g: g * 2)", "{b}.register_hook(lambda g: None)",
    "{b}.register_hook(lambda g: g[:1])", "{b}.register_hook(lambda g: 1 / 0)",
    "{b}.register_post_accumulate_grad_hook(lambda t: None)", "{b}.grad = {c}.detach()",
    "{b}.grad = None", "{b}.sum().backward()", "{b}.sum().backward(retain_graph=True)",
    "{b}.backward({c})", "{b}.set_({c})", "{b}.resize_(2, 2)", "{b}.data = {c}", "{b} = None",
    "{a} = kagari.autograd.grad({b}.sum(), {c}, create_graph=True, allow_unused=True)[0]",
    "{b}.grad_fn and {b}.grad_fn.next_functions", "{b}.grad_fn and {b}.grad_fn.name()",
    "{b}.grad_fn and {b}.grad_fn.register_hook(lambda *a: None)",
    "{b}.grad_fn and {b}.grad_fn.register_prehook(lambda *a: None)",
    "{b}.grad_fn and [getattr({b}.grad_fn, n) for n in dir({b}.grad_fn)]",
    "{a} = Square.apply({b})", "{a} = Wrong.apply({b})", "{a} = kagari.where({b} > 0, {b}, {c})",
    "{a} = {b}.index_put((kagari.tensor([0]),), {c}[:1])", "{a} = F.dropout({b})",
    "{a} = {b}.masked_fill({c} > 0, 0.5)", "{a} = kagari.cat([{b}, {c}])", "{a} = {b}.softmax(-1)",
    "{a} = {b}.cumsum(0)", "{a} = {b}.prod(0)", "{a} = {b}.max(0).values", "{a} = {b}.std()",
    "{b}.untyped_storage().resize_(0)", "{b}.as_strided_((2,), (1,))", "{a} = {b}.as_strided((3,), (0,))",
)  # fmt: skip
CONTEXTS = (
    "", "", "", "", "kagari.no_grad()", "kagari.inference_mode()", "kagari.enable_grad()",
    "kagari.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t)",
    "kagari.autograd.graph.saved_tensors_hooks(lambda t: 1, lambda t: t)",
    "kagari.autograd.detect_anomaly()",
)  # fmt: skip


def tape_program(g: Gen) -> str:
    """A few statements on shared tensors; a statement that raises does not end the program."""
    names = ("a", "b", "c", "d")
    dtype = g.pick(("float32", "float64"))
    lines = [
        f"{n} = {Tens((3, 3), dtype, 'normal', g.pick(('c', 'f', 'o')), grad=g.pick((0, 1, 1, 2)), seed=g.int(0, 99)).text()}"
        for n in names
    ]
    for _ in range(g.int(2, 8)):
        a, b, c = (g.pick(names) for _ in range(3))
        step = g.pick(STEPS).format(a=a, b=b, c=c)
        context = g.pick(CONTEXTS)
        lines.append("try:")
        if context:
            lines += [f"    with {context}:", f"        {step}"]
        else:
            lines.append(f"    {step}")
        lines.append("except Exception as e: sane(e)")
    lines.append(f"r = {g.pick(names)}")
    if g.chance(0.7):
        lines.append("r is None or r.sum().backward()")
    return "\n".join(lines)
