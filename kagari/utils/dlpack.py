"""DLPack capsules: memory shared with other libraries' arrays."""

from __future__ import annotations

from kagari._core import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
