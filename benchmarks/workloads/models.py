"""Whole models: training steps, inference and decoding.

Operations are those of the products and convolutions; a backward pass has twice the forward one's,
less the gradient of the model's input, which nobody asks for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rows import compiled, data, row
from workloads import networks


@row("digits, one epoch of examples/digits.py", bar=3, tolerance=1e-3)
def digits_epoch(m: Any) -> Any:
    # The program is the same for both: under PyTorch the name kagari leads to torch.
    if m.__name__ != "kagari":
        for name in [name for name in sys.modules if name.partition(".")[0] == m.__name__]:
            sys.modules["kagari" + name[len(m.__name__) :]] = sys.modules[name]
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    import digits

    scans = digits.load_digits()
    run = digits.Run(digits.Settings(epochs=10**6))
    bar = digits.Bar(10**6)
    bar.live = False

    def step() -> Any:
        run.train_epoch(scans, bar)
        return run.history.loss[-1]

    return step


def _inference(m: Any, batch: int, size: int) -> Any:
    model, images = compiled(networks.resnet18(m).eval()), data(m, batch, 3, size, size)

    def step() -> Any:
        with m.no_grad():
            return model(images)

    return step


@row("ResNet-18, inference, batch 1, 224²", bar=1.5, flops=3.63e9, compiled=True, tolerance=1e-3)
def resnet_inference_1(m: Any) -> Any:
    return _inference(m, 1, 224)


@row("ResNet-18, inference, batch 8, 128²", bar=1.4, flops=9.48e9, compiled=True, tolerance=1e-3)
def resnet_inference_8(m: Any) -> Any:
    return _inference(m, 8, 128)


@row("ResNet-18, SGD step, batch 8, 96²", bar=1.4, flops=1.567e10, compiled=True, tolerance=1e-3)
def resnet_training(m: Any) -> Any:
    return networks.resnet_step(m, batch=8, size=96)


GPT = {"layers": 6, "width": 384, "heads": 6, "vocabulary": 4096, "context": 256}
GPT_WEIGHTS = 6 * 12 * 384**2 + 384 * 4096  # that take part in products


@row(
    "GPT 6 × 384, AdamW step, 4 × 256 tokens",
    bar=1.4,
    flops=3 * (2 * 4 * 256 * GPT_WEIGHTS + 6 * 2 * 4 * 256**2 * 384),
    compiled=True,
    tolerance=1e-3,
)
def gpt_training(m: Any) -> Any:
    return networks.gpt_step(m, networks.gpt(m, **GPT), batch=4, length=256, vocabulary=4096)


@row("GPT 6 × 384, one token after 128", bar=1.5, reads=4 * GPT_WEIGHTS, tolerance=1e-3)
def gpt_decoding(m: Any) -> Any:
    model = networks.gpt(m, **GPT).eval()
    tokens = networks.targets(m, 129, 4096).unsqueeze(0)
    prompt: list[list[Any]] = [[] for _ in range(GPT["layers"])]
    with m.no_grad():
        model(tokens[:, :128], prompt)

    def step() -> Any:
        with m.no_grad():
            return model(tokens[:, 128:], [list(kept) for kept in prompt])

    return step


@row(
    "TransformerEncoderLayer 256/8/1024, AdamW step, 8 × 128",
    bar=1.8,
    flops=4.43e9 + 3 * 4 * 8 * 128**2 * 256,
    compiled=True,
    tolerance=1e-3,
)
def encoder_layer(m: Any) -> Any:
    m.manual_seed(0)
    layer = m.nn.TransformerEncoderLayer(256, 8, 1024, dropout=0.0, batch_first=True)
    x = data(m, 8, 128, 256)
    rule = m.optim.AdamW(layer.parameters(), lr=1e-4)
    layer = compiled(layer)

    def step() -> Any:
        loss = layer(x).square().mean()
        rule.zero_grad()
        loss.backward()
        rule.step()
        return loss

    return step


@row("LSTM, 2 layers 64→128, 50 × 32, Adam step", bar=1.3, flops=2.1e9, tolerance=1e-3)
def lstm(m: Any) -> Any:
    m.manual_seed(0)
    model, x = m.nn.LSTM(64, 128, 2), data(m, 50, 32, 64)
    rule = m.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> Any:
        loss = model(x)[0].square().mean()
        rule.zero_grad()
        loss.backward()
        rule.step()
        return loss

    return step


@row("causal attention, 4 × 8 × 512 × 64", bar=1.3, flops=2 * 32 * 512**2 * 64)
def attention(m: Any) -> Any:
    q, k, v = (data(m, 4, 8, 512, 64, seed=i) for i in range(3))
    return lambda: m.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


@row("autoencoder 784-512-64, Adam step, batch 128", bar=2, flops=5.64e8, compiled=True)
def autoencoder(m: Any) -> Any:
    model, x = networks.autoencoder(m), data(m, 128, 784).sigmoid()
    rule = m.optim.Adam(model.parameters(), lr=1e-3)
    model = compiled(model)

    def step() -> Any:
        loss = m.nn.functional.mse_loss(model(x), x)
        rule.zero_grad()
        loss.backward()
        rule.step()
        return loss

    return step
