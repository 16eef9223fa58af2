"""HDBSCAN on a sample, with a rule for new rows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.cluster import HDBSCAN

from segmentation_assets.clustering.dbscan import certainty_beside, neighbour_distances, search_tree
from segmentation_assets.clustering.estimator import (
    NOBODY,
    Assigned,
    BaseClusterer,
    Floats,
    Integers,
    compact,
    renumber,
)
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.clustering.space import SpaceName, enter_space, fit_space
from segmentation_assets.tables.rounding import round_number, round_significant

FEWEST_MEMBERS = 5


class HdbscanClusterer(BaseClusterer):
    """scikit-learn's HDBSCAN, which finds density clusters without a radius.

    Parameters
    ----------
    space : str, default "pca"
        Where distances are measured: ``full``, ``pca`` or ``tsne``, see `fit_space`.
    n_components : int, default 10
        Principal components, for the space ``pca``.
    min_cluster_size : int or None, default None
        Rows of the smallest cluster; by default `min_cluster_share` of the rows fitted on, at least 5.
    min_samples : int, default 10
        Neighbours, the row itself included, by which density is measured.
    cluster_selection_method : {"eom", "leaf"}, default "eom"
        Whether stable or small clusters are taken from the tree.
    min_cluster_share : float in [0, 1], default 0.02
    fit_sample : int, default 10000
        Rows fitted on at most.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    points_ : ndarray of shape (n_fitted, n_dimensions)
        The rows fitted on, in the space, rounded to 10 significant digits.
    point_labels_, point_reach_, point_strengths_ : ndarray of shape (n_fitted,)
        Their clusters, their distances to the `min_samples`-th neighbour, and how firmly they belong, in [0, 1].
    labels_, n_clusters_, fitted_count_, figures_, curves_, notes_
        As for `BaseClusterer`.

    Notes
    -----
    A row gets the cluster of the nearest row fitted on, if it lies no farther away than that row's `min_samples`-th
    neighbour; else it is noise. So rows fitted on keep their clusters. The outlier score is that distance in units of
    what is allowed; of noise it is 1 more than the distance to the nearest cluster in such units.

    References
    ----------
    Campello, Moulavi and Sander (2013), doi:10.1007/978-3-642-37456-2_14.
    """

    def __init__(
        self,
        *,
        space: SpaceName = "pca",
        n_components: int = 10,
        min_cluster_size: int | None = None,
        min_samples: int = 10,
        cluster_selection_method: Literal["eom", "leaf"] = "eom",
        min_cluster_share: float = 0.02,
        fit_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.space = space
        self.n_components = n_components
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.cluster_selection_method = cluster_selection_method
        self.min_cluster_share = min_cluster_share
        self.fit_sample = fit_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        self.space_, places = fit_space(values, self.space, self.n_components, seed)
        points = round_significant(places)
        neighbours = min(self.min_samples, len(points))
        size = self.min_cluster_size or max(FEWEST_MEMBERS, int(np.ceil(self.min_cluster_share * len(points))))
        fitted = HDBSCAN(
            min_cluster_size=max(2, min(size, len(points))),
            min_samples=neighbours,
            cluster_selection_method=self.cluster_selection_method,
            n_jobs=1,
            copy=True,
        ).fit(points)
        self.points_ = points
        self.point_labels_, self.n_clusters_ = compact(np.where(fitted.labels_ < 0, NOISE, fitted.labels_))
        self.point_reach_ = round_significant(neighbour_distances(points, neighbours))
        self.point_strengths_ = round_significant(fitted.probabilities_)
        self.figures_ = {
            "min_cluster_size": size,
            "min_samples": neighbours,
            "dimensions": points.shape[1],
            "noise_share_of_fitted": round_number((self.point_labels_ == NOISE).mean()),
        }
        return [] if self.n_clusters_ else ["no region is denser than what surrounds it: all is noise"]

    def _assign(self, values: Floats) -> Assigned:
        points = round_significant(enter_space(self.space_, values))
        distances, nearest = search_tree(self.points_).query(points)
        reach = self.point_reach_[nearest]
        labels = np.where(distances <= reach, self.point_labels_[nearest], NOISE)
        inside = np.divide(distances, reach, out=np.zeros_like(distances), where=reach > 0)
        certainties = self.point_strengths_[nearest] * (1.0 - np.minimum(inside, 1.0))
        is_noise = labels == NOISE
        distances[is_noise], beyond = self._from_clusters(points[is_noise])
        scores = inside
        scores[is_noise] = 1.0 + beyond
        certainties[is_noise] = certainty_beside(scores[is_noise])
        nobody = np.full(len(points), NOBODY)
        return Assigned(labels, distances, nobody, certainties, outlier_scores=scores)

    def _from_clusters(self, points: Floats) -> tuple[Floats, Floats]:
        """Return the distance of rows to the nearest row fitted on that is in a cluster, also in units of its reach."""
        is_member = self.point_labels_ != NOISE
        if not is_member.any():
            return np.full(len(points), np.nan), np.full(len(points), np.nan)
        distances, nearest = search_tree(self.points_[is_member]).query(points)
        reach = self.point_reach_[is_member][nearest]
        return distances, np.divide(distances, reach, out=np.full_like(distances, np.nan), where=reach > 0)

    def _reorder(self, numbers: Integers) -> None:
        self.point_labels_ = renumber(self.point_labels_, numbers)

    def _choices(self) -> dict[str, Any]:
        return {}
