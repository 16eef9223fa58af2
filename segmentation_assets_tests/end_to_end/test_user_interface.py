"""The Dagster UI as its users' clicks reach it: GraphQL against a started `dagster dev`, with automation off."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets_tests.end_to_end.commands import SETTINGS, contents_of, make_workplace
from segmentation_assets_tests.end_to_end.dagster_dev import ENDED, LOCATION, REPOSITORY_NAME, DagsterDev, Run

MONTHS = ("2025-06-01", "2025-07-01", "2025-08-01")

_LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message } } }"""

_BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) { __typename
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""

_CONFIG = """query($selector: PipelineSelector!) { runConfigSchemaOrError(selector: $selector, mode: "default") {
    ... on RunConfigSchema { allConfigTypes { ... on CompositeConfigType { fields { name description } } } } } }"""

_SCHEDULE = """mutation($selector: ScheduleSelector!, $at: Float) {
    scheduleDryRun(selectorData: $selector, timestamp: $at) { ... on DryRunInstigationTick { evaluationResult {
    skipReason runRequests { tags { key value } jobName } error { message } } } } }"""

_SENSOR = """mutation($selector: SensorSelector!) { sensorDryRun(selectorData: $selector, cursor: "") {
    ... on DryRunInstigationTick { evaluationResult { skipReason runRequests { jobName } error { message } } } } }"""

_PARTITIONS = """{ assetNodes { assetKey { path } isPartitioned
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } }"""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterDev]:
    folder = tmp_path_factory.mktemp("interface")
    make_workplace(folder)
    (folder / "segmentation.yaml").write_text(f"{SETTINGS}automation:\n  enabled: false\n", encoding="utf-8")
    with DagsterDev(folder) as started:
        yield started


def launch(dev: DagsterDev, job: str, month: str = "", config: dict[str, Any] | None = None, **tags: str) -> str:
    """Launch a job as the Launchpad does; return the run's id."""
    tags = {**tags, **({"dagster/partition": month} if month else {})}
    answer = dev.ask(
        _LAUNCH,
        params={
            "selector": dev.selector("pipelineName", job),
            "mode": "default",
            "runConfigData": json.dumps(config or {}),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        },
    )["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["runId"]
    return run_id


def test_automation_that_is_switched_off_is_off(dev: DagsterDev) -> None:
    nodes = dev.ask(
        "{ repositoriesOrError { ... on RepositoryConnection { nodes { sensors { name sensorState { status } } "
        "schedules { name scheduleState { status } } } } } }"
    )["repositoriesOrError"]["nodes"]
    (repository,) = nodes
    found = {sensor["name"]: sensor["sensorState"]["status"] for sensor in repository["sensors"]}
    found |= {schedule["name"]: schedule["scheduleState"]["status"] for schedule in repository["schedules"]}
    assert found.pop("killed_runs_sensor") == "RUNNING"
    assert set(found) >= {"on_data_change_sensor", "catch_up_sensor", "delivery_sensor", "monthly_snapshot_schedule"}
    assert set(found.values()) == {"STOPPED"}


def test_job_of_one_month_materialises_that_partition_of_every_asset(dev: DagsterDev) -> None:
    assert dev.wait_for_end(launch(dev, "monthly_snapshot_job", MONTHS[0])).status == "SUCCESS"
    nodes = dev.ask(_PARTITIONS)["assetNodes"]
    ranges = {
        "/".join(node["assetKey"]["path"]): [
            tuple(found.values()) for found in node["assetPartitionStatuses"]["ranges"]
        ]
        for node in nodes
        if node["isPartitioned"]
    }
    assert len(ranges) > 15
    assert set(map(tuple, ranges.values())) == {(("MATERIALIZED", MONTHS[0], MONTHS[0]),)}


def test_month_out_of_order_fails_with_the_words_that_name_the_missing_one(dev: DagsterDev) -> None:
    run = dev.wait_for_end(launch(dev, "monthly_snapshot_job", MONTHS[2]))
    assert run.status == "FAILURE"
    assert "builds on 2025-07, which is not up to date" in failure_of(dev, run)


def failure_of(dev: DagsterDev, run: Run) -> str:
    """Descriptions of the steps that failed in a run."""
    query = """query($id: ID!) { runOrError(runId: $id) { ... on Run { eventConnection(limit: 1000) { events {
        ... on ExecutionStepFailureEvent { failureMetadata { description } } } } } } }"""
    events = dev.ask(query, id=run.run_id)["runOrError"]["eventConnection"]["events"]
    return " ".join((event.get("failureMetadata") or {}).get("description") or "" for event in events)


def test_backfill_of_all_months_makes_each_once_in_order_with_the_bytes_of_segmentation_run(
    dev: DagsterDev, finished_workplace: Path
) -> None:
    known = dev.runs()
    partition_set = {
        "repositorySelector": {"repositoryName": REPOSITORY_NAME, "repositoryLocationName": LOCATION},
        "partitionSetName": "monthly_snapshot_job_partition_set",
    }
    answer = dev.ask(_BACKFILL, params={"selector": partition_set, "partitionNames": list(MONTHS)})[
        "launchPartitionBackfill"
    ]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer

    def runs() -> list[Run]:
        found = dev.runs_since(known)
        return found if len(found) == len(MONTHS) and all(run.status in ENDED for run in found) else []

    found = dev.wait_for(runs, "the backfill has ended")
    assert {run.status for run in found} == {"SUCCESS"}
    made = dev.materializations(found)
    assert {part: made["gold/champion", part, False] for part in MONTHS} == {MONTHS[0]: 0, MONTHS[1]: 1, MONTHS[2]: 1}
    assert contents_of(dev.folder / "data") == contents_of(finished_workplace / "data")


def test_launchpad_describes_what_a_person_may_change(dev: DagsterDev) -> None:
    described = {}
    for job in ("monthly_snapshot_job", "catch_up_job"):
        selector = dev.selector("pipelineName", job)
        types = dev.ask(_CONFIG, selector=selector)["runConfigSchemaOrError"]["allConfigTypes"]
        described[job] = {
            field["name"]: field["description"] for found in types if "fields" in found for field in found["fields"]
        }
    assert "whether anything it rests on has changed" in described["monthly_snapshot_job"]["force"]
    assert "seed of the clusterings for this run" in described["monthly_snapshot_job"]["seed"]
    assert "newest so many snapshot months" in described["catch_up_job"]["months"]


def test_seed_given_by_hand_holds_for_its_month_and_goes_with_a_forced_run(dev: DagsterDev) -> None:
    platform = Platform(load_settings(config=dev.folder / "segmentation.yaml", overrides={
        "data_dir": str(dev.folder / "data")}).settings)  # fmt: skip
    config = {"resources": {"options": {"config": {"seed": 99}}}}
    assert dev.wait_for_end(launch(dev, "refit_job", MONTHS[2], config)).status == "SUCCESS"
    manifest = platform.store.manifest("clusters/kmeans", MONTHS[2])
    assert manifest is not None
    assert manifest.by_hand == {"clustering.seed": 99}
    run = dev.wait_for_end(launch(dev, "monthly_snapshot_job", MONTHS[2]))
    assert run.status == "SUCCESS"
    assert dev.materializations([run])["clusters/kmeans", MONTHS[2], True] == 1
    forced = {"resources": {"options": {"config": {"force": True}}}}
    assert dev.wait_for_end(launch(dev, "refit_job", MONTHS[2], forced)).status == "SUCCESS"
    manifest = platform.store.manifest("clusters/kmeans", MONTHS[2])
    assert manifest is not None
    assert manifest.by_hand == {}


def test_reports_job_makes_reports_and_exports_only(dev: DagsterDev) -> None:
    run = dev.wait_for_end(launch(dev, "reports_job", MONTHS[2]))
    layers = {key.split("/")[0] for key, _, _ in dev.materializations([run])}
    assert layers == {"reports", "exports", "serving"}


def test_catch_up_of_the_newest_months_runs_inside_dagster(dev: DagsterDev) -> None:
    known = dev.runs()
    config = {"ops": {"catch_up": {"config": {"months": 1, "force": True}}}}
    assert dev.wait_for_end(launch(dev, "catch_up_job", config=config)).status == "SUCCESS"
    nested = [run for run in dev.runs_since(known) if run.job == "monthly_snapshot_job"]
    assert [run.month for run in nested] == [MONTHS[2]]
    assert dev.materializations(nested)["clusters/kmeans", MONTHS[2], False] == 1


def test_schedule_asks_for_the_month_that_has_just_ended(dev: DagsterDev) -> None:
    at = dt.datetime(2025, 9, 1, 6, 0, tzinfo=dt.UTC).timestamp()
    selector = dev.selector("scheduleName", "monthly_snapshot_schedule")
    result = dev.ask(_SCHEDULE, selector=selector, at=at)["scheduleDryRun"]["evaluationResult"]
    assert result["error"] is None
    (request,) = result["runRequests"]
    assert {tag["key"]: tag["value"] for tag in request["tags"]}["dagster/partition"] == MONTHS[2]


def test_sensors_say_why_they_start_nothing(dev: DagsterDev) -> None:
    said = {}
    for name in ("catch_up_sensor", "delivery_sensor"):
        selector = dev.selector("sensorName", name)
        result = dev.ask(_SENSOR, selector=selector)["sensorDryRun"]["evaluationResult"]
        assert result["error"] is None
        said[name] = result["skipReason"]
    assert said["catch_up_sensor"] == "everything that has been taken in is up to date"
    assert said["delivery_sensor"] == "files are new or have changed; waiting until they stay as they are"
