"""Attention: the choice of kernels, causal masks, and attention with functions of the scores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(IntEnum):
    """The kernels of ``scaled_dot_product_attention`` that PyTorch names.

    kagari has one way on each device, which gives what each of them gives.
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


# Most wanted first.
_enabled: list[SDPBackend] = [
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.OVERRIDEABLE,
]


def _cur_sdpa_kernel_backends(with_priority: bool = False) -> list[SDPBackend]:
    return list(_enabled) if with_priority else sorted(_enabled)


@contextmanager
def sdpa_kernel(
    backends: list[SDPBackend] | SDPBackend, set_priority: bool = False
) -> Iterator[dict[str, Any]]:
    """Chooses among the kernels of ``scaled_dot_product_attention`` while the context lasts.

    The choice is kept and given back, but each kernel's result is the same here, so a program
    that chooses one runs as it is.

    Args:
        backends (SDPBackend or list of SDPBackend): the kernels that may run.
        set_priority (bool): their order is that of preference.

    Raises:
        AssertionError: ``backends`` is something else.

    Example:
        >>> import kagari
        >>> from kagari.nn.attention import SDPBackend, sdpa_kernel
        >>> x = kagari.zeros(1, 2, 3, 4)
        >>> with sdpa_kernel(SDPBackend.MATH):
        ...     y = kagari.nn.functional.scaled_dot_product_attention(x, x, x)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.attention.sdpa_kernel.html
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    if isinstance(backends, SDPBackend):
        backends = [backends]
    wanted = list(dict.fromkeys(backends))
    before = list(_enabled)
    if not set_priority:
        wanted.sort(key=lambda b: before.index(b) if b in before else len(before))
    try:
        _enabled[:] = wanted
        yield {}
    finally:
        _enabled[:] = before
