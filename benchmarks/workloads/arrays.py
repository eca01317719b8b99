"""The same work in NumPy and in JAX, where a line or two say it.

``NUMPY`` and ``JAX`` lead from a row's name to a function of the array module (`numpy`, or
`jax.numpy`) that returns the formula and its inputs. JAX compiles the formula with `jit`. A text
instead of a function is a statement, timed as the small work of the other libraries is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import numbers, positions

M = 2**20
Work = Callable[[Any], Any]


def _on(formula: Callable[..., Any], *shapes: tuple[int, ...]) -> Work:
    """The formula on normally distributed arrays, which are those of the row."""
    return lambda np: (
        lambda *x: formula(np, *x),
        [numbers(*shape, seed=i) for i, shape in enumerate(shapes)],
    )


def _product(*shapes: tuple[int, ...], dtype: str = "float32") -> Work:
    def work(np: Any) -> Any:
        inputs = [numbers(*shape, seed=i + 1) for i, shape in enumerate(shapes)]
        return lambda a, b: a @ b, [np.asarray(x).astype(dtype) for x in inputs]

    return work


def _softmax(np: Any, x: Any) -> Any:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _layer_norm(np: Any, x: Any, weight: Any, bias: Any) -> Any:
    centred = x - x.mean(1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * weight + bias


def _attention(np: Any, q: Any, k: Any, v: Any) -> Any:
    seen = np.tril(np.ones((512, 512), dtype=bool))
    return _softmax(np, np.where(seen, q @ k.swapaxes(2, 3) / 8, -np.inf)) @ v


def _small(
    statement: str, *shapes: tuple[int, ...], seed: int = 0, result: str | None = None
) -> Work:
    def work(np: Any) -> Any:
        inputs = [numbers(*shape, seed=i) for i, shape in enumerate(shapes, seed)]
        names = dict(zip("ab", inputs, strict=False))
        return statement, names | {"np": np}, result

    return work


BIG, SQUARE = (16 * M,), (4096, 4096)
BOTH: dict[str, Work] = {
    "memory.add": _on(lambda np, y: y + y, BIG),
    "memory.exp": _on(lambda np, x: np.exp(x), BIG),
    "memory.tanh": _on(lambda np, x: np.tanh(x), BIG),
    "memory.sum_all": _on(lambda np, x: x.sum(), BIG),
    "memory.sum_dim0": _on(lambda np, x: x.sum(0), SQUARE),
    "memory.max_dim1": _on(lambda np, x: (x.max(1), x.argmax(1)), SQUARE),
    "memory.softmax": _on(_softmax, (16 * 1024, 1024)),
    "memory.layer_norm": _on(_layer_norm, (16 * 1024, 1024), (1024,), (1024,)),
    "memory.var": _on(lambda np, x: x.var(ddof=1), BIG),
    "memory.cumsum": _on(lambda np, x: x.cumsum(1), SQUARE),
    "memory.where": _on(lambda np, x, y: np.where(x > 0, x, y), BIG, BIG),
    "memory.sort": _on(lambda np, x: np.sort(x), (M,)),
    "memory.index_select": lambda np: (
        lambda x, index: x[index],
        [numbers(64 * 1024, 256), positions(64 * 1024, 64 * 1024)],
    ),
    "matmul.float32_1024": _product((1024, 1024), (1024, 1024)),
    "matmul.float32_128": _product((128, 128), (128, 128)),
    "matmul.float32_512": _product((512, 512), (512, 512)),
    "matmul.float32_2048": _product((2048, 2048), (2048, 2048)),
    "matmul.float64_512": _product((512, 512), (512, 512), dtype="float64"),
    "matmul.batched": _product((64, 128, 64), (64, 64, 128)),
    "matmul.matrix_vector": _product((4096, 4096), (4096,)),
    "matmul.tall": _product((65536, 64), (64, 64)),
    "matmul.odd": _product((33, 777), (777, 65)),
    "models.attention": _on(_attention, *[(4, 8, 512, 64)] * 3),
}
NUMPY: dict[str, Work] = BOTH | {
    "overhead.add": _small("a + b", (8,), (8,), seed=1),
    "overhead.slice_index": _small("a[1:3]", (8,)),
    "overhead.mul_broadcast": _small("a * b", (8, 1), (8,)),
    "overhead.mul_scalar": _small("a * 2.5", (8,)),
    "overhead.integer_index": _small("a[1]", (4, 4)),
    "overhead.none_index": _small("a[None]", (8,)),
    "overhead.slice_assign": _small("a[1:3] = b", (8,), (2,), result="a"),
    "overhead.view_transpose": _small("a.reshape(4, 2).T", (8,)),
    "overhead.sum_dim": _small("a.sum(1)", (4, 8)),
    "overhead.cat": _small("np.concatenate([a, b])", (8,), (8,), seed=1),
    "overhead.matmul": _small("a @ b", (16, 16), (16, 16), seed=1),
    "overhead.zeros": _small("np.zeros(8, 'float32')"),
    "memory.clone": _on(lambda np, x: x.copy(), BIG),
    "memory.transposed_copy": _on(lambda np, x: np.ascontiguousarray(x.T), SQUARE),
    "memory.topk": _on(
        lambda np, x: np.sort(np.partition(x, -10, axis=1)[:, -10:])[:, ::-1], (256, 32000)
    ),
}


def _gelu(x: Any) -> Any:
    import jax

    return jax.nn.gelu(x, approximate=False)


def _conv(
    x: tuple[int, ...], weight: tuple[int, ...], *, training: bool = False, **how: Any
) -> Work:
    """A convolution of images and kernels laid out as PyTorch's."""
    spatial = len(x) - 2

    def forward(images: Any, kernel: Any) -> Any:
        import jax

        padding = how.get("padding", 0)
        return jax.lax.conv_general_dilated(
            images,
            kernel,
            window_strides=(how.get("stride", 1),) * spatial,
            padding=[(padding, padding)] * spatial,
            feature_group_count=how.get("groups", 1),
        )

    def both_ways(images: Any, kernel: Any) -> Any:
        import jax

        out, pull = jax.vjp(forward, images, kernel)
        return out, *pull(jax.numpy.ones_like(out))

    return lambda np: (
        both_ways if training else forward,
        [numbers(*x, seed=1), numbers(*weight, seed=2)],
    )


def _topk(np: Any, x: Any) -> Any:
    import jax

    return jax.lax.top_k(x, 10)[0]


JAX: dict[str, Work] = BOTH | {
    "memory.gelu": _on(lambda np, x: _gelu(x), BIG),
    "memory.gelu_chain": _on(lambda np, y: _gelu(y * 1.5 + 0.5) * y, BIG),
    "memory.transposed_copy": _on(lambda np, x: x.T, SQUARE),
    "memory.topk": _on(_topk, (256, 32000)),
    "matmul.bfloat16_1024": _product((1024, 1024), (1024, 1024), dtype="bfloat16"),
    "conv.conv3x3": _conv((16, 64, 56, 56), (64, 64, 3, 3), padding=1),
    "conv.conv3x3_training": _conv((16, 64, 56, 56), (64, 64, 3, 3), padding=1, training=True),
    "conv.conv1x1": _conv((8, 256, 56, 56), (64, 256, 1, 1)),
    "conv.conv7x7": _conv((4, 3, 224, 224), (64, 3, 7, 7), stride=2, padding=3),
    "conv.depthwise": _conv((8, 128, 56, 56), (128, 1, 3, 3), padding=1, groups=128),
    "conv.conv_deep_training": _conv((16, 256, 14, 14), (256, 256, 3, 3), padding=1, training=True),
    "conv.conv1d": _conv((16, 64, 1024), (64, 64, 5), padding=2),
    "conv.conv3d": _conv((2, 16, 16, 32, 32), (32, 16, 3, 3, 3), padding=1),
}


def numpy_work(numpy: Any, name: str) -> Any:
    """What is timed for the row, as a workload returns it."""
    work = NUMPY[name](numpy)
    if isinstance(work[0], str):
        return work
    formula, inputs = work
    return lambda: formula(*inputs)


def jax_work(jax: Any, name: str) -> Any:
    """The formula compiled; it is waited for, since JAX returns before the result is there."""
    formula, inputs = JAX[name](jax.numpy)
    fast, arrays = jax.jit(formula), [jax.numpy.asarray(x) for x in inputs]
    return lambda: jax.block_until_ready(fast(*arrays))
