"""Delivered files as SQL: one query per part that yields the mapped columns as delivered, with file and row number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.columns import find_columns
from segmentation_assets.ingestion.databases import open_database
from segmentation_assets.ingestion.decoding import count_lines, read_header, rewrite_records, utf8_text
from segmentation_assets.ingestion.delivery import Kind, kind_of
from segmentation_assets.ingestion.parts import (
    NO_TEXT,
    ReadablePart,
    Reader,
    all_empty,
    count_rows,
    make_part,
)
from segmentation_assets.ingestion.workbooks import open_workbook
from segmentation_assets.storage.engine import Connection, EngineError, fetch_row, quote_identifier, quote_text

_PARQUET_MAGIC = b"PAR1"
_NO_HIVE = "hive_partitioning = false"
"""A folder called ``country=NL`` adds no column and replaces none: what stands in the file counts."""


def open_file(reader: Reader, name: str, first_index: int) -> list[ReadablePart]:
    """Make the queries that read one delivered file.

    Parameters
    ----------
    reader : Reader
    name : str
        Path of the file below the delivery folder.
    first_index : int
        Place of its first part among all parts of the table.

    Returns
    -------
    list of ReadablePart
        In order; a file that holds a single table has one.

    Raises
    ------
    DataError
        A mapped column is not in the file, or the file cannot be read.
    """
    kind = kind_of(name)
    if kind is None:
        raise DataError(f"{name} is of a kind that cannot be read", "deliver CSV, Parquet, Excel, DuckDB or SQLite.")
    return _OPENERS[kind](reader, name, first_index)


def _open_parquet(reader: Reader, name: str, index: int) -> list[ReadablePart]:
    path = reader.folder / name
    relation = f"read_parquet({quote_text(str(path))}, file_row_number = true, binary_as_string = true, {_NO_HIVE})"
    _check_parquet(path, name)
    try:
        described = reader.connection.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {relation}").fetchall()
        types = {str(row[0]): str(row[1]) for row in described}
        row_count, empty = count_rows(reader.connection, relation, types)
    except EngineError as problem:
        raise DataError(f"{name} is not a readable Parquet file: {problem}", "deliver it again.") from problem
    columns = find_columns(reader.table, reader.mapping, name, tuple(types))
    values = [quote_identifier(column) for column in columns.values()]
    found = [types[column] for column in columns.values()]
    row = "file_row_number + 1"
    relation = f"(SELECT * FROM {relation} WHERE NOT {all_empty(types)})" if empty else relation
    return [make_part(reader, name, index, relation, columns, values, found, row_count=row_count, row=row)]


def _check_parquet(path: Path, name: str) -> None:
    """Look for the mark that every complete Parquet file begins and ends with."""
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(max(path.stat().st_size - 4, 0))
        end = stream.read(4)
    if start != _PARQUET_MAGIC or end != _PARQUET_MAGIC:
        raise DataError(f"{name} is not a Parquet file, or not all of it has arrived", "deliver it again.")


def _open_csv(reader: Reader, name: str, index: int) -> list[ReadablePart]:
    separator, decoded = reader.mapping.separator, reader.copy_path(index)
    path = utf8_text(reader.folder / name, name, reader.mapping.encoding, decoded)
    header = read_header(path, name, separator)
    columns = find_columns(reader.table, reader.mapping, name, header)
    width = len(header)
    relation = _regular_csv(path, separator, width)
    row, malformed = "row_number() OVER ()", NO_TEXT
    is_empty = all_empty({f"field_{place}": "VARCHAR" for place in range(width)})
    row_count, empty_rows = _count_clean_rows(reader.connection, relation, is_empty)
    if empty_rows:
        relation = f"(SELECT * FROM (SELECT *, {row} AS record_number FROM {relation}) WHERE NOT {is_empty})"
        row = "record_number"
    if row_count is None or count_lines(path) - 1 > row_count + empty_rows:
        rewritten = decoded.with_suffix(".rewritten")
        row_count = rewrite_records(path, separator, width, rewritten)
        relation = _rewritten_csv(rewritten, width)
        row, malformed = "CAST(record_number AS BIGINT)", "nullif(malformed, '')"
    values = [f"field_{header.index(column)}" for column in columns.values()]
    types = ["VARCHAR"] * len(columns)
    part = make_part(
        reader, name, index, relation, columns, values, types, row_count=row_count, row=row, malformed=malformed
    )
    return [part]


def _regular_csv(path: Path, separator: str, width: int) -> str:
    fields = [f"field_{index}" for index in range(width)]
    return _csv_relation(path, separator, fields, "header = true")


def _rewritten_csv(path: Path, width: int) -> str:
    fields = ["record_number", "malformed", *(f"field_{index}" for index in range(width))]
    return _csv_relation(path, ",", fields, "header = false, new_line = '\\n'")


def _csv_relation(path: Path, separator: str, fields: Sequence[str], options: str) -> str:
    columns = ", ".join(f"'{field}': 'VARCHAR'" for field in fields)
    return (
        f"read_csv({quote_text(str(path))}, auto_detect = false, delim = {quote_text(separator)}, quote = '\"', "
        f"escape = '\"', columns = {{{columns}}}, {_NO_HIVE}, {options})"
    )


def _count_clean_rows(connection: Connection, relation: str, is_empty: str) -> tuple[int | None, int]:
    """Read and count all records once, those without a value apart.

    None as soon as one does not fit the header or line ends are mixed.
    """
    try:
        rows, empty = fetch_row(connection, f"SELECT count(*), count(*) FILTER ({is_empty}) FROM {relation}")
    except EngineError:
        return None, 0
    return int(rows) - int(empty), int(empty)


_OPENERS: dict[Kind, Callable[[Reader, str, int], list[ReadablePart]]] = {
    "csv": _open_csv,
    "parquet": _open_parquet,
    "workbook": open_workbook,
    "database": open_database,
}
