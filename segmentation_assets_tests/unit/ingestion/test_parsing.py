from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentation_assets.errors import SettingsError
from segmentation_assets.ingestion.parsing import Notation, date_pattern, parse_column
from segmentation_assets.storage.engine import Connection, fetch_row
from segmentation_assets.tables.raw import RAW_CUSTOMERS, RAW_ORDER_LINES

POINT = Notation(decimal=".", date_format="%Y-%m-%d", null_values=("", "nan"), time_zone="UTC")
COMMA = Notation(decimal=",", date_format="%d.%m.%Y %H:%M", null_values=("",), time_zone="UTC")
NAMES = ("raw", "cleaned", "parsed")
COLUMNS = {column.name: column for column in (*RAW_CUSTOMERS.columns, *RAW_ORDER_LINES.columns)}

Read = tuple[Any, str | None]
few = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_all(connection: Connection, name: str, values: list[Any], notation: Notation, dtype: str) -> list[Read]:
    """Parsed value where it is accepted, and the first fault, of each delivered value."""
    item = parse_column(COLUMNS[name], dtype, notation, ("raw", "cleaned", "parsed"))
    faults = " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in item.faults)
    return connection.execute(
        f"SELECT CASE WHEN {item.accepted} THEN parsed END, CASE {faults} WHEN false THEN '' END "
        f"FROM (SELECT *, {item.parsed} AS parsed FROM (SELECT *, {item.cleaned} AS cleaned "
        f"FROM (SELECT CAST(unnest($1) AS {dtype}) AS raw)))",
        [values],
    ).fetchall()


def repairs_of(
    connection: Connection, name: str, value: Any, notation: Notation = POINT, dtype: str = "VARCHAR"
) -> list[str]:
    """Kinds of change that are told of a delivered value."""
    item = parse_column(COLUMNS[name], dtype, notation, NAMES)
    told = ", ".join(f"CASE WHEN {condition} THEN '{kind}' END" for kind, condition in item.repairs)
    (found,) = fetch_row(
        connection,
        f"SELECT concat_ws(' ', {told or 'NULL'}) FROM (SELECT *, {item.parsed} AS parsed FROM "
        f"(SELECT *, {item.cleaned} AS cleaned FROM (SELECT CAST($1 AS {dtype}) AS raw)))",
        [value],
    )
    return str(found).split()


def read(connection: Connection, name: str, value: Any, notation: Notation = POINT, dtype: str = "VARCHAR") -> Read:
    return read_all(connection, name, [value], notation, dtype)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6", (6, None)),
        ("-6", (-6, None)),
        ("+6", (6, None)),
        ("6.0", (6, None)),
        ("6.", (6, None)),
        (" 006\t", (6, None)),
        ("-6.00", (-6, None)),
        ("6.5", (None, "not_a_number")),
        ("6,0", (None, "not_a_number")),
        ("1,000", (None, "not_a_number")),
        ("1e3", (None, "not_a_number")),
        ("1_000", (None, "not_a_number")),
        ("0x1F", (None, "not_a_number")),
        ("six", (None, "not_a_number")),
        ("-", (None, "not_a_number")),
        ("--6", (None, "not_a_number")),
        ("٣", (None, "not_a_number")),
        ("1000000000", (1_000_000_000, None)),
        ("-1000000001", (None, "out_of_range")),
        ("9" * 60, (None, "out_of_range")),
        ("nan", (None, "missing_value")),
        ("\u00a0", (None, "missing_value")),
        (None, (None, "missing_value")),
    ],
)
def test_quantities_are_whole_numbers(connection: Connection, text: str | None, expected: Read) -> None:
    assert read(connection, "quantity", text) == expected


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("INTEGER", -7, (-7, None)),
        ("DOUBLE", 7.0, (7, None)),
        ("DOUBLE", 7.5, (None, "not_a_number")),
        ("DOUBLE", float("nan"), (None, "missing_value")),
        ("DOUBLE", float("inf"), (None, "out_of_range")),
        ("DOUBLE", 1e300, (None, "out_of_range")),
        ("FLOAT", 3.0, (3, None)),
        ("DECIMAL(9,3)", Decimal("7.000"), (7, None)),
        ("DECIMAL(9,3)", Decimal("7.001"), (None, "not_a_number")),
        ("HUGEINT", 10**30, (None, "out_of_range")),
        ("UBIGINT", 2**64 - 1, (None, "out_of_range")),
        ("BOOLEAN", True, (None, "not_a_number")),
        ("DATE", dt.date(2025, 1, 1), (None, "not_a_number")),
        ("BIGINT", None, (None, "missing_value")),
    ],
)
def test_typed_quantities_must_be_whole(connection: Connection, dtype: str, value: Any, expected: Read) -> None:
    assert read(connection, "quantity", value, dtype=dtype) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.55", (Decimal("2.5500"), None)),
        ("-0.001", (Decimal("-0.0010"), None)),
        (".5", (Decimal("0.5"), None)),
        ("5.", (Decimal(5), None)),
        ("1.23450000", (Decimal("1.2345"), None)),
        ("1.23456", (Decimal("1.2346"), None)),
        ("1.23444999", (Decimal("1.2344"), None)),
        ("+0.00005", (Decimal("0.0001"), None)),
        ("-0.00005", (Decimal("-0.0001"), None)),
        ("999999999999.99999", (Decimal(10**12), None)),
        ("2,55", (None, "not_a_number")),
        ("1,000.00", (None, "not_a_number")),
        ("£2.55", (None, "not_a_number")),
        (".", (None, "not_a_number")),
        ("1e2", (None, "not_a_number")),
        ("NaN", (None, "not_a_number")),
        ("1000000000000", (Decimal(10**12), None)),
        ("1000000000000.0001", (None, "out_of_range")),
        ("9" * 50, (None, "out_of_range")),
        ("", (None, "missing_value")),
    ],
)
def test_prices_are_exact_decimals(connection: Connection, text: str, expected: Read) -> None:
    assert read(connection, "unit_price", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2,55", (Decimal("2.55"), None)), ("2.55", (None, "not_a_number")), ("1.000,50", (None, "not_a_number"))],
)
def test_a_decimal_comma_is_the_only_mark_when_declared(connection: Connection, text: str, expected: Read) -> None:
    assert read(connection, "unit_price", text, COMMA) == expected


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("DOUBLE", 2.55, (Decimal("2.55"), None)),
        ("DOUBLE", 0.1 + 0.2, (Decimal("0.3"), None)),
        ("DOUBLE", 1.23456, (Decimal("1.2346"), None)),
        ("DOUBLE", 32.32773109243698, (Decimal("32.3277"), None)),
        ("DOUBLE", 1.00015, (Decimal("1.0002"), None)),
        ("DOUBLE", -1.00025, (Decimal("-1.0003"), None)),
        ("DOUBLE", 5e-05, (Decimal("0.0001"), None)),
        ("FLOAT", 1.23456, (Decimal("1.2346"), None)),
        ("DOUBLE", float("inf"), (None, "out_of_range")),
        ("FLOAT", 12345.67, (Decimal("12345.67"), None)),
        ("BIGINT", 3, (Decimal(3), None)),
        ("HUGEINT", 10**37, (None, "out_of_range")),
        ("DECIMAL(18,6)", Decimal("1.234500"), (Decimal("1.2345"), None)),
        ("DECIMAL(18,6)", Decimal("1.234501"), (Decimal("1.2345"), None)),
        ("DECIMAL(18,6)", Decimal("-1.234550"), (Decimal("-1.2346"), None)),
        ("DECIMAL(38,37)", Decimal("1.00005"), (Decimal("1.0001"), None)),
        ("DECIMAL(38,10)", Decimal(10) ** 20, (None, "out_of_range")),
        ("TIMESTAMP", dt.datetime(2025, 1, 1), (None, "not_a_number")),
    ],
)
def test_typed_prices_are_exact_decimals(connection: Connection, dtype: str, value: Any, expected: Read) -> None:
    assert read(connection, "unit_price", value, dtype=dtype) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13085", "13085"),
        ("13085.0", "13085"),
        ("0013085.00", "0013085"),
        (" 0042 ", "0042"),
        ("AB.5", "AB.5"),
        ("1.2.3", "1.2.3"),
        ("a0b", "a0b"),
        ("nan", None),
        (None, None),
    ],
)
def test_customer_ids_become_text(connection: Connection, text: str | None, expected: str | None) -> None:
    order_lines_id = next(column for column in RAW_ORDER_LINES.columns if column.name == "customer_id")
    item = parse_column(order_lines_id, "VARCHAR", POINT, ("raw", "cleaned", "parsed"))
    assert [reason for reason, _ in item.faults] == ["broken_id", "fractional_id"]
    assert read(connection, "customer_id", text) == (expected, None)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("DOUBLE", 13085.0, ("13085", None)),
        ("DOUBLE", 13085.5, ("13085.5", "fractional_id")),
        ("DOUBLE", float("nan"), (None, None)),
        ("DECIMAL(9,1)", Decimal("13085.0"), ("13085", None)),
        ("DECIMAL(9,1)", Decimal("13085.5"), ("13085.5", "fractional_id")),
        ("BIGINT", 13085, ("13085", None)),
        ("VARCHAR", "13085.5", ("13085.5", "fractional_id")),
        ("VARCHAR", "13085.", ("13085", None)),
        ("VARCHAR", ".5", (".5", "fractional_id")),
        ("VARCHAR", "1.23457E+11", ("1.23457E+11", "fractional_id")),
        ("VARCHAR", "1E+11", ("1E+11", "fractional_id")),
        ("VARCHAR", "1.3e-05", ("1.3e-05", "fractional_id")),
        ("VARCHAR", "1.3E5", ("1.3E5", None)),
        ("VARCHAR", "E.5", ("E.5", None)),
    ],
)
def test_fractions_are_no_customer_ids(connection: Connection, dtype: str, value: Any, expected: Read) -> None:
    assert read(connection, "customer_id", value, dtype=dtype) == expected


@pytest.mark.parametrize("name", ["order_id", "product_id"])
@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("DOUBLE", 536365.0, ("536365", None)),
        ("DOUBLE", 536365.5, ("536365.5", "fractional_id")),
        ("DECIMAL(9,1)", Decimal("22423.5"), ("22423.5", "fractional_id")),
        ("VARCHAR", "1.23457E+11", ("1.23457E+11", "fractional_id")),
        ("VARCHAR", "4E+12", ("4E+12", "fractional_id")),
        ("VARCHAR", "2024.15", ("2024.15", None)),
        ("VARCHAR", "1E5", ("1E5", None)),
        ("VARCHAR", "A+12", ("A+12", None)),
    ],
)
def test_rounded_numbers_are_no_ids_and_no_codes(
    connection: Connection, name: str, dtype: str, value: Any, expected: Read
) -> None:
    assert read(connection, name, value, dtype=dtype) == expected


@pytest.mark.parametrize("name", ["customer_id", "order_id", "product_id", "store_id"])
@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("DOUBLE", 2.0**53 - 1, ("9007199254740991", None)),
        ("DOUBLE", 2.0**53, ("9007199254740992", "fractional_id")),
        ("DOUBLE", -(2.0**53), ("-9007199254740992", "fractional_id")),
        ("DOUBLE", 1e300, ("1e+300", "fractional_id")),
        ("FLOAT", 2.0**24 - 1, ("16777215", None)),
        ("FLOAT", 2.0**24, ("16777216", "fractional_id")),
        ("HUGEINT", 9_000_000_000_000_000_001, ("9000000000000000001", None)),
        ("DECIMAL(38,0)", Decimal(9_000_000_000_000_000_001), ("9000000000000000001", None)),
    ],
)
def test_binary_number_that_several_ids_have_become_is_no_id(
    connection: Connection, name: str, dtype: str, value: Any, expected: Read
) -> None:
    assert read(connection, name, value, dtype=dtype) == expected


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u2009", "\u200b", "\u3000", "\ufeff"])
def test_blanks_of_any_width_are_no_part_of_a_value(connection: Connection, blank: str) -> None:
    assert read(connection, "customer_id", f"{blank}C1{blank}") == ("C1", None)
    assert read(connection, "customer_id", blank) == (None, None)


def test_a_comma_fraction_is_seen_where_the_comma_is_the_decimal_mark(connection: Connection) -> None:
    assert read(connection, "customer_id", "13085,0", COMMA) == ("13085", None)
    assert read(connection, "customer_id", "13085,5", COMMA) == ("13085,5", "fractional_id")
    assert read(connection, "customer_id", "13085,0", POINT) == ("13085,0", None)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("VARCHAR", "536365.0", "536365"),
        ("VARCHAR", "0012.00", "0012"),
        ("VARCHAR", "C536365.0", "C536365.0"),
        ("VARCHAR", "536365.1", "536365.1"),
        ("DOUBLE", 536365.0, "536365"),
        ("BIGINT", 536365, "536365"),
    ],
)
def test_order_ids_are_written_alike_by_every_tool(
    connection: Connection, dtype: str, value: Any, expected: str
) -> None:
    assert read(connection, "order_id", value, dtype=dtype) == (expected, None)


@pytest.mark.parametrize(
    ("date_format", "text", "expected"),
    [
        ("%Y-%m-%d", "2011-02-28", dt.datetime(2011, 2, 28)),
        ("%Y-%m-%d", "2011-2-3", dt.datetime(2011, 2, 3)),
        ("%Y-%m-%d", "2011-02-30", None),
        ("%Y-%m-%d", "2011-02-03 10:00", None),
        ("%Y-%m-%d", "infinity", None),
        ("%m/%d/%Y", "1/10/11", None),
        ("%m/%d/%y", "1/10/11", dt.datetime(2011, 1, 10)),
        ("%m/%d/%y", "13/10/11", None),
        ("%m/%d/%y %H:%M", "12/1/10 8:26", dt.datetime(2010, 12, 1, 8, 26)),
        ("%Y-%m-%d %H:%M", "2011-02-03  10:00", None),
        ("%Y-%m-%d %H:%M", "2011-02-03 24:00", None),
        ("%Y-%m-%d %H:%M:%S.%f", "2011-02-03 10:00:00.25", dt.datetime(2011, 2, 3, 10, 0, 0, 250_000)),
        ("%d-%b-%Y", "03-Feb-2011", dt.datetime(2011, 2, 3)),
        ("%I:%M %p %d.%m.%Y", "10:05 pm 03.02.2011", dt.datetime(2011, 2, 3, 22, 5)),
        ("%Y%m%d", "20110203", dt.datetime(2011, 2, 3)),
        ("%Y%m%d", "2011023", None),
        ("%Y%m%d%H%M", "2011020310:5", None),
        ("%d%b%Y", "3Feb2011", dt.datetime(2011, 2, 3)),
        ("%d.%m.%Y", "03x02x2011", None),
    ],
)
def test_dates_follow_the_format_over_the_whole_text(
    connection: Connection, date_format: str, text: str, expected: dt.datetime | None
) -> None:
    notation = Notation(decimal=".", date_format=date_format, null_values=(), time_zone="UTC")
    wanted = (expected, None if expected else "unparseable_date")
    assert read(connection, "order_at", text, notation) == wanted


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("DATE", dt.date(2025, 3, 5), (dt.datetime(2025, 3, 5), None)),
        ("TIMESTAMP", dt.datetime(2025, 3, 5, 10, 0, 1), (dt.datetime(2025, 3, 5, 10, 0, 1), None)),
        ("TIMESTAMP_NS", dt.datetime(2025, 3, 5, 10), (dt.datetime(2025, 3, 5, 10), None)),
        ("TIMESTAMP", dt.datetime(1899, 12, 30), (None, "out_of_range")),
        ("DATE", dt.date(2100, 1, 1), (None, "out_of_range")),
        ("INTEGER", 20250305, (None, "unparseable_date")),
        ("DATE", None, (None, "missing_value")),
    ],
)
def test_typed_dates_are_taken_as_they_are(connection: Connection, dtype: str, value: Any, expected: Read) -> None:
    assert read(connection, "order_at", value, dtype=dtype) == expected


@pytest.mark.parametrize(
    ("date_format", "message"),
    [
        ("%Y-%m-%d %Q", r"date_format '%Y-%m-%d %Q' holds %Q, which is not known\nHint: known are %Y"),
        ("%Y-%m-%d %", r"holds % at its end, which is not known"),
        ("%H:%M", r"date_format '%H:%M' does not give year, month and day\nHint: write for example"),
        ("%Y-%m", r"does not give year, month and day"),
    ],
)
def test_a_date_format_that_cannot_work_is_refused(date_format: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        date_pattern(date_format)


@few
@given(st.integers(-(10**9), 10**9), st.sampled_from(["", ".", ".0", ".000"]))
def test_whole_numbers_survive_text(connection: Connection, number: int, tail: str) -> None:
    assert read(connection, "quantity", f"{number}{tail}") == (number, None)


@few
@given(st.decimals(-(10**9), 10**9, places=4, allow_nan=False), st.sampled_from([POINT, COMMA]))
def test_money_survives_text_and_doubles(connection: Connection, amount: Decimal, notation: Notation) -> None:
    text = f"{amount:f}".replace(".", notation.decimal)
    assert read(connection, "unit_price", text, notation) == (amount, None)
    assert read(connection, "unit_price", float(amount), dtype="DOUBLE") == (amount, None)


@few
@given(st.decimals(-(10**6), 10**6, places=6, allow_nan=False), st.sampled_from([POINT, COMMA]))
def test_money_is_rounded_half_up_in_every_type_and_never_silently(
    connection: Connection, amount: Decimal, notation: Notation
) -> None:
    expected = amount.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    repairs = [] if amount == expected else ["four_decimals"]
    text = f"{amount:f}".replace(".", notation.decimal)
    for value, dtype in ((text, "VARCHAR"), (float(amount), "DOUBLE"), (amount, "DECIMAL(18,6)")):
        assert read(connection, "unit_price", value, notation, dtype) == (expected, None)
        assert repairs_of(connection, "unit_price", value, notation, dtype) == repairs


@few
@given(st.integers(0, 10**15), st.sampled_from(["VARCHAR", "DOUBLE", "BIGINT"]))
def test_ids_that_are_numbers_print_alike_in_every_type(connection: Connection, number: int, dtype: str) -> None:
    delivered: Any = f"{number}.0" if dtype == "VARCHAR" else number
    assert read(connection, "customer_id", delivered, dtype=dtype) == (str(number), None)


@few
@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc"], exclude_characters="\u00a0"),
        min_size=1,
    )
)
def test_codes_are_kept_letter_by_letter(connection: Connection, code: str) -> None:
    expected = (None, "missing_value") if code == "nan" else (code, None)
    assert read(connection, "product_id", code) == expected


@few
@given(
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2099, 12, 31)).map(lambda at: at.replace(microsecond=0)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%dT%H%M%S"]),
)
def test_dates_survive_text(connection: Connection, at: dt.datetime, date_format: str) -> None:
    notation = Notation(decimal=".", date_format=date_format, null_values=(), time_zone="UTC")
    assert read(connection, "order_at", at.strftime(date_format), notation) == (at, None)


@few
@given(st.text(max_size=12))
def test_any_text_is_either_read_or_faulted(connection: Connection, text: str) -> None:
    for name in ("quantity", "unit_price", "order_at"):
        value, fault = read(connection, name, text)
        assert (value is None) == (fault is not None)


@pytest.mark.parametrize(
    ("name", "dtype", "value", "expected"),
    [
        ("product_id", "VARCHAR", "P1", None),
        ("product_id", "VARCHAR", " P1\t", "trimmed"),
        ("product_id", "VARCHAR", "é ", "trimmed"),
        ("product_id", "DOUBLE", 85123.0, "number_id"),
        ("product_id", "BIGINT", 85123, None),
        ("product_name", "VARCHAR", "", None),
        ("product_name", "VARCHAR", "nan", "no_value"),
        ("product_name", "VARCHAR", "  ", "no_value"),
        ("product_name", "VARCHAR", None, None),
        ("customer_id", "VARCHAR", "13085", None),
        ("customer_id", "VARCHAR", "13085.0", "number_id"),
        ("customer_id", "VARCHAR", "A1.5", None),
        ("customer_id", "DOUBLE", 13085.0, "number_id"),
        ("customer_id", "DOUBLE", float("nan"), "no_value"),
        ("customer_id", "DOUBLE", None, None),
        ("unit_price", "VARCHAR", "2.50000", None),
        ("unit_price", "DOUBLE", 2.55, None),
        ("unit_price", "VARCHAR", "2.12345", "four_decimals"),
        ("unit_price", "VARCHAR", "2.123450", "four_decimals"),
        ("unit_price", "VARCHAR", "12345678", None),
        ("unit_price", "VARCHAR", "free", None),
        ("unit_price", "DOUBLE", 0.1 + 0.2, "rounded"),
        ("unit_price", "DOUBLE", 2.12345, "four_decimals"),
        ("unit_price", "DOUBLE", 123456.789123, "four_decimals"),
        ("unit_price", "DOUBLE", float("inf"), None),
        ("unit_price", "DECIMAL(18,6)", Decimal("2.1234"), None),
        ("unit_price", "DECIMAL(18,6)", Decimal("2.123401"), "four_decimals"),
        ("unit_price", "BIGINT", 2, None),
        ("quantity", "VARCHAR", "6.0", None),
        ("quantity", "VARCHAR", " 6", "trimmed"),
        ("product_id", "VARCHAR", "p1", None),
        ("currency", "VARCHAR", "EUR", None),
        ("currency", "VARCHAR", "eur", "capitals"),
        ("order_at", "TIMESTAMP", dt.datetime(2025, 3, 1, 9), None),
        ("registered_on", "TIMESTAMP", dt.datetime(2025, 3, 1), None),
        ("registered_on", "TIMESTAMP", dt.datetime(2025, 3, 1, 9), "time_dropped"),
    ],
)
def test_change_of_a_value_is_named_and_none_where_there_is_none(
    connection: Connection, name: str, dtype: str, value: Any, expected: str | None
) -> None:
    assert repairs_of(connection, name, value, dtype=dtype) == ([expected] if expected else [])


def test_product_codes_are_put_in_capitals_where_asked_for_and_no_other_id_is(connection: Connection) -> None:
    upper = replace(POINT, product_code_case="upper")
    for notation, product in ((POINT, "85123a"), (upper, "85123A")):
        read_as = {name: parse_column(COLUMNS[name], "VARCHAR", notation, NAMES) for name in ("product_id", "order_id")}
        (found,) = connection.execute(
            f"SELECT {read_as['product_id'].parsed}, {read_as['order_id'].parsed} FROM (SELECT '85123a' AS cleaned)"
        ).fetchall()
        assert found == (product, "85123a")
        assert ("capitals" in dict(read_as["product_id"].repairs)) == (product != "85123a")


@pytest.mark.parametrize("column", ["customer_id", "order_id", "product_id", "store_id"])
@pytest.mark.parametrize("mark", ["\n", "\r\n", "\t", "\0", "\x1f", "\x7f", "\x85", "\u2028"])
def test_id_with_a_control_character_is_no_id(connection: Connection, column: str, mark: str) -> None:
    assert read(connection, column, f"A{mark}1") == (f"A{mark}1", "broken_id")


def test_letters_of_any_script_and_blanks_within_are_no_control_characters(connection: Connection) -> None:
    for text in ("Ж-1", "É 1", "１３", "A\u00a01", "A1\r\n"):
        assert read(connection, "order_id", text) == (text.strip("\r\n"), None)


def test_text_that_is_no_id_may_have_several_lines(connection: Connection) -> None:
    assert read(connection, "product_name", "a\nb") == ("a\nb", None)
