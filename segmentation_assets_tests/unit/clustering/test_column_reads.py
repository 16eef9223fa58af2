"""Every column of the leaderboard changes with the columns it declares to read, and with no other."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.clustering.leaderboard import Entrant, compare_candidates
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.tables.clusters import LEADERBOARD
from segmentation_assets_tests.unit.perturbation import changed_columns, declared_readers

SETTINGS = LeaderboardSettings(min_segment_customers=1)
TRIALS = {
    "stability",
    "smallest_jaccard",
    "resampled_silhouette",
    "reference_silhouette",
    "reference_stability",
    "structure",
}
"""Measured where the algorithms are fitted; without refits they are null."""

NEEDS_A_REFIT = {"model_matrix.*": {*TRIALS, "passed_gates"}, "clusters/*.cluster": {"stability", "smallest_jaccard"}}


def compare(matrix, labels, baseline, revenue=None):
    """Compare two fixed partitions with the baseline; rows by candidate."""
    entrants = {name: Entrant(found) for name, found in labels.items()}
    money = pd.Series(np.arange(1.0, 61.0), index=matrix.index) if revenue is None else revenue
    board = compare_candidates(matrix, entrants, baseline, money, SETTINGS, 60, 7).astype(object)
    plain = board.where(board.notna(), None).to_dict("records")
    return {row["candidate"]: row for row in plain}


@pytest.fixture
def month():
    """Return a matrix of two far groups, a partition that finds them, one that does not, and a baseline."""
    rng = np.random.default_rng(1)
    index = pd.Index([f"c{number:02d}" for number in range(60)], name="customer_id")
    matrix = pd.DataFrame(rng.normal(0, 1, (60, 2)) + np.repeat([[0.0], [9.0]], 30, axis=0), index=index)
    labels = {"found": np.repeat([0, 1], 30), "missed": rng.integers(0, 2, 60)}
    baseline = pd.Series(np.where(np.arange(60) % 3 == 0, "Champions", "Lost"), index=index)
    return matrix, {name: pd.Series(values, index=index) for name, values in labels.items()}, baseline


def test_matrix_clusters_and_baseline_change_exactly_what_declares_to_read_them(month):
    matrix, labels, baseline = month
    before = compare(*month)
    rng = np.random.default_rng(5)
    other_matrix = pd.DataFrame(rng.normal(0, 1, matrix.shape), index=matrix.index)
    other_labels = {name: pd.Series([*[0] * 59, -1], index=matrix.index) for name in labels}
    other_labels["missed"] = labels["found"]
    other_baseline = pd.Series("Lost", index=matrix.index)
    changes = {
        "model_matrix.*": compare(other_matrix, labels, baseline),
        "clusters/*.cluster": compare(matrix, other_labels, baseline),
        "rfm_segments.rfm_segment": compare(matrix, labels, other_baseline),
    }
    revenue = pd.Series(1.0, index=matrix.index)
    noisy = (matrix, other_labels, baseline)
    by_revenue = changed_columns(compare(*noisy), compare(*noisy, revenue))
    assert by_revenue == declared_readers(LEADERBOARD.columns, "customer_features.net_revenue_amount")
    changed = {name: changed_columns(before, after) for name, after in changes.items()}
    assert changed == {
        name: declared_readers(LEADERBOARD.columns, name) - NEEDS_A_REFIT.get(name, set()) for name in changes
    }
