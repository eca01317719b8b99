"""Flags of CUDA's libraries: kept as they are set, and without effect, as there is no GPU here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = [
    "allow_fp16_bf16_reduction_math_sdp",
    "cuBLASModule",
    "cuFFTPlanCache",
    "cudnn_sdp_enabled",
    "enable_cudnn_sdp",
    "enable_flash_sdp",
    "enable_math_sdp",
    "enable_mem_efficient_sdp",
    "flash_sdp_enabled",
    "fp16_bf16_reduction_math_sdp_allowed",
    "is_built",
    "is_flash_attention_available",
    "math_sdp_enabled",
    "matmul",
    "mem_efficient_sdp_enabled",
    "preferred_linalg_library",
    "sdp_kernel",
]

_sdp = {"flash": True, "math": True, "mem_efficient": True, "cudnn": True, "reduced": False}


def is_built() -> bool:
    """False: kagari is built without CUDA.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.is_built()
        False
    """
    return False


class cuFFTPlanCache:
    """The plans of transforms on a GPU: none."""

    size = 0
    max_size = 0

    def clear(self) -> None:
        """Forgets the plans, of which there are none."""


class cuBLASModule:
    """How products are computed on a GPU."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True
    allow_fp16_accumulation = False
    fp32_precision = "none"


matmul = cuBLASModule()
cufft_plan_cache = cuFFTPlanCache()


def flash_sdp_enabled() -> bool:
    """What ``enable_flash_sdp`` was given.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.flash_sdp_enabled()
        True
    """
    return _sdp["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Notes whether attention on a GPU may use the flash kernel."""
    _sdp["flash"] = enabled


def math_sdp_enabled() -> bool:
    """What ``enable_math_sdp`` was given.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.math_sdp_enabled()
        True
    """
    return _sdp["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Notes whether attention on a GPU may be composed of products."""
    _sdp["math"] = enabled


def mem_efficient_sdp_enabled() -> bool:
    """What ``enable_mem_efficient_sdp`` was given.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.mem_efficient_sdp_enabled()
        True
    """
    return _sdp["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Notes whether attention on a GPU may use the memory efficient kernel."""
    _sdp["mem_efficient"] = enabled


def cudnn_sdp_enabled() -> bool:
    """What ``enable_cudnn_sdp`` was given.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.cudnn_sdp_enabled()
        True
    """
    return _sdp["cudnn"]


def enable_cudnn_sdp(enabled: bool) -> None:
    """Notes whether attention on a GPU may use cuDNN."""
    _sdp["cudnn"] = enabled


def allow_fp16_bf16_reduction_math_sdp(enabled: bool) -> None:
    """Notes whether composed attention on a GPU may sum in half precision."""
    _sdp["reduced"] = enabled


def fp16_bf16_reduction_math_sdp_allowed() -> bool:
    """What ``allow_fp16_bf16_reduction_math_sdp`` was given.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
        False
    """
    return _sdp["reduced"]


def is_flash_attention_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.is_flash_attention_available()
        False
    """
    return False


def preferred_linalg_library(backend: Any = None) -> str:
    """The library of factorisations on a GPU: "default", as there is none.

    Example:
        >>> import kagari
        >>> kagari.backends.cuda.preferred_linalg_library()
        'default'
    """
    return "default"


@contextlib.contextmanager
def sdp_kernel(
    enable_flash: bool = True,
    enable_math: bool = True,
    enable_mem_efficient: bool = True,
    enable_cudnn: bool = True,
) -> Iterator[None]:
    """Sets the flags of attention inside: an older spelling of ``nn.attention.sdpa_kernel``."""
    before = dict(_sdp)
    _sdp.update(
        flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
    )
    try:
        yield
    finally:
        _sdp.update(before)
