"""The search for a number of clusters: the scores of every number tried, and the one that is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from segmentation_assets.clustering.metrics import SCORE_NAMES, measure_sizes, score_partitions
from segmentation_assets.tables.rounding import round_significant
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

Criterion = Literal["silhouette", "davies_bouldin", "calinski_harabasz", "elbow", "stability"]
"""Scores a number of clusters can be chosen by."""

Search = dict[str, Any]
"""A column per entry, a row per number of clusters tried."""

_SMALLER_IS_BETTER = ("davies_bouldin", "xie_beni")


def numbers_to_try(values: Floats, first: int, last: int, fixed: int | None = None) -> tuple[list[int], list[str]]:
    """List the numbers of clusters to try, never more than there are different rows, and what to note.

    A fixed number stands in place of first and last.
    """
    if fixed is not None:
        first = last = fixed
    distinct = count_distinct(values, last)
    possible = [k for k in range(first, last + 1) if k <= distinct] or [distinct]
    if possible[-1] == last:
        return possible, []
    return possible, [f"k stops at {distinct} instead of {last}: the rows hold {distinct} different points"]


def count_distinct(values: Floats, enough: int) -> int:
    """Count different rows, as far as 10 significant digits tell them apart; stops counting at `enough`."""
    found: set[bytes] = set()
    for start in range(0, len(values), 1024):
        found.update(row.tobytes() for row in round_significant(values[start : start + 1024]))
        if len(found) >= enough:
            return enough
    return len(found)


def score_search(
    values: Floats, partitions: Sequence[Integers], further: Mapping[str, Sequence[float]], score_sample: int, seed: int
) -> Search:
    """Score partitions of the same rows, one per number of clusters tried.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    partitions : sequence of ndarray of shape (n_rows,)
    further : mapping of str to sequence of float
        Columns that the algorithm itself knows, such as the inertia.
    score_sample : int
        Rows that the scores are computed on at most; 0 for no scores, where nothing is to be chosen.
    seed : int

    Returns
    -------
    dict of str to ndarray
        k, silhouette, davies_bouldin, calinski_harabasz, smallest_share and the further columns. Scores are NaN where
        they are undefined or not computed.
    """
    import numpy as np

    sizes = [measure_sizes(labels) for labels in partitions]
    sample = draw_sample(len(values), score_sample, seed)
    scores = score_partitions(values[sample], [labels[sample] for labels in partitions])
    return {
        "k": np.array([size.n_clusters for size in sizes]),
        **{name: column([getattr(score, name) for score in scores]) for name in SCORE_NAMES},
        **{name: column(list(numbers)) for name, numbers in further.items()},
        "smallest_share": column([size.smallest_share for size in sizes]),
    }


def choose(search: Search, min_share: float, criterion: str = "silhouette") -> tuple[int, list[str]]:
    """Return the position of the best score among partitions without tiny clusters.

    The note says so if every one of several has some.
    Of equal scores the first counts, which is the smallest number of clusters; of equal stabilities the last, as
    several groups are stable when they are taken together, too.
    """
    import numpy as np

    scores = search[criterion]
    signed = -scores if criterion in _SMALLER_IS_BETTER else scores
    comparable = np.where(np.isnan(signed), -np.inf, signed)
    is_large = search["smallest_share"] >= min_share
    positions = np.flatnonzero(is_large if is_large.any() else np.ones_like(is_large))
    of_equals = -1 if criterion == "stability" else 0
    best = int(positions[np.flatnonzero(comparable[positions] == comparable[positions].max())[of_equals]])
    if is_large.any() or len(is_large) == 1:
        return best, []
    return best, [f"every k leaves a cluster below {min_share:.1%} of the rows; the best {criterion} was taken"]


def elbow_strength(inertias: Sequence[float]) -> list[float]:
    """Return how much more each number of clusters lowers the logarithm of the inertia than the next number does.

    Parameters
    ----------
    inertias : sequence of float
        By number of clusters, ascending, with one number more at both ends.

    Returns
    -------
    list of float
        Two fewer than inertias: second differences of their logarithms, large where the curve bends, about 0 where it
        goes on as before. An inertia of 0 counts as a trillionth of the first.

    References
    ----------
    The elbow of Thorndike (1953), doi:10.1007/BF02289263. The logarithm makes the drop into the right number as visible
    for many clusters as for few.
    """
    import numpy as np

    curve = np.asarray(inertias, dtype=np.float64)
    logarithms = np.log(np.maximum(curve, max(curve[0], 1.0) * 1e-12))
    strengths: list[float] = round_significant(np.diff(logarithms, 2)).tolist()
    return strengths


def column(values: Sequence[float | None]) -> Floats:
    """Make an array of numbers, NaN for ``None``."""
    import numpy as np

    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
