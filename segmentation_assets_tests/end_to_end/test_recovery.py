"""A running `dagster dev`: what follows a late line, a bad delivery and a failed run.

The tests tell one story, on one shop and one Dagster; each leaves everything up to date. They run in file order.
"""

from __future__ import annotations

from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.end_to_end.story import Story

NEWEST = MONTHS[-1]


def test_late_line_of_an_old_month_is_caught_up_on_in_order(story: Story) -> None:
    change = "SELECT * REPLACE (quantity + 1 AS quantity) FROM t"
    runs = story.change(lambda: story.rewrite("2025-01-01", change))
    assert {run.status for run in runs} == {"SUCCESS"}
    assert story.made(runs)["silver/customer_features"] == set(MONTHS)
    caught_up = [run.month for run in runs if run.job == "monthly_snapshot_job"]
    assert caught_up == sorted(caught_up)
    assert caught_up[0] == MONTHS[0]


def test_bad_delivery_is_tried_a_bounded_number_of_times_and_a_good_one_recovers(story: Story) -> None:
    path = story.shop.lines(NEWEST)
    good = path.read_bytes()
    known = story.dev.runs()
    path.write_bytes(b"no parquet")
    story.dev.wait_for(lambda: "given up" in story.words("catch_up_sensor"), "the sensor gives up")
    runs = story.dev.runs_since(known)
    assert {run.status for run in runs} == {"FAILURE"}
    started = [run.job for run in runs if run.tags["segmentation/started_by"].endswith("_sensor")]
    assert started == ["ingest_job", "catch_up_job", "catch_up_job"]
    path.write_bytes(good)
    story.wait_until_up_to_date()
    assert story.dev.runs()[-1].status == "SUCCESS"


def test_settings_file_that_is_moved_away_starts_nothing(story: Story) -> None:
    """Without it the default profile would hold, which names the built-in shop."""
    path = story.shop.root / "segmentation.yaml"
    known = story.dev.runs()
    path.rename(path.with_suffix(".aside"))
    for sensor in ("catch_up_sensor", "delivery_sensor"):
        story.dev.wait_for(lambda name=sensor: "no such settings file" in story.words(name), "the loss is noticed")
    path.with_suffix(".aside").rename(path)
    story.wait_until_up_to_date()
    assert story.dev.runs_since(known) == []


def test_failed_run_loses_no_change(story: Story) -> None:
    """The reports cannot be written at first: the change they missed is made up for later."""
    folder = story.shop.data_dir / "reports" / NEWEST[:7]
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way", encoding="utf-8")
    known = story.dev.runs()
    story.set(reports__dashboard__title="Our shop")
    story.dev.wait_for(lambda: any(run.status == "FAILURE" for run in story.dev.runs_since(known)), "a run has failed")
    folder.unlink()
    aside.rename(folder)
    story.wait_until_up_to_date()
    assert "Our shop" in (folder / "dashboard.html").read_text(encoding="utf-8")
