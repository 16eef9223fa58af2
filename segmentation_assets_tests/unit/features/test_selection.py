"""Candidates for clustering and redundant columns."""

import numpy as np
import pytest

from segmentation_assets.config.features import MatrixSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.registry import features_table
from segmentation_assets.features.selection import DroppedFeature, candidate_features, find_redundant
from segmentation_assets_tests.unit.features.shop import ALL_INPUTS, SETTINGS

TABLE = features_table(SETTINGS, ALL_INPUTS)
BASE = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
OTHER = np.array([2.0, -1.0, 0.0, 1.0, -2.0])


def test_auto_takes_the_columns_marked_in_their_blocks() -> None:
    names = [column.name for column in candidate_features(TABLE, MatrixSettings())]
    assert names == [
        "recency_days",
        "order_count",
        "net_revenue_amount",
        "average_order_value_amount",
        "tenure_days",
        "order_count_90d",
        "revenue_slope_per_month",
        "gap_days_mean",
        "overdue_ratio",
        "return_rate",
        "department_count",
        "department_share_shoes",
        "department_share_hats",
        "average_unit_price_amount",
        "discount_share",
        "event_count_90d",
    ]


def test_named_features_come_in_declared_order() -> None:
    settings = MatrixSettings(features=("return_rate", "recency_days"))
    assert [column.name for column in candidate_features(TABLE, settings)] == ["recency_days", "return_rate"]


@pytest.mark.parametrize(("name", "hint"), [("recency_day", "did you mean 'recency_days'"), ("customer_id", "")])
def test_name_that_is_no_feature_is_refused(name: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=f"matrix.features names '{name}', which is not a feature\nHint: {hint}"):
        candidate_features(TABLE, MatrixSettings(features=(name,)))


def test_later_of_two_correlated_columns_is_redundant() -> None:
    values = np.column_stack([BASE, OTHER, -2 * BASE + 7, BASE * 3])
    assert find_redundant(values, ["a", "b", "c", "d"], 0.8) == (
        DroppedFeature("c", "redundant", "a", -1.0),
        DroppedFeature("d", "redundant", "a", 1.0),
    )


def test_column_is_compared_with_kept_columns_only() -> None:
    unrelated = np.array([2.0, -1.0, -2.0, -1.0, 2.0])
    values = np.column_stack([BASE, BASE + unrelated, unrelated])
    correlations = np.corrcoef(values, rowvar=False)
    assert correlations[1, 2] > correlations[0, 1] > 0.6 > correlations[0, 2]
    assert [dropped.feature for dropped in find_redundant(values, ["a", "b", "c"], 0.6)] == ["b"]


def test_correlation_equal_to_the_limit_is_kept() -> None:
    values = np.column_stack([BASE, BASE])
    assert find_redundant(values, ["a", "b"], 1.0) == ()


def test_single_column_is_never_redundant() -> None:
    assert find_redundant(BASE[:, None], ["a"], 0.1) == ()
