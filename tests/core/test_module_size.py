"""What loading the compiled core costs the process: a library that was not there at its start has little thread-local room."""

from __future__ import annotations

import struct
from pathlib import Path

import kagari._core

PT_TLS = 7


def test_the_thread_local_segment_stays_small() -> None:
    """glibc keeps some hundred bytes of static thread-local space for libraries loaded late: beyond it, `import kagari` fails with
    "cannot allocate memory in static TLS block". Big thread-local objects belong behind a pointer."""
    data = Path(kagari._core.__file__).read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01"  # 64 bits, little endian
    (at,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for i in range(count):
        kind, _, _, _, _, _, memory, _ = struct.unpack_from("<IIQQQQQQ", data, at + i * size)
        if kind == PT_TLS:
            found.append(memory)
    assert sum(found) <= 1024, f"{found} bytes are thread-local"
