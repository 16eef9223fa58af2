"""The relations that every feature block may read, made once for all blocks.

In them customers, products and places are known by numbers, in the order of their ids: numbers are cheaper to store, to
compare and to group by, and a tie that is broken by a number is broken by the id.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from segmentation_assets.features.snapshot import Snapshot, instant_sql
from segmentation_assets.features.tracing import tracing_relations

OPTIONAL_TABLES = ("products", "customers", "engagement_events")
KNOWN_PLACES = {"channel": "known_channels", "country": "known_countries", "store_id": "known_stores"}
"""Optional columns of order lines that are replaced by numbers, with the relation of text and number."""


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


def shared_relations(snapshot: Snapshot, relations: FeatureRelations) -> dict[str, str]:
    """Write the queries that blocks build on, by name, in an order in which each may use the earlier ones.

    Parameters
    ----------
    snapshot : Snapshot
    relations : FeatureRelations

    Returns
    -------
    dict of str to str
        `known_customers`, `known_products` and those of `KNOWN_PLACES`, text and number; all others have the numbers
        in the columns of the texts. `snapshot_lines`, the sale and return lines of known customers in the lookback;
        `snapshot_history`; `customer_orders`, one row per customer and order with a sale; `customer_order_days`, one
        row per customer and day with a sale; `customer_products`, one row per customer and product with a sale;
        `customer_totals`, one row per customer; those of `tracing_relations`; where there is such a table,
        `snapshot_products`, `snapshot_customers`, `snapshot_engagement_events`; and with products `product_classes`,
        one row per department and class, number 0 for products that are not in the table, and `customer_classes`, one
        row per customer and class bought from.

    Notes
    -----
    Nothing at or after the as-of instant passes, so that no block can look ahead; the numbers alone are those of all
    lines, from which nothing but a text may be taken.
    """
    since, until = instant_sql(datetime.combine(snapshot.lookback_start, datetime.min.time())), snapshot.as_of_sql
    counted = f"""{relations.order_lines}
    WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at >= {since} AND order_at < {until}"""
    known = {"customer_id": "known_customers", "product_id": "known_products", **KNOWN_PLACES}
    shared = {name: _numbered(column, relations.order_lines) for column, name in known.items()}
    shared |= {
        "snapshot_lines": _LINES.format(counted=counted),
        "snapshot_history": _HISTORY.format(relation=relations.history),
        "customer_orders": _ORDERS.format(is_deal=snapshot.is_deal_sql),
        "customer_order_days": _ORDER_DAYS,
        "customer_products": _CUSTOMER_PRODUCTS,
        "customer_totals": _TOTALS,
        **tracing_relations(),
    }
    if relations.customers is not None:
        shared["snapshot_customers"] = _CUSTOMERS.format(relation=relations.customers)
    if relations.engagement_events is not None:
        shared["snapshot_engagement_events"] = _EVENTS.format(
            relation=relations.engagement_events, since=since, until=until
        )
    if relations.products is not None:
        shared["snapshot_products"] = _PRODUCTS.format(relation=relations.products)
        shared["product_classes"] = _PRODUCT_CLASSES
        shared["customer_classes"] = _CUSTOMER_CLASSES
    return shared


def _numbered(column: str, lines: str) -> str:
    return f"""
SELECT {column}, CAST(row_number() OVER (ORDER BY {column}) AS INTEGER) AS number
FROM (SELECT DISTINCT {column} FROM {lines} WHERE {column} IS NOT NULL) AS known
"""


_LINES = """
SELECT
    c.number AS customer_id, l.order_id, l.order_at, p.number AS product_id, l.line_type = 'sale' AS is_sale,
    l.quantity, CAST(l.amount AS DECIMAL(18,4)) AS amount, l.cost_amount, l.margin_amount, l.unit_price, l.list_price,
    known_channels.number AS channel, known_countries.number AS country, known_stores.number AS store_id
FROM (SELECT * FROM {counted}) AS l
JOIN known_customers AS c ON c.customer_id = l.customer_id
JOIN known_products AS p ON p.product_id = l.product_id
LEFT JOIN known_channels ON known_channels.channel = l.channel
LEFT JOIN known_countries ON known_countries.country = l.country
LEFT JOIN known_stores ON known_stores.store_id = l.store_id
"""

_HISTORY = """
SELECT
    c.number AS customer_id, h.first_order_date, h.last_order_date, h.lifetime_order_count,
    h.lifetime_order_day_count, h.lifetime_gross_revenue_amount, h.lifetime_net_revenue_amount,
    h.first_day_revenue_amount, h.btyd_frequency, h.btyd_recency, h.btyd_T
FROM {relation} AS h
JOIN known_customers AS c ON c.customer_id = h.customer_id
"""

_CUSTOMERS = """
SELECT
    k.number AS customer_id, c.registered_on, c.birth_year, c.gender, c.household_size,
    c.acquisition_channel, c.newsletter_since
FROM {relation} AS c
JOIN known_customers AS k ON k.customer_id = c.customer_id
"""

_EVENTS = """
SELECT k.number AS customer_id, e.event_at, e.event_type
FROM {relation} AS e
JOIN known_customers AS k ON k.customer_id = e.customer_id
WHERE e.event_at >= {since} AND e.event_at < {until}
"""

_PRODUCTS = """
SELECT k.number AS product_id, p.department, p.class, p.child_age, p.size,
    dense_rank() OVER (ORDER BY p.department) AS department_number,
    dense_rank() OVER (ORDER BY p.department, p.class) AS class_number
FROM {relation} AS p
JOIN known_products AS k ON k.product_id = p.product_id
"""

_CUSTOMER_PRODUCTS = """
SELECT
    customer_id, product_id, sum(amount) AS amount, CAST(sum(quantity) AS BIGINT) AS unit_count,
    min(order_at) AS first_at, max(order_at) AS last_at
FROM snapshot_lines WHERE is_sale GROUP BY customer_id, product_id
"""

_PRODUCT_CLASSES = """
SELECT DISTINCT department_number, class_number, department, class FROM snapshot_products
UNION ALL
SELECT 0, 0, NULL, NULL
"""

_CUSTOMER_CLASSES = """
SELECT bought.customer_id, k.department_number, bought.class_number, bought.amount, bought.unit_count
FROM (
    SELECT c.customer_id, coalesce(p.class_number, 0) AS class_number, sum(c.amount) AS amount,
        CAST(sum(c.unit_count) AS BIGINT) AS unit_count
    FROM customer_products AS c
    LEFT JOIN snapshot_products AS p ON p.product_id = c.product_id
    GROUP BY c.customer_id, coalesce(p.class_number, 0)
) AS bought
JOIN product_classes AS k ON k.class_number = bought.class_number
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
    count(*) FILTER (WHERE list_price > 0 AND unit_price > 0) AS listed_line_count,
    count(*) FILTER (WHERE list_price > 0 AND unit_price > 0 AND {is_deal}) AS deal_line_count,
    min(channel) AS channel,
    min(country) AS country,
    min(store_id) AS store_id
FROM snapshot_lines WHERE is_sale GROUP BY customer_id, order_id
"""

_ORDER_DAYS = """
SELECT DISTINCT customer_id, CAST(order_at AS DATE) AS order_date FROM snapshot_lines WHERE is_sale
"""

_TOTALS = """
SELECT l.*, coalesce(o.order_count, 0) AS order_count
FROM (
    SELECT
        customer_id,
        count(*) FILTER (WHERE is_sale) AS sale_line_count,
        count(*) FILTER (WHERE NOT is_sale) AS return_line_count,
        CAST(coalesce(sum(quantity) FILTER (WHERE is_sale), 0) AS BIGINT) AS unit_count,
        coalesce(sum(amount) FILTER (WHERE is_sale), 0) AS sale_amount,
        coalesce(sum(amount) FILTER (WHERE NOT is_sale), 0) AS return_amount,
        max(order_at) FILTER (WHERE is_sale) AS last_sale_at
    FROM snapshot_lines GROUP BY customer_id
) AS l
LEFT JOIN (
    SELECT customer_id, count(*) AS order_count FROM customer_orders GROUP BY customer_id
) AS o ON o.customer_id = l.customer_id
"""
