"""Properties that hold for every feature, whatever the customers; comparisons are to the bit, doubles included."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features import registry
from segmentation_assets.features.blocks.calendar import DAY_PARTS, SEASONS
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.features.registry import absent_features, feature_blocks
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.ingestion.classification import bucket_sql
from segmentation_assets.storage.engine import Connection, Engine, copy_to_parquet, parquet_scan
from segmentation_assets_tests.unit.features.crowd import ADVANCED, crowded_shop
from segmentation_assets_tests.unit.features.oracle.case import cents
from segmentation_assets_tests.unit.features.shop import (
    ALL_COLUMNS,
    ALL_INPUTS,
    ALL_TABLES,
    AS_OF,
    SETTINGS,
    Shop,
    compute_rows,
    instant,
    load_shop,
    rows_of,
)

Features = dict[str, dict[str, Any]]
MOMENTS = [AS_OF, *map(instant, ("2025-05-31 12:50", "2025-03-01", "2024-12-31", "2024-02-29"))]


def features(connection: Connection, shop: Shop, as_of: datetime = AS_OF) -> Features:
    """All features, interactions included."""
    return compute_rows(connection, shop, as_of, ADVANCED)


def features_from(connection: Connection, lines: str) -> Features:
    """All features of a shop that is loaded, with the order lines from somewhere else."""
    relations = FeatureRelations(lines, "history", *ALL_TABLES, columns=ALL_COLUMNS)
    return rows_of(connection, relations, AS_OF, ADVANCED)


def looked_ahead(connection: Connection, as_of: datetime) -> set[str]:
    """Features that what happened at or after a moment has changed."""
    shop = crowded_shop(0)
    assert shop.before(as_of) != shop
    with_future, without = features(connection, shop, as_of), features(connection, shop.before(as_of), as_of)
    assert with_future.keys() == without.keys()
    return {name for customer, row in without.items() for name in row if row[name] != with_future[customer][name]}


@pytest.mark.parametrize("as_of", MOMENTS)
def test_what_happens_later_changes_no_feature(connection: Connection, as_of: datetime) -> None:
    assert looked_ahead(connection, as_of) == set()


def _planted(sql: str) -> Callable[[Snapshot], str]:
    """A block that reads a delivered table under the numbers that customers have in queries."""
    numbered = "SELECT k.number AS customer_id, r.* EXCLUDE (customer_id) FROM {} AS r JOIN known_customers AS k"
    tables = {
        name: f"({numbered.format(name)} ON k.customer_id = r.customer_id)"
        for name in ("order_lines", "engagement_events", "customers")
    }
    return lambda snapshot: sql.format(**tables, as_of=snapshot.as_of_sql, later=snapshot.days_ago_sql(-30))


LEAKS = {
    "all_lines": _planted("SELECT customer_id, count(*) AS all_lines FROM {order_lines} GROUP BY customer_id"),
    "a_month_more": _planted(
        "SELECT customer_id, sum(amount) AS a_month_more FROM {order_lines} WHERE order_at < {later} "
        "GROUP BY customer_id"
    ),
    "an_instant_more": _planted(
        "SELECT customer_id, count(*) AS an_instant_more FROM {order_lines} WHERE order_at <= {as_of} "
        "GROUP BY customer_id"
    ),
    "until_today": _planted(
        "SELECT customer_id, max(order_at) AS until_today FROM {order_lines} WHERE order_at < CURRENT_DATE "
        "GROUP BY customer_id"
    ),
    "events_to_come": _planted(
        "SELECT customer_id, max(event_at) AS events_to_come FROM {engagement_events} GROUP BY customer_id"
    ),
    "registration_to_come": _planted("SELECT customer_id, registered_on AS registration_to_come FROM {customers}"),
    "next_order": _planted(
        "SELECT t.customer_id, min(l.order_at) AS next_order FROM customer_totals AS t JOIN {order_lines} AS l "
        "ON l.customer_id = t.customer_id AND l.order_at > t.last_sale_at GROUP BY t.customer_id"
    ),
}
"""Blocks as a careless author may write them, by the feature that each yields."""


def plant(monkeypatch: pytest.MonkeyPatch, blocks: dict[str, Callable[[Snapshot], str]]) -> None:
    """Register blocks of one feature each, by its name."""

    def declared(name: str) -> Callable[[FeatureSettings], FeatureBlock]:
        column = FeatureColumn(name=name, dtype="BIGINT", meaning="Planted.", imputation="ordinary")
        return lambda _settings: FeatureBlock(name=f"planted_{name}", columns=(column,), select=blocks[name])

    monkeypatch.setattr(registry, "BLOCKS", (*registry.BLOCKS, *map(declared, blocks)))


def test_blocks_that_look_ahead_are_caught(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, LEAKS)
    assert looked_ahead(connection, AS_OF) == set(LEAKS)


@pytest.mark.parametrize("seed", range(2))
def test_row_order_changes_nothing(connection: Connection, seed: int) -> None:
    shop = crowded_shop(seed)
    assert features(connection, shop.shuffled(seed)) == features(connection, shop)


def test_block_that_depends_on_the_row_order_is_caught(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = "SELECT customer_id, first(channel) AS some_channel FROM snapshot_lines GROUP BY customer_id"
    plant(monkeypatch, {"some_channel": lambda _: sql})
    shop = crowded_shop(0)
    assert features(connection, shop.shuffled(0)) != features(connection, shop)


def test_lines_in_several_files_give_what_one_table_gives(connection: Connection, tmp_path: Path) -> None:
    load_shop(connection, crowded_shop(1))
    expected = features_from(connection, "order_lines")
    paths = [tmp_path / f"{part}.parquet" for part in range(7)]
    for part, path in enumerate(paths):
        copy_to_parquet(connection, f"SELECT * FROM order_lines WHERE day(order_at) % 7 = {part}", path)
    assert features_from(connection, parquet_scan(paths)) == expected
    assert features_from(connection, parquet_scan(paths[::-1])) == expected


@pytest.mark.parametrize("buckets", [4, 20])
def test_customers_in_buckets_give_what_all_at_once_give(connection: Connection, buckets: int) -> None:
    load_shop(connection, crowded_shop(2))
    found: Features = {}
    for bucket in range(buckets):
        chosen = f"(SELECT * FROM order_lines WHERE {bucket_sql('customer_id', buckets)} = {bucket})"
        part = features_from(connection, chosen)
        assert not part.keys() & found.keys()
        found |= part
    assert found == features_from(connection, "order_lines")


def test_two_halves_of_the_customers_give_what_the_whole_gives(connection: Connection) -> None:
    shop = crowded_shop(3)
    halves = [shop.of_customers(lambda name: name < "c06"), shop.of_customers(lambda name: name >= "c06")]
    first, second = (features(connection, half) for half in halves)
    assert min(len(first), len(second)) > 5
    assert first | second == features(connection, shop)


@pytest.mark.parametrize("threads", [2, 5])
def test_thread_count_changes_nothing(connection: Connection, tmp_path: Path, threads: int) -> None:
    shop = crowded_shop(4, n_customers=200)
    with Engine(EngineSettings(threads=threads), tmp_path).connect() as other:
        registry.prepare_connection(other)
        assert features(other, shop) == features(connection, shop)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Features of 200 customers and the edge cases, some of whom spent nothing."""
    with Engine(EngineSettings(threads=1), tmp_path_factory.mktemp("crowd")).connect() as connection:
        registry.prepare_connection(connection)
        rows = list(features(connection, crowded_shop(5, n_customers=200)).values())
    assert len(rows) > 150
    return rows


def test_net_revenue_is_gross_revenue_less_returns_to_the_cent(crowd: list[dict[str, Any]]) -> None:
    money = [(r["net_revenue_amount"], r["gross_revenue_amount"], r["returned_revenue_amount"]) for r in crowd]
    assert [net for net, _, _ in money] == [gross - returned for _, gross, returned in money]
    assert sum(returned > 0 for _, _, returned in money) > 50


@pytest.mark.parametrize("what", ["revenue_amount", "unit_count", "share"])
def test_department_is_the_sum_of_its_classes(crowd: list[dict[str, Any]], what: str) -> None:
    parts = [(r[f"class_{what}_shoes_boots"], r[f"class_{what}_shoes_other"]) for r in crowd]
    summed = [None if None in both else sum(both) for both in parts]
    departments = [row[f"department_{what}_shoes"] for row in crowd]
    assert summed == (departments if what != "share" else pytest.approx(departments, abs=1e-12))
    assert sum(0 not in both for both in parts) > 50


def _departments(row: dict[str, Any], what: str) -> list[Any]:
    return [row[f"department_{what}_{slug}"] for slug in ("shoes", "hats", "other")]


def test_departments_add_up_to_all_sales(crowd: list[dict[str, Any]]) -> None:
    for row in crowd:
        assert sum(_departments(row, "unit_count")) == row["unit_count"]
        assert cents(sum(_departments(row, "revenue_amount"))) == row["gross_revenue_amount"]


PARTITIONS = {
    "departments": [f"department_share_{slug}" for slug in ("shoes", "hats", "other")],
    "parts of the day": [f"{part}_order_share" for part in DAY_PARTS],
    "seasons": [f"{season}_order_share" for season in SEASONS],
}


@pytest.mark.parametrize("names", PARTITIONS.values(), ids=PARTITIONS)
def test_shares_of_all_parts_add_up_to_one(crowd: list[dict[str, Any]], names: list[str]) -> None:
    shares = [[row[name] for name in names] for row in crowd]
    known = np.array([values for values in shares if None not in values])
    assert [values for values in shares if None in values and set(values) != {None}] == []
    np.testing.assert_allclose(known.sum(axis=1), 1, atol=1e-12)
    assert len(known) > 100


def test_longer_window_holds_the_shorter_one(crowd: list[dict[str, Any]]) -> None:
    for row in crowd:
        for name in ("order_count", "unit_count"):
            counts = [row[f"{name}_{days}d"] for days in ADVANCED.windows]
            assert [*counts, row[name]] == sorted([*counts, row[name]])


LEFT_OUT = [*ALL_TABLES, *(name for name in ALL_COLUMNS if name.startswith("order_lines."))]


@pytest.mark.parametrize("left_out", [LEFT_OUT, *([name] for name in LEFT_OUT)], ids="+".join)
def test_features_that_do_not_need_an_input_are_the_same_without_it(
    connection: Connection, left_out: list[str]
) -> None:
    relations = load_shop(connection, crowded_shop(0, n_customers=20))
    everything = rows_of(connection, relations)
    lesser = replace(
        relations,
        **{name: None for name in ALL_TABLES if name in left_out},
        columns=[name for name in ALL_COLUMNS if not name.startswith(tuple(left_out))],
    )
    found = rows_of(connection, lesser)
    assert found == {
        customer: {name: value for name, value in row.items() if name in found[customer]}
        for customer, row in everything.items()
    }
    absent = absent_features(SETTINGS, lesser.available)
    assert set(next(iter(everything.values()))) - set(next(iter(found.values()))) == {
        column.name
        for block in feature_blocks(SETTINGS, ALL_INPUTS)
        for column in block.columns
        if column.name in absent or block.name in absent
    }


def test_empty_lookback_gives_no_rows(connection: Connection) -> None:
    assert features(connection, Shop(())) == {}
    assert features(connection, crowded_shop(0), instant("2023-06-01")) == {}
