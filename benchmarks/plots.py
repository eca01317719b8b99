"""Draws the plots of docs/performance.md from the kept numbers, and writes its summary.

    python benchmarks/plots.py                 # needs matplotlib: scripts/setup-venv demo
    python benchmarks/plots.py --png FOLDER    # the plots as PNG into a folder, to look at them

What is drawn: the ratio of every row of results.json, and the curves of growth.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rows import FAMILIES, load_all
from table import HEADINGS, OURS, PEER, PEERS, TCMALLOC, main_threads, ratio, rows_of, summary
from table import mean_ratio as mean_of
from workloads.growth import CURVES, Curve

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE, IMAGES = DOCS / "performance.md", DOCS / "images"
BEGIN, END = "<!-- summary: written by benchmarks/plots.py -->", "<!-- end of summary -->"
# Okabe and Ito's colours, told apart by people who see few of them.
BLUE, ORANGE, GREY, GREEN = "#0072B2", "#D55E00", "#666666", "#009E73"
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "svg.hashsalt": "kagari",
    "figure.facecolor": "white",
}
SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps"))


def seconds(value: float, _: Any = None) -> str:
    """A time on an axis."""
    for unit, name in SECONDS:
        if value >= 0.999 * unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.0e} s"


def _power(value: float, _: Any = None) -> str:
    text = f"{value:.0e}"
    return f"{value:g}" if value < 1e4 else f"$10^{{{int(text.partition('e')[2])}}}$"


def _scales(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, form in ((axes.xaxis, _power), (axes.yaxis, seconds)):
        axis.set_major_locator(LogLocator(numticks=9))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(form))
    axes.minorticks_off()


def _label(
    axes: Any, x: float, y: float, text: str, colour: str, above: bool, falling: bool
) -> None:
    """A curve's name beside it, on the side of it where the other curve is not."""
    right, up = above == falling, above
    axes.annotate(
        text, (x, y), xytext=(7 if right else -5, 5 if up else -7), textcoords="offset points",
        ha="left" if right else "right", va="bottom" if up else "top", color=colour,
        weight="bold", fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def growth_plot(curve: Curve, kept: dict[str, Any]) -> Any:
    """Time against size, and time per unit: what is fixed and what grows."""
    figure, (total, each) = plt.subplots(1, 2, figsize=(9.6, 4.0), layout="constrained")
    count = kept["count"]
    lines = (
        (PEER, "PyTorch", ORANGE, "s-"),
        (OURS, "kagari", BLUE, "o-"),
        ("limit", curve.limit, GREY, "--"),
    )
    for axes, per in ((total, False), (each, True)):
        _scales(axes)
        drawn = {}
        for name, title, colour, style in lines:
            y = [t / n if per else t for t, n in zip(kept[name], count, strict=True)]
            drawn[name] = y
            axes.plot(
                count, y, style, color=colour, markersize=4.5, linewidth=1.6, zorder=3,
                markerfacecolor="white" if name == PEER else colour,
            )  # fmt: skip
            if name in (OURS, PEER):
                at = max(2, len(count) // 6) if per else max(2, len(count) // 4)
                _label(axes, count[at], y[at], title, colour, name == PEER, per)
        shown = [y for name in (OURS, PEER) for y in drawn[name]]
        low, high = min(shown), max(shown)
        axes.set_ylim(min(low / 4, *drawn["limit"]) / 2 if per else low / 12, high * 4)
        inside = [i for i, y in enumerate(drawn["limit"]) if y > low / 8]
        # The text has room up to the middle of the axis.
        middle = (count[0] * count[-1]) ** 0.5
        at = 0 if per else max([i for i in inside if count[i] <= middle], default=inside[0])
        axes.annotate(
            curve.limit, (count[at], drawn["limit"][at]), xytext=(0, -5) if per else (8, -8),
            textcoords="offset points", ha="left", va="top", fontsize=9, style="italic",
            color=GREY,
        )  # fmt: skip
        axes.set_xlabel(curve.unit)
    unit = curve.unit.partition(" (")[0].removesuffix(" of the tape")
    total.set_ylabel("time")
    each.set_ylabel(f"time per {unit.removesuffix('s')}")
    threads = kept["threads"]
    figure.suptitle(f"{curve.title} ({threads} thread{'s' * (threads != '1')})", fontsize=11)
    return figure


def ratio_plot(results: dict[str, Any]) -> Any:
    """Every row's ratio as a bar on a logarithmic axis, PyTorch with tcmalloc as a mark on it."""
    threads = main_threads(results)
    names, plain, tcmalloc, heads = [], [], [], []
    for family in FAMILIES:
        rows = rows_of(family, results)
        found = [(r, results["rows"][r.name].get(threads, {})) for r in rows]
        found = [(row, cells) for row, cells in found if ratio(cells, PEER) is not None]
        if found:
            heads.append((len(names), HEADINGS[family]))
            names.append("")
            plain.append(None)
            tcmalloc.append(None)
        for row, cells in found:
            names.append(row.title.replace("`", ""))
            plain.append(ratio(cells, PEER))
            tcmalloc.append(ratio(cells, TCMALLOC))
    figure, axes = plt.subplots(figsize=(9.6, 0.21 * len(names) + 1.2), layout="constrained")
    axes.set_xscale("log")
    axes.grid(axis="y", visible=False)
    for y, (value, other) in enumerate(zip(plain, tcmalloc, strict=True)):
        if value is None:
            continue
        colour = BLUE if value >= 1 else ORANGE
        axes.barh(y, value - 1, left=1, height=0.66, color=colour, zorder=3)
        end = max(value, other or 0) if value >= 1 else value
        axes.annotate(
            f"{value:.1f}" if value >= 9.95 else f"{value:.2f}", (end, y), va="center",
            xytext=(5 if value >= 1 else -5, 0), textcoords="offset points",
            ha="left" if value >= 1 else "right", fontsize=8, color=colour,
        )  # fmt: skip
        if other is not None:
            axes.plot(other, y, "D", color="black", markersize=4, zorder=4, markeredgecolor="white")
    for y, text in heads:
        axes.annotate(
            text, (0, y), xycoords=axes.get_yaxis_transform(), xytext=(-4, 0), weight="bold",
            textcoords="offset points", ha="right", va="center", fontsize=8.5,
        )  # fmt: skip
    axes.axvline(1, color="black", linewidth=1, zorder=5)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.8)
    largest = max((v for v in plain if v is not None), default=1)
    axes.set_xlim(0.4, 2.2 * largest)
    ticks = [t for t in (0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256) if t < 2.2 * largest]
    axes.set_xticks(ticks, [f"{t:g}×" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel(
        "PyTorch's time (or memory) divided by kagari's, logarithmic; bar: PyTorch as installed"
        + ("; ◆: PyTorch with tcmalloc" if any(tcmalloc) else "")
    )
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.spines["top"].set_visible(True)
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_visible(False)
    return figure


def summary_lines(results: dict[str, Any]) -> list[str]:
    """The geometric means by family and peer, and what summary() says."""
    threads = main_threads(results)
    columns = [(threads, peer) for peer in PEERS] + [("1", PEER)] * (threads != "1")
    lines: list[list[str]] = []
    for family in FAMILIES:
        means = [mean_of(family, results, peer, count) for count, peer in columns]
        if rows_of(family, results):
            lines.append([HEADINGS[family], *(f"{m[0]:.2f} ({m[1]})" if m else "" for m in means)])
    heads = ["", *PEERS.values()] + ["PyTorch, 1 thread"] * (threads != "1")
    kept = [i for i, _ in enumerate(heads) if i == 0 or any(line[i] for line in lines)]
    rows = [[heads[i] for i in kept], ["---"] + ["---:"] * (len(kept) - 1)]
    rows += [[line[i] for i in kept] for line in lines]
    return [*("| " + " | ".join(cells) + " |" for cells in rows), "", *summary(results)]


def write_summary(results: dict[str, Any]) -> None:
    """Puts the summary between its marks in docs/performance.md."""
    text = PAGE.read_text(encoding="utf-8")
    head, mark, rest = text.partition(BEGIN)
    if not mark or END not in rest:
        raise SystemExit(f"plots: {PAGE} lacks the marks {BEGIN} and {END}")
    tail = rest.partition(END)[2]
    PAGE.write_text(
        "\n".join([head + BEGIN, "", *summary_lines(results), "", END + tail]), encoding="utf-8"
    )


def main() -> int:
    """Draws everything."""
    parser = argparse.ArgumentParser(description="Draw the plots of docs/performance.md.")
    parser.add_argument("--png", type=Path, metavar="FOLDER", help="PNG files there, nothing else")
    options = parser.parse_args()
    load_all()
    plt.rcParams.update(STYLE)
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    growth = json.loads((HERE / "growth.json").read_text(encoding="utf-8"))
    figures = {f"growth-{n}": growth_plot(CURVES[n], kept) for n, kept in growth.items()}
    figures["ratios"] = ratio_plot(results)
    for name, figure in figures.items():
        if options.png:
            figure.savefig(options.png / f"{name}.png", dpi=110)
        else:
            figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)
    if not options.png:
        write_summary(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
