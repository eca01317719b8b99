"""The LSTM on the recording of a nerve cell: beats the linear filter after a few steps."""

from __future__ import annotations

from run_example import results, run_example

LAST = "error on the unseen quarter (in standard deviations): LSTM #, linear filter #, no change #"


def test_learns() -> None:
    lines = run_example("lstm_series.py", "--steps", "60")
    lstm, linear, unchanged = results(LAST, lines[-1])
    assert lstm < 0.8 * linear < 0.8 * unchanged, lines[-1]
