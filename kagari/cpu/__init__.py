"""The processor as a device: always there, without streams of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = [
    "Event",
    "Stream",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


def is_available() -> bool:
    """True.

    Example:
        >>> import kagari
        >>> kagari.cpu.is_available(), kagari.cpu.device_count(), kagari.cpu.current_device()
        (True, 1, 'cpu')
    """
    return True


def is_initialized() -> bool:
    """True.

    Example:
        >>> import kagari
        >>> kagari.cpu.is_initialized()
        True
    """
    return True


def device_count() -> int:
    """1: all processors together are one device.

    Example:
        >>> import kagari
        >>> kagari.cpu.device_count()
        1
    """
    return 1


def current_device() -> str:
    """``"cpu"``.

    Example:
        >>> import kagari
        >>> kagari.cpu.current_device()
        'cpu'
    """
    return "cpu"


def set_device(device: Any) -> None:
    """Does nothing: there is one device."""


def synchronize(device: Any = None) -> None:
    """Does nothing: calls return when their work is done.

    Example:
        >>> import kagari
        >>> kagari.cpu.synchronize()
    """


class Stream:
    """An order of work: on the CPU all work is done in the order of the calls."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Stream) -> None:
        """Does nothing: the other stream's work is done."""

    def record_event(self) -> None:
        """Does nothing."""

    def wait_event(self, event: Event) -> None:
        """Does nothing: the event has happened."""


class Event:
    """A moment in a stream: on the CPU it has happened when it is recorded."""

    def query(self) -> bool:
        """True: the work is done."""
        return True

    def record(self, stream: Stream | None = None) -> None:
        """Does nothing."""

    def synchronize(self) -> None:
        """Does nothing."""

    def wait(self, stream: Stream | None = None) -> None:
        """Does nothing."""


_stream = Stream()


def current_stream(device: Any = None) -> Stream:
    """The one stream."""
    return _stream


def stream(stream: Stream) -> AbstractContextManager[None]:
    """Does nothing inside: all work is done in the order of the calls."""
    return nullcontext()


def __getattr__(name: str) -> Any:
    if name == "amp":
        from importlib import import_module

        return import_module("kagari.cpu.amp")
    raise AttributeError(f"module 'kagari.cpu' has no attribute {name!r}")
