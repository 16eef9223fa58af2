from __future__ import annotations

import pytest
from pydantic import ValidationError

from segmentation_assets.config.source import OrderLinesTable, ProductsTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.columns import find_columns, mapped_columns
from segmentation_assets.tables.raw import RAW_ORDER_LINES, RAW_PRODUCTS
from segmentation_assets_tests.unit.ingestion.counter import HEADER, LINE, Counter, order_lines_mapping

PRODUCTS = ProductsTable(files=("*.csv",), columns={"department": ("dep", "Department"), "product_id": "code"})


def renamed(**names: str | tuple[str, ...]) -> OrderLinesTable:
    """Mapping of the order lines with other names for some columns."""
    return order_lines_mapping(columns=order_lines_mapping().columns | names)


def test_columns_are_found_in_declared_order() -> None:
    assert mapped_columns(RAW_PRODUCTS, PRODUCTS) == ("product_id", "department")
    assert find_columns(RAW_PRODUCTS, PRODUCTS, "p.csv", ("x", "Department", "code")) == ("code", "Department")


def test_one_name_and_a_list_of_one_name_are_the_same() -> None:
    assert renamed(order_id=("Invoice",)).names_of("order_id") == renamed(order_id="Invoice").names_of("order_id")


def test_a_name_that_is_listed_twice_is_one_name() -> None:
    products = ProductsTable(files=("*.csv",), columns={"department": ("dep", "dep"), "product_id": "code"})
    assert find_columns(RAW_PRODUCTS, products, "p.csv", ("dep", "code")) == ("code", "dep")


def test_files_of_one_table_may_name_a_column_differently(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, header=HEADER.replace("order", "InvoiceNo"))
    counter.hand_in("b.csv", LINE.replace("O1", "O2"), header=HEADER.replace("order", "Invoice"))
    outcome = counter.ingest(renamed(order_id=("InvoiceNo", "Invoice")))
    assert outcome.rows("order_id", "source_file") == [("O1", "a.csv"), ("O2", "b.csv")]


def test_a_row_set_aside_names_the_column_of_its_own_file(counter: Counter) -> None:
    faulty = LINE.replace(",2,", ",two,")
    counter.hand_in("a.csv", faulty, header=HEADER.replace("units", "Quantity"))
    counter.hand_in("b.csv", faulty, LINE, header=HEADER.replace("units", "Pieces"))
    outcome = counter.ingest(renamed(quantity=("Quantity", "Pieces")))
    assert outcome.quarantine() == [
        ("a.csv", 1, "not_a_number", "Quantity", "two"),
        ("b.csv", 1, "not_a_number", "Pieces", "two"),
    ]


def test_a_redelivered_line_names_the_column_of_its_own_file(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE, header=HEADER.replace("order", "InvoiceNo"))
    counter.hand_in("b.csv", LINE, LINE, header=HEADER.replace("order", "Invoice"))
    outcome = counter.ingest(renamed(order_id=("InvoiceNo", "Invoice")))
    assert outcome.quarantine() == [("a.csv", 1, "redelivered", "InvoiceNo", "O1")]


def test_a_repeated_key_names_the_column_of_its_own_file(counter: Counter) -> None:
    counter.hand_in("a.csv", "P2,Shoes", header="code,dep")
    counter.hand_in("b.csv", "P1,Hats", "P1,Shoes", header="code,Department")
    assert counter.ingest(PRODUCTS).quarantine() == [("b.csv", 2, "duplicate_key", "code", "P1")]


def test_a_file_with_none_of_the_names_is_refused_with_the_closest() -> None:
    with pytest.raises(
        DataError,
        match=r"p\.csv has no column 'dep' or 'Department', which source\.products\.columns\.department names; it has "
        r"'Departments', 'code'\nHint: did you mean 'Departments'\?",
    ):
        find_columns(RAW_PRODUCTS, PRODUCTS, "p.csv", ("code", "Departments"))


def test_a_file_with_two_of_the_names_is_refused() -> None:
    with pytest.raises(
        DataError,
        match=r"p\.csv has the columns 'dep' and 'Department', which source\.products\.columns\.department names as "
        r"one\nHint: leave in the list only names of which each file has exactly one\.",
    ):
        find_columns(RAW_PRODUCTS, PRODUCTS, "p.csv", ("code", "Department", "dep"))


def test_a_wrong_separator_is_suspected_for_every_name() -> None:
    with pytest.raises(DataError, match=r"Hint: the header was split at ','; set the separator"):
        find_columns(RAW_PRODUCTS, PRODUCTS, "p.csv", ("code;Department",))


def test_an_empty_list_of_names_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"at least 1 item"):
        renamed(order_id=())


def test_a_header_that_stands_twice_under_one_of_the_names_is_refused() -> None:
    with pytest.raises(DataError, match=r"lines\.csv has 2 columns called 'order', which .*order_id names"):
        find_columns(RAW_ORDER_LINES, renamed(order_id=("order", "no")), "lines.csv", (*HEADER.split(","), "order"))
