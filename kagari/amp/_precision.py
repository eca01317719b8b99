"""What Python functions do under autocast, as rows and composites say with `autocast=`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from kagari import _core

F = TypeVar("F", bound=Callable[..., Any])


def full_precision(function: F) -> F:
    """Under autocast, floating tensors among the arguments are cast to float32."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _core._autocast_is_enabled():
            return function(*args, **kwargs)
        _core._autocast_set_enabled(False)
        try:
            return function(
                *(_float32(a) for a in args), **{k: _float32(v) for k, v in kwargs.items()}
            )
        finally:
            _core._autocast_set_enabled(True)

    return call  # type: ignore[return-value]


def _float32(value: Any) -> Any:
    low = isinstance(value, _core.Tensor) and value.dtype in (_core.bfloat16, _core.float16)
    return value.float() if low else value
