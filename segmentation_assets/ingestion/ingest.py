"""Ingestion of one delivered table: typed rows in month slices, the rest in quarantine, everything counted."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from segmentation_assets.config.contract import Rules
from segmentation_assets.config.source import DeliveredTable, SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.accounts import PartAccount, account_for_parts
from segmentation_assets.ingestion.contract import RuleFinding, find_broken_rules
from segmentation_assets.ingestion.delivery import DeliveredFile
from segmentation_assets.ingestion.findings import count_repairs
from segmentation_assets.ingestion.quarantine import (
    check_quarantine,
    count_faults,
    count_reasons,
    emptied_rows,
    explained_redeliveries,
    explained_rows,
    faulty_rows,
    first_day_ahead,
    kept_rows,
    redelivered_rows,
    reused_rows,
    usable_rows,
    write_quarantine,
)
from segmentation_assets.ingestion.redelivery import find_superseded, forget_superseded
from segmentation_assets.ingestion.scratch import WHOLE_SLICE, Scratch, line_amount_sql, parse_delivery, time_column
from segmentation_assets.storage.engine import (
    Connection,
    conformed_select,
    copy_to_parquet,
    parquet_scan,
    quote_identifier,
)
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.raw import RAW_ORDER_LINES

PART = "part-0.parquet"
QUARANTINE_FILE = "quarantine.parquet"


@dataclass(frozen=True, kw_only=True)
class IngestedTable:
    """What became of the rows of one delivered table.

    Parameters
    ----------
    key : str
        Key of the raw table, such as ``raw/order_lines``.
    delivered_rows, stored_rows, quarantined_rows, redelivered_rows : int
        Rows that the files have, counted when they are opened, and where they went. Redelivered rows gave way to the
        same order, customer, product or event in another file; they lie in the quarantine too, but do not count as
        quarantined.
    months : tuple of str
        Month slices written, as YYYY-MM-01; empty for tables without a time column.
    first_at, last_at : datetime or None
        First and last instant of the stored rows, in local time of the shop.
    delivered_amount, stored_amount, quarantined_amount, redelivered_amount : Decimal or None
        Exact sums of quantity times unit price over rows whose quantity and price can be read; order lines only.
    quarantine_counts : dict of str to int
        Rows of the quarantine by reason code, redelivered ones among them.
    repair_counts : dict of str to int
        Values of the stored rows that are not as delivered, by column and kind, such as ``product_id:trimmed``.
    part_rows : dict of str to int
        Rows of each part of the delivered files in delivery order: file, sheet of a workbook or table of a database.
    hidden_sheets : tuple of str
        Those of the parts that a person who opens the workbook does not see; they are read like the others.
    lacking_parts : dict of str to int
        Parts that do not have a mapped column, by our name of it.
    rules : tuple of RuleFinding
        What was found of each rule of the contract.
    first_ahead : date or None
        First day among the rows that are set aside because they are dated ahead.
    parts : tuple of PartAccount
        What became of the rows and the money of each part, in delivery order.
    """

    key: str
    delivered_rows: int
    stored_rows: int
    quarantined_rows: int
    redelivered_rows: int
    months: tuple[str, ...]
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    delivered_amount: Decimal | None
    stored_amount: Decimal | None
    quarantined_amount: Decimal | None
    redelivered_amount: Decimal | None
    quarantine_counts: dict[str, int]
    part_rows: dict[str, int]
    hidden_sheets: tuple[str, ...] = ()
    lacking_parts: dict[str, int] = field(default_factory=dict)
    rules: tuple[RuleFinding, ...] = ()
    repair_counts: dict[str, int] = field(default_factory=dict)
    first_ahead: dt.date | None = None
    parts: tuple[PartAccount, ...] = ()


@dataclass(frozen=True)
class _Totals:
    """Rows, money and time span of some rows."""

    rows: int = 0
    amount: Decimal = Decimal(0)
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None


def ingest_table(
    connection: Connection,
    table: Table,
    mapping: DeliveredTable,
    files: Sequence[DeliveredFile],
    folder: Path,
    staging: Path,
    *,
    source: SourceSettings,
    rules: Rules = (),
    latest: dt.date | None = None,
    erased: Collection[str] = (),
) -> IngestedTable:
    """Read the files of one delivered table in one pass and write its raw table.

    Parameters
    ----------
    connection : Connection
    table : Table
        Declaration of the raw table. One with a TIMESTAMP column is written as ``<YYYY-MM-01>/part-0.parquet`` per
        month, any other as ``part-0.parquet``.
    mapping : DeliveredTable
        How the files are read.
    files : sequence of DeliveredFile
        Files of this table in delivery order; none gives an empty table.
    folder : Path
        Delivery folder.
    staging : Path
        Existing folder to write to. Rows set aside go to ``quarantine.parquet``, if there are any.
    source : SourceSettings
    rules : tuple of ColumnRule
        Rules of the contract for the table. Rows that break one are set aside; whether they are too many, the result
        says, and the caller decides.
    latest : date or None
        Rows with a date on this day or later are set aside as ``future_date``: the day after the one on which the
        files are taken in, in the time zone of the shop. Any date is taken when absent.
    erased : collection of str
        SHA-256 of the ids of customers of whom nothing is kept; their rows are set aside as ``erased``, without value.

    Returns
    -------
    IngestedTable

    Raises
    ------
    DataError
        A file cannot be read or lacks a mapped column, no row is readable, more rows have to be set aside than
        ``source.max_quarantine_share`` allows, something stands in two files where ``source.redelivery`` is refuse, or
        order ids restart in each file.

    Notes
    -----
    Files are byte-identical whatever the number of engine threads: every slice is sorted by its primary key.
    """
    if not files:
        return _absent(connection, table, staging)
    work = staging / "scratch"
    work.mkdir()
    try:
        scratch = parse_delivery(
            connection, table, mapping, files, folder, work, source=source, rules=rules, latest=latest, erased=erased
        )
        return _store(connection, table, scratch, staging, source, rules)
    finally:
        shutil.rmtree(work)
        forget_superseded(connection)


def _absent(connection: Connection, table: Table, staging: Path) -> IngestedTable:
    if time_column(table) is None:
        empty = ", ".join(f"NULL AS {quote_identifier(name)}" for name in table.column_names)
        copy_to_parquet(connection, conformed_select(f"SELECT {empty} WHERE false", table), staging / PART)
    return _summarise(table, _Totals(), _Totals(), _Totals(), _Totals(), (), {}, {})


def _store(
    connection: Connection,
    table: Table,
    scratch: Scratch,
    staging: Path,
    source: SourceSettings,
    rules: Rules,
) -> IngestedTable:
    """Set rows aside, resolve re-deliveries, and write what stays, slice by slice."""
    delivered = _totals(connection, table, scratch.everything())
    part_rows = dict(zip(scratch.part_names, scratch.part_rows, strict=True))
    if not any(part_rows.values()):
        raise DataError(
            f"{', '.join(scratch.part_names)}: there is no row below the header",
            "deliver the file again, with its rows.",
        )
    usable = usable_rows(table, scratch.good())
    is_resolved = find_superseded(connection, table, scratch, usable, source)
    set_aside = faulty_rows(table, rules, scratch, is_resolved=is_resolved)
    faults = count_faults(connection, table, set_aside)
    check_quarantine(connection, table, set_aside, emptied_rows(table, scratch), delivered.rows, source, rules)
    findings = find_broken_rules(
        connection, table, rules, scratch.everything(), explained_rows(table, set_aside), delivered.rows
    )
    redelivered, unusable = _Totals(), scratch.quarantine()
    if is_resolved:
        redelivered = _totals(connection, table, redelivered_rows(table, usable))
        unusable = f"(SELECT * FROM {unusable} UNION ALL BY NAME SELECT * FROM {reused_rows(table, usable)})"
        again = explained_redeliveries(table, usable)
        faults |= count_faults(connection, table, again)
        set_aside = f"{set_aside} UNION ALL {again}"
    counts = count_reasons(faults)
    if counts:
        write_quarantine(connection, table, set_aside, staging / QUARANTINE_FILE)
    kept = partial(kept_rows, table, rules, is_resolved=is_resolved)
    months = _write_slices(connection, table, scratch, staging, kept)
    written = sorted(staging.glob(f"*/{PART}")) or [staging / PART]
    stored = _totals(connection, table, parquet_scan(written))
    faulty = _totals(connection, table, unusable)
    summary = _summarise(table, delivered, stored, faulty, redelivered, months, counts, part_rows)
    repairs = count_repairs(connection, parquet_scan(written))
    ahead = first_day_ahead(connection, scratch)
    parts = account_for_parts(connection, table, scratch, written, staging / QUARANTINE_FILE)
    return replace(
        summary,
        hidden_sheets=scratch.hidden_names,
        lacking_parts=dict(sorted(Counter(scratch.lacking).items())),
        rules=findings,
        repair_counts=repairs,
        first_ahead=ahead,
        parts=parts,
    )


def _write_slices(
    connection: Connection, table: Table, scratch: Scratch, staging: Path, kept: Callable[[str], str]
) -> tuple[str, ...]:
    """Write every slice that has rows left; return the months among them."""
    months = []
    for name in scratch.slices:
        rows = kept(scratch.slice(name))
        if connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone() is None:
            continue
        target = staging if name == WHOLE_SLICE else staging / name
        target.mkdir(exist_ok=True)
        copy_to_parquet(connection, conformed_select(f"SELECT * FROM {rows}", table), target / PART)
        if name != WHOLE_SLICE:
            months.append(name)
    return tuple(months)


def _totals(connection: Connection, table: Table, relation: str) -> _Totals:
    instant = time_column(table)
    span = f"min({quote_identifier(instant)}), max({quote_identifier(instant)})" if instant else "NULL, NULL"
    amount = f"sum({line_amount_sql()})" if table is RAW_ORDER_LINES else "NULL"
    rows, money, first_at, last_at = connection.execute(
        f"SELECT count(*), {amount}, {span} FROM {relation}"
    ).fetchone() or (0, None, None, None)
    return _Totals(int(rows), money or Decimal(0), first_at, last_at)


def _summarise(
    table: Table,
    delivered: _Totals,
    stored: _Totals,
    faulty: _Totals,
    redelivered: _Totals,
    months: tuple[str, ...],
    counts: dict[str, int],
    part_rows: dict[str, int],
) -> IngestedTable:
    has_money = table is RAW_ORDER_LINES
    return IngestedTable(
        key=table.key,
        delivered_rows=sum(part_rows.values()),
        stored_rows=stored.rows,
        quarantined_rows=sum(counts.values()) - redelivered.rows,
        redelivered_rows=redelivered.rows,
        months=months,
        first_at=stored.first_at,
        last_at=stored.last_at,
        delivered_amount=delivered.amount if has_money else None,
        stored_amount=stored.amount if has_money else None,
        quarantined_amount=faulty.amount if has_money else None,
        redelivered_amount=redelivered.amount if has_money else None,
        quarantine_counts=counts,
        part_rows=part_rows,
    )
