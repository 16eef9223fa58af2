"""The rhythm of buying: gaps between days with an order, and how overdue the next order is."""

from __future__ import annotations

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    ImputationReason,
    UndefinedRule,
)
from segmentation_assets.features.snapshot import Snapshot

_ONE_ORDER_DAY = "fewer than two different order days in the lookback"


def _rule(description: str, *, column: str | None = None, value: float | None = None) -> UndefinedRule:
    return UndefinedRule(
        reason=ImputationReason.UNDEFINED_ONE_ORDER_DAY, description=description, column=column, value=value
    )


COLUMNS = (
    FeatureColumn(
        name="gap_days_mean",
        dtype="DOUBLE",
        unit="days",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=1,
        meaning="Mean calendar days between successive order days in the lookback.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_rule(
            "the days since the first, and so far only, order day: the gap is at least that long",
            column="recency_days",
        ),
        direction="more_is_worse",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="gap_days_std",
        dtype="DOUBLE",
        unit="days",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=0,
        meaning="Standard deviation of those gaps, divided by their number.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_rule("0: there are no gaps that could differ", value=0.0),
    ),
    FeatureColumn(
        name="overdue_ratio",
        dtype="DOUBLE",
        unit="gaps",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=0,
        meaning="recency_days in units of the customer's mean gap; above 1 the next order is overdue.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_rule("1: the days since the only order day stand in for the gap", value=1.0),
        direction="more_is_worse",
        is_clustering_feature=True,
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="cadence", columns=COLUMNS, select=_select)


def _select(snapshot: Snapshot) -> str:
    """Mean and deviation from whole-number sums, so that the order of rows cannot matter."""
    recency = snapshot.recency_sql("t.last_sale_at")
    return f"""
    SELECT
        t.customer_id,
        safe_div(g.gap_sum, g.gap_count) AS gap_days_mean,
        sqrt(CAST(g.gap_count * g.squared_gap_sum - g.gap_sum * g.gap_sum AS DOUBLE)) / CAST(g.gap_count AS DOUBLE)
            AS gap_days_std,
        safe_div({recency} * g.gap_count, g.gap_sum) AS overdue_ratio
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            customer_id,
            count(gap_days) AS gap_count,
            CAST(sum(gap_days) AS BIGINT) AS gap_sum,
            CAST(sum(gap_days * gap_days) AS BIGINT) AS squared_gap_sum
        FROM (
            SELECT
                customer_id,
                days_between(lag(order_date) OVER (PARTITION BY customer_id ORDER BY order_date), order_date)
                    AS gap_days
            FROM customer_order_days
        ) AS d
        WHERE gap_days IS NOT NULL
        GROUP BY customer_id
    ) AS g ON g.customer_id = t.customer_id
    """
