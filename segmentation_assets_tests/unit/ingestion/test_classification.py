from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from segmentation_assets.config.source import CancellationSettings, SourceSettings
from segmentation_assets.ingestion.classification import bucket_sql, classified_lines_sql
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.silver import ORDER_LINES
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

PREFIX = SourceSettings(
    cancellations=CancellationSettings(rule="prefix", prefix="C"),
    adjustment_prefixes=("A", "B"),
    non_product_codes=("post", "M"),
)
SIGN = PREFIX.model_copy(update={"cancellations": CancellationSettings(rule="negative_quantity")})


def make_lines(*lines: tuple[str, str, int, str]) -> str:
    """SQL of raw order lines from order id, product id, quantity and price."""
    return raw_lines_relation(
        *(
            {"order_id": order, "order_at": "2025-03-05 10:00:00", "customer_id": "C1", "product_id": product,
             "quantity": quantity, "unit_price": price}
            for order, product, quantity, price in lines
        )
    )  # fmt: skip


def classify(connection: Connection, source: SourceSettings, *lines: tuple[str, str, int, str]) -> list[Any]:
    sql = classified_lines_sql(make_lines(*lines), source)
    return connection.execute(f"SELECT line_type, line_reason FROM ({sql}) ORDER BY source_row").fetchall()


def test_the_columns_are_those_declared(connection: Connection) -> None:
    sql = classified_lines_sql(make_lines(("O1", "P1", 3, "1.25")), PREFIX)
    described = connection.execute(f"DESCRIBE {sql}").fetchall()
    assert [row[0] for row in described] == list(ORDER_LINES.column_names)
    assert connection.execute(f"SELECT amount, typeof(amount) FROM ({sql})").fetchall() == [
        (Decimal("3.7500"), "DECIMAL(18,4)")
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("O1", "P1", 2, "1.5"), ("sale", "sale")),
        (("O1", "P1", 2, "0"), ("adjustment", "free_item")),
        (("C1", "P1", -2, "1.5"), ("return", "return")),
        (("C1", "P1", -2, "0"), ("return", "return")),
        (("C1", "P1", 2, "1.5"), ("adjustment", "positive_cancellation")),
        (("C1", "P1", 2, "0"), ("adjustment", "positive_cancellation")),
        (("O1", "P1", -2, "0"), ("adjustment", "write_off")),
        (("O1", "P1", -2, "1.5"), ("adjustment", "write_off")),
        (("c1", "P1", 2, "1.5"), ("sale", "sale")),
        (("C1", "P1", 0, "1.5"), ("adjustment", "zero_quantity")),
        (("O1", "P1", 0, "0"), ("adjustment", "zero_quantity")),
        (("C1", "P1", 0, "-1"), ("adjustment", "negative_price")),
        (("A1", "P1", 1, "-9"), ("adjustment", "adjustment_order")),
        (("B1", "P1", 1, "9"), ("adjustment", "adjustment_order")),
        (("A1", "POST", 1, "-9"), ("non_product", "non_product_code")),
        (("C1", " Post ", -1, "18"), ("non_product", "non_product_code")),
        (("O1", "m", 1, "18"), ("non_product", "non_product_code")),
        (("O1", "POSTER", 1, "18"), ("sale", "sale")),
    ],
)
def test_prefix_rule_takes_the_first_reason(
    connection: Connection, line: tuple[str, str, int, str], expected: tuple[str, str]
) -> None:
    assert classify(connection, PREFIX, line) == [expected]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("O1", "P1", -2, "1.5"), ("return", "return")),
        (("O1", "P1", -2, "0"), ("adjustment", "write_off")),
        (("C1", "P1", 2, "1.5"), ("sale", "sale")),
        (("O1", "P1", 2, "0"), ("adjustment", "free_item")),
        (("O1", "P1", -2, "-1"), ("adjustment", "negative_price")),
    ],
)
def test_sign_rule_takes_the_first_reason(
    connection: Connection, line: tuple[str, str, int, str], expected: tuple[str, str]
) -> None:
    assert classify(connection, SIGN, line) == [expected]


def test_a_prefix_and_a_code_with_a_quote_are_text(connection: Connection) -> None:
    source = SourceSettings(adjustment_prefixes=("A'",), non_product_codes=("P'",))
    assert classify(connection, source, ("A'1", "P1", 1, "1"), ("O1", "p'", 1, "1")) == [
        ("adjustment", "adjustment_order"),
        ("non_product", "non_product_code"),
    ]


def test_later_equal_rows_of_an_order_are_marked_and_kept(connection: Connection) -> None:
    line = ("O1", "P1", 2, "1.5")
    lines = make_lines(line, line, ("O2", "P1", 2, "1.5"), ("O1", "P1", 3, "1.5"), line)
    sql = classified_lines_sql(lines, PREFIX)
    found = connection.execute(f"SELECT is_exact_duplicate FROM ({sql}) ORDER BY source_row").fetchall()
    assert found == [(False,), (True,), (False,), (False,), (True,)]


@pytest.mark.parametrize(
    ("line", "first", "later"),
    [
        (("O1", "P1", 2, "1.5"), "sale", "duplicate_line"),
        (("C1", "P1", -2, "1.5"), "return", "duplicate_line"),
        (("O1", "P1", 2, "0"), "free_item", "duplicate_line"),
        (("O1", "post", 2, "1.5"), "non_product_code", "non_product_code"),
        (("A1", "P1", 2, "1.5"), "adjustment_order", "adjustment_order"),
    ],
)
def test_later_equal_rows_are_left_out_where_the_settings_say_so(
    connection: Connection, line: tuple[str, str, int, str], first: str, later: str
) -> None:
    source = PREFIX.model_copy(update={"duplicate_lines": "leave_out"})
    other = ("O2", "P1", 2, "1.5")
    found = classify(connection, source, line, other, line, line)
    assert [reason for _, reason in found] == [first, "sale", later, later]
    assert {kind for kind, reason in found if reason == "duplicate_line"} <= {"adjustment"}


def test_buckets_follow_md5_and_guests_share_one(connection: Connection) -> None:
    found = connection.execute(
        f"SELECT {bucket_sql('customer_id', 7)} FROM (VALUES ('12346'), ('C1'), (NULL)) AS c(customer_id)"
    ).fetchall()
    wanted = [int(hashlib.md5(text.encode()).hexdigest()[:8], 16) % 7 for text in ("12346", "C1", "")]
    assert [row[0] for row in found] == wanted
