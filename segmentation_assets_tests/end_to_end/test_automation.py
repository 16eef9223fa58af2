"""A running `dagster dev`: what starts by itself after a change, how often, and what does not.

The tests tell one story, on one shop and one Dagster; each leaves everything up to date. They run in file order.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segmentation_assets.cli.config_command import show_text
from segmentation_assets.config.loading import LoadedSettings
from segmentation_assets_tests.assets.conftest import MONTHS, Shop, deliver_small_shop
from segmentation_assets_tests.assets.stored import rewrite
from segmentation_assets_tests.end_to_end.commands import REPOSITORY, segmentation
from segmentation_assets_tests.end_to_end.dagster_dev import DagsterDev, Run

NEWEST = MONTHS[-1]

QUICK = {
    "automation__interval_seconds": 5,
    "automation__catch_up_after_seconds": 25,
    "automation__delivery_quiet_seconds": 4,
    "automation__max_attempts": 2,
    "clustering__algorithms__kmeans__n_init": 2,
}

FEATURES = {"silver/snapshot_input", "silver/customer_history", "silver/customer_features"}

FOLLOWING_CLUSTERS = {
    "clusters/kmeans",
    "clusters/leaderboard",
    "gold/champion",
    "gold/customer_segments",
    "gold/segment_profiles",
    "monitoring/data_quality",
    "reports/business_report",
    "reports/dashboard",
    "reports/figures",
    "exports/customer_segments",
    "exports/workbook",
}

FOLLOWING_FEATURES = {*FOLLOWING_CLUSTERS, "silver/imputed_features", "silver/model_matrix", "gold/rfm_segments"}


class Story:
    """A shop with files of its own, and Dagster running on it."""

    def __init__(self, root: Path, dev: DagsterDev) -> None:
        self.shop = Shop(root)
        self.dev = dev

    def change(self, what: Callable[[], None], seconds: float = 300) -> list[Run]:
        """Do something and return the runs that came of it, when all have ended."""
        known = self.dev.runs()
        what()
        return self.dev.wait_until_quiet(known, seconds)

    def set(self, **settings: object) -> None:
        """Write the settings with some changed, and have the code location read them."""
        write_settings(self.shop, **settings)
        self.dev.reload()

    def rewrite(self, month: str, sql: str, codec: str = "zstd") -> None:
        """Replace the delivered lines of a month by the result of a query over them."""
        path = self.shop.deliveries / f"order_lines-{month[:7]}.parquet"
        rewrite(path, sql, codec)

    def made(self, runs: list[Run]) -> dict[str, set[str]]:
        """Partitions that runs computed, by asset key; fails when one was materialised twice."""
        counted = self.dev.materializations(runs)
        twice = {(key, part) for key, part, _ in counted if sum(counted[key, part, kept] for kept in (True, False)) > 1}
        assert not twice
        made: dict[str, set[str]] = {}
        for key, partition, kept in counted:
            if not kept:
                made.setdefault(key, set()).add(partition)
        return made


def write_settings(shop: Shop, **settings: object) -> None:
    text = show_text(LoadedSettings(shop.settings(**QUICK, **settings), {}, None))
    (shop.root / "segmentation.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("shop")
    deliver_small_shop(Shop(root))
    write_settings(Shop(root))
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, root / name)
    ended = segmentation(root, "run")
    assert ended.code == 0, ended.err
    with DagsterDev(root) as dev:
        yield Story(root, dev)


def test_nothing_runs_for_a_minute_while_nothing_changes(story: Story) -> None:
    known = story.dev.runs()
    assert [run.status for run in known] == ["SUCCESS"] * 4
    looks = len(story.dev.ticks("catch_up_sensor"))
    deadline = time.monotonic() + 60
    story.dev.wait_for(lambda: time.monotonic() > deadline, 70, "a minute has passed")
    assert story.dev.runs_since(known) == []
    assert len(story.dev.ticks("catch_up_sensor")) > looks + 3
    assert not [tick for tick in story.dev.ticks("delivery_sensor") if tick["error"]]


def test_same_files_delivered_again_start_no_run_and_leave_every_status_fresh(story: Story) -> None:
    known = story.dev.runs()
    ticks = len(story.dev.ticks("delivery_sensor"))
    for path in story.shop.deliveries.iterdir():
        path.write_bytes(path.read_bytes())
    story.dev.wait_for(lambda: len(story.dev.ticks("delivery_sensor")) > ticks + 4, 60, "the sensor has looked")
    assert "taken up" in _words(story, "delivery_sensor")
    assert story.dev.runs_since(known) == []
    assert set(statuses(story.dev).values()) == {"FRESH"}


def test_changed_features_run_clusters_segments_and_reports_once(story: Story) -> None:
    change = "SELECT * REPLACE (quantity + 3 AS quantity) FROM t"
    runs = story.change(lambda: story.rewrite(NEWEST, change))
    assert {run.status for run in runs} == {"SUCCESS"}
    assert [run.job for run in runs].count("ingest_job") == 1
    assert "catch_up_job" not in {run.job for run in runs}
    made = story.made(runs)
    assert FEATURES | FOLLOWING_FEATURES - {"monitoring/data_quality"} <= set(made)
    assert {part for parts in made.values() for part in parts} == {"", NEWEST}
    assert set(statuses(story.dev).values()) == {"FRESH"}


def test_clusters_and_all_that_follows_run_together(story: Story) -> None:
    (whole,) = [run for run in story.dev.runs() if "clusters/kmeans" in run.keys and run.job == "__ASSET_JOB"]
    assert whole.keys >= FOLLOWING_FEATURES


def test_file_written_anew_with_the_same_rows_ends_at_the_raw_layer(story: Story) -> None:
    runs = story.change(lambda: story.rewrite(NEWEST, "SELECT * FROM t", "gzip"))
    assert [run.job for run in runs] == ["ingest_job"]
    assert set(story.made(runs)) <= {"source/delivery", "raw/order_lines"}


def test_changed_lines_that_change_no_feature_run_no_clustering(story: Story) -> None:
    runs = story.change(lambda: story.rewrite(NEWEST, "SELECT * FROM t ORDER BY random()"))
    assert {run.status for run in runs} == {"SUCCESS"}
    materialised = {key for key, _, _ in story.dev.materializations(runs)}
    assert "silver/customer_features" in materialised
    assert not {key for key in materialised if key.startswith(("clusters/", "gold/"))}


def test_changed_algorithm_setting_runs_that_algorithm_and_what_follows_in_every_month(story: Story) -> None:
    runs = story.change(lambda: story.set(clustering__algorithms__kmeans__k_max=5))
    assert {run.status for run in runs} == {"SUCCESS"}
    made = story.made(runs)
    assert made["clusters/kmeans"] == set(MONTHS)
    assert made["clusters/leaderboard"] == set(MONTHS)
    assert set(made) <= FOLLOWING_CLUSTERS | {"serving/warehouse"}
    assert [run.job for run in runs].count("catch_up_job") == 1


def test_late_line_of_an_old_month_is_caught_up_on_in_order(story: Story) -> None:
    change = "SELECT * REPLACE (quantity + 1 AS quantity) FROM t"
    runs = story.change(lambda: story.rewrite("2025-01-01", change))
    assert {run.status for run in runs} == {"SUCCESS"}
    assert story.made(runs)["silver/customer_features"] == set(MONTHS)
    caught_up = [run.month for run in runs if run.job == "monthly_snapshot_job"]
    assert caught_up == sorted(caught_up)
    assert caught_up[0] == MONTHS[0]


def test_bad_delivery_is_tried_a_bounded_number_of_times_and_a_good_one_recovers(story: Story) -> None:
    path = story.shop.deliveries / f"order_lines-{NEWEST[:7]}.parquet"
    good = path.read_bytes()
    known = story.dev.runs()
    path.write_bytes(b"no parquet")
    story.dev.wait_for(lambda: "given up" in _words(story, "catch_up_sensor"), 240, "the sensor gives up")
    runs = story.dev.runs_since(known)
    assert {run.status for run in runs} == {"FAILURE"}
    started = [run.job for run in runs if run.tags["segmentation/started_by"].endswith("_sensor")]
    assert started == ["ingest_job", "catch_up_job", "catch_up_job"]
    path.write_bytes(good)
    story.dev.wait_for(lambda: "up to date" in _words(story, "catch_up_sensor"), 120, "all is up to date")
    assert story.dev.runs()[-1].status == "SUCCESS"


def test_failed_run_loses_no_change(story: Story) -> None:
    """The reports cannot be written at first: the change they missed is made up for later."""
    folder = story.shop.data_dir / "reports" / NEWEST[:7]
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way", encoding="utf-8")
    known = story.dev.runs()
    story.set(reports__dashboard__title="Our shop")
    story.dev.wait_for(
        lambda: any(run.status == "FAILURE" for run in story.dev.runs_since(known)), 150, "a run has failed"
    )
    folder.unlink()
    aside.rename(folder)
    story.dev.wait_for(lambda: "up to date" in _words(story, "catch_up_sensor"), 240, "all is up to date")
    assert "Our shop" in (folder / "dashboard.html").read_text(encoding="utf-8")


def _words(story: Story, sensor: str) -> str:
    return str(story.dev.ticks(sensor)[0]["skipReason"])


def statuses(dev: DagsterDev) -> dict[str, str]:
    """Status of every asset without partitions, as the graph shows it."""
    nodes = dev.ask("{ assetNodes { assetKey { path } isPartitioned staleStatus } }")["assetNodes"]
    return {"/".join(node["assetKey"]["path"]): node["staleStatus"] for node in nodes if not node["isPartitioned"]}
