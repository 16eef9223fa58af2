"""What became of the rows and the money of each delivered part: counted in the file, in what was written, and between.

Rows are counted by whoever opens the file; what was stored and set aside is counted in the files that were written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from segmentation_assets.ingestion.scratch import WHOLE_SLICE, Scratch, line_amount_sql, time_column
from segmentation_assets.storage.engine import Connection, parquet_scan, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.monitoring import WITHOUT_CURRENCY
from segmentation_assets.tables.raw import RAW_ORDER_LINES

REDELIVERED = "redelivered"
"""Reason of the rows that another file holds."""

_NOT_READ = ""


@dataclass(frozen=True)
class Holding:
    """Some rows and their money.

    Parameters
    ----------
    rows : int
    amounts : mapping of str to Decimal
        Exact money by currency; without those that add up to nothing.
    """

    rows: int = 0
    amounts: Mapping[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: Holding) -> Holding:
        codes = dict.fromkeys((*self.amounts, *other.amounts))
        none = Decimal(0)
        sums = {code: self.amounts.get(code, none) + other.amounts.get(code, none) for code in codes}
        return Holding(self.rows + other.rows, {code: amount for code, amount in sums.items() if amount})

    def to_json(self) -> dict[str, Any]:
        """Write it as plain values; money as text, so that it stays exact."""
        return {"rows": self.rows, "amounts": {code: str(amount) for code, amount in sorted(self.amounts.items())}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Holding:
        """Read what `to_json` writes."""
        return cls(values["rows"], {code: Decimal(amount) for code, amount in values["amounts"].items()})


@dataclass(frozen=True)
class PartAccount:
    """What became of one delivered part: a file, a sheet of a workbook, or a table of a database.

    Parameters
    ----------
    name : str
    delivered : Holding
        Rows that the file has, and their money as far as quantity and price can be read.
    raw : mapping of str to Holding
        What the raw table has of it, by month as YYYY-MM-01; under ``whole`` where it has no months.
    set_aside : mapping of str to Holding
        What the quarantine has of it, by reason code; rows that another file holds under ``redelivered``.
    months : tuple of str
        Months of the rows that can be read, whichever file holds their order.
    """

    name: str
    delivered: Holding
    raw: Mapping[str, Holding]
    set_aside: Mapping[str, Holding]
    months: tuple[str, ...]

    @property
    def found(self) -> Holding:
        """What was stored and set aside, together."""
        return add_up((*self.raw.values(), *self.set_aside.values()))

    def to_json(self) -> dict[str, Any]:
        """Write it as plain values, without the name."""
        return {
            "delivered": self.delivered.to_json(),
            "raw": {month: holding.to_json() for month, holding in self.raw.items()},
            "set_aside": {reason: holding.to_json() for reason, holding in self.set_aside.items()},
            "months": list(self.months),
        }

    @classmethod
    def from_json(cls, name: str, values: Mapping[str, Any]) -> PartAccount:
        """Read what `to_json` writes."""
        raw, set_aside = (
            {key: Holding.from_json(holding) for key, holding in values[place].items()}
            for place in ("raw", "set_aside")
        )
        return cls(name, Holding.from_json(values["delivered"]), raw, set_aside, tuple(values["months"]))


def add_up(holdings: Iterable[Holding]) -> Holding:
    """Return the sum of some holdings."""
    return sum(holdings, Holding())


def account_for_parts(
    connection: Connection, table: Table, scratch: Scratch, written: Sequence[Path], quarantine: Path
) -> tuple[PartAccount, ...]:
    """Count what became of the rows of each part.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table; only order lines have money.
    scratch : Scratch
        Typed rows, for the money of what was set aside.
    written : sequence of Path
        Parquet files of the raw table.
    quarantine : Path
        Parquet file of the rows set aside; there may be none.

    Returns
    -------
    tuple of PartAccount
        In delivery order.
    """
    everything = scratch.everything()
    month = _month_sql(table)
    read = _sums(connection, table, everything, f"CASE WHEN fault IS NULL THEN {month} ELSE '{_NOT_READ}' END")
    raw = _sums(connection, table, parquet_scan(written), month)
    aside: dict[str, dict[str, Holding]] = {}
    if quarantine.exists():
        columns = "".join(f", line.{name}" for name in _MONEY_COLUMNS) if _has_money(table) else ""
        lines = (
            f"(SELECT aside.source_file, aside.reason{columns} FROM {parquet_scan([quarantine])} AS aside "
            f"LEFT JOIN {everything} AS line USING (source_file, source_row))"
        )
        aside = _sums(connection, table, lines, "reason")
    return tuple(
        PartAccount(
            name,
            Holding(rows, add_up(read.get(name, {}).values()).amounts),
            raw.get(name, {}),
            aside.get(name, {}),
            tuple(sorted(set(read.get(name, {})) - {_NOT_READ, WHOLE_SLICE})),
        )
        for name, rows in zip(scratch.part_names, scratch.part_rows, strict=True)
    )


_MONEY_COLUMNS = ("quantity", "unit_price", "currency")


def _has_money(table: Table) -> bool:
    return table is RAW_ORDER_LINES


def _month_sql(table: Table) -> str:
    column = time_column(table)
    return quote_text(WHOLE_SLICE) if column is None else f"strftime({quote_identifier(column)}, '%Y-%m-01')"


def _sums(connection: Connection, table: Table, relation: str, label: str) -> dict[str, dict[str, Holding]]:
    """Rows and money by part and label, the labels of a part sorted."""
    currency = f"coalesce(currency, {quote_text(WITHOUT_CURRENCY)})" if _has_money(table) else "''"
    amount = f"coalesce(sum({line_amount_sql()}), 0)" if _has_money(table) else "0"
    counted = connection.execute(
        f"SELECT source_file, {label}, {currency}, count(*), {amount} FROM {relation} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: defaultdict[str, dict[str, Holding]] = defaultdict(dict)
    for part, name, code, rows, money in counted:
        held = found[part].get(name, Holding())
        found[part][name] = held + Holding(int(rows), {code: Decimal(money)})
    return dict(found)
