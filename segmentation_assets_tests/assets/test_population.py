"""Who and what counts: left out of every segment, never out of the data."""

from __future__ import annotations

import pytest

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine, parquet_scan
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import rewrite

NEWEST = MONTHS[-1]


def select(shop, sql, key, partition=NEWEST):
    """Ask a stored table."""
    platform = Platform(shop.settings())
    paths = platform.store.table_paths(key, partition)
    with Engine(platform.settings.engine, shop.root).connect() as connection:
        return connection.execute(sql.format(table=parquet_scan(paths))).fetchall()


def lines_by_type(shop):
    store = Platform(shop.settings()).store
    metadata = store.manifest("silver/order_lines").metadata
    return {name: metadata[f"{name}_rows"] for name in ("sale", "return", "excluded")} | {
        "all": metadata["classified_rows"]
    }


def busiest(shop, count):
    found = select(
        shop, "SELECT customer_id FROM {table} ORDER BY order_count DESC, customer_id", "silver/customer_features"
    )
    return tuple(customer for (customer,) in found[:count])


def test_named_accounts_leave_the_segments_and_stay_in_the_data(shop, run):
    staff = busiest(shop, 2)
    before = lines_by_type(shop)
    settings = shop.settings(population__exclude_customers=list(staff))

    computed = run(settings)

    after = lines_by_type(shop)
    assert after["all"] == before["all"]
    assert after["excluded"] > 0
    assert after["sale"] + after["return"] + after["excluded"] == before["sale"] + before["return"]
    named = ", ".join(f"'{customer}'" for customer in staff)
    for key in ("silver/customer_features", "gold/customer_segments"):
        assert select(shop, f"SELECT 1 FROM {{table}} WHERE customer_id IN ({named})", key) == []
    assert not {key for key, _ in computed if key.startswith(("source/", "raw/"))}
    (row,) = select(shop, "SELECT measure, found FROM {table} WHERE kind = 'population'", "monitoring/data_quality")
    assert row[0] == "excluded_account"
    assert 0 < row[1] <= after["excluded"]
    report = (shop.data_dir / "reports" / NEWEST[:7] / "business_report.md").read_text()
    assert f"{int(row[1]):,} order lines: the customer is a kind of account" in report
    assert run(settings) == set()


def test_accounts_of_a_kind_are_left_out_as_the_customers_table_says(shop, run):
    (staff,) = busiest(shop, 1)
    customers = sorted(shop.deliveries.glob("customers-*.parquet"))
    kind = f"CASE WHEN customer_id = '{staff}' THEN 'Staff' ELSE 'consumer' END AS account_type"
    for path in customers:
        rewrite(path, f"SELECT * EXCLUDE (account_type), {kind} FROM (SELECT *, NULL AS account_type FROM t)")
    columns = {**shop.settings().source.customers.columns, "account_type": "account_type"}
    settings = shop.settings(
        source__customers__columns=columns,
        population__exclude_account_types=["staff"],
        population__exclude_customers=["C99"],
    )
    run(settings)
    assert lines_by_type(shop)["excluded"] > 0
    told = Platform(settings).store.manifest("silver/order_lines").metadata
    assert (told["excluded_accounts"], told["excluded_customers_without_lines"]) == (2, ["C99"])
    segments = select(shop, "SELECT customer_id FROM {table}", "gold/customer_segments")
    assert (staff,) not in segments

    for path in customers:
        rewrite(path, "SELECT * REPLACE (upper(account_type) AS account_type) FROM t")
    computed = {key for key, _ in run(settings)}
    assert Platform(settings).store.manifest("silver/order_lines").metadata["months_classified"] == []
    assert not {key for key in computed if key.startswith("clusters/")}, "other words for the same accounts"


def test_customers_with_too_few_orders_get_no_features(shop, run):
    before = dict(select(shop, "SELECT customer_id, order_count FROM {table}", "silver/customer_features"))
    computed = run(shop.settings(population__min_orders=3))
    after = dict(select(shop, "SELECT customer_id, order_count FROM {table}", "silver/customer_features"))
    assert after == {customer: count for customer, count in before.items() if count >= 3}
    metadata = Platform(shop.settings()).store.manifest("silver/customer_features", NEWEST).metadata
    assert metadata["customers_below_min_orders"] == len(before) - len(after) > 0
    assert not {key for key, _ in computed if key.startswith(("source/", "raw/")) or key == "silver/order_lines"}


def test_value_that_no_line_has_stops_before_anything_is_left_out(shop, run):
    columns = {**shop.settings().source.order_lines.columns, "country": "order_id"}
    settings = shop.settings(source__order_lines__columns=columns, population__countries=["Netherlands"])
    with pytest.raises(Exception, match="population.countries names 'Netherlands', which no order line has"):
        run(settings, keys={"raw/order_lines", "silver/order_lines"})


def test_filter_needs_its_column(shop):
    written = shop.settings(population__brands=["A"]).model_dump(mode="json")
    del written["source"]["order_lines"]["columns"]["brand"]
    with pytest.raises(ValueError, match="population filters by brand"):
        Settings.model_validate(written)
