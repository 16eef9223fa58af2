import json

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.monitoring.cost import Cost
from segmentation_assets.monitoring.run_records import (
    RunRecord,
    StepRecord,
    describe_environment,
    package_versions,
    write_run_record,
)

COST = Cost(1.5, 2.5, None)


def step(key, kept, *files):
    return StepRecord(key, "2025-06-01", kept, (), 3, COST, {"figure": 1}, files)


@pytest.fixture
def written(tmp_path):
    steps = (
        step("gold/x", False, "tables/gold/x/part-0.parquet"),
        step("reports/y", False, "reports/2025-06/y.html"),
        step("reports/z", True, "reports/2025-06/y.html", "exports/2025-06/z.csv"),
    )
    record = RunRecord("run-1", ("segmentation", "run"), "2025-09-01T00:00:00", "", True, ("a problem",), steps, COST)
    path = write_run_record(record, load_settings(profile="demo").settings, tmp_path)
    return path, json.loads(path.read_text(encoding="utf-8"))


def test_record_lies_under_its_run_id_and_nothing_else_is_left(tmp_path, written):
    path, _ = written
    assert path == tmp_path / "runs" / "run-1.json"
    assert list(path.parent.iterdir()) == [path]


def test_record_counts_steps_and_lists_what_people_can_open(written):
    _, document = written
    assert (document["computed_steps"], document["kept_steps"]) == (2, 1)
    assert document["artifacts"] == ["exports/2025-06/z.csv", "reports/2025-06/y.html"]
    assert document["errors"] == ["a problem"]
    assert document["steps"][0]["cost"] == {"cpu_seconds": 1.5, "wall_seconds": 2.5, "peak_megabytes": None}


def test_record_holds_all_settings_and_the_versions_that_decide_results(written):
    _, document = written
    assert document["settings"]["synthetic"]["customers"] == 1500
    assert {"duckdb", "scikit-learn", "pandas"} <= set(document["environment"]["packages"])
    assert set(document["environment"]) == {
        "python",
        "platform",
        "processor_count",
        "packages",
        "lock_sha256",
        "git_commit",
    }


def test_checkout_is_described_by_its_lock_file():
    assert len(describe_environment()["lock_sha256"]) == 64


def test_package_that_is_not_installed_is_left_out():
    assert list(package_versions(("duckdb", "no-such-package-here"))) == ["duckdb"]
