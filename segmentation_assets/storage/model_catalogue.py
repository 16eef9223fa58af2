"""Which models are stored, what uses them, and the archive of those that nothing uses any more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.storage.manifest import FEWEST_DIGITS, Manifest
from segmentation_assets.storage.models import METADATA_FILE, ModelReference, ModelStore
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.versions import version_folders

ARCHIVE = "archive"
"""Folder of the data folder in which archived models lie."""


@dataclass(frozen=True)
class ListedModel:
    """A stored model and what is known of it.

    Parameters
    ----------
    reference : ModelReference
    size_bytes : int
        Of all its files.
    aliases : tuple of str
        That point at it.
    used_by : tuple of str
        Results that rest on it, such as ``gold/champion of 2025-06``.
    description : dict
        Month, seed, versions and figures, as noted when it was stored.
    state : dict
        What belongs to the model beside its estimator.
    """

    reference: ModelReference
    size_bytes: int
    aliases: tuple[str, ...]
    used_by: tuple[str, ...]
    description: dict[str, Any]
    state: dict[str, Any]

    @property
    def full_name(self) -> str:
        """Name and hash, as commands take them."""
        return f"{self.reference.name}@{self.reference.content_hash}"


def list_models(store: ModelStore) -> list[ListedModel]:
    """List all stored models, by name and then by the month in which they were stored."""
    users = _users(store.root)
    aliases = store.aliases()
    listed = [
        _described(store, reference, users, [name for name, target in aliases.items() if target == reference])
        for reference in _references(store.root / "models")
    ]
    return sorted(
        listed, key=lambda model: (model.reference.name, str(model.description.get("month")), model.full_name)
    )


def find_model(store: ModelStore, text: str) -> ListedModel:
    """Find the model that an alias, or a name with the first digits of a hash, means.

    Parameters
    ----------
    store : ModelStore
    text : str
        Such as ``champion``, ``churn_champion`` or ``churn@1f3a``.

    Raises
    ------
    DataError
        It means no stored model, or several.
    """
    listed = list_models(store)
    name, at, digits = text.partition("@")
    found = [model for model in listed if text in model.aliases]
    if at and len(digits) >= FEWEST_DIGITS:
        found = [
            model for model in listed
            if model.reference.name == name and model.reference.content_hash.startswith(digits)
        ]  # fmt: skip
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"'{text}' means {len(found)} models: {', '.join(model.full_name for model in found)}",
            "give more digits of the hash.",
        )
    known = [*store.aliases(), *(model.full_name for model in listed)]
    raise DataError(
        f"'{text}' is no stored model",
        closest_hint(text, known, f"name an alias, or NAME@HASH with {FEWEST_DIGITS} digits; see models list."),
    )


def archive_model(store: ModelStore, model: ListedModel) -> Path:
    """Move a model that nothing uses out of the store.

    Returns
    -------
    Path
        Where it lies now; moved back, it is a stored model again.

    Raises
    ------
    DataError
        An alias points at it, or a stored result rests on it.
    """
    if model.aliases or model.used_by:
        uses = [*(f"the alias {name}" for name in model.aliases), *model.used_by]
        raise DataError(
            f"{model.full_name} is in use: {', '.join(uses[:5])}{' and others' if len(uses) > 5 else ''}",
            "only models that no stored month rests on can be archived.",
        )
    target = store.root / ARCHIVE / "models" / model.reference.name / model.reference.content_hash
    with TableStore(store.root).lock("models", "store"):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(store.folder(model.reference), target)
    return target


def _references(folder: Path) -> list[ModelReference]:
    if not folder.is_dir():
        return []
    return [
        ModelReference(path.parent.parent.name, path.parent.name)
        for path in sorted(folder.glob(f"*/*/{METADATA_FILE}"))
    ]


def _described(
    store: ModelStore, reference: ModelReference, users: dict[str, list[str]], aliases: Sequence[str]
) -> ListedModel:
    folder = store.folder(reference)
    try:
        parts = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))
        description, state = dict(parts["description"]), dict(parts["state"])
    except (ValueError, KeyError, TypeError) as problem:
        raise DataError(
            f"{folder / METADATA_FILE} cannot be read ({problem})",
            "remove the folder; 'segmentation run' fits it anew.",
        ) from problem
    return ListedModel(
        reference=reference,
        size_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        aliases=tuple(sorted(aliases)),
        used_by=tuple(users.get(f"{reference.name}/{reference.content_hash}", ())),
        description=description,
        state=state,
    )


def _users(root: Path) -> dict[str, list[str]]:
    """Results that rest on models, by name and hash of the model; earlier versions of results count too."""
    found: dict[str, list[str]] = {}
    store, folder = TableStore(root), root / "manifests"
    for path in sorted(folder.rglob("*.json")) if folder.is_dir() else ():
        manifest = store.manifest(str(path.parent.relative_to(folder)), path.stem)
        if manifest is not None and not manifest.is_removed:
            _note_models(found, manifest, "")
    for owner, partition in version_folders(root):
        for version in store.earlier_versions(owner, partition):
            _note_models(found, version.manifest, ", an earlier version")
    return found


def _note_models(found: dict[str, list[str]], manifest: Manifest, words: str) -> None:
    """Add what a result rests on."""
    parts = [file.path.split("/") for file in manifest.files]
    for model in sorted({"/".join(part[1:3]) for part in parts if part[0] == "models"}):
        found.setdefault(model, []).append(f"{manifest.key} of {manifest.partition[:7]}{words}")
