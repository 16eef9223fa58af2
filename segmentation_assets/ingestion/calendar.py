"""Which months get a snapshot, what each is as of, and whether the calendar settings fit the delivery."""

from __future__ import annotations

import calendar as civil
import datetime as dt

from segmentation_assets.config.settings import CalendarSettings, month_start
from segmentation_assets.errors import SettingsError

_PROPOSED_SNAPSHOTS = 3


def check_calendar(calendar: CalendarSettings, first_day: dt.date, last_day: dt.date) -> None:
    """Check that the snapshot months lie within the delivered order lines.

    Parameters
    ----------
    calendar : CalendarSettings
    first_day, last_day : date
        Days of the first and the last delivered order line.

    Raises
    ------
    SettingsError
        ``calendar.first_snapshot`` or ``calendar.last_month`` names a month without delivered order lines; the hint
        proposes values that fit.
    """
    first, last = _month_of(first_day), _month_of(last_day)
    held = f"the delivery holds order lines from {first_day} to {last_day}"
    if not first <= calendar.first_snapshot <= last:
        side = "before the first" if calendar.first_snapshot < first else "after the last"
        raise SettingsError(
            f"calendar.first_snapshot {calendar.first_snapshot} lies {side} delivered month; {held}",
            f"set calendar.first_snapshot to a month from {first} to {last}, for example "
            f"{max(first, shift_month(last, 1 - _PROPOSED_SNAPSHOTS))} for the last {_PROPOSED_SNAPSHOTS} months.",
        )
    if calendar.last_month is not None and calendar.last_month > last:
        raise SettingsError(
            f"calendar.last_month {calendar.last_month} lies after the last delivered month; {held}",
            f"set calendar.last_month to {last}, or leave it out to go on with every month that is delivered.",
        )


def snapshot_months(calendar: CalendarSettings, last_delivered_month: str) -> tuple[str, ...]:
    """List the months that get a snapshot.

    Parameters
    ----------
    calendar : CalendarSettings
    last_delivered_month : str
        Newest month with order lines, written YYYY-MM or YYYY-MM-01.

    Returns
    -------
    tuple of str
        Partition keys YYYY-MM-01, in order; empty where the first snapshot lies after the last delivered month.

    Examples
    --------
    >>> snapshot_months(CalendarSettings(first_snapshot="2024-12"), "2025-02")
    ('2024-12-01', '2025-01-01', '2025-02-01')
    """
    last = last_delivered_month[:7]
    if calendar.last_month is not None:
        last = min(last, calendar.last_month)
    months = []
    month = calendar.first_snapshot
    while month <= last:
        months.append(f"{month}-01")
        month = shift_month(month, 1)
    return tuple(months)


def snapshot_as_of(month: str, newest_order_date: dt.date, grace_days: int) -> tuple[dt.date, bool]:
    """Return the as-of date of a snapshot month, and whether the month is unfinished.

    Parameters
    ----------
    month : str
        Snapshot month, written YYYY-MM or YYYY-MM-01.
    newest_order_date : date
        Day of the last delivered order line.
    grace_days : int, 0 or more
        The newest month counts as unfinished when its last order lies more than this many days before its last day.

    Returns
    -------
    tuple of (date, bool)
        The snapshot reads what happened strictly before this day: the first day of the next month, or, for an
        unfinished month, the day after the last order.

    Examples
    --------
    >>> snapshot_as_of("2011-12-01", dt.date(2011, 12, 9), 3)
    (datetime.date(2011, 12, 10), True)
    >>> snapshot_as_of("2011-11-01", dt.date(2011, 12, 9), 3)
    (datetime.date(2011, 12, 1), False)
    """
    next_month = month_start(shift_month(month, 1))
    last_day = next_month - dt.timedelta(days=1)
    is_newest = _month_of(newest_order_date) == month[:7]
    if is_newest and (last_day - newest_order_date).days > grace_days:
        return newest_order_date + dt.timedelta(days=1), True
    return next_month, False


def lookback_start(as_of_date: dt.date, lookback_months: int) -> dt.date:
    """Return the first day that a snapshot's features read: as many months before the as-of date.

    Parameters
    ----------
    as_of_date : date
    lookback_months : int, at least 1

    Returns
    -------
    date
        Same day of the month, or the month's last day where it has no such day.

    Examples
    --------
    >>> lookback_start(dt.date(2025, 3, 31), 1)
    datetime.date(2025, 2, 28)
    """
    start = month_start(shift_month(_month_of(as_of_date), -lookback_months))
    days = civil.monthrange(start.year, start.month)[1]
    return start.replace(day=min(as_of_date.day, days))


def shift_month(month: str, by: int) -> str:
    """Return the month `by` months later (earlier where negative), written YYYY-MM.

    Examples
    --------
    >>> shift_month("2024-01", -1)
    '2023-12'
    """
    index = int(month[:4]) * 12 + int(month[5:7]) - 1 + by
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def _month_of(day: dt.date) -> str:
    return f"{day.year:04d}-{day.month:02d}"
