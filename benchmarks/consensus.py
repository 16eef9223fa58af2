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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata
from sklearn.datasets import make_blobs, make_moons

from benchmarks.clustering import planted
from segmentation_assets.api import generate_shop, prepare_matrix
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
Data = tuple[np.ndarray, Mapping[str, Labels]]


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
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--customers", type=int, default=1_200)
    parser.add_argument("--seeds", type=int, default=5)
    parsed = parser.parse_args()
    print(f"{parsed.customers:,} customers, {parsed.seeds} seeds; mean ARI with the truth, mean stability")
    heads = "".join(f"{name:>14}" for name in ("chosen", *CONSENSUS, "joined", "in hindsight"))
    print(f"{'':<18}{heads}{'all wins':>10}{'loses':>7}{'none chosen':>13}")
    for name in parsed.data:
        rows = [row for seed in range(parsed.seeds) for row in _compare(*DATA[name](parsed.customers, seed), seed)]
        for truth, found in pd.DataFrame(rows).groupby("truth", sort=False):
            _print_row(name if truth == name else f"{name}, {truth}", found)


def _print_row(name: str, found: pd.DataFrame) -> None:
    places = ("chosen", *CONSENSUS, "joined")
    cells = "".join(f"{found[place].mean():>8.2f}{found[f'{place}_stability'].mean():>6.2f}" for place in places)
    gain = found["all"] - found["chosen"]
    counts = f"{(gain > 0.01).sum():>10}{(gain < -0.01).sum():>7}{found['chosen'].isna().sum():>13}"
    print(f"{name:<18}{cells}{found['hindsight'].mean():>14.2f}{counts}", flush=True)


def _compare(values: np.ndarray, truths: Mapping[str, Labels], seed: int) -> list[dict[str, object]]:
    """Fit all candidates, make the consensus, and measure against each truth."""
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
    return [
        {
            "truth": name,
            **{place: adjusted_rand_index(truth, one.labels) if one else np.nan for place, one in places.items()},
            **{f"{place}_stability": one.stability if one else np.nan for place, one in places.items()},
            "hindsight": max(adjusted_rand_index(truth, one.labels) for one in candidates.values()),
        }
        for name, truth in truths.items()
    ]


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


def _blobs(customers: int, seed: int) -> Data:
    values, truth = make_blobs(customers, n_features=10, centers=5, cluster_std=3.0, random_state=seed)
    return values, {"blobs": truth}


def _moons(customers: int, seed: int) -> Data:
    values, truth = make_moons(customers, noise=0.06, random_state=seed)
    return values, {"moons": truth}


def _gaussians(customers: int, seed: int) -> Data:
    matrix, truth = planted(customers, 20, seed)
    return matrix.to_numpy(), {"gaussians": truth}


def _shop(customers: int, seed: int) -> Data:
    """Take the built-in shop with two truths: lasting habits, and the state in the last month."""
    shop = generate_shop(customers, seed=seed)
    matrix, _ = prepare_matrix(shop.features)
    habits = shop.truth.customers.set_index("customer_id")["archetype"]
    states = shop.truth.states.sort_values("month").groupby("customer_id")["true_state"].last()
    truths = {"habits": habits, "states": states}
    return matrix.to_numpy(), {name: pd.factorize(truth.reindex(matrix.index))[0] for name, truth in truths.items()}


DATA: dict[str, Callable[[int, int], Data]] = {
    "blobs": _blobs,
    "moons": _moons,
    "gaussians": _gaussians,
    "shop": _shop,
}


if __name__ == "__main__":
    main()
