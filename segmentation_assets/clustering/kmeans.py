"""K-means that chooses its number of clusters; heavy imports, so it is loaded through `registry.py` only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from segmentation_assets.clustering.distances import centre_distances
from segmentation_assets.clustering.metrics import measure_sizes, score_partitions
from segmentation_assets.tables.rounding import round_number, round_significant
from segmentation_assets.tables.sampling import draw_sample

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_SEED_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class _Partition:
    """K-means of one k: rounded centres and the labels that follow from them."""

    centres: Floats
    labels: Integers
    inertia: float
    iterations: int


class KMeansClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """K-means over a range of k, the best k chosen by silhouette.

    Parameters
    ----------
    k_min, k_max : int, default 3 and 8
        Numbers of clusters tried, both included; ignored when `n_clusters` is given.
    n_clusters : int or None, default None
        Fit exactly this number, without search and scores.
    n_init : int, default 5
        Restarts per k; the one with the smallest inertia counts.
    max_iter : int, default 300
        Iterations of one restart at most.
    min_cluster_share : float in [0, 1], default 0.02
        A k whose smallest cluster holds a smaller share of the rows is chosen only when every k has such a cluster.
    score_sample : int, default 10000
        Rows that the scores of the search are computed on at most; one seeded sample for all k.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters_, n_features)
        Rounded to 10 significant digits.
    labels_ : ndarray of shape (n_rows,)
        Nearest centre of each row; equal to ``predict`` of the same rows.
    n_clusters_ : int
    k_search_ : dict of str to ndarray
        A column per entry, a row per k tried: k, silhouette, davies_bouldin, calinski_harabasz, inertia,
        smallest_share, is_chosen. Scores are NaN where they are undefined or not computed.
    inertia_ : float
        Sum of squared distances to the nearest centre.
    n_iter_ : int
    notes_ : tuple of str
        Choices made for the user, such as fewer clusters than asked for.

    Notes
    -----
    Of two k with equal silhouette the smaller one is chosen. Fits run on one thread, so that the last bits do not
    depend on the machine's load.

    References
    ----------
    Lloyd (1982), doi:10.1109/TIT.1982.1056489; Arthur and Vassilvitskii (2007), k-means++.
    """

    cluster_centers_: Floats
    labels_: Integers
    n_clusters_: int
    notes_: tuple[str, ...]

    def __init__(
        self,
        *,
        k_min: int = 3,
        k_max: int = 8,
        n_clusters: int | None = None,
        n_init: int = 5,
        max_iter: int = 300,
        min_cluster_share: float = 0.02,
        score_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.min_cluster_share = min_cluster_share
        self.score_sample = score_sample
        self.random_state = random_state

    def fit(self, X: Any, y: None = None) -> KMeansClusterer:
        """Search the number of clusters and keep the best partition.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Finite numbers, at least two rows.
        y : None
            Ignored.

        Returns
        -------
        KMeansClusterer
            Itself.
        """
        values = np.ascontiguousarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2))
        seed = int(check_random_state(self.random_state).randint(_SEED_LIMIT))
        tried, notes = self._numbers_to_try(values)
        with threadpool_limits(1):
            partitions = [self._partition(values, k, seed) for k in tried]
            table = self._score(values, partitions, seed)
        best, note = _choose(table, self.min_cluster_share)
        self._keep(partitions[best])
        self.k_search_ = {**table, "is_chosen": np.arange(len(partitions)) == best}
        self.notes_ = (*notes, *note)
        return self

    def predict(self, X: Any) -> Integers:
        """Return the number of the nearest centre of each row, shape (n_rows,)."""
        nearest: Integers = self.transform(X).argmin(axis=1)
        return nearest

    def transform(self, X: Any) -> Floats:
        """Return the distance of each row to each centre, shape (n_rows, n_clusters_)."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return centre_distances(values, self.cluster_centers_)

    def reorder_clusters(self, order: Integers) -> KMeansClusterer:
        """Renumber the clusters: number i becomes what was ``order[i]``; returns itself."""
        check_is_fitted(self)
        numbers = np.asarray(order)
        self.cluster_centers_ = self.cluster_centers_[numbers]
        self.labels_ = np.argsort(numbers)[self.labels_]
        return self

    def refit_copy(self, random_state: int) -> KMeansClusterer:
        """Return an unfitted copy with the number of clusters fixed at the chosen one."""
        check_is_fitted(self)
        return KMeansClusterer(
            n_clusters=self.n_clusters_, n_init=self.n_init, max_iter=self.max_iter, random_state=random_state
        )

    @property
    def _n_features_out(self) -> int:
        return int(self.n_clusters_)

    def _numbers_to_try(self, values: Floats) -> tuple[list[int], tuple[str, ...]]:
        """List the k to try; never more than there are different rows."""
        first, last = (self.k_min, self.k_max) if self.n_clusters is None else (self.n_clusters, self.n_clusters)
        wanted = range(first, last + 1)
        distinct = _count_distinct(values, last)
        possible = [k for k in wanted if k <= distinct] or [distinct]
        if possible[-1] == last:
            return possible, ()
        return possible, (f"k stops at {distinct} instead of {last}: the rows hold {distinct} different points",)

    def _partition(self, values: Floats, k: int, seed: int) -> _Partition:
        fitted = KMeans(n_clusters=k, n_init=self.n_init, max_iter=self.max_iter, random_state=seed).fit(values)
        centres = round_significant(fitted.cluster_centers_)
        used = np.unique(centre_distances(values, centres).argmin(axis=1))
        distances = centre_distances(values, centres[used])
        inertia = round_number(np.square(distances.min(axis=1)).sum())
        return _Partition(centres[used], distances.argmin(axis=1), inertia, int(fitted.n_iter_))

    def _score(self, values: Floats, partitions: list[_Partition], seed: int) -> dict[str, Any]:
        sample = draw_sample(len(values), self.score_sample if self.n_clusters is None else 0, seed)
        scores = score_partitions(values[sample], [partition.labels[sample] for partition in partitions])
        return {
            "k": np.array([len(partition.centres) for partition in partitions]),
            "silhouette": _column([score.silhouette for score in scores]),
            "davies_bouldin": _column([score.davies_bouldin for score in scores]),
            "calinski_harabasz": _column([score.calinski_harabasz for score in scores]),
            "inertia": _column([partition.inertia for partition in partitions]),
            "smallest_share": _column([measure_sizes(partition.labels).smallest_share for partition in partitions]),
        }

    def _keep(self, partition: _Partition) -> None:
        self.cluster_centers_ = partition.centres
        self.labels_ = partition.labels
        self.n_clusters_ = len(partition.centres)
        self.inertia_ = partition.inertia
        self.n_iter_ = partition.iterations


def _count_distinct(values: Floats, enough: int) -> int:
    """Count different rows, as far as 10 significant digits tell them apart; stops counting at `enough`."""
    found: set[bytes] = set()
    for start in range(0, len(values), 1024):
        found.update(row.tobytes() for row in round_significant(values[start : start + 1024]))
        if len(found) >= enough:
            return enough
    return len(found)


def _column(values: list[Any]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _choose(table: dict[str, Any], min_share: float) -> tuple[int, tuple[str, ...]]:
    """Return the position of the best silhouette among partitions without tiny clusters, and a note if none is."""
    is_large = table["smallest_share"] >= min_share
    eligible = is_large if is_large.any() else np.ones_like(is_large)
    silhouette = np.where(np.isnan(table["silhouette"]), -np.inf, table["silhouette"])
    positions = np.flatnonzero(eligible)
    best = int(positions[np.argmax(silhouette[positions])])
    if is_large.any():
        return best, ()
    return best, (f"every k leaves a cluster below {min_share:.1%} of the rows; the best silhouette was taken",)
