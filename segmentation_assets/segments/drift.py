"""Whether this month's customers are still those that the model in force was promoted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

BINS = 10
"""Bins of a column, at the deciles of the customers that the model was promoted on."""

_SMALLEST_SHARE = 1e-4
"""An empty bin counts as holding so much, so that the index stays finite."""


@dataclass(frozen=True)
class DriftReference:
    """How customers were spread when a model was promoted.

    Parameters
    ----------
    edges : mapping of str to tuple of float
        By column of the model matrix: where its bins meet.
    shares : mapping of str to tuple of float
        By column: share of customers per bin, one more than edges.
    segment_shares : mapping of str to float
        Share of customers by segment key.
    """

    edges: Mapping[str, tuple[float, ...]]
    shares: Mapping[str, tuple[float, ...]]
    segment_shares: Mapping[str, float]

    def to_plain(self) -> dict[str, Any]:
        """Return plain JSON values, for the model store."""
        return {
            "edges": {name: list(values) for name, values in self.edges.items()},
            "shares": {name: list(values) for name, values in self.shares.items()},
            "segment_shares": dict(self.segment_shares),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> DriftReference:
        """Put together what `to_plain` gave."""
        return cls(
            {name: tuple(values) for name, values in plain["edges"].items()},
            {name: tuple(values) for name, values in plain["shares"].items()},
            dict(plain["segment_shares"]),
        )


@dataclass(frozen=True)
class Drift:
    """How far customers have moved since a model was promoted, as population stability indices.

    Parameters
    ----------
    segments : float
        Of the sizes of the segments.
    columns : mapping of str to float
        Of each column of the model matrix, the largest first; empty for the RFM map.
    customer_count : int
        Customers this month.
    """

    segments: float
    columns: Mapping[str, float]
    customer_count: int

    @property
    def columns_mean(self) -> float:
        """Mean over the columns; 0 without any."""
        return sum(self.columns.values()) / len(self.columns) if self.columns else 0.0

    @property
    def index(self) -> float:
        """What is compared with the limit: the larger of segment sizes and the mean of the columns."""
        return max(self.segments, self.columns_mean)

    @property
    def sentence(self) -> str:
        """Say how far customers have moved, and in what most."""
        most = ", ".join(f"{name} {value:.2f}" for name, value in list(self.columns.items())[:3])
        columns = f", of the model's columns {self.columns_mean:.2f} on average (most: {most})" if most else ""
        return f"population stability index of segment sizes {self.segments:.2f}{columns}"


def note_reference(matrix: pd.DataFrame, keys: pd.Series) -> DriftReference:
    """Note how customers are spread.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_columns)
        What the model sees of them; no column for the RFM map.
    keys : Series of str
        Segment key per customer; null for none.
    """
    import numpy as np

    edges, shares = {}, {}
    for name in matrix.columns:
        values = matrix[name].to_numpy(dtype=np.float64)
        found = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])) if len(values) else np.array([])
        edges[str(name)] = tuple(map(float, found))
        shares[str(name)] = bin_shares(values, found)
    return DriftReference(edges, shares, _segment_shares(keys))


def measure_drift(matrix: pd.DataFrame, keys: pd.Series, reference: DriftReference) -> Drift:
    """Compare this month's customers with those that the model was promoted on.

    Parameters
    ----------
    matrix, keys
        As for `note_reference`, prepared and assigned by the model in force.
    reference : DriftReference

    Returns
    -------
    Drift

    Notes
    -----
    The population stability index of two distributions is the sum of (p - q) ln(p / q) over their bins (Siddiqi 2006,
    Credit Risk Scorecards, ISBN 978-0-471-75451-0): below 0.1 little has moved, above 0.25 a lot.
    """
    import numpy as np

    columns = {
        name: stability_index(
            reference.shares[name], bin_shares(matrix[name].to_numpy(dtype=np.float64), np.array(edges))
        )
        for name, edges in reference.edges.items()
    }
    now = _segment_shares(keys)
    names = sorted({*now, *reference.segment_shares})
    return Drift(
        stability_index(*([shares.get(name, 0.0) for name in names] for shares in (reference.segment_shares, now))),
        dict(sorted(columns.items(), key=lambda column: (-column[1], column[0]))),
        len(keys),
    )


def stability_index(before: tuple[float, ...] | list[float], after: tuple[float, ...] | list[float]) -> float:
    """Return the population stability index of two lists of shares.

    Examples
    --------
    >>> stability_index([0.5, 0.5], [0.5, 0.5])
    0.0
    >>> stability_index([0.5, 0.5], [0.8, 0.2])
    0.4158883083
    """
    import numpy as np

    one, other = (np.clip(np.array(shares, dtype=np.float64), _SMALLEST_SHARE, None) for shares in (before, after))
    return round_number(float(((other - one) * np.log(other / one)).sum()))


def bin_shares(values: Floats, edges: Floats) -> tuple[float, ...]:
    """Share of the values in each bin; there is one more than edges."""
    import numpy as np

    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return tuple(round_number(share) for share in (counts / max(len(values), 1)).tolist())


def _segment_shares(keys: pd.Series) -> dict[str, float]:
    counts = keys.dropna().value_counts()
    return {str(key): round_number(counts[key] / counts.sum()) for key in sorted(counts.index)}
