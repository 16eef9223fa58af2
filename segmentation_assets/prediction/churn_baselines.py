"""What tells churn without any training to speak of; a model that is not better is not worth its trouble."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segmentation_assets.prediction.calibration import fit_calibration
from segmentation_assets.prediction.churn_model import LabelledRows
from segmentation_assets.prediction.purchase_histories import PurchaseHistories, check_histories
from segmentation_assets.prediction.purchase_models import fit_purchase_model

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Rule = Callable[[pd.DataFrame], Floats]

RECENCY, PURCHASES = "recency_alone", "bg_nbd"
"""The baselines: days since the last order alone, and BG/NBD's probability of no order."""

_HISTORY = ("btyd_frequency", "btyd_recency", "btyd_T")


def fit_baselines(learned: pd.DataFrame, judged_on: LabelledRows, horizon_days: int) -> dict[str, Rule]:
    """Make the baselines.

    Parameters
    ----------
    learned : DataFrame
        All customers at the newest training date, for BG/NBD; left out where the features do not hold the histories, or
        nobody ordered again.
    judged_on : LabelledRows
        On whom days since the last order are calibrated.
    horizon_days : int

    Returns
    -------
    dict of str to callable
        Name to what tells probabilities of churn from features.
    """
    curve = fit_calibration(_lateness(judged_on.features, horizon_days), judged_on.outcome)
    rules: dict[str, Rule] = {RECENCY: lambda features: curve.apply(_lateness(features, horizon_days))}
    if set(_HISTORY) <= set(learned):
        histories = _histories(learned.dropna(subset=list(_HISTORY)))
        if histories.count.any():
            model = fit_purchase_model("bg_nbd", histories)
            rules[PURCHASES] = lambda features: model.compute_no_order_probability(_histories(features), horizon_days)
    return rules


def _lateness(features: pd.DataFrame, horizon_days: int) -> Floats:
    """Days since the last order, from 0 to 1."""
    days: Floats = features["recency_days"].to_numpy(dtype="float64")
    return days / (days + horizon_days)


def _histories(features: pd.DataFrame) -> PurchaseHistories:
    return check_histories(*(features[name].to_numpy(dtype="float64") for name in _HISTORY))
