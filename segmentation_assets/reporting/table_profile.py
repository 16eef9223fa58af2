"""What the columns of a delivered table look like; nothing that names a person."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segmentation_assets.reporting.column_statistics import ColumnStatistics, describe_columns
from segmentation_assets.storage.engine import Connection, fetch_row, quote_identifier
from segmentation_assets.tables.declaration import Table

ROWS_LOOKED_AT = 100_000
"""About as many rows of a larger table are looked at."""

_NAMELESS = frozenset({"customer_id", "order_id"})
"""Columns of which no value is shown, only how many different ones there are."""

_LEFT_OUT = frozenset({"source_row", "repairs"})
"""Columns that say where a row stands and how it was read, not what it holds."""


@dataclass(frozen=True, kw_only=True)
class TableProfile:
    """The columns of a table.

    Parameters
    ----------
    table : Table
    row_count, sample_count : int
        All rows, and those that were looked at.
    columns : tuple of ColumnStatistics
        Of the rows looked at; only columns with a value.
    empty : tuple of str
        Columns without any value: not delivered, or always empty.
    """

    table: Table
    row_count: int
    sample_count: int
    columns: tuple[ColumnStatistics, ...]
    empty: tuple[str, ...]


def profile_table(connection: Connection, relation: str, table: Table) -> TableProfile:
    """Describe the columns of a table.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression; columns that it lacks are left out.
    table : Table
        Its declaration.

    Returns
    -------
    TableProfile

    Notes
    -----
    Of a table with more than `ROWS_LOOKED_AT` rows every k-th by the hash of its key is looked at, so that the choice
    does not depend on the order of rows. The temporary table ``looked_at`` stays in the connection.
    """
    (row_count,) = fetch_row(connection, f"SELECT count(*) FROM {relation}")
    every = -(-row_count // ROWS_LOOKED_AT)
    where = f"WHERE hash({', '.join(map(quote_identifier, table.primary_key))}) % {every} = 0" if every > 1 else ""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS SELECT * FROM {relation} {where}")
    stored = {str(row[0]) for row in connection.execute("DESCRIBE looked_at").fetchall()}
    columns = [column for column in table.columns if column.name in stored and column.name not in _LEFT_OUT]
    described = describe_columns(connection, "looked_at", columns)
    return TableProfile(
        table=table,
        row_count=row_count,
        sample_count=described[0].row_count,
        columns=tuple(
            replace(found, top=()) if found.name in _NAMELESS else found for found in described if found.known_count
        ),
        empty=tuple(found.name for found in described if not found.known_count),
    )
