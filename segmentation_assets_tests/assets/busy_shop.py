"""The shop that models are tested on: settings under which they are small, and the assets they need."""

from __future__ import annotations

from segmentation_assets.config.settings import Settings
from segmentation_assets.graph.platform import Platform

CUSTOMERS = 700
QUICK = {
    "prediction__enabled": True,
    "prediction__horizon_days": 30,
    "prediction__refit_every_months": 2,
    "prediction__min_history_days": 60,
    "prediction__churn__algorithms__random_forest__n_estimators": 20,
    "prediction__churn__algorithms__gradient_boosting__max_iter": 20,
    "prediction__segment_classifier__algorithms__random_forest__n_estimators": 10,
    "prediction__segment_classifier__algorithms__gradient_boosting__max_iter": 10,
    "prediction__segment_classifier__folds": 3,
}


def keys_of(settings: Settings) -> set[str]:
    """All models, the scores of customers, and what they rest on."""
    graph = Platform(settings).graph
    return graph.ancestors("gold/customer_scores") | graph.ancestors("models/segment_classifier")
