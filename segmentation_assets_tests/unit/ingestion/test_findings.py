"""What order lines, customers and products show about their source, on lines written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from segmentation_assets.config.source import CancellationSettings, ProductsTable, SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.findings import (
    FINDINGS,
    Finding,
    count_repairs,
    find_in_ids,
    find_in_lines,
    find_in_profiles,
    tell_repairs,
)
from segmentation_assets.ingestion.findings_sql import BLANK_TOLD_OF, MISREAD
from segmentation_assets.storage.engine import Connection
from segmentation_assets.tables.raw import RAW_TABLES, REPAIRS
from segmentation_assets_tests.unit.ingestion.counter import Counter, order_lines_mapping
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

SOURCE = SourceSettings(
    order_lines=order_lines_mapping(),
    cancellations=CancellationSettings(rule="prefix", prefix="C"),
    adjustment_prefixes=("A",),
    non_product_codes=("POST",),
)
SALE = {
    "order_id": "1", "order_at": "2025-03-01 10:00:00", "customer_id": "K1", "product_id": "85123a", "quantity": 2,
    "unit_price": 5,
}  # fmt: skip
BACK = SALE | {"order_id": "C9", "order_at": "2025-03-02 10:00:00", "quantity": -2}
SOON = BACK | {"order_at": "2025-03-01 10:12:00"}
OLDER = SALE | {"order_id": "0", "order_at": "2025-02-20 10:00:00"}
OLD_BACK = BACK | {"order_id": "C1", "order_at": "2025-02-25 10:00:00"}
NO_MINUS = SALE | {"order_id": "C9"}
AT_TEN_PAST = "2025-03-01 10:10:00"
OFF = SALE | {"quantity": -1, "unit_price": 0, "customer_id": None}


def told(connection: Connection, *lines: dict[str, Any], products: str | None = None) -> dict[str, int]:
    return {each.measure: each.count for each in find_in_lines(connection, classified(*lines), products)}


def classified(*lines: dict[str, Any]) -> str:
    return f"({classified_lines_sql(raw_lines_relation(*lines), SOURCE)})"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([SALE], {}),
        ([SALE, BACK], {}),
        ([SALE, BACK | {"order_at": "2025-03-01 11:00:00"}], {"quick_cancellation": 1}),
        ([SALE, BACK | {"order_at": "2025-03-01 11:00:01"}], {}),
        ([SALE, BACK | {"order_at": "2025-03-01 11:00:00", "quantity": -1}], {}),
        ([OLDER, SALE, SOON], {}),
        ([OLDER | {"quantity": 3}, OLD_BACK | {"quantity": -1}, SALE, SOON], {}),
        ([OLDER, OLD_BACK, SALE, SOON], {"quick_cancellation": 1}),
        ([OLDER, OLDER, OLD_BACK, SALE, SOON], {"exact_duplicate": 1, "quick_cancellation": 1}),
        ([OLDER, OLD_BACK | {"quantity": 2}, SALE, SOON], {"positive_cancellation": 1, "quick_cancellation": 1}),
        ([OLDER | {"customer_id": "K2"}, OLDER | {"product_id": "P2"}, SALE, SOON], {"quick_cancellation": 1}),
        ([OLDER | {"unit_price": "0.009"}, SALE, SOON], {"tiny_price": 1, "quick_cancellation": 1}),
        ([OLDER | {"quantity": 1}, SALE, SOON], {"quick_cancellation": 1}),
        ([SALE, SALE | {"order_id": "2"}, SOON, SOON | {"order_id": "C8"}], {"quick_cancellation": 2}),
        ([SALE | {"customer_id": None}, SOON | {"customer_id": None}], {"guest": 2}),
        ([SALE, SALE | {"unit_price": "0.009"}], {"tiny_price": 1}),
        ([SALE, SALE | {"customer_id": "7"}, SALE | {"customer_id": "K2"}], {"mixed_id": 1}),
        ([SALE, SALE | {"customer_id": "NULL"}], {"unclear_id": 1}),
        ([SALE | {"order_id": "n/a", "product_id": "nan"}, SALE | {"product_id": "-"}], {"unclear_id": 2}),
        ([SALE | {"order_id": 'O3"'}, SALE | {"customer_id": '"C', "order_id": "O4"}], {"unclear_id": 2}),
        ([SALE | {"customer_id": None}], {"guest": 1}),
        ([SALE, SALE | {"quantity": -2, "unit_price": 0}], {"write_off": 1}),
        ([SALE, SALE | {"unit_price": 0}], {"free_item": 1}),
        ([SALE, SALE | {"unit_price": -5}], {"negative_price": 1}),
        ([SALE, SALE | {"order_id": "A1", "customer_id": None}], {"adjustment_order": 1}),
        ([SALE, SALE | {"order_id": "C1"}], {"positive_cancellation": 1}),
        ([NO_MINUS, NO_MINUS | {"order_at": AT_TEN_PAST}], {"positive_cancellation": 2, "several_instants": 1}),
        ([SALE, NO_MINUS | {"product_id": "85123A"}], {"positive_cancellation": 1, "code_spelling": 1}),
        ([SALE, SALE | {"quantity": 0}], {"zero_quantity": 1}),
        ([SALE, SALE | {"product_id": "post"}], {"non_product_code": 1}),
        ([SALE, SALE, SALE], {"exact_duplicate": 2}),
        ([SALE, SALE | {"order_id": "2", "product_id": "85123A"}, SALE | {"order_id": "3"}], {"code_spelling": 1}),
        ([SALE | {"product_id": "0012"}, SALE | {"order_id": "2", "product_id": "12"}], {"code_spelling": 1}),
        ([SALE | {"product_id": "0012"}, BACK | {"product_id": "12"}], {"code_spelling": 1}),
        ([SALE, BACK | {"product_id": "P2"}], {"unmatched_return": 1}),
        ([SALE | {"order_at": "2025-03-03 10:00:00"}, BACK], {"unmatched_return": 1}),
        ([SALE, BACK | {"customer_id": "K2"}], {"unmatched_return": 1, "returns_only": 1}),
        ([SALE | {"quantity": 10_000}, BACK | {"quantity": -10_000}], {"giant_cancellation": 1}),
        ([SALE | {"quantity": 9_999}, BACK | {"quantity": -9_999}], {}),
        ([SALE | {"quantity": 10_000}, BACK | {"quantity": -10_000, "order_at": "2025-03-09 10:00:00"}], {}),
        ([SALE, SALE | {"order_at": "2025-03-01 10:02:00"}], {"several_instants": 1}),
        ([SALE | {"country": " unspecified"}], {"unclear_country": 1}),
        ([SALE | {"country": "Spain"}, SALE | {"order_id": "2", "country": "EIRE"}], {"unclear_country": 1}),
        ([SALE | {"country": "Spain"}, SALE | {"order_id": "2", "country": "Italy"}], {"several_countries": 1}),
        ([SALE | {"product_name": "lamp"}, SALE], {"blank_text": 1}),
        ([SALE, OFF | {"product_name": "Lamp"}], {"blank_text": 1, "write_off": 1}),
        ([OFF | {"product_name": "damaged"}], {"write_off": 1, "staff_note": 1}),
        ([SALE | {"product_name": "lamp"}, SALE | {"product_name": "red lamp"}], {"several_texts": 1}),
        ([SALE | {"product_name": "lamp"}, SALE | {"product_id": "P2", "product_name": "lamp"}], {"shared_text": 1}),
        ([SALE | {"product_name": "caf\u00c3\u00a9"}], {"misread_text": 1}),
    ],
)  # fmt: skip
def test_lines_show_what_they_are_and_nothing_else(
    connection: Connection, lines: list[dict[str, Any]], expected: dict[str, int]
) -> None:
    assert told(connection, *lines) == expected


def test_id_with_a_share_of_the_lines_that_no_customer_has_is_told(connection: Connection) -> None:
    def found(customers: int, crowd: int) -> dict[str, int]:
        ids = f"(SELECT 'K' || i AS id FROM range({customers}) AS t(i) UNION ALL SELECT 'K0' FROM range({crowd}))"
        sales = f"(SELECT * REPLACE (id AS customer_id) FROM {classified(SALE)} CROSS JOIN {ids})"
        return {each.measure: each.count for each in find_in_lines(connection, sales)}

    assert found(1_000, 52) == {"crowded_id": 1}
    assert found(1_000, 51) == {}
    assert found(999, 500) == {}


def test_ids_that_mean_no_value_are_told_of_profiles_and_events(connection: Connection) -> None:
    rows = "(SELECT unnest(['K1', 'None', 'K2', 'nan', NULL]) AS customer_id)"
    assert [(each.measure, each.count) for each in find_in_ids(connection, rows)] == [("unclear_id", 2)]


def test_spelling_of_the_products_counts_before_that_of_most_lines(connection: Connection) -> None:
    products = "(SELECT '85123A' AS product_id)"
    assert told(connection, SALE, SALE | {"order_id": "2"}, products=products) == {"code_spelling": 2}
    assert told(connection, SALE | {"product_id": "85123A"}, products=products) == {}


def test_guests_are_told_with_their_shares(connection: Connection) -> None:
    lines = raw_lines_relation(SALE, SALE | {"order_id": "2", "customer_id": None, "quantity": 6})
    (guest,) = find_in_lines(connection, f"({classified_lines_sql(lines, SOURCE)})")
    assert guest == Finding(
        "guest",
        1,
        "1 order line (50.0% of the lines, 75.0% of net money) has no customer; it is in the totals of the lines and "
        "in no customer table.",
    )


@pytest.mark.parametrize("code", FINDINGS)
def test_sentences_of_one_and_of_several_differ_in_number_alone(code: str) -> None:
    unit, one, many = FINDINGS[code]
    assert not unit.endswith("s")
    assert len(one.split()[:3]) == len(many.split()[:3])
    assert not one.endswith(".")


def test_repairs_are_told_in_singular_and_plural() -> None:
    found = tell_repairs({"customer_id:number_id": 1_200, "product_id:trimmed": 1})
    assert [each.sentence for each in found] == [
        "1,200 values of customer_id were numbers, as 13085.0 is, and became texts without decimals; zeros in front "
        "were lost before.",
        "1 value of product_id had blanks around it, which were removed.",
    ]
    assert all(len(words) == 2 for words in REPAIRS.values())


@pytest.mark.parametrize("noun", BLANK_TOLD_OF)
def test_columns_told_of_as_blank_are_declared(noun: str) -> None:
    assert set(BLANK_TOLD_OF[noun]) <= set(RAW_TABLES[noun].column_names)


def test_blank_fields_are_counted_where_the_column_has_values(connection: Connection) -> None:
    names = BLANK_TOLD_OF["customers"]
    empty = ", ".join(f"NULL AS {name}" for name in names if name != "gender")
    rows = f"(SELECT 'K1' AS customer_id, {empty}, unnest(['f', NULL, 'm']) AS gender)"
    (found,) = find_in_profiles(connection, rows, "customers")
    assert found == Finding("blank_gender", 1, "1 customer has no gender; it counts as not known.")


def test_repairs_of_a_delivery_are_counted_by_column_and_kind(counter: Counter, connection: Connection) -> None:
    counter.hand_in("a.csv", "O1,2025-03-05 10:00:00,13085.0, P1 ,2,1.50", "O2,2025-03-05 11:00:00,C1,P1,2,1.50")
    counter.hand_in("b.csv", "O3,2025-03-06 10:00:00,12.0,P1 ,2,1.50")
    outcome = counter.ingest()
    assert outcome.ingested.repair_counts == {"customer_id:number_id": 2, "product_id:trimmed": 2}
    assert outcome.rows("repairs") == [
        ("customer_id:number_id product_id:trimmed",),
        (None,),
        ("customer_id:number_id product_id:trimmed",),
    ]
    assert count_repairs(connection, "(SELECT NULL AS repairs WHERE false)") == {}


PRODUCTS = ("P1,Caf\u00e9 cup,Home", "P2,\u00a320 voucher,Home", "P3,Plain,Home")


@pytest.mark.parametrize(
    ("written", "read", "expected"),
    [
        ("utf-8", "utf-8", {}),
        ("cp1252", "cp1252", {}),
        ("utf-8-sig", "utf-8", {}),
        ("utf-8", "cp1252", {"misread_text": 2}),
        ("utf-8", "latin-1", {"misread_text": 2}),
    ],
)
def test_file_read_in_another_encoding_than_its_own_is_told(
    counter: Counter, connection: Connection, written: str, read: str, expected: dict[str, int]
) -> None:
    columns = {"product_id": "code", "product_name": "name", "department": "department"}
    mapping = ProductsTable(files=("*.csv",), columns=columns, encoding=read)
    counter.hand_in("products.csv", *PRODUCTS, header="code,name,department", encoding=written)
    outcome = counter.ingest(mapping, "products")
    rows = f"(SELECT *, 'x' AS ignored FROM read_parquet('{outcome.staging}/part-0.parquet'))"
    assert {each.measure: each.count for each in find_in_profiles(connection, rows, "products")} == expected


def test_file_that_is_not_text_in_its_encoding_is_refused(counter: Counter) -> None:
    columns = {"product_id": "code", "product_name": "name", "department": "department"}
    counter.hand_in("products.csv", *PRODUCTS, header="code,name,department", encoding="cp1252")
    with pytest.raises(DataError, match=r"products.csv: byte 0xe9 at offset 27 \(line 2\) is not utf-8 text"):
        counter.ingest(ProductsTable(files=("*.csv",), columns=columns), "products")


@pytest.mark.parametrize("text", ["café", "»café»", "Ångström", "£20", "\u2019tis", "»Spaß«", "€5"])
def test_text_with_accents_is_not_taken_for_misread(connection: Connection, text: str) -> None:
    for wrong in ("latin-1", "cp1252"):
        broken = text.encode().decode(wrong, errors="replace")
        row = connection.execute(
            f"SELECT regexp_matches($1, '{MISREAD}'), regexp_matches($2, '{MISREAD}')", [text, broken]
        )
        assert row.fetchall() == [(False, True)]
