"""Training of churn models on customers whose chances are known, as they were drawn by them."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.prediction import ChurnAlgorithms, ChurnSettings, PredictionSettings
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.binary_scores import area_under_curve
from segmentation_assets.prediction.churn_baselines import PURCHASES, RECENCY
from segmentation_assets.prediction.churn_model import ChurnModel
from segmentation_assets.prediction.churn_record import churn_scores, judge_churn
from segmentation_assets.prediction.churn_training import (
    IN_FORCE,
    label_rows,
    reason_not_trainable,
    train_churn,
)
from segmentation_assets.prediction.classifiers import MODEL_TYPES
from segmentation_assets.prediction.cutoffs import Cutoffs
from segmentation_assets.storage.models import fitted_state_hash
from segmentation_assets.tables.prediction import CHURN_SCORES

DATES = [dt.date(2025, month, 1) for month in (10, 7, 4, 1)]
CUTOFFS = Cutoffs((DATES[2], DATES[3]), DATES[1], DATES[0])
QUICK = ChurnAlgorithms.model_validate(
    {"random_forest": {"n_estimators": 40, "max_samples": 500}, "gradient_boosting": {"max_iter": 40}}
)
SETTINGS = PredictionSettings(churn=ChurnSettings(max_features=5, algorithms=QUICK))
NOISE = tuple(f"noise_{number}" for number in range(6))
COLUMNS = [
    FeatureColumn(name=name, dtype="DOUBLE", meaning=name, imputation="ordinary")
    for name in ("recency_days", "order_count", "mood", *NOISE)
]


def shop_of(count=900, seed=0, *, strength=2.0):
    """Customers at four dates, who churn by recency and mood, with the chance of each."""
    rng = np.random.default_rng(seed)
    parts = []
    for day in DATES:
        rows = pd.DataFrame({"customer_id": [f"c{number:04d}" for number in range(count)], "cutoff_date": str(day)})
        rows["recency_days"] = rng.integers(0, 500, count)
        rows["order_count"] = rng.poisson(3, count) + 1
        rows["mood"] = rng.normal(size=count)
        rows[[*NOISE]] = rng.normal(size=(count, len(NOISE)))
        odds = strength * ((rows["recency_days"] - 180) / 150 - rows["mood"])
        rows["chance"] = 1 / (1 + np.exp(-odds))
        rows["outcome_order_count"] = (rng.random(count) >= rows["chance"]).astype(int)
        rows["btyd_frequency"] = rows["order_count"] - 1
        rows["btyd_T"] = 600
        rows["btyd_recency"] = np.where(rows["btyd_frequency"] > 0, 600 - rows["recency_days"], 0)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def shop():
    return shop_of()


@pytest.fixture(scope="module")
def training(shop):
    return train_churn(shop, COLUMNS, CUTOFFS, SETTINGS, ceiling=0.95)


def hash_of(training):
    return fitted_state_hash(training.model.estimator, training.model.to_state(), MODEL_TYPES)


def test_the_same_inputs_give_the_same_hash(shop, training):
    again = train_churn(shop.copy(), COLUMNS, CUTOFFS, SETTINGS, ceiling=0.95)
    assert hash_of(again) == hash_of(training)


def test_the_features_that_matter_are_found_and_used(training):
    used = training.importance[training.importance["is_used"]]
    assert used["feature"].tolist()[:2] == ["mood", "recency_days"]
    assert len(used) == SETTINGS.churn.max_features == len(training.model.inputs.features)
    assert set(training.importance["feature"]) == {column.name for column in COLUMNS}


def test_the_recipe_comes_near_to_the_chances_that_customers_were_drawn_by(training, shop):
    test = label_rows(shop, [CUTOFFS.test], 365)
    best = area_under_curve(test.outcome, test.features["chance"].to_numpy())
    found = training.candidate(training.model.algorithm).test
    assert best - 0.03 < found.auc < best + 0.01
    assert found.customers == len(test.outcome)
    assert found.base_rate == test.outcome.mean()
    assert found.calibration_error < 0.06
    assert training.problems == ()
    told = training.model.score(test.features).to_numpy()
    assert np.abs(told - test.features["chance"].to_numpy()).mean() < 0.1


def test_plain_rules_stand_beside_it_and_are_beaten(training):
    baselines = {one.name: one.test for one in training.candidates if one.role == "baseline"}
    assert set(baselines) == {RECENCY, PURCHASES}
    assert training.candidate(training.model.algorithm).test.auc_lower > baselines[RECENCY].auc


def test_where_nobody_ordered_again_the_model_of_purchases_is_left_out(shop):
    once = shop.assign(btyd_frequency=0, btyd_recency=0)
    found = train_churn(once, COLUMNS, CUTOFFS, SETTINGS, ceiling=0.95)
    assert [one.name for one in found.candidates if one.role == "baseline"] == [RECENCY]


def test_validation_alone_chooses(training):
    algorithms = [one for one in training.candidates if one.role == "algorithm"]
    assert len(algorithms) == 3
    best = max(algorithms, key=lambda one: one.validation.average_precision)
    assert best.name == training.model.algorithm


def test_what_is_put_to_use_has_learned_from_newer_outcomes_and_the_test_has_not_been_seen(training, shop):
    changed = shop.copy()
    is_test = changed["cutoff_date"] == str(CUTOFFS.test)
    flipped = 1 - (changed.loc[is_test, "outcome_order_count"] > 0)
    changed.loc[is_test, "outcome_order_count"] = flipped.astype(int)
    again = train_churn(changed, COLUMNS, CUTOFFS, SETTINGS, ceiling=0.95)
    assert [one.validation for one in again.candidates] == [one.validation for one in training.candidates]
    pd.testing.assert_frame_equal(again.importance, training.importance)
    assert again.model.calibration != training.model.calibration
    assert "lies below that of days since" in " ".join(again.problems)


def test_customers_whose_last_order_lies_too_far_back_do_not_count(training, shop):
    rows = label_rows(shop, DATES, 365)
    assert rows.features["recency_days"].max() == 365
    scores = training.model.score(shop[shop["cutoff_date"] == str(DATES[0])])
    far = shop.loc[shop["cutoff_date"] == str(DATES[0]), "recency_days"].to_numpy() > 365
    np.testing.assert_array_equal(scores.isna().to_numpy(), far)


def test_one_row_gets_what_it_gets_in_the_batch_and_a_stored_model_says_the_same(training, shop):
    rows = shop[shop["cutoff_date"] == str(DATES[0])].head(60)
    batch = training.model.score(rows)
    state = json.loads(json.dumps(training.model.to_state()))
    again = ChurnModel.from_state(training.model.estimator, state)
    alone = pd.concat([again.score(rows.iloc[[at]]) for at in range(len(rows))])
    pd.testing.assert_series_equal(alone, batch, check_exact=True)


def test_the_order_of_rows_does_not_matter(training, shop):
    shuffled = shop.sample(frac=1, random_state=3)
    again = train_churn(shuffled, COLUMNS, CUTOFFS, SETTINGS, ceiling=0.95)
    assert again.candidates == training.candidates
    assert again.model.to_state() == training.model.to_state()


def test_a_planted_leak_is_found_and_the_model_is_not_used(shop):
    rng = np.random.default_rng(5)
    leaking = shop.assign(mood=(shop["outcome_order_count"] == 0) + rng.normal(scale=0.2, size=len(shop)))
    found = train_churn(leaking, COLUMNS, CUTOFFS, SETTINGS, ceiling=0.85)
    assert [problem.split(" ")[0] for problem in found.problems] == ["mood", "an"]
    assert "(prediction.max_plausible_auc)" in found.problems[1]


def test_customers_who_leave_at_random_give_no_model_that_seems_to_know():
    found = train_churn(shop_of(strength=0.0), COLUMNS, CUTOFFS, SETTINGS, ceiling=0.85)
    scores = found.candidate(found.model.algorithm).test
    assert scores.auc_lower < 0.5 < scores.auc_upper
    assert found.leak.shuffled.is_chance


def test_with_a_short_history_folds_choose_and_calibrate(shop):
    by_folds = Cutoffs((DATES[1],), None, DATES[0])
    found = train_churn(shop, COLUMNS, by_folds, SETTINGS, ceiling=0.95)
    train = label_rows(shop, [DATES[1]], 365)
    chosen = found.candidate(found.model.algorithm)
    assert chosen.validation.customers == len(train.outcome)
    assert chosen.test.customers == len(label_rows(shop, [DATES[0]], 365).outcome)
    assert found.problems == ()


def test_a_model_in_force_that_is_clearly_better_stays(training, shop):
    spoilt = shop.copy()
    is_learned = spoilt["cutoff_date"].isin([str(day) for day in DATES[1:]])
    spoilt.loc[is_learned, "mood"] = 0.0
    found = train_churn(spoilt, COLUMNS, CUTOFFS, SETTINGS, ceiling=0.95, in_force=training.model)
    assert found.candidates[-1].role == IN_FORCE
    assert "clearly below that of the model in force" in found.problems[-1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.iloc[::9], "of 72 customers who could churn at 2025-10-01"),
        (lambda rows: rows.assign(outcome_order_count=1), "0 did; a model needs 200 of them, 20 of either kind"),
        (lambda rows: rows[rows["cutoff_date"] != "2025-07-01"], "of 0 customers who could churn at 2025-07-01"),
    ],
)
def test_too_few_customers_are_a_reason_not_to_train(shop, change, reason):
    assert reason_not_trainable(shop, CUTOFFS, 365) == ""
    assert reason in reason_not_trainable(change(shop), CUTOFFS, 365)


def test_what_came_of_it_is_told_with_what_it_rests_on(training):
    verdict = judge_churn(training, CUTOFFS)
    scores = training.candidate(training.model.algorithm).test
    assert verdict.told.startswith(f"AUC {scores.auc:.3f} (")
    assert f"on {scores.customers:,} customers of 2025-10-01, of whom {scores.base_rate:.1%} churned" in verdict.told
    assert json.loads(json.dumps(dict(verdict.figures)))["auc"] == scores.auc
    assert json.loads(json.dumps(dict(verdict.details)))["algorithm"] == training.model.algorithm


def test_scores_become_rows_of_the_table(training):
    table = churn_scores(training, CUTOFFS, "2025-12")
    assert set(table) == set(CHURN_SCORES.column_names)
    assert not table.duplicated(list(CHURN_SCORES.primary_key)).any()
    chosen = table[table["is_chosen"] & (table["split"] == "test")].set_index("measure")
    scores = training.candidate(training.model.algorithm).test
    assert chosen.loc["auc", ["value", "lower", "upper"]].tolist() == [scores.auc, scores.auc_lower, scores.auc_upper]
    assert "brier" not in set(table.loc[table["split"] == "validation", "measure"])
