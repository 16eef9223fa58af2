"""The built-in shop with the features of its customers, made in memory and read as the platform reads a delivery."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segmentation_assets.config.loading import load_profile
from segmentation_assets.config.settings import Settings
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import computed_features, features_table, prepare_connection
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.graph.sources import delivered_tables, optional_inputs
from segmentation_assets.ingestion.calendar import lookback_start, shift_month, snapshot_as_of
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.delivery import list_delivery
from segmentation_assets.ingestion.ingest import ingest_table
from segmentation_assets.ingestion.mapping import effective_source
from segmentation_assets.storage.engine import (
    Connection,
    Engine,
    conformed_select,
    fetch_row,
    parquet_scan,
    read_frame,
)
from segmentation_assets.synthetic.delivery import write_delivery
from segmentation_assets.synthetic.shop import open_business
from segmentation_assets.tables.raw import RAW_TABLES
from segmentation_assets.tables.silver import CUSTOMER_HISTORY, ORDER_LINES

if TYPE_CHECKING:
    import pandas as pd

_LINES, _HISTORY = "shop_order_lines", "shop_customer_history"


@dataclass(frozen=True)
class ShopTruth:
    """What was planted in a generated shop; no input of anything, only to compare results with.

    Parameters
    ----------
    customers : DataFrame
        customer_id, archetype (lasting habits) and outlier (``bulk_buyer``, else null), a row per customer ever.
    states : DataFrame
        customer_id, month and true_state, a row per customer and month.
    """

    customers: pd.DataFrame
    states: pd.DataFrame


@dataclass(frozen=True)
class GeneratedShop:
    """A built-in shop as the platform sees it at the end of its last month.

    Parameters
    ----------
    features : DataFrame
        Columns of ``silver/customer_features``, a row per customer with a sale or return in the lookback, sorted.
    order_lines : DataFrame
        Columns of ``silver/order_lines``, a row per line of all months.
    as_of_date : date
        What happened before this day counts.
    truth : ShopTruth
        Kept apart from everything that is clustered.
    """

    features: pd.DataFrame
    order_lines: pd.DataFrame
    as_of_date: dt.date
    truth: ShopTruth


def generate_shop(customers: int = 1_500, months: int = 18, seed: int = 7) -> GeneratedShop:
    """Make the built-in shop and the features of its customers, with the settings of the packaged profile ``default``.

    Parameters
    ----------
    customers : int, 10 or more
        Customers ever; some register after the last month and have no row.
    months : int, 2 or more
        Months of business, the first of which is that of the profile.
    seed : int, 0 or more

    Returns
    -------
    GeneratedShop
        Equal for equal arguments, and equal to what ``segmentation run`` computes with the same settings.

    Raises
    ------
    SettingsError
        An argument is out of range.

    Examples
    --------
    >>> shop = generate_shop(customers=40, months=3)
    >>> shop.as_of_date, len(shop.features), list(shop.truth.customers.columns)
    (datetime.date(2023, 12, 1), 12, ['customer_id', 'archetype', 'outlier'])
    """
    settings = _shop_settings(customers, months, seed)
    with TemporaryDirectory() as folder:
        engine = Engine(settings.engine, Path(folder) / "spill")
        with engine.connect() as connection:
            return _deliver_and_read(connection, settings, Path(folder))


def _shop_settings(customers: int, months: int, seed: int) -> Settings:
    """Return the settings of the shop, whose only snapshot is that of its last month."""
    first = load_profile().synthetic.first_month
    last = shift_month(first, max(months, 1) - 1)
    return load_profile(
        overrides={
            "synthetic.customers": customers,
            "synthetic.months": months,
            "synthetic.seed": seed,
            "calendar.first_snapshot": last,
            "calendar.last_month": last,
        }
    )


def _deliver_and_read(connection: Connection, settings: Settings, folder: Path) -> GeneratedShop:
    delivery, truth = folder / "delivery", folder / "truth"
    write_delivery(connection, open_business(settings.synthetic, settings.currency), delivery, truth)
    _ingest(connection, settings, delivery, folder / "raw")
    raw = _raw_rows(folder / "raw", "order_lines")
    classified = classified_lines_sql(raw, effective_source(settings), settings.population)
    connection.execute(f"CREATE TEMP TABLE {_LINES} AS {conformed_select(classified, ORDER_LINES)}")
    (newest,) = fetch_row(connection, f"SELECT max(order_at) FROM {_LINES}")
    grace_days = settings.calendar.partial_grace_days
    as_of_date, _ = snapshot_as_of(settings.synthetic.last_month, newest.date(), grace_days)
    return GeneratedShop(
        features=_features(connection, settings, folder / "raw", as_of_date),
        order_lines=connection.execute(f"SELECT * FROM {_LINES}").df(),
        as_of_date=as_of_date,
        truth=ShopTruth(
            customers=read_frame(connection, [truth / "true_customers.parquet"]),
            states=read_frame(connection, sorted(truth.glob("true_states-*.parquet"))),
        ),
    )


def _ingest(connection: Connection, settings: Settings, delivery: Path, folder: Path) -> None:
    """Read the delivered files into raw tables, a folder each."""
    source = effective_source(settings)
    files = list_delivery(delivery, source)
    for name in delivered_tables(settings):
        staging = folder / name
        staging.mkdir(parents=True)
        of_table = [file for file in files if file.table_name == name]
        mapping = getattr(source, name)
        ingest_table(connection, RAW_TABLES[name], mapping, of_table, delivery, staging, source=source)


def _raw_rows(folder: Path, name: str) -> str:
    """SQL of the rows of a raw table."""
    return parquet_scan(sorted((folder / name).rglob("part-*.parquet")))


def _features(connection: Connection, settings: Settings, raw: Path, as_of_date: dt.date) -> pd.DataFrame:
    """Compute the features of the classified order lines."""
    prepare_connection(connection)
    history = conformed_select(customer_history_sql(_LINES, None, as_of_date), CUSTOMER_HISTORY)
    connection.execute(f"CREATE TEMP TABLE {_HISTORY} AS {history}")
    available = optional_inputs(settings)
    tables = {name: _raw_rows(raw, name) for name in delivered_tables(settings)[1:]}
    relations = FeatureRelations(_LINES, _HISTORY, **tables, columns=[name for name in available if "." in name])
    start = lookback_start(as_of_date, settings.calendar.lookback_months)
    instant = dt.datetime.combine(as_of_date, dt.time())
    with computed_features(connection, settings.features, relations, instant, start) as sql:
        frame: pd.DataFrame = connection.execute(
            conformed_select(sql, features_table(settings.features, available))
        ).df()
    return frame
