"""Histogram gradient boosting of several classes that scores a row alone exactly as in a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from segmentation_assets.prediction.softmax import row_softmax


class RowwiseGradientBoosting(HistGradientBoostingClassifier):
    """Gradient boosting whose probabilities of several classes do not depend on how many rows are scored.

    From eight classes on, scikit-learn sums them up in another order for a single row.
    """

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probabilities, of shape (n_rows, n_classes)."""
        if len(self.classes_) == 2:
            found: npt.NDArray[np.float64] = super().predict_proba(X)
            return found
        return row_softmax(self.decision_function(X))
