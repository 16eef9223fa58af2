"""How features become the columns that a model goes by: numbers as they are, categories as zeros and ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.declaration import FeatureColumn
from segmentation_assets.features.encoding import Encoding, fit_encoding

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

MOST_CATEGORIES = 8
"""Categories of a feature with a column of their own; the rarer ones share one."""

UNKNOWN = "unknown"
"""What stands for a category that is missing."""


@dataclass(frozen=True)
class ModelInputs:
    """Which features a model goes by, and the columns that they become.

    Parameters
    ----------
    numbers : tuple of str
        Features that are numbers or yes and no; unknown values stay unknown.
    encodings : tuple of Encoding
        Features that are categories; a missing one is the category ``unknown``.
    """

    numbers: tuple[str, ...]
    encodings: tuple[Encoding, ...]

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: Sequence[FeatureColumn]) -> ModelInputs:
        """Take the features that vary, and find the categories of those that have some.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)
        columns : sequence of FeatureColumn

        Raises
        ------
        DataError
            A feature is missing.
        """
        _require([column.name for column in columns], features)
        varying = [column for column in columns if features[column.name].nunique(dropna=False) > 1]
        numbers = tuple(column.name for column in varying if not column.is_category)
        encodings = (
            fit_encoding(column.name, _texts(features[column.name]), "one_hot", MOST_CATEGORIES)
            for column in varying
            if column.is_category
        )
        return cls(numbers, tuple(encodings))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (*self.numbers, *(encoding.feature for encoding in self.encodings))

    @property
    def column_features(self) -> tuple[str, ...]:
        """The feature that each column is made from, in the order of the columns."""
        return (*self.numbers, *(one.feature for one in self.encodings for _ in one.column_names))

    def missing_in(self, features: Collection[str]) -> tuple[str, ...]:
        """Names of the features that are not among some columns, sorted."""
        return tuple(sorted(set(self.features) - set(features)))

    def only(self, names: Collection[str]) -> ModelInputs:
        """Leave out all features but those named."""
        return replace(
            self,
            numbers=tuple(name for name in self.numbers if name in names),
            encodings=tuple(one for one in self.encodings if one.feature in names),
        )

    def matrix(self, features: pd.DataFrame) -> Floats:
        """Make the columns.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)

        Returns
        -------
        ndarray of float64, shape (n_customers, n_columns)
            NaN where a number is unknown.

        Raises
        ------
        DataError
            A feature is missing.
        """
        import numpy as np

        _require(self.features, features)
        columns = [features[name].to_numpy(dtype="float64", na_value=np.nan) for name in self.numbers]
        for encoding in self.encodings:
            columns += encoding.encode(_texts(features[encoding.feature])).values()
        found: Floats = np.column_stack(columns) if columns else np.empty((len(features), 0))
        return found

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> ModelInputs:
        """Read what `to_plain` makes, also after JSON."""
        return cls(tuple(plain["numbers"]), tuple(Encoding.from_plain(one) for one in plain["encodings"]))


def _require(names: Collection[str], features: pd.DataFrame) -> None:
    missing = sorted(set(names) - set(features))
    if missing:
        raise DataError(
            f"the model goes by features that are missing: {', '.join(missing)}",
            closest_hint(missing[0], features.columns),
        )


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), UNKNOWN)
