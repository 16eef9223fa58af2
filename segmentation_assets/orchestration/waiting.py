"""Steps whose earlier months are being made by another run: they wait for it instead of failing."""

import logging
import time
from collections.abc import Callable

import dagster as dg

from segmentation_assets.errors import PredecessorError
from segmentation_assets.graph.months import month_range, previous_month
from segmentation_assets.graph.platform import Platform
from segmentation_assets.orchestration.incremental import StepOutcome
from segmentation_assets.orchestration.run_liveness import active_runs
from segmentation_assets.orchestration.run_tags import PARTITION_TAG
from segmentation_assets.storage.store import WHOLE

PATIENCE_SECONDS = 60.0
"""How long no step of the earlier run may be at work before it counts as stuck: time to start a process, or a step."""

_POLL_SECONDS = 0.5


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
            if not _earlier_run_is_active(context, partition) or time.monotonic() - last_sign > PATIENCE_SECONDS:
                raise
            if not is_told:
                log.info("%s; another run is making it, waiting for that run", problem.message)
                is_told = True
        if _earlier_step_is_at_work(platform, partition):
            last_sign = time.monotonic()
        time.sleep(_POLL_SECONDS)


def _earlier_run_is_active(context: dg.AssetExecutionContext, partition: str) -> bool:
    """Whether another run of an earlier month waits or works."""
    runs = active_runs(context.instance)
    return any(run.run_id != context.run.run_id and run.tags.get(PARTITION_TAG, "9") < partition for run in runs)


def _earlier_step_is_at_work(platform: Platform, partition: str) -> bool:
    """Whether a process is making an asset of an earlier month, or one that all months share."""
    earlier = month_range(platform.first_month, previous_month(partition))
    return any(
        platform.store.is_locked(f"step/{node.key}", month)
        for node in platform.graph.nodes
        for month in (earlier if node.is_partitioned else (WHOLE,))
    )
