"""Features of customers from a file of order lines, by the rules of the delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from segmentation_assets.errors import DataError
from segmentation_assets.features.history import REPEAT_SPEND_SQL, customer_history_sql
from segmentation_assets.features.registry import prepare_connection
from segmentation_assets.graph.inputs import order_line_months
from segmentation_assets.graph.sources import delivered_tables
from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.ingestion.calendar import lookback_start
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.crosswalk import resolved_sql
from segmentation_assets.ingestion.delivery import DeliveredFile
from segmentation_assets.ingestion.exchange_rates import read_exchange_rates
from segmentation_assets.ingestion.ingest import QUARANTINE_FILE, IngestedTable, ingest_table
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.ingestion.population import excluded_accounts_sql
from segmentation_assets.serving.conversion import find_conversion
from segmentation_assets.serving.feature_inputs import crosswalk_relation, declared_features, features_as_of
from segmentation_assets.serving.feature_rows import SPEND
from segmentation_assets.storage.engine import conformed_select, copy_to_parquet, fetch_row, parquet_scan
from segmentation_assets.storage.file_hashes import file_sha256
from segmentation_assets.storage.store import WHOLE
from segmentation_assets.tables.raw import RAW_TABLES
from segmentation_assets.tables.silver import CUSTOMER_HISTORY, ORDER_LINES

_NAME = "order_lines"


@dataclass(frozen=True)
class LineRows:
    """What order lines became.

    Parameters
    ----------
    rows : Path
        Parquet, sorted by customer_id: the features of each customer and `SPEND`.
    ingested : IngestedTable
        What became of the lines.
    set_aside : Path or None
        Parquet with the lines that cannot be read.
    customers : int
        Customers with a line.
    known_customers : int
        Those of them of whom there are stored order lines, too.
    anonymous_lines : int
        Lines without a customer.
    """

    rows: Path
    ingested: IngestedTable
    set_aside: Path | None
    customers: int
    known_customers: int
    anonymous_lines: int


def read_order_lines(
    tables: StoredTables,
    path: Path,
    as_of_date: dt.date,
    scratch: Path,
    *,
    sheets: tuple[str, ...] | None = None,
    erased: Collection[str] = (),
) -> LineRows:
    """Read order lines as a delivery is read, and compute the features of the customers.

    Parameters
    ----------
    tables : StoredTables
        Of the month whose products, customers and events are looked up; their products and profiles count.
    path : Path
        Order lines, mapped as those of the delivery are.
    as_of_date : date
        What happened before this day counts.
    scratch : Path
        Folder for the result and for what it is made from.
    sheets : tuple of str or None
        Sheets of a workbook; None for those of the mapping.
    erased : collection of str
        SHA-256 of the ids of customers of whom nothing is kept.

    Returns
    -------
    LineRows

    Raises
    ------
    DataError
        The file cannot be read, more lines cannot be used than ``source.max_quarantine_share`` allows, or a line lies
        on or after the date.
    """
    ingested = _ingest(tables, path, scratch, sheets, erased)
    raw = parquet_scan(sorted(scratch.glob("????-??-01/*.parquet")))
    _refuse_later(tables, path, raw, as_of_date)
    connection, settings = tables.connection, tables.platform.settings
    crosswalk = crosswalk_relation(tables)
    resolved = resolved_sql(raw, crosswalk, "CAST(line.order_at AS DATE)") if crosswalk else raw
    has_customers = "customers" in delivered_tables(settings)
    holders = tables.slices_relation("raw/customers", [WHOLE]) if has_customers else None
    accounts = excluded_accounts_sql(settings.population, holders)
    conversion = find_conversion(tables, resolved, accounts, read_exchange_rates(settings.money.exchange))
    lines = scratch / "lines.parquet"
    classified = classified_lines_sql(resolved, effective_source(settings), settings.population, accounts, conversion)
    copy_to_parquet(connection, conformed_select(classified, ORDER_LINES), lines)
    set_aside = scratch / QUARANTINE_FILE
    customers, known, anonymous = _count_customers(tables, parquet_scan([lines]))
    return LineRows(
        rows=_feature_rows(tables, parquet_scan([lines]), as_of_date, scratch),
        ingested=ingested,
        set_aside=set_aside if set_aside.exists() else None,
        customers=customers,
        known_customers=known,
        anonymous_lines=anonymous,
    )


def _ingest(
    tables: StoredTables, path: Path, scratch: Path, sheets: tuple[str, ...] | None, erased: Collection[str]
) -> IngestedTable:
    settings = tables.platform.settings
    source = effective_source(settings)
    mapping = getattr(source, _NAME)
    file = DeliveredFile(_NAME, path.name, 0, path.stat().st_size, file_sha256(path))
    return ingest_table(
        tables.connection,
        RAW_TABLES[_NAME],
        mapping.model_copy(update={"sheets": sheets or mapping.sheets}),
        [file],
        path.parent,
        scratch,
        source=source,
        rules=settings.contract.of(_NAME),
        latest=tables.platform.latest_day,
        erased=erased,
    )


def _refuse_later(tables: StoredTables, path: Path, raw: str, as_of_date: dt.date) -> None:
    """Refuse lines that the as-of date would leave out without a word."""
    count, newest = fetch_row(
        tables.connection, f"SELECT count(*), max(order_at) FROM {raw} WHERE order_at >= TIMESTAMP '{as_of_date}'"
    )
    if count:
        raise DataError(
            f"{path.name} has {count:,} order lines on or after {as_of_date}, the day before which things count; the "
            f"newest is of {newest:%Y-%m-%d}",
            f"add --as-of {newest.date() + dt.timedelta(days=1)}, or leave the lines out.",
        )


def _count_customers(tables: StoredTables, lines: str) -> tuple[int, int, int]:
    """Count customers, those of them whom the shop knows, and lines without one."""
    history = tables.relation("silver/customer_history")
    customers, known = fetch_row(
        tables.connection,
        f"SELECT count(*), count(*) FILTER (customer_id IN (SELECT customer_id FROM {history})) FROM "
        f"(SELECT DISTINCT customer_id FROM {lines} WHERE customer_id IS NOT NULL)",
    )
    (anonymous,) = fetch_row(tables.connection, f"SELECT count(*) - count(customer_id) FROM {lines}")
    return int(customers), int(known), int(anonymous)


def _feature_rows(tables: StoredTables, lines: str, as_of_date: dt.date, scratch: Path) -> Path:
    connection, result = tables.connection, scratch / "rows.parquet"
    prepare_connection(connection)
    made = conformed_select(customer_history_sql(lines, None, as_of_date), CUSTOMER_HISTORY)
    copy_to_parquet(connection, f"SELECT *, {REPEAT_SPEND_SQL} AS {SPEND} FROM ({made})", scratch / "history.parquet")
    known = parquet_scan([scratch / "history.parquet"])
    start = lookback_start(as_of_date, tables.platform.settings.calendar.lookback_months)
    first = start.replace(day=1).isoformat()
    months = [month for month in order_line_months(tables.platform) if first <= month < as_of_date.isoformat()]
    with features_as_of(tables, lines, known, as_of_date, months) as sql:
        features = conformed_select(sql, declared_features(tables))
        joined = f"({features}) AS features LEFT JOIN {known} AS history USING (customer_id)"
        spend = f"SELECT features.*, history.{SPEND} FROM {joined} ORDER BY customer_id"
        copy_to_parquet(connection, spend, result)
    return result
