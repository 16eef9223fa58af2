"""Scores of one partition: silhouette, Davies-Bouldin, Calinski-Harabasz, coverage and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.tables.rounding import round_number, round_significant

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

NOISE = -1
"""Label of rows that belong to no cluster."""

SCORE_NAMES = ("silhouette", "davies_bouldin", "calinski_harabasz")
"""Scores of a partition as a whole, noise a group of its own: fields of `PartitionScores`."""

DISTANCES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class PartitionSizes:
    """How a partition divides all customers; shares are of all, noise included."""

    n_clusters: int
    customer_count: int
    coverage: float
    smallest_count: int
    smallest_share: float


@dataclass(frozen=True)
class PartitionScores:
    """Internal scores on a sample; ``None`` where there are fewer than two groups or no features.

    The covered silhouette leaves noise out; the others count it as a group of its own.
    """

    silhouette: float | None
    covered_silhouette: float | None
    davies_bouldin: float | None
    calinski_harabasz: float | None


def measure_sizes(labels: Integers) -> PartitionSizes:
    """Count clusters and customers; noise is counted as not covered.

    Parameters
    ----------
    labels : ndarray of shape (n_customers,)
        Cluster numbers; -1 is noise.

    Returns
    -------
    PartitionSizes
        The smallest cluster is 0 customers when there is no cluster.
    """
    import numpy as np

    _, counts = np.unique(labels[labels != NOISE], return_counts=True)
    smallest = int(counts.min()) if len(counts) else 0
    return PartitionSizes(
        n_clusters=len(counts),
        customer_count=len(labels),
        coverage=round_number(counts.sum() / max(len(labels), 1)),
        smallest_count=smallest,
        smallest_share=round_number(smallest / max(len(labels), 1)),
    )


def set_small_aside(labels: Integers, min_share: float, min_count: int) -> Integers:
    """Turn clusters that are too small to be segments into noise; their rows are exceptional, not lost.

    Parameters
    ----------
    labels : ndarray of shape (n_customers,)
        Cluster numbers; -1 is noise.
    min_share : float
        Share of all customers that a cluster needs.
    min_count : int
        Customers that a cluster needs.

    Returns
    -------
    ndarray of shape (n_customers,)
        The other clusters keep their numbers.

    Examples
    --------
    >>> import numpy as np
    >>> set_small_aside(np.array([0, 0, 0, 1, -1, 2, 2, 2]), 0.2, 2)
    array([ 0,  0,  0, -1, -1,  2,  2,  2])
    """
    import numpy as np

    numbers, counts = np.unique(labels, return_counts=True)
    is_small = (counts < min_count) | (round_significant(counts / max(len(labels), 1)) < min_share)
    return np.where(np.isin(labels, numbers[is_small]), NOISE, labels)


def score_partitions(values: Floats, partitions: Sequence[Integers]) -> list[PartitionScores]:
    """Score several partitions of the same rows, noise counted as a group of its own.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    partitions : sequence of ndarray of shape (n_rows,)

    Returns
    -------
    list of PartitionScores
        In the order of `partitions`, rounded to 10 significant digits.

    References
    ----------
    Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7; Davies and Bouldin (1979), doi:10.1109/TPAMI.1979.4766909;
    Calinski and Harabasz (1974), doi:10.1080/03610927408827101.
    """
    silhouettes = mean_silhouettes(values, partitions)
    return [
        _scores_beside(values, labels, silhouette) for labels, silhouette in zip(partitions, silhouettes, strict=True)
    ]


def _covered_silhouette(values: Floats, labels: Integers, silhouette: float | None) -> float | None:
    """Silhouette of the rows that are no noise, among themselves."""
    is_covered = labels != NOISE
    if is_covered.all():
        return silhouette
    return mean_silhouettes(values[is_covered], [labels[is_covered]])[0] if is_covered.any() else None


def _scores_beside(values: Floats, labels: Integers, silhouette: float | None) -> PartitionScores:
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    if silhouette is None:
        return PartitionScores(None, None, None, None)
    with one_thread():
        davies_bouldin = davies_bouldin_score(values, labels)
        calinski_harabasz = calinski_harabasz_score(values, labels)
    covered = _covered_silhouette(values, labels, silhouette)
    return PartitionScores(silhouette, covered, round_number(davies_bouldin), round_number(calinski_harabasz))


def mean_silhouettes(values: Floats, partitions: Sequence[Integers]) -> list[float | None]:
    """Compute the mean silhouette of several partitions from one pass over the distances.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    partitions : sequence of ndarray of shape (n_rows,)
        Group numbers; every number, -1 too, is a group.

    Returns
    -------
    list of float or None
        ``None`` for fewer than two groups, as many groups as rows, or rows without features.

    Notes
    -----
    Per row a = mean distance to the other rows of its group, b = smallest mean distance to another group, and
    s = (b - a) / max(a, b); s = 0 for a group of one (Rousseeuw 1987). Memory is bounded by working in slices of rows.
    """
    from sklearn.metrics import euclidean_distances

    if not values.shape[1]:
        return [None] * len(partitions)
    groups = [_Groups.of(labels) for labels in partitions]
    totals = [0.0] * len(groups)
    step = max(1, DISTANCES_AT_ONCE // max(1, len(values)))
    with one_thread():
        for start in range(0, len(values), step):
            distances = euclidean_distances(values[start : start + step], values)
            distances.flat[start :: len(values) + 1] = 0.0
            for number, group in enumerate(groups):
                totals[number] += group.silhouette_sum(distances, start)
    return [
        round_number(total / len(values)) if group.is_scorable else None
        for total, group in zip(totals, groups, strict=True)
    ]


@dataclass(frozen=True)
class _Groups:
    """A partition as group indices, sizes and indicator matrix."""

    index: Integers
    sizes: Integers
    indicator: Floats

    @classmethod
    def of(cls, labels: Integers) -> _Groups:
        import numpy as np

        _, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        return cls(index, sizes, np.eye(len(sizes))[index])

    @property
    def is_scorable(self) -> bool:
        return 2 <= len(self.sizes) < len(self.index)

    def silhouette_sum(self, distances: Floats, start: int) -> float:
        """Sum the silhouettes of the rows from `start` on; `distances` are theirs to all rows."""
        import numpy as np

        if not self.is_scorable:
            return 0.0
        own = self.index[start : start + len(distances)]
        rows = np.arange(len(distances))
        sums = distances @ self.indicator
        within = sums[rows, own] / np.maximum(self.sizes[own] - 1, 1)
        between = sums / self.sizes
        between[rows, own] = np.inf
        nearest = between.min(axis=1)
        largest = np.maximum(within, nearest)
        is_defined = (self.sizes[own] > 1) & (largest > 0)
        ratio = (nearest - within)[is_defined] / largest[is_defined]
        return float(ratio.sum())
