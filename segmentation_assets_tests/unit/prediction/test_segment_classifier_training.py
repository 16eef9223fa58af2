"""Training of a model that imitates the clustering, on customers whose rule is known."""

import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.prediction import SegmentClassifierSettings
from segmentation_assets.errors import DataError
from segmentation_assets.prediction.segment_classifier import SegmentClassifier
from segmentation_assets.prediction.segment_classifier_training import (
    reason_no_classifier,
    train_segment_classifier,
)
from segmentation_assets_tests.unit.prediction.planted_segments import (
    COLUMNS,
    KEYS,
    ONE_ALGORITHM,
    QUICK,
    SETTINGS,
    at_random,
    customers,
    feature,
)


def train(current, earlier=None, columns=COLUMNS, settings=ONE_ALGORITHM):
    return train_segment_classifier(current, earlier, columns, settings, seed=3)


@pytest.fixture(scope="module")
def training():
    return train(customers(), customers(seed=5), settings=SETTINGS)


@pytest.fixture(scope="module")
def random_training():
    return train(at_random(customers()), at_random(customers(seed=5), seed=2))


def test_segments_that_lie_apart_are_told(training):
    for scores in (training.chosen.out_of_fold.overall, training.chosen.out_of_time.overall):
        assert scores.accuracy > 0.97
        assert scores.macro_f1 > 0.97
        assert scores.log_loss < 0.1
    assert training.problems == ()
    assert training.notes == ()
    assert training.importance.loc[0, "feature"] == "spend"
    assert training.model.segment_keys == KEYS


def test_the_sentence_says_what_is_imitated_and_what_is_not_said(training):
    assert training.sentence.startswith("The model imitates the clustering: it agrees with its rule for ")
    assert "of 300 customers held out (always naming the largest segment: 3" in training.sentence
    assert "fitted at an earlier date, it agrees for" in training.sentence
    assert training.sentence.endswith("It says nothing about whether the segments are good.")


def test_random_segments_are_not_told_and_the_model_is_refused(random_training):
    scores = random_training.chosen.out_of_fold.overall
    assert scores.macro_f1 == pytest.approx(1 / 3, abs=0.08)
    assert scores.accuracy == pytest.approx(1 / 3, abs=0.08)
    assert scores.log_loss > 1.05
    by_f1, by_gain = random_training.problems
    assert "below 0.5 (prediction.segment_classifier.min_macro_f1)" in by_f1
    assert "less than 30.0% (prediction.segment_classifier.min_accuracy_gain)" in by_gain


def test_picking_among_many_random_features_does_not_flatter():
    frame = at_random(customers())
    noise = np.random.default_rng(9).normal(size=(len(frame), 30))
    frame = frame.join(pd.DataFrame(noise, columns=[f"noise_{place}" for place in range(30)]))
    columns = [feature(f"noise_{place}") for place in range(30)]
    few = ONE_ALGORITHM.model_copy(update={"max_features": 4})
    training = train(frame, columns=columns, settings=few)
    assert training.chosen.out_of_fold.overall.accuracy == pytest.approx(1 / 3, abs=0.08)
    assert training.importance["is_used"].sum() == 4


def test_the_algorithm_of_the_smallest_log_loss_is_chosen(training):
    losses = {one.name: one.out_of_fold.overall.log_loss for one in training.candidates}
    assert set(losses) == {"random_forest", "gradient_boosting", "largest_segment"}
    assert training.algorithm == training.model.algorithm == min(losses, key=losses.get)


def test_the_baseline_names_the_largest_segment():
    frame = customers().iloc[60:]
    frame = frame[(frame["segment_key"] != "gold") | (frame.index % 2 == 0)]
    training = train(frame)
    baseline = training.candidate("largest_segment")
    assert baseline.role == "baseline"
    counts = frame["segment_key"].value_counts()
    assert baseline.out_of_fold.overall.accuracy <= counts.max() / len(frame)
    assert baseline.out_of_fold.overall.confusion["gold"].sum() == 0
    assert baseline.out_of_fold.log_loss_gain == 0.0


def test_out_of_time_judges_customers_who_were_not_learned_from(training):
    judged = training.chosen.out_of_time.overall
    assert judged.customers == 100
    newer = train(customers(), customers(seed=5, first=1_000))
    assert newer.chosen.out_of_time.overall.customers == 300


def test_row_order_changes_nothing(training):
    frames = (customers().sample(frac=1, random_state=2), customers(seed=5).sample(frac=1, random_state=4))
    shuffled = train(*frames, settings=SETTINGS)
    assert shuffled.sentence == training.sentence
    assert shuffled.model.to_state() == training.model.to_state()
    pd.testing.assert_frame_equal(shuffled.importance, training.importance)
    told = customers(seed=8)
    assert (shuffled.model.score(told) == training.model.score(told)).all()


def test_a_row_alone_is_as_in_the_batch(training):
    told = customers(seed=8).iloc[:40]
    alone = [training.model.predict(told.iloc[place : place + 1]) for place in range(40)]
    batch = training.model.predict(told)
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), batch, check_exact=True)


def test_predictions_name_the_two_most_probable_segments(training):
    told = customers().iloc[:6]
    found = training.model.predict(told)
    assert found["customer_id"].tolist() == told["customer_id"].tolist()
    assert found["segment_key"].tolist() == told["segment_key"].tolist()
    ordered = np.sort(training.model.score(told), axis=1)
    np.testing.assert_array_equal(found["probability"], ordered[:, -1])
    np.testing.assert_array_equal(found["runner_up_probability"], ordered[:, -2])
    assert (found["segment_key"] != found["runner_up_segment_key"]).all()


def test_nobody_to_tell_about_gives_an_empty_frame(training):
    found = training.model.predict(customers().iloc[:0])
    assert len(found) == 0
    assert list(found) == [
        "customer_id",
        "segment_key",
        "probability",
        "runner_up_segment_key",
        "runner_up_probability",
    ]


def test_a_model_read_from_json_scores_alike(training):
    state = json.loads(json.dumps(training.model.to_state(), allow_nan=False))
    again = SegmentClassifier.from_state(training.model.estimator, state)
    told = customers(seed=8)
    pd.testing.assert_frame_equal(again.predict(told), training.model.predict(told), check_exact=True)
    assert again.to_state() == training.model.to_state()


def test_a_missing_feature_is_an_error(training):
    with pytest.raises(DataError, match=r"features that are missing: spend\nHint: did you mean 'spent'"):
        training.model.predict(customers().rename(columns={"spend": "spent"}))
    with pytest.raises(DataError, match="features that are missing: channel, noise"):
        train(customers().drop(columns=["noise", "channel"]))


@pytest.mark.parametrize("name", ["customer_id", "segment_key"])
def test_a_missing_key_is_an_error(name):
    with pytest.raises(DataError, match=f"the column {name} is missing"):
        train(customers().drop(columns=name))


def test_a_segment_of_fewer_customers_than_folds_is_not_learned():
    frame = customers()
    frame.loc[:1, "segment_key"] = "tiny"
    frame.loc[2, "segment_key"] = None
    training = train(frame)
    assert training.model.segment_keys == KEYS
    assert training.notes == (
        "1 row without a segment left out",
        "segment tiny is not learned: it has 2 customers for 3 folds",
        "not judged out of time: there is no earlier date",
    )
    assert training.chosen.out_of_fold.overall.customers == 297
    assert training.chosen.out_of_time is None


def test_segments_that_are_new_now_are_missed_out_of_time():
    earlier = customers(600, seed=5)
    training = train(customers(), earlier.assign(segment_key=earlier["segment_key"].replace("gold", "former")))
    scores = training.chosen.out_of_time.overall
    assert scores.by_segment.set_index("segment_key").loc["gold", "recall"] == 0.0
    assert np.isfinite(scores.log_loss)
    assert training.notes == ("200 rows of the earlier date without a segment that is learned left out",)


REFUSED = {
    "one_segment": (
        customers().assign(segment_key="all"),
        COLUMNS,
        r"300 customers are in 1 segment, and it takes two",
    ),
    "no_segment": (customers().assign(segment_key=None), COLUMNS, "0 customers are in 0 segments"),
    "nobody": (customers().iloc[:0], COLUMNS, "0 customers are in 0 segments"),
    "few_customers": (customers(150), COLUMNS, "150 customers have a segment, 50 of them .* a model needs 200"),
    "one_small_segment": (
        customers().assign(segment_key=["rare"] * 19 + ["rest"] * 281),
        COLUMNS,
        "300 customers have a segment, 19 of them that of the second largest; .* 20 in each of two segments",
    ),
    "constant_features": (customers().assign(noise=1.0), (feature("noise"),), "none of 1 feature varies among 300"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_has_a_reason(case):
    frame, columns, reason = REFUSED[case]
    with pytest.raises(DataError, match=f"no segment classifier can be trained: {reason}"):
        train(frame, columns=columns)
    assert reason_no_classifier(frame, columns, SETTINGS)
    assert reason_no_classifier(customers(), COLUMNS, SETTINGS) == ""


UNJUDGED = {
    "nobody": (customers().iloc[:0], "there is no earlier date"),
    "one_segment": (
        customers(100).assign(segment_key="gold"),
        "at the earlier date, 67 customers are in 1 segment, and it takes two to tell them apart",
    ),
    "constant": (
        customers().assign(spend=1.0, orders=1.0, noise=1.0, channel="web", is_member=True),
        "at the earlier date, none of 5 features varies among 200 customers",
    ),
}


@pytest.mark.parametrize("case", UNJUDGED)
def test_what_cannot_be_judged_out_of_time_is_noted(case):
    earlier, reason = UNJUDGED[case]
    training = train(customers(), earlier)
    assert training.chosen.out_of_time is None
    assert training.notes[-1] == f"not judged out of time: {reason}"


def test_too_few_other_customers_now_are_noted():
    earlier = customers(1_200, seed=5)
    training = train(customers(240), earlier.iloc[:240], settings=ONE_ALGORITHM.model_copy(update={"folds": 6}))
    assert training.notes == (
        "not judged out of time: at the earlier date, 40 customers of now were not learned from then; it takes 50",
    )


def test_two_segments_are_enough():
    frame = customers()
    training = train(frame.assign(segment_key=frame["segment_key"].replace("gold", "silver")))
    assert training.chosen.out_of_fold.overall.accuracy > 0.97


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_the_extras_can_be_chosen(name):
    pytest.importorskip(name, reason=f"{name} of the extra boosting is not installed")
    others = {other: {"enabled": False} for other in QUICK}
    settings = SegmentClassifierSettings.model_validate(
        {"algorithms": {**others, name: {"enabled": True, "n_estimators": 12}}, "folds": 3}
    )
    training = train(customers(), customers(seed=5), settings=settings)
    assert training.algorithm == name
    assert training.chosen.out_of_fold.overall.accuracy > 0.97
    assert training.chosen.out_of_time.overall.accuracy > 0.97
