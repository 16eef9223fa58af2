"""The manifest beside every stored result: what it holds, what it was made from, and what its checks said."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from segmentation_assets.errors import DataError

RETIRED = "retired"
"""Figure of a result beyond `retention.months`: ``removed``, or ``frozen`` where later months read it."""

REMOVED, FROZEN = "removed", "frozen"


SHORT_HASH, FEWEST_DIGITS = 12, 4
"""Digits of a content hash that people are shown, and those that they have to give at least."""


@dataclass(frozen=True)
class StoredFile:
    """A file of a stored result: path below the data folder, size in bytes, SHA-256."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class CheckRecord:
    """Outcome of one asset check, replayed whenever the result is kept.

    A check that is not blocking warns: the result is stored although it failed.
    """

    name: str
    passed: bool
    description: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    is_blocking: bool = True


@dataclass(frozen=True)
class Manifest:
    """What is stored for one asset and partition, or for one slice of an asset.

    Parameters
    ----------
    key, partition : str
        Asset key and partition key; ``all`` where there are no partitions.
    content_hash : str
        Hash of the rows or bytes, independent of row order and of the run.
    code_version : str
        Logic version and hash of the asset's own settings, as of the computation.
    inputs : dict of str to str
        Content hash of every input slice that was read.
    files : tuple of StoredFile
    row_count : int
        Rows of a table, or number of files for people.
    checks : tuple of CheckRecord
    metadata : dict
        Figures shown with the asset; plain JSON values.
    slices : dict of str to str
        Content hash per slice of an asset stored in slices.
    by_hand : dict
        Settings, by dotted path, that a person changed for the run that made the result.
    by_hand_over : str
        With them, the code version that the result would have had without the change.
    """

    key: str
    partition: str
    content_hash: str
    code_version: str
    inputs: dict[str, str]
    files: tuple[StoredFile, ...] = ()
    row_count: int = 0
    checks: tuple[CheckRecord, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    slices: dict[str, str] = field(default_factory=dict)
    by_hand: dict[str, Any] = field(default_factory=dict)
    by_hand_over: str = ""

    @property
    def is_removed(self) -> bool:
        """Whether the files are gone on purpose, by `retention.months`; what they were is still on record."""
        return self.metadata.get(RETIRED) == REMOVED

    @property
    def own_files(self) -> tuple[StoredFile, ...]:
        """Files that belong to this result alone, those of models left out."""
        return tuple(file for file in self.files if not file.path.startswith("models/"))

    def to_json(self) -> str:
        """Write the manifest as JSON text with sorted keys."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str) -> Manifest:
        """Read a manifest from JSON text; `origin` names the file in errors."""
        try:
            fields = json.loads(text)
            fields["files"] = tuple(StoredFile(**entry) for entry in fields["files"])
            fields["checks"] = tuple(CheckRecord(**entry) for entry in fields["checks"])
            return cls(**fields)
        except (ValueError, KeyError, TypeError) as problem:
            raise DataError(
                f"{origin} is not a readable manifest ({problem})",
                "remove the file; the next run computes this part again.",
            ) from problem
