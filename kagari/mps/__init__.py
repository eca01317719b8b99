"""Apple's GPUs: not here; ``kagari.backends.mps.is_available()`` is False."""

from __future__ import annotations

from typing import NoReturn

from kagari._absent import absent

__all__ = [
    "current_allocated_memory",
    "device_count",
    "driver_allocated_memory",
    "empty_cache",
    "is_available",
    "manual_seed",
    "recommended_max_memory",
    "seed",
    "set_per_process_memory_fraction",
    "synchronize",
]

_REASON = (
    "kagari is built without Metal; guard the call by kagari.backends.mps.is_available(), "
    "which is False"
)


def _missing(name: str) -> NoReturn:
    raise RuntimeError(f"mps.{name}: {_REASON}")


def is_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.mps.is_available()
        False
    """
    return False


def device_count() -> int:
    """0.

    Example:
        >>> import kagari
        >>> kagari.mps.device_count()
        0
    """
    return 0


def manual_seed(seed: int) -> None:
    """Would seed the GPU's generator: does nothing, as in PyTorch without a GPU."""
    int(seed)


def seed() -> None:
    """Would seed the GPU's generator from the system: does nothing."""


def synchronize() -> None:
    """Waits for the GPU.

    Raises:
        RuntimeError: always.
    """
    _missing("synchronize")


def empty_cache() -> None:
    """Gives unused memory of the GPU back.

    Raises:
        RuntimeError: always.
    """
    _missing("empty_cache")


def current_allocated_memory() -> int:
    """Bytes of the GPU in use by tensors.

    Raises:
        RuntimeError: always.
    """
    _missing("current_allocated_memory")


def driver_allocated_memory() -> int:
    """Bytes of the GPU in use by the process.

    Raises:
        RuntimeError: always.
    """
    _missing("driver_allocated_memory")


def recommended_max_memory() -> int:
    """Bytes that the system recommends to use.

    Raises:
        RuntimeError: always.
    """
    _missing("recommended_max_memory")


def set_per_process_memory_fraction(fraction: float) -> None:
    """Bounds the GPU's memory.

    Raises:
        RuntimeError: always.
    """
    _missing("set_per_process_memory_fraction")


for _name in ("Event", "compile_shader", "get_rng_state", "set_rng_state"):
    globals()[_name] = absent(f"kagari.mps.{_name}", _REASON)
