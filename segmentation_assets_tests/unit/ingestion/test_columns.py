from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from segmentation_assets.config.contract import ColumnRule
from segmentation_assets.config.source import OrderLinesTable, ProductsTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.columns import find_columns, mapped_columns
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets.tables.raw import RAW_ORDER_LINES, RAW_PRODUCTS
from segmentation_assets_tests.unit.ingestion.counter import HEADER, LINE, Counter, order_lines_mapping

PRODUCTS = ProductsTable(files=("*.csv",), columns={"department": ("dep", "Department"), "product_id": "code"})


def renamed(**names: str | tuple[str, ...]) -> OrderLinesTable:
    """Mapping of the order lines with other names for some columns."""
    return order_lines_mapping(columns=order_lines_mapping().columns | names)


def test_columns_are_found_in_declared_order() -> None:
    assert mapped_columns(RAW_PRODUCTS, PRODUCTS) == ("product_id", "department")
    assert find_columns(RAW_PRODUCTS, PRODUCTS, "p.csv", ("x", "Department", "code")) == {
        "product_id": "code",
        "department": "Department",
    }


def test_one_name_and_a_list_of_one_name_are_the_same() -> None:
    assert renamed(order_id=("Invoice",)).names_of("order_id") == renamed(order_id="Invoice").names_of("order_id")


def test_a_name_that_is_listed_twice_is_one_name() -> None:
    products = ProductsTable(files=("*.csv",), columns={"department": ("dep", "dep"), "product_id": "code"})
    assert find_columns(RAW_PRODUCTS, products, "p.csv", ("dep", "code")) == {
        "product_id": "code",
        "department": "dep",
    }


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


@pytest.mark.parametrize("header", ["Order Id", "orderid", "ORDER-ID", "order_id"])
def test_header_that_differs_in_case_and_punctuation_alone_is_offered(header: str) -> None:
    mapping = renamed(order_id="OrderID")
    with pytest.raises(
        DataError,
        match=rf"has no column 'OrderID', .*\nHint: did you mean '{header}'\? If files differ in it, set "
        rf"source\.order_lines\.columns\.order_id to \['OrderID', '{header}'\]\.",
    ):
        find_columns(RAW_ORDER_LINES, mapping, "a.csv", HEADER.replace("order", header).split(","))


def test_header_that_another_column_is_mapped_to_is_not_offered() -> None:
    mapping = renamed(store_id="shop", channel="Shop")
    with pytest.raises(DataError, match=r"has no column 'Shop'(?!.*set source\.order_lines\.columns)"):
        find_columns(RAW_ORDER_LINES, mapping, "a.csv", (*HEADER.split(","), "shop"))


def test_absent_column_that_rows_may_do_without_hints_at_the_setting() -> None:
    with pytest.raises(
        DataError, match=r"Hint: .* If some files do not have it, add country to source\.order_lines\.ma"
    ):
        find_columns(RAW_ORDER_LINES, renamed(country="Country"), "a.csv", HEADER.split(","))
    with pytest.raises(DataError, match=r"has no column 'Preis'(?!.*may_lack)"):
        find_columns(RAW_ORDER_LINES, renamed(unit_price="Preis"), "a.csv", HEADER.split(","))


def lacking(**names: str) -> OrderLinesTable:
    """Mapping of order lines of which files may lack the columns named."""
    columns = order_lines_mapping().columns | names
    return order_lines_mapping(files=("*",), table="lines", columns=columns, may_lack=tuple(names))


def test_column_that_a_file_may_lack_is_empty_in_its_rows_and_told(counter: Counter) -> None:
    at = dt.datetime(2025, 3, 5, 10)
    names = ", ".join(f'"{name}"' for name in HEADER.split(","))
    values = "(" + ", ".join(f"'{value}'" for value in LINE.split(",")) + ")"
    counter.hand_in("a.csv", f"{LINE},NL,web", header=f"{HEADER},Land,Kanal")
    counter.hand_in("b.csv", LINE.replace("O1", "O2"), "O2,short")
    counter.hand_in_parquet("c.parquet", f"SELECT * REPLACE ('O3' AS \"order\") FROM (VALUES {values}) AS t({names})")
    counter.hand_in_sqlite(
        "d.sqlite", f"CREATE TABLE lines ({names})", f"INSERT INTO lines VALUES {values.replace('O1', 'O4')}"
    )
    counter.hand_in_duckdb("e.duckdb", f"CREATE TABLE made.lines AS SELECT * REPLACE ('O5' AS \"order\") "
                                       f"FROM (VALUES {values}) AS t({names})")  # fmt: skip
    head, cells = HEADER.split(","), ["O6", at, "C1", "P1", 2, 1.5]
    counter.hand_in_workbook("f.xlsx", {"x": [[*head, "Kanal"], [*cells, "shop"]], "y": [head, ["O7", *cells[1:]]]})

    outcome = counter.ingest(lacking(country="Land", channel="Kanal"))

    assert outcome.rows("order_id", "country", "channel") == [
        ("O1", "NL", "web"),
        *((f"O{number}", None, None) for number in range(2, 6)),
        ("O6", None, "shop"),
        ("O7", None, None),
    ]
    assert outcome.quarantine() == [("b.csv", 2, "malformed_row", None, "O2,short")]
    assert outcome.ingested.lacking_parts == {"channel": 5, "country": 6}
    assert reconcile_delivery(outcome.ingested).passed


def test_column_that_only_is_written_differently_is_not_lacking(counter: Counter) -> None:
    counter.hand_in("a.csv", f"{LINE},NL", header=f"{HEADER},land")
    with pytest.raises(DataError, match=r"a\.csv has no column 'Land', .*\nHint: did you mean 'land'\?"):
        counter.ingest(lacking(country="Land"))


def test_rule_for_a_column_that_a_file_lacks_sets_its_rows_aside(counter: Counter) -> None:
    counter.hand_in("a.csv", f"{LINE},NL", header=f"{HEADER},Land")
    counter.hand_in("b.csv", LINE.replace("O1", "O2"))
    outcome = counter.ingest(lacking(country="Land"), rules=(ColumnRule(column="country", required=True),))
    assert outcome.quarantine() == [("b.csv", 1, "required", "Land", None)]


def test_file_without_customers_has_guests_alone_where_it_may(counter: Counter) -> None:
    counter.hand_in("a.csv", LINE.replace("C1,", ""), header=HEADER.replace("customer,", ""))
    outcome = counter.ingest(order_lines_mapping(may_lack=("customer_id",)))
    assert outcome.rows("customer_id") == [(None,)]


@pytest.mark.parametrize(
    ("may_lack", "message", "hint"),
    [
        (
            ("unit_price", "country"),
            "may_lack names unit_price, which every row needs",
            "mapped columns that files may lack are customer_id, country.",
        ),
        (("Land",), "may_lack names Land, which columns does not map", "mapped are order_id, "),
    ],
)
def test_column_that_every_row_needs_or_that_is_not_mapped_cannot_be_lacking(
    may_lack: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        order_lines_mapping(columns=order_lines_mapping().columns | {"country": "Land"}, may_lack=may_lack)
    (problem,) = caught.value.errors()
    assert hint in problem["ctx"]["error"].hint
