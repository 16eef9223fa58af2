"""Where the customer buys: channels, countries, stores."""

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
from segmentation_assets.features.relations import KNOWN_PLACES
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.features.spread import spread_sql

PLACES = {"channel": "channel", "country": "country", "store": "store_id"}
"""Word in the names of features -> column of the order lines."""

_NO_STORE = FillRule(reason=ImputationReason.UNDEFINED_NO_STORE, description="0: no order came from a store", value=0.0)


def _columns(place: str, column: str) -> tuple[FeatureColumn, ...]:
    null_rule = f"no order in the lookback with a known {place}"
    reads = (f"order_lines.{column}", "order_lines.order_id", *LINES_OF_LOOKBACK)
    requires = (f"order_lines.{column}",)
    plural = {"country": "countries"}.get(place, f"{place}s")
    return (
        FeatureColumn(
            name=f"main_{place}",
            label=f"{place.capitalize()} of most orders",
            dtype="VARCHAR",
            unit="name",
            nullable=True,
            null_rule=null_rule,
            meaning=f"The {place} of most orders in the lookback; of several the first in the alphabet. An order whose "
            f"sale lines name several {plural} counts for the first in the alphabet.",
            reads=reads,
            requires=requires,
            imputation="ordinary",
        ),
        share_feature(
            name=f"main_{place}_share",
            label=f"Share of orders of the main {place}",
            null_rule=null_rule,
            meaning=f"Share of the orders in the lookback with a known {place} that are of main_{place}.",
            reads=reads,
            requires=requires,
            imputation="undefined" if place == "store" else "ordinary",
            undefined_rule=_NO_STORE if place == "store" else None,
        ),
        FeatureColumn(
            name=f"{place}_count",
            label=f"{plural.capitalize()} ordered from",
            dtype="BIGINT",
            unit=plural,
            minimum=0,
            meaning=f"Different known {plural} of the orders in the lookback, one for each order.",
            reads=reads,
            requires=requires,
            imputation="ordinary",
        ),
    )


COLUMNS = (
    *(feature for place, column in PLACES.items() for feature in _columns(place, column)),
    share_feature(
        name="channel_switch_share",
        label="Share of orders through another channel than before",
        null_rule="fewer than two orders in the lookback with a known channel",
        meaning="Share of orders in the lookback that came through another channel than the order before; the first "
        "order and orders without a channel are left out.",
        reads=("order_lines.channel", "order_lines.order_id", *LINES_OF_LOOKBACK),
        requires=("order_lines.channel",),
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_NO_ORDER_BEFORE, description="0: no switch can be seen yet", value=0.0
        ),
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; features of a place are absent where order lines do not say it."""
    return FeatureBlock(name="channels", columns=COLUMNS, select=_select)


def _select(_snapshot: Snapshot) -> str:
    values = ", ".join(
        f"{KNOWN_PLACES[column]}.{column} AS main_{place}, "
        f"safe_div({place}.most, {place}.total) AS main_{place}_share, "
        f"coalesce({place}.places, 0) AS {place}_count"
        for place, column in PLACES.items()
    )
    joins = "\n".join(
        f"LEFT JOIN ({spread_sql(_ORDERS.format(place=column))}) AS {place} ON {place}.customer_id = t.customer_id\n"
        f"LEFT JOIN {KNOWN_PLACES[column]} ON {KNOWN_PLACES[column]}.number = {place}.main"
        for place, column in PLACES.items()
    )
    return f"""
    SELECT t.customer_id, {values}, safe_div(switch.switches, switch.pairs) AS channel_switch_share
    FROM customer_totals AS t
    {joins}
    LEFT JOIN ({_SWITCHES}) AS switch ON switch.customer_id = t.customer_id
    """


_ORDERS = """
    SELECT customer_id, {place} AS place, count(*) AS weight
    FROM customer_orders WHERE {place} IS NOT NULL GROUP BY customer_id, {place}
"""

_SWITCHES = """
SELECT customer_id, count(*) AS pairs, count(*) FILTER (WHERE channel <> channel_before) AS switches
FROM (
    SELECT customer_id, channel,
        lag(channel) OVER (PARTITION BY customer_id ORDER BY first_sale_at, order_id) AS channel_before
    FROM customer_orders WHERE channel IS NOT NULL
) AS pairs
WHERE channel_before IS NOT NULL
GROUP BY customer_id
"""
