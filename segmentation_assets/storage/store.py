"""The table store: every result lies under the data folder beside its manifest, and is replaced whole.

A result is written into a staging folder, named after its content, and becomes visible when its manifest is put in
place by an atomic rename. A reader therefore sees the old or the new result; a kill leaves the old one. What was
replaced stays readable for a while, for readers that had just found it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TextIO

from segmentation_assets.errors import DataError
from segmentation_assets.storage.file_hashes import FileHashes, file_hashes
from segmentation_assets.storage.manifest import Manifest, StoredFile
from segmentation_assets.storage.manifest_memory import manifest_memory
from segmentation_assets.storage.replaced import (
    drop_replaced,
    mark_replaced,
    partition_folders,
    replaced_contents,
    take_in_place,
)
from segmentation_assets.storage.text_files import write_text_whole
from segmentation_assets.storage.versions import (
    CONTENT_DIGITS,
    VERSIONS,
    EarlierVersion,
    forget_gone,
    has_content,
    is_versioned,
    note_version,
    read_versions,
)

WHOLE = "all"
"""Partition key of results that have no partitions."""


@dataclass(frozen=True)
class TableStore:
    """Results below one data folder.

    Parameters
    ----------
    root : Path
        The data folder.
    is_verifying : bool
        Read every file anew to tell whether it is intact, whatever its times say.
    kept_versions : int
        Replaced contents that stay beside the one in force; the others go after the grace period.
    """

    root: Path
    is_verifying: bool = False
    kept_versions: int = 0

    @cached_property
    def hashes(self) -> FileHashes:
        """Hashes of files, remembered while the files are untouched."""
        return FileHashes(self.root, believes_memory=False) if self.is_verifying else file_hashes(self.root)

    def table_folder(self, key: str, partition: str) -> Path:
        """Folder of one partition or slice of a table."""
        return self.root / "tables" / key / partition

    def manifest_path(self, key: str, partition: str) -> Path:
        """File that says what is stored for one asset and partition."""
        return self.root / "manifests" / key / f"{partition}.json"

    def manifest(self, key: str, partition: str = WHOLE) -> Manifest | None:
        """Read the manifest of an asset and partition; ``None`` when nothing is stored."""
        return self._read_manifest(key, partition)

    def slice_manifest(self, key: str, slice_name: str) -> Manifest | None:
        """Read the manifest of one slice; ``None`` when the slice is not stored."""
        return self._read_manifest(f"{key}/slices", slice_name)

    def _read_manifest(self, key: str, partition: str) -> Manifest | None:
        return manifest_memory(self.root).read(f"{self.root}/manifests/{key}/{partition}.json")

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
            Nothing is stored for this partition, or a file of it is missing or damaged.
        """
        manifest = self.manifest(key, partition)
        if manifest is None:
            raise DataError(
                f"{key} has no result for {partition}", "compute it first: segmentation run, or select it in Dagster."
            )
        return self._sound_paths(manifest)

    def slice_paths(self, key: str, slice_name: str) -> list[Path]:
        """Parquet files of one slice, sorted.

        Raises
        ------
        DataError
            The slice is not stored, or a file of it is missing or damaged.
        """
        manifest = self.slice_manifest(key, slice_name)
        if manifest is None:
            raise DataError(f"{key} has no slice {slice_name}", "run the ingestion again: segmentation run --only raw.")
        return self._sound_paths(manifest)

    def _sound_paths(self, manifest: Manifest) -> list[Path]:
        """Parquet files of a stored result, none of which differs from what was stored."""
        if manifest.is_removed:
            raise DataError(
                f"{manifest.key} of {manifest.partition[:7]} lies beyond retention.months and was removed",
                "run 'segmentation run' without retention.months; it makes all such months again.",
            )
        for file in manifest.files:
            if not self._file_is_intact(file):
                raise DataError(
                    f"{manifest.key} of {manifest.partition} cannot be read: {file.path} is missing or damaged",
                    "run 'segmentation run'; it makes the damaged part again.",
                )
        return self.paths(manifest)

    def is_intact(self, manifest: Manifest) -> bool:
        """Whether every file has the size and SHA-256 of its manifest, slices included.

        A file whose size, times and inode are those of its last hashing is not read again.
        """
        return all(self._file_is_intact(file) for file in manifest.files) and all(
            self._slice_is_intact(manifest.key, name, wanted) for name, wanted in manifest.slices.items()
        )

    def _file_is_intact(self, file: StoredFile) -> bool:
        return self.hashes.has(f"{self.root}/{file.path}", file.size_bytes, file.sha256)

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
        the manifest still points at the previous content until `publish` is called. A folder of the same content that
        lies there from before is filled file by file, as it may have readers.
        """
        target = self.table_folder(key, partition) / content[:16]
        if current is not None and current.content_hash == content and self.is_intact(current):
            return current.files
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            take_in_place(staged, target)
        else:
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
            StoredFile(str(path.relative_to(self.root)), path.stat().st_size, self.hashes.sha256(path))
            for path in paths
        )

    def publish(self, manifest: Manifest, *, slice_name: str | None = None, now: float | None = None) -> None:
        """Put a manifest in place, which makes its files the current ones.

        What it replaces stays for the grace period from `now`, in seconds since 1970; what was replaced earlier than
        that goes.
        """
        key = manifest.key if slice_name is None else f"{manifest.key}/slices"
        seconds = time.time() if now is None else now
        folder = self.table_folder(manifest.key, manifest.partition)
        current = self._contents(manifest)
        previous = self._read_manifest(key, manifest.partition)
        if previous is not None and previous.content_hash != manifest.content_hash:
            self._note_replaced(key, previous, seconds)
        for name in self._contents(previous) - current:
            mark_replaced(folder / name, seconds)
        path = self.manifest_path(key, manifest.partition)
        write_text_whole(path, manifest.to_json())
        if not manifest.slices:
            drop_replaced(folder, current | self._kept_contents(manifest.key, manifest.partition), seconds)
        self.hashes.settle()

    def _note_replaced(self, owner: str, manifest: Manifest, seconds: float) -> None:
        """Keep the manifest of what is about to be replaced, without which its content could not be restored."""
        if is_versioned(manifest):
            stored_at = self.manifest_path(owner, manifest.partition).stat().st_mtime
            folder = self.versions_folder(owner, manifest.partition)
            note_version(folder, EarlierVersion(manifest, stored_at, seconds))

    def versions_folder(self, owner: str, partition: str) -> Path:
        """Folder of the records of earlier versions; the owner of a slice is the asset key and ``/slices``."""
        return self.root / VERSIONS / owner / partition

    def earlier_versions(self, owner: str, partition: str) -> list[EarlierVersion]:
        """Versions that the one in force has replaced and whose content is still there, those replaced last first."""
        current = self._read_manifest(owner, partition)
        return [
            version
            for version in read_versions(self.versions_folder(owner, partition))
            if (current is None or version.manifest.content_hash != current.content_hash)
            and has_content(self.root, version)
        ]

    def _kept_contents(self, key: str, partition: str) -> set[str]:
        """Content folders that stay although they are not in force: as earlier versions, or as slices of such."""
        if not self.kept_versions:
            return set()
        earlier = self.earlier_versions(key, partition)[: self.kept_versions]
        wholes = [
            self.manifest(key),
            *(each.manifest for each in self.earlier_versions(key, WHOLE)[: self.kept_versions]),
        ]
        slices = {whole.slices[partition] for whole in wholes if whole is not None and partition in whole.slices}
        return {each.content_name for each in earlier} | {content[:CONTENT_DIGITS] for content in slices}

    def forget_versions(self) -> None:
        """Forget every earlier version; the contents go as soon as nobody can be reading them."""
        shutil.rmtree(self.root / VERSIONS, ignore_errors=True)
        self.drop_replaced()

    def _contents(self, manifest: Manifest | None) -> set[str]:
        """Names of the content folders that a manifest points at."""
        return {(self.root / file.path).parent.name for file in manifest.files} if manifest else set()

    def remove_slice(self, key: str, slice_name: str, *, now: float | None = None) -> None:
        """Remove a slice that is no longer delivered; its files stay for the grace period."""
        seconds = time.time() if now is None else now
        previous = self.slice_manifest(key, slice_name)
        if previous is not None:
            self._note_replaced(f"{key}/slices", previous, seconds)
        for name in self._contents(previous):
            mark_replaced(self.table_folder(key, slice_name) / name, seconds)
        self.manifest_path(f"{key}/slices", slice_name).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Do at the end of a run what makes the next one cheap, and remove what nobody can be reading any more."""
        self.hashes.settle()
        self.drop_replaced()

    def drop_replaced(self, *, now: float | None = None) -> None:
        """Remove what was replaced longer ago than the grace period, of every table; what is locked is left out."""
        seconds = time.time() if now is None else now
        for key, partition in partition_folders(self.root / "tables"):
            folder = self.table_folder(key, partition)
            if set(replaced_contents(folder, seconds)) - self._staying_contents(key, partition):
                with self._lock_if_free(key, partition) as is_free, self._lock_if_free(key, "slices") as are_free:
                    if is_free and are_free:
                        drop_replaced(folder, self._staying_contents(key, partition), seconds)
        forget_gone(self.root)

    def _staying_contents(self, key: str, partition: str) -> set[str]:
        return self._current_contents(key, partition) | self._kept_contents(key, partition)

    def _current_contents(self, key: str, partition: str) -> set[str]:
        """Content folders in force of a partition or slice; all of them where a manifest cannot be read."""
        names: set[str] = set()
        for owner in (key, f"{key}/slices"):
            manifest = self._read_manifest(owner, partition)
            if manifest is None and self.manifest_path(owner, partition).exists():
                return {path.name for path in self.table_folder(key, partition).iterdir()}
            names |= self._contents(manifest)
        return names

    @contextlib.contextmanager
    def lock(self, key: str, partition: str, *, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold a lock between processes; it is free again when its process ends, however it ends.

        Parameters
        ----------
        key, partition : str
            What is locked; in use are the asset key, under which files and manifest are replaced, and ``step/`` and
            the asset key, under which the result is computed.
        on_wait : callable, optional
            Called once when another process holds the lock.
        """
        with self._lock_file(key, partition) as stream:
            if not _take(stream):
                if on_wait is not None:
                    on_wait()
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _lock_if_free(self, key: str, partition: str) -> Iterator[bool]:
        """Hold a lock unless another process does; say which."""
        with self._lock_file(key, partition) as stream:
            yield _take(stream)

    def is_locked(self, key: str, partition: str) -> bool:
        """Whether a process holds a lock now."""
        path = self._lock_path(key, partition)
        if not path.is_file():
            return False
        with path.open("r") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _lock_file(self, key: str, partition: str) -> TextIO:
        path = self._lock_path(key, partition)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w")

    def _lock_path(self, key: str, partition: str) -> Path:
        return self.root / "locks" / f"{key.replace('/', '-')}-{partition}.lock"


def _take(stream: TextIO) -> bool:
    """Take the lock of an open file, unless another process holds it; say which."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
