"""Training of a model of newcomers, on some whose later segment follows a planted signal."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier
from segmentation_assets.prediction.newcomer_training import (
    reason_no_newcomer_classifier,
    train_newcomer_classifier,
)
from segmentation_assets_tests.unit.prediction.planted_segments import (
    NEWCOMER_COLUMNS,
    ONE_ALGORITHM,
    SETTINGS,
    at_random,
    feature,
    newcomers,
)

BANDS = ["days_0_30", "days_31_60", "days_61_90"]


def train(rows, columns=NEWCOMER_COLUMNS, horizon_days=90, settings=ONE_ALGORITHM):
    return train_newcomer_classifier(rows, columns, settings, horizon_days=horizon_days, seed=3)


@pytest.fixture(scope="module")
def training():
    return train(newcomers())


def test_an_early_signal_beats_the_largest_segment_of_each_band(training):
    baseline = training.candidate("largest_segment")
    pairs = (
        (training.chosen.out_of_fold, baseline.out_of_fold),
        (training.chosen.out_of_time, baseline.out_of_time),
    )
    for found, plain in pairs:
        assert found.overall.accuracy == pytest.approx(0.85, abs=0.05)
        assert plain.overall.accuracy < 0.65
        assert found.log_loss_gain_lower > 0.1
        assert list(found.by_part) == BANDS
        for band in BANDS:
            assert found.by_part[band].accuracy > plain.by_part[band].accuracy + 0.1
    assert training.problems == ()
    assert training.notes == ()


def test_probabilities_come_true(training):
    best = -(0.85 * np.log(0.85) + 0.15 * np.log(0.15))
    assert training.chosen.out_of_fold.overall.log_loss == pytest.approx(best, abs=0.03)
    told = training.model.predict(newcomers(seed=8, n_rows=2_000))
    is_right = told["segment_key"].to_numpy() == newcomers(seed=8, n_rows=2_000)["segment_key"].to_numpy()
    assert told["probability"].mean() == pytest.approx(is_right.mean(), abs=0.04)


def test_without_a_signal_nothing_beats_the_shares_and_the_model_is_refused():
    training = train(at_random(newcomers()))
    assert training.chosen.out_of_time.log_loss_gain < 0.02
    (problem,) = training.problems
    assert problem.startswith("on 200 newcomers of the newest date it is not clearly better than the shares")


def test_probabilities_that_do_not_come_true_are_a_problem():
    strict = ONE_ALGORITHM.model_copy(
        update={"newcomers": ONE_ALGORITHM.newcomers.model_copy(update={"max_calibration_error": 0.001})}
    )
    (problem,) = train(newcomers(), settings=strict).problems
    assert problem.startswith("on 200 newcomers of the newest date foretold and found shares differ by 0.0")
    assert problem.endswith("more than 0.001 (prediction.segment_classifier.newcomers.max_calibration_error)")


def test_newcomers_held_out_decide_where_there_is_one_date():
    rows = newcomers()
    training = train(at_random(rows[rows["cutoff_date"] == dt.date(2021, 7, 2)]))
    assert training.notes == (
        "not judged out of time: of dates whose segments were known at the newest one, 0 customers are in 0 segments, "
        "and it takes two to tell them apart",
    )
    assert training.problems[0].startswith("on 200 newcomers held out it is not clearly better")


def test_dates_whose_segments_were_not_known_yet_are_not_learned_from():
    judged = train(newcomers(), horizon_days=181).chosen.out_of_time
    assert judged.overall.customers == 200
    unjudged = train(newcomers(), horizon_days=200)
    assert unjudged.chosen.out_of_time is None


def test_newcomers_seen_before_are_not_judged_out_of_time():
    rows = newcomers()
    again = rows[rows["cutoff_date"] == dt.date(2021, 7, 2)].head(100).assign(cutoff_date=dt.date(2021, 4, 2))
    training = train(pd.concat([rows, again]))
    assert training.chosen.out_of_time.overall.customers == 100
    assert training.chosen.out_of_fold.overall.customers == 700


def test_too_few_newest_newcomers_are_noted():
    rows = newcomers()
    few = rows[(rows["cutoff_date"] != dt.date(2021, 7, 2)) | (rows.index < 120)]
    assert train(few).notes[-1].endswith("40 newcomers of the newest date were not learned from; it takes 50")


def test_the_sentence_says_how_often_and_of_whom(training):
    assert training.sentence.startswith(
        "For customers known for at most 90 days the model names the segment that the clustering puts them into at "
        "least 90 days later: right for 8"
    )
    assert "of 600 newcomers held out (always the largest segment of the band: 6" in training.sentence
    assert "; of 200 newer newcomers for 8" in training.sentence


def test_what_too_few_newcomers_have_is_gone_by_in_the_other_bands_only(training):
    assert training.model.known["days_between_orders"] == (2,)
    assert training.model.known["first_amount"] == (0, 1, 2)
    early = newcomers(seed=8).query("tenure_days <= 60")
    found = training.model.predict(early)
    pd.testing.assert_frame_equal(training.model.predict(early.assign(days_between_orders=7.0)), found)


def test_tenure_is_a_feature_whether_offered_or_not(training):
    assert "tenure_days" in training.model.classifier.inputs.features
    offered = train(newcomers(), columns=(*NEWCOMER_COLUMNS, feature("tenure_days", "BIGINT")))
    assert offered.model.to_state() == training.model.to_state()
    few = train(newcomers(), settings=ONE_ALGORITHM.model_copy(update={"max_features": 2}))
    assert set(few.model.classifier.inputs.features) == {"tenure_days", "first_amount"}


def test_who_is_no_newcomer_is_left_out_and_told_nothing(training):
    rows = newcomers()
    older = rows.assign(tenure_days=rows["tenure_days"].mask(rows.index < 5, 91))
    with_older = train(older)
    assert with_older.notes == ("5 rows of customers who were no newcomers left out",)
    found = training.model.predict(older.head(7))
    assert found["customer_id"].tolist() == rows["customer_id"].head(7).tolist()
    assert found.drop(columns="customer_id").isna().all(axis=1).tolist() == [True] * 5 + [False] * 2
    assert training.model.predict(older.head(5))["segment_key"].isna().all()


def test_row_order_changes_nothing(training):
    shuffled = train(newcomers().sample(frac=1, random_state=2))
    assert shuffled.sentence == training.sentence
    assert shuffled.model.to_state() == training.model.to_state()


def test_a_row_alone_is_as_in_the_batch(training):
    rows = newcomers(seed=8).iloc[:40]
    alone = [training.model.predict(rows.iloc[place : place + 1]) for place in range(40)]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), training.model.predict(rows), check_exact=True)


def test_a_model_read_from_json_scores_alike(training):
    state = json.loads(json.dumps(training.model.to_state(), allow_nan=False))
    again = NewcomerClassifier.from_state(training.model.classifier.estimator, state)
    assert again.to_state() == training.model.to_state()
    rows = newcomers(seed=8)
    pd.testing.assert_frame_equal(again.predict(rows), training.model.predict(rows), check_exact=True)


@pytest.mark.parametrize("name", ["cutoff_date", "tenure_days", "segment_key", "first_amount"])
def test_a_missing_column_is_an_error(name, training):
    with pytest.raises(DataError, match=f"{name}.* missing|missing: {name}"):
        train(newcomers().drop(columns=name))
    if name in ("tenure_days", "first_amount"):
        with pytest.raises(DataError, match=name):
            training.model.predict(newcomers().drop(columns=name))


UNKNOWN = newcomers().assign(tenure_days=5, first_amount=lambda rows: rows["first_amount"].where(rows.index < 66))
REFUSED = {
    "one_segment": (newcomers().assign(segment_key="all"), "600 customers are in 1 segment"),
    "few": (newcomers(90), "90 customers have a segment"),
    "nobody_new": (newcomers().assign(tenure_days=200), r"0 customers are in 0 segments.* \(600 rows of customers who"),
    "nothing_known": (UNKNOWN, "none of 2 features varies and is known of 50% of the newcomers of a band"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_has_a_reason(case):
    rows, reason = REFUSED[case]
    with pytest.raises(DataError, match=f"no model of newcomers can be trained: {reason}"):
        train(rows, columns=[feature("first_amount")])
    assert reason_no_newcomer_classifier(rows, [feature("first_amount")], SETTINGS)
    assert reason_no_newcomer_classifier(newcomers(), NEWCOMER_COLUMNS, SETTINGS) == ""


def test_rows_of_a_customer_stay_in_one_fold():
    rows = newcomers()
    told = np.random.default_rng(1).permutation(rows["segment_key"].to_numpy())
    copies = [
        rows.assign(segment_key=told, cutoff_date=day, tenure_days=rows["tenure_days"] / 2)
        for day in (dt.date(2021, 1, 1), dt.date(2021, 1, 31))
    ]
    training = train(pd.concat(copies))
    assert training.chosen.out_of_fold.overall.customers == 1_200
    assert training.chosen.out_of_fold.overall.accuracy < 0.62
