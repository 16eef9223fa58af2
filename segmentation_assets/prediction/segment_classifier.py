"""A fitted model that tells a customer's segment from features, without the clustering that made the segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.prediction.class_calibration import ClassCalibration
from segmentation_assets.prediction.model_inputs import ModelInputs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SegmentClassifier:
    """What it takes to tell segments.

    Parameters
    ----------
    algorithm : str
    estimator : BaseEstimator
        Fitted classifier; its classes are places in `segment_keys`.
    inputs : ModelInputs
    segment_keys : tuple of str
        Segments that it can name, two at least.
    calibration : ClassCalibration
    """

    algorithm: str
    estimator: Any
    inputs: ModelInputs
    segment_keys: tuple[str, ...]
    calibration: ClassCalibration

    def score(self, features: pd.DataFrame) -> Floats:
        """Tell the probability of each segment.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)

        Returns
        -------
        ndarray of float, shape (n_customers, n_segments)
            Calibrated, in the order of `features` and `segment_keys`. One row alone gets what it gets in a batch.

        Raises
        ------
        DataError
            A feature is missing.
        """
        raw = class_probabilities(self.estimator, self.inputs.matrix(features), len(self.segment_keys))
        return self.calibration.apply(raw)

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Name the most probable segment and the one after it.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)
            With ``customer_id``.

        Returns
        -------
        DataFrame
            customer_id, segment_key, probability, runner_up_segment_key, runner_up_probability, in the order of
            `features`. Of equally probable segments the first in `segment_keys` comes first.

        Raises
        ------
        DataError
            A feature is missing.
        """
        import numpy as np
        import pandas as pd

        probability = self.score(features)
        first, second = np.argsort(-probability, axis=1, kind="stable")[:, :2].T
        keys = np.array(self.segment_keys, dtype=object)
        rows = np.arange(len(probability))
        return pd.DataFrame(
            {
                "customer_id": features["customer_id"].to_numpy(),
                "segment_key": pd.Series(keys[first], dtype="str"),
                "probability": probability[rows, first],
                "runner_up_segment_key": pd.Series(keys[second], dtype="str"),
                "runner_up_probability": probability[rows, second],
            }
        )

    def to_state(self) -> dict[str, Any]:
        """Return all but the estimator, as JSON can hold it."""
        return {
            "algorithm": self.algorithm,
            "inputs": self.inputs.to_plain(),
            "segment_keys": list(self.segment_keys),
            "calibration": self.calibration.to_plain(),
        }

    @classmethod
    def from_state(cls, estimator: Any, state: dict[str, Any]) -> SegmentClassifier:
        """Read what `to_state` makes, also after JSON."""
        return cls(
            algorithm=state["algorithm"],
            estimator=estimator,
            inputs=ModelInputs.from_plain(state["inputs"]),
            segment_keys=tuple(state["segment_keys"]),
            calibration=ClassCalibration.from_plain(state["calibration"]),
        )


def class_probabilities(estimator: Any, matrix: Floats, classes: int) -> Floats:
    """Probabilities as the classifier gives them, of shape (n_rows, classes); 0 for what it has not seen.

    Parameters
    ----------
    estimator : BaseEstimator
        Its classes are columns of the result.
    matrix : ndarray of float, shape (n_rows, n_columns)
    classes : int
    """
    import numpy as np

    found = np.zeros((len(matrix), classes))
    if len(matrix):
        with one_thread():
            found[:, estimator.classes_] = estimator.predict_proba(matrix)
    return found
