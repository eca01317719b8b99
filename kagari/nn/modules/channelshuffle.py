"""The layer that mixes channels of groups."""

from __future__ import annotations

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Mixes channels of groups: the first of each group, then the second of each, and so on.

    Args:
        groups (int): divides the channels.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ChannelShuffle(2)(kagari.arange(4.0).view(1, 4, 1)).flatten().tolist()
        [0.0, 2.0, 1.0, 3.0]

    Reference: Zhang et al. 2017, https://arxiv.org/abs/1707.01083
    """

    __constants__ = ["groups"]  # noqa: RUF012

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
