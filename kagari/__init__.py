"""kagari: tensors, automatic differentiation and neural networks with PyTorch's API.

This file is the index of the public names. The functions on tensors (``add``, ``zeros``, ...) are
listed by the core: each is declared once, as a row of its table or in ``kagari.ops``.
"""

from __future__ import annotations

import importlib as _importlib
import math as _math
from typing import TYPE_CHECKING as _TYPE_CHECKING

from kagari import _core
from kagari._core import (
    # what tensors are made of
    Generator,
    OutOfMemoryError,
    Size,
    Tensor,
    UntypedStorage,
    device,
    dtype,
    finfo,
    iinfo,
    layout,
    memory_format,
    # dtypes
    bfloat16,
    bool,
    cdouble,
    cfloat,
    chalf,
    complex32,
    complex64,
    complex128,
    double,
    float,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    float16,
    float32,
    float64,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    short,
    uint8,
    uint16,
    uint32,
    uint64,
    # layouts and memory formats
    channels_last,
    channels_last_3d,
    contiguous_format,
    preserve_format,
    sparse_coo,
    sparse_csr,
    strided,
    # tensors from data
    as_tensor,
    asarray,
    from_dlpack,
    from_numpy,
    frombuffer,
    tensor,
    to_dlpack,
    # dtypes and devices
    can_cast,
    get_default_device,
    get_default_dtype,
    promote_types,
    result_type,
    set_default_device,
    set_default_dtype,
    # the process
    get_num_interop_threads,
    get_num_threads,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    set_num_interop_threads,
    set_num_threads,
)
from kagari._core import DisableTorchFunction, DisableTorchFunctionSubclass, return_types
from kagari import autograd, ops, random
from kagari.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from kagari.random import (
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from kagari._tensor import (
    BFloat16Tensor,
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    detach,
    is_complex,
    is_conj,
    is_floating_point,
    is_neg,
    is_nonzero,
    is_same_size,
    is_signed,
    is_storage,
    is_tensor,
    numel,
    resize_as_,
    resolve_conj,
    resolve_neg,
)
from kagari._queries import get_device, is_inference, typename
from kagari._settings import (
    are_deterministic_algorithms_enabled,
    compile,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_default_tensor_type,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_warn_always,
    use_deterministic_algorithms,
)

from kagari.ops.views import broadcast_shapes

# Every public row and composite; kagari.ops has declared the composites.
from kagari._core import functions as _functions
from kagari._core.functions import *  # noqa: F403

if _TYPE_CHECKING:
    from kagari import (
        fft,
        io,
        linalg,
        masked,
        nn,
        optim,
        overrides,
        serialization,
        signal,
        special,
        utils,
    )
    from kagari._tensor_str import set_printoptions
    from kagari.serialization import load, save

__version__ = _core.__version__

e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None
pi = _math.pi

# Modules and names that cost time, imported when first asked for.
_MODULES = (
    "amp",
    "fft",
    "io",
    "linalg",
    "masked",
    "nn",
    "optim",
    "overrides",
    "serialization",
    "signal",
    "special",
    "utils",
)
_NAMES = {
    "autocast": "kagari.amp.autocast_mode",
    "clear_autocast_cache": "kagari.amp.autocast_mode",
    "get_autocast_cpu_dtype": "kagari.amp.autocast_mode",
    "get_autocast_dtype": "kagari.amp.autocast_mode",
    "get_autocast_gpu_dtype": "kagari.amp.autocast_mode",
    "is_autocast_cache_enabled": "kagari.amp.autocast_mode",
    "is_autocast_cpu_enabled": "kagari.amp.autocast_mode",
    "is_autocast_enabled": "kagari.amp.autocast_mode",
    "set_autocast_cache_enabled": "kagari.amp.autocast_mode",
    "set_autocast_cpu_dtype": "kagari.amp.autocast_mode",
    "set_autocast_cpu_enabled": "kagari.amp.autocast_mode",
    "set_autocast_dtype": "kagari.amp.autocast_mode",
    "set_autocast_enabled": "kagari.amp.autocast_mode",
    "load": "kagari.serialization",
    "save": "kagari.serialization",
    "set_printoptions": "kagari._tensor_str",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return _importlib.import_module(f"kagari.{name}")
    # What is there but not listed: internal functions, and those of submodules (special_erf).
    if not name.startswith("__") and hasattr(_functions, name):
        return getattr(_functions, name)
    if name in _NAMES:
        value = getattr(_importlib.import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'kagari' has no attribute {name!r}")


__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "DoubleTensor",
    "FloatTensor",
    "Generator",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "OutOfMemoryError",
    "ShortTensor",
    "Size",
    "Tensor",
    "UntypedStorage",
    "are_deterministic_algorithms_enabled",
    "as_tensor",
    "asarray",
    "autograd",
    "bfloat16",
    "bool",
    "broadcast_shapes",
    "can_cast",
    "cdouble",
    "cfloat",
    "chalf",
    "channels_last",
    "channels_last_3d",
    "compile",
    "complex32",
    "complex64",
    "complex128",
    "contiguous_format",
    "default_generator",
    "detach",
    "device",
    "double",
    "dtype",
    "e",
    "enable_grad",
    "fft",
    "finfo",
    "float",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "get_default_device",
    "get_default_dtype",
    "get_deterministic_debug_mode",
    "get_device",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "get_rng_state",
    "half",
    "iinfo",
    "inf",
    "inference_mode",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "io",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_complex",
    "is_conj",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_floating_point",
    "is_grad_enabled",
    "is_inference",
    "is_inference_mode_enabled",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "is_warn_always_enabled",
    "layout",
    "linalg",
    "load",
    "long",
    "manual_seed",
    "masked",
    "memory_format",
    "nan",
    "newaxis",
    "nn",
    "no_grad",
    "numel",
    "ops",
    "optim",
    "overrides",
    "pi",
    "preserve_format",
    "promote_types",
    "random",
    "resize_as_",
    "resolve_conj",
    "resolve_neg",
    "result_type",
    "return_types",
    "save",
    "seed",
    "serialization",
    "set_default_device",
    "set_default_dtype",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "set_printoptions",
    "set_rng_state",
    "set_warn_always",
    "short",
    "signal",
    "sparse_coo",
    "sparse_csr",
    "special",
    "strided",
    "tensor",
    "to_dlpack",
    "typename",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "use_deterministic_algorithms",
    "utils",
]
__all__ += _functions.__all__


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
