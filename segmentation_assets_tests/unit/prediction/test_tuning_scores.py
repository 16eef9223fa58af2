"""Which settings are recommended."""

import math

import pytest

from segmentation_assets.prediction.tuning_scores import FoldScores, Tried, judge_trials
from segmentation_assets.prediction.tuning_space import Draw


def trial(number, *values, reason=""):
    return Tried(number, Draw(), FoldScores(values, reason=reason))


def test_mean_and_standard_error_are_those_of_the_folds():
    one = trial(1, 0.2, 0.4, 0.6)
    assert one.score == pytest.approx(0.4)
    assert one.standard_error == pytest.approx(0.2 / math.sqrt(3))
    assert one.words == "0.4000 ± 0.1155"
    assert math.isnan(trial(1).score)
    assert math.isnan(trial(1, 0.5).standard_error)


def test_a_gain_above_the_standard_error_is_recommended():
    verdict = judge_trials([trial(1, 0.50, 0.52), trial(2, 0.60, 0.62)])
    assert (verdict.best.number, verdict.is_better) == (2, True)
    assert verdict.sentence == "Trial 2 gains 0.1000, more than the standard error of its folds, 0.0100."


def test_a_gain_within_the_standard_error_is_not():
    verdict = judge_trials([trial(1, 0.50, 0.52), trial(2, 0.42, 0.62)])
    assert (verdict.best.number, verdict.is_better) == (2, False)
    assert verdict.sentence == (
        "Trial 2 gains 0.0100, which is within the standard error of its folds, 0.1000; leave the settings as they are."
    )


def test_of_equal_scores_the_settings_in_force_stay():
    verdict = judge_trials([trial(1, 0.5, 0.6), trial(2, 0.5, 0.6), trial(3, 0.1, 0.2)])
    assert verdict.best is verdict.current
    assert verdict.sentence == "None of 3 trials beats the settings in force; leave them as they are."


def test_what_fails_a_gate_is_never_the_best():
    verdict = judge_trials([trial(1, 0.5, 0.5), trial(2, 0.9, 0.9, reason="coverage 1.3% (below the 80.0%)")])
    assert (verdict.best.number, verdict.is_better) == (1, False)


def test_settings_in_force_that_fail_a_gate_give_way_to_what_passes():
    verdict = judge_trials([trial(1, 0.9, 0.9, reason="coverage 1.3%"), trial(2, 0.2, 0.2)])
    assert (verdict.best.number, verdict.is_better) == (2, True)
    assert verdict.sentence.startswith("The settings in force are not usable: coverage 1.3%; those of trial 2 reach")


def test_without_a_usable_trial_the_most_frequent_reason_is_told():
    verdict = judge_trials([trial(1, reason="noise"), trial(2, reason="one cluster"), trial(3, reason="noise")])
    assert (verdict.best, verdict.is_better) == (None, False)
    assert verdict.sentence == "None of 3 trials can be used; most often (2): noise."
