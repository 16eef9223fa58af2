"""A running `dagster dev`: all months after a change of settings, with and without a reload.

The tests tell one story, on one shop and one Dagster; each leaves everything up to date. They run in file order.
"""

from __future__ import annotations

from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.end_to_end.story import FOLLOWING_CLUSTERS, MOVEMENT, Story, write_settings

NEWEST = MONTHS[-1]


def test_changed_algorithm_setting_runs_that_algorithm_and_what_follows_in_every_month(story: Story) -> None:
    runs = story.change(lambda: story.set(clustering__algorithms__kmeans__k_max=5))
    assert {run.status for run in runs} == {"SUCCESS"}
    made = story.made(runs)
    assert made["clusters/kmeans"] == set(MONTHS)
    assert made["clusters/leaderboard"] == set(MONTHS)
    assert set(made) <= FOLLOWING_CLUSTERS | MOVEMENT | {"serving/warehouse"}
    assert [run.job for run in runs].count("catch_up_job") == 1


def test_run_executed_again_is_a_run_of_its_own(story: Story) -> None:
    """Its tags name processes that have ended, while the sensors look for runs whose process is gone."""
    automated = [run for run in story.dev.runs() if run.tags.get("segmentation/started_by") == "automation"]
    for _ in range(3):
        again = story.dev.execute_again(automated[-1])
        assert again.status == "SUCCESS"
        assert story.made([again]) == {}


def test_settings_changed_without_a_reload_are_caught_up_on_once(story: Story) -> None:
    runs = story.change(lambda: write_settings(story.shop, reports__dashboard__title="Ours"))
    assert [run.job for run in runs if run.tags["segmentation/started_by"] == "catch_up_sensor"] == ["catch_up_job"]
    assert {run.status for run in runs} == {"SUCCESS"}
    assert story.made(runs)["reports/dashboard"] == set(MONTHS)
    assert "reload it" in story.words("catch_up_sensor")


def test_reload_after_that_computes_nothing(story: Story) -> None:
    runs = story.change(story.dev.reload)
    assert story.made(runs) == {}
    assert story.statuses() == {"FRESH"}
