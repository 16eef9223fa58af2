"""Samples of files that hold several tables: the sheets of a workbook, the tables of a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.databases import (
    attached,
    connect_sqlite,
    duckdb_relation,
    duckdb_tables,
    is_sqlite,
    sqlite_tables,
    unreadable,
)
from segmentation_assets.ingestion.proposal.rows import (
    HEADER_ROWS,
    Record,
    make_columns,
    refuse_late_header,
    row_runs,
    sample_relation,
)
from segmentation_assets.ingestion.proposal.sample import FileSample
from segmentation_assets.ingestion.workbooks import load_workbook, open_sheet
from segmentation_assets.storage.engine import Engine, EngineError, quote_identifier

if TYPE_CHECKING:
    import sqlite3

    from python_calamine import CalamineWorkbook


def sample_workbook(path: Path, scratch: Path) -> list[FileSample]:
    """Sample every sheet that holds a value, also one that is a header, or a remark, and no more.

    Parameters
    ----------
    path, scratch : Path

    Returns
    -------
    list of FileSample
        In the order of the workbook, hidden sheets among them, as they are read too.

    Raises
    ------
    DataError
        The workbook cannot be read, or no sheet has rows.
    """
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    workbook = load_workbook(path, path.name)
    sheets = {
        sheet.name: sheet.visible != SheetVisibleEnum.Visible
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet
    }
    samples = ((_sample_sheet(path, workbook, sheet), is_hidden) for sheet, is_hidden in sheets.items())
    return _with_rows(path, "sheet", (sample and replace(sample, is_hidden=is_hidden) for sample, is_hidden in samples))


def sample_database(path: Path, scratch: Path) -> list[FileSample]:
    """Sample every table of a DuckDB or SQLite file that has rows; views are not looked at, as they are not read.

    Parameters
    ----------
    path, scratch : Path

    Returns
    -------
    list of FileSample
        By name of the table.

    Raises
    ------
    DataError
        The file is no such database, cannot be read, has changes that are not in it yet, or no table has rows.
    """
    reader = _sample_sqlite if is_sqlite(path, path.name) else _sample_duckdb
    return _with_rows(path, "table", reader(path, scratch))


def _with_rows(path: Path, noun: str, samples: Iterable[FileSample | None]) -> list[FileSample]:
    found = [sample for sample in samples if sample is not None]
    if not any(sample.row_count for sample in found):
        raise DataError(f"{path.name}: no {noun} has a row", "export it again, with its rows.")
    return found


def _sample_sheet(path: Path, workbook: CalamineWorkbook, sheet: str) -> FileSample | None:
    name = f"{path.name}[{sheet}]"
    rows = open_sheet(path, workbook, sheet, name)
    if rows is None:
        return None
    chosen = list(_chosen(rows.below, row_runs(rows.height)))
    below = [[str(cell) for cell in row] for _, row in chosen[:HEADER_ROWS]]
    refuse_late_header([rows.header, *below], name)
    sample = _of_cells(name, rows.header, chosen, rows.height)
    return replace(sample, part=sheet, kind="workbook")


def _chosen(rows: Iterator[Sequence[Any]], runs: Sequence[range]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Take the rows of some runs, in order, with their numbers from 1."""
    place = 0
    for run in runs:
        yield from enumerate(islice(rows, run.start - place, run.stop - place), start=run.start + 1)
        place = run.stop


def _sample_duckdb(path: Path, scratch: Path) -> Iterator[FileSample | None]:
    with Engine(EngineSettings(), scratch).connect() as connection:
        try:
            with attached(connection, path):
                for table in sorted(duckdb_tables(connection)):
                    numbered = f"(SELECT row_number() OVER () - 1 AS file_row_number, * FROM {duckdb_relation(table)})"
                    sample = sample_relation(connection, f"{path.name}[{table}]", numbered)
                    yield sample and replace(sample, part=table, kind="database")
        except EngineError as problem:
            raise unreadable(path.name, problem) from problem


def _sample_sqlite(path: Path, scratch: Path) -> Iterator[FileSample | None]:
    import sqlite3

    try:
        with closing(connect_sqlite(path)) as database:
            for table in sorted(sqlite_tables(database)):
                sample = _sample_sqlite_table(database, table, f"{path.name}[{table}]")
                yield replace(sample, part=table, kind="database") if sample.row_count else None
    except sqlite3.Error as problem:
        raise unreadable(path.name, problem) from problem


def _sample_sqlite_table(database: sqlite3.Connection, table: str, name: str) -> FileSample:
    scanned = f"{quote_identifier(table)} NOT INDEXED"
    (count,) = database.execute(f"SELECT count(*) FROM {scanned}").fetchone()
    header = [str(column[0]) for column in database.execute(f"SELECT * FROM {scanned} LIMIT 0").description]
    rows = (
        numbered
        for run in row_runs(count)
        for numbered in enumerate(
            database.execute(f"SELECT * FROM {scanned} LIMIT {len(run)} OFFSET {run.start}"), start=run.start + 1
        )
    )
    return _of_cells(name, header, rows, count)


def _of_cells(name: str, header: Sequence[str], rows: Iterable[tuple[int, Sequence[Any]]], count: int) -> FileSample:
    """Make the sample of rows of single values."""
    places = [place for place, text in enumerate(header) if text]
    chosen = [(number, [row[place] for place in places]) for number, row in rows]
    kept = [(number, row) for number, row in chosen if any(value not in (None, "") for value in row)]
    by_column = [_column([row[place] for _, row in kept]) for place in range(len(places))]
    records: list[Record] = [
        (number, [texts[place] for _, texts in by_column]) for place, (number, _) in enumerate(kept)
    ]
    columns = make_columns([header[place] for place in places], [dtype for dtype, _ in by_column], records)
    return FileSample(name, columns, len(kept), len(chosen) >= count)


def _column(values: Sequence[Any]) -> tuple[str, list[str | None]]:
    """Type and texts of a column, as such values are read; beside texts, dates are dates whatever their format."""
    kinds = {kind for value in values if (kind := _kind(value))}
    if kinds == {"TIMESTAMP"}:
        return "TIMESTAMP", [str(value) if _kind(value) else None for value in values]
    if kinds <= {"DOUBLE", "BIGINT"} and kinds:
        return max(kinds), [_text(value) for value in values]
    return "VARCHAR", [None if _kind(value) == "TIMESTAMP" else _text(value) for value in values]


def _kind(value: object) -> str:
    """Type of a value; empty where there is none."""
    if value is None or value == "":
        return ""
    if isinstance(value, dt.date):
        return "TIMESTAMP"
    if isinstance(value, bool):
        return "VARCHAR"
    return {float: "DOUBLE", int: "BIGINT"}.get(type(value), "VARCHAR")


def _text(value: object) -> str | None:
    """Write a value as the text that it is read as."""
    if value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    if isinstance(value, bool):
        return str(value).upper()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
