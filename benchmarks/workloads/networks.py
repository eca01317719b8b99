"""The networks of the rows, built for whichever library is passed as `m`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import compiled, data, labels


def targets(m: Any, count: int, classes: int = 10) -> Any:
    """Class labels ``(count,)``."""
    return labels(m, classes, count)


def training_step(
    m: Any, model: Any, x: Any, y: Any, optimizer: Callable[..., Any], **options: Any
) -> Callable[[], Any]:
    """One step of ``optimizer`` on the cross-entropy of ``model(x)`` with ``y``: the loss."""
    rule = optimizer(model.parameters(), **options)
    model = compiled(model)

    def step() -> Any:
        loss = m.nn.functional.cross_entropy(model(x), y)
        rule.zero_grad()
        loss.backward()
        rule.step()
        return loss

    return step


def mlp(m: Any) -> Any:
    """64-128-10 with one ReLU."""
    m.manual_seed(0)
    return m.nn.Sequential(m.nn.Linear(64, 128), m.nn.ReLU(), m.nn.Linear(128, 10))


def lenet(m: Any) -> Any:
    """Two convolutions and three linear layers for 28×28 images."""
    nn = m.nn
    m.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def autoencoder(m: Any) -> Any:
    """784-512-64 and back."""
    nn = m.nn
    m.manual_seed(0)
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 64), nn.ReLU(),
        nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid(),
    )  # fmt: skip


def resnet18(m: Any) -> Any:
    """The residual network of He et al. (2016) with 18 layers and 1,000 classes."""
    nn = m.nn
    m.manual_seed(0)

    def conv(inputs: int, outputs: int, size: int, stride: int = 1) -> Any:
        return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)

    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU(),
                conv(outputs, outputs, 3), nn.BatchNorm2d(outputs),
            )  # fmt: skip
            self.skip = nn.Identity()
            if stride > 1 or inputs != outputs:
                self.skip = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

        def forward(self, x: Any) -> Any:
            return m.relu(self.body(x) + self.skip(x))

    layers = [conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for outputs in (64, 128, 256, 512):
        layers += [Residual(inputs, outputs, 1 if outputs == 64 else 2)]
        layers += [Residual(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def gpt(m: Any, *, layers: int, width: int, heads: int, vocabulary: int, context: int) -> Any:
    """A decoder-only transformer with learned positions and normalisation before each block.

    Called with the tokens ``(B, T)`` it gives ``(B, T, vocabulary)``; called with one new token and
    ``cache``, a list of keys and values per layer, it extends the cache.
    """
    nn = m.nn
    m.manual_seed(0)

    class Layer(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

        def forward(self, x: Any, kept: list[Any] | None) -> Any:
            batch, length, _ = x.shape
            parts = self.qkv(self.norm1(x)).view(batch, length, 3, heads, width // heads)
            q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
            if kept is not None:
                if kept:
                    k, v = m.cat([kept[0], k], 2), m.cat([kept[1], v], 2)
                kept[:] = [k, v]
            causal = kept is None or length > 1
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
            x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
            return x + self.mlp(self.norm2(x))

    class GPT(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.layers = nn.ModuleList([Layer() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, tokens: Any, cache: list[list[Any]] | None = None) -> Any:
            start = cache[0][0].shape[2] if cache and cache[0] else 0
            places = m.arange(start, start + tokens.shape[1])
            x = self.token(tokens) + self.place(places)
            for index, layer in enumerate(self.layers):
                x = layer(x, None if cache is None else cache[index])
            return self.head(self.norm(x))

    return GPT()


def gpt_step(m: Any, model: Any, *, batch: int, length: int, vocabulary: int) -> Callable[[], Any]:
    """One AdamW step on predicting the next token of random text; returns the loss."""
    text = labels(m, vocabulary, batch, length + 1)
    x, y = text[:, :-1], text[:, 1:]
    rule = m.optim.AdamW(model.parameters(), lr=1e-4)
    model = compiled(model)

    def step() -> Any:
        scores = model(x)
        loss = m.nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten())
        rule.zero_grad()
        loss.backward()
        rule.step()
        return loss

    return step


def resnet_step(m: Any, *, batch: int, size: int) -> Callable[[], Any]:
    """One SGD step of ResNet-18."""
    images, classes = data(m, batch, 3, size, size), targets(m, batch, 1000)
    return training_step(m, resnet18(m), images, classes, m.optim.SGD, lr=1e-3, momentum=0.9)
