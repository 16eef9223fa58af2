"""A shop that goes on: the calendar has no end, the newest month is missing, and one day its files come."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest

from segmentation_assets.graph.months import month_range, previous_month
from segmentation_assets_tests.assets.conftest import Shop, deliver_small_shop
from segmentation_assets_tests.end_to_end.commands import segmentation
from segmentation_assets_tests.end_to_end.story import Story, told, write_settings

NEWEST = previous_month(dt.datetime.now().astimezone().date().replace(day=1).isoformat())
"""The last month that has ended."""

BEFORE = previous_month(NEWEST)

MONTHS = month_range(previous_month(BEFORE), NEWEST)

PARTS = 12

SHORTER_THAN_QUIET = 1
"""Seconds between two writes, less than `automation.delivery_quiet_seconds` of these tests."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    calendar = {"calendar__first_snapshot": MONTHS[0][:7], "calendar__last_month": None}
    root = tmp_path_factory.mktemp("shop")
    deliver_small_shop(Shop(root), last_month=NEWEST)
    for path in Shop(root).deliveries.glob(f"*{NEWEST[:7]}*"):
        path.rename(root / path.name)
    write_settings(Shop(root), **calendar)
    ended = segmentation(root, "run")
    assert ended.code == 0, ended.err
    with told(root, **calendar) as started:
        yield started


def test_nothing_runs_while_the_newest_month_has_not_been_delivered(story: Story) -> None:
    known = story.dev.runs()
    assert [run.month for run in known if run.job == "monthly_snapshot_job"] == list(MONTHS[:-1])
    time.sleep(60)
    assert story.dev.runs_since(known) == []
    assert "up to date" in story.words("catch_up_sensor")


def test_change_in_a_month_that_is_not_the_newest_of_the_calendar_is_caught_up_on(story: Story) -> None:
    runs = story.change(lambda: story.rewrite(BEFORE, "SELECT * REPLACE (quantity + 3 AS quantity) FROM t"))
    assert {run.status for run in runs} == {"SUCCESS"}
    made = story.made(runs)
    assert made["gold/customer_segments"] == made["reports/dashboard"] == {BEFORE}
    assert story.statuses(MONTHS[:-1]) == {"FRESH"}


def deliver_slowly(story: Story) -> None:
    """Have the files of the newest month grow in the delivery folder; half a file cannot be read."""
    for path in story.shop.root.glob(f"*{NEWEST[:7]}.parquet"):
        content = path.read_bytes()
        for part in range(PARTS):
            with (story.shop.deliveries / path.name).open("ab") as stream:
                stream.write(content[part * len(content) // PARTS : (part + 1) * len(content) // PARTS])
            time.sleep(SHORTER_THAN_QUIET)


def test_delivery_of_the_newest_month_is_awaited_makes_it_once_and_leaves_the_others(story: Story) -> None:
    runs = story.change(lambda: deliver_slowly(story))
    assert {run.status for run in runs} == {"SUCCESS"}
    made = story.made(runs)
    asked_for_new_customers = made.pop("silver/snapshot_input")
    assert asked_for_new_customers == set(MONTHS)
    assert {part for parts in made.values() for part in parts} == {"", NEWEST}
    assert {key for key, parts in made.items() if parts == {NEWEST}} == story.monthly_assets() - {
        "silver/snapshot_input"
    }
    assert story.statuses(MONTHS) == {"FRESH"}
