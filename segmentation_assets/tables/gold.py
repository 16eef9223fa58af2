"""Tables of the gold layer that say which segments there are, who is in them, and who moved."""

from dataclasses import replace

from segmentation_assets.config.clustering import AlgorithmSettings
from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, Table

RFM_SEGMENT_NAMES = (
    "Champions",
    "Loyal",
    "Potential Loyalist",
    "New Customers",
    "Promising",
    "Need Attention",
    "About To Sleep",
    "At Risk",
    "Cannot Lose Them",
    "Hibernating",
    "Lost",
)

STATES_WITH_SEGMENT = {
    "assigned": "in a segment",
    "too_new": "in a segment for now: known for so few days that it may soon be another one",
    "outside_known_range": "in the nearest segment, but unlike all whom the model was promoted on",
}
"""States of customers who have a segment."""

CUSTOMER_STATES = {
    **STATES_WITH_SEGMENT,
    "no_purchases": "no sale in the lookback, so no recency and no spend to judge by",
    "exceptional": "unlike every segment that is large enough",
}
"""What `state` says of a customer: code → sentence."""


_CUSTOMER_ID = replace(CUSTOMER_ID, reads=("customer_features.customer_id",))
_RFM_MEASURES = (
    "customer_features.recency_days",
    "customer_features.order_count",
    "customer_features.net_revenue_amount",
)
_CORE_METRICS = (*_RFM_MEASURES, "customer_features.average_order_value_amount")
_BY_MODEL = ("customer_features.<matrix>", "champion.model_hash")
_PROMOTED = (
    "leaderboard.rank",
    "leaderboard.candidate",
    "leaderboard.compared_month",
    *(f"decisions.{part}" for part in ("decision_number", "kind", "from_month", "subject")),
    "champion.trained_month",
    *_BY_MODEL,
)
"""What says whether another model is promoted, and which."""
_BOTH_MODELS = ("champion.segment_key", "champion.model_hash")


def _score(letter: str, feature: str, meaning: str) -> Column:
    return Column(
        name=f"{letter}_score",
        dtype="INTEGER",
        minimum=1,
        maximum=5,
        meaning=f"{meaning}, 5 is best; ties share.",
        reads=(f"customer_features.{feature}",),
    )


def _event_count(name: str, meaning: str) -> Column:
    return Column(name=name, dtype="BIGINT", unit="customers", minimum=0, meaning=meaning, reads=_BOTH_MODELS)


RFM_SEGMENTS = Table(
    key="gold/rfm_segments",
    row="a customer with RFM scores",
    primary_key=("customer_id",),
    columns=(
        _CUSTOMER_ID,
        _score("recency", "recency_days", "Quintile of recency_days, inverted"),
        _score("frequency", "order_count", "Quintile of order_count"),
        _score("monetary", "net_revenue_amount", "Quintile of net_revenue_amount"),
        Column(
            name="rfm_code",
            dtype="VARCHAR",
            meaning="The three scores written R-F-M, such as 545.",
            reads=_RFM_MEASURES,
        ),
        Column(
            name="rfm_segment",
            dtype="VARCHAR",
            allowed=RFM_SEGMENT_NAMES,
            meaning="Named cell of the map.",
            reads=_RFM_MEASURES,
        ),
        Column(
            name="previous_rfm_segment",
            dtype="VARCHAR",
            nullable=True,
            null_rule="no scores a month earlier",
            allowed=RFM_SEGMENT_NAMES,
            meaning="Named cell a month earlier.",
            reads=("rfm_segments.rfm_segment",),
        ),
        Column(
            name="moved_by",
            dtype="VARCHAR",
            nullable=True,
            null_rule="no scores a month earlier",
            allowed=("nobody", "customer", "population", "customer+population"),
            meaning="Whether the customer's own figures led to another cell, or the thresholds moved with the "
            "population.",
            reads=(*_RFM_MEASURES, "rfm_segments.rfm_segment"),
        ),
    ),
)

CHAMPION = Table(
    key="gold/champion",
    row="a segment of the model in force",
    primary_key=("segment_key",),
    columns=(
        Column(
            name="segment_key",
            dtype="VARCHAR",
            meaning="Immutable key of the segment, such as S001.",
            reads=(*_PROMOTED, "clusters/*.cluster", "champion.segment_key"),
        ),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            meaning="Unique name of the segment.",
            reads=(
                *_PROMOTED,
                "clusters/*.cluster",
                *(f"rfm_segments.{score}_score" for score in ("recency", "frequency", "monetary")),
                "customer_features.*",
                *(f"decisions.{part}" for part in ("decision_number", "kind", "from_month", "subject", "value")),
                "champion.segment_name",
            ),
        ),
        Column(
            name="cluster",
            dtype="INTEGER",
            minimum=0,
            meaning="Number of the cluster in the model.",
            reads=(*_PROMOTED, "clusters/*.cluster", "champion.cluster"),
        ),
        Column(
            name="algorithm",
            dtype="VARCHAR",
            meaning="Algorithm of the model in force, or rfm_map.",
            reads=(*_PROMOTED, "champion.algorithm"),
        ),
        Column(
            name="model_hash",
            dtype="VARCHAR",
            meaning="Content hash of the model in the model store.",
            reads=(*_PROMOTED, "model_matrix.*", "champion.model_hash"),
        ),
        Column(
            name="trained_month",
            dtype="VARCHAR",
            meaning="Snapshot month the model was fitted on, YYYY-MM.",
            reads=("champion.trained_month",),
        ),
        Column(
            name="first_month",
            dtype="VARCHAR",
            meaning="First snapshot month with the segment, YYYY-MM.",
            reads=("champion.first_month",),
        ),
        Column(
            name="keys_issued",
            dtype="INTEGER",
            minimum=1,
            meaning="Segment keys given out until now, also to segments that ended; none is given twice.",
            reads=("champion.keys_issued",),
        ),
        Column(
            name="decision",
            dtype="VARCHAR",
            allowed=("promoted", "kept"),
            meaning="What happened this month.",
            reads=_PROMOTED,
        ),
        Column(
            name="decision_reason",
            dtype="VARCHAR",
            meaning="Why, in words.",
            reads=(
                *_PROMOTED,
                "leaderboard.is_baseline",
                "leaderboard.reason",
                "decisions.decided_by",
                "decisions.decided_on",
                "champion.algorithm",
            ),
        ),
        Column(
            name="kind",
            dtype="VARCHAR",
            meaning="Kind of segment at its beginning, an entry of the catalogue; it stays with the key, whatever the "
            "segment is called.",
            reads=(
                *_PROMOTED,
                "clusters/*.cluster",
                "rfm_segments.*_score",
                "customer_features.*",
                "champion.kind",
            ),
        ),
    ),
)

SEGMENT_EVENTS = Table(
    key="gold/segment_events",
    row="a segment and what a promotion meant for it",
    primary_key=("segment_key",),
    columns=(
        Column(
            name="segment_key",
            dtype="VARCHAR",
            meaning="Segment of the promoted model, or one that ended.",
            reads=("champion.segment_key",),
        ),
        Column(
            name="event",
            dtype="VARCHAR",
            allowed=("kept", "split", "born", "merged", "retired"),
            meaning="kept: goes on; split: new, of customers that were in another; born: new, of customers from "
            "several, or the first; merged: ended, its customers are in another; retired: ended, they went apart.",
            reads=("champion.segment_key",),
        ),
        Column(
            name="related_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="event is 'kept', 'born' or 'retired'",
            meaning="Segment that a split one comes from, or that a merged one went into.",
            reads=("champion.segment_key",),
        ),
        _event_count("before_count", "Customers of the former segment, of those that both models know."),
        _event_count("after_count", "Customers of the segment of the promoted model, of the same."),
        _event_count("both_count", "Customers in both."),
        Column(
            name="share_of_before",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="both_count as a share of before_count.",
            reads=_BOTH_MODELS,
        ),
        Column(
            name="share_of_after",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="both_count as a share of after_count.",
            reads=_BOTH_MODELS,
        ),
        Column(
            name="centre_distance",
            dtype="DOUBLE",
            minimum=0,
            nullable=True,
            null_rule="one of the two has no customer",
            meaning="Distance of the two centres in the model matrix.",
            reads=_BOTH_MODELS,
        ),
        Column(name="explanation", dtype="VARCHAR", meaning="The event in words.", reads=_BOTH_MODELS),
    ),
)

CLUSTER_COLUMNS = {name: f"{name}_cluster" for name in AlgorithmSettings.model_fields}
"""Column of ``gold/customer_segments`` with the cluster of each algorithm."""


def _cluster(algorithm: str, column: str) -> Column:
    return Column(
        name=column,
        dtype="INTEGER",
        minimum=-1,
        nullable=True,
        null_rule="not in the model matrix then, or the algorithm was left out or could not be fitted",
        meaning=f"Cluster in clusters/{algorithm} of the last month in which it was due; -1 is noise.",
        reads=(f"clusters/{algorithm}*.cluster", f"customer_segments.{column}"),
    )


CUSTOMER_SEGMENTS = Table(
    key="gold/customer_segments",
    row="a customer with its segment",
    primary_key=("customer_id",),
    columns=(
        _CUSTOMER_ID,
        Column(
            name="state",
            dtype="VARCHAR",
            allowed=tuple(CUSTOMER_STATES),
            meaning="Whether there is a segment, and how far to trust it.",
            reads=(*_CORE_METRICS, "customer_features.lifetime_months", *_BY_MODEL),
        ),
        Column(
            name="segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is 'no_purchases' or 'exceptional'",
            meaning="Key of the segment.",
            reads=_BY_MODEL,
        ),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is 'no_purchases' or 'exceptional'",
            meaning="Name of the segment.",
            reads=(*_BY_MODEL, "champion.segment_key", "champion.segment_name"),
        ),
        Column(
            name="runner_up_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="there is no segment, or the model is a fixed rule",
            meaning="Key of the second nearest segment.",
            reads=_BY_MODEL,
        ),
        Column(
            name="segment_confidence",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule="state is 'no_purchases', or the model is a fixed rule",
            meaning="Probability that an independent refit of the model, matched, puts the customer into the same "
            "segment.",
            reads=_BY_MODEL,
        ),
        Column(
            name="previous_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="no segment a month earlier",
            meaning="Key of the segment a month earlier.",
            reads=("customer_segments.segment_key",),
        ),
        Column(
            name="changed_at",
            dtype="DATE",
            nullable=True,
            null_rule="state is 'no_purchases' or 'exceptional'",
            meaning="As-of date of the first snapshot in which the customer had this segment without a break.",
            reads=(*_BY_MODEL, "customer_segments.segment_key", "customer_segments.changed_at"),
        ),
        Column(
            name="months_in_segment",
            dtype="INTEGER",
            unit="snapshots",
            minimum=1,
            nullable=True,
            null_rule="state is 'no_purchases' or 'exceptional'",
            meaning="Snapshots in a row with this segment, this one included.",
            reads=(*_BY_MODEL, "customer_segments.segment_key", "customer_segments.months_in_segment"),
        ),
        Column(
            name="rfm_segment",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is 'no_purchases'",
            allowed=RFM_SEGMENT_NAMES,
            meaning="Named cell of the RFM map.",
            reads=("rfm_segments.rfm_segment", *_CORE_METRICS),
        ),
        *(_cluster(*pair) for pair in CLUSTER_COLUMNS.items()),
        Column(
            name="imputed_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule="state is 'no_purchases'",
            meaning="Share of the model's features that were filled in for this customer.",
            reads=_BY_MODEL,
        ),
        Column(
            name="is_outlier",
            dtype="BOOLEAN",
            nullable=True,
            null_rule="state is 'no_purchases', or the model does not look for outliers",
            meaning="Whether the customer is unlike everyone whom the model was fitted on, whatever segment it is in.",
            reads=_BY_MODEL,
        ),
        Column(
            name="is_suppressed",
            dtype="BOOLEAN",
            meaning="Whether a decision says not to address the customer.",
            reads=tuple(f"decisions.{part}" for part in ("kind", "from_month", "subject")),
        ),
        Column(name="as_of_date", dtype="DATE", meaning="The snapshot reads what happened before this day."),
        Column(name="valid_from", dtype="DATE", meaning="First day for which the row holds: the as-of date."),
        Column(
            name="valid_to",
            dtype="DATE",
            meaning="Day from which the next snapshot takes over: the as-of date of the next month, were it whole.",
        ),
    ),
)

_PLACES_BEFORE = ("customer_segments.segment_key", "customer_segments.state")
_TWO_MONTHS = (*_PLACES_BEFORE, *_BY_MODEL, "champion.segment_key")


def _place(name: str, meaning: str, reads: tuple[str, ...]) -> Column:
    return Column(
        name=f"{name}_place",
        dtype="VARCHAR",
        meaning=f"{meaning}: segment key, state of a customer without a segment, or `absent`.",
        reads=reads,
    )


def _money(name: str, meaning: str) -> Column:
    return Column(
        name=f"{name}_revenue_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        meaning=meaning,
        reads=("customer_features.net_revenue_amount",),
    )


SEGMENT_MIGRATION = Table(
    key="gold/segment_migration",
    row="a customer of this month or of the month before, and where it went",
    primary_key=("customer_id",),
    columns=(
        _CUSTOMER_ID,
        _place("before", "Place a month earlier, as delivered", _PLACES_BEFORE),
        _place("restated", "The same by the former model on the earlier month as it is known now", _TWO_MONTHS),
        _place("moved", "By the former model on this month's data", _TWO_MONTHS),
        _place("after", "By the model in force on this month's data", _PLACES_BEFORE),
        Column(
            name="is_active",
            dtype="BOOLEAN",
            meaning="Whether there was an order or a return since the month before.",
            reads=(
                "customer_history.lifetime_order_count",
                "customer_history.lifetime_order_day_count",
                "customer_history.lifetime_gross_revenue_amount",
                "customer_history.lifetime_net_revenue_amount",
            ),
        ),
        Column(
            name="cause",
            dtype="VARCHAR",
            meaning="What moved the customer: restatement (earlier data changed), behaviour (ordered or returned), "
            "ageing (only time passed), model (another one is in force), joined by +, or none.",
            reads=_TWO_MONTHS,
        ),
        Column(
            name="direction",
            dtype="VARCHAR",
            allowed=("stayed", "upgrade", "downgrade", "sideways", "entry", "exit", "outside"),
            meaning="upgrade: to a segment whose customers bring more on average; entry and exit: into and out of the "
            "segments; outside: in none in both months.",
            reads=(*_TWO_MONTHS, "customer_features.net_revenue_amount"),
        ),
        _money("before", "Net revenue in the lookback of the month before; 0 for who was absent."),
        _money("after", "Net revenue in the lookback of this month; 0 for who is absent."),
    ),
)

SEGMENT_FLOWS = Table(
    key="gold/segment_flows",
    row="a step, a place and another one",
    primary_key=("step", "from_place", "to_place"),
    columns=(
        Column(
            name="step",
            dtype="VARCHAR",
            allowed=("total", "restatement", "behaviour", "ageing", "model"),
            meaning="total, or the part of it that one cause explains.",
        ),
        Column(name="from_place", dtype="VARCHAR", meaning="Place before the step.", reads=("segment_migration.*",)),
        Column(name="to_place", dtype="VARCHAR", meaning="Place after it.", reads=("segment_migration.*",)),
        Column(
            name="customer_count",
            dtype="BIGINT",
            unit="customers",
            minimum=1,
            meaning="Customers who took the step so.",
            reads=("segment_migration.*",),
        ),
        Column(
            name="before_revenue_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning="Their net revenue in the lookback of the month before.",
            reads=("segment_migration.before_revenue_amount",),
        ),
        Column(
            name="after_revenue_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning="Their net revenue in the lookback of this month.",
            reads=("segment_migration.after_revenue_amount",),
        ),
    ),
)

TABLES = (RFM_SEGMENTS, CHAMPION, SEGMENT_EVENTS, CUSTOMER_SEGMENTS, SEGMENT_MIGRATION, SEGMENT_FLOWS)
