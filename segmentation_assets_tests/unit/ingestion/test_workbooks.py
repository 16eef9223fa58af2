from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from segmentation_assets.config.source import OrderLinesTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.reconciliation import reconcile_delivery
from segmentation_assets_tests.unit.ingestion.counter import HEADER, LINE, Counter, order_lines_mapping

HEAD = HEADER.split(",")
AT = dt.datetime(2025, 3, 5, 10)
LAST_YEAR = dt.datetime(2024, 3, 5, 10)


def line(order: object = "O1", at: object = AT, customer: object = "C1", product: object = "P1", units: object = 2,
         price: object = 1.5) -> list[object]:  # fmt: skip
    return [order, at, customer, product, units, price]


def workbook_mapping(**changes: Any) -> OrderLinesTable:
    return order_lines_mapping(**{"files": ("*.xlsx",)} | changes)


def test_every_sheet_is_a_part_of_its_own(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"2024": [HEAD, line("O1", LAST_YEAR)], "2025": [HEAD, line("O2"), line("O3")]})

    outcome = counter.ingest(workbook_mapping())

    assert outcome.rows("source_file", "source_row", "order_id", "order_at") == [
        ("a.xlsx[2024]", 1, "O1", LAST_YEAR),
        ("a.xlsx[2025]", 1, "O2", AT),
        ("a.xlsx[2025]", 2, "O3", AT),
    ]
    assert outcome.ingested.part_rows == {"a.xlsx[2024]": 1, "a.xlsx[2025]": 2}


def test_an_invoice_in_two_sheets_is_taken_from_the_later_one(counter: Counter) -> None:
    counter.hand_in_workbook(
        "a.xlsx",
        {"b": [HEAD, line("O1", units=1), line("O2"), line("O2")], "a": [HEAD, line("O2", units=5), line("O3")]},
    )

    outcome = counter.ingest(workbook_mapping())

    assert outcome.rows("order_id", "quantity", "source_file") == [
        ("O2", 5, "a.xlsx[a]"),
        ("O3", 2, "a.xlsx[a]"),
        ("O1", 1, "a.xlsx[b]"),
    ]
    assert outcome.quarantine() == [
        ("a.xlsx[b]", 2, "redelivered", "order", "O2"),
        ("a.xlsx[b]", 3, "redelivered", "order", "O2"),
    ]
    assert reconcile_delivery(outcome.ingested).passed


def test_an_invoice_in_two_sheets_is_refused_where_the_settings_say_so(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line()], "y": [HEAD, line()]})
    with pytest.raises(DataError, match=r"order O1 stands in a\.xlsx\[x\] and again in a\.xlsx\[y\]; 1 order stands"):
        counter.ingest(workbook_mapping(), redelivery="refuse")


def test_sheets_of_several_workbooks_and_files_follow_each_other(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line("O1", units=1)], "y": [HEAD, line("O2", units=1)]})
    counter.hand_in("b.csv", LINE)
    counter.hand_in_workbook("c.xlsx", {"z": [HEAD, line("O2")]})
    outcome = counter.ingest(workbook_mapping(files=("*",)))
    assert outcome.rows("order_id", "source_file") == [("O1", "b.csv"), ("O2", "c.xlsx[z]")]
    assert list(outcome.ingested.part_rows) == ["a.xlsx[x]", "a.xlsx[y]", "b.csv", "c.xlsx[z]"]


def test_codes_that_excel_turned_into_numbers_are_codes_again(counter: Counter) -> None:
    counter.hand_in_workbook(
        "a.xlsx", {"x": [HEAD, line(536365, customer=13085.0, product=22423), line("C536366", product="85123A")]}
    )
    outcome = counter.ingest(workbook_mapping())
    assert outcome.rows("order_id", "customer_id", "product_id") == [
        ("536365", "13085", "22423"),
        ("C536366", "C1", "85123A"),
    ]


@pytest.mark.parametrize("other", [[], [line(customer="C7")]])
def test_a_customer_id_with_a_fraction_is_set_aside(counter: Counter, other: list[list[object]]) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(customer=13085), line(customer=13085.5), *other]})
    outcome = counter.ingest(workbook_mapping())
    assert outcome.quarantine() == [("a.xlsx[x]", 2, "fractional_id", "customer", "13085.5")]
    assert outcome.rows("customer_id")[0] == ("13085",)


@pytest.mark.parametrize("other", [[], [line("A1", customer="C7", product="P7")]])
def test_whole_number_as_id_is_no_repair(counter: Counter, other: list[list[object]]) -> None:
    rows = [HEAD, line(536365, customer=13085, product=22423), line(536366, customer=None, product=22424), *other]
    counter.hand_in_workbook("a.xlsx", {"x": rows})
    outcome = counter.ingest(workbook_mapping())
    assert outcome.rows("order_id", "customer_id", "product_id")[:2] == [
        ("536365", "13085", "22423"),
        ("536366", None, "22424"),
    ]
    assert outcome.ingested.repair_counts == {}


def test_order_id_with_a_fraction_among_numbers_is_set_aside(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(536365), line(536365.5)]})
    outcome = counter.ingest(workbook_mapping())
    assert outcome.rows("order_id") == [("536365",)]
    assert outcome.quarantine() == [("a.xlsx[x]", 2, "fractional_id", "order", "536365.5")]


def test_numbers_as_texts_are_written_as_a_person_sees_them(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [[*HEAD, "size"], [*line(), 42], [*line(), 42.5]]})
    outcome = counter.ingest(workbook_mapping(columns=order_lines_mapping().columns | {"product_name": "size"}))
    assert outcome.rows("product_name") == [("42",), ("42.5",)]


@pytest.mark.parametrize("other", [[], [line("A1", customer="C7", product="P7")]])
def test_id_with_more_digits_than_excel_keeps_is_set_aside(counter: Counter, other: list[list[object]]) -> None:
    rows = [
        HEAD,
        line(10**15 - 1, customer=10**15 - 1, product=10**15 - 1),
        line(1, customer=123456789012345678, product=2),
        line(1, customer=123456789012345679, product=2),
        line(10**15, customer=1, product=2),
        line(1, customer=1, product=4006381333931000),
        *other,
    ]
    counter.hand_in_workbook("a.xlsx", {"x": rows})

    outcome = counter.ingest(workbook_mapping())

    assert outcome.rows("order_id", "customer_id", "product_id")[:1] == [("9" * 15, "9" * 15, "9" * 15)]
    assert outcome.quarantine() == [
        ("a.xlsx[x]", 2, "fractional_id", "customer", "1.23456789012346e+17"),
        ("a.xlsx[x]", 3, "fractional_id", "customer", "1.23456789012346e+17"),
        ("a.xlsx[x]", 4, "fractional_id", "order", "1e+15"),
        ("a.xlsx[x]", 5, "fractional_id", "product", "4.006381333931e+15"),
    ]


def test_long_number_that_is_no_id_keeps_its_digits(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [[*HEAD, "text"], [*line(), 4006381333931000], [*line(), "Mug"]]})
    outcome = counter.ingest(workbook_mapping(columns=order_lines_mapping().columns | {"product_name": "text"}))
    assert outcome.rows("product_name") == [("4006381333931000",), ("Mug",)]


def test_null_sentinels_are_no_values_beside_numbers_and_dates(counter: Counter) -> None:
    rows = [HEAD, line(customer=13085), line(customer="nan"), line(customer=" Unknown "), line(at="nan")]
    counter.hand_in_workbook("a.xlsx", {"x": rows})
    outcome = counter.ingest(workbook_mapping(null_values=("nan", "Unknown"), date_format="%d.%m.%Y"))
    assert outcome.rows("customer_id", "order_at") == [("13085", AT), (None, AT), (None, AT)]
    assert outcome.quarantine() == [("a.xlsx[x]", 4, "missing_value", "at", None)]


def test_dates_and_texts_in_one_column_are_both_read_and_told_of(
    counter: Counter, told: pytest.LogCaptureFixture
) -> None:
    rows = [HEAD, line(at=dt.date(2025, 3, 5)), line(at="06.03.2025"), line(at="3/7/25"), line(at=AT)]
    counter.hand_in_workbook("a.xlsx", {"x": rows})

    outcome = counter.ingest(workbook_mapping(date_format="%d.%m.%Y"))

    assert outcome.rows("order_at") == [(dt.datetime(2025, 3, 5),), (dt.datetime(2025, 3, 6),)]
    assert outcome.quarantine() == [
        ("a.xlsx[x]", 3, "unparseable_date", "at", "3/7/25"),
        ("a.xlsx[x]", 4, "unparseable_date", "at", "2025-03-05 10:00:00"),
    ]
    assert "a.xlsx[x]: column 'at' holds dates and texts; the texts are read by date_format" in told.text


def test_codes_that_excel_turned_into_dates_are_told_of(counter: Counter, told: pytest.LogCaptureFixture) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(product=dt.date(2025, 5, 3)), line(product="3-6")]})
    assert counter.ingest(workbook_mapping()).rows("product_id") == [("2025-05-03",), ("3-6",)]
    assert "a.xlsx[x]: column 'product' holds 1 dates, which are taken as text; Excel turns codes" in told.text


def test_a_date_that_excel_holds_as_a_number_is_set_aside(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(), line(at=45721.5)]})
    assert counter.ingest(workbook_mapping()).quarantine() == [("a.xlsx[x]", 2, "unparseable_date", "at", "45721.5")]


def test_numbers_beside_texts_are_read_in_the_declared_notation(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(price=2.55), line(price="3,25"), line(price=1234567.5)]})
    outcome = counter.ingest(workbook_mapping(decimal=","))
    assert outcome.rows("unit_price") == [(Decimal("2.55"),), (Decimal("3.25"),), (Decimal("1234567.5"),)]


@pytest.mark.parametrize("beside", [1.0, "1"])
def test_the_noise_of_a_computed_price_is_no_part_of_it(counter: Counter, beside: object) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(price=0.1 + 0.2), line(price=beside)]})
    assert counter.ingest(workbook_mapping()).rows("unit_price") == [(Decimal("0.3"),), (Decimal(1),)]


def test_values_of_other_kinds_are_no_numbers(counter: Counter) -> None:
    rows = [
        HEAD,
        line(),
        line(units=True),
        line(units=AT),
        line(units=dt.time(3, 4)),
        line(price=1e20),
    ]
    counter.hand_in_workbook("a.xlsx", {"x": rows})
    assert counter.ingest(workbook_mapping()).quarantine() == [
        ("a.xlsx[x]", 2, "not_a_number", "units", "TRUE"),
        ("a.xlsx[x]", 3, "not_a_number", "units", "2025-03-05 10:00:00"),
        ("a.xlsx[x]", 4, "not_a_number", "units", "03:04:00"),
        ("a.xlsx[x]", 5, "out_of_range", "price", "1e+20"),
    ]


def test_an_error_cell_is_its_text_and_not_a_missing_value(counter: Counter, told: pytest.LogCaptureFixture) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(), line(units="#N/A"), line(customer="#REF!"), line()]})
    outcome = counter.ingest(workbook_mapping())
    assert outcome.quarantine() == [("a.xlsx[x]", 2, "not_a_number", "units", "#N/A")]
    assert [customer for (customer,) in outcome.rows("customer_id")] == ["C1", "#REF!", "C1"]
    assert "a.xlsx[x]: 2 cells hold an error such as #N/A, which is taken as text" in told.text


def test_an_error_cell_is_found_where_the_table_begins_further_in(counter: Counter) -> None:
    rows: list[Sequence[object]] = [
        [],
        [],
        [None, None, *HEAD],
        [None, None, *line()],
        [],
        [None, None, *line(units="#DIV/0!")],
    ]
    counter.hand_in_workbook("a.xlsx", {"x": rows})
    outcome = counter.ingest(workbook_mapping())
    assert outcome.rows("source_row", "order_id") == [(1, "O1")]
    assert outcome.quarantine() == [("a.xlsx[x]", 3, "not_a_number", "units", "#DIV/0!")]


def test_empty_rows_are_left_out_but_counted(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line("O1"), [], [None, "", None], line("O2", units=0)]})
    outcome = counter.ingest(workbook_mapping())
    assert outcome.rows("source_row", "order_id") == [(1, "O1"), (4, "O2")]
    assert outcome.ingested.delivered_rows == 2


def test_texts_keep_quotes_separators_and_line_ends(counter: Counter) -> None:
    strange = 'P,1\n"x"; \u00e4 =1+1'
    counter.hand_in_workbook("a.xlsx", {"x": [[*HEAD, "name"], [*line(), strange], [*line(), "P"]]})
    mapping = workbook_mapping(columns=workbook_mapping().columns | {"product_name": "name"})
    assert counter.ingest(mapping).rows("product_name") == [(strange,), ("P",)]


def test_a_header_that_excel_turned_into_a_number_is_found_by_its_digits(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [[2025, *HEAD[1:]], line()]})
    mapping = workbook_mapping(columns=order_lines_mapping().columns | {"order_id": "2025"})
    assert counter.ingest(mapping).ingested.stored_rows == 1


def test_sheets_may_name_a_column_differently(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [["Invoice", *HEAD[1:]], line("O1")], "y": [HEAD, line("O2")]})
    mapping = workbook_mapping(columns=order_lines_mapping().columns | {"order_id": ("order", "Invoice")})
    assert counter.ingest(mapping).rows("order_id") == [("O1",), ("O2",)]


def test_hidden_and_empty_sheets_are_told_of_and_counted(counter: Counter, told: pytest.LogCaptureFixture) -> None:
    sheets = {"seen": [HEAD, line("O1")], "unseen": [HEAD, line("O2")], "blank": []}
    counter.hand_in_workbook("a.xlsx", sheets, hidden=("unseen",))
    outcome = counter.ingest(workbook_mapping())
    assert outcome.ingested.part_rows == {"a.xlsx[seen]": 1, "a.xlsx[unseen]": 1, "a.xlsx[blank]": 0}
    assert outcome.ingested.hidden_sheets == ("a.xlsx[unseen]",)
    assert [record.getMessage() for record in told.records] == [
        "a.xlsx: sheet 'unseen' is hidden, and is read like the others",
        "a.xlsx[seen]: read with 1 row below its first",
        "a.xlsx[unseen]: read with 1 row below its first",
        "a.xlsx[blank] holds no value",
    ]


def test_only_the_named_sheets_are_read_and_the_others_told_of(
    counter: Counter, told: pytest.LogCaptureFixture
) -> None:
    counter.hand_in_workbook("a.xlsx", {"notes": [["read me"]], "data": [HEAD, line()]})
    outcome = counter.ingest(workbook_mapping(sheets=("data",)))
    assert outcome.ingested.part_rows == {"a.xlsx[data]": 1}
    assert "sheet 'notes' is not among source.order_lines.sheets and is not read" in told.text


def test_a_chart_is_no_table(counter: Counter, told: pytest.LogCaptureFixture) -> None:
    from openpyxl import load_workbook

    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line()]})
    workbook = load_workbook(counter.folder / "a.xlsx")
    workbook.create_chartsheet("chart")
    workbook.save(counter.folder / "a.xlsx")
    assert counter.ingest(workbook_mapping()).ingested.part_rows == {"a.xlsx[x]": 1}
    assert "a.xlsx: sheet 'chart' is no table and is not read" in told.text


def test_a_named_sheet_that_is_missing_is_refused_with_the_closest(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"orders 2025": [HEAD, line()]})
    with pytest.raises(
        DataError,
        match=r"a\.xlsx has no sheet 'order 2025', which source\.order_lines\.sheets names\nHint: did you mean 'orders",
    ):
        counter.ingest(workbook_mapping(sheets=("order 2025",)))


def test_an_empty_list_of_sheets_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"at least 1 item"):
        workbook_mapping(sheets=())


def test_a_sheet_without_the_columns_is_refused_with_the_way_out(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"data": [HEAD, line()], "notes": [["read me", None, "orders"]]})
    with pytest.raises(
        DataError,
        match=r"a\.xlsx\[notes\] has no column 'order', which .*order_id names; it has 'orders', 'read me'\n"
        r"Hint: did you mean 'orders'\? If the sheet is no data, list those to read in source\.order_lines\.sheets\.",
    ):
        counter.ingest(workbook_mapping())


def test_a_named_sheet_without_the_columns_is_refused(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"data": [HEAD[1:], line()[1:]]})
    with pytest.raises(DataError, match=r"a\.xlsx\[data\] has no column 'order', [^\n]*\nHint: (?!.*sheets)"):
        counter.ingest(workbook_mapping(sheets=("data",)))


def test_a_workbook_without_any_value_is_refused(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [], "y": [[None]]})
    with pytest.raises(DataError, match=r"a\.xlsx holds no value in any of its sheets\nHint: deliver it again"):
        counter.ingest(workbook_mapping())


def test_a_workbook_of_headers_only_is_refused(counter: Counter) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD], "y": [HEAD]})
    with pytest.raises(DataError, match=r"a\.xlsx\[x\], a\.xlsx\[y\]: there is no row below the header\nHint: deliver"):
        counter.ingest(workbook_mapping())


def test_a_protected_workbook_is_refused(counter: Counter) -> None:
    (counter.folder / "a.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096))
    with pytest.raises(DataError, match=r"a\.xlsx is protected by a password, .*\nHint: save it as \.xlsx without a"):
        counter.ingest(workbook_mapping())


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_truncated_workbook_is_refused(counter: Counter, share: float) -> None:
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, *[line()] * 50]})
    content = (counter.folder / "a.xlsx").read_bytes()
    (counter.folder / "a.xlsx").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"a\.xlsx is not a readable workbook, or not all of it .*\nHint: deliver it"):
        counter.ingest(workbook_mapping())


def test_a_workbook_with_a_damaged_sheet_is_refused(counter: Counter) -> None:
    counter.hand_in_workbook("good.xlsx", {"x": [HEAD, line()]})
    with zipfile.ZipFile(counter.folder / "good.xlsx") as good, zipfile.ZipFile(counter.folder / "a.xlsx", "w") as bad:
        for member in good.namelist():
            content = good.read(member)
            bad.writestr(member, content[: len(content) // 2] if "sheet1" in member else content)
    with pytest.raises(DataError, match=r"a\.xlsx\[x\] is not a readable workbook, .*\nHint: deliver it again"):
        counter.ingest(workbook_mapping(files=("a.xlsx",)))


few = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
codes = st.integers(0, 10**14) | st.text("ABC0123456789-./", min_size=1, max_size=8)
amounts = st.decimals(-(10**5), 10**5, places=4, allow_nan=False).map(lambda amount: amount + 0)
instants = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2099, 12, 30)).map(lambda at: at.replace(microsecond=0))
lines = st.tuples(codes, instants, st.integers(-(10**6), 10**6), amounts)


@few
@given(st.lists(lines, min_size=1, max_size=25))
def test_codes_money_and_dates_survive_a_workbook(counter: Counter, drawn: list[Any]) -> None:
    rows = [line(f"O{place:02}", at, f"C{place}", code, units, float(price))
            for place, (code, at, units, price) in enumerate(drawn)]  # fmt: skip
    shutil.rmtree(counter.staging, ignore_errors=True)
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, *rows]})

    outcome = counter.ingest(workbook_mapping())

    assert outcome.rows("order_id", "product_id", "order_at", "quantity", "unit_price") == [
        (f"O{place:02}", str(code), at, units, price) for place, (code, at, units, price) in enumerate(drawn)
    ]


@few
@given(
    st.lists(st.integers(0, 10**14) | st.floats(0, 10**6).filter(lambda number: not number.is_integer()), min_size=1)
)
def test_whole_numbers_are_customers_and_fractions_are_not(counter: Counter, drawn: list[float]) -> None:
    shutil.rmtree(counter.staging, ignore_errors=True)
    counter.hand_in_workbook("a.xlsx", {"x": [HEAD, line(customer="C0"), *(line(customer=number) for number in drawn)]})

    outcome = counter.ingest(workbook_mapping())

    whole = [number for number in drawn if float(f"{number:.15g}").is_integer()]
    assert outcome.rows("customer_id")[1:] == [(str(int(number)),) for number in whole]
    assert [reason for _, _, reason, _, _ in outcome.quarantine()] == (["fractional_id"] * (len(drawn) - len(whole)))
