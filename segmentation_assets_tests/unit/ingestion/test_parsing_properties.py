"""What holds for every id, amount and date at the door, whatever its notation."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation_assets.ingestion.parsing import Notation
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.ingestion.test_parsing import COMMA, POINT, few, read, read_all

FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%dT%H%M%S",
    "%d-%b-%Y %H:%M:%S", "%B %d, %Y %H:%M:%S", "%A %d %B %Y %H:%M:%S", "%a %d %b %Y %H:%M:%S", "%Y-%j %H:%M:%S",
)  # fmt: skip
BERLIN = ZoneInfo("Europe/Berlin")
ids = st.from_regex(r"-?[0-9]{1,18}(\.0{1,3})?|[A-Z]{1,3}[0-9.]{1,8}", fullmatch=True)
instants = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2099, 12, 30)).map(lambda at: at.replace(microsecond=0))


def dates(date_format: str, time_zone: str = "UTC") -> Notation:
    return Notation(decimal=".", date_format=date_format, null_values=(), time_zone=time_zone)


@few
@given(ids)
def test_reading_an_id_twice_changes_nothing(connection: Connection, text: str) -> None:
    once, fault = read(connection, "customer_id", text)
    assert fault is None
    assert read(connection, "customer_id", once) == (once, None)


@few
@given(st.lists(st.from_regex(r"[0-9]{1,12}|[A-Z]{1,3}[0-9]{1,8}", fullmatch=True), unique=True, min_size=2))
def test_different_ids_stay_different_and_keep_their_zeros(connection: Connection, texts: list[str]) -> None:
    found = [value for value, _ in read_all(connection, "customer_id", [*texts], POINT, "VARCHAR")]
    assert found == texts


@few
@given(st.integers(0, 10**15), st.integers(1, 999), st.sampled_from([POINT, COMMA]))
def test_a_fraction_is_never_an_id(connection: Connection, whole: int, part: int, notation: Notation) -> None:
    text = f"{whole}{notation.decimal}{part:03d}"
    assert read(connection, "customer_id", text, notation) == (text, "fractional_id")


@few
@given(st.integers(-(10**13), 10**13), st.sampled_from([POINT, COMMA]))
def test_money_is_exact_to_the_cent(connection: Connection, cents: int, notation: Notation) -> None:
    amount = Decimal(cents) / 100
    assert read(connection, "unit_price", f"{amount:.2f}".replace(".", notation.decimal), notation) == (amount, None)


@few
@given(st.integers(1_000, 10**12), st.integers(0, 99), st.sampled_from([".", ","]), st.sampled_from([POINT, COMMA]))
def test_thousands_marks_are_refused_and_never_taken_for_a_decimal_mark(
    connection: Connection, whole: int, cents: int, mark: str, notation: Notation
) -> None:
    other = "." if mark == "," else ","
    text = f"{whole:,}".replace(",", mark) + f"{other}{cents:02d}"
    assert read(connection, "unit_price", text, notation) == (None, "not_a_number")


@few
@given(instants, st.sampled_from(FORMATS))
def test_dates_survive_every_kind_of_format(connection: Connection, at: dt.datetime, date_format: str) -> None:
    assert read(connection, "order_at", at.strftime(date_format), dates(date_format)) == (at, None)


@few
@given(instants)
def test_day_and_month_are_never_swapped(connection: Connection, at: dt.datetime) -> None:
    text = at.strftime("%d/%m/%Y")
    day = dt.datetime.combine(at.date(), dt.time())
    swapped = day.replace(day=at.month, month=at.day) if at.day <= 12 else None
    expected = (swapped, None if swapped else "unparseable_date")
    assert read(connection, "order_at", text, dates("%d/%m/%Y")) == (day, None)
    assert read(connection, "order_at", text, dates("%m/%d/%Y")) == expected


@few
@given(instants, st.sampled_from(["Z", "+00", "+0000", "+00:00"]), st.sampled_from(["", " "]))
def test_every_spelling_of_universal_time_is_the_same_instant(
    connection: Connection, at: dt.datetime, offset: str, gap: str
) -> None:
    notation = dates(f"%Y-%m-%dT%H:%M:%S{gap}%z", "Europe/Berlin")
    local = at.replace(tzinfo=dt.UTC).astimezone(BERLIN).replace(tzinfo=None)
    assert read(connection, "order_at", f"{at:%Y-%m-%dT%H:%M:%S}{gap}{offset}", notation) == (local, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-30T00:59:59Z", dt.datetime(2025, 3, 30, 1, 59, 59)),
        ("2025-03-30T01:00:00Z", dt.datetime(2025, 3, 30, 3)),
        ("2025-10-26T00:30:00Z", dt.datetime(2025, 10, 26, 2, 30)),
        ("2025-10-26T01:30:00Z", dt.datetime(2025, 10, 26, 2, 30)),
        ("2025-03-30T02:30:00+02:00", dt.datetime(2025, 3, 30, 1, 30)),
    ],
)
def test_instants_around_a_change_of_clocks_get_their_local_time(
    connection: Connection, text: str, expected: dt.datetime
) -> None:
    assert read(connection, "order_at", text, dates("%Y-%m-%dT%H:%M:%S%z", "Europe/Berlin")) == (expected, None)


def test_a_local_time_that_no_clock_showed_is_kept_as_written(connection: Connection) -> None:
    written = dt.datetime(2025, 3, 30, 2, 30)
    assert read(connection, "order_at", "2025-03-30 02:30", dates("%Y-%m-%d %H:%M", "Europe/Berlin")) == (written, None)


def test_universal_time_is_not_assumed_where_the_format_names_no_zone(connection: Connection) -> None:
    assert read(connection, "order_at", "2025-03-30Z", dates("%Y-%m-%d")) == (None, "unparseable_date")
