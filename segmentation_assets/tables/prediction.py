"""Tables of predictions: what models learn from, how they were judged, and what they foretell."""

from dataclasses import replace

from segmentation_assets.tables.declaration import Column, Table

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
SPLITS = ("validation", "test")

CHURN_SCORES = Table(
    key="models/churn",
    row="a measure of a candidate on customers whose outcome is known",
    primary_key=("candidate", "split", "measure"),
    columns=(
        Column(name="candidate", dtype="VARCHAR", meaning="Algorithm, baseline, or the model in force until then."),
        Column(name="role", dtype="VARCHAR", allowed=MODEL_ROLES, meaning="Which of these it is."),
        Column(name="is_chosen", dtype="BOOLEAN", meaning="Whether validation chose it."),
        Column(
            name="split",
            dtype="VARCHAR",
            allowed=SPLITS,
            meaning="validation: customers on whom candidates were chosen and calibrated; test: later customers, on "
            "whom nothing was decided.",
        ),
        Column(name="measure", dtype="VARCHAR", meaning="Such as auc, average_precision or brier."),
        Column(name="value", dtype="DOUBLE", meaning="The measure."),
        Column(
            name="lower",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no interval is given for the measure",
            meaning="Lower end of the 95 % bootstrap interval.",
        ),
        Column(
            name="upper",
            dtype="DOUBLE",
            nullable=True,
            null_rule="no interval is given for the measure",
            meaning="Upper end of the 95 % bootstrap interval.",
        ),
        Column(name="customer_count", dtype="BIGINT", unit="customers", minimum=1, meaning="Customers it rests on."),
        Column(
            name="positive_count", dtype="BIGINT", unit="customers", minimum=0, meaning="Those of them who churned."
        ),
        Column(name="cutoff_date", dtype="DATE", meaning="Date of the features it rests on; what followed is known."),
        Column(name="trained_month", dtype="VARCHAR", meaning="Snapshot month of the training."),
    ),
)

TABLES = (CHURN_SCORES,)
