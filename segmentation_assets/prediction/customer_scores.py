"""What is foretold of every customer, by the models in force."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from segmentation_assets.prediction.churn_model import ChurnModel
from segmentation_assets.prediction.lifetime_model import LifetimeModel
from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier
from segmentation_assets.tables.prediction import CUSTOMER_SCORES

if TYPE_CHECKING:
    import pandas as pd


def score_customers(
    features: pd.DataFrame,
    histories: pd.DataFrame,
    churn: ChurnModel | None,
    value: LifetimeModel | None,
    newcomers: NewcomerClassifier | None,
    segment_keys: Collection[str],
) -> pd.DataFrame:
    """Score customers; what there is no model for stays empty.

    Parameters
    ----------
    features : DataFrame
        ``silver/customer_features``.
    histories : DataFrame
        customer_id, btyd_frequency, btyd_recency, btyd_T, btyd_monetary_value of everyone who ever bought.
    churn : ChurnModel or None
    value : LifetimeModel or None
    newcomers : NewcomerClassifier or None
    segment_keys : collection of str
        Segments in force; others are not named.

    Returns
    -------
    DataFrame
        Columns of ``gold/customer_scores``, a row per customer of `features`, in that order.
    """
    import pandas as pd

    names = list(CUSTOMER_SCORES.column_names)
    scores = pd.DataFrame({"customer_id": features["customer_id"].to_numpy()}).reindex(columns=names)
    scores["is_likely_to_churn"] = pd.array([None] * len(scores), dtype="boolean")
    if churn is not None:
        probability = churn.score(features)
        scores["churn_probability"] = probability.to_numpy()
        likely = pd.array(probability.to_numpy() >= churn.threshold.value, dtype="boolean")
        likely[probability.isna().to_numpy()] = None
        scores["is_likely_to_churn"] = likely
    if value is not None:
        known = histories[histories["customer_id"].isin(scores["customer_id"])]
        valued = value.value(known).set_index("customer_id").reindex(scores["customer_id"])
        for name in valued.columns:
            scores[name] = valued[name].to_numpy()
    if newcomers is not None:
        told = newcomers.predict(features)
        is_in_force = told["segment_key"].isin(list(segment_keys)).to_numpy()
        scores["expected_segment_key"] = told["segment_key"].where(is_in_force).to_numpy()
        scores["expected_segment_probability"] = told["probability"].where(is_in_force).to_numpy()
    return scores
