"""Tables of the gold layer: segments, who is in them, and what they are like."""

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
}
"""What `state` says of a customer: code → sentence."""


def _score(letter: str, of: str) -> Column:
    return Column(
        name=f"{letter}_score", dtype="INTEGER", minimum=1, maximum=5, meaning=f"{of}, 5 is best; ties share."
    )


RFM_SEGMENTS = Table(
    key="gold/rfm_segments",
    row="a customer with RFM scores",
    primary_key=("customer_id",),
    columns=(
        CUSTOMER_ID,
        _score("recency", "Quintile of recency_days, inverted"),
        _score("frequency", "Quintile of order_count"),
        _score("monetary", "Quintile of net_revenue_amount"),
        Column(name="rfm_code", dtype="VARCHAR", meaning="The three scores written R-F-M, such as 545."),
        Column(
            name="rfm_segment", dtype="VARCHAR", allowed=RFM_SEGMENT_NAMES, meaning="Named cell of the 125-cell map."
        ),
    ),
)

CHAMPION = Table(
    key="gold/champion",
    row="a segment of the model in force",
    primary_key=("segment_key",),
    columns=(
        Column(name="segment_key", dtype="VARCHAR", meaning="Immutable key of the segment, such as S001."),
        Column(name="segment_name", dtype="VARCHAR", meaning="Unique name of the segment."),
        Column(name="cluster", dtype="INTEGER", minimum=0, meaning="Number of the cluster in the model."),
        Column(name="algorithm", dtype="VARCHAR", meaning="Algorithm of the model in force, or rfm_map."),
        Column(name="model_hash", dtype="VARCHAR", meaning="Content hash of the model in the model store."),
        Column(name="trained_month", dtype="VARCHAR", meaning="Snapshot month the model was fitted on, YYYY-MM."),
        Column(name="decision", dtype="VARCHAR", allowed=("promoted", "kept"), meaning="What happened this month."),
        Column(name="decision_reason", dtype="VARCHAR", meaning="Why, in words."),
    ),
)

CUSTOMER_SEGMENTS = Table(
    key="gold/customer_segments",
    row="a customer with its segment",
    primary_key=("customer_id",),
    columns=(
        CUSTOMER_ID,
        Column(name="state", dtype="VARCHAR", allowed=tuple(CUSTOMER_STATES), meaning="Whether there is a segment."),
        Column(
            name="segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned'",
            meaning="Key of the segment.",
        ),
        Column(
            name="segment_name",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned'",
            meaning="Name of the segment.",
        ),
        Column(
            name="runner_up_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned', or the model is a fixed rule",
            meaning="Key of the second nearest segment.",
        ),
        Column(
            name="previous_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="no segment a month earlier",
            meaning="Key of the segment a month earlier.",
        ),
        Column(
            name="changed_at",
            dtype="DATE",
            nullable=True,
            null_rule="state is not 'assigned'",
            meaning="As-of date of the first snapshot in which the customer had this segment without a break.",
        ),
        Column(
            name="rfm_segment",
            dtype="VARCHAR",
            nullable=True,
            null_rule="state is not 'assigned'",
            allowed=RFM_SEGMENT_NAMES,
            meaning="Named cell of the RFM map.",
        ),
        Column(
            name="imputed_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule="state is not 'assigned'",
            meaning="Share of the model's features that were filled in for this customer.",
        ),
        Column(name="as_of_date", dtype="DATE", meaning="The snapshot reads what happened before this day."),
    ),
)

SEGMENT_PROFILES = Table(
    key="gold/segment_profiles",
    row="a segment and a feature",
    primary_key=("segment_key", "feature"),
    columns=(
        Column(name="segment_key", dtype="VARCHAR", meaning="Key of the segment."),
        Column(name="segment_name", dtype="VARCHAR", meaning="Name of the segment."),
        Column(name="feature", dtype="VARCHAR", meaning="Column of silver/customer_features."),
        Column(name="customer_count", dtype="BIGINT", unit="customers", minimum=0, meaning="Customers in the segment."),
        Column(name="customer_share", dtype="DOUBLE", minimum=0, maximum=1, meaning="Share of assigned customers."),
        Column(
            name="net_revenue_amount",
            dtype="DECIMAL(18,2)",
            unit="currency",
            meaning="Net revenue of the segment in the lookback.",
        ),
        Column(
            name="net_revenue_share",
            dtype="DOUBLE",
            nullable=True,
            null_rule="total net revenue is not positive",
            meaning="Share of the net revenue of all assigned customers.",
        ),
        Column(
            name="known_count",
            dtype="BIGINT",
            unit="customers",
            minimum=0,
            meaning="Customers of the segment whose value is known; the statistics rest on them.",
        ),
        Column(name="mean", dtype="DOUBLE", nullable=True, null_rule="no known value", meaning="Mean of known values."),
        Column(name="median", dtype="DOUBLE", nullable=True, null_rule="no known value", meaning="Median."),
        Column(name="quartile_1", dtype="DOUBLE", nullable=True, null_rule="no known value", meaning="25 % point."),
        Column(name="quartile_3", dtype="DOUBLE", nullable=True, null_rule="no known value", meaning="75 % point."),
        Column(
            name="effect_size",
            dtype="DOUBLE",
            unit="standard deviations",
            nullable=True,
            null_rule="no known value, or no spread",
            meaning="Mean of the segment less mean of everyone, in standard deviations of everyone.",
        ),
        Column(
            name="imputed_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            meaning="Share of the segment's customers whose value was filled in for fitting.",
        ),
    ),
)

TABLES = (RFM_SEGMENTS, CHAMPION, CUSTOMER_SEGMENTS, SEGMENT_PROFILES)
