"""Feature SQL avoids what differs between engines, between runs, or silently."""

import re
from datetime import date

import pytest

from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.macros import MACROS, create_macros_sql
from segmentation_assets.features.registry import feature_queries
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.features.shop import (
    ALL_COLUMNS,
    ALL_TABLES,
    AS_OF,
    LOOKBACK_START,
    SETTINGS,
    instant,
)

TRAPS = {
    "average of doubles or DECIMAL": r"\b(avg|mean)\s*\(",
    "deviation over doubles": r"\b(stddev|var|variance|skewness|kurtosis|corr|covar|regr_)\w*\s*\(",
    "another aggregate of doubles": r"\b(fsum|sumkahan|kahan_sum|favg|product|geomean|geometric_mean|entropy|mad)\s*\(",
    "median or quantile without a macro": r"\b(median|mode|quantile|percentile)\w*\s*\(",
    "approximation": r"\bapprox_\w+\s*\(",
    "day of week without a macro": r"\b(isodow|dow|dayofweek|weekday|dayname|weekofyear)\b",
    "difference of dates without a macro": r"\b(date_?diff|date_?sub|timestampdiff|age|epoch\w*)\s*\(",
    "hash of the engine": r"\b(hash|xxhash64|murmur\w*)\s*\(",
    "first of a tie": r"\b(max_by|min_by|arg_max|arg_min|any_value|first|last|first_value|last_value|nth_value)\s*\(",
    "list in no order": r"\b(list|array_agg|string_agg|listagg|group_concat|collect_list|histogram)\s*\(",
    "some rows of many": r"\b(limit|offset|distinct\s+on|tablesample|using\s+sample)\b",
    "logarithm that may meet 0": r"\b(ln|log|log2|log10)\s*\(",
    "least and greatest skip nulls": r"\b(least|greatest)\s*\(",
    "clock": r"\b(current_(date|time|timestamp)|local(time|timestamp)|(get_current_timestamp|now|today)\s*\()",
    "random": r"\b(random|rand|uuid\w*|gen_random_uuid)\s*\(",
    "shorthand cast": r"::",
    "cast that hides what fails": r"\btry_cast\s*\(",
    "engine-only division": r"//",
    "quoted name, a text on Spark": r'"',
    "engine-only clause": r"\b(qualify|exclude|materialized|asof|pivot|unpivot|group\s+by\s+all)\b",
}
"""What stands in the text of a query; types, ties and sums of nothing are seen by `test_silent_traps`."""

QUERIES = feature_queries(
    SETTINGS.model_copy(update={"interactions": (("btyd_T", "recency_days"),)}),
    FeatureRelations("lines", "history", *ALL_TABLES, ALL_COLUMNS),
    AS_OF,
    LOOKBACK_START,
)
QUERIES["history"] = customer_history_sql("lines", "history", date(2025, 6, 1))


def find_traps(sql: str) -> list[str]:
    """Names of the traps a query falls into; what stands in single quotes is not looked at."""
    bare = re.sub(r"'[^']*'", "''", sql).lower()
    return [name for name, pattern in TRAPS.items() if re.search(pattern, bare)]


@pytest.mark.parametrize("name", QUERIES)
def test_query_has_no_silent_trap(name: str) -> None:
    assert find_traps(QUERIES[name]) == []


PLANTED = [
    ("SELECT avg(amount) FROM x", "average of doubles or DECIMAL"),
    ("SELECT stddev_pop(gap)", "deviation over doubles"),
    ("SELECT skewness(gap)", "deviation over doubles"),
    ("SELECT kurtosis_pop(gap)", "deviation over doubles"),
    ("SELECT geomean(gap)", "another aggregate of doubles"),
    ("SELECT MEDIAN(amount)", "median or quantile without a macro"),
    ("SELECT quantile_cont(amount, 0.5)", "median or quantile without a macro"),
    ("SELECT mode(channel)", "median or quantile without a macro"),
    ("SELECT approx_count_distinct(order_id)", "approximation"),
    ("SELECT isodow(order_at)", "day of week without a macro"),
    ("SELECT extract(dow FROM order_at)", "day of week without a macro"),
    ("SELECT date_diff('day', a, b)", "difference of dates without a macro"),
    ("SELECT datediff(b, a)", "difference of dates without a macro"),
    ("SELECT epoch(b - a)", "difference of dates without a macro"),
    ("SELECT hash(customer_id)", "hash of the engine"),
    ("SELECT arg_max(product_id, amount)", "first of a tie"),
    ("SELECT max_by(product_id, amount)", "first of a tie"),
    ("SELECT any_value(channel)", "first of a tie"),
    ("SELECT string_agg(channel)", "list in no order"),
    ("SELECT DISTINCT ON (customer_id) channel", "some rows of many"),
    ("SELECT channel FROM x ORDER BY amount LIMIT 1", "some rows of many"),
    ("SELECT ln(amount)", "logarithm that may meet 0"),
    ("SELECT least(1, rate)", "least and greatest skip nulls"),
    ("SELECT current_date", "clock"),
    ("SELECT now()", "clock"),
    ("SELECT random()", "random"),
    ("SELECT x::INTEGER", "shorthand cast"),
    ("SELECT try_cast(x AS INTEGER)", "cast that hides what fails"),
    ("SELECT a // b", "engine-only division"),
    ("SELECT 'a' AS \"b\"", "quoted name, a text on Spark"),
    ("SELECT a QUALIFY b", "engine-only clause"),
]


@pytest.mark.parametrize(("planted", "trap"), PLANTED)
def test_planted_trap_is_found(planted: str, trap: str) -> None:
    assert find_traps(planted) == [trap]


def test_every_trap_is_planted() -> None:
    assert {trap for _, trap in PLANTED} == set(TRAPS)


def test_trap_inside_a_text_is_none() -> None:
    assert find_traps("SELECT a WHERE department = 'hash(tags) :: random()'") == []


NUMBERINGS = {
    "known_customers": ["ORDER BY customer_id"],
    "known_products": ["ORDER BY product_id"],
    "known_channels": ["ORDER BY channel"],
    "known_countries": ["ORDER BY country"],
    "known_stores": ["ORDER BY store_id"],
    "snapshot_products": ["ORDER BY p.department", "ORDER BY p.department, p.class"],
    "returned_products": ["ORDER BY customer_id, product_id, order_at, order_id"],
    "returned_purchases": ["ORDER BY customer_id, product_id, order_at, order_id"],
}
"""Windows across customers: they order different values, or number equal ones alike, so that there is no tie."""


@pytest.mark.parametrize("name", QUERIES)
def test_ranking_window_orders_within_the_customer(name: str) -> None:
    windows = re.findall(r"OVER \(([^)]*)\)", QUERIES[name])
    within = [window for window in windows if re.search(r"PARTITION BY (\w+\.)?customer_id", window)]
    others = [" ".join(window.split()) for window in windows if window not in within]
    assert others == NUMBERINGS.get(name, [])
    ranked = re.findall(r"\b(?:row_number|rank|dense_rank|ntile|lag|lead)\([^)]*\) OVER \(([^)]*)\)", QUERIES[name])
    assert all("ORDER BY" in window for window in ranked)


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_macro_has_a_meaning_and_a_body_for_duckdb(macro: object) -> None:
    assert create_macros_sql("duckdb").count(f" {macro.name}(") == 1  # type: ignore[attr-defined]
    assert macro.meaning.endswith(".")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("days_between(TIMESTAMP '2024-02-28 23:59:59', TIMESTAMP '2024-03-01 00:00:00')", 2),
        ("days_between(DATE '2025-01-31', TIMESTAMP '2025-02-28 12:00:00')", 28),
        ("days_between(NULL::DATE, DATE '2025-01-31')", None),
        ("elapsed_days(TIMESTAMP '2024-02-28 23:59:59', TIMESTAMP '2024-03-01 00:00:00')", 1),
        ("elapsed_days(TIMESTAMP '2024-02-28 00:00:00', TIMESTAMP '2024-03-01 00:00:00')", 2),
        ("elapsed_days(NULL::TIMESTAMP, TIMESTAMP '2024-03-01 00:00:00')", None),
        ("safe_div(1, 4)", 0.25),
        ("safe_div(1, 0)", None),
        ("safe_div(1, NULL)", None),
        ("safe_div(NULL, 1)", None),
        ("capped_share(1, 4)", 0.25),
        ("capped_share(5, 4)", 1.0),
        ("capped_share(0, 0)", None),
        ("capped_share(5, NULL)", None),
        ("CAST(money_per(CAST(60.5 AS DECIMAL(38,4)), 3) AS VARCHAR)", "20.17"),
        ("CAST(money_per(CAST(0.01 AS DECIMAL(38,4)), 2) AS VARCHAR)", "0.01"),
        ("CAST(money_per(CAST(99999999999999.9999 AS DECIMAL(38,4)), 1) AS VARCHAR)", "100000000000000.00"),
        ("money_per(CAST(5 AS DECIMAL(38,4)), 0)", None),
    ],
)
def test_macro_on_known_values(connection: Connection, call: str, value: object) -> None:
    assert connection.execute(f"SELECT {call}").fetchone() == (value,)


def test_macro_takes_columns_named_like_its_parameters(connection: Connection) -> None:
    sql = "SELECT safe_div(whole, part) FROM (VALUES (4, 1)) AS v(part, whole)"
    assert connection.execute(sql).fetchone() == (0.25,)


def test_snapshot_writes_instants_without_losing_microseconds() -> None:
    snapshot = Snapshot(SETTINGS, instant("2025-06-01 12:50:01.000005"), LOOKBACK_START)
    assert snapshot.as_of_sql == "CAST('2025-06-01 12:50:01.000005' AS TIMESTAMP)"
    assert snapshot.days_ago_sql(30) == "CAST('2025-05-02 12:50:01.000005' AS TIMESTAMP)"
