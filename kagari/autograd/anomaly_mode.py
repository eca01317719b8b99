"""Anomaly mode: names the forward call whose derivative fails or gives NaN."""

from __future__ import annotations

from kagari import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class detect_anomaly:
    """Records where each operation was called and checks every gradient for NaN; slow.

    Args:
        check_nan: whether a NaN gradient raises an error.

    Example:
        >>> import kagari
        >>> with kagari.autograd.detect_anomaly():
        ...     kagari.is_anomaly_enabled()
        True
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self._before = _core.is_anomaly_enabled(), _core.is_anomaly_check_nan_enabled()
        _core._set_anomaly(True, self.check_nan)

    def __exit__(self, *exc: Any) -> None:
        _core._set_anomaly(*self._before)


class set_detect_anomaly:
    """Switches anomaly mode on or off, at once and until the end of a with block.

    Example:
        >>> import kagari
        >>> with kagari.autograd.set_detect_anomaly(True):
        ...     kagari.is_anomaly_enabled()
        ...
        True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _core.is_anomaly_enabled(), _core.is_anomaly_check_nan_enabled()
        _core._set_anomaly(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        _core._set_anomaly(*self._before)
