"""Layers, losses and the functions behind them: ``torch.nn``'s names and results."""

from __future__ import annotations

from typing import Any

from kagari.nn.parameter import (
    Buffer,
    Parameter,
    UninitializedBuffer,
    UninitializedParameter,
)
from kagari.nn.modules import *  # noqa: F403
from kagari.nn.modules import __all__ as _layers
from kagari.nn import (
    attention,
    common_types,
    functional,
    grad,
    init,
    modules,
    parallel,
    parameter,
    utils,
)
from kagari.nn.parallel import DataParallel

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "common_types",
    "factory_kwargs",
    "functional",
    "grad",
    "init",
    "modules",
    "parallel",
    "parameter",
    "utils",
    *_layers,
]


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """The arguments for factory functions among a layer's keyword arguments.

    Args:
        kwargs (dict): ``device``, ``dtype``, ``memory_format``, and ``factory_kwargs`` with the
            same names where they are taken otherwise.

    Returns:
        A dictionary for ``kagari.empty`` and its kin.

    Raises:
        TypeError: another name is given, or one is given twice.

    Example:
        >>> factory_kwargs({"factory_kwargs": {"device": "cpu"}})
        {'device': 'cpu'}
    """
    if kwargs is None:
        return {}
    simple = {"device", "dtype", "memory_format"}
    unexpected = kwargs.keys() - simple - {"factory_kwargs"}
    if unexpected:
        raise TypeError(f"unexpected kwargs {unexpected}")
    result = dict(kwargs.get("factory_kwargs", {}))
    for name in sorted(simple & kwargs.keys()):
        if name in result:
            raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
        result[name] = kwargs[name]
    return result
