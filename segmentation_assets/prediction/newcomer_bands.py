"""Newcomers by how long they are known, and which features can be gone by so early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segmentation_assets.errors import DataError, closest_hint
from segmentation_assets.features.declaration import FeatureColumn

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Codes = npt.NDArray[np.int64]

TENURE = FeatureColumn(
    name="tenure_days",
    dtype="BIGINT",
    unit="days",
    nullable=True,
    null_rule="never bought, only returned",
    minimum=0,
    meaning="Days since the first order.",
    imputation="ordinary",
)
"""What tells how long a customer is known; models always go by it."""


def band_names(bands: Sequence[int]) -> tuple[str, ...]:
    """Name the bands.

    Examples
    --------
    >>> band_names([30, 60, 90])
    ('days_0_30', 'days_31_60', 'days_61_90')
    """
    starts = (0, *(end + 1 for end in bands[:-1]))
    return tuple(f"days_{start}_{end}" for start, end in zip(starts, bands, strict=True))


def place_in_bands(features: pd.DataFrame, bands: Sequence[int]) -> Codes:
    """Number each customer's band: the first whose upper end is not exceeded.

    Parameters
    ----------
    features : DataFrame
        With ``tenure_days``.
    bands : sequence of int
        Upper ends in days, rising.

    Returns
    -------
    ndarray of int, shape (n_customers,)
        -1 for customers who are no newcomers: known for longer than the last band, or not known since when.

    Raises
    ------
    DataError
        ``tenure_days`` is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> place_in_bands(pd.DataFrame({"tenure_days": [0, 30, 31, 90, 91, None]}), [30, 60, 90]).tolist()
    [0, 0, 1, 2, -1, -1]
    """
    import numpy as np

    if TENURE.name not in features:
        raise DataError(
            f"newcomers are told by {TENURE.name}, which is missing", closest_hint(TENURE.name, features.columns)
        )
    days = features[TENURE.name].to_numpy(dtype="float64", na_value=np.nan)
    is_newcomer = (days >= 0) & (days <= bands[-1])
    places = np.searchsorted(np.array(bands, dtype="float64"), np.where(is_newcomer, days, 0.0), side="left")
    found: Codes = np.where(is_newcomer, places, -1).astype(np.int64)
    return found


def find_known_features(
    features: pd.DataFrame, places: Codes, columns: Sequence[FeatureColumn], min_known_share: float
) -> dict[str, tuple[int, ...]]:
    """Find the features that newcomers have, and in which bands.

    Parameters
    ----------
    features : DataFrame, shape (n_newcomers, n_features)
    places : ndarray of int, shape (n_newcomers,)
        As of `place_in_bands`, none below 0.
    columns : sequence of FeatureColumn
        Features that may be gone by.
    min_known_share : float
        Share of the newcomers of a band of whom the feature has to be known.

    Returns
    -------
    dict of str to tuple of int
        Places of the bands in which each feature is known of enough newcomers and not the same for all of them;
        without the features for which there is no such band.
    """
    import numpy as np

    found: dict[str, tuple[int, ...]] = {}
    by_band = {int(place): features[places == place] for place in np.unique(places)}
    for column in columns:
        found[column.name] = tuple(
            place
            for place, rows in by_band.items()
            if rows[column.name].notna().mean() >= min_known_share and rows[column.name].nunique() > 1
        )
    return {name: in_bands for name, in_bands in found.items() if in_bands}


def blank_unknown(features: pd.DataFrame, places: Codes, known: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Make a feature unknown in the bands in which too few newcomers have it, so that no model goes by it there.

    Parameters
    ----------
    features : DataFrame, shape (n_newcomers, n_features)
    places : ndarray of int, shape (n_newcomers,)
    known : mapping of str to sequence of int
        As of `find_known_features`. Features that it does not name stay as they are.
    """
    import numpy as np

    blanked = {
        name: features[name].where(np.isin(places, list(in_bands)))
        for name, in_bands in known.items()
        if name in features and not set(places.tolist()) <= set(in_bands)
    }
    return features.assign(**blanked)
