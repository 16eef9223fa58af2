"""Ranges of settings: each is of a setting, and whatever is drawn is valid."""

import optuna
import pytest

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.loading import load_profile
from segmentation_assets.config.search_space import Numbers, Options
from segmentation_assets.config.section import Section
from segmentation_assets.errors import SettingsError
from segmentation_assets.prediction.tuning_space import TuningSpace, find_space, tunable_models

SETTINGS = load_profile(
    overrides={f"prediction.segment_classifier.algorithms.{name}.enabled": True for name in ("xgboost", "lightgbm")}
)


def sections(kind=Section):
    found = [kind] if kind.search_space else []
    return found + [section for child in kind.__subclasses__() for section in sections(child)]


@pytest.fixture(params=tunable_models())
def space(request):
    return find_space(request.param, SETTINGS)


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_range_is_of_settings_and_of_what_stands_before_it(section):
    before = {}
    for name, within in section.search_space.items():
        if not section.__name__.startswith("_"):
            assert set(within.fields or (name,)) <= set(section.model_fields)
        if within.only_with is not None:
            other, wanted = within.only_with
            assert wanted in before[other].by_label
        before[name] = within


def corner(within, side):
    if isinstance(within, Options):
        return list(within.by_label)[side]
    return (within.lower, within.upper)[side]


@pytest.mark.parametrize("side", [0, -1])
def test_the_ends_of_all_ranges_are_valid_settings(space, side):
    for branch in space.branches or {"": {}}:
        parameters = {name: corner(within, side) for name, within in space.shared.items()}
        if branch:
            parameters["algorithm"] = branch
            parameters |= {f"{branch}.{name}": corner(one, side) for name, one in space.branches[branch].items()}
        drawn = space.draw(optuna.trial.FixedTrial(parameters))
        altered = SETTINGS.altered(drawn.changes)
        assert {path: altered.section(path) for path in drawn.changes} == drawn.changes


def test_every_algorithm_can_be_tuned(space):
    assert space.shared
    assert set(tunable_models()) == {"churn", "segment_classifier", *ALGORITHMS}


def test_a_number_of_clusters_is_both_ends_of_the_search():
    drawn = find_space("kmeans", SETTINGS).draw(optuna.trial.FixedTrial({"k": 5, "n_init": 3}))
    path = "clustering.algorithms.kmeans"
    assert drawn.changes == {f"{path}.k_min": 5, f"{path}.k_max": 5, f"{path}.n_init": 3}


def test_what_has_no_effect_is_not_drawn():
    fixed = {"space": "full", "eps": 1.0, "min_samples": 5}
    drawn = find_space("dbscan", SETTINGS).draw(optuna.trial.FixedTrial(fixed))
    assert drawn.parameters == fixed


def test_numbers_are_drawn_with_few_digits_and_stay_in_the_range():
    space = TuningSpace("prediction.churn", {"x": Numbers(0.123444, 9.0), "y": Numbers(0.5, 1.99999)}, {})
    drawn = space.draw(optuna.trial.FixedTrial({"x": 0.123444, "y": 1.99999}))
    assert drawn.parameters == {"x": 0.123444, "y": 1.99999}
    assert space.draw(optuna.trial.FixedTrial({"x": 3.14159265, "y": 0.7})).parameters["x"] == 3.142


def test_algorithms_that_are_off_are_not_searched():
    off = SETTINGS.altered({"prediction.churn.algorithms.random_forest.enabled": False})
    assert list(find_space("churn", off).branches) == ["gradient_boosting", "logistic_regression"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("kmean", r"there is no model 'kmean' to tune\nHint: did you mean 'kmeans'\?"),
        ("chrun", r"there is no model 'chrun' to tune\nHint: did you mean 'churn'\?"),
        ("lifetime_value", r"Hint: known names are autoencoder, churn, "),
    ],
)
def test_an_unknown_model_is_refused_with_the_closest_one(model, message):
    with pytest.raises(SettingsError, match=message):
        find_space(model, SETTINGS)


def test_a_section_without_ranges_is_refused(monkeypatch):
    monkeypatch.setattr(type(SETTINGS.clustering.algorithms.ward), "search_space", {})
    with pytest.raises(
        SettingsError, match=r"clustering.algorithms.ward has nothing to search\nHint: declare a search"
    ):
        find_space("ward", SETTINGS)
