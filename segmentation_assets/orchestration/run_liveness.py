"""Which runs are alive: a run whose process is gone is told so to Dagster, which would wait for it for ever."""

import os
import platform as machine
from pathlib import Path

import dagster as dg

PROCESS_TAG = "segmentation/process"

_ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_mark() -> str:
    """Name this process: machine, process id and when it started."""
    return f"{machine.node()}/{os.getpid()}/{_started_at(os.getpid())}"


def tag_process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Note on a run which process works on it, once."""
    mark = process_mark()
    if run.tags.get(PROCESS_TAG) != mark and _tagged.get(run.run_id) != mark:
        instance.add_run_tags(run.run_id, {PROCESS_TAG: mark})
        _tagged[run.run_id] = mark


_tagged: dict[str, str] = {}


def active_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """List the runs that wait or work; those whose process is gone are reported as failed and left out."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=_ACTIVE))
    return [run for run in runs if not _report_if_dead(instance, run)]


def _report_if_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Report a run as failed when its process is gone; say whether it was."""
    if not is_process_gone(run.tags.get(PROCESS_TAG, "")):
        return False
    instance.report_run_failed(run, "The process that worked on this run is gone; what it had finished is stored.")
    return True


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
