"""How well earlier segmentations separated the money that followed, beside the RFM map of the same day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.clustering.metrics import set_small_aside
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.tables.rounding import round_number
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

PERMUTATIONS = 20
BOOTSTRAP_DRAWS = 200
_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Usefulness:
    """How well a segmentation of an earlier month separated what followed.

    Parameters
    ----------
    segmented_month : str
        Month the segmentation is of, YYYY-MM.
    customer_count : int
        Customers it was measured on.
    segment_count : int
        Groups; those in no segment are one.
    usefulness : float
        Share of the variance of log(1 + money) that the groups explain for customers they were not learned on, less
        that of groups dealt out by chance; 0 is chance, 1 is everything, below 0 worse than one mean for all.
    rfm_segment_count : int
        Groups of the RFM map beside it.
    rfm_usefulness : float
        The same of the RFM map of so many groups.
    margin_low, margin_high : float
        95 % bootstrap interval of the difference of the two.
    """

    segmented_month: str
    customer_count: int
    segment_count: int
    usefulness: float
    rfm_segment_count: int
    rfm_usefulness: float
    margin_low: float
    margin_high: float


def measure_usefulness(
    partitions: Mapping[str, pd.Series],
    rfm: pd.DataFrame,
    money: pd.Series,
    settings: LeaderboardSettings,
    most_customers: int,
    seed: int,
    month: str = "",
) -> dict[str, Usefulness]:
    """Measure earlier segmentations and the RFM map by what their customers spent afterwards.

    Parameters
    ----------
    partitions : mapping of str to Series of int, index customer_id
        Clusters by algorithm, -1 for noise; those too small to be segments count as noise, and noise as a group.
    rfm : DataFrame, index customer_id
        Columns of ``gold/rfm_segments`` of the same month.
    money : Series of float, index customer_id
        Net revenue afterwards; customers without an entry spent nothing.
    settings : LeaderboardSettings
    most_customers : int
        Customers measured at most, a seeded sample.
    seed : int
    month : str
        Month of the segmentations, YYYY-MM.

    Returns
    -------
    dict of str to Usefulness
        By algorithm, and the RFM map with all its segments as ``rfm_map``. Empty where all spent the same, or too few
        customers are left to learn on one half and measure on the other.

    Notes
    -----
    Group means are learned on one half of the customers and measured on the other, both ways round. A map of more
    groups explains more, so each segmentation stands beside the RFM map merged to as many groups, unless the settings
    ask for the whole map: those with the nearest mean scores become one (Ward 1963), which looks at nothing that
    followed.
    """
    import numpy as np

    known = rfm.dropna(subset=["rfm_segment"]).sort_index()
    for labels in partitions.values():
        known = known.loc[known.index.isin(labels.index)]
    known = known.iloc[draw_sample(len(known), most_customers, seed)]
    outcome = np.log1p(money.reindex(known.index).fillna(0).to_numpy(dtype="float64").clip(min=0))
    if len(known) < 2 * settings.min_segment_customers or outcome.min() == outcome.max():
        return {}
    halves = _Halves(outcome, seed)
    bounds = (settings.min_segment_share, settings.min_segment_customers)
    groups = {
        name: np.unique(set_small_aside(labels.to_numpy(dtype="int64"), *bounds), return_inverse=True)[1][
            labels.index.get_indexer(known.index)
        ]
        for name, labels in partitions.items()
    }
    merged = cache(lambda count: halves.separation(merge_rfm(known, count)))
    whole = int(known["rfm_segment"].nunique())
    measured = {name: halves.separation(values) for name, values in groups.items()}
    measured[BASELINE] = merged(whole)
    counts = {
        name: whole if settings.rfm_map == "whole" else min(own.group_count, whole) for name, own in measured.items()
    }
    return {name: _beside(own, merged(counts[name]), month) for name, own in measured.items()}


def _beside(own: _Separation, baseline: _Separation, month: str) -> Usefulness:
    import numpy as np

    low, high = np.quantile(own.draws - baseline.draws, _INTERVAL).tolist()
    return Usefulness(
        segmented_month=month,
        customer_count=own.customer_count,
        segment_count=own.group_count,
        usefulness=round_number(own.share),
        rfm_segment_count=baseline.group_count,
        rfm_usefulness=round_number(baseline.share),
        margin_low=round_number(low),
        margin_high=round_number(high),
    )


class _Separation(NamedTuple):
    """Share of variance that groups explain out of sample, chance taken off, also of each bootstrap draw."""

    customer_count: int
    group_count: int
    share: float
    draws: Floats


class _Halves:
    """Customers in two halves with what they spent, and the draws that all segmentations share."""

    def __init__(self, outcome: Floats, seed: int) -> None:
        import numpy as np

        rng = np.random.default_rng(seed)
        order = rng.permutation(len(outcome))
        self._outcome = outcome
        self._halves = (order[: len(order) // 2], order[len(order) // 2 :])
        self._dealt = [rng.permutation(len(outcome)) for _ in range(PERMUTATIONS)]
        self._draws = [tuple(rng.choice(half, len(half)) for half in self._halves) for _ in range(BOOTSTRAP_DRAWS)]

    def separation(self, groups: Integers) -> _Separation:
        """Measure what groups explain, less what the same groups dealt out by chance do."""
        import numpy as np

        by_chance = sum(self._explained(groups[order], self._halves) for order in self._dealt) / len(self._dealt)
        draws = np.array([self._explained(groups, draw) for draw in self._draws])
        share = self._explained(groups, self._halves)
        return _Separation(len(groups), len(np.unique(groups)), share - by_chance, draws - by_chance)

    def _explained(self, groups: Integers, halves: tuple[Integers, ...]) -> float:
        """Learn the means on one half, measure on the other, and turn round; a group not seen has the mean of all."""
        import numpy as np

        count = int(groups.max()) + 1
        shares = []
        for learned, measured in (halves, halves[::-1]):
            known = self._outcome[learned]
            sizes = np.bincount(groups[learned], minlength=count)
            sums = np.bincount(groups[learned], known, minlength=count)
            means = np.where(sizes > 0, sums / np.maximum(sizes, 1), known.mean())
            found = self._outcome[measured]
            error = ((found - means[groups[measured]]) ** 2).sum()
            total = ((found - known.mean()) ** 2).sum()
            shares.append(1 - error / total if total else 0.0)
        return sum(shares) / len(shares)


def merge_rfm(rfm: pd.DataFrame, count: int) -> Integers:
    """Merge the named segments of the RFM map to fewer groups, those with the nearest mean scores first.

    Parameters
    ----------
    rfm : DataFrame
        ``rfm_segment`` and the three scores, a row per customer.
    count : int
        Groups wanted, at least 1.

    Returns
    -------
    ndarray of shape (n_customers,)
        Group numbers from 0 on; the segments themselves where there are no more of them.
    """
    import numpy as np

    scores = ["recency_score", "frequency_score", "monetary_score"]
    by_segment = rfm.groupby("rfm_segment", observed=True)[scores]
    means = by_segment.mean().to_numpy(dtype="float64", copy=True)
    sizes = by_segment.size().to_numpy(dtype="float64", copy=True)
    group_of = np.arange(len(means))
    while len(np.unique(group_of)) > count:
        one, other = min(combinations(np.unique(group_of).tolist(), 2), key=lambda pair: _cost(means, sizes, *pair))
        total = sizes[one] + sizes[other]
        means[one] = (means[one] * sizes[one] + means[other] * sizes[other]) / total
        sizes[one] = total
        group_of[group_of == other] = one
    numbers = np.unique(group_of, return_inverse=True)[1]
    merged: Integers = numbers[by_segment.ngroup().to_numpy()]
    return merged


def _cost(means: Floats, sizes: Floats, one: int, other: int) -> float:
    """Growth of the sum of squares when two groups become one."""
    weight = sizes[one] * sizes[other] / (sizes[one] + sizes[other])
    return float(weight * ((means[one] - means[other]) ** 2).sum())
