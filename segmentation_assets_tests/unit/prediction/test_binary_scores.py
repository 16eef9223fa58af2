"""Scores of probabilities against what is computed by hand, by scikit-learn, and by drawing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.binary_scores import (
    area_under_curve,
    auc_interval,
    calibration_curve,
    lift_curve,
    measure_binary,
)


def drawn(count, seed=0, slope=2.0):
    rng = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-slope * rng.normal(size=count)))
    return rng.random(count) < probability, probability


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40).filter(
        lambda rows: len({flag for flag, _ in rows}) == 2
    )
)
def test_area_is_that_of_scikit_learn_with_ties(rows):
    outcome, score = (np.array(column) for column in zip(*rows, strict=True))
    assert area_under_curve(outcome, score.astype(float)) == pytest.approx(roc_auc_score(outcome, score))


def test_area_knows_values_below_all_others():
    outcome = np.array([True, True, False, False])
    assert area_under_curve(outcome, np.array([1.0, 2.0, -np.inf, -np.inf])) == 1.0
    assert np.isnan(area_under_curve(np.array([True, True]), np.array([0.1, 0.2])))


def test_interval_covers_as_often_as_it_says():
    outcome, probability = drawn(200_000)
    truth = area_under_curve(outcome, probability)
    parts = np.array_split(np.arange(200_000), 200)
    intervals = [auc_interval(outcome[part], probability[part], seed=1, resamples=100) for part in parts]
    covered = np.mean([lower <= truth <= upper for lower, upper in intervals])
    assert 0.87 <= covered <= 0.99


def test_true_probabilities_are_calibrated_and_shifted_ones_are_not():
    outcome, probability = drawn(20_000)
    found = measure_binary(outcome, probability, seed=1)
    assert found.calibration_error < 0.02
    assert found.base_rate == outcome.mean()
    assert found.auc_lower < found.auc < found.auc_upper
    shifted = measure_binary(outcome, np.clip(probability + 0.2, 0, 1), seed=1)
    assert shifted.calibration_error > 0.12
    assert shifted.brier > found.brier


def test_curve_of_calibration_is_counted_by_groups_of_equal_size():
    outcome = np.array([False] * 10 + [False, True] * 5)
    probability = np.repeat([0.1, 0.5], 10)
    found = calibration_curve(outcome, probability)
    assert found["customer_count"].tolist() == [10, 10]
    assert found["mean_probability"].tolist() == pytest.approx([0.1, 0.5])
    assert found["found_share"].tolist() == [0.0, 0.5]
    assert found.loc[1, ["found_lower", "found_upper"]].tolist() == pytest.approx([0.2366, 0.7634], abs=1e-4)
    spread = calibration_curve(*drawn(1_000))
    assert spread["customer_count"].tolist() == [100] * 10


def test_lift_and_gain_are_counted_from_the_top():
    outcome = np.array([True] * 4 + [False] * 16)
    found = lift_curve(outcome, np.linspace(1, 0, 20))
    assert found["positive_count"].tolist() == [2, 2, *[0] * 8]
    assert found["lift"].tolist()[:3] == [5.0, 5.0, 0.0]
    assert found["gain"].tolist()[:2] == [0.5, 1.0]
    assert found["customer_share"].iloc[-1] == found["gain"].iloc[-1] == 1.0
    assert measure_binary(outcome, np.linspace(1, 0, 20), seed=1).recall_at_top == 0.5


def test_no_order_of_rows_matters_where_probabilities_are_equal():
    outcome, probability = np.array([True, False] * 50), np.full(100, 0.5)
    order = np.random.default_rng(2).permutation(100)
    pd.testing.assert_frame_equal(lift_curve(outcome, probability), lift_curve(outcome[order], probability[order]))
    assert lift_curve(outcome, probability)["lift"].tolist() == pytest.approx([1.0] * 10)


@pytest.mark.parametrize("outcome", [[True, True], [False, False]])
def test_where_all_outcomes_are_the_same_nothing_can_be_told_apart(outcome):
    with pytest.raises(DataError, match=f"{sum(outcome)} of 2 customers have the outcome"):
        measure_binary(np.array(outcome), np.array([0.1, 0.9]), seed=1)
