"""Feature queries run with guards that stop at what their text does not show: types, ties, and sums of nothing."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features.declaration import FeatureColumn, feature_columns
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import feature_blocks, feature_queries, features_table, prepare_connection
from segmentation_assets.storage.engine import Connection, Engine, EngineError
from segmentation_assets_tests.unit.features.crowd import ADVANCED, EDGES, crowded_shop, repetitive_shop
from segmentation_assets_tests.unit.features.shop import (
    ALL_INPUTS,
    AS_OF,
    LOOKBACK_START,
    Shop,
    compute_rows,
    load_shop,
)

WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT")
GUARDS = f"""
CREATE TEMP MACRO exact(x) AS CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN error('sum of doubles') ELSE x END;
CREATE TEMP MACRO whole(x) AS CASE WHEN typeof(x) IN {WHOLE_TYPES} THEN x ELSE error('fraction cast to whole') END;
"""
RANKING = re.compile(r"\b(row_number|ntile|lag|lead|first_value|last_value|nth_value)\(", re.I)


def guarded(sql: str) -> str:
    """A query that fails where it sums doubles, casts a fraction to a whole number, or ranks what is tied."""
    sql = _rewritten(sql, re.compile(r"\bsum\(", re.I), lambda head, inside, tail: (f"{head}exact({inside}))", tail))
    sql = _rewritten(sql, re.compile(r"\bcast\(", re.I), _guard_cast)
    return _rewritten(sql, RANKING, _guard_ranking)


Guard = Callable[[str, str, str], tuple[str, str]]
"""From the name of a function, what stands in its brackets, and the rest of the query: the new call, and the rest."""


def _rewritten(sql: str, pattern: re.Pattern[str], guard: Guard) -> str:
    found = pattern.search(sql)
    if found is None:
        return sql
    inside, rest = _bracketed(sql[found.end() :])
    call, rest = guard(found.group(), _rewritten(inside, pattern, guard), rest)
    return f"{sql[: found.start()]}{call}{_rewritten(rest, pattern, guard)}"


def _bracketed(sql: str) -> tuple[str, str]:
    """What stands before the bracket that closes, and what follows it."""
    depth = 1
    for place, sign in enumerate(sql):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return sql[:place], sql[place + 1 :]
    raise AssertionError(f"no bracket closes {sql}")


def _guard_cast(head: str, inside: str, rest: str) -> tuple[str, str]:
    value, dtype = re.fullmatch(r"(.*)\s+as\s+(\w+(?:\([\d, ]*\))?)\s*", inside, re.I | re.S).groups()  # type: ignore[union-attr]
    return f"{head}{f'whole({value})' if dtype.upper() in (*WHOLE_TYPES, 'INT') else value} AS {dtype})", rest


def _guard_ranking(head: str, inside: str, rest: str) -> tuple[str, str]:
    over = re.match(r"\s*over\s*\(", rest, re.I)
    assert over, f"{head}{inside}) ranks over a named window"
    window, rest = _bracketed(rest[over.end() :])
    is_tied = f"row_number() OVER ({window}) <> rank() OVER ({window})"
    return f"CASE WHEN {is_tied} THEN error('tie in ' || {head!r}) ELSE {head}{inside}) OVER ({window}) END", rest


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A connection with a crowded shop, and the tables of its feature queries made under guard."""
    with Engine(EngineSettings(threads=1), tmp_path_factory.mktemp("guarded")).connect() as connection:
        prepare_connection(connection)
        connection.execute(GUARDS)
        shop = crowded_shop(7)
        relations = load_shop(connection, replace(shop, lines=(*shop.lines, *repetitive_shop(7).lines)))
        queries = feature_queries(ADVANCED, relations, AS_OF, LOOKBACK_START)
        for name, sql in queries.items():
            try:
                connection.execute(f"CREATE TEMP TABLE {name} AS {guarded(sql)}")
            except EngineError as error:
                raise AssertionError(f"{name}: {error}") from error
        yield connection


def test_no_feature_query_sums_doubles_or_rounds_silently_or_ranks_ties(prepared: Connection) -> None:
    made = prepared.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'block_%'").fetchall()
    assert {name for (name,) in made} == {f"block_{block.name}" for block in feature_blocks(ADVANCED, ALL_INPUTS)}


def test_history_sums_no_doubles_and_rounds_nothing_silently(prepared: Connection) -> None:
    for previous in (None, "history"):
        prepared.execute(guarded(customer_history_sql("order_lines", previous, AS_OF.date())))


@pytest.mark.parametrize(
    ("planted", "trap"),
    [
        ("SELECT sum(CAST(amount AS DOUBLE)) FROM snapshot_lines", "sum of doubles"),
        ("SELECT sum(revenue_slope_per_month) FROM block_trend", "sum of doubles"),
        ("SELECT sum(gap_days_mean) FILTER (WHERE gap_days_mean > 1) FROM block_cadence", "sum of doubles"),
        ("SELECT sum(return_rate) OVER (PARTITION BY customer_id) FROM block_returns", "sum of doubles"),
        ("SELECT CAST(gap_days_mean AS BIGINT) FROM block_cadence", "fraction cast to whole"),
        ("SELECT CAST(amount AS INTEGER) FROM snapshot_lines", "fraction cast to whole"),
        ("SELECT CAST(sum(quantity) / 2 AS BIGINT) FROM snapshot_lines", "fraction cast to whole"),
        ("SELECT cast(safe_div(1, 2) AS int)", "fraction cast to whole"),
        ("SELECT row_number() OVER (PARTITION BY customer_id ORDER BY last_sale_at) FROM customer_orders", "tie in"),
        ("SELECT lag(channel) OVER (PARTITION BY customer_id ORDER BY sale_amount) FROM customer_orders", "tie in"),
        ("SELECT first_value(channel) OVER (PARTITION BY customer_id) FROM snapshot_lines", "tie in"),
    ],
)
def test_planted_trap_stops_the_query(prepared: Connection, planted: str, trap: str) -> None:
    assert prepared.execute(planted).fetchall()
    with pytest.raises(EngineError, match=trap):
        prepared.execute(guarded(planted)).fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(amount), CAST(sum(quantity) AS BIGINT), CAST(-sum(quantity) AS BIGINT) FROM snapshot_lines",
        "SELECT row_number() OVER (PARTITION BY customer_id ORDER BY first_sale_at, order_id) FROM customer_orders",
        "SELECT CAST(sum(CASE WHEN (quantity > 0) THEN quantity END) AS DOUBLE) FROM snapshot_lines",
    ],
)
def test_guards_change_nothing_else(prepared: Connection, sql: str) -> None:
    assert prepared.execute(guarded(sql)).fetchall() == prepared.execute(sql).fetchall()


def nulls_against_the_declaration(rows: Iterable[dict[str, Any]], columns: Iterable[FeatureColumn]) -> set[str]:
    """Columns declared never to be null that are."""
    required = [column.name for column in columns if not column.nullable]
    return {name for row in rows for name in required if row[name] is None}


@pytest.mark.parametrize(
    "shop", [crowded_shop(8), Shop(EDGES, products=())], ids=["every input", "optional inputs without a row"]
)
def test_sum_over_no_rows_is_no_null_where_none_is_declared(connection: Connection, shop: Shop) -> None:
    columns = feature_columns(features_table(ADVANCED, ALL_INPUTS))
    rows = compute_rows(connection, shop, AS_OF, ADVANCED).values()
    assert nulls_against_the_declaration(rows, columns) == set()
    forgotten = FeatureColumn(name="recency_days", dtype="BIGINT", meaning="Forgotten.", imputation="ordinary")
    assert nulls_against_the_declaration(rows, [forgotten]) == {"recency_days"}
