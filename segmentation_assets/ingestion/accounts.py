"""What became of the rows and the money of each delivered part: counted in the file, in what was written, and between.

Rows are counted by whoever opens the file; what was stored and set aside is counted in the files that were written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from segmentation_assets.ingestion.scratch import Scratch, line_amount_sql, month_sql, time_column
from segmentation_assets.storage.engine import Connection, parquet_scan, quote_identifier, quote_text
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.monitoring import WITHOUT_CURRENCY
from segmentation_assets.tables.raw import RAW_ORDER_LINES

_REDELIVERED = "redelivered"
"""Reason of the rows that another file holds."""


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

    def __sub__(self, other: Holding) -> Holding:
        return self + Holding(-other.rows, {code: -amount for code, amount in other.amounts.items()})

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
    set_aside : mapping of str to mapping of str to Holding
        What the quarantine has of it, by reason code and month; rows that another file holds under ``redelivered``, and
        rows whose day cannot be read under an empty month.
    """

    name: str
    delivered: Holding
    raw: Mapping[str, Holding]
    set_aside: Mapping[str, Mapping[str, Holding]]

    @property
    def found(self) -> Holding:
        """What was stored and set aside, together."""
        return add_up((*self.raw.values(), *(held for months in self.set_aside.values() for held in months.values())))

    def within(self, months: Collection[str]) -> PartAccount:
        """Leave out what was found of other months, and as much of what was delivered: what is lost stays missing."""
        raw = {month: held for month, held in self.raw.items() if month in months}
        aside = {
            reason: kept
            for reason, by_month in self.set_aside.items()
            if (kept := {month: held for month, held in by_month.items() if not month or month in months})
        }
        rest = PartAccount(self.name, Holding(), raw, aside)
        return replace(rest, delivered=self.delivered - self.found + rest.found)

    @property
    def holds_rows(self) -> bool:
        """Whether it has rows of its own: stored, or set aside for another reason than that another file has them."""
        return bool(self.raw or self.set_aside.keys() - {_REDELIVERED})

    def to_json(self) -> dict[str, Any]:
        """Write it as plain values, without the name."""
        return {
            "delivered": self.delivered.to_json(),
            "raw": _to_json(self.raw),
            "set_aside": {reason: _to_json(months) for reason, months in self.set_aside.items()},
        }

    @classmethod
    def from_json(cls, name: str, values: Mapping[str, Any]) -> PartAccount:
        """Read what `to_json` writes."""
        set_aside = {reason: _from_json(months) for reason, months in values["set_aside"].items()}
        return cls(name, Holding.from_json(values["delivered"]), _from_json(values["raw"]), set_aside)


def _to_json(by_month: Mapping[str, Holding]) -> dict[str, Any]:
    return {month: holding.to_json() for month, holding in by_month.items()}


def _from_json(values: Mapping[str, Any]) -> dict[str, Holding]:
    return {month: Holding.from_json(holding) for month, holding in values.items()}


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
    everything, month = scratch.everything(), f"coalesce({month_sql(table)}, '')"
    delivered = _sums(connection, table, everything, "''", "''")
    raw = _sums(connection, table, parquet_scan(written), "''", month)
    aside: _Sums = {}
    if quarantine.exists():
        instant = time_column(table)
        columns = "".join(f", line.{name}" for name in (_MONEY_COLUMNS if _has_money(table) else ()))
        columns += f", line.{quote_identifier(instant)}" if instant else ""
        lines = (
            f"(SELECT aside.source_file, aside.reason{columns} FROM {parquet_scan([quarantine])} AS aside "
            f"LEFT JOIN {everything} AS line USING (source_file, source_row))"
        )
        aside = _sums(connection, table, lines, "reason", month)
    return tuple(
        PartAccount(
            name,
            Holding(rows, add_up(delivered.get(name, {}).get("", {}).values()).amounts),
            raw.get(name, {}).get("", {}),
            aside.get(name, {}),
        )
        for name, rows in zip(scratch.part_names, scratch.part_rows, strict=True)
    )


_MONEY_COLUMNS = ("quantity", "unit_price", "currency")


def _has_money(table: Table) -> bool:
    return table is RAW_ORDER_LINES


_Sums = dict[str, dict[str, dict[str, Holding]]]


def _sums(connection: Connection, table: Table, relation: str, label: str, month: str) -> _Sums:
    """Rows and money by part, label and month, each of them sorted."""
    currency = f"coalesce(currency, {quote_text(WITHOUT_CURRENCY)})" if _has_money(table) else "''"
    amount = f"coalesce(sum({line_amount_sql()}), 0)" if _has_money(table) else "0"
    counted = connection.execute(
        f"SELECT source_file, {label}, {month}, {currency}, count(*), {amount} FROM {relation} "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: _Sums = {}
    for part, name, day, code, rows, money in counted:
        by_month = found.setdefault(part, {}).setdefault(name, {})
        by_month[day] = by_month.get(day, Holding()) + Holding(int(rows), {code: Decimal(money)})
    return found
