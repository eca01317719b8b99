"""Large tensors, where the time is that of the memory: 16M float32 unless said otherwise."""

from __future__ import annotations

from typing import Any

from rows import data, labels, row

M = 2**20
BARS: dict[str, Any] = {"bar": 1.2, "bar_tcmalloc": 0.95}


def _unary(m: Any, name: str) -> Any:
    x, op = data(m, 16 * M), getattr(m, name)
    return lambda: op(x)


@row("`y + y`", bar=4, bar_tcmalloc=0.95)
def add(m: Any) -> Any:
    y = data(m, 16 * M)
    return lambda: y + y


@row("`exp`", **BARS)
def exp(m: Any) -> Any:
    return _unary(m, "exp")


@row("`tanh`", **BARS)
def tanh(m: Any) -> Any:
    return _unary(m, "tanh")


@row("`gelu`", **BARS)
def gelu(m: Any) -> Any:
    x = data(m, 16 * M)
    return lambda: m.nn.functional.gelu(x)


@row("`sum`", bar=1.0, bar_tcmalloc=0.95)
def sum_all(m: Any) -> Any:
    return _unary(m, "sum")


@row("`sum(0)`, 4096²", **BARS)
def sum_dim0(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return lambda: x.sum(0)


@row("`max(1)`, 4096²", **BARS)
def max_dim1(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return lambda: x.max(1)


@row("`softmax` over 1,024", **BARS)
def softmax(m: Any) -> Any:
    x = data(m, 16 * 1024, 1024)
    return lambda: x.softmax(1)


@row("`layer_norm` over 1,024", **BARS)
def layer_norm(m: Any) -> Any:
    x, weight, bias = data(m, 16 * 1024, 1024), data(m, 1024, seed=1), data(m, 1024, seed=2)
    return lambda: m.nn.functional.layer_norm(x, (1024,), weight, bias)


@row("`var`", **BARS)
def var(m: Any) -> Any:
    return _unary(m, "var")


@row("`cumsum(1)`, 4096²", **BARS)
def cumsum(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return lambda: x.cumsum(1)


@row("`where(x > 0, x, y)`", **BARS)
def where(m: Any) -> Any:
    x, y = data(m, 16 * M), data(m, 16 * M, seed=1)
    return lambda: m.where(x > 0, x, y)


@row("`clone`", **BARS)
def clone(m: Any) -> Any:
    return _unary(m, "clone")


@row("transposed copy, 4096²", **BARS)
def transposed_copy(m: Any) -> Any:
    x = data(m, 4096, 4096)
    return lambda: x.t().contiguous()


@row("`gelu(y * 1.5 + 0.5) * y`", **BARS)
def gelu_chain(m: Any) -> Any:
    y = data(m, 16 * M)
    return lambda: m.nn.functional.gelu(y * 1.5 + 0.5) * y


@row("`randn`, 4M", **BARS)
def randn(m: Any) -> Any:
    m.manual_seed(0)
    return lambda: m.randn(4 * M)


@row("`sort`, 1M", **BARS)
def sort(m: Any) -> Any:
    x = data(m, M)
    return lambda: x.sort().values


@row("`topk(10)`, 256×32,000", **BARS)
def topk(m: Any) -> Any:
    x = data(m, 256, 32000)
    return lambda: x.topk(10).values


@row("`index_select` of 64K rows of 256", **BARS)
def index_select(m: Any) -> Any:
    x, index = data(m, 64 * 1024, 256), labels(m, 64 * 1024, 64 * 1024)
    return lambda: x.index_select(0, index)


@row("embedding 32,000×256, 16K tokens, forward and backward", **BARS)
def embedding(m: Any) -> Any:
    weight, index = data(m, 32000, 256).requires_grad_(), labels(m, 32000, 16 * 1024)

    def step() -> Any:
        weight.grad = None
        m.nn.functional.embedding(index, weight).sum().backward()
        return weight.grad

    return step


@row("AdamW over 100 tensors of 256²", **BARS)
def adamw(m: Any) -> Any:
    parameters = [data(m, 256, 256, seed=i).requires_grad_() for i in range(100)]
    for i, parameter in enumerate(parameters):
        parameter.grad = data(m, 256, 256, seed=1000 + i)
    optimizer = m.optim.AdamW(parameters, lr=1e-3)

    def step() -> Any:
        optimizer.step()
        return parameters[0], parameters[99]

    return step
