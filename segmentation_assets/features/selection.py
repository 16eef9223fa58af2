"""Which features a clustering sees, and why the others were left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from segmentation_assets.config.features import MatrixSettings
from segmentation_assets.features.declaration import FeatureColumn, feature_columns, no_such_feature
from segmentation_assets.tables.declaration import Table
from segmentation_assets.tables.rounding import round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class DroppedFeature:
    """A candidate that is not clustered on.

    Parameters
    ----------
    feature : str
        Its name or, of a category in columns, that of the column.
    reason : str
        ``all_null``, ``constant``, ``constant_within_limits`` (winsorised, it does not differ) or ``redundant``.
    kept_instead : str or None
        For redundant ones, the earlier declared feature that is kept.
    correlation : float or None
        For redundant ones, Pearson's r with it after transformation.
    column : str or None
        Of a category, the column that is left out, such as ``gender_is_male``; others of it may stay.
    """

    feature: str
    reason: Literal["all_null", "constant", "constant_within_limits", "redundant"]
    kept_instead: str | None = None
    correlation: float | None = None
    column: str | None = None


def candidate_features(
    table: Table, settings: MatrixSettings, absent: Mapping[str, str] | None = None
) -> tuple[FeatureColumn, ...]:
    """List the features that may be clustered on, in declared order.

    Parameters
    ----------
    table : Table
        silver/customer_features as declared.
    settings : MatrixSettings
        ``features``: names, or ``auto`` for those marked in their block.
    absent : mapping of str to str, optional
        Features that the table lacks, with the reason, to be told where one of them is named.

    Returns
    -------
    tuple of FeatureColumn

    Raises
    ------
    SettingsError
        ``matrix.features`` names something that is not a feature.
    """
    features = feature_columns(table)
    if settings.features == "auto":
        return tuple(column for column in features if column.is_clustering_feature)
    known = [column.name for column in features]
    for name in settings.features:
        if name not in known:
            path = ("matrix", "features", settings.features.index(name))
            raise no_such_feature("matrix.features", name, known, absent or {}, path)
    return tuple(column for column in features if column.name in settings.features)


def find_redundant(
    values: npt.NDArray[np.float64], names: Sequence[str], max_correlation: float
) -> tuple[DroppedFeature, ...]:
    """Find columns that repeat an earlier one that is kept.

    Parameters
    ----------
    values : ndarray, shape (n_customers, n_features)
        Transformed, complete, none of them constant.
    names : sequence of str
        Names of the columns, in order of preference.
    max_correlation : float, 0 to 1
        Largest absolute Pearson correlation two kept columns may have.

    Returns
    -------
    tuple of DroppedFeature
        Each with the kept column it is most correlated with; the earlier one of a tie.
    """
    import numpy as np

    if len(names) < 2:
        return ()
    correlations = round_significant(np.atleast_2d(np.corrcoef(values, rowvar=False)))
    kept: list[int] = []
    dropped = []
    for position, name in enumerate(names):
        closest = max(kept, key=lambda earlier: abs(correlations[position, earlier]), default=None)
        if closest is not None and abs(correlations[position, closest]) > max_correlation:
            correlation = float(correlations[position, closest])
            dropped.append(DroppedFeature(name, "redundant", names[closest], correlation))
        else:
            kept.append(position)
    return tuple(dropped)
