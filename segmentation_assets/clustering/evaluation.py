"""What a fitted clusterer is worth: stability, confidence, and the same scores on data without clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.confidence import (
    Comeback,
    ConfidenceCurve,
    ReliabilityBin,
    fit_curve,
    measure_reliability,
    reliability_error,
)
from segmentation_assets.clustering.matching import Match, adjusted_rand_index, match_clusters
from segmentation_assets.clustering.metrics import SCORE_NAMES, PartitionScores, score_partitions
from segmentation_assets.clustering.reference import fit_copula
from segmentation_assets.clustering.registry import Clusterer
from segmentation_assets.config.clustering import EvaluationSettings
from segmentation_assets.tables.rounding import round_number
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

RESAMPLE_SHARE = 0.8
_FEWEST_PAIRS = 2
"""Pairs of halves at least, one to learn confidence from and one to test it on."""

SCORED_ROWS = 1_000
"""Rows of a refit that its scores are computed on at most."""


@dataclass(frozen=True)
class RefitScores:
    """Means of the scores of several refits; ``None`` where no refit could be scored.

    Parameters
    ----------
    silhouette, davies_bouldin, calinski_harabasz : float or None
        Noise counted as a group of its own.
    stability : float
        Mean adjusted Rand index between one refit and the next, on the same rows.
    silhouettes : tuple of float or None
        Of each refit.
    """

    silhouette: float | None
    davies_bouldin: float | None
    calinski_harabasz: float | None
    stability: float
    silhouettes: tuple[float | None, ...]


@dataclass(frozen=True)
class Evaluation:
    """What resampling and reference data say of a fitted clusterer.

    Parameters
    ----------
    stability : float
        Mean adjusted Rand index between refits on resampled customers and the partition itself; 1 is the same every
        time, 0 is agreement by chance.
    stability_scores : tuple of float
        Of each refit.
    jaccard : tuple of float
        Per cluster, the mean over the refits of the largest Jaccard index with a cluster of the refit. Below 0.6 a
        cluster should not be trusted, above 0.85 it is highly stable (Hennig 2007).
    confidence : ConfidenceCurve
    reliability : tuple of ReliabilityBin
        Confidence against what held-out resamples show.
    resampled : RefitScores
        Scores of the refits on the customers.
    reference : RefitScores
        The same of refits on reference data without clusters, drawn anew for each.
    resample_customers : int
        Customers of one resample, and of one draw of reference data.
    judged_customers : int
        Customers that stability and confidence were measured on.

    References
    ----------
    Hubert and Arabie (1985), doi:10.1007/BF01908075; Hennig (2007), doi:10.1016/j.csda.2006.11.025.
    """

    stability: float
    stability_scores: tuple[float, ...]
    jaccard: tuple[float, ...]
    confidence: ConfidenceCurve
    reliability: tuple[ReliabilityBin, ...]
    resampled: RefitScores
    reference: RefitScores
    resample_customers: int
    judged_customers: int

    @property
    def reliability_error(self) -> float:
        """Largest difference between confidence and what held-out resamples show, of bins with 5 % of the customers."""
        return reliability_error(self.reliability)

    @property
    def reference_draws(self) -> int:
        """How many draws of reference data were fitted."""
        return len(self.reference.silhouettes)

    @property
    def largest_reference_silhouette(self) -> float | None:
        """Largest silhouette on a draw of the reference data; ``None`` where none could be scored."""
        return max((score for score in self.reference.silhouettes if score is not None), default=None)

    @property
    def stands_out(self) -> bool:
        """Whether the customers' mean silhouette is above 0 and above that of every draw of the reference data."""
        own = self.resampled.silhouette
        return own is not None and own > max(0.0, self.largest_reference_silhouette or 0.0)

    def to_plain(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return {**asdict(self), "confidence": self.confidence.to_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Evaluation:
        """Rebuild from `to_plain`."""
        return cls(
            **{
                **plain,
                "stability_scores": tuple(plain["stability_scores"]),
                "jaccard": tuple(plain["jaccard"]),
                "confidence": ConfidenceCurve.from_plain(plain["confidence"]),
                "reliability": tuple(ReliabilityBin(**part) for part in plain["reliability"]),
                "resampled": _scores_from(plain["resampled"]),
                "reference": _scores_from(plain["reference"]),
            }
        )


def evaluate(estimator: Clusterer, matrix: pd.DataFrame, settings: EvaluationSettings, seed: int) -> Evaluation:
    """Fit a clusterer again on resampled customers and on reference data, and compare.

    Parameters
    ----------
    estimator : Clusterer
        Fitted on the rows.
    matrix : DataFrame of shape (n_customers, n_features)
    settings : EvaluationSettings
    seed : int
        Resample i is drawn and fitted with seed + i.

    Returns
    -------
    Evaluation
    """
    import numpy as np

    values = matrix.to_numpy(dtype=np.float64)
    size = resample_size(len(values), settings.resample_customers)
    rows = draw_sample(len(values), settings.resample_customers, seed)
    judged, assigned = values[rows], estimator.assign(matrix.iloc[rows])
    are_resamples = 2 * size <= len(values) and settings.resamples >= 2 * _FEWEST_PAIRS
    n_pairs = (settings.resamples + are_resamples) // 2
    halves = _draw_halves(len(values), size, max(_FEWEST_PAIRS, n_pairs), seed)
    drawn = halves[: settings.resamples] if are_resamples else _draw_resamples(len(values), size, settings, seed)
    resampled, labels = _refits(estimator, (values[part] for part in drawn), judged, seed)
    of_halves = labels if are_resamples else _refits(estimator, (values[part] for part in halves), judged, seed)[1]
    matches = [match_clusters(assigned.labels, found, estimator.n_clusters_) for found in labels]
    comeback = _compare_pairs(assigned.labels, of_halves, estimator.n_clusters_)
    copula = fit_copula(judged)
    draws = (copula.draw(size, seed + number) for number in range(settings.reference_draws))
    reference, _ = _refits(estimator, draws, copula.draw(len(judged), seed - 1 if seed else 2**31), seed)
    scores = [adjusted_rand_index(assigned.labels, found) for found in labels]
    return Evaluation(
        stability=round_number(float(np.mean(scores))),
        stability_scores=tuple(scores),
        jaccard=_mean_jaccard(matches),
        confidence=fit_curve(assigned, comeback),
        reliability=measure_reliability(assigned, comeback),
        resampled=resampled,
        reference=reference,
        resample_customers=size,
        judged_customers=len(judged),
    )


def _draw_resamples(count: int, size: int, settings: EvaluationSettings, seed: int) -> list[Integers]:
    return [draw_sample(count, size, seed + number) for number in range(settings.resamples)]


def _draw_halves(count: int, size: int, n_pairs: int, seed: int) -> list[Integers]:
    """Draw pairs of resamples that have no row in common, of half the rows at most."""
    import numpy as np

    half = max(2, min(size, count // 2))
    orders = [np.random.default_rng((seed, number)).permutation(count) for number in range(n_pairs)]
    return [np.sort(part) for order in orders for part in (order[:half], order[-half:])]


def _compare_pairs(labels: Integers, refitted: list[Integers], n_clusters: int) -> Comeback:
    """Say of each judged row whether the two refits of a pair agree, and with the model.

    A resample that shares rows with the model agrees with it more often than an independent refit does. The refits of a
    pair share none. They know fewer rows than the model, so that their agreement is rather too small.
    """
    import numpy as np

    kept = np.array([match_clusters(labels, found, n_clusters).labels == labels for found in refitted])
    pairs = zip(refitted[::2], refitted[1::2], strict=False)
    agreed = [match_clusters(one, other, int(max(one.max(), 0)) + 1).labels == one for one, other in pairs]
    n_pairs = len(agreed)
    return Comeback(np.array(agreed), kept[: 2 * n_pairs].reshape(n_pairs, 2, -1).mean(axis=1))


def resample_size(customer_count: int, resample_customers: int) -> int:
    """Return how many customers one resample holds: at most 80 % of all, at least two."""
    return max(2, min(resample_customers, int(RESAMPLE_SHARE * customer_count)))


def _refits(
    estimator: Clusterer, parts: Iterable[Floats], judged: Floats, seed: int
) -> tuple[RefitScores, list[Integers]]:
    """Fit again on each part; score it there, and let it label the rows that all refits are judged on."""
    import numpy as np

    scores: list[PartitionScores] = []
    labels: list[Integers] = []
    for number, part in enumerate(parts):
        fitted = estimator.refit_copy(seed + number)
        found = fitted.fit_assign(part).labels
        rows = draw_sample(len(part), SCORED_ROWS, seed)
        scores.extend(score_partitions(part[rows], [found[rows]]))
        labels.append(fitted.predict(judged))
    successive = [adjusted_rand_index(one, other) for one, other in pairwise(labels)]
    means = {name: _mean([getattr(score, name) for score in scores]) for name in SCORE_NAMES}
    return (
        RefitScores(
            **means,
            stability=round_number(float(np.mean(successive))),
            silhouettes=tuple(score.silhouette for score in scores),
        ),
        labels,
    )


def _mean_jaccard(matches: list[Match]) -> tuple[float, ...]:
    """Mean over the refits per cluster; 0 for a cluster that no judged customer is in."""
    import numpy as np

    indices = np.array([match.jaccard for match in matches])
    return tuple(round_number(part.mean()) if not np.isnan(part).any() else 0.0 for part in indices.T)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round_number(sum(known) / len(known)) if known else None


def _scores_from(plain: Mapping[str, Any]) -> RefitScores:
    return RefitScores(**{**plain, "silhouettes": tuple(plain["silhouettes"])})
