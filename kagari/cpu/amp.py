"""Mixed precision on the CPU under its older names: see ``kagari.amp``."""

from __future__ import annotations

from typing import Any

__all__ = ["GradScaler", "autocast"]  # noqa: F822 (made when first asked for)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'kagari.cpu.amp' has no attribute {name!r}")
    from importlib import import_module

    general = getattr(import_module("kagari.amp"), name)

    class OnCpu(general):  # type: ignore[misc, valid-type]
        """The general class with ``"cpu"`` as its device."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__("cpu", *args, **kwargs)

    OnCpu.__name__ = OnCpu.__qualname__ = name
    globals()[name] = OnCpu
    return OnCpu
