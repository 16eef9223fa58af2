"""When the customer buys: hours, days of the week, seasons."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import LINES_OF_LOOKBACK, FeatureBlock, FeatureColumn, share_feature
from segmentation_assets.features.references import RHOADES
from segmentation_assets.features.snapshot import Snapshot

DAY_PARTS = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
"""Part of the day -> its first hour, and the first that is no longer in it."""

SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}
"""Meteorological season of the northern half of the earth -> its months."""

_READS = ("order_lines.order_id", *LINES_OF_LOOKBACK)
_NO_ORDER = "no order in the lookback"
_FIRST_LINE = "Share of orders in the lookback whose first sale line is"


def _share(name: str, label: str, meaning: str, null_rule: str = _NO_ORDER, reference: str = "") -> FeatureColumn:
    return share_feature(
        name=name,
        label=label,
        null_rule=null_rule,
        meaning=meaning,
        reads=_READS,
        imputation="ordinary",
        reference=reference,
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    months = ", ".join(str(month) for month in settings.peak_months)
    columns = (
        *(
            _share(
                f"{part}_order_share",
                "Share of orders at night" if part == "night" else f"Share of orders in the {part}",
                f"Share of orders in the lookback whose first sale line is from {first}:00 until before {until}:00; "
                "those at exactly midnight, as dates without a time are read, are left out.",
                "no order in the lookback has a time of day",
            )
            for part, (first, until) in DAY_PARTS.items()
        ),
        _share("weekend_order_share", "Share of orders at the weekend", f"{_FIRST_LINE} on a Saturday or Sunday."),
        _share(
            "weekday_concentration",
            "Orders on few days of the week",
            "Sum of the squared shares that the days of the week have in the orders of the lookback, by their first "
            "sale line: 1 when all fall on one, 1/7 when all days are alike (Herfindahl index).",
            reference=RHOADES,
        ),
        *(
            _share(
                f"{season}_order_share",
                f"Share of orders in {season}",
                f"{_FIRST_LINE} in the months {months[0]} to {months[-1]}, {season} north of the equator.",
            )
            for season, months in SEASONS.items()
        ),
        _share(
            "peak_order_share",
            "Share of orders in the peak months",
            f"{_FIRST_LINE} in the months of the peak: {months}.",
        ),
    )
    return FeatureBlock(name="calendar", columns=columns, select=_select)


def _select(snapshot: Snapshot) -> str:
    """Count orders by their first sale line."""
    parts = ", ".join(
        f"safe_div(count(*) FILTER (WHERE has_time AND hour >= {first} AND hour < {until}), "
        f"count(*) FILTER (WHERE has_time)) AS {part}_order_share"
        for part, (first, until) in DAY_PARTS.items()
    )
    seasons = ", ".join(f"{_share_of_months(months)} AS {season}_order_share" for season, months in SEASONS.items())
    squares = " + ".join(
        f"count(*) FILTER (WHERE day = {day}) * count(*) FILTER (WHERE day = {day})" for day in range(1, 8)
    )
    return f"""
    SELECT
        customer_id,
        {parts},
        safe_div(count(*) FILTER (WHERE day >= 6), count(*)) AS weekend_order_share,
        safe_div({squares}, count(*) * count(*)) AS weekday_concentration,
        {seasons},
        {_share_of_months(snapshot.settings.peak_months)} AS peak_order_share
    FROM (
        SELECT
            customer_id,
            hour(first_sale_at) AS hour,
            iso_dow(first_sale_at) AS day,
            month(first_sale_at) AS month,
            first_sale_at <> CAST(CAST(first_sale_at AS DATE) AS TIMESTAMP) AS has_time
        FROM customer_orders
    ) AS o
    GROUP BY customer_id
    """


def _share_of_months(months: tuple[int, ...]) -> str:
    listed = ", ".join(str(month) for month in months)
    return f"safe_div(count(*) FILTER (WHERE month IN ({listed})), count(*))"
