"""Measures what every clustering costs with selection, stability, confidence and reference data, and what others cost.

    python -m benchmarks.clustering
    python -m benchmarks.clustering --customers 100000
    python -m benchmarks.clustering --customers 1000000 --most-cpu-seconds 500 --most-megabytes 6000

Each algorithm runs in a process of its own on the same planted customers: overlapping Gaussian segments, some columns
skewed. Beside it stands the obvious alternative, in a process of its own too: scikit-learn's estimator with the same
choices, fitted once on as many customers as it can, without search, resamples and reference.

    fit         learn from a sample, and assign every customer
    trials      fit again on resampled customers and on reference data, and compare
    assign      assign every customer anew; not part of the sum
    peak        memory of the process, with the customers themselves

The row "comparison" is what gates and ranking of so many candidates cost: all scores of each on the common sample. The
labels there are the planted segments, of which a share is drawn anew for each candidate.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.config.clustering import ClusteringSettings, LeaderboardSettings

SEGMENTS = 6
SEED = 7
COMPARISON = "comparison"
QUADRATIC_ROWS = 10_000
"""Rows that alternatives with quadratic memory are given at most."""


def main() -> int:
    """Run the benchmark; exit code 1 when a limit was given and is exceeded."""
    parsed = _arguments()
    if parsed.one:
        found = _compare if parsed.one == COMPARISON else _measure if parsed.choices is None else _measure_other
        print(json.dumps(found(parsed)))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{parsed.customers:,} customers, {parsed.features} features, {SEGMENTS} planted segments")
    print(f"{'':<18}{'fit s':>8}{'trials s':>10}{'CPU s':>8}{'assign s':>10}{'peak MB':>9}{'k':>4}{'ARI':>7}", end="")
    print(f"{'other: CPU s':>15}{'peak MB':>9}{'customers':>11}{'ARI':>7}")
    costs = [_print_row(name, parsed) for name in parsed.algorithms]
    costs.append(_in_own_process(COMPARISON, parsed))
    print(f"{COMPARISON:<18}{'':>18}{costs[-1]['cpu']:>8.1f}{'':>10}{costs[-1]['peak']:>9.0f}")
    cpu, peak = sum(cost["cpu"] for cost in costs), max(cost["peak"] for cost in costs)
    print(f"{'together':<18}{'':>18}{cpu:>8.1f}{'':>10}{peak:>9.0f}")
    limits = ((cpu, parsed.most_cpu_seconds, "CPU seconds together"), (peak, parsed.most_megabytes, "MB at the peak"))
    exceeded = [
        f"error: {value:.1f} {words}, expected {most:g} at most" for value, most, words in limits if value > most
    ]
    print(*exceeded, sep="\n", end="\n" if exceeded else "", file=sys.stderr)
    return int(bool(exceeded))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what every clustering costs.")
    parser.add_argument("--customers", type=int, default=15_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS), choices=list(ALGORITHMS))
    parser.add_argument("--most-cpu-seconds", type=float, default=float("inf"), help="limit of all together")
    parser.add_argument("--most-megabytes", type=float, default=float("inf"), help="limit of the peak of any")
    parser.add_argument("--one", choices=[*ALGORITHMS, COMPARISON], help=argparse.SUPPRESS)
    parser.add_argument("--choices", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def _print_row(name: str, parsed: argparse.Namespace) -> dict[str, Any]:
    """Measure an algorithm and its alternative, print the row and return the cost of the algorithm."""
    cost = _in_own_process(name, parsed)
    other = _in_own_process(name, parsed, "--choices", json.dumps(cost["choices"]))
    print(
        f"{name:<18}{cost['fit']:>8.1f}{cost['trials']:>10.1f}{cost['cpu']:>8.1f}{cost['assign']:>10.1f}"
        f"{cost['peak']:>9.0f}{cost['choices']['n_clusters']:>4}{cost['ari']:>7.2f}"
        f"{other['cpu']:>15.1f}{other['peak']:>9.0f}{other['customers']:>11,}{other['ari']:>7.2f}",
        flush=True,
    )
    return cost


def _in_own_process(name: str, parsed: argparse.Namespace, *further: str) -> dict[str, Any]:
    arguments = ["--one", name, "--customers", str(parsed.customers), "--features", str(parsed.features), *further]
    command = [sys.executable, "-m", "benchmarks.clustering", *arguments]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{name} failed:\n{finished.stderr}")
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def planted(customers: int, features: int, seed: int = SEED) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw customers of overlapping segments, and say which each is of."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.6, (SEGMENTS, features))
    truth = rng.integers(0, SEGMENTS, customers)
    values = centres[truth] + rng.normal(size=(customers, features))
    values[:, ::4] = np.sinh(values[:, ::4]) / 1.5
    index = pd.Index([f"c{number:07d}" for number in range(customers)], name="customer_id")
    return pd.DataFrame(values, index=index, columns=[f"feature_{place}" for place in range(features)]), truth


def _measure(parsed: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds of fit, trials and of assigning everyone, peak memory, and what was chosen."""
    from sklearn.metrics import adjusted_rand_score

    from segmentation_assets.clustering import fitting

    matrix, truth = planted(parsed.customers, parsed.features)
    revenue = pd.Series(np.arange(float(parsed.customers)), index=matrix.index)
    spent: dict[str, float] = {}
    evaluate = fitting.evaluate
    fitting.evaluate = lambda *given: _timed("trials", lambda: evaluate(*given), spent)
    settings, gates, entry = ClusteringSettings(), LeaderboardSettings(), ALGORITHMS[parsed.one]
    result = _timed("cpu", lambda: fitting.fit_clustering(matrix, revenue, entry, settings, gates), spent)
    if result.failure or result.refit_failure:
        sys.exit(result.failure or result.refit_failure)
    peak = _peak_megabytes()
    _timed("assign", lambda: result.estimator.assign(matrix), spent)
    return {
        **spent,
        "fit": spent["cpu"] - spent["trials"],
        "peak": peak,
        "ari": adjusted_rand_score(truth, result.labels),
        "choices": _choices(result.estimator),
    }


def _compare(parsed: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds and peak memory of the comparison of as many candidates as there are algorithms."""
    from segmentation_assets.clustering.leaderboard import Entrant, compare_candidates

    matrix, truth = planted(parsed.customers, parsed.features)
    rng, entrants = np.random.default_rng(SEED), {}
    for place, name in enumerate(ALGORITHMS):
        is_drawn = rng.random(len(truth)) < place / 2 / len(ALGORITHMS)
        labels = np.where(is_drawn, rng.integers(0, SEGMENTS, len(truth)), truth)
        entrants[name] = Entrant(pd.Series(labels, index=matrix.index))
    baseline = pd.Series(truth.astype(str), index=matrix.index)
    money, settings = pd.Series(1.0, index=matrix.index), ClusteringSettings()
    given = (matrix, entrants, baseline, money, LeaderboardSettings(), settings.score_sample, settings.seed)
    spent: dict[str, float] = {}
    _timed("cpu", lambda: compare_candidates(*given), spent)
    return {**spent, "peak": _peak_megabytes()}


def _choices(fitted: Any) -> dict[str, Any]:
    """Return what the alternative is given of a fit."""
    density = getattr(fitted, "density_", fitted)
    names = {"eps": "eps_", "min_samples": "min_samples_"}
    found = {name: getattr(density, attribute, None) for name, attribute in names.items()}
    covariance_type = getattr(fitted, "covariance_type_", None)
    return {**found, "n_clusters": int(fitted.n_clusters_), "covariance_type": covariance_type}


def _measure_other(parsed: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds and peak memory of the alternative."""
    from sklearn.metrics import adjusted_rand_score

    matrix, truth = planted(parsed.customers, parsed.features)
    spent: dict[str, float] = {}
    values, fit_other = matrix.to_numpy(), _ALTERNATIVES[parsed.one]
    labels = _timed("cpu", lambda: fit_other(values, parsed.choices), spent)
    ari = adjusted_rand_score(truth[: len(labels)], labels)
    return {**spent, "peak": _peak_megabytes(), "customers": len(labels), "ari": ari}


def _timed(name: str, work: Callable[[], Any], spent: dict[str, float]) -> Any:
    started = time.process_time()
    found = work()
    spent[name] = time.process_time() - started
    return found


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _kmeans(values: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(choices["n_clusters"], n_init=5, random_state=SEED).fit_predict(values)


def _mixture(values: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(choices["n_clusters"], covariance_type=choices["covariance_type"], random_state=SEED)
    return mixture.fit_predict(values)


def _ward(values: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(choices["n_clusters"]).fit_predict(values[:QUADRATIC_ROWS])


def _dbscan(values: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    from sklearn.cluster import DBSCAN
    from sklearn.decomposition import PCA

    places = PCA(10).fit_transform(values[:QUADRATIC_ROWS])
    return DBSCAN(eps=choices["eps"], min_samples=choices["min_samples"]).fit_predict(places)


def _hdbscan(values: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    places = PCA(10).fit_transform(values[:QUADRATIC_ROWS])
    return HDBSCAN(min_cluster_size=200, min_samples=10, copy=True).fit_predict(places)


def _components(values: np.ndarray, choices: dict[str, Any]) -> np.ndarray:
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    return KMeans(choices["n_clusters"], n_init=5, random_state=SEED).fit_predict(PCA(10).fit_transform(values))


_ALTERNATIVES: dict[str, Callable[[np.ndarray, dict[str, Any]], np.ndarray]] = {
    "kmeans": _kmeans,
    "hybrid": _kmeans,
    "gaussian_mixture": _mixture,
    "ward": _ward,
    "fuzzy_cmeans": _kmeans,
    "dbscan": _dbscan,
    "hdbscan": _hdbscan,
    "autoencoder": _components,
}


if __name__ == "__main__":
    sys.exit(main())
