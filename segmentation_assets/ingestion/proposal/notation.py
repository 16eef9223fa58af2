"""How one table is written: decimal mark, date format, texts for 'no value', and what of it cannot be read."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from segmentation_assets.config.source import NOT_FOUND
from segmentation_assets.errors import plural
from segmentation_assets.ingestion.proposal.dates import Given, read_date, read_dates
from segmentation_assets.ingestion.proposal.matching import TableMatch, find_decimal_of, kind_of
from segmentation_assets.ingestion.proposal.numbers import number_doubt
from segmentation_assets.ingestion.proposal.sample import Finding, SampledColumn, shown

_FEWEST_CUSTOMERS = 5
_GUEST_SHARE = 0.2
_FLOAT_ID = re.compile(r"-?[0-9]+[.,]0+")


@dataclass(frozen=True)
class TableNotation:
    """How the values of one table are written.

    Parameters
    ----------
    decimal : Finding of str
        Decimal mark of numbers written as text.
    date_format : Finding of str or None
        ``None`` where no date is written as text.
    null_values : tuple of Finding of str
        Texts met that stand for 'no value'.
    left_out : dict of str to str
        Our optional columns whose dates or numbers are written otherwise than the rest → why.
    doubts : dict of str to str
        Our columns with values that cannot be read → which and what to do.
    notes : tuple of str
        What is certain and good to know.
    first, last : datetime or None
        Of the required time column, not after today.
    """

    decimal: Finding[str]
    date_format: Finding[str] | None
    null_values: tuple[Finding[str], ...]
    left_out: dict[str, str]
    doubts: dict[str, str]
    notes: tuple[str, ...]
    first: dt.datetime | None = None
    last: dt.datetime | None = None


def find_notation(match: TableMatch, required: Sequence[str], today: dt.date) -> TableNotation:
    """Find out how the mapped columns of a table are written.

    Parameters
    ----------
    match : TableMatch
    required : sequence of str
        Our columns that have to be mapped; the first date among them decides the format.
    today : date
        Later dates do not count for `first` and `last`.

    Returns
    -------
    TableNotation
    """
    decimal = find_decimal_of(match)
    date_format, left_out = _find_date_format(match, required, today)
    doubts, notes = {}, []
    for name, finding in match.columns.items():
        kind = kind_of(match.table, name)
        if kind in ("whole", "money"):
            doubts[name] = number_doubt(finding.value, decimal.value, is_whole=kind == "whole")
        if kind == "id":
            notes += _float_notes(name, finding.value)
        if name == "customer_id":
            doubts[name] = _guest_doubt(finding.value)
    first, last = _span(match, date_format, today)
    return TableNotation(
        decimal=decimal,
        date_format=date_format,
        null_values=_find_null_values(match),
        left_out=left_out,
        doubts={name: doubt for name, doubt in doubts.items() if doubt},
        notes=tuple(notes),
        first=first,
        last=last,
    )


def _find_date_format(
    match: TableMatch, required: Sequence[str], today: dt.date
) -> tuple[Finding[str] | None, dict[str, str]]:
    """Find the format of all dates written as text; optional columns with another one are left out."""
    dated = {
        name: finding.value
        for name, finding in match.columns.items()
        if kind_of(match.table, name) == "instant" and finding.value.is_text
    }
    if not dated:
        return None, {}
    leading = next((name for name in dated if name in required), next(iter(dated)))
    reading = read_dates(dated[leading].given, today)
    if reading is None:
        return Finding(NOT_FOUND, f"no known format reads {shown(dated[leading].name)}"), {}
    others = {name: column for name, column in dated.items() if name != leading}
    left_out = {}
    agreeing: list[tuple[int | None, str]] = list(dated[leading].given)
    for name, column in others.items():
        if _is_read(column, reading.date_format.others or (reading.date_format.value,)):
            agreeing += column.given
        else:
            left_out[name] = f"its dates, such as {shown(column.texts[0])}, are written otherwise"
    return _joint_format(agreeing, reading.date_format, today), left_out


def _joint_format(agreeing: Given, leading: Finding[str], today: dt.date) -> Finding[str]:
    """Let the dates of the other columns decide where those of the leading one do not."""
    joint = read_dates(agreeing, today) if leading.others else None
    return joint.date_format if joint is not None else leading


def _is_read(column: SampledColumn, formats: Sequence[str]) -> bool:
    """Whether some of the formats read every date of a column."""
    return any(all(read_date(text, form) for text in column.texts) for form in formats)


def _find_null_values(match: TableMatch) -> tuple[Finding[str], ...]:
    met: dict[str, list[str]] = {}
    for finding in match.columns.values():
        for text in finding.value.sentinels:
            count = finding.value.values.count(text)
            met.setdefault(text, []).append(f"{plural(count, 'sampled row')} of {shown(finding.value.name)}")
    return tuple(Finding(text, f"stands in {', '.join(places)}") for text, places in sorted(met.items()))


def _float_notes(name: str, column: SampledColumn) -> list[str]:
    """Tell of ids that some tool has turned into numbers with a fraction."""
    floats = [text for text in column.texts if _FLOAT_ID.fullmatch(text)]
    if not floats or (not column.is_text and name != "customer_id"):
        return []
    said = f"{shown(column.name)} came as numbers with a fraction, such as {shown(floats[0])}"
    if name == "customer_id" or not column.is_text:
        return [f"{said}; it is read as {re.split('[.,]', floats[0])[0]}"]
    return [f"{said}; the codes are kept as they stand, so export them as text where they have to match another file"]


def _guest_doubt(column: SampledColumn) -> str:
    """Tell of one id in so many rows that it may stand for all guests."""
    counts = Counter(column.texts)
    text, count = counts.most_common(1)[0] if counts else ("", 0)
    if len(counts) < _FEWEST_CUSTOMERS or count < _GUEST_SHARE * counts.total():
        return ""
    share = f"{count / counts.total():.0%}"
    return f"{shown(text)} stands in {share} of the sampled rows; where that means guests, add it to null_values"


def _span(
    match: TableMatch, date_format: Finding[str] | None, today: dt.date
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the first and last instant of the order lines or events."""
    column = match.column("order_at") or match.column("event_at")
    if column is None:
        return None, None
    read = [_instant(column, text, date_format) for text in column.texts]
    past = [date for date in read if date is not None and date.date() <= today]
    return (min(past), max(past)) if past else (None, None)


def _instant(column: SampledColumn, text: str, date_format: Finding[str] | None) -> dt.datetime | None:
    if column.is_text:
        return read_date(text, date_format.value) if date_format and date_format.value != NOT_FOUND else None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
