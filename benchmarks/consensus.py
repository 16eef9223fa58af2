"""Measures whether a consensus of all candidates is worth more than the candidate that the leaderboard would choose.

    python -m benchmarks.consensus
    python -m benchmarks.consensus --data moons --seeds 3

Two customers are as near as the share of the candidates that put them into one cluster; average linkage of these
nearnesses is cut into as many clusters as one of the candidates has, whichever number has the best silhouette (Fred and
Jain 2005, doi:10.1109/TPAMI.2005.113). `all` takes every candidate with two clusters or more, `passed` those that pass
the gates only. Stability is the mean adjusted Rand index with what is made of resampled customers, where every
candidate is fitted again; ARI is that with the planted truth.

    chosen        candidate that passes the gates and ranks first, as the leaderboard ranks; none where none passes
    consensus     by itself
    joined        chosen where the consensus of all competes with the candidates
    in hindsight  largest ARI of any candidate
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from benchmarks.planted import SETS, Planted
from segmentation_assets.clustering.matching import adjusted_rand_index
from segmentation_assets.clustering.metrics import NOISE, measure_sizes, score_partitions, set_small_aside
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.clustering.search import choose, score_search
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings
from segmentation_assets.tables.sampling import draw_sample

GATES = LeaderboardSettings()
RESAMPLES, RESAMPLE_SHARE = 5, 0.8
CONSENSUS = ("all", "passed")
Labels = np.ndarray


@dataclass(frozen=True)
class Rated:
    """A partition with what the leaderboard looks at; labels with small clusters set aside."""

    labels: Labels
    silhouette: float
    stability: float

    @property
    def passes(self) -> bool:
        """Whether it passes the gates."""
        sizes = measure_sizes(self.labels)
        is_covered = sizes.coverage >= GATES.min_coverage
        return sizes.n_clusters >= 2 and is_covered and self.stability >= GATES.min_stability


def main() -> None:
    """Compare on every kind of data and print the means over the seeds."""
    parser = argparse.ArgumentParser(description="Measure a consensus of all candidates against the chosen one.")
    parser.add_argument("--data", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--customers", type=int, default=1_200)
    parser.add_argument("--seeds", type=int, default=5)
    parsed = parser.parse_args()
    print(f"{parsed.customers:,} customers, {parsed.seeds} seeds; mean ARI with the truth, mean stability")
    heads = "".join(f"{name:>14}" for name in ("chosen", *CONSENSUS, "joined", "in hindsight"))
    print(f"{'':<18}{heads}{'all wins':>10}{'loses':>7}{'none chosen':>13}")
    for name in parsed.data:
        rows = [_compare(SETS[name](parsed.customers, seed), seed) for seed in range(parsed.seeds)]
        _print_row(name, pd.DataFrame(rows))


def _print_row(name: str, found: pd.DataFrame) -> None:
    places = ("chosen", *CONSENSUS, "joined")
    cells = "".join(f"{found[place].mean():>8.2f}{found[f'{place}_stability'].mean():>6.2f}" for place in places)
    gain = found["all"] - found["chosen"]
    counts = f"{(gain > 0.01).sum():>10}{(gain < -0.01).sum():>7}{found['chosen'].isna().sum():>13}"
    print(f"{name:<18}{cells}{found['hindsight'].mean():>14.2f}{counts}", flush=True)


def _compare(planted: Planted, seed: int) -> dict[str, float]:
    """Fit all candidates, make the consensus, and measure both against the truth."""
    values, truth = planted.matrix.to_numpy(), planted.truth
    settings = ClusteringSettings(seed=seed)
    fitted = {name: entry.build(settings, GATES, len(values)).fit(values) for name, entry in ALGORITHMS.items()}
    labels = {name: estimator.labels_ for name, estimator in fitted.items()}
    parts = [draw_sample(len(values), int(RESAMPLE_SHARE * len(values)), seed + place) for place in range(RESAMPLES)]
    again = [
        {name: one.refit_copy(seed + place).fit(values[part]).predict(values) for name, one in fitted.items()}
        for place, part in enumerate(parts)
    ]
    rated = {name: _rate(values, labels[name], [refit[name] for refit in again]) for name in labels}
    for kind in CONSENSUS:
        members = [name for name, one in rated.items() if kind == "all" or (one.passes and name in labels)]
        made = [_agree(values, [found[name] for name in members], seed) for found in (labels, *again)]
        rated[kind] = _rate(values, made[0], made[1:])
    candidates = {name: rated[name] for name in labels}
    places = {
        "chosen": _choose(candidates),
        **{kind: rated[kind] for kind in CONSENSUS},
        "joined": _choose({**candidates, "all": rated["all"]}),
    }
    return {
        **{place: adjusted_rand_index(truth, one.labels) if one else np.nan for place, one in places.items()},
        **{f"{place}_stability": one.stability if one else np.nan for place, one in places.items()},
        "hindsight": max(adjusted_rand_index(truth, one.labels) for one in candidates.values()),
    }


def _rate(values: np.ndarray, labels: Labels, again: Sequence[Labels]) -> Rated:
    stability = float(np.mean([adjusted_rand_index(labels, other) for other in again]))
    kept = set_small_aside(labels, GATES.min_segment_share, GATES.min_segment_customers)
    silhouette = score_partitions(values, [kept])[0].silhouette
    return Rated(kept, -1.0 if silhouette is None else silhouette, stability)


def _choose(candidates: Mapping[str, Rated]) -> Rated | None:
    """Rank what passes by silhouette and stability in equal parts, as the leaderboard does."""
    passed = [one for one in candidates.values() if one.passes]
    if not passed:
        return None
    points = sum(rankdata([getattr(one, score) for one in passed]) for score in ("silhouette", "stability"))
    return passed[int(np.argmax(points))]


def _agree(values: np.ndarray, partitions: Sequence[Labels], seed: int) -> Labels:
    """Make the consensus; a partition of fewer than two clusters says nothing, and noise is together with nobody."""
    telling = [labels for labels in partitions if measure_sizes(labels).n_clusters >= 2]
    if not telling:
        return np.zeros(len(values), dtype=int)
    together = np.mean([(one[:, None] == one) & (one[:, None] != NOISE) for one in telling], axis=0)
    np.fill_diagonal(together, 1.0)
    tree = linkage(squareform(1.0 - together, checks=False), "average")
    numbers = sorted({measure_sizes(labels).n_clusters for labels in telling})
    cuts = [np.unique(fcluster(tree, k, "maxclust"), return_inverse=True)[1] for k in numbers]
    search = score_search(values, cuts, {}, len(values), seed)
    best, _ = choose(search, GATES.min_segment_share)
    return cuts[best]


if __name__ == "__main__":
    main()
