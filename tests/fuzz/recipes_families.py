"""Recipes of the families: linear algebra, transforms, recurrent nets, sorting, resizing, sampling, bags and statistics."""

from __future__ import annotations

from typing import Any

from fuzz.model import COMPLEX, FLOATS, INTEGERS, Gen, Raw, Tens, product
from fuzz.recipes import RECIPES, recipe

LAPACK = ("float32", "float64", "complex64", "complex128")
REALS = (*FLOATS, "float32", "float64", "int64", "int32", "uint8")


# ---- Linear algebra -----------------------------------------------------------------------------


def _matrix(g: Gen, *tail: int, dtype: str = "", batch: tuple[int, ...] | None = None) -> Tens:
    batch = g.shape(0, 2) if batch is None else batch
    return g.tensor((*batch, *tail), dtype or g.dtype(LAPACK))


def _order(g: Gen) -> Any:
    return g.pick((None, 2, 1, -1, -2, float("inf"), "fro", "nuc"))


@recipe(
    "linalg_cholesky", "linalg_cholesky_ex", "linalg_det", "linalg_eig", "linalg_eigh", "linalg_eigvals",
    "linalg_eigvalsh", "linalg_inv", "linalg_inv_ex", "linalg_ldl_factor", "linalg_ldl_factor_ex",
    "linalg_matrix_exp", "linalg_matrix_power", "linalg_slogdet", "_linalg_cholesky_ex", "_linalg_det",
    "_linalg_eig", "_linalg_eigh", "_linalg_inv_ex", "_linalg_ldl_factor_ex", "cholesky",
    "cholesky_inverse", "det", "inverse", "logdet", "matrix_exp", "matrix_power", "slogdet",
)  # fmt: skip
def _square(g: Gen) -> dict[str, Any]:
    n = g.size()
    x = _matrix(g, n, n)
    return {
        "input": x, "A": x, "n": g.int(-2, 5), "UPLO": g.pick("LU"), "upper": g.chance(0.5),
        "hermitian": g.chance(0.5), "check_errors": g.chance(0.2), "compute_v": g.chance(0.5),
    }  # fmt: skip


@recipe(
    "linalg_cond", "linalg_lu", "linalg_lu_factor", "linalg_lu_factor_ex", "linalg_matrix_norm",
    "linalg_matrix_rank", "linalg_norm", "linalg_pinv", "linalg_qr", "linalg_svd", "linalg_svdvals",
    "linalg_diagonal", "_linalg_lu_factor_ex", "_linalg_qr", "_linalg_svd", "geqrf", "lu", "pinverse",
    "qr", "svd", "svd_lowrank", "pca_lowrank",
)  # fmt: skip
def _any_matrix(g: Gen) -> dict[str, Any]:
    n, m = g.size(), g.size()
    m = n if g.chance(0.4) else m
    x = _matrix(g, n, m)
    tolerance = g.pick((0.0, 1e-5, 0.5))
    return {
        "input": x, "A": x, "mode": g.pick(("reduced", "complete", "r")), "driver": None, "dim": [-2, -1],
        "p": _order(g), "ord": _order(g), "rcond": tolerance, "atol": tolerance, "rtol": tolerance,
        "tol": tolerance, "pivot": g.chance(0.8), "hermitian": n == m and g.chance(0.3),
        "q": g.int(0, min(n, m)), "niter": g.int(0, 3), "M": None, "dtype": None, "offset": g.int(-3, 3),
        "dim1": -2, "dim2": -1,
    }  # fmt: skip


@recipe("_linalg_pinv_of")
def _pinv_of(g: Gen) -> dict[str, Any]:
    n, m = g.size(), g.size()
    x = _matrix(g, n, m)
    return {"A": x, "P": g.tensor((*x.shape[:-2], m, n), x.dtype)}


@recipe(
    "linalg_solve", "linalg_solve_ex", "linalg_solve_triangular", "_linalg_solve_ex", "cholesky_solve",
    "triangular_solve", "linalg_lu_solve", "lu_solve", "linalg_ldl_solve",
)  # fmt: skip
def _solve(g: Gen) -> dict[str, Any]:
    n, k = g.size(), g.size()
    a = _matrix(g, n, n)
    b = g.tensor((*g.broadcastable(a.shape[:-2]), n, k), a.dtype)
    # The older names have the right-hand sides first.
    pivots = Tens(a.shape[:-1], "int32", "one", "c")
    return {
        "A": a, "B": b, "LU": a, "LD": a, "LU_data": a, "LU_pivots": pivots, "pivots": pivots, "input2": a,
        "left": True, "upper": g.chance(0.5), "adjoint": g.chance(0.5), "transpose": g.chance(0.5),
        "unitriangular": g.chance(0.3), "hermitian": g.chance(0.3), "input": b, "check_errors": False,
    }  # fmt: skip


def _triangular(g: Gen) -> dict[str, Any]:
    given = _solve(g)
    return {**given, "input": given["A"]}


RECIPES["linalg_solve_triangular"] = _triangular


@recipe("lu_unpack", "_linalg_pivots_to_rows")
def _unpack(g: Gen) -> dict[str, Any]:
    n, m = g.int(0, 6), g.int(0, 6)
    a = _matrix(g, n, m)
    pivots = Tens((*a.shape[:-2], min(n, m)), "int32", "one", "c")
    return {"LU_data": a, "LU_pivots": pivots, "pivots": pivots, "rows": n}


@recipe("linalg_lstsq", "_linalg_lstsq")
def _lstsq(g: Gen) -> dict[str, Any]:
    n, m, k = g.size(), g.size(), g.size()
    a = _matrix(g, n, m)
    b = g.tensor((*a.shape[:-2], n, k), a.dtype)
    rcond = g.pick((1e-5, 0.0, 0.5))
    return {
        "input": a, "A": a, "b": b, "B": b, "rcond": rcond,
        "driver": g.pick((None, "gelsy", "gels", "gelsd", "gelss")),
    }  # fmt: skip


@recipe("linalg_householder_product", "orgqr", "ormqr")
def _householder(g: Gen) -> dict[str, Any]:
    n, k = g.int(0, 7), g.int(1, 5)
    m = g.int(0, n)
    a = _matrix(g, n, m)
    tau = g.tensor((*a.shape[:-2], g.int(0, m)), a.dtype)
    return {
        "input": a, "tau": tau, "input2": tau, "input3": g.tensor((*a.shape[:-2], n, k), a.dtype),
        "left": True, "transpose": g.chance(0.5),
    }  # fmt: skip


@recipe("linalg_cross", "cross", "linalg_vecdot")
def _cross(g: Gen) -> dict[str, Any]:
    shape = (*g.shape(0, 2), 3)
    x, y = g.tensor(shape), g.tensor(shape)
    y.dtype = x.dtype
    return {"input": x, "other": y, "x": x, "y": y, "dim": -1}


@recipe("linalg_matmul")
def _matmul(g: Gen) -> dict[str, Any]:
    return RECIPES["matmul"](g)


@recipe("linalg_tensorinv", "linalg_tensorsolve")
def _tensors(g: Gen) -> dict[str, Any]:
    n, m = g.int(1, 4), g.int(1, 4)
    x = g.tensor((n, m, n * m), g.dtype(LAPACK))
    return {"input": x, "ind": 2, "other": g.tensor((n, m), x.dtype), "dims": None}


@recipe("linalg_vander", "vander")
def _vander(g: Gen) -> dict[str, Any]:
    return {"x": g.tensor((g.size(),)), "N": g.int(0, 6)}


@recipe("linalg_vector_norm", "norm", "dist", "renorm")
def _norm(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(1, 4), g.dtype((*FLOATS, *COMPLEX)))
    p = g.pick((2, 1, 0, 3.5, float("inf"), -1))
    return {
        "input": x, "ord": p, "p": p if p != 0 else 2, "dim": g.dim(len(x.shape)), "dtype": None,
        "other": g.tensor(g.broadcastable(x.shape), x.dtype), "maxnorm": g.pick((0.5, 1, 5)),
    }  # fmt: skip


@recipe("cdist", "pdist")
def _distances(g: Gen) -> dict[str, Any]:
    n, m, k = g.size(), g.size(), g.size()
    batch = g.shape(0, 2)
    dtype = g.dtype(("float32", "float64"))
    x = g.tensor((*batch, n, k), dtype)
    y = g.tensor((*g.broadcastable(batch), m, k), dtype)
    mode = g.pick(("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"))
    return {
        "x1": x, "x2": y, "input": g.tensor((n, k), dtype), "p": g.pick((2.0, 1.0, 0.0, 3.0, float("inf"))),
        "compute_mode": mode,
    }  # fmt: skip


# ---- Transforms ---------------------------------------------------------------------------------

_FFT = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")


@recipe(
    *(f"fft_{name}{end}" for name in _FFT for end in ("", "2", "n")),
    "fft_fftshift",
    "fft_ifftshift",
)
def _fft(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(2, 4), g.dtype(("float32", "float64", "float32", *COMPLEX, "int64")))
    n = len(x.shape)
    dims = g.random.sample(range(-n, 0), g.int(1, 2))
    dim: Any = g.dim(n)
    return {
        "input": x, "n": g.pick((None, g.int(1, 12))), "norm": g.pick((None, "ortho", "forward", "backward")),
        "s": [g.int(1, 12) for _ in dims] if g.chance(0.4) else None, "dim": dim,
    } | {"dims": dims}  # fmt: skip


def _real_input(make: Any) -> Any:
    def real(g: Gen) -> dict[str, Any]:
        given: dict[str, Any] = make(g)
        if given["input"].dtype in COMPLEX:
            given["input"].dtype = "float64"
        return given

    return real


def _several_dims(make: Any) -> Any:
    def several(g: Gen) -> dict[str, Any]:
        given: dict[str, Any] = make(g)
        return {**given, "dim": given["dims"]}

    return several


for _name in _FFT:
    _one = _real_input(_fft) if _name in ("rfft", "ihfft") else _fft
    RECIPES[f"fft_{_name}"] = _one
    RECIPES[f"fft_{_name}2"] = RECIPES[f"fft_{_name}n"] = _several_dims(_one)


@recipe("stft")
def _stft(g: Gen) -> dict[str, Any]:
    n = g.int(1, 16)
    dtype = g.dtype(("float32", "float64", "complex64"))
    x = g.tensor((*g.full_shape(0, 1), g.int(2 * n, 40)), dtype)
    window = g.tensor((n,), "float64" if dtype == "float64" else "float32", "unit")
    return {
        "input": x, "n_fft": n, "hop_length": g.pick((None, g.int(1, 5))), "win_length": None,
        "window": g.pick((None, window)), "pad_mode": g.pick(("reflect", "constant", "replicate")),
        "onesided": None if dtype == "complex64" else g.chance(0.5), "return_complex": True,
        "align_to_window": None,
    }  # fmt: skip


@recipe("istft")
def _istft(g: Gen) -> dict[str, Any]:
    half, frames = g.int(2, 8), g.int(2, 9)
    x = g.tensor((*g.full_shape(0, 1), half + 1, frames), g.pick(COMPLEX))
    return {
        "input": x, "n_fft": 2 * half, "hop_length": None, "win_length": None, "window": None,
        "center": True, "onesided": True, "length": None, "return_complex": False,
    }  # fmt: skip


@recipe(
    "bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window", "fft_fftfreq",
    "fft_rfftfreq", "randperm", "eye", "linspace", "logspace", "arange", "tril_indices", "triu_indices",
    "randint", "normal",
)  # fmt: skip
def _made(g: Gen) -> dict[str, Any]:
    start = g.int(-3, 3)
    length = g.int(1, 20)
    given: dict[str, Any] = {
        "window_length": length, "n": length, "m": g.int(1, 9), "d": 0.5, "steps": length, "start": start,
        "end": start + length, "step": g.pick((1, 2, 0.5)), "row": g.int(1, 6), "col": g.int(1, 6),
        "offset": g.int(-2, 2), "low": start, "high": start + length, "size": list(g.full_shape()),
        "layout": Raw("kagari.strided"), "device": "cpu", "pin_memory": None, "requires_grad": None,
        "dtype": None, "alpha": 0.5, "beta": g.pick((0.46, 8.0)), "base": 2.0,
    }  # fmt: skip
    return given


def _normal(g: Gen) -> dict[str, Any]:
    given = _made(g)
    x = g.tensor(g.full_shape(), g.dtype(FLOATS), "unit")
    mean: Any = x if g.chance(0.4) else 0.5
    std: Any = Tens(x.shape, x.dtype, "one", "c") if g.chance(0.4) else 1.5
    return {**given, "input": x, "mean": mean, "std": std}


RECIPES["normal"] = _normal


# ---- Recurrent nets -----------------------------------------------------------------------------

_GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


def _rnn(mode: str) -> Any:
    def make(g: Gen) -> dict[str, Any]:
        layers, ways = g.int(1, 2), g.int(1, 2)
        t, b, n, h = g.int(1, 4), g.pick((1, 1, 2, 3)), g.int(1, 5), g.int(1, 5)
        dtype = g.dtype(("float32", "float64"))
        biases, first = g.chance(0.7), g.chance(0.5)
        params: list[Tens] = []
        for layer in range(layers):
            for _ in range(ways):
                wide = n if layer == 0 else h * ways
                rows = _GATES[mode] * h
                shapes: list[tuple[int, ...]] = [(rows, wide), (rows, h)]
                params += [
                    g.tensor(s, dtype) for s in (*shapes, *(((rows,),) * 2 if biases else ()))
                ]
        states = [g.tensor((layers * ways, b, h), dtype) for _ in range(2)]
        return {
            "input": g.tensor((b, t, n) if first else (t, b, n), dtype), "params": params,
            "hx": states if mode == "lstm" else states[0], "has_biases": biases, "num_layers": layers,
            "dropout": g.pick((0.0, 0.0, 0.5)), "train": g.chance(0.5), "bidirectional": ways == 2,
            "batch_first": first, "data": g.tensor((t, n), dtype),
            "batch_sizes": Tens((t,), "int64", "one", "c"),
        }  # fmt: skip

    return make


def _cell(mode: str) -> Any:
    def make(g: Gen) -> dict[str, Any]:
        b, n, h = g.int(0, 4), g.int(1, 5), g.int(1, 5)
        dtype = g.dtype(("float32", "float64"))
        states = [g.tensor((b, h), dtype) for _ in range(2)]
        rows = _GATES[mode] * h
        biases = [g.tensor((rows,), dtype) for _ in range(2)] if g.chance(0.6) else [None, None]
        return {
            "input": g.tensor((b, n), dtype), "hx": states if mode == "lstm" else states[0],
            "w_ih": g.tensor((rows, n), dtype), "w_hh": g.tensor((rows, h), dtype),
            "b_ih": biases[0], "b_hh": biases[1],
        }  # fmt: skip

    return make


for _name in _GATES:
    RECIPES[_name] = _rnn(_name)
    RECIPES[f"{_name}_cell"] = _cell(_name)


# ---- Order and statistics -----------------------------------------------------------------------


@recipe("topk", "kthvalue", "sort", "argsort", "mode", "median", "nanmedian", "msort")
def _sorted(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(1, 4), g.dtype(REALS))
    d = g.dim(len(x.shape))
    return {"input": x, "dim": d, "k": g.int(1, x.shape[d])}


@recipe("quantile", "nanquantile")
def _quantile(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(1, 3), g.dtype(("float32", "float64")))
    q: Any = g.pick((0.0, 0.3, 1.0)) if g.chance(0.5) else g.tensor((2,), x.dtype, "unit")
    way = g.pick(("linear", "lower", "higher", "midpoint", "nearest"))
    return {
        "input": x, "q": q, "dim": g.pick((None, g.dim(len(x.shape)))),
        "interpolation": way,
    }  # fmt: skip


@recipe("searchsorted", "bucketize")
def _searchsorted(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(REALS)
    edges = g.tensor((g.size(),), dtype, "one")
    x = g.tensor(g.shape(), dtype)
    return {
        "sorted_sequence": edges, "boundaries": edges, "input": x if g.chance(0.8) else 0.5, "sorter": None,
        "side": None,
    }  # fmt: skip


@recipe("bincount", "histc", "histogram", "histogramdd")
def _histogram(g: Gen) -> dict[str, Any]:
    n = g.size()
    x = g.tensor((n,), g.dtype(("float32", "float64")))
    return {
        "input": x, "bins": g.int(1, 9), "min": g.pick((0, -2)), "max": g.pick((0, 3)), "range": None,
        "weight": g.tensor((n,), x.dtype, "unit") if g.chance(0.4) else None,
    }  # fmt: skip


def _bincount(g: Gen) -> dict[str, Any]:
    x = g.index((g.size(),), 9, "int64")
    return {
        "input": x, "weights": g.tensor(x.shape, "float64") if g.chance(0.5) else None,
        "minlength": g.int(0, 12),
    }  # fmt: skip


RECIPES["bincount"] = _bincount


def _histogramdd(g: Gen) -> dict[str, Any]:
    n, d = g.int(1, 7), g.int(1, 3)
    x = g.tensor((n, d), g.dtype(("float32", "float64")))
    return {
        "input": x, "bins": g.pick((3, [g.int(1, 4) for _ in range(d)])), "range": None,
        "weight": g.tensor((n,), x.dtype, "unit") if g.chance(0.4) else None,
    }  # fmt: skip


RECIPES["histogramdd"] = _histogramdd


@recipe("unique", "unique_consecutive", "unique_dim", "_unique2", "_unique_consecutive", "isin")
def _unique(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(1, 3), g.dtype(REALS), "small")
    y = g.tensor(g.full_shape(0, 2), x.dtype, "small")
    return {
        "input": x, "dim": g.dim(len(x.shape)), "elements": x, "test_elements": y, "test_element": 1,
        "element": 1,
    }  # fmt: skip


@recipe("cov", "corrcoef")
def _cov(g: Gen) -> dict[str, Any]:
    n, m = g.int(1, 4), g.int(2, 7)
    return {
        "input": g.tensor((n, m), g.dtype(FLOATS)), "correction": g.int(0, 1),
        "fweights": Tens((m,), "int64", "one", "c") if g.chance(0.4) else None,
        "aweights": g.tensor((m,), "float32", "unit") if g.chance(0.4) else None,
    }  # fmt: skip


@recipe("diff", "gradient", "trapezoid", "trapz", "cumulative_trapezoid")
def _differences(g: Gen) -> dict[str, Any]:
    n = g.int(3, 8)
    x = g.tensor((*g.full_shape(0, 2), n), g.dtype(REALS))
    return {
        "input": x, "y": x, "x": g.tensor((n,), x.dtype), "dim": -1, "n": g.int(0, 3), "edge_order": 1,
        "prepend": None, "append": None, "spacing": g.pick((None, 1, 0.5)), "dx": g.pick((1.0, 0.5)),
    }  # fmt: skip


@recipe("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "logsumexp", "special_logsumexp",
        "softmax", "log_softmax", "special_softmax", "special_log_softmax", "_safe_softmax",
        "softmax_backward", "_softmax_backward_data", "_linear_recurrence", "std", "var", "std_mean",
        "var_mean", "aminmax", "max", "min", "amax", "amin", "argmax", "argmin", "nanmean")  # fmt: skip
def _along(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(1, 4), g.dtype(FLOATS))
    y = g.tensor(x.shape, x.dtype)
    name = x.dtype
    return {
        "input": x, "grad": x, "grad_output": x, "output": y, "other": y, "decay": y,
        "dim": g.dim(len(x.shape)), "dtype": g.pick((None, Raw("kagari.float64"))),
        "input_dtype": Raw(f"kagari.{name}"), "correction": g.pick((None, 0, 1, 2)),
    }  # fmt: skip


# ---- Pieces and copies --------------------------------------------------------------------------


@recipe("select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter")
def _put_back(g: Gen) -> dict[str, Any]:
    n, m, k = g.int(1, 5), g.int(1, 5), g.int(1, 4)
    x = g.tensor((n, m, k), layout="c")
    return {
        "input": x, "dim": 1, "index": g.int(0, m - 1), "src": g.tensor((n, k), x.dtype),
        "start": 0, "end": None, "step": 1, "offset": 0, "dim1": 0, "dim2": 1,
        "size": [n, k], "stride": [m * k, 1], "storage_offset": 0,
    }  # fmt: skip


def _slice_scatter(g: Gen) -> dict[str, Any]:
    given = _put_back(g)
    n, m, k = given["input"].shape
    start, step = g.int(0, m - 1), g.int(1, 2)
    src = g.tensor((n, len(range(start, m, step)), k), given["input"].dtype)
    return {**given, "start": start, "step": step, "src": src}


def _diagonal_scatter(g: Gen) -> dict[str, Any]:
    given = _put_back(g)
    n, m, k = given["input"].shape
    return {**given, "src": g.tensor((k, min(n, m)), given["input"].dtype)}


RECIPES["slice_scatter"] = _slice_scatter
RECIPES["diagonal_scatter"] = _diagonal_scatter


@recipe(
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "_chunk_cat",
    "hsplit",
    "vsplit",
    "dsplit",
)
def _pieces(g: Gen) -> dict[str, Any]:
    n = g.int(1, 4)
    x = g.tensor((2 * n, 2 * n, 2 * n))
    return {
        "input": x, "tensors": [g.tensor((n, 2), "float32") for _ in range(2)], "chunks": n, "num_chunks": n,
        "dim": 0, "split_size": n, "split_sizes": [n, n], "sections": 2, "indices": [1, n],
    }  # fmt: skip


@recipe("column_stack", "row_stack", "atleast_2d", "atleast_3d")
def _stacks(g: Gen) -> dict[str, Any]:
    shape = g.full_shape(1, 3)
    return {"tensors": [g.tensor(shape) for _ in range(g.int(1, 3))], "input": g.tensor(shape)}


@recipe("combinations", "diag", "diagflat", "diag_embed")
def _vector(g: Gen) -> dict[str, Any]:
    return {
        "input": g.tensor((g.int(1, 6),)), "r": g.int(1, 3), "diagonal": g.int(-2, 2),
        "offset": g.int(-2, 2), "dim1": -2, "dim2": -1,
    }  # fmt: skip


@recipe("sum_to_size", "roll", "flip", "unravel_index", "squeeze", "unsqueeze")
def _shaped(g: Gen) -> dict[str, Any]:
    shape = g.full_shape(1, 4)
    x = g.tensor(shape)
    d = g.dim(len(shape))
    size = [1 if g.chance(0.5) else s for s in shape]
    return {"input": x, "size": size, "shifts": g.int(-3, 3), "dims": d, "dim": d}


def _unravel(g: Gen) -> dict[str, Any]:
    shape = g.full_shape(1, 3)
    return {"indices": g.index(g.full_shape(0, 2), product(shape), "int64"), "shape": list(shape)}


RECIPES["unravel_index"] = _unravel


@recipe("complex", "polar")
def _complex(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(), g.pick(("float32", "float64")))
    y = g.tensor(g.broadcastable(x.shape), x.dtype)
    return {"real": x, "imag": y, "abs": x, "angle": y}


@recipe("empty_permuted", "empty_strided", "new_empty_strided")
def _strided(g: Gen) -> dict[str, Any]:
    shape = g.full_shape(1, 3)
    order = list(range(len(shape)))
    g.random.shuffle(order)
    return {
        "input": g.tensor(shape), "size": list(shape), "physical_layout": order, "dtype": None,
        "stride": [g.int(0, 9) for _ in shape], "layout": Raw("kagari.strided"), "device": "cpu",
        "pin_memory": None, "requires_grad": None,
    }  # fmt: skip


# ---- Resizing and sampling ----------------------------------------------------------------------


@recipe("_resize", "_resize_backward")
def _resize(g: Gen) -> dict[str, Any]:
    n = g.int(1, 3)
    mode = g.pick({1: ("nearest", "linear", "nearest-exact"), 2: ("nearest", "bilinear", "bicubic")}.get(
        n, ("nearest", "trilinear", "nearest-exact")))  # fmt: skip
    shape = (g.int(1, 2), g.int(1, 3), *(g.int(1, 6) for _ in range(n)))
    to = [g.int(1, 8) for _ in range(n)]
    x = g.tensor(shape, g.dtype(FLOATS))
    return {
        "input": x, "grad": g.tensor((*shape[:2], *to), x.dtype), "size": to, "mode": mode,
        "align_corners": "linear" in mode and g.chance(0.4), "scales": [],
        "antialias": mode in ("bilinear", "bicubic") and g.chance(0.3),
    }  # fmt: skip


def _resize_backward(g: Gen) -> dict[str, Any]:
    given = _resize(g)
    return {**given, "size": list(given["input"].shape)}


RECIPES["_resize_backward"] = _resize_backward


@recipe(
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "_grid_sample",
    "_grid_slope",
    "_grid_splat",
)
def _grid(g: Gen) -> dict[str, Any]:
    return _grid_of(g, 2)


def _grid_of(g: Gen, n: int) -> dict[str, Any]:
    dtype = g.dtype(("float32", "float64"))
    b, c = g.int(1, 2), g.int(1, 3)
    x = g.tensor((b, c, *(g.int(1, 5) for _ in range(n))), dtype)
    to = tuple(g.int(1, 5) for _ in range(n))
    return {
        "input": x, "grid": g.tensor((b, *to, n), dtype), "grad": g.tensor((b, c, *to), dtype),
        "interpolation_mode": g.int(0, 2 if n == 2 else 1), "padding_mode": g.int(0, 2),
        "align_corners": g.chance(0.5), "order": [0] * n, "size": list(x.shape[2:]),
    }  # fmt: skip


RECIPES["grid_sampler_3d"] = lambda g: _grid_of(g, 3)


@recipe("affine_grid_generator")
def _affine(g: Gen) -> dict[str, Any]:
    b, n = g.int(1, 3), g.int(2, 3)
    size = [b, 2, *(g.int(1, 5) for _ in range(n))]
    return {"theta": g.tensor((b, n, n + 1), g.dtype(FLOATS)), "size": size}


@recipe("max_pool2d_with_indices_backward")
def _max_pool_backward(g: Gen) -> dict[str, Any]:
    given = RECIPES["pool_scatter"](g)
    return {**given, "grad_output": given["grad"], "dilation": [1, 1], "ceil_mode": False}


# ---- Distributions ------------------------------------------------------------------------------


@recipe("_sample_dirichlet", "_standard_gamma", "_standard_gamma_grad", "_dirichlet_grad", "binomial",
        "poisson", "cauchy", "exponential", "geometric", "log_normal", "uniform", "random", "_rrelu",
        "rrelu", "_dropout", "dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout",
        "native_dropout", "native_dropout_backward", "_multinomial")  # fmt: skip
def _sampled(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(2, 4), g.dtype(FLOATS), "unit")
    y = g.tensor(x.shape, x.dtype, "unit")
    start = g.int(-3, 3)
    return {
        "input": x, "count": g.tensor(x.shape, x.dtype, "one"), "prob": y, "x": x, "alpha": y, "total": y,
        "output": y, "grad_output": x, "mask": g.tensor(x.shape, "bool"), "scale": 2.0,
        "p": g.pick((0.5, 0.1, 0.9)), "from": start, "to": start + g.int(1, 9), "lower": 0.1, "upper": 0.4,
        "mean": 0.5, "std": 1.5, "median": 0.5, "sigma": 2.0, "lambd": 1.5, "train": g.chance(0.7),
    }  # fmt: skip


def _weights(g: Gen) -> dict[str, Any]:
    n = g.int(1, 8)
    return {
        "input": g.tensor((g.int(1, 3), n), g.dtype(FLOATS), "unit"),
        "num_samples": g.int(1, n),
    }


RECIPES["_multinomial"] = _weights


# ---- Bags, segments, sequences ------------------------------------------------------------------


@recipe("embedding_bag", "_bag_argmax", "_bag_sum")
def _bag(g: Gen) -> dict[str, Any]:
    n, m, count, bags = g.int(1, 9), g.int(1, 6), g.int(1, 8), g.int(1, 3)
    weight = g.tensor((n, m), g.dtype(("float32", "float64")))
    mode = g.int(0, 2)
    factors = g.tensor((count,), weight.dtype) if mode == 0 and g.chance(0.4) else None
    return {
        "weight": weight, "indices": g.index((count,), n, "int64"), "mode": mode, "sparse": False,
        "offsets": Tens((bags,), "int64", "zero", "c"), "per_sample_weights": factors, "factors": factors,
        "include_last_offset": False, "padding_idx": g.pick((-1, 0)), "bags": g.index((count,), bags, "int64"),
        "scale_grad_by_freq": False,
    }  # fmt: skip


@recipe("_segment_reduce")
def _segments(g: Gen) -> dict[str, Any]:
    n = g.int(1, 7)
    x = g.tensor((n, *g.full_shape(0, 2)), g.dtype(("float32", "float64")))
    return {
        "data": x, "reduce": g.pick(("sum", "mean", "max", "min", "prod")), "axis": 0, "indices": None,
        "offsets": None, "lengths": Tens((n,), "int64", "one", "c"), "initial": None,
    }  # fmt: skip


@recipe("ctc_loss", "_ctc_alpha")
def _ctc(g: Gen) -> dict[str, Any]:
    t, b, c, s = g.int(1, 7), g.int(1, 3), g.int(2, 5), g.int(1, 4)
    short = [g.int(1, t) for _ in range(b)]
    target = [g.int(0, s) for _ in range(b)]
    return {
        "log_probs": g.tensor((t, b, c), g.dtype(("float32", "float64"))), "blank": 0,
        "targets": g.index((b, s), c, "int64"), "input_lengths": short, "target_lengths": target,
        "reduction": g.int(0, 2),
    }  # fmt: skip


@recipe("scaled_dot_product_attention")
def _attention(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    batch = g.full_shape(1, 2)
    n, m, e = g.int(1, 6), g.int(1, 6), g.int(1, 8)
    mask = g.tensor((n, m), g.pick(("bool", dtype))) if g.chance(0.4) else None
    return {
        "query": g.tensor((*batch, n, e), dtype), "key": g.tensor((*batch, m, e), dtype),
        "value": g.tensor((*batch, m, g.int(1, 5)), dtype), "attn_mask": mask, "dropout_p": 0.0,
        "is_causal": mask is None and g.chance(0.3), "scale": None, "enable_gqa": False,
    }  # fmt: skip


@recipe("_weight_norm", "norm_except_dim")
def _weight_norm(g: Gen) -> dict[str, Any]:
    v = g.tensor(g.full_shape(1, 4), g.dtype(FLOATS))
    sizes = (v.shape[0], *(1 for _ in v.shape[1:]))
    return {"v": v, "g": g.tensor(sizes, v.dtype, "unit"), "dim": 0, "pow": 2}


@recipe("_prelu_kernel")
def _prelu(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(), g.dtype(FLOATS))
    return {"input": x, "weight": g.tensor(g.broadcastable(x.shape), x.dtype)}


@recipe("native_layer_norm", "native_group_norm", "native_batch_norm", "_native_batch_norm_legit",
        "_batch_norm_with_update")  # fmt: skip
def _native_norms(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    n, group, c = g.int(1, 3), g.int(1, 2), g.int(1, 3)
    x = g.tensor((n, group * c, 2, 2), dtype)
    each = [g.tensor((group * c,), dtype, "unit") for _ in range(4)]
    return {
        "input": x, "weight": each[0], "bias": each[1], "running_mean": each[2], "running_var": each[3],
        "training": g.chance(0.5), "momentum": 0.1, "eps": 1e-5, "N": n, "C": group * c, "HxW": 4,
        "group": group,
    }  # fmt: skip


def _native_layer_norm(g: Gen) -> dict[str, Any]:
    return RECIPES["layer_norm"](g)


RECIPES["native_layer_norm"] = _native_layer_norm


# ---- Whole numbers ------------------------------------------------------------------------------


@recipe("gcd", "lcm")
def _whole(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(), g.pick(INTEGERS[:5]))
    return {"input": x, "other": g.tensor(g.broadcastable(x.shape), x.dtype)}


@recipe("bitwise_left_shift", "bitwise_right_shift")
def _shifts(g: Gen) -> dict[str, Any]:
    x = g.tensor(g.full_shape(), g.pick(INTEGERS[:5]))
    return {"input": x, "other": g.tensor(g.broadcastable(x.shape), x.dtype, "one")}


@recipe("mvlgamma", "special_multigammaln")
def _multigamma(g: Gen) -> dict[str, Any]:
    return {"input": g.tensor(g.full_shape(), g.dtype(FLOATS), "unit"), "p": 1}
