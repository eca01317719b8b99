"""Signal processing: window functions."""

from kagari.signal import windows

__all__ = ["windows"]
