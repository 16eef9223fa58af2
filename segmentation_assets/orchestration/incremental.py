"""Keep or compute: decide from manifests whether a step has to work, and store what it made.

Nothing becomes visible before its checks have passed; a step that fails leaves the previous result in place.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segmentation_assets.errors import DataError
from segmentation_assets.graph.closed_months import RESTATEMENTS, count_restatements, is_protected
from segmentation_assets.graph.inputs import check_source, read_fingerprints
from segmentation_assets.graph.log_mark import note_attempt
from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import (
    check_predecessors,
    expected_version,
    is_retired,
    known_months,
    reasons_to_make,
)
from segmentation_assets.monitoring.cost import Cost, CostMeter
from segmentation_assets.monitoring.making import note_making
from segmentation_assets.monitoring.mlflow_tracking import require_mlflow
from segmentation_assets.monitoring.run_records import versions_in_use
from segmentation_assets.orchestration.step import Step
from segmentation_assets.storage.contract import ContractResult, check_contract
from segmentation_assets.storage.engine import Connection, content_hash, parquet_scan
from segmentation_assets.storage.file_hashes import file_sha256
from segmentation_assets.storage.manifest import CheckRecord, Manifest, StoredFile
from segmentation_assets.tables.declaration import Table

QUARANTINE_SLICE = "quarantine"
"""Slice of a raw table that holds the rows set aside; they do not count as its rows."""

Body = Callable[[Step], None]


@dataclass(frozen=True)
class StepOutcome:
    """What became of a step: its manifest, whether it was kept, why it was computed, and its cost."""

    manifest: Manifest
    kept: bool
    reasons: tuple[str, ...]
    cost: Cost


@dataclass(frozen=True)
class StepOptions:
    """What a person or a caller asks of a step beyond the settings.

    Parameters
    ----------
    force : bool
        Compute whatever the manifests say.
    is_in_order : bool
        The caller makes the months in order, so earlier ones need no check.
    by_hand : dict
        Settings, by dotted path, changed for this run only. The result keeps them on record.
    """

    force: bool = False
    is_in_order: bool = False
    by_hand: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class CheckFailedError(Exception):
    """A check failed; nothing was stored. Carries the outcome of every check for the record."""

    message: str
    checks: tuple[CheckRecord, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return self.message


def keep_or_compute(
    platform: Platform,
    node: Node,
    partition: str,
    body: Body,
    *,
    connect: Any,
    log: logging.Logger,
    options: StepOptions,
) -> StepOutcome:
    """Keep the stored result when nothing it rests on has changed; otherwise compute, check and store it.

    Of two processes that come to the same asset and partition at once, one waits until the other is done, and then
    keeps what that one stored.

    Parameters
    ----------
    platform : Platform
    node : Node
    partition : str
        Month as YYYY-MM-01, or ``all``.
    body : callable
        Computes the result into the step's staging folder.
    connect : callable
        Opens an engine connection as a context manager.
    log : logging.Logger
    options : StepOptions

    Returns
    -------
    StepOutcome

    Raises
    ------
    CheckFailedError
        A check failed; the previous result is still in place.
    SettingsError
        The data folder holds the results of own files, and the settings name the built-in shop.
    DataError
        An input is missing, damaged or breaks a rule, or an earlier month is missing or out of date.
    """
    meter = CostMeter()
    check_source(platform)
    require_mlflow(platform.settings.tracking.mlflow)
    if not options.is_in_order and any(item.window == "previous" for item in node.inputs):
        check_predecessors(platform, node, partition)

    def tell_waiting() -> None:
        log.info("%s of %s is being made by another process; waiting for it", node.key, partition)

    with platform.store.lock(f"step/{node.key}", partition, on_wait=tell_waiting):
        stored = platform.store.manifest(node.key, partition)
        if stored is not None and is_retired(platform, stored):
            return StepOutcome(stored, kept=True, reasons=(), cost=meter.read())
        inputs = read_fingerprints(platform, node, partition)
        effective, by_hand = platform.altered_for(node, options.by_hand)
        reasons = _reasons(platform, effective, node, partition, stored, by_hand, inputs)
        is_forced = options.force and not is_protected(platform, node, partition, stored)
        if stored is not None and not reasons and not is_forced:
            if platform.store.is_intact(stored):
                return StepOutcome(stored, kept=True, reasons=(), cost=meter.read())
            reasons = ("a stored file is missing or damaged",)
        note_attempt(platform)
        with platform.store.staging(node.key) as stage:
            over = platform.code_version(node) if by_hand else ""
            step = Step(
                effective, node, partition, stage, connect, log, is_forced=options.force, by_hand=by_hand,
                by_hand_over=over,
            )  # fmt: skip
            manifest = _compute_and_store(step, body, inputs)
    why = ("forced",) if is_forced else reasons
    outcome = StepOutcome(manifest, kept=False, reasons=why, cost=meter.read())
    note_making(platform.data_dir, manifest, outcome.cost, versions_in_use())
    return outcome


def _reasons(
    platform: Platform,
    effective: Platform,
    node: Node,
    partition: str,
    stored: Manifest | None,
    by_hand: Mapping[str, Any],
    inputs: dict[str, str],
) -> tuple[str, ...]:
    """Return why the stored result cannot be kept, with what was changed by hand for this run or for the stored one."""
    is_kept = is_protected(platform, node, partition, stored)
    if by_hand and stored is not None and stored.by_hand != by_hand and not is_kept:
        return tuple(f"{path} is {value} for this run" for path, value in by_hand.items())
    version = effective.code_version(node) if by_hand else expected_version(platform, node, stored)
    return reasons_to_make(effective, node, partition, stored, version, inputs)


def _compute_and_store(step: Step, body: Body, inputs: dict[str, str]) -> Manifest:
    try:
        body(step)
        return _STORERS[step.node.storage](step, inputs)
    except OSError as problem:
        place = f" ({problem.filename})" if problem.filename else ""
        raise DataError(
            f"{step.node.key} cannot read or write{place}: {problem.strerror or problem}",
            "check the folder's permissions and that the disk has room; the previous result is in place.",
        ) from problem
    finally:
        step.close()


def _store_table(step: Step, inputs: dict[str, str]) -> Manifest:
    """Check and store a table of one folder."""
    parquet = sorted(step.stage.glob("*.parquet"))
    step.checks.insert(0, _contract_record(step.connection, parquet, step.tables[""], step.node.key))
    _stop_on_failed_check(step)
    rows_hash, row_count = content_hash(step.connection, parquet_scan(parquet))
    content = _with_documents(rows_hash, step.stage)
    store = step.platform.store
    with store.lock(step.node.key, step.partition):
        files = store.place_table(
            step.stage, step.node.key, step.partition, content, store.manifest(step.node.key, step.partition)
        )
        rested = store.describe_files(step.rests_on)
        files = tuple(file for file in files if file not in rested) + rested
        manifest = _manifest(step, inputs, content, files=files, row_count=row_count)
        store.publish(manifest)
    return manifest


def _store_sliced(step: Step, inputs: dict[str, str]) -> Manifest:
    """Check all new slices, then store those that changed, and last the manifest of the whole asset."""
    folders = sorted(path for path in step.stage.iterdir() if path.is_dir())
    results = [_check_slice(step, folder) for folder in folders]
    step.checks.insert(0, _merged_contract(step, results))
    _stop_on_failed_check(step)
    store = step.platform.store
    with store.lock(step.node.key, "slices"):
        hashes = {folder.name: _store_slice(step, folder) for folder in folders}
        for name in step.kept_slices:
            kept = store.slice_manifest(step.node.key, name)
            if kept is not None:
                hashes[name] = kept.content_hash
        previous = store.manifest(step.node.key, step.partition)
        for name in set(previous.slices if previous else ()) - set(hashes):
            store.remove_slice(step.node.key, name)
        rows = sum(_slice_rows(step, name) for name in hashes if name != QUARANTINE_SLICE)
        manifest = _manifest(step, inputs, _hash_of(hashes), row_count=rows, slices=dict(sorted(hashes.items())))
        store.publish(manifest)
    return manifest


def _slice_rows(step: Step, name: str) -> int:
    stored = step.platform.store.slice_manifest(step.node.key, name)
    return stored.row_count if stored else 0


def _check_slice(step: Step, folder: Path) -> ContractResult:
    return check_contract(step.connection, sorted(folder.glob("*.parquet")), _table_of(step, folder.name))


def _table_of(step: Step, slice_name: str) -> Table:
    return step.tables.get(slice_name, step.tables[""])


def _store_slice(step: Step, folder: Path) -> str:
    """Store one slice unless its content is stored already; return its content hash."""
    store, key, name = step.platform.store, step.node.key, folder.name
    content, row_count = content_hash(step.connection, parquet_scan(sorted(folder.glob("*.parquet"))))
    current = store.slice_manifest(key, name)
    files = store.place_table(folder, key, name, content, current)
    inputs = step.slice_inputs.get(name, {})
    version = step.platform.code_version(step.node)
    manifest = Manifest(key, name, content, version, inputs, files, row_count)
    if current != manifest:
        store.publish(manifest, slice_name=name)
    return content


def _store_files(step: Step, inputs: dict[str, str]) -> Manifest:
    """Place the files people read, one by one and each whole, and last the manifest."""
    _stop_on_failed_check(step)
    store = step.platform.store
    staged = {name: step.stage / name for name in sorted(step.targets)}
    hashes = {step.targets[name]: file_sha256(path) for name, path in staged.items()}
    content = _hash_of(inputs if step.is_copy_of_inputs else hashes)
    with store.lock(step.node.key, step.partition):
        _remove_replaced_files(step)
        for name, path in staged.items():
            store.place_file(path, store.root / step.targets[name])
        files = store.describe_files([store.root / step.targets[name] for name in staged])
        manifest = _manifest(step, inputs, content, files=files, row_count=len(files))
        store.publish(manifest)
        if step.node.is_partitioned:
            done = [month for month in known_months(step.platform) if store.manifest(step.node.key, month)]
            store.point_latest(step.node.layer, done[-1][:7])
    return manifest


def _remove_replaced_files(step: Step) -> None:
    """Remove files that the previous result had and the new one has not."""
    previous = step.platform.store.manifest(step.node.key, step.partition)
    for file in previous.files if previous else ():
        if file.path not in step.targets.values():
            (step.platform.store.root / file.path).unlink(missing_ok=True)


_STORERS: dict[str, Callable[[Step, dict[str, str]], Manifest]] = {
    "table": _store_table,
    "sliced": _store_sliced,
    "files": _store_files,
}


def _manifest(
    step: Step,
    inputs: dict[str, str],
    content: str,
    *,
    files: tuple[StoredFile, ...] = (),
    row_count: int = 0,
    slices: dict[str, str] | None = None,
) -> Manifest:
    metadata = json.loads(json.dumps(step.metadata, default=str))
    restatements = count_restatements(step.platform, step.node, step.partition)
    metadata |= {RESTATEMENTS: restatements} if restatements else {}
    version = step.platform.code_version(step.node)
    return Manifest(
        step.node.key, step.partition, content, version, inputs, files, row_count, tuple(step.checks), metadata,
        slices or {}, step.by_hand, step.by_hand_over,
    )  # fmt: skip


def _contract_record(connection: Connection, parquet: list[Path], table: Table, key: str) -> CheckRecord:
    return _as_record(check_contract(connection, parquet, table), key)


def _as_record(result: ContractResult, key: str) -> CheckRecord:
    description = "Schema, nulls, ranges, allowed values and keys are as declared."
    metadata = {"row_count": result.row_count, "rules": list(result.rules)}
    if not result.passed:
        metadata |= {"violations": result.violations, "samples": result.samples}
        description = result.sentence(key)
    return CheckRecord("contract", result.passed, description, metadata)


def _merged_contract(step: Step, results: list[ContractResult]) -> CheckRecord:
    """Merge the contract results of all new slices into one record."""
    rules = tuple(dict.fromkeys(rule for result in results for rule in result.rules))
    violations: dict[str, int] = {}
    samples: dict[str, list[str]] = {}
    for result in results:
        for rule, count in result.violations.items():
            violations[rule] = violations.get(rule, 0) + count
            samples.setdefault(rule, result.samples.get(rule, []))
    merged = ContractResult(sum(result.row_count for result in results), rules, violations, samples)
    return _as_record(merged, step.node.key)


def _stop_on_failed_check(step: Step) -> None:
    failed = [check for check in step.checks if check.is_blocking and not check.passed]
    if failed:
        message = " ".join(check.description for check in failed)
        raise CheckFailedError(f"{message}\nHint: the previous result was left as it is.", tuple(step.checks))


def _with_documents(rows_hash: str, stage: Path) -> str:
    """Fold the text files beside a table into its content hash."""
    documents = {path.name: file_sha256(path) for path in stage.iterdir() if path.suffix != ".parquet"}
    return _hash_of({"rows": rows_hash, **documents}) if documents else rows_hash


def _hash_of(parts: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
