from __future__ import annotations

import dataclasses
import re

import pandas as pd

from segmentation_assets.reporting.business_report import render_business_report
from segmentation_assets.reporting.caveats import list_caveats
from segmentation_assets.reporting.snapshot import Snapshot


def test_the_summary_states_the_figures(snapshot: Snapshot) -> None:
    text = render_business_report(snapshot)
    assert text.startswith("# Customer segments: August 2025\n")
    for line in (
        "- 6 customers with EUR 1,500 net revenue in the last 24 months fall into 2 segments (K-means).",
        "- S001 Loyal brings the most: 80.0% of the revenue from 33.3% of the customers.",
        "- 1 customer (20.0%) changed segment since July 2025.",
        "- S001 Loyal shrank most, by 2 customers.",
        "- Orders far above average: 11 against 2",
        "| S001 Loyal | S002 Lapsed | 1 |",
        "Bought very recently, ordered very often, spent a great deal.",
        "- seed: 7",
    ):
        assert line in text.splitlines()


def test_the_segments_table_has_a_row_per_segment(snapshot: Snapshot) -> None:
    rows = [line for line in render_business_report(snapshot).splitlines() if line.startswith("| S0")]
    assert rows[:2] == [
        "| S001 Loyal | 2 | 33.3% | EUR 1,200 | 80.0% | 6 days | 11 | EUR 55.00 | −2 |",
        "| S002 Lapsed | 4 | 66.7% | EUR 300.00 | 20.0% | 130 days | 1.5 | EUR 25.00 | 0 |",
    ]


def test_markup_in_data_is_inert(hostile: Snapshot) -> None:
    text = render_business_report(hostile)
    assert "<" not in text
    assert "`" not in text.replace("\\`", "")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == 9
    tables = [line for line in text.splitlines() if line.startswith("| S0")][:2]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {10}


def test_an_unfinished_month_is_marked(snapshot: Snapshot) -> None:
    text = render_business_report(dataclasses.replace(snapshot, is_partial=True))
    assert "**The month is not over.**" in text
    assert "**Unfinished month.**" in text


def test_leavers_are_mentioned_only_where_there_are_some(snapshot: Snapshot) -> None:
    assert "3 have none any more" in render_business_report(snapshot)
    fewer = snapshot.shares.assign(customer_count=[2, 2, 2, 4])
    assert "any more" not in render_business_report(dataclasses.replace(snapshot, shares=fewer))


def test_the_first_snapshot_has_no_movement(first_snapshot: Snapshot) -> None:
    text = render_business_report(first_snapshot)
    assert text.count("There is no earlier month to compare with.") == 2


def test_one_segment_and_the_rfm_map_are_reported(one_segment: Snapshot, rfm_only: Snapshot) -> None:
    assert "fall into 1 segment (K-means)" in render_business_report(one_segment)
    assert "fall into 2 segments (RFM map)" in render_business_report(rfm_only)
    assert "No candidate was scored this month" in render_business_report(rfm_only)


def test_a_month_without_segments_is_reported(snapshot: Snapshot) -> None:
    nobody = dataclasses.replace(
        snapshot,
        champion=snapshot.champion.head(0),
        customer_segments=snapshot.customer_segments.head(0),
        segment_profiles=snapshot.segment_profiles.head(0),
    )
    assert render_business_report(nobody).count("There is no segment this month.") == 2


def test_rows_delivered_again_are_told_apart_from_those_that_are_lost(snapshot: Snapshot) -> None:
    counts = pd.DataFrame(
        [("redelivered", 1200), ("redelivered_in_part", 2), ("dropped_line", 4), ("order_id_reused", 3)],
        columns=["reason", "row_count"],
    ).assign(table_name="order_lines", explanation="")
    caveats = dict(list_caveats(dataclasses.replace(snapshot, quarantine_counts=counts)))
    assert caveats["Quarantine"] == "3 delivered rows could not be used and were set aside."
    assert caveats["Delivered again"] == (
        "1,206 delivered rows gave way to another file with the same orders, 4 of them to an order without their "
        "product, 2 of them to an order with lines that cannot be used."
    )


def test_caveats_come_by_weight(snapshot: Snapshot) -> None:
    broken = dataclasses.replace(
        snapshot, is_partial=True, reconciliation=snapshot.reconciliation.assign(passed=[False, True])
    )
    caveats = list_caveats(broken)
    assert [topic for topic, _ in caveats] == [
        "Unfinished month",
        "Reconciliation",
        "Quarantine",
        "Customers set aside",
        "Guests",
        "Sample sizes",
        "Filled-in values",
        "Not available",
        "Algorithms",
    ]
    sentences = dict(caveats)
    assert sentences["Reconciliation"] == "Figures do not add up at raw (rows)."
    assert sentences["Sample sizes"].startswith("Fewer than 100 customers in S001 (2) and S002 (4)")
    assert sentences["Filled-in values"].endswith("Days between orders (33%).")
    assert sentences["Algorithms"].startswith(
        "K-means ranks first of 2 candidates (silhouette 0.41 on 6 customers, coverage 100%)."
    )


def test_values_filled_in_that_no_clustering_is_offered_are_no_caveat(snapshot: Snapshot) -> None:
    texts = {name: text._replace(is_main=False) for name, text in snapshot.feature_columns.items()}
    assert "Filled-in values" not in dict(list_caveats(dataclasses.replace(snapshot, feature_columns=texts)))


def test_a_month_without_a_fitted_candidate_says_so(snapshot: Snapshot) -> None:
    verdict = dict(list_caveats(dataclasses.replace(snapshot, leaderboard=snapshot.leaderboard.head(1))))["Algorithms"]
    assert verdict == "No algorithm was tried this month; only the RFM map was scored."


def test_no_usable_clustering_is_a_verdict(snapshot: Snapshot) -> None:
    failed = snapshot.leaderboard.assign(passed_gates=[True, False], rank=pd.Series([None, None], dtype="object"))
    verdict = dict(list_caveats(dataclasses.replace(snapshot, leaderboard=failed)))["Algorithms"]
    assert verdict == "No candidate passed every gate: there is no usable clustering this month."


def test_an_algorithm_that_failed_is_named_with_its_error(snapshot: Snapshot) -> None:
    failures = [None, "could not be fitted: ValueError: <b>no</b>"]
    failed = dataclasses.replace(snapshot, leaderboard=snapshot.leaderboard.assign(failure=failures))
    assert ("Failed algorithm", f"K-means {failures[1]}. It is not ranked this month.") in list_caveats(failed)
    assert "**Failed algorithm.**" in render_business_report(failed)
    assert "<b>" not in render_business_report(failed)
    assert "Failed algorithm" not in render_business_report(snapshot)
