"""``kagari.ops.aten``: every op under the name that PyTorch's dispatcher knows it by.

Programs written for PyTorch call ``torch.ops.aten.name(...)``; here that is the op itself.
"""

from __future__ import annotations

from kagari._core import ops as _ops


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return getattr(_ops, name)
    except AttributeError:
        raise AttributeError(
            f"kagari.ops.aten has no op {name!r}; kagari._core.ops lists those there are"
        ) from None


def __dir__() -> list[str]:
    return dir(_ops)
