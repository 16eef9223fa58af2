"""Engagement apart from buying: visits, opens, clicks or whatever events the source delivers."""

from __future__ import annotations

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, ImputationReason, UndefinedRule
from segmentation_assets.features.snapshot import Snapshot

EVENT_WINDOW_DAYS = 90

COLUMNS = (
    FeatureColumn(
        name=f"event_count_{EVENT_WINDOW_DAYS}d",
        dtype="BIGINT",
        unit="events",
        minimum=0,
        meaning=f"Engagement events of any type in the {EVENT_WINDOW_DAYS} days before the as-of date.",
        reads=("engagement_events.event_at",),
        imputation="ordinary",
        direction="more_is_better",
        is_clustering_feature=True,
    ),
    FeatureColumn(
        name="days_since_event",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="no engagement event in the lookback",
        minimum=0,
        meaning="Calendar days from the last engagement event to the as-of date.",
        reads=("engagement_events.event_at",),
        imputation="undefined",
        undefined_rule=UndefinedRule(
            reason=ImputationReason.UNDEFINED_NO_EVENT,
            description="the days since the first order: the silence is taken to be as long as the relationship",
            column="tenure_days",
        ),
        direction="more_is_worse",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without engagement events."""
    return FeatureBlock(name="engagement", columns=COLUMNS, select=_select, requires=("engagement_events",))


def _select(snapshot: Snapshot) -> str:
    return f"""
    SELECT
        t.customer_id,
        coalesce(e.event_count, 0) AS event_count_{EVENT_WINDOW_DAYS}d,
        days_between(e.last_event_at, {snapshot.as_of_sql}) AS days_since_event
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            customer_id,
            count(*) FILTER (WHERE event_at >= {snapshot.days_ago_sql(EVENT_WINDOW_DAYS)}) AS event_count,
            max(event_at) AS last_event_at
        FROM snapshot_engagement_events GROUP BY customer_id
    ) AS e ON e.customer_id = t.customer_id
    """
