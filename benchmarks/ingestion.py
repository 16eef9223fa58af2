"""Measures the ingestion of order lines through every door: CPU seconds, wall seconds and peak memory.

    python benchmarks/ingestion.py
    python benchmarks/ingestion.py --lines 5000000 --excel-rows 300000

The lines are the same in every run. Every measurement is a process of its own, and covers the listing and hashing of
the file, reading, typing, quarantine and writing by month; what start-up and imports use is in the first row and not in
the others. The Postgres server is one that this script starts; what it uses itself is not counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from segmentation_assets_tests.postgres_server import find_binaries, running_server

CONNECTION_VARIABLE = "SEGMENTATION__SOURCE__POSTGRES__CONNECTION"
POSTGRES, TABLE = "postgres", "lines"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
"""Columns of the public Online Retail file."""


def main() -> int:
    """Make the deliveries, ingest each in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description="Measure the ingestion of order lines.")
    parser.add_argument("--lines", type=int, default=1_000_000, help="of all but Excel")
    parser.add_argument("--excel-rows", type=int, default=100_000)
    parser.add_argument("--measure", nargs=2, metavar=("FILE", "ROWS"), help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        _measure(Path(parsed.measure[0]), int(parsed.measure[1]))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{'file':<16}{'rows':>12}{'MB':>9}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        files = {Path(folder) / "none": 0}
        files |= _write_csv(Path(folder), parsed.lines)
        files |= _write_overlapping(Path(folder), parsed.lines)
        files |= _write_tables(Path(folder), parsed.lines)
        files |= _write_workbook(Path(folder), parsed.excel_rows)
        for path, rows in files.items():
            _measure_apart(path, rows)
        _measure_postgres(Path(folder), parsed.lines)
    return 0


def _measure_apart(path: Path, rows: int, connection: str = "") -> None:
    environment = os.environ | {CONNECTION_VARIABLE: connection}
    subprocess.run([sys.executable, __file__, "--measure", str(path), str(rows)], check=True, env=environment)


def _measure_postgres(folder: Path, rows: int) -> None:
    """Read the lines from a table of a server that is started for it, where one is installed."""
    binaries = find_binaries()
    if binaries is None:
        print(f"{POSTGRES:<16} not measured: no server program of Postgres (initdb) is installed")
        return
    import psycopg

    types = ("text", "text", "text", "integer", "timestamp", "numeric", "integer", "text")
    columns = ", ".join(f'"{name}" {dtype}' for name, dtype in zip(COLUMNS, types, strict=True))
    with running_server(binaries) as server:
        with psycopg.connect(server.connection, autocommit=True) as database, database.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {TABLE} ({columns})")
            with (
                (folder / "lines.csv").open("rb") as source,
                cursor.copy(f"COPY {TABLE} FROM STDIN (FORMAT csv, HEADER)") as copy,
            ):
                while block := source.read(1 << 20):
                    copy.write(block)
        _measure_apart(folder / POSTGRES, rows, server.connection)


def _lines_sql(rows: int, first: int = 0) -> str:
    """Make the query of made-up order lines: about twenty lines an order, a quarter of them of guests."""
    chance = "(hash(line * 7919 + {}) % 1000000 / 1000000.0)"
    return f"""
        SELECT CAST(536365 + line // 20 AS VARCHAR) AS "InvoiceNo",
            CAST(20000 + CAST(floor({chance.format(1)} * 4000) AS INTEGER) AS VARCHAR)
                || CASE WHEN {chance.format(2)} < 0.15 THEN 'A' ELSE '' END AS "StockCode",
            'white hanging heart holder no ' || line % 4000 AS "Description",
            1 + CAST(floor({chance.format(3)} * 24) AS INTEGER) AS "Quantity",
            TIMESTAMP '2010-12-01 08:26:00' + to_minutes(CAST(line // 20 * 10 AS BIGINT)) AS "InvoiceDate",
            round({chance.format(4)} * 20, 2) AS "UnitPrice",
            CASE WHEN line // 20 % 4 > 0 THEN 12346 + line // 20 % 4300 END AS "CustomerID",
            'United Kingdom' AS "Country"
        FROM (SELECT range AS line FROM range({first}, {rows}))"""


def _write_csv(folder: Path, rows: int) -> dict[Path, int]:
    """Write the same lines as plain, gzipped and Zstandard CSV."""
    import gzip
    import shutil

    import duckdb
    import zstandard

    plain = folder / "lines.csv"
    duckdb.connect().execute(f"COPY ({_lines_sql(rows)}) TO '{plain}' (FORMAT csv, HEADER)")
    packed, dense = folder / "lines.csv.gz", folder / "lines.csv.zst"
    with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target)
    with plain.open("rb") as source, dense.open("wb") as target:
        zstandard.ZstdCompressor().copy_stream(source, target)
    return dict.fromkeys((plain, packed, dense), rows)


def _write_overlapping(folder: Path, rows: int) -> dict[Path, int]:
    """Write twelve CSV files, each of which holds the lines of its period and again those of the two before."""
    import duckdb

    target = folder / "overlapping"
    target.mkdir()
    size = rows // 33 // 20 * 20
    for number in range(12):
        lines = _lines_sql((number + 1) * size, max(number - 2, 0) * size)
        duckdb.connect().execute(f"COPY ({lines}) TO '{target / f'lines-{number}.csv'}' (FORMAT csv, HEADER)")
    return {target: size * 33}


def _write_tables(folder: Path, rows: int) -> dict[Path, int]:
    """Write the same lines as Parquet and as a table of a DuckDB and of a SQLite file."""
    import sqlite3
    from contextlib import closing

    import duckdb

    parquet, own, lite = folder / "lines.parquet", folder / "lines.duckdb", folder / "lines.sqlite"
    with duckdb.connect(str(own)) as database:
        database.execute(f"CREATE TABLE {TABLE} AS {_lines_sql(rows)}")
        database.execute(f"COPY {TABLE} TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)")
        found = database.execute(f'SELECT * REPLACE (CAST("InvoiceDate" AS VARCHAR) AS "InvoiceDate") FROM {TABLE}')
        with closing(sqlite3.connect(lite)) as target, target:
            target.execute(f"CREATE TABLE {TABLE} ({', '.join(COLUMNS)})")
            while batch := found.fetchmany(100_000):
                target.executemany(f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(COLUMNS))})", batch)
    return dict.fromkeys((parquet, own, lite), rows)


def _write_workbook(folder: Path, rows: int) -> dict[Path, int]:
    """Write two sheets, with codes and customers as the numbers that Excel makes of them."""
    import duckdb
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    found = duckdb.connect().execute(_lines_sql(rows))
    for number in range(2):
        sheet = workbook.create_sheet(f"sheet {number + 1}")
        sheet.append(COLUMNS)
        for row in found.fetchmany(rows // 2 if number == 0 else rows - rows // 2):
            sheet.append([int(value) if isinstance(value, str) and value.isdecimal() else value for value in row])
    path = folder / "lines.xlsx"
    workbook.save(path)
    return {path: rows}


def _measure(path: Path, rows: int) -> None:
    """Ingest one file, the table of the server or nothing, and print its row of the table."""
    from pydantic import SecretStr

    from segmentation_assets.config.settings import EngineSettings
    from segmentation_assets.config.source import OrderLinesTable, PostgresSettings, SourceSettings
    from segmentation_assets.ingestion.delivery import list_delivery
    from segmentation_assets.ingestion.ingest import ingest_table
    from segmentation_assets.ingestion.postgres import copy_tables
    from segmentation_assets.storage.engine import Engine
    from segmentation_assets.tables.raw import RAW_ORDER_LINES

    names = ("order_id", "product_id", "product_name", "quantity", "order_at", "unit_price", "customer_id", "country")
    file = "lines.parquet" if path.name == POSTGRES else f"{path.name}/*" if path.is_dir() else path.name
    mapping = OrderLinesTable(files=(file,), table=TABLE, columns=dict(zip(names, COLUMNS, strict=True)))
    source = SourceSettings(kind="files", order_lines=mapping, max_quarantine_share=0)
    spent, started = (0.0 if not rows else _cpu_seconds()), time.perf_counter()
    if rows:
        with (
            tempfile.TemporaryDirectory() as staging,
            Engine(EngineSettings(), Path(staging) / "spill").connect() as connection,
        ):
            folder = path.parent
            if path.name == POSTGRES:
                folder = Path(staging) / "delivery"
                folder.mkdir()
                server = PostgresSettings(connection=SecretStr(os.environ[CONNECTION_VARIABLE]))
                target_of = {RAW_ORDER_LINES.key: folder / file}
                copy_tables(connection, server, [(RAW_ORDER_LINES, mapping)], target_of, source.time_zone)
            files = list_delivery(folder, source)
            target = Path(staging) / "raw"
            target.mkdir()
            ingested = ingest_table(connection, RAW_ORDER_LINES, mapping, files, folder, target, source=source)
        if ingested.stored_rows + ingested.redelivered_rows != rows:
            raise SystemExit(f"error: {rows} rows were written and {ingested.stored_rows} stored.")
    cpu, wall = _cpu_seconds() - spent, time.perf_counter() - started
    read = path.glob("*") if path.is_dir() else [path] if path.is_file() else []
    size = sum(file.stat().st_size for file in read) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = path.name if rows else "start-up"
    print(f"{name:<16}{rows:>12,}{size:>9.1f}{cpu:>9.2f}{wall:>9.2f}{peak:>9.0f}", flush=True)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
