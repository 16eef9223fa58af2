"""The quintile points that RFM scores were made with, stored beside them."""

import pandas as pd

from segmentation_assets.graph.platform import Platform
from segmentation_assets.segments.rfm import RfmThresholds, apply_thresholds, rfm_map
from segmentation_assets.storage.engine import Engine, parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS, Shop

SCORES = "gold/rfm_segments"
NEWEST = MONTHS[-1]


def frame_of(shop: Shop, key: str) -> pd.DataFrame:
    store = Platform(shop.settings()).store
    with Engine(shop.settings().engine, shop.root).connect() as connection:
        relation = parquet_scan(store.table_paths(key, NEWEST))
        return connection.execute(f"SELECT * FROM {relation} ORDER BY customer_id").df()


def test_stored_thresholds_give_the_stored_scores(finished_shop: Shop) -> None:
    manifest = Platform(finished_shop.settings()).store.manifest(SCORES, NEWEST)
    assert manifest is not None
    thresholds = RfmThresholds.from_plain(manifest.metadata["thresholds"])
    again = apply_thresholds(frame_of(finished_shop, "silver/customer_features"), thresholds, rfm_map())
    stored = frame_of(finished_shop, SCORES).drop(columns=["previous_rfm_segment", "moved_by"])
    assert len(stored) > 20
    assert stored["recency_score"].nunique() == 5
    pd.testing.assert_frame_equal(again, stored, check_dtype=False)
