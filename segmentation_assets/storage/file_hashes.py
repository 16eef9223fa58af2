"""SHA-256 of files, remembered for as long as size, times and inode say that a file was not touched.

The memory is a file of lines that is only ever appended to, so processes may write at once. Each line carries a
checksum; what cannot be read is hashed again. It holds nothing that a result depends on and may be deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from segmentation_assets.storage.stamps import Stamp
from segmentation_assets.storage.text_files import write_text_whole

MEMORY = "cache/file_hashes.log"
"""Where the memory lies below the data folder."""

_LINES_KEPT = 5_000
"""Lines below which it does not pay to look for outdated ones."""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=4)
def file_hashes(root: Path) -> FileHashes:
    """Return the memory of a data folder, shared by everything in this process."""
    return FileHashes(root)


class FileHashes:
    """Hashes of files, from memory where their stamps have not changed.

    Parameters
    ----------
    root : Path
        The data folder; the memory lies in it and follows it when it is moved.
    believes_memory : bool
        Whether hashes of earlier processes count; otherwise each file is read once. What was read is remembered
        either way.
    """

    def __init__(self, root: Path, *, believes_memory: bool = True) -> None:
        self._root = f"{root}{os.sep}"
        self._memory = root / MEMORY
        self._believes_memory = believes_memory
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._unsettled: list[str] = []
        self._position = (0, 0)

    def sha256(self, path: str | Path) -> str:
        """SHA-256 of a file's bytes, in hex; the file is read unless its stamp is the remembered one."""
        place = str(path)
        stamp = Stamp.of(place)
        return self._remembered(place, stamp) or self._read(place, stamp)

    def has(self, path: str | Path, size_bytes: int, sha256: str) -> bool:
        """Whether a file exists with this size and hash.

        A remembered hash that differs is not believed: the file is read before it is called damaged.
        """
        place = str(path)
        try:
            stamp = Stamp.of(place)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if stamp.size_bytes != size_bytes or not os.path.isfile(place):  # noqa: PTH113 - called per file of a pass
            return False
        return self._remembered(place, stamp) == sha256 or self._read(place, stamp) == sha256

    def settle(self) -> None:
        """Read again what was hashed right after it was written, so that the next process need not."""
        now = time.time_ns()
        waiting, self._unsettled = self._unsettled, []
        for place in waiting:
            try:
                stamp = Stamp.of(place)
            except OSError:
                continue
            if not stamp.is_settled(now):
                self._unsettled.append(place)
            elif self._remembered(place, stamp) is None:
                self._read(place, stamp)

    def _remembered(self, place: str, stamp: Stamp) -> str | None:
        """Return the hash of a file if it is known for this very stamp."""
        key = place.removeprefix(self._root)
        known = self._known.get(key)
        if (known is None or known[0] != stamp) and self._believes_memory:
            self._load()
            known = self._known.get(key)
        return known[1] if known is not None and known[0] == stamp else None

    def _read(self, place: str, stamp: Stamp) -> str:
        """Hash a file, and remember the hash if later writes show in the stamp; through a memory map they may not."""
        now = time.time_ns()
        digest = file_sha256(Path(place))
        if not stamp.is_settled(now):
            self._unsettled.append(place)
        elif Stamp.of(place) == stamp:
            key = place.removeprefix(self._root)
            self._known[key] = (stamp, digest)
            self._append(_line(key, stamp, digest))
        return digest

    def _load(self) -> None:
        """Take in what this or another process has appended since the last look."""
        try:
            with self._memory.open("rb") as stream:
                stamp = Stamp.of(stream.fileno())
                inode, start = self._position
                if inode != stamp.inode or start > stamp.size_bytes:
                    start = 0
                if start == stamp.size_bytes:
                    return
                stream.seek(start)
                lines = stream.read().splitlines()
                self._position = (stamp.inode, stream.tell())
        except OSError:
            return
        self._known.update(entry for line in lines if (entry := _entry(line)) is not None)
        if start == 0 and len(lines) > _LINES_KEPT:
            self._compact(len(lines))

    def _append(self, line: str) -> None:
        """Add a line; a data folder that is not there or cannot be written to goes without."""
        try:
            if Path(self._root).is_dir():
                self._memory.parent.mkdir(exist_ok=True)
                with self._memory.open("ab", buffering=0) as stream:
                    stream.write(line.encode())
        except OSError:
            return

    def _compact(self, line_count: int) -> None:
        """Write the memory anew when more than half of it is about files that have changed or are gone."""
        alive = {key: known for key, known in self._known.items() if (Path(self._root) / key).exists()}
        if line_count <= 2 * len(alive):
            return
        with suppress(OSError):
            write_text_whole(self._memory, "".join(_line(key, *known) for key, known in alive.items()))


def _line(key: str, stamp: Stamp, digest: str) -> str:
    text = json.dumps([key, *stamp, digest])
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def _entry(line: bytes) -> tuple[str, tuple[Stamp, str]] | None:
    """Read a line of the memory; ``None`` for one that is torn or damaged."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    key, *stamp, digest = json.loads(text)
    return key, (Stamp(*stamp), digest)
