"""Valid calls of kagari.nn.functional."""

from __future__ import annotations

from typing import Any

from fuzz.model import FLOATS, Call, Gen, Raw, Tens, product
from fuzz.recipes import RECIPES

PLAIN = (
    "celu", "elu", "gelu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish",
    "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "hardshrink", "softmax", "softmin", "log_softmax", "gumbel_softmax", "dropout",
    "alpha_dropout", "feature_alpha_dropout", "normalize", "glu",
)  # fmt: skip
PAIRS = (
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss",
    "soft_margin_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "multilabel_soft_margin_loss", "hinge_embedding_loss", "cosine_similarity", "pairwise_distance",
)  # fmt: skip
OPTIONS: dict[str, tuple[Any, ...]] = {
    "reduction": ("mean", "sum", "none"),
    "inplace": (False, True),
    "training": (True, False),
    "p": (0.5, 0.0, 1.0),
    "beta": (1.0, 0.5, 0.0),
    "delta": (1.0, 0.1),
    "dim": (-1, 0, 1),
    "return_indices": (True, False),
    "ceil_mode": (True, False),
    "log_target": (True, False),
    "label_smoothing": (0.0, 0.2),
    "eps": (1e-5, 0.0),
    "keepdim": (True, False),
    "full": (True, False),
    "approximate": ("none", "tanh"),
}


def _one(g: Gen, low: int = 0, high: int = 4, values: str = "normal") -> Tens:
    return g.tensor(g.shape(low, high), g.dtype(FLOATS), values)


def _plain(g: Gen, name: str) -> dict[str, Any]:
    x = _one(g, 1 if name in ("glu", "normalize", "softmin") else 0)
    if name == "glu" and g.chance(0.9):
        x.shape = (*x.shape[:-1], 2 * max(x.shape[-1], 1))
    return {"logits" if name == "gumbel_softmax" else "input": x}


def _pair(g: Gen, name: str) -> dict[str, Any]:
    values = "unit" if "binary" in name else "normal"
    x = _one(g, 1, 4, values)
    y = g.tensor(x.shape, x.dtype, values)
    first, second = (
        ("x1", "x2") if name in ("cosine_similarity", "pairwise_distance") else ("input", "target")
    )
    return {first: x, second: y}


def _losses(g: Gen, name: str) -> dict[str, Any]:
    n, c = g.int(0, 5), g.int(1, 6)
    dtype = g.dtype(FLOATS)
    x = g.tensor((n, c), dtype)
    same = [g.tensor((n, c), dtype) for _ in range(2)]
    sign = g.tensor((n,), dtype, "one")
    classes = g.index((n,), c, "int64")
    return {
        "cosine_embedding_loss": {"input1": x, "input2": same[0], "target": sign},
        "margin_ranking_loss": {"input1": x, "input2": same[0], "target": g.tensor((n, c), dtype)},
        "multi_margin_loss": {"input": x, "target": classes},
        "multilabel_margin_loss": {"input": x, "target": g.index((n, c), c, "int64")},
        "triplet_margin_loss": {"anchor": x, "positive": same[0], "negative": same[1]},
        "triplet_margin_with_distance_loss": {
            "anchor": x, "positive": same[0], "negative": same[1],
        },
        "gaussian_nll_loss": {"input": x, "target": same[0], "var": g.tensor((n, c), dtype, "unit")},
        "cross_entropy": {"input": x, "target": classes if g.chance(0.7) else same[0]},
        "nll_loss": {"input": x, "target": classes},
    }[name]  # fmt: skip


LOSSES = (
    "cosine_embedding_loss", "margin_ranking_loss", "multi_margin_loss", "multilabel_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss", "gaussian_nll_loss", "cross_entropy",
    "nll_loss",
)  # fmt: skip


WINDOWS = ("fold", "unfold", "grid_sample", "affine_grid", "interpolate")


def _attention(g: Gen) -> dict[str, Any]:
    dtype = g.dtype(FLOATS)
    batch = g.shape(0, 2)
    n, m, e = g.int(0, 6), g.int(1, 6), g.int(1, 8)
    q, k = g.tensor((*batch, n, e), dtype), g.tensor((*batch, m, e), dtype)
    mask: Any = None
    if g.chance(0.4):
        mask = g.tensor((n, m), g.pick(("bool", dtype)))
    return {
        "query": q, "key": k, "value": g.tensor((*batch, m, g.int(1, 5)), dtype),
        "attn_mask": mask, "dropout_p": g.pick((0.0, 0.0, 0.3)),
        "is_causal": mask is None and g.chance(0.3),
    }  # fmt: skip


def _multi_head(g: Gen) -> dict[str, Any]:
    heads = g.int(1, 3)
    e = heads * g.int(1, 4)
    n, m, b = g.int(1, 4), g.int(1, 4), g.int(1, 3)
    x = [g.tensor((s, b, e), "float32") for s in (n, m, m)]
    return {
        "query": x[0], "key": x[1], "value": x[2], "embed_dim_to_check": e, "num_heads": heads,
        "in_proj_weight": g.tensor((3 * e, e), "float32"),
        "in_proj_bias": g.tensor((3 * e,), "float32"), "bias_k": None, "bias_v": None,
        "add_zero_attn": g.chance(0.3), "dropout_p": 0.0,
        "out_proj_weight": g.tensor((e, e), "float32"),
        "out_proj_bias": g.tensor((e,), "float32"),
    }  # fmt: skip


def _ctc(g: Gen) -> dict[str, Any]:
    t, n, c, s = g.int(1, 6), g.int(1, 3), g.int(2, 5), g.int(1, 3)
    return {
        "log_probs": g.tensor((t, n, c), g.dtype(FLOATS[:2])),
        "targets": g.index((n, s), c, "int64"),
        "input_lengths": [t] * n, "target_lengths": [min(s, t)] * n,
    }  # fmt: skip


def _shuffles(g: Gen, name: str) -> dict[str, Any]:
    r = g.int(1, 3)
    n, c, h, w = g.int(0, 2), g.int(1, 3), g.int(1, 3), g.int(1, 3)
    return {
        "pixel_shuffle": {"input": g.tensor((n, c * r * r, h, w)), "upscale_factor": r},
        "pixel_unshuffle": {"input": g.tensor((n, c, h * r, w * r)), "downscale_factor": r},
        "channel_shuffle": {"input": g.tensor((n, c * r, h, w)), "groups": r},
        "native_channel_shuffle": {"input": g.tensor((n, c * r, h, w)), "groups": r},
    }[name]


def _pad(g: Gen) -> dict[str, Any]:
    mode = g.pick(("constant", "reflect", "replicate", "circular"))
    x = _one(g, 2, 5)
    n = g.int(1, max(1, min(3, len(x.shape) - 1)))
    pad = [g.int(0 if mode != "constant" else -1, 3) for _ in range(2 * n)]
    return {"input": x, "pad": pad, "mode": mode}


def _embedding(g: Gen) -> dict[str, Any]:
    given = RECIPES["embedding"](g)
    return {"input": given["indices"], "weight": given["weight"], "padding_idx": g.pick((None, 0)),
            "max_norm": g.pick((None, None, 1.0))}  # fmt: skip


def _norm(g: Gen, name: str) -> dict[str, Any]:
    keys = {
        "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training"),
        "instance_norm": ("input", "running_mean", "running_var", "weight", "bias"),
        "layer_norm": ("input", "normalized_shape", "weight", "bias"),
        "rms_norm": ("input", "normalized_shape", "weight"),
        "group_norm": ("input", "num_groups", "weight", "bias"),
    }[name]
    given = RECIPES["batch_norm" if name == "instance_norm" else name](g)
    return {k: given[k] for k in keys}


def _pool(g: Gen, name: str) -> dict[str, Any]:
    n = next(c for c in name if c.isdigit())
    given = RECIPES[f"max_pool{n}d"](g)
    if "adaptive" in name:
        return {k: given[k] for k in ("input", "output_size")}
    if name.startswith("lp"):
        return {k: given[k] for k in ("input", "kernel_size", "stride")} | {"norm_type": 2.0}
    return {k: given[k] for k in ("input", "kernel_size", "stride", "padding")}


def _windows(g: Gen, name: str) -> dict[str, Any]:
    """Sizes of pictures, windows and grids that belong together."""
    n = 3 if name.endswith("3d") else 1 if name.endswith("1d") else 2
    k = g.int(1, 3)
    space = tuple(k * g.int(1, 4) for _ in range(n))
    x = g.tensor((g.int(1, 3), g.int(1, 4), *space), g.dtype(FLOATS[:2]))
    if name == "unfold":
        return {"input": x, "kernel_size": k, "stride": g.int(1, 3), "padding": g.int(0, 2)}
    if name == "fold":
        count = product([s // k for s in space])
        columns = g.tensor((x.shape[0], x.shape[1] * k * k, count), x.dtype)
        return {"input": columns, "output_size": list(space), "kernel_size": k, "stride": k}
    if name.startswith("fractional"):
        return {"input": x, "kernel_size": k, "output_size": [max(s - k, 1) for s in space]}
    if name.startswith("max_unpool"):
        small = (*x.shape[:2], *(s // k for s in space))
        places = g.index(small, product(space), "int64")
        return {"input": g.tensor(small, x.dtype), "indices": places, "kernel_size": k}
    if name == "grid_sample":
        to = (x.shape[0], g.int(1, 4), g.int(1, 4), 2)
        mode = g.pick(("bilinear", "nearest", "bicubic"))
        return {"input": x, "grid": g.tensor(to, x.dtype), "mode": mode}
    if name == "affine_grid":
        theta = g.tensor((x.shape[0], 2, 3), x.dtype)
        return {"theta": theta, "size": [x.shape[0], 2, *space]}
    if g.chance(0.5):
        return {"input": x, "size": [g.int(1, 7) for _ in range(n)]}
    return {"input": x, "scale_factor": g.pick((2, 0.5, 1.5))}


def _bag(g: Gen) -> dict[str, Any]:
    given = RECIPES["embedding_bag"](g)
    mode = g.pick(("mean", "sum", "max"))
    keys = ("weight", "offsets")
    return {"input": given["indices"], **{k: given[k] for k in keys}, "mode": mode}


def _rest(g: Gen, name: str) -> dict[str, Any]:
    x = _one(g, 1, 4)
    if name == "one_hot":
        return {"input": g.index(g.shape(), 5, "int64"), "num_classes": g.pick((-1, 5, 9))}
    if name == "prelu":
        return {"input": x, "weight": g.tensor((1,), x.dtype)}
    if name == "pdist":
        return {"input": _one(g, 2, 2)}
    if name == "linear_cross_entropy":
        n, k, c = g.int(1, 4), g.int(1, 4), g.int(1, 5)
        return {"input": g.tensor((n, k), "float32"), "linear_weight": g.tensor((c, k), "float32"),
                "target": g.index((n,), c, "int64")}  # fmt: skip
    if name == "local_response_norm":
        return {"input": _one(g, 3, 4), "size": g.int(1, 3)}
    if name in ("threshold", "threshold_"):
        return {"input": x, "threshold": 0.5, "value": 1.0}
    return {"logits" if name == "gumbel_softmax" else "input": x}


def functional_call(g: Gen, name: str, parameters: dict[str, Any]) -> Call:
    """A call of nn.functional's `name`; `parameters`: its names with their defaults."""
    if name in PLAIN:
        given = _plain(g, name)
    elif name in PAIRS:
        given = _pair(g, name)
    elif name in LOSSES:
        given = _losses(g, name)
    elif name.startswith(("fractional", "max_unpool", "upsample")) or name in WINDOWS:
        given = _windows(g, name)
    elif "pool" in name:
        given = _pool(g, name)
    elif "norm" in name and name != "local_response_norm":
        given = _norm(g, name)
    elif name in ("conv1d", "conv2d", "conv3d") or name.startswith("conv_transpose"):
        given = RECIPES[name](g)
        given = {k: given[k] for k in ("input", "weight", "bias", "stride", "padding")}
    elif name in ("linear", "bilinear"):
        given = RECIPES[name](g)
        given.pop("other", None)
    elif "shuffle" in name:
        given = _shuffles(g, name)
    elif name.startswith("dropout"):
        given = {"input": _one(g, 3, 4)}
    else:
        makers = {
            "scaled_dot_product_attention": _attention,
            "multi_head_attention_forward": _multi_head,
            "ctc_loss": _ctc,
            "pad": _pad,
            "embedding": _embedding,
            "embedding_bag": _bag,
        }
        given = makers[name](g) if name in makers else _rest(g, name)
    for key in parameters:
        if key in OPTIONS and key not in given and g.chance(0.3):
            given[key] = g.pick(OPTIONS[key])
    if name == "kl_div" and g.chance(0.5):
        given["log_target"] = Raw("True")
    keywords = set(given) if g.chance(0.3) else set(list(given)[2:])
    if name not in ("scaled_dot_product_attention",) and parameters:
        keywords |= (
            {k for k in given if list(parameters).index(k) != list(given).index(k)}
            if all(k in parameters for k in given)
            else set(given)
        )
    first = list(given)[:1]
    ordered = {
        k: given[k] for k in [*[k for k in given if k not in keywords], *keywords & set(given)]
    }
    call = Call(f"F.{name}", ordered, keywords)
    call.inplace = name.endswith("_") or (bool(first) and given.get("inplace") is True)
    return call
