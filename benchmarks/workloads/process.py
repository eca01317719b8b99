"""What a whole process costs: the time from its start, and the memory at its peak.

Each of these rows runs in a process of its own, which ends after the one step. The time counts from
the start of the interpreter and includes the import of the library; the memory is the peak of the
resident set.
"""

from __future__ import annotations

from typing import Any

from rows import row
from workloads import networks


@row("start of the interpreter and `import`", bar=5, most=0.15)
def start(m: Any) -> Any:
    return lambda: None


@row("first MLP training step from the start of the interpreter", bar=5, most=0.3)
def first_step(m: Any) -> Any:
    # The library's own numbers: the import of NumPy would take a third of the time.
    x, y = m.arange(64 * 64).sin().view(64, 64), m.arange(64) % 10
    return networks.training_step(m, networks.mlp(m), x, y, m.optim.Adam, lr=1e-3)


@row("peak memory, three ResNet-18 steps, batch 8, 96²", bar=1, unit="MB", tolerance=1e-3)
def resnet_memory(m: Any) -> Any:
    step = networks.resnet_step(m, batch=8, size=96)
    return lambda: [step() for _ in range(3)][-1]


@row("peak memory, three GPT steps, 6 × 384, 4 × 256 tokens", bar=1, unit="MB", tolerance=1e-3)
def gpt_memory(m: Any) -> Any:
    model = networks.gpt(m, layers=6, width=384, heads=6, vocabulary=4096, context=256)
    step = networks.gpt_step(m, model, batch=4, length=256, vocabulary=4096)
    return lambda: [step() for _ in range(3)][-1]
