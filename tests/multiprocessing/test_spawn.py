"""Processes: results come back, and the first failure is raised in the parent."""

from __future__ import annotations

import os
import signal

import pytest

import kagari
from kagari import multiprocessing as mp


def _double(i, queue):
    queue.put((i, (kagari.ones(2) * 2 * i).tolist()))


def _fail(i):
    if i == 1:
        raise ValueError("the second fails")


def _leave(i, how):
    if how == "signal":
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(3)


def test_names_of_python_s_module():
    assert mp.get_context("fork").get_start_method() == "fork"
    assert mp.Queue is not None and mp.cpu_count() >= 1
    mp.set_sharing_strategy("file_system")
    assert mp.get_sharing_strategy() == "file_system"
    mp.set_sharing_strategy("file_descriptor")
    with pytest.raises(AssertionError, match="set_sharing_strategy"):
        mp.set_sharing_strategy("pigeons")


def test_results():
    queue = mp.get_context("fork").SimpleQueue()
    mp.start_processes(_double, (queue,), nprocs=2, start_method="fork")
    assert sorted(queue.get() for _ in range(2)) == [(0, [0.0, 0.0]), (1, [2.0, 2.0])]


def test_failures():
    with pytest.raises(mp.ProcessRaisedException, match="the second fails") as error:
        mp.start_processes(_fail, nprocs=2, start_method="fork")
    assert error.value.error_index == 1
    with pytest.raises(mp.ProcessExitedException, match="exit code 3"):
        mp.start_processes(_leave, ("exit",), start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="SIGTERM"):
        mp.start_processes(_leave, ("signal",), start_method="fork")


def test_tensors_go_through_queues():
    queue = mp.get_context("fork").Queue()
    queue.put(kagari.arange(3))
    assert kagari.equal(queue.get(), kagari.arange(3))
