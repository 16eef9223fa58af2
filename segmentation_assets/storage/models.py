"""The model store: fitted models under ``<data>/models``, found by content hash, loaded without running code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.storage.file_hashes import file_sha256
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import write_text_whole

ESTIMATOR_FILE = "model.skops"
METADATA_FILE = "metadata.json"
MANIFEST_FILE = "manifest.sha256"
ALIASES_FILE = "aliases.json"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SCHEMA = "schema.json"
_ADDRESS = re.compile(r'(?<="__id__": )\d+|(?<="file": ")\d+(?=\.)')
_HASH = re.compile(r"[0-9a-f]{32}")
_REFIT_HINT = "remove the folder and run again with --force; the model is then fitted anew."


@dataclass(frozen=True)
class ModelReference:
    """Where a model lies in the store."""

    name: str
    content_hash: str


@dataclass(frozen=True)
class StoredModel:
    """A model read from the store.

    Parameters
    ----------
    reference : ModelReference
    estimator : object or None
        ``None`` for a model that is a rule, wholly held in `state`.
    state : dict
        What belongs to the model beside the estimator, as plain JSON; part of the content hash.
    description : dict
        What is worth knowing about it, as plain JSON; not part of the content hash.
    """

    reference: ModelReference
    estimator: Any
    state: dict[str, Any]
    description: dict[str, Any]


@dataclass(frozen=True)
class ModelStore:
    """Models below one data folder.

    Parameters
    ----------
    root : Path
        The data folder.
    allowed_types : tuple of str
        Qualified names of the classes a stored model may hold beside scikit-learn's and numpy's own. Files never add
        to it.
    """

    root: Path
    allowed_types: tuple[str, ...] = field(default=())

    def folder(self, reference: ModelReference) -> Path:
        """Folder of one model."""
        return self.root / "models" / reference.name / reference.content_hash

    def save(
        self, name: str, estimator: Any, description: Mapping[str, Any], *, state: Mapping[str, Any] | None = None
    ) -> ModelReference:
        """Store a fitted model; one that is stored already is left as it is.

        Parameters
        ----------
        name : str
            Lower-case letters, digits and underscores.
        estimator : object or None
            Fitted estimator of an allowed type; ``None`` for a rule that `state` holds.
        description : mapping
            Plain JSON values: versions, month, metrics, seed.
        state : mapping or None
            Plain JSON values that belong to the model, such as its preparation.

        Returns
        -------
        ModelReference

        Raises
        ------
        DataError
            The name is not usable, or the estimator holds a type that is not allowed.
        """
        kept = dict(state or {})
        reference = ModelReference(_checked_name(name), fitted_state_hash(estimator, kept, self.allowed_types))
        target = self.folder(reference)
        if not _damage(target):
            return reference
        with TableStore(self.root).staging(f"models-{name}") as stage:
            _write_parts(stage / "new", estimator, kept, dict(description))
            if estimator is not None:
                self._read_estimator(stage / "new" / ESTIMATOR_FILE)
            self._place(stage, target)
        return reference

    def _place(self, stage: Path, target: Path) -> None:
        """Rename the staged folder to its place; a damaged one that lies there makes way."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if not _damage(target):
                return
            if target.exists():
                target.rename(stage / "damaged")
            (stage / "new").rename(target)

    def load(self, reference: ModelReference) -> StoredModel:
        """Read a model after checking its files and its content hash.

        Raises
        ------
        DataError
            The model is not stored, a file is missing or changed, or it holds a type that is not allowed.
        """
        target = self.folder(_checked(reference))
        if not target.is_dir():
            raise DataError(
                f"model {reference.name} {reference.content_hash} is not in the model store",
                closest_hint(
                    reference.content_hash, self.hashes(reference.name), "it holds no model of that name; fit it again."
                ),
            )
        damage = _damage(target)
        if damage:
            raise DataError(f"model {reference.name} in {target} is damaged: {damage}", _REFIT_HINT)
        parts = json.loads((target / METADATA_FILE).read_text(encoding="utf-8"))
        path = target / ESTIMATOR_FILE
        estimator = self._read_estimator(path) if path.exists() else None
        found = fitted_state_hash(estimator, parts["state"], self.allowed_types)
        if found != reference.content_hash:
            raise DataError(f"model {reference.name} in {target} holds another model, with hash {found}", _REFIT_HINT)
        return StoredModel(reference, estimator, parts["state"], parts["description"])

    def describe(self, reference: ModelReference) -> dict[str, Any]:
        """Return the description of a stored model."""
        text = (self.folder(_checked(reference)) / METADATA_FILE).read_text(encoding="utf-8")
        described: dict[str, Any] = json.loads(text)["description"]
        return described

    def _read_estimator(self, path: Path) -> Any:
        from skops.io import load
        from skops.io.exceptions import UntrustedTypesFoundException

        try:
            return load(path, trusted=list(self.allowed_types))
        except UntrustedTypesFoundException as problem:
            raise DataError(
                f"{path.name} of model {path.parent.parent.name} holds a type that is not on the allow-list: {problem}",
                "only estimators of the algorithm registry can be stored; do not load model files from elsewhere.",
            ) from problem

    def hashes(self, name: str) -> tuple[str, ...]:
        """Content hashes of the stored models of a name, sorted."""
        folder = self.root / "models" / name
        return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()

    def aliases(self) -> dict[str, ModelReference]:
        """Models by alias, such as ``champion``."""
        try:
            text = self._aliases_path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        try:
            return {alias: ModelReference(**entry) for alias, entry in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError) as problem:
            raise DataError(
                f"{self._aliases_path} is not a readable list of aliases ({problem})",
                "remove the file; the next promotion writes it again.",
            ) from problem

    def set_alias(self, alias: str, reference: ModelReference | None) -> None:
        """Point an alias at a stored model, or remove it, by replacing the aliases file.

        Raises
        ------
        DataError
            The model is not stored.
        """
        if reference is not None and not self.folder(_checked(reference)).is_dir():
            raise DataError(
                f"alias {alias} cannot point at model {reference.name} {reference.content_hash}, which is not stored",
                "save the model first.",
            )
        with self._lock():
            before = self.aliases()
            wanted: dict[str, ModelReference | None] = {**before, _checked_name(alias): reference}
            entries = {name: entry for name, entry in sorted(wanted.items()) if entry is not None}
            if entries != before:
                plain = {name: asdict(entry) for name, entry in entries.items()}
                write_text_whole(self._aliases_path, json.dumps(plain, indent=1) + "\n")

    @property
    def _aliases_path(self) -> Path:
        return self.root / "models" / ALIASES_FILE

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the lock under which aliases and folders are replaced."""
        with TableStore(self.root).lock("models", "store"):
            yield


def fitted_state_hash(estimator: Any, state: Mapping[str, Any], allowed_types: tuple[str, ...] = ()) -> str:
    """Hash what a fitted model consists of: parameters, arrays and the state beside them.

    Parameters
    ----------
    estimator : object or None
    state : mapping
        Plain JSON values.
    allowed_types : tuple of str
        Qualified names of classes that may occur beside scikit-learn's.

    Returns
    -------
    str
        32 hex digits; the same for equal models on every run.

    Raises
    ------
    DataError
        The estimator holds something of a type that is not allowed.
    """
    plain = [_plain(estimator, allowed_types), _plain(dict(state), allowed_types)]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any, allowed_types: tuple[str, ...]) -> Any:
    """Turn a part of a fitted model into JSON values that say its type."""
    import numpy as np

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item(), allowed_types)
    if isinstance(value, np.ndarray):
        return {"array": value.dtype.str, "shape": value.shape, "values": _plain(value.ravel().tolist(), allowed_types)}
    if isinstance(value, np.dtype):
        return {"dtype": value.str}
    if isinstance(value, np.random.Generator):
        return {"generator": _plain(value.bit_generator.state, allowed_types)}
    if isinstance(value, list | tuple):
        return [_plain(item, allowed_types) for item in value]
    if isinstance(value, Mapping):
        return {"keys": [[_plain(key, allowed_types), _plain(value[key], allowed_types)] for key in sorted(value)]}
    return {"type": _allowed_name(value, allowed_types), "state": _plain(_state_of(value), allowed_types)}


def _allowed_name(value: Any, allowed_types: tuple[str, ...]) -> str:
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if name not in allowed_types and not name.startswith("sklearn."):
        raise DataError(
            f"the model holds a {name}, a type that is not on the allow-list",
            "only estimators of the algorithm registry can be stored.",
        )
    return name


def _state_of(value: Any) -> dict[str, Any]:
    state = value.__getstate__() or {}
    return {name: part for name, part in state.items() if name != "_sklearn_version"}


def _write_parts(folder: Path, estimator: Any, state: dict[str, Any], description: dict[str, Any]) -> None:
    """Write estimator, metadata and the manifest of both into an empty folder."""
    from skops.io import dump

    folder.mkdir()
    if estimator is not None:
        dump(estimator, folder / ESTIMATOR_FILE)
        _make_reproducible(folder / ESTIMATOR_FILE)
    text = json.dumps({"state": state, "description": description}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / METADATA_FILE).write_text(text + "\n", encoding="utf-8")
    lines = [f"{file_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / MANIFEST_FILE).write_text("".join(lines), encoding="utf-8")


def _make_reproducible(path: Path) -> None:
    """Number the parts of a model file in their order, where skops takes memory addresses, and leave out the time."""
    with zipfile.ZipFile(path) as written:
        parts = {info.filename: (info.compress_type, written.read(info)) for info in written.infolist()}
    compression, schema = parts.pop(_SCHEMA)
    addresses = dict.fromkeys(_ADDRESS.findall(schema.decode()))
    numbers = {address: str(place) for place, address in enumerate(addresses)}
    with zipfile.ZipFile(path, "w") as anew:
        for name, (how, content) in parts.items():
            address, _, ending = name.partition(".")
            anew.writestr(zipfile.ZipInfo(f"{numbers.get(address, address)}.{ending}"), content, how)
        numbered = _ADDRESS.sub(lambda found: numbers[found[0]], schema.decode())
        anew.writestr(zipfile.ZipInfo(_SCHEMA), numbered, compression)


def _damage(folder: Path) -> str:
    """Say what is wrong with a stored model's files; empty when all is as its manifest says."""
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file():
        return f"{MANIFEST_FILE} is missing"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    listed = dict(line.split("  ", 1)[::-1] for line in lines if "  " in line)
    if METADATA_FILE not in listed:
        return f"{MANIFEST_FILE} does not list {METADATA_FILE}"
    found = {path.name for path in folder.iterdir()} - {MANIFEST_FILE}
    if found != set(listed):
        return f"the files are {', '.join(sorted(found))}; the manifest lists {', '.join(sorted(listed))}"
    changed = [name for name, wanted in sorted(listed.items()) if file_sha256(folder / name) != wanted]
    return f"{', '.join(changed)} differs from its SHA-256" if changed else ""


def _checked(reference: ModelReference) -> ModelReference:
    """Refuse references that could leave the store."""
    _checked_name(reference.name)
    if not _HASH.fullmatch(reference.content_hash):
        raise DataError(
            f"'{reference.content_hash}' is not a model hash", "a model hash has 32 hex digits; see gold/champion."
        )
    return reference


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise DataError(
            f"'{name}' cannot name a model", "use lower-case letters, digits and underscores, a letter first."
        )
    return name
