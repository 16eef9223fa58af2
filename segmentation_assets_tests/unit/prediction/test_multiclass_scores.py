"""Scores of several classes."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.multiclass_scores import (
    LEAST,
    customer_log_losses,
    mean_with_interval,
    measure_classes,
)

KEYS = ("a", "b", "c")


def told(named, sure=0.8):
    """Probabilities that name the given classes."""
    return np.full((len(named), 3), (1 - sure) / 2) + (sure - (1 - sure) / 2) * np.eye(3)[named]


def test_scores_by_hand():
    codes = np.array([0, 0, 0, 1, 1, 2])
    scores = measure_classes(codes, told([0, 0, 1, 1, 1, 0]), KEYS)
    assert (scores.customers, scores.hits) == (6, 4)
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.largest_share == pytest.approx(3 / 6)
    assert scores.accuracy_gain == pytest.approx((4 / 6 - 3 / 6) / (3 / 6))
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores.macro_precision == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert scores.log_loss == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6)
    assert scores.confusion.to_numpy().tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    wanted = pd.DataFrame(
        {
            "segment_key": list(KEYS),
            "customer_count": [3, 2, 1],
            "named_count": [3, 3, 0],
            "hit_count": [2, 2, 0],
            "recall": [2 / 3, 1.0, 0.0],
            "precision": [2 / 3, 2 / 3, np.nan],
            "f1": [2 / 3, 4 / 5, 0.0],
        }
    )
    pd.testing.assert_frame_equal(scores.by_segment, wanted)


def test_scores_agree_with_an_independent_implementation():
    rng = np.random.default_rng(0)
    codes, probability = rng.integers(0, 3, 500), rng.dirichlet([1, 1, 1], 500)
    named = probability.argmax(axis=1)
    scores = measure_classes(codes, probability, KEYS)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(codes, named))
    assert scores.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(codes, named))
    assert scores.macro_f1 == pytest.approx(metrics.f1_score(codes, named, average="macro"))
    assert scores.macro_precision == pytest.approx(metrics.precision_score(codes, named, average="macro"))
    assert scores.log_loss == pytest.approx(metrics.log_loss(codes, probability))
    np.testing.assert_array_equal(scores.confusion.to_numpy(), metrics.confusion_matrix(codes, named))


def test_a_class_that_nobody_has_does_not_count_in_the_means():
    scores = measure_classes(np.array([0, 0, 1, 1]), told([0, 0, 1, 2]), KEYS)
    assert scores.balanced_accuracy == pytest.approx((1 + 0.5) / 2)
    assert scores.macro_f1 == pytest.approx((1 + 2 / 3) / 2)
    absent = scores.by_segment.set_index("segment_key").loc["c"]
    assert absent[["customer_count", "named_count", "hit_count"]].tolist() == [0, 1, 0]
    assert np.isnan([absent["recall"], absent["f1"]]).all()
    assert absent["precision"] == 0.0


def test_one_class_alone_leaves_nothing_to_gain():
    everyone = np.zeros(3, dtype=np.int64)
    assert measure_classes(everyone, told([0, 0, 0]), KEYS).accuracy_gain == 0.0
    assert measure_classes(everyone, told([0, 0, 1]), KEYS).accuracy_gain == pytest.approx(-1 / 3)


def test_a_surprise_costs_no_more_than_the_floor_says():
    losses = customer_log_losses(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert losses.tolist() == [-np.log(LEAST), 0.0]


def test_probabilities_that_come_true_have_no_calibration_error():
    probability = told([0] * 10, sure=0.8)
    codes = np.array([0] * 8 + [1, 2])
    assert measure_classes(codes, probability, KEYS).calibration_error == pytest.approx(0.0)
    assert measure_classes(codes * 0, probability, KEYS).calibration_error == pytest.approx(0.2)


def test_row_order_changes_nothing():
    rng = np.random.default_rng(3)
    codes, probability, order = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200), rng.permutation(200)
    first, second = (measure_classes(codes[o], probability[o], KEYS) for o in (np.arange(200), order))
    assert first.log_loss == pytest.approx(second.log_loss, rel=1e-12)
    assert first.calibration_error == pytest.approx(second.calibration_error, rel=1e-9)
    pd.testing.assert_frame_equal(first.confusion, second.confusion)


def test_nobody_to_judge_by_is_an_error():
    with pytest.raises(DataError, match="there is no customer to judge segments by"):
        measure_classes(np.empty(0, dtype=np.int64), np.empty((0, 3)), KEYS)


def test_rows_of_one_customer_count_as_one_observation():
    values = np.array([1.0, 3.0])
    customers = np.array(["a", "b"], dtype=object)
    doubled = mean_with_interval(np.repeat(values, 2), np.repeat(customers, 2))
    assert doubled == pytest.approx(mean_with_interval(values, customers))


def test_one_customer_alone_has_no_interval():
    assert mean_with_interval(np.array([1.0, 3.0]), np.array(["a", "a"], dtype=object)) == (
        2.0,
        float("-inf"),
        float("inf"),
    )
