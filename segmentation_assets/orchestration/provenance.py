"""Tells Dagster which kept results rest on the present content of the assets that all months share.

A delivery changes assets without partitions. Dagster then calls every month stale that depends on them, whether or not
the part that it reads has changed; manifests know better.
"""

from collections.abc import Mapping

import dagster as dg

from segmentation_assets.graph.node import Node
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.staleness import evaluate, known_months
from segmentation_assets.orchestration.presentation import check_result
from segmentation_assets.storage.store import WHOLE

_OWN_VERSION = "dagster/data_version"
"""Tag of a materialisation: its own content, in Dagster's eyes."""

_INPUT_VERSION = "dagster/input_data_version/"
"""Tag of a materialisation, with the key of an input: the content it was made from, in Dagster's eyes."""


def confirm_kept(platform: Platform, instance: dg.DagsterInstance) -> int:
    """Report the months whose results hold although an asset that all months share has changed since.

    An asset's newest month is reported last, with its checks, so that it stays the one that is shown first. While that
    month is itself out of date, nothing is reported of the asset: it would be shown as fresh, with checks that passed.

    Returns
    -------
    int
        Results reported.
    """
    months = known_months(platform)
    monthly = [node for node in platform.graph.nodes if node.is_partitioned] if months else []
    return sum(_confirm(platform, instance, node, months) for node in monthly)


def _confirm(platform: Platform, instance: dg.DagsterInstance, node: Node, months: tuple[str, ...]) -> int:
    """Report the kept months of one asset; return how many results were reported."""
    shared, newest = _shared_inputs(platform, node), months[-1]
    if not shared:
        return 0
    known = {month: found for month in months if (found := _last_materialization(instance, node, month)) is not None}
    outdated = [month for month, found in known.items() if not _rests_on(found, shared)]
    kept = [month for month in outdated if _holds(platform, node, month, known[month])]
    if not kept or newest not in known or not _holds(platform, node, newest, known[newest]):
        return 0
    reported = list(dict.fromkeys([*kept, newest]))
    for month in reported:
        _report(instance, known[month], shared)
    _report_checks(platform, instance, node, newest)
    return len(reported)


def _shared_inputs(platform: Platform, node: Node) -> dict[str, str]:
    """Tags that name the present content of the inputs without partitions."""
    keys = (item.key for item in node.inputs if not platform.graph.node(item.key).is_partitioned)
    stored = ((key, platform.store.manifest(key, WHOLE)) for key in keys)
    return {f"{_INPUT_VERSION}{key}": manifest.content_hash for key, manifest in stored if manifest is not None}


def _last_materialization(instance: dg.DagsterInstance, node: Node, month: str) -> dg.AssetMaterialization | None:
    key = dg.AssetKey(node.key.split("/"))
    found = instance.fetch_materializations(dg.AssetRecordsFilter(asset_key=key, asset_partitions=[month]), limit=1)
    return found.records[0].asset_materialization if found.records else None


def _rests_on(known: dg.AssetMaterialization, shared: Mapping[str, str]) -> bool:
    """Whether Dagster knows a result as made from the present content of the shared inputs."""
    return all((known.tags or {}).get(tag, version) == version for tag, version in shared.items())


def _holds(platform: Platform, node: Node, month: str, known: dg.AssetMaterialization) -> bool:
    """Whether the result that Dagster knows is the stored one, and up to date."""
    stored = platform.store.manifest(node.key, month)
    is_stored = stored is not None and (known.tags or {}).get(_OWN_VERSION) == stored.content_hash
    return is_stored and evaluate(platform, node, month).state == "fresh"


def _report(instance: dg.DagsterInstance, known: dg.AssetMaterialization, shared: Mapping[str, str]) -> None:
    """Report a result again as it was, as resting on the present content."""
    tags = known.tags or {}
    reason = "the part of the delivery that this month reads has not changed"
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key=known.asset_key,
            partition=known.partition,
            description=f"Kept: {reason}.",
            metadata={**known.metadata, "kept": True, "why_computed": reason, "cpu_seconds": 0.0},
            tags={**tags, **{tag: version for tag, version in shared.items() if tag in tags}},
        )
    )


def _report_checks(platform: Platform, instance: dg.DagsterInstance, node: Node, month: str) -> None:
    manifest = platform.store.manifest(node.key, month)
    for check in manifest.checks if manifest else ():
        result = check_result(node, check)
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(node.key.split("/")),
                check_name=check.name,
                passed=result.passed,
                metadata=result.metadata,
                severity=result.severity,
                description=result.description,
                blocking=check.is_blocking,
            )
        )
