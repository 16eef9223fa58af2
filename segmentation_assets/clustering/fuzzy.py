"""Fuzzy C-means: every row belongs to every cluster to a degree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.cluster import kmeans_plusplus

from segmentation_assets.clustering.distances import centre_distances
from segmentation_assets.clustering.estimator import (
    Assigned,
    CentreClusterer,
    Floats,
    lead,
    two_smallest,
)
from segmentation_assets.clustering.mixture import posterior_figures
from segmentation_assets.clustering.search import choose, numbers_to_try, score_search
from segmentation_assets.tables.rounding import round_number, round_significant

COINCIDENT = 0.05
"""Centres closer than this share of the spread of all rows are one: the memberships have collapsed."""

FuzzyCriterion = Literal["silhouette", "xie_beni", "partition_coefficient"]


@dataclass(frozen=True)
class _Fit:
    centres: Floats
    memberships: Floats
    objective: float
    iterations: int


class FuzzyCMeansClusterer(CentreClusterer):
    """Fuzzy C-means with the number of clusters searched, and a fuzzifier that fits the number of features.

    Parameters
    ----------
    k_min, k_max : int, default 3 and 8
        Numbers of clusters tried, both included; ignored when `n_clusters` is given.
    n_clusters : int or None, default None
        Fit exactly this number, without search and scores.
    fuzzifier : float above 1, or None, default None
        Exponent m. By default `fit_fuzzifier` of rows and features; 2 is usual for few features, and makes all
        memberships alike with many.
    choose_by : {"silhouette", "xie_beni", "partition_coefficient"}, default "silhouette"
    n_init : int, default 3
        Restarts; the one with the smallest objective counts.
    max_iter : int, default 150
    tol : float, default 0.005
        The iteration ends when no membership changes by more.
    min_cluster_share : float in [0, 1], default 0.02
    fit_sample : int, default 20000
    score_sample : int, default 10000
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters_, n_features)
    fuzzifier_ : float
    search_ : dict of str to ndarray
        A row per number of clusters: as `score_search` returns it, with partition_coefficient, normalised_coefficient,
        partition_entropy and xie_beni.
    labels_, membership_, n_clusters_, fitted_count_, figures_, notes_
        As for `BaseClusterer`. A row's cluster is that of its largest membership. Centres that coincide are merged,
        which a note says: with such memberships there are fewer clusters than were asked for.

    Notes
    -----
    With memberships u and centres c, the sum of ``u**m * d(row, c)**2`` is made small by turns. The partition
    coefficient is the mean of the sum of ``u**2`` (1 is crisp, 1/k has collapsed; normalised to [0, 1]); partition
    entropy is the mean of ``-u log u``; Xie-Beni is the objective with m = 2 per row over the smallest squared distance
    between centres.

    References
    ----------
    Bezdek (1981), doi:10.1007/978-1-4757-0450-1; Xie and Beni (1991), doi:10.1109/34.85677; Dave (1996),
    doi:10.1016/0167-8655(96)00026-8 (normalised coefficient); Schwaemmle and Jensen (2010),
    doi:10.1093/bioinformatics/btq534 (fuzzifier).
    """

    def __init__(
        self,
        *,
        k_min: int = 3,
        k_max: int = 8,
        n_clusters: int | None = None,
        fuzzifier: float | None = None,
        choose_by: FuzzyCriterion = "silhouette",
        n_init: int = 3,
        max_iter: int = 150,
        tol: float = 0.005,
        min_cluster_share: float = 0.02,
        fit_sample: int = 20_000,
        score_sample: int = 10_000,
        random_state: Any = None,
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.n_clusters = n_clusters
        self.fuzzifier = fuzzifier
        self.choose_by = choose_by
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.min_cluster_share = min_cluster_share
        self.fit_sample = fit_sample
        self.score_sample = score_sample
        self.random_state = random_state

    def _learn(self, values: Floats, seed: int) -> list[str]:
        self.fuzzifier_ = self.fuzzifier or fit_fuzzifier(*values.shape)
        tried, notes = numbers_to_try(values, self.k_min, self.k_max, self.n_clusters)
        fits = [self._best_of(values, k, seed) for k in tried]
        partitions = [fit.memberships.argmax(axis=1) for fit in fits]
        indices = [fuzzy_indices(values, fit.centres, fit.memberships) for fit in fits]
        columns = {name: [found[name] for found in indices] for name in indices[0]}
        search = score_search(values, partitions, columns, self.score_sample if self.n_clusters is None else 0, seed)
        search["k"] = np.array(tried)
        best, note = choose(search, self.min_cluster_share, self.choose_by)
        self.search_ = {**search, "is_chosen": np.arange(len(tried)) == best}
        notes += [*note, *self._keep(values, fits[best])]
        memberships = self._memberships(centre_distances(values, self.cluster_centers_))
        self.figures_ = {"fuzzifier": self.fuzzifier_, **indices[best], **posterior_figures(memberships)}
        return notes

    def _best_of(self, values: Floats, k: int, seed: int) -> _Fit:
        fits = (self._fit_once(values, k, seed + number) for number in range(self.n_init))
        return min(fits, key=lambda fit: fit.objective)

    def _fit_once(self, values: Floats, k: int, seed: int) -> _Fit:
        """Fit from one start; within the loop clusters stand in rows, which is several times faster."""
        centres, _ = kmeans_plusplus(values, k, random_state=seed)
        lengths = np.square(values).sum(axis=1)
        squares = _squares(centres, values, lengths)
        memberships = _shares(squares, self.fuzzifier_, axis=0)
        iterations, change = 0, np.inf
        while change > self.tol and iterations < self.max_iter:
            powers = memberships**self.fuzzifier_
            centres = (powers @ values) / powers.sum(axis=1)[:, None]
            squares = _squares(centres, values, lengths)
            before, memberships = memberships, _shares(squares, self.fuzzifier_, axis=0)
            change, iterations = np.abs(memberships - before).max(), iterations + 1
        return _Fit(centres, memberships.T, float((memberships**self.fuzzifier_ * squares).sum()), iterations)

    def _keep(self, values: Floats, fit: _Fit) -> list[str]:
        """Take over the centres, those that coincide only once."""
        centres = round_significant(fit.centres)
        spread = np.sqrt(values.var(axis=0).sum())
        apart: list[int] = []
        for number, centre in enumerate(centres):
            if all(np.linalg.norm(centre - centres[other]) > COINCIDENT * spread for other in apart):
                apart.append(number)
        self.cluster_centers_ = centres[apart]
        self.n_clusters_ = len(apart)
        self.n_iter_ = fit.iterations
        if len(apart) == len(centres):
            return []
        return [
            f"the memberships collapse: {len(centres)} centres lie in {len(apart)} places with fuzzifier "
            f"{self.fuzzifier_:.4g}; a smaller fuzzifier keeps them apart"
        ]

    def _memberships(self, distances: Floats) -> Floats:
        return _shares(np.square(distances), self.fuzzifier_, axis=1)

    def _assign(self, values: Floats) -> Assigned:
        distances = centre_distances(values, self.cluster_centers_)
        memberships = self._memberships(distances)
        first, second = two_smallest(distances)
        nearest = distances[np.arange(len(values)), first]
        return Assigned(first, nearest, second, lead(memberships, first, second), memberships=memberships)

    def _choices(self) -> dict[str, Any]:
        return {"n_clusters": self.n_clusters_, "fuzzifier": self.fuzzifier_, "n_init": 1}


def fit_fuzzifier(n_rows: int, n_features: int) -> float:
    """Return the fuzzifier at which rows without clusters would just collapse, for this size of the data.

    Parameters
    ----------
    n_rows, n_features : int

    Notes
    -----
    ``1 + (1418/N + 22.05) / D**2 + (12.33/N + 0.243) * D**(-0.0406 ln N - 0.1134)``, at most 2 (Schwaemmle and Jensen
    2010, equation 5).

    Examples
    --------
    >>> fit_fuzzifier(10_000, 2), fit_fuzzifier(10_000, 40)
    (2.0, 1.054332748)
    """
    first = (1418 / n_rows + 22.05) / n_features**2
    second = (12.33 / n_rows + 0.243) * n_features ** (-0.0406 * np.log(n_rows) - 0.1134)
    return round_number(min(2.0, 1 + first + second))


def fuzzy_indices(values: Floats, centres: Floats, memberships: Floats) -> dict[str, float]:
    """Compute partition coefficient, its normalised form, partition entropy and Xie-Beni of a fuzzy partition.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    centres : ndarray of shape (n_clusters, n_features)
    memberships : ndarray of shape (n_rows, n_clusters)

    Returns
    -------
    dict of str to float
        Xie-Beni is infinite where two centres coincide.
    """
    k = memberships.shape[1]
    squares = _squares(centres, values, np.square(values).sum(axis=1)).T
    between = _squares(centres, centres, np.square(centres).sum(axis=1))[~np.eye(k, dtype=bool)]
    closest = between.min() if k > 1 else 0.0
    coefficient = np.square(memberships).sum(axis=1).mean()
    safe = np.where(memberships > 0, memberships, 1.0)
    compactness = (np.square(memberships) * squares).sum() / len(values)
    return {
        "partition_coefficient": round_number(coefficient),
        "normalised_coefficient": round_number(1 - k / (k - 1) * (1 - coefficient)) if k > 1 else 0.0,
        "partition_entropy": round_number(-(memberships * np.log(safe)).sum(axis=1).mean()),
        "xie_beni": round_number(compactness / closest) if closest > 0 else float("inf"),
    }


def _squares(centres: Floats, values: Floats, lengths: Floats) -> Floats:
    """Return squared distances of centres to rows of known squared lengths, shape (n_clusters, n_rows).

    Those of one fit are never stored, so matrix products will do.
    """
    squares: Floats = centres @ values.T
    squares *= -2.0
    squares += np.square(centres).sum(axis=1)[:, None]
    squares += lengths
    return np.maximum(squares, 0.0, out=squares)


def _shares(squares: Floats, fuzzifier: float, *, axis: int) -> Floats:
    """Turn squared distances to the centres along an axis into memberships; a row on a centre belongs to it alone."""
    shares: Floats = np.log(np.maximum(squares, np.finfo(float).tiny))
    shares /= 1.0 - fuzzifier
    shares -= shares.max(axis=axis, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=axis, keepdims=True)
    return shares
