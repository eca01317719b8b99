"""Trains a convolutional network on 1,797 real handwritten digits and draws what it learned.

    python examples/digits.py                # train, test, draw runs/digits.png
    python examples/digits.py --resume       # carry on from runs/digits.pt after an interruption

The scans (8x8 pixels, 16 grey levels; Alpaydin and Kaynak, UCI repository, 1998) come with
scikit-learn. One fifth of them is held out before anything is learned and looked at only to report.
The checkpoint is rewritten after each epoch, never in place: a run that is stopped and resumed ends
with the same numbers as one that was left alone.
"""

from __future__ import annotations

import argparse
import math
import os
import pickle
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import kagari
from kagari import Tensor, nn
from kagari.nn import functional as F
from kagari.optim import AdamW
from kagari.optim.lr_scheduler import CosineAnnealingLR
from kagari.utils.data import DataLoader, TensorDataset

FORMAT = "kagari-digits-1"
INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended


class Problem(Exception):
    """Something the person in front of the terminal can mend; shown as one line."""


# --- The data -------------------------------------------------------------------------------------


class Digits(NamedTuple):
    """Images ``(N, 1, 8, 8)`` in [0, 1] and labels ``(N,)``, to learn from and to be tested on."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor


def load_digits() -> Digits:
    """Reads the scans and holds out a fifth of them, always the same fifth."""
    try:
        from sklearn.datasets import load_digits as read
    except ImportError:
        raise Problem("the scans come with scikit-learn: pip install scikit-learn") from None
    scans = read()
    images = kagari.tensor(scans.images, dtype=kagari.float32).unsqueeze(1) / 16
    labels = kagari.tensor(scans.target, dtype=kagari.int64)
    order = kagari.randperm(len(labels), generator=kagari.Generator().manual_seed(0))
    test, train = order[: len(order) // 5], order[len(order) // 5 :]
    return Digits(images[train], labels[train], images[test], labels[test])


def warp(images: Tensor, angle: float = 0.2, zoom: float = 0.1, shift: float = 0.5) -> Tensor:
    """Turns, scales and shifts each image by its own small random amount.

    No two hands write alike. Every output pixel looks up where it came from: a place between four
    pixels of the source, of which it takes the weighted mean.
    """
    count, size = images.shape[0], images.shape[-1]

    def uniform(limit: float) -> Tensor:
        return (kagari.rand(count, 1, 1) * 2 - 1) * limit

    centre = (size - 1) / 2
    y = (kagari.arange(size) - centre).view(1, size, 1)
    x = (kagari.arange(size) - centre).view(1, 1, size)
    turn, scale = uniform(angle), 1 + uniform(zoom)
    cos, sin = turn.cos() * scale, turn.sin() * scale
    padded = F.pad(images[:, 0], (1, 1, 1, 1))  # outside the scan there is blank paper
    from_y = (cos * y - sin * x + uniform(shift) + centre + 1).clamp(0, size + 0.999)
    from_x = (sin * y + cos * x + uniform(shift) + centre + 1).clamp(0, size + 0.999)
    top, left = from_y.long(), from_x.long()
    down, right = from_y - top, from_x - left
    each = kagari.arange(count).view(count, 1, 1)
    above = padded[each, top, left] * (1 - right) + padded[each, top, left + 1] * right
    below = padded[each, top + 1, left] * (1 - right) + padded[each, top + 1, left + 1] * right
    return (above * (1 - down) + below * down).unsqueeze(1)


# --- The network ----------------------------------------------------------------------------------


class Block(nn.Module):
    """A 3x3 convolution that keeps the size, normalised over the batch and rectified."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class DigitNet(nn.Module):
    """Four convolutions and one linear layer: ``(N, 1, 8, 8)`` images to ``(N, 10)`` scores."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.strokes = nn.Sequential(Block(1, width), Block(width, width), nn.MaxPool2d(2))
        self.shapes = nn.Sequential(
            Block(width, 2 * width), Block(2 * width, 2 * width), nn.MaxPool2d(2)
        )
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(2 * width * 2 * 2, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.shapes(self.strokes(x))
        return self.head(self.dropout(x.flatten(1)))


# --- Training -------------------------------------------------------------------------------------


@dataclass
class Settings:
    """What decides the result of a run: the same settings give the same numbers."""

    epochs: int = 40
    batch_size: int = 64
    lr: float = 3e-3
    seed: int = 0


@dataclass
class History:
    """One entry per finished epoch, and the time and images that went into them."""

    loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    images: int = 0


class Run:
    """Everything that changes while training, so that it can be saved and taken up again."""

    def __init__(self, settings: Settings) -> None:
        kagari.manual_seed(settings.seed)
        self.settings = settings
        self.history = History()
        self.model = DigitNet()
        self.optimizer = AdamW(self.model.parameters(), lr=settings.lr)
        self.schedule = CosineAnnealingLR(self.optimizer, T_max=settings.epochs)

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history.loss)

    def train_epoch(self, digits: Digits, bar: Bar) -> None:
        """Shows the network every training image once, each a little warped."""
        start = time.perf_counter()
        self.model.train()
        batches = DataLoader(
            TensorDataset(warp(digits.train_x), digits.train_y),
            self.settings.batch_size,
            shuffle=True,
        )
        total, right, seen = 0.0, 0, 0
        for images, labels in batches:
            scores = self.model(images)
            loss = F.cross_entropy(scores, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(labels)
            right += int((scores.argmax(1) == labels).sum())
            seen += len(labels)
            bar.show(self.epoch + seen / len(digits.train_y), total / seen, right / seen)
        self.schedule.step()
        self.history.seconds += time.perf_counter() - start
        self.history.images += seen
        self.history.loss.append(total / seen)
        self.history.train_accuracy.append(right / seen)
        guesses = self.predict(digits.test_x).argmax(1)
        self.history.test_accuracy.append(float((guesses == digits.test_y).float().mean()))
        bar.epoch_done(self)

    def predict(self, images: Tensor) -> Tensor:
        """The probabilities ``(N, 10)`` of the ten digits, with the network at rest."""
        self.model.eval()
        with kagari.no_grad():
            return F.softmax(self.model(images), 1)

    def save(self, path: Path) -> None:
        """Writes the checkpoint beside the old one and then puts it in its place."""
        state = {
            "format": FORMAT,
            "settings": asdict(self.settings),
            "history": asdict(self.history),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": kagari.get_rng_state(),
        }
        beside = path.with_name(path.name + ".new")
        try:
            kagari.save(state, beside)
            os.replace(beside, path)
        except (OSError, RuntimeError) as error:
            raise Problem(f"cannot write the checkpoint {path}: {error}") from error

    @classmethod
    def load(cls, path: Path) -> Run:
        """Takes a run up where its checkpoint left it, to the last bit."""
        if not path.exists():
            raise Problem(
                f"no checkpoint at {path}; start without --resume, or name one: --checkpoint"
            )
        try:
            state: Any = kagari.load(path)
        except (
            OSError,
            RuntimeError,
            ValueError,
            KeyError,
            EOFError,
            pickle.UnpicklingError,
        ) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Problem(f"{path} is not a readable checkpoint ({reason}); {ANEW}") from error
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise Problem(f"{path} holds something else than a run of this program; {ANEW}")
        try:
            run = cls(Settings(**state["settings"]))
            run.model.load_state_dict(state["model"])
            run.optimizer.load_state_dict(state["optimizer"])
            run.schedule.load_state_dict(state["schedule"])
            run.history = History(**state["history"])
            kagari.set_rng_state(state["random"])
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise Problem(f"{path} does not fit this program ({error}); {ANEW}") from error
        return run


ANEW = "move it away and start anew without --resume"


# --- The terminal ---------------------------------------------------------------------------------


class Bar:
    """A progress bar on a terminal; a line now and then where the output is kept in a file."""

    WIDTH = 28

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.live = sys.stdout.isatty()
        self.start = self.shown = time.perf_counter()

    def show(self, epoch: float, loss: float, accuracy: float) -> None:
        """Redraws the bar, at most twenty times a second."""
        now = time.perf_counter()
        if self.live and now - self.shown > 0.05:
            self.shown = now
            self._draw(epoch, f"loss {loss:6.4f}  accuracy {accuracy:6.1%}")

    def epoch_done(self, run: Run) -> None:
        """Draws the state after an epoch, with the accuracy on the held-out scans."""
        history = run.history
        text = f"loss {history.loss[-1]:6.4f}  accuracy {history.test_accuracy[-1]:6.1%} (held out)"
        if self.live:
            self._draw(run.epoch, text)
            if run.epoch == self.epochs:
                print()
        elif run.epoch == self.epochs or run.epoch % max(1, self.epochs // 10) == 0:
            print(f"epoch {run.epoch:3d}/{self.epochs}  {text}", flush=True)

    def note(self, text: str) -> None:
        """A line of its own, without tearing the bar."""
        print(("\n" if self.live else "") + text, flush=True)

    def _draw(self, epoch: float, text: str) -> None:
        done = round(epoch / self.epochs * self.WIDTH)
        bar = "━" * done + "─" * (self.WIDTH - done)
        seconds = time.perf_counter() - self.start
        print(
            f"\r{bar} {math.ceil(epoch):3d}/{self.epochs}  {text}  {seconds:4.1f} s\x1b[K",
            end="",
            flush=True,
        )


class Interrupt:
    """The first Ctrl-C asks for an end after this epoch; the second one ends at once."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self.asked = False

    def __enter__(self) -> Interrupt:
        self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self.before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.bar.note("finishing this epoch, then saving; Ctrl-C again stops at once")


# --- The program ----------------------------------------------------------------------------------


def positive(kind: type[int] | type[float]) -> Any:
    """An argparse type for a number above zero."""

    def parse(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(0)
        if not 0 < value < math.inf:
            what = "a whole number above 0" if kind is int else "a number above 0"
            raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}")
        return value

    return parse


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The flags; those of the settings stay None unless given, so that --resume can tell."""
    usual = Settings()
    parser = argparse.ArgumentParser(
        prog="digits.py",
        description="Train a small convolutional network on real handwritten digits.",
        epilog="Ctrl-C ends after the running epoch and keeps everything; --resume carries on.",
    )
    whole = positive(int)
    parser.add_argument("--epochs", type=whole, help=f"rounds through the data ({usual.epochs})")
    parser.add_argument("--batch-size", type=whole, help=f"images per step ({usual.batch_size})")
    parser.add_argument("--lr", type=positive(float), help=f"first learning rate ({usual.lr})")
    parser.add_argument("--seed", type=int, help=f"of all random numbers ({usual.seed})")
    parser.add_argument("--threads", type=whole, help="processor threads (all)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=Path("runs/digits.pt"),
        metavar="FILE",
        help="where the run is kept (%(default)s)",
    )
    parser.add_argument("--resume", action="store_true", help="carry on from the checkpoint")
    parser.add_argument(
        "--picture",
        type=Path,
        default=Path("runs/digits.png"),
        metavar="FILE",
        help="what to draw (%(default)s)",
    )
    parser.add_argument("--no-picture", action="store_true", help="draw nothing")
    return parser.parse_args(arguments)


def prepare(options: argparse.Namespace) -> Run:
    """A new run, or the one in the checkpoint."""
    given = {
        name: getattr(options, name)
        for name in asdict(Settings())
        if getattr(options, name) is not None
    }
    path: Path = options.checkpoint
    if options.resume:
        run = Run.load(path)
        for name, value in given.items():
            kept = getattr(run.settings, name)
            if value != kept:
                flag = "--" + name.replace("_", "-")
                raise Problem(
                    f"{flag} {value} is not what {path} was started with ({kept}); "
                    f"leave {flag} out, or start anew without --resume"
                )
        print(f"resuming {path} after epoch {run.epoch} of {run.settings.epochs}")
        return run
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            previous = path.with_name(f"{path.stem}.previous{path.suffix}")
            os.replace(path, previous)
            print(f"the run that was in {path} is now in {previous}")
    except OSError as error:
        raise Problem(f"cannot write the checkpoint {path}: {error}") from error
    return Run(Settings(**given))


def train(run: Run, digits: Digits, checkpoint: Path) -> bool:
    """Runs the epochs that are left; False when the person asked for an early end."""
    bar = Bar(run.settings.epochs)
    with Interrupt(bar) as interrupt:
        while run.epoch < run.settings.epochs:
            run.train_epoch(digits, bar)
            run.save(checkpoint)
            if interrupt.asked:
                break
    return run.epoch == run.settings.epochs


def draw_picture(run: Run, digits: Digits, path: Path) -> None:
    """Draws the result into one PNG, with matplotlib (see digits_picture.py)."""
    try:
        from digits_picture import draw
    except ImportError:
        raise Problem("the picture needs matplotlib: pip install matplotlib") from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(run.history, digits.test_x, digits.test_y, run.predict(digits.test_x), path)
    except (OSError, ValueError) as error:
        raise Problem(f"cannot write the picture {path}: {error}") from error


def report(run: Run, digits: Digits) -> None:
    """The result of the examination."""
    history = run.history
    accuracy, count = history.test_accuracy[-1], len(digits.test_y)
    print(
        f"test accuracy {accuracy:.2%} ({round(accuracy * count)} of {count} held-out scans), "
        f"{history.seconds:.1f} s, {history.images / history.seconds:,.0f} images/s"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit status."""
    options = parse_arguments(arguments)
    try:
        if options.threads:
            kagari.set_num_threads(options.threads)
        digits = load_digits()
        run = prepare(options)
        count = sum(parameter.numel() for parameter in run.model.parameters())
        print(f"{len(digits.train_y):,} scans to learn from, {count:,} parameters")
        finished = train(run, digits, options.checkpoint)
        if not finished:
            print(f"interrupted after epoch {run.epoch}; the rest is one --resume away")
            return INTERRUPTED
        report(run, digits)
        if not options.no_picture:
            draw_picture(run, digits, options.picture)
            print(f"drew {options.picture}")
    except Problem as problem:
        print(f"digits.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = f"the saved epochs are in {options.checkpoint}: --resume"
        words = kept if options.checkpoint.exists() else "no epoch was finished yet"
        print(f"\ninterrupted; {words}", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
