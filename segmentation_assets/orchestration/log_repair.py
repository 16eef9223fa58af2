"""Tells Dagster's event log what is stored and up to date, where the log does not know it or would call it stale.

Manifests say what is stored; the log learns of it by the runs that made it. It falls behind when a process is killed
between the two, when results were made under another log, when a run fails that was to make anew what is up to date,
and when a delivery changes an asset that all months share: Dagster then calls every month stale, whether or not the
part that it reads has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property

import dagster as dg

from segmentation_assets.graph.inputs import required_manifest
from segmentation_assets.graph.node import Input, Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import evaluate_all, known_months, partitions_read
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.presentation import check_result, materialize_result
from segmentation_assets.storage.manifest import Manifest
from segmentation_assets.storage.store import WHOLE

_VERSION, _CODE = "dagster/data_version", "dagster/code_version"
"""Tags of a materialisation: its own content and code, in Dagster's eyes."""

_IS_GIVEN = "dagster/data_version_is_user_provided"

_INPUT, _POINTER = "dagster/input_data_version/", "dagster/input_event_pointer/"
"""Tags of a materialisation, with the key of an input: its content at the time, and the newest event known then."""

_WHY = "it is stored and nothing it rests on has changed; Dagster did not know that"


def repair_log(platform: Platform, instance: dg.DagsterInstance) -> int:
    """Report what is stored and up to date, and what Dagster does not know or knows as resting on something else.

    An asset's newest month is reported last, with its checks, so that it stays the one that is shown first.

    Returns
    -------
    int
        Results reported.
    """
    return sum(1 for _ in _Repair(platform, instance).reports())


class _Repair:
    """One pass over all assets, each after what it reads."""

    def __init__(self, platform: Platform, instance: dg.DagsterInstance) -> None:
        self.platform = platform
        self.instance = instance
        self.months = known_months(platform)
        self.versions: dict[str, dict[str, str]] = {}

    def reports(self) -> Iterator[tuple[str, str]]:
        """Report what has to be, one after another; give key and partition of each."""
        for node in self.platform.graph.nodes:
            partitions = node.partitions(self.months)
            made = self._last_made(node, partitions)
            known = _tags_by_partition(made)
            self.versions[node.key] = {partition: tags[_VERSION] for partition, tags in known.items()}
            failed = self._failed(node, made)
            due: list[str] = []
            for partition in partitions:
                tags = None if partition in failed else known.get(partition)
                if self._is_due(node, partition, tags):
                    self._report(node, partition, is_newest=partition == partitions[-1])
                    due.append(partition)
                    yield node.key, partition
            newest = partitions[-1] if due else ""
            if newest and newest not in due and (node.key, newest) in self.fresh:
                self._report(node, newest, is_newest=True)
                yield node.key, newest

    @cached_property
    def fresh(self) -> frozenset[tuple[str, str]]:
        """What is up to date as far as the delivery has been taken in, as key and partition."""
        found = evaluate_all(self.platform, self.months, looks_outside=False)
        return frozenset((each.key, each.partition) for each in found if each.state == "fresh")

    def _last_made(self, node: Node, partitions: tuple[str, ...]) -> Sequence[dg.EventLogRecord]:
        """Read the last materialisation of every partition that has one."""
        key = dg.AssetKey.from_user_string(node.key)
        if not node.is_partitioned:
            return self.instance.fetch_materializations(key, limit=1).records
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        last = self.instance.event_log_storage.get_latest_storage_id_by_partition(key, kind, set(partitions))
        if not last:
            return ()
        wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(last.values()))
        return self.instance.fetch_materializations(wanted, limit=len(last)).records

    def _failed(self, node: Node, made: Sequence[dg.EventLogRecord]) -> set[str]:
        """Partitions that Dagster shows as failed: a run that has failed was to make them after they were made."""
        key = dg.AssetKey.from_user_string(node.key)
        log = self.instance.event_log_storage
        if node.is_partitioned:
            attempts = log.get_latest_asset_partition_materialization_attempts_without_materializations(key)
            return {partition for partition, (run_id, _) in attempts.items() if self._has_failed(run_id)}
        planned = log.get_latest_planned_materialization_info(key)
        if planned is None or not made or made[0].storage_id > planned.storage_id:
            return set()
        return {WHOLE} if self._has_failed(planned.run_id) else set()

    def _has_failed(self, run_id: str) -> bool:
        run = self.instance.get_run_by_id(run_id)
        return run is not None and run.status == dg.DagsterRunStatus.FAILURE

    def _is_due(self, node: Node, partition: str, tags: dict[str, str] | None) -> bool:
        """Whether a result is stored and up to date, and Dagster does not know it so."""
        stored = self.platform.store.manifest(node.key, partition)
        if stored is None or self._is_known(node, partition, tags, stored):
            return False
        return (node.key, partition) in self.fresh

    def _is_known(self, node: Node, partition: str, tags: dict[str, str] | None, stored: Manifest) -> bool:
        """Whether Dagster knows what is stored, as made by this code from what the inputs are now."""
        if tags is None or tags[_VERSION] != stored.content_hash:
            return False
        read = {item.key: self._version_read(item, partition) for item in node.inputs}
        is_of_them = all(tags.get(f"{_INPUT}{key}") == version for key, version in read.items() if version)
        return is_of_them and tags.get(_CODE) == self.platform.code_version(node)

    def _version_read(self, item: Input, partition: str) -> str:
        """Version of an input as Dagster notes it: of several partitions, the hash of theirs in order."""
        known = self.versions[item.key]
        if not self.platform.graph.node(item.key).is_partitioned:
            return known.get(WHOLE, "")
        read = [known[other] for other in partitions_read(self.months, item, partition) if other in known]
        return hashlib.sha256("".join(read).encode()).hexdigest() if read else ""

    def _report(self, node: Node, partition: str, *, is_newest: bool) -> None:
        manifest = required_manifest(self.platform, node.key, partition)
        result = materialize_result(
            self.platform, node, StepOutcome(manifest, kept=True, reasons=(), cost=Cost(0.0, 0.0, None))
        )
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                asset_key=dg.AssetKey.from_user_string(node.key),
                partition=None if partition == WHOLE else partition,
                description=f"Kept: {_WHY}.",
                metadata={**(result.metadata or {}), "why_computed": _WHY},
                tags=self._tags(node, partition, manifest),
            )
        )
        self.versions[node.key][partition] = manifest.content_hash
        if is_newest:
            self._report_checks(node, manifest)

    def _tags(self, node: Node, partition: str, manifest: Manifest) -> dict[str, str]:
        newest_event = str(self.instance.event_log_storage.get_maximum_record_id() or 0)
        tags = {_VERSION: manifest.content_hash, _IS_GIVEN: "true", _CODE: self.platform.code_version(node)}
        for item in node.inputs:
            tags[f"{_INPUT}{item.key}"] = self._version_read(item, partition) or "INITIAL"
            tags[f"{_POINTER}{item.key}"] = newest_event
        return tags

    def _report_checks(self, node: Node, manifest: Manifest) -> None:
        for check in manifest.checks:
            result = check_result(node, check)
            self.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey.from_user_string(node.key),
                    check_name=check.name,
                    passed=result.passed,
                    metadata=result.metadata,
                    severity=result.severity,
                    description=result.description,
                    blocking=check.is_blocking,
                )
            )


def _tags_by_partition(made: Sequence[dg.EventLogRecord]) -> dict[str, dict[str, str]]:
    materializations = (record.asset_materialization for record in made)
    tagged = ((each.partition or WHOLE, dict(each.tags or {})) for each in materializations if each is not None)
    return {partition: tags for partition, tags in tagged if _VERSION in tags}
