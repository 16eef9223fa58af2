"""Rows that are set aside: the quarantine table of one delivery, and the share of rows it may hold."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from segmentation_assets.config.contract import Rules
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.contract import exceeds_share, judged_apart
from segmentation_assets.ingestion.redelivery import current_rows, superseded_rows
from segmentation_assets.ingestion.rule_sql import row_id_column, unique_columns
from segmentation_assets.ingestion.scratch import (
    Scratch,
    fault_column_sql,
    fault_number,
    fault_reason_sql,
    file_column_of,
)
from segmentation_assets.storage.engine import (
    Connection,
    conformed_select,
    copy_to_parquet,
    quote_identifier,
    quote_text,
)
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.raw import ERASED_REASON, QUARANTINE, QUARANTINE_REASONS, REDELIVERED_REASONS

_PROVENANCE = ("source_file", "source_row")
_HINTS = {
    "fractional_id": "have ids exported as text, correct the mapped column",
    ERASED_REASON: "deliver rows of other customers too",
    "order_id_reused": "tell orders apart by source.order_lines.order_id_sources or order_id_within, correct the id",
}
_IS_REDELIVERED = f"{fault_reason_sql('fault')} IN ({', '.join(quote_text(name) for name in REDELIVERED_REASONS)})"


def usable_rows(table: Table, relation: str) -> str:
    """Make the SQL table expression of the rows that a re-delivery is looked for among: one per key in each part."""
    for column in _key_columns(table):
        relation = f"(SELECT * FROM {relation} QUALIFY NOT {_is_repeated_in_file(column)})"
    return relation


def kept_rows(table: Table, rules: Rules, relation: str, *, is_resolved: bool) -> str:
    """Make the SQL table expression of the rows a table keeps.

    Of equal keys in one part the first row counts, then what no re-delivery replaces where those are resolved, and then
    the first of equal values that the contract wants to stand once.
    """
    relation = usable_rows(table, relation)
    relation = current_rows(table, relation) if is_resolved else relation
    for column in unique_columns(rules):
        relation = f"(SELECT * FROM {relation} QUALIFY NOT {_is_repeated(column)})"
    return relation


def faulty_rows(table: Table, rules: Rules, scratch: Scratch, *, is_resolved: bool) -> str:
    """Make the query of the rows with a fault, that repeat a key or unique value, or whose order id was used again.

    Parameters
    ----------
    table : Table
        Declaration of the raw table.
    rules : tuple of ColumnRule
    scratch : Scratch
        Typed rows.
    is_resolved : bool
        Whether there are re-deliveries, noted in the temporary table of `find_superseded`.

    Returns
    -------
    str
        Query with the columns row_id, source_file, source_row, fault (a number), file_column and value.
    """
    parts = [_aside_sql(table, scratch.quarantine())]
    for column in _key_columns(table):
        repeated = f"(SELECT * FROM {scratch.good()} QUALIFY {_is_repeated_in_file(column)})"
        parts.append(_marked_rows(table, repeated, column, "duplicate_key", "file_column"))
    rows = usable_rows(table, scratch.good())
    if is_resolved:
        parts.append(_aside_sql(table, reused_rows(table, rows)))
        rows = current_rows(table, rows)
    for column in unique_columns(rules):
        repeated = f"(SELECT * FROM {rows} QUALIFY {_is_repeated(column)})"
        parts.append(_marked_rows(table, repeated, column, "not_unique", quote_identifier(file_column_of(column))))
        rows = f"(SELECT * FROM {rows} QUALIFY NOT {_is_repeated(column)})"
    return " UNION ALL ".join(parts)


def emptied_rows(table: Table, scratch: Scratch) -> str:
    """Make the query of the rows that stay without a value that cannot be read, with the columns of `faulty_rows`."""
    return (
        f"SELECT {quote_identifier(row_id_column(table))} AS row_id, source_file, source_row, emptied AS fault, "
        f"emptied_column AS file_column, value FROM {scratch.good()} WHERE emptied IS NOT NULL"
    )


def first_day_ahead(connection: Connection, scratch: Scratch) -> dt.date | None:
    """Return the first day because of which a row is set aside or a field emptied, as it lies after the delivery."""
    is_ahead = f"{fault_reason_sql('coalesce(fault, emptied)')} = 'future_date'"
    found: tuple[dt.date | None] = connection.execute(
        f"SELECT min(ahead) FROM {scratch.everything()} WHERE ahead IS NOT NULL AND {is_ahead}"
    ).fetchall()[0]
    return found[0]


def redelivered_rows(table: Table, rows: str) -> str:
    """Make the SQL table expression of the rows that give way to the same in another file."""
    return f"(SELECT * FROM {superseded_rows(table, rows)} WHERE {_IS_REDELIVERED})"


def reused_rows(table: Table, rows: str) -> str:
    """Make the SQL table expression of the order lines that give way to another order with the same id."""
    return f"(SELECT * FROM {superseded_rows(table, rows)} WHERE NOT {_IS_REDELIVERED})"


def explained_redeliveries(table: Table, rows: str) -> str:
    """Make the query of `redelivered_rows` with the columns of `faulty_rows`."""
    return _aside_sql(table, redelivered_rows(table, rows))


def count_faults(connection: Connection, table: Table, rows: str) -> dict[tuple[str, str], int]:
    """Count rows by our column and reason code; `rows` is a query with the columns of `faulty_rows`."""
    counted = connection.execute(
        f"SELECT our_column, reason, count(*) FROM ({explained_rows(table, rows)}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {(str(column), str(reason)): int(count) for column, reason, count in counted}


def count_reasons(faults: dict[tuple[str, str], int]) -> dict[str, int]:
    """Add faults up by reason code, sorted by code."""
    reasons = sorted({reason for _, reason in faults})
    return {name: sum(count for (_, reason), count in faults.items() if reason == name) for name in reasons}


def explained_rows(table: Table, rows: str) -> str:
    """Extend the columns of `faulty_rows` by the reason code and our name of the column."""
    return (
        f"SELECT *, {fault_reason_sql('fault')} AS reason, {fault_column_sql(table, 'fault')} AS our_column FROM "
        f"({rows})"
    )


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
    emptied: str,
    delivered_rows: int,
    source: SourceSettings,
    rules: Rules = (),
) -> None:
    """Stop where more rows had to be set aside than the settings allow, or all of them.

    Rows of erased customers and those that break a rule with a share of its own do not count here, unless nothing is
    left. Rows of `emptied` count like those set aside: a wrong date format shall not empty a column.

    Raises
    ------
    DataError
        With the counts per reason and the first offending file, row, column and value.
    """
    faults = count_faults(connection, table, rows)
    if sum(faults.values()) >= delivered_rows:
        raise _too_many(connection, table, rows, faults, delivered_rows, source, rules)
    place = "USING (source_file, source_row)"
    rows = f"{rows} UNION ALL SELECT emptied.* FROM ({emptied}) AS emptied ANTI JOIN ({rows}) AS aside {place}"
    counted = {
        place: count for place, count in count_faults(connection, table, rows).items()
        if place[1] != ERASED_REASON and not judged_apart(rules, *place)
    }  # fmt: skip
    if exceeds_share(sum(counted.values()), delivered_rows, source.max_quarantine_share):
        raise _too_many(connection, table, rows, counted, delivered_rows, source, rules)


def _too_many(
    connection: Connection,
    table: Table,
    rows: str,
    counted: dict[tuple[str, str], int],
    delivered_rows: int,
    source: SourceSettings,
    rules: Rules,
) -> DataError:
    """Word that too many rows cannot be used."""
    places = ", ".join(f"({quote_text(column)}, {quote_text(reason)})" for column, reason in counted)
    file, row, reason, column, value = connection.execute(
        f"SELECT source_file, source_row, reason, file_column, value FROM ({explained_rows(table, rows)}) "
        f"WHERE (our_column, reason) IN ({places}) ORDER BY ALL LIMIT 1"
    ).fetchone() or ("", 0, "", None, None)
    place = f"{file}, row {row}" + (f", column '{column}'" if column else "")
    shown = f"'{value}'" if value is not None else "no value"
    reasons = ", ".join(f"{count} {reason}" for reason, count in count_reasons(counted).items())
    ruled = f", contract.{table.noun}" if rules else ""
    by_mapping = f"correct source.{table.noun} (date_format, decimal, separator, null_values, columns){ruled}"
    return DataError(
        f"{table.key}: {sum(counted.values())} of {delivered_rows} delivered rows cannot be used ({reasons}); allowed "
        f"is a share of {source.max_quarantine_share:g}. The first is {place}: {shown}, {QUARANTINE_REASONS[reason]}",
        f"{_HINTS.get(reason, by_mapping)} or the file, or raise source.max_quarantine_share.",
    )


def _key_columns(table: Table) -> tuple[str, ...]:
    """Columns of a delivered key; a table whose rows are known by file and row has none."""
    return () if table.primary_key == _PROVENANCE else table.primary_key


def _is_repeated(column: str) -> str:
    """Make the condition that an earlier row has the same value; rows without one repeat nothing."""
    name = quote_identifier(column)
    place = f"row_number() OVER (PARTITION BY {name} ORDER BY file_index, source_row)"
    return f"({name} IS NOT NULL AND {place} > 1)"


def _is_repeated_in_file(key: str) -> str:
    """Make the condition that an earlier row of the same part has the same key."""
    return f"row_number() OVER (PARTITION BY {quote_identifier(key)}, file_index ORDER BY source_row) > 1"


def _aside_sql(table: Table, relation: str) -> str:
    """Make the query of rows that carry their fault, with the columns of `faulty_rows`."""
    row_id = quote_identifier(row_id_column(table))
    return f"SELECT {row_id} AS row_id, source_file, source_row, fault, file_column, value FROM {relation}"


def _marked_rows(table: Table, relation: str, column: str, reason: str, in_file: str) -> str:
    """Make the query of rows that are set aside for the value of one column."""
    return (
        f"SELECT {quote_identifier(row_id_column(table))} AS row_id, source_file, source_row, "
        f"{fault_number(table, column, reason)} AS fault, "
        f"{in_file} AS file_column, CAST({quote_identifier(column)} AS VARCHAR) AS value FROM {relation}"
    )


def _quarantine_sql(table: Table, faulty: str) -> str:
    sentences = " ".join(
        f"WHEN {quote_text(reason)} THEN {quote_text(sentence)}" for reason, sentence in QUARANTINE_REASONS.items()
    )
    return (
        f"SELECT {quote_text(table.noun)} AS table_name, source_file, source_row, reason, "
        f"CASE reason {sentences} END AS explanation, file_column AS column_name, value "
        f"FROM ({explained_rows(table, faulty)})"
    )
