"""How kagari was built, in words."""

from __future__ import annotations

import platform

from kagari import _core

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The build's settings.

    Example:
        >>> import kagari.__config__
        >>> "kagari" in kagari.__config__.show()
        True
    """
    from kagari import backends

    return "\n".join(
        [
            "kagari built with:",
            f"  - version {_core.__version__}",
            f"  - {platform.system()} {platform.machine()}",
            "  - LAPACK: OpenBLAS",
            f"  - CPU capability: {backends.cpu.get_cpu_capability()}",
            "  - CUDA: False",
        ]
    )


def parallel_info() -> str:
    """How many threads work.

    Example:
        >>> import kagari.__config__
        >>> "get_num_threads" in kagari.__config__.parallel_info()
        True
    """
    return (
        f"kagari.get_num_threads() : {_core.get_num_threads()}\n"
        f"kagari.get_num_interop_threads() : {_core.get_num_interop_threads()}"
    )
