"""The moment and the settings that features are made for, and who counts as of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import DataError


@dataclass(frozen=True)
class Snapshot:
    """When and how features are computed.

    Parameters
    ----------
    settings : FeatureSettings
    as_of : datetime
        The instant, without a zone, before which everything counts; usually midnight of the as-of date.
    lookback_start : date
        First day that counts.
    """

    settings: FeatureSettings
    as_of: datetime
    lookback_start: date

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is not None:
            raise DataError(
                f"as_of must be local shop time without a zone, got {self.as_of.isoformat()}",
                "turn it into the time zone of the source and drop the zone.",
            )
        if self.lookback_start > self.as_of.date():
            raise DataError(
                f"lookback_start {self.lookback_start} lies after as_of {self.as_of.isoformat()}",
                "the lookback must begin before the snapshot.",
            )

    @property
    def as_of_sql(self) -> str:
        """The as-of instant as an SQL literal."""
        return instant_sql(self.as_of)

    @property
    def last_day(self) -> date:
        """Day of the last instant that counts."""
        return (self.as_of - timedelta(microseconds=1)).date()

    @property
    def is_deal_sql(self) -> str:
        """SQL condition of a line with a list price that was sold at a discount deep enough."""
        paid_share = 1 - self.settings.deal_discount
        return f"unit_price <= list_price * CAST({paid_share:.3f} AS DECIMAL(4,3))"

    def days_ago_sql(self, days: int) -> str:
        """Write the instant a number of days before as-of as an SQL literal."""
        return instant_sql(self.as_of - timedelta(days=days))

    def covered_days_sql(self, first: str) -> str:
        """Write SQL for the calendar days until as-of that can hold something of a customer.

        Parameters
        ----------
        first : str
            SQL of the day on which the customer is first known of; null makes the days null.

        Returns
        -------
        str
            Days since then, or since the first day of the lookback where that is later.
        """
        start = f"CAST('{self.lookback_start}' AS DATE)"
        since = f"CASE WHEN {first} > {start} THEN {first} WHEN {first} IS NOT NULL THEN {start} END"
        return f"days_between({since}, {self.as_of_sql})"

    def recency_sql(self, instant: str) -> str:
        """Write SQL for the days from an instant to as-of, counted as `features.recency` says."""
        macro = {"calendar_days": "days_between", "elapsed_days": "elapsed_days"}[self.settings.recency]
        return f"{macro}({instant}, {self.as_of_sql})"


def customers_in_lookback_sql(lines: str, since: date, until: date, min_orders: int) -> str:
    """Make the query that counts the known customers of a lookback, and their money, apart from the features.

    Parameters
    ----------
    lines : str
        SQL table expression with the columns of ``silver/order_lines``.
    since, until : date
        First day that counts, and the first one that no longer does.
    min_orders : int
        Orders that a customer needs.

    Returns
    -------
    str
        One row: of the customers with as many orders net revenue, its sum with every customer's rounded to the cent,
        and their number; number and net revenue of the others.
    """
    orders = "count(DISTINCT order_id) FILTER (WHERE line_type = 'sale')" if min_orders else "0"
    return (
        f"SELECT coalesce(sum(amount) FILTER (WHERE order_count >= {min_orders}), 0), "
        f"coalesce(sum(CAST(amount AS DECIMAL(18,2))) FILTER (WHERE order_count >= {min_orders}), 0), "
        f"count(*) FILTER (WHERE order_count >= {min_orders}), count(*) FILTER (WHERE order_count < {min_orders}), "
        f"coalesce(sum(amount) FILTER (WHERE order_count < {min_orders}), 0) FROM ("
        f"SELECT customer_id, sum(amount) AS amount, {orders} AS order_count FROM {lines} "
        f"WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at >= TIMESTAMP '{since}' "
        f"AND order_at < TIMESTAMP '{until}' GROUP BY customer_id)"
    )


def require_buyers(
    customer_count: int, buyer_count: int, since: date, until: date, *, min_orders: int = 0, left_out: int = 0
) -> None:
    """Refuse a snapshot that nothing can be said about.

    Parameters
    ----------
    customer_count : int
        Known customers with a sale or return in the lookback.
    buyer_count : int
        Those of them with a sale.
    since, until : date
        The lookback; `until` is the first day that no longer counts.
    min_orders, left_out : int
        Orders that a customer needs, and known customers who have fewer.

    Raises
    ------
    DataError
        There is no known customer, none has as many orders as needed, or none has a sale.
    """
    lookback = f"from {since} until before {until}"
    if not customer_count and left_out:
        raise DataError(
            f"none of {left_out} known customers has {min_orders} orders {lookback}",
            "lower population.min_orders, or lengthen calendar.lookback_months.",
        )
    if not customer_count:
        raise DataError(
            f"no sale or return {lookback} has a known customer",
            "check that source.order_lines maps customer_id to a column that is filled, or choose another "
            "calendar.first_snapshot.",
        )
    if not buyer_count:
        raise DataError(
            f"none of {customer_count} known customers has a sale {lookback}, all have only returns",
            "check the rule source.cancellations, deliver the order lines of these months, or lengthen "
            "calendar.lookback_months.",
        )


def at_most_sql(number: str, most: int) -> str:
    """Write SQL for a number that is known, or for `most` where it is larger."""
    return f"CASE WHEN {number} < {most} THEN {number} ELSE {most} END"


def instant_sql(at: datetime) -> str:
    """Write an instant as an SQL literal."""
    return f"CAST('{at.isoformat(sep=' ')}' AS TIMESTAMP)"
