"""The pandas implementation that benchmarks/features.py times makes the features that the SQL makes."""

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import feature_inputs
from benchmarks.pandas_features import compute_features, find_differences, read_frames
from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import computed_features, features_table
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.storage.engine import Connection, parquet_scan
from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table
from segmentation_assets_tests.unit.features.crowd import repetitive_shop
from segmentation_assets_tests.unit.features.shop import (
    ALL_INPUTS,
    AS_OF,
    LOOKBACK_START,
    SETTINGS,
    Shop,
    customer_row,
    instant,
    line,
    load_shop,
    random_shop,
)

TABLE = features_table(SETTINGS, ALL_INPUTS)

EDGES = Shop(
    (
        line("deal of just 20 %", "o1", "2025-05-01 12:00", "sale", "10", 1, list_price="12.5"),
        line("same order, then latest", "o1", "2025-05-01 12:00", "sale", "10", 1, "shoe-1"),
        line("same order, then latest", "o2", "2025-05-03 12:00", "sale", "10", 2, "shoe-1"),
        line("same order, then latest", "o1", "2025-05-04 12:00", "return", "-5", -1, "shoe-1"),
        line("all returned after just a day", "o1", "2025-05-01 12:00", "sale", "7"),
        line("all returned after just a day", "r1", "2025-05-02 12:00", "return", "-7", -1),
        line("two purchases at once", "o2", "2025-05-01 12:00", "sale", "3"),
        line("two purchases at once", "o1", "2025-05-01 12:00", "sale", "4", 3),
        line("two purchases at once", "r1", "2025-05-05 12:00", "return", "-1", -1),
        line("bought at as-of", "o1", "2025-06-01 00:00", "sale", "1"),
    ),
    customers=(customer_row("deal of just 20 %", "2025-06-01", newsletter_since="2025-06-01"),),
    events=(("two purchases at once", "2025-06-01 00:00", "visit"), ("two purchases at once", "2025-03-03", "visit")),
)


def compute_both(
    connection: Connection, shop: Shop, as_of: datetime = AS_OF, settings: FeatureSettings = SETTINGS
) -> pd.DataFrame:
    """Features by pandas; those by SQL are in the table `found` then."""
    relations = load_shop(connection, shop, as_of)
    with computed_features(connection, settings, relations, as_of, LOOKBACK_START) as sql:
        connection.execute(f"CREATE OR REPLACE TABLE found AS {sql}")
    return compute_features(*read_frames(connection, relations), settings, as_of, LOOKBACK_START)


@pytest.mark.parametrize(
    ("seed", "recency", "as_of"),
    [(0, "calendar_days", AS_OF), (1, "elapsed_days", instant("2025-05-31 12:50")), (2, "calendar_days", AS_OF)],
)
def test_pandas_features_equal_those_of_the_sql(
    connection: Connection, seed: int, recency: str, as_of: datetime
) -> None:
    settings = SETTINGS.model_copy(update={"recency": recency})
    features = compute_both(connection, random_shop(seed, n_customers=40, n_lines=600), as_of, settings)
    assert len(features) > 20
    assert find_differences(connection, "found", TABLE, features) == []


@pytest.mark.parametrize("kind", ["sale", "return", "adjustment"])
def test_shops_with_lines_of_one_kind_give_the_same_features(connection: Connection, kind: str) -> None:
    amount = "-2.0050" if kind == "return" else "2.0050"
    features = compute_both(connection, Shop((line("a", "o1", "2025-02-28 00:00", kind, amount),)))
    assert len(features) == (kind != "adjustment")
    assert find_differences(connection, "found", TABLE, features) == []


@pytest.mark.parametrize(("shop", "customers"), [(EDGES, 4), (repetitive_shop(0), 4)], ids=["edges", "repetitive"])
def test_edge_cases_give_the_same_features(connection: Connection, shop: Shop, customers: int) -> None:
    features = compute_both(connection, shop)
    assert len(features) == customers
    assert find_differences(connection, "found", TABLE, features) == []


def test_made_up_shop_of_the_benchmark_gives_the_same_features(connection: Connection, tmp_path: Path) -> None:
    inputs = feature_inputs.make_inputs(connection, tmp_path, 20_000, 500, buckets=1)
    lines = parquet_scan([path for month in inputs.months for path in month])
    connection.execute(f"CREATE TABLE history AS {customer_history_sql(lines, None, feature_inputs.AS_OF)}")
    relations = FeatureRelations(
        lines,
        "history",
        *(parquet_scan(paths) for paths in ([inputs.products], [inputs.customers], inputs.events)),
        columns=feature_inputs.COLUMNS,
    )
    settings, as_of = feature_inputs.WIDE_SETTINGS, datetime.combine(feature_inputs.AS_OF, time())
    features = compute_features(*read_frames(connection, relations), settings, as_of, feature_inputs.FIRST_DAY)
    with computed_features(connection, settings, relations, as_of, feature_inputs.FIRST_DAY) as sql:
        connection.execute(f"CREATE TABLE found AS {sql}")
    table = features_table(settings, relations.available)
    assert features.shape == (500, len(table.columns) - 1)
    assert find_differences(connection, "found", table, features) == []


SMALL = Table(
    key="silver/customer_features",
    row="a customer",
    primary_key=("customer_id",),
    columns=(
        CUSTOMER_ID,
        Column(name="orders", dtype="BIGINT", meaning="Orders."),
        Column(name="money", dtype="DECIMAL(18,2)", meaning="Money."),
        Column(name="gap", dtype="DOUBLE", meaning="Gap."),
        Column(name="channel", dtype="VARCHAR", meaning="Channel."),
    ),
)


@pytest.mark.parametrize(
    ("change", "different"),
    [
        (lambda frame: frame.assign(gap=frame["gap"] * (1 + 1e-10)), []),
        (lambda frame: frame.assign(gap=frame["gap"] * (1 + 1e-8)), ["gap"]),
        (lambda frame: frame.assign(gap=frame["gap"].fillna(0)), ["gap"]),
        (lambda frame: frame.assign(orders=[1, 3], money=[1_001, 0]), ["orders", "money"]),
        (lambda frame: frame.assign(channel=["web", "web"]), ["channel"]),
        (lambda frame: frame.drop(columns="orders"), ["orders"]),
        (lambda frame: frame[frame.columns[::-1]], ["order of columns"]),
        (lambda frame: frame.iloc[1:], ["customer_id"]),
    ],
)
def test_differences_are_named(
    connection: Connection, change: Callable[[pd.DataFrame], pd.DataFrame], different: list[str]
) -> None:
    connection.execute(
        "CREATE TABLE found AS SELECT * FROM (VALUES ('b', 2, 0.00, NULL, NULL), ('a', 1, 0.10, 0.7, 'web')) "
        "AS f(customer_id, orders, money, gap, channel)"
    )
    features = pd.DataFrame(
        {"orders": [1, 2], "money": [1_000, 0], "gap": [0.7, None], "channel": ["web", None]}, index=["a", "b"]
    )
    assert find_differences(connection, "found", SMALL, change(features)) == different
