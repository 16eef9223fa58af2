"""How much of what was bought comes back."""

from __future__ import annotations

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot

COLUMNS = (
    FeatureColumn(
        name="return_rate",
        dtype="DOUBLE",
        unit="rate",
        nullable=True,
        null_rule="no sale in the lookback",
        minimum=0,
        maximum=1,
        meaning="Return lines per sale line in the lookback; 1 when earlier purchases make it more.",
        reads=LINES_OF_LOOKBACK,
        imputation="returns",
        direction="more_is_worse",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="return_value_share",
        dtype="DOUBLE",
        unit="share",
        nullable=True,
        null_rule="no sales money in the lookback",
        minimum=0,
        maximum=1,
        meaning="Money returned as a share of gross revenue; 1 when earlier purchases make it more.",
        reads=("order_lines.amount", *LINES_OF_LOOKBACK),
        imputation="returns",
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="return_order_count",
        dtype="BIGINT",
        unit="orders",
        minimum=0,
        meaning="Order ids with at least one return line in the lookback.",
        reads=("order_lines.order_id", *LINES_OF_LOOKBACK),
        imputation="returns",
        direction="more_is_worse",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="returns", columns=COLUMNS, select=_select)


def _select(_snapshot: Snapshot) -> str:
    """Capped at 1, as goods bought before the lookback come back in it too."""
    return """
    SELECT
        t.customer_id,
        capped_share(t.return_line_count, t.sale_line_count) AS return_rate,
        capped_share(-t.return_amount, t.sale_amount) AS return_value_share,
        coalesce(r.return_order_count, 0) AS return_order_count
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT customer_id, count(DISTINCT order_id) AS return_order_count
        FROM snapshot_lines WHERE line_type = 'return' GROUP BY customer_id
    ) AS r ON r.customer_id = t.customer_id
    """
