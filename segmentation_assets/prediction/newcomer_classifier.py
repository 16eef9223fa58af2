"""A fitted model that tells newcomers' later segment from what is known of them in their first weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.prediction.newcomer_bands import band_names, blank_unknown, place_in_bands
from segmentation_assets.prediction.segment_classifier import SegmentClassifier

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class NewcomerClassifier:
    """What it takes to tell the segment that newcomers reach.

    Parameters
    ----------
    classifier : SegmentClassifier
        Of all bands; one of its features is ``tenure_days``.
    bands : tuple of int
        Upper ends in days since the first order, rising.
    known : dict of str to tuple of int
        Places of the bands in which each feature is gone by.
    horizon_days : int
        The segment is the one that customers were in at least so many days later.
    """

    classifier: SegmentClassifier
    bands: tuple[int, ...]
    known: dict[str, tuple[int, ...]]
    horizon_days: int

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Name the segment that each newcomer will most probably reach, and the one after it.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)
            With ``customer_id`` and ``tenure_days``.

        Returns
        -------
        DataFrame
            customer_id, band, segment_key, probability, runner_up_segment_key, runner_up_probability, in the order of
            `features`; null for customers who are no newcomers. One row alone gets what it gets in a batch.

        Raises
        ------
        DataError
            A feature is missing.
        """
        import numpy as np
        import pandas as pd

        places = place_in_bands(features, self.bands)
        is_newcomer = places >= 0
        newcomers = features[is_newcomer]
        told = self.classifier.predict(blank_unknown(newcomers, places[is_newcomer], self.known))
        names = np.array(band_names(self.bands), dtype=object)[places[is_newcomer]]
        told.insert(1, "band", pd.Series(names, index=told.index, dtype="str"))
        told.index = pd.Index(np.flatnonzero(is_newcomer))
        found = told.reindex(range(len(features)))
        found["customer_id"] = features["customer_id"].to_numpy()
        return found

    def to_state(self) -> dict[str, Any]:
        """Return all but the estimator, as JSON can hold it."""
        return {
            "classifier": self.classifier.to_state(),
            "bands": list(self.bands),
            "known": {name: list(in_bands) for name, in_bands in self.known.items()},
            "horizon_days": self.horizon_days,
        }

    @classmethod
    def from_state(cls, estimator: Any, state: dict[str, Any]) -> NewcomerClassifier:
        """Read what `to_state` makes, also after JSON."""
        return cls(
            classifier=SegmentClassifier.from_state(estimator, state["classifier"]),
            bands=tuple(state["bands"]),
            known={name: tuple(in_bands) for name, in_bands in state["known"].items()},
            horizon_days=state["horizon_days"],
        )
