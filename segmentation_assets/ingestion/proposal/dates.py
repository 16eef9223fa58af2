"""Which formats read the dates of a sample, as strptime writes them."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from segmentation_assets.ingestion.parsing import date_pattern
from segmentation_assets.ingestion.proposal.sample import Finding, place, shown

LEAST_READ = 0.5
_MOST_SHAPES = 5
_EARLIEST, _LATEST = dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)
_NUMERIC = ("%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")
_NAMED = ("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d-%b-%y", "%d %b %y", "%d %B %Y", "%B %d, %Y", "%b %d, %Y")
_COMPACT = ("%Y%m%d", "%d%m%Y", "%m%d%Y")
DAYS = (*(form.format(mark) for mark in "-/. " for form in _NUMERIC), *_NAMED, *_COMPACT)
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M", "%H.%M.%S")
_JOINTS = (" ", "T", ", ")
_ZONES = ("", "Z", "%z", " %z", " UTC")
TIMES = (
    "",
    *(f"{joint}{clock}{zone}" for joint in _JOINTS for clock in CLOCKS for zone in _ZONES),
    "%H%M%S",
    " %H%M%S",
    " %H%M",
)

Given = Sequence[tuple[int | None, str]]


@dataclass(frozen=True)
class DateReading:
    """How the dates of some columns are read.

    Parameters
    ----------
    date_format : Finding of str
        The format, or the likeliest of several; the others that read every value are in `others`.
    first, last : datetime
        Of the sampled values under that format, without a zone.
    unread : tuple of (int or None, str)
        Row and text of the values that it does not read.
    """

    date_format: Finding[str]
    first: dt.datetime
    last: dt.datetime
    unread: tuple[tuple[int | None, str], ...]


def read_dates(given: Given, today: dt.date) -> DateReading | None:
    """Find the formats that read every date of a sample.

    Parameters
    ----------
    given : sequence of (int or None, str)
        Row and text of each value.
    today : date
        Of several formats, one that leads to dates after this day is the least likely.

    Returns
    -------
    DateReading or None
        ``None`` where no format reads half of the values.

    Notes
    -----
    Of several formats the likeliest leads to no date after today, to the fewest steps back in time from row to row,
    and to the shortest span.

    Examples
    --------
    >>> read_dates([(1, "31.12.2023"), (2, "01.02.2024")], dt.date(2024, 6, 1)).date_format.value
    '%d.%m.%Y'
    """
    texts = list(dict.fromkeys(text for _, text in given))
    read = {form: dates for form in _candidates(texts) if (dates := _read_all(texts, form))}
    if not read:
        return None
    most = max(len(dates) for dates in read.values())
    if most < LEAST_READ * len(texts):
        return None
    left = [form for form, dates in read.items() if len(dates) == most]
    best, *others = sorted(left, key=lambda form: _unlikeliness(given, read[form], today))
    unread = tuple((row, text) for row, text in given if text not in read[best])
    doubt = _doubt(given, {form: read[form] for form in (best, *others)}, unread)
    finding = Finding(best, doubt, (best, *others) if others else ())
    return DateReading(finding, min(read[best].values()), max(read[best].values()), unread)


def read_date(text: str, date_format: str) -> dt.datetime | None:
    """Read one date as the ingestion reads it; ``None`` where it does not.

    Examples
    --------
    >>> read_date("12/1/10 8:26", "%m/%d/%y %H:%M")
    datetime.datetime(2010, 12, 1, 8, 26)
    """
    if not _pattern(date_format).fullmatch(text) or ("%z" in date_format and text.endswith("Z")):
        return None
    try:
        read = dt.datetime.strptime(text, date_format).replace(tzinfo=None)
    except ValueError:
        return None
    return read if _EARLIEST <= read < _LATEST else None


def _candidates(texts: Sequence[str]) -> list[str]:
    """List the formats that some text of the commonest shapes has."""
    shapes = Counter(_shape(text) for text in texts)
    wanted = {shape for shape, _ in shapes.most_common(_MOST_SHAPES)}
    examples = {_shape(text): text for text in texts if _shape(text) in wanted}
    found = (form for example in examples.values() for day in DAYS for form in _formats_of(example, day))
    return list(dict.fromkeys(found))


def _formats_of(text: str, day: str) -> list[str]:
    if not _pattern(day).match(text):
        return []
    return [f"{day}{time}" for time in TIMES if _pattern(f"{day}{time}").fullmatch(text)]


def _shape(text: str) -> str:
    """Reduce a text to where its digits and letters stand."""
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"[0-9]", "9", text))


@cache
def _pattern(date_format: str) -> re.Pattern[str]:
    return re.compile(date_pattern(date_format))


def _read_all(texts: Sequence[str], date_format: str) -> dict[str, dt.datetime]:
    read = ((text, read_date(text, date_format)) for text in texts)
    return {text: date for text, date in read if date is not None}


def _unlikeliness(given: Given, read: dict[str, dt.datetime], today: dt.date) -> tuple[bool, int, dt.timedelta]:
    dates = [read[text] for _, text in given if text in read]
    steps_back = sum(later < earlier for earlier, later in pairwise(dates))
    return max(dates).date() > today, steps_back, max(dates) - min(dates)


def _doubt(given: Given, read: dict[str, dict[str, dt.datetime]], unread: Given) -> str:
    """Say what speaks against the first of the formats."""
    best, *others = read
    if unread:
        row, text = unread[0]
        return (
            f"no format reads every sampled date; this one fails for {len(unread):,}, first {place(row)}: {shown(text)}"
        )
    if not others:
        return "times end in Z and are taken as they stand, that is in UTC" if best.endswith("Z") else ""
    listed = " or ".join(repr(form) for form in others)
    differing = ((row, text) for row, text in given if len({dates[text] for dates in read.values()}) > 1)
    row, text = next(differing, (None, ""))
    if not text:
        return f"{listed} reads every sampled date alike"
    meanings = " or ".join(dict.fromkeys(f"{dates[text]:%Y-%m-%d}" for dates in read.values()))
    return (
        f"{listed} reads every sampled date too; a row whose day is above 12 would decide and none was seen; "
        f"{place(row)}, {shown(text)}, is {meanings}"
    )
