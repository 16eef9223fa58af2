"""What the retention settings let go: planned from the graph, so that nothing goes that a later month reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from segmentation_assets.errors import plural
from segmentation_assets.graph.inputs import is_beyond_retention
from segmentation_assets.graph.plan import Scope, is_up_to_date
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import known_months, partitions_read
from segmentation_assets.ingestion.decisions import DECISIONS_FILE, ERASURES, hash_erasures, read_decisions
from segmentation_assets.storage.manifest import RETIRED
from segmentation_assets.storage.model_catalogue import ListedModel
from segmentation_assets.storage.retention import (
    freeze_result,
    old_run_files,
    remove_models,
    remove_result,
    result_size,
    size_of,
    unneeded_models,
)
from segmentation_assets.storage.text_files import write_text_whole
from segmentation_assets.storage.versions import ERASURES_MARK, VERSIONS, version_folders

_NOBODY = hashlib.sha256(b"").hexdigest()[:32]
"""What `hash_erasures` says where nobody is erased."""

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Pruning:
    """What is to go.

    Parameters
    ----------
    results : dict of (str, str) to int
        Asset and month, and the bytes that its files take.
    frozen : tuple of (str, str)
        Asset and month of what is beyond retention but stays, as later months read it.
    models : tuple of ListedModel
    run_files : tuple of Path
        Records and logs.
    notes : tuple of str
        Why something stays that the settings let go.
    """

    results: dict[tuple[str, str], int] = field(default_factory=dict)
    frozen: tuple[tuple[str, str], ...] = ()
    models: tuple[ListedModel, ...] = ()
    run_files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes that become free."""
        models = sum(model.size_bytes for model in self.models)
        return sum(self.results.values()) + models + sum(size_of(path) for path in self.run_files)

    def in_words(self) -> list[str]:
        """Say what goes, a line for each month, model and kind."""
        lines = []
        for month in sorted({month for _, month in self.results}):
            sizes = [size for (_, other), size in self.results.items() if other == month]
            lines.append(f"{month[:7]}: {plural(len(sizes), 'result')}, {_size_in_words(sum(sizes))}")
        lines += [f"model {model.full_name}, {_size_in_words(model.size_bytes)}" for model in self.models]
        records = [path for path in self.run_files if path.suffix == ".json"]
        if records:
            size = sum(size_of(path) for path in self.run_files)
            lines.append(f"{plural(len(records), 'run record')} with logs, {_size_in_words(size)}")
        return lines


def _size_in_words(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:,.2f} MB"


def plan_pruning(platform: Platform, *, records_to_come: int = 0) -> Pruning:
    """Find out what the settings let go; months only while everything is up to date.

    Parameters
    ----------
    platform : Platform
    records_to_come : int
        Records of runs that count among the newest although they are not written yet.
    """
    retention = platform.settings.retention
    results: dict[tuple[str, str], int] = {}
    frozen: tuple[tuple[str, str], ...] = ()
    notes: list[str] = []
    if retention.months is not None:
        if is_up_to_date(platform, _everything(platform)):
            results, frozen, notes = _old_results(platform)
        else:
            notes.append("no month goes while something is not up to date: run 'segmentation run' first")
    models: list[ListedModel] = []
    if retention.models is not None and _is_working(platform):
        notes.append("no model goes while a result is being made")
    elif retention.models is not None:
        going = {f"{key} of {month[:7]}" for key, month in results}
        models = unneeded_models(platform.models, retention.models, without=going)
    run_files: list[Path] = []
    if retention.runs is not None:
        run_files = old_run_files(platform.data_dir, retention.runs - records_to_come)
    return Pruning(results, frozen, tuple(models), tuple(run_files), tuple(notes))


def carry_out(platform: Platform, pruning: Pruning) -> None:
    """Remove what was planned; each piece on its own, so that a stop leaves whole results."""
    for key, month in pruning.frozen:
        freeze_result(platform.store, key, month)
    for key, month in pruning.results:
        remove_result(platform.store, key, month)
    remove_models(platform.models, pruning.models)
    for path in pruning.run_files:
        path.unlink(missing_ok=True)


def _everything(platform: Platform) -> Scope:
    return Scope(frozenset(platform.graph.by_key))


def _is_working(platform: Platform) -> bool:
    """Whether a process is making a result now."""
    months = (*known_months(platform), "all")
    return any(
        platform.store.is_locked(f"step/{node.key}", part)
        for node in platform.graph.nodes
        for part in node.partitions(months)
    )


def _old_results(platform: Platform) -> tuple[dict[tuple[str, str], int], tuple[tuple[str, str], ...], list[str]]:
    """Results beyond `retention.months` that go, those that stay frozen, and why closed months stay."""
    months = known_months(platform)
    kept = tuple(month for month in months if not is_beyond_retention(platform, month))
    results, frozen = {}, []
    for key, month in _monthly_results(platform, tuple(month for month in months if month not in kept)):
        manifest = platform.store.manifest(key, month)
        if manifest is None:
            continue
        if _is_read_later(platform, key, month, kept):
            frozen += [(key, month)] if RETIRED not in manifest.metadata else []
        elif not manifest.is_removed or result_size(platform.store, manifest):
            results[key, month] = result_size(platform.store, manifest)
    newest = months[-(platform.settings.retention.months or 0) :]
    closed = [month for month in kept if month not in newest]
    notes = [f"{closed[0][:7]} to {closed[-1][:7]} stay: they are closed (calendar.closed_through)"] if closed else []
    return results, tuple(frozen), notes


def _monthly_results(platform: Platform, months: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Assets and months with a manifest, also of assets that the settings do not call for any more."""
    folder = platform.data_dir / "manifests"
    for month in months:
        for path in sorted(folder.glob(f"*/*/{month}.json")):
            yield f"{path.parent.parent.name}/{path.parent.name}", month


def _is_read_later(platform: Platform, key: str, month: str, kept: tuple[str, ...]) -> bool:
    """Whether a month that is kept is made from this result."""
    items = [item for node in platform.graph.nodes if node.is_partitioned for item in node.inputs if item.key == key]
    windows = [item for item in items if item.window in ("previous", "recent")]
    return any(month in partitions_read((month,), item, later) for item in windows for later in kept)


def forget_erased(platform: Platform, erased: str) -> bool:
    """Forget all earlier versions when customers have been erased since the last time; say whether any was forgotten.

    Parameters
    ----------
    platform : Platform
    erased : str
        Hash of who is erased. It is noted once everything is up to date: what is in force then holds nothing of them,
        so later versions are safe to keep.
    """
    mark = platform.data_dir / VERSIONS / ERASURES_MARK
    if erased == _read(mark):
        return False
    had_versions = next(version_folders(platform.data_dir), None) is not None
    platform.store.forget_versions()
    if is_up_to_date(platform, _everything(platform)):
        write_text_whole(mark, erased)
    return had_versions


def erasures_decided(platform: Platform) -> str:
    """Hash of who is erased by the decisions as they lie in the data folder, taken in or not."""
    return hash_erasures(read_decisions(platform.data_dir / DECISIONS_FILE))


def erasures_taken_in(platform: Platform) -> str:
    """Hash of who is erased by the decisions that the last run took in."""
    stored = platform.store.manifest("source/decisions")
    return str(stored.metadata.get(ERASURES, _NOBODY)) if stored is not None else _NOBODY


def _read(mark: Path) -> str:
    try:
        return mark.read_text(encoding="utf-8")
    except OSError:
        return _NOBODY


def prune_after_run(platform: Platform) -> tuple[Pruning, bool]:
    """Apply the settings at the end of a run that succeeded; return what went, and whether versions were forgotten."""
    was_forgotten = forget_erased(platform, erasures_taken_in(platform))
    pruning = plan_pruning(platform, records_to_come=1) if platform.settings.retention.is_set else Pruning()
    carry_out(platform, pruning)
    return pruning, was_forgotten
