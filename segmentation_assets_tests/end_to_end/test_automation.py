"""A running `dagster dev`: what a delivery starts by itself, how often, and what it does not start.

The tests tell one story, on one shop and one Dagster; each leaves everything up to date. They run in file order.
"""

from __future__ import annotations

import time

from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.end_to_end.story import FOLLOWING_FEATURES, FOLLOWING_LINES, Story

NEWEST = MONTHS[-1]


def test_nothing_runs_for_a_minute_while_nothing_changes(story: Story) -> None:
    known = story.dev.runs()
    assert [run.status for run in known] == ["SUCCESS"] * 4
    begun = time.time()
    time.sleep(60)
    story.dev.wait_for_looks("catch_up_sensor", 4, begun)
    assert story.dev.runs_since(known) == []
    assert not [tick for tick in story.dev.ticks("delivery_sensor") if tick["error"]]


def test_same_files_delivered_again_start_no_run_and_leave_every_status_fresh(story: Story) -> None:
    known = story.dev.runs()
    for path in story.shop.deliveries.iterdir():
        path.write_bytes(path.read_bytes())
    story.dev.wait_for_looks("delivery_sensor", 5, time.time())
    assert "taken up" in story.words("delivery_sensor")
    assert story.dev.runs_since(known) == []
    assert story.statuses() == {"FRESH"}


def test_changed_features_run_clusters_segments_and_reports_once(story: Story) -> None:
    change = "SELECT * REPLACE (quantity + 3 AS quantity) FROM t"
    runs = story.change(lambda: story.rewrite(NEWEST, change))
    assert {run.status for run in runs} == {"SUCCESS"}
    assert [run.job for run in runs].count("ingest_job") == 1
    assert "catch_up_job" not in {run.job for run in runs}
    made = story.made(runs)
    assert FOLLOWING_LINES | FOLLOWING_FEATURES - {"monitoring/data_quality"} <= set(made)
    assert {part for parts in made.values() for part in parts} == {"", NEWEST}
    assert story.statuses() == {"FRESH"}


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
    assert not {key for key in materialised - FOLLOWING_LINES if key.startswith(("clusters/", "gold/"))}
