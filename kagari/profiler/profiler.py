"""A profiler of wall time: it sees the functions of kagari that a program calls, and named ranges.

It is a ``TorchFunctionMode``: every function and method on tensors passes through it, with its
arguments, and its time includes the functions inside of it. What the tape does in backward is
one entry. Nothing is measured on a device, as there is none.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kagari.overrides import TorchFunctionMode

__all__ = [
    "DeviceType",
    "FunctionEvent",
    "KeyAverages",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What is watched; only the CPU is here."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class DeviceType(Enum):
    """Where something ran."""

    CPU = 0
    CUDA = 1


class ProfilerAction(Enum):
    """What a schedule asks for at a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be watched: the CPU.

    Example:
        >>> import kagari
        >>> kagari.profiler.supported_activities()
        {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


@dataclass
class FunctionEvent:
    """One call: its name, and when it began and ended, in microseconds."""

    name: str
    start: float
    end: float
    thread: int
    input_shapes: list[tuple[int, ...]] = field(default_factory=list)
    children: float = 0.0

    @property
    def cpu_time_total(self) -> float:
        """Microseconds in the call."""
        return self.end - self.start

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in the call but not in calls inside of it."""
        return self.cpu_time_total - self.children


@dataclass
class _Average:
    """The calls of one name together."""

    key: str
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    input_shapes: Any = None

    @property
    def cpu_time(self) -> float:
        """Microseconds of one call on average."""
        return self.cpu_time_total / self.count if self.count else 0.0


class KeyAverages(list[_Average]):
    """Calls summed up by name."""

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in all."""
        return sum(one.self_cpu_time_total for one in self)

    def total_average(self) -> _Average:
        """All together."""
        total = _Average("Total")
        for one in self:
            total.count += one.count
            total.cpu_time_total += one.cpu_time_total
            total.self_cpu_time_total += one.self_cpu_time_total
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:
        """A table of names and times.

        Args:
            sort_by (str, optional): ``cpu_time``, ``cpu_time_total``, ``self_cpu_time_total`` or
                ``count``; the same with ``cuda`` or ``device`` sorts by nothing, as they are zero.
            row_limit (int): rows; all with -1.
            max_name_column_width (int): longer names are cut.
            header (str, optional): a line above.
        """
        rows = list(self)
        if sort_by is not None and hasattr(_Average("", 1), sort_by):
            rows.sort(key=lambda one: getattr(one, sort_by), reverse=True)
        rows = rows if row_limit < 0 else rows[:row_limit]
        total = self.self_cpu_time_total or 1.0
        titles = ["Name", "Self CPU %", "Self CPU", "CPU total", "CPU time avg", "# of Calls"]
        cells = [
            [
                one.key[:max_name_column_width],
                f"{100 * one.self_cpu_time_total / total:.2f}%",
                _time(one.self_cpu_time_total),
                _time(one.cpu_time_total),
                _time(one.cpu_time),
                str(one.count),
            ]
            for one in rows
        ]
        widths = [max(len(r[i]) for r in [titles, *cells]) for i in range(len(titles))]
        rule = "  ".join("-" * w for w in widths)
        lines = [rule, "  ".join(t.rjust(w) for t, w in zip(titles, widths, strict=True)), rule]
        lines += ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
        lines += [rule, f"Self CPU time total: {_time(self.self_cpu_time_total)}", ""]
        return "\n".join([header, *lines] if header else lines)


def _time(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    if microseconds >= 1e3:
        return f"{microseconds / 1e3:.3f}ms"
    return f"{microseconds:.3f}us"


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Cycles of steps: some not watched, some to warm up, some recorded.

    Args:
        wait (int): steps that are not watched.
        warmup (int): steps whose record is thrown away.
        active (int): steps that are recorded.
        repeat (int): cycles; 0 goes on for ever.
        skip_first (int): steps before the first cycle.
        skip_first_wait (int): if not zero, the first cycle does not wait.

    Example:
        >>> from kagari.profiler import schedule
        >>> plan = schedule(wait=1, warmup=1, active=2)
        >>> [plan(step).name for step in range(5)]
        ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, active, repeat, skip_first) < 0 or active == 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments: wait={wait}, warmup={warmup}, active={active}, "
            f"repeat={repeat}, skip_first={skip_first}"
        )

    def plan(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle, place = divmod(step, wait + warmup + active)
        if repeat and cycle >= repeat:
            return ProfilerAction.NONE
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == wait + warmup + active - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return plan


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """A handler that writes each record into a folder, as a trace file.

    Args:
        dir_name (str): the folder.
        worker_name (str, optional): the beginning of the files' names; host and process by default.
        use_gzip (bool): compress them.
    """

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handler


_active: profile | None = None


class _Watch(TorchFunctionMode):
    """Hands each function to the profiler."""

    def __init__(self, owner: profile) -> None:
        super().__init__()
        self.owner = owner

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", str(func))
        if name == "__get__":
            return func(*args, **(kwargs or {}))
        event = self.owner._begin(f"aten::{name}", args)
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.owner._end(event)


class profile:
    """Records how long functions and named ranges take inside.

    Args:
        activities (iterable of ProfilerActivity, optional): the CPU alone is watched.
        schedule (callable, optional): which steps are recorded; see ``schedule``.
        on_trace_ready (callable, optional): called with the profiler when a record is complete.
        record_shapes (bool): keep the shapes of arguments.
        profile_memory (bool): not supported.
        with_stack (bool): no effect.
        with_flops (bool): no effect.
        with_modules (bool): no effect.

    Raises:
        NotImplementedError: ``profile_memory``.

    Example:
        >>> import kagari
        >>> with kagari.profiler.profile() as prof:
        ...     with kagari.profiler.record_function("sum"):
        ...         _ = kagari.ones(3).sum()
        >>> "sum" in prof.key_averages().table(sort_by="cpu_time_total")
        True

    Reference: https://pytorch.org/docs/stable/profiler.html
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        if profile_memory:
            raise NotImplementedError("profiler.profile: profile_memory is not supported")
        self.activities = set(activities) if activities is not None else supported_activities()
        self.record_shapes = record_shapes
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self._schedule = schedule
        self._events: list[FunctionEvent] = []
        self._stacks = threading.local()
        self._watch: _Watch | None = None

    # ---- recording ----

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self._schedule is None else self._schedule(self.step_num)

    def _begin(self, name: str, args: tuple[Any, ...] = ()) -> FunctionEvent:
        shapes = []
        if self.record_shapes:
            shapes = [tuple(a.shape) for a in args if hasattr(a, "shape")]
        event = FunctionEvent(name, 0.0, 0.0, threading.get_ident(), shapes)
        stack = self._stacks.__dict__.setdefault("open", [])
        stack.append(event)
        event.start = time.perf_counter_ns() / 1e3
        return event

    def _end(self, event: FunctionEvent) -> None:
        event.end = time.perf_counter_ns() / 1e3
        stack = self._stacks.__dict__.setdefault("open", [])
        if event in stack:
            del stack[stack.index(event) :]
        if stack:
            stack[-1].children += event.cpu_time_total
        self._events.append(event)

    def _switch(self, on: bool) -> None:
        global _active
        if on and self._watch is None:
            self._watch = _Watch(self)
            self._watch.__enter__()
            _active = self
        elif not on and self._watch is not None:
            self._watch.__exit__(None, None, None)
            self._watch = None
            _active = None

    def start(self) -> None:
        """Begins."""
        self._events = []
        self._switch(self._action() is not ProfilerAction.NONE)

    def stop(self) -> None:
        """Ends; without a schedule the record is complete now."""
        recorded = self._watch is not None and self._action() is not ProfilerAction.WARMUP
        self._switch(False)
        if recorded and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Says that a step of the program is over."""
        before = self._action()
        self.step_num += 1
        after = self._action()
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._switch(False)
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        if before in (ProfilerAction.RECORD_AND_SAVE, ProfilerAction.WARMUP) and after in (
            ProfilerAction.RECORD,
            ProfilerAction.RECORD_AND_SAVE,
            ProfilerAction.WARMUP,
        ):
            self._events = []
        self._switch(after is not ProfilerAction.NONE)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    # ---- what was recorded ----

    def events(self) -> list[FunctionEvent]:
        """All calls, in the order of their ends."""
        return list(self._events)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> KeyAverages:
        """Calls summed up by name, or by name and shapes."""
        found: dict[Any, _Average] = {}
        for event in self._events:
            shapes = tuple(event.input_shapes) if group_by_input_shape else None
            one = found.setdefault((event.name, shapes), _Average(event.name, input_shapes=shapes))
            one.count += 1
            one.cpu_time_total += event.cpu_time_total
            one.self_cpu_time_total += event.self_cpu_time_total
        return KeyAverages(found.values())

    def export_chrome_trace(self, path: str) -> None:
        """Writes the calls as a trace for ``chrome://tracing`` and Perfetto; ``.gz`` compresses.

        Args:
            path (str): the file.
        """
        trace = {
            "traceEvents": [
                {
                    "name": event.name,
                    "ph": "X",
                    "cat": "cpu_op",
                    "ts": event.start,
                    "dur": event.cpu_time_total,
                    "pid": os.getpid(),
                    "tid": event.thread,
                    "args": {"Input Dims": event.input_shapes} if event.input_shapes else {},
                }
                for event in self._events
            ]
        }
        if str(path).endswith(".gz"):
            import gzip

            with gzip.open(path, "wt") as file:
                json.dump(trace, file)
        else:
            with open(path, "w") as file:
                json.dump(trace, file)


class record_function(ContextDecorator):
    """Names a range of a program, or a function, for the profiler.

    Args:
        name (str): the name.
        args (str, optional): more about it; not kept.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._event: FunctionEvent | None = None
        self._owner: profile | None = None

    def __enter__(self) -> record_function:
        self._owner = _active
        if self._owner is not None:
            self._event = self._owner._begin(self.name)
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._owner is not None and self._event is not None:
            self._owner._end(self._event)
        self._owner = self._event = None
