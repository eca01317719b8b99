"""The digits example: learns, resumes to the bit, survives Ctrl-C, and says what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import kagari

PROGRAM = Path(__file__).parents[2] / "examples" / "digits.py"
PYTHONPATH = [os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else []
Result = tuple[int, str, str]
PNG = b"\x89PNG\r\n\x1a\n"


# Presses Ctrl-C while the second epoch is shown, wherever the machine is by then.
INTERRUPTED = """
import signal, sys
import digits
show = digits.Bar.epoch_done
def epoch_done(bar, run):
    show(bar, run)
    if run.epoch == 2:
        signal.raise_signal(signal.SIGINT)
digits.Bar.epoch_done = epoch_done
sys.exit(digits.main(sys.argv[1:]))
"""


def run(folder: Path, *flags: str, program: Sequence[str] = (str(PROGRAM),)) -> Result:
    """Runs the example in ``folder``, where its default files land: exit status, output, errors."""
    done = subprocess.run(
        [sys.executable, *program, "--threads", "1", *flags],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(PROGRAM.parent), *PYTHONPATH])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A short run with its picture: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("digits")
    status, out, err = run(folder, "--epochs", "4")
    assert status == 0, err
    return folder, out


def test_learns_and_draws(finished: tuple[Path, str]) -> None:
    folder, out = finished
    found = re.search(r"test accuracy (\d+\.\d+)% .*, (\d+\.\d) s, ([\d,]+) images/s", out)
    assert found, out
    assert float(found[1]) >= 90
    assert (folder / "runs/digits.png").read_bytes().startswith(PNG)
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["digits.png", "digits.pt"]


def test_interrupted_and_resumed_equals_uninterrupted(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    flags = ("--epochs", "4", "--no-picture")
    status, out, err = run(tmp_path, *flags, program=("-c", INTERRUPTED))
    assert status == 130, err
    assert "finishing this epoch" in out
    assert "interrupted after epoch 2" in out

    status, out, err = run(tmp_path, "--resume", "--no-picture")
    assert status == 0, err
    assert "resuming runs/digits.pt after epoch 2 of 4" in out
    whole = kagari.load(finished[0] / "runs/digits.pt")
    parts = kagari.load(tmp_path / "runs/digits.pt")
    for name in ("loss", "train_accuracy", "test_accuracy", "images"):
        assert parts["history"][name] == whole["history"][name]
    for name, value in whole["model"].items():
        assert kagari.equal(parts["model"][name], value), name


def test_resuming_a_finished_run_reports_it_again(finished: tuple[Path, str]) -> None:
    status, out, err = run(finished[0], "--resume", "--no-picture")
    assert status == 0, err
    assert out.splitlines()[-1] == next(
        line for line in finished[1].splitlines() if line.startswith("test accuracy")
    )


def test_a_new_run_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(b"precious")
    status, out, err = run(tmp_path, "--epochs", "1", "--no-picture", "--checkpoint", "mine.pt")
    assert status == 0, err
    assert "mine.previous.pt" in out
    assert (tmp_path / "mine.previous.pt").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("flags", "status", "words"),
    [
        (["--epochs", "0"], 2, "argument --epochs: expected a whole number above 0, got '0'"),
        (["--epochs", "1.5"], 2, "argument --epochs: expected a whole number above 0, got '1.5'"),
        (["--lr", "nan"], 2, "argument --lr: expected a number above 0, got 'nan'"),
        (["--learning-rate", "1"], 2, "unrecognized arguments: --learning-rate"),
        (["--resume"], 1, "no checkpoint at runs/digits.pt; start without --resume"),
        (["--checkpoint", "file/x.pt"], 1, "cannot write the checkpoint file/x.pt"),
        (["--resume", "--checkpoint", "file"], 1, "file is not a readable checkpoint"),
        (["--resume", "--checkpoint", "other.pt"], 1, "holds something else than a run"),
        (["--resume", "--checkpoint", "torn.pt"], 1, "torn.pt is not a readable checkpoint"),
        (["--resume", "--checkpoint", "part.pt"], 1, "part.pt does not fit this program"),
        (["--resume", "--checkpoint", "good.pt", "--lr", "1"], 1, "--lr 1.0 is not what good.pt"),
    ],
)
def test_faults_are_named(
    flags: list[str], status: int, words: str, finished: tuple[Path, str], tmp_path: Path
) -> None:
    good = (finished[0] / "runs/digits.pt").read_bytes()
    (tmp_path / "good.pt").write_bytes(good)
    (tmp_path / "torn.pt").write_bytes(good[: len(good) // 2])
    (tmp_path / "file").write_text("not a checkpoint")
    kagari.save({"a": 1}, tmp_path / "other.pt")
    state = kagari.load(tmp_path / "good.pt")
    del state["model"]["head.bias"]
    kagari.save(state, tmp_path / "part.pt")
    result, _, err = run(tmp_path, *flags)
    assert result == status, err
    assert words in err
    assert "Traceback" not in err


def test_help_names_every_flag(tmp_path: Path) -> None:
    status, out, _ = run(tmp_path, "--help")
    assert status == 0
    for flag in ("--epochs", "--seed", "--checkpoint", "--resume", "--picture", "--no-picture"):
        assert flag in out
