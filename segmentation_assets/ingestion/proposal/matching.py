"""Which delivered table a file holds, and which of its columns is which of ours: names first, then values."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from segmentation_assets.config.source import DELIVERED_COLUMNS
from segmentation_assets.errors import noun
from segmentation_assets.ingestion.proposal.dates import read_dates
from segmentation_assets.ingestion.proposal.numbers import (
    LEAST_READ,
    MARKS,
    find_decimal,
    is_number_type,
    unread_numbers,
)
from segmentation_assets.ingestion.proposal.sample import FileSample, Finding, SampledColumn, shown
from segmentation_assets.ingestion.proposal.synonyms import closest_header, normalised, strength_of
from segmentation_assets.tables.raw import TABLES

Kind = Literal["id", "whole", "money", "instant", "text"]

_TABLE_COLUMNS = {table.key: table.columns for table in TABLES}
_KIND_OF_TYPE: dict[str, Kind] = {
    "BIGINT": "whole",
    "INTEGER": "whole",
    "DECIMAL(18,4)": "money",
    "TIMESTAMP": "instant",
    "DATE": "instant",
}
_KEYS = {"customers": "customer_id", "products": "product_id"}
_LEAST_DISTINCT = 0.95
_LEAST_ORDER_LINE_COLUMNS = 3
_PRICE_LIKE = re.compile(r"[+-]?[0-9]*[.,](?!0+$)[0-9]{1,4}")
_MOST_CHECKED = 200
_MOST_OFFERED = 3
_COUNT = re.compile(r"[1-9][0-9]{0,2}|0")
_LEAST_IDS = 0.05
_IN_THE_EXPORT = {
    "order_id": "where each row is an order of its own, number the rows in the export",
    "product_id": "where the file knows no products, add a column with one code in the export",
    "quantity": "where the file counts no pieces, add a column of ones in the export",
}
"""Our column → what to do in the export where nothing in the file comes close."""

_IF_TOTAL = "; a total has to be divided by the quantity in the export"


@dataclass(frozen=True)
class TableMatch:
    """A file read as one of the delivered tables.

    Parameters
    ----------
    table : str
        Delivered table, such as ``order_lines``.
    columns : mapping of str to Finding of SampledColumn
        Our column → the column of the file.
    missing : mapping of str to str
        Required columns that were not found → what comes closest, as a sentence; empty where nothing does.
    refused : mapping of str to str
        Our optional columns whose name was found but whose values do not fit → why.
    """

    table: str
    columns: Mapping[str, Finding[SampledColumn]]
    missing: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> SampledColumn | None:
        """Return the column of the file that one of ours is mapped to."""
        return self.columns[name].value if name in self.columns else None

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the file of the mapped columns."""
        return tuple(finding.value.name for finding in self.columns.values())


def match_file(sample: FileSample, today: dt.date) -> TableMatch | None:
    """Find out which delivered table a file holds.

    Parameters
    ----------
    sample : FileSample
    today : date

    Returns
    -------
    TableMatch or None
        Of the tables whose required columns are all there, and order lines where at least three of their six are, the
        one with the most mapped columns, where a missing one takes two away; ``None`` where there is no such table.
        A file with order ids and order dates holds neither customers nor products.
    """
    orders, *others = (match_table(sample, table, today) for table in DELIVERED_COLUMNS)
    names_orders = {"order_id", "order_at"} <= set(orders.columns)
    possible = [
        match
        for match in others
        if not match.missing and len(match.columns) > 1 and not (names_orders and match.table in _KEYS)
    ]
    if len(DELIVERED_COLUMNS["order_lines"][0]) - len(orders.missing) >= _LEAST_ORDER_LINE_COLUMNS:
        possible.insert(0, orders)
    return max(possible, key=lambda match: len(match.columns) - 2 * len(match.missing), default=None)


def match_table(sample: FileSample, table: str, today: dt.date) -> TableMatch:
    """Map the columns of a file to those of one delivered table.

    Parameters
    ----------
    sample : FileSample
    table : str
    today : date

    Returns
    -------
    TableMatch

    Notes
    -----
    Names that say plainly what they are come first, then those that may mean it; a column of the file is mapped once,
    and only where its values fit. A name that stands twice in the header is never mapped.
    """
    required, optional = DELIVERED_COLUMNS[table]
    usable = _usable_columns(sample)
    found: dict[str, Finding[SampledColumn]] = {}
    misfits: dict[str, str] = {}
    for strength in ("plain", "loose"):
        for name in (*required, *optional):
            taken = {finding.value.name for finding in found.values()}
            free = [column for column in usable if column.name not in taken]
            named = [column for column in free if _strength(table, name, column.name) == strength]
            if name not in found and named:
                _take(found, misfits, table, name, named, today)
    missing = {
        name: misfits.get(name) or _nearest(table, name, sample, found, today) for name in required if name not in found
    }
    refused = {name: misfits[name] for name in optional if name in misfits and name not in found}
    ordered = {name: found[name] for name in (*required, *optional) if name in found}
    return TableMatch(table, ordered, missing, refused)


def repeated_ids(sample: FileSample, today: dt.date) -> str:
    """Say of a file that would hold customers or products, but for ids that repeat, how often they do; else nothing.

    Parameters
    ----------
    sample : FileSample
    today : date

    Returns
    -------
    str
        With what to do; empty where it is another kind of file.
    """
    for table, key in _KEYS.items():
        match = match_table(sample, table, today)
        named = [column for column in _usable_columns(sample) if _strength(table, key, column.name) != "none"]
        fitting = [column for column in named if column.texts and not misfit(column, "id", today)]
        if match.columns and fitting and match.missing.keys() == {key}:
            names = ", ".join(map(shown, (fitting[0].name, *match.names)))
            one = table.removesuffix("s")
            return (
                f"columns of {table} ({names}), but {_repeats(fitting[0])}; leave one row for each {one} in the export"
            )
    return ""


def _repeats(column: SampledColumn) -> str:
    """Say how many values of a column repeat an earlier one."""
    counts = Counter(column.texts)
    total, repeated = counts.total(), counts.total() - len(counts)
    [(example, rows)] = counts.most_common(1)
    return (
        f"{repeated:,} of {total:,} values of {shown(column.name)} {noun(repeated, 'repeats', 'repeat')} an earlier one"
        f", such as {shown(example)}, which stands in {rows:,} rows"
    )


def kind_of(table: str, name: str) -> Kind:
    """Return what kind of values one of our columns holds.

    Examples
    --------
    >>> kind_of("order_lines", "quantity"), kind_of("customers", "registered_on")
    ('whole', 'instant')
    """
    if name.endswith("_id"):
        return "id"
    column = next(column for column in _TABLE_COLUMNS[f"raw/{table}"] if column.name == name)
    return _KIND_OF_TYPE.get(column.dtype, "text")


def misfit(column: SampledColumn, kind: Kind, today: dt.date) -> str:
    """Say why the values of a column cannot be of a kind; empty where they can.

    Examples
    --------
    >>> prices = SampledColumn("Number", "VARCHAR", ("2.55", "3.39"), (1, 2))
    >>> print(misfit(prices, "id", dt.date(2024, 1, 1)))
    its values, such as '2.55', look like prices
    """
    given = column.given
    if not given:
        return "" if kind in ("id", "text") else "it holds no value in the sample"
    example = f"its values, such as {shown(given[0][1])},"
    if kind == "instant":
        fits = column.dtype == "DATE" or column.dtype.startswith("TIMESTAMP")
        return "" if fits or _reads_as_dates(column, today) else f"{example} are no dates in a format that is known"
    if kind in ("whole", "money"):
        least = min(len(unread_numbers(column, mark, is_whole=kind == "whole")) for mark in MARKS)
        return "" if least <= (1 - LEAST_READ) * len(given) else f"{example} are no {_plural(kind)}"
    return _id_misfit(column, example, today) if kind == "id" else ""


def _id_misfit(column: SampledColumn, example: str, today: dt.date) -> str:
    if _looks_like_prices(column):
        return f"{example} look like prices"
    texts = column.texts[:_MOST_CHECKED]
    is_date = column.dtype == "DATE" or column.dtype.startswith("TIMESTAMP")
    has_marks = any(mark in texts[0][1:] for mark in "-/.: ") and any(character.isdigit() for character in texts[0])
    if is_date or (has_marks and not is_number_type(column.dtype) and _reads_as_dates(column, today)):
        return f"{example} look like dates"
    return ""


def _looks_like_prices(column: SampledColumn) -> bool:
    texts = column.texts[:_MOST_CHECKED]
    return sum(bool(_PRICE_LIKE.fullmatch(text)) for text in texts) > LEAST_READ * len(texts)


def _reads_as_dates(column: SampledColumn, today: dt.date) -> bool:
    return column.is_text and read_dates(column.given[:_MOST_CHECKED], today) is not None


def _plural(kind: Kind) -> str:
    return "whole numbers" if kind == "whole" else "numbers"


def _usable_columns(sample: FileSample) -> list[SampledColumn]:
    """List the columns whose name stands once and is not blank."""
    counts = Counter(sample.header)
    return [column for column in sample.columns if column.name.strip() and counts[column.name] == 1]


def _strength(table: str, name: str, header: str) -> str:
    """Say how well a name fits; a bare 'id' names the rows of its own table."""
    if normalised(header) == "id" and _KEYS.get(table) != name:
        return "none"
    return strength_of(name, header)


def _take(
    found: dict[str, Finding[SampledColumn]],
    misfits: dict[str, str],
    table: str,
    name: str,
    named: Sequence[SampledColumn],
    today: dt.date,
) -> None:
    """Map one of our columns to the first of the columns named like it whose values fit."""
    reasons = {column.name: _reason_against(table, name, column, today) for column in named}
    fitting = [column for column in named if not reasons[column.name]]
    if not fitting:
        refused = named[0].name
        misfits.setdefault(name, f"{shown(refused)} is named like it, but {reasons[refused]}")
        return
    best, *others = fitting
    doubts = []
    if others:
        doubts.append(f"else {' or '.join(shown(column.name) for column in others)}, named alike")
    if strength_of(name, best.name) == "loose":
        doubts.append("the name may mean something else")
    if not best.given:
        doubts.append("the sample holds no value of it")
    found[name] = Finding(best, "; ".join(doubts), tuple(fitting) if others else ())


def _reason_against(table: str, name: str, column: SampledColumn, today: dt.date) -> str:
    reason = misfit(column, kind_of(table, name), today)
    if reason or _KEYS.get(table) != name:
        return reason
    texts = column.texts
    is_key = len(set(texts)) >= _LEAST_DISTINCT * len(texts)
    return "" if is_key else f"its values, such as {shown(texts[0])}, stand in several rows"


def _nearest(
    table: str, name: str, sample: FileSample, found: Mapping[str, Finding[SampledColumn]], today: dt.date
) -> str:
    """Name what comes closest to a column that was not found, by name or else by its values."""
    twice = sorted(header for header, count in Counter(sample.header).items() if count > 1)
    double = next((header for header in twice if strength_of(name, header) != "none"), None)
    if double is not None:
        return f"{shown(double)} stands {sample.header.count(double)} times in the header; let each name stand once"
    taken = {finding.value.name for finding in found.values()}
    free = [column for column in _usable_columns(sample) if column.name not in taken]
    closest = closest_header(name, [column.name for column in free])
    if closest is not None:
        return f"the closest name is {shown(closest)}"
    kind = kind_of(table, name)
    fitting = [column for column in free if not misfit(column, kind, today) and not (kind == "id" and _counts(column))]
    if kind == "money":
        fitting = [column for column in fitting if _looks_like_prices(column)] or fitting
    offered = " or ".join(shown(column.name) for column in fitting[:_MOST_OFFERED])
    if not offered:
        return _IN_THE_EXPORT.get(name, "")
    return f"by its values it could be {offered}" + (_IF_TOTAL if kind == "money" else "")


def _counts(column: SampledColumn) -> bool:
    """Whether a column holds small numbers that come again and again, as a quantity does and an id does not."""
    texts = column.texts
    return len(set(texts)) < _LEAST_IDS * len(texts) and all(_COUNT.fullmatch(text) for text in texts)


def find_decimal_of(match: TableMatch) -> Finding[str]:
    """Find the decimal mark of the mapped numbers of a table; prices decide, then the other numbers."""
    kinds = {name: kind_of(match.table, name) for name in match.columns}
    for kind in ("money", "whole"):
        columns = [match.columns[name].value for name in kinds if kinds[name] == kind]
        found = find_decimal(columns) if columns else None
        if found is not None:
            return found
    return Finding(".")
