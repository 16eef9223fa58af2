"""How many different products the customer buys, and how many of them are new."""

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

NOVELTY_DAYS = 90

_PRODUCTS = ("order_lines.product_id", *LINES_OF_LOOKBACK)

COLUMNS = (
    FeatureColumn(
        name="product_count",
        label="Different products bought",
        dtype="BIGINT",
        unit="products",
        minimum=0,
        meaning="Different products bought in the lookback.",
        reads=_PRODUCTS,
        imputation="ordinary",
        direction="more_is_better",
    ),
    share_feature(
        name="repeat_product_share",
        label="Share of products bought again",
        null_rule="no sale in the lookback",
        meaning="Share of the products bought in the lookback that were bought on more than one day of it.",
        reads=_PRODUCTS,
        imputation="ordinary",
    ),
    share_feature(
        name=f"new_product_share_{NOVELTY_DAYS}d",
        label=f"Share of products new to the customer, last {NOVELTY_DAYS} days",
        null_rule=f"no sale in the last {NOVELTY_DAYS} days",
        meaning=f"Novelty: share of the products bought in the last {NOVELTY_DAYS} days that the customer had not "
        "bought earlier in the lookback.",
        reads=_PRODUCTS,
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_NO_ORDER_IN_WINDOW,
            description="0: nothing new is bought any more",
            value=0.0,
        ),
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="variety", columns=COLUMNS, select=_select)


def _select(snapshot: Snapshot) -> str:
    since = snapshot.days_ago_sql(NOVELTY_DAYS)
    return f"""
    SELECT
        t.customer_id,
        coalesce(p.products, 0) AS product_count,
        safe_div(p.repeated, p.products) AS repeat_product_share,
        safe_div(p.new_products, p.recent_products) AS new_product_share_{NOVELTY_DAYS}d
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            customer_id,
            count(*) AS products,
            count(*) FILTER (WHERE CAST(first_at AS DATE) < CAST(last_at AS DATE)) AS repeated,
            count(*) FILTER (WHERE last_at >= {since}) AS recent_products,
            count(*) FILTER (WHERE first_at >= {since}) AS new_products
        FROM customer_products GROUP BY customer_id
    ) AS p ON p.customer_id = t.customer_id
    """
