"""RESULTS.md from the kept results: tables, what is below its bar and what is behind a peer.

The results are a dictionary: "rows" leads from a row's name and a number of threads ("2") to a cell
per library with its value, the date and the number of pairs; a peer's cell has the ratio, the
median over the pairs of its value divided by kagari's beside it. "limits" leads from a number of
threads to what limits.py has measured.
"""

from __future__ import annotations

import statistics
from typing import Any

from limits import least_seconds
from rows import FAMILIES, ROWS, Row

OURS, PEER, TCMALLOC = "kagari", "torch", "torch + tcmalloc"
COMPILE, JAX, NUMPY, ONEDNN = "torch.compile", "jax", "numpy", "onednn"
LONG = {
    PEER: "PyTorch",
    TCMALLOC: "PyTorch with tcmalloc",
    COMPILE: "`torch.compile`",
    JAX: "JAX",
    NUMPY: "NumPy",
    ONEDNN: "oneDNN",
}
PEERS = LONG | {TCMALLOC: "tcmalloc", COMPILE: "compile"}  # as a column's heading
HEADINGS = {
    "overhead": "Small work: the call path",
    "memory": "Memory-bound work (16M float32 unless said)",
    "matmul": "Matrix products",
    "conv": "Convolutions",
    "models": "Models",
    "process": "Whole processes",
}
# The least geometric mean of a family's ratios, by peer.
MEANS = {
    "overhead": {PEER: 4.0},
    "memory": {PEER: 3.0, TCMALLOC: 1.5},
    "conv": {PEER: 1.5},
}
AT_THE_LIMIT = 0.9  # a row of the memory family that reaches this share cannot be asked for more
Results = dict[str, Any]
Cells = dict[str, Any]


def quantity(value: float | None, unit: str) -> str:
    """A time or a size for people."""
    if value is None:
        return ""
    if unit != "s":
        return f"{value:,.0f} {unit}"
    for limit, factor, name in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if value < limit:
            return f"{value * factor:.3g} {name}"
    return f"{value:.3g} s"


def main_threads(results: Results) -> str:
    """The number of threads that bars are about: the largest one measured."""
    counts = {int(n) for cells in results["rows"].values() for n in cells}
    return str(max(counts, default=1))


def ratio(cells: Cells, peer: str) -> float | None:
    """The peer's time divided by kagari's."""
    found: float | None = cells.get(peer, {}).get("ratio")
    return found


def share(row: Row, cells: Cells, limits: dict[str, float] | None) -> float | None:
    """Which part of the physical limit the row reaches."""
    value = cells.get(OURS, {}).get("value")
    least = least_seconds(row, limits) if limits else None
    return least / value if least and value else None


def failure(cells: Cells) -> str | None:
    """Why there is no ratio to PyTorch."""
    for name in (OURS, PEER):
        if "error" in cells.get(name, {}):
            return f"{name}: {cells[name]['error']}"
    return None


def is_met(row: Row, cells: Cells, reached: float | None) -> bool:
    """Whether the row clears its bars."""
    plain, tcmalloc = ratio(cells, PEER), ratio(cells, TCMALLOC)
    if plain is None:
        return False
    at_limit = row.family == "memory" and (reached or 0) >= AT_THE_LIMIT
    bar = min(row.bar or 0, 1.0) if at_limit else row.bar or 0
    if plain < bar or (row.most is not None and cells[OURS]["value"] > row.most):
        return False
    return at_limit or tcmalloc is None or tcmalloc >= (row.bar_tcmalloc or 0)


def when(cells: Cells) -> str:
    """The date and the pairs of the cells, the exceptions by name."""
    stamps = {name: f"{c['date']} ×{c['pairs']}" for name, c in cells.items() if "date" in c}
    if not stamps:
        return ""
    base = stamps.get(PEER, next(iter(stamps.values())))
    others = {stamp: PEERS[n] for n, stamp in stamps.items() if n in PEERS and stamp != base}
    return "; ".join([base, *(f"{name} {stamp}" for stamp, name in others.items())])


def _ratio_cell(cells: Cells, peer: str) -> str:
    if "error" in cells.get(peer, {}):
        return "failed"
    found = ratio(cells, peer)
    return "" if found is None else f"{found:.2f}"


def _bars(row: Row) -> str:
    words = [f"{row.bar:g}"] if row.bar else []
    return ", ".join(words + ([f"≤ {quantity(row.most, row.unit)}"] if row.most else []))


def _columns(row: Row, cells: dict[str, Cells], results: Results, threads: str) -> dict[str, str]:
    """The cells of one line by heading."""
    many, one = cells.get(threads, {}), cells.get("1", {})
    limits = results.get("limits", {})
    reached = share(row, many, limits.get(threads))
    line = {
        "what": row.title,
        "kagari": quantity(many.get(OURS, {}).get("value"), row.unit),
        "PyTorch": quantity(many.get(PEER, {}).get("value"), row.unit),
        "ratio": _ratio_cell(many, PEER),
        "bar": _bars(row),
    }
    for peer in (TCMALLOC, COMPILE, JAX, NUMPY, ONEDNN):
        line[PEERS[peer]] = _ratio_cell(many, peer)
    line["of the limit"] = "" if reached is None else f"{100 * reached:.0f} %"
    line[" "] = "met" if is_met(row, many, reached) else "**below**"
    if failure(many):
        line[" "] = failure(many) or ""
    if threads != "1":
        reached = share(row, one, limits.get("1"))
        line["1 thread: kagari"] = quantity(one.get(OURS, {}).get("value"), row.unit)
        line["1 thread: ratio"] = _ratio_cell(one, PEER)
        line["1 thread: tcmalloc"] = _ratio_cell(one, TCMALLOC)
        line["1 thread: of the limit"] = "" if reached is None else f"{100 * reached:.0f} %"
    line["measured"] = when(many)
    return line


def rows_of(family: str, results: Results) -> list[Row]:
    """The family's rows that were measured."""
    return [row for row in ROWS.values() if row.family == family and row.name in results["rows"]]


def mean_ratio(family: str, results: Results, peer: str, threads: str) -> tuple[float, int] | None:
    """The geometric mean of a family's ratios, and their number."""
    found = [
        value
        for row in rows_of(family, results)
        if (value := ratio(results["rows"][row.name].get(threads, {}), peer)) is not None
    ]
    return (statistics.geometric_mean(found), len(found)) if found else None


def _mean_line(family: str, results: Results, threads: str) -> str:
    """The geometric means of a family, each with its bar."""
    words = []
    for peer, name in PEERS.items():
        found = mean_ratio(family, results, peer, threads)
        if found is None:
            continue
        bar = MEANS.get(family, {}).get(peer)
        verdict = (
            "" if bar is None else f", bar {bar:g}: {'met' if found[0] >= bar else '**below**'}"
        )
        rows = f"{found[1]} row{'s' * (found[1] != 1)}"
        words.append(f"{name} {found[0]:.2f} ({rows}{verdict})")
    return "Geometric means: " + "; ".join(words) + "."


def section(family: str, results: Results) -> list[str]:
    """The table of one family."""
    rows, threads = rows_of(family, results), main_threads(results)
    if not rows:
        return []
    lines = [_columns(row, results["rows"][row.name], results, threads) for row in rows]
    heads = [h for h in lines[0] if h in ("what", "bar", " ") or any(line[h] for line in lines)]
    text = ["what", " ", "measured"]
    return [
        f"## {HEADINGS[family]}",
        "",
        "| " + " | ".join(heads).replace("|   |", "| |") + " |",
        "|" + "|".join("---" if h in text else "---:" for h in heads) + "|",
        *("| " + " | ".join(line[h] for h in heads) + " |" for line in lines),
        "",
        _mean_line(family, results, threads),
        "",
    ]


def behind(results: Results, peer: str, threads: str) -> list[tuple[Row, float]]:
    """The rows in which a peer is faster, the worst first."""
    found = [
        (row, value)
        for row in ROWS.values()
        if (value := ratio(results["rows"].get(row.name, {}).get(threads, {}), peer)) is not None
        and value < 1
    ]
    return sorted(found, key=lambda pair: pair[1])


def summary(results: Results) -> list[str]:
    """How many bars are met, which are not, and where a peer is faster."""
    threads = main_threads(results)
    limits = results.get("limits", {}).get(threads)
    measured = [row for row in ROWS.values() if threads in results["rows"].get(row.name, {})]
    missed = [
        row
        for row in measured
        if not is_met(
            row,
            results["rows"][row.name][threads],
            share(row, results["rows"][row.name][threads], limits),
        )
    ]
    lines = [f"{len(measured) - len(missed)} of {len(measured)} rows clear their bars."]
    if missed:
        lines += ["", "**Below the bar**:", ""]
        for family in FAMILIES:
            if titles := [row.title for row in missed if row.family == family]:
                lines.append(f"- {HEADINGS[family].partition(' (')[0]}: {'; '.join(titles)}")
    columns = [(threads, peer, name) for peer, name in LONG.items()]
    columns += [("1", PEER, "PyTorch, both on 1 thread")] * (threads != "1")
    for count, peer, name in columns:
        if all(ratio(c.get(count, {}), peer) is None for c in results["rows"].values()):
            continue
        slower = "; ".join(f"{r.title} ({v:.2f})" for r, v in behind(results, peer, count))
        lines += ["", f"**Slower than {name}**: {slower or 'no row'}."]
    return lines


def limit_line(results: Results) -> list[str]:
    """The measured limits in words."""
    lines = []
    for threads, limits in sorted(results.get("limits", {}).items(), reverse=True):
        lines.append(
            f"- {threads} thread{'s' * (threads != '1')}: reading {limits['read'] / 1e9:.1f}, "
            f"writing {limits['write'] / 1e9:.1f}, copying {limits['copy'] / 1e9:.1f} GB/s (bytes "
            f"read and written); {limits['float32'] / 1e9:.0f} GFLOP/s in float32, "
            f"{limits['float64'] / 1e9:.0f} in float64"
        )
    return ["The limits of the machine:", "", *lines, ""] if lines else []


def table(results: Results) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    threads = main_threads(results)
    lines = [
        "# Measured",
        "",
        "<!-- written by benchmarks/run.py -->",
        "",
        f"{results['machine']}; {threads} threads; {versions}; Python {results['python']}.",
        "",
        "The ratio is PyTorch's time (or memory) divided by kagari's: above 1 kagari is ahead. The",
        "bar is the ratio aimed at. Further columns are such ratios too: to PyTorch with tcmalloc",
        "preloaded, to `torch.compile`, to JAX with `jit`, to NumPy. Of the limit: the time",
        "that the row's bytes or operations need at the measured bandwidth or peak, by kagari's.",
        "A memory-bound row at 90 % of it is met where PyTorch is not ahead. Values are medians",
        "of the pairs of fresh processes given in the last column (×5). Every row's result is",
        "compared in the same run. [Performance](../docs/performance.md) explains the method.",
        "",
        *limit_line(results),
        *summary(results),
        "",
    ]
    for family in FAMILIES:
        lines += section(family, results)
    return "\n".join(lines)
