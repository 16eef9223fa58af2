"""Recency, order count and money in the lookback, and tenure over all history."""

from __future__ import annotations

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot

COLUMNS = (
    FeatureColumn(
        name="recency_days",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="no sale in the lookback",
        minimum=0,
        meaning="Days from the last order to the as-of date.",
        reads=LINES_OF_LOOKBACK,
        imputation="core",
        direction="more_is_worse",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="order_count",
        dtype="BIGINT",
        unit="orders",
        minimum=0,
        meaning="Orders with at least one sale line in the lookback.",
        reads=("order_lines.order_id", *LINES_OF_LOOKBACK),
        imputation="core",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="unit_count",
        dtype="BIGINT",
        unit="units",
        minimum=0,
        meaning="Units sold in the lookback, returns not taken off.",
        reads=("order_lines.quantity", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="gross_revenue_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        minimum=0,
        meaning="Money of all sales in the lookback, returns not taken off.",
        reads=("order_lines.amount", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="net_revenue_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        meaning="Money of all sales in the lookback less returns; negative when more came back than was sold.",
        reads=("order_lines.amount", *LINES_OF_LOOKBACK),
        imputation="core",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="average_order_value_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        nullable=True,
        null_rule="no sale in the lookback",
        minimum=0,
        meaning="Gross revenue per order in the lookback.",
        reads=("order_lines.amount", "order_lines.order_id", *LINES_OF_LOOKBACK),
        imputation="core",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="tenure_days",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="never bought, only returned",
        minimum=0,
        meaning="Calendar days from the first order ever to the as-of date.",
        reads=("customer_history.first_order_date",),
        imputation="ordinary",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="rfm", columns=COLUMNS, select=_select)


def _select(snapshot: Snapshot) -> str:
    return f"""
    SELECT
        t.customer_id,
        {snapshot.recency_sql("t.last_sale_at")} AS recency_days,
        t.order_count,
        t.unit_count,
        CAST(t.sale_amount AS DECIMAL(18,2)) AS gross_revenue_amount,
        CAST(t.sale_amount + t.return_amount AS DECIMAL(18,2)) AS net_revenue_amount,
        money_per(t.sale_amount, t.order_count) AS average_order_value_amount,
        days_between(h.first_order_date, {snapshot.as_of_sql}) AS tenure_days
    FROM customer_totals AS t
    LEFT JOIN snapshot_history AS h ON h.customer_id = t.customer_id
    """
