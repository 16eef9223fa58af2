"""How numbers are written in a sample: which decimal mark they have, and what about them cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from segmentation_assets.ingestion.proposal.sample import Finding, SampledColumn, place, shown

MARKS = (".", ",")
LEAST_READ = 0.5
_NUMBER_TYPES = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*")
_MONEY = {mark: re.compile(rf"[+-]?([0-9]+{re.escape(mark)}?|[0-9]*{re.escape(mark)}[0-9]+)") for mark in MARKS}
_WHOLE = {mark: re.compile(rf"[+-]?[0-9]+({re.escape(mark)}0*)?") for mark in MARKS}
_DIGITS = re.compile(r"[+-]?[0-9]+")
_THREE_DIGITS = re.compile(r"[+-]?[0-9]{1,3}[.,][0-9]{3}")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([.,'\u2019 \xa0\u202f][0-9]{3})+([.,][0-9]*)?")


def is_number_type(dtype: str) -> bool:
    """Whether a type of a file holds numbers."""
    return bool(_NUMBER_TYPES.fullmatch(dtype))


def find_decimal(columns: Sequence[SampledColumn]) -> Finding[str] | None:
    """Find the decimal mark that reads the most of the numbers written as text.

    Parameters
    ----------
    columns : sequence of SampledColumn
        Columns that hold prices and other numbers.

    Returns
    -------
    Finding of str or None
        A guess where both marks read the numbers, or where what looks like a fraction could be thousands; ``None``
        where fewer than half are numbers under either mark.

    Examples
    --------
    >>> find_decimal([SampledColumn("Preis", "VARCHAR", ("2,55", "10"), (1, 2))])
    Finding(value=',', doubt='', others=())
    """
    texts = [text for column in columns if column.is_text for text in column.texts]
    if not texts:
        return Finding(".")
    read = {mark: sum(bool(_MONEY[mark].fullmatch(text)) for text in texts) for mark in MARKS}
    best = max(MARKS, key=lambda mark: read[mark])
    if read[best] < LEAST_READ * len(texts):
        return None
    if read["."] == read[","]:
        return Finding(".", "the sample holds whole numbers only, so neither mark was seen; else ','", MARKS)
    fractions = [text for text in texts if _MONEY[best].fullmatch(text) and not _DIGITS.fullmatch(text)]
    if all(_THREE_DIGITS.fullmatch(text) for text in fractions):
        doubt = f"every fraction has three digits, such as {shown(fractions[0])}, so {best!r} may divide thousands"
        return Finding(best, f"{doubt}; thousands marks cannot be read, export without them", MARKS)
    if read[best] < len(texts) and min(read.values()) > sum(bool(_DIGITS.fullmatch(text)) for text in texts):
        return Finding(best, f"some numbers of the sample are written with {_other(best)!r}; one table has one", MARKS)
    return Finding(best)


def unread_numbers(column: SampledColumn, decimal: str, *, is_whole: bool) -> tuple[tuple[int | None, str], ...]:
    """List row and text of the values that are no number in the notation.

    Parameters
    ----------
    column : SampledColumn
    decimal : str
        Decimal mark.
    is_whole : bool
        Whether a fraction, too, is refused.

    Returns
    -------
    tuple of (int or None, str)

    Examples
    --------
    >>> unread_numbers(SampledColumn("Menge", "VARCHAR", ("6", "6,5"), (1, 2)), ",", is_whole=True)
    ((2, '6,5'),)
    """
    pattern = (_WHOLE if is_whole else _MONEY)["." if is_number_type(column.dtype) else decimal]
    return tuple((row, text) for row, text in column.given if not pattern.fullmatch(_without_noise(column, text)))


def number_doubt(column: SampledColumn, decimal: str, *, is_whole: bool) -> str:
    """Say which values cannot be read and what to do about it; empty where all can."""
    unread = unread_numbers(column, decimal, is_whole=is_whole)
    if not unread:
        return ""
    row, text = unread[0]
    said = (
        f"{len(unread):,} of {len(column.given):,} sampled values are no {'whole ' if is_whole else ''}number, such as"
    )
    advice = "export it without thousands marks" if _GROUPED.fullmatch(text) else "such rows are set aside"
    if re.search(r"[€$£¥]|[0-9] ?[A-Z]{3}$|^[A-Z]{3} ?[0-9]", text):
        advice = "export it without the currency"
    return f"{said} {place(row)}: {shown(text)}; {advice}"


def to_number(text: str, decimal: str) -> float | None:
    """Read a number; ``None`` where it is none.

    Examples
    --------
    >>> to_number("-2,5", ","), to_number("C2", ",")
    (-2.5, None)
    """
    return float(text.replace(",", ".")) if _MONEY[decimal].fullmatch(text) else None


def _without_noise(column: SampledColumn, text: str) -> str:
    """Round what a binary fraction adds, and write large and small ones plainly."""
    if column.dtype not in ("DOUBLE", "FLOAT"):
        return text
    try:
        return f"{float(text):.6f}".rstrip("0")
    except ValueError:
        return text


def _other(mark: str) -> str:
    return MARKS[1 - MARKS.index(mark)]
