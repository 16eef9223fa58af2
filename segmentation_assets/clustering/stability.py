"""How much of a partition comes back when the algorithm is fitted again on a part of the customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.registry import Clusterer
from segmentation_assets.tables.rounding import round_number
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Integers = npt.NDArray[np.int64]

Refit = Callable[["pd.DataFrame", int], "Integers"]
"""Fits an algorithm again, its choices fixed: (customers, seed) → their labels."""

RESAMPLE_SHARE = 0.8


@dataclass(frozen=True)
class Resample:
    """One refit: which rows it saw and what it called them."""

    positions: Integers
    labels: Integers


@dataclass(frozen=True)
class Stability:
    """Mean adjusted Rand index between refits and the full partition, and each refit's."""

    mean: float
    scores: tuple[float, ...]
    resample_customers: int


def refit_of(estimator: Clusterer) -> Refit:
    """Return the refit of a fitted estimator: same algorithm, number of clusters fixed."""

    def refit(customers: pd.DataFrame, seed: int) -> Integers:
        return estimator.refit_copy(seed).fit(customers).labels_

    return refit


def draw_resamples(
    matrix: pd.DataFrame, refit: Refit, *, resamples: int, resample_customers: int, seed: int
) -> Iterator[Resample]:
    """Fit again on resampled customers, one resample after the other.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features)
    refit : callable
    resamples : int
        How many.
    resample_customers : int
        Customers in one resample at most; never more than 80 % of all. Drawn without replacement.
    seed : int
        Resample i is drawn and fitted with seed + i.

    Yields
    ------
    Resample
    """
    size = resample_size(len(matrix), resample_customers)
    for number in range(resamples):
        positions = draw_sample(len(matrix), size, seed + number)
        yield Resample(positions, refit(matrix.iloc[positions], seed + number))


def resample_size(customer_count: int, resample_customers: int) -> int:
    """Return how many customers one resample holds: at most 80 % of all, at least two."""
    return max(2, min(resample_customers, int(RESAMPLE_SHARE * customer_count)))


def measure_stability(
    matrix: pd.DataFrame, labels: Integers, refit: Refit, *, resamples: int, resample_customers: int, seed: int
) -> Stability:
    """Compare refits on resampled customers with the full partition of the same customers.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features)
    labels : ndarray of shape (n_customers,)
        The full partition.
    refit, resamples, resample_customers, seed
        As for `draw_resamples`.

    Returns
    -------
    Stability
        1 is the same partition every time, 0 is agreement by chance.

    References
    ----------
    Hubert and Arabie (1985), doi:10.1007/BF01908075; Hennig (2007), doi:10.1016/j.csda.2006.11.025.
    """
    from sklearn.metrics import adjusted_rand_score

    drawn = draw_resamples(matrix, refit, resamples=resamples, resample_customers=resample_customers, seed=seed)
    scores = tuple(round_number(adjusted_rand_score(labels[item.positions], item.labels)) for item in drawn)
    return Stability(round_number(sum(scores) / len(scores)), scores, resample_size(len(matrix), resample_customers))
