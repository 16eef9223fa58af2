"""DBSCAN to find who is unlike everyone, K-means to partition the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segmentation_assets.clustering.dbscan import DbscanClusterer
from segmentation_assets.clustering.estimator import Assigned, CentreClusterer, Floats, Integers
from segmentation_assets.clustering.kmeans import KMeansClusterer
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.clustering.space import SpaceName
from segmentation_assets.tables.rounding import round_number


class HybridClusterer(CentreClusterer):
    """K-means on the rows that DBSCAN does not call noise; the noise joins the nearest centre with an outlier score.

    Parameters
    ----------
    space, n_components, eps, min_samples
        Of the density, as for `DbscanClusterer`.
    density_sample : int, default 10000
        Rows the density is measured on at most.
    k_min, k_max, n_clusters, n_init, max_iter, min_cluster_share, fit_sample, score_sample
        Of the partition, as for `KMeansClusterer`.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    density_ : DbscanClusterer
    cluster_centers_ : ndarray of shape (n_clusters_, n_features)
        Means of the rows that are no outliers.
    search_ : dict of str to ndarray
        As for `KMeansClusterer`.
    labels_, n_clusters_, fitted_count_, figures_, curves_, notes_
        As for `BaseClusterer`. Everyone has a cluster; a row is an outlier where its outlier score is above 1.

    Notes
    -----
    Outliers pull means towards themselves. Without them the centres describe ordinary rows, and each outlier is still
    served by the segment it is nearest to.
    """

    def __init__(
        self,
        *,
        space: SpaceName = "pca",
        n_components: int = 10,
        eps: float | None = None,
        min_samples: int | None = None,
        density_sample: int = 10_000,
        k_min: int = 3,
        k_max: int = 8,
        n_clusters: int | None = None,
        n_init: int = 5,
        max_iter: int = 300,
        min_cluster_share: float = 0.02,
        fit_sample: int = 50_000,
        score_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.space = space
        self.n_components = n_components
        self.eps = eps
        self.min_samples = min_samples
        self.density_sample = density_sample
        self.k_min = k_min
        self.k_max = k_max
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.min_cluster_share = min_cluster_share
        self.fit_sample = fit_sample
        self.score_sample = score_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        density = self._part(DbscanClusterer, seed, fit_sample=self.density_sample).fit(values)
        is_ordinary = density.labels_ != NOISE
        notes = list(density.notes_)
        if is_ordinary.sum() < max(2, self.n_clusters or self.k_min):
            is_ordinary[:] = True
            notes.append("too few rows are no outliers: the partition is made of all")
        partition = self._part(KMeansClusterer, seed, fit_sample=len(values)).fit(values[is_ordinary])
        self.density_ = density
        self.cluster_centers_ = partition.cluster_centers_
        self.n_clusters_ = partition.n_clusters_
        self.n_iter_ = partition.n_iter_
        self.search_ = partition.search_
        self.figures_ = {**density.figures_, "outlier_share": round_number(1.0 - is_ordinary.mean())}
        self.curves_ = density.curves_
        return [*notes, *partition.notes_]

    def _part(self, kind: Any, seed: int, *, fit_sample: int) -> Any:
        """Build one of the two parts from the parameters it shares with the whole."""
        shared = {name: value for name, value in self.get_params().items() if name in kind().get_params()}
        return kind(**{**shared, "fit_sample": fit_sample, "random_state": seed})

    def _assign(self, values: Floats) -> Assigned:
        scores = self.density_.assign(values).outlier_scores
        return replace(super()._assign(values), outlier_scores=scores)

    def _label(self, values: Floats) -> Integers:
        return super()._assign(values).labels

    def _choices(self) -> dict[str, Any]:
        return {"n_clusters": self.n_clusters_, "min_samples": self.density_.min_samples_}
