"""Engagement apart from buying: visits, opened and clicked e-mails, service contacts."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, FillRule, ImputationReason
from segmentation_assets.features.snapshot import Snapshot, at_most_sql
from segmentation_assets.storage.engine import quote_text

EVENT_WINDOW_DAYS = 90
TREND_WINDOW_DAYS = 365

_AT = ("engagement_events.event_at",)
_TYPED = ("engagement_events.event_at", "engagement_events.event_type")
_REQUIRES = ("engagement_events.event_type",)


def _count(kind: str, types: tuple[str, ...]) -> FeatureColumn:
    return FeatureColumn(
        name=f"{kind}_count_{EVENT_WINDOW_DAYS}d",
        label=f"{kind.replace('_', ' ').capitalize()} events in the last {EVENT_WINDOW_DAYS} days",
        dtype="BIGINT",
        unit="events",
        minimum=0,
        meaning=f"Events of the type {' or '.join(types)} in the {EVENT_WINDOW_DAYS} days before the as-of date.",
        reads=_TYPED,
        requires=_REQUIRES,
        imputation="ordinary",
        direction="neutral" if kind == "contact" else "more_is_better",
        setting=("features", "event_kinds", kind),
    )


def block(settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without engagement events."""
    columns = (
        FeatureColumn(
            name=f"event_count_{EVENT_WINDOW_DAYS}d",
            label=f"Engagement events in the last {EVENT_WINDOW_DAYS} days",
            dtype="BIGINT",
            unit="events",
            minimum=0,
            meaning=f"Engagement events of any type in the {EVENT_WINDOW_DAYS} days before the as-of date.",
            reads=_AT,
            imputation="ordinary",
            direction="more_is_better",
            is_clustering_feature=True,
        ),
        FeatureColumn(
            name="days_since_event",
            label="Days since last engagement",
            dtype="BIGINT",
            unit="days",
            nullable=True,
            null_rule="no engagement event in the lookback",
            minimum=0,
            meaning="Calendar days from the last engagement event in the lookback to the as-of date.",
            reads=_AT,
            imputation="undefined",
            undefined_rule=FillRule(
                reason=ImputationReason.UNDEFINED_NO_EVENT,
                description="the days since the first order: the silence is taken to be as long as the relationship",
                column="tenure_days",
            ),
            direction="more_is_worse",
        ),
        FeatureColumn(
            name=f"event_momentum_{EVENT_WINDOW_DAYS}d_{TREND_WINDOW_DAYS}d",
            label=f"Pace of engagement, {EVENT_WINDOW_DAYS} against {TREND_WINDOW_DAYS} days",
            dtype="DOUBLE",
            unit="ratio",
            nullable=True,
            null_rule=f"no engagement event in the last {TREND_WINDOW_DAYS} days, or {EVENT_WINDOW_DAYS} days at most "
            "since the first event or order or the beginning of the lookback",
            minimum=0,
            meaning=f"Events per day in the last {EVENT_WINDOW_DAYS} days relative to those in the last "
            f"{TREND_WINDOW_DAYS}: 1 is steady, more is waking up. Of the longer window only the days count since the "
            "first order ever or the first event of the lookback, whichever was earlier, and since the beginning of "
            "the lookback.",
            reads=(*_AT, "customer_history.first_order_date"),
            imputation="undefined",
            undefined_rule=FillRule(
                reason=ImputationReason.UNDEFINED_SHORT_HISTORY,
                description="0 where nothing happens any more, and 1, steady, of a customer known for "
                f"{EVENT_WINDOW_DAYS} days at most",
                value=1.0,
                zero_column=f"event_count_{EVENT_WINDOW_DAYS}d",
                reason_at_zero=ImputationReason.UNDEFINED_NO_EVENT_IN_WINDOW,
                value_at_zero=0.0,
            ),
            direction="more_is_better",
        ),
        *(_count(kind, types) for kind, types in settings.event_kinds.items()),
    )
    return FeatureBlock(
        name="engagement",
        columns=columns,
        select=_select,
        requires=("engagement_events",),
        named_by={"event_kinds": f"<kind>_count_{EVENT_WINDOW_DAYS}d"},
    )


def _select(snapshot: Snapshot) -> str:
    recent = f"event_at >= {snapshot.days_ago_sql(EVENT_WINDOW_DAYS)}"
    kinds = snapshot.settings.event_kinds
    counts = "".join(
        f", count(*) FILTER (WHERE {recent} AND event_type IN ({', '.join(map(quote_text, types))})) AS {kind}_events"
        for kind, types in kinds.items()
    )
    days = snapshot.covered_days_sql(
        "CASE WHEN e.first_date < h.first_order_date OR h.first_order_date IS NULL THEN e.first_date "
        "ELSE h.first_order_date END"
    )
    values = "".join(f", coalesce(e.{kind}_events, 0) AS {kind}_count_{EVENT_WINDOW_DAYS}d" for kind in kinds)
    return f"""
    SELECT
        t.customer_id,
        coalesce(e.recent_events, 0) AS event_count_{EVENT_WINDOW_DAYS}d,
        days_between(e.last_event_at, {snapshot.as_of_sql}) AS days_since_event,
        CASE WHEN {days} > {EVENT_WINDOW_DAYS} THEN safe_div(
            e.recent_events * {at_most_sql(days, TREND_WINDOW_DAYS)},
            e.year_events * {EVENT_WINDOW_DAYS}
        ) END AS event_momentum_{EVENT_WINDOW_DAYS}d_{TREND_WINDOW_DAYS}d
        {values}
    FROM customer_totals AS t
    LEFT JOIN (
        SELECT
            customer_id,
            count(*) FILTER (WHERE {recent}) AS recent_events,
            count(*) FILTER (WHERE event_at >= {snapshot.days_ago_sql(TREND_WINDOW_DAYS)}) AS year_events,
            CAST(min(event_at) AS DATE) AS first_date,
            max(event_at) AS last_event_at
            {counts}
        FROM snapshot_engagement_events GROUP BY customer_id
    ) AS e ON e.customer_id = t.customer_id
    LEFT JOIN snapshot_history AS h ON h.customer_id = t.customer_id
    """
