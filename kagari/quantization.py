"""Quantisation under its older name: see ``kagari.ao.quantization``."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("kagari.ao").quantization, name)
