"""Features as the columns that a model goes by."""

import json

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.prediction.model_inputs import ModelInputs

FEATURES = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "recency_days": pd.array([3, None, 30, 300], dtype="Int64"),
        "spend_amount": [9.5, 1.0, np.nan, 2.0],
        "is_member": pd.array([True, False, None, True], dtype="boolean"),
        "country": ["DE", None, "FR", "DE"],
        "constant": [1.0] * 4,
    }
)


def column(name, dtype="DOUBLE"):
    return FeatureColumn(name=name, dtype=dtype, meaning=name, imputation="ordinary")


COLUMNS = [
    column("recency_days", "BIGINT"), column("spend_amount"), column("is_member", "BOOLEAN"),
    column("country", "VARCHAR"), column("constant"),
]  # fmt: skip


def test_numbers_stay_unknown_and_categories_become_columns():
    inputs = ModelInputs.fit(FEATURES, COLUMNS)
    assert inputs.features == ("recency_days", "spend_amount", "is_member", "country")
    assert inputs.column_features == ("recency_days", "spend_amount", "is_member", *["country"] * 4)
    expected = [
        [3, 9.5, 1, 1, 0, 0, 0],
        [np.nan, 1, 0, 0, 0, 1, 0],
        [30, np.nan, np.nan, 0, 1, 0, 0],
        [300, 2, 1, 1, 0, 0, 0],
    ]
    np.testing.assert_array_equal(inputs.matrix(FEATURES), expected)


def test_one_row_has_the_columns_of_all_and_new_categories_count_as_others():
    inputs = ModelInputs.fit(FEATURES, COLUMNS)
    np.testing.assert_array_equal(inputs.matrix(FEATURES.iloc[[2]]), inputs.matrix(FEATURES)[[2]])
    elsewhere = inputs.matrix(FEATURES.assign(country="XX"))
    assert elsewhere[:, -1].tolist() == [1.0] * 4
    assert elsewhere[:, 3:-1].sum() == 0


def test_it_can_be_narrowed_and_comes_back_from_json():
    inputs = ModelInputs.fit(FEATURES, COLUMNS).only({"country", "spend_amount", "unknown"})
    assert inputs.features == ("spend_amount", "country")
    again = ModelInputs.from_plain(json.loads(json.dumps(inputs.to_plain())))
    assert again == inputs
    assert ModelInputs((), ()).matrix(FEATURES).shape == (4, 0)


def test_a_missing_feature_is_named():
    inputs = ModelInputs.fit(FEATURES, COLUMNS)
    assert inputs.missing_in(["recency_days", "is_member"]) == ("country", "spend_amount")
    with pytest.raises(DataError, match="features that are missing: country, spend_amount\nHint: did you mean"):
        inputs.matrix(FEATURES.rename(columns={"country": "county"}).drop(columns="spend_amount"))
