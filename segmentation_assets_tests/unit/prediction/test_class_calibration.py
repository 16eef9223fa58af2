"""Calibration of several classes."""

import json

import numpy as np
import pytest

from segmentation_assets.prediction.class_calibration import ClassCalibration, fit_class_calibration
from segmentation_assets.prediction.multiclass_scores import customer_log_losses
from segmentation_assets.prediction.softmax import row_softmax


def drawn(seed=0, rows=6_000):
    """True probabilities of three classes, and a class drawn by them for each row."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet([2, 1, 1], rows)
    return truth, (truth.cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1)


def test_true_probabilities_stay():
    truth, codes = drawn()
    calibration = fit_class_calibration(truth, codes)
    assert calibration.slope == pytest.approx(1.0, abs=0.08)
    np.testing.assert_allclose(calibration.shifts, 0.0, atol=0.1)
    assert calibration.customers == 6_000


@pytest.mark.parametrize("slope", [0.4, 2.5])
def test_too_sure_and_too_careful_probabilities_are_set_right(slope):
    truth, codes = drawn()
    distorted = row_softmax(slope * np.log(truth))
    calibrated = fit_class_calibration(distorted, codes).apply(distorted)
    best = customer_log_losses(codes, truth).mean()
    assert customer_log_losses(codes, calibrated).mean() == pytest.approx(best, abs=0.01)
    assert customer_log_losses(codes, distorted).mean() > best + 0.05


def test_weights_of_classes_are_undone():
    truth, codes = drawn()
    weighted = row_softmax(np.log(truth) + np.log([1.0, 5.0, 20.0]))
    calibrated = fit_class_calibration(weighted, codes).apply(weighted)
    np.testing.assert_allclose(calibrated.mean(axis=0), np.bincount(codes) / len(codes), atol=0.01)


def test_a_class_that_nobody_has_keeps_a_finite_shift():
    truth, codes = drawn(rows=300)
    calibration = fit_class_calibration(truth, np.minimum(codes, 1))
    assert np.isfinite(calibration.shifts).all()
    assert calibration.apply(truth)[:, 2].max() < truth[:, 2].max()


def test_certain_probabilities_are_bounded():
    certain = np.eye(3)[np.arange(90) % 3]
    calibrated = fit_class_calibration(certain, np.arange(90) % 3).apply(certain)
    assert np.isfinite(np.log(calibrated)).all()
    assert calibrated.max(axis=1).min() > 0.99


def test_few_customers_change_little():
    truth, codes = drawn(rows=5)
    np.testing.assert_allclose(fit_class_calibration(truth, codes).apply(truth), truth, atol=0.2)


def test_a_row_alone_is_as_in_the_batch_and_survives_json():
    truth, codes = drawn(rows=400)
    calibration = fit_class_calibration(truth, codes)
    batch = calibration.apply(truth)
    again = ClassCalibration.from_plain(json.loads(json.dumps(calibration.to_plain())))
    assert again == calibration
    assert (np.vstack([again.apply(truth[place : place + 1]) for place in range(400)]) == batch).all()
