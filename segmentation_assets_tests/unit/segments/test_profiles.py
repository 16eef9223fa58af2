"""Profiles of segments."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.segments.profiles import profile_segments
from segmentation_assets.tables.segment_descriptions import SEGMENT_PROFILES

FEATURES = pd.DataFrame(
    {
        "customer_id": ["e", "a", "b", "c", "d"],
        "net_revenue_amount": [-9.99, 60.0, 30.3, 10.1, 0.0],
        "order_count": [0, 4, 2, 1, 1],
        "gap_days": [np.nan, 10.0, 20.0, np.nan, np.nan],
        "weight": [0.1, 0.1, 0.1, 0.1, np.nan],
    }
)
SEGMENTS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d", "e"],
        "segment_key": ["S001", "S001", "S002", "S002", None],
        "segment_name": ["Best", "Best", "Rest", "Rest", None],
    }
)
FLAGS = pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "was_imputed_gap_days": [False, False, True, True]})


def profile(names=("order_count", "gap_days"), features=FEATURES, previous=None):
    """Profile the five customers."""
    return profile_segments(features, SEGMENTS, FLAGS, names, previous)


def test_statistics_are_those_computed_by_hand(stored):
    # order_count of everyone: mean 2, deviation sqrt((4 + 0 + 1 + 1) / 4) = 1.224744871
    found = stored(profile(), SEGMENT_PROFILES)
    effect = 0.8164965809
    assert [tuple(map(float, row[3:14])) for row in found if row[2] == "order_count"] == [
        (2, 0.5, 90.3, 0.8994023904, 2, 3, 3, 2.5, 3.5, effect, 0),
        (2, 0.5, 10.1, 0.1005976096, 2, 1, 1, 1, 1, -effect, 0),
    ]
    assert [row[:3] for row in found] == [
        ("S001", "Best", "gap_days"),
        ("S001", "Best", "order_count"),
        ("S002", "Rest", "gap_days"),
        ("S002", "Rest", "order_count"),
    ]


def test_statistics_rest_on_known_values_and_filled_ones_are_counted(stored):
    rows = {row[0]: row[8:] for row in stored(profile(["gap_days"]), SEGMENT_PROFILES)}
    assert rows["S001"] == (15.0, 15.0, 12.5, 17.5, 0.0, 0.0, False, None, None)
    assert rows["S002"] == (None, None, None, None, None, 1.0, True, None, None)


def test_what_changed_since_the_month_before_is_measured_per_segment_and_feature(stored):
    before = pd.DataFrame(
        {
            "segment_key": ["S001", "S009", "S002"],
            "feature": ["order_count", "order_count", "gap_days"],
            "mean": [3.0 + 1.5**0.5, 1.0, 30.0],
        }
    )
    rows = {row[0] + row[2]: row[15:] for row in stored(profile(previous=before), SEGMENT_PROFILES)}
    assert rows == {
        "S001order_count": (round(3.0 + 1.5**0.5, 9), -1.0),
        "S001gap_days": (None, None),
        "S002order_count": (None, None),
        "S002gap_days": (30.0, None),
    }


def test_a_feature_without_spread_has_no_effect_size(stored):
    # the deviation of three times 0.1 is not exactly zero in doubles
    assert [row[12] for row in stored(profile(["weight"]), SEGMENT_PROFILES)] == [None, None]


def test_revenue_share_is_absent_when_there_is_no_revenue(stored):
    broke = FEATURES.assign(net_revenue_amount=[5.0, -1.0, 0.0, 0.5, 0.5])
    rows = stored(profile(features=broke), SEGMENT_PROFILES)
    assert {(row[0], float(row[5]), row[6]) for row in rows} == {("S001", -1.0, None), ("S002", 1.0, None)}


def test_row_order_changes_no_bit():
    rng = np.random.default_rng(0)
    ids = [f"c{number:03d}" for number in range(200)]
    features = pd.DataFrame({"customer_id": ids, "net_revenue_amount": 1.0, "x": rng.normal(size=200)})
    segments = pd.DataFrame({"customer_id": ids, "segment_key": rng.choice(["S001", "S002"], 200), "segment_name": "n"})
    flags = pd.DataFrame({"customer_id": ids, "was_imputed_x": rng.random(200) < 0.3})
    first = profile_segments(features, segments, flags, ["x"])
    second = profile_segments(features.iloc[::-1], segments.sample(frac=1, random_state=1), flags.iloc[::-1], ["x"])
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_missing_feature_is_named():
    with pytest.raises(DataError, match="profiles need the columns order_counts\nHint: did you mean 'order_count'"):
        profile(["order_counts"])


def test_a_feature_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="profiles describe numbers, but customer_id is of type"):
        profile(["customer_id"])


def test_where_nobody_has_a_segment_there_is_no_profile(stored):
    nobody = SEGMENTS.assign(segment_key=None, segment_name=None)
    assert stored(profile_segments(FEATURES, nobody, FLAGS, ["order_count"]), SEGMENT_PROFILES) == []
