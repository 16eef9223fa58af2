import datetime as dt

import pytest

from segmentation_assets.ingestion.proposal.dates import DateReading, read_dates
from segmentation_assets_tests.unit.ingestion.proposal.written import TODAY


def reading(*texts: str) -> DateReading:
    found = read_dates(list(enumerate(texts, start=1)), TODAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (("2024-01-31",), "%Y-%m-%d"),
        (("31.12.2023 08:05", "1.2.2024 9:05"), "%d.%m.%Y %H:%M"),
        (("12/1/10 8:26", "12/31/10 9:00"), "%m/%d/%y %H:%M"),
        (("31/12/2023",), "%d/%m/%Y"),
        (("2024-01-31T08:26:00.123",), "%Y-%m-%dT%H:%M:%S.%f"),
        (("2024-01-31 08:26:00+01:00",), "%Y-%m-%d %H:%M:%S%z"),
        (("1/31/2024 8:26 PM",), "%m/%d/%Y %I:%M %p"),
        (("31-Jan-2024", "01-Feb-2024"), "%d-%b-%Y"),
        (("January 31, 2024", "February 1, 2024"), "%B %d, %Y"),
        (("20240131",), "%Y%m%d"),
    ],
)
def test_one_format_that_reads_every_date_is_certain(texts: tuple[str, ...], date_format: str) -> None:
    found = reading(*texts)
    assert (found.date_format.value, found.date_format.doubt, found.unread) == (date_format, "", ())


def test_day_first_and_month_first_are_a_guess_that_names_a_row_and_what_would_decide() -> None:
    found = reading("05/06/2024", "07/06/2024").date_format
    assert found.value == "%d/%m/%Y"
    assert set(found.others) == {"%d/%m/%Y", "%m/%d/%Y"}
    assert found.doubt == (
        "'%m/%d/%Y' reads every sampled date too; a row whose day is above 12 would decide and none was seen; row 1, "
        "'05/06/2024', is 2024-06-05 or 2024-05-06"
    )


def test_order_of_the_rows_makes_one_reading_likelier() -> None:
    assert reading("01/11/2024", "02/10/2024", "03/09/2024").date_format.value == "%m/%d/%Y"
    assert reading("11/01/2024", "10/02/2024", "09/03/2024").date_format.value == "%d/%m/%Y"


def test_reading_that_leads_past_today_is_the_least_likely() -> None:
    assert read_dates([(1, "01/12/2025")], dt.date(2025, 6, 1)).date_format.value == "%m/%d/%Y"


def test_dates_that_no_format_reads_are_counted_and_named() -> None:
    found = reading("31.01.2024", "01.02.2024", "31.02.2024")
    assert found.date_format.value == "%d.%m.%Y"
    assert found.date_format.doubt.startswith("no format reads every sampled date; this one fails for 1, first row 3: ")
    assert found.unread == ((3, "31.02.2024"),)


def test_time_in_utc_is_told() -> None:
    found = reading("2024-01-31T08:26:00Z").date_format
    assert (found.value, found.doubt) == (
        "%Y-%m-%dT%H:%M:%SZ",
        "times end in Z and are taken as they stand, that is in UTC",
    )


@pytest.mark.parametrize("text", ["abc", "1291191960", "2.55", "31/Jänner/2024"])
def test_texts_that_are_no_dates_have_no_format(text: str) -> None:
    assert read_dates([(1, text)], TODAY) is None
