"""K-means that chooses its number of clusters; heavy imports, so it is loaded through `registry.py` only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from segmentation_assets.clustering.distances import centre_distances
from segmentation_assets.clustering.estimator import CentreClusterer, Floats, Integers
from segmentation_assets.clustering.matching import adjusted_rand_index
from segmentation_assets.clustering.search import (
    Criterion,
    Search,
    choose,
    count_distinct,
    elbow_strength,
    numbers_to_try,
    score_search,
)
from segmentation_assets.tables.rounding import round_number, round_significant
from segmentation_assets.tables.sampling import draw_sample

SEARCH_REFIT_ROWS = 2_000
"""Rows of a fit whose agreement with others is the stability of the search, at most."""


@dataclass(frozen=True)
class _Partition:
    """K-means of one k: rounded centres and the labels that follow from them."""

    centres: Floats
    labels: Integers
    inertia: float
    iterations: int


class KMeansClusterer(CentreClusterer):
    """K-means over a range of k, the best k chosen by one of five scores.

    Parameters
    ----------
    k_min, k_max : int, default 3 and 8
        Numbers of clusters tried, both included; ignored when `n_clusters` is given.
    choose_by : str, default "silhouette"
        ``silhouette``, ``davies_bouldin``, ``calinski_harabasz``, ``elbow`` or ``stability``.
    n_clusters : int or None, default None
        Fit exactly this number, without search and scores.
    n_init : int, default 5
        Restarts per k; the one with the smallest inertia counts.
    max_iter : int, default 300
        Iterations of one restart at most.
    min_cluster_share : float in [0, 1], default 0.02
        A k whose smallest cluster holds a smaller share of the rows is chosen only when every k has such a cluster.
    search_refits : int, default 4
        Fits on parts of the rows, per number of clusters tried, whose agreement is the stability of the search; with
        fewer than 2 there is none.
    fit_sample : int, default 50000
        Rows fitted on at most.
    score_sample : int, default 10000
        Rows that the scores of the search are computed on at most; one seeded sample for all k.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters_, n_features)
        Rounded to 10 significant digits.
    labels_ : ndarray of shape (n_rows,)
        Nearest centre of each row; equal to ``predict`` of the same rows.
    n_clusters_, fitted_count_ : int
    search_ : dict of str to ndarray
        A column per entry, a row per k tried: k, silhouette, davies_bouldin, calinski_harabasz, inertia, elbow
        (`elbow_strength`), stability (mean adjusted Rand index between fits on parts of the rows), smallest_share,
        is_chosen. Scores are NaN where they are undefined or not computed.
    inertia_ : float
        Sum of squared distances to the nearest centre, over the rows fitted on.
    n_iter_ : int
    notes_ : tuple of str
        Choices made for the user, such as fewer clusters than asked for.

    Notes
    -----
    Of two k with equal score the smaller one is chosen, of two with equal stability the larger one. The elbow looks at
    one cluster less and one more than is asked for. The default does not try two clusters: where there are no groups,
    two halves of the cloud often have the best silhouette.

    References
    ----------
    Lloyd (1982), doi:10.1109/TIT.1982.1056489; Arthur and Vassilvitskii (2007), k-means++.
    """

    def __init__(
        self,
        *,
        k_min: int = 3,
        k_max: int = 8,
        choose_by: Criterion = "silhouette",
        n_clusters: int | None = None,
        n_init: int = 5,
        max_iter: int = 300,
        min_cluster_share: float = 0.02,
        search_refits: int = 4,
        fit_sample: int = 50_000,
        score_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.choose_by = choose_by
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.min_cluster_share = min_cluster_share
        self.search_refits = search_refits
        self.fit_sample = fit_sample
        self.score_sample = score_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        tried, notes = numbers_to_try(values, self.k_min, self.k_max, self.n_clusters)
        partitions = [self._partition(values, k, seed) for k in tried]
        search = self._search(values, partitions, seed)
        best, note = choose(search, self.min_cluster_share, self.choose_by)
        self._keep(partitions[best])
        self.search_ = {**search, "is_chosen": np.arange(len(partitions)) == best}
        return [*notes, *note]

    def _choices(self) -> dict[str, Any]:
        return {"n_clusters": self.n_clusters_}

    def _partition(self, values: Floats, k: int, seed: int) -> _Partition:
        fitted = KMeans(n_clusters=k, n_init=self.n_init, max_iter=self.max_iter, random_state=seed).fit(values)
        centres = round_significant(fitted.cluster_centers_)
        distances = centre_distances(values, centres)
        used = np.unique(distances.argmin(axis=1))
        distances = distances[:, used]
        inertia = round_number(np.square(distances.min(axis=1)).sum())
        return _Partition(centres[used], distances.argmin(axis=1), inertia, int(fitted.n_iter_))

    def _search(self, values: Floats, partitions: list[_Partition], seed: int) -> Search:
        inertias = [partition.inertia for partition in partitions]
        is_search = self.n_clusters is None
        is_stability_wanted = is_search and self.search_refits > 1
        numbers = [len(partition.centres) for partition in partitions]
        further = {
            "inertia": inertias,
            "elbow": self._elbow(values, inertias, numbers, seed) if is_search else [np.nan],
            "stability": [self._stability(values, k, seed) if is_stability_wanted else np.nan for k in numbers],
        }
        sample = self.score_sample if is_search else 0
        return score_search(values, [partition.labels for partition in partitions], further, sample, seed)

    def _elbow(self, values: Floats, inertias: list[float], numbers: list[int], seed: int) -> list[float]:
        """Return the strength of the elbow at each number, the first and the last among them."""
        before, after = max(1, numbers[0] - 1), numbers[-1] + 1
        is_possible = count_distinct(values, after) == after
        first = self._partition(values, before, seed).inertia
        last = self._partition(values, after, seed).inertia if is_possible else inertias[-1]
        return elbow_strength([first, *inertias, last])

    def _stability(self, values: Floats, k: int, seed: int) -> float:
        """Return the mean agreement of successive fits on parts of the rows, on rows of which neither saw all."""
        judged = values[draw_sample(len(values), SEARCH_REFIT_ROWS, seed)]
        labels = []
        for number in range(self.search_refits):
            part = draw_sample(len(values), min(SEARCH_REFIT_ROWS, max(k, len(values) // 2)), seed + number)
            fitted = KMeans(n_clusters=k, n_init=1, max_iter=self.max_iter, random_state=seed + number)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a part may hold fewer than k different rows
                centres = fitted.fit(values[part]).cluster_centers_
            labels.append(centre_distances(judged, centres).argmin(axis=1))
        return round_number(float(np.mean([adjusted_rand_index(one, other) for one, other in pairwise(labels)])))

    def _keep(self, partition: _Partition) -> None:
        self.cluster_centers_ = partition.centres
        self.n_clusters_ = len(partition.centres)
        self.inertia_ = partition.inertia
        self.n_iter_ = partition.iterations
