"""Candidates are fitted in the months the policy asks for; in between the last comparison is shown."""

from __future__ import annotations

import json

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS

JUNE, JULY, AUGUST = MONTHS


@pytest.fixture
def platform(shop, run):
    """The shop with candidates every second month."""
    settings = shop.settings(clustering__refit_every_months=2)
    run(settings)
    return Platform(settings)


def rows(platform, key, month):
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month))


def document(platform, month, name):
    folder = platform.store.table_paths("clusters/kmeans", month)[0].parent
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_between_two_refits_nothing_is_fitted_and_the_last_comparison_is_shown(platform, shop, run):
    why = "not due: candidates are fitted every 2 months (clustering.refit_every_months), "
    why += "last in 2025-06, next in 2025-08"
    assert [len(rows(platform, "clusters/kmeans", month)) > 0 for month in MONTHS] == [True, False, True]
    assert document(platform, JULY, "fit.json") == {"not_due": why}
    assert platform.store.manifest("clusters/kmeans", JULY).metadata["not_due"] == why
    (check,) = [check for check in platform.store.manifest("clusters/kmeans", JULY).checks if check.name == "fitted"]
    assert (check.passed, check.description) == (True, f"clusters/kmeans: {why}.")
    boards = {month: rows(platform, "clusters/leaderboard", month) for month in MONTHS}
    assert boards[JULY].equals(boards[JUNE])
    assert [set(boards[month]["compared_month"]) for month in MONTHS] == [{"2025-06"}, {"2025-06"}, {"2025-08"}]
    assert not boards[AUGUST].equals(boards[JUNE])
    report = (shop.data_dir / "reports" / JULY[:7] / "business_report.md").read_text(encoding="utf-8")
    assert "Candidates were last fitted and compared in June 2025; none were due this month." in report
    assert run(platform.settings) == set()


def test_customers_are_assigned_in_every_month(platform):
    for month in MONTHS:
        segments = rows(platform, "gold/customer_segments", month)
        assert segments.loc[segments["state"] == "assigned", "segment_confidence"].between(0, 1).all()


def test_the_cluster_of_the_last_fit_stands_beside_the_segment(platform):
    fitted = rows(platform, "clusters/kmeans", JUNE).set_index("customer_id")["cluster"]
    for month in (JUNE, JULY):
        segments = rows(platform, "gold/customer_segments", month).set_index("customer_id")
        known = segments.index.intersection(fitted.index)
        assert len(known) > 80
        assert segments.loc[known, "kmeans_cluster"].tolist() == fitted[known].tolist()
        assert segments.loc[segments.index.difference(fitted.index), "kmeans_cluster"].isna().all()
        assert segments["ward_cluster"].isna().all()
    again = rows(platform, "clusters/kmeans", AUGUST).set_index("customer_id")["cluster"]
    last = rows(platform, "gold/customer_segments", AUGUST).set_index("customer_id")["kmeans_cluster"]
    assert last[again.index].tolist() == again.tolist()
