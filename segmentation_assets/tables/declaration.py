"""What a declared table and a declared column are; the declarations themselves lie beside this file."""

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal[
    "VARCHAR",
    "BIGINT",
    "INTEGER",
    "DOUBLE",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "DECIMAL(18,2)",
    "DECIMAL(18,4)",
]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One declared column.

    Parameters
    ----------
    name : str
        Column name as stored.
    dtype : ColumnType
        DuckDB type the column is stored in.
    meaning : str
        One sentence an analyst understands.
    unit : str
        Unit of the values, such as ``days`` or ``currency``; empty for text and flags.
    nullable : bool
        Whether null is a legal value.
    null_rule : str
        What a null means; required where `nullable` holds.
    minimum, maximum : float or None
        Inclusive range; ``None`` is unbounded.
    allowed : tuple of str
        The legal values; empty means any.
    reads : tuple of str
        Columns that its values are made from, written ``table.column`` with the table's noun, or its whole key where
        that is clearer; what the names may look like, and what is listed, `graph.lineage` says. Shown to people,
        never part of what is computed.
    """

    name: str
    dtype: ColumnType
    meaning: str
    unit: str = ""
    nullable: bool = False
    null_rule: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


CUSTOMER_ID = Column(name="customer_id", dtype="VARCHAR", meaning="Customer as the shop writes it.")
"""The column that names the customer, where every row has one."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One declared table: what a row is, its columns, and the key that makes rows unique.

    Rows are stored sorted by `primary_key`.
    """

    key: str
    row: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in stored order."""
        return tuple(column.name for column in self.columns)

    @property
    def noun(self) -> str:
        """Second part of the key."""
        return self.key.split("/", 1)[1]
