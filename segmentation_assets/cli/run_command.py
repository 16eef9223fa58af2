"""`segmentation run` and `segmentation report`."""

from __future__ import annotations

import argparse
import logging
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from segmentation_assets.cli.decision_commands import restate
from segmentation_assets.cli.opening import load_from_arguments
from segmentation_assets.cli.progress import Progress, close_log, open_log
from segmentation_assets.cli.summary import closing_summary
from segmentation_assets.errors import SegmentationError, SettingsError, plural
from segmentation_assets.graph.log_mark import is_log_behind
from segmentation_assets.graph.plan import Scope, is_up_to_date
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.reading_due import ask_for_reading
from segmentation_assets.graph.retention import prune_after_run
from segmentation_assets.graph.staleness import is_retired, known_months
from segmentation_assets.ingestion.mapping import MADE_BY
from segmentation_assets.ingestion.unread_files import describe_unread_files, find_unread_files
from segmentation_assets.interrupts import as_interrupts
from segmentation_assets.monitoring.cost import CostMeter
from segmentation_assets.monitoring.mlflow_tracking import require_mlflow
from segmentation_assets.monitoring.run_publication import publish_run
from segmentation_assets.monitoring.run_records import RunRecord, utc_now, write_run_record

_STOPPED = "stopped by the user"

_log = logging.getLogger("segmentation_assets.run")


def run(parsed: argparse.Namespace) -> int:
    """Bring the scope that the arguments name up to date."""
    platform = Platform(load_from_arguments(parsed).settings)
    names = parsed.only or []
    keys = frozenset().union(*(platform.graph.select(name) for name in names)) if names else _all_keys(platform)
    scope = Scope(keys, month=parsed.month or "", months=parsed.months, force=parsed.force)
    if parsed.customers is not None and platform.settings.source.kind != "synthetic":
        raise SettingsError(
            f"--customers shapes the synthetic shop, and source.kind is '{platform.settings.source.kind}'",
            "leave it out.",
        )
    if parsed.rebuild_from:
        restate(platform, parsed.rebuild_from, parsed.reason)
    if MADE_BY["postgres"] in keys:
        ask_for_reading(platform)
    return _execute(platform, scope, parsed.log_level, is_pruning=True)


def report(parsed: argparse.Namespace) -> int:
    """Write the reports and exports of one month again from the stored tables."""
    platform = Platform(load_from_arguments(parsed).settings)
    keys = frozenset(platform.graph.select("reports") | platform.graph.select("exports"))
    months = [month for month in known_months(platform) if platform.store.manifest("gold/customer_segments", month)]
    if not months:
        raise SettingsError("there is no finished month to report on", "run 'segmentation run' first.")
    month = parsed.month or months[-1]
    if is_retired(platform, platform.store.manifest("gold/customer_segments", month)):
        raise SettingsError(
            f"{month[:7]} lies beyond retention.months",
            "run 'segmentation run' without retention.months; it makes all such months again.",
        )
    return _execute(platform, Scope(keys, month=month, force=True), parsed.log_level)


def _all_keys(platform: Platform) -> frozenset[str]:
    return frozenset(platform.graph.by_key)


def _execute(platform: Platform, scope: Scope, log_level: str, *, is_pruning: bool = False) -> int:
    require_mlflow(platform.settings.tracking.mlflow)
    progress = Progress(platform)
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    handler = open_log(platform.data_dir, run_id, log_level)
    try:
        return _recorded(
            platform, progress, run_id, lambda: _run_and_prune(platform, scope, progress, is_pruning=is_pruning)
        )
    finally:
        close_log(handler)


def _run_and_prune(platform: Platform, scope: Scope, progress: Progress, *, is_pruning: bool) -> None:
    """Run what is stale; then apply the retention settings, if asked to."""
    _run_scope(platform, scope, progress)
    if not is_pruning:
        return
    pruning, was_forgotten = prune_after_run(platform)
    progress.pruned = pruning.in_words()
    if was_forgotten:
        progress.pruned.append("all earlier versions, as a customer was erased")
    for line in progress.pruned:
        progress.say(f"removed {line}")


def _run_scope(platform: Platform, scope: Scope, progress: Progress) -> None:
    """Run what is stale; Dagster is imported only when something is, or when its log does not know what is stored."""
    if is_up_to_date(platform, scope):
        progress.say("everything is up to date; nothing was computed")
        if not is_log_behind(platform):
            return
    meter = CostMeter()
    from segmentation_assets.orchestration.runner import run_scope

    imported = meter.read().cpu_seconds
    progress.dagster_cpu_seconds = imported + run_scope(platform, scope, progress)


def _recorded(platform: Platform, progress: Progress, run_id: str, work: Callable[[], None]) -> int:
    """Do the work and write the run's record, whether it succeeds or not."""
    record = RunRecord(run_id, tuple(sys.argv), started_at=utc_now(), succeeded=False)
    meter = CostMeter()
    progress.say(f"run {run_id}: {platform.settings.source.kind} source, data in {platform.data_dir}")
    try:
        with as_interrupts(KeyboardInterrupt):
            work()
        record = replace(record, succeeded=True)
    except SegmentationError as problem:
        _log.error("%s", problem)
        record = replace(record, errors=(str(problem),))
        raise
    except KeyboardInterrupt:
        record = replace(record, errors=(_STOPPED,))
        raise
    finally:
        record = replace(
            record,
            ended_at=utc_now(),
            steps=tuple(progress.steps),
            pruned=tuple(progress.pruned),
            cost=meter.read(),
            dagster_cpu_seconds=progress.dagster_cpu_seconds,
        )
        path = write_run_record(record, platform.settings, platform.data_dir)
        if _STOPPED not in record.errors:
            for words in publish_run(platform.settings, platform.data_dir, run_id):
                progress.say(f"  warning: {words}")
    computed = sum(not step.kept for step in progress.steps)
    progress.say(f"{plural(computed, 'step')} computed, {len(progress.steps) - computed} kept; record {path}")
    print(closing_summary(platform))
    for label, text in describe_unread_files(find_unread_files(platform.settings)).items():
        print(f"  {label:<10} {text}")
    platform.store.tidy()
    return 0
