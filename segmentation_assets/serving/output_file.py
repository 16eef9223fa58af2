"""What was scored, as CSV, Parquet or Excel: written beside its place and then put there whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.reporting.formatting import strip_control
from segmentation_assets.reporting.tabular import FORMULA_STARTS
from segmentation_assets.storage.engine import (
    Connection,
    copy_to_parquet,
    fetch_row,
    parquet_scan,
    quote_identifier,
    quote_text,
)
from segmentation_assets.storage.text_files import placed_whole

MOST_EXCEL_ROWS = 1_048_575
"""Rows of a sheet of Excel, less the header."""

_ROWS_AT_ONCE = 10_000


def check_output(target: Path, source: Path) -> None:
    """Refuse what cannot be written, before anything is computed.

    Raises
    ------
    SettingsError
        The name does not end in a known kind, its folder is not there, or it is the input.
    """
    if target.suffix.lower() not in _WRITERS:
        raise SettingsError(
            f"'{target.name}' does not say how to write it", f"end the name in one of {', '.join(sorted(_WRITERS))}."
        )
    if not target.parent.is_dir():
        raise SettingsError(f"there is no folder {target.parent}", "make it first, or name another one.")
    for written in (target, set_aside_path(target)):
        if written.is_dir():
            raise SettingsError(f"{written} is a folder", "name a file as output.")
        if written.exists() and source.exists() and written.samefile(source):
            raise SettingsError(f"{written} is the input, and would be replaced", "name another file as output.")


def set_aside_path(target: Path) -> Path:
    """File with the lines that were set aside, beside an output."""
    return target.with_name(f"{target.stem}.set_aside.csv")


def write_output(connection: Connection, relation: str, target: Path, set_aside: Path | None) -> Path | None:
    """Write the rows, and beside them the lines that were set aside.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression.
    target : Path
        As `check_output` accepts it; an existing file is replaced, with the one of lines set aside.
    set_aside : Path or None
        Parquet.

    Returns
    -------
    Path or None
        File with the lines that were set aside: ``<name>.set_aside.csv``.

    Raises
    ------
    DataError
        There are more rows than Excel can hold.
    """
    _write_whole(connection, relation, target, _WRITERS[target.suffix.lower()])
    beside = set_aside_path(target)
    if set_aside is None:
        beside.unlink(missing_ok=True)
        return None
    _write_whole(connection, parquet_scan([set_aside]), beside, _write_csv)
    return beside


def _write_whole(
    connection: Connection, relation: str, target: Path, write: Callable[[Connection, str, Path], None]
) -> None:
    with placed_whole(target) as draft:
        write(connection, relation, draft)


def _write_parquet(connection: Connection, relation: str, path: Path) -> None:
    copy_to_parquet(connection, f"SELECT * FROM {relation}", path)


def _write_csv(connection: Connection, relation: str, path: Path) -> None:
    """Write CSV; a text that a spreadsheet would run as a formula gets an apostrophe."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    starts = ", ".join(f"chr({ord(mark)})" for mark in FORMULA_STARTS)
    columns = ", ".join(
        f"CASE WHEN left({name}, 1) IN ({starts}) THEN '''' || {name} ELSE {name} END AS {name}"
        if dtype == "VARCHAR"
        else name
        for name, dtype in ((quote_identifier(str(row[0])), str(row[1])) for row in described)
    )
    connection.execute(f"COPY (SELECT {columns} FROM {relation}) TO {quote_text(str(path))} (FORMAT csv, HEADER true)")


def _write_workbook(connection: Connection, relation: str, path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    (count,) = fetch_row(connection, f"SELECT count(*) FROM {relation}")
    if count > MOST_EXCEL_ROWS:
        raise DataError(f"{count:,} rows are more than a sheet of Excel holds", "end the name in .parquet or .csv.")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("predictions")

    def text(value: object, *, is_bold: bool = False) -> object:
        cell = WriteOnlyCell(sheet)
        cell.value = strip_control(str(value))
        cell.data_type = "s"
        if is_bold:
            cell.font = Font(bold=True)
        return cell

    found = connection.execute(f"SELECT * FROM {relation}")
    names = [str(column[0]) for column in found.description or ()]
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{_letter(len(names))}{count + 1}"
    for position, name in enumerate(names, start=1):
        sheet.column_dimensions[_letter(position)].width = max(len(name) + 2, 12)
    sheet.append([text(name, is_bold=True) for name in names])
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        for row in rows:
            sheet.append([text(value) if isinstance(value, str) else value for value in row])
    book.save(path)


def _letter(position: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(position))


_WRITERS: dict[str, Callable[[Connection, str, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_workbook,
}
