"""Rules of the settings for delivered columns: what breaks them is set aside, shown, and stops where it is too much."""

from __future__ import annotations

import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import parquet_scan
from segmentation_assets_tests.assets.stored import bytes_of, rewrite

READ = {"raw/customers", "raw/order_lines", "raw/quarantine", "silver/order_lines"}


def checks_of(settings, key):
    return {check.name: check for check in Platform(settings).store.manifest(key).checks}


def test_rows_that_break_a_rule_are_explained_and_the_check_says_how_many(shop, run, segmentation, write_settings):
    largest = max(shop.deliveries.glob("customers-*.parquet"), key=lambda path: path.stat().st_size)
    rewrite(largest, "SELECT * REPLACE (CASE WHEN customer_id IN (SELECT customer_id "
            "FROM t ORDER BY 1 LIMIT 7) THEN 1890 ELSE birth_year END AS birth_year) FROM t")  # fmt: skip
    rule = {"column": "birth_year", "minimum": 1900, "max_share": 0.1}
    settings = shop.settings(contract__customers=[rule])

    computed = run(settings, keys=READ)

    assert ("raw/customers", "all") in computed
    assert not {key for key, _ in computed} & {"raw/order_lines", "silver/order_lines"}
    check = checks_of(settings, "raw/customers")["delivery_contract"]
    assert check.passed
    assert check.is_blocking
    assert check.metadata["violations"] == {"customers.birth_year": 7}
    assert len(check.metadata["samples"]["customers.birth_year"]) == 5
    assert checks_of(settings, "raw/customers")["reconciliation"].passed
    platform = Platform(settings)
    with platform.engine.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT reason, explanation, column_name, value FROM "
            f"{parquet_scan(platform.store.table_paths('raw/quarantine'))} WHERE table_name = 'customers'"
        ).fetchall()
    assert rows == [("below_minimum", "the value is below the minimum of the contract", "birth_year", "1890")]
    write_settings(settings)
    assert "7 rows set aside: below_minimum 7" in segmentation("status").out
    assert run(settings, keys=READ) == set()


def test_rule_broken_too_often_stops_with_nothing_half_written(shop, run):
    before = bytes_of(shop.data_dir, "tables/raw", "manifests")
    rule = {"column": "quantity", "maximum": 1, "max_share": 0}
    settings = shop.settings(contract__order_lines=[rule])

    with pytest.raises(Exception, match="break the rule of contract.order_lines for quantity"):
        run(settings, keys=READ)

    assert bytes_of(shop.data_dir, "tables/raw", "manifests") == before


def test_assets_without_rules_have_no_check_of_them(shop):
    assert "delivery_contract" not in checks_of(shop.settings(), "raw/customers")
