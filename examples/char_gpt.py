"""Trains a small GPT, letter by letter, on Python's licence and the docstrings of its library.

    python examples/char_gpt.py                  # about a minute on two cores
    python examples/char_gpt.py --steps 5000     # longer, better

The text is read from the Python that runs this file, so nothing is downloaded. Every tenth
docstring is held out; what the network makes of it is compared with a table of letter pairs.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import inspect
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import kagari
from kagari import Tensor, nn
from kagari.nn import functional as F

LETTERS = "\n" + "".join(map(chr, range(32, 127)))  # printable ASCII; the rest is left out


def read_texts(limit: int) -> list[str]:
    """Python's licence, then docstrings of the standard library, ``limit`` letters or so."""

    def everything() -> Iterator[str | None]:
        library = Path(os.__file__).parent
        licence = library / "LICENSE.txt"
        yield licence.read_text(encoding="utf-8") if licence.exists() else None
        for source in sorted(library.glob("*.py")):
            for node in ast.walk(ast.parse(source.read_bytes())):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    yield ast.get_docstring(node)
        for value in vars(builtins).values():  # these are there even without the sources
            yield inspect.getdoc(value)

    texts: dict[str, None] = {}  # a set that keeps the order
    length = 0
    for text in everything():
        if text and text not in texts:
            texts[text] = None
            length += len(text)
            if length >= limit:
                break
    return list(texts)


def encode(texts: Sequence[str]) -> Tensor:
    """The letters of all texts as numbers, one blank line between two texts."""
    number = {letter: i for i, letter in enumerate(LETTERS)}
    return kagari.tensor([number[c] for c in "\n\n".join(texts) if c in number])


class Block(nn.Module):
    """Each letter looks at those before it, then thinks for itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        n, t, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()  # each (N, heads, T, width / heads)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(n, t, width))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Letters ``(N, T)`` to scores ``(N, T, letters)`` of the letter that follows each."""

    def __init__(self, context: int = 64, width: int = 96, heads: int = 3, depth: int = 2) -> None:
        super().__init__()
        self.context = context
        self.letter = nn.Embedding(len(LETTERS), width)
        self.place = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, len(LETTERS), bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, letters: Tensor) -> Tensor:
        x = self.letter(letters) + self.place(kagari.arange(letters.shape[1]))
        return self.head(self.norm(self.blocks(x)))

    @kagari.no_grad()
    def write(self, start: str, length: int, temperature: float = 0.7) -> str:
        """Carries ``start`` on by ``length`` letters."""
        text = encode([start]).unsqueeze(0)
        for _ in range(length):
            scores = self(text[:, -self.context :])[:, -1] / temperature
            text = kagari.cat([text, kagari.multinomial(F.softmax(scores, -1), 1)], 1)
        return "".join(LETTERS[i] for i in text[0].tolist())


def bits(model: GPT, text: Tensor) -> float:
    """How many bits per letter of ``text`` the model needs, read in windows."""
    windows = text[: (len(text) - 1) // model.context * model.context + 1]
    x, y = windows[:-1].view(-1, model.context), windows[1:].view(-1, model.context)
    with kagari.no_grad():
        parts = zip(x.split(64), y.split(64), strict=True)
        nats = sum(
            F.cross_entropy(model(a).flatten(0, 1), b.flatten(), reduction="sum").item()
            for a, b in parts
        )
    return nats / y.numel() / math.log(2)


def pair_bits(learn: Tensor, text: Tensor) -> float:
    """The same for a table of how often each letter follows each other letter."""
    size = len(LETTERS)
    pairs = kagari.bincount(learn[:-1] * size + learn[1:], minlength=size * size) + 1.0
    table = pairs.view(size, size)
    return -(table / table.sum(1, keepdim=True))[text[:-1], text[1:]].log2().mean().item()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=800, help="updates (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=32, help="windows each (%(default)s)")
    parser.add_argument("--lr", type=float, default=3e-3, help="highest rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (%(default)s)")
    parser.add_argument("--letters", type=int, default=600_000, help="to read (%(default)s)")
    options = parser.parse_args(arguments)

    kagari.manual_seed(options.seed)
    texts = read_texts(options.letters)
    learn = encode([text for i, text in enumerate(texts) if i % 10 != 9])
    unseen = encode(texts[9::10])[:20_000]
    model = GPT()
    optimizer = kagari.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.1)
    schedule = kagari.optim.lr_scheduler.OneCycleLR(
        optimizer, options.lr, options.steps, pct_start=0.1
    )
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{len(learn):,} letters to learn from, {parameters:,} parameters")
    window = kagari.arange(model.context + 1)
    for step in range(1, options.steps + 1):
        starts = kagari.randint(len(learn) - model.context, (options.batch_size, 1))
        letters = learn[starts + window]
        loss = F.cross_entropy(model(letters[:, :-1]).flatten(0, 1), letters[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % max(1, options.steps // 10) == 0:
            now = loss.item() / math.log(2)
            print(f"step {step:5d}/{options.steps}  {now:.3f} bits per letter", flush=True)
    print("\n" + model.write("Return the ", 400) + "\n")
    print(
        f"{bits(model, unseen):.2f} bits per letter of unseen docstrings; "
        f"a table of letter pairs needs {pair_bits(learn, unseen):.2f}"
    )


if __name__ == "__main__":
    main()
