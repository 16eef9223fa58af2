"""Orders and net money in the last 30, 90 and 365 days; a window longer than the lookback holds the lookback."""

from __future__ import annotations

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot

WINDOW_DAYS = (30, 90, 365)
CLUSTERED_WINDOW_DAYS = 90


def _order_count(days: int) -> FeatureColumn:
    return FeatureColumn(
        name=f"order_count_{days}d",
        dtype="BIGINT",
        unit="orders",
        minimum=0,
        meaning=f"Orders with a sale line in the {days} days before the as-of date.",
        reads=("order_lines.order_id", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_better",
        is_clustering_feature=days == CLUSTERED_WINDOW_DAYS,
    )


def _net_revenue(days: int) -> FeatureColumn:
    return FeatureColumn(
        name=f"net_revenue_amount_{days}d",
        dtype="DECIMAL(18,2)",
        unit="currency",
        meaning=f"Money of sales less returns in the {days} days before the as-of date.",
        reads=("order_lines.amount", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_better",
    )


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    columns = (*(_order_count(days) for days in WINDOW_DAYS), *(_net_revenue(days) for days in WINDOW_DAYS))
    return FeatureBlock(name="windows", columns=columns, select=_select)


def _select(snapshot: Snapshot) -> str:
    counts = ", ".join(
        f"count(*) FILTER (WHERE last_sale_at >= {snapshot.days_ago_sql(days)}) AS order_count_{days}d"
        for days in WINDOW_DAYS
    )
    sums = ", ".join(
        f"CAST(coalesce(sum(amount) FILTER (WHERE order_at >= {snapshot.days_ago_sql(days)}), 0) AS DECIMAL(18,2)) "
        f"AS net_revenue_amount_{days}d"
        for days in WINDOW_DAYS
    )
    order_counts = ", ".join(f"coalesce(o.order_count_{days}d, 0) AS order_count_{days}d" for days in WINDOW_DAYS)
    revenues = ", ".join(f"m.net_revenue_amount_{days}d" for days in WINDOW_DAYS)
    return f"""
    SELECT m.customer_id, {order_counts}, {revenues}
    FROM (SELECT customer_id, {sums} FROM snapshot_lines GROUP BY customer_id) AS m
    LEFT JOIN (SELECT customer_id, {counts} FROM customer_orders GROUP BY customer_id) AS o
        ON o.customer_id = m.customer_id
    """
