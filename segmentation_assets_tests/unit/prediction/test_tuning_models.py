"""Tuning of churn and of the segment classifier on planted customers."""

import pandas as pd
import pytest

from segmentation_assets.config.loading import load_profile
from segmentation_assets.errors import DataError
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.prediction.tuning_churn import ChurnObjective
from segmentation_assets.prediction.tuning_scores import judge_trials
from segmentation_assets.prediction.tuning_segments import SegmentObjective
from segmentation_assets.prediction.tuning_space import find_space
from segmentation_assets.prediction.tuning_study import open_study
from segmentation_assets_tests.unit.prediction import planted_segments as planted
from segmentation_assets_tests.unit.prediction.test_churn_training import COLUMNS, CUTOFFS, DATES, shop_of

CHURN = "prediction.churn.algorithms"
SEGMENTS = "prediction.segment_classifier.algorithms"
ONE = {
    f"{CHURN}.random_forest.enabled": False,
    f"{CHURN}.gradient_boosting.enabled": False,
    f"{CHURN}.logistic_regression.C": 0.1,
    f"{SEGMENTS}.random_forest.n_estimators": 10,
    f"{SEGMENTS}.random_forest.min_samples_leaf": 2,
    f"{SEGMENTS}.gradient_boosting.max_iter": 12,
}
SETTINGS = load_profile(overrides=ONE)


@pytest.fixture(scope="module")
def shop():
    return shop_of(500)


def churn_objective(shop, cutoffs=CUTOFFS, settings=SETTINGS):
    return ChurnObjective(shop, COLUMNS, cutoffs, settings.prediction, folds=3, seed=2)


@pytest.fixture(scope="module")
def objective(shop):
    return churn_objective(shop)


def test_no_customer_is_on_both_sides_of_a_fold(objective):
    held = []
    for split in objective._splits:
        learned, judged = (set(part.features["customer_id"]) for part in (split.learn, split.judged))
        assert learned.isdisjoint(judged)
        held.append(judged)
    assert set.union(*held) == set(objective.train.features["customer_id"])


def test_later_dates_do_not_change_the_scores(shop, objective):
    is_later = pd.to_datetime(shop["cutoff_date"]).isin(pd.to_datetime(DATES[:2]))
    turned = shop.assign(
        outcome_order_count=shop["outcome_order_count"].where(~is_later, 1 - shop["outcome_order_count"]),
        mood=shop["mood"].where(~is_later, 0.0),
    )
    assert churn_objective(turned).score(SETTINGS, "") == objective.score(SETTINGS, "")


def test_the_best_algorithm_in_force_is_named(objective):
    both = SETTINGS.altered({f"{CHURN}.gradient_boosting.enabled": True, f"{CHURN}.gradient_boosting.max_iter": 1})
    alone = objective.score(both, "gradient_boosting")
    assert objective.score(both, "").facts == {"algorithm": "logistic_regression"}
    assert sum(alone.values) < sum(objective.score(both, "").values)


def test_bad_settings_of_churn_are_bettered_also_on_the_date_that_was_not_searched(shop, tmp_path):
    bad = SETTINGS.altered(
        {
            f"{CHURN}.logistic_regression.enabled": False,
            f"{CHURN}.gradient_boosting.enabled": True,
            f"{CHURN}.gradient_boosting.learning_rate": 1.0,
            f"{CHURN}.gradient_boosting.max_iter": 2,
            f"{CHURN}.gradient_boosting.max_leaf_nodes": 2,
        }
    )
    objective = churn_objective(shop, settings=bad)
    space = find_space("churn", bad)
    with open_study(tmp_path / "study.db", "a") as study:
        found = study.search(space, objective, bad, trials=6, seed=2, on_trial=lambda _: None)
    verdict = judge_trials(found)
    assert verdict.is_better
    tuned = bad.altered(verdict.best.draw.changes)
    before, after = objective.compare_later(bad, ["gradient_boosting"] * 2, tuned)
    assert after > before


def test_without_a_validation_date_there_is_no_later_comparison(shop):
    objective = churn_objective(shop, Cutoffs(CUTOFFS.train, None, CUTOFFS.test))
    assert objective.compare_later(SETTINGS, ["logistic_regression"] * 2, SETTINGS) is None
    assert "the dates of test (2025-10-01) are no part of the search" in objective.notes[0]


def test_what_churn_scores_rest_on_is_told(objective):
    assert objective.rests_on.startswith(f"{objective.train.features['customer_id'].nunique()} customers at 2 dates, ")
    assert "the dates of validation (2025-07-01) and test (2025-10-01) are no part" in objective.notes[0]


def test_too_few_customers_for_churn_are_told():
    with pytest.raises(DataError, match=r"no churn model can be tuned: of \d+ customers who could churn"):
        churn_objective(shop_of(60), settings=SETTINGS)


def segment_objective(frame, settings=planted.SETTINGS):
    return SegmentObjective(frame, planted.COLUMNS, settings, folds=3, seed=2, model_seed=7)


def test_planted_segments_are_told_and_segments_at_random_are_not():
    clear = segment_objective(planted.customers()).score(SETTINGS, "")
    dealt = segment_objective(planted.at_random(planted.customers())).score(SETTINGS, "")
    assert min(clear.values) > 0.95
    assert max(dealt.values) < 0.5
    assert clear.facts["algorithm"] in ("random_forest", "gradient_boosting")


def test_few_features_suffice_where_one_tells_all():
    few = SETTINGS.altered({"prediction.segment_classifier.max_features": 1})
    objective = segment_objective(planted.customers())
    assert min(objective.score(few, "random_forest").values) > 0.95
    assert objective.rests_on == "300 customers in 3 segments"


def test_too_few_segments_are_told():
    frame = planted.customers().assign(segment_key="gold")
    with pytest.raises(DataError, match="no segment classifier can be tuned: 300 customers are in 1 segment"):
        segment_objective(frame)
