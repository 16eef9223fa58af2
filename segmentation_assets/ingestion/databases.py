"""Database files: one table of a DuckDB or SQLite file, read without changing or locking it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.ingestion.cells import part_of_cells
from segmentation_assets.ingestion.columns import find_columns
from segmentation_assets.ingestion.parts import ReadablePart, Reader, all_empty, count_rows, make_part
from segmentation_assets.storage.engine import Connection, EngineError, parquet_scan, quote_identifier, quote_text

if TYPE_CHECKING:
    import sqlite3

_SQLITE_MARK = b"SQLite format 3\0"
_DUCKDB_MARK = b"DUCK"
_DUCKDB_MARK_AT = 8
_SIDE_FILES = (".wal", "-wal", "-journal")
_ATTACHED = "delivered_database"
_KEPT_TYPES = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*|DATE|TIMESTAMP.*")


def open_database(reader: Reader, name: str, index: int) -> list[ReadablePart]:
    """Make the part that reads the table which the settings name.

    Parameters
    ----------
    reader : Reader
    name : str
        Path of the database file below the delivery folder.
    index : int
        Place of the part among all parts of the table.

    Returns
    -------
    list of ReadablePart
        One, whose rows stand in the order in which the database stores them.

    Raises
    ------
    DataError
        The file is no such database, cannot be read or has changes that are not in it yet; no table is named, or the
        named one is not there or lacks a mapped column.
    """
    if is_sqlite(reader.folder / name, name):
        return [_open_sqlite(reader, name, index)]
    return [_open_duckdb(reader, name, index)]


def is_sqlite(path: Path, name: str) -> bool:
    """Whether a database file is of SQLite; else it is of DuckDB, or refused."""
    with path.open("rb") as stream:
        start = stream.read(len(_SQLITE_MARK))
    _check_side_files(path, name)
    if start != _SQLITE_MARK and not start[_DUCKDB_MARK_AT:].startswith(_DUCKDB_MARK):
        raise DataError(f"{name} is neither a DuckDB nor a SQLite file", "deliver it again.")
    return start == _SQLITE_MARK


def _check_side_files(path: Path, name: str) -> None:
    """Refuse a database whose last changes lie in a file beside it: they are in no hash and would come and go."""
    for ending in _SIDE_FILES:
        beside = path.with_name(path.name + ending)
        if beside.is_file():
            with beside.open("rb") as stream:
                if any(stream.read(32)):
                    raise DataError(
                        f"{name} has changes that lie in {beside.name} and not in it yet",
                        "close the program that writes it, or deliver a copy made while nobody writes.",
                    )


def _check_table(reader: Reader, name: str, tables: Sequence[str]) -> str:
    wanted = reader.mapping.table
    listed = ", ".join(sorted(tables)) or "none"
    if wanted is None:
        raise DataError(
            f"{name} is a database, and {reader.setting}.table does not say which table to read",
            f"set it to one of its tables: {listed}.",
        )
    if wanted not in tables:
        raise DataError(
            f"{name} has no table '{wanted}', which {reader.setting}.table names",
            closest_hint(wanted, tables, "it holds no table at all; deliver it again, with its tables."),
        )
    return wanted


def unreadable(name: str, problem: object) -> DataError:
    """Make the error of a database that cannot be read."""
    return DataError(
        f"{name} cannot be read as a database: {problem}",
        "deliver it again; a DuckDB file must not be open for writing elsewhere.",
    )


def _open_sqlite(reader: Reader, name: str, index: int) -> ReadablePart:
    import sqlite3

    try:
        with closing(connect_sqlite(reader.folder / name)) as database:
            table = _check_table(reader, name, sqlite_tables(database))
            part = f"{name}[{table}]"
            scanned = f"{quote_identifier(table)} NOT INDEXED"
            header = [column[0] for column in database.execute(f"SELECT * FROM {scanned} LIMIT 0").description]
            columns = find_columns(reader.table, reader.mapping, part, header)
            listed_columns = ", ".join(map(quote_identifier, columns.values()))
            # the number in front keeps rows that only columns without a mapping have a value in
            has_value = f"CASE WHEN NOT {all_empty(dict.fromkeys(header, 'VARCHAR'))} THEN 1 END"
            rows = database.execute(f"SELECT {has_value}, {listed_columns} FROM {scanned}")
            return part_of_cells(reader, part, index, columns, rows, range(1, len(columns) + 1))
    except sqlite3.Error as problem:
        raise unreadable(name, problem) from problem


def sqlite_tables(database: sqlite3.Connection) -> list[str]:
    """List the tables; views are left out."""
    listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
    return [str(row[0]) for row in listed]


def connect_sqlite(path: Path) -> sqlite3.Connection:
    """Open a file for reading only."""
    import sqlite3

    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)


def _open_duckdb(reader: Reader, name: str, index: int) -> ReadablePart:
    """Copy the mapped columns to the scratch folder, so that the database is let go at once."""
    try:
        with attached(reader.connection, reader.folder / name):
            table = _check_table(reader, name, duckdb_tables(reader.connection))
            part = f"{name}[{table}]"
            relation = duckdb_relation(table)
            types = {str(row[0]): str(row[1]) for row in reader.connection.execute(f"DESCRIBE {relation}").fetchall()}
            columns = find_columns(reader.table, reader.mapping, part, tuple(types))
            kept = [types[column] if _KEPT_TYPES.fullmatch(types[column]) else "VARCHAR" for column in columns.values()]
            row_count, empty = count_rows(reader.connection, relation, types)
            copy = _copy_columns(
                reader, relation, tuple(columns.values()), kept, all_empty(types) if empty else "false", index
            )
    except EngineError as problem:
        raise unreadable(name, problem) from problem
    fields = [f"field_{place}" for place in range(len(columns))]
    described = f"DESCRIBE SELECT * EXCLUDE (is_empty) FROM {parquet_scan([copy])}"
    found = [str(row[1]) for row in reader.connection.execute(described).fetchall()]
    scanned = f"(SELECT * FROM read_parquet({quote_text(str(copy))}, file_row_number = true) WHERE NOT is_empty)"
    return make_part(
        reader, part, index, scanned, columns, fields, found, row_count=row_count, row="file_row_number + 1"
    )


@contextmanager
def attached(connection: Connection, path: Path) -> Iterator[None]:
    """Attach a DuckDB file for reading only, and let it go."""
    connection.execute(f"ATTACH {quote_text(str(path))} AS {_ATTACHED} (TYPE duckdb, READ_ONLY)")
    try:
        yield
    finally:
        connection.execute(f"DETACH {_ATTACHED}")


def duckdb_relation(table: str) -> str:
    """Make the SQL name of a table of the attached file."""
    schema, _, bare_name = table.rpartition(".")
    return ".".join(map(quote_identifier, (_ATTACHED, schema or "main", bare_name)))


def duckdb_tables(connection: Connection) -> list[str]:
    """List the tables, with their schema where it is not main; views are left out, as they may read other files."""
    listed = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1", [_ATTACHED]
    ).fetchall()
    return [name if schema == "main" else f"{schema}.{name}" for schema, name in listed]


def _copy_columns(
    reader: Reader, relation: str, columns: Sequence[str], types: Sequence[str], is_empty: str, index: int
) -> Path:
    """Write columns to Parquet in their types, and whether a row has no value at all.

    What Parquet has no type for, such as huge integers, was made text.
    """
    copy = reader.copy_path(index).with_suffix(".parquet")
    values = ", ".join(
        f"CAST({quote_identifier(column)} AS {dtype}) AS field_{place}"
        for place, (column, dtype) in enumerate(zip(columns, types, strict=True))
    )
    rows = f"SELECT {values}, {is_empty} AS is_empty FROM {relation}"
    reader.connection.execute(f"COPY ({rows}) TO {quote_text(str(copy))} (FORMAT parquet)")
    return copy
