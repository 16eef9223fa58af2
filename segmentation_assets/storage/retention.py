"""Removing what is not kept any more: results of old months, models that nothing needs, records of old runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from segmentation_assets.storage.manifest import FROZEN, REMOVED, RETIRED, Manifest
from segmentation_assets.storage.model_catalogue import ListedModel, list_models
from segmentation_assets.storage.models import METADATA_FILE, ModelStore
from segmentation_assets.storage.replaced import GRACE_SECONDS
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import write_text_whole


def freeze_result(store: TableStore, key: str, partition: str) -> None:
    """Mark a result that is kept only because later months read it; it is not made again."""
    _mark(store, key, partition, FROZEN)


def remove_result(store: TableStore, key: str, partition: str) -> None:
    """Remove the files of a result; its manifest stays and says so, as later months were made from its content.

    The manifest says so first, so that a kill in between leaves nothing that looks damaged.
    """
    with store.lock(key, partition):
        manifest = store.manifest(key, partition)
        if manifest is None:
            return
        _mark_locked(store, manifest, REMOVED)
        for path in _own_paths(store, manifest):
            _remove(path, store.root)
        shutil.rmtree(store.versions_folder(key, partition), ignore_errors=True)


def _mark(store: TableStore, key: str, partition: str, how: str) -> None:
    with store.lock(key, partition):
        manifest = store.manifest(key, partition)
        if manifest is not None:
            _mark_locked(store, manifest, how)


def _mark_locked(store: TableStore, manifest: Manifest, how: str) -> None:
    marked = replace(manifest, metadata={**manifest.metadata, RETIRED: how})
    write_text_whole(store.manifest_path(manifest.key, manifest.partition), marked.to_json())


def _own_paths(store: TableStore, manifest: Manifest) -> list[Path]:
    """Return what a result consists of: the folder of a table with its earlier versions, or the files for people."""
    folder = store.table_folder(manifest.key, manifest.partition)
    prefix = f"tables/{manifest.key}/"
    files = [store.root / file.path for file in manifest.own_files if not file.path.startswith(prefix)]
    return [folder, *files]


def _remove(path: Path, root: Path) -> None:
    """Remove a file or folder, and the folders below the data folder that it leaves empty."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or root not in folder.parents:
            return
        with suppress(OSError):
            folder.rmdir()


def result_size(store: TableStore, manifest: Manifest) -> int:
    """Bytes that removing a result frees."""
    return sum(size_of(path) for path in _own_paths(store, manifest))


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def unneeded_models(
    store: ModelStore, count: int, *, without: Collection[str], now: float | None = None
) -> list[ListedModel]:
    """List the models that nothing needs, but for the newest of each name.

    Parameters
    ----------
    store : ModelStore
    count : int
        Models of each name that stay although nothing needs them.
    without : collection of str
        Results that are about to go, as `ListedModel.used_by` names them.
    now : float, optional
        Seconds since 1970. A model stored within the last hour stays: a step may be about to need it.
    """
    newest_first = sorted(list_models(store), key=lambda model: _stored_at(store, model), reverse=True)
    latest = (time.time() if now is None else now) - GRACE_SECONDS
    found, seen = [], dict[str, int]()
    for model in newest_first:
        if model.aliases or set(model.used_by) - set(without):
            continue
        seen[model.reference.name] = seen.get(model.reference.name, 0) + 1
        if seen[model.reference.name] > count and _stored_at(store, model) < latest:
            found.append(model)
    return found


def _stored_at(store: ModelStore, model: ListedModel) -> float:
    return (store.folder(model.reference) / METADATA_FILE).stat().st_mtime


def remove_models(store: ModelStore, models: Iterable[ListedModel]) -> None:
    """Remove models: each leaves the store by a rename, so that no half of one is ever found there."""
    tables = TableStore(store.root)
    for model in models:
        with tables.staging("models-removed") as stage, tables.lock("models", "store"), suppress(FileNotFoundError):
            store.folder(model.reference).rename(stage / "removed")


def old_run_files(root: Path, count: int) -> list[Path]:
    """List records and logs of runs, but for the newest so many."""
    records = sorted((root / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    logs = (root / "logs" / f"{record.stem}.jsonl" for record in records[count:])
    return [*records[count:], *(log for log in logs if log.is_file())]
