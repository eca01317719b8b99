"""spawn: a function run in several processes, with the first failure raised in the parent."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

__all__ = [
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "spawn",
    "start_processes",
]


class ProcessException(Exception):
    """A process failed."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg = msg
        self.error_index = error_index
        self.pid = pid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """A process raised; the message holds its traceback."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal or with an exit code other than zero."""

    def __init__(
        self,
        msg: str,
        error_index: int,
        error_pid: int,
        exit_code: int,
        signal_name: str | None = None,
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code = exit_code
        self.signal_name = signal_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _run(fn: Callable[..., Any], i: int, args: tuple[Any, ...], pipe: Any) -> None:
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass  # the parent was interrupted too, and says so
    except Exception:
        pipe.send(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes that ``start_processes`` has started."""

    def __init__(self, processes: list[Any], pipes: list[Any]) -> None:
        self.processes = processes
        self._pipes = pipes
        self._open = {process.sentinel: i for i, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits until a process has ended.

        Args:
            timeout (float, optional): seconds to wait.
            grace_period (float, optional): seconds between asking the others to end and killing
                them, after a failure.

        Returns:
            True when all have ended well.

        Raises:
            ProcessRaisedException: one raised; the others were ended.
            ProcessExitedException: one ended otherwise than well; the others were ended.
        """
        if not self._open:
            return True
        ready = connection.wait(list(self._open), timeout=timeout)
        failed = None
        for sentinel in ready:
            i = self._open.pop(sentinel)
            process = self.processes[i]
            process.join()
            if process.exitcode != 0:
                failed = i
                break
        if failed is None:
            return not self._open
        self._end_others(grace_period)
        self._raise(failed)
        return False

    def _end_others(self, grace_period: float | None) -> None:
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        deadline = time.monotonic() + (30.0 if grace_period is None else grace_period)
        for process in self.processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in self.processes:
            if process.is_alive():
                process.kill()
            process.join()

    def _raise(self, i: int) -> None:
        process = self.processes[i]
        text = self._traceback(i)
        if text is not None:
            raise ProcessRaisedException(
                f"\n\n-- Process {i} terminated with the following error:\n{text}", i, process.pid
            )
        code = process.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            raise ProcessExitedException(
                f"process {i} terminated with signal {name}", i, process.pid, code, name
            )
        raise ProcessExitedException(
            f"process {i} terminated with exit code {code}", i, process.pid, code
        )

    def _traceback(self, i: int) -> str | None:
        """What the process wrote before it ended, if it raised."""
        try:
            return str(self._pipes[i].recv()) if self._pipes[i].poll() else None
        except EOFError:  # it has closed its end without a word
            return None


SpawnContext = ProcessContext


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Runs ``fn(i, *args)`` in processes i = 0, ..., nprocs - 1.

    Args:
        fn (callable): defined at the top of a module.
        args (tuple): its further arguments.
        nprocs (int): how many processes.
        join (bool): wait until all have ended.
        daemon (bool): they end with the parent.
        start_method (str): ``spawn``, ``fork`` or ``forkserver``.

    Returns:
        None, or the processes if they are not waited for.

    Raises:
        ProcessRaisedException: a process raised.
    """
    context: Any = multiprocessing.get_context(start_method)
    processes, pipes = [], []
    for i in range(nprocs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, i, args, sender), daemon=daemon)
        process.start()
        sender.close()
        processes.append(process)
        pipes.append(receiver)
    running = ProcessContext(processes, pipes)
    if not join:
        return running
    while not running.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Runs ``fn(i, *args)`` in new processes; see ``start_processes``.

    Args:
        fn (callable): defined at the top of a module.
        args (tuple): its further arguments.
        nprocs (int): how many processes.
        join (bool): wait until all have ended.
        daemon (bool): they end with the parent.

    Raises:
        ProcessRaisedException: a process raised.

    Reference: https://pytorch.org/docs/stable/multiprocessing.html
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)
