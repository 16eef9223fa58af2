"""Delivered files as SQL: one query per file that yields the mapped columns as delivered, with file and row number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.columns import find_columns, mapped_columns
from segmentation_assets.ingestion.decoding import read_header, rewrite_records, utf8_text
from segmentation_assets.ingestion.delivery import DeliveredFile, is_csv
from segmentation_assets.storage.engine import Connection, EngineError, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table

_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ReadableFile:
    """A delivered file as a query.

    Parameters
    ----------
    sql : str
        Yields source_file, file_index, source_row (from 1), malformed (text of a row that does not fit the header,
        else null) and one column ``raw_<name>`` per mapped column.
    columns : tuple of str
        Name in the file of each mapped column, in the order of the mapped columns of the table.
    types : tuple of str
        DuckDB type of each of them.
    """

    sql: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


def open_file(
    connection: Connection, table: Table, mapping: DeliveredTable, file: DeliveredFile, folder: Path, scratch: Path
) -> ReadableFile:
    """Make the query that reads one delivered file.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table.
    mapping : DeliveredTable
    file : DeliveredFile
    folder : Path
        Delivery folder.
    scratch : Path
        Folder for unpacked, decoded or rewritten copies of CSV files; they must stay until the query has run.

    Returns
    -------
    ReadableFile

    Raises
    ------
    DataError
        A mapped column is not in the file, or the file cannot be read.
    """
    if is_csv(file.file_name):
        return _open_csv(connection, table, mapping, file, folder, scratch)
    return _open_parquet(connection, table, mapping, file, folder)


def _open_parquet(
    connection: Connection, table: Table, mapping: DeliveredTable, file: DeliveredFile, folder: Path
) -> ReadableFile:
    path = folder / file.file_name
    relation = f"read_parquet({quote_text(str(path))}, file_row_number = true, binary_as_string = true)"
    _check_parquet(path, file.file_name)
    try:
        described = connection.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {relation}").fetchall()
    except EngineError as problem:
        raise DataError(f"{file.file_name} is not a readable Parquet file: {problem}", "deliver it again.") from problem
    types = {str(row[0]): str(row[1]) for row in described}
    columns = find_columns(table, mapping, file.file_name, tuple(types))
    values = dict(zip(mapped_columns(table, mapping), map(quote_identifier, columns), strict=True))
    sql = _select(file, "file_row_number + 1", "CAST(NULL AS VARCHAR)", values, relation)
    return ReadableFile(sql, columns, tuple(types[name] for name in columns))


def _check_parquet(path: Path, name: str) -> None:
    """Look for the mark that every complete Parquet file begins and ends with."""
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(max(path.stat().st_size - 4, 0))
        end = stream.read(4)
    if start != _PARQUET_MAGIC or end != _PARQUET_MAGIC:
        raise DataError(f"{name} is not a Parquet file, or not all of it has arrived", "deliver it again.")


def _open_csv(
    connection: Connection, table: Table, mapping: DeliveredTable, file: DeliveredFile, folder: Path, scratch: Path
) -> ReadableFile:
    decoded = scratch / f"{table.key.split('/')[1]}-{file.file_index:06d}.csv"
    path = utf8_text(folder / file.file_name, file.file_name, mapping.encoding, decoded)
    header = read_header(path, file.file_name, mapping.separator)
    columns = find_columns(table, mapping, file.file_name, header)
    width = len(header)
    places = (f"field_{header.index(name)}" for name in columns)
    values = dict(zip(mapped_columns(table, mapping), places, strict=True))
    relation = _regular_csv(path, mapping.separator, width)
    row, malformed = "row_number() OVER ()", "CAST(NULL AS VARCHAR)"
    if not _reads_cleanly(connection, relation):
        rewritten = decoded.with_suffix(".rewritten")
        rewrite_records(path, mapping.separator, width, rewritten)
        relation = _rewritten_csv(rewritten, width)
        row, malformed = "CAST(record_number AS BIGINT)", "nullif(malformed, '')"
    sql = _select(file, row, malformed, values, relation)
    return ReadableFile(sql, columns, ("VARCHAR",) * len(columns))


def _select(file: DeliveredFile, row: str, malformed: str, values: dict[str, str], relation: str) -> str:
    listed = ", ".join(f"{sql} AS {quote_identifier(f'raw_{name}')}" for name, sql in values.items())
    return (
        f"SELECT {quote_text(file.file_name)} AS source_file, CAST({file.file_index} AS INTEGER) AS file_index, "
        f"{row} AS source_row, {malformed} AS malformed, {listed} FROM {relation}"
    )


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
        f"escape = '\"', columns = {{{columns}}}, {options})"
    )


def _reads_cleanly(connection: Connection, relation: str) -> bool:
    """Read all records once; false as soon as one does not fit the header or line ends are mixed."""
    try:
        connection.execute(f"SELECT count(*) FROM {relation}").fetchall()
    except EngineError:
        return False
    return True
