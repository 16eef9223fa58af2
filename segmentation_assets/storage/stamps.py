"""What a file system says about a file, to tell without reading it that it is the same as when it was read."""

from __future__ import annotations

import os
from typing import NamedTuple

_FINE_MARGIN_NS = 100_000_000
_COARSE_MARGIN_NS = 3_000_000_000
_SECOND_NS = 1_000_000_000


class Stamp(NamedTuple):
    """Size in bytes, time of the last write and of the last change in nanoseconds, and inode of a file.

    The time of the last change is set by the kernel alone: a file whose time of writing was put back, or that was
    replaced by another, shows there.
    """

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: str | os.PathLike[str] | int) -> Stamp:
        """Read the stamp of a file, or of an open one given by its descriptor."""
        found = os.stat(path)  # noqa: PTH116 - a descriptor is possible, and this is called thousands of times a pass
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def is_settled(self, now_ns: int) -> bool:
        """Whether any later write would change the stamp: its times are older than the clock of the disk is coarse.

        A file system that counts in whole seconds, or in pairs of them, is known by its times.
        """
        newest = max(self.modified_ns, self.changed_ns)
        is_coarse = self.modified_ns % _SECOND_NS == 0 or self.changed_ns % _SECOND_NS == 0
        return newest + (_COARSE_MARGIN_NS if is_coarse else _FINE_MARGIN_NS) < now_ns
