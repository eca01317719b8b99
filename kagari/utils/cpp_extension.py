"""Extensions in C++ and CUDA against PyTorch's headers: not here."""

from __future__ import annotations

from kagari._absent import absent

__all__: list[str] = []

_REASON = (
    "kagari has no C++ interface for extensions; exchange arrays through DLPack or NumPy, and wrap "
    "the call in a kagari.autograd.Function"
)

CUDA_HOME: str | None = None
ROCM_HOME: str | None = None

for _name in [
    "BuildExtension",
    "CUDAExtension",
    "CppExtension",
    "include_paths",
    "is_ninja_available",
    "library_paths",
    "load",
    "load_inline",
]:
    globals()[_name] = absent(f"kagari.utils.cpp_extension.{_name}", _REASON)
