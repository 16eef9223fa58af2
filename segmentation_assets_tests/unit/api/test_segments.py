"""Names, profiles and files by the public functions."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segmentation_assets.api import GeneratedShop, enrich, export
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.storage.engine import Engine, read_frame


@pytest.fixture
def halves(shop: GeneratedShop) -> pd.Series:
    """Clusters of those who bought lately and the others, the last customer noise."""
    features = shop.features.set_index("customer_id")
    labels = (features["recency_days"] > 60).astype(int)
    labels.iloc[-1] = -1
    return labels


def test_every_cluster_gets_a_name_and_noise_none(shop: GeneratedShop, halves: pd.Series) -> None:
    found = enrich(halves, shop.features)
    assert list(found.names) == [0, 1]
    assert len(set(found.names.values())) == 2
    named = found.customers.set_index("customer_id")
    assert named["cluster"].tolist() == halves.sort_index().tolist()
    assert named["segment_name"].isna().tolist() == (halves.sort_index() == -1).tolist()


def test_profiles_describe_the_members_of_each_cluster(shop: GeneratedShop, halves: pd.Series) -> None:
    profiles = enrich(halves, shop.features).profiles.set_index(["cluster", "feature"])
    recency = shop.features.set_index("customer_id")["recency_days"]
    for number in (0, 1):
        members = recency[halves[halves == number].index]
        found = profiles.loc[(number, "recency_days")]
        assert found["mean"] == pytest.approx(members.mean())
        assert found["customer_count"] == (halves == number).sum()
    assert profiles.loc[(0, "recency_days"), "effect_size"] < 0 < profiles.loc[(1, "recency_days"), "effect_size"]


def test_order_of_labels_and_features_does_not_matter(shop: GeneratedShop, halves: pd.Series) -> None:
    first = enrich(halves, shop.features)
    other = enrich(halves.sample(frac=1, random_state=0), shop.features.sample(frac=1, random_state=1))
    assert first.names == other.names
    assert_frame_equal(first.customers, other.customers)
    assert_frame_equal(first.profiles, other.profiles)


def test_labels_without_customers_are_refused(shop: GeneratedShop, halves: pd.Series) -> None:
    with pytest.raises(DataError, match=r"got ndarray\nHint: write pd\.Series\(labels, index=matrix\.index\)"):
        enrich(halves.to_numpy(), shop.features)
    with pytest.raises(DataError, match=r"2 of 2 customers with a label have no features, for example 0\nHint: "):
        enrich(pd.Series([0, 1]), shop.features)


def test_nothing_but_noise_is_refused(shop: GeneratedShop, halves: pd.Series) -> None:
    with pytest.raises(DataError, match="customers are noise, so there is no cluster to name"):
        enrich(halves * 0 - 1, shop.features)


FRAME = pd.DataFrame(
    {"note": ["=1+1", "plain"], "net_revenue_amount": [1.5, 2.0], "day": pd.to_datetime(["2025-06-01", "2025-07-01"])},
    index=pd.Index(["a", "@b"], name="customer_id"),
)


def test_csv_keeps_spreadsheets_from_running_texts(tmp_path: Path) -> None:
    assert export(FRAME, tmp_path / "new" / "rows.csv").read_bytes().decode().splitlines() == [
        "customer_id,note,net_revenue_amount,day",
        "a,'=1+1,1.50,2025-06-01",
        "'@b,plain,2.00,2025-07-01",
    ]


def test_json_holds_the_values_as_they_are(tmp_path: Path) -> None:
    written = json.loads(export(FRAME, str(tmp_path / "rows.json")).read_text(encoding="utf-8"))
    assert written == [
        {"customer_id": "a", "note": "=1+1", "net_revenue_amount": 1.5, "day": "2025-06-01T00:00:00.000"},
        {"customer_id": "@b", "note": "plain", "net_revenue_amount": 2.0, "day": "2025-07-01T00:00:00.000"},
    ]


def test_parquet_holds_the_values_as_they_are(tmp_path: Path) -> None:
    path = export(FRAME, tmp_path / "rows.parquet")
    with Engine(EngineSettings(), tmp_path / "spill").connect() as connection:
        assert_frame_equal(read_frame(connection, [path]), FRAME.reset_index(), check_dtype=False)


def test_an_index_without_a_name_is_left_out(tmp_path: Path) -> None:
    path = export(pd.DataFrame({"x": [1]}, index=[7]), tmp_path / "rows.csv")
    assert path.read_text(encoding="utf-8").split() == ["x", "1"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'rows\.xlsx' does not say how(.|\n)*\.csv, \.json, \.parquet\."):
        export(FRAME, tmp_path / "rows.xlsx")
