"""How much of what was bought comes back."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import (
    ALL_CANCELLED,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
)
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.features.tracing import TRACED_RETURNS

_NOTHING_SPENT = FillRule(
    reason=ImputationReason.UNDEFINED_ALL_CANCELLED,
    description="0: no money was spent on what was not cancelled",
    value=0.0,
    zero_column="gross_revenue_amount",
    reason_at_zero=ImputationReason.UNDEFINED_NO_SPEND,
)


def _share(
    name: str, label: str, meaning: str, null_rule: str, *reads: str, is_clustering_feature: bool = False
) -> FeatureColumn:
    return FeatureColumn(
        name=name,
        label=label,
        dtype="DOUBLE",
        unit="rate" if name == "return_rate" else "share",
        nullable=True,
        null_rule=null_rule,
        minimum=0,
        maximum=1,
        meaning=f"{meaning} in the lookback, at most 1, though more can come back than was bought in it. Cancelled "
        "purchases and their cancellations count on neither side.",
        reads=(*reads, *TRACED_RETURNS),
        imputation="returns",
        undefined_rule=_NOTHING_SPENT if name == "return_value_share" else ALL_CANCELLED,
        direction="more_is_worse",
        is_clustering_feature=is_clustering_feature,
    )


COLUMNS = (
    _share(
        "return_rate",
        "Return rate",
        "Return lines per sale line",
        "no sale in the lookback that was not cancelled",
        is_clustering_feature=True,
    ),
    _share(
        "return_unit_share",
        "Share of units returned",
        "Units returned per unit sold",
        "no unit sold in the lookback that was not cancelled",
    ),
    _share(
        "return_value_share",
        "Share of money returned",
        "Money of returns per money of sales",
        "no money spent in the lookback but on what was cancelled",
    ),
    FeatureColumn(
        name="return_order_count",
        label="Orders with a return",
        dtype="BIGINT",
        unit="orders",
        minimum=0,
        meaning="Order ids under which something came back in the lookback, cancellations left out.",
        reads=TRACED_RETURNS,
        imputation="returns",
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="cancelled_line_count",
        label="Lines cancelled within a day",
        dtype="BIGINT",
        unit="lines",
        minimum=0,
        meaning="Return lines of cancellations in the lookback. A cancellation is a return of all units of a product "
        "that were bought in one order at one instant, at once under one order id, for the same money, less than 24 "
        "hours later. It can only be of the order whose id it bears where that had the product before; such returns "
        "choose first, then the others, each in order of time the latest such purchase that is left, so that none is "
        "cancelled twice. Other features of returns leave cancellations out, those of orders and revenue do not.",
        reads=TRACED_RETURNS,
        imputation="returns",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="returns", columns=COLUMNS, select=_select)


def _select(_snapshot: Snapshot) -> str:
    return """
    SELECT
        t.customer_id,
        capped_share(coalesce(r.lines, 0), t.sale_line_count - coalesce(r.cancelled_sale_lines, 0)) AS return_rate,
        capped_share(coalesce(r.units, 0), t.unit_count - coalesce(r.cancelled_units, 0)) AS return_unit_share,
        capped_share(coalesce(r.amount, 0), t.sale_amount - coalesce(r.cancelled_amount, 0)) AS return_value_share,
        coalesce(r.orders, 0) AS return_order_count,
        coalesce(r.cancelled_lines, 0) AS cancelled_line_count
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            customer_id,
            CAST(sum(line_count) FILTER (WHERE NOT is_cancellation) AS BIGINT) AS lines,
            sum(unit_count) FILTER (WHERE NOT is_cancellation) AS units,
            sum(amount) FILTER (WHERE NOT is_cancellation) AS amount,
            count(DISTINCT CASE WHEN NOT is_cancellation THEN order_id END) AS orders,
            CAST(sum(line_count) FILTER (WHERE is_cancellation) AS BIGINT) AS cancelled_lines,
            CAST(sum(purchase_line_count) FILTER (WHERE is_cancellation) AS BIGINT) AS cancelled_sale_lines,
            sum(unit_count) FILTER (WHERE is_cancellation) AS cancelled_units,
            sum(amount) FILTER (WHERE is_cancellation) AS cancelled_amount
        FROM customer_returns GROUP BY customer_id
    ) AS r ON r.customer_id = t.customer_id
    """
