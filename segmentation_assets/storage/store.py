"""The table store: every result lies under the data folder beside its manifest, and is replaced whole.

A result is written into a staging folder, named after its content, and becomes visible when its manifest is put in
place by an atomic rename. A reader therefore sees the old or the new result; a kill leaves the old one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import Manifest, StoredFile

WHOLE = "all"
"""Partition key of results that have no partitions."""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class TableStore:
    """Results below one data folder.

    Parameters
    ----------
    root : Path
        The data folder.
    """

    root: Path

    def table_folder(self, key: str, partition: str) -> Path:
        """Folder of one partition or slice of a table."""
        return self.root / "tables" / key / partition

    def manifest_path(self, key: str, partition: str) -> Path:
        """File that says what is stored for one asset and partition."""
        return self.root / "manifests" / key / f"{partition}.json"

    def manifest(self, key: str, partition: str = WHOLE) -> Manifest | None:
        """Read the manifest of an asset and partition; ``None`` when nothing is stored."""
        return _read_manifest(self.manifest_path(key, partition))

    def slice_manifest(self, key: str, slice_name: str) -> Manifest | None:
        """Read the manifest of one slice; ``None`` when the slice is not stored."""
        return _read_manifest(self.manifest_path(f"{key}/slices", slice_name))

    def partitions(self, key: str) -> tuple[str, ...]:
        """Partition keys with a stored result, sorted."""
        folder = self.manifest_path(key, WHOLE).parent
        return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder.is_dir() else ()

    def paths(self, manifest: Manifest) -> list[Path]:
        """Parquet files of a stored result, sorted."""
        return [self.root / file.path for file in manifest.files if file.path.endswith(".parquet")]

    def table_paths(self, key: str, partition: str = WHOLE) -> list[Path]:
        """Parquet files of a stored partition, sorted.

        Raises
        ------
        DataError
            Nothing is stored for this partition.
        """
        manifest = self.manifest(key, partition)
        if manifest is None:
            raise DataError(
                f"{key} has no result for {partition}", "compute it first: segmentation run, or select it in Dagster."
            )
        return self.paths(manifest)

    def slice_paths(self, key: str, slice_name: str) -> list[Path]:
        """Parquet files of one slice, sorted.

        Raises
        ------
        DataError
            The slice is not stored.
        """
        manifest = self.slice_manifest(key, slice_name)
        if manifest is None:
            raise DataError(f"{key} has no slice {slice_name}", "run the ingestion again: segmentation run --only raw.")
        return self.paths(manifest)

    def is_intact(self, manifest: Manifest) -> bool:
        """Whether every file has the size and SHA-256 of its manifest, slices included."""
        return all(self._file_is_intact(file) for file in manifest.files) and all(
            self._slice_is_intact(manifest.key, name, wanted) for name, wanted in manifest.slices.items()
        )

    def _file_is_intact(self, file: StoredFile) -> bool:
        path = self.root / file.path
        return path.is_file() and path.stat().st_size == file.size_bytes and file_sha256(path) == file.sha256

    def _slice_is_intact(self, key: str, name: str, wanted: str) -> bool:
        stored = self.slice_manifest(key, name)
        return stored is not None and stored.content_hash == wanted and self.is_intact(stored)

    @contextlib.contextmanager
    def staging(self, key: str) -> Iterator[Path]:
        """Give an empty folder to write into; it is gone afterwards, whatever happens."""
        parent = self.root / "staging"
        parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(parent)
        folder = parent / f"{os.getpid()}-{key.replace('/', '-')}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place_table(
        self, staged: Path, key: str, partition: str, content: str, current: Manifest | None
    ) -> tuple[StoredFile, ...]:
        """Move a staged folder to its place, named by its content; return its files.

        Where `current`, the manifest in force, names the same content and its files are whole, they stay. Otherwise
        the manifest still points at the previous content until `publish` is called.
        """
        target = self.table_folder(key, partition) / content[:16]
        if current is not None and current.content_hash == content and self.is_intact(current):
            return current.files
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        staged.rename(target)
        return self.describe_files(sorted(path for path in target.rglob("*") if path.is_file()))

    def place_file(self, staged: Path, target: Path) -> None:
        """Move a staged file to its place below the data folder, replacing what was there."""
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged, target)

    def point_latest(self, folder: str, month: str) -> None:
        """Make ``<folder>/latest`` lead to a month's files.

        A copied data folder may have a real folder there; it makes way.
        """
        link = self.root / folder / "latest"
        if link.is_symlink() and str(link.readlink()) == month:
            return
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        temporary = link.with_name(f".latest-{uuid.uuid4().hex[:8]}")
        temporary.symlink_to(month, target_is_directory=True)
        os.replace(temporary, link)

    def describe_files(self, paths: list[Path]) -> tuple[StoredFile, ...]:
        """Record path, size and SHA-256 of files below the data folder."""
        return tuple(
            StoredFile(str(path.relative_to(self.root)), path.stat().st_size, file_sha256(path)) for path in paths
        )

    def publish(self, manifest: Manifest, *, slice_name: str | None = None) -> None:
        """Put a manifest in place, which makes its files the current ones, and drop what it replaces."""
        key = manifest.key if slice_name is None else f"{manifest.key}/slices"
        path = self.manifest_path(key, manifest.partition)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        temporary.write_text(manifest.to_json(), encoding="utf-8")
        os.replace(temporary, path)
        self._drop_replaced(manifest)

    def _drop_replaced(self, manifest: Manifest) -> None:
        """Remove the content folders of a partition that its manifest does not point at."""
        folder = self.table_folder(manifest.key, manifest.partition)
        current = {(self.root / file.path).parent.name for file in manifest.files}
        for path in folder.iterdir() if folder.is_dir() and not manifest.slices else ():
            if path.name not in current:
                shutil.rmtree(path, ignore_errors=True)

    def remove_slice(self, key: str, slice_name: str) -> None:
        """Remove a slice that is no longer delivered."""
        self.manifest_path(f"{key}/slices", slice_name).unlink(missing_ok=True)
        shutil.rmtree(self.table_folder(key, slice_name), ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, key: str, partition: str) -> Iterator[None]:
        """Hold the lock under which one partition's files and manifest are replaced."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{key.replace('/', '-')}-{partition}.lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _read_manifest(path: Path) -> Manifest | None:
    """Read a manifest; an absent or damaged one counts as nothing stored, so that the part is computed again."""
    try:
        text = path.read_text(encoding="utf-8")
        return Manifest.from_json(text, str(path))
    except (FileNotFoundError, DataError):
        return None


def _remove_abandoned(parent: Path) -> None:
    """Remove staging folders whose process is gone."""
    for folder in parent.iterdir():
        owner = folder.name.split("-", 1)[0]
        if owner.isdigit() and not _process_lives(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _process_lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
