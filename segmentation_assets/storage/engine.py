"""DuckDB as the engine: connections, Parquet out, frames in and out, content hashes.

SQL passes values as bound parameters; identifiers go through `quote_identifier`, paths through `quote_text`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.errors import DataError
from segmentation_assets.tables.declaration import Table

if TYPE_CHECKING:
    import pandas as pd

Connection = duckdb.DuckDBPyConnection
EngineError = duckdb.Error
"""What a connection raises when it cannot run a statement or read a file."""

EngineInputOutputError = duckdb.IOException
"""What a connection raises when it cannot read or write a file."""


@dataclass(frozen=True)
class Engine:
    """Opens in-memory DuckDB connections with bounded memory and disk.

    Parameters
    ----------
    settings : EngineSettings
        Threads and limits of one connection.
    temp_directory : Path
        Folder in which each connection gets a folder of its own to spill to.
    """

    settings: EngineSettings
    temp_directory: Path

    @property
    def connection_config(self) -> dict[str, Any]:
        """DuckDB settings of every connection."""
        return {
            "threads": self.settings.threads,
            "memory_limit": self.settings.memory_limit,
            "max_temp_directory_size": self.settings.max_temp_directory_size,
            "temp_directory": str(self.temp_directory),
            "preserve_insertion_order": "true",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open an in-memory connection and close it whatever happens."""
        with open_connection(":memory:", self.connection_config) as connection:
            yield connection


@contextmanager
def open_connection(database: str, config: dict[str, Any]) -> Iterator[Connection]:
    """Open a DuckDB connection whose session runs in UTC, and close it whatever happens.

    It spills to a folder of its own below ``config["temp_directory"]``, gone afterwards.
    """
    spill = Path(config["temp_directory"]) / f"{os.getpid()}-spill-{uuid.uuid4().hex[:8]}"
    spill.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(database, config={**config, "temp_directory": str(spill)})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def quote_identifier(name: str) -> str:
    """Quote a column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Quote a text literal for SQL."""
    return "'" + text.replace("'", "''") + "'"


def parquet_scan(paths: Sequence[str | Path]) -> str:
    """SQL table expression that reads Parquet files in the order given."""
    if not paths:
        raise DataError("expected at least one Parquet file to read, got none")
    listed = ", ".join(quote_text(str(path)) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"


_PARQUET = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false"
"""How tables are stored: newer encodings, cheaper to write and smaller; nothing searches for single values."""


def copy_to_parquet(connection: Connection, sql: str, path: Path, parameters: Sequence[Any] = ()) -> None:
    """Stream the result of a query into one zstd Parquet file, without passing through pandas."""
    connection.execute(f"COPY ({sql}) TO {quote_text(str(path))} ({_PARQUET})", list(parameters))


def conformed_select(sql: str, table: Table) -> str:
    """Wrap a query so that it yields exactly the declared columns, typed, in order, sorted by the primary key."""
    columns = ", ".join(
        f"CAST({quote_identifier(c.name)} AS {c.dtype}) AS {quote_identifier(c.name)}" for c in table.columns
    )
    order = ", ".join(f"{quote_identifier(name)} NULLS FIRST" for name in table.primary_key)
    return f"SELECT {columns} FROM ({sql}) ORDER BY {order}"


def write_frame(connection: Connection, frame: pd.DataFrame, table: Table, path: Path) -> None:
    """Write a frame as one Parquet file with the declared columns, typed and sorted."""
    missing = sorted(set(table.column_names) - set(frame.columns))
    if missing:
        raise DataError(f"{table.key}: the frame lacks the declared columns {', '.join(missing)}")
    connection.register("frame_to_write", frame)
    try:
        copy_to_parquet(connection, conformed_select("SELECT * FROM frame_to_write", table), path)
    finally:
        connection.unregister("frame_to_write")


def read_frame(
    connection: Connection, paths: Sequence[str | Path], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read Parquet files into a frame; DECIMAL columns arrive as float64."""
    selected = "*" if columns is None else ", ".join(quote_identifier(name) for name in columns)
    frame: pd.DataFrame = connection.execute(f"SELECT {selected} FROM {parquet_scan(paths)}").df()
    return frame


def fetch_row(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Return the one row of a query; nothing of the result is left open on the connection."""
    (row,) = connection.execute(sql, list(parameters)).fetchall()
    return tuple(row)


def content_hash(connection: Connection, relation: str) -> tuple[str, int]:
    """Hash the rows of a relation, whatever their order.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression, such as the result of `parquet_scan` or a bracketed query.

    Returns
    -------
    tuple of (str, int)
        32 hex digits, and the number of rows.

    Notes
    -----
    The hash adds up 64 bits of the MD5 of each row's text, in which every value stands behind its
    length, so that it depends on names, types, values and multiplicity of rows, and on nothing else.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    schema = ",".join(f"{row[0]}:{row[1]}" for row in described)
    texts = [f"CAST({quote_identifier(row[0])} AS VARCHAR)" for row in described]
    fields = ", ".join(f"coalesce(concat(length({text}), ':', {text}), 'null')" for text in texts)
    total, rows = fetch_row(
        connection,
        "SELECT coalesce(sum(CAST(md5_number_lower(line) AS HUGEINT)), 0), count(*) "
        f"FROM (SELECT concat_ws(',', {fields}) AS line FROM {relation})",
    )
    digest = hashlib.sha256(f"{schema}|{total}|{rows}".encode()).hexdigest()
    return digest[:32], int(rows)
