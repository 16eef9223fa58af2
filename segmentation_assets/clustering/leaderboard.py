"""Compares candidate segmentations: one sample, the same scores, gates before ranking, every decision in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.failures import attempt
from segmentation_assets.clustering.fitting import nothing_to_fit
from segmentation_assets.clustering.metrics import (
    PartitionScores,
    PartitionSizes,
    measure_sizes,
    score_partitions,
)
from segmentation_assets.clustering.stability import Refit, measure_stability
from segmentation_assets.config.clustering import LeaderboardSettings
from segmentation_assets.errors import DataError
from segmentation_assets.tables.clusters import LEADERBOARD
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Integers = npt.NDArray[np.int64]

BASELINE = "rfm_map"
"""Name of the baseline candidate."""

RANKING_RULE = (
    "Candidates that pass every gate are ranked by silhouette, noise counted as a group; equal ones by "
    "Davies-Bouldin, then by name."
)


@dataclass(frozen=True)
class Candidate:
    """One candidate with all that gates and ranking look at.

    Parameters
    ----------
    name : str
    sizes : PartitionSizes
    scores : PartitionScores
    stability : float or None
        ``None`` for a fixed rule, and where there is no model to fit again.
    unfitted : str
        Why there was nothing to fit; empty otherwise.
    failure : str
        What the algorithm raised when it was fitted; empty otherwise.
    refit_failure : str
        What it raised when it was fitted again for its stability; empty otherwise.
    """

    name: str
    sizes: PartitionSizes
    scores: PartitionScores
    stability: float | None
    unfitted: str = ""
    failure: str = ""
    refit_failure: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether it is the RFM map."""
        return self.name == BASELINE

    @property
    def problem(self) -> str:
        """What the algorithm could not do and what it raised; empty when it did everything."""
        if self.failure:
            return f"could not be fitted: {self.failure}"
        if self.refit_failure:
            return f"could not be fitted again on a part of the customers: {self.refit_failure}"
        return ""


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
    Gate("number of clusters", lambda c: c.sizes.n_clusters, lambda _: 2, "{:.0f}"),
    Gate("coverage", lambda c: c.sizes.coverage, lambda s: s.min_coverage, "{:.1%}"),
    Gate("smallest segment", lambda c: c.sizes.smallest_share, lambda s: s.min_segment_share, "{:.2%}"),
    Gate("customers in it", lambda c: c.sizes.smallest_count, lambda s: s.min_segment_customers, "{:.0f}"),
    Gate("stability", lambda c: c.stability, lambda s: s.min_stability, "{:.3f}"),
)
"""The gates in the order they are reported; a further one is one more line."""


def compare_candidates(
    matrix: pd.DataFrame,
    candidates: Mapping[str, pd.Series],
    baseline: pd.Series,
    refits: Mapping[str, Refit],
    settings: LeaderboardSettings,
    score_sample: int,
    seed: int,
    failures: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Score all candidates on one common seeded sample, apply the gates and rank what passes.

    Parameters
    ----------
    matrix : DataFrame of shape (n_customers, n_features), index customer_id
        The order of rows does not matter.
    candidates : mapping of str to Series of int, index customer_id
        Labels per algorithm, -1 for noise; each covers the customers of the matrix. Where nothing could be fitted,
        all are noise: the candidate fails its gates.
    baseline : Series of str, index customer_id
        RFM segment of at least the customers of the matrix.
    refits : mapping of str to callable
        How each candidate is fitted again for its stability; a candidate without one is a fixed rule.
    settings : LeaderboardSettings
    score_sample : int
        Customers the scores are computed on at most.
    seed : int
    failures : mapping of str to str, optional
        What the algorithms that failed have raised; such a candidate is listed and not ranked.

    Returns
    -------
    DataFrame
        Columns of ``clusters/leaderboard``: ranked candidates first, then those that failed, then the baseline.

    Raises
    ------
    DataError
        A candidate or the baseline lacks a customer of the matrix, or so many algorithms failed that fewer than
        ``min_candidates`` were fitted.

    Notes
    -----
    Silhouette, Davies-Bouldin and Calinski-Harabasz favour round clusters of equal size.
    """
    import pandas as pd

    failed = failures or {}
    _check_enough_fitted(candidates, failed, settings)
    ordered = matrix.sort_index()
    partitions = {name: _labels_of(ordered, labels, name) for name, labels in candidates.items()}
    partitions[BASELINE] = pd.factorize(_covered(ordered, baseline, BASELINE), sort=True)[0]
    sample = draw_sample(len(ordered), score_sample, seed)
    scores = score_partitions(ordered.to_numpy(dtype="float64")[sample], [part[sample] for part in partitions.values()])
    unfitted = nothing_to_fit(ordered)
    rows = []
    for (name, labels), score in zip(partitions.items(), scores, strict=True):
        stability, refit_failure = _stability(ordered, labels, name, refits.get(name), settings, seed)
        why = "" if name == BASELINE else unfitted
        candidate = Candidate(name, measure_sizes(labels), score, stability, why, failed.get(name, ""), refit_failure)
        rows.append(_row(candidate, len(sample), settings))
    return _ranked(pd.DataFrame(rows))


def _check_enough_fitted(
    candidates: Mapping[str, pd.Series], failures: Mapping[str, str], settings: LeaderboardSettings
) -> None:
    """Stop when algorithms failed and too few are left; having had nothing to fit is no failure."""
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


def _stability(
    matrix: pd.DataFrame,
    labels: Integers,
    name: str,
    refit: Refit | None,
    settings: LeaderboardSettings,
    seed: int,
) -> tuple[float | None, str]:
    """Return the stability where there is a model to fit again, and what the algorithm raised where it failed."""
    if refit is None:
        return None, ""
    tried = attempt(
        lambda: measure_stability(
            matrix,
            labels,
            refit,
            resamples=settings.resamples,
            resample_customers=settings.resample_customers,
            seed=seed,
        ),
        name,
    )
    return (None, tried.failure) if tried.found is None else (tried.found.mean, "")


def _row(candidate: Candidate, sample_count: int, settings: LeaderboardSettings) -> dict[str, object]:
    judgements = _judge(candidate, settings)
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
        "davies_bouldin": candidate.scores.davies_bouldin,
        "calinski_harabasz": candidate.scores.calinski_harabasz,
        "stability": candidate.stability,
        "passed_gates": all(passed for passed, _ in judgements),
        "reason": _reason(candidate, judgements),
        "failure": candidate.problem or None,
    }


def _judge(candidate: Candidate, settings: LeaderboardSettings) -> list[tuple[bool, str]]:
    """Apply the gates; one that failed is out before its sizes are looked at."""
    if candidate.failure:
        return [(False, f"fitted ({candidate.problem})")]
    judgements = [gate.judge(candidate, settings) for gate in GATES]
    return [*judgements, (False, f"fitted again ({candidate.problem})")] if candidate.refit_failure else judgements


def _reason(candidate: Candidate, judgements: list[tuple[bool, str]]) -> str:
    failed = [phrase for passed, phrase in judgements if not passed]
    passed = [phrase for is_passed, phrase in judgements if is_passed]
    verdict = f"fails: {'; '.join(failed)}" if failed else f"passes every gate: {'; '.join(passed)}"
    if candidate.is_baseline:
        return f"Baseline, not ranked; {verdict}"
    why = f"Nothing could be fitted: {candidate.unfitted}. " if candidate.unfitted else ""
    return f"{why}{verdict[0].upper()}{verdict[1:]}"


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort by the ranking rule, number the places and say them in the reason."""
    import pandas as pd

    numbers = ["silhouette", "davies_bouldin", "calinski_harabasz", "stability"]
    typed = frame.astype(dict.fromkeys(numbers, "float64"))
    is_ranked = typed["passed_gates"] & ~typed["is_baseline"]
    ordered = typed.assign(unranked=~is_ranked).sort_values(
        ["is_baseline", "unranked", "silhouette", "davies_bouldin", "candidate"],
        ascending=[True, True, False, True, True],
        ignore_index=True,
    )
    count = int(is_ranked.sum())
    ordered["rank"] = pd.array([*range(1, count + 1), *[None] * (len(ordered) - count)], dtype="Int64")
    for place in range(count):
        silhouette = ordered.loc[place, "silhouette"]
        reason = ordered.loc[place, "reason"]
        ordered.loc[place, "reason"] = f"Rank {place + 1} of {count} by silhouette {silhouette:.3f}. {reason}"
    return ordered[list(LEADERBOARD.column_names)]
