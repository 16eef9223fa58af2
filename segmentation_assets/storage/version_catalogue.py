"""Every stored version of every result: listed, found by its hash, written out, or put in force again."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.storage.file_hashes import file_sha256
from segmentation_assets.storage.manifest import FEWEST_DIGITS, SHORT_HASH, Manifest, StoredFile
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.versions import CONTENT_DIGITS, version_folders

_SLICES = "/slices"
_MONTH_LENGTH = 7
_MOST_NAMED = 8


@dataclass(frozen=True)
class StoredVersion:
    """One content of one result, in force or earlier.

    Parameters
    ----------
    manifest : Manifest
    is_slice : bool
        Whether it is one part of an asset that is stored in slices.
    stored_at : float
        When its manifest was put in place, in seconds since 1970.
    is_current : bool
    size_bytes : int
        Of its own files, models left out; of all slices, for a whole that is stored in slices.
    used_by : tuple of str
        Results in force that were made from it, such as ``gold/champion of 2025-06``.
    """

    manifest: Manifest
    is_slice: bool
    stored_at: float
    is_current: bool
    size_bytes: int
    used_by: tuple[str, ...]

    @property
    def part(self) -> str:
        """Month as YYYY-MM, another slice, or ``all``."""
        name = self.manifest.partition
        return name[:_MONTH_LENGTH] if name[:4].isdigit() else name

    @property
    def state(self) -> str:
        """Say in a word whether it is in force."""
        if self.manifest.is_removed:
            return "removed"
        return "current" if self.is_current else "earlier"

    @property
    def full_name(self) -> str:
        """Asset, part and hash, as messages name it."""
        return f"{self.manifest.key} of {self.part} {self.manifest.content_hash[:SHORT_HASH]}"


def list_versions(store: TableStore, *, key: str = "", month: str = "") -> list[StoredVersion]:
    """List what is stored, by asset and part, the content in force first and then those replaced last.

    Parameters
    ----------
    store : TableStore
    key : str
        Only this asset.
    month : str
        Only this month, as YYYY-MM or YYYY-MM-01.
    """
    users = _users(store)
    found: list[StoredVersion] = []
    for owner, partition in _owners(store):
        asset = owner.removesuffix(_SLICES)
        if (key and asset != key) or (month and partition[:_MONTH_LENGTH] != month[:_MONTH_LENGTH]):
            continue
        found += _versions_of(store, owner, partition, users)
    return found


def _owners(store: TableStore) -> list[tuple[str, str]]:
    """Owners and partitions of all that has a manifest or a record of an earlier version."""
    folder = store.root / "manifests"
    paths = folder.rglob("*.json") if folder.is_dir() else ()
    stored = {(str(path.parent.relative_to(folder)), path.stem) for path in paths if not path.name.startswith(".")}
    return sorted(stored | set(version_folders(store.root)))


def _versions_of(
    store: TableStore, owner: str, partition: str, users: dict[tuple[str, str], list[str]]
) -> Iterator[StoredVersion]:
    current = stored_manifest(store, owner, partition)
    is_slice = owner.endswith(_SLICES)

    def version(manifest: Manifest, stored_at: float, *, is_current: bool) -> StoredVersion:
        name = manifest.key if partition == "all" else f"{manifest.key}@{partition}"
        used_by = tuple(users.get((name, manifest.content_hash), ()))
        size = 0 if manifest.is_removed else _size(store, manifest)
        return StoredVersion(manifest, is_slice, stored_at, is_current, size, used_by)

    if current is not None:
        stored_at = store.manifest_path(owner, partition).stat().st_mtime
        yield version(current, stored_at, is_current=True)
    for earlier in store.earlier_versions(owner, partition):
        yield version(earlier.manifest, earlier.stored_at, is_current=False)


def stored_manifest(store: TableStore, owner: str, partition: str) -> Manifest | None:
    """Read the manifest in force of an asset's partition, or of a slice where the owner ends so."""
    if owner.endswith(_SLICES):
        return store.slice_manifest(owner.removesuffix(_SLICES), partition)
    return store.manifest(owner, partition)


def _users(store: TableStore) -> dict[tuple[str, str], list[str]]:
    """Results in force by name and content hash of what they were made from."""
    found: dict[tuple[str, str], list[str]] = {}
    for owner, partition in _owners(store):
        manifest = stored_manifest(store, owner, partition)
        for name, content in (manifest.inputs if manifest and not owner.endswith(_SLICES) else {}).items():
            found.setdefault((name, content), []).append(f"{owner} of {partition[:_MONTH_LENGTH]}")
    return found


def _size(store: TableStore, manifest: Manifest) -> int:
    parts = _slice_manifests(store, manifest) if manifest.slices else [manifest]
    return sum(file.size_bytes for part in parts for file in part.own_files)


def _slice_manifests(store: TableStore, whole: Manifest) -> list[Manifest]:
    """Manifests of the slices a whole consists of, as far as they are there."""
    found = []
    for name, content in whole.slices.items():
        current = store.slice_manifest(whole.key, name)
        known = [current] if current is not None else []
        known += [version.manifest for version in store.earlier_versions(f"{whole.key}{_SLICES}", name)]
        found += [manifest for manifest in known if manifest.content_hash == content][:1]
    return found


def find_version(store: TableStore, digits: str, *, key: str = "", month: str = "") -> StoredVersion:
    """Find the version that the first digits of its content hash mean.

    Parameters
    ----------
    store : TableStore
    digits : str
        At least four.
    key, month : str
        Look only among versions of this asset or month.

    Raises
    ------
    DataError
        The digits mean no stored version, or several.
    """
    listed = list_versions(store, key=key, month=month)
    wanted = digits.lower()
    found = [each for each in listed if each.manifest.content_hash.startswith(wanted)]
    if len(found) == 1 and len(wanted) >= FEWEST_DIGITS:
        return found[0]
    if len(wanted) < FEWEST_DIGITS:
        raise DataError(f"'{digits}' is too short to name a version", f"give at least {FEWEST_DIGITS} digits.")
    if found:
        names = ", ".join(each.full_name for each in found[:_MOST_NAMED])
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise DataError(
            f"'{digits}' means {len(found)} versions: {names}{more}",
            "give more digits, or name the asset by --key and the month by --month.",
        )
    known = {each.manifest.content_hash[:SHORT_HASH] for each in listed}
    otherwise = "'segmentation data list' shows what is stored."
    hint = closest_hint(wanted[:SHORT_HASH], known) if known else ""
    raise DataError(
        f"no stored version has the hash '{digits}'", hint if hint.startswith("did you mean") else otherwise
    )


def write_out(store: TableStore, version: StoredVersion, folder: Path) -> int:
    """Write the files of a version into a new folder, each checked against its SHA-256; return their number.

    Raises
    ------
    DataError
        The folder is there and not empty, or a file of the version is missing or damaged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is not empty", "name a folder that does not exist; nothing is ever overwritten.")
    parts = _require_content(store, version)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    try:
        count = sum(_copy(store, part, file, temporary) for part in parts for file in part.files)
        (temporary / "manifest.json").write_text(version.manifest.to_json(), encoding="utf-8")
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _copy(store: TableStore, part: Manifest, file: StoredFile, folder: Path) -> int:
    """Copy a file; the layers of folders that only say whose it is are left out."""
    content = f"tables/{part.key}/{part.partition}/{part.content_hash[:CONTENT_DIGITS]}/"
    target = folder / file.path.replace(content, f"{part.partition}/", 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(store.root / file.path, target)
    if file_sha256(target) != file.sha256:
        raise _damaged(part, file)
    return 1


def _damaged(part: Manifest, file: StoredFile) -> DataError:
    return DataError(
        f"{part.key} of {part.partition} cannot be restored: {file.path} is missing or differs from its SHA-256",
        "what is in force stays as it is.",
    )


def _require_kept(version: StoredVersion) -> None:
    if version.manifest.is_removed:
        raise DataError(
            f"{version.full_name} lies beyond retention.months and was removed",
            "run 'segmentation run' without retention.months; it makes all such months again.",
        )


def _require_content(store: TableStore, version: StoredVersion) -> list[Manifest]:
    """Read every file of a version anew and compare it with its SHA-256; return the manifests of its parts."""
    _require_kept(version)
    manifest = version.manifest
    parts = _slice_manifests(store, manifest) if manifest.slices else [manifest]
    lacking = sorted(set(manifest.slices) - {part.partition for part in parts}) if manifest.slices else []
    if lacking:
        raise DataError(
            f"{version.full_name} is not complete any more: {', '.join(lacking)} of it is gone",
            "retention.versions says how many replaced contents are kept.",
        )
    for part in parts:
        for file in part.files:
            path = store.root / file.path
            if not path.is_file() or file_sha256(path) != file.sha256:
                raise _damaged(part, file)
    return parts


def put_in_force(store: TableStore, version: StoredVersion, *, on_wait: Callable[[], None] | None = None) -> bool:
    """Make a version the one in force; what was in force becomes an earlier version.

    Parameters
    ----------
    store : TableStore
    version : StoredVersion
    on_wait : callable, optional
        Called once when another process is making the result now.

    Returns
    -------
    bool
        False where the version is in force already.

    Raises
    ------
    DataError
        It is a slice, or a file of it is missing or damaged; nothing has changed then.
    """
    manifest = version.manifest
    _require_kept(version)
    if version.is_slice:
        raise DataError(
            f"{version.full_name} is a part of {manifest.key}, which is restored whole",
            f"name a version of the whole: 'segmentation data list --key {manifest.key}'; --to writes the part out.",
        )
    with (
        store.lock(f"step/{manifest.key}", manifest.partition, on_wait=on_wait),
        store.lock(manifest.key, "slices" if manifest.slices else manifest.partition),
    ):
        current = store.manifest(manifest.key, manifest.partition)
        if current is not None and current.content_hash == manifest.content_hash:
            return False
        parts = _require_content(store, version)
        if manifest.slices:
            _replace_slices(store, manifest, parts, current)
        store.publish(manifest)
    return True


def _replace_slices(store: TableStore, whole: Manifest, parts: list[Manifest], current: Manifest | None) -> None:
    for part in parts:
        if store.slice_manifest(whole.key, part.partition) != part:
            store.publish(part, slice_name=part.partition)
    for name in set(current.slices if current else ()) - set(whole.slices):
        store.remove_slice(whole.key, name)
