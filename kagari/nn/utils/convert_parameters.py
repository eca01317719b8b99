"""All parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import kagari
from kagari import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _check_devices(parameters: list[Any]) -> None:
    if len({p.device for p in parameters}) > 1:
        raise TypeError(
            "Found two parameters on different devices, this is currently not supported."
        )


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Copies parameters into one vector, one after the other.

    Args:
        parameters (iterable): tensors of any shapes on one device.

    Returns:
        ``(total number of elements,)``; gradients flow through it.

    Raises:
        TypeError: the parameters lie on different devices.

    Example:
        >>> from kagari import nn
        >>> tuple(parameters_to_vector(nn.Linear(2, 3).parameters()).shape)
        (9,)
    """
    parameters = list(parameters)
    _check_devices(parameters)
    return kagari.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes parameters views of a vector's parts, one after the other.

    Args:
        vec (Tensor): ``(total number of elements,)``.
        parameters (iterable): tensors of any shapes on one device.

    Raises:
        TypeError: ``vec`` is not a tensor, or the parameters lie on different devices.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Linear(2, 1)
        >>> vector_to_parameters(kagari.tensor([1.0, 2.0, 3.0]), m.parameters())
        >>> m.weight.tolist(), m.bias.tolist()
        ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected kagari.Tensor, but got: {type(vec).__name__}")
    parameters = list(parameters)
    _check_devices(parameters)
    start = 0
    for parameter in parameters:
        size = parameter.numel()
        parameter.data = vec[start : start + size].view_as(parameter).data
        start += size
