"""When and how goods come back: how soon, from how many orders in a row, in which season."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import (
    ALL_CANCELLED,
    RETURNS_NOT_TOLD,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    share_feature,
)
from segmentation_assets.features.snapshot import Snapshot
from segmentation_assets.features.tracing import TRACED_RETURNS

RETURN_DAYS = (7, 30)

_NO_RETURN = "no return in the lookback that is no cancellation"
_NOT_TRACED = "no return that is no cancellation could be traced to a purchase in the lookback"


def _share(
    name: str, label: str, meaning: str, null_rule: str, undefined_rule: FillRule | None = None
) -> FeatureColumn:
    return share_feature(
        name=name,
        label=label,
        null_rule=null_rule,
        meaning=meaning,
        reads=TRACED_RETURNS,
        imputation="returns",
        undefined_rule=undefined_rule,
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    months = ", ".join(str(month) for month in settings.peak_months)
    columns = (
        FeatureColumn(
            name="days_to_return_mean",
            label="Days until a return",
            dtype="DOUBLE",
            unit="days",
            nullable=True,
            null_rule=_NOT_TRACED,
            minimum=0,
            meaning="Mean calendar days from the purchase to the return, over return lines that are traced to one in "
            "the lookback, cancellations left out. That is the latest purchase of the product at or before the return "
            "that was not cancelled: under the order id of the return where the product was bought so, else under any.",
            reads=TRACED_RETURNS,
            imputation="returns",
            undefined_rule=RETURNS_NOT_TOLD,
        ),
        *(
            _share(
                f"return_share_{days}d",
                f"Share of returns within {days} days",
                f"Share of traced return lines, cancellations left out, that came back within {days} calendar days of "
                "the purchase.",
                _NOT_TRACED,
                RETURNS_NOT_TOLD,
            )
            for days in RETURN_DAYS
        ),
        _share(
            "traced_return_share",
            "Share of returns traced to a purchase",
            "Share of return lines, cancellations left out, that could be traced to a purchase in the lookback: what "
            "the features of return times rest on.",
            _NO_RETURN,
        ),
        _share(
            "first_order_return_share",
            "Share of the first order returned",
            "Share of the units of the first order in the lookback that came back, by the returns traced to it, at "
            "most 1. Cancelled units are left out, and orders of which all was cancelled.",
            "no order in the lookback but such of which all was cancelled",
            ALL_CANCELLED,
        ),
        FeatureColumn(
            name="return_streak_order_count",
            label="Most orders in a row with a return",
            dtype="BIGINT",
            unit="orders",
            minimum=0,
            meaning="Most orders in a row, in the lookback, of which something came back, by the returns traced to "
            "them. Cancellations are left out, and orders of which all was cancelled.",
            reads=TRACED_RETURNS,
            imputation="returns",
            direction="more_is_worse",
        ),
        _share(
            "peak_return_share",
            "Share of returns in the peak months",
            f"Share of return lines, cancellations left out, that came back in the months of the peak: {months}.",
            _NO_RETURN,
        ),
    )
    return FeatureBlock(name="return_habits", columns=columns, select=_select)


def _select(snapshot: Snapshot) -> str:
    months = ", ".join(str(month) for month in snapshot.settings.peak_months)
    within = ", ".join(
        f"safe_div(sum(CASE WHEN days <= {days} THEN line_count ELSE 0 END), "
        f"sum(CASE WHEN days >= 0 THEN line_count END)) AS return_share_{days}d"
        for days in RETURN_DAYS
    )
    within_names = ", ".join(f"r.return_share_{days}d" for days in RETURN_DAYS)
    return f"""
    SELECT
        t.customer_id,
        r.days_to_return_mean,
        {within_names},
        r.traced_return_share,
        CASE WHEN t.return_line_count = 0 THEN safe_div(0, t.order_count) ELSE f.share END AS first_order_return_share,
        coalesce(s.longest, 0) AS return_streak_order_count,
        r.peak_return_share
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            customer_id,
            safe_div(sum(days * line_count), sum(CASE WHEN days >= 0 THEN line_count END)) AS days_to_return_mean,
            {within},
            safe_div(sum(CASE WHEN days >= 0 THEN line_count ELSE 0 END), sum(line_count)) AS traced_return_share,
            safe_div(sum(CASE WHEN month(order_at) IN ({months}) THEN line_count ELSE 0 END), sum(line_count))
                AS peak_return_share
        FROM (SELECT *, days_between(bought_at, order_at) AS days FROM customer_returns WHERE NOT is_cancellation) AS r
        GROUP BY customer_id
    ) AS r ON r.customer_id = t.customer_id
    LEFT JOIN (
        SELECT customer_id, capped_share(returned_units, unit_count) AS share FROM kept_orders WHERE place = 1
    ) AS f ON f.customer_id = t.customer_id
    LEFT JOIN (
        SELECT customer_id, max(orders) AS longest
        FROM (
            SELECT customer_id, count(*) AS orders
            FROM (
                SELECT customer_id,
                    place - row_number() OVER (PARTITION BY customer_id ORDER BY place) AS run
                FROM kept_orders WHERE returned_units > 0
            ) AS returned
            GROUP BY customer_id, run
        ) AS runs
        GROUP BY customer_id
    ) AS s ON s.customer_id = t.customer_id
    """
