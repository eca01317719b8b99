"""Arguments that fit together, for ops whose shapes, sizes and indices depend on each other.

Each recipe gives some of an op's parameters by name; `arguments` fills the rest from the signature.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from fuzz.model import COMPLEX, FLOATS, INTEGERS, Gen, Raw, Recipe, Tens, product

RECIPES: dict[str, Recipe] = {}

INT_ONLY = ("bitwise_", "gcd", "lcm")
FLOAT_ONLY = (
    "softmax", "log_softmax", "lerp", "erfinv", "logaddexp", "polygamma", "std", "var", "mean",
    "dropout", "bernoulli", "multinomial", "softplus", "gelu", "silu", "mish", "celu", "selu",
    "elu", "hardshrink", "softshrink", "hardswish", "hardsigmoid", "log_sigmoid", "layer_norm",
    "group_norm", "rms_norm", "batch_norm", "linalg_", "norm", "nextafter", "hypot", "copysign",
    "frac", "addcdiv", "uniform", "exponential", "normal", "_squared", "_absolute", "_huber",
    "_smooth", "_binary", "rand", "logit", "atan2", "leaky_relu", "std_mean", "var_mean",
)  # fmt: skip
REAL_ONLY = (
    "max", "min", "amax", "amin", "maximum", "minimum", "clamp", "floor", "ceil", "trunc", "round",
    "fmod", "remainder", "sort", "topk", "argsort", "argmax", "argmin", "lt", "gt", "le", "ge",
    "heaviside", "floor_divide", "cummax", "cummin", "relu", "threshold", "hardtanh", "median",
    "kthvalue", "mode", "nan_to_num", "sign", "signbit",
)  # fmt: skip
MATRIX_DTYPES = (*FLOATS, "complex64", "complex128", "int64", "int32", "uint8")


def recipe(*names: str) -> Any:
    def add(f: Recipe) -> Recipe:
        for name in names:
            RECIPES[name] = f
        return f

    return add


def dtype_for(g: Gen, name: str) -> str:
    """A dtype that the op takes, most of the time."""
    if g.chance(0.06):
        return g.dtype()
    if name.startswith(INT_ONLY):
        return g.pick((*INTEGERS[:5], "int64", "int32", "bool"))
    if name.startswith(FLOAT_ONLY):
        return g.dtype(FLOATS)
    if name.rstrip("_") in REAL_ONLY or name.startswith("clamp"):
        return g.weighted((*FLOATS, *INTEGERS[:5]), (40, 20, 6, 6, 12, 6, 2, 2, 4))
    return g.dtype()


# ---- Products -----------------------------------------------------------------------------------


def _matrices(g: Gen, *shapes: tuple[int, ...]) -> list[Tens]:
    dtype = g.dtype(MATRIX_DTYPES)
    return [g.tensor(s, dtype) for s in shapes]


def _sizes(g: Gen, count: int) -> list[int]:
    return [g.weighted((g.size(), 16, 64), (90, 5, 5)) for _ in range(count)]


@recipe("mm")
def _mm(g: Gen) -> dict[str, Any]:
    n, k, m = _sizes(g, 3)
    a, b = _matrices(g, (n, k), (k, m))
    return {"input": a, "mat2": b}


@recipe("bmm")
def _bmm(g: Gen) -> dict[str, Any]:
    n, k, m = _sizes(g, 3)
    b = g.size()
    x, y = _matrices(g, (b, n, k), (b, k, m))
    return {"input": x, "mat2": y}


@recipe("mv")
def _mv(g: Gen) -> dict[str, Any]:
    n, k = _sizes(g, 2)
    a, b = _matrices(g, (n, k), (k,))
    return {"input": a, "vec": b}


@recipe("dot", "vdot", "inner", "kron", "outer", "ger", "matmul")
def _dot(g: Gen) -> dict[str, Any]:
    n, k, m = _sizes(g, 3)
    batch = g.shape(0, 2)
    shapes = g.pick([((n,), (n,)), ((n, k), (k, m)), ((k,), (k, m)), ((n, k), (k,))])
    if g.chance(0.4):
        shapes = ((*batch, n, k), (*g.broadcastable(batch), k, m))
    a, b = _matrices(g, *shapes)
    return {"input": a, "other": b, "tensor": b, "vec2": b}


def _vectors(g: Gen) -> dict[str, Any]:
    n, m = _sizes(g, 2)
    a, b = _matrices(g, (n,), (n,))
    c = g.tensor((m,), a.dtype)
    return {"input": a, "other": b, "tensor": b, "vec2": c}


for _name in ("dot", "vdot", "ger", "outer"):
    RECIPES[_name] = _vectors


@recipe("inner")
def _inner(g: Gen) -> dict[str, Any]:
    k = g.size()
    a, b = _matrices(g, (*g.shape(0, 2), k), (*g.shape(0, 2), k))
    return {"input": a, "other": b}


@recipe("addmm")
def _addmm(g: Gen) -> dict[str, Any]:
    n, k, m = _sizes(g, 3)
    a, b = _matrices(g, (n, k), (k, m))
    c = g.tensor(g.broadcastable((n, m)), a.dtype)
    return {"input": c, "mat1": a, "mat2": b}


@recipe("addmv")
def _addmv(g: Gen) -> dict[str, Any]:
    n, k = _sizes(g, 2)
    a, b, c = _matrices(g, (n, k), (k,), (n,))
    return {"input": c, "mat": a, "vec": b}


@recipe("addr")
def _addr(g: Gen) -> dict[str, Any]:
    n, m = _sizes(g, 2)
    a, b, c = _matrices(g, (n,), (m,), (n, m))
    return {"input": c, "vec1": a, "vec2": b}


@recipe("addbmm", "baddbmm")
def _addbmm(g: Gen) -> dict[str, Any]:
    n, k, m = _sizes(g, 3)
    b = g.size()
    x, y = _matrices(g, (b, n, k), (b, k, m))
    c = g.tensor(g.broadcastable((n, m)), x.dtype)
    return {"input": c, "batch1": x, "batch2": y}


@recipe("linear")
def _linear(g: Gen) -> dict[str, Any]:
    n, k = _sizes(g, 2)
    a, b, c = _matrices(g, (*g.shape(0, 3), k), (n, k), (n,))
    return {"input": a, "weight": b, "bias": c if g.chance(0.6) else None}


@recipe("linear_backward")
def _linear_backward(g: Gen) -> dict[str, Any]:
    n, k = _sizes(g, 2)
    rows = g.size()
    a, b, c = _matrices(g, (rows, n), (rows, k), (n, k))
    return {"grad": a, "input": b, "weight": c, "features": k}


@recipe("bilinear")
def _bilinear(g: Gen) -> dict[str, Any]:
    n, k, m = _sizes(g, 3)
    rows = g.size()
    a, b, w, c = _matrices(g, (rows, k), (rows, m), (n, k, m), (n,))
    return {"input1": a, "input2": b, "weight": w, "bias": c if g.chance(0.5) else None}


@recipe("chain_matmul", "linalg_multi_dot")
def _chain(g: Gen) -> dict[str, Any]:
    sizes = _sizes(g, g.int(3, 5))
    many = _matrices(g, *pairwise(sizes))
    return {"matrices": many, "tensors": many}


@recipe("einsum")
def _einsum(g: Gen) -> dict[str, Any]:
    i, j, k, b = (g.int(0, 4) for _ in range(4))
    equation, shapes = g.pick(
        [
            ("ij,jk->ik", [(i, j), (j, k)]),
            ("bij,bjk->bik", [(b, i, j), (b, j, k)]),
            ("...ij,...jk", [(b, i, j), (j, k)]),
            ("ii->i", [(i, i)]),
            ("ii", [(i, i)]),
            ("i,j,k->ijk", [(i,), (j,), (k,)]),
            ("ij->ji", [(i, j)]),
            ("i->", [(i,)]),
            ("bij,bik,bjk->b", [(b, i, j), (b, i, k), (b, j, k)]),
            ("ij,ij->j", [(i, j), (i, j)]),
        ]
    )
    if g.chance(0.1):
        equation = g.pick(["", "->", "i", "ij,,", "...", "....", "iJ,Jk", "ij->ii", "i j", "1,2"])
    return {"equation": equation, "operands": _matrices(g, *shapes)}


@recipe("tensordot")
def _tensordot(g: Gen) -> dict[str, Any]:
    i, j, k = (g.int(0, 4) for _ in range(3))
    a, b = _matrices(g, (i, j, k), (k, j, i))
    dims: Any = g.pick(
        [([2], [0]), ([1, 2], [1, 0]), ([-1], [0]), ([], []), ([2, 1, 0], [0, 1, 2])]
    )
    return {"a": a, "b": b, "dims": dims}


# ---- Convolution and pooling --------------------------------------------------------------------


def _conv(n: int, transposed: bool = False) -> Recipe:
    def make(g: Gen) -> dict[str, Any]:
        dtype = g.dtype((*FLOATS, "float32", "float64", *COMPLEX, "int64"))
        groups = g.weighted((1, 2, 3), (7, 2, 1))
        cin, cout = groups * g.int(1, 4), groups * g.int(1, 4)
        kernel = tuple(g.int(1, 4) for _ in range(n))
        space = tuple(k + g.int(0, 6) for k in kernel)
        batch = () if g.chance(0.2) else (g.int(0, 3),)
        if transposed:
            weight = g.tensor((cin, cout // groups, *kernel), dtype)
        else:
            weight = g.tensor((cout, cin // groups, *kernel), dtype)
        out: dict[str, Any] = {
            "input": g.tensor((*batch, cin, *space), dtype),
            "weight": weight,
            "bias": g.tensor((cout,), dtype) if g.chance(0.5) else None,
            "stride": _repeat(g, n, 1, 3),
            "padding": _repeat(g, n, 0, 2),
            "dilation": _repeat(g, n, 1, 2) if g.chance(0.3) else 1,
            "output_padding": 0,
            "groups": groups,
        }
        if g.chance(0.08) and not transposed:
            out["padding"] = g.pick(["same", "valid", "half", ""])
            out["stride"] = 1
        return out

    return make


def _repeat(g: Gen, n: int, low: int, high: int) -> Any:
    return g.int(low, high) if g.chance(0.5) else [g.int(low, high) for _ in range(n)]


for _n in (1, 2, 3):
    RECIPES[f"conv{_n}d"] = _conv(_n)
    RECIPES[f"conv_transpose{_n}d"] = _conv(_n, True)


@recipe("convolution")
def _convolution(g: Gen) -> dict[str, Any]:
    n = g.int(1, 3)
    transposed = g.chance(0.4)
    out = _conv(n, transposed)(g)
    if isinstance(out["padding"], str):
        out["padding"] = 0
    for key in ("stride", "padding", "dilation", "output_padding"):
        if isinstance(out[key], int):
            out[key] = [out[key]] * n
    out["transposed"] = transposed
    return out


@recipe("conv_input", "conv_weight")
def _conv_gradients(g: Gen) -> dict[str, Any]:
    out = _convolution(g)
    x, w = out["input"], out["weight"]
    n = len(w.shape) - 2
    if len(x.shape) == n + 1:
        x.shape = (1, *x.shape)
    space = [
        (s + 2 * p - d * (k - 1) - 1) // t + 1
        for s, p, d, k, t in zip(
            x.shape[2:], out["padding"], out["dilation"], w.shape[2:], out["stride"], strict=True
        )
    ]
    grad = g.tensor((x.shape[0], w.shape[0], *(max(s, 0) for s in space)), x.dtype)
    return {**out, "grad": grad, "size": list(x.shape), "kernel": list(w.shape)}


def _pool(n: int) -> Recipe:
    def make(g: Gen) -> dict[str, Any]:
        kernel = [g.int(1, 4) for _ in range(n)]
        space = tuple(k + g.int(0, 6) for k in kernel)
        batch = () if g.chance(0.2) else (g.int(0, 3),)
        x = g.tensor((*batch, g.int(1, 4), *space), g.dtype((*FLOATS, "int64")))
        return {
            "input": x,
            "kernel_size": kernel if g.chance(0.6) else kernel[0],
            "stride": g.pick([None, _repeat(g, n, 1, 3)]),
            "padding": min(min(kernel) // 2, g.int(0, 2)),
            "dilation": 1,
            "output_size": _repeat(g, n, 0, 7),
            "divisor_override": g.pick([None, None, 1, 3, -2]),
        }

    return make


for _n in (1, 2, 3):
    for _kind in ("max", "avg"):
        RECIPES[f"{_kind}_pool{_n}d"] = _pool(_n)
        RECIPES[f"adaptive_{_kind}_pool{_n}d"] = _pool(_n)
    RECIPES[f"max_pool{_n}d_with_indices"] = _pool(_n)


@recipe("max_pool_values")
def _max_pool_values(g: Gen) -> dict[str, Any]:
    n = g.int(1, 3)
    out = _pool(n)(g)
    for key, value in (("kernel_size", 2), ("padding", 0), ("dilation", 1), ("stride", 2)):
        out[key] = [value] * n
    return out


@recipe("avg_pool_backward", "adaptive_avg_pool_backward", "pool_scatter", "pool_gather")
def _pool_gradients(g: Gen) -> dict[str, Any]:
    n, c = g.int(1, 3), g.int(1, 3)
    h, w = g.int(1, 4), g.int(1, 4)
    grad = g.tensor((n, c, h, w), "float32")
    size = [n, c, 2 * h, 2 * w]
    return {
        "grad": grad,
        "input": g.tensor(tuple(size), "float32"),
        "indices": g.index((n, c, h, w), 4 * h * w, "int64"),
        "size": size,
        "dims": 2,
        "kernel_size": [2, 2],
        "stride": [2, 2],
        "padding": [0, 0],
    }


# ---- Norms and losses ---------------------------------------------------------------------------


@recipe("batch_norm", "batch_norm_eval", "batch_norm_train", "batch_norm_train_backward")
def _batch_norm(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    c = g.int(1, 5)
    shape = (g.int(0, 4), c, *g.shape(0, 3))
    maybe = [g.tensor((c,), dtype) if g.chance(0.7) else None for _ in range(2)]
    var = g.tensor((c,), dtype, "unit")
    return {
        "input": g.tensor(shape, dtype), "grad": g.tensor(shape, dtype),
        "weight": maybe[0], "bias": maybe[1],
        "running_mean": g.tensor((c,), dtype), "running_var": var,
        "mean": g.tensor((c,), dtype), "var": var,
        "training": g.chance(0.5), "momentum": 0.1, "eps": 1e-5,
    }  # fmt: skip


@recipe("layer_norm", "rms_norm", "layer_norm_backward")
def _layer_norm(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    tail = g.shape(1, 2)
    shape = (*g.shape(0, 2), *tail)
    maybe = [g.tensor(tail, dtype) if g.chance(0.6) else None for _ in range(2)]
    x = g.tensor(shape, dtype)
    return {
        "input": x, "grad": g.tensor(shape, dtype), "normalized_shape": list(tail),
        "weight": maybe[0], "bias": maybe[1], "count": len(tail), "eps": 1e-5,
    }  # fmt: skip


@recipe("group_norm", "group_norm_backward")
def _group_norm(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    groups = g.int(1, 3)
    c = groups * g.int(1, 3)
    shape = (g.int(0, 3), c, *g.shape(0, 2))
    maybe = [g.tensor((c,), dtype) if g.chance(0.6) else None for _ in range(2)]
    return {
        "input": g.tensor(shape, dtype), "grad": g.tensor(shape, dtype), "num_groups": groups,
        "weight": maybe[0], "bias": maybe[1], "eps": 1e-5,
    }  # fmt: skip


@recipe("nll_loss", "cross_entropy_loss", "_nll_loss", "_cross_entropy", "nll_loss_backward")
def _nll(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    n, c = g.int(0, 6), g.int(1, 8)
    space = g.shape(0, 2)
    x = g.tensor((n, c, *space), dtype)
    target = g.index((n, *space), c, "int64")
    if g.chance(0.2):
        x, target = g.tensor((c,), dtype), g.index((), c, "int64")
    return {
        "input": x, "target": target, "grad": g.tensor((), dtype),
        "weight": g.tensor((c,), dtype, "unit") if g.chance(0.3) else None,
        "reduction": g.int(0, 2), "ignore_index": g.pick([-100, 0, 1, -1]),
        "label_smoothing": g.pick([0.0, 0.0, 0.1, 1.0]),
        "total_weight": g.tensor((), dtype, "one"),
    }  # fmt: skip


@recipe("cross_entropy_backward")
def _cross_entropy_backward(g: Gen) -> dict[str, Any]:
    out = _nll(g)
    x = out["input"]
    return {**out, "lse": g.tensor(out["target"].shape, x.dtype)}


# ---- Indices ------------------------------------------------------------------------------------


def _along(g: Gen, low: int = 1) -> tuple[Tens, int, int]:
    """A tensor, one of its dimensions, and the size there."""
    x = g.tensor(g.full_shape(low, 4) if g.chance(0.9) else g.shape(low, 4))
    d = g.dim(len(x.shape))
    return x, d, x.shape[d] if x.shape else 1


@recipe("gather", "take_along_dim")
def _gather(g: Gen) -> dict[str, Any]:
    x, d, n = _along(g)
    shape = [g.int(0, s) for s in x.shape]
    if shape:
        shape[d] = g.size()
    index = g.index(tuple(shape), n, "int64")
    along = list(x.shape)
    if along:
        along[d] = g.size()
    return {"input": x, "dim": d, "index": index, "indices": g.index(tuple(along), n, "int64")}


@recipe("scatter", "scatter_add", "scatter_reduce")
def _scatter(g: Gen) -> dict[str, Any]:
    x, d, n = _along(g)
    shape = [g.int(0, s) for s in x.shape]
    if shape:
        shape[d] = g.size()
    src = tuple(s + g.int(0, 2) for s in shape)
    return {
        "input": x, "dim": d, "index": g.index(tuple(shape), n, "int64"),
        "src": g.tensor(src, x.dtype), "value": g.number(), "reduce": _reduction(g),
    }  # fmt: skip


def _reduction(g: Gen) -> str:
    return g.pick(["sum", "prod", "mean", "amax", "amin", "add", "multiply", "max"])


@recipe("index_add", "index_copy", "index_reduce", "index_fill", "index_select")
def _index_along(g: Gen) -> dict[str, Any]:
    x, d, n = _along(g, g.pick([0, 1, 1, 1]))
    count = g.size() if x.shape else 1
    shape = list(x.shape)
    if shape:
        shape[d] = count
    return {
        "input": x, "dim": d, "index": g.index((count,), n),
        "source": g.tensor(tuple(shape), x.dtype), "value": g.number(),
        "reduce": g.pick(["prod", "mean", "amax", "amin"]),
    }  # fmt: skip


@recipe("index", "index_put", "_index_put")
def _index(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(1, 4))
    shape = g.shape(0, 2)
    indices: list[Any] = []
    for n in x.shape[: g.int(1, len(x.shape))]:
        kind = g.random.random()
        if kind < 0.2:
            indices.append(None)
        elif kind < 0.8:
            indices.append(g.index(g.broadcastable(shape), n, "int64"))
        else:
            indices.append(g.tensor((n,), "bool"))
    return {"input": x, "indices": indices, "values": g.tensor((1,), x.dtype)}


@recipe("take", "put")
def _take(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape())
    index = g.index(g.shape(), product(x.shape), "int64")
    return {"input": x, "index": index, "source": g.tensor(index.shape, x.dtype)}


@recipe("masked_fill", "masked_select", "masked_scatter", "where")
def _masked(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape())
    mask = g.tensor(g.broadcastable(x.shape), "bool")
    value: Any = g.number() if g.chance(0.6) else g.tensor((), x.dtype)
    return {
        "input": x, "mask": mask, "value": value, "condition": mask,
        "source": g.tensor((product(x.shape),), x.dtype),
        "other": g.tensor(g.broadcastable(x.shape), x.dtype) if g.chance(0.6) else g.number(),
    }  # fmt: skip


@recipe("embedding", "embedding_backward", "embed")
def _embedding(g: Gen) -> dict[str, Any]:
    n, m = g.int(1, 9), g.int(0, 6)
    indices = g.index(g.shape(0, 3), n)
    return {
        "weight": g.tensor((n, m), g.dtype(FLOATS)), "indices": indices,
        "grad": g.tensor((*indices.shape, m), "float32"), "rows": n,
        "padding_idx": g.pick([-1, 0, n - 1]), "scale_grad_by_freq": g.chance(0.3),
        "input": g.tensor((n, m)), "size": [n + 1, m + 1], "stride": [m + 1, 1], "offset": 0,
    }  # fmt: skip


@recipe("multinomial")
def _multinomial(g: Gen) -> dict[str, Any]:
    n = g.int(1, 8)
    x = g.tensor((*g.full_shape(0, 1), n), g.dtype(FLOATS), "unit")
    return {"input": x, "num_samples": g.int(1, n), "replacement": g.chance(0.5)}


@recipe("repeat_interleave")
def _repeat_interleave(g: Gen) -> dict[str, Any]:
    x, d, n = _along(g)
    repeats: Any = g.int(0, 4)
    if g.chance(0.5):
        repeats = g.index((n,), 4, "int64")
        return {"input": x, "repeats": repeats, "dim": d, "output_size": None}
    return {"input": x, "repeats": repeats, "dim": g.pick([None, d]), "output_size": None}


# ---- Shapes -------------------------------------------------------------------------------------


@recipe("view", "reshape", "_unsafe_view")
def _view(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape(), layout=None if g.chance(0.3) else "c")
    shape = list(g.factors(product(x.shape)))
    if g.chance(0.3) and product(shape):
        shape[g.int(0, len(shape) - 1)] = -1
    if g.chance(0.1):
        return {"input": x, "dtype": Raw(f"kagari.{g.dtype()}")}
    return {"input": x, "size": shape, "shape": shape}


@recipe("expand", "broadcast_to", "repeat", "tile")
def _expand(g: Gen) -> dict[str, Any]:
    shape = list(g.shape())
    x = g.tensor(tuple(1 if g.chance(0.3) else s for s in shape))
    size = [*g.shape(0, 1), *shape]
    return {"input": x, "size": size, "repeats": [g.int(0, 3) for _ in size], "dims": [2, 1]}


@recipe("permute")
def _permute(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape())
    order = list(range(len(x.shape)))
    g.random.shuffle(order)
    return {"input": x, "dims": [d - len(order) if g.chance(0.2) else d for d in order]}


@recipe("movedim", "moveaxis")
def _movedim(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape(1, 4))
    n = len(x.shape)
    if g.chance(0.5):
        return {"input": x, "source": g.dim(n), "destination": g.dim(n)}
    k = g.int(0, n)
    pick = g.random.sample
    return {"input": x, "source": pick(range(n), k), "destination": pick(range(n), k)}


@recipe("as_strided")
def _as_strided(g: Gen) -> dict[str, Any]:
    x = g.tensor((64,), layout="c" if g.chance(0.8) else None)
    n = g.int(0, 3)
    size = [g.int(0, 3) for _ in range(n)]
    stride = [g.int(0, 8) for _ in range(n)]
    return {"input": x, "size": size, "stride": stride, "storage_offset": g.pick([None, 0, 3, 8])}


@recipe("narrow", "select", "slice", "unfold", "split", "chunk", "split_with_sizes", "unflatten")
def _parts(g: Gen) -> dict[str, Any]:
    x, d, n = _along(g)
    start = g.int(0, n)
    sections = [start, n - start]
    return {
        "input": x, "tensor": x, "dim": d, "dimension": d, "start": start,
        "length": g.int(0, n - start), "index": g.int(-n, max(n - 1, -n)), "end": g.pick([None, n]),
        "step": g.int(1, 3), "chunks": g.int(1, 4), "split_sizes": sections,
        "split_size": sections if g.chance(0.3) else g.int(1, 4),
        "split_size_or_sections": sections if g.chance(0.3) else g.int(1, 4),
        "size": g.int(0, n), "sizes": list(g.factors(n)),
    }  # fmt: skip


@recipe("tensor_split")
def _tensor_split(g: Gen) -> dict[str, Any]:
    x, d, _ = _along(g)
    return {
        "input": x, "dim": d, "sections": g.int(1, 5), "indices": [0, 2, g.int(-2, 4)],
        "tensor_indices_or_sections": Tens((2,), "int64", "small"),
    }  # fmt: skip


@recipe("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack")
def _cat(g: Gen) -> dict[str, Any]:
    shape = g.shape(1, 4)
    d = g.dim(len(shape))
    many = []
    dtype = g.dtype()
    for _ in range(g.int(1, 4)):
        own = list(shape)
        if g.chance(0.3):
            own[d] = g.size()
        many.append(g.tensor(tuple(own), dtype if g.chance(0.8) else None))
    return {"tensors": many, "dim": d}


@recipe("meshgrid", "broadcast_tensors", "cartesian_prod", "block_diag", "atleast_1d")
def _tensors(g: Gen) -> dict[str, Any]:
    shape = g.shape()
    if g.chance(0.5):
        return {"tensors": [g.tensor(g.shape(0, 1), "float32") for _ in range(g.int(1, 4))]}
    return {"tensors": [g.tensor(g.broadcastable(shape)) for _ in range(g.int(1, 3))]}


@recipe("constant_pad_nd")
def _pad(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape(1, 4))
    return {
        "input": x,
        "pad": [g.int(-1, 3) for _ in range(2 * g.int(0, len(x.shape)))],
        "value": g.number(),
    }


@recipe("tril", "triu", "fliplr", "flipud", "diagonal", "rot90", "trace", "adjoint")
def _planes(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape(2, 4))
    a, b = g.random.sample(range(len(x.shape)), 2)
    k = g.int(-3, 3)
    return {"input": x, "diagonal": k, "offset": k, "dim1": a, "dim2": b, "k": k, "dims": [a, b]}


@recipe("flatten")
def _flatten(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.shape())
    a, b = sorted(g.int(0, max(len(x.shape) - 1, 0)) for _ in range(2))
    return {"input": x, "start_dim": a, "end_dim": b}


@recipe("t")
def _t(g: Gen) -> dict[str, Any]:
    return {"input": g.tensor(g.shape(0, 2))}


@recipe("view_as_complex")
def _view_as_complex(g: Gen) -> dict[str, Any]:
    return {"input": g.tensor((*g.shape(0, 3), 2), g.pick(FLOATS), layout="c")}


@recipe("view_as_real", "imag")
def _view_as_real(g: Gen) -> dict[str, Any]:
    return {"input": g.tensor(g.shape(), g.pick(COMPLEX))}


@recipe("bernoulli")
def _bernoulli(g: Gen) -> dict[str, Any]:
    return {"input": g.tensor(g.shape(), g.dtype(FLOATS), "unit"), "p": g.pick([0.0, 0.5, 1.0])}


@recipe("_fused_adam_", "_fused_adamw_", "_fused_sgd_")
def _fused(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS[:2])
    shapes = [g.shape() for _ in range(g.int(0, 3))]

    def many(values: str = "normal") -> list[Tens]:
        return [g.tensor(s, dtype, values, "c") for s in shapes]

    return {
        "self": many(), "grads": many(), "exp_avgs": many(), "exp_avg_sqs": many("unit"),
        "max_exp_avg_sqs": many("unit") if g.chance(0.5) else [], "momentum_buffer_list": many(),
        "state_steps": [Tens((), "float32", "one") for _ in shapes], "lr": 0.1, "beta1": 0.9,
        "beta2": 0.99, "weight_decay": 0.01, "eps": 1e-8, "amsgrad": False, "momentum": 0.9,
        "dampening": 0.0, "maximize": False, "nesterov": g.chance(0.3), "is_first_step": False,
        "grad_scale": None, "found_inf": None,
    }  # fmt: skip
