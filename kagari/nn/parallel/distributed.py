"""Modules whose gradients several processes share: not here yet."""

from __future__ import annotations

from typing import Any

from kagari.nn.modules.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A module whose gradients several processes share.

    Raises:
        NotImplementedError: always; there are no process groups yet.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "DistributedDataParallel: expected a process group, but kagari has no distributed "
            f"processes yet; train the {type(module).__name__} in one process"
        )
