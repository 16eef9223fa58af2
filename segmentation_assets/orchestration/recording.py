"""Run records and logs of runs that Dagster starts; `segmentation run` keeps its own."""

import sys
from datetime import UTC, datetime

from segmentation_assets.graph.platform import Platform
from segmentation_assets.monitoring.run_records import RunRecord, StepRecord, add_to_run_record
from segmentation_assets.orchestration.incremental import StepOutcome


def record_step(platform: Platform, run_id: str, partition: str, outcome: StepOutcome) -> None:
    """Add a step that ended well to the record of its run."""
    _add(platform, run_id, steps=(StepRecord.of(outcome.manifest.key, partition, outcome),))


def record_failure(platform: Platform, run_id: str, message: str) -> None:
    """Add a step's error to the record of its run."""
    _add(platform, run_id, errors=(message,))


def _add(platform: Platform, run_id: str, *, steps: tuple[StepRecord, ...] = (), errors: tuple[str, ...] = ()) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    record = RunRecord(
        run_id, tuple(sys.argv), started_at=now, ended_at=now, succeeded=not errors, errors=errors, steps=steps
    )
    add_to_run_record(record, platform.settings, platform.data_dir)
