"""The segments of a month against the gates a model had to pass."""

from __future__ import annotations

import pandas as pd

from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.segments.sizes import judge_coverage, judge_smallest_segment

CHAMPION = pd.DataFrame({"segment_key": ["S002", "S001"], "segment_name": ["Lapsed", "Loyal"]})


def customers(*rows):
    """Make rows of (state, segment_key), the customers being c0, c1, …"""
    frame = pd.DataFrame(rows, columns=["state", "segment_key"])
    return frame.assign(customer_id=[f"c{number}" for number in range(len(rows))])


def in_segments(loyal, lapsed, without=0, aside=0):
    return customers(
        *[("assigned", "S001")] * loyal,
        *[("assigned", "S002")] * lapsed,
        *[("unassigned", None)] * without,
        *[("no_purchases", None)] * aside,
    )


def test_smallest_segment_is_named_with_share_count_and_bounds():
    gates = LeaderboardSettings(min_segment_share=0.2, min_segment_customers=2)
    finding = judge_smallest_segment(in_segments(8, 2, aside=5), CHAMPION, gates)
    assert finding.passed
    assert finding.description == (
        "The smallest segment is S002 Lapsed: 2 of 10 customers (20.00%); at least 20.00% and 2 customers are asked "
        "for."
    )
    assert finding.figures == {
        "segment_key": "S002",
        "segment_name": "Lapsed",
        "customer_count": 2,
        "customer_share": 0.2,
        "customers_with_purchases": 10,
        "min_segment_share": 0.2,
        "min_segment_customers": 2,
    }


def test_either_bound_alone_fails_the_smallest_segment():
    assigned = in_segments(8, 2)
    share = LeaderboardSettings(min_segment_share=0.21, min_segment_customers=1)
    count = LeaderboardSettings(min_segment_share=0.0, min_segment_customers=3)
    assert not judge_smallest_segment(assigned, CHAMPION, share).passed
    assert not judge_smallest_segment(assigned, CHAMPION, count).passed


def test_a_segment_without_customers_is_the_smallest():
    finding = judge_smallest_segment(in_segments(0, 3), CHAMPION, LeaderboardSettings(min_segment_customers=1))
    assert (finding.passed, finding.figures["segment_key"], finding.figures["customer_count"]) == (False, "S001", 0)


def test_of_equally_small_segments_the_first_key_is_named():
    assert judge_smallest_segment(in_segments(3, 3), CHAMPION, LeaderboardSettings()).figures["segment_key"] == "S001"


def test_a_month_without_purchases_fails_both():
    gates = LeaderboardSettings(min_segment_share=0.1, min_coverage=0.5)
    assert not judge_smallest_segment(in_segments(0, 0, aside=2), CHAMPION, gates).passed
    assert not judge_coverage(in_segments(0, 0, aside=2), gates).passed


def test_coverage_counts_customers_with_a_purchase_and_names_those_without_a_segment():
    assigned = in_segments(2, 1, without=1, aside=6)
    finding = judge_coverage(assigned.iloc[::-1], LeaderboardSettings(min_coverage=0.75))
    assert finding.passed
    assert finding.description == (
        "3 of 4 customers with a purchase have a segment (75.0%); at least 75.0% is asked for."
    )
    assert finding.figures == {
        "coverage": 0.75,
        "min_coverage": 0.75,
        "states": {"assigned": 3, "no_purchases": 6, "unassigned": 1},
        "without_segment": ["c3"],
    }
    assert not judge_coverage(assigned, LeaderboardSettings(min_coverage=0.76)).passed


def test_at_most_five_customers_are_named():
    figures = judge_coverage(in_segments(1, 0, without=9), LeaderboardSettings()).figures
    assert figures["without_segment"] == ["c1", "c2", "c3", "c4", "c5"]
