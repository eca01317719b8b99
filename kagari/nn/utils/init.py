"""Making modules without initial values."""

from __future__ import annotations

from typing import Any

from kagari.nn.modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Makes a module whose parameters hold whatever the memory held.

    Args:
        module_cls: a Module subclass whose constructor takes ``device``.
        *args: for the constructor.
        **kwargs: for the constructor; ``device`` is where the parameters come to lie.

    Returns:
        The module.

    Raises:
        RuntimeError: it is not a Module subclass, or its constructor takes no ``device``.

    Example:
        >>> from kagari import nn
        >>> tuple(nn.utils.skip_init(nn.Linear, 2, 3).weight.shape)
        (3, 2)
    """
    import inspect  # slow to import, and this is called rarely

    if not isinstance(module_cls, type) or not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
