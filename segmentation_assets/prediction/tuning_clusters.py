"""How good settings of a clustering algorithm are, on customers that it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.fitting import nothing_to_fit
from segmentation_assets.clustering.matching import adjusted_rand_index
from segmentation_assets.clustering.metrics import PartitionSizes, measure_sizes, score_partitions, set_small_aside
from segmentation_assets.clustering.registry import AlgorithmEntry, smallest_share
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import DataError, plural
from segmentation_assets.prediction.tuning_scores import FoldScores
from segmentation_assets.tables.rounding import round_number
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Integers = npt.NDArray[np.int64]

MOST_CUSTOMERS = 15_000
"""Customers that algorithms are tuned on: four of five are as many as those that measure density are fitted on."""

_FEWEST_SEGMENTS = 2


@dataclass(frozen=True)
class _HeldOut:
    """What a fit says of the customers of its fold, clusters too small to be segments counted as noise."""

    sizes: PartitionSizes
    silhouette: float
    agreement: float

    @property
    def score(self) -> float:
        """Silhouette as far as it comes back in other fits."""
        return self.silhouette * max(self.agreement, 0.0) if self.silhouette > 0 else self.silhouette


class ClusterObjective:
    """Silhouette on customers left out, times the agreement of the fits; gates come first.

    Parameters
    ----------
    matrix : DataFrame, shape (n_customers, n_features), index customer_id
        ``silver/model_matrix``. Of more than `MOST_CUSTOMERS` a seeded sample is taken.
    entry : AlgorithmEntry
    folds, seed : int

    Raises
    ------
    DataError
        There is nothing to fit.

    Notes
    -----
    The algorithm is fitted without a fold, and its own rule for new customers (`predict`) says where those of the fold
    belong. There the silhouette is measured, noise counted as a group, and the adjusted Rand index with what the fits
    without the other folds say of the same customers. The score of a fold is their product, so that neither a tight cut
    that comes out differently every time nor a stable one that separates nothing wins; a silhouette of 0 or less counts
    as it is. As on the leaderboard, clusters below the size gates count as noise, and the gates on the number of
    segments, coverage and stability have to be passed, in the mean of the folds; every fold needs two segments.
    """

    score_name = "silhouette × agreement"

    def __init__(self, matrix: pd.DataFrame, entry: AlgorithmEntry, *, folds: int, seed: int) -> None:
        import numpy as np

        reason = nothing_to_fit(matrix)
        if not reason and len(matrix) < 2 * folds:
            reason = f"{plural(len(matrix), 'customer')} do not make {folds} folds"
        if reason:
            raise DataError(f"{entry.name} cannot be tuned: {reason}", "wait for more customers.")
        self._entry, self._customers = entry, len(matrix)
        ordered = matrix.sort_index().to_numpy(dtype=np.float64)
        self._values = ordered[draw_sample(len(ordered), MOST_CUSTOMERS, seed)]
        self._folds, self._seed = folds, seed
        self._fold = np.random.default_rng(seed).permutation(len(self._values)) % folds

    @property
    def rests_on(self) -> str:
        """Whose rows the scores are of."""
        sample = f"a sample of {len(self._values):,} of " if len(self._values) < self._customers else ""
        return f"{sample}{plural(self._customers, 'customer')} of the model matrix"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else has to be known of the scores."""
        return (
            "Everything is measured on customers that were not fitted on; noise counts as a group, and clusters below "
            "the size gates as noise.",
        )

    def score(self, settings: Settings, algorithm: str = "") -> FoldScores:
        """Judge the algorithm's settings by folds."""
        labels = [self._fit(settings, number) for number in range(self._folds)]
        share = smallest_share(settings.leaderboard, self._customers)
        held = [self._judge(labels, number, share, settings.clustering.score_sample) for number in range(self._folds)]
        facts = {
            "silhouette": _mean([one.silhouette for one in held]),
            "agreement": _mean([one.agreement for one in held]),
            "coverage": _mean([one.sizes.coverage for one in held]),
            "segments": _mean([float(one.sizes.n_clusters) for one in held]),
            "smallest_share": _mean([one.sizes.smallest_share for one in held]),
        }
        fewest = min(one.sizes.n_clusters for one in held)
        missed = _missed_gates({**facts, "fewest": fewest}, settings.leaderboard)
        shortfall = round_number(sum((bound - value) / bound for _, value, bound in missed))
        reason = "; ".join(words for words, _, _ in missed)
        return FoldScores(tuple(one.score for one in held), facts, reason, shortfall)

    def _fit(self, settings: Settings, number: int) -> Integers:
        """Fit without a fold, and say where everyone belongs."""
        estimator = self._entry.build(settings.clustering, settings.leaderboard, self._customers)
        return estimator.fit(self._values[self._fold != number]).predict(self._values)

    def _judge(self, labels: Sequence[Integers], number: int, share: float, score_sample: int) -> _HeldOut:
        is_held = self._fold == number
        values = self._values[is_held]
        covered = set_small_aside(labels[number][is_held], share, 1)
        rows = draw_sample(len(values), score_sample, self._seed)
        (scores,) = score_partitions(values[rows], [covered[rows]])
        others = [other[is_held] for place, other in enumerate(labels) if place != number]
        agreement = _mean([adjusted_rand_index(labels[number][is_held], other) for other in others])
        return _HeldOut(measure_sizes(covered), scores.silhouette or 0.0, agreement)


def _missed_gates(measured: dict[str, float], gates: LeaderboardSettings) -> list[tuple[str, float, float]]:
    """Say which gates are missed, with value and bound."""
    bounds = (
        ("fewest", "fewest segments in a fold {:.0f} (below the {:.0f})", float(_FEWEST_SEGMENTS)),
        ("coverage", "coverage {:.1%} (below the {:.1%})", gates.min_coverage),
        ("agreement", "agreement of the fits {:.3f} (below the {:.3f})", gates.min_stability),
    )
    return [
        (words.format(measured[name], bound), measured[name], bound)
        for name, words, bound in bounds
        if measured[name] < bound
    ]


def _mean(values: Sequence[float]) -> float:
    return round_number(sum(values) / len(values))
