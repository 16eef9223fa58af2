"""A fitted model of churn: who will not order within the horizon, as a calibrated probability."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.config.prediction import PredictionSettings
from segmentation_assets.config.section import Section
from segmentation_assets.prediction.calibration import Calibration, fit_calibration
from segmentation_assets.prediction.classifiers import make_classifier
from segmentation_assets.prediction.decision_threshold import DecisionThreshold, choose_threshold
from segmentation_assets.prediction.model_inputs import ModelInputs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

FOLDS = 5
"""Folds of customers that scores come from where there is no later snapshot."""


@dataclass(frozen=True)
class LabelledRows:
    """Customers at one or more dates, and whether they ordered nothing within the horizon after it.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        With ``customer_id``, sorted by it and the date.
    outcome : ndarray of bool, shape (n_rows,)
        Whether the customer churned.
    """

    features: pd.DataFrame
    outcome: Flags


@dataclass(frozen=True)
class ChurnModel:
    """What it takes to tell the probability of churn.

    Parameters
    ----------
    algorithm : str
    estimator : BaseEstimator
        Fitted classifier.
    inputs : ModelInputs
    calibration : Calibration
    threshold : DecisionThreshold
        From which probability on a customer counts as about to churn.
    eligible_days, horizon_days, gap_days : int
    """

    algorithm: str
    estimator: Any
    inputs: ModelInputs
    calibration: Calibration
    threshold: DecisionThreshold
    eligible_days: int
    horizon_days: int
    gap_days: int

    def score(self, features: pd.DataFrame) -> pd.Series:
        """Tell the probability of churn.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)
            With ``customer_id`` and ``recency_days``.

        Returns
        -------
        Series of float
            By customer, in the order of `features`; NaN for customers who are not eligible, as their last order lies
            too far back. One row alone gets what it gets in a batch.
        """
        import pandas as pd

        is_eligible = find_eligible(features, self.eligible_days)
        chosen = features[is_eligible]
        found = pd.Series(float("nan"), index=features["customer_id"].to_numpy(), dtype="float64")
        if len(chosen):
            found[is_eligible.to_numpy()] = self.calibration.apply(raw_scores(self.estimator, self.inputs, chosen))
        return found

    def to_state(self) -> dict[str, Any]:
        """Return all but the estimator, as JSON can hold it."""
        return {
            "algorithm": self.algorithm,
            "inputs": self.inputs.to_plain(),
            "calibration": self.calibration.to_plain(),
            "threshold": asdict(self.threshold),
            "eligible_days": self.eligible_days,
            "horizon_days": self.horizon_days,
            "gap_days": self.gap_days,
        }

    @classmethod
    def from_state(cls, estimator: Any, state: dict[str, Any]) -> ChurnModel:
        """Read what `to_state` makes, also after JSON."""
        made = {
            "inputs": ModelInputs.from_plain(state["inputs"]),
            "calibration": Calibration.from_plain(state["calibration"]),
            "threshold": DecisionThreshold(**state["threshold"]),
        }
        return cls(estimator=estimator, **{**state, **made})


def find_eligible(features: pd.DataFrame, eligible_days: int) -> pd.Series:
    """Say of each customer whether the last order lies at most so many days back."""
    return (features["recency_days"].astype("float64") <= eligible_days).fillna(value=False)


def raw_scores(estimator: Any, inputs: ModelInputs, features: pd.DataFrame) -> Floats:
    """Scores of churn as the classifier gives them, from 0 to 1."""
    with one_thread():
        scores: Floats = estimator.predict_proba(inputs.matrix(features))[:, 1]
    return scores


def fit_churn_model(
    algorithm: str,
    section: Section,
    inputs: ModelInputs,
    train: LabelledRows,
    validation: LabelledRows | None,
    settings: PredictionSettings,
) -> tuple[ChurnModel, Floats]:
    """Fit one classifier, and its calibration and threshold on customers that it has not learned from.

    Parameters
    ----------
    algorithm : str
    section : Section
        Its settings.
    inputs : ModelInputs
    train : LabelledRows
        Both outcomes occur, as in `validation`.
    validation : LabelledRows or None
        Of a later date; where there is none, the folds of `train` that were left out take its place.
    settings : PredictionSettings

    Returns
    -------
    model : ChurnModel
    scores : ndarray of float, shape (n_validation_rows,)
        Before calibration; of the rows of `train` where there is no validation.
    """
    matrix = inputs.matrix(train.features)
    estimator = make_classifier(section, settings.seed, len(matrix))
    with one_thread():
        if validation is None:
            scores = _out_of_fold(estimator, matrix, train)
        estimator.fit(matrix, train.outcome)
    if validation is not None:
        scores = raw_scores(estimator, inputs, validation.features)
    outcome = train.outcome if validation is None else validation.outcome
    calibration = fit_calibration(scores, outcome)
    threshold = choose_threshold(outcome, calibration.apply(scores), settings.churn.threshold)
    model = ChurnModel(
        algorithm,
        estimator,
        inputs,
        calibration,
        threshold,
        settings.churn.eligible_days,
        settings.horizon_days,
        settings.gap_days,
    )
    return model, scores


def _out_of_fold(estimator: Any, matrix: Floats, train: LabelledRows) -> Floats:
    """Scores of each customer by a model that has not seen it."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    scores: Floats = cross_val_predict(
        estimator,
        matrix,
        train.outcome,
        groups=train.features["customer_id"].to_numpy(),
        cv=GroupKFold(FOLDS),
        method="predict_proba",
    )[:, 1]
    return scores
