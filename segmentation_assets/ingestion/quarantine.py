"""Rows that are set aside: the quarantine table of one delivery, and the share of rows it may hold."""

from __future__ import annotations

from pathlib import Path

from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.scratch import Scratch, fault_number, fault_reason_sql
from segmentation_assets.storage.engine import (
    Connection,
    conformed_select,
    copy_to_parquet,
    quote_identifier,
    quote_text,
)
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.raw import QUARANTINE, QUARANTINE_REASONS

_PROVENANCE = ("source_file", "source_row")


def first_rows(table: Table, relation: str) -> str:
    """Make the SQL table expression of the rows a table keeps: of equal primary keys the first in delivery order."""
    if table.primary_key == _PROVENANCE:
        return relation
    return f"(SELECT * FROM {relation} QUALIFY {_place_in_key(table)} = 1)"


def faulty_rows(table: Table, scratch: Scratch) -> str:
    """Make the query of the rows with a fault, and of later rows of a key that was there before.

    Parameters
    ----------
    table : Table
        Declaration of the raw table.
    scratch : Scratch
        Typed rows.

    Returns
    -------
    str
        Query with the columns source_file, source_row, fault (a number), file_column and value.
    """
    faulty = f"SELECT source_file, source_row, fault, file_column, value FROM {scratch.quarantine()}"
    if table.primary_key == _PROVENANCE:
        return faulty
    key = table.primary_key[0]
    repeated = f"(SELECT * FROM {scratch.good()} QUALIFY {_place_in_key(table)} > 1)"
    return f"{faulty} UNION ALL {_marked_rows(table, repeated, key, 'duplicate_key')}"


def redelivered_rows(table: Table, superseded: str) -> str:
    """Make the query of the order lines that a later file delivers again, with the columns of `faulty_rows`."""
    return _marked_rows(table, superseded, "order_id", "redelivered")


def count_reasons(connection: Connection, rows: str) -> dict[str, int]:
    """Count rows by reason code, sorted by code; `rows` is a query with the columns of `faulty_rows`."""
    counted = connection.execute(
        f"SELECT {fault_reason_sql('fault')} AS reason, count(*) FROM ({rows}) GROUP BY reason ORDER BY reason"
    ).fetchall()
    return {str(reason): int(count) for reason, count in counted}


def write_quarantine(connection: Connection, table: Table, rows: str, path: Path) -> None:
    """Write the rows that are set aside.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table.
    rows : str
        Query with the columns of `faulty_rows`.
    path : Path
        Parquet file to write, with the columns of ``raw/quarantine``.
    """
    copy_to_parquet(connection, conformed_select(_quarantine_sql(table, rows), QUARANTINE), path)


def check_quarantine(
    connection: Connection,
    table: Table,
    rows: str,
    counts: dict[str, int],
    delivered_rows: int,
    source: SourceSettings,
) -> None:
    """Stop where more rows had to be set aside than the settings allow, or all of them.

    Raises
    ------
    DataError
        With the counts per reason and the first offending file, row, column and value.
    """
    total = sum(counts.values())
    if total < delivered_rows and total <= source.max_quarantine_share * delivered_rows:
        return
    file, row, reason, column, value = connection.execute(
        f"SELECT source_file, source_row, reason, column_name, value FROM ({_quarantine_sql(table, rows)}) "
        "ORDER BY ALL LIMIT 1"
    ).fetchone() or ("", 0, "", None, None)
    place = f"{file}, row {row}" + (f", column '{column}'" if column else "")
    shown = f"'{value}'" if value is not None else "no value"
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    raise DataError(
        f"{table.key}: {total} of {delivered_rows} delivered rows cannot be used ({reasons}); allowed is a share of "
        f"{source.max_quarantine_share:g}. The first is {place}: {shown}, {QUARANTINE_REASONS[reason]}",
        f"correct source.{table.key.split('/')[1]} (date_format, decimal, separator, null_values, columns) or the "
        "file, or raise source.max_quarantine_share.",
    )


def _place_in_key(table: Table) -> str:
    key = ", ".join(quote_identifier(name) for name in table.primary_key)
    return f"row_number() OVER (PARTITION BY {key} ORDER BY file_index, source_row)"


def _marked_rows(table: Table, relation: str, column: str, reason: str) -> str:
    """Make the query of rows that are set aside for the value of one column."""
    return (
        f"SELECT source_file, source_row, {fault_number(table, column, reason)} AS fault, "
        f"file_column, {quote_identifier(column)} AS value FROM {relation}"
    )


def _quarantine_sql(table: Table, faulty: str) -> str:
    sentences = " ".join(
        f"WHEN {quote_text(reason)} THEN {quote_text(sentence)}" for reason, sentence in QUARANTINE_REASONS.items()
    )
    return (
        f"SELECT {quote_text(table.key.split('/')[1])} AS table_name, source_file, source_row, reason, "
        f"CASE reason {sentences} END AS explanation, file_column AS column_name, value "
        f"FROM (SELECT *, {fault_reason_sql('fault')} AS reason FROM ({faulty}))"
    )
