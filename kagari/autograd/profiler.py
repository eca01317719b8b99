"""The profiler under its older names: see ``kagari.profiler``."""

from __future__ import annotations

from typing import Any

from kagari._absent import absent
from kagari.profiler import profiler as _new
from kagari.profiler.profiler import record_function

__all__ = ["emit_itt", "emit_nvtx", "profile", "record_function"]


class profile(_new.profile):
    """Records how long functions and named ranges take inside.

    Args:
        enabled (bool): False records nothing.
        use_cuda (bool): no effect: there is no GPU.
        record_shapes (bool): keep the shapes of arguments.
        profile_memory (bool): not supported.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        record_shapes: bool = False,
        profile_memory: bool = False,
        **kwargs: Any,
    ) -> None:
        for name in kwargs:
            if name not in ("with_flops", "with_stack", "with_modules", "use_kineto", "use_device"):
                raise TypeError(f"profile: got an unexpected keyword argument {name!r}")
        super().__init__(record_shapes=record_shapes, profile_memory=profile_memory)
        self._enabled = enabled

    def start(self) -> None:
        if self._enabled:
            super().start()

    @property
    def function_events(self) -> list[_new.FunctionEvent]:
        """All calls."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in all."""
        return self.key_averages().self_cpu_time_total

    def total_average(self) -> Any:
        """All calls together."""
        return self.key_averages().total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **kwargs: Any) -> str:
        """A table of names and times."""
        return self.key_averages().table(sort_by=sort_by, row_limit=row_limit, **kwargs)


emit_nvtx = absent("kagari.autograd.profiler.emit_nvtx", "there is no GPU to mark ranges for")
emit_itt = absent("kagari.autograd.profiler.emit_itt", "kagari is built without ITT")
