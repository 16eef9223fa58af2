"""How much goes into one order, and at which price level."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, Direction, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot

_NO_SALE = "no sale in the lookback"
_ORDERS = ("order_lines.order_id", *LINES_OF_LOOKBACK)


def _ratio(name: str, unit: str, meaning: str, *reads: str, direction: Direction = "more_is_better") -> FeatureColumn:
    return FeatureColumn(
        name=name,
        dtype="DOUBLE",
        unit=unit,
        nullable=True,
        null_rule=_NO_SALE,
        minimum=0,
        meaning=meaning,
        reads=(*reads, *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction=direction,
    )


COLUMNS = (
    _ratio(
        "units_per_order",
        "units per order",
        "Mean units in an order of the lookback, returns not taken off.",
        "order_lines.quantity",
        "order_lines.order_id",
    ),
    _ratio(
        "lines_per_order", "lines per order", "Mean sale lines in an order of the lookback.", "order_lines.order_id"
    ),
    _ratio(
        "units_per_line",
        "units per line",
        "Mean units on a sale line of the lookback; many mean stocking up or resale.",
        "order_lines.quantity",
        direction="neutral",
    ),
    FeatureColumn(
        name="largest_order_value_amount",
        label="Largest order",
        dtype="DECIMAL(18,2)",
        unit="currency",
        nullable=True,
        null_rule=_NO_SALE,
        minimum=0,
        meaning="Gross revenue of the largest order of the lookback.",
        reads=("order_lines.amount", *_ORDERS),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="average_unit_price_amount",
        label="Price per unit",
        dtype="DECIMAL(18,2)",
        unit="currency",
        nullable=True,
        null_rule=_NO_SALE,
        minimum=0,
        meaning="Gross revenue per unit sold in the lookback: the price level the customer buys at.",
        reads=("order_lines.amount", "order_lines.quantity", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        is_clustering_feature=True,
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="basket", columns=COLUMNS, select=_select)


def _select(_snapshot: Snapshot) -> str:
    return """
    SELECT
        t.customer_id,
        safe_div(t.unit_count, t.order_count) AS units_per_order,
        safe_div(t.sale_line_count, t.order_count) AS lines_per_order,
        safe_div(t.unit_count, t.sale_line_count) AS units_per_line,
        CAST(o.largest AS DECIMAL(18,2)) AS largest_order_value_amount,
        money_per(t.sale_amount, t.unit_count) AS average_unit_price_amount
    FROM customer_totals AS t
    LEFT JOIN (SELECT customer_id, max(sale_amount) AS largest FROM customer_orders GROUP BY customer_id) AS o
        ON o.customer_id = t.customer_id
    """
