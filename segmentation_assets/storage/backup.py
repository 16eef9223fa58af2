"""A data folder in one file: a tar archive packed by Zstandard, with the SHA-256 of every file in it.

Written while runs may be going on: tables and models are immutable and named by manifests that are taken first; files
that are replaced in place are read under the lock of their result. Reading one back is done in `backup_reading.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from segmentation_assets import __version__
from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import Manifest, StoredFile
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import placed_whole
from segmentation_assets.storage.versions import ERASURES_MARK, VERSIONS, version_folders

SUFFIX = ".tar.zst"
FORMAT = 1
LISTING, DATA, SETTINGS = "backup.json", "data", "settings.yaml"
"""Members of the archive: the listing of all files with their hashes comes last."""

NEVER_TAKEN = ("cache", "locks", "staging", "dagster")
"""Folders of the data folder that hold nothing a result depends on; Dagster's log is told anew by the next run."""

RESTORED_SETTINGS = "settings_of_backup.yaml"
"""Name in a restored data folder under which the settings file of a backup is put."""

_LEVEL = 3
_STUDY = re.compile(r"tuning/[^/]+/study\.db")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}")


@dataclass
class Written:
    """What a backup holds so far: size and SHA-256 by path below the data folder."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    size_bytes: int = 0


def write_backup(
    root: Path, target: Path, *, settings_file: Path | None = None, left_out: Collection[str] = ()
) -> Written:
    """Write a data folder into a new file.

    Parameters
    ----------
    root : Path
        The data folder.
    target : Path
        File to write. It appears whole or not at all.
    settings_file : Path or None
        Settings file to take along as it is.
    left_out : collection of str
        Folders below the data folder, such as ``reports``, that are not taken.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        The target exists or lies in the data folder, there is no data folder, or a stored file is missing or damaged.
    """
    _check_target(root, target)
    with placed_whole(target) as temporary, temporary.open("xb") as stream:
        with _packed(stream) as archive:
            written = _Archive(root, archive, tuple(left_out)).take_everything(settings_file)
        stream.flush()
        os.fsync(stream.fileno())
    return written


def _check_target(root: Path, target: Path) -> None:
    if not root.is_dir():
        raise DataError(f"there is no data folder {root}", "run 'segmentation run' first, or name the settings file.")
    if target.exists():
        raise _exists(target)
    if target.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{target} lies in the data folder that is to be backed up", "write it elsewhere.")
    target.parent.mkdir(parents=True, exist_ok=True)


def _exists(target: Path) -> DataError:
    return DataError(f"{target} exists", "name another file; a backup is never overwritten.")


@contextmanager
def _packed(stream: BinaryIO) -> Iterator[tarfile.TarFile]:
    import zstandard

    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with (
        compressor.stream_writer(stream, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        yield archive


class _Archive:
    """Adds files to an archive and remembers their hashes."""

    def __init__(self, root: Path, archive: tarfile.TarFile, left_out: tuple[str, ...]) -> None:
        self.root = root
        self.store = TableStore(root)
        self.archive = archive
        self.left_out = left_out
        self.written = Written()

    def take_everything(self, settings_file: Path | None) -> Written:
        """Add what is stored, then everything else, and last the listing."""
        results = [found for key, lock, parts in self._results() for found in self._take_results(key, lock, parts)]
        for path, text, manifest in results:
            self._take_files(() if manifest.is_removed else manifest.files)
            self._take_text(path, text)
        for owner, partition in version_folders(self.root):
            for version in self.store.earlier_versions(owner, partition):
                self._take_files(version.manifest.files)
                self._take(f"{VERSIONS}/{owner}/{partition}/{version.content_name}.json")
        for path in (f"{VERSIONS}/{ERASURES_MARK}", *self._rest()):
            with suppress(FileNotFoundError):
                take = self._take_study if _STUDY.fullmatch(path) else self._take
                take(path)
        settings_digest = None
        if settings_file is not None:
            content = settings_file.read_bytes()
            settings_digest = self._add(SETTINGS, io.BytesIO(content), len(content), time.time())
        self._add_listing(settings_digest)
        return self.written

    def _results(self) -> list[tuple[str, str, list[Path]]]:
        """Manifests that are replaced under one lock, with the asset and the partition of the lock."""
        folder = self.root / "manifests"
        groups: dict[tuple[str, str], list[Path]] = {}
        sliced = {str(path.parent.relative_to(folder)) for path in folder.glob("*/*/slices")}
        for path in sorted(folder.rglob("*.json")):
            if not path.name.startswith("."):
                key = str(path.parent.relative_to(folder)).removesuffix("/slices")
                groups.setdefault((key, "slices" if key in sliced else path.stem), []).append(path)
        return [(key, lock, paths) for (key, lock), paths in groups.items()]

    def _take_results(self, key: str, lock: str, paths: list[Path]) -> list[tuple[str, bytes, Manifest]]:
        """Read the manifests of some results as of one moment; files that are replaced in place are added now.

        What lies in content folders is added later: it stays for an hour after it was replaced.
        """
        found = []
        with self.store.lock(key, lock):
            for path in paths:
                with suppress(FileNotFoundError):
                    text = path.read_bytes()
                    manifest = Manifest.from_json(text.decode(), str(path))
                    if not self._is_left_out(manifest):
                        found.append((str(path.relative_to(self.root)), text, manifest))
            for _, _, manifest in found:
                in_place = [file for file in manifest.own_files if not file.path.startswith("tables/")]
                self._take_files([] if manifest.is_removed else in_place)
        return found

    def _take_text(self, path: str, text: bytes) -> None:
        """Add a small file from memory."""
        modified = (self.root / path).stat().st_mtime if (self.root / path).exists() else time.time()
        digest = self._add(f"{DATA}/{path}", io.BytesIO(text), len(text), modified)
        self._note(path, len(text), digest)

    def _note(self, path: str, size_bytes: int, digest: str) -> None:
        self.written.files[path] = {"size_bytes": size_bytes, "sha256": digest}
        self.written.size_bytes += size_bytes

    def _is_left_out(self, manifest: Manifest) -> bool:
        """Whether the files of a result are left out, all of them; then it is not stored in the copy."""
        return bool(manifest.files) and all(self._is_below_left_out(file.path) for file in manifest.files)

    def _is_below_left_out(self, path: str) -> bool:
        return any(path == folder or path.startswith(f"{folder}/") for folder in self.left_out)

    def _take_files(self, files: Collection[StoredFile]) -> None:
        for file in files:
            if file.path not in self.written.files:
                try:
                    self._take(file.path, expected=file.sha256)
                except FileNotFoundError as problem:
                    raise _damaged(file.path) from problem

    def _rest(self) -> Iterator[str]:
        """Files that no manifest names: decisions, aliases, records, logs, deliveries, models, what users put there."""
        for folder, names, files in os.walk(self.root):
            below = os.path.relpath(folder, self.root)
            names[:] = sorted(name for name in names if self._is_walked(os.path.normpath(f"{below}/{name}")))
            for name in sorted(files):
                path = os.path.normpath(f"{below}/{name}")
                is_plain = not _TEMPORARY.fullmatch(name) and not (self.root / path).is_symlink()
                if is_plain and path not in self.written.files and path != RESTORED_SETTINGS:
                    yield path

    def _is_walked(self, folder: str) -> bool:
        """Whether a folder is looked into; another data folder inside, such as the demo's, is no part of this one."""
        known = (*NEVER_TAKEN, "tables", "manifests", VERSIONS, *self.left_out)
        path = self.root / folder
        return folder not in known and not path.is_symlink() and not (path / "manifests").is_dir()

    def _take_study(self, path: str) -> None:
        """Add the trials of a search as they are at one moment, as it may be going on."""
        with (
            tempfile.NamedTemporaryFile() as copy,
            closing(sqlite3.connect(f"file:{quote(str(self.root / path))}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy.name)) as target,
        ):
            source.backup(target)
            size = Path(copy.name).stat().st_size
            digest = self._add(f"{DATA}/{path}", copy, size, (self.root / path).stat().st_mtime)
        self._note(path, size, digest)

    def _take(self, path: str, *, expected: str | None = None) -> None:
        """Add one file; as large as it is now, should it be a log that grows."""
        with (self.root / path).open("rb") as stream:
            found = os.fstat(stream.fileno())
            digest = self._add(f"{DATA}/{path}", stream, found.st_size, found.st_mtime)
        if expected is not None and digest != expected:
            raise _damaged(path)
        self._note(path, found.st_size, digest)

    def _add(self, name: str, stream: Any, size_bytes: int, modified: float) -> str:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = size_bytes, modified, 0o644
        reader = _HashingReader(stream)
        self.archive.addfile(entry, reader)
        return reader.digest.hexdigest()

    def _add_listing(self, settings_digest: str | None) -> None:
        document = {
            "format": FORMAT,
            "made_by": f"segmentation {__version__}",
            "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "left_out": sorted(self.left_out),
            "settings_sha256": settings_digest,
            "latest": self._latest(),
            "files": self.written.files,
        }
        content = json.dumps(document, indent=1, sort_keys=True).encode()
        self._add(LISTING, io.BytesIO(content), len(content), time.time())

    def _latest(self) -> dict[str, str]:
        """Where the links named ``latest`` lead, which are not taken as links."""
        links = {folder: self.root / folder / "latest" for folder in ("reports", "exports")}
        return {folder: str(link.readlink()) for folder, link in links.items() if link.is_symlink()}


class _HashingReader:
    """Reads a file for the archive and hashes it on the way."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        """Read so many bytes."""
        content: bytes = self._stream.read(count)
        self.digest.update(content)
        return content


def _damaged(path: str) -> DataError:
    return DataError(
        f"{path} is missing, or differs from its SHA-256; nothing was written",
        "'segmentation run' makes a damaged result again; if a run has just replaced it, start the backup again.",
    )
