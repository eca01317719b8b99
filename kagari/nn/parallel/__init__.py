"""Modules on several devices: there is one device, and no processes to share with, yet."""

from __future__ import annotations

from typing import Any

from kagari.nn.modules.module import Module
from kagari.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """A module on several devices; without accelerators, as here, it is the module itself.

    Args:
        module (Module): the module.
        device_ids (sequence, optional): accelerators; as in PyTorch not looked at where there
            are none.
        output_device: where results lie; likewise.
        dim (int): the dimension of the batch; likewise.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.DataParallel(nn.Linear(2, 3))(kagari.zeros(4, 2)).shape)
        (4, 3)
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
