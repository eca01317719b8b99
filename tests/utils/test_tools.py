"""Small tools: timing, downloads, event files."""

from __future__ import annotations

import hashlib

import pytest

import kagari
from kagari.utils.benchmark import Timer


def test_timer():
    x = kagari.ones(4)
    m = Timer("x + x", globals={"x": x}, label="sum").timeit(5)
    assert m.number_per_run == 5 and len(m.times) == 1 and m.median == m.mean > 0
    m = Timer("x + x", globals={"x": x}).blocked_autorange(min_run_time=0.01)
    assert "Median" in repr(m) and m.iqr >= 0
    before = kagari.get_num_threads()
    Timer("kagari.get_num_threads()", num_threads=1).timeit(1)
    assert kagari.get_num_threads() == before
    with pytest.raises(NotImplementedError, match="Python"):
        Timer("x;", language="c++")


def test_download(tmp_path, capsys):
    state = {"w": kagari.arange(3)}
    kagari.save(state, tmp_path / "plain.pt")
    digest = hashlib.sha256((tmp_path / "plain.pt").read_bytes()).hexdigest()
    good = tmp_path / f"net-{digest[:8]}.pt"
    good.write_bytes((tmp_path / "plain.pt").read_bytes())
    loaded = kagari.hub.load_state_dict_from_url(
        good.as_uri(), model_dir=str(tmp_path / "a"), check_hash=True
    )
    assert kagari.equal(loaded["w"], state["w"])
    assert "net-" in capsys.readouterr().err
    bad = tmp_path / "net-00000000.pt"
    bad.write_bytes(good.read_bytes())
    with pytest.raises(RuntimeError, match="invalid hash value"):
        kagari.hub.load_state_dict_from_url(
            bad.as_uri(), model_dir=str(tmp_path / "b"), check_hash=True, progress=False
        )
    assert list((tmp_path / "b").iterdir()) == []
    assert kagari.utils.model_zoo.load_url is kagari.hub.load_state_dict_from_url
    with pytest.raises(RuntimeError, match="does not run code from the network"):
        kagari.hub.load("owner/repository", "model")


def test_folder_of_downloads(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert kagari.hub.get_dir() == str(tmp_path / "hub")
    monkeypatch.setattr(kagari.hub, "_chosen", None)
    kagari.hub.set_dir(tmp_path / "other")
    assert kagari.hub.get_dir() == str(tmp_path / "other")


def test_event_files(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from kagari.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path / "run") as writer:
        for step in range(3):
            writer.add_scalar("loss", kagari.tensor(1.0 / (step + 1)), step)
        writer.add_histogram("weights", kagari.randn(100), 0)
        writer.add_image("picture", kagari.rand(3, 4, 5), 0)
        writer.add_text("note", "hello", 0)
        writer.add_hparams({"lr": 0.1}, {"accuracy": 0.9}, run_name="h")
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 0)
    events = accumulator.EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    assert [s.value for s in events.Scalars("loss")] == pytest.approx([1, 0.5, 1 / 3])
    assert events.Histograms("weights")[0].histogram_value.num == 100
    assert events.Images("picture")[0].width == 5
    with pytest.raises(NotImplementedError, match="no graphs"):
        writer.add_graph(None)


def test_event_files_need_the_package(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "tensorboard", None)
    from kagari.utils.tensorboard import SummaryWriter

    with pytest.raises(ImportError, match="pip install tensorboard"):
        SummaryWriter(tmp_path)
