"""From scores to probabilities that mean what they say."""

import json

import numpy as np
import pytest

from segmentation_assets.prediction.calibration import FEWEST_FOR_STEPS, Calibration, fit_calibration


def drawn(count, bend, seed=0):
    """Scores, and outcomes whose probability is another function of them."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.02, 0.98, count)
    return scores, rng.random(count) < bend(scores)


def too_sure(scores):
    odds = np.log(scores / (1 - scores)) / 2 - 0.5
    return 1 / (1 + np.exp(-odds))


def stepped(scores):
    return np.where(scores < 0.5, 0.1, np.where(scores < 0.6, 0.7, 0.75))


@pytest.mark.parametrize(
    ("count", "bend", "method", "tolerance"),
    [(1_500, too_sure, "sigmoid", 0.06), (20_000, too_sure, "sigmoid", 0.02), (20_000, stepped, "isotonic", 0.06)],
)
def test_probabilities_are_those_that_outcomes_were_drawn_by(count, bend, method, tolerance):
    fitted = fit_calibration(*drawn(count, bend))
    assert (fitted.method, fitted.customers) == (method, count)
    at = np.array([0.1, 0.3, 0.45, 0.55, 0.7, 0.9])
    assert fitted.apply(at) == pytest.approx(bend(at), abs=tolerance)


def test_few_customers_get_the_logistic_curve_whatever_their_outcomes():
    assert fit_calibration(*drawn(FEWEST_FOR_STEPS, stepped)).method == "sigmoid"


@pytest.mark.parametrize("bend", [too_sure, stepped])
def test_it_rises_stays_inside_and_comes_back_from_json(bend):
    fitted = fit_calibration(*drawn(20_000, bend))
    scores = np.linspace(0, 1, 501)
    found = fitted.apply(scores)
    assert (np.diff(found) >= 0).all()
    assert found.min() > 0
    assert found.max() < 1
    again = Calibration.from_plain(json.loads(json.dumps(fitted.to_plain())))
    assert again == fitted
    assert (again.apply(scores) == found).all()
    assert (np.concatenate([again.apply(scores[at : at + 1]) for at in range(501)]) == found).all()
