"""Searches that are stopped and go on, and what they never choose."""

import pytest

from segmentation_assets.config.loading import load_profile
from segmentation_assets.config.search_space import Numbers
from segmentation_assets.errors import DataError
from segmentation_assets.prediction.tuning_scores import FoldScores, judge_trials
from segmentation_assets.prediction.tuning_space import TuningSpace
from segmentation_assets.prediction.tuning_study import (
    FEWEST_COMPARED,
    comparable_trials,
    measure_importance,
    open_study,
    study_name,
)

SETTINGS = load_profile("demo")
PATH = "prediction.churn.algorithms.gradient_boosting"
SPACE = TuningSpace(PATH, {"learning_rate": Numbers(0.01, 1.0), "max_iter": Numbers(10, 500)}, {})


class Peak:
    """The best learning rate is 0.4, the number of trees has little effect; small rates fail a gate."""

    def __init__(self, stop_after=None):
        self.calls = 0
        self.stop_after = stop_after

    def score(self, settings, algorithm):
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        own = settings.section(PATH)
        value = 1 - abs(own.learning_rate - 0.4) + own.max_iter / 1e5
        if own.learning_rate > 0.9:
            raise ValueError("diverges")
        is_small = 0.06 < own.learning_rate < 0.2
        return FoldScores((value, value + 0.01), {"trees": own.max_iter}, "too slow" if is_small else "", 0.2)


def search(path, trials, objective=None, name="a", seed=3):
    told = []
    with open_study(path / "study.db", name) as study:
        found = study.search(SPACE, objective or Peak(), SETTINGS, trials=trials, seed=seed, on_trial=told.append)
    return found, told


def test_the_first_trial_is_of_the_settings_in_force(tmp_path):
    (first, *_), _ = search(tmp_path, 2)
    assert (first.number, first.draw.changes, first.scores.facts) == (1, {}, {"trees": SETTINGS.section(PATH).max_iter})


def test_better_settings_than_bad_ones_are_found(tmp_path):
    found, _ = search(tmp_path, 25)
    verdict = judge_trials(found)
    assert verdict.is_better
    assert verdict.best.score > verdict.current.score + 0.2
    assert abs(verdict.best.draw.parameters["learning_rate"] - 0.4) < 0.1


def test_the_same_number_of_trials_again_does_nothing_and_gives_the_same(tmp_path):
    found, told = search(tmp_path, 5)
    again, told_again = search(tmp_path, 5)
    assert (len(told), told_again) == (5, [])
    assert again == found
    assert search(tmp_path, 3)[0] == found


def test_a_search_that_was_stopped_goes_on_to_the_same_trials(tmp_path):
    whole, _ = search(tmp_path / "whole", 14)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "stopped", 14, Peak(stop_after=6))
    stopped, told = search(tmp_path / "stopped", 14)
    assert stopped == whole
    assert len(told) == 14 - 6


def test_another_seed_tries_other_settings_and_other_data_begin_anew(tmp_path):
    found, _ = search(tmp_path, 3)
    with open_study(tmp_path / "study.db", "b") as study:
        assert (study.tried(), study.other_studies) == ([], 1)
    other, _ = search(tmp_path, 3, name="b", seed=4)
    assert [one.draw for one in other[1:]] != [one.draw for one in found[1:]]


@pytest.mark.parametrize("name", ["a b", "50%20off", "{shop}", "what?"])
def test_a_folder_may_have_any_name(tmp_path, name):
    found, _ = search(tmp_path / name, 2)
    assert (tmp_path / name / "study.db").is_file()
    assert search(tmp_path / name, 2) == (found, [])


def test_names_follow_from_all_that_scores_rest_on():
    assert study_name({"folds": 5, "seed": 1}) == study_name({"seed": 1, "folds": 5})
    assert study_name({"folds": 5}) != study_name({"folds": 4})


def test_what_fails_is_kept_with_the_reason_and_never_chosen(tmp_path):
    found, _ = search(tmp_path, 30)
    reasons = {one.scores.reason for one in found if not one.is_usable}
    assert reasons == {"too slow", "could not be fitted: ValueError: diverges"}
    assert judge_trials(found).best.is_usable
    assert judge_trials(search(tmp_path, 30)[0]) == judge_trials(found)


def test_settings_that_were_tried_are_not_computed_again(tmp_path):
    objective = Peak()
    space = TuningSpace(PATH, {"max_iter": Numbers(10, 12)}, {})
    with open_study(tmp_path / "study.db", "a") as study:
        found = study.search(space, objective, SETTINGS, trials=12, seed=3, on_trial=lambda _: None)
    assert len(found) == 12
    assert objective.calls <= 4


def test_importance_names_what_matters(tmp_path):
    found, _ = search(tmp_path, 30)
    compared = comparable_trials(found)
    importance = measure_importance(compared, SPACE, seed=1)
    assert next(iter(importance)) == "learning_rate"
    assert sum(importance.values()) == pytest.approx(1)
    assert measure_importance(compared, SPACE, seed=1) == importance
    assert comparable_trials(found[: FEWEST_COMPARED // 2]) == []
    assert measure_importance([], SPACE, seed=1) == {}


def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path):
    path = tmp_path / "study.db"
    path.write_text("no database, but long enough to be looked at as one", encoding="utf-8")
    with pytest.raises(DataError, match=r"study.db cannot be read or written: .*not a database"), open_study(path, "a"):
        pass
    assert path.read_text(encoding="utf-8").startswith("no database")
