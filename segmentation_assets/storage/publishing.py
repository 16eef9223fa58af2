"""Builds the published DuckDB file from stored Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.storage.engine import (
    Engine,
    fetch_row,
    open_connection,
    parquet_scan,
    quote_identifier,
    quote_text,
)


@dataclass(frozen=True)
class WarehouseTable:
    """One asset to publish: its key, its Parquet files by month, and whether it has months."""

    key: str
    paths: Mapping[str, Sequence[Path]]
    is_partitioned: bool


def build_warehouse(target: Path, tables: Sequence[WarehouseTable], engine: Engine) -> dict[str, int]:
    """Write one physical table per asset into a new DuckDB file.

    Parameters
    ----------
    target : Path
        File to create; it must not exist. Put it in place with a rename afterwards.
    tables : sequence of WarehouseTable
        Asset ``layer/noun`` becomes table ``layer.noun``; monthly assets get the column ``month`` (DATE) in front.
        Columns that only some months have are null in the others.
    engine : Engine
        Limits of the connection.

    Returns
    -------
    dict of str to int
        Rows per asset key.
    """
    counts = {}
    with open_connection(str(target), engine.connection_config) as connection:
        for table in tables:
            layer, noun = table.key.split("/")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(layer)}")
            name = f"{quote_identifier(layer)}.{quote_identifier(noun)}"
            selects = [
                _select(month, paths, has_months=table.is_partitioned) for month, paths in table.paths.items() if paths
            ]
            if selects:
                connection.execute(f"CREATE TABLE {name} AS {' UNION ALL BY NAME '.join(selects)}")
                (counts[table.key],) = fetch_row(connection, f"SELECT count(*) FROM {name}")
        connection.execute("CHECKPOINT")
    return counts


def _select(month: str, paths: Sequence[Path], *, has_months: bool) -> str:
    scan = parquet_scan(list(paths))
    return f"SELECT DATE {quote_text(month)} AS month, * FROM {scan}" if has_months else f"SELECT * FROM {scan}"
