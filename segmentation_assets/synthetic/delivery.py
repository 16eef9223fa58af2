"""The synthetic shop as a delivery: Parquet files by month, and the mapping that reads them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from segmentation_assets.config.settings import SyntheticSettings
from segmentation_assets.config.source import (
    CustomersTable,
    EngagementEventsTable,
    OrderLinesTable,
    ProductsTable,
    SourceSettings,
)
from segmentation_assets.storage.engine import Connection, copy_to_parquet, quote_identifier
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.shop import Shop

if TYPE_CHECKING:
    import pandas as pd

GROUND_TRUTH_FILE = "ground_truth.parquet"

_TYPES = {
    "customers": {
        "customer_id": "VARCHAR",
        "registered_on": "DATE",
        "birth_year": "INTEGER",
        "country": "VARCHAR",
    },
    "products": {
        "product_id": "VARCHAR",
        "product_name": "VARCHAR",
        "department": "VARCHAR",
        "class": "VARCHAR",
    },
    "order_lines": {
        "order_id": "VARCHAR",
        "order_at": "TIMESTAMP",
        "customer_id": "VARCHAR",
        "product_id": "VARCHAR",
        "quantity": "BIGINT",
        "unit_price": "DECIMAL(18,4)",
    },
    "engagement_events": {"customer_id": "VARCHAR", "event_at": "TIMESTAMP", "event_type": "VARCHAR"},
    "ground_truth": {"customer_id": "VARCHAR", "true_segment": "VARCHAR"},
}

_SORTING = {
    "customers": ("customer_id",),
    "products": ("product_id",),
    "order_lines": ("order_at", "order_id", "product_id"),
    "engagement_events": ("event_at", "customer_id", "event_type"),
    "ground_truth": ("customer_id",),
}


@cache
def synthetic_source() -> SourceSettings:
    """Return the mapping that reads a delivery of the synthetic shop."""

    def same_names(table: str) -> dict[str, str]:
        return {name: name for name in _TYPES[table]}

    return SourceSettings(
        kind="files",
        order_lines=OrderLinesTable(files=("order_lines-*.parquet",), columns=same_names("order_lines")),
        customers=CustomersTable(files=("customers.parquet",), columns=same_names("customers")),
        products=ProductsTable(files=("products.parquet",), columns=same_names("products")),
        engagement_events=EngagementEventsTable(
            files=("engagement_events-*.parquet",), columns=same_names("engagement_events")
        ),
    )


def business_months(settings: SyntheticSettings) -> tuple[str, ...]:
    """List the first day of each month of business as text, such as 2024-03-01.

    Examples
    --------
    >>> business_months(SyntheticSettings(first_month="2023-12", months=2))
    ('2023-12-01', '2024-01-01')
    """
    return tuple(f"{month}-01" for month in make_calendar(settings).months)


def delivery_frames(shop: Shop) -> dict[str, pd.DataFrame]:
    """Split a shop into the files of a delivery.

    Parameters
    ----------
    shop : Shop
        The whole shop.

    Returns
    -------
    dict of str to DataFrame
        File name → rows, sorted by file name: customers, products, and a file of order lines and of engagement
        events for each month that has any. The true segments and list prices are left out.
    """
    frames = {f"{table}.parquet": getattr(shop, table)[list(_TYPES[table])] for table in ("customers", "products")}
    frames |= _split_by_month("order_lines", shop.order_lines, "order_at")
    frames |= _split_by_month("engagement_events", shop.engagement_events, "event_at")
    return dict(sorted(frames.items()))


def write_delivery(connection: Connection, shop: Shop, folder: Path) -> list[Path]:
    """Write the files of a delivery into a folder, which is made if need be.

    Parameters
    ----------
    connection : Connection
        Any open connection; nothing is left behind in it.
    shop : Shop
        The whole shop.
    folder : Path
        Files of the same names are overwritten, others left alone.

    Returns
    -------
    list of Path
        The files, sorted; byte-identical for equal shops.
    """
    frames = delivery_frames(shop)
    return [_write(connection, frame, folder / name) for name, frame in frames.items()]


def write_ground_truth(connection: Connection, shop: Shop, folder: Path) -> Path:
    """Write the true segments into a folder of their own, apart from any delivery."""
    return _write(connection, shop.ground_truth, folder / GROUND_TRUTH_FILE)


def _split_by_month(table: str, frame: pd.DataFrame, instant: str) -> dict[str, pd.DataFrame]:
    """Split a frame that is sorted by an instant into months: file name → rows."""
    import numpy as np

    months = frame[instant].to_numpy().astype("datetime64[M]")
    present, firsts = np.unique(months, return_index=True)
    ends = [*firsts[1:], len(frame)]
    return {
        f"{table}-{month}.parquet": frame.iloc[first:end].reset_index(drop=True)
        for month, first, end in zip(present, firsts, ends, strict=True)
    }


def _write(connection: Connection, frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as Parquet with the declared types of its table, sorted."""
    table = path.name.removesuffix(".parquet").split("-")[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(
        f"CAST({quote_identifier(name)} AS {dtype}) AS {quote_identifier(name)}"
        for name, dtype in _TYPES[table].items()
    )
    order = ", ".join(quote_identifier(name) for name in _SORTING[table])
    connection.register("frame_to_deliver", frame)
    try:
        copy_to_parquet(connection, f"SELECT {columns} FROM frame_to_deliver ORDER BY {order}", path)
    finally:
        connection.unregister("frame_to_deliver")
    return path
