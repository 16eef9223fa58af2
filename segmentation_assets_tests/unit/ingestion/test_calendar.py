from __future__ import annotations

import datetime as dt

import pytest

from segmentation_assets.config.settings import CalendarSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.ingestion.calendar import check_calendar, lookback_start, snapshot_as_of, snapshot_months

FIRST, LAST = dt.date(2010, 12, 1), dt.date(2011, 12, 9)


def test_months_within_the_delivery_are_accepted() -> None:
    check_calendar(CalendarSettings(first_snapshot="2010-12", last_month="2011-12"), FIRST, LAST)
    check_calendar(CalendarSettings(first_snapshot="2011-12"), FIRST, LAST)


def test_a_first_snapshot_after_the_delivery_gets_a_proposal() -> None:
    with pytest.raises(
        SettingsError,
        match=r"first_snapshot 2025-06 lies after the last delivered month; the delivery holds order lines from "
        r"2010-12-01 to 2011-12-09\nHint: set calendar\.first_snapshot to a month from 2010-12 to 2011-12, for "
        r"example 2011-10",
    ):
        check_calendar(CalendarSettings(first_snapshot="2025-06"), FIRST, LAST)


def test_a_first_snapshot_before_the_delivery_gets_a_proposal_inside_it() -> None:
    with pytest.raises(SettingsError, match=r"2010-11 lies before the first delivered month.*\n.*for example 2010-12"):
        check_calendar(CalendarSettings(first_snapshot="2010-11"), FIRST, dt.date(2011, 1, 9))


def test_a_last_month_after_the_delivery_gets_a_proposal() -> None:
    with pytest.raises(
        SettingsError, match=r"last_month 2012-01 lies after .*\nHint: set calendar\.last_month to 2011"
    ):
        check_calendar(CalendarSettings(first_snapshot="2011-06", last_month="2012-01"), FIRST, LAST)


@pytest.mark.parametrize(
    ("last_month", "delivered", "expected"),
    [
        (None, "2025-02-01", ("2024-12-01", "2025-01-01", "2025-02-01")),
        ("2025-01", "2025-02", ("2024-12-01", "2025-01-01")),
        ("2025-06", "2025-01-01", ("2024-12-01", "2025-01-01")),
        (None, "2024-11-01", ()),
    ],
)
def test_snapshot_months_end_with_the_setting_or_the_delivery(
    last_month: str | None, delivered: str, expected: tuple[str, ...]
) -> None:
    calendar = CalendarSettings(first_snapshot="2024-12", last_month=last_month)
    assert snapshot_months(calendar, delivered) == expected


@pytest.mark.parametrize(
    ("month", "newest", "expected"),
    [
        ("2025-05-01", dt.date(2025, 5, 31), (dt.date(2025, 6, 1), False)),
        ("2025-05-01", dt.date(2025, 5, 28), (dt.date(2025, 6, 1), False)),
        ("2025-05-01", dt.date(2025, 5, 27), (dt.date(2025, 5, 28), True)),
        ("2025-12-01", dt.date(2026, 1, 2), (dt.date(2026, 1, 1), False)),
        ("2024-02-01", dt.date(2024, 2, 26), (dt.date(2024, 3, 1), False)),
        ("2024-02-01", dt.date(2024, 2, 25), (dt.date(2024, 2, 26), True)),
    ],
)
def test_only_an_unfinished_newest_month_is_partial(
    month: str, newest: dt.date, expected: tuple[dt.date, bool]
) -> None:
    assert snapshot_as_of(month, newest, 3) == expected


@pytest.mark.parametrize(
    ("as_of", "months", "expected"),
    [
        (dt.date(2025, 6, 1), 24, dt.date(2023, 6, 1)),
        (dt.date(2025, 1, 1), 1, dt.date(2024, 12, 1)),
        (dt.date(2024, 3, 31), 1, dt.date(2024, 2, 29)),
        (dt.date(2011, 12, 10), 12, dt.date(2010, 12, 10)),
    ],
)
def test_lookback_goes_back_whole_months(as_of: dt.date, months: int, expected: dt.date) -> None:
    assert lookback_start(as_of, months) == expected
