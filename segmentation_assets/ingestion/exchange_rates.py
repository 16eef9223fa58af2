"""Reads the exchange rates of the settings or of a CSV file into spans of days; applying them is in `money.py`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

from segmentation_assets.config.money import LARGEST_RATE, ExchangeSettings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.ingestion.settings_csv import read_header, read_rows

RATE_DECIMALS = 10
"""Decimals of a rate that count; more are rounded half up."""

_OPEN_END = dt.date(9999, 12, 31)
_STARTS = ("month", "valid_from")


@dataclass(frozen=True, order=True)
class ExchangeRate:
    """What one unit of a currency is worth in the reporting currency during a span of days.

    Parameters
    ----------
    currency : str
    valid_from, valid_until : date
        First day, and the first one on which the rate no longer holds.
    rate : Decimal
        Above 0, with ten decimals.
    """

    currency: str
    valid_from: dt.date
    valid_until: dt.date
    rate: Decimal


def read_exchange_rates(settings: ExchangeSettings) -> tuple[ExchangeRate, ...]:
    """Read the exchange rates that the settings write out or name a file of.

    Parameters
    ----------
    settings : ExchangeSettings

    Returns
    -------
    tuple of ExchangeRate
        Sorted by currency and first day; empty where there are none. A rate of a ``month`` holds in that month only,
        one of ``valid_from`` until the next of the same currency.

    Raises
    ------
    SettingsError, DataError
        There is no such file, or a rate is incomplete, no number, out of range or there twice. Names file, row, column
        and value.
    """
    if settings.file is None:
        written = (
            {"currency": rate.currency, "month": rate.month, "valid_from": rate.valid_from, "rate": repr(rate.rate)}
            for rate in settings.rates
        )
        return _spans("money.exchange.rates", written)
    return _spans(settings.file.name, _read_rows(settings.file))


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        found = read_header(path)
    except FileNotFoundError as problem:
        raise SettingsError(
            f"money.exchange.file: there is no file {path}", "write its path as seen from the settings file."
        ) from problem
    except OSError as problem:
        raise DataError(f"{path.name} cannot be read: {problem}", "save it as a CSV file in UTF-8.") from problem
    starts = [name for name in _STARTS if name in found]
    if len(starts) != 1 or not {"currency", "rate"} <= set(found):
        raise DataError(
            f"{path.name} has the columns {', '.join(found) or 'none'}",
            "its first line has to be currency,month,rate or currency,valid_from,rate.",
        )
    return read_rows(path)


def _spans(place: str, rows: Iterable[Mapping[str, str | None]]) -> tuple[ExchangeRate, ...]:
    """Turn rows into rates with their spans of days; rows are counted from 1."""
    read = sorted((_read_rate(f"{place}, row {number}", row), number) for number, row in enumerate(rows, start=1))
    for (earlier, first), (later, second) in pairwise(read):
        if (earlier.currency, earlier.valid_from) == (later.currency, later.valid_from):
            raise DataError(
                f"{place}: {later.currency} has two rates from {later.valid_from} on, {earlier.rate.normalize():f} in "
                f"row {first} and {later.rate.normalize():f} in row {second}",
                "keep one of them.",
            )
    rates = [rate for rate, _ in read]
    following = [*rates[1:], *([None] if rates else [])]
    return tuple(
        ExchangeRate(rate.currency, rate.valid_from, min(rate.valid_until, later.valid_from), rate.rate)
        if later is not None and later.currency == rate.currency
        else rate
        for rate, later in zip(rates, following, strict=True)
    )


def _read_rate(place: str, row: Mapping[str, str | None]) -> ExchangeRate:
    currency = (row.get("currency") or "").strip().upper()
    if not currency:
        raise DataError(f"{place}: currency is empty", "write for example GBP.")
    valid_from, valid_until = _read_span(place, row)
    return ExchangeRate(currency, valid_from, valid_until, _read_number(place, (row.get("rate") or "").strip()))


def _read_span(place: str, row: Mapping[str, str | None]) -> tuple[dt.date, dt.date]:
    given = {name: text for name in _STARTS if (text := (row.get(name) or "").strip())}
    if len(given) != 1:
        raise DataError(f"{place}: one of month and valid_from has to be given", "write 2025-06 or 2025-06-01.")
    ((name, text),) = given.items()
    form = {"month": r"\d{4}-\d{2}", "valid_from": r"\d{4}-\d{2}-\d{2}"}[name]
    try:
        if not re.fullmatch(form, text):
            raise ValueError(text)
        if name == "valid_from":
            return dt.date.fromisoformat(text), _OPEN_END
        return dt.date.fromisoformat(f"{text}-01"), dt.date.fromisoformat(f"{shift_month(text, 1)}-01")
    except ValueError as problem:
        advice = {"month": "YYYY-MM", "valid_from": "YYYY-MM-DD"}[name]
        raise DataError(f"{place}: {name} '{text}' is none", f"write {advice}.") from problem


def _read_number(place: str, text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text):
        raise DataError(f"{place}: rate '{text}' is no number", "write it with a decimal point.")
    rate = Decimal(text)
    smallest = Decimal(1).scaleb(-RATE_DECIMALS)
    if not smallest <= rate <= LARGEST_RATE:
        raise DataError(
            f"{place}: rate '{text}' is out of range",
            f"write what one unit is worth in the reporting currency, from {smallest:f} to {LARGEST_RATE:,}.",
        )
    return rate.quantize(smallest, ROUND_HALF_UP)
