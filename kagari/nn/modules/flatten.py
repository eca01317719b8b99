"""Layers that merge and split dimensions."""

from __future__ import annotations

from typing import Any

from kagari import Tensor
from kagari.nn.modules.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Merges a range of dimensions into one.

    Args:
        start_dim (int): the first.
        end_dim (int): the last.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.Flatten()(kagari.zeros(2, 3, 4)).shape)
        (2, 12)
    """

    __constants__ = ["start_dim", "end_dim"]  # noqa: RUF012

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one dimension into several.

    Args:
        dim (int): the dimension.
        unflattened_size (tuple): its new sizes; one may be -1.

    Raises:
        TypeError: the sizes are not integers.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.Unflatten(1, (3, 4))(kagari.zeros(2, 12)).shape)
        (2, 3, 4)
    """

    __constants__ = ["dim", "unflattened_size"]  # noqa: RUF012

    def __init__(self, dim: Any, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be a tuple of ints, "
                f"but found type {type(unflattened_size).__name__}"
            )
        for i, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, "
                    f"but found element of type {type(size).__name__} at pos {i}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
