"""What libraries call of PyTorch's extension module, under its name there.

The core itself is ``kagari._core``; nothing of kagari imports this file.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from kagari import Generator, Size, Tensor, device, dtype
from kagari._core import DisableTorchFunction, DisableTorchFunctionSubclass
from kagari.nn.modules.module import _parse_to as _parse

__all__ = [
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "Generator",
    "Size",
    "Tensor",
    "device",
    "dtype",
]


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """The device, dtype, ``non_blocking`` and memory format that arguments of ``to`` name."""
    kwargs.pop("copy", None)
    return _parse(*args, **kwargs)


_nn = SimpleNamespace(_parse_to=_parse_to)


def _get_tracing_state() -> None:
    """None: nothing is traced."""


def _log_api_usage_once(event: str) -> None:
    """Does nothing: kagari reports nobody's calls."""
