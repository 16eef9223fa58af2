"""A crosswalk merges and splits customers; raw tables stay, and only what it changes is made again."""

from __future__ import annotations

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS

NEWEST = MONTHS[-1]
READ = {"source/delivery", "source/crosswalk", "raw/customers", "raw/order_lines", "raw/engagement_events",
        "raw/products", "silver/order_lines", "silver/snapshot_input", "silver/customer_history",
        "silver/customer_features"}  # fmt: skip


def select(shop, sql, key, partition=NEWEST):
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        return connection.execute(sql.format(table=parquet_scan(platform.store.table_paths(key, partition)))).fetchall()


def test_merged_customers_are_one_and_a_changed_entry_makes_only_its_months(shop, run):
    busy = "SELECT customer_id, order_count FROM {table} ORDER BY order_count DESC, customer_id LIMIT 2"
    (first, one_count), (second, other_count) = select(shop, busy, "silver/customer_features")
    file = shop.root / "crosswalk.csv"
    file.write_text(f"delivered_id,customer_id,valid_from\n{second},{first},\nnobody,{first},\n")
    settings = shop.settings(population__crosswalk=str(file))

    computed = run(settings, keys=READ)

    assert not {key for key, _ in computed if key.startswith("raw/")}
    counts = dict(select(shop, "SELECT customer_id, order_count FROM {table}", "silver/customer_features"))
    assert counts[first] == one_count + other_count
    assert second not in counts
    metadata = Platform(settings).store.manifest("silver/order_lines").metadata
    assert metadata["crosswalk_entries_without_lines"] == 1
    assert metadata["reassigned_ids"] == metadata["customers_they_count_for"] == 1
    assert metadata["raw_customers"] == metadata["classified_customers"]
    assert run(settings, keys=READ) == set()

    file.write_text(f"delivered_id,customer_id,valid_from\n{second},{first},\nnobody,{first},2099-01-01\n")
    assert {key for key, _ in run(settings, keys=READ)} <= {
        "source/crosswalk",
        "silver/order_lines",
        "silver/snapshot_input",
    }
    assert Platform(settings).store.manifest("silver/order_lines").metadata["months_classified"] == []

    file.write_text(f"delivered_id,customer_id,valid_from\n{second},{first},{NEWEST}\n")
    computed = run(settings, keys=READ)
    assert NEWEST not in Platform(settings).store.manifest("silver/order_lines").metadata["months_classified"]
    assert ("silver/customer_features", NEWEST) in computed


def test_missing_crosswalk_stops_with_its_name(shop, run):
    settings = shop.settings(population__crosswalk=str(shop.root / "none.csv"))
    with pytest.raises(Exception, match=r"the crosswalk .*none\.csv does not exist"):
        run(settings, keys=READ)
