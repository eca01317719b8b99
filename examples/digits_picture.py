"""The picture of digits.py: how the network learned, what it confuses, the hardest scans."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import matplotlib
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import kagari
from kagari import Tensor

INK, GREY, PALE, EMBER, WATER = "#22252b", "#858b95", "#e4e7ea", "#e2552b", "#2a6a8a"
SHADES = LinearSegmentedColormap.from_list("water", ["#9dbccb", WATER])
PAPER = LinearSegmentedColormap.from_list("paper", ["#f6f4f0", INK])
STYLE = {
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": GREY,
    "axes.edgecolor": PALE,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Curves(Protocol):
    """What the picture needs to know of a run: one number per epoch, and what they cost."""

    loss: list[float]
    train_accuracy: list[float]
    test_accuracy: list[float]
    seconds: float
    images: int


def draw(history: Curves, images: Tensor, labels: Tensor, chances: Tensor, path: Path) -> None:
    """Writes the PNG.

    Args:
        history: the run's curves.
        images: the held-out scans ``(N, 1, 8, 8)``.
        labels: what was written ``(N,)``.
        chances: the probabilities the network gives the ten digits ``(N, 10)``.
        path: the file to write.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13.5, 6.5), facecolor="white")
        words = (
            f"{history.test_accuracy[-1]:.1%} of {len(labels)} held-out scans read correctly after "
            f"{len(history.loss)} epochs, {history.seconds:.1f} s at "
            f"{history.images / history.seconds:,.0f} images/s"
        )
        figure.text(0.045, 0.925, "Handwritten digits", fontsize=21, fontweight="bold")
        figure.text(0.045, 0.875, words, fontsize=11.5, color=GREY)
        area = {"top": 0.775, "bottom": 0.09}
        curves = figure.add_gridspec(2, 1, left=0.045, right=0.325, hspace=0.32, **area)
        _draw_errors(figure.add_subplot(curves[0]), history)
        _draw_loss(figure.add_subplot(curves[1]), history)
        table = figure.add_gridspec(1, 1, left=0.39, right=0.72, **area)
        _draw_confusion(figure.add_subplot(table[0]), labels, chances.argmax(1))
        scans = figure.add_gridspec(4, 3, left=0.755, right=0.985, hspace=0.3, wspace=0.1, **area)
        _draw_hardest(figure, scans, images, labels, chances)
        for left, title in (
            (0.045, "Errors, % of the scans"),
            (0.39, "What was read for what was written"),
            (0.755, "The twelve hardest scans"),
        ):
            figure.text(left, 0.815, title, fontsize=12.5)
        figure.savefig(path, dpi=120)


def _style_curve(axis: Any) -> None:
    axis.set_yscale("log")
    axis.grid(axis="y", color=PALE, linewidth=0.8)
    axis.minorticks_off()
    axis.tick_params(length=0)
    axis.margins(x=0.02)


def _draw_errors(axis: Any, history: Curves) -> None:
    epochs = range(1, len(history.loss) + 1)
    for accuracy, colour in ((history.train_accuracy, WATER), (history.test_accuracy, EMBER)):
        errors = [max(100 * (1 - value), 0.1) for value in accuracy]
        axis.plot(epochs, errors, color=colour, linewidth=1.7)
    _style_curve(axis)
    axis.set_yticks([0.1, 1, 10, 100], ["≤ 0.1", "1", "10", "100"])
    axis.set_ylim(0.08, 130)
    axis.text(0.99, 0.9, "held out", color=EMBER, ha="right", transform=axis.transAxes)
    axis.text(0.99, 0.79, "training", color=WATER, ha="right", transform=axis.transAxes)


def _draw_loss(axis: Any, history: Curves) -> None:
    axis.plot(range(1, len(history.loss) + 1), history.loss, color=WATER, linewidth=1.7)
    _style_curve(axis)
    axis.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    axis.set_title("Training loss", loc="left", fontsize=12.5)
    axis.set_xlabel("epoch")


def _draw_confusion(axis: Any, labels: Tensor, guesses: Tensor) -> None:
    counts = kagari.bincount(labels * 10 + guesses, minlength=100).view(10, 10)
    most = int(counts.max())
    for row, values in enumerate(counts.tolist()):
        for column, value in enumerate(values):
            colour = "#f3f5f6"
            if value:
                colour = SHADES(value / most) if row == column else EMBER
                axis.text(column, row, value, ha="center", va="center", color="white")
            axis.add_patch(Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, color=colour, lw=0))
    axis.set_xlim(-0.5, 9.5)
    axis.set_ylim(9.5, -0.5)
    axis.set_aspect("equal", anchor="NW")
    axis.set_xticks(range(10))
    axis.set_yticks(range(10))
    axis.tick_params(length=0)
    axis.set_xlabel("read as")
    axis.set_ylabel("written")
    axis.spines[:].set_visible(False)


def _draw_hardest(figure: Any, cells: Any, images: Tensor, labels: Tensor, chances: Tensor) -> None:
    truth = chances.gather(1, labels.unsqueeze(1)).squeeze(1)
    for place, index in enumerate(truth.argsort()[:12].tolist()):
        axis = figure.add_subplot(cells[place // 3, place % 3])
        axis.imshow(images[index, 0].tolist(), cmap=PAPER, vmin=0, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
        guess, label = int(chances[index].argmax()), int(labels[index])
        right = guess == label
        axis.spines[:].set(visible=not right, color=EMBER, linewidth=2)
        words = f"{guess}  {float(chances[index, guess]):.0%}" + ("" if right else f"  is {label}")
        axis.set_xlabel(words, fontsize=10, color=GREY if right else EMBER, labelpad=3)
