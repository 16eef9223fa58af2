"""Body of the scores of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.graph.declarations import SCORE_DRIFT
from segmentation_assets.graph.months import previous_month
from segmentation_assets.orchestration.assets.model_records import load_in_force, record_of
from segmentation_assets.orchestration.assets.purchase_days import histories
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.score_drift import measure_score_drift
from segmentation_assets.tables.prediction import CUSTOMER_SCORES

if TYPE_CHECKING:
    import pandas as pd


def customer_scores(step: Step) -> None:
    """Score every customer by the models in force."""
    from segmentation_assets.prediction.churn_model import ChurnModel
    from segmentation_assets.prediction.customer_scores import score_customers
    from segmentation_assets.prediction.lifetime_model import LifetimeModel
    from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier

    churn = load_in_force(step, record_of(step, "models/churn"))
    value = load_in_force(step, record_of(step, "models/lifetime_value"))
    newcomers = load_in_force(step, record_of(step, "models/newcomer_classifier"))
    scores = score_customers(
        step.frame("silver/customer_features"),
        histories(step),
        None if churn is None else ChurnModel.from_state(churn.estimator, churn.state),
        None if value is None else LifetimeModel.from_state(value.state),
        None if newcomers is None else NewcomerClassifier.from_state(newcomers.estimator, newcomers.state),
        set(step.frame("gold/champion", ["segment_key"])["segment_key"]),
    )
    step.write_frame(scores, CUSTOMER_SCORES)
    _check_drift(step, scores)
    step.metadata |= {
        "customers": len(scores),
        "customers_with_churn_probability": int(scores["churn_probability"].notna().sum()),
        "customers_likely_to_churn": int(scores["is_likely_to_churn"].fillna(value=False).sum()),
        "newcomers_with_expected_segment": int(scores["expected_segment_key"].notna().sum()),
        "customers_valued": int(scores["alive_probability"].notna().sum()),
        "expected_spend_amount_12m": float(scores["expected_spend_amount_12m"].sum()),
    }


def _check_drift(step: Step, scores: pd.DataFrame) -> None:
    before = scores.head(0)
    if step.partition > step.platform.first_month:
        before = step.frame(step.node.key, ["churn_probability"], previous_month(step.partition))
    drift = measure_score_drift(before["churn_probability"], scores["churn_probability"])
    limit = step.platform.settings.prediction.max_score_psi
    is_calm = drift.index is None or drift.index <= limit
    spread = "are spread as before" if is_calm else "have moved"
    step.add_check(
        SCORE_DRIFT,
        f"{step.node.key}: churn probabilities {spread}: {drift.sentence}.",
        passed=is_calm,
        index=drift.index,
        limit=limit,
    )
