"""Two rules of thumb between 0 and 1, for sorting and for talking; the models of churn and value are better."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot, at_most_sql

RECENT_DAYS = 90
YEAR_DAYS = 365
ORDERS_OF_A_REGULAR = 12
"""Orders in a year from which a customer counts as fully engaged: one a month."""

DERIVES_FROM = ("recency_days", "overdue_ratio", "active_month_share")
_READS = ("order_lines.order_id", *LINES_OF_LOOKBACK)
_NO_SALE = "no sale in the lookback"

COLUMNS = (
    FeatureColumn(
        name="churn_risk_score",
        label="Risk of leaving (rule)",
        dtype="DOUBLE",
        unit="score",
        nullable=True,
        null_rule=_NO_SALE,
        minimum=0,
        maximum=1,
        meaning=f"Mean of three signs of leaving: how overdue the next order is, o / (1 + o) of overdue_ratio o, or "
        f"recency_days / {RECENT_DAYS} in its place after a single order day; recency_days as a share of {YEAR_DAYS}, "
        f"at most 1; and how far orders per day in the last {RECENT_DAYS} days fell below those of the last "
        f"{YEAR_DAYS}, of which only the days since the first order ever and since the beginning of the lookback "
        f"count: 1 without an order in them, 0 with {RECENT_DAYS} such days at most. A rule, not a probability.",
        reads=(*_READS, "customer_history.first_order_date"),
        imputation="ordinary",
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="engagement_score",
        label="Attachment (rule)",
        dtype="DOUBLE",
        unit="score",
        nullable=True,
        null_rule=_NO_SALE,
        minimum=0,
        maximum=1,
        meaning="Mean of three signs of attachment: active_month_share, or 1 before there is one; 1 less recency_days "
        f"as a share of {YEAR_DAYS}, at least 0; and orders in the last {YEAR_DAYS} days, also of a newcomer, as a "
        f"share of {ORDERS_OF_A_REGULAR}, at most 1. A rule, not a probability.",
        reads=(*_READS, "customer_history.first_order_date"),
        imputation="ordinary",
        direction="more_is_better",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="scores", columns=COLUMNS, select=_select, derives_from=DERIVES_FROM)


def _select(snapshot: Snapshot) -> str:
    recent, year = snapshot.days_ago_sql(RECENT_DAYS), snapshot.days_ago_sql(YEAR_DAYS)
    return f"""
    SELECT
        customer_id,
        (overdue / (1 + overdue) + silence + 1 - CASE WHEN days > {RECENT_DAYS}
            THEN coalesce(capped_share(recent * {at_most_sql("days", YEAR_DAYS)},
                year * {RECENT_DAYS}), 0)
            ELSE 1 END) / 3 AS churn_risk_score,
        (coalesce(active_month_share, 1) + 1 - silence + capped_share(year, {ORDERS_OF_A_REGULAR})) / 3
            AS engagement_score
    FROM (
        SELECT
            f.customer_id,
            f.active_month_share,
            coalesce(f.overdue_ratio, safe_div(f.recency_days, {RECENT_DAYS})) AS overdue,
            capped_share(f.recency_days, {YEAR_DAYS}) AS silence,
            o.recent,
            o.year,
            h.days
        FROM base_scores AS f
        LEFT JOIN (
            SELECT customer_id, {snapshot.covered_days_sql("first_order_date")} AS days FROM snapshot_history
        ) AS h ON h.customer_id = f.customer_id
        LEFT JOIN (
            SELECT
                customer_id,
                count(*) FILTER (WHERE last_sale_at >= {recent}) AS recent,
                count(*) FILTER (WHERE last_sale_at >= {year}) AS year
            FROM customer_orders GROUP BY customer_id
        ) AS o ON o.customer_id = f.customer_id
    ) AS signs
    """
