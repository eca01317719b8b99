"""File formats: PyTorch's checkpoints, read without running anything, and safetensors."""

from __future__ import annotations

from kagari.io import safetensors

__all__ = ["safetensors"]
