"""Compares candidate segmentations: one sample, the same scores, gates before ranking, every decision in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segmentation_assets.clustering.evaluation import Evaluation
from segmentation_assets.clustering.fitting import nothing_to_fit, revenue_by_row
from segmentation_assets.clustering.metrics import (
    NOISE,
    PartitionScores,
    PartitionSizes,
    measure_sizes,
    score_partitions,
    set_small_aside,
)
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.errors import DataError
from segmentation_assets.tables.clusters import CONTINUUM, LEADERBOARD, SEPARATE_GROUPS
from segmentation_assets.tables.rounding import round_number
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.clustering.usefulness import Usefulness

    Integers = npt.NDArray[np.int64]

BASELINE = "rfm_map"
"""Name of the baseline candidate."""

_FEWEST_SEGMENTS = 2

FEWEST_DRAWS = 20
"""Draws of reference data that a label takes at least: what is the largest of 21 by chance is so in one case of 21."""

_LARGER_IS_BETTER = {
    "silhouette": True,
    "davies_bouldin": False,
    "calinski_harabasz": True,
    "coverage": True,
    "stability": True,
    "usefulness": True,
}
"""Scores that the ranking can weigh."""


@dataclass(frozen=True)
class Entrant:
    """A fitted algorithm that takes part in the comparison.

    Parameters
    ----------
    labels : Series of int, index customer_id
        Cluster per customer of the matrix, -1 for noise. Where nothing could be fitted, all are noise.
    evaluation : Evaluation or None
        What resampling and reference data say; ``None`` for a fixed rule and after a failure.
    failure : str
        What the algorithm raised when it was fitted; empty otherwise.
    refit_failure : str
        What it raised when it was fitted again; empty otherwise.
    """

    labels: pd.Series
    evaluation: Evaluation | None = None
    failure: str = ""
    refit_failure: str = ""


@dataclass(frozen=True)
class Candidate:
    """One candidate with all that gates and ranking look at.

    Parameters
    ----------
    name : str
    labels : ndarray of shape (n_customers,)
        Clusters that are too small to be segments are noise.
    sizes : PartitionSizes
    scores : PartitionScores
    found_clusters : int
        Clusters before the small ones were set aside.
    evaluation : Evaluation or None
    unfitted : str
        Why there was nothing to fit; empty otherwise.
    problem : str
        What the algorithm could not do and what it raised; empty when it did everything.
    is_fitted : bool
        Whether the problem, if there is one, was with fitting it again only.
    useful : Usefulness or None
        What the algorithm's segments of an earlier month were worth; ``None`` where none is old enough.
    """

    name: str
    labels: Integers
    sizes: PartitionSizes
    scores: PartitionScores
    found_clusters: int
    evaluation: Evaluation | None
    unfitted: str = ""
    problem: str = ""
    is_fitted: bool = True
    useful: Usefulness | None = None

    @property
    def is_baseline(self) -> bool:
        """Whether it is the RFM map."""
        return self.name == BASELINE

    @property
    def stability(self) -> float | None:
        """Mean adjusted Rand index of the refits; ``None`` where there were none."""
        return None if self.evaluation is None else self.evaluation.stability

    def structure(self, *, passed_gates: bool) -> str | None:
        """Say what the comparison with the reference data shows.

        ``None`` where there was no refit, there are no two segments or too few draws were made, and for what does not
        stand out and is refused: a cut that is not used is not called a useful one.
        """
        tried = self.evaluation
        if tried is None or self.sizes.n_clusters < _FEWEST_SEGMENTS or tried.reference_draws < FEWEST_DRAWS:
            return None
        if tried.stands_out:
            return SEPARATE_GROUPS
        return CONTINUUM if passed_gates else None

    @property
    def smallest_jaccard(self) -> float | None:
        """Stability of the least stable segment."""
        import numpy as np

        if self.evaluation is None or not self.sizes.n_clusters:
            return None
        numbers: list[int] = np.unique(self.labels[self.labels != NOISE]).tolist()
        return min(self.evaluation.jaccard[number] for number in numbers)


@dataclass(frozen=True)
class Gate:
    """A lower bound that a candidate must reach.

    Parameters
    ----------
    title : str
        What is bounded, in words.
    measure : callable
        The candidate's value; ``None`` when the gate does not apply to it.
    bound : callable
        The bound, from the settings.
    pattern : str
        How value and bound are written.
    """

    title: str
    measure: Callable[[Candidate], float | None]
    bound: Callable[[LeaderboardSettings], float]
    pattern: str

    def judge(self, candidate: Candidate, settings: LeaderboardSettings) -> tuple[bool, str]:
        """Return whether the gate is passed, and a phrase with both numbers."""
        value, bound = self.measure(candidate), self.bound(settings)
        if value is None:
            return True, f"{self.title} not measured"
        passed = value >= bound
        written = f"{self.title} {self.pattern.format(value)}"
        return passed, f"{written} ({'at least' if passed else 'below the'} {self.pattern.format(bound)})"


GATES = (
    Gate("number of segments", lambda c: c.sizes.n_clusters, lambda _: _FEWEST_SEGMENTS, "{:.0f}"),
    Gate("coverage", lambda c: c.sizes.coverage, lambda s: s.min_coverage, "{:.1%}"),
    Gate("stability", lambda c: c.stability, lambda s: s.min_stability, "{:.3f}"),
    Gate("Jaccard of the least stable segment", lambda c: c.smallest_jaccard, lambda s: s.min_jaccard, "{:.3f}"),
)
"""The gates in the order they are reported; a further one is one more line."""


def compare_candidates(
    matrix: pd.DataFrame,
    entrants: Mapping[str, Entrant],
    baseline: pd.Series,
    revenue: pd.Series,
    settings: LeaderboardSettings,
    score_sample: int,
    seed: int,
    month: str = "",
    usefulness: Mapping[str, Usefulness] | None = None,
) -> pd.DataFrame:
    """Score all candidates on one common seeded sample, apply the gates and rank what passes.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features), index customer_id
        The order of rows does not matter.
    entrants : mapping of str to Entrant
        By algorithm.
    baseline : Series of str, index customer_id
        RFM segment of at least the customers of the matrix.
    revenue : Series of float, index customer_id
        Net revenue of at least the customers of the matrix.
    settings : LeaderboardSettings
    score_sample : int
        Customers the scores are computed on at most.
    seed : int
    month : str
        Snapshot month of the customers, YYYY-MM, to be shown beside the candidates.
    usefulness : mapping of str to Usefulness, optional
        What earlier segmentations were worth, by candidate, as far as it was measured.

    Returns
    -------
    DataFrame
        Columns of ``clusters/leaderboard``: ranked candidates first, then those that failed, then the baseline.

    Raises
    ------
    DataError
        A candidate, the baseline or the revenue lacks a customer of the matrix, or so many algorithms failed that
        fewer than ``min_candidates`` were fitted.

    Notes
    -----
    Clusters below the size gates are no segments: their customers are counted as not covered, as noise is, and what is
    left is scored. Silhouette, Davies-Bouldin and Calinski-Harabasz favour round clusters of equal size.
    """
    import pandas as pd

    _check_enough_fitted(entrants, settings)
    ordered = matrix.sort_index()
    money = revenue_by_row(ordered, revenue)
    found = {name: _labels_of(ordered, entrant.labels, name) for name, entrant in entrants.items()}
    bounds = (settings.min_segment_share, settings.min_segment_customers)
    partitions = {name: set_small_aside(labels, *bounds) for name, labels in found.items()}
    partitions[BASELINE] = pd.factorize(_covered(ordered, baseline, BASELINE), sort=True)[0]
    sample = draw_sample(len(ordered), score_sample, seed)
    scores = score_partitions(ordered.to_numpy(dtype="float64")[sample], [part[sample] for part in partitions.values()])
    unfitted = nothing_to_fit(ordered)
    candidates = [
        replace(
            _candidate(name, labels, score, found.get(name, labels), entrants.get(name), unfitted),
            useful=(usefulness or {}).get(name),
        )
        for (name, labels), score in zip(partitions.items(), scores, strict=True)
    ]
    rows = [_row(candidate, money, len(sample), settings) for candidate in candidates]
    return _ranked(pd.DataFrame(rows).assign(compared_month=month), settings)


def _candidate(
    name: str, labels: Integers, scores: PartitionScores, found: Integers, entrant: Entrant | None, unfitted: str
) -> Candidate:
    """Put together what is known of a candidate; the baseline is no entrant."""
    clusters = measure_sizes(found).n_clusters
    if entrant is None:
        return Candidate(name, labels, measure_sizes(labels), scores, clusters, None)
    problem = f"could not be fitted: {entrant.failure}" if entrant.failure else ""
    if entrant.refit_failure:
        problem = f"could not be fitted again on a part of the customers: {entrant.refit_failure}"
    is_fitted = not entrant.failure
    sizes = measure_sizes(labels)
    return Candidate(name, labels, sizes, scores, clusters, entrant.evaluation, unfitted, problem, is_fitted)


def _check_enough_fitted(candidates: Mapping[str, Entrant], settings: LeaderboardSettings) -> None:
    """Stop when algorithms failed and too few are left; having had nothing to fit is no failure."""
    failures = {name: entrant.failure for name, entrant in candidates.items() if entrant.failure}
    fitted = [name for name in candidates if name not in failures]
    if not failures or len(fitted) >= settings.min_candidates:
        return
    reasons = "; ".join(f"{name} ({failures[name]})" for name in sorted(failures))
    only = " ".join(f"--only clusters/{name}" for name in sorted(failures))
    raise DataError(
        f"{len(fitted)} of {len(candidates)} algorithms could be fitted, at least {settings.min_candidates} must be "
        f"(leaderboard.min_candidates); these failed: {reasons}",
        f"the log has the tracebacks; when the cause is gone, try again with 'segmentation run {only} --force' and "
        "then 'segmentation run'. clustering.algorithms switches an algorithm off, and a smaller "
        "leaderboard.min_candidates goes on without it.",
    )


def _labels_of(matrix: pd.DataFrame, labels: pd.Series, name: str) -> Integers:
    values: Integers = _covered(matrix, labels, name).to_numpy(dtype="int64")
    return values


def _covered(matrix: pd.DataFrame, labels: pd.Series, name: str) -> pd.Series:
    """Bring labels into the order of the matrix; every customer needs one."""
    found = labels.reindex(matrix.index)
    missing = found.index[found.isna()]
    if len(missing):
        raise DataError(
            f"candidate {name} lacks {len(missing)} customers of the model matrix, for example {missing[0]}",
            "candidates, baseline and matrix must be of the same snapshot.",
        )
    return found


def _row(
    candidate: Candidate, money: npt.NDArray[np.float64], sample_count: int, settings: LeaderboardSettings
) -> dict[str, object]:
    judgements = _judge(candidate, settings)
    passed_gates = all(passed for passed, _ in judgements)
    structure = candidate.structure(passed_gates=passed_gates)
    is_exceptional = candidate.labels == NOISE
    total = float(money.sum())
    tried = candidate.evaluation
    return {
        "candidate": candidate.name,
        "is_baseline": candidate.is_baseline,
        "n_clusters": candidate.sizes.n_clusters,
        "customer_count": candidate.sizes.customer_count,
        "score_sample_count": sample_count,
        "coverage": candidate.sizes.coverage,
        "smallest_segment_share": candidate.sizes.smallest_share,
        "smallest_segment_count": candidate.sizes.smallest_count,
        "silhouette": candidate.scores.silhouette,
        "covered_silhouette": candidate.scores.covered_silhouette,
        "davies_bouldin": candidate.scores.davies_bouldin,
        "calinski_harabasz": candidate.scores.calinski_harabasz,
        "stability": candidate.stability,
        "smallest_jaccard": candidate.smallest_jaccard,
        "resampled_silhouette": tried and tried.resampled.silhouette,
        "reference_silhouette": tried and tried.reference.silhouette,
        "reference_stability": tried and tried.reference.stability,
        "structure": structure,
        "usefulness": candidate.useful and candidate.useful.usefulness,
        "rfm_usefulness": candidate.useful and candidate.useful.rfm_usefulness,
        "exceptional_count": int(is_exceptional.sum()),
        "exceptional_revenue_share": round_number(money[is_exceptional].sum() / total) if total else None,
        "passed_gates": passed_gates,
        "reason": _reason(candidate, judgements, structure, settings),
        "failure": candidate.problem or None,
    }


def _judge(candidate: Candidate, settings: LeaderboardSettings) -> list[tuple[bool, str]]:
    """Apply the gates; one that failed is out before its sizes are looked at."""
    if not candidate.is_fitted:
        return [(False, f"fitted ({candidate.problem})")]
    judgements = [*(gate.judge(candidate, settings) for gate in GATES), _judge_usefulness(candidate)]
    return [*judgements, (False, f"fitted again ({candidate.problem})")] if candidate.problem else judgements


def _judge_usefulness(candidate: Candidate) -> tuple[bool, str]:
    """Say whether earlier segments separated what followed at least as well as the RFM map did, chance allowed for."""
    useful = candidate.useful
    if useful is None:
        return True, "usefulness not measured"
    written = f"usefulness {useful.usefulness:.3f} on {useful.customer_count:,} customers of {useful.segmented_month}"
    if candidate.is_baseline:
        return True, written
    passed = useful.margin_high >= 0
    is_below = useful.usefulness < useful.rfm_usefulness
    verdict = "not below" if not is_below else "below, but by no more than chance," if passed else "below"
    beside = f"the RFM map's {useful.rfm_usefulness:.3f} with {useful.rfm_segment_count} groups"
    return passed, f"{written} ({verdict} {beside})"


def _reason(
    candidate: Candidate, judgements: list[tuple[bool, str]], structure: str | None, settings: LeaderboardSettings
) -> str:
    failed = [phrase for passed, phrase in judgements if not passed]
    passed = [phrase for is_passed, phrase in judgements if is_passed]
    verdict = f"fails: {'; '.join(failed)}" if failed else f"passes every gate: {'; '.join(passed)}"
    if candidate.is_baseline:
        return f"Baseline, not ranked; {verdict}"
    parts = [f"Nothing could be fitted: {candidate.unfitted}"] if candidate.unfitted else []
    parts += [
        f"{verdict[0].upper()}{verdict[1:]}",
        *_set_aside(candidate, settings),
        *_beside_reference(candidate, structure),
    ]
    return ". ".join(parts)


def _set_aside(candidate: Candidate, settings: LeaderboardSettings) -> list[str]:
    """Say what is in no segment because its cluster is too small."""
    small = candidate.found_clusters - candidate.sizes.n_clusters
    if not small or candidate.unfitted:
        return []
    return [
        f"{small} of {candidate.found_clusters} clusters are smaller than {settings.min_segment_share:.2%} or "
        f"{settings.min_segment_customers:,} customers and no segments"
    ]


def _beside_reference(candidate: Candidate, structure: str | None) -> list[str]:
    """Say what the comparison with data without clusters shows, and how it is called."""
    tried = candidate.evaluation
    if tried is None or candidate.sizes.n_clusters < _FEWEST_SEGMENTS or tried.resampled.silhouette is None:
        return []
    where = "above" if tried.stands_out else "not above"
    drawn, count = tried.largest_reference_silhouette, tried.reference_draws
    beside = f"0; in {count} draws of data without clusters nothing is found"
    if drawn is not None:
        beside = f"the largest of {count} draws of data without clusters, {drawn:.3f}"
    label = f"{structure.capitalize()}: silhouette" if structure else "Silhouette"
    few = f" (too few draws for a label, it takes {FEWEST_DRAWS})" if count < FEWEST_DRAWS else ""
    return [f"{label} {tried.resampled.silhouette:.3f} of the refits is {where} {beside}{few}"]


def ranking_rule(settings: LeaderboardSettings) -> str:
    """Write in words how candidates are ranked."""
    weighed = [(name.replace("_", "-"), weight) for name, weight in settings.weights if weight]
    words = ", ".join(f"{name} (weight {weight:g})" for name, weight in weighed)
    return (
        f"Candidates that pass every gate are ranked by the weighted share of the others that they beat in {words}; "
        "what none has been measured for counts nothing, and equal ones are ranked by name."
    )


def _ranked(frame: pd.DataFrame, settings: LeaderboardSettings) -> pd.DataFrame:
    """Sort by the ranking rule, number the places and say them in the reason."""
    import pandas as pd

    typed = frame.astype({column.name: "float64" for column in LEADERBOARD.columns if column.dtype == "DOUBLE"})
    is_ranked = typed["passed_gates"] & ~typed["is_baseline"]
    points = _points(typed[is_ranked], settings).reindex(typed.index)
    ordered = typed.assign(unranked=~is_ranked, points=points).sort_values(
        ["is_baseline", "unranked", "points", "candidate"], ascending=[True, True, False, True], ignore_index=True
    )
    count = int(is_ranked.sum())
    ordered["rank"] = pd.array([*range(1, count + 1), *[None] * (len(ordered) - count)], dtype="Int64")
    for place in range(count):
        won = f", beats {ordered.loc[place, 'points']:.0%} of the others" if count > 1 else ""
        ordered.loc[place, "reason"] = f"Rank {place + 1} of {count}{won}. {ordered.loc[place, 'reason']}"
    return ordered[list(LEADERBOARD.column_names)]


def _points(passed: pd.DataFrame, settings: LeaderboardSettings) -> pd.Series:
    """Weighted share of the other candidates that each beats; a tie counts half, what nobody has counts nothing."""
    others = max(len(passed) - 1, 1)
    weights = {name: weight for name, weight in settings.weights if passed[name].notna().any()}
    total = sum(weights.values()) or 1
    points = passed["coverage"] * 0.0
    for name, weight in weights.items():
        place = passed[name].rank(ascending=_LARGER_IS_BETTER[name], na_option="bottom") - 1
        points += weight / total * place / others
    return points
