"""The page about the order lines, from a finished shop."""

from __future__ import annotations

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import rewrite

NEWEST = MONTHS[-1]


def test_the_page_of_a_young_shop_says_what_cannot_be_compared(shop):
    text = (shop.data_dir / "reports" / NEWEST[:7] / "eda.html").read_text(encoding="utf-8")
    assert "twelve months are compared" in text
    manifest = Platform(shop.settings()).store.manifest("reports/eda", NEWEST)
    assert "November's orders to a mean month's" in manifest.metadata["not_known"]
    assert "Returned lines per sold line" not in manifest.metadata["not_known"]


def test_the_page_profiles_every_delivered_table_and_names_no_customer(finished_shop):
    text = (finished_shop.data_dir / "reports" / NEWEST[:7] / "eda.html").read_text(encoding="utf-8")
    platform = Platform(finished_shop.settings())
    for name in ("order_lines", "customers", "products", "engagement_events"):
        assert f'id="table-{name}"' in text
    with platform.engine.connect() as connection:
        features = read_frame(connection, platform.store.table_paths("silver/customer_features", NEWEST))
    assert [name for name in features["customer_id"] if f">{name}<" in text or f'"{name}"' in text] == []
    assert f"all {len(features):,} customers" in text


def test_a_change_of_customers_renders_only_the_pages_that_see_them(shop, run):
    newest = shop.deliveries / f"customers-{NEWEST[:7]}.parquet"
    rewrite(newest, "SELECT * REPLACE ('club' AS account_type) FROM t")
    computed = run(shop.settings())
    assert ("raw/customers", "all") in computed
    assert {partition for key, partition in computed if key == "reports/eda"} == {NEWEST}


def test_a_new_title_renders_the_page_again_and_the_segments_not(shop, run):
    computed = run(shop.settings(reports__dashboard__title="Elsewhere"))
    assert ("reports/eda", NEWEST) in computed
    assert not {key for key, _ in computed if key.startswith(("silver/", "gold/"))}
