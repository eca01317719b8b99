"""The zip archive around a checkpoint: records stored uncompressed, at multiples of 64 bytes."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from typing import IO, Any

ALIGNMENT = 64
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
# Above this a record's header carries 64-bit sizes.
_ZIP64_FROM = (1 << 31) - 1
_ZIP64_EXTRA = 20
_CHUNK = 1 << 24


class BrokenArchiveError(RuntimeError):
    """The file is no checkpoint, or a damaged one."""


class Reader:
    """Records of an archive.

    Nothing that the file says about itself is believed before it is compared with the file: its
    length bounds every record, and all that is read of them together.

    Args:
        file: opened for reading, and seekable.

    Raises:
        BrokenArchiveError: no archive, a truncated or a damaged one.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        try:
            self.zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as e:
            raise BrokenArchiveError(f"load: not a zip archive, or a truncated one ({e})") from None
        self.length = file.seek(0, io.SEEK_END)
        self.total = 0
        infos = self.zip.infolist()
        self.infos = {info.filename: info for info in infos}
        if len(self.infos) != len(infos):
            raise BrokenArchiveError("load: the archive has two records of one name")
        if not infos:
            raise BrokenArchiveError("load: the archive is empty")
        # The name of the archive comes before that of every record.
        self.prefix = infos[0].filename.partition("/")[0] + "/"

    def names(self) -> list[str]:
        """Returns the names of the records."""
        return [name.removeprefix(self.prefix) for name in self.infos]

    def __contains__(self, name: str) -> bool:
        return self.prefix + name in self.infos

    def span(self, name: str) -> tuple[int, int, int]:
        """Returns where a record's bytes lie, how many they are, and their checksum."""
        info = self.infos.get(self.prefix + name)
        if info is None:
            raise BrokenArchiveError(f"load: the archive lacks the record {name!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise BrokenArchiveError(
                f"load: record {name!r} is compressed; checkpoints are stored uncompressed"
            )
        if info.flag_bits & 1:
            raise BrokenArchiveError(f"load: record {name!r} is encrypted")
        # The directory can place a header anywhere, also before the file.
        self.file.seek(max(info.header_offset, 0))
        header = self.file.read(_LOCAL_HEADER.size)
        found = info.header_offset >= 0 and header[:4] == b"PK\x03\x04"
        if len(header) != _LOCAL_HEADER.size or not found:
            raise BrokenArchiveError(f"load: record {name!r} has no header where it should be")
        fields = _LOCAL_HEADER.unpack(header)
        start = info.header_offset + _LOCAL_HEADER.size + fields[-2] + fields[-1]
        if start + info.file_size > self.length:
            raise BrokenArchiveError(
                f"load: record {name!r} ends at byte {start + info.file_size}, "
                f"the file has {self.length}; it is truncated"
            )
        return start, info.file_size, info.CRC

    def read_into(self, name: str, room: Any) -> None:
        """Reads a record into a writable buffer of its size, and checks it."""
        start, size, expected = self.span(name)
        view = memoryview(room).cast("B")
        if len(view) != size:
            raise BrokenArchiveError(
                f"load: record {name!r} has {size} bytes, expected {len(view)}"
            )
        # Records that overlap could ask for many times the file.
        self.total += size
        if self.total > self.length:
            raise BrokenArchiveError("load: the records together are longer than the file")
        self.file.seek(start)
        crc = 0
        for at in range(0, size, _CHUNK):
            part = view[at : at + _CHUNK]
            if self._fill(part) != len(part):
                raise BrokenArchiveError(f"load: record {name!r} is truncated")
            crc = zlib.crc32(part, crc)
        # PyTorch writes 0 when it is asked not to compute checksums.
        if expected not in (0, crc):
            raise BrokenArchiveError(
                f"load: record {name!r} has checksum {crc:08x}, expected {expected:08x}; "
                "the file is damaged"
            )

    def _fill(self, part: memoryview) -> int:
        readinto = getattr(self.file, "readinto", None)
        if readinto is not None:
            return int(readinto(part) or 0)
        data = self.file.read(len(part))
        part[: len(data)] = data
        return len(data)

    def read(self, name: str) -> bytes:
        """Returns a record."""
        room = bytearray(self.span(name)[1])
        self.read_into(name, room)
        return bytes(room)


class Writer:
    """Writes an archive that PyTorch reads too.

    Args:
        file: opened for writing.
        name: name of the archive, the folder of its records.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self.name = name
        self.digest = hashlib.sha1(usedforsecurity=False)

    def write(self, name: str, data: Any) -> None:
        """Adds a record from a buffer."""
        view = memoryview(data).cast("B")
        info = zipfile.ZipInfo(f"{self.name}/{name}")
        zip64 = len(view) > _ZIP64_FROM
        before = self.zip.start_dir + _LOCAL_HEADER.size + len(info.filename.encode())
        before += _ZIP64_EXTRA if zip64 else 0
        # A field of its own kind pads the header, so that data can be mapped as it lies.
        padding = -(before + 4) % ALIGNMENT
        info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        with self.zip.open(info, "w", force_zip64=zip64) as out:
            for at in range(0, len(view), _CHUNK):
                out.write(view[at : at + _CHUNK])
        self.digest.update(f"{name} {len(view)} {info.CRC}\n".encode())

    def close(self) -> None:
        """Writes the records that end an archive, and the directory."""
        self.write("version", b"3\n")
        number = int.from_bytes(self.digest.digest(), "big") % 10**40
        self.write(".data/serialization_id", f"{number:040d}".encode())
        self.zip.close()
