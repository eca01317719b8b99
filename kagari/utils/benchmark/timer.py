"""Timer, which runs a statement often enough, and Measurement, which sums up how long it took."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable
from dataclasses import dataclass, field
from timeit import default_timer as timer
from typing import Any

import kagari

__all__ = ["Measurement", "Timer", "timer"]


@dataclass
class Measurement:
    """Times of several blocks of runs.

    Attributes:
        number_per_run (int): runs in each block.
        raw_times (list of float): seconds of each block.
        times (list of float): seconds of one run in each block.
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    num_threads: int = 1
    metadata: dict[Any, Any] | None = field(default=None)

    @property
    def times(self) -> list[float]:
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        """The median of ``times``, in seconds."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean of ``times``, in seconds."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles of ``times``, in seconds."""
        if len(self.times) < 2:
            return 0.0
        lower, _, upper = statistics.quantiles(self.times, n=4, method="inclusive")
        return upper - lower

    def __repr__(self) -> str:
        unit, scale = "s", 1.0
        for name, factor in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3)):
            if self.median < factor * 1e3:
                unit, scale = name, factor
                break
        lines = [self.label or self.stmt, f"  Median: {self.median / scale:.2f} {unit}"]
        if len(self.times) > 1:
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit}")
        blocks = f"{len(self.times)} measurement{'s' if len(self.times) > 1 else ''}"
        lines.append(
            f"  {blocks}, {self.number_per_run} runs per measurement, {self.num_threads} thread"
            + ("s" if self.num_threads > 1 else "")
        )
        return "\n".join(lines)


class Timer:
    """Times a statement.

    Args:
        stmt (str): what is timed.
        setup (str): run once before.
        global_setup (str): for statements in C++, which are not taken.
        timer (callable): gives seconds.
        globals (dict, optional): names that the statement sees.
        label (str, optional): a title.
        sub_label (str, optional): a second title.
        description (str, optional): the column of a table.
        env (str, optional): the row of a table.
        num_threads (int): how many threads work while it is timed.
        language (str): ``"python"``.

    Raises:
        NotImplementedError: another language.

    Example:
        >>> import kagari
        >>> from kagari.utils.benchmark import Timer
        >>> Timer("x + x", globals={"x": kagari.ones(2)}).timeit(10).number_per_run
        10

    Reference: https://pytorch.org/docs/stable/benchmark_utils.html
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "python",
    ) -> None:
        if str(language).lower() not in ("python", "py") or global_setup:
            raise NotImplementedError(
                "benchmark.Timer: expected a statement in Python; C++ is not compiled"
            )
        names = dict(globals or {})
        names.setdefault("kagari", kagari)
        names.setdefault("torch", kagari)
        self._timer = timeit.Timer(stmt, setup, timer, names)
        self._stmt = stmt
        self._num_threads = num_threads
        self._titles: dict[str, Any] = {
            "label": label,
            "sub_label": sub_label,
            "description": description,
        }

    def _run(self, number: int) -> float:
        before = kagari.get_num_threads()
        kagari.set_num_threads(self._num_threads)
        try:
            return self._timer.timeit(number)
        finally:
            kagari.set_num_threads(before)

    def _measurement(self, number: int, times: list[float]) -> Measurement:
        return Measurement(number, times, self._stmt, num_threads=self._num_threads, **self._titles)

    def timeit(self, number: int = 1000000) -> Measurement:
        """Runs the statement ``number`` times, after a warm-up of a hundredth of that."""
        self._run(max(number // 100, 1))
        return self._measurement(number, [self._run(number)])

    def blocked_autorange(
        self, callback: Callable[[int, float], None] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Runs blocks of the statement until a time has passed.

        Args:
            callback (callable, optional): told of each block's runs and seconds.
            min_run_time (float): seconds in all.
        """
        number = 1
        while True:
            taken = self._run(number)
            # A block takes a thousandth of the whole, so that reading the clock does not count.
            if taken >= min_run_time / 1000 or number > 1_000_000_000:
                break
            number *= 10
        times = []
        total = 0.0
        while total < min_run_time:
            taken = self._run(number)
            times.append(taken)
            total += taken
            if callback is not None:
                callback(number, taken)
        return self._measurement(number, times)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], None] | None = None,
    ) -> Measurement:
        """Runs blocks until the quartiles lie close together.

        Args:
            threshold (float): the distance of the quartiles over the median.
            min_run_time (float): seconds at least.
            max_run_time (float): seconds at most.
            callback (callable, optional): told of each block's runs and seconds.
        """
        result = self.blocked_autorange(callback, min_run_time)
        while sum(result.raw_times) < max_run_time and (
            len(result.times) < 4 or result.iqr > threshold * result.median
        ):
            taken = self._run(result.number_per_run)
            result.raw_times.append(taken)
            if callback is not None:
                callback(result.number_per_run, taken)
        return result
