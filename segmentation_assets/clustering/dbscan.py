"""DBSCAN with a radius from the data, bounded memory and a rule for new rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from segmentation_assets.clustering.estimator import (
    NOBODY,
    Assigned,
    BaseClusterer,
    Floats,
    Integers,
    compact,
    renumber,
    thinned,
)
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.clustering.space import SpaceName, enter_space, fit_space
from segmentation_assets.tables.rounding import round_number, round_significant

DISTANCES_AT_ONCE = 4_000_000
LEAF_POINTS = 32
"""Points of a leaf of a search tree; with ten dimensions smaller leaves are slower."""

SAMPLES_PER_DIMENSION, FEWEST_SAMPLES = 2, 10


class DbscanClusterer(BaseClusterer):
    """Density clusters: core points within `eps` of each other, and whoever lies within `eps` of one.

    Parameters
    ----------
    space : str, default "pca"
        Where distances are measured: ``full``, ``pca`` or ``tsne``, see `fit_space`.
    n_components : int, default 10
        Principal components, for the space ``pca``.
    eps : float or None, default None
        Radius; by default the knee of the sorted distances to the `min_samples`-th neighbour.
    min_samples : int or None, default None
        Rows within `eps`, itself included, that make a row a core point; by default twice the dimensions of the
        space, at least 10: with fewer, groups of few dimensions fall to pieces.
    fit_sample : int, default 10000
        Rows fitted on at most.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    eps_ : float
    min_samples_ : int
    core_points_ : ndarray of shape (n_core_points, n_dimensions)
        In the space, rounded to 10 significant digits.
    core_labels_ : ndarray of shape (n_core_points,)
    labels_ : ndarray of shape (n_rows,)
        The cluster of the nearest core point within `eps`, else -1.
    n_clusters_, fitted_count_, figures_, curves_, notes_
        As for `BaseClusterer`; ``curves_["k_distance"]`` are the sorted distances.

    Notes
    -----
    A row at the border of two clusters belongs to the nearer core point, so that the order of rows does not matter;
    in the original algorithm it belongs to whichever was found first. Distances within the sample are computed in
    slices of rows.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996); Sander, Ester, Kriegel and Xu (1998), doi:10.1023/A:1009745219419
    (`min_samples`); Satopaa et al. (2011), doi:10.1109/ICDCSW.2011.20 (knee).
    """

    def __init__(
        self,
        *,
        space: SpaceName = "pca",
        n_components: int = 10,
        eps: float | None = None,
        min_samples: int | None = None,
        fit_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.space = space
        self.n_components = n_components
        self.eps = eps
        self.min_samples = min_samples
        self.fit_sample = fit_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        self.space_, points = fit_space(values, self.space, self.n_components, seed)
        self.min_samples_ = self.min_samples or max(FEWEST_SAMPLES, SAMPLES_PER_DIMENSION * points.shape[1])
        reach = neighbour_distances(points, self.min_samples_)
        self.curves_ = {"k_distance": thinned(np.sort(reach))}
        self.eps_ = self.eps or round_number(knee(np.sort(reach)))
        is_core = reach <= self.eps_
        self.core_points_ = round_significant(points[is_core])
        self.core_labels_, self.n_clusters_ = compact(connect(points[is_core], self.eps_))
        self.figures_ = {
            "eps": self.eps_,
            "min_samples": self.min_samples_,
            "dimensions": points.shape[1],
            "core_share": round_number(is_core.mean()),
        }
        return (
            [] if is_core.any() else [f"no row has {self.min_samples_} rows within eps {self.eps_:.4g}: all is noise"]
        )

    def _assign(self, values: Floats) -> Assigned:
        return assign_within(enter_space(self.space_, values), self.core_points_, self.core_labels_, self.eps_)

    def _reorder(self, numbers: Integers) -> None:
        self.core_labels_ = renumber(self.core_labels_, numbers)

    def _choices(self) -> dict[str, Any]:
        return {"min_samples": self.min_samples_}


def neighbour_distances(points: Floats, count: int) -> Floats:
    """Return the distance of each row to its `count`-th nearest row, itself counted as the first; shape (n_rows,)."""
    distances, _ = search_tree(points).query(points, k=[min(count, len(points))])
    flat: Floats = distances[:, 0]
    return flat


def search_tree(points: Floats) -> cKDTree:
    """Build a tree that finds the nearest of points, shape (n_points, n_dimensions)."""
    return cKDTree(points, leafsize=LEAF_POINTS)


def knee(curve: Floats) -> float:
    """Return the value of an ascending curve where it bends away most from the line between its ends.

    Parameters
    ----------
    curve : ndarray of shape (n_points,)
        Both axes are scaled to [0, 1] before distances to the line are compared.

    Examples
    --------
    >>> float(knee(np.array([1.0, 1.1, 1.2, 1.3, 9.0])))
    1.3
    """
    height = curve[-1] - curve[0]
    if height <= 0:
        return float(curve[-1])
    below = np.linspace(0, 1, len(curve)) - (curve - curve[0]) / height
    return float(curve[int(below.argmax())])


def connect(points: Floats, eps: float) -> Integers:
    """Number the groups of points that are linked by steps of at most `eps`; shape (n_points,)."""
    groups = np.full(len(points), NOBODY)
    number, rest = 0, np.arange(len(points))
    while len(rest):
        frontier, rest = rest[:1], rest[1:]
        while len(frontier):
            groups[frontier] = number
            is_near = _are_within(points[rest], points[frontier], eps)
            frontier, rest = rest[is_near], rest[~is_near]
        number += 1
    return groups


def _are_within(points: Floats, others: Floats, eps: float) -> npt.NDArray[np.bool_]:
    """Say which points lie within `eps` of any of the others."""
    step = max(1, DISTANCES_AT_ONCE // len(others))
    parts = [cdist(points[start : start + step], others).min(axis=1) <= eps for start in range(0, len(points), step)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def assign_within(points: Floats, core_points: Floats, core_labels: Integers, eps: float) -> Assigned:
    """Give each row the cluster of the nearest core point, if that lies within `eps`; else it is noise.

    Returns
    -------
    Assigned
        The outlier score is the distance in units of `eps`; the certainty grows with the distance to that border.
    """
    nobody = np.full(len(points), NOBODY)
    if not len(core_points):
        nothing = np.full(len(points), np.nan)
        return Assigned(nobody, nothing, nobody, np.zeros(len(points)), outlier_scores=nothing)
    distances, nearest = search_tree(core_points).query(points)
    scores = distances / eps if eps > 0 else np.where(distances > 0, np.nan, 0.0)
    is_inside = scores <= 1
    labels = np.where(is_inside, core_labels[nearest], NOISE)
    return Assigned(labels, distances, nobody, certainty_beside(scores), outlier_scores=scores)


def certainty_beside(scores: Floats) -> Floats:
    """Return how far outlier scores lie from the border at 1, on either side: 0 at the border, 1 far away."""
    inverse = np.divide(1.0, scores, out=np.ones_like(scores), where=scores > 0)
    return 1.0 - np.where(scores <= 1, scores, inverse)
