"""What is kept of a training of segments."""

import datetime as dt
import json

import pytest

from segmentation_assets.prediction.newcomer_training import train_newcomer_classifier
from segmentation_assets.prediction.segment_classifier_training import train_segment_classifier
from segmentation_assets.prediction.segment_record import judge_segments, segment_scores
from segmentation_assets.tables.prediction import (
    ALL,
    NEWCOMER_CLASSIFIER_SCORES,
    SEGMENT_CLASSIFIER_SCORES,
)
from segmentation_assets_tests.unit.prediction.planted_segments import (
    COLUMNS,
    KEYS,
    NEWCOMER_COLUMNS,
    SETTINGS,
    customers,
    newcomers,
)

DAY = dt.date(2021, 7, 1)


@pytest.fixture(scope="module")
def training():
    return train_segment_classifier(customers(), customers(seed=5), COLUMNS, SETTINGS, seed=3)


@pytest.fixture(scope="module")
def newcomer_training():
    return train_newcomer_classifier(newcomers(), NEWCOMER_COLUMNS, SETTINGS, horizon_days=90, seed=3)


def test_scores_have_the_columns_of_the_table_and_a_key(training, newcomer_training):
    for found, table in ((training, SEGMENT_CLASSIFIER_SCORES), (newcomer_training, NEWCOMER_CLASSIFIER_SCORES)):
        frame = segment_scores(found, table, DAY, "2021-06")
        assert list(frame) == list(table.column_names)
        assert not frame.duplicated(list(table.primary_key)).any()
        assert frame["value"].notna().all()
        assert set(frame["split"]) == {"folds", "out_of_time"}
        for column in table.columns:
            assert column.nullable or frame[column.name].notna().all()
            if column.allowed:
                assert set(frame[column.name]) <= set(column.allowed)


def test_scores_tell_accuracy_with_its_interval(training):
    frame = segment_scores(training, SEGMENT_CLASSIFIER_SCORES, DAY, "2021-06")
    chosen = frame[frame["is_chosen"] & (frame["split"] == "folds")]
    overall = chosen[chosen["segment_key"] == ALL].set_index("measure")
    scores = training.chosen.out_of_fold
    assert overall.loc["accuracy", ["value", "lower", "upper"]].tolist() == [
        scores.overall.accuracy,
        scores.overall.accuracy_lower,
        scores.overall.accuracy_upper,
    ]
    assert overall.loc["log_loss_gain", "lower"] == scores.log_loss_gain_lower
    assert overall.loc["accuracy", "customer_count"] == 300
    by_segment = chosen[chosen["measure"] == "recall"].set_index("segment_key")
    assert by_segment.index.tolist() == list(KEYS)
    assert by_segment["customer_count"].tolist() == [100] * 3


def test_newcomers_are_told_by_band(newcomer_training):
    frame = segment_scores(newcomer_training, NEWCOMER_CLASSIFIER_SCORES, DAY, "2021-06")
    told = frame[frame["is_chosen"] & (frame["split"] == "folds") & (frame["measure"] == "accuracy")]
    assert told["band"].tolist() == [ALL, "days_0_30", "days_31_60", "days_61_90"]
    assert told["customer_count"].iloc[0] == told["customer_count"].iloc[1:].sum() == 600


def test_what_came_of_it_is_told_and_survives_json(training):
    verdict = judge_segments(training, DAY)
    assert f"T{verdict.told[1:]}." == training.sentence
    assert verdict.figures["folds_accuracy"] == training.chosen.out_of_fold.overall.accuracy
    assert verdict.figures["out_of_time_customers"] == 100
    assert json.loads(json.dumps(dict(verdict.details), allow_nan=False))["algorithm"] == training.algorithm


def test_the_confusion_adds_up_to_the_customers(training):
    confusion = judge_segments(training, DAY).details["confusion"]
    for split, customer_count in (("folds", 300), ("out_of_time", 100)):
        rows = [row for row in confusion if row["split"] == split]
        assert sum(row["customer_count"] for row in rows) == customer_count
        assert {row["true_segment_key"] for row in rows} == set(KEYS)
