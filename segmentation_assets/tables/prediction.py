"""Tables of predictions: what models learn from, how they were judged, and what they foretell."""

from dataclasses import replace

from segmentation_assets.tables.declaration import CUSTOMER_ID, Column, ColumnType, Table
from segmentation_assets.tables.gold import CUSTOMER_STATES

_AFTER = ("order_lines.line_type", "order_lines.order_at", "order_lines.customer_id")

CUTOFF_DATE = Column(
    name="cutoff_date",
    dtype="DATE",
    meaning="The day before which everything is known; what happened from it on, after a gap if there is one, is the "
    "outcome.",
)

OUTCOMES = (
    Column(
        name="outcome_order_count",
        dtype="BIGINT",
        unit="orders",
        minimum=0,
        meaning="Orders within the horizon after the date; 0 is churn.",
        reads=("order_lines.order_id", *_AFTER),
    ),
    Column(
        name="outcome_order_day_count",
        dtype="BIGINT",
        unit="days",
        minimum=0,
        meaning="Different days with an order within the horizon after the date.",
        reads=_AFTER,
    ),
    Column(
        name="outcome_gross_revenue_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        minimum=0,
        meaning="Money of the sales within the horizon after the date.",
        reads=("order_lines.amount", *_AFTER),
    ),
    Column(
        name="outcome_net_revenue_amount",
        dtype="DECIMAL(18,2)",
        unit="currency",
        meaning="The same less returns.",
        reads=("order_lines.amount", *_AFTER),
    ),
)
"""What followed a date, all zero where nothing did."""


def training_features_table(features: Table) -> Table:
    """Declare ``silver/training_features``: the features of customers at several dates, and what followed."""
    own = tuple(replace(column, reads=(f"customer_features.{column.name}",)) for column in features.columns)
    return Table(
        key="silver/training_features",
        row="a customer at a date that models learn from or are judged at",
        primary_key=("cutoff_date", "customer_id"),
        columns=(CUTOFF_DATE, *own, *OUTCOMES),
    )


MODEL_ROLES = ("algorithm", "baseline", "in_force")


ALL = "all"
"""What stands for a segment or a band where a measure is of all of them."""

SEGMENT_KEY = Column(
    name="segment_key",
    dtype="VARCHAR",
    meaning=f"Segment that recall, precision and f1 are of; {ALL} for measures of all of them.",
)
BAND = Column(
    name="band",
    dtype="VARCHAR",
    meaning=f"Days since the first order of the newcomers, such as days_0_30; {ALL} for those of all bands.",
)


def _scores_table(key: str, splits: dict[str, str], parts: tuple[Column, ...] = ()) -> Table:
    """Declare how the candidates of a model were judged, and on which parts of the customers."""
    told = "; ".join(f"{name}: {meaning}" for name, meaning in splits.items())
    return Table(
        key=key,
        row="a measure of a candidate, and what it rests on",
        primary_key=("candidate", "split", *(part.name for part in parts), "measure"),
        columns=(
            Column(name="candidate", dtype="VARCHAR", meaning="Algorithm, baseline, or the model in force until then."),
            Column(name="role", dtype="VARCHAR", allowed=MODEL_ROLES, meaning="Which of these it is."),
            Column(name="is_chosen", dtype="BOOLEAN", meaning="Whether it is the one to put to use."),
            Column(name="split", dtype="VARCHAR", allowed=tuple(splits), meaning=f"{told}."),
            *parts,
            Column(name="measure", dtype="VARCHAR", meaning="Such as auc, brier or a parameter's name."),
            Column(name="value", dtype="DOUBLE", meaning="The measure."),
            *(
                Column(
                    name=end,
                    dtype="DOUBLE",
                    nullable=True,
                    null_rule="no interval is given for the measure",
                    meaning=f"{word} end of its 95 % interval.",
                )
                for end, word in (("lower", "Lower"), ("upper", "Upper"))
            ),
            Column(
                name="customer_count", dtype="BIGINT", unit="customers", minimum=1, meaning="Customers it rests on."
            ),
            Column(name="cutoff_date", dtype="DATE", meaning="The day before which everything was known."),
            Column(name="trained_month", dtype="VARCHAR", meaning="Snapshot month of the training."),
        ),
    )


CHURN_SCORES = _scores_table(
    "models/churn",
    {
        "validation": "customers on whom candidates were chosen and calibrated",
        "test": "later customers, on whom nothing was decided",
    },
)

LIFETIME_SCORES = _scores_table(
    "models/lifetime_value",
    {
        "fit": "all customers, of whom parameters were estimated",
        "holdout": "customers known before a date, with what followed it",
    },
)

_OF_SEGMENTS = {
    "folds": "each customer by a model that has not seen it; candidates were chosen on it",
    "out_of_time": "other customers at a later date than was learned from, on whom nothing was decided",
}

SEGMENT_CLASSIFIER_SCORES = _scores_table("models/segment_classifier", _OF_SEGMENTS, (SEGMENT_KEY,))
NEWCOMER_CLASSIFIER_SCORES = _scores_table("models/newcomer_classifier", _OF_SEGMENTS, (BAND, SEGMENT_KEY))

_NO_CHURN_MODEL = "no model of churn is in force, or the last order lies too far back to say"
_NO_VALUE_MODEL = "no model of lifetime value is in force, or the customer never bought"
_NO_NEWCOMER = (
    "known for longer than newcomers are, no model of newcomers is in force, or the segment that it names is gone"
)
_NEWCOMER_READS = ("customer_features.*", "newcomer_classifier.*", "champion.segment_key")
_CHURN_READS = ("customer_features.*", "churn.*")
_VALUE_READS = (
    "customer_history.btyd_*", "customer_history.lifetime_gross_revenue_amount",
    "customer_history.first_day_revenue_amount", "lifetime_value.*",
)  # fmt: skip


def _value_column(name: str, meaning: str, *, dtype: ColumnType = "DECIMAL(18,2)", unit: str = "currency") -> Column:
    return Column(
        name=name,
        dtype=dtype,
        unit=unit,
        minimum=0,
        maximum=1 if unit == "probability" else None,
        nullable=True,
        null_rule=_NO_VALUE_MODEL,
        meaning=meaning,
        reads=_VALUE_READS,
    )


def _horizon_columns(suffix: str, words: str) -> tuple[Column, ...]:
    """What is foretold of one horizon."""
    return (
        _value_column(
            f"order_probability_{suffix}",
            f"Probability of an order within {words}.",
            dtype="DOUBLE",
            unit="probability",
        ),
        _value_column(
            f"expected_order_count_{suffix}",
            f"Order days within {words}, in the mean of customers with such a history.",
            dtype="DOUBLE",
            unit="orders",
        ),
        _value_column(f"expected_spend_amount_{suffix}", f"Money of the sales of {words}, in the same mean."),
        _value_column(f"discounted_spend_amount_{suffix}", "The same, discounted to the as-of date."),
        _value_column(
            f"expected_spend_low_amount_{suffix}",
            "Lower end of the parameter interval: how well the mean is known.",
        ),
        _value_column(f"expected_spend_high_amount_{suffix}", "Upper end of the parameter interval."),
        _value_column(
            f"spend_low_amount_{suffix}",
            "Lower end of the prediction interval: what this one customer will spend.",
        ),
        _value_column(f"spend_high_amount_{suffix}", "Upper end of the prediction interval."),
    )


CUSTOMER_SCORES = Table(
    key="gold/customer_scores",
    row="a customer with what is foretold",
    primary_key=("customer_id",),
    columns=(
        replace(CUSTOMER_ID, reads=("customer_features.customer_id",)),
        Column(
            name="churn_probability",
            dtype="DOUBLE",
            unit="probability",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule=_NO_CHURN_MODEL,
            meaning="Probability of no order within the horizon (`prediction.horizon_days`), calibrated.",
            reads=_CHURN_READS,
        ),
        Column(
            name="is_likely_to_churn",
            dtype="BOOLEAN",
            nullable=True,
            null_rule=_NO_CHURN_MODEL,
            meaning="Whether that probability reaches the threshold of the model.",
            reads=_CHURN_READS,
        ),
        _value_column(
            "alive_probability",
            "Probability that the customer has not left for good.",
            dtype="DOUBLE",
            unit="probability",
        ),
        _value_column("expected_order_amount", "Expected money of the sales of one order day."),
        *(
            column
            for suffix, words in (("3m", "three months"), ("6m", "six months"), ("12m", "twelve months"))
            for column in _horizon_columns(suffix, words)
        ),
        Column(
            name="expected_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule=_NO_NEWCOMER,
            meaning="Segment that the newcomer will most probably be in at the end of the horizon.",
            reads=_NEWCOMER_READS,
        ),
        Column(
            name="expected_segment_probability",
            dtype="DOUBLE",
            unit="probability",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule=_NO_NEWCOMER,
            meaning="Probability of that.",
            reads=_NEWCOMER_READS,
        ),
    ),
)

SEGMENT_SAID_BY = {
    "champion": "the model in force, by its own rule",
    "newcomer_classifier": "the classifier of newcomers, as the customer is too new for the rule: the segment that it "
    "will most probably reach",
    "segment_classifier": "the classifier that imitates the model in force, as it was asked for",
}
"""Who says which segment a customer is in: code → sentence."""

_NO_SEGMENT = "there is no segment; state says why"
_NO_REASONS = "no reasons were asked for, or there is nothing to give reasons for"


def _reasons_column(name: str, meaning: str) -> Column:
    return Column(name=name, dtype="VARCHAR", nullable=True, null_rule=_NO_REASONS, meaning=meaning)


PREDICTIONS = Table(
    key="predictions",
    row="a customer of the file that was scored",
    primary_key=("customer_id",),
    columns=(
        CUSTOMER_ID,
        Column(
            name="segment_key", dtype="VARCHAR", nullable=True, null_rule=_NO_SEGMENT, meaning="Key of the segment."
        ),
        Column(
            name="segment_name", dtype="VARCHAR", nullable=True, null_rule=_NO_SEGMENT, meaning="Name of the segment."
        ),
        Column(
            name="segment_said_by",
            dtype="VARCHAR",
            nullable=True,
            null_rule=_NO_SEGMENT,
            allowed=tuple(SEGMENT_SAID_BY),
            meaning="Who says so.",
        ),
        Column(
            name="segment_confidence",
            dtype="DOUBLE",
            unit="probability",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule="there is no segment, or the model is a fixed rule",
            meaning="Of the rule: probability that an independent refit says the same. Of a classifier: the calibrated "
            "probability of the segment.",
        ),
        Column(
            name="runner_up_segment_key",
            dtype="VARCHAR",
            nullable=True,
            null_rule="there is no segment, or the model is a fixed rule",
            meaning="Key of the segment that comes second.",
        ),
        Column(
            name="state",
            dtype="VARCHAR",
            allowed=tuple(CUSTOMER_STATES),
            meaning="Whether there is a segment, and how far to trust it.",
        ),
        Column(
            name="imputed_share",
            dtype="DOUBLE",
            minimum=0,
            maximum=1,
            nullable=True,
            null_rule="the model in force could not look at the customer",
            meaning="Share of the model's features that are unknown and were filled in.",
        ),
        *(replace(column, reads=()) for column in CUSTOMER_SCORES.columns[1:]),
        _reasons_column(
            "segment_reasons", "In which features the customer is like its segment rather than like the runner-up."
        ),
        _reasons_column(
            "churn_reasons", "What the probability of churn would change by most, were it as is usual in the shop."
        ),
        _reasons_column("value_reasons", "The history of order days that orders and spend are foretold from."),
    ),
)

TABLES = (CHURN_SCORES, LIFETIME_SCORES, SEGMENT_CLASSIFIER_SCORES, NEWCOMER_CLASSIFIER_SCORES, CUSTOMER_SCORES)
