"""Customer history: what needs all lines ever, carried from month to month."""

from __future__ import annotations

from datetime import date

from segmentation_assets.storage.engine import quote_text

REPEAT_SPEND_SQL = (
    "CAST(lifetime_gross_revenue_amount - first_day_revenue_amount AS DOUBLE) / nullif(btyd_frequency, 0)"
)
"""SQL of the mean money of a repeat order day, of the columns of a history; null where there is none."""

_CARRIED = (
    "customer_id, first_order_date, last_order_date, lifetime_order_count, lifetime_order_day_count, "
    "lifetime_gross_revenue_amount, lifetime_net_revenue_amount, first_day_revenue_amount"
)


def customer_history_sql(order_lines_relation: str, previous_relation: str | None, as_of: date) -> str:
    """Write the query for silver/customer_history.

    Parameters
    ----------
    order_lines_relation : str
        SQL table expression of the silver/order_lines of whole calendar months: those after the previous history,
        or all since the first line when there is none. Lines on or after `as_of` are left out.
    previous_relation : str or None
        SQL table expression of the history as of the start of those months.
    as_of : date
        Everything strictly before this day counts.

    Returns
    -------
    str
        One SELECT with the columns of `tables.silver.CUSTOMER_HISTORY`: a row for every known customer with a sale
        or return so far. `registry.prepare_connection` must have been called.

    Notes
    -----
    Counts, dates and exact money of separate months add up, so carrying a history from month to month equals making
    it at once. Days never lie in two months. An order id that has sale lines in two calendar months counts in each,
    as the earlier month does not pass its order ids on.

    References
    ----------
    Fader, P., Hardie, B. and Lee, K. (2005). "Counting your customers" the easy way. Marketing Science 24(2),
    275-284. doi:10.1287/mksc.1040.0098
    """
    until = quote_text(as_of.isoformat())
    previous = f"UNION ALL SELECT {_CARRIED} FROM {previous_relation}" if previous_relation else ""
    return _HISTORY.format(lines=order_lines_relation, until=until, carried=_CARRIED, previous=previous)


_HISTORY = """
WITH new_lines AS (
    SELECT customer_id, order_id, CAST(order_at AS DATE) AS order_date, line_type,
        CAST(amount AS DECIMAL(18,4)) AS amount
    FROM {lines}
    WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at < CAST({until} AS TIMESTAMP)
),
new_orders AS (
    SELECT customer_id, count(*) AS order_count
    FROM (
        SELECT DISTINCT customer_id, order_id, year(order_date) AS order_year, month(order_date) AS order_month
        FROM new_lines WHERE line_type = 'sale'
    ) AS o
    GROUP BY customer_id
),
new_days AS (
    SELECT customer_id, count(*) AS order_day_count, min(order_date) AS first_date, max(order_date) AS last_date
    FROM (SELECT DISTINCT customer_id, order_date FROM new_lines WHERE line_type = 'sale') AS d
    GROUP BY customer_id
),
new_first_days AS (
    SELECT l.customer_id, sum(l.amount) AS amount
    FROM new_lines AS l
    JOIN new_days AS d ON d.customer_id = l.customer_id AND d.first_date = l.order_date
    WHERE l.line_type = 'sale'
    GROUP BY l.customer_id
),
new_money AS (
    SELECT customer_id, coalesce(sum(amount) FILTER (WHERE line_type = 'sale'), 0) AS gross, sum(amount) AS net
    FROM new_lines GROUP BY customer_id
),
parts AS (
    SELECT
        m.customer_id,
        d.first_date AS first_order_date,
        d.last_date AS last_order_date,
        coalesce(o.order_count, 0) AS lifetime_order_count,
        coalesce(d.order_day_count, 0) AS lifetime_order_day_count,
        m.gross AS lifetime_gross_revenue_amount,
        m.net AS lifetime_net_revenue_amount,
        f.amount AS first_day_revenue_amount
    FROM new_money AS m
    LEFT JOIN new_orders AS o ON o.customer_id = m.customer_id
    LEFT JOIN new_days AS d ON d.customer_id = m.customer_id
    LEFT JOIN new_first_days AS f ON f.customer_id = m.customer_id
    {previous}
),
merged AS (
    SELECT
        customer_id,
        min(first_order_date) AS first_order_date,
        max(last_order_date) AS last_order_date,
        CAST(sum(lifetime_order_count) AS BIGINT) AS lifetime_order_count,
        CAST(sum(lifetime_order_day_count) AS BIGINT) AS lifetime_order_day_count,
        CAST(sum(lifetime_gross_revenue_amount) AS DECIMAL(18,4)) AS lifetime_gross_revenue_amount,
        CAST(sum(lifetime_net_revenue_amount) AS DECIMAL(18,4)) AS lifetime_net_revenue_amount,
        CAST(max(CASE WHEN is_first THEN first_day_revenue_amount END) AS DECIMAL(18,4)) AS first_day_revenue_amount
    FROM (
        SELECT *, first_order_date = min(first_order_date) OVER (PARTITION BY customer_id) AS is_first FROM parts
    ) AS p
    GROUP BY customer_id
)
SELECT
    {carried},
    CASE WHEN lifetime_order_day_count > 0 THEN lifetime_order_day_count - 1 END AS btyd_frequency,
    days_between(first_order_date, last_order_date) AS btyd_recency,
    days_between(first_order_date, CAST({until} AS DATE)) AS btyd_T
FROM merged
"""
