"""What is known of one customer as of a moment, as frames, and small helpers of the second implementation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets_tests.unit.features.shop import (
    CUSTOMER_TYPES,
    EVENT_TYPES,
    LINE_TYPES,
    PRODUCT_TYPES,
    Row,
    Shop,
)


@dataclass(frozen=True)
class Case:
    """One customer of a shop as of a moment.

    Attributes
    ----------
    lines, sales, returns : DataFrame
        Lines in the lookback, amounts as Decimal, with the columns of the products beside them.
    ever : DataFrame
        Sales and returns before as-of, those before the lookback too.
    events : DataFrame
        Engagement events in the lookback.
    profile : dict
        Row of the customers table; empty where there is none.
    """

    customer: str
    as_of: datetime
    lookback_start: date
    settings: FeatureSettings
    lines: pd.DataFrame
    ever: pd.DataFrame
    events: pd.DataFrame
    profile: dict[str, Any]

    @property
    def sales(self) -> pd.DataFrame:
        """Sale lines in the lookback."""
        return self.lines[self.lines["line_type"] == "sale"]

    @property
    def returns(self) -> pd.DataFrame:
        """Return lines in the lookback."""
        return self.lines[self.lines["line_type"] == "return"]

    @property
    def gross(self) -> Decimal:
        """Exact money of all sales in the lookback."""
        return total(self.sales["amount"])

    @property
    def order_days(self) -> list[date]:
        """Different days with a sale in the lookback, in order."""
        return sorted({at.date() for at in self.sales["order_at"]})

    @property
    def recency_days(self) -> int | None:
        """Days since the last sale in the lookback, counted as the settings say."""
        if self.sales.empty:
            return None
        last = self.sales["order_at"].max().to_pydatetime()
        if self.settings.recency == "elapsed_days":
            return (self.as_of - last).days
        return (self.as_of.date() - last.date()).days

    def covered_days(self, first: pd.Timestamp) -> int:
        """Calendar days from a moment, or from the beginning of the lookback, to as-of."""
        return (self.as_of.date() - max(first.date(), self.lookback_start)).days

    @property
    def first_order_at(self) -> pd.Timestamp:
        """Moment of the first sale ever; not a time where there is none."""
        return self.ever.loc[self.ever["line_type"] == "sale", "order_at"].min()

    def since(self, frame: pd.DataFrame, days: int, column: str = "order_at") -> pd.DataFrame:
        """Rows of the last days before as-of."""
        return frame[frame[column] >= self.as_of - timedelta(days=days)]


def make_cases(shop: Shop, as_of: datetime, lookback_start: date, settings: FeatureSettings) -> Iterator[Case]:
    """Make a case of every known customer with a sale or return in the lookback."""
    start = datetime.combine(lookback_start, datetime.min.time())
    lines = _frame(shop.lines, LINE_TYPES).merge(
        _frame(shop.products or (), PRODUCT_TYPES), on="product_id", how="left"
    )
    for column in lines.columns:
        if column.endswith(("amount", "price")):
            lines[column] = lines[column].map(lambda text: None if pd.isna(text) else Decimal(text)).astype(object)
    events = _frame(shop.events or (), EVENT_TYPES)
    profiles = {row[0]: dict(zip(CUSTOMER_TYPES, row, strict=True)) for row in shop.customers or ()}
    known = lines[lines["customer_id"].notna() & lines["line_type"].isin(["sale", "return"])]
    known = known[known["order_at"] < as_of]
    events = events[(events["event_at"] < as_of) & (events["event_at"] >= start)]
    for customer, group in known[known["order_at"] >= start].groupby("customer_id"):
        yield Case(
            customer=str(customer),
            as_of=as_of,
            lookback_start=lookback_start,
            settings=settings,
            lines=group,
            ever=known[known["customer_id"] == customer],
            events=events[events["customer_id"] == customer],
            profile=profiles.get(customer, {}),
        )


def _frame(rows: Iterable[Row], types: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(types), dtype=object)
    for column, dtype in types.items():
        if dtype == "TIMESTAMP":
            frame[column] = pd.to_datetime(frame[column], format="ISO8601")
    return frame


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum."""
    return sum(amounts, Decimal(0))


def cents(amount: Decimal) -> Decimal:
    """An amount rounded half up to the cent."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def ratio(part: Decimal | float, whole: Decimal | float) -> float | None:
    """Quotient; None where the second is 0."""
    return float(part) / float(whole) if whole else None
