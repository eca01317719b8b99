"""Automatic mixed precision: ``autocast`` for the forward pass, ``GradScaler`` for the steps."""

from __future__ import annotations

from kagari.amp.autocast_mode import (
    autocast,
    custom_bwd,
    custom_fwd,
    is_autocast_available,
)
from kagari.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
