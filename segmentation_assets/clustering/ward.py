"""Ward's hierarchical clustering on a sample, with everyone assigned to the nearest centre."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import dendrogram, fcluster, linkage

from segmentation_assets.clustering.distances import centre_distances
from segmentation_assets.clustering.estimator import CentreClusterer, Floats, Integers, compact
from segmentation_assets.clustering.search import choose, numbers_to_try, score_search
from segmentation_assets.tables.rounding import round_number, round_significant

DENDROGRAM_LEAVES = 30

MOST_CLUSTERS = 50
"""Clusters that a cut at a distance makes at most."""


class WardClusterer(CentreClusterer):
    """Agglomerative clustering by Ward's criterion, cut at a number of clusters or at a distance.

    Parameters
    ----------
    k_min, k_max : int, default 3 and 8
        Numbers of clusters the tree is cut into, both included; ignored when `n_clusters` or `distance_threshold` is
        given.
    n_clusters : int or None, default None
        Cut into exactly this number, without search and scores.
    distance_threshold : float or None, default None
        Cut where the next merge costs more than this, in the units of Ward's distance; into 50 clusters at most.
    min_cluster_share : float in [0, 1], default 0.02
        A cut whose smallest cluster holds a smaller share is chosen only when every cut has such a cluster.
    fit_sample : int, default 5000
        Rows the tree is built on at most: its memory grows with their square (100 MB at 5,000).
    score_sample : int, default 10000
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters_, n_features)
        Means of the clusters of the tree, rounded to 10 significant digits.
    search_ : dict of str to ndarray
        A row per number of clusters, as `score_search` returns it, with the height of the cut.
    labels_ : ndarray of shape (n_rows,)
        Clusters of the tree for the rows it was built on, for the others the nearest centre.
    n_clusters_, fitted_count_, figures_, notes_
        As for `BaseClusterer`. The figure ``tree_agreement`` is the share of the rows fitted on whose nearest centre
        is that of their own cluster in the tree.
    curves_ : dict of str to ndarray
        ``merge_heights`` of the last merges, ascending; ``dendrogram_across`` and ``dendrogram_heights``, four points
        per bracket of the tree cut off at 30 leaves; ``dendrogram_leaves``, the rows below each leaf.

    Notes
    -----
    ``predict`` and ``assign`` give every row to the nearest centre, also those of the tree: a row gets the same
    cluster whether it was fitted on or comes later. Near a border that can be another one than in `labels_`.

    References
    ----------
    Ward (1963), doi:10.1080/01621459.1963.10500845; Murtagh and Legendre (2014), doi:10.1007/s00357-014-9161-z.
    """

    def __init__(
        self,
        *,
        k_min: int = 3,
        k_max: int = 8,
        n_clusters: int | None = None,
        distance_threshold: float | None = None,
        min_cluster_share: float = 0.02,
        fit_sample: int = 5_000,
        score_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.n_clusters = n_clusters
        self.distance_threshold = distance_threshold
        self.min_cluster_share = min_cluster_share
        self.fit_sample = fit_sample
        self.score_sample = score_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        tree = linkage(values, "ward")
        heights = np.append(0.0, tree[:, 2])
        asked_for, capped = self._asked_for(heights)
        tried, notes = numbers_to_try(values, self.k_min, self.k_max, asked_for)
        partitions = [_cut(tree, k) for k in tried]
        cut_heights = [heights[len(values) - k] for k in tried]
        sample = self.score_sample if len(tried) > 1 else 0
        search = score_search(values, partitions, {"height": cut_heights}, sample, seed)
        best, note = choose(search, self.min_cluster_share)
        self.search_ = {**search, "is_chosen": np.arange(len(tried)) == best}
        self._keep(values, partitions[best])
        self.curves_ = _draw(tree)
        return [*capped, *notes, *note]

    def _asked_for(self, heights: Floats) -> tuple[int | None, list[str]]:
        """Return the number of clusters that the parameters fix, ``None`` where it is to be searched, and notes."""
        if self.n_clusters is not None or self.distance_threshold is None:
            return self.n_clusters, []
        found = int((heights > self.distance_threshold).sum()) + 1
        if found <= MOST_CLUSTERS:
            return found, []
        written = f"the distance {self.distance_threshold:g} cuts the tree into {found:,} clusters"
        return MOST_CLUSTERS, [f"{written}; it was cut into {MOST_CLUSTERS}, the most there can be"]

    def _fitted_labels(self, labels: Integers, sample: Integers) -> Integers:
        found = labels.copy()
        found[sample] = self._tree_labels
        del self._tree_labels
        return found

    def _keep(self, values: Floats, labels: Integers) -> None:
        means = np.stack([values[labels == number].mean(axis=0) for number in np.unique(labels)])
        centres = round_significant(means)
        nearest = centre_distances(values, centres).argmin(axis=1)
        compacted, self.n_clusters_ = compact(nearest)
        used = np.unique(nearest)
        self.cluster_centers_ = centres[used]
        self._tree_labels = np.where(np.isin(labels, used), np.searchsorted(used, labels), compacted)
        self.figures_ = {"tree_agreement": round_number((nearest == labels).mean())}

    def _choices(self) -> dict[str, Any]:
        return {"n_clusters": self.n_clusters_, "distance_threshold": None}


def _cut(tree: Floats, k: int) -> Integers:
    """Cut a tree into k clusters, numbered by their first row."""
    groups = fcluster(tree, k, "maxclust")
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    ranks: Integers = np.argsort(np.argsort(first))[inverse]
    return ranks


def _draw(tree: Floats) -> dict[str, Floats]:
    """Return what a picture of the upper tree needs."""
    drawn = dendrogram(tree, p=DENDROGRAM_LEAVES, truncate_mode="lastp", no_plot=True)
    rows = [int(text[1:-1]) if text.startswith("(") else 1 for text in drawn["ivl"]]
    return {
        "merge_heights": round_significant(tree[-DENDROGRAM_LEAVES:, 2]),
        "dendrogram_across": np.array(drawn["icoord"], dtype=np.float64),
        "dendrogram_heights": round_significant(drawn["dcoord"]),
        "dendrogram_leaves": np.array(rows, dtype=np.float64),
    }
