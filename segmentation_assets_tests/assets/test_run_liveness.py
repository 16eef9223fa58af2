"""Which runs count as at work, and what becomes of those whose process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest

from segmentation_assets.orchestration import run_liveness
from segmentation_assets.orchestration.jobs import INGEST_JOB
from segmentation_assets.orchestration.run_liveness import (
    FOREIGN_SECONDS,
    SILENT_SECONDS,
    active_runs,
    is_process_gone,
    killed_runs_sensor,
    process_mark,
    tag_process,
)
from segmentation_assets.orchestration.run_tags import PROCESS_TAG, own_tag, own_value

KEYS = {"gold/champion"}


@dg.job(name=INGEST_JOB)
def own_job() -> None:
    pass


@dg.job
def job_of_another_project() -> None:
    pass


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def started_run(
    instance: dg.DagsterInstance, mark: str = "", *, marked_run: str = "", job: dg.JobDefinition = own_job
) -> dg.DagsterRun:
    """Make a run that has started, with the mark of a process; `marked_run` is another run the mark was given to."""
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    if mark:
        instance.add_run_tags(run.run_id, {PROCESS_TAG: own_value(marked_run or run.run_id, mark)})
    return stored_run(instance, run)


def stored_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    """Return a run as it is now."""
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


@pytest.fixture
def killed_process() -> str:
    """Mark of a process that has been killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = process_mark(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return mark


def test_this_process_lives_and_a_killed_one_does_not(killed_process: str) -> None:
    assert not is_process_gone(process_mark())
    assert is_process_gone(killed_process)


def test_process_that_took_over_the_number_is_another_one() -> None:
    host, number, started = process_mark().rsplit("/", 2)
    assert is_process_gone(f"{host}/{number}/{int(started) - 1}")


def test_run_of_a_killed_process_is_reported_as_failed(instance: dg.DagsterInstance, killed_process: str) -> None:
    run = started_run(instance, killed_process)
    assert active_runs(instance, KEYS) == []
    assert stored_run(instance, run).status == dg.DagsterRunStatus.FAILURE


def test_sensor_that_is_always_on_reports_a_killed_run(instance: dg.DagsterInstance, killed_process: str) -> None:
    run = started_run(instance, killed_process)
    sensor = killed_runs_sensor(KEYS, 30)
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    with dg.build_sensor_context(instance=instance) as context:
        assert sensor.evaluate_tick(context).skip_message == "0 runs wait or work"
    assert stored_run(instance, run).status == dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("key", ["gold/champion", "marts/orders"])
def test_runs_of_other_projects_in_the_same_storage_are_left_alone(instance: dg.DagsterInstance, key: str) -> None:
    """Their processes put no name to them, and they may take hours."""
    foreign = started_run(instance, job=job_of_another_project)
    selection = frozenset({dg.AssetKey(key.split("/"))})
    of_assets = dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.STARTED, asset_selection=selection)
    instance.run_storage.add_run(of_assets)
    active = {run.run_id for run in active_runs(instance, KEYS)}
    assert foreign.run_id not in active
    assert (of_assets.run_id in active) == (key in KEYS)
    assert stored_run(instance, foreign).status == dg.DagsterRunStatus.STARTED


def test_run_executed_again_is_not_taken_for_the_one_whose_process_was_killed(
    instance: dg.DagsterInstance, killed_process: str
) -> None:
    """Dagster copies the tags of the first run."""
    first = started_run(instance, killed_process)
    active_runs(instance, KEYS)
    again = started_run(instance, killed_process, marked_run=first.run_id)
    assert [found.run_id for found in active_runs(instance, KEYS)] == [again.run_id]
    tag_process(instance, again)
    assert own_tag(stored_run(instance, again), PROCESS_TAG) == process_mark()


def test_run_of_a_living_process_is_left_alone(instance: dg.DagsterInstance) -> None:
    run = started_run(instance, process_mark())
    assert [found.run_id for found in active_runs(instance, KEYS)] == [run.run_id]


@pytest.mark.parametrize(
    ("mark", "limit"), [("", SILENT_SECONDS), ("another-machine/1/1", FOREIGN_SECONDS)], ids=["untagged", "foreign"]
)
def test_run_whose_process_cannot_be_seen_counts_as_dead_after_long_silence(
    instance: dg.DagsterInstance, mark: str, limit: float
) -> None:
    run = started_run(instance, mark)
    assert not run_liveness._is_dead(run, limit - 1)
    assert run_liveness._is_dead(run, limit + 1)


@pytest.mark.parametrize("is_step_process", [True, False])
def test_run_carries_the_process_that_lives_as_long_as_the_run(
    instance: dg.DagsterInstance, is_step_process: bool
) -> None:
    run = started_run(instance)
    tag_process(instance, run, is_step_process=is_step_process)
    expected = process_mark(os.getppid() if is_step_process else None)
    assert own_tag(stored_run(instance, run), PROCESS_TAG) == expected


def test_mark_of_a_living_process_is_not_overwritten(instance: dg.DagsterInstance) -> None:
    parent = process_mark(os.getppid())
    run = started_run(instance, parent)
    tag_process(instance, run)
    assert own_tag(stored_run(instance, run), PROCESS_TAG) == parent
