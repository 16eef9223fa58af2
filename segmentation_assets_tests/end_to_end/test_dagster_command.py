"""`dagster asset materialize` on a fresh checkout: months in order, incremental, and in the storage of dagster.yaml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets_tests.assets.stored import every_file_of
from segmentation_assets_tests.end_to_end.commands import (
    Finished,
    contents_of,
    make_workplace,
    materialize,
)


@dataclass(frozen=True)
class Story:
    """July too early, June, July, July once more with the files before and after, and August."""

    folder: Path
    early: Finished
    june: Finished
    july: Finished
    again: Finished
    august: Finished
    before: dict[str, tuple[int, int]]
    after: dict[str, tuple[int, int]]
    runs: tuple[dg.RunRecord, ...]
    last_materializations: tuple[dg.AssetMaterialization, ...]

    def keys(self) -> set[str]:
        """All asset keys of the shop."""
        return set(Platform(load_settings(config=self.folder / "segmentation.yaml").settings).graph.by_key)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("checkout")
    make_workplace(folder)
    early, june, july = (materialize(folder, month) for month in ("2025-07-01", "2025-06-01", "2025-07-01"))
    before = every_file_of(folder / "data")
    again = materialize(folder, "2025-07-01")
    runs, materializations = _logged(folder)
    after = every_file_of(folder / "data")
    august = materialize(folder, "2025-08-01")
    return Story(folder, early, june, july, again, august, before, after, runs, materializations)


def _logged(folder: Path) -> tuple[tuple[dg.RunRecord, ...], tuple[dg.AssetMaterialization, ...]]:
    """Read runs, oldest first, and the last run's materialisations from the instance that dagster.yaml describes."""
    elsewhere = Path.cwd()
    os.chdir(folder)
    try:
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            runs = tuple(reversed(instance.get_run_records()))
            events = instance.all_logs(runs[-1].dagster_run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
            return runs, tuple(event.asset_materialization for event in events)
    finally:
        os.chdir(elsewhere)


def test_month_before_its_predecessor_fails_and_names_it(story: Story) -> None:
    assert story.early.code == 1
    said = story.early.out + story.early.err
    assert "silver/customer_history for 2025-07 builds on 2025-06, which is not up to date" in said
    assert "--partition 2025-06-01 first" in said


def test_months_in_order_work(story: Story) -> None:
    assert (story.june.code, story.july.code, story.again.code, story.august.code) == (0, 0, 0, 0)
    for month in ("2025-06", "2025-07"):
        assert (story.folder / "data" / "reports" / month / "dashboard.html").is_file()


def test_month_after_month_leads_to_the_bytes_of_one_run(story: Story, finished_workplace: Path) -> None:
    assert contents_of(story.folder / "data") == contents_of(finished_workplace / "data")


def test_second_identical_command_rewrites_no_file(story: Story) -> None:
    assert len(story.before) > 50
    assert story.after == story.before


def test_second_identical_command_keeps_every_asset_and_says_so(story: Story) -> None:
    kept = {event.asset_key.to_user_string(): event.metadata["kept"].value for event in story.last_materializations}
    assert kept == dict.fromkeys(story.keys(), True)


def test_kept_asset_reports_the_data_version_of_its_content(story: Story) -> None:
    store = Platform(load_settings(config=story.folder / "segmentation.yaml", overrides={
        "data_dir": str(story.folder / "data")}).settings).store  # fmt: skip
    (event,) = [event for event in story.last_materializations if event.asset_key.path[-1] == "champion"]
    assert event.tags["dagster/data_version"] == store.manifest("gold/champion", "2025-07-01").content_hash


def test_runs_are_in_the_storage_that_the_repository_names(story: Story) -> None:
    months = [record.dagster_run.tags["dagster/partition"] for record in story.runs]
    assert months == ["2025-07-01", "2025-06-01", "2025-07-01", "2025-07-01"]
    assert [record.dagster_run.is_success for record in story.runs] == [False, True, True, True]
    assert list((story.folder / "data" / "dagster" / "storage").rglob("runs.db"))


def test_nothing_is_written_outside_the_data_folder(story: Story) -> None:
    assert {path.name for path in story.folder.iterdir()} == {
        "data",
        "segmentation.yaml",
        "dagster.yaml",
        "workspace.yaml",
    }
