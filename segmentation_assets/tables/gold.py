"""Tables of the gold layer: segments, who is in them, and what they are like."""

from dataclasses import replace

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

CUSTOMER_STATES = {
    "assigned": "in a segment",
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
_BEST_CANDIDATE = ("leaderboard.rank", "leaderboard.candidate")
_MEMBERS = "customer_segments.segment_key"
_VALUES_OF_MEMBERS = ("customer_features.*", _MEMBERS)
_MONEY_OF_MEMBERS = ("customer_features.net_revenue_amount", _MEMBERS)


def _score(letter: str, feature: str, meaning: str) -> Column:
    return Column(
        name=f"{letter}_score",
        dtype="INTEGER",
        minimum=1,
        maximum=5,
        meaning=f"{meaning}, 5 is best; ties share.",
        reads=(f"customer_features.{feature}",),
    )


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
            meaning="Named cell of the 125-cell map.",
            reads=_RFM_MEASURES,
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
            reads=(*_BEST_CANDIDATE, "clusters/*.cluster", "champion.segment_key"),
        ),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            meaning="Unique name of the segment.",
            reads=(
                *_BEST_CANDIDATE,
                "clusters/*.cluster",
                *(f"rfm_segments.{score}_score" for score in ("recency", "frequency", "monetary")),
                "customer_features.*",
                *(f"decisions.{part}" for part in ("decision_number", "decided_on", "kind", "segment_key", "value")),
                "champion.segment_name",
            ),
        ),
        Column(
            name="cluster",
            dtype="INTEGER",
            minimum=0,
            meaning="Number of the cluster in the model.",
            reads=(*_BEST_CANDIDATE, "clusters/*.cluster", "champion.cluster"),
        ),
        Column(
            name="algorithm",
            dtype="VARCHAR",
            meaning="Algorithm of the model in force, or rfm_map.",
            reads=(*_BEST_CANDIDATE, "champion.algorithm"),
        ),
        Column(
            name="model_hash",
            dtype="VARCHAR",
            meaning="Content hash of the model in the model store.",
            reads=(*_BEST_CANDIDATE, "model_matrix.*", "champion.model_hash"),
        ),
        Column(
            name="trained_month",
            dtype="VARCHAR",
            meaning="Snapshot month the model was fitted on, YYYY-MM.",
            reads=("champion.trained_month",),
        ),
        Column(name="decision", dtype="VARCHAR", allowed=("promoted", "kept"), meaning="What happened this month."),
        Column(
            name="decision_reason",
            dtype="VARCHAR",
            meaning="Why, in words.",
            reads=(
                *_BEST_CANDIDATE,
                "leaderboard.is_baseline",
                "leaderboard.reason",
                "champion.algorithm",
                "champion.trained_month",
            ),
        ),
    ),
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
            meaning="Whether there is a segment.",
            reads=(*_CORE_METRICS, *_BY_MODEL),
        ),
        Column(
            name="segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned'",
            meaning="Key of the segment.",
            reads=_BY_MODEL,
        ),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned'",
            meaning="Name of the segment.",
            reads=(*_BY_MODEL, "champion.segment_key", "champion.segment_name"),
        ),
        Column(
            name="runner_up_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned', or the model is a fixed rule",
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
            null_rule="state is not 'assigned'",
            meaning="As-of date of the first snapshot in which the customer had this segment without a break.",
            reads=(*_BY_MODEL, "customer_segments.segment_key", "customer_segments.changed_at"),
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
        Column(name="as_of_date", dtype="DATE", meaning="The snapshot reads what happened before this day."),
    ),
)

SEGMENT_PROFILES = Table(
    key="gold/segment_profiles",
    row="a segment and a feature",
    primary_key=("segment_key", "feature"),
    columns=(
        Column(name="segment_key", dtype="VARCHAR", meaning="Key of the segment.", reads=(_MEMBERS,)),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            meaning="Name of the segment.",
            reads=("customer_segments.segment_name", _MEMBERS),
        ),
        Column(name="feature", dtype="VARCHAR", meaning="Column of silver/customer_features."),
        Column(
            name="customer_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers in the segment.",
            reads=(_MEMBERS,),
        ),
        Column(
            name="customer_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of assigned customers.",
            reads=(_MEMBERS,),
        ),
        Column(
            name="net_revenue_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning="Net revenue of the segment in the lookback.",
            reads=_MONEY_OF_MEMBERS,
        ),
        Column(
            name="net_revenue_share",
            dtype="DOUBLE",
            nullable=True,
            null_rule="total net revenue is not positive",
            meaning="Share of the net revenue of all assigned customers.",
            reads=_MONEY_OF_MEMBERS,
        ),
        Column(
            name="known_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers of the segment whose value is known; the statistics rest on them.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="mean",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="Mean of known values.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="median",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="Median.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="quartile_1",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="25 % point.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="quartile_3",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no known value",
            meaning="75 % point.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="effect_size",
            dtype="DOUBLE",
            unit="standard deviations",
            nullable=True,
            null_rule="no known value, or no spread",
            meaning="Mean of the segment less mean of everyone, in standard deviations of everyone.",
            reads=_VALUES_OF_MEMBERS,
        ),
        Column(
            name="imputed_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of the segment's customers whose value was filled in for fitting.",
            reads=("imputed_features.was_imputed_*", _MEMBERS),
        ),
    ),
)

TABLES = (RFM_SEGMENTS, CHAMPION, CUSTOMER_SEGMENTS, SEGMENT_PROFILES)
