"""Body of the scores of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from segmentation_assets.graph.declarations import MODEL_USABLE, SCORE_DRIFT
from segmentation_assets.graph.months import previous_month
from segmentation_assets.orchestration.assets.purchase_days import histories
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.score_drift import measure_score_drift
from segmentation_assets.serving.scoring_models import describe_left_out, load_scoring_models
from segmentation_assets.tables.prediction import CUSTOMER_SCORES

if TYPE_CHECKING:
    import pandas as pd


def customer_scores(step: Step) -> None:
    """Score every customer by the models in force."""
    from segmentation_assets.prediction.customer_scores import score_customers

    features, known = step.frame("silver/customer_features"), histories(step)
    models = load_scoring_models(step, {*features, *known})
    segment_keys = set(step.frame("gold/champion", ["segment_key"])["segment_key"])
    scores = score_customers(features, known, models.churn, models.value, models.newcomers, segment_keys)
    _check_features(step, models.left_out)
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
    told = describe_left_out(left_out)
    sentence = "; ".join(told) or "all features that models go by are there"
    step.add_check(MODEL_USABLE, f"{step.node.key}: {sentence}.", passed=not told)


_WATCHED = {"churn_probability": "churn probabilities", "expected_spend_amount_12m": "expected spend of 12 months"}
"""Columns whose spread is watched, and what they are called."""


def _check_drift(step: Step, scores: pd.DataFrame) -> None:
    """Compare the spread of scores with that of the month before."""
    before = scores.head(0)
    if step.partition > step.platform.first_month:
        before = step.frame(step.node.key, [*_WATCHED], previous_month(step.partition))
    limit = step.platform.settings.prediction.max_score_psi
    drifts = {name: measure_score_drift(before[name], scores[name]) for name in _WATCHED}
    moved = [name for name, drift in drifts.items() if drift.index is not None and drift.index > limit]
    told = [
        f"{words} {'have moved' if name in moved else 'are spread as before'}: {drifts[name].sentence}"
        for name, words in _WATCHED.items()
    ]
    step.add_check(
        SCORE_DRIFT,
        f"{step.node.key}: {'; '.join(told)}.",
        passed=not moved,
        limit=limit,
        **{f"{name}_psi": drift.index for name, drift in drifts.items()},
    )
