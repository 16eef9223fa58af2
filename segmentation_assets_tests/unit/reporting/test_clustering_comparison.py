"""How far candidates agree, and their comparison in Markdown and as a picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.reporting.clustering_charts import chart_comparison
from segmentation_assets.reporting.clustering_comparison import measure_agreement, render_comparison
from segmentation_assets.reporting.comparison_figure import draw_comparison
from segmentation_assets_tests.unit.reporting.toy_clusterings import (
    NOT_FITTED,
    WITH_NOISE,
    made_up_month,
    made_up_result,
)

FAILED = {"rank": None, "passed_gates": False, "coverage": 0.0, "silhouette": None, "reason": "Fails: fitted"}
QUARTERS = (0, 0, 1, 1, 2, 2, 3, 3)


@pytest.fixture
def month():
    return made_up_month(ward=FAILED, kmeans={}, dbscan={"rank": 2, "reference_silhouette": 0.25})


@pytest.fixture
def results(month):
    return [
        made_up_result("kmeans", month),
        made_up_result("ward", month, (-1,) * 8, **NOT_FITTED),
        made_up_result("dbscan", month, QUARTERS),
    ]


def test_agreement_is_the_adjusted_rand_index_by_hand(month, results):
    """Pairs together: 12 in halves, 4 in quarters, 4 in both; of 28. ARI = (4 - 12*4/28) / (8 - 12*4/28)."""
    found = measure_agreement(results, month)
    index = round((4 - 48 / 28) / (8 - 48 / 28), 10)
    names = ["kmeans", "ward", "dbscan", "rfm_map"]
    pd.testing.assert_frame_equal(
        found,
        pd.DataFrame(
            [[1, np.nan, index, 1], [np.nan] * 4, [index, np.nan, 1, index], [1, np.nan, index, 1]],
            index=names,
            columns=names,
        ),
    )


def test_noise_counts_as_a_group(month, results):
    found = measure_agreement([made_up_result("kmeans", month, WITH_NOISE)], month)
    same = measure_agreement([made_up_result("kmeans", month, (0, 0, 0, 1, 1, 1, 2, 2))], month)
    pd.testing.assert_frame_equal(found, same)


def test_the_comparison_lists_candidates_by_rank_and_the_baseline_last(month, results):
    lines = render_comparison(month, measure_agreement(results, month), "comparison.png").splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith("| ")][:5] == [
        "| Candidate",
        "| K-means",
        "| DBSCAN",
        "| Ward",
        "| RFM map",
    ]
    scores = "100.0% | 0.500 | 0.600 | 1.500 | 12.2 | 0.900 | 0.550 | 0.250 | 0.310 | 0.290 | 0 | 0.0% |"
    assert f"| DBSCAN | separate groups | 2 | 2 | {scores}" in lines
    assert "| DBSCAN | 0.36 | 1.00 | – | 0.36 |" in lines
    assert "| Ward | – | – | – | – |" in lines
    assert "Scores on 6 of 8 customers." in lines
    assert "- **Ward.** Fails: fitted." in lines
    assert "![Sizes, scores and agreement of the candidates](comparison.png)" in lines


def test_a_score_that_a_leaderboard_lacks_is_left_out(month, results):
    older = dataclasses.replace(month, leaderboard=month.leaderboard.drop(columns="smallest_jaccard"))
    text = render_comparison(older, measure_agreement(results, month))
    assert "| Stability | Reference silhouette |" in text


def test_the_comparison_says_how_candidates_are_ranked_and_what_scores_favour(month, results):
    text = render_comparison(month, measure_agreement(results, month))
    assert "Candidates are ranked by silhouette." in text
    assert "Silhouette, Davies-Bouldin and Calinski-Harabasz favour round clusters" in text
    assert "![" not in text


def test_in_a_month_without_candidates_due_the_last_comparison_is_shown(month):
    later = dataclasses.replace(month, month="2025-07")
    text = render_comparison(later, measure_agreement([], later))
    assert "**None was due this month.** Candidates were last fitted and compared in June 2025." in text
    assert "| K-means | separate groups | 1 |" in text
    assert "## Agreement" not in text


def test_the_picture_has_the_same_bytes_each_time(month, results):
    comparison = chart_comparison(results, month, measure_agreement(results, month))
    png = draw_comparison(comparison, month.ranking)
    assert png.startswith(b"\x89PNG")
    assert draw_comparison(comparison, month.ranking) == png
