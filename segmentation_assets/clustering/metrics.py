"""Scores of one partition: silhouette, Davies-Bouldin, Calinski-Harabasz, coverage and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
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

BLOCK_ROWS = 512
"""Rows whose distances to as many others are held at once: few enough to stay near the processor."""


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
    """Score several partitions of the same rows from one pass over the distances, noise a group of its own.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    partitions : sequence of ndarray of shape (n_rows,)
        Group numbers; every number, -1 too, is a group.

    Returns
    -------
    list of PartitionScores
        In the order of `partitions`, rounded to 10 significant digits. All are ``None`` for fewer than two groups, as
        many groups as rows, or rows without features.

    Notes
    -----
    Silhouette: per row a = mean distance to the other rows of its group, b = smallest mean distance to another group,
    and s = (b - a) / max(a, b); s = 0 for a group of one. Memory is bounded by working in blocks of rows.

    References
    ----------
    Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7; Davies and Bouldin (1979), doi:10.1109/TPAMI.1979.4766909;
    Calinski and Harabasz (1974), doi:10.1080/03610927408827101.
    """
    groupings = [_Grouping.of(labels) for labels in partitions]
    with one_thread():
        distances = _sum_distances(values, [grouping.members for grouping in groupings])
        return [_score(values, *parts) for parts in zip(partitions, groupings, distances, strict=True)]


@dataclass(frozen=True)
class _Grouping:
    """A partition as group indices, sizes and indicator matrix, shape (n_rows, n_groups)."""

    index: Integers
    sizes: Integers
    members: Floats

    @classmethod
    def of(cls, labels: Integers) -> _Grouping:
        import numpy as np

        _, index, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        return cls(index, sizes, np.eye(len(sizes))[index])


def _sum_distances(values: Floats, members: Sequence[Floats]) -> list[Floats]:
    """Sum the distances of each row to the rows of each group; in and out an array per partition."""
    import numpy as np

    columns = np.hstack(members)
    sums = np.zeros_like(columns)
    lengths = np.square(values).sum(axis=1)
    blocks = [slice(start, start + BLOCK_ROWS) for start in range(0, len(values), BLOCK_ROWS)]
    for one, other in combinations_with_replacement(blocks, 2):
        distances = values[one] @ values[other].T
        distances *= -2.0
        distances += lengths[one, None]
        distances += lengths[other]
        np.sqrt(np.maximum(distances, 0.0, out=distances), out=distances)
        if one == other:
            np.fill_diagonal(distances, 0.0)
        else:
            sums[other] += distances.T @ columns[one]
        sums[one] += distances @ columns[other]
    ends = np.cumsum([part.shape[1] for part in members])
    return np.split(sums, ends[:-1], axis=1)


def _score(values: Floats, labels: Integers, grouping: _Grouping, distances: Floats) -> PartitionScores:
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    silhouette = _silhouette(distances, grouping.index, grouping.sizes) if values.shape[1] else None
    if silhouette is None:
        return PartitionScores(None, None, None, None)
    is_covered, first = labels != NOISE, int((labels == NOISE).any())
    covered = _silhouette(distances[is_covered, first:], grouping.index[is_covered] - first, grouping.sizes[first:])
    return PartitionScores(
        silhouette,
        covered,
        round_number(davies_bouldin_score(values, labels)),
        round_number(calinski_harabasz_score(values, labels)),
    )


def _silhouette(distances: Floats, index: Integers, sizes: Integers) -> float | None:
    """Average the silhouettes of rows, from the sums of their distances to each group."""
    import numpy as np

    if not 2 <= len(sizes) < len(index):
        return None
    rows = np.arange(len(index))
    within = distances[rows, index] / np.maximum(sizes[index] - 1, 1)
    between = distances / sizes
    between[rows, index] = np.inf
    nearest = between.min(axis=1)
    largest = np.maximum(within, nearest)
    is_defined = (sizes[index] > 1) & (largest > 0)
    ratio = (nearest - within)[is_defined] / largest[is_defined]
    return round_number(ratio.sum() / len(index))
