"""Returns traced to purchases: what is cancelled, what each return is of, and which orders are left.

A purchase is all sale lines of a product in one order at one instant, a returned product the same of return lines. Of
one customer and product

- a return may be of the purchases at or before it: those of its own order id where there are any, else all;
- it cancels a purchase of as many units for as much money, made less than 24 hours before. Returns with purchases of
  their own order id go first, then the others; each, in order of time, cancels the latest such purchase that is left;
- any other return is traced to the latest purchase that it may be of and that nothing cancels, if there is one.

Of what happens at one instant purchases come before returns, and the order ids decide.
"""

from __future__ import annotations

TRACED_RETURNS = (
    "order_lines.order_id", "order_lines.product_id", "order_lines.quantity", "order_lines.amount",
    "order_lines.line_type", "order_lines.order_at",
)  # fmt: skip
"""What `customer_returns` reads."""


def tracing_relations() -> dict[str, str]:
    """Write the queries that trace returns, by name, in an order in which each may use the earlier ones.

    Returns
    -------
    dict of str to str
        `returned_products` and `returned_purchases`, the purchases of products that the customer returned, both
        numbered by customer, product and time; `possible_purchases`, one row per returned product and purchase that it
        may be of; `cancelled_purchases`, the numbers of returned product and purchase; `customer_returns`, the returned
        products with the purchase that each is traced to; `kept_orders`, the orders of customers with a return without
        what was cancelled, numbered.

    Notes
    -----
    Cancelling the latest purchase that is left matches brackets: purchases open and returns close them. The running
    balance of both says at which level one opens or closes, and on each level the two alternate, so that a return
    closes what stands just before it. Only what has a partner within the day takes part: a purchase or return without
    one stands between no two that fit.
    """
    return {
        "returned_products": _RETURNED_PRODUCTS,
        "returned_purchases": _RETURNED_PURCHASES,
        "possible_purchases": _POSSIBLE_PURCHASES,
        "cancelled_purchases": _CANCELLED_PURCHASES,
        "customer_returns": _RETURNS,
        "kept_orders": _KEPT_ORDERS,
    }


_RETURNED_PRODUCTS = """
SELECT *, row_number() OVER (ORDER BY customer_id, product_id, order_at, order_id) AS number
FROM (
    SELECT customer_id, product_id, order_id, order_at, count(*) AS line_count,
        CAST(-sum(quantity) AS BIGINT) AS unit_count, -sum(amount) AS amount
    FROM snapshot_lines WHERE NOT is_sale GROUP BY customer_id, product_id, order_id, order_at
) AS returned
"""

_RETURNED_PURCHASES = """
SELECT *, row_number() OVER (ORDER BY customer_id, product_id, order_at, order_id) AS number
FROM (
    SELECT l.customer_id, l.product_id, l.order_id, l.order_at, count(*) AS line_count,
        CAST(sum(l.quantity) AS BIGINT) AS unit_count, sum(l.amount) AS amount
    FROM snapshot_lines AS l
    JOIN (
        SELECT customer_id, product_id, max(order_at) AS last_return_at
        FROM returned_products GROUP BY customer_id, product_id
    ) AS r ON r.customer_id = l.customer_id AND r.product_id = l.product_id AND l.order_at <= r.last_return_at
    WHERE l.is_sale
    GROUP BY l.customer_id, l.product_id, l.order_id, l.order_at
) AS bought
"""

_POSSIBLE_PURCHASES = """
WITH earlier AS (
    SELECT r.number, p.number AS purchase_number, p.order_id = r.order_id AS is_same_order,
        p.unit_count = r.unit_count AND p.amount = r.amount AND elapsed_days(p.order_at, r.order_at) = 0 AS is_whole
    FROM returned_products AS r
    JOIN returned_purchases AS p
        ON p.customer_id = r.customer_id AND p.product_id = r.product_id AND p.order_at <= r.order_at
)
SELECT number, purchase_number, is_same_order, is_whole
FROM earlier WHERE is_same_order OR number NOT IN (SELECT number FROM earlier WHERE is_same_order)
"""


def _cancelled(pairs: str, alike: str) -> str:
    """Write SQL that pairs the returns and purchases of some pairs, both of one kind where they are alike."""
    order = "ORDER BY order_at, is_return, number"
    return f"""
SELECT number, purchase_number
FROM (
    SELECT number, order_at, is_return,
        lag(number) OVER (PARTITION BY {alike}, level {order}) AS purchase_number,
        lag(order_at) OVER (PARTITION BY {alike}, level {order}) AS bought_at
    FROM (
        SELECT *, CASE WHEN is_return THEN 1 ELSE 0 END
            + sum(CASE WHEN is_return THEN -1 ELSE 1 END) OVER (PARTITION BY {alike} {order}) AS level
        FROM (
            SELECT customer_id, product_id, unit_count, amount, order_id, order_at, number, true AS is_return
            FROM returned_products WHERE number IN (SELECT number FROM {pairs})
            UNION ALL
            SELECT customer_id, product_id, unit_count, amount, order_id, order_at, number, false AS is_return
            FROM returned_purchases WHERE number IN (SELECT purchase_number FROM {pairs})
        ) AS moves
    ) AS levels
) AS neighbours
WHERE is_return AND elapsed_days(bought_at, order_at) = 0
"""


_ALIKE = "customer_id, product_id, unit_count, amount"

_CANCELLED_PURCHASES = f"""
WITH own AS (SELECT number, purchase_number FROM possible_purchases WHERE is_whole AND is_same_order),
cancelled_own AS ({_cancelled("own", f"{_ALIKE}, order_id")}),
other AS (
    SELECT number, purchase_number FROM possible_purchases
    WHERE is_whole AND NOT is_same_order AND purchase_number NOT IN (SELECT purchase_number FROM cancelled_own)
)
SELECT number, purchase_number FROM cancelled_own
UNION ALL
({_cancelled("other", _ALIKE)})
"""

_RETURNS = """
SELECT
    r.number, r.customer_id, r.product_id, r.order_id, r.order_at, r.line_count, r.unit_count, r.amount,
    p.order_id AS purchase_order_id, p.order_at AS bought_at, p.line_count AS purchase_line_count,
    c.number IS NOT NULL AS is_cancellation
FROM returned_products AS r
LEFT JOIN cancelled_purchases AS c ON c.number = r.number
LEFT JOIN (
    SELECT number, max(purchase_number) AS purchase_number
    FROM possible_purchases
    WHERE purchase_number NOT IN (SELECT purchase_number FROM cancelled_purchases)
    GROUP BY number
) AS latest ON latest.number = r.number
LEFT JOIN returned_purchases AS p ON p.number = coalesce(c.purchase_number, latest.purchase_number)
"""

_KEPT_ORDERS = """
SELECT customer_id, unit_count, returned_units,
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
    WHERE o.customer_id IN (SELECT customer_id FROM returned_products)
) AS orders
WHERE unit_count > 0
"""
