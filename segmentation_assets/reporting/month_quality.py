"""How good the delivered order lines of each month are: set aside, delivered again, repeated, repaired, incomplete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segmentation_assets.ingestion.accounts import PartAccount
from segmentation_assets.storage.engine import Connection, quote_identifier
from segmentation_assets.tables.raw import REDELIVERED_REASONS

WITHOUT_DAY = ""
"""Month of the rows whose day cannot be read."""

_RAW = """
SELECT strftime(order_at, '%Y-%m') AS month, count(*), count(*) FILTER (customer_id IS NULL), count(repairs)
FROM {lines} GROUP BY ALL
"""
_SILVER = """
SELECT strftime(order_at, '%Y-%m') AS month, count(*), count(*) FILTER (is_exact_duplicate) FROM {lines} GROUP BY ALL
"""


@dataclass(frozen=True, kw_only=True)
class MonthQuality:
    """Delivered order lines of a month.

    Parameters
    ----------
    month : str
        As YYYY-MM; `WITHOUT_DAY` for rows whose day cannot be read.
    stored_count : int
        Rows in ``raw/order_lines``.
    set_aside_count : int
        Rows in the quarantine for a fault of their own.
    redelivered_count : int
        Rows in the quarantine because another file holds their order.
    guest_count, repaired_count : int
        Stored rows without a customer, and with a value that was changed in order to read it.
    classified_count, duplicate_count : int
        Rows in ``silver/order_lines``, and those that equal an earlier row of their order.
    """

    month: str
    stored_count: int = 0
    set_aside_count: int = 0
    redelivered_count: int = 0
    guest_count: int = 0
    repaired_count: int = 0
    classified_count: int = 0
    duplicate_count: int = 0

    @property
    def delivered_count(self) -> int:
        """Rows that were stored or set aside."""
        return self.stored_count + self.set_aside_count + self.redelivered_count


@dataclass(frozen=True)
class MissingShares:
    """Share of the rows without a value.

    Parameters
    ----------
    months : tuple of str
    columns : tuple of str
        Those that have a value in some month, and none in some row.
    shares : tuple of tuple of float
        A row per column, a value per month.
    """

    months: tuple[str, ...]
    columns: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


def measure_months(
    connection: Connection, raw: str, silver: str, parts: Iterable[PartAccount]
) -> tuple[MonthQuality, ...]:
    """Count what became of the delivered rows of each month.

    Parameters
    ----------
    connection : Connection
    raw, silver : str
        SQL table expressions of the stored and the classified order lines of the same months.
    parts : iterable of PartAccount
        What became of the rows of each delivered part, in these months.

    Returns
    -------
    tuple of MonthQuality
        By month; rows whose day cannot be read first.
    """
    stored = {row[0]: row[1:] for row in connection.execute(_RAW.format(lines=raw)).fetchall()}
    classified = {row[0]: row[1:] for row in connection.execute(_SILVER.format(lines=silver)).fetchall()}
    aside, again = _count_aside(parts)
    found = []
    for month in sorted({*stored, *classified, *aside, *again}):
        rows, guests, repaired = stored.get(month, (0, 0, 0))
        lines, duplicates = classified.get(month, (0, 0))
        found.append(
            MonthQuality(
                month=month,
                stored_count=rows,
                set_aside_count=aside[month],
                redelivered_count=again[month],
                guest_count=guests,
                repaired_count=repaired,
                classified_count=lines,
                duplicate_count=duplicates,
            )
        )
    return tuple(found)


def _count_aside(parts: Iterable[PartAccount]) -> tuple[Counter[str], Counter[str]]:
    """Count rows set aside by month: for a fault of their own, and because they were delivered again."""
    aside: Counter[str] = Counter()
    again: Counter[str] = Counter()
    for part in parts:
        for reason, by_month in part.set_aside.items():
            counts = again if reason in REDELIVERED_REASONS else aside
            counts.update({month[:7]: held.rows for month, held in by_month.items()})
    return aside, again


def measure_missing(connection: Connection, lines: str, columns: Sequence[str]) -> MissingShares:
    """Measure which share of the rows of each month lacks a value, column by column.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with `order_at` and the columns.
    columns : sequence of str

    Returns
    -------
    MissingShares
    """
    counts = ", ".join(f"count({quote_identifier(name)})" for name in columns)
    rows = connection.execute(
        f"SELECT strftime(order_at, '%Y-%m') AS month, count(*), {counts} FROM {lines} GROUP BY month ORDER BY month"
    ).fetchall()
    total = sum(row[1] for row in rows)
    shares: Mapping[str, tuple[float, ...]] = {
        name: tuple(round(1 - row[2 + place] / row[1], 6) for row in rows)
        for place, name in enumerate(columns)
        if 0 < sum(row[2 + place] for row in rows) < total
    }
    return MissingShares(tuple(row[0] for row in rows), tuple(shares), tuple(shares.values()))
