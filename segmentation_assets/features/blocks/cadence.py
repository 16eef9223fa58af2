"""The rhythm of buying: gaps between days with an order, and how overdue the next order is."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import (
    LINES_OF_LOOKBACK,
    FeatureBlock,
    FeatureColumn,
    FillRule,
    ImputationReason,
)
from segmentation_assets.features.references import GOH_BARABASI
from segmentation_assets.features.snapshot import Snapshot

_ONE_ORDER_DAY = "fewer than two different order days in the lookback"
_FEW_ORDER_DAYS = "fewer than three different order days in the lookback"


def _rule(description: str, *, column: str | None = None, value: float | None = None) -> FillRule:
    return FillRule(
        reason=ImputationReason.UNDEFINED_ONE_ORDER_DAY, description=description, column=column, value=value
    )


_FIRST_GAP_STILL_OPEN = _rule(
    "the days since the first, and so far only, order day: the gap is at least that long", column="recency_days"
)

COLUMNS = (
    FeatureColumn(
        name="gap_days_mean",
        label="Days between orders",
        dtype="DOUBLE",
        unit="days",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=1,
        meaning="Mean calendar days between successive order days in the lookback.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_FIRST_GAP_STILL_OPEN,
        direction="more_is_worse",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="gap_days_median",
        label="Days between orders, median",
        dtype="DOUBLE",
        unit="days",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=1,
        meaning="Median calendar days between successive order days in the lookback; one long silence hardly moves it.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_FIRST_GAP_STILL_OPEN,
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="gap_days_std",
        label="Spread of days between orders",
        dtype="DOUBLE",
        unit="days",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=0,
        meaning="Standard deviation of the calendar days between successive order days in the lookback, as of a whole "
        "population.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_rule("0: there are no gaps that could differ", value=0.0),
    ),
    FeatureColumn(
        name="gap_regularity",
        label="Regularity of ordering",
        dtype="DOUBLE",
        unit="ratio",
        nullable=True,
        null_rule=_FEW_ORDER_DAYS,
        minimum=0,
        maximum=1,
        meaning="1 for gaps of equal length, towards 0 the more they differ: gap_days_mean / (gap_days_mean + "
        "gap_days_std).",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_FEW_ORDER_DAYS, description="0: no rhythm can be seen yet", value=0.0
        ),
        direction="more_is_better",
        reference=GOH_BARABASI,
    ),
    FeatureColumn(
        name="last_gap_days",
        label="Days between the last two orders",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=1,
        meaning="Calendar days between the last two order days of the lookback.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_FIRST_GAP_STILL_OPEN,
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="last_gap_ratio",
        label="Last gap between orders, in usual gaps",
        dtype="DOUBLE",
        unit="gaps",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=0,
        meaning="last_gap_days in units of gap_days_median; above 1 the customer took longer than usual.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_rule("1: nothing is usual yet", value=1.0),
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="longest_silence_days",
        label="Longest time without an order",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="no sale in the lookback",
        minimum=0,
        meaning="Calendar days of the longest gap between successive order days in the lookback, or from the last "
        "order day to the as-of date where that is longer.",
        reads=LINES_OF_LOOKBACK,
        imputation="ordinary",
        direction="more_is_worse",
    ),
    FeatureColumn(
        name="overdue_ratio",
        label="Wait since last order, in usual gaps",
        dtype="DOUBLE",
        unit="gaps",
        nullable=True,
        null_rule=_ONE_ORDER_DAY,
        minimum=0,
        meaning="recency_days in units of gap_days_mean; above 1 the next order is overdue.",
        reads=LINES_OF_LOOKBACK,
        imputation="undefined",
        undefined_rule=_rule("1: the days since the only order day stand in for the gap", value=1.0),
        direction="more_is_worse",
        is_clustering_feature=True,
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="cadence", columns=COLUMNS, select=_select)


def _select(snapshot: Snapshot) -> str:
    """Mean and deviation from whole-number sums, so that the order of rows cannot matter."""
    recency = snapshot.recency_sql("t.last_sale_at")
    return f"""
    SELECT
        customer_id,
        gap_days_mean,
        gap_days_median,
        gap_days_std,
        CASE WHEN gap_count > 1 THEN gap_days_mean / (gap_days_mean + gap_days_std) END AS gap_regularity,
        last_gap_days,
        CAST(last_gap_days AS DOUBLE) / gap_days_median AS last_gap_ratio,
        CASE WHEN longest_gap_days > silence_days THEN longest_gap_days ELSE silence_days END AS longest_silence_days,
        overdue_ratio
    FROM (
        SELECT
            t.customer_id,
            g.gap_count,
            safe_div(g.gap_sum, g.gap_count) AS gap_days_mean,
            g.gap_days_median,
            sqrt(CAST(g.gap_count * g.squared_gap_sum - g.gap_sum * g.gap_sum AS DOUBLE)) / CAST(g.gap_count AS DOUBLE)
                AS gap_days_std,
            g.last_gap_days,
            g.longest_gap_days,
            days_between(t.last_sale_at, {snapshot.as_of_sql}) AS silence_days,
            safe_div({recency} * g.gap_count, g.gap_sum) AS overdue_ratio
        FROM customer_totals AS t
        LEFT JOIN (
            SELECT
                customer_id,
                count(gap_days) AS gap_count,
                CAST(sum(gap_days) AS BIGINT) AS gap_sum,
                CAST(sum(gap_days * gap_days) AS BIGINT) AS squared_gap_sum,
                exact_median(gap_days) AS gap_days_median,
                max(gap_days) AS longest_gap_days,
                max(CASE WHEN is_last THEN gap_days END) AS last_gap_days
            FROM (
                SELECT
                    customer_id,
                    days_between(lag(order_date) OVER (PARTITION BY customer_id ORDER BY order_date), order_date)
                        AS gap_days,
                    lead(order_date) OVER (PARTITION BY customer_id ORDER BY order_date) IS NULL AS is_last
                FROM customer_order_days
            ) AS d
            WHERE gap_days IS NOT NULL
            GROUP BY customer_id
        ) AS g ON g.customer_id = t.customer_id
    ) AS c
    """
