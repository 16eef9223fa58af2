"""Scores of customers, and whether they are spread as before."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.prediction.customer_scores import score_customers
from segmentation_assets.prediction.score_drift import FEWEST_SCORES, measure_score_drift
from segmentation_assets.tables.prediction import CUSTOMER_SCORES

FEATURES = pd.DataFrame({"customer_id": ["b", "a"], "recency_days": pd.array([3, None], dtype="Int64")})
HISTORIES = pd.DataFrame(
    {"customer_id": ["b"], "btyd_frequency": [1], "btyd_recency": [3], "btyd_T": [9], "btyd_monetary_value": [5.0]}
)


def test_without_a_model_every_score_is_empty():
    found = score_customers(FEATURES, HISTORIES, None, None, None, {"S001"})
    assert tuple(found) == CUSTOMER_SCORES.column_names
    assert found["customer_id"].tolist() == ["b", "a"]
    assert found.drop(columns="customer_id").isna().all().all()


@pytest.mark.parametrize(("shift", "is_calm"), [(0.0, True), (0.02, True), (0.3, False)])
def test_scores_that_moved_are_told(shift, is_calm):
    rng = np.random.default_rng(0)
    before, now = (pd.Series(rng.beta(2, 3, 5_000)) for _ in range(2))
    found = measure_score_drift(before, np.clip(now + shift, 0, 1))
    assert (found.index < 0.1) is is_calm
    assert found.sentence.startswith(f"population stability index {found.index:.3f} against the month before")
    assert (found.scores_before, found.scores_now) == (5_000, 5_000)


def test_missing_scores_do_not_count_and_few_are_not_compared():
    scores = pd.Series([0.5] * (FEWEST_SCORES - 1) + [np.nan] * 50)
    found = measure_score_drift(scores, pd.Series(np.linspace(0, 1, 500)))
    assert found.index is None
    assert found.sentence == "500 scores this month and 99 before: nothing to compare"


def test_scores_that_are_all_equal_can_be_compared():
    same = pd.Series([0.5] * 200)
    assert measure_score_drift(same, same).index == pytest.approx(0)
    assert measure_score_drift(same, pd.Series([0.9] * 200)).index > 1
