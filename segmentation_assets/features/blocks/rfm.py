"""Recency, order count and money in the lookback, and tenure over all history."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.references import HUGHES
from segmentation_assets.features.snapshot import Snapshot

_DAYS_OF_16_MONTHS = 487
"""A month has 30.4375 days on average."""

DAYS_PER_MONTH = _DAYS_OF_16_MONTHS / 16
"""Unit of `lifetime_months`."""

COLUMNS = (
    FeatureColumn(
        name="recency_days",
        label="Days since last order",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="no sale in the lookback",
        minimum=0,
        meaning="Days from the last sale line in the lookback to the as-of date: calendar days, or whole periods of 24 "
        "hours, as features.recency says.",
        reads=LINES_OF_LOOKBACK,
        imputation="core",
        direction="more_is_worse",
        is_clustering_feature=True,
        reference=HUGHES,
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
        reference=HUGHES,
    ),
    FeatureColumn(
        name="unit_count",
        label="Units bought",
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
        name="returned_revenue_amount",
        label="Money returned",
        dtype="DECIMAL(18,2)",
        unit="currency",
        meaning="Money of all returns in the lookback, above 0 where money went back: gross less net revenue, to the "
        "cent.",
        reads=("order_lines.amount", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_worse",
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
        reference=HUGHES,
    ),
    FeatureColumn(
        name="average_order_value_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        nullable=True,
        null_rule="no sale in the lookback",
        minimum=0,
        meaning="Gross revenue per order in the lookback: gross_revenue_amount / order_count.",
        reads=("order_lines.amount", "order_lines.order_id", *LINES_OF_LOOKBACK),
        imputation="core",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="tenure_days",
        label="Days since first order",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="never bought, only returned",
        minimum=0,
        meaning="Calendar days from the first order ever delivered, also before the lookback, to the as-of date.",
        reads=("customer_history.first_order_date",),
        imputation="ordinary",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="lifetime_months",
        label="Months since first order",
        dtype="DOUBLE",
        unit="months",
        nullable=True,
        null_rule="never bought, only returned",
        minimum=0,
        meaning="tenure_days in months of 30.4375 days.",
        reads=("customer_history.first_order_date",),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="orders_per_month",
        dtype="DOUBLE",
        unit="orders per month",
        nullable=True,
        null_rule="never bought, only returned",
        minimum=0,
        meaning="Orders ever placed per month of lifetime_months, which counts as one month at least. An order with "
        "sale lines in two calendar months counts in each.",
        reads=("customer_history.first_order_date", "customer_history.lifetime_order_count"),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="order_day_count",
        label="Days with an order",
        dtype="BIGINT",
        unit="days",
        minimum=0,
        meaning="Different days with a sale line in the lookback.",
        reads=LINES_OF_LOOKBACK,
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="first_order_date",
        label="Day of first order",
        dtype="DATE",
        unit="date",
        nullable=True,
        null_rule="never bought, only returned",
        meaning="Day of the first sale line ever delivered, also before the lookback.",
        reads=("customer_history.first_order_date",),
        imputation="exempt",
    ),
    FeatureColumn(
        name="last_order_date",
        label="Day of last order",
        dtype="DATE",
        unit="date",
        nullable=True,
        null_rule="no sale in the lookback",
        meaning="Day of the last sale line in the lookback.",
        reads=LINES_OF_LOOKBACK,
        imputation="exempt",
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
        CAST(
            CAST(t.sale_amount AS DECIMAL(18,2)) - CAST(t.sale_amount + t.return_amount AS DECIMAL(18,2))
            AS DECIMAL(18,2)
        ) AS returned_revenue_amount,
        CAST(t.sale_amount + t.return_amount AS DECIMAL(18,2)) AS net_revenue_amount,
        money_per(t.sale_amount, t.order_count) AS average_order_value_amount,
        h.tenure_days,
        safe_div(h.tenure_days * 16, {_DAYS_OF_16_MONTHS}) AS lifetime_months,
        CASE WHEN h.tenure_days * 16 > {_DAYS_OF_16_MONTHS}
            THEN safe_div(h.lifetime_order_count * {_DAYS_OF_16_MONTHS}, h.tenure_days * 16)
            ELSE CAST(h.lifetime_order_count AS DOUBLE) END AS orders_per_month,
        coalesce(d.order_days, 0) AS order_day_count,
        h.first_order_date,
        CAST(t.last_sale_at AS DATE) AS last_order_date
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT customer_id, first_order_date, days_between(first_order_date, {snapshot.as_of_sql}) AS tenure_days,
            CASE WHEN first_order_date IS NOT NULL THEN lifetime_order_count END AS lifetime_order_count
        FROM snapshot_history
    ) AS h ON h.customer_id = t.customer_id
    LEFT JOIN (SELECT customer_id, count(*) AS order_days FROM customer_order_days GROUP BY customer_id) AS d
        ON d.customer_id = t.customer_id
    """
