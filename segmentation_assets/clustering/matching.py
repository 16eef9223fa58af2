"""Which cluster of one partition is which of another, and how much of each comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.tables.rounding import round_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """How a second partition of the same rows relates to a first one.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        The second partition in the numbers of the first; -1 is noise, and clusters without a partner are -2.
    jaccard : ndarray of shape (n_clusters,)
        For each cluster of the first partition the largest Jaccard index with any cluster of the second; NaN for one
        without rows.
    """

    labels: Integers
    jaccard: Floats


UNMATCHED = -2
"""Label of rows whose cluster has no partner."""


def match_clusters(first: Integers, second: Integers, n_clusters: int) -> Match:
    """Match the clusters of two partitions one to one, so that as many rows as possible agree.

    Parameters
    ----------
    first, second : ndarray of shape (n_rows,)
        Cluster numbers; -1 is noise and stays noise.
    n_clusters : int
        Clusters of the first partition.

    Returns
    -------
    Match

    References
    ----------
    Kuhn (1955), doi:10.1002/nav.3800020109; Hennig (2007), doi:10.1016/j.csda.2006.11.025 (Jaccard).

    Examples
    --------
    >>> import numpy as np
    >>> match_clusters(np.array([0, 0, 1, 1, -1]), np.array([5, 5, 3, -1, -1]), 2)
    Match(labels=array([ 0,  0,  1, -1, -1]), jaccard=array([1. , 0.5]))
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    numbers = np.unique(second[second != NOISE])
    is_one = first == np.arange(n_clusters)[:, None]
    is_other = second == numbers[:, None]
    overlaps = is_one.astype(np.int64) @ is_other.T.astype(np.int64)
    partners = np.full(int(numbers.max(initial=-1)) + 2, UNMATCHED)
    partners[NOISE] = NOISE
    for one, other in zip(*linear_sum_assignment(-overlaps), strict=True):
        if overlaps[one, other]:
            partners[numbers[other]] = one
    return Match(partners[second], _jaccard(first, second, overlaps, numbers))


def adjusted_rand_index(first: Integers, second: Integers) -> float:
    """Measure how far two partitions agree: 1 is the same, 0 as much as by chance.

    Parameters
    ----------
    first, second : ndarray of shape (n_rows,)
        Group numbers of the same rows; -1 is a group too.

    Returns
    -------
    float
        Rounded to 10 significant digits.

    References
    ----------
    Hubert and Arabie (1985), doi:10.1007/BF01908075.

    Examples
    --------
    >>> import numpy as np
    >>> adjusted_rand_index(np.array([0, 0, 1, 1]), np.array([5, 5, 3, -1]))
    0.5714285714
    """
    from sklearn.metrics import adjusted_rand_score

    return round_number(adjusted_rand_score(first, second))


def _jaccard(first: Integers, second: Integers, overlaps: Integers, numbers: Integers) -> Floats:
    import numpy as np

    sizes = np.array([(first == one).sum() for one in range(len(overlaps))], dtype=np.float64)
    others = np.array([(second == other).sum() for other in numbers], dtype=np.float64)
    unions = sizes[:, None] + others[None, :] - overlaps
    best = (overlaps / unions).max(axis=1) if len(numbers) else np.zeros(len(overlaps))
    return np.where(sizes > 0, best, np.nan)
