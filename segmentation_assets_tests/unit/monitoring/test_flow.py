"""Rows and money can be followed from the delivered files to the segments, and a sum that is broken shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.ingestion.accounts import Holding, PartAccount
from segmentation_assets.monitoring.flow import (
    FlowLine,
    LineShare,
    SegmentMoney,
    describe_flow,
    flow_order,
    hold_lines,
    share_lines,
    trace_flow,
)
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets.tables.raw import QUARANTINE_REASONS

FEBRUARY, MARCH = "2025-02-01", "2025-03-01"


def held(rows: int, **amounts: str) -> Holding:
    return Holding(rows, {code: Decimal(amount) for code, amount in amounts.items()})


PARTS = (
    PartAccount(
        "a.csv",
        held(8, EUR="78", GBP="8"),
        {FEBRUARY: held(1, EUR="10"), MARCH: held(3, EUR="30", GBP="8")},
        {
            "redelivered": {FEBRUARY: held(1, EUR="6"), MARCH: held(1, EUR="15")},
            "not_a_number": {"": held(1, EUR="5")},
            "required": {FEBRUARY: held(1, EUR="12")},
        },
    ).within([MARCH]),
)
RAW = held(3, EUR="30", GBP="8")
SHARES = {
    "counted": LineShare(held(1, GBP="8"), Decimal("9.3604")),
    "duplicate_line": LineShare(held(1, EUR="10"), Decimal(10)),
    "guest": LineShare(held(1, EUR="20"), Decimal(20)),
}
SEGMENTS = SegmentMoney({"assigned": (1, Decimal("9.36"))}, Decimal("-0.0004"))
TRACED: dict[str, Any] = {
    "parts": PARTS, "raw": RAW, "shares": SHARES, "segments": SEGMENTS, "currency": "EUR",
}  # fmt: skip


def figures(lines: tuple[FlowLine, ...]) -> list[tuple[str, dict[str, float]]]:
    return [(line.code, {measure: float(value) for measure, value in line.found.items()}) for line in lines]


def test_every_sum_stands_before_its_parts_with_the_money_of_each_currency() -> None:
    lines = trace_flow(**TRACED)

    def money(rows: int, euros: float, pounds: float) -> dict[str, float]:
        return {"rows": rows, "amount in EUR": euros, "amount in GBP": pounds}

    assert figures(lines) == [
        ("delivered", money(5, 50, 8)),
        ("delivered:raw", money(3, 30, 8)),
        ("delivered:not_a_number", money(1, 5, 0)),
        ("delivered:redelivered", money(1, 15, 0)),
        ("raw", money(3, 30, 8)),
        ("raw:lookback", money(3, 30, 8)),
        ("lines", money(3, 30, 8)),
        ("lines:counted", money(1, 0, 8) | {"analysed amount": 9.3604}),
        ("lines:duplicate_line", money(1, 10, 0) | {"analysed amount": 10}),
        ("lines:guest", money(1, 20, 0) | {"analysed amount": 20}),
        ("counted", {"analysed amount": 9.3604}),
        ("counted:assigned", {"analysed amount": 9.36}),
        ("counted:rounding", {"analysed amount": 0.0004}),
    ]
    assert describe_flow(lines) == "All 10 sums from the delivered files to the segments add up."
    words = {line.code: line.words for line in lines}
    assert words["delivered:not_a_number"] == "set aside: the value is not a number in the declared notation"
    assert words["delivered:redelivered"] == f"delivered again: {QUARANTINE_REASONS['redelivered']}"
    assert words["lines:guest"] == "left out: nobody was identified (guests)"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parts": (replace(PARTS[0], delivered=held(6, EUR="50", GBP="8")),)}, "(rows 6.0000, of which 5.0000"),
        (
            {"parts": (replace(PARTS[0], delivered=held(5, EUR="49", GBP="9")),)},
            "(amount in EUR 49.0000, of which 50.0000 were found); Delivered in 1 file, sheet or table, of",
        ),
        ({"raw": held(2, EUR="30", GBP="8")}, "2 of 10 sums do not add up: Of these in raw/order_lines (rows 3.0000"),
        ({"shares": SHARES | {"guest": LineShare(held(1, EUR="19.99"))}}, "(amount in EUR 30.0000, of which 29.9900"),
        ({"segments": replace(SEGMENTS, rounding=Decimal(0))}, "(analysed amount 9.3604, of which 9.3600 were found)."),
    ],
)
def test_anything_that_gets_lost_on_the_way_is_told(change: dict[str, Any], told: str) -> None:
    assert told in describe_flow(trace_flow(**TRACED | change))


def test_row_that_is_missing_in_a_file_is_missing_in_every_month() -> None:
    whole = PartAccount("a.csv", held(3, EUR="9"), {FEBRUARY: held(1, EUR="2"), MARCH: held(1, EUR="3")}, {})
    for month in (FEBRUARY, MARCH):
        part = whole.within([month])
        assert part.delivered - part.found == held(1, EUR="4")


def test_money_without_any_currency_is_that_of_the_settings() -> None:
    part = PartAccount("a.csv", held(1, none="5"), {MARCH: held(1, none="5")}, {})
    lines = trace_flow((part,), held(1, none="5"), {}, SegmentMoney({}, Decimal(0)), "EUR")
    assert figures(lines)[0] == ("delivered", {"rows": 1, "amount in EUR": 5})


def test_raw_money_in_a_currency_that_no_part_delivered_is_told() -> None:
    told = describe_flow(trace_flow(**TRACED | {"raw": held(3, EUR="30", GBP="8", USD="7")}))
    assert "Of these in raw/order_lines (amount in USD 0.0000, of which 7.0000 were found)" in told


def test_rows_delivered_again_stand_after_all_that_is_set_aside() -> None:
    codes = [
        "delivered:redelivered_in_part", "delivered:redelivered", "delivered:unparseable_date", "delivered:raw",
    ]  # fmt: skip
    assert sorted(codes, key=flow_order) == codes[::-1]


def test_rows_of_an_order_that_another_file_holds_in_part_are_delivered_again() -> None:
    part = PartAccount("a.csv", held(1, EUR="5"), {}, {"redelivered_in_part": {MARCH: held(1, EUR="5")}})
    lines = trace_flow((part,), Holding(), {}, SegmentMoney({}, Decimal(0)), "EUR")
    words = {line.code: line.words for line in lines}
    assert words["delivered:redelivered_in_part"].startswith("delivered again: another file holds the order")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with Engine(EngineSettings(), tmp_path_factory.mktemp("spill")).connect() as opened:
        yield opened


LINES = """(SELECT customer_id, order_id, CAST(order_at AS TIMESTAMP) AS order_at, line_type, line_reason,
    1 AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price, unit_price AS amount, currency FROM (VALUES
    ('ann', 'o1', '2025-03-01', 'sale', 'sale', 8, 'GBP'),
    ('ann', 'o2', '2025-03-02', 'sale', 'sale', 9, NULL),
    ('ann', 'o2', '2025-03-03', 'return', 'return', -1, NULL),
    ('bob', 'o3', '2025-03-04', 'sale', 'sale', 5, NULL),
    (NULL, 'o4', '2025-03-04', 'sale', 'sale', 3, NULL),
    ('ann', 'o5', '2025-02-28 23:59', 'sale', 'sale', 2, NULL),
    ('bob', 'o6', '2025-04-01', 'sale', 'sale', 2, NULL),
    ('ann', 'o7', '2025-03-05', 'adjustment', 'write_off', 1, NULL)
    ) AS t(customer_id, order_id, order_at, line_type, line_reason, price, currency))"""


@pytest.mark.parametrize(
    ("min_orders", "expected"),
    [
        (0, {"counted": (4, 21), "guest": (1, 3), "outside": (2, 4), "write_off": (1, 1)}),
        (2, {"counted": (3, 16), "below_min_orders": (1, 5), "guest": (1, 3), "outside": (2, 4), "write_off": (1, 1)}),
    ],
)
def test_every_classified_line_is_counted_or_left_out_for_one_reason(
    connection: Connection, min_orders: int, expected: dict[str, tuple[int, int]]
) -> None:
    shares = share_lines(connection, LINES, dt.date(2025, 3, 1), dt.date(2025, 4, 1), min_orders)
    assert {fate: (share.held.rows, share.analysed) for fate, share in shares.items()} == expected
    assert shares["counted"].held.amounts["GBP"] == 8


def test_orders_of_a_customer_are_those_with_a_sale_each_once(connection: Connection) -> None:
    lines = """(SELECT customer_id, order_id, CAST(order_at AS TIMESTAMP) AS order_at, line_type,
        line_type AS line_reason, 1 AS quantity, CAST(1 AS DECIMAL(18,4)) AS unit_price, unit_price AS amount,
        NULL::VARCHAR AS currency FROM (VALUES
        ('ann', 'o1', '2025-03-01', 'sale'), ('ann', 'o1', '2025-03-01', 'sale'),
        ('bob', 'o2', '2025-03-02', 'sale'), ('bob', 'o3', '2025-03-03', 'return'),
        ('eve', 'o4', '2025-03-02', 'sale'), ('eve', 'o5', '2025-03-03', 'sale')
        ) AS t(customer_id, order_id, order_at, line_type))"""
    shares = share_lines(connection, lines, dt.date(2025, 3, 1), dt.date(2025, 4, 1), 2)
    assert {fate: share.held.rows for fate, share in shares.items()} == {"below_min_orders": 4, "counted": 2}


def test_raw_lines_are_held_by_currency(connection: Connection) -> None:
    assert hold_lines(connection, LINES) == held(8, GBP="8", none="21")
