"""Makes a data folder from a backup: every file is checked, and the folder appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from segmentation_assets.errors import DataError
from segmentation_assets.storage.backup import DATA, FORMAT, LISTING, RESTORED_SETTINGS, SETTINGS, SUFFIX
from segmentation_assets.storage.store import TableStore

_CHUNK = 1 << 20
_LONGEST_LISTING = 1 << 30
_MONTH = re.compile(r"\d{4}-\d{2}")


def newest_backup(source: Path) -> Path:
    """Return the backup that a path names: a file, or the newest one in a folder.

    Raises
    ------
    DataError
        There is none.
    """
    if source.is_dir():
        found = sorted(source.glob(f"*{SUFFIX}"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        if found:
            return found[-1]
        raise DataError(f"{source} holds no backup", f"a backup is a file named *{SUFFIX}.")
    if not source.is_file():
        raise DataError(f"there is no backup {source}", "name the file that 'segmentation backup' wrote.")
    return source


def restore_backup(source: Path, root: Path) -> dict[str, Any]:
    """Make a data folder from a backup.

    Parameters
    ----------
    source : Path
        The backup.
    root : Path
        Data folder to make; it must not exist, or be empty.

    Returns
    -------
    dict
        The listing of the backup.

    Raises
    ------
    DataError
        The folder is not empty, or the backup is damaged, incomplete, of another format or holds a member that could
        leave the folder. Nothing is left behind then.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(
            f"{root} is not empty", "restore into a folder that does not exist, by --to; nothing is ever overwritten."
        )
    if root.is_mount():
        raise DataError(f"{root} is a mount point", "restore into a folder below it, by --to, and name that data_dir.")
    root.parent.mkdir(parents=True, exist_ok=True)
    temporary = root.with_name(f".{root.name}.{uuid.uuid4().hex[:8]}")
    try:
        with _unpacked(source) as archive:
            listing = _extract(archive, temporary, source)
        for folder, month in listing.get("latest", {}).items():
            _point_latest(temporary, folder, month)
        os.replace(temporary, root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return listing


def _point_latest(root: Path, folder: str, month: str) -> None:
    if folder in ("reports", "exports") and _MONTH.fullmatch(month) and (root / folder / month).is_dir():
        TableStore(root).point_latest(folder, month)


@contextmanager
def _unpacked(source: Path) -> Iterator[tarfile.TarFile]:
    import zstandard

    try:
        with (
            source.open("rb") as stream,
            zstandard.ZstdDecompressor().stream_reader(stream) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as archive,
        ):
            yield archive
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as problem:
        raise _unreadable(source, str(problem)) from problem


def _unreadable(source: Path, why: str) -> DataError:
    return DataError(f"{source} cannot be restored: {why}", "nothing was restored; take another copy of the backup.")


def _extract(archive: tarfile.TarFile, folder: Path, source: Path) -> dict[str, Any]:
    """Write the members below a new folder and compare them with the listing, which is the last one."""
    folder.mkdir()
    found: dict[str, dict[str, Any]] = {}
    for member in archive:
        name = _checked_name(member, folder, source)
        stream = archive.extractfile(member)
        if stream is None:
            raise _unreadable(source, f"{member.name} is no file")
        if name == LISTING:
            if member.size > _LONGEST_LISTING:
                raise _unreadable(source, f"its listing has {member.size:,} bytes")
            listing = _read_listing(stream.read(), source)
            _compare(listing, found, source)
            return listing
        place = RESTORED_SETTINGS if name == SETTINGS else name.removeprefix(f"{DATA}/")
        if (folder / place).exists():
            raise _unreadable(source, f"'{member.name}' is in it twice")
        described = _write(stream, folder / place, member.mtime)
        found[place] = described
    raise _unreadable(source, f"it is cut off, as {LISTING} at its end is missing")


def _checked_name(member: tarfile.TarInfo, folder: Path, source: Path) -> str:
    """Return the name of a member; refuse anything but plain files below the data folder."""
    path = PurePosixPath(member.name)
    is_known = member.name in (LISTING, SETTINGS) or (path.parts[:1] == (DATA,) and len(path.parts) > 1)
    if not member.isreg() or path.is_absolute() or ".." in path.parts or not is_known:
        raise _unreadable(source, f"'{member.name}' is no plain file below its data folder")
    tarfile.data_filter(member, str(folder))
    return str(path)


def _write(stream: Any, path: Path, modified: float) -> dict[str, Any]:
    """Write a file in pieces; return its size and SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    with path.open("xb") as target:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    os.utime(path, (modified, modified))
    return {"size_bytes": size, "sha256": digest.hexdigest()}


def _read_listing(content: bytes, source: Path) -> dict[str, Any]:
    try:
        listing = dict(json.loads(content))
    except ValueError as problem:
        raise _unreadable(source, f"{LISTING} is not readable ({problem})") from problem
    if listing.get("format") != FORMAT:
        raise _unreadable(source, f"its format is {listing.get('format')}, and this version reads {FORMAT}")
    return listing


def _compare(listing: dict[str, Any], found: dict[str, dict[str, Any]], source: Path) -> None:
    """Refuse a backup of which a file is missing, added or changed."""
    wanted = dict(listing.get("files", {}))
    settings = found.pop(RESTORED_SETTINGS, {}).get("sha256")
    if settings != listing.get("settings_sha256"):
        raise _unreadable(source, f"{SETTINGS} differs from what {LISTING} says")
    names = {name for name in set(found) | set(wanted) if found.get(name) != wanted.get(name)}
    if not names:
        return
    first, *others = sorted(names)
    more = f" and {len(others)} more" if others else ""
    raise _unreadable(source, f"{first}{more} differs from what {LISTING} says")
