"""TensorBoard's event files, through the package tensorboard where it is installed."""

from __future__ import annotations

from kagari.utils.tensorboard.writer import SummaryWriter

__all__ = ["SummaryWriter"]
