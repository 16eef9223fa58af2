"""From which probability on a customer is named."""

import numpy as np
import pytest

from segmentation_assets.config.prediction import ThresholdSettings
from segmentation_assets.prediction.decision_threshold import choose_threshold

OUTCOME = np.array([True, True, False, True, False, False, True, False])
PROBABILITY = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])


def test_most_are_found_while_enough_of_those_named_are_right():
    found = choose_threshold(OUTCOME, PROBABILITY, ThresholdSettings(min_precision=0.7))
    assert (found.value, found.precision, found.recall, found.named_share) == (0.6, 0.75, 0.75, 0.5)
    assert found.customers == 8
    lower = choose_threshold(OUTCOME, PROBABILITY, ThresholdSettings(min_precision=0.5))
    assert (lower.value, lower.recall) == (0.2, 1.0)


def test_what_cannot_be_met_is_told_and_the_best_there_is_is_taken():
    found = choose_threshold(~OUTCOME, PROBABILITY, ThresholdSettings(min_precision=0.9))
    assert found.precision == pytest.approx(0.5)
    assert found.reason == "no value names 90% rightly; the highest precision is taken"


def test_of_equal_precision_most_are_named():
    found = choose_threshold(OUTCOME[:2], PROBABILITY[:2], ThresholdSettings(min_precision=0.99))
    assert (found.value, found.named_share) == (0.8, 1.0)


@pytest.mark.parametrize(("missed", "needless", "value"), [(5.0, 1.0, 0.3), (1.0, 1.0, 0.6), (1.0, 10.0, 0.8)])
def test_costs_decide(missed, needless, value):
    settings = ThresholdSettings(rule="cost", missed_cost=missed, needless_cost=needless)
    found = choose_threshold(OUTCOME, PROBABILITY, settings)
    assert found.value == value
    costs = [
        missed * (OUTCOME & (at > PROBABILITY)).sum() + needless * (~OUTCOME & (at <= PROBABILITY)).sum()
        for at in PROBABILITY
    ]
    assert min(costs) == costs[PROBABILITY.tolist().index(found.value)]
    assert f"{min(costs):,.0f} instead of {missed * 4:,.0f}" in found.reason


def test_equal_probabilities_are_named_together():
    found = choose_threshold(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]), ThresholdSettings())
    assert (found.value, found.precision, found.named_share) == (0.5, 0.5, 2 / 3)
