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

    @property
    def last_day(self) -> date:
        """Day of the last instant that counts."""
        return (self.as_of - timedelta(microseconds=1)).date()

    def days_ago_sql(self, days: int) -> str:
        """Write the instant a number of days before as-of as an SQL literal."""
        return instant_sql(self.as_of - timedelta(days=days))

    def recency_sql(self, instant: str) -> str:
        """Write SQL for the days from an instant to as-of, counted as `features.recency` says."""
        macro = {"calendar_days": "days_between", "elapsed_days": "elapsed_days"}[self.settings.recency]
        return f"{macro}({instant}, {self.as_of_sql})"


TRACED_RETURNS = (
    "order_lines.order_id", "order_lines.product_id", "order_lines.quantity", "order_lines.amount",
    "order_lines.line_type", "order_lines.order_at",
)  # fmt: skip
"""What `customer_returns` reads."""

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
        and day with a sale; `customer_totals`, one row per customer; `customer_returns`, one row per returned product
        with the purchase that it is traced to; `kept_orders`, the orders without what was cancelled, numbered; where
        there is such a table, `snapshot_products`, `snapshot_customers`, `snapshot_engagement_events`; and with
        products `customer_classes`, one row per customer, department and class bought from.

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
        "customer_returns": _RETURNS,
        "kept_orders": _KEPT_ORDERS,
    }
    optional = {
        "products": f"SELECT * FROM {relations.products}",
        "customers": f"SELECT * FROM {relations.customers}",
        "engagement_events": f"SELECT * FROM {relations.engagement_events} "
        f"WHERE event_at >= {since} AND event_at < {until}",
    }
    shared |= {f"snapshot_{name}": optional[name] for name in relations.available if name in optional}
    return shared if relations.products is None else {**shared, "customer_classes": _CLASSES}


_LINES = """
SELECT
    customer_id, order_id, order_at, product_id, line_type, quantity, CAST(amount AS DECIMAL(18,4)) AS amount,
    cost_amount, margin_amount, unit_price, list_price, channel, country, store_id
FROM {relation}
WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at >= {since} AND order_at < {until}
"""

_RETURNS = """
SELECT customer_id, product_id, order_id, order_at, line_count, unit_count, amount,
    purchase_order_id, bought_at, purchase_line_count, is_cancellation
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY customer_id, product_id, order_id, order_at
        ORDER BY CASE WHEN is_cancellation THEN 0 WHEN purchase_order_id = order_id THEN 1 ELSE 2 END,
            bought_at DESC, purchase_order_id
    ) AS place
    FROM (
        SELECT
            r.customer_id, r.product_id, r.order_id, r.order_at, r.line_count, r.unit_count, r.amount,
            p.order_id AS purchase_order_id, p.order_at AS bought_at, p.line_count AS purchase_line_count,
            coalesce(
                p.unit_count = r.unit_count AND p.amount = r.amount AND elapsed_days(p.order_at, r.order_at) = 0, false
            ) AS is_cancellation
        FROM (
            SELECT customer_id, product_id, order_id, order_at, count(*) AS line_count,
                CAST(-sum(quantity) AS BIGINT) AS unit_count, -sum(amount) AS amount
            FROM snapshot_lines WHERE line_type = 'return' GROUP BY customer_id, product_id, order_id, order_at
        ) AS r
        LEFT JOIN (
            SELECT l.customer_id, l.product_id, l.order_id, l.order_at, count(*) AS line_count,
                CAST(sum(l.quantity) AS BIGINT) AS unit_count, sum(l.amount) AS amount
            FROM snapshot_lines AS l
            JOIN (SELECT DISTINCT customer_id, product_id FROM snapshot_lines WHERE line_type = 'return') AS returned
                ON returned.customer_id = l.customer_id AND returned.product_id = l.product_id
            WHERE l.line_type = 'sale'
            GROUP BY l.customer_id, l.product_id, l.order_id, l.order_at
        ) AS p ON p.customer_id = r.customer_id AND p.product_id = r.product_id AND p.order_at <= r.order_at
    ) AS pairs
) AS ranked
WHERE place = 1
"""

_KEPT_ORDERS = """
SELECT customer_id, order_id, unit_count, returned_units,
    row_number() OVER (PARTITION BY customer_id ORDER BY first_sale_at, order_id) AS place
FROM (
    SELECT o.customer_id, o.order_id, o.first_sale_at, coalesce(r.returned_units, 0) AS returned_units,
        o.unit_count - coalesce(r.cancelled_units, 0) AS unit_count
    FROM customer_orders AS o
    LEFT JOIN (
        SELECT customer_id, purchase_order_id,
            sum(CASE WHEN is_cancellation THEN 0 ELSE unit_count END) AS returned_units,
            sum(CASE WHEN is_cancellation THEN unit_count ELSE 0 END) AS cancelled_units
        FROM customer_returns WHERE purchase_order_id IS NOT NULL GROUP BY customer_id, purchase_order_id
    ) AS r ON r.customer_id = o.customer_id AND r.purchase_order_id = o.order_id
) AS orders
WHERE unit_count > 0
"""

_CLASSES = """
SELECT l.customer_id, p.department, p.class, sum(l.amount) AS amount, CAST(sum(l.quantity) AS BIGINT) AS unit_count
FROM snapshot_lines AS l
LEFT JOIN snapshot_products AS p ON p.product_id = l.product_id
WHERE l.line_type = 'sale'
GROUP BY l.customer_id, p.department, p.class
"""

_ORDERS = """
SELECT
    customer_id,
    order_id,
    min(order_at) AS first_sale_at,
    max(order_at) AS last_sale_at,
    sum(amount) AS sale_amount,
    CAST(sum(quantity) AS BIGINT) AS unit_count,
    count(*) AS line_count,
    min(channel) AS channel,
    min(country) AS country,
    min(store_id) AS store_id
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
