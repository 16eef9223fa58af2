"""Bands of newcomers, and what is known of them."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.prediction.newcomer_bands import blank_unknown, find_known_features, place_in_bands
from segmentation_assets_tests.unit.prediction.planted_segments import feature

ROWS = pd.DataFrame(
    {
        "always": [1.0, 2.0, 3.0, 4.0],
        "later": [np.nan, np.nan, 3.0, 4.0],
        "half": [1.0, np.nan, 3.0, 3.0],
        "constant": [1.0, 1.0, 1.0, 1.0],
        "is_new": [True, False, True, False],
        "channel": ["web", "store", "web", None],
    }
)
PLACES = np.array([0, 0, 1, 1])
COLUMNS = [feature(name) for name in ROWS]


def test_features_are_used_in_the_bands_in_which_they_are_known_and_vary():
    assert find_known_features(ROWS, PLACES, COLUMNS, 0.5) == {
        "always": (0, 1),
        "later": (1,),
        "is_new": (0, 1),
        "channel": (0,),
    }


def test_what_is_known_of_too_few_is_blank():
    known = {"always": (0, 1), "later": (1,), "is_new": (1,), "channel": (0,)}
    found = blank_unknown(ROWS.assign(later=[9.0, 9.0, 3.0, 4.0]), PLACES, known)
    assert found["always"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert found["later"].isna().tolist() == [True, True, False, False]
    assert found["is_new"].isna().tolist() == [True, True, False, False]
    assert found["channel"].isna().tolist() == [False, False, True, True]
    assert found["constant"].tolist() == [1.0] * 4


def test_newcomers_without_tenure_are_an_error():
    with pytest.raises(DataError, match=r"newcomers are told by tenure_days, which is missing\nHint: did you mean"):
        place_in_bands(pd.DataFrame({"tenure_day": [1]}), [30])


def test_unknown_and_negative_tenure_is_no_band():
    days = pd.DataFrame({"tenure_days": pd.array([None, -1, 7], dtype="Int64")})
    assert place_in_bands(days, [7]).tolist() == [-1, -1, 0]
