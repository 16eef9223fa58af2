"""Where a model sees customers, and the segments it gives to rows that are not customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.features.preparation import prepare
from segmentation_assets.features.transformation import signed_log1p
from segmentation_assets.segments.assignment import assign_by_model
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.rfm import MEASURES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


def features_seen(model: ChampionModel) -> tuple[str, ...]:
    """Features that a model goes by."""
    return tuple(MEASURES.values()) if model.preparation is None else model.preparation.features


@dataclass(frozen=True)
class ModelSpace:
    """Where a model sees customers, in standard deviations of everyone; for the RFM map, logarithms of its measures."""

    model: ChampionModel
    units: Floats
    places: pd.DataFrame

    @classmethod
    def of(cls, everyone: pd.DataFrame, model: ChampionModel) -> ModelSpace:
        """Place everyone where the model sees them."""
        import numpy as np

        seen = _seen(everyone, model)
        units = seen.to_numpy().std(axis=0)
        units = np.where(units > 0, units, 1.0)
        return cls(model, units, seen / units)

    def nearest(self, customers: pd.Index, place: pd.Series) -> pd.Index:
        """Sort customers by their distance from a place."""
        distances = (self.places.loc[customers] - place).abs().sum(axis=1)
        return distances.sort_values(kind="stable").index

    def sizes(self, rows: pd.DataFrame) -> Floats:
        """Return how far changed rows of a customer are from its place."""
        seen = _seen(rows, self.model) / self.units
        sizes: Floats = (seen - self.places.loc[seen.index[0]]).abs().sum(axis=1).to_numpy()
        return sizes


def _seen(rows: pd.DataFrame, model: ChampionModel) -> pd.DataFrame:
    if model.preparation is not None:
        return prepare(rows, model.preparation).matrix
    known = rows[rows["recency_days"].notna()].set_index("customer_id")[[*MEASURES.values()]]
    return known.astype("float64").transform(lambda column: signed_log1p(column.to_numpy()))


def segments_of(rows: pd.DataFrame, model: ChampionModel) -> npt.NDArray[np.object_]:
    """Return the segment of each row; made-up ids, as all are of one customer."""
    ids = [f"{number:08d}" for number in range(len(rows))]
    frame = assign_by_model(rows.assign(customer_id=ids), model).frame.set_index("customer_id")
    keys: npt.NDArray[np.object_] = frame["segment_key"].reindex(ids).to_numpy(dtype=object)
    return keys
