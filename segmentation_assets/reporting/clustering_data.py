"""What the reports about the clusterings of a month rest on: the month, and what each algorithm found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.reporting.snapshot import FeatureText
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

CORE_FEATURES = ("net_revenue_amount", "order_count", "recency_days")
"""Features that every cluster is described by, whether it was made of them or not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AlgorithmResult:
    """What one algorithm made of the month.

    Parameters
    ----------
    name : str
    description : str
        What it does, in Markdown.
    fit : mapping
        As `describe_fit` writes it; in a month in which no candidates are due, the reason alone, as ``not_due``.
    evaluation : mapping
        As `Evaluation.to_plain` writes it; empty where there is none.
    assignments : DataFrame
        Columns of ``clusters/<algorithm>`` but the id, in the order of the month's customers.
    decision : mapping
        The row of the leaderboard; empty where the algorithm does not stand there.
    memberships : ndarray of shape (n_customers, n_clusters), or None
        Degrees of membership, in the order of the month's customers.
    """

    name: str
    description: str
    fit: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    assignments: pd.DataFrame
    decision: Mapping[str, Any]
    memberships: npt.NDArray[np.float64] | None = None

    @property
    def label(self) -> str:
        """Name as people write it."""
        return algorithm_label(self.name)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Cluster of each customer, -1 is noise."""
        found: npt.NDArray[np.int64] = self.assignments["cluster"].to_numpy(dtype="int64")
        return found

    @property
    def is_fitted(self) -> bool:
        """Whether there is a model of this month."""
        return int(self.fit.get("fitted_count", 0)) > 0

    @property
    def not_due(self) -> str:
        """Why nothing was to be fitted this month; empty where it was."""
        return str(self.fit.get("not_due", ""))

    @property
    def is_apart(self) -> npt.NDArray[np.bool_]:
        """Whether each customer is noise, or an outlier that was put to the nearest cluster."""
        is_outlier = self.assignments["is_outlier"].fillna(value=False).to_numpy(dtype="bool")
        is_apart: npt.NDArray[np.bool_] = (self.labels == NOISE) | is_outlier
        return is_apart

    @property
    def numbers(self) -> list[int]:
        """Numbers of the clusters that hold customers, noise not counted."""
        return sorted({int(number) for number in self.labels} - {NOISE})


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusteringMonth:
    """A month whose customers were clustered; all frames have its customers as index, in the same order.

    Parameters
    ----------
    month : str
        YYYY-MM.
    as_of_date : datetime.date
    currency : str
    features : DataFrame
        Features as known, null where unknown.
    matrix : DataFrame
        What was clustered.
    rfm : Series of str
        Cell of the RFM map.
    leaderboard : DataFrame
        ``clusters/leaderboard``.
    ranking_rule : str
        In words.
    seed : int
        Draws the samples of the pictures.
    texts : mapping of str to FeatureText
    """

    month: str
    as_of_date: dt.date
    currency: str
    features: pd.DataFrame
    matrix: pd.DataFrame
    rfm: pd.Series
    leaderboard: pd.DataFrame
    ranking_rule: str
    seed: int
    texts: Mapping[str, FeatureText] = field(default_factory=dict)

    @property
    def profiled(self) -> list[str]:
        """Features that clusters are described by: the core ones, and every number that was clustered on."""
        from pandas.api.types import is_numeric_dtype

        wanted = dict.fromkeys((*CORE_FEATURES, *map(str, self.matrix.columns)))
        known = [name for name in wanted if name in self.features.columns]
        return [name for name in known if is_numeric_dtype(self.features[name].dtype)]

    @property
    def ranking(self) -> pd.DataFrame:
        """The leaderboard: by rank, then those that are not ranked by name, then the baseline."""
        return self.leaderboard.sort_values(["is_baseline", "rank", "candidate"], na_position="last", ignore_index=True)

    @property
    def revenue(self) -> npt.NDArray[np.float64]:
        """Net revenue of each customer."""
        found: npt.NDArray[np.float64] = self.features["net_revenue_amount"].to_numpy(dtype="float64")
        return found


def by_customer(frame: pd.DataFrame, customers: pd.Index) -> pd.DataFrame:
    """Return the rows of the customers, in their order, with the id as index; none of a frame without rows.

    Parameters
    ----------
    frame : DataFrame
        With a column customer_id.
    customers : Index
        Each in the frame.
    """
    rows = frame.set_index("customer_id")
    return rows.loc[customers] if len(rows) else rows


def decision_of(leaderboard: pd.DataFrame, candidate: str) -> dict[str, Any]:
    """Return the row of a candidate as plain values, ``None`` where there is none; empty without a row.

    Parameters
    ----------
    leaderboard : DataFrame
        ``clusters/leaderboard``.
    candidate : str
    """
    import pandas as pd

    rows = leaderboard[leaderboard["candidate"] == candidate].to_dict("records")
    return {str(name): None if pd.isna(value) else _plain(value) for row in rows for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Turn a number of numpy into a plain one."""
    return value.item() if hasattr(value, "item") else value
