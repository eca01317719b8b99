"""Python's multiprocessing under its own names, and ``spawn``, which reports failures.

Tensors sent through queues and pipes are copied. Memory that ``tensor.share_memory_()`` has moved
is seen by the processes that are forked afterwards; what is written there, all of them read.
"""

from __future__ import annotations

import multiprocessing as _multiprocessing
from multiprocessing import *  # noqa: F403
from typing import Any

from kagari.multiprocessing.spawn import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]
__all__ += list(_multiprocessing.__all__)

_STRATEGIES = {"file_descriptor", "file_system"}
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The ways of sharing memory that can be chosen."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """What ``set_sharing_strategy`` was given."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Notes how memory is to be shared.

    Args:
        new_strategy (str): ``"file_descriptor"`` or ``"file_system"``; the system's choice is used
            either way.

    Raises:
        AssertionError: another.
    """
    global _strategy
    if new_strategy not in _STRATEGIES:
        raise AssertionError(
            f"set_sharing_strategy: expected one of {sorted(_STRATEGIES)}, got {new_strategy!r}"
        )
    _strategy = new_strategy


def __getattr__(name: str) -> Any:
    return getattr(_multiprocessing, name)
