"""The tables of the runs: ``runs/runs.parquet`` and ``runs/run_totals.parquet`` below the data folder.

They are derived from the run records. Only records that are new or have changed are read; a table that is missing or
damaged, or was written with other columns, is made anew from all of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.monitoring.run_records import read_record, record_paths
from segmentation_assets.monitoring.run_rows import Row, row_of_run, rows_of_steps
from segmentation_assets.storage.engine import (
    Connection,
    Engine,
    EngineError,
    conformed_select,
    copy_to_parquet,
    parquet_scan,
)
from segmentation_assets.storage.store import TableStore
from segmentation_assets.storage.text_files import placed_whole
from segmentation_assets.tables.declaration import Column, Table
from segmentation_assets.tables.runs import RUN_TOTALS, RUNS, TABLES

_STAMP = "record_stamp"
_FROM_JSON = ("DOUBLE", "BIGINT", "BOOLEAN")
"""Types that JSON values are read as at once; the others are read as text and cast."""


def run_table_path(data_dir: Path, table: Table) -> Path:
    """File of one of the tables."""
    return data_dir / "runs" / f"{table.noun}.parquet"


def refresh_run_tables(engine: EngineSettings, data_dir: Path) -> None:
    """Bring the tables up to the run records; each is replaced whole, and left as it is where nothing has changed.

    Parameters
    ----------
    engine : EngineSettings
    data_dir : Path
    """
    if not (data_dir / "runs").is_dir():
        return
    with (
        TableStore(data_dir).lock("runs", "tables"),
        Engine(engine, data_dir / "staging").connect() as connection,
    ):
        known = _known_stamps(connection, data_dir)
        stamps = {path.stem: _stamp(path) for path in record_paths(data_dir)}
        due = [run_id for run_id, stamp in stamps.items() if known.get(run_id) != stamp]
        outdated = sorted({*due, *(set(known) - set(stamps))} & set(known))
        read = {run_id: read_record(data_dir / "runs" / f"{run_id}.json") for run_id in due}
        records = {run_id: {**record, "run_id": run_id} for run_id, record in read.items() if record is not None}
        totals = [{**row_of_run(record), _STAMP: stamps[run_id]} for run_id, record in records.items()]
        steps = [row for record in records.values() for row in rows_of_steps(record)]
        for table, rows in ((RUNS, steps), (RUN_TOTALS, totals)):
            path = run_table_path(data_dir, table)
            if rows or outdated or not known:
                _replace(connection, table, path, rows, [path] if known else [], outdated)


def read_run_totals(engine: EngineSettings, data_dir: Path) -> list[Row]:
    """Read the runs, newest first, without their settings and versions."""
    columns = [column.name for column in RUN_TOTALS.columns if column.name not in ("settings", "packages", _STAMP)]
    path = run_table_path(data_dir, RUN_TOTALS)
    if not path.is_file():
        return []
    with Engine(engine, data_dir / "staging").connect() as connection:
        sql = f"SELECT {', '.join(columns)} FROM {parquet_scan([path])} ORDER BY started_at DESC, run_id DESC"
        return [dict(zip(columns, row, strict=True)) for row in connection.execute(sql).fetchall()]


def _known_stamps(connection: Connection, data_dir: Path) -> dict[str, str]:
    """Stamps of the records that the tables were made from, by run; none where a table cannot be used."""
    try:
        if not all(_is_as_declared(connection, run_table_path(data_dir, table), table) for table in TABLES):
            return {}
        source = parquet_scan([run_table_path(data_dir, RUN_TOTALS)])
        return dict(connection.execute(f"SELECT run_id, {_STAMP} FROM {source}").fetchall())
    except EngineError:
        return {}


def _is_as_declared(connection: Connection, path: Path, table: Table) -> bool:
    if not path.is_file():
        return False
    described = connection.execute(f"DESCRIBE SELECT * FROM {parquet_scan([path])}").fetchall()
    return [(row[0], row[1]) for row in described] == [(column.name, column.dtype) for column in table.columns]


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def _replace(
    connection: Connection,
    table: Table,
    path: Path,
    rows: Sequence[Row],
    stored: Sequence[Path],
    outdated: Sequence[str],
) -> None:
    """Write a table anew: its stored rows but those of outdated runs, and the new rows."""
    fields = json.dumps([{column.name: _read_as(column) for column in table.columns}])
    sql = "SELECT unnest(from_json(CAST(? AS JSON), ?), recursive := true)"
    parameters: list[Any] = [json.dumps([_encoded(row) for row in rows]), fields]
    if stored:
        sql = f"SELECT * FROM {parquet_scan(stored)} WHERE NOT list_contains(?, run_id) UNION ALL BY NAME {sql}"
        parameters = [list(outdated), *parameters]
    with placed_whole(path) as temporary:
        copy_to_parquet(connection, conformed_select(sql, table), temporary, parameters)


def _read_as(column: Column) -> str:
    return column.dtype if column.dtype in _FROM_JSON else "VARCHAR"


def _encoded(row: Row) -> Row:
    return {
        name: json.dumps(value, sort_keys=True, ensure_ascii=False) if isinstance(value, dict) else value
        for name, value in row.items()
    }
