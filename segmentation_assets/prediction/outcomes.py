"""What customers did after a date, as one query over order lines."""

from __future__ import annotations

import datetime as dt


def outcomes_sql(order_lines: str, start: dt.date, end: dt.date) -> str:
    """Make the query of what every known customer did within a span of days.

    Parameters
    ----------
    order_lines : str
        SQL table expression with the columns of ``silver/order_lines``.
    start, end : date
        The first day, and the first that no longer counts.

    Returns
    -------
    str
        One row per customer with a sale or return then: customer_id, outcome_order_count, outcome_order_day_count,
        outcome_gross_revenue_amount (sales) and outcome_net_revenue_amount (less returns).
    """
    is_sale = "line_type = 'sale'"
    return (
        f"SELECT customer_id, count(DISTINCT order_id) FILTER ({is_sale}) AS outcome_order_count, "
        f"count(DISTINCT CAST(order_at AS DATE)) FILTER ({is_sale}) AS outcome_order_day_count, "
        f"coalesce(sum(amount) FILTER ({is_sale}), 0) AS outcome_gross_revenue_amount, "
        f"coalesce(sum(amount), 0) AS outcome_net_revenue_amount FROM {order_lines} "
        f"WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') "
        f"AND order_at >= TIMESTAMP '{start}' AND order_at < TIMESTAMP '{end}' GROUP BY customer_id"
    )
