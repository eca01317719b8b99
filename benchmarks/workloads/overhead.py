"""Small work, where the time is that of the call path: parsing, dispatch, allocation, the tape."""

from __future__ import annotations

from typing import Any

from rows import data, row
from workloads import networks


def _pair(m: Any, *shape: int, grad: bool = False) -> dict[str, Any]:
    return {
        "m": m,
        "a": data(m, *shape, seed=1).requires_grad_(grad),
        "b": data(m, *shape, seed=2).requires_grad_(grad),
    }


@row("`a + b`, 8 floats", bar=4)
def add(m: Any) -> Any:
    return "a + b", _pair(m, 8)


@row("`a + b`, 8 floats, recording a gradient", bar=4)
def add_recording(m: Any) -> Any:
    return "a + b", _pair(m, 8, grad=True)


@row("`(a * b).sum().backward()`, 8 floats", bar=6)
def tiny_backward(m: Any) -> Any:
    return "(a * b).sum().backward()", _pair(m, 8, grad=True), "(a.grad, b.grad)"


@row("`x[1:3]`", bar=2)
def slice_index(m: Any) -> Any:
    return "x[1:3]", {"x": data(m, 8)}


@row("`nn.Linear(16, 16)` on 4 rows", bar=3)
def linear_call(m: Any) -> Any:
    m.manual_seed(0)
    return "layer(x)", {"layer": m.nn.Linear(16, 16), "x": data(m, 4, 16)}


@row("MLP 64-128-10, batch 64: Adam step", bar=6, compiled=True)
def mlp_adam(m: Any) -> Any:
    return networks.training_step(
        m, networks.mlp(m), data(m, 64, 64), networks.targets(m, 64), m.optim.Adam, lr=1e-3
    )


@row("MLP 64-128-10, batch 64: SGD step", bar=5, compiled=True)
def mlp_sgd(m: Any) -> Any:
    return networks.training_step(
        m, networks.mlp(m), data(m, 64, 64), networks.targets(m, 64), m.optim.SGD, lr=1e-2
    )


@row("`a * b`, broadcasting (8, 1) × (8)", bar=2)
def mul_broadcast(m: Any) -> Any:
    return "a * b", {"a": data(m, 8, 1), "b": data(m, 8, seed=1)}


@row("`x * 2.5`, 8 floats", bar=2)
def mul_scalar(m: Any) -> Any:
    return "x * 2.5", {"x": data(m, 8)}


@row("`x += y`, 8 floats", bar=2)
def add_inplace(m: Any) -> Any:
    return "x += y", {"x": data(m, 8), "y": data(m, 8, seed=1) * 1e-9}, "x"


@row("`x[1]`", bar=2)
def integer_index(m: Any) -> Any:
    return "x[1]", {"x": data(m, 4, 4)}


@row("`x[None]`", bar=2)
def none_index(m: Any) -> Any:
    return "x[None]", {"x": data(m, 8)}


@row("`x[1:3] = y`", bar=2)
def slice_assign(m: Any) -> Any:
    return "x[1:3] = y", {"x": data(m, 8), "y": data(m, 2, seed=1)}, "x"


@row("`x.view(4, 2).transpose(0, 1)`", bar=2)
def view_transpose(m: Any) -> Any:
    return "x.view(4, 2).transpose(0, 1)", {"x": data(m, 8)}


@row("`x.sum(1)`, 4×8", bar=2)
def sum_dim(m: Any) -> Any:
    return "x.sum(1)", {"x": data(m, 4, 8)}


@row("`cat([a, b])`, 8 floats each", bar=2)
def cat(m: Any) -> Any:
    return "m.cat([a, b])", _pair(m, 8)


@row("`softmax(x, 1)`, 4×10", bar=2)
def softmax(m: Any) -> Any:
    return "m.softmax(x, 1)", {"m": m, "x": data(m, 4, 10)}


@row("`a @ b`, 16×16", bar=2)
def matmul(m: Any) -> Any:
    return "a @ b", _pair(m, 16, 16)


@row("`zeros(8)`", bar=2)
def zeros(m: Any) -> Any:
    return "m.zeros(8)", {"m": m}


@row("chain of 10 ops, forward and backward, 8 floats", bar=2)
def chain(m: Any) -> Any:
    x = data(m, 8).requires_grad_()

    def step() -> Any:
        x.grad = None
        y = x
        for _ in range(5):
            y = (y * 1.1).tanh()
        y.sum().backward()
        return x.grad

    return step


@row("20 × (Linear, LayerNorm, GELU) of 64, batch 32: AdamW step", bar=5, compiled=True)
def deep_mlp(m: Any) -> Any:
    nn = m.nn
    m.manual_seed(0)
    layers: list[Any] = []
    for _ in range(20):
        layers += [nn.Linear(64, 64), nn.LayerNorm(64), nn.GELU()]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    return networks.training_step(
        m, model, data(m, 32, 64), networks.targets(m, 32), m.optim.AdamW, lr=1e-3
    )


@row("LSTMCell 32→64, 50 steps, batch 16, forward and backward", bar=4, tolerance=1e-3)
def lstm_cell(m: Any) -> Any:
    m.manual_seed(0)
    cell = m.nn.LSTMCell(32, 64)
    xs = data(m, 50, 16, 32)

    def step() -> Any:
        cell.zero_grad()
        h, c = m.zeros(16, 64), m.zeros(16, 64)
        for x in xs:
            h, c = cell(x, (h, c))
        h.sum().backward()
        return h, cell.weight_ih.grad

    return step


@row("policy network 4-64-64-2 on one observation", bar=2)
def policy(m: Any) -> Any:
    nn = m.nn
    m.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2)
    )
    x = data(m, 4)

    def step() -> Any:
        with m.no_grad():
            return model(x).softmax(-1)

    return step


@row("LeNet on 32 digits: Adam step", bar=4, compiled=True)
def lenet(m: Any) -> Any:
    return networks.training_step(
        m, networks.lenet(m), data(m, 32, 1, 28, 28), networks.targets(m, 32), m.optim.Adam, lr=1e-3
    )


@row("GPT, 2 layers of 64, 8 × 64 tokens: AdamW step", bar=3, compiled=True, tolerance=1e-3)
def small_gpt(m: Any) -> Any:
    model = networks.gpt(m, layers=2, width=64, heads=4, vocabulary=128, context=64)
    return networks.gpt_step(m, model, batch=8, length=64, vocabulary=128)
