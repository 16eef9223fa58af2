"""The moment and the settings a feature query is made for, and the relations every block may read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from segmentation_assets.config.settings import FeatureSettings
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

    def days_ago_sql(self, days: int) -> str:
        """Write the instant a number of days before as-of as an SQL literal."""
        return instant_sql(self.as_of - timedelta(days=days))

    def recency_sql(self, instant: str) -> str:
        """Write SQL for the days from an instant to as-of, counted as `features.recency` says."""
        macro = {"calendar_days": "days_between", "elapsed_days": "elapsed_days"}[self.settings.recency]
        return f"{macro}({instant}, {self.as_of_sql})"


OPTIONAL_TABLES = ("products", "customers", "engagement_events")


@dataclass(frozen=True)
class FeatureRelations:
    """SQL table expressions of the inputs, such as ``read_parquet([...])``; ``None`` when there is no such input.

    Parameters
    ----------
    order_lines : str
        Rows of silver/order_lines; those outside the lookback are left out by the query.
    history : str
        silver/customer_history as of the same moment.
    products, customers, engagement_events : str or None
        The optional raw tables.
    columns : collection of str
        Optional columns that are filled, such as ``order_lines.channel``.
    """

    order_lines: str
    history: str
    products: str | None = None
    customers: str | None = None
    engagement_events: str | None = None
    columns: Collection[str] = ()

    @property
    def available(self) -> tuple[str, ...]:
        """Names of the optional tables and columns that are there."""
        return (*(name for name in OPTIONAL_TABLES if getattr(self, name) is not None), *self.columns)


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


def instant_sql(at: datetime) -> str:
    """Write an instant as an SQL literal."""
    return f"CAST('{at.isoformat(sep=' ')}' AS TIMESTAMP)"


def shared_relations(snapshot: Snapshot, relations: FeatureRelations) -> dict[str, str]:
    """Write the queries that blocks build on, by name, in an order in which each may use the earlier ones.

    Parameters
    ----------
    snapshot : Snapshot
    relations : FeatureRelations

    Returns
    -------
    dict of str to str
        `snapshot_lines`, the sale and return lines of known customers in the lookback; `snapshot_history`;
        `customer_orders`, one row per customer and order with a sale; `customer_order_days`, one row per customer
        and day with a sale; `customer_totals`, one row per customer; and, where there is such a table,
        `snapshot_products`, `snapshot_customers`, `snapshot_engagement_events`.

    Notes
    -----
    Nothing at or after the as-of instant passes, so that no block can look ahead.
    """
    since, until = instant_sql(datetime.combine(snapshot.lookback_start, datetime.min.time())), snapshot.as_of_sql
    shared = {
        "snapshot_lines": _LINES.format(relation=relations.order_lines, since=since, until=until),
        "snapshot_history": f"SELECT * FROM {relations.history}",
        "customer_orders": _ORDERS,
        "customer_order_days": _ORDER_DAYS,
        "customer_totals": _TOTALS,
    }
    optional = {
        "products": f"SELECT * FROM {relations.products}",
        "customers": f"SELECT * FROM {relations.customers}",
        "engagement_events": f"SELECT * FROM {relations.engagement_events} "
        f"WHERE event_at >= {since} AND event_at < {until}",
    }
    return shared | {f"snapshot_{name}": optional[name] for name in relations.available if name in optional}


_LINES = """
SELECT
    customer_id, order_id, order_at, product_id, line_type, quantity, CAST(amount AS DECIMAL(18,4)) AS amount,
    cost_amount, margin_amount, unit_price, list_price, channel, country, store_id
FROM {relation}
WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at >= {since} AND order_at < {until}
"""

_ORDERS = """
SELECT customer_id, order_id, max(order_at) AS last_sale_at
FROM snapshot_lines WHERE line_type = 'sale' GROUP BY customer_id, order_id
"""

_ORDER_DAYS = """
SELECT DISTINCT customer_id, CAST(order_at AS DATE) AS order_date FROM snapshot_lines WHERE line_type = 'sale'
"""

_TOTALS = """
SELECT l.*, coalesce(o.order_count, 0) AS order_count
FROM (
    SELECT
        customer_id,
        count(*) FILTER (WHERE line_type = 'sale') AS sale_line_count,
        count(*) FILTER (WHERE line_type = 'return') AS return_line_count,
        CAST(coalesce(sum(quantity) FILTER (WHERE line_type = 'sale'), 0) AS BIGINT) AS unit_count,
        coalesce(sum(amount) FILTER (WHERE line_type = 'sale'), 0) AS sale_amount,
        coalesce(sum(amount) FILTER (WHERE line_type = 'return'), 0) AS return_amount,
        max(order_at) FILTER (WHERE line_type = 'sale') AS last_sale_at
    FROM snapshot_lines GROUP BY customer_id
) AS l
LEFT JOIN (
    SELECT customer_id, count(*) AS order_count FROM customer_orders GROUP BY customer_id
) AS o ON o.customer_id = l.customer_id
"""
