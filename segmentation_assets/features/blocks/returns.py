"""How much of what was bought comes back."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import ALL_CANCELLED, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import TRACED_RETURNS, Snapshot

_CANCELLATIONS = "; cancellations of whole purchases within a day left out on both sides"


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
        meaning=f"{meaning}, at most 1, as goods bought before the lookback come back too{_CANCELLATIONS}.",
        reads=(*reads, *TRACED_RETURNS),
        imputation="returns",
        undefined_rule=ALL_CANCELLED,
        direction="more_is_worse",
        is_clustering_feature=is_clustering_feature,
    )


COLUMNS = (
    _share(
        "return_rate",
        "Return rate",
        "Return lines per sale line in the lookback",
        "no sale in the lookback that was not cancelled",
        is_clustering_feature=True,
    ),
    _share(
        "return_unit_share",
        "Share of units returned",
        "Units returned per unit sold",
        "no unit sold that was not cancelled",
    ),
    _share(
        "return_value_share",
        "Share of money returned",
        "Money returned as a share of gross revenue",
        "no money spent that was not cancelled",
    ),
    FeatureColumn(
        name="return_order_count",
        label="Orders with a return",
        dtype="BIGINT",
        unit="orders",
        minimum=0,
        meaning="Order ids with at least one return line in the lookback that is no cancellation.",
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
        meaning="Return lines that took back a whole purchase within a day: a cancellation or mistyped order, not "
        "counted as a return.",
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
