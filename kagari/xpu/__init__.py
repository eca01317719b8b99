"""Intel's GPUs: not here, and ``is_available()`` says so."""

from __future__ import annotations

from typing import Any, NoReturn

from kagari._absent import absent

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "get_device_name",
    "get_device_properties",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "synchronize",
]

_REASON = "kagari is built without XPU; guard the call by kagari.xpu.is_available(), which is False"


def _missing(name: str) -> NoReturn:
    raise AssertionError(f"kagari not compiled with XPU enabled: xpu.{name}: {_REASON}")


def is_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.xpu.is_available()
        False
    """
    return False


def device_count() -> int:
    """0.

    Example:
        >>> import kagari
        >>> kagari.xpu.device_count()
        0
    """
    return 0


def is_initialized() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.xpu.is_initialized()
        False
    """
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: there is no GPU.

    Example:
        >>> import kagari
        >>> kagari.xpu.is_bf16_supported()
        False
    """
    return False


def manual_seed(seed: int) -> None:
    """Would seed the GPU's generator: does nothing, as in PyTorch without a GPU."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Would seed all GPUs' generators: does nothing, as in PyTorch without a GPU."""
    int(seed)


def seed() -> None:
    """Would seed the GPU's generator from the system: does nothing."""


def seed_all() -> None:
    """Would seed all GPUs' generators from the system: does nothing.

    Example:
        >>> import kagari
        >>> kagari.xpu.seed_all()
    """


def empty_cache() -> None:
    """Would give unused memory of the GPU back: does nothing.

    Example:
        >>> import kagari
        >>> kagari.xpu.empty_cache()
    """


def memory_allocated(device: Any = None) -> int:
    """Bytes of the GPU in use by tensors: 0.

    Example:
        >>> import kagari
        >>> kagari.xpu.memory_allocated()
        0
    """
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes of the GPU in use by tensors: 0.

    Example:
        >>> import kagari
        >>> kagari.xpu.max_memory_allocated()
        0
    """
    return 0


def memory_reserved(device: Any = None) -> int:
    """Bytes of the GPU held: 0.

    Example:
        >>> import kagari
        >>> kagari.xpu.memory_reserved()
        0
    """
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes of the GPU held: 0.

    Example:
        >>> import kagari
        >>> kagari.xpu.max_memory_reserved()
        0
    """
    return 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forgets the most bytes in use: there are none.

    Example:
        >>> import kagari
        >>> kagari.xpu.reset_peak_memory_stats()
    """


def set_device(device: Any) -> None:
    """Chooses the current GPU.

    Raises:
        AssertionError: always.
    """
    _missing("set_device")


def current_device() -> int:
    """The number of the current GPU.

    Raises:
        AssertionError: always.
    """
    _missing("current_device")


def synchronize(device: Any = None) -> None:
    """Waits for the GPU.

    Raises:
        AssertionError: always.
    """
    _missing("synchronize")


def get_device_name(device: Any = None) -> str:
    """The GPU's name.

    Raises:
        AssertionError: always.
    """
    _missing("get_device_name")


def get_device_properties(device: Any = None) -> Any:
    """What the GPU has.

    Raises:
        AssertionError: always.
    """
    _missing("get_device_properties")


for _name in ("Event", "Stream", "current_stream", "get_rng_state", "set_rng_state", "stream"):
    globals()[_name] = absent(f"kagari.xpu.{_name}", _REASON)
