"""Mixed precision on GPUs under its older names: ``kagari.amp`` holds what works on the CPU."""

from __future__ import annotations

from typing import Any

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]  # noqa: F822 (made when first asked for)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'kagari.cuda.amp' has no attribute {name!r}")
    from importlib import import_module

    amp = import_module("kagari.amp")
    if name in ("custom_bwd", "custom_fwd"):
        return getattr(amp, name)
    general = getattr(amp, name)

    class OnGpu(general):  # type: ignore[misc, valid-type]
        """The general class with ``"cuda"`` as its device, which is off where there is no GPU."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__("cuda", *args, **kwargs)

    OnGpu.__name__ = OnGpu.__qualname__ = name
    globals()[name] = OnGpu
    return OnGpu
