"""Segmentations of an earlier month are measured by what followed, and by nothing that came later."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import pytest

from segmentation_assets.clustering.usefulness import measure_usefulness
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS

JUNE, JULY, AUGUST = MONTHS
KEY = "clusters/usefulness"


def rows(platform, key, month):
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month)).set_index(
            {KEY: "candidate", "clusters/leaderboard": "candidate"}.get(key, "customer_id")
        )


def order_lines(platform):
    """All classified lines of all months."""
    store = platform.store
    paths = [
        path
        for name in store.manifest("silver/order_lines").slices
        for path in store.slice_paths("silver/order_lines", name)
    ]
    with platform.engine.connect() as connection:
        return read_frame(connection, paths)


@pytest.fixture
def platform(shop, run):
    """The shop with a horizon of one month."""
    settings = shop.settings(leaderboard__horizon_months=1)
    run(settings)
    return Platform(settings)


def test_segments_of_a_month_earlier_are_measured_by_the_lines_of_this_month(platform):
    lines = order_lines(platform)
    counted = lines[lines["customer_id"].notna() & lines["line_type"].isin(["sale", "return"])]
    for earlier, month, until in ((JUNE, JULY, "2025-08-01"), (JULY, AUGUST, "2025-09-01")):
        since = pd.Timestamp(month)
        followed = counted[(counted["order_at"] >= since) & (counted["order_at"] < until)]
        wanted = measure_usefulness(
            {"kmeans": rows(platform, "clusters/kmeans", earlier)["cluster"]},
            rows(platform, "gold/rfm_segments", earlier),
            followed.groupby("customer_id")["amount"].sum().astype("float64"),
            platform.settings.leaderboard,
            platform.settings.clustering.score_sample,
            platform.settings.clustering.seed,
            earlier[:7],
        )
        found = rows(platform, KEY, month)
        assert found.to_dict("index") == {name: asdict(value) for name, value in wanted.items()}
        assert found.loc["kmeans", "customer_count"] == len(rows(platform, "clusters/kmeans", earlier))
        board = rows(platform, "clusters/leaderboard", month)
        assert board["usefulness"].to_dict() == found["usefulness"].to_dict()
        assert f"customers of {earlier[:7]}" in board.loc["rfm_map", "reason"]


def test_the_first_month_says_why_nothing_is_measured(platform):
    assert rows(platform, KEY, JUNE).empty
    manifest = platform.store.manifest(KEY, JUNE)
    assert manifest.metadata["not_measured"] == "no model is 1 months old yet; the first is of 2025-06"
    assert "usefulness not measured" in rows(platform, "clusters/leaderboard", JUNE).loc["kmeans", "reason"]
    assert rows(platform, "clusters/leaderboard", JUNE)["usefulness"].isna().all()


def test_with_refits_every_second_month_the_models_of_the_refit_before_are_measured(shop, run):
    settings = shop.settings(leaderboard__horizon_months=1, clustering__refit_every_months=2)
    run(settings)
    platform = Platform(settings)
    assert rows(platform, KEY, AUGUST).loc["kmeans", "segmented_month"] == "2025-06"
    assert rows(platform, KEY, JULY).empty
    assert rows(platform, "clusters/leaderboard", JULY)["compared_month"].eq("2025-06").all()


def test_a_lookback_shorter_than_the_horizon_measures_nothing(shop, run):
    settings = shop.settings(leaderboard__horizon_months=2, calendar__lookback_months=1)
    run(settings, keys={KEY, "silver/snapshot_input"}, month=JUNE)
    manifest = Platform(settings).store.manifest(KEY, JUNE)
    assert manifest.metadata["not_measured"] == "models are 2 months old, and calendar.lookback_months is 1"
