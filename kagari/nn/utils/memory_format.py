"""The memory format of convolution weights."""

from __future__ import annotations

from typing import Any, TypeVar

from kagari.nn.modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound=Module)


def _convert(module: Module, memory_format: Any, kinds: tuple[type, ...]) -> None:
    for child in module.modules():
        if isinstance(child, kinds):
            weight: Any = child.weight
            weight.data = weight.detach().clone(memory_format=memory_format)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lays the weights of all two-dimensional convolutions of a module out in a memory format.

    Args:
        module (Module): the module.
        memory_format: for instance ``kagari.channels_last``.

    Returns:
        The module.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Conv2d(3, 4, 3)
        >>> nn.utils.convert_conv2d_weight_memory_format(m, kagari.channels_last).weight.stride()
        (27, 1, 9, 3)
    """
    from kagari.nn import Conv2d, ConvTranspose2d

    _convert(module, memory_format, (Conv2d, ConvTranspose2d))
    return module


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lays the weights of all three-dimensional convolutions of a module out in a memory format.

    Args:
        module (Module): the module.
        memory_format: for instance ``kagari.channels_last_3d``.

    Returns:
        The module.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Conv3d(2, 4, 3)
        >>> from kagari.nn import utils
        >>> layer = utils.convert_conv3d_weight_memory_format(layer, kagari.channels_last_3d)
        >>> layer.weight.is_contiguous(memory_format=kagari.channels_last_3d)
        True
    """
    from kagari.nn import Conv3d, ConvTranspose3d

    _convert(module, memory_format, (Conv3d, ConvTranspose3d))
    return module
