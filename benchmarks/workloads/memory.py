"""Large tensors, where the time is that of the memory: 16M float32 unless said otherwise."""

from __future__ import annotations

from typing import Any

from rows import compiled, data, labels, row

M = 2**20
BIG = 16 * M * 4  # bytes of 16M float32
BARS: dict[str, Any] = {"bar": 1.2, "bar_tcmalloc": 0.95}
# What a pass over the tensor reads and writes, and a reduction of it.
PASS: dict[str, Any] = {"reads": BIG, "writes": BIG, "compiled": True, **BARS}
REDUCE: dict[str, Any] = {"reads": BIG, "compiled": True, **BARS}


def _unary(m: Any, name: str) -> Any:
    x, op = data(m, 16 * M), getattr(m, name)
    return compiled(lambda: op(x))


@row("`y + y`", **PASS | {"bar": 4})
def add(m: Any) -> Any:
    y = data(m, 16 * M)
    return compiled(lambda: y + y)


@row("`exp`", **PASS)
def exp(m: Any) -> Any:
    return _unary(m, "exp")


@row("`tanh`", **PASS)
def tanh(m: Any) -> Any:
    return _unary(m, "tanh")


@row("`gelu`", **PASS)
def gelu(m: Any) -> Any:
    x = data(m, 16 * M)
    return compiled(lambda: m.nn.functional.gelu(x))


@row("`sum`", **REDUCE | {"bar": 1.0})
def sum_all(m: Any) -> Any:
    return _unary(m, "sum")


@row("`sum(0)`, 4096²", **REDUCE)
def sum_dim0(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return compiled(lambda: x.sum(0))


@row("`max(1)`, 4096²", **REDUCE)
def max_dim1(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return compiled(lambda: x.max(1))


@row("`softmax` over 1,024", **PASS)
def softmax(m: Any) -> Any:
    x = data(m, 16 * 1024, 1024)
    return compiled(lambda: x.softmax(1))


@row("`layer_norm` over 1,024", **PASS)
def layer_norm(m: Any) -> Any:
    x, weight, bias = data(m, 16 * 1024, 1024), data(m, 1024, seed=1), data(m, 1024, seed=2)
    return compiled(lambda: m.nn.functional.layer_norm(x, (1024,), weight, bias))


@row("`var`", **REDUCE)
def var(m: Any) -> Any:
    return _unary(m, "var")


@row("`cumsum(1)`, 4096²", **PASS)
def cumsum(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return compiled(lambda: x.cumsum(1))


@row("`where(x > 0, x, y)`", **PASS | {"reads": 2 * BIG})
def where(m: Any) -> Any:
    x, y = data(m, 16 * M), data(m, 16 * M, seed=1)
    return compiled(lambda: m.where(x > 0, x, y))


@row("`clone`", **PASS | {"compiled": False})
def clone(m: Any) -> Any:
    x = data(m, 16 * M)
    return lambda: x.clone()


@row("transposed copy, 4096²", **PASS)
def transposed_copy(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return compiled(lambda: x.t().contiguous())


@row("`gelu(y * 1.5 + 0.5) * y`", **PASS)
def gelu_chain(m: Any) -> Any:
    y = data(m, 16 * M)
    return compiled(lambda: m.nn.functional.gelu(y * 1.5 + 0.5) * y)


@row("`randn`, 4M", writes=16 * M, **BARS)
def randn(m: Any) -> Any:
    m.manual_seed(0)
    return lambda: m.randn(4 * M)


@row("`sort`, 1M", reads=4 * M, writes=12 * M, **BARS)
def sort(m: Any) -> Any:
    x = data(m, M)
    return lambda: x.sort().values


@row("`topk(10)`, 256×32,000", reads=4 * 256 * 32000, **BARS)
def topk(m: Any) -> Any:
    x = data(m, 256, 32000)
    return lambda: x.topk(10).values


@row("`index_select` of 64K rows of 256", reads=BIG, writes=BIG, **BARS)
def index_select(m: Any) -> Any:
    x, index = data(m, 64 * 1024, 256), labels(m, 64 * 1024, 64 * 1024)
    return lambda: x.index_select(0, index)


@row(
    "embedding 32,000×256, 16K tokens, forward and backward",
    reads=4 * 256 * 16 * 1024,  # the rows that are looked up
    writes=4 * 256 * 32000,  # the gradient
    **BARS,
)
def embedding(m: Any) -> Any:
    weight, index = data(m, 32000, 256).requires_grad_(), labels(m, 32000, 16 * 1024)

    def step() -> Any:
        weight.grad = None
        m.nn.functional.embedding(index, weight).sum().backward()
        return weight.grad

    return step


@row(
    "AdamW over 100 tensors of 256²",
    reads=4 * 4 * 100 * 256**2,  # parameter, gradient, two moments
    writes=3 * 4 * 100 * 256**2,
    **BARS,
)
def adamw(m: Any) -> Any:
    parameters = [data(m, 256, 256, seed=i).requires_grad_() for i in range(100)]
    for i, parameter in enumerate(parameters):
        parameter.grad = data(m, 256, 256, seed=1000 + i)
    optimizer = m.optim.AdamW(parameters, lr=1e-3)

    def step() -> Any:
        optimizer.step()
        return parameters[0], parameters[99]

    return step
