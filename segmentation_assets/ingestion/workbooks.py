"""Excel workbooks: each sheet is a part of its own, and none is passed over in silence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError, closest_hint, noun, plural
from segmentation_assets.ingestion.cells import Row, part_of_cells
from segmentation_assets.ingestion.columns import find_columns
from segmentation_assets.ingestion.error_cells import UNREADABLE, error_cells, with_errors
from segmentation_assets.ingestion.parts import ReadablePart, Reader, empty_part

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_log = logging.getLogger("segmentation_assets.ingestion")

_OLD_FORMAT = bytes.fromhex("d0cf11e0a1b11ae1")


def open_workbook(reader: Reader, name: str, first_index: int) -> list[ReadablePart]:
    """Make a part of every sheet of a workbook, or of those that the settings name.

    Parameters
    ----------
    reader : Reader
    name : str
        Path of the workbook below the delivery folder.
    first_index : int
        Place of the first sheet among all parts of the table.

    Returns
    -------
    list of ReadablePart
        In the order of the workbook. Hidden sheets are among them; an empty sheet is a part without a row.

    Raises
    ------
    DataError
        The workbook cannot be read, holds nothing, or lacks a named sheet; a sheet lacks a mapped column.

    Notes
    -----
    The header is the first row with a value; rows are numbered from 1 below it. A sheet is read into memory once, and
    its rows pass on in batches.
    """
    from python_calamine import SheetVisibleEnum

    path = reader.folder / name
    workbook = load_workbook(path, name)
    sheets = _sheets(reader, name, workbook)
    parts = [
        _open_sheet(reader, path, workbook, sheet, f"{name}[{sheet}]", first_index + place)
        for place, sheet in enumerate(sheets)
    ]
    if all(part is None for part in parts):
        raise DataError(f"{name} holds no value in any of its sheets", "deliver it again, or remove it.")
    hidden = {sheet.name for sheet in workbook.sheets_metadata if sheet.visible != SheetVisibleEnum.Visible}
    return [
        replace(part or empty_part(reader, f"{name}[{sheet}]", first_index + place), is_hidden=sheet in hidden)
        for place, (part, sheet) in enumerate(zip(parts, sheets, strict=True))
    ]


def load_workbook(path: Path, name: str) -> CalamineWorkbook:
    """Load a workbook; `name` is what messages call it."""
    from python_calamine import CalamineError, CalamineWorkbook

    with path.open("rb") as stream:
        if stream.read(len(_OLD_FORMAT)) == _OLD_FORMAT:
            raise DataError(
                f"{name} is protected by a password, or has the format of Excel before 2007",
                "save it as .xlsx without a password.",
            )
    try:
        return CalamineWorkbook.from_path(path)
    except CalamineError as problem:
        raise _unreadable(name, problem) from problem


def _unreadable(name: str, problem: object) -> DataError:
    return DataError(f"{name} is not a readable workbook, or not all of it has arrived: {problem}", "deliver it again.")


def _sheets(reader: Reader, name: str, workbook: CalamineWorkbook) -> list[str]:
    """List the sheets to read, and say which are hidden, not asked for, or no table."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    found = {sheet.name: sheet for sheet in workbook.sheets_metadata}
    wanted = reader.mapping.sheets
    for sheet in wanted or ():
        if sheet not in found:
            raise DataError(
                f"{name} has no sheet '{sheet}', which {reader.setting}.sheets names", closest_hint(sheet, found)
            )
    for sheet, facts in found.items():
        if facts.typ != SheetTypeEnum.WorkSheet:
            _log.info("%s: sheet '%s' is no table and is not read", name, sheet)
        elif wanted is not None and sheet not in wanted:
            _log.info("%s: sheet '%s' is not among %s.sheets and is not read", name, sheet, reader.setting)
        elif facts.visible != SheetVisibleEnum.Visible:
            _log.warning("%s: sheet '%s' is hidden, and is read like the others", name, sheet)
    return [
        sheet
        for sheet, facts in found.items()
        if facts.typ == SheetTypeEnum.WorkSheet and (wanted is None or sheet in wanted)
    ]


def _open_sheet(
    reader: Reader, path: Path, workbook: CalamineWorkbook, sheet: str, name: str, index: int
) -> ReadablePart | None:
    """Make the part of one sheet; none where it holds no value."""
    rows = open_sheet(path, workbook, sheet, name)
    if rows is None:
        _log.warning("%s holds no value", name)
        return None
    columns = _find(reader, name, rows.header)
    places = [rows.header.index(column) for column in columns.values()]
    part = part_of_cells(reader, name, index, columns, rows.below, places, is_workbook=True)
    _log.info("%s: read with %s below its first", name, plural(rows.height, "row"))
    return part


@dataclass(frozen=True)
class SheetRows:
    """The texts of the header of a sheet, the rows below it, to be read once, and at most how many they are."""

    header: list[str]
    below: Iterator[Row]
    height: int


def open_sheet(path: Path, workbook: CalamineWorkbook, sheet: str, name: str) -> SheetRows | None:
    """Find the header of a sheet and open its rows; none where it holds no value."""
    from python_calamine import CalamineError

    try:
        found = workbook.get_sheet_by_name(sheet)
        errors = error_cells(path, sheet)
    except (CalamineError, *UNREADABLE) as problem:
        raise _unreadable(name, problem) from problem
    if errors:
        count = sum(len(cells) for cells in errors.values())
        words = f"{plural(count, 'cell')} {noun(count, 'holds', 'hold')}"
        _log.warning("%s: %s an error such as #N/A, which is taken as text", name, words)
    rows = with_errors(found.iter_rows(), errors, found.start or (0, 0))
    first = next((row for row in rows if row.count("") < len(row)), None)
    return None if first is None else SheetRows([_header_text(cell) for cell in first], rows, found.height - 1)


def _find(reader: Reader, name: str, header: list[str]) -> dict[str, str]:
    try:
        return find_columns(reader.table, reader.mapping, name, [text for text in header if text])
    except DataError as problem:
        if reader.mapping.sheets is not None:
            raise
        hint = f"{problem.hint} If the sheet is no data, list those to read in {reader.setting}.sheets."
        raise DataError(problem.message, hint) from problem


def _header_text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
