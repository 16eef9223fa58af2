"""What is left of the money after the cost of the goods."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot

COLUMNS = (
    FeatureColumn(
        name="gross_margin_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        nullable=True,
        null_rule="the cost of no line in the lookback is known",
        meaning="Money of sales less returns in the lookback less the cost of these goods, over lines of known cost; "
        "without VAT where the settings say whether prices include it.",
        reads=("order_lines.margin_amount", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="gross_margin_ratio",
        label="Margin as a share of money",
        dtype="DOUBLE",
        unit="share",
        nullable=True,
        null_rule="no sale of known cost in the lookback brought money",
        meaning="Margin of the sales in the lookback as a share of their money, over lines of known cost; negative "
        "when goods were sold below cost.",
        reads=("order_lines.margin_amount", "order_lines.cost_amount", *LINES_OF_LOOKBACK),
        imputation="ordinary",
        direction="more_is_better",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent where no cost price is delivered."""
    return FeatureBlock(name="margin", columns=COLUMNS, select=_select, requires=("order_lines.cost_price",))


def _select(_snapshot: Snapshot) -> str:
    """The money that a margin is of is margin plus cost, also where amounts are analysed with VAT."""
    return """
    SELECT
        customer_id,
        CAST(sum(margin_amount) AS DECIMAL(18,2)) AS gross_margin_amount,
        safe_div(
            sum(margin_amount) FILTER (WHERE is_sale),
            sum(margin_amount + cost_amount) FILTER (WHERE is_sale AND margin_amount IS NOT NULL)
        ) AS gross_margin_ratio
    FROM snapshot_lines GROUP BY customer_id
    """
