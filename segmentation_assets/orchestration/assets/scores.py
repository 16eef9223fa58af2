"""Body of the scores of customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from segmentation_assets.graph.declarations import MODEL_USABLE, SCORE_DRIFT
from segmentation_assets.graph.months import previous_month
from segmentation_assets.orchestration.assets.model_records import load_in_force, record_of
from segmentation_assets.orchestration.assets.purchase_days import histories
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.score_drift import measure_score_drift
from segmentation_assets.tables.prediction import CUSTOMER_SCORES

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.prediction.model_inputs import ModelInputs


def customer_scores(step: Step) -> None:
    """Score every customer by the models in force."""
    from segmentation_assets.prediction.churn_model import ChurnModel
    from segmentation_assets.prediction.customer_scores import score_customers
    from segmentation_assets.prediction.lifetime_model import LifetimeModel
    from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier

    features, left_out = step.frame("silver/customer_features"), dict[str, tuple[str, ...]]()

    def usable(key: str, make: Callable[[Any, dict[str, Any]], Any], inputs_of: Callable[[Any], ModelInputs]) -> Any:
        stored = load_in_force(step, record_of(step, key))
        model = None if stored is None else make(stored.estimator, stored.state)
        left_out[key] = () if model is None else inputs_of(model).missing_in(features)
        return None if left_out[key] else model

    value = load_in_force(step, record_of(step, "models/lifetime_value"))
    scores = score_customers(
        features,
        histories(step),
        usable("models/churn", ChurnModel.from_state, lambda model: model.inputs),
        None if value is None else LifetimeModel.from_state(value.state),
        usable("models/newcomer_classifier", NewcomerClassifier.from_state, lambda model: model.classifier.inputs),
        set(step.frame("gold/champion", ["segment_key"])["segment_key"]),
    )
    _check_features(step, left_out)
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


def _check_features(step: Step, left_out: Mapping[str, tuple[str, ...]]) -> None:
    """Warn of models that go by features which the settings no longer make; their scores are empty."""
    told = [
        f"{key} goes by features that are no longer made, and its scores are empty: {', '.join(names)}"
        for key, names in left_out.items()
        if names
    ]
    sentence = "; ".join(told) or "all features that models go by are there"
    step.add_check(MODEL_USABLE, f"{step.node.key}: {sentence}.", passed=not told)


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
