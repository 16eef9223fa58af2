"""Rows of single values, as a workbook or a database hands them over, written as text and read back as typed columns.

A column whose values are all numbers or all dates keeps that type; where kinds are mixed, each value becomes the text
that it would be in a CSV file of the same notation. What a value means is decided in `parsing.py`.
"""

from __future__ import annotations

import csv
import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from segmentation_assets.ingestion.parsing import EXACT_WHOLE
from segmentation_assets.ingestion.parts import ReadablePart, Reader, make_part
from segmentation_assets.storage.engine import quote_text
from segmentation_assets.tables.declaration import Column

_log = logging.getLogger("segmentation_assets.ingestion")

_ROWS_AT_ONCE = 10_000
_FIRST_ROUNDED_IN_WORKBOOKS = 10**15
_NUMBERS = ("BIGINT", "INTEGER", "DECIMAL(18,4)")

Row = Sequence[object]


def part_of_cells(
    reader: Reader,
    name: str,
    index: int,
    columns: Mapping[str, str],
    rows: Iterator[Row],
    places: Sequence[int],
    *,
    is_workbook: bool = False,
) -> ReadablePart:
    """Write rows of single values to the scratch folder and make the part that reads them.

    Parameters
    ----------
    reader : Reader
    name : str
        Name of the part.
    index : int
        Place among all parts of the table.
    columns : mapping of str to str
        As `find_columns`.
    rows : iterator of sequences
        Values below the header: text, numbers, booleans, dates, times, bytes or None. Rows without any value are left
        out, but counted in the numbers of the rows after them.
    places : sequence of int
        Place in the row of each of the columns.
    is_workbook : bool
        Whether the values come from a program that has but one kind of number, of 15 digits.

    Returns
    -------
    ReadablePart
    """
    declared = {column.name: column for column in reader.table.columns}
    writers = [_ColumnWriter(reader, declared[column], is_workbook=is_workbook) for column in columns]
    path, row_count = reader.copy_path(index), 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for numbers, batch in _batches(rows):
            values = list(zip(*batch, strict=True))
            fields = [field for writer, place in zip(writers, places, strict=True) for field in writer(values[place])]
            out.writerows(zip(numbers, *fields, strict=True))
            row_count += len(batch)
    for writer, column in zip(writers, columns.values(), strict=True):
        writer.warn(name, column)
    sqls, types = zip(*(writer.typed(place) for place, writer in enumerate(writers)), strict=True)
    relation = _relation(path, len(writers))
    return make_part(reader, name, index, relation, columns, sqls, types, row_count=row_count, row="record_number")


def _batches(rows: Iterator[Row]) -> Iterator[tuple[list[int], list[Row]]]:
    """Yield the rows that hold a value, with their numbers from 1, in batches."""
    numbered = enumerate(rows, start=1)
    while batch := list(islice(numbered, _ROWS_AT_ONCE)):
        kept = [(number, row) for number, row in batch if row.count("") + row.count(None) < len(row)]
        if kept:
            yield [number for number, _ in kept], [row for _, row in kept]


def _relation(path: Path, width: int) -> str:
    fields = ["'record_number': 'BIGINT'"]
    fields += [f"'{kind}_{place}': 'VARCHAR'" for place in range(width) for kind in ("text", "date")]
    return (
        f"read_csv({quote_text(str(path))}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = '\\n', columns = {{{', '.join(fields)}}})"
    )


class _ColumnWriter:
    """Turns the values of one column into two columns of text, dates apart, and notes which kinds of values came."""

    def __init__(self, reader: Reader, column: Column, *, is_workbook: bool) -> None:
        self.kinds: set[str] = set()
        self.is_date = column.dtype in ("TIMESTAMP", "DATE")
        self._is_id = column.name.endswith("_id")
        self._is_plain = is_workbook and column.dtype == "VARCHAR"
        self._first_rounded = _FIRST_ROUNDED_IN_WORKBOOKS if is_workbook else EXACT_WHOLE["DOUBLE"]
        self._misplaced_dates = 0
        self._mark = reader.mapping.decimal if column.dtype in _NUMBERS else "."
        self._date_format = reader.mapping.date_format
        self._nulls = {"", *(text.strip() for text in reader.mapping.null_values)}
        self._writers: dict[type, Callable[[Any], str]] = {
            type(None): lambda _: "",
            str: self._text,
            float: self._number,
            int: self._whole,
            bool: lambda value: self._text(str(value).upper()),
            bytes: lambda value: self._text(value.decode("utf-8", "backslashreplace")),
            dt.date: self._date,
            dt.datetime: self._date,
        }

    def __call__(self, values: Sequence[object]) -> tuple[list[str], list[str]]:
        writers = self._writers
        texts = [writers.get(type(value), self._other)(value) for value in values]
        dates = [str(value) if self.is_date and isinstance(value, dt.date) else "" for value in values]
        return texts, dates

    def warn(self, part: str, column: str) -> None:
        """Log what looks as if a program had turned values into others."""
        if self.is_date and {"date", "text"} <= self.kinds:
            _log.warning("%s: column '%s' holds dates and texts; the texts are read by date_format", part, column)
        if self._misplaced_dates:
            _log.warning(
                "%s: column '%s' holds %d dates, which are taken as text; Excel turns codes such as 3-5 into dates",
                part,
                column,
                self._misplaced_dates,
            )

    def typed(self, place: int) -> tuple[str, str]:
        """Make the SQL of the column, and its DuckDB type."""
        text, date = f"text_{place}", f"CAST(date_{place} AS TIMESTAMP)"
        if self.kinds == {"date"}:
            return date, "TIMESTAMP"
        if "date" in self.kinds:
            return f"CASE WHEN date_{place} IS NULL THEN {text} ELSE {self._date_text(date)} END", "VARCHAR"
        if "number" in self.kinds and self.kinds <= {"number", "plain"}:
            return f"CAST(replace({text}, {quote_text(self._mark)}, '.') AS DOUBLE)", "DOUBLE"
        if self.kinds == {"whole"}:
            return f"CAST({text} AS HUGEINT)", "HUGEINT"
        return text, "VARCHAR"

    def _date_text(self, date: str) -> str:
        """Write a date in the declared format where that keeps all of it, else in full."""
        date_format = quote_text(self._date_format)
        written = f"strftime({date}, {date_format})"
        keeps = "false" if "%z" in self._date_format else f"try_strptime({written}, {date_format}) = {date}"
        return f"CASE WHEN {keeps} THEN {written} ELSE CAST({date} AS VARCHAR) END"

    def _text(self, value: str) -> str:
        if value.strip() in self._nulls:
            return ""
        self.kinds.add("text")
        return value

    def _number(self, value: float) -> str:
        """Write a number without decimals where it is whole, else with the 15 digits that Excel keeps.

        An id with more digits than were kept is written so that it is known as rounded.
        """
        if self._is_id and self._first_rounded <= abs(value) < float("inf"):
            return self._text(f"{value:.15g}")
        is_whole = value.is_integer()
        self.kinds.add("plain" if self._is_plain and (is_whole or not self._is_id) else "number")
        if is_whole:
            return str(int(value))
        text = f"{value:.15g}"
        if "e" in text:
            text = f"{Decimal(text):f}"
        return text.replace(".", self._mark)

    def _whole(self, value: int) -> str:
        self.kinds.add("whole")
        return str(value)

    def _date(self, value: dt.date) -> str:
        if self.is_date:
            self.kinds.add("date")
            return ""
        self._misplaced_dates += 1
        return self._text(str(value))

    def _other(self, value: object) -> str:
        return self._text(str(value))
