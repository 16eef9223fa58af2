"""Prints how well every algorithm finds groups that are known, beside the best that can be reached.

    python -m benchmarks.planted
    python -m benchmarks.planted --customers 3000 --seeds 5

Agreement is the adjusted Rand index with the planted groups (Hubert and Arabie 1985), noise counted as a group. For
blobs, moons and overlapping Gaussians the best is what their true parameters give: the group with the largest
posterior, or the nearest moon. No such formula exists for the synthetic shop; there the best is what a random forest,
taught the truth itself, says of customers it was not taught. Algorithms have their default settings and choose the
number of clusters themselves.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import cross_val_predict

from segmentation_assets.api import generate_shop, prepare_matrix
from segmentation_assets.clustering.fitting import fit_clustering
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOON_NOISE = 0.08
_POINTS_OF_A_MOON = 500


@dataclass(frozen=True)
class Planted:
    """Rows with their groups, and the groups that the best rule gives them."""

    matrix: pd.DataFrame
    truth: Integers
    best: Integers

    @property
    def reachable(self) -> float:
        """Agreement of the best rule with the truth."""
        return float(adjusted_rand_score(self.truth, self.best))


def blobs(customers: int, seed: int) -> Planted:
    """Four round groups in six columns, hardly touching."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 3.5, (4, 6))
    return _gaussians(customers, means, np.stack([np.eye(6)] * 4), rng)


def overlapping(customers: int, seed: int) -> Planted:
    """Three stretched groups in four columns that reach into each other."""
    rng = np.random.default_rng(seed)
    means = np.array([[0.0, 0, 0, 0], [2.5, 0, 0, 0], [0, 2.5, 1.5, 0]])
    shapes = [np.eye(4) + 0.6 * np.outer(side, side) for side in rng.normal(0, 0.7, (3, 4))]
    return _gaussians(customers, means, np.stack(shapes), rng)


def moons(customers: int, seed: int) -> Planted:
    """Two half circles that lie in each other, no group of which has its centre among its customers."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, customers)
    places = _moon(rng.uniform(0, np.pi, customers), truth)
    values = places + rng.normal(0, MOON_NOISE, places.shape)
    angles = np.linspace(0, np.pi, _POINTS_OF_A_MOON)
    nearest = [
        np.square(values[:, None] - _moon(angles, np.full(len(angles), moon))[None]).sum(axis=2).min(axis=1)
        for moon in (0, 1)
    ]
    return Planted(_frame(values), truth, np.argmin(nearest, axis=0))


def shop(customers: int, seed: int) -> Planted:
    """The archetypes of the customers of the synthetic shop, seen through their features."""
    made = generate_shop(customers=customers, months=12, seed=seed)
    matrix, _ = prepare_matrix(made.features)
    archetypes = made.truth.customers.set_index("customer_id")["archetype"].reindex(matrix.index)
    truth = pd.factorize(archetypes, sort=True)[0]
    forest = RandomForestClassifier(n_estimators=200, min_samples_leaf=3, random_state=seed)
    return Planted(matrix, truth, cross_val_predict(forest, matrix.to_numpy(), truth, cv=5))


SETS: dict[str, Callable[[int, int], Planted]] = {
    "blobs": blobs,
    "moons": moons,
    "overlapping": overlapping,
    "shop": shop,
}


def agreement(name: str, planted: Planted) -> tuple[int, float]:
    """Fit an algorithm with its default settings; return its number of clusters and its agreement with the truth."""
    settings = ClusteringSettings.model_validate({"evaluation": {"resamples": 4, "reference_draws": 2}})
    money = pd.Series(1.0, index=planted.matrix.index)
    result = fit_clustering(planted.matrix, money, ALGORITHMS[name], settings, LeaderboardSettings())
    labels = pd.Series(result.labels, index=result.customers).reindex(planted.matrix.index)
    return len(set(labels) - {-1}), float(adjusted_rand_score(planted.truth, labels))


def main() -> None:
    """Print a table: a row per algorithm, a column per set of data, means over seeds."""
    parsed = _arguments()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{parsed.customers:,} customers, mean of {parsed.seeds} seeds: adjusted Rand index, number of clusters\n")
    data = {name: [make(parsed.customers, seed) for seed in range(parsed.seeds)] for name, make in SETS.items()}
    print(f"{'':<20}" + "".join(f"{name:>16}" for name in data))
    for name in parsed.algorithms:
        found = [[agreement(name, planted) for planted in drawn] for drawn in data.values()]
        cells = [f"{np.mean([a for _, a in one]):.2f} ({np.mean([k for k, _ in one]):.1f})" for one in found]
        print(f"{name:<20}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
    best = [
        f"{np.mean([p.reachable for p in drawn]):.2f} ({np.mean([len(set(p.truth)) for p in drawn]):.1f})"
        for drawn in data.values()
    ]
    print(f"{'best reachable':<20}" + "".join(f"{cell:>16}" for cell in best))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Print how well every algorithm finds groups that are known.")
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS), choices=list(ALGORITHMS))
    return parser.parse_args()


def _gaussians(customers: int, means: Floats, shapes: Floats, rng: np.random.Generator) -> Planted:
    truth = rng.integers(0, len(means), customers)
    roots = np.linalg.cholesky(shapes)
    values = means[truth] + np.einsum("nij,nj->ni", roots[truth], rng.normal(size=(customers, means.shape[1])))
    apart = values[:, None] - means[None]
    distances = np.einsum("nki,kij,nkj->nk", apart, np.linalg.inv(shapes), apart)
    best = np.argmin(distances + np.linalg.slogdet(shapes)[1], axis=1)
    return Planted(_frame(values), truth, best)


def _moon(angles: Floats, moon: Integers) -> Floats:
    upper = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lower = np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=1)
    return np.where((moon == 0)[:, None], upper, lower)


def _frame(values: Floats) -> pd.DataFrame:
    """Columns on the scale of the model matrix, a customer per row."""
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    columns = [f"column_{number}" for number in range(values.shape[1])]
    return pd.DataFrame(
        scaled, columns=columns, index=pd.Index([f"c{n:07d}" for n in range(len(values))], name="customer_id")
    )


if __name__ == "__main__":
    main()
