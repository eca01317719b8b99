"""Functions composed of primitives, a file per family; importing a file declares its ops."""

from kagari.ops import indexing as indexing
from kagari.ops import matmul as matmul
