"""Regions in which ops choose the precision they run in."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from kagari import _core

if TYPE_CHECKING:
    from kagari import dtype as _dtype

__all__ = [
    "autocast",
    "clear_autocast_cache",
    "custom_bwd",
    "custom_fwd",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_CPU_DTYPES = (_core.bfloat16, _core.float16)


def is_autocast_available(device_type: str) -> bool:
    """Whether there is autocast for a kind of device.

    Args:
        device_type (str): ``"cpu"``, ``"cuda"``, ...

    Returns:
        bool: true for ``"cpu"``.

    Example:
        >>> import kagari
        >>> kagari.amp.is_autocast_available("cpu")
        True

    Reference: https://pytorch.org/docs/stable/amp.html
    """
    return device_type == "cpu"


class autocast:
    """A region in which ops choose their precision: a context manager and a decorator.

    Matrix products, convolutions and attention run in ``dtype``; losses, products of all elements,
    factorisations, Fourier transforms and pooling in three dimensions run in float32; joining takes
    the widest dtype of its arguments; everything else runs in the dtype it is given. float64 and
    integers are left alone, and so are in-place ops and calls with ``out=``.

    Args:
        device_type (str): ``"cpu"``. For another kind of device the region warns and does nothing.
        dtype (kagari.dtype, optional): bfloat16 (the default) or float16.
        enabled (bool): False switches autocast off within the region.
        cache_enabled (bool, optional): keep the casts of parameters until the outermost region
            ends.

    Raises:
        ValueError: ``device_type`` is not a str.

    Example:
        >>> import kagari
        >>> a = kagari.ones(2, 2)
        >>> with kagari.autocast("cpu", dtype=kagari.bfloat16):
        ...     print((a @ a).dtype, (a + a).dtype)
        kagari.bfloat16 kagari.float32

    Reference: Micikevicius et al., "Mixed Precision Training", 2018;
        https://pytorch.org/docs/stable/amp.html
    """

    def __init__(
        self,
        device_type: str,
        dtype: _dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(
                f"Expected `device_type` of type `str`, got: `{type(device_type)}`; "
                "write autocast('cpu')"
            )
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = (
            is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        )
        if enabled and not is_autocast_available(device_type):
            warnings.warn(
                f"User provided device_type of '{device_type}', but {device_type} is not "
                "available. Disabling",
                stacklevel=2,
            )
            enabled = False
        if enabled and self.fast_dtype not in _CPU_DTYPES:
            warnings.warn(
                f"In CPU autocast, but the target dtype {self.fast_dtype} is not supported. "
                "Disabling autocast.\nCPU Autocast only supports dtype of kagari.bfloat16, "
                "kagari.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled

    def __enter__(self) -> autocast:
        # The state before: a region may be entered again inside itself.
        before = (is_autocast_enabled(), get_autocast_dtype(), is_autocast_cache_enabled())
        self.__dict__.setdefault("_before", []).append(before)
        if is_autocast_available(self.device):
            set_autocast_enabled(self._enabled)
            if self._enabled:
                set_autocast_dtype(self.device, self.fast_dtype)
        set_autocast_cache_enabled(self._cache_enabled)
        _core._autocast_enter()
        return self

    def __exit__(self, *exception: object) -> None:
        if _core._autocast_leave() == 0:
            clear_autocast_cache()
        enabled, dtype, cache = self.__dict__["_before"].pop()
        set_autocast_enabled(enabled)
        set_autocast_dtype("cpu", dtype)
        set_autocast_cache_enabled(cache)

    def __call__(self, func: _F) -> _F:
        @functools.wraps(func)
        def within(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return within  # type: ignore[return-value]


# ---- State ---------------------------------------------------------------------------------------


def is_autocast_enabled(device_type: str = "cpu") -> bool:
    """Whether autocast is on in this thread for a kind of device.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.is_autocast_enabled()
        False
    """
    return device_type == "cpu" and _core._autocast_is_enabled()


def set_autocast_enabled(*args: Any) -> None:
    """Switches autocast on or off: ``set_autocast_enabled([device_type,] enabled)``."""
    device_type, enabled = args if len(args) == 2 else ("cpu", *args)
    if device_type == "cpu":
        _core._autocast_set_enabled(bool(enabled))
    elif enabled:
        raise RuntimeError(
            f"set_autocast_enabled: there is no device of type {device_type!r} in this build; "
            "use 'cpu'"
        )


def get_autocast_dtype(device_type: str = "cpu") -> _dtype:
    """The dtype that ops of low precision run in: bfloat16, float16 for CUDA.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.get_autocast_dtype()
        kagari.bfloat16
    """
    return _core._autocast_get_dtype() if device_type == "cpu" else _core.float16


def set_autocast_dtype(device_type: str, dtype: _dtype) -> None:
    """Sets the dtype that ops of low precision run in.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.set_autocast_dtype("cpu", kagari.float16)
        >>> kagari.amp.autocast_mode.get_autocast_dtype("cpu")
        kagari.float16
        >>> kagari.amp.autocast_mode.set_autocast_dtype("cpu", kagari.bfloat16)
    """
    if device_type == "cpu":
        _core._autocast_set_dtype(dtype)


def is_autocast_cache_enabled() -> bool:
    """Whether the casts of parameters are kept within a region.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.is_autocast_cache_enabled()
        True
    """
    return _core._autocast_is_cache_enabled()


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets whether the casts of parameters are kept within a region."""
    _core._autocast_set_cache_enabled(enabled)


def clear_autocast_cache() -> None:
    """Forgets the kept casts.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.clear_autocast_cache()
    """
    _core._autocast_clear_cache()


def is_autocast_cpu_enabled() -> bool:
    """``is_autocast_enabled("cpu")``.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.is_autocast_cpu_enabled()
        False
    """
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """``set_autocast_enabled("cpu", enabled)``."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> _dtype:
    """``get_autocast_dtype("cpu")``.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.get_autocast_cpu_dtype()
        kagari.bfloat16
    """
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: _dtype) -> None:
    """``set_autocast_dtype("cpu", dtype)``."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> _dtype:
    """``get_autocast_dtype("cuda")``.

    Example:
        >>> import kagari
        >>> kagari.amp.autocast_mode.get_autocast_gpu_dtype()
        kagari.float16
    """
    return get_autocast_dtype("cuda")


# ---- Functions of one's own ----------------------------------------------------------------------


def _cast(value: Any, device_type: str, dtype: _dtype) -> Any:
    from kagari import Tensor

    if isinstance(value, Tensor):
        eligible = (
            value.is_floating_point()
            and value.device.type == device_type
            and value.dtype is not _core.float64
        )
        return value.to(dtype) if eligible else value
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, dict):
        return type(value)((_cast(k, device_type, dtype), _cast(v, device_type, dtype))
                           for k, v in value.items())  # fmt: skip
    if isinstance(value, list | tuple):
        parts = [_cast(v, device_type, dtype) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None,
    *,
    device_type: str,
    cast_inputs: _dtype | None = None,
) -> Callable[..., Any]:
    """Decorates the ``forward`` of an ``autograd.Function`` for use under autocast.

    Args:
        fwd (callable): the forward method.
        device_type (str): ``"cpu"``.
        cast_inputs (kagari.dtype, optional): floating arguments are cast to it, and autocast is off
            inside. By default the method runs under the autocast state of its caller.

    Returns:
        The method, or a decorator when ``fwd`` is left out.

    Raises:
        ValueError: ``device_type`` is not a str.

    Example:
        >>> import kagari
        >>> class Product(kagari.autograd.Function):
        ...     @staticmethod
        ...     @kagari.amp.custom_fwd(device_type="cpu", cast_inputs=kagari.float32)
        ...     def forward(ctx, x, y):
        ...         ctx.save_for_backward(x, y)
        ...         return x @ y
        ...     @staticmethod
        ...     @kagari.amp.custom_bwd(device_type="cpu")
        ...     def backward(ctx, g):
        ...         x, y = ctx.saved_tensors
        ...         return g @ y.T, x.T @ g
        ...
        >>> with kagari.autocast("cpu"):
        ...     Product.apply(kagari.eye(2), kagari.eye(2)).dtype
        ...
        kagari.float32

    Reference: https://pytorch.org/docs/stable/amp.html
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        args[0]._dtype = get_autocast_dtype(device_type)
        if cast_inputs is None:
            args[0]._fwd_used_autocast = is_autocast_enabled(device_type)
            return fwd(*args, **kwargs)
        on = is_autocast_enabled(device_type)
        args[0]._fwd_used_autocast = False
        if not on:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(
                *_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs)
            )

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorates the ``backward`` of an ``autograd.Function``: it runs under the autocast state of
    its ``forward``, which ``custom_fwd`` decorates.

    Args:
        bwd (callable): the backward method.
        device_type (str): ``"cpu"``.

    Returns:
        The method, or a decorator when ``bwd`` is left out.

    Raises:
        ValueError: ``device_type`` is not a str.

    Example:
        >>> import kagari
        >>> class Double(kagari.autograd.Function):
        ...     @staticmethod
        ...     @kagari.amp.custom_fwd(device_type="cpu")
        ...     def forward(ctx, x):
        ...         return 2 * x
        ...     @staticmethod
        ...     @kagari.amp.custom_bwd(device_type="cpu")
        ...     def backward(ctx, g):
        ...         return 2 * g
        ...
        >>> x = kagari.ones(2, requires_grad=True)
        >>> Double.apply(x).sum().backward()
        >>> x.grad
        tensor([2., 2.])

    Reference: https://pytorch.org/docs/stable/amp.html
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorated
