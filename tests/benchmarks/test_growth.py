"""The curves of growth.py and the plots that are drawn of them and of the table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import growth
import plots
import worker

import kagari
from rows import load_all
from workloads.growth import CURVES, FLOOR, POINTS, Curve

LIMITS = {"read": 1e10, "write": 1e10, "copy": 1e10, "float32": 1e11, "float64": 5e10}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_a_curve_spans_six_orders_of_magnitude(curve: Curve) -> None:
    counts = [curve.count(n) for n in curve.sizes]
    assert counts == sorted(counts) and counts[-1] >= 1e6 * counts[0]
    assert set(curve.points()) == set(curve.sizes)
    assert {row.name for row in curve.points().values()} <= set(POINTS)


@pytest.mark.parametrize("name", [*(f"growth.{c}.{CURVES[c].sizes[1]}" for c in CURVES)])
def test_a_point_is_a_workload(name: str) -> None:
    timed, result = worker.loop(POINTS[name].setup(kagari))
    assert worker.fingerprint(kagari, result())
    assert timed(2) > 0


def cell(ours: float, theirs: float) -> dict[str, Any]:
    return {"kagari": {"value": ours}, "torch": {"value": theirs, "ratio": theirs / ours}}


def numbers(curve: Curve) -> dict[str, Any]:
    cells = {row.name: cell(n * 1e-6, n * 2e-6) for n, row in curve.points().items()}
    cells |= {row.name: cell(1e-3, 2e-3) for row in FLOOR.points().values()}
    return growth.series(curve, cells, LIMITS)


def test_series_have_the_limit_beside_both_libraries() -> None:
    add = numbers(CURVES["add"])
    assert add["count"][:3] == [1, 4, 16]
    assert add["kagari"][1] == 4e-6 and add["torch"][1] == 8e-6
    # 8 bytes are read and 4 written: twice 4 at the speed of a copy, 4 at that of reading.
    assert add["limit"][1] == pytest.approx(4 * 12 / 1e10)
    # The tape is held against two calls of a chain of 1,000 that took a millisecond.
    assert numbers(CURVES["tape"])["limit"][2] == pytest.approx(100 * 2e-6)


def test_a_failed_point_ends_the_program() -> None:
    cells = {row.name: {"kagari": {"error": "no"}} for row in CURVES["add"].points().values()}
    with pytest.raises(SystemExit, match=r"growth\.add\.1: kagari: no"):
        growth.series(CURVES["add"], cells, LIMITS)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_growth_plot_names_both_libraries_and_the_limit(curve: Curve) -> None:
    figure = plots.growth_plot(curve, numbers(curve) | {"threads": "2"})
    for axes in figure.axes:
        assert {"PyTorch", "kagari", curve.limit} == {t.get_text() for t in axes.texts}
        assert axes.get_xlabel() == curve.unit and axes.get_ylabel().startswith("time")
    plots.plt.close(figure)


def results() -> dict[str, Any]:
    load_all()
    tcmalloc = {"torch + tcmalloc": {"value": 1.0, "ratio": 0.5}}
    rows = {"memory.exp": {"2": cell(1, 2) | tcmalloc}, "conv.conv1d": {"2": cell(1, 0.5)}}
    return {"rows": rows, "limits": {}}


def test_ratio_plot_has_a_bar_for_every_row() -> None:
    figure = plots.ratio_plot(results())
    (axes,) = figure.axes
    widths = sorted(bar.get_width() for bar in axes.patches)
    assert widths == [-0.5, 1.0]
    assert len(axes.lines) == 2  # the mark of tcmalloc, and the line at 1
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["", "exp", "", "conv1d 5, 64→64, length 1024, batch 16"]
    plots.plt.close(figure)


def test_summary_is_written_between_its_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    monkeypatch.setattr(plots, "PAGE", page)
    page.write_text(f"head\n{plots.BEGIN}\nold\n{plots.END}\ntail\n", encoding="utf-8")
    for _ in range(2):
        plots.write_summary(results())
    text = page.read_text(encoding="utf-8")
    assert text.startswith("head\n") and text.endswith("\ntail\n") and "old" not in text
    assert "**Slower than PyTorch**: conv1d 5, 64→64, length 1024, batch 16 (0.50)." in text
    assert "| Convolutions | 0.50 (1) |" in text
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(SystemExit, match="lacks the marks"):
        plots.write_summary(results())


def test_kept_curves_are_those_of_the_program() -> None:
    kept = json.loads(growth.STORE.read_text(encoding="utf-8"))
    assert set(kept) == set(CURVES)
    for name, curve in kept.items():
        assert curve["count"] == [CURVES[name].count(n) for n in CURVES[name].sizes]


@pytest.mark.conformance
@pytest.mark.parametrize(
    "name",
    [
        "models.resnet_inference_8", "models.gpt_training", "models.encoder_layer",
        "models.autoencoder", "conv.conv3d", "conv.conv_deep_training", "conv.transposed",
        "conv.depthwise", "matmul.batched", "matmul.odd",
    ],
)  # fmt: skip
def test_operations_are_those_that_pytorch_counts(name: str) -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    row = load_all()[name]
    work = row.setup(torch)
    with FlopCounterMode(display=False) as counter:
        work()
    # PyTorch does not count attention on a processor: less than a tenth here.
    assert 0.9 * row.flops <= counter.get_total_flops() <= 1.01 * row.flops
