"""Steps whose earlier months are being made by another run: they wait for it instead of failing."""

import logging
import time
from collections.abc import Callable

import dagster as dg

from segmentation_assets.errors import PredecessorError
from segmentation_assets.graph.months import month_range, previous_month
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.jobs import CATCH_UP_JOB
from segmentation_assets.orchestration.run_liveness import active_runs, is_queued
from segmentation_assets.orchestration.run_tags import PARTITION_TAG

PATIENCE_SECONDS = 60.0
"""How long no step of an earlier run may be at work before the run counts as stuck: time to start a process."""

BETWEEN_STEPS_SECONDS = {"in_process": 3.0, "multiprocess": 20.0}
"""The same where Dagster knows of no earlier run, by executor: another storage may, or it has just ended."""

_POLL_SECONDS = 0.25


def compute_in_order(
    platform: Platform,
    context: dg.AssetExecutionContext,
    partition: str,
    compute: Callable[[], StepOutcome],
    log: logging.Logger,
) -> StepOutcome:
    """Run a step; while an earlier month it builds on is being made by another run, wait for that run.

    Raises
    ------
    PredecessorError
        An earlier month is missing or out of date and no run is making it.
    """
    last_sign = time.monotonic()
    is_told = False
    while True:
        try:
            return compute()
        except PredecessorError as problem:
            if _earlier_step_is_at_work(platform, partition):
                last_sign = time.monotonic()
            earlier = _earlier_runs(platform, context, partition)
            patience = PATIENCE_SECONDS if earlier else BETWEEN_STEPS_SECONDS[platform.settings.execution.executor]
            if time.monotonic() - last_sign > patience:
                raise _with_queue(problem, earlier) from None
            if not is_told:
                log.info("%s; waiting for a run that may be making it", problem.message)
                is_told = True
        time.sleep(_POLL_SECONDS)


def _earlier_runs(platform: Platform, context: dg.AssetExecutionContext, partition: str) -> list[dg.DagsterRun]:
    """List other runs that wait or work and are of an earlier month, or of all months in turn."""
    active = active_runs(context.instance, platform.graph.by_key)
    others = (run for run in active if run.run_id != context.run.run_id)
    return [run for run in others if run.job_name == CATCH_UP_JOB or run.tags.get(PARTITION_TAG, "9") < partition]


def _with_queue(problem: PredecessorError, earlier: list[dg.DagsterRun]) -> PredecessorError:
    """Say so when the earlier run cannot begin because this one holds its place."""
    queued = [run for run in earlier if is_queued(run)]
    if not queued:
        return problem
    month = queued[0].tags.get(PARTITION_TAG, "")[:7] or "all months"
    return PredecessorError(
        problem.message,
        f"the run of {month} is in the queue behind this one: start this month again when that run has ended.",
    )


def _earlier_step_is_at_work(platform: Platform, partition: str) -> bool:
    """Whether a process is making an asset of an earlier month, or one that all months share."""
    earlier = month_range(platform.first_month, previous_month(partition))
    return any(
        platform.store.is_locked(f"step/{node.key}", month)
        for node in platform.graph.nodes
        for month in node.partitions(earlier)
    )
