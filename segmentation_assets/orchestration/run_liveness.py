"""Which runs are alive: a run whose process is gone is told so to Dagster, which would wait for it for ever."""

import os
import platform as machine
import time
from collections.abc import Collection
from pathlib import Path

import dagster as dg

from segmentation_assets.orchestration.jobs import JOBS
from segmentation_assets.orchestration.run_tags import PROCESS_TAG, own_tag, own_value

SILENT_SECONDS = 900.0
"""After so long in one state, a run that no process has put its name to counts as dead."""

FOREIGN_SECONDS = 86_400.0
"""The same for a run of another machine, whose processes cannot be seen from here."""

_ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_mark(process_id: int | None = None) -> str:
    """Name a process, by default this one: machine, process id and when it started."""
    number = process_id or os.getpid()
    return f"{machine.node()}/{number}/{_started_at(number)}"


def tag_process(instance: dg.DagsterInstance, run: dg.DagsterRun, *, is_step_process: bool = False) -> None:
    """Note on a run which process works on it, once; of a process per step it is their parent."""
    if run.run_id in _tagged:
        return
    _tagged.add(run.run_id)
    stored = own_tag(run, PROCESS_TAG)
    if not stored or is_process_gone(stored):
        mark = process_mark(os.getppid() if is_step_process else None)
        instance.add_run_tags(run.run_id, {PROCESS_TAG: own_value(run.run_id, mark)})


_tagged: set[str] = set()


def killed_runs_sensor(keys: Collection[str], interval_seconds: int) -> dg.SensorDefinition:
    """Make the sensor that notices killed runs, which would hold their month in the queue for ever."""

    @dg.sensor(
        name="killed_runs_sensor",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=interval_seconds,
        description="Reports runs whose process is gone as failed. On whether or not automation is enabled.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(f"{len(active_runs(context.instance, keys))} runs wait or work")

    return sensor


def active_runs(instance: dg.DagsterInstance, keys: Collection[str]) -> list[dg.DagsterRun]:
    """List the runs of some assets that wait or work; those whose process is gone are reported as failed and left out.

    The storage may be shared with other projects, whose runs are none of ours.
    """
    records = instance.get_run_records(filters=dg.RunsFilter(statuses=_ACTIVE))
    own = (record for record in records if _is_ours(record.dagster_run, keys))
    return [record.dagster_run for record in own if not _report_if_dead(instance, record)]


def is_queued(run: dg.DagsterRun) -> bool:
    """Whether a run waits in the queue: it has no process, and cannot be about to tell Dagster of a result."""
    return run.status == dg.DagsterRunStatus.QUEUED


def _is_ours(run: dg.DagsterRun, keys: Collection[str]) -> bool:
    if own_tag(run, PROCESS_TAG):
        return True
    if run.asset_selection:
        return all(key.to_user_string() in keys for key in run.asset_selection)
    return run.job_name in JOBS


def _report_if_dead(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Report a run as failed when its process is gone; say whether it was."""
    run = record.dagster_run
    if not _is_dead(run, time.time() - record.update_timestamp.timestamp()):
        return False
    instance.report_run_failed(run, "The process that worked on this run is gone; what it had finished is stored.")
    return True


def _is_dead(run: dg.DagsterRun, silent_seconds: float) -> bool:
    mark = own_tag(run, PROCESS_TAG)
    if is_queued(run):
        return False
    if not mark:
        return silent_seconds > SILENT_SECONDS
    if not mark.startswith(f"{machine.node()}/"):
        return silent_seconds > FOREIGN_SECONDS
    return is_process_gone(mark)


def is_process_gone(mark: str) -> bool:
    """Whether a process of this machine no longer lives; one of another machine counts as alive."""
    host, _, rest = mark.partition("/")
    process_id, _, started = rest.partition("/")
    if host != machine.node() or not process_id.isdigit():
        return False
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(started) and started != _started_at(int(process_id))


def _started_at(process_id: int) -> str:
    """Start of a process in clock ticks since boot, from the kernel; empty where the kernel does not tell."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19]
