"""Importance of features for several classes, and for a yes or no as before."""

import pandas as pd

from segmentation_assets.prediction.feature_importance import rank_features
from segmentation_assets.prediction.model_inputs import ModelInputs
from segmentation_assets_tests.unit.prediction.planted_segments import COLUMNS, KEYS, customers


def ranked(frame, outcome):
    return rank_features(frame, outcome, ModelInputs.fit(frame, COLUMNS), seed=1)


def codes_of(frame):
    return pd.Index(KEYS).get_indexer(frame["segment_key"])


def test_the_feature_that_tells_the_class_comes_first():
    frame = customers()
    found = ranked(frame, codes_of(frame))
    assert found.loc[0, "feature"] == "spend"
    assert found.loc[0, "importance"] > 1.0
    assert found.loc[1:, "importance"].abs().max() < 0.1
    assert sorted(found["feature"]) == sorted(column.name for column in COLUMNS)


def test_a_yes_or_no_is_measured_by_the_area_under_the_curve():
    frame = customers()
    found = ranked(frame, (frame["segment_key"] == "gold").to_numpy())
    assert found.loc[0, "feature"] == "spend"
    assert 0.3 < found.loc[0, "importance"] < 0.7


def test_classes_may_have_gaps():
    frame = customers()
    pd.testing.assert_frame_equal(ranked(frame, codes_of(frame) * 3), ranked(frame, codes_of(frame)))
