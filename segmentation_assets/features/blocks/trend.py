"""Where the money is heading, month by month."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
    share_feature,
)
from segmentation_assets.features.snapshot import Snapshot

TREND_MONTHS = 12
FEWEST_MONTHS = 3

COLUMNS = (
    FeatureColumn(
        name="active_month_count",
        label="Months with an order",
        dtype="BIGINT",
        unit="months",
        minimum=0,
        meaning="Different calendar months with a sale line in the lookback, one that is not over included.",
        reads=LINES_OF_LOOKBACK,
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="revenue_slope_per_month",
        label="Change of revenue per month",
        dtype="DOUBLE",
        unit="currency per month",
        nullable=True,
        null_rule=f"never bought, or fewer than {FEWEST_MONTHS} complete calendar months in the lookback since the "
        "first order, its own month counted as one",
        meaning=f"Slope of the straight line that fits net money per calendar month best, over the last {TREND_MONTHS} "
        "complete months of the lookback or those since the first order, whose own month counts as complete; months "
        "without a line are 0.",
        reads=("order_lines.amount", *LINES_OF_LOOKBACK, "customer_history.first_order_date"),
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_SHORT_HISTORY, description="0: no trend can be told yet", value=0.0
        ),
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    share_feature(
        name="active_month_share",
        label="Share of months with an order",
        null_rule="never bought, or no complete calendar month in the lookback since the first order, its own month "
        "counted as one",
        meaning=f"Share of the last {TREND_MONTHS} complete calendar months of the lookback, or those since the first "
        "order, whose own month counts as complete, that have a sale line.",
        reads=(*LINES_OF_LOOKBACK, "customer_history.first_order_date"),
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_SHORT_HISTORY,
            description="1: the first order is of the month that is not over yet",
            value=1.0,
        ),
        direction="more_is_better",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="trend", columns=COLUMNS, select=_select)


def _month_number(instant: str) -> str:
    """Write SQL for the number of a calendar month; successive months have successive numbers."""
    return f"(year({instant}) * 12 + month({instant}))"


def _select(snapshot: Snapshot) -> str:
    """Least squares from exact sums: over n months, b back from the newest, 6 ((n - 1) Σx - 2 Σbx) / n(n² - 1)."""
    start = snapshot.lookback_start
    oldest = start.year * 12 + start.month + (start.day > 1)
    number = snapshot.as_of.year * 12 + snapshot.as_of.month - 1
    most = max(0, min(TREND_MONTHS, number - oldest + 1))
    return f"""
    SELECT
        t.customer_id,
        coalesce(m.active_months, 0) AS active_month_count,
        CASE WHEN m.months >= {FEWEST_MONTHS} THEN safe_div(
            6 * ((m.months - 1) * m.amount - 2 * m.weighted_amount), m.months * (m.months * m.months - 1)
        ) END AS revenue_slope_per_month,
        safe_div(m.active_months_of_trend, m.months) AS active_month_share
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            m.customer_id,
            min(n.months) AS months,
            count(*) FILTER (WHERE m.sale_lines > 0) AS active_months,
            count(*) FILTER (WHERE m.sale_lines > 0 AND m.back >= 0 AND m.back < n.months) AS active_months_of_trend,
            coalesce(sum(m.amount) FILTER (WHERE m.back >= 0 AND m.back < n.months), 0) AS amount,
            coalesce(sum(m.amount * m.back) FILTER (WHERE m.back >= 0 AND m.back < n.months), 0) AS weighted_amount
        FROM (
            SELECT
                customer_id,
                {number} - {_month_number("order_at")} AS back,
                sum(amount) AS amount,
                count(*) FILTER (WHERE is_sale) AS sale_lines
            FROM snapshot_lines GROUP BY customer_id, {number} - {_month_number("order_at")}
        ) AS m
        LEFT JOIN (
            SELECT customer_id, CASE WHEN age < {most} THEN age + 1 ELSE {most} END AS months
            FROM (
                SELECT customer_id, {number} - {_month_number("first_order_date")} AS age FROM snapshot_history
                WHERE first_order_date IS NOT NULL
            ) AS h
        ) AS n ON n.customer_id = m.customer_id
        GROUP BY m.customer_id
    ) AS m ON m.customer_id = t.customer_id
    """
