"""Customer history: by hand, and month by month against all at once."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.silver import CUSTOMER_HISTORY
from segmentation_assets_tests.unit.features.crowd import crowded_shop
from segmentation_assets_tests.unit.features.shop import LINE_TYPES, Row, line, load, random_shop

MONTHS = [date(year, month, 1) for year in (2022, 2023, 2024, 2025) for month in range(1, 13)]
MONTHS = [month for month in MONTHS if date(2023, 1, 1) <= month <= date(2025, 6, 1)]


def _rows(connection: Connection, relation: str) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in CUSTOMER_HISTORY.column_names)
    return connection.execute(f"SELECT {names} FROM {relation} ORDER BY customer_id").fetchall()


def _all_at_once(connection: Connection, rows: tuple[Row, ...], as_of: date) -> list[tuple[Any, ...]]:
    lines = load(connection, "all_lines", rows, LINE_TYPES)
    return _rows(connection, f"({customer_history_sql(lines, None, as_of)})")


def test_history_of_a_buyer_a_returner_and_a_guest(connection: Connection) -> None:
    rows = (
        line("ann", "o1", "2024-02-28 10:00", "sale", "10.0050"),
        line("ann", "o1", "2024-02-28 10:00", "sale", "5.0000"),
        line("ann", "o2", "2024-02-28 18:00", "sale", "1.0000"),
        line("ann", "o3", "2024-03-01 00:00", "sale", "2.0000"),
        line("ann", "r1", "2024-03-05 00:00", "return", "-4.0000", -1),
        line("ann", "x1", "2024-03-06 00:00", "adjustment", "-99.0000", -1),
        line("ann", "o4", "2024-04-01 00:00", "sale", "50.0000"),
        line("cid", "r2", "2024-03-31 23:59", "return", "-7.0000", -1),
        line("dee", "p1", "2024-03-30 23:59", "non_product", "3.0000"),
        line(None, "o5", "2024-03-31 23:59", "sale", "3.0000"),
    )
    assert _all_at_once(connection, rows, date(2024, 4, 1)) == [
        (
            "ann",
            date(2024, 2, 28),
            date(2024, 3, 1),
            3,
            2,
            Decimal("18.0050"),
            Decimal("14.0050"),
            Decimal("16.0050"),
            1,
            2,
            33,
        ),
        ("cid", None, None, 0, 0, Decimal("0.0000"), Decimal("-7.0000"), None, None, None, None),
    ]


@pytest.mark.parametrize(("seed", "months_at_once"), [(0, 1), (1, 4)])
def test_month_by_month_equals_all_at_once(connection: Connection, seed: int, months_at_once: int) -> None:
    rows = crowded_shop(seed).lines
    lines = load(connection, "crowd_lines", rows, LINE_TYPES)
    previous = None
    for start, end in pairwise(MONTHS[::months_at_once]):
        since = "" if previous is None else f"order_at >= DATE '{start}' AND "
        months_lines = f"(SELECT * FROM {lines} WHERE {since}order_at < DATE '{end}')"
        sql = customer_history_sql(months_lines, previous, end)
        connection.execute(f"CREATE OR REPLACE TABLE history_{end:%Y_%m} AS {sql}")
        previous = f"history_{end:%Y_%m}"
        assert _rows(connection, previous) == _rows(connection, f"({customer_history_sql(lines, None, end)})")
    assert {row[0] for row in _rows(connection, str(previous))} >= {"only returns", "too early", "leap day"}


def test_order_id_in_two_months_counts_in_each(connection: Connection) -> None:
    rows = (
        line("ann", "o1", "2024-02-29 23:59", "sale", "1.0000"),
        line("ann", "o1", "2024-03-01 00:01", "sale", "1.0000"),
    )
    assert _all_at_once(connection, rows, date(2024, 4, 1))[0][3] == 2


def test_types_are_the_declared_ones(connection: Connection) -> None:
    lines = load(connection, "all_lines", random_shop(0).lines, LINE_TYPES)
    first = customer_history_sql(lines, None, date(2025, 1, 1))
    connection.execute(f"CREATE TABLE first_history AS {first}")
    sql = customer_history_sql(lines, "first_history", date(2025, 6, 1))
    declared = [(column.name, column.dtype) for column in CUSTOMER_HISTORY.columns]
    for query in (first, sql):
        assert [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {query}").fetchall()] == declared


def test_lines_on_the_as_of_day_are_left_out(connection: Connection) -> None:
    rows = (line("ann", "o1", "2024-04-01 00:00", "sale", "1.0000"),)
    assert _all_at_once(connection, rows, date(2024, 4, 1)) == []
    assert _all_at_once(connection, rows, date(2024, 4, 2))[0][-3:] == (0, 0, 1)
