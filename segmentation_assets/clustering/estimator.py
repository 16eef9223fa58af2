"""What all clusterers share: checked input, samples, one assignment rule for old and new rows, canonical numbers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from segmentation_assets.clustering.distances import centre_distances
from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.tables.rounding import round_significant
from segmentation_assets.tables.sampling import draw_sample

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Self = TypeVar("Self", bound="BaseClusterer")

SEED_LIMIT = 2**31 - 1

CURVE_POINTS = 200
"""Entries of a curve that are kept for drawing."""

OF_ROWS = ("labels_", "membership_")
"""Attributes with an entry per row that was given to ``fit``; they are not stored."""

NOBODY = -1
"""Runner-up of a row that no second cluster is near to; the label of noise is the same number."""


LARGEST_INLIER = 1.0
"""Outlier score up to which a row is in a dense region."""


@dataclass(frozen=True)
class Assigned:
    """What a fitted clusterer says of rows; every array has one entry per row.

    Parameters
    ----------
    labels : ndarray of int
        Cluster number; -1 is noise.
    distances : ndarray of float
        Distance to the own cluster, for noise to the nearest one; NaN where there is no cluster.
    runners_up : ndarray of int
        The second nearest cluster; -1 where none competes.
    certainties : ndarray of float in [0, 1]
        How clearly the row is where it is. It orders rows; it is no probability.
    memberships : ndarray of shape (n_rows, n_clusters), or None
        Degrees that sum to 1; ``None`` for algorithms without.
    outlier_scores : ndarray of float, or None
        Above 1 outside of every dense region, NaN where there is none to measure from; ``None`` for algorithms that do
        not look for outliers.
    """

    labels: Integers
    distances: Floats
    runners_up: Integers
    certainties: Floats
    memberships: Floats | None = None
    outlier_scores: Floats | None = None

    @property
    def own_memberships(self) -> Floats:
        """Membership in the own cluster of each row; NaN without memberships."""
        if self.memberships is None:
            return np.full(len(self.labels), np.nan)
        own: Floats = self.memberships[np.arange(len(self.labels)), self.labels]
        return own

    @property
    def is_outlier(self) -> npt.NDArray[np.bool_] | None:
        """Whether each row lies outside of every dense region; ``None`` where none were looked for or found."""
        if self.outlier_scores is None or np.isnan(self.outlier_scores).all():
            return None
        found: npt.NDArray[np.bool_] = self.outlier_scores > LARGEST_INLIER
        return found

    def renumbered(self, numbers: Integers) -> Assigned:
        """Return the same in a new order of clusters, in which number i is what was ``numbers[i]``.

        A row as near to its runner-up as to its own cluster belongs to the one that now comes first, as where it is
        assigned anew.
        """
        labels, runners_up = renumber(self.labels, numbers), renumber(self.runners_up, numbers)
        swaps = (self.certainties == 0) & (runners_up != NOBODY) & (runners_up < labels)
        memberships = None if self.memberships is None else self.memberships[:, numbers]
        return replace(
            self,
            labels=np.where(swaps, runners_up, labels),
            runners_up=np.where(swaps, labels, runners_up),
            memberships=memberships,
        )


class BaseClusterer(ClusterMixin, BaseEstimator):
    """A clusterer that fits on a sample and gives any row, old or new, the same answer alone and in a batch.

    Attributes
    ----------
    labels_ : ndarray of shape (n_rows,)
        Equal to ``predict`` of the rows that were given to ``fit``, unless the algorithm says otherwise.
    n_clusters_ : int
    fitted_count_ : int
        Rows that were fitted on.
    figures_ : dict of str to number or str
        What is worth showing of the fit, such as ``eps`` or ``bic``.
    curves_ : dict of str to ndarray
        What is worth drawing, such as the sorted distances to the k-th neighbour; at most a few hundred numbers each.
    notes_ : tuple of str
        Choices made for the user.
    membership_ : ndarray of shape (n_rows, n_clusters_)
        Degrees of membership of the rows that were given to ``fit``; only of algorithms that know degrees. It is as
        large as the data, so it is left out where the estimator is copied, pickled or stored; ``assign`` of the rows
        gives it again.

    Notes
    -----
    Subclasses implement `_learn`, `_assign`, `_reorder` and `_choices`. Fits run on one thread, so that the last bits
    do not depend on the machine's load.
    """

    fit_sample: int
    random_state: Any
    labels_: Integers
    n_clusters_: int
    fitted_count_: int
    figures_: dict[str, Any]
    curves_: dict[str, Floats]
    notes_: tuple[str, ...]
    membership_: Floats

    def fit(self: Self, X: Any, y: None = None) -> Self:
        """Learn from finite numbers.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            At least two rows. Of more than `fit_sample` rows a seeded sample is fitted on, and all are assigned.
        y : None
            Ignored.

        Returns
        -------
        BaseClusterer
            Itself.
        """
        self.fit_assign(X)
        return self

    def fit_assign(self, X: Any) -> Assigned:
        """Learn from rows as `fit` does, and return what `assign` says of them without a second look at them."""
        values = np.ascontiguousarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2))
        seed = int(check_random_state(self.random_state).randint(SEED_LIMIT))
        sample = draw_sample(len(values), self.fit_sample, seed)
        self.fitted_count_ = len(sample)
        self.figures_, self.curves_ = {}, {}
        with one_thread():
            self.notes_ = tuple(self._learn(values if len(sample) == len(values) else values[sample], seed))
            assigned = self._assign(values)
        self.labels_ = self._fitted_labels(assigned.labels, sample)
        if assigned.memberships is not None:
            self.membership_ = assigned.memberships
        return assigned

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is known of single rows: a stored model holds what it needs for new ones."""
        state = super().__getstate__()
        return {name: part for name, part in state.items() if name not in OF_ROWS}

    def assign(self, X: Any) -> Assigned:
        """Apply the learned rule to rows of shape (n_rows, n_features), one or many."""
        values = self._checked(X)
        with one_thread():
            return self._assign(values)

    def predict(self, X: Any) -> Integers:
        """Return the cluster of each row, shape (n_rows,); -1 is noise."""
        values = self._checked(X)
        with one_thread():
            return self._label(values)

    def reorder_clusters(self: Self, order: Integers) -> Self:
        """Renumber the clusters: number i becomes what was ``order[i]``; returns itself."""
        check_is_fitted(self)
        numbers = np.asarray(order)
        self._reorder(numbers)
        self.labels_ = renumber(self.labels_, numbers)
        if hasattr(self, "membership_"):
            self.membership_ = self.membership_[:, numbers]
        return self

    def refit_copy(self: Self, random_state: int) -> Self:
        """Return an unfitted copy with the choices of this fit fixed, for resampling."""
        check_is_fitted(self)
        return type(self)(**{**self.get_params(), **self._choices(), "random_state": random_state})

    def _checked(self, X: Any) -> Floats:
        """Return rows as numbers, of as many features as were fitted on."""
        check_is_fitted(self)
        return np.ascontiguousarray(validate_data(self, X, dtype=np.float64, reset=False))

    def _label(self, values: Floats) -> Integers:
        """Return the labels of `_assign` alone; for algorithms to which the rest of it is expensive."""
        return self._assign(values).labels

    def _fitted_labels(self, labels: Integers, sample: Integers) -> Integers:
        """Return `labels_`, from what the rows are assigned and the positions of those that were fitted on."""
        return labels

    @abstractmethod
    def _learn(self, values: Floats, seed: int) -> list[str]:
        """Fit the rows and return notes; sets `n_clusters_` and what `_assign` needs."""

    @abstractmethod
    def _assign(self, values: Floats) -> Assigned:
        """Apply the rule, row by row: no result may depend on which rows stand beside one."""

    @abstractmethod
    def _reorder(self, numbers: Integers) -> None:
        """Bring what `_assign` needs into a new order of clusters."""

    @abstractmethod
    def _choices(self) -> dict[str, Any]:
        """Parameters that fix what this fit has chosen."""


class CentreClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseClusterer):
    """A clusterer that gives each row to the nearest centre.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters_, n_features)
        Rounded to 10 significant digits.
    """

    cluster_centers_: Floats

    def transform(self, X: Any) -> Floats:
        """Return the distance of each row to each centre, shape (n_rows, n_clusters_)."""
        return centre_distances(self._checked(X), self.cluster_centers_)

    def _assign(self, values: Floats) -> Assigned:
        return assign_to_nearest(centre_distances(values, self.cluster_centers_))

    def _reorder(self, numbers: Integers) -> None:
        self.cluster_centers_ = self.cluster_centers_[numbers]

    @property
    def _n_features_out(self) -> int:
        return int(self.n_clusters_)


def assign_to_nearest(distances: Floats) -> Assigned:
    """Give each row to the nearest of the clusters; of equally near ones to the first.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_clusters)

    Returns
    -------
    Assigned
        The certainty is ``1 - nearest / second nearest``: 1 at the centre, 0 half way between two.
    """
    first, second = two_smallest(distances)
    rows = np.arange(len(distances))
    nearest = distances[rows, first]
    if distances.shape[1] < 2:
        return Assigned(first, nearest, second, np.ones(len(distances)))
    next_one = distances[rows, second]
    certainties = 1.0 - np.divide(nearest, next_one, out=np.ones_like(nearest), where=next_one > 0)
    return Assigned(first, nearest, second, certainties)


def two_smallest(values: Floats) -> tuple[Integers, Integers]:
    """Return the positions of the smallest and second smallest entry of each row; -1 where there is no second."""
    first = values.argmin(axis=1)
    if values.shape[1] < 2:
        return first, np.full(len(values), NOBODY)
    others = values.copy()
    others[np.arange(len(values)), first] = np.inf
    return first, others.argmin(axis=1)


def lead(memberships: Floats, first: Integers, second: Integers) -> Floats:
    """Return how far the membership in the first cluster of each row lies above that in the second, if there is one."""
    rows = np.arange(len(memberships))
    found: Floats = memberships[rows, first] - (memberships[rows, second] if memberships.shape[1] > 1 else 0.0)
    return found


def thinned(curve: Floats, points: int = CURVE_POINTS) -> Floats:
    """Keep evenly spaced entries of a curve, its ends among them, rounded for storing."""
    places = np.unique(np.linspace(0, len(curve) - 1, min(points, len(curve))).round().astype(int))
    return round_significant(curve[places])


def renumber(labels: Integers, numbers: Integers) -> Integers:
    """Give clusters the numbers they have in a new order, in which number i is what was ``numbers[i]``."""
    new: Integers = np.append(np.argsort(numbers), NOBODY)[labels]
    return new


def compact(labels: Integers) -> tuple[Integers, int]:
    """Number the clusters that occur 0, 1, … in their order; noise stays -1. Returns labels and count."""
    numbers = np.unique(labels[labels >= 0])
    return np.where(labels < 0, labels, np.searchsorted(numbers, labels)), len(numbers)
