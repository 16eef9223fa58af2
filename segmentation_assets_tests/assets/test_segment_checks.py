"""The checks that compare a month's segments with the gates: they warn, and a changed gate evaluates them again."""

from __future__ import annotations

from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import bytes_of
from segmentation_assets_tests.assets.test_failed_checks import checks_in, last_run_events

KEY, NEWEST = "gold/customer_segments", MONTHS[-1]
DOWNSTREAM = {"gold/segment_profiles", "exports/customer_segments", "reports/dashboard", "serving/warehouse"}


def checks_of(shop):
    found = checks_in(last_run_events(shop))
    return found[KEY, "smallest_segment"], found[KEY, "coverage"]


def test_checks_give_sizes_states_and_bounds(shop, run):
    run(shop.settings(), keys={KEY}, month=NEWEST, force=True)
    smallest, coverage = checks_of(shop)
    assert (smallest.blocking, coverage.blocking) == (False, False)
    figures = {name: value.value for name, value in smallest.metadata.items()}
    assert figures["segment_key"].startswith("S00")
    assert 0 < figures["customer_count"] < figures["customers_with_purchases"] <= 300
    assert figures["min_segment_customers"] == 30
    assert coverage.passed
    assert coverage.metadata["coverage"].value == 1.0
    states = coverage.metadata["states"].value
    assert set(states) == {"assigned", "too_new"}
    assert sum(states.values()) == figures["customers_with_purchases"]


def test_a_changed_gate_evaluates_the_check_again_and_leaves_the_result_and_what_follows(shop, run):
    before = bytes_of(shop.data_dir, "tables/gold/customer_segments", "tables/gold/segment_profiles")
    stricter = shop.settings(leaderboard__min_segment_customers=290)

    computed = run(stricter, keys={KEY, *DOWNSTREAM}, month=NEWEST)

    assert computed == {(KEY, month) for month in MONTHS}
    smallest, _ = checks_of(shop)
    assert (smallest.passed, smallest.severity.value) == (False, "WARN")
    assert "290 customers are asked for" in smallest.description
    assert bytes_of(shop.data_dir, "tables/gold/customer_segments", "tables/gold/segment_profiles") == before
