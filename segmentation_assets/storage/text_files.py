"""Files written so that a reader never sees half of one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_text_whole(path: Path, text: str) -> None:
    """Write a file under another name beside its own, and put it in place in one step; its folder is made if need be.

    Raises
    ------
    OSError
        The file cannot be written or put in place; what was there stays.
    """
    write_bytes_whole(path, text.encode("utf-8"))


def write_bytes_whole(path: Path, content: bytes) -> None:
    """Write a file as `write_text_whole` does, of any content.

    Raises
    ------
    OSError
        The file cannot be written or put in place; what was there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with placed_whole(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def placed_whole(path: Path) -> Iterator[Path]:
    """Yield the path to write a file to, beside its own; it is put in place when all went well, else removed."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
