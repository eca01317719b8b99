"""The profiler sees functions and ranges, follows a schedule, and writes traces."""

from __future__ import annotations

import json

import pytest

import kagari
from kagari.profiler import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)


def test_functions_and_ranges_are_recorded(tmp_path):
    watch = profile(activities=[ProfilerActivity.CPU], record_shapes=True)
    with watch as prof, record_function("block"):
        x = kagari.ones(2, 3)
        x.add(x)
        x.add(x)
    averages = {one.key: one for one in prof.key_averages()}
    assert averages["aten::add"].count == 2
    block = averages["block"]
    assert block.cpu_time_total >= averages["aten::add"].cpu_time_total
    assert block.self_cpu_time_total <= block.cpu_time_total
    shapes = {one.input_shapes for one in prof.key_averages(group_by_input_shape=True)}
    assert ((2, 3), (2, 3)) in shapes
    table = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=1)
    assert "# of Calls" in table and "Self CPU time total" in table
    for name in ("trace.json", "trace.json.gz"):
        prof.export_chrome_trace(str(tmp_path / name))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert {e["name"] for e in events} >= {"block", "aten::add"}


def test_outside_nothing_is_recorded():
    with profile() as prof:
        pass
    with record_function("later"):
        kagari.ones(1) + 1
    assert prof.events() == []


def test_schedule_and_handler(tmp_path):
    seen = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=1)
    with profile(schedule=plan, on_trace_ready=lambda p: seen.append(len(p.events()))) as prof:
        for _ in range(6):
            kagari.ones(1).exp()
            prof.step()
    assert seen == [4]  # ones and exp, in each of two steps
    actions = [plan(i) for i in range(5)]
    assert actions[3] is ProfilerAction.RECORD_AND_SAVE and actions[4] is ProfilerAction.NONE
    with profile(on_trace_ready=tensorboard_trace_handler(str(tmp_path))):
        kagari.ones(1).exp()
    assert len(list(tmp_path.glob("*.pt.trace.json"))) == 1


def test_errors():
    with pytest.raises(AssertionError, match="Invalid profiler schedule"):
        schedule(wait=0, warmup=0, active=0)
    with pytest.raises(NotImplementedError, match="profile_memory"):
        profile(profile_memory=True)


def test_older_names():
    with kagari.autograd.profiler.profile() as prof:
        kagari.ones(2).exp()
    assert "aten::exp" in prof.table(sort_by="cpu_time_total")
    with kagari.autograd.profiler.profile(enabled=False) as prof:
        kagari.ones(2).exp()
    assert prof.function_events == []
