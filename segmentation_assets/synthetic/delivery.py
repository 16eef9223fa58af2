"""The synthetic shop as a delivery: Parquet files by month, and the mapping that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from segmentation_assets.config.source import (
    CancellationSettings,
    CustomersTable,
    EngagementEventsTable,
    OrderLinesTable,
    ProductsTable,
    SourceSettings,
)
from segmentation_assets.config.synthetic import SyntheticSettings
from segmentation_assets.storage.engine import Connection, copy_to_parquet, quote_identifier
from segmentation_assets.synthetic.added_lines import ADJUSTMENT_PREFIX, NON_PRODUCT_CODES, RETURN_PREFIX
from segmentation_assets.synthetic.calendar import make_calendar
from segmentation_assets.synthetic.faults import FaultPlanter
from segmentation_assets.synthetic.shop import Business

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {
    "customers": {
        "customer_id": "VARCHAR",
        "registered_on": "DATE",
        "birth_year": "INTEGER",
        "country": "VARCHAR",
        "gender": "VARCHAR",
        "household_size": "INTEGER",
        "acquisition_channel": "VARCHAR",
        "newsletter_since": "DATE",
        "account_type": "VARCHAR",
    },
    "products": {
        "product_id": "VARCHAR",
        "product_name": "VARCHAR",
        "department": "VARCHAR",
        "class": "VARCHAR",
        "child_age": "VARCHAR",
        "size": "VARCHAR",
    },
    "order_lines": {
        "order_id": "VARCHAR",
        "order_at": "TIMESTAMP",
        "customer_id": "VARCHAR",
        "product_id": "VARCHAR",
        "quantity": "BIGINT",
        "unit_price": "DECIMAL(18,4)",
        "country": "VARCHAR",
        "channel": "VARCHAR",
        "store_id": "VARCHAR",
        "brand": "VARCHAR",
        "list_price": "DECIMAL(18,4)",
        "cost_price": "DECIMAL(18,4)",
        "currency": "VARCHAR",
    },
    "engagement_events": {"customer_id": "VARCHAR", "event_at": "TIMESTAMP", "event_type": "VARCHAR"},
    "true_customers": {"customer_id": "VARCHAR", "archetype": "VARCHAR", "outlier": "VARCHAR"},
    "true_faults": {"month": "VARCHAR", "fault": "VARCHAR", "row_count": "BIGINT"},
    "true_states": {"customer_id": "VARCHAR", "month": "DATE", "true_state": "VARCHAR"},
}

TRUTH_COLUMNS = frozenset({"archetype", "outlier", "fault", "row_count", "true_state"})
"""Columns that the truth alone has."""

_LINE_TEXT = "product_name"
"""Column of order lines that is delivered, and mapped, with faults of texts only."""

PERSONAL_COLUMNS = ("first_name", "last_name", "email", "phone", "street", "postcode", "city")
"""Columns of the customers that are delivered with ``synthetic.personal_data`` only; they are not mapped."""


_MOST_QUARANTINED = 0.12
"""Orders that are delivered again, as `synthetic.faults` may ask for, leave their earlier lines in the quarantine."""


@dataclass(frozen=True)
class DeliveryFiles:
    """What was written.

    Parameters
    ----------
    delivered, truth : tuple of Path
        Files of the delivery, and of the truth; each sorted.
    row_counts : dict of str to int
        Table → rows in all its files.
    fault_counts : dict of str to int
        Planted fault → rows that show it, over all months.
    """

    delivered: tuple[Path, ...]
    truth: tuple[Path, ...]
    row_counts: dict[str, int]
    fault_counts: dict[str, int]


@cache
def synthetic_source(*, has_texts: bool = False) -> SourceSettings:
    """Return the mapping that reads a delivery of the synthetic shop, whose order lines may have product texts."""

    def same_names(table: str) -> dict[str, str]:
        return {name: name for name in _TYPES[table]}

    texts = {_LINE_TEXT: _LINE_TEXT} if has_texts else {}
    return SourceSettings(
        kind="files",
        cancellations=CancellationSettings(rule="prefix", prefix=RETURN_PREFIX),
        adjustment_prefixes=(ADJUSTMENT_PREFIX,),
        non_product_codes=NON_PRODUCT_CODES,
        max_quarantine_share=_MOST_QUARANTINED,
        order_lines=OrderLinesTable(files=("order_lines-*.parquet",), columns=same_names("order_lines") | texts),
        customers=CustomersTable(files=("customers-*.parquet",), columns=same_names("customers")),
        products=ProductsTable(files=("products-*.parquet",), columns=same_names("products")),
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


def write_delivery(
    connection: Connection, business: Business, folder: Path, truth_folder: Path | None = None
) -> DeliveryFiles:
    """Write a shop as the files of a delivery, month by month, so that one month lies in memory at a time.

    Parameters
    ----------
    connection : Connection
        Any open connection; nothing is left behind in it.
    business : Business
        The shop.
    folder : Path
        Made if need be; files of the same names are overwritten, others left alone. Gets a file of new customers,
        new products, order lines and engagement events for each month that has any.
    truth_folder : Path, optional
        Gets the true archetypes, monthly states and counts of planted faults; they are not written when it is absent.

    Returns
    -------
    DeliveryFiles
        Byte-identical for equal shops, whatever the number of threads. A shop with more months has the same files,
        byte for byte, and more; only ``true_faults`` is one file and gets longer, and a last month that was cut short
        becomes whole.
    """
    writer = _Writer(connection, folder, truth_folder)
    settings = business.settings
    planter = FaultPlanter(business.draws, settings.faults, business.lasting_goods, settings.last_month)
    without = [] if settings.faults.has_texts else [_LINE_TEXT]
    writer.write("true_customers", "true_customers", planter.write_ids(business.true_customers))
    for whole in business.months():
        month = planter.cut_short(whole)
        frames = {
            "customers": planter.write_ids(planter.plant_customers(month.customers, month.month), month.month),
            "products": planter.plant_products(month.products, month.month),
            "order_lines": planter.plant_lines(month.order_lines.drop(columns=without), month.month),
            "engagement_events": planter.write_ids(month.engagement_events, month.month),
            "true_states": planter.write_ids(month.true_states),
        }
        for table, frame in frames.items():
            writer.write(table, f"{table}-{month.month}", frame)
    faults = planter.counts_frame()
    writer.write("true_faults", "true_faults", faults)
    counted = {str(fault): int(rows) for fault, rows in faults.groupby("fault")["row_count"].sum().items() if rows}
    return DeliveryFiles(tuple(sorted(writer.delivered)), tuple(sorted(writer.truth)), writer.row_counts, counted)


class _Writer:
    """Writes frames into the delivery or, where they tell the truth, apart from it."""

    def __init__(self, connection: Connection, folder: Path, truth_folder: Path | None) -> None:
        self.connection = connection
        self.folder = folder
        self.truth_folder = truth_folder
        self.delivered: list[Path] = []
        self.truth: list[Path] = []
        self.row_counts: dict[str, int] = {}

    def write(self, table: str, name: str, frame: pd.DataFrame) -> None:
        """Write a frame that is sorted already, unless it is empty or the truth is not asked for."""
        is_truth = table.startswith("true_")
        folder = self.truth_folder if is_truth else self.folder
        if folder is None or frame.empty:
            return
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.parquet"
        types = _TYPES[table] | {name: "VARCHAR" for name in (*PERSONAL_COLUMNS, _LINE_TEXT) if name in frame}
        self._copy(frame, types, path)
        (self.truth if is_truth else self.delivered).append(path)
        self.row_counts[table] = self.row_counts.get(table, 0) + len(frame)

    def _copy(self, frame: pd.DataFrame, types: dict[str, str], path: Path) -> None:
        columns = ", ".join(
            f"CAST({quote_identifier(name)} AS {dtype}) AS {quote_identifier(name)}" for name, dtype in types.items()
        )
        self.connection.register("frame_to_deliver", frame)
        try:
            copy_to_parquet(self.connection, f"SELECT {columns} FROM frame_to_deliver", path)
        finally:
            self.connection.unregister("frame_to_deliver")
