"""Thresholds of the first month in every month, and the grid of 25 cells, through the platform."""

from __future__ import annotations

from segmentation_assets.graph.platform import Platform
from segmentation_assets.segments.rfm import rfm_map
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS

SCORES = "gold/rfm_segments"


def stored(shop, month):
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        rows = read_frame(connection, platform.store.table_paths(SCORES, month))
    return rows, platform.store.manifest(SCORES, month).metadata


def test_quintiles_of_each_month_move_with_the_population(shop):
    points = [stored(shop, month)[1]["thresholds"] for month in MONTHS]
    assert points[0] != points[1] != points[2]
    first, later = stored(shop, MONTHS[0])[0], stored(shop, MONTHS[1])[0]
    assert first["moved_by"].isna().all()
    assert "population" in set(later["moved_by"])
    before = first.set_index("customer_id")["rfm_segment"]
    known = later[later["previous_rfm_segment"].notna()].set_index("customer_id")
    assert known["previous_rfm_segment"].equals(before.reindex(known.index).rename("previous_rfm_segment"))
    stayed = known["moved_by"] == "nobody"
    assert (known["rfm_segment"] == known["previous_rfm_segment"])[stayed].all()


def test_thresholds_of_the_first_month_hold_in_every_month_and_then_no_population_moves(shop, run):
    run(shop.settings(rfm__thresholds="first_month", rfm__map="grid_25"), keys={SCORES})
    points = [stored(shop, month)[1]["thresholds"] for month in MONTHS]
    assert points[0] == points[1] == points[2]
    for month in MONTHS[1:]:
        rows, metadata = stored(shop, month)
        assert set(rows["moved_by"].dropna()) == {"nobody", "customer"}
        assert metadata["map"] == "grid_25"
        assert [rfm_map("grid_25")[code] for code in rows["rfm_code"]] == rows["rfm_segment"].tolist()
