"""NVIDIA's GPUs: not here, and ``is_available()`` says so.

What PyTorch without a GPU answers or leaves undone is answered and left undone here; the rest
raises. Nothing of it touches tensors on the CPU.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from kagari._absent import absent, absent_modules

__all__ = [
    "amp",
    "current_device",
    "current_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "is_tf32_supported",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_max_memory_cached",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "set_rng_state_all",
    "stream",
    "synchronize",
]

_REASON = (
    "kagari is built without CUDA; guard the call by kagari.cuda.is_available(), which is False"
)

default_generators: tuple[Any, ...] = ()
has_half = True
has_magma = False
_initialized = False


def _missing(name: str) -> NoReturn:
    # AssertionError is what PyTorch without CUDA raises: programs catch it.
    raise AssertionError(f"kagari not compiled with CUDA enabled: cuda.{name}: {_REASON}")


def is_available() -> bool:
    """False: kagari computes on the CPU.

    Example:
        >>> import kagari
        >>> kagari.device("cuda" if kagari.cuda.is_available() else "cpu")
        device(type='cpu')
    """
    return False


def device_count() -> int:
    """0.

    Example:
        >>> import kagari
        >>> kagari.cuda.device_count()
        0
    """
    return 0


def is_initialized() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.cuda.is_initialized()
        False
    """
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: there is no GPU.

    Example:
        >>> import kagari
        >>> kagari.cuda.is_bf16_supported()
        False
    """
    return False


def is_tf32_supported() -> bool:
    """False: there is no GPU.

    Example:
        >>> import kagari
        >>> kagari.cuda.is_tf32_supported()
        False
    """
    return False


def is_current_stream_capturing() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.cuda.is_current_stream_capturing()
        False
    """
    return False


def get_arch_list() -> list[str]:
    """The architectures that kagari is built for: none.

    Example:
        >>> import kagari
        >>> kagari.cuda.get_arch_list()
        []
    """
    return []


def get_gencode_flags() -> str:
    """The compiler's flags for them: none."""
    return ""


# ---- what does nothing without a GPU -------------------------------------------------------------


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
        >>> kagari.cuda.seed_all()
    """


def empty_cache() -> None:
    """Would give unused memory of the GPU back: does nothing.

    Example:
        >>> import kagari
        >>> kagari.cuda.empty_cache()
    """


def set_device(device: Any) -> None:
    """Chooses the current GPU; a negative number leaves it as it is.

    Raises:
        AssertionError: for the number or name of a GPU.
    """
    if isinstance(device, int) and device < 0:
        return
    _missing("set_device")


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators: none.

    Example:
        >>> import kagari
        >>> kagari.cuda.get_rng_state_all()
        []
    """
    return []


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Sets the states of all GPUs' generators, of which there are none."""
    if list(new_states):
        _missing("set_rng_state_all")


def memory_allocated(device: Any = None) -> int:
    """Bytes of the GPU in use by tensors: 0.

    Example:
        >>> import kagari
        >>> kagari.cuda.memory_allocated()
        0
    """
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes of the GPU in use by tensors: 0.

    Example:
        >>> import kagari
        >>> kagari.cuda.max_memory_allocated()
        0
    """
    return 0


def memory_reserved(device: Any = None) -> int:
    """Bytes of the GPU held: 0.

    Example:
        >>> import kagari
        >>> kagari.cuda.memory_reserved()
        0
    """
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes of the GPU held: 0.

    Example:
        >>> import kagari
        >>> kagari.cuda.max_memory_reserved()
        0
    """
    return 0


memory_cached = memory_reserved
max_memory_cached = max_memory_reserved


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Statistics of the GPU's memory: none.

    Example:
        >>> import kagari
        >>> kagari.cuda.memory_stats()
        {}
    """
    return {}


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forgets the most bytes in use.

    Raises:
        AssertionError: always, as in PyTorch without a GPU.
    """
    _missing("reset_peak_memory_stats")


reset_max_memory_allocated = reset_peak_memory_stats
reset_max_memory_cached = reset_peak_memory_stats


class device:
    """Chooses the current GPU inside; None and negative numbers leave it as it is.

    Args:
        device (int or device or None): the GPU.

    Raises:
        AssertionError: when entered with a GPU.
    """

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else device

    def __enter__(self) -> None:
        if not (isinstance(self.idx, int) and self.idx < 0):
            _missing("device")

    def __exit__(self, *exc: Any) -> None:
        pass


class device_of(device):
    """Chooses the GPU of a tensor inside: for tensors of the CPU nothing changes."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if getattr(obj, "is_cuda", False) else -1)


@contextlib.contextmanager
def stream(stream: Any) -> Iterator[None]:
    """Chooses a stream inside; None, the only one there can be, changes nothing."""
    if stream is not None:
        _missing("stream")
    yield


def ipc_collect() -> None:
    """Would free memory that other processes have let go of.

    Raises:
        AssertionError: always, as in PyTorch without a GPU.
    """
    _missing("ipc_collect")


# ---- what cannot be answered ---------------------------------------------------------------------


def init() -> None:
    """Starts CUDA.

    Raises:
        AssertionError: always.
    """
    _missing("init")


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


def current_stream(device: Any = None) -> Any:
    """The stream in use.

    Raises:
        AssertionError: always.
    """
    _missing("current_stream")


def default_stream(device: Any = None) -> Any:
    """The GPU's own stream.

    Raises:
        AssertionError: always.
    """
    _missing("default_stream")


def get_device_name(device: Any = None) -> str:
    """The GPU's name.

    Raises:
        AssertionError: always.
    """
    _missing("get_device_name")


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The GPU's generation.

    Raises:
        AssertionError: always.
    """
    _missing("get_device_capability")


def get_device_properties(device: Any = None) -> Any:
    """What the GPU has.

    Raises:
        AssertionError: always.
    """
    _missing("get_device_properties")


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """The GPU's free and total memory.

    Raises:
        AssertionError: always.
    """
    _missing("mem_get_info")


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """A table of the GPU's memory.

    Raises:
        AssertionError: always.
    """
    _missing("memory_summary")


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the GPU's generator.

    Raises:
        AssertionError: always.
    """
    _missing("get_rng_state")


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Sets the state of the GPU's generator.

    Raises:
        AssertionError: always.
    """
    _missing("set_rng_state")


def initial_seed() -> int:
    """The seed of the GPU's generator.

    Raises:
        AssertionError: always.
    """
    _missing("initial_seed")


_TYPES = ["Bool", "Byte", "Char", "Short", "Int", "Long", "Half", "BFloat16", "Float", "Double"]
_ABSENT = [
    "CUDAGraph",
    "CUDAPluggableAllocator",
    "Event",
    "ExternalStream",
    "MemPool",
    "Stream",
    "caching_allocator_alloc",
    "caching_allocator_delete",
    "can_device_access_peer",
    "change_current_allocator",
    "clock_rate",
    "cudart",
    "current_blas_handle",
    "get_allocator_backend",
    "get_sync_debug_mode",
    "graph",
    "graph_pool_handle",
    "list_gpu_processes",
    "make_graphed_callables",
    "memory_snapshot",
    "memory_usage",
    "power_draw",
    "set_per_process_memory_fraction",
    "set_stream",
    "set_sync_debug_mode",
    "temperature",
    "utilization",
] + [f"{_kind}Tensor" for _kind in _TYPES]

for _name in _ABSENT:
    globals()[_name] = absent(f"kagari.cuda.{_name}", _REASON)

absent_modules(
    "kagari.cuda",
    {
        "comm": ("broadcast", "broadcast_coalesced", "gather", "reduce_add", "scatter"),
        "graphs": ("CUDAGraph", "graph", "make_graphed_callables"),
        "memory": ("CUDAPluggableAllocator", "MemPool"),
        "nccl": ("all_gather", "all_reduce", "broadcast", "reduce", "version"),
        "nvtx": ("mark", "range_pop", "range_push", "range"),
        "profiler": ("init", "profile", "start", "stop"),
        "streams": ("Event", "ExternalStream", "Stream"),
    },
    _REASON,
)


def __getattr__(name: str) -> Any:
    if name == "amp":
        return importlib.import_module("kagari.cuda.amp")
    raise AttributeError(f"module 'kagari.cuda' has no attribute {name!r}")
