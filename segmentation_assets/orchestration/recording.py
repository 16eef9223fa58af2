"""Run records and logs of runs that Dagster starts; `segmentation run` keeps its own."""

import sys
from datetime import UTC, datetime, timedelta

from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.tracked import record_of_step
from segmentation_assets.monitoring.run_publication import publish_run
from segmentation_assets.monitoring.run_records import RunRecord, StepRecord, add_to_run_record
from segmentation_assets.monitoring.tracked_steps import is_tracked
from segmentation_assets.orchestration.incremental import StepOutcome


def record_step(platform: Platform, run_id: str, partition: str, outcome: StepOutcome) -> None:
    """Add a step that ended well to the record of its run; a model or a clustering is published at once.

    No process oversees such a run to its end, so there is nobody to do it then.
    """
    node = platform.graph.node(outcome.manifest.key)
    _add(platform, run_id, steps=(record_of_step(platform, node, partition, outcome),))
    if is_tracked(node.key):
        publish_run(platform.settings, platform.data_dir, run_id)


def record_failure(platform: Platform, run_id: str, message: str) -> None:
    """Add a step's error to the record of its run."""
    _add(platform, run_id, errors=(message,))
    publish_run(platform.settings, platform.data_dir, run_id)


def _add(platform: Platform, run_id: str, *, steps: tuple[StepRecord, ...] = (), errors: tuple[str, ...] = ()) -> None:
    now = datetime.now(UTC)
    began = now - timedelta(seconds=sum(step.cost.wall_seconds for step in steps))
    record = RunRecord(
        run_id,
        tuple(sys.argv),
        started_at=began.isoformat(timespec="seconds"),
        ended_at=now.isoformat(timespec="seconds"),
        succeeded=not errors,
        errors=errors,
        steps=steps,
    )
    add_to_run_record(record, platform.settings, platform.data_dir)
