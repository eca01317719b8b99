"""Forecasts the voltage of a firing nerve cell with an LSTM, 5 ms ahead.

    python examples/lstm_series.py

The recording (``membrane.dat``: 12,000 samples, one each 0.5 ms) comes with matplotlib. The cell is
at rest, is given a current, fires evenly, then irregularly. The first three quarters are learned
from; the forecasts for the rest are compared with two simple ones: that nothing changes, and the
best linear filter of the last 64 samples.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

import kagari
from kagari import Tensor, nn
from kagari.nn import functional as F

AHEAD = 10  # samples between what is known and what is asked


def read_series() -> tuple[Tensor, int]:
    """The voltage ``(T,)``, scaled by its learned part, and the length of that part."""
    path = Path(matplotlib.get_data_path()) / "sample_data" / "membrane.dat"
    series = kagari.from_numpy(np.fromfile(path, np.float32))
    learned = len(series) * 3 // 4
    return (series - series[:learned].mean()) / series[:learned].std(), learned


class Forecaster(nn.Module):
    """Series ``(N, T)`` to what each sample's past lets expect ``AHEAD`` samples later."""

    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, series: Tensor) -> Tensor:
        slope = F.pad(series.diff(), (1, 0))
        states, _ = self.lstm(kagari.stack([series, 10 * slope], -1))
        return series + self.head(states).squeeze(-1)  # it only has to learn the change


def linear_filter(series: Tensor, learned: int, taps: int = 64) -> Tensor:
    """Forecasts for the samples from ``learned`` on by least squares over the last ``taps``."""
    past = series.unfold(0, taps, 1)[:-AHEAD]  # row i ends at sample i + taps - 1
    past = F.pad(past, (0, 1), value=1.0).double()  # and a constant
    target = series[taps - 1 + AHEAD :].double()
    known = learned - (taps - 1 + AHEAD)  # rows whose target is in the learned part
    weights = kagari.linalg.lstsq(past[:known], target[:known, None]).solution
    return (past[known:] @ weights).squeeze(1).float()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=600, help="updates (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=32, help="stretches each (%(default)s)")
    parser.add_argument("--length", type=int, default=256, help="of a stretch (%(default)s)")
    parser.add_argument("--lr", type=float, default=1e-2, help="highest rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (%(default)s)")
    options = parser.parse_args(arguments)

    kagari.manual_seed(options.seed)
    series, learned = read_series()
    model = Forecaster()
    optimizer = kagari.optim.Adam(model.parameters(), lr=options.lr)
    schedule = kagari.optim.lr_scheduler.OneCycleLR(optimizer, options.lr, options.steps)
    span = kagari.arange(options.length + AHEAD)
    print(f"{learned:,} samples to learn from, {len(series) - learned:,} to forecast")
    total = 0.0
    for step in range(1, options.steps + 1):
        starts = kagari.randint(learned - len(span) + 1, (options.batch_size, 1))
        stretch = series[starts + span]
        # The first samples of a stretch have no past to go by; they only warm the state up.
        forecast = model(stretch[:, :-AHEAD])[:, 32:]
        loss = F.mse_loss(forecast, stretch[:, 32 + AHEAD :])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        every = max(1, options.steps // 10)
        if step % every == 0:
            print(f"step {step:4d}/{options.steps}  error {(total / every) ** 0.5:.3f}", flush=True)
            total = 0.0

    model.eval()
    with kagari.no_grad():
        forecast = model(series[None, :-AHEAD])[0, learned - AHEAD :]
    truth = series[learned:]

    def error(guess: Tensor) -> float:
        return F.mse_loss(guess, truth).sqrt().item()

    print(
        f"error on the unseen quarter (in standard deviations): LSTM {error(forecast):.3f}, "
        f"linear filter {error(linear_filter(series, learned)):.3f}, "
        f"no change {error(series[learned - AHEAD : -AHEAD]):.3f}"
    )


if __name__ == "__main__":
    main()
