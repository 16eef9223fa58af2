"""The first rows of stored tables, read through one small connection that stays open as long as the process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from segmentation_assets.storage.engine import Connection, EngineError, parquet_scan, quote_identifier


@dataclass(frozen=True)
class TableHead:
    """Names of all stored columns, and the first rows as values by column."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]


def read_head(paths: Sequence[Path], wanted: Sequence[str], *, rows: int, columns: int) -> TableHead:
    """Read the first rows of a stored table.

    Parameters
    ----------
    paths : sequence of Path
        Parquet files in the order they are read.
    wanted : sequence of str
        Columns that may be read, in order; those that are not stored are left out.
    rows, columns : int
        How many to read at most.

    Returns
    -------
    TableHead
        Empty where a file cannot be read, as these rows are only looked at and never computed with.
    """
    if not paths:
        return TableHead((), [])
    try:
        with _reader(os.getpid()).cursor() as cursor:
            described = cursor.execute(f"DESCRIBE SELECT * FROM {parquet_scan(paths[:1])}").fetchall()
            stored = tuple(str(row[0]) for row in described)
            chosen = [name for name in wanted if name in stored][:columns]
            if not chosen:
                return TableHead(stored, [])
            selected = ", ".join(quote_identifier(name) for name in chosen)
            found = cursor.execute(f"SELECT {selected} FROM {parquet_scan(paths)} LIMIT {int(rows)}").fetchall()
    except EngineError:
        return TableHead((), [])
    return TableHead(stored, [dict(zip(chosen, row, strict=True)) for row in found])


@lru_cache(maxsize=1)
def _reader(_process_id: int) -> Connection:
    """Open the connection of a process; opening one takes ten times as long as reading some rows."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": "256MB",
        "temp_directory": "",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection
