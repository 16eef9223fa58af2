"""Cells of a workbook that hold an error such as #N/A: the reading library leaves them empty, which would hide them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePosixPath
from typing import IO, Any
from xml.etree import ElementTree as ET

UNREADABLE = (zipfile.BadZipFile, zipfile.LargeZipFile, ET.ParseError, EOFError, KeyError)
"""What looking into a damaged workbook raises."""

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_CHUNK_BYTES = 1 << 20
_ERROR_MARK = re.compile(rb"""\st\s*=\s*["']e["']""")
_LONGEST_MARK = 64

Errors = dict[int, dict[int, str]]
"""Row and column of a cell, both from 0, and the text of its error."""


def error_cells(path: Path, sheet: str) -> Errors:
    """Find the cells of a sheet that hold an error.

    Parameters
    ----------
    path : Path
        Workbook in the format of Excel 2007 and later.
    sheet : str

    Returns
    -------
    dict of int to dict of int to str
        Row and column from 0, and the text of the error.

    Notes
    -----
    The sheet is only taken apart where it holds the mark of an error at all.
    """
    with zipfile.ZipFile(path) as archive:
        member = _sheet_member(archive, sheet)
        errors: Errors = {}
        if _has_error(archive, member):
            with archive.open(member) as stream:
                for row, column, text in _scan(stream):
                    errors.setdefault(row, {})[column] = text
        return errors


def with_errors(rows: Iterator[list[Any]], errors: Errors, start: tuple[int, int]) -> Iterator[list[Any]]:
    """Put the texts of error cells into their rows.

    Parameters
    ----------
    rows : iterator of lists
        Rows from the first of the sheet on, with the columns from `start` on.
    errors : dict
        As `error_cells`.
    start : tuple of (int, int)
        Row and column of the first used cell, from 0.
    """
    if not errors:
        return rows
    return (_overlaid(row, errors[number], start[1]) if number in errors else row for number, row in enumerate(rows))


def _overlaid(row: list[Any], errors: dict[int, str], first_column: int) -> list[Any]:
    return [errors.get(place, cell) for place, cell in enumerate(row, start=first_column)]


def _sheet_member(archive: zipfile.ZipFile, sheet: str) -> str:
    """Name the file of a sheet within the workbook."""
    sheets = _tree(archive, _WORKBOOK).iterfind("{*}sheets/{*}sheet")
    relation = {str(item.get("name")): _relation_id(item) for item in sheets}[sheet]
    listed = _tree(archive, _RELATIONS).iterfind("{*}Relationship")
    target = {str(item.get("Id")): str(item.get("Target")) for item in listed}[relation]
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


def _tree(archive: zipfile.ZipFile, member: str) -> ET.Element:
    return ET.fromstring(archive.read(member))  # noqa: S314 - the parser bounds the expansion of entities


def _relation_id(item: ET.Element) -> str:
    return next(value for name, value in item.items() if name.endswith("}id"))


def _has_error(archive: zipfile.ZipFile, member: str) -> bool:
    with archive.open(member) as stream:
        tail = b""
        while chunk := stream.read(_CHUNK_BYTES):
            if _ERROR_MARK.search(tail + chunk):
                return True
            tail = chunk[-_LONGEST_MARK:]
    return False


def _scan(stream: IO[bytes]) -> Iterator[tuple[int, int, str]]:
    """Yield row, column and text of each error; a row or cell without a reference follows the one before."""
    row, columns = -1, count()
    for event, item in ET.iterparse(stream, events=("start", "end")):  # noqa: S314 - as above
        name = item.tag.rpartition("}")[2]
        if name == "row" and event == "start":
            row = int(item.get("r", row + 2)) - 1
            columns = count()
        elif name == "row":
            item.clear()
        elif name == "c" and event == "end":
            reference = item.get("r")
            column = _column_number(reference) if reference else next(columns)
            columns = count(column + 1)
            if item.get("t") == "e":
                yield row, column, item.findtext("{*}v") or "#ERROR"


def _column_number(reference: str) -> int:
    """Return the column of a cell reference such as AB7, from 0."""
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
