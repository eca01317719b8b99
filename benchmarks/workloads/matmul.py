"""Matrix products. The limit of bfloat16 is float32's, on machines without instructions for it."""

from __future__ import annotations

from typing import Any

from rows import data, row


def _product(m: Any, a: tuple[int, ...], b: tuple[int, ...], dtype: str = "float32") -> Any:
    x, y = data(m, *a, seed=1, dtype=dtype), data(m, *b, seed=2, dtype=dtype)
    return lambda: x @ y


@row("float32, 1024", bar=1.2, flops=2 * 1024**3)
def float32_1024(m: Any) -> Any:
    return _product(m, (1024, 1024), (1024, 1024))


@row("float32, 128", bar=1.1, flops=2 * 128**3)
def float32_128(m: Any) -> Any:
    return _product(m, (128, 128), (128, 128))


@row("float32, 512", bar=1.1, flops=2 * 512**3)
def float32_512(m: Any) -> Any:
    return _product(m, (512, 512), (512, 512))


@row("float32, 2048", bar=1.1, flops=2 * 2048**3)
def float32_2048(m: Any) -> Any:
    return _product(m, (2048, 2048), (2048, 2048))


@row("float64, 512", bar=1.1, flops=2 * 512**3, dtype="float64")
def float64_512(m: Any) -> Any:
    return _product(m, (512, 512), (512, 512), "float64")


@row("bfloat16, 1024", bar=1.1, tolerance=1e-2, flops=2 * 1024**3)
def bfloat16_1024(m: Any) -> Any:
    return _product(m, (1024, 1024), (1024, 1024), "bfloat16")


@row("batched 64 × (128×64 @ 64×128)", bar=1.1, flops=2 * 64 * 128 * 64 * 128)
def batched(m: Any) -> Any:
    return _product(m, (64, 128, 64), (64, 64, 128))


@row("`A @ B.T`, 1024", bar=1.1, flops=2 * 1024**3)
def transposed(m: Any) -> Any:
    a, b = data(m, 1024, 1024, seed=1), data(m, 1024, 1024, seed=2)
    return lambda: a @ b.t()


@row("matrix-vector, 4096", bar=1.1, reads=4 * 4096**2, flops=2 * 4096**2)
def matrix_vector(m: Any) -> Any:
    return _product(m, (4096, 4096), (4096,))


@row(
    "tall and narrow, 65536×64 @ 64×64",
    bar=1.1,
    flops=2 * 65536 * 64 * 64,
    reads=4 * 65536 * 64,
    writes=4 * 65536 * 64,
)
def tall(m: Any) -> Any:
    return _product(m, (65536, 64), (64, 64))


@row("odd sizes, 33×777 @ 777×65", bar=1.1, flops=2 * 33 * 777 * 65)
def odd(m: Any) -> Any:
    return _product(m, (33, 777), (777, 65))
