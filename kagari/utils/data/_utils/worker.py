"""What a worker process of DataLoader does."""

from __future__ import annotations

import itertools
import os
import queue
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kagari
from kagari.utils.data._utils import transport

# Seconds between two looks at whether the other side lives.
STATUS_CHECK_INTERVAL = 5.0


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What ``get_worker_info`` tells: the worker's number, how many there are, seed, dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


@dataclass(frozen=True)
class Task:
    """All that a worker needs to know."""

    create_fetcher: Callable[..., Any]
    fetcher_args: tuple[Any, ...]
    dataset: Any
    iterable: bool
    base_seed: int
    init_fn: Callable[[int], None] | None
    id: int
    num_workers: int
    prefix: str


class EndOfData:
    """A worker's answer when its dataset has come to an end."""


class Restart:
    """Asks a worker to begin another epoch, and is its answer that it will."""


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Returns what a worker process of DataLoader is, or None in other processes.

    Returns:
        An object with ``id``, ``num_workers``, ``seed`` and ``dataset``.

    Example:
        >>> get_worker_info() is None
        True
    """
    return _worker_info


def _seed_everything(base_seed: int, worker_id: int) -> int:
    seed = base_seed + worker_id
    random.seed(seed)
    kagari.manual_seed(seed)
    if "numpy" in sys.modules:
        import numpy as np

        words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        np.random.seed(np.random.SeedSequence(words).generate_state(4))
    return seed


def run(task: Task, requests: Any, answers: Any, inherited: list[Any]) -> None:
    """Answers requests for batches until it is told to stop, or nobody asks any more.

    Args:
        task: what to load.
        requests: queue of ``(number, index)``, ``Restart`` or None.
        answers: connection for ``(number, batch)``.
        inherited: connections of the main process, to be closed here.
    """
    global _worker_info
    # The main process decides what an interrupt means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for connection in inherited:
        connection.close()
    kagari.set_num_threads(1)
    numbers = itertools.count()
    parent = os.getppid()

    def answer(number: Any, value: Any) -> None:
        try:
            data = transport.dumps((number, value), task.prefix, numbers)
        except Exception as e:
            wrapped = transport.ExceptionWrapper(e, where)
            data = transport.dumps((number, wrapped), task.prefix, numbers)
        answers.send_bytes(data)

    where = f"in DataLoader worker process {task.id}"
    seed = _seed_everything(task.base_seed, task.id)
    _worker_info = WorkerInfo(task.id, task.num_workers, seed, task.dataset)
    fetcher = failure = None
    ended = False
    try:
        if task.init_fn is not None:
            task.init_fn(task.id)
        fetcher = task.create_fetcher(task.dataset, *task.fetcher_args)
    except Exception as e:
        failure = transport.ExceptionWrapper(e, where)
    try:
        while True:
            try:
                request = requests.get(timeout=STATUS_CHECK_INTERVAL)
            except queue.Empty:
                if os.getppid() != parent:
                    transport.sweep(task.prefix)
                    return
                continue
            if request is None:
                return
            if isinstance(request, Restart):
                ended = False
                fetcher = task.create_fetcher(task.dataset, *task.fetcher_args)
                answer(request, None)
                continue
            if ended:
                continue
            number, index = request
            if fetcher is None:
                answer(number, failure)
                continue
            try:
                value = fetcher.fetch(index)
            except Exception as e:
                if isinstance(e, StopIteration) and task.iterable:
                    value, ended = EndOfData(), True
                else:
                    value = transport.ExceptionWrapper(e, where)
            answer(number, value)
            # Not kept while waiting for the next request.
            del value
    except (BrokenPipeError, EOFError):
        # Nobody listens any more.
        return
