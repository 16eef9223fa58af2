"""The map of customers: two principal components of the model matrix, on a seeded sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.features.components import principal_axes
from segmentation_assets.reporting.wording import feature_stem
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

MAP_SEED = 0
LOADING_COUNT = 3


@dataclass(frozen=True)
class CustomerMap:
    """Customers in the plane.

    Parameters
    ----------
    points : DataFrame
        `x`, `y`, `segment_key`, `segment_name`, `rfm_segment`; no customer ids.
    customer_count : int
        Customers the components were computed on; `points` is a sample of them.
    variance_shares : tuple of float
        Share of the variance along x and along y.
    loadings : tuple of tuple of (str, float)
        Per axis the labels of the columns that weigh most, one per story, by descending absolute weight.
    """

    points: pd.DataFrame
    customer_count: int
    variance_shares: tuple[float, float]
    loadings: tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]


def project_customers(snapshot: Snapshot, *, n_points: int) -> CustomerMap | None:
    """Project the model matrix onto its first two principal components.

    Parameters
    ----------
    snapshot : Snapshot
        The month; `matrix` holds one row per customer, columns scaled.
    n_points : int
        Customers drawn at most; a larger matrix is sampled with a fixed seed.

    Returns
    -------
    CustomerMap or None
        None where there are fewer than three customers or two columns, or no variance.

    Notes
    -----
    The sign of a component is arbitrary: here its largest weight is positive. Coordinates are rounded to three
    decimals, far below what a screen shows.

    References
    ----------
    Jolliffe, I. T. (2002). Principal Component Analysis, 2nd ed. doi:10.1007/b98835
    """
    import numpy as np

    if snapshot.matrix.empty:
        return None
    people = ["customer_id", "segment_key", "segment_name", "rfm_segment"]
    rows = snapshot.assigned[people].merge(snapshot.matrix, on="customer_id", validate="one_to_one")
    rows = rows.sort_values("customer_id", ignore_index=True)
    names = [str(name) for name in snapshot.matrix.columns if name != "customer_id"]
    values = rows[names].to_numpy(dtype=np.float64)
    plane = project_rows(values)
    if plane is None:
        return None
    drawn, axes = draw_sample(len(rows), n_points, MAP_SEED), plane.axes
    points = rows.loc[drawn, people[1:]].reset_index(drop=True)
    points = points.assign(x=plane.points[drawn, 0], y=plane.points[drawn, 1])
    return CustomerMap(
        points=points,
        customer_count=len(rows),
        variance_shares=plane.variance_shares,
        loadings=(_top_loadings(snapshot, names, axes[:, 0]), _top_loadings(snapshot, names, axes[:, 1])),
    )


@dataclass(frozen=True)
class Plane:
    """Rows in the plane of two principal components.

    Parameters
    ----------
    points : ndarray of shape (n_rows, 2)
        Rounded to three decimals.
    axes : ndarray of shape (n_columns, 2)
        Unit vectors, the largest weight of each positive.
    variance_shares : tuple of float
        Share of the variance along each.
    """

    points: np.ndarray
    axes: np.ndarray
    variance_shares: tuple[float, float]


def project_rows(values: np.ndarray) -> Plane | None:
    """Project rows onto their first two principal components.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        In a fixed order of rows.

    Returns
    -------
    Plane or None
        None where there are fewer than three rows or two columns, or no variance.
    """
    import numpy as np

    if len(values) < 3 or values.shape[1] < 2:
        return None
    centred = values - values.mean(axis=0)
    variances, vectors = principal_axes(centred)
    total = float(variances.sum())
    if total <= 0:
        return None
    first, second = float(variances[0]) / total, float(variances[1]) / total
    axes = vectors[:, :2]
    return Plane(np.round(centred @ axes, 3) + 0.0, axes, (first, second))


def _top_loadings(snapshot: Snapshot, names: list[str], axis: np.ndarray) -> tuple[tuple[str, float], ...]:
    """Return the columns with the largest absolute weight, one per story, by their labels."""
    order = sorted(range(len(names)), key=lambda position: (-round(abs(float(axis[position])), 9), names[position]))
    stories: dict[str, tuple[str, float]] = {}
    for position in order:
        label = snapshot.feature_text(names[position]).label
        stories.setdefault(feature_stem(names[position]), (label, round(float(axis[position]), 3)))
    return tuple(stories.values())[:LOADING_COUNT]
