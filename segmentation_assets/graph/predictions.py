"""The monthly assets of predictions: what models learn from, the models, and the scores of customers."""

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.node import Input, Node, same
from segmentation_assets.graph.sources import delivered_facts

CUTOFFS_DOCUMENT = "cutoffs.json"
"""Beside the training features: the dates of training, validation and test, or the ``reason`` why there are none."""

TRAINING_FEATURES = "silver/training_features"
"""What models learn from."""

MODELS = ("models/churn", "models/lifetime_value", "models/segment_classifier", "models/newcomer_classifier")
"""All models."""

_KINDS = ("scikitlearn", "parquet")

_FEWEST_DAYS_OF_A_MONTH = 28


def prediction_nodes(settings: Settings) -> tuple[Node, ...]:
    """List the monthly assets of predictions; none where the settings want none."""
    if not settings.prediction.enabled:
        return ()
    return (_training_node(settings), _churn_node(), _lifetime_value_node(settings), *_segment_nodes(), _scores_node())


def _months_back(settings: Settings) -> int:
    """Months before a snapshot that hold every date of a training."""
    prediction = settings.prediction
    dates = prediction.training_snapshots + 2
    months = -(-(prediction.horizon_days + prediction.gap_days) // _FEWEST_DAYS_OF_A_MONTH) + 1
    return dates * months


def _training_node(settings: Settings) -> Node:
    return Node(
        key=TRAINING_FEATURES,
        description="Features of customers as of earlier dates, each beside what the customer did within the horizon "
        "after it: what models learn from, are chosen on and are judged by. Dates before the first snapshot are "
        "computed for this alone. Empty in months in which no model is trained, and where the history is too short.",
        inputs=(
            *same("silver/snapshot_input"),
            Input(key="silver/order_lines", window="until"),
            Input(key="silver/customer_features", window="recent", months_back=_months_back(settings)),
        ),
        settings=(
            "features",
            "population.min_orders",
            "calendar.lookback_months",
            "calendar.first_snapshot",
            *(
                f"prediction.{name}"
                for name in (
                    "horizon_days",
                    "gap_days",
                    "training_snapshots",
                    "validation",
                    "min_history_days",
                    "fit_sample",
                    "refit_every_months",
                )
            ),
        ),
        facts=delivered_facts(settings),
    )


def _churn_node() -> Node:
    return Node(
        key="models/churn",
        logic_version="2",
        description="How well churn is foretold, that is no order within the horizon: every algorithm beside days "
        "since the last order alone and BG/NBD, on customers it was chosen on (`validation`) and on later ones on whom "
        "nothing was decided (`test`). A new model is used only if no check speaks against it; otherwise the one "
        "before stays. In months without a training it shows the last one.",
        inputs=(*same(TRAINING_FEATURES), Input(key="models/churn", window="previous")),
        settings=(
            "prediction.horizon_days",
            "prediction.gap_days",
            "prediction.validation",
            "prediction.max_plausible_auc",
            "source.kind",
            "prediction.seed",
            "prediction.churn",
        ),
        kinds=_KINDS,
    )


def _lifetime_value_node(settings: Settings) -> Node:
    return Node(
        key="models/lifetime_value",
        logic_version="2",
        description="How often customers will order and what they spend: BG/NBD, MBG/NBD and Pareto/NBD for orders, "
        "Gamma-Gamma for spend, fitted by maximum likelihood on all histories, with their parameters and intervals "
        "(`fit`). Beside them stands what the same models, fitted before an earlier date, foretold of what followed "
        "(`holdout`). In months without a training it shows the last one.",
        inputs=(
            *same("silver/snapshot_input"),
            Input(key="silver/order_lines", window="until"),
            Input(key="silver/customer_history", window="recent", months_back=_months_back(settings)),
            Input(key="models/lifetime_value", window="previous"),
        ),
        settings=(
            "calendar.first_snapshot",
            "prediction.horizon_days",
            "prediction.min_history_days",
            "prediction.refit_every_months",
            "prediction.lifetime_value",
        ),
        kinds=("scipy", "parquet"),
    )


def _scores_node() -> Node:
    return Node(
        key="gold/customer_scores",
        description="What is foretold of every customer by the models in force: the calibrated probability of churn, "
        "whether the customer is still there, expected orders and spend within 3, 6 and 12 months, and the segment "
        "that newcomers will reach. Money has two intervals: how well the mean is known, and what one customer will "
        "spend. Empty where no model is in force.",
        inputs=(
            *same("silver/customer_features", "silver/customer_history", "gold/champion"),
            *same("models/churn", "models/lifetime_value", "models/newcomer_classifier"),
            Input(key="gold/customer_scores", window="previous"),
        ),
        settings=("prediction.max_score_psi",),
        kinds=_KINDS,
    )


def _segment_nodes() -> tuple[Node, Node]:
    learned = ("prediction.seed", "prediction.segment_classifier")
    return (
        Node(
            key="models/segment_classifier",
            logic_version="2",
            description="A model that tells segments without the clustering, for other systems: random forest, "
            "gradient boosting and what else is enabled, compared on customers left out and on other customers at a "
            "later date, with accuracy, F1, log loss and confusion. It imitates the clustering: that it agrees says "
            "nothing about whether the segments are good. Trained where models are due, and when another model is in "
            "force.",
            inputs=(
                *same(TRAINING_FEATURES, "silver/customer_features", "gold/customer_segments", "gold/champion"),
                Input(key="models/segment_classifier", window="previous"),
            ),
            settings=("prediction.refit_every_months", "calendar.first_snapshot", *learned),
            kinds=_KINDS,
        ),
        Node(
            key="models/newcomer_classifier",
            logic_version="2",
            description="A model that tells which segment newcomers reach, from what is known of them in their first "
            "30, 60 or 90 days: learned from newcomers of earlier dates and the segment they are in now, judged beside "
            "the largest segment of each band. In months without a training it shows the last one.",
            inputs=(
                *same(TRAINING_FEATURES, "gold/customer_segments", "gold/champion"),
                Input(key="models/newcomer_classifier", window="previous"),
            ),
            settings=("prediction.horizon_days", *learned),
            kinds=_KINDS,
        ),
    )
