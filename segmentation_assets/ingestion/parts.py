"""A part of a delivered file that is read as one table: the file itself, a sheet of a workbook, a database table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.config.source import DeliveredTable
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.columns import mapped_columns
from segmentation_assets.storage.engine import Connection, EngineError, fetch_row, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table

NO_TEXT = "CAST(NULL AS VARCHAR)"
"""SQL of an absent text."""


@dataclass(frozen=True)
class Reader:
    """What it takes to read the files of one delivered table.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table.
    mapping : DeliveredTable
    folder : Path
        Delivery folder.
    scratch : Path
        Folder for unpacked, decoded or rewritten copies; they must stay until the queries have run.
    """

    connection: Connection
    table: Table
    mapping: DeliveredTable
    folder: Path
    scratch: Path

    @property
    def setting(self) -> str:
        """Section of the settings that says how the table is read."""
        return f"source.{self.table.key.split('/')[1]}"

    @property
    def mapped(self) -> tuple[str, ...]:
        """Our names of the mapped columns, in declared order."""
        return mapped_columns(self.table, self.mapping)

    def copy_path(self, index: int) -> Path:
        """Return where the copy of a part belongs."""
        return self.scratch / f"part-{index:06d}.csv"


@dataclass(frozen=True)
class ReadablePart:
    """A part of a delivered file as a query.

    Parameters
    ----------
    name : str
        File name, and in brackets the sheet or table: ``orders.xlsx[2011]``.
    sql : str
        Yields source_file, file_index, source_row (from 1), malformed (text of a row that does not fit the header,
        else null) and one column ``raw_<name>`` per mapped column.
    columns : tuple of str
        Name in the file of each mapped column, in the order of the mapped columns of the table.
    types : tuple of str
        DuckDB type of each of them.
    row_count : int
        Rows that the file was found to have when it was opened, apart from the query.
    is_hidden : bool
        Whether a person who opens the file does not see it.
    lacking : tuple of str
        Our names of the mapped columns that it does not have; they are empty.
    """

    name: str
    sql: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    row_count: int
    is_hidden: bool = False
    lacking: tuple[str, ...] = ()


def make_part(
    reader: Reader,
    name: str,
    index: int,
    relation: str,
    columns: Mapping[str, str],
    values: Sequence[str],
    types: Sequence[str],
    *,
    row_count: int,
    row: str,
    malformed: str = NO_TEXT,
) -> ReadablePart:
    """Make a part from the SQL of its values.

    Parameters
    ----------
    reader : Reader
    name : str
        Name of the part.
    index : int
        Place among all parts of the table, from 0; of an order that stands in two parts the later one holds.
    relation : str
        SQL table expression that the values are taken from.
    columns : mapping of str to str
        As `find_columns`.
    values, types : sequence of str
        SQL and DuckDB type of each of them.
    row_count : int
        Rows of the file, counted apart from the query.
    row, malformed : str
        SQL of the number of a row and of the text of a row that does not fit the header.

    Returns
    -------
    ReadablePart
    """
    value_of, type_of = dict(zip(columns, values, strict=True)), dict(zip(columns, types, strict=True))
    listed = ", ".join(
        f"{value_of.get(column, NO_TEXT)} AS {quote_identifier(f'raw_{column}')}" for column in reader.mapped
    )
    sql = (
        f"SELECT {quote_text(name)} AS source_file, CAST({index} AS INTEGER) AS file_index, "
        f"{row} AS source_row, {malformed} AS malformed, {listed} FROM {relation}"
    )
    return ReadablePart(
        name,
        sql,
        tuple(columns.get(column, reader.mapping.names_of(column)[0]) for column in reader.mapped),
        tuple(type_of.get(column, "VARCHAR") for column in reader.mapped),
        row_count,
        lacking=tuple(column for column in reader.mapped if column not in columns),
    )


def all_empty(types: Mapping[str, str]) -> str:
    """Make the condition that a row has no value in any of some columns, given by name and DuckDB type."""
    named = ((quote_identifier(name), dtype) for name, dtype in types.items())
    tests = (f"({name} IS NULL OR {name} = '')" if dtype == "VARCHAR" else f"{name} IS NULL" for name, dtype in named)
    return f"({' AND '.join(tests)})"


def count_rows(connection: Connection, relation: str, types: Mapping[str, str]) -> tuple[int, int]:
    """Count the rows with a value in any of all columns, and those without; looking for nulls mostly reads statistics.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression.
    types : mapping of str to str
        Name and DuckDB type of all of its columns.

    Returns
    -------
    tuple of (int, int)
    """
    (rows,) = fetch_row(connection, f"SELECT count(*) FROM {relation}")
    (empty,) = fetch_row(connection, f"SELECT count(*) FROM {relation} WHERE {all_empty(types)}")
    return int(rows) - int(empty), int(empty)


def empty_part(reader: Reader, name: str, index: int) -> ReadablePart:
    """Make a part without a row, for a sheet that holds nothing."""
    columns = {column: reader.mapping.names_of(column)[0] for column in reader.mapped}
    values, types = [NO_TEXT] * len(columns), ["VARCHAR"] * len(columns)
    relation = "(SELECT 1 WHERE false)"
    return make_part(reader, name, index, relation, columns, values, types, row_count=0, row="CAST(NULL AS BIGINT)")


def refuse_unreadable(connection: Connection, parts: Sequence[ReadablePart]) -> None:
    """Read parts one by one to the end, after reading them together has failed.

    Parameters
    ----------
    connection : Connection
    parts : sequence of ReadablePart

    Raises
    ------
    DataError
        The first part that cannot be read: a file may be damaged further in than its beginning and its end.
    """
    for part in parts:
        try:
            connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM ({part.sql})").fetchall()
        except EngineError as problem:
            reason = str(problem).splitlines()[0]
            raise DataError(f"{part.name} is damaged and cannot be read: {reason}", "deliver it again.") from problem
