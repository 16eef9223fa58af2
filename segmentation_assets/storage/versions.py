"""Records of earlier versions: the manifest of a replaced content, kept as long as the content itself lies there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from segmentation_assets.errors import DataError
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.stamps import Stamp
from segmentation_assets.storage.text_files import write_text_whole

VERSIONS = "versions"
"""Folder of the data folder that holds the records, laid out as ``manifests`` is."""

ERASURES_MARK = "erasures.txt"
"""File beside the records: a hash of who was erased when the oldest version was stored."""

CONTENT_DIGITS = 16
"""Digits of a content hash that name its folder."""


@dataclass(frozen=True)
class EarlierVersion:
    """A result that another one has replaced; times are seconds since 1970."""

    manifest: Manifest
    stored_at: float
    replaced_at: float

    @property
    def content_name(self) -> str:
        """Name of the folder in which the content lies."""
        return self.manifest.content_hash[:CONTENT_DIGITS]


def note_version(folder: Path, version: EarlierVersion) -> None:
    """Write down a version in the folder of its asset and partition, whole or not at all."""
    document = {
        "stored_at": version.stored_at,
        "replaced_at": version.replaced_at,
        "manifest": asdict(version.manifest),
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    write_text_whole(folder / f"{version.content_name}.json", text + "\n")


def read_version(path: Path) -> EarlierVersion | None:
    """Read a record; ``None`` for one that is gone or cannot be read, which is then no version any more."""
    try:
        return _parse(path, Stamp.of(path))
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None


@lru_cache(maxsize=256)
def _parse(path: Path, _stamp: Stamp) -> EarlierVersion:
    """Read a record as it is while its stamp is this one; a run looks at those of slices again and again."""
    document = json.loads(path.read_text(encoding="utf-8"))
    manifest = Manifest.from_json(json.dumps(document["manifest"]), str(path))
    return EarlierVersion(manifest, float(document["stored_at"]), float(document["replaced_at"]))


def read_versions(folder: Path) -> list[EarlierVersion]:
    """Read the records of an asset and partition, those replaced last first."""
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    found = [version for path in paths if (version := read_version(path)) is not None]
    return sorted(found, key=lambda version: version.replaced_at, reverse=True)


def is_versioned(manifest: Manifest) -> bool:
    """Whether a result lies in content folders, so that it stays when another one takes its place."""
    own = f"tables/{manifest.key}/"
    has_content = bool(manifest.slices) or bool(manifest.own_files)
    return has_content and not manifest.is_removed and all(file.path.startswith(own) for file in manifest.own_files)


def version_folders(root: Path) -> Iterator[tuple[str, str]]:
    """List owner, as below ``manifests``, and partition of all that has records of earlier versions."""
    folder = root / VERSIONS
    found = sorted({path.parent for path in folder.rglob("*.json")}) if folder.is_dir() else []
    for path in found:
        yield str(path.parent.relative_to(folder)), path.name


def has_content(root: Path, version: EarlierVersion) -> bool:
    """Whether the content folders of a version are there; those of every slice, for a sliced one."""
    manifest = version.manifest
    parts = manifest.slices or {manifest.partition: manifest.content_hash}
    folder = root / "tables" / manifest.key
    return all((folder / name / content[:CONTENT_DIGITS]).is_dir() for name, content in parts.items())


def forget_gone(root: Path) -> None:
    """Remove the records of versions whose content is gone."""
    for owner, partition in version_folders(root):
        folder = root / VERSIONS / owner / partition
        for version in read_versions(folder):
            if not has_content(root, version):
                (folder / f"{version.content_name}.json").unlink(missing_ok=True)
