"""SQL of how something of a customer spreads over places: money over departments, orders over channels."""

from __future__ import annotations


def spread_sql(weights: str) -> str:
    """Write the query of number, entropy and main place of each customer.

    Parameters
    ----------
    weights : str
        Query with customer_id, place (a number) and weight, one row per customer and place.

    Returns
    -------
    str
        One row per customer: customer_id; places, their number; entropy, Shannon's in nats, null where nothing weighs
        anything; main, the place of most weight, of several the one with the smallest number; most, its weight; total.

    References
    ----------
    Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical Journal 27(3), 379-423.
    doi:10.1002/j.1538-7305.1948.tb01338.x
    """
    return f"""
    SELECT
        w.customer_id,
        count(*) AS places,
        CAST(CASE WHEN min(t.total) > 0 THEN sum(entropy_term(w.weight, t.total)) END AS DOUBLE) AS entropy,
        min(CASE WHEN w.weight = t.most THEN w.place END) AS main,
        min(t.most) AS most,
        min(t.total) AS total
    FROM ({weights}) AS w
    JOIN (
        SELECT customer_id, sum(weight) AS total, max(weight) AS most FROM ({weights}) AS w GROUP BY customer_id
    ) AS t ON t.customer_id = w.customer_id
    GROUP BY w.customer_id
    """
