"""Content folders that a newer result has replaced: kept for a while, for readers that had just found them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

GRACE_SECONDS = 3_600.0
"""How long a replaced content stays readable."""


def mark_replaced(folder: Path, now: float) -> None:
    """Note on a content folder when it was replaced: its time of writing, in seconds since 1970."""
    if folder.is_dir():
        os.utime(folder, (now, now))


def drop_replaced(partition_folder: Path, current: Collection[str], now: float) -> None:
    """Remove the content folders of a partition that were replaced longer ago than the grace period.

    A folder that was placed but never became current, as a kill leaves it, goes by the time it was written.
    """
    for name in replaced_contents(partition_folder, now):
        if name not in current:
            shutil.rmtree(partition_folder / name, ignore_errors=True)


def replaced_contents(partition_folder: Path, now: float) -> list[str]:
    """List the content folders that may go by their time; the current ones may be among them."""
    try:
        with os.scandir(partition_folder) as entries:
            return [entry.name for entry in entries if entry.stat(follow_symlinks=False).st_mtime < now - GRACE_SECONDS]
    except (FileNotFoundError, NotADirectoryError):
        return []


def take_in_place(staged: Path, target: Path) -> None:
    """Replace the files of a folder one by one, so that each can be read at any moment; others are removed."""
    wanted = {path.relative_to(staged) for path in staged.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / name, target / name)
    for path in list(target.rglob("*")):
        if path.is_file() and path.relative_to(target) not in wanted:
            path.unlink()


def partition_folders(tables: Path) -> Iterator[tuple[str, str]]:
    """List asset key and partition of every folder below ``tables``."""
    for folder in sorted(tables.glob("*/*/*/")):
        yield f"{folder.parent.parent.name}/{folder.parent.name}", folder.name
