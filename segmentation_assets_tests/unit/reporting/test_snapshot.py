from __future__ import annotations

from collections.abc import Callable

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.reporting.snapshot import FeatureText, Snapshot


def test_missing_columns_are_named_with_the_frame(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    with pytest.raises(DataError, match="needs the columns algorithm, decision in 'champion'"):
        change(champion=snapshot.champion.drop(columns=["decision", "algorithm"]))


def test_assigned_leaves_out_customers_set_aside(snapshot: Snapshot) -> None:
    assert snapshot.assigned["customer_id"].tolist() == ["C1", "C2", "C3", "C4", "C5", "C6"]


def test_a_column_without_declaration_is_called_by_its_name_in_words(snapshot: Snapshot) -> None:
    assert snapshot.feature_text("gender_not_stated") == FeatureText("", "", "", "Gender not stated")
    assert snapshot.feature_text("recency_days").unit == "days"


def test_algorithm_is_none_without_a_champion(change: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    assert change(champion=snapshot.champion.head(0)).algorithm == "none"
