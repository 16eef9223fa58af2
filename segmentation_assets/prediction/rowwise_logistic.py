"""Logistic regression that scores a row alone exactly as in a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression


class RowwiseLogisticRegression(LogisticRegression):
    """Logistic regression whose sums over features do not depend on how many rows are scored.

    Products of matrices are summed in another order for a single row, which shows in the last bit.
    """

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the log odds, of shape (n_rows,), or (n_rows, n_classes) where there are more than two."""
        values = np.ascontiguousarray(X, dtype="float64")
        scores = np.stack([(values * weights).sum(axis=1) for weights in self.coef_], axis=1) + self.intercept_
        found: npt.NDArray[np.float64] = scores[:, 0] if scores.shape[1] == 1 else scores
        return found
