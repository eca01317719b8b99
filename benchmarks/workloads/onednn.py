"""oneDNN alone, called through its C interface: products of float32 matrices.

PyTorch's convolutions are oneDNN's, so that its own column stands for them.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
from typing import Any

from workloads import arrays

# Products of two float32 matrices, by the name of the row: NumPy's formula tells the operands.
ROWS = ("matmul.float32_1024", "matmul.float32_128", "matmul.float32_512", "matmul.float32_2048")
ROWS += ("matmul.tall", "matmul.odd")
PACKAGE = "onednn-cpu-gomp"


def is_installed() -> bool:
    """Whether its package is there."""
    try:
        return importlib.metadata.version(PACKAGE) != ""
    except importlib.metadata.PackageNotFoundError:
        return False


class Library:
    """The shared object, with the name and the version that a module would have."""

    __name__ = "onednn"

    def __init__(self) -> None:
        files = importlib.metadata.files(PACKAGE) or []
        path = next(f for f in files if f.name.startswith("libdnnl.so"))
        self.__version__ = importlib.metadata.version(PACKAGE)
        self.library = ctypes.CDLL(str(path.locate()))

    def product(self, a: Any, b: Any) -> Any:
        """a @ b for two matrices of float32, by rows."""
        import numpy

        rows, inner, columns = a.shape[0], a.shape[1], b.shape[1]
        out = numpy.empty((rows, columns), numpy.float32)
        size, one, zero = ctypes.c_int64, ctypes.c_float(1), ctypes.c_float(0)
        status = self.library.dnnl_sgemm(
            ctypes.c_char(b"N"), ctypes.c_char(b"N"), size(rows), size(columns), size(inner),
            one, ctypes.c_void_p(a.ctypes.data), size(inner),
            ctypes.c_void_p(b.ctypes.data), size(columns),
            zero, ctypes.c_void_p(out.ctypes.data), size(columns),
        )  # fmt: skip
        if status:
            raise RuntimeError(f"dnnl_sgemm: status {status}")
        return out


def work(library: Library, name: str) -> Any:
    """What is timed for the row."""
    import numpy

    _, (a, b) = arrays.NUMPY[name](numpy)
    return lambda: library.product(a, b)
