"""Orders, units and money in the days before as-of, or in the lookback if shorter, and how the recent ones compare."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
)
from segmentation_assets.features.snapshot import Snapshot, at_most_sql

CLUSTERED_WINDOW_DAYS = 90
"""The window nearest to this one is clustered on: a season, in which most shops see a customer again."""

_ORDERS = ("order_lines.order_id", *LINES_OF_LOOKBACK)
_MONEY = ("order_lines.amount", *LINES_OF_LOOKBACK)


def _of_window(days: int, *, is_clustering_feature: bool) -> tuple[FeatureColumn, ...]:
    return (
        FeatureColumn(
            name=f"order_count_{days}d",
            label=f"Orders in the last {days} days",
            dtype="BIGINT",
            unit="orders",
            minimum=0,
            meaning=f"Orders with a sale line in the {days} days before the as-of date.",
            reads=_ORDERS,
            imputation="ordinary",
            direction="more_is_better",
            is_clustering_feature=is_clustering_feature,
        ),
        FeatureColumn(
            name=f"unit_count_{days}d",
            label=f"Units bought in the last {days} days",
            dtype="BIGINT",
            unit="units",
            minimum=0,
            meaning=f"All units of the orders with a sale line in the {days} days before the as-of date, earlier lines "
            "of these orders included, returns not taken off.",
            reads=("order_lines.quantity", *_ORDERS),
            imputation="ordinary",
            direction="more_is_better",
        ),
        FeatureColumn(
            name=f"net_revenue_amount_{days}d",
            label=f"Net revenue in the last {days} days",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning=f"Money of sale lines less that of return lines in the {days} days before the as-of date.",
            reads=_MONEY,
            imputation="ordinary",
            direction="more_is_better",
        ),
        FeatureColumn(
            name=f"average_order_value_amount_{days}d",
            label=f"Average order value in the last {days} days",
            dtype="DECIMAL(18,2)",
            unit="currency",
            nullable=True,
            null_rule=f"no order in the {days} days",
            minimum=0,
            meaning=f"Gross revenue per order with a sale line in the {days} days before the as-of date, earlier lines "
            "of these orders included.",
            reads=("order_lines.amount", *_ORDERS),
            imputation="undefined",
            undefined_rule=FillRule(
                reason=ImputationReason.UNDEFINED_NO_ORDER_IN_WINDOW,
                description="the average over all orders in the lookback",
                column="average_order_value_amount",
            ),
            direction="more_is_better",
        ),
    )


def _momenta(short: int, long: int) -> tuple[FeatureColumn, ...]:
    undefined = FillRule(
        reason=ImputationReason.UNDEFINED_SHORT_HISTORY,
        description=f"0 where nothing is bought any more, and 1, steady, of a customer known for {short} days at most",
        value=1.0,
        zero_column=f"order_count_{long}d",
        reason_at_zero=ImputationReason.UNDEFINED_NO_ORDER_IN_WINDOW,
        value_at_zero=0.0,
    )
    steady = (
        "1 is steady, more is speeding up. Of the longer window only the days since the first order ever and since the "
        "beginning of the lookback count"
    )
    momentum = partial(
        FeatureColumn,
        dtype="DOUBLE",
        unit="ratio",
        nullable=True,
        null_rule=f"no order in the {long} days, or {short} days at most since the first order ever or the beginning "
        "of the lookback",
        minimum=0,
        imputation="undefined",
        undefined_rule=undefined,
        direction="more_is_better",
    )
    return (
        momentum(
            name=f"order_momentum_{short}d_{long}d",
            label=f"Pace of orders, {short} against {long} days",
            meaning=f"Orders per day in the last {short} days relative to those in the last {long}: {steady}.",
            reads=(*_ORDERS, "customer_history.first_order_date"),
        ),
        momentum(
            name=f"revenue_momentum_{short}d_{long}d",
            label=f"Pace of revenue, {short} against {long} days",
            meaning=f"Gross revenue of orders per day in the last {short} days relative to that in the last {long}: "
            f"{steady}. It is 1 too where all orders were free.",
            reads=("order_lines.amount", *_ORDERS, "customer_history.first_order_date"),
        ),
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    clustered = min(settings.windows, key=lambda days: (abs(days - CLUSTERED_WINDOW_DAYS), days))
    columns = (
        *(c for days in settings.windows for c in _of_window(days, is_clustering_feature=days == clustered)),
        *(column for short, long in pairwise(settings.windows) for column in _momenta(short, long)),
    )
    return FeatureBlock(name="windows", columns=columns, select=_select, named_by={"windows": "*_<days>d"})


def _select(snapshot: Snapshot) -> str:
    """Net money by the instant of each line, all else by the order, whose last sale line says when it was."""
    windows = snapshot.settings.windows
    sums = ", ".join(
        f"coalesce(sum(amount) FILTER (WHERE order_at >= {snapshot.days_ago_sql(days)}), 0) AS net_{days}"
        for days in windows
    )
    counts = ", ".join(
        f"count(*) FILTER (WHERE last_sale_at >= {since}) AS orders_{days}, "
        f"coalesce(sum(unit_count) FILTER (WHERE last_sale_at >= {since}), 0) AS units_{days}, "
        f"coalesce(sum(sale_amount) FILTER (WHERE last_sale_at >= {since}), 0) AS gross_{days}"
        for days, since in ((days, snapshot.days_ago_sql(days)) for days in windows)
    )
    values = ", ".join(
        f"coalesce(o.orders_{days}, 0) AS order_count_{days}d, "
        f"CAST(coalesce(o.units_{days}, 0) AS BIGINT) AS unit_count_{days}d, "
        f"CAST(m.net_{days} AS DECIMAL(18,2)) AS net_revenue_amount_{days}d, "
        f"money_per(o.gross_{days}, o.orders_{days}) AS average_order_value_amount_{days}d"
        for days in windows
    )
    momenta = "".join(_momenta_sql(short, long) for short, long in pairwise(windows))
    return f"""
    SELECT m.customer_id, {values}{momenta}
    FROM (SELECT customer_id, {sums} FROM snapshot_lines GROUP BY customer_id) AS m
    LEFT JOIN (SELECT customer_id, {counts} FROM customer_orders GROUP BY customer_id) AS o
        ON o.customer_id = m.customer_id
    LEFT JOIN (
        SELECT customer_id, {snapshot.covered_days_sql("first_order_date")} AS days FROM snapshot_history
    ) AS covered ON covered.customer_id = m.customer_id
    """


def _momenta_sql(short: int, long: int) -> str:
    """Compare paces over the days that can hold an order; there must be more of them than the shorter window has."""
    days = at_most_sql("covered.days", long)
    paces = {
        "order": f"safe_div(o.orders_{short} * ({days}), o.orders_{long} * {short})",
        "revenue": f"CASE WHEN o.orders_{long} > 0 AND o.gross_{long} = 0 THEN 1 "
        f"ELSE safe_div(o.gross_{short} * ({days}), o.gross_{long} * {short}) END",
    }
    return "".join(
        f", CASE WHEN covered.days > {short} THEN {pace} END AS {noun}_momentum_{short}d_{long}d"
        for noun, pace in paces.items()
    )
