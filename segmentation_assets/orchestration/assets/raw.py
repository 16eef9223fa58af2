"""Bodies of the raw layer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

from segmentation_assets.errors import plural
from segmentation_assets.graph.declarations import FILES_READ, NOTHING_LOST, RULES
from segmentation_assets.graph.snapshots import (
    DELIVERED_FILES,
    DELIVERED_PARTS,
    HIDDEN_SHEETS,
    LACKING_PARTS,
    SET_ASIDE,
)
from segmentation_assets.graph.sources import LOST_ROWS
from segmentation_assets.graph.staleness import READABLE_FROM
from segmentation_assets.ingestion.decisions import erased_hashes
from segmentation_assets.ingestion.delivery import DeliveredFile
from segmentation_assets.ingestion.ingest import IngestedTable, ingest_table
from segmentation_assets.ingestion.lost_rows import (
    FileRecord,
    Loss,
    as_metadata,
    changed_files,
    count_lost_rows,
    count_reverted_rows,
    describe_losses,
    kept_files,
    losses_now,
    not_withdrawn,
    record_files,
)
from segmentation_assets.ingestion.mapping import delivery_folder, effective_source
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets.orchestration.assets.source import listed_files
from segmentation_assets.orchestration.step import PART, Step
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.raw import QUARANTINE, RAW_TABLES, REDELIVERED_REASONS

_MOST_NAMED = 5


def raw_table(name: str) -> Callable[[Step], None]:
    """Make the body that reads one delivered table in one pass."""

    def body(step: Step) -> None:
        files = listed_files(step, [name])
        ingested = _ingest(step, name, files)
        result = reconcile_delivery(ingested)
        step.add_check("reconciliation", result.sentence, passed=result.passed, comparison=result.comparison)
        _check_rules(step, name, ingested)
        unread = _unread_parts(step, ingested)
        step.add_check(FILES_READ, _unread_sentence(step.node.key, unread), passed=not unread)
        _note_losses(step, name, record_files({file.file_name: file.sha256 for file in files}, ingested.part_rows))
        step.metadata |= result.figures | {
            "part_rows": ingested.part_rows,
            DELIVERED_PARTS: {part.name: part.to_json() for part in ingested.parts},
            HIDDEN_SHEETS: {name: ingested.part_rows[name] for name in ingested.hidden_sheets},
            LACKING_PARTS: ingested.lacking_parts,
            "quarantine_counts": ingested.quarantine_counts,
            "repair_counts": ingested.repair_counts,
            "first_order_at": ingested.first_at,
            "last_order_at": ingested.last_at,
        }
        if ingested.first_ahead is not None:
            step.metadata[READABLE_FROM] = step.platform.readable_from(ingested.first_ahead)

    return body


def _unread_parts(step: Step, ingested: IngestedTable) -> dict[str, int]:
    """Rows of the parts of which none can be used; parts whose rows all stand in another one are no such."""
    path = step.stage / "quarantine" / PART
    if not path.exists():
        return {}
    counted = step.connection.execute(
        f"SELECT source_file, count(*) FROM {parquet_scan([path])} GROUP BY source_file "
        "HAVING count(*) FILTER (NOT list_contains(?, reason)) > 0 ORDER BY source_file",
        [list(REDELIVERED_REASONS)],
    ).fetchall()
    return {str(part): int(count) for part, count in counted if count == ingested.part_rows[part]}


def _unread_sentence(key: str, unread: dict[str, int]) -> str:
    if not unread:
        return f"{key}: every file has a row that can be used."
    named = ", ".join(f"{part} ({plural(rows, 'row')})" for part, rows in list(unread.items())[:_MOST_NAMED])
    more = ", …" if len(unread) > _MOST_NAMED else ""
    return f"{key}: no row can be used of {named}{more}; raw/quarantine says why."


def _check_rules(step: Step, name: str, ingested: IngestedTable) -> None:
    """Check that no rule of the contract is broken by more rows than may, if there are rules."""
    if not ingested.rules:
        return
    failed = [finding.sentence(name) for finding in ingested.rules if not finding.passed]
    broken = [finding for finding in ingested.rules if finding.row_count]
    rules = plural(len(ingested.rules), "rule")
    kept = f"{rules} of contract.{name}, {len(broken)} broken within the shares that are allowed."
    step.add_check(
        RULES,
        f"{step.node.key}: {' '.join(failed) or kept}",
        passed=not failed,
        row_count=ingested.delivered_rows,
        rules=[finding.column for finding in ingested.rules],
        violations={f"{name}.{finding.column}": finding.row_count for finding in broken},
        samples={f"{name}.{finding.column}": list(finding.samples) for finding in broken},
    )


def _note_losses(step: Step, name: str, files: dict[str, FileRecord]) -> None:
    """Note files that are gone or shorter since the last delivery; the built-in shop makes another one each time."""
    stored = step.platform.store.manifest(step.node.key)
    known = stored.metadata if stored is not None and step.platform.settings.source.kind != "synthetic" else {}
    before = {file: FileRecord(**entry) for file, entry in known.get(DELIVERED_FILES, {}).items()}
    earlier = {file: Loss(**entry) for file, entry in known.get(LOST_ROWS, {}).items()}
    changed = changed_files(before, files)
    lost, reverted = _missing_rows(step, name, stored, changed, files, kept_files(before, files))
    losses = losses_now(earlier, changed, lost, reverted, files)
    step.metadata |= {DELIVERED_FILES: as_metadata(files), LOST_ROWS: as_metadata(losses)}


def _missing_rows(
    step: Step,
    name: str,
    stored: Manifest | None,
    changed: Mapping[str, FileRecord],
    files: Mapping[str, FileRecord],
    kept: tuple[str, ...],
) -> tuple[dict[str, int], dict[str, int]]:
    """Rows of changed files that no file holds now, and those of which an earlier version holds again.

    If the rows of before cannot be read, all that a file lacks is taken for lost.
    """
    if stored is None or not changed:
        return {}, {}
    store, key = step.platform.store, step.node.key
    parts = sorted(path for path in step.stage.glob(f"*/{PART}") if path.parent.name != "quarantine")
    lacking = {file: before.rows - (files[file].rows if file in files else 0) for file, before in changed.items()}
    if not parts or not store.is_intact(stored):
        return {file: max(rows, 0) for file, rows in lacking.items()}, {}
    before = step.slices_relation(key, [name for name in stored.slices if name != "quarantine"])
    now, shorter = parquet_scan(parts), {file: rows > 0 for file, rows in lacking.items()}
    return (
        count_lost_rows(step.connection, name, before, now, shorter),
        count_reverted_rows(step.connection, name, before, now, changed, kept),
    )


def _ingest(step: Step, name: str, files: tuple[DeliveredFile, ...]) -> IngestedTable:
    """Read the files of a table into slices of the staging folder."""
    settings = step.platform.settings
    source = effective_source(settings)
    table = RAW_TABLES[name]
    work = step.stage / "work"
    work.mkdir()
    ingested = ingest_table(
        step.connection,
        table,
        getattr(source, name),
        files,
        delivery_folder(settings),
        work,
        source=source,
        rules=settings.contract.of(name),
        latest=step.platform.latest_day,
        erased=_erased(step),
    )
    for folder in (*ingested.months, WHOLE, "quarantine"):
        _move_slice(step, folder)
    shutil.rmtree(work)
    step.tables |= {"": table, "quarantine": QUARANTINE}
    return ingested


def _erased(step: Step) -> frozenset[str]:
    """Hashes of the customers of whom the table keeps nothing."""
    is_asked = any(item.key == "source/decisions" for item in step.node.inputs)
    return erased_hashes(step.frame("source/decisions")) if is_asked else frozenset()


def _move_slice(step: Step, name: str) -> None:
    """Move one slice out of the work folder, if it is there."""
    work = step.stage / "work"
    found = {WHOLE: work / PART, "quarantine": work / "quarantine.parquet"}.get(name, work / name / PART)
    if found.exists():
        (step.stage / name).mkdir()
        found.rename(step.stage / name / PART)


def quarantine(step: Step) -> None:
    """Collect the rows that the raw tables set aside, and warn of those that are not delivered any more."""
    store = step.platform.store
    slices = [
        path
        for item in step.node.inputs
        if item.window == "slice" and store.slice_manifest(item.key, item.slice_name) is not None
        for path in store.slice_paths(item.key, item.slice_name)
    ]
    empty = ", ".join(f'NULL AS "{name}"' for name in QUARANTINE.column_names)
    sources = [f"SELECT {empty} WHERE false", *(f"SELECT * FROM {parquet_scan([path])}" for path in slices)]
    step.write_sql(" UNION ALL BY NAME ".join(sources), QUARANTINE)
    counted = step.connection.execute(
        f"SELECT table_name, reason, count(*) FROM {parquet_scan([step.stage / PART])} "
        "WHERE table_name <> 'order_lines' AND NOT list_contains(?, reason) GROUP BY ALL ORDER BY ALL",
        [list(REDELIVERED_REASONS)],
    ).fetchall()
    step.metadata[SET_ASIDE] = {f"{table} {reason}": count for table, reason, count in counted}
    _check_losses(step)


def _check_losses(step: Step) -> None:
    """Warn of files that are gone or shorter, unless the settings say that they are meant to be."""
    withdrawn = step.platform.settings.source.withdrawn
    noted = {
        item.key.removeprefix("raw/"): step.input_metadata(item.key).get(LOST_ROWS) or {}
        for item in step.node.inputs
        if item.window == "fact"
    }
    losses = {table: {file: Loss(**entry) for file, entry in lost.items()} for table, lost in noted.items()}
    is_whole = not any(not_withdrawn(lost, withdrawn) for lost in losses.values())
    step.add_check(NOTHING_LOST, describe_losses(losses, withdrawn), passed=is_whole)
