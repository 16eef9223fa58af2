"""Whether the customer waits for lower prices."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn, share_feature
from segmentation_assets.features.snapshot import Snapshot

_LISTED = "sale lines in the lookback with a list price and a price above 0"
_NO_PRICE = "no sale line in the lookback has a list price and a price above 0"
_PRICES = ("order_lines.list_price", "order_lines.unit_price", *LINES_OF_LOOKBACK)


def _share(name: str, label: str, meaning: str, *reads: str, is_clustering_feature: bool = False) -> FeatureColumn:
    return share_feature(
        name=name,
        label=label,
        null_rule=_NO_PRICE,
        meaning=meaning,
        reads=(*reads, *_PRICES),
        imputation="ordinary",
        is_clustering_feature=is_clustering_feature,
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent where no list price is delivered."""
    deal = f"a discount of {settings.deal_discount * 100:g} % or more"
    columns = (
        _share(
            "discount_share",
            "Share of list prices saved",
            f"Money saved on {_LISTED}, as a share of what they would have cost at list prices; a line sold above its "
            "list price saves nothing.",
            "order_lines.amount",
            is_clustering_feature=True,
        ),
        _share(
            "discounted_line_share",
            "Share of lines at a discount",
            f"Share of the {_LISTED} that were sold below list price.",
        ),
        _share("deal_line_share", "Share of lines that are deals", f"Share of the {_LISTED} that have {deal}."),
        _share(
            "deal_revenue_share",
            "Share of money for deals",
            f"Share of the gross revenue of {_LISTED} that is of those with {deal}.",
            "order_lines.amount",
        ),
        _share(
            "deal_order_share",
            "Share of orders with a deal",
            f"Deal sensitivity: share of the orders of {_LISTED} in which at least one has {deal}.",
            "order_lines.order_id",
        ),
    )
    return FeatureBlock(name="discounts", columns=columns, select=_select, requires=("order_lines.list_price",))


def _select(snapshot: Snapshot) -> str:
    """Lines without a list price are left out; one above which a line was sold counts as no discount."""
    is_deal = snapshot.is_deal_sql
    return f"""
    SELECT
        l.customer_id,
        safe_div(l.list_amount - l.amount, l.list_amount) AS discount_share,
        safe_div(l.discounted, l.line_count) AS discounted_line_share,
        safe_div(l.deals, l.line_count) AS deal_line_share,
        safe_div(l.deal_amount, l.amount) AS deal_revenue_share,
        safe_div(o.deal_orders, o.order_count) AS deal_order_share
    FROM (
        SELECT
            customer_id,
            sum(amount) AS amount,
            sum(CASE WHEN list_price > unit_price THEN at_list_price(amount, list_price, unit_price) ELSE amount END)
                AS list_amount,
            count(*) AS line_count,
            count(*) FILTER (WHERE list_price > unit_price) AS discounted,
            count(*) FILTER (WHERE {is_deal}) AS deals,
            coalesce(sum(amount) FILTER (WHERE {is_deal}), 0) AS deal_amount
        FROM snapshot_lines WHERE is_sale AND list_price > 0 AND unit_price > 0 GROUP BY customer_id
    ) AS l
    LEFT JOIN (
        SELECT customer_id, count(*) AS order_count, count(*) FILTER (WHERE deal_line_count > 0) AS deal_orders
        FROM customer_orders WHERE listed_line_count > 0 GROUP BY customer_id
    ) AS o ON o.customer_id = l.customer_id
    """
