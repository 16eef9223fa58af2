"""A step before classifiers that cannot do with a column in which nothing varies."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin


class VaryingColumns(TransformerMixin, BaseEstimator):
    """Leaves out columns without two different known values among the rows that were learned from.

    Attributes
    ----------
    kept_ : ndarray of bool, shape (n_columns,)
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the columns that vary."""
        values = np.asarray(X, dtype="float64")
        lowest = np.where(np.isnan(values), np.inf, values).min(axis=0)
        highest = np.where(np.isnan(values), -np.inf, values).max(axis=0)
        self.kept_ = lowest < highest
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Leave out the others."""
        kept: npt.NDArray[np.float64] = np.ascontiguousarray(np.asarray(X, dtype="float64")[:, self.kept_])
        return kept
