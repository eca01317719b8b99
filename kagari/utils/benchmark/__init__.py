"""Timing of statements: as ``timeit``, with a warm-up, the number of threads set, and medians."""

from __future__ import annotations

from kagari.utils.benchmark.timer import Measurement, Timer, timer

__all__ = ["Measurement", "Timer", "timer"]
