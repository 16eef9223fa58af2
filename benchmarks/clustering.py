"""Measures what every clustering costs with selection, stability, confidence and reference data, and what others cost.

    python -m benchmarks.clustering
    python -m benchmarks.clustering --customers 100000
    python -m benchmarks.clustering --customers 15000 --most-cpu-seconds 60

Each algorithm runs in a process of its own on the same planted customers: overlapping Gaussian segments, some columns
skewed. Beside it stands the obvious alternative: scikit-learn's estimator with the same choices, fitted once on as many
customers as it can, without search, resamples and reference.
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
QUADRATIC_ROWS = 10_000
"""Rows that alternatives with quadratic memory are given at most."""


def main() -> int:
    """Run the benchmark; exit code 1 when a limit was given and is exceeded."""
    parsed = _arguments()
    if parsed.one:
        print(json.dumps(_measure(parsed.one, parsed.customers, parsed.features)))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{parsed.customers:,} customers, {parsed.features} features, {SEGMENTS} planted segments")
    print(
        f"{'':<18}{'fit s':>8}{'trials s':>10}{'CPU s':>8}{'peak MB':>9}{'k':>4}{'ARI':>7}{'other CPU s':>13}{'ARI':>7}"
    )
    found = {name: _in_own_process(name, parsed) for name in parsed.algorithms}
    for name, cost in found.items():
        print(
            f"{name:<18}{cost['fit']:>8.1f}{cost['trials']:>10.1f}{cost['cpu']:>8.1f}{cost['peak']:>9.0f}"
            f"{cost['k']:>4}{cost['ari']:>7.2f}{cost['other']:>13.1f}{cost['other_ari']:>7.2f}"
        )
    cpu, peak = sum(cost["cpu"] for cost in found.values()), max(cost["peak"] for cost in found.values())
    print(f"{'together':<18}{'':>18}{cpu:>8.1f}{peak:>9.0f}")
    return int(cpu > parsed.most_cpu_seconds or peak > parsed.most_megabytes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what every clustering costs.")
    parser.add_argument("--customers", type=int, default=15_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS), choices=list(ALGORITHMS))
    parser.add_argument("--most-cpu-seconds", type=float, default=float("inf"), help="limit of all together")
    parser.add_argument("--most-megabytes", type=float, default=float("inf"), help="limit of the peak of any")
    parser.add_argument("--one", choices=list(ALGORITHMS), help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(name: str, parsed: argparse.Namespace) -> dict[str, Any]:
    arguments = ["--one", name, "--customers", str(parsed.customers), "--features", str(parsed.features)]
    command = [sys.executable, "-m", "benchmarks.clustering", *arguments]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{name} failed:\n{finished.stderr}")
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def planted(customers: int, features: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw customers of overlapping segments, and say which each is of."""
    rng = np.random.default_rng(SEED)
    centres = rng.normal(0, 0.6, (SEGMENTS, features))
    truth = rng.integers(0, SEGMENTS, customers)
    values = centres[truth] + rng.normal(size=(customers, features))
    values[:, ::4] = np.sinh(values[:, ::4]) / 1.5
    index = pd.Index([f"c{number:07d}" for number in range(customers)], name="customer_id")
    return pd.DataFrame(values, index=index, columns=[f"feature_{place}" for place in range(features)]), truth


def _measure(name: str, customers: int, features: int) -> dict[str, Any]:
    """CPU seconds of fit and trials, peak memory, and the same of the alternative."""
    from sklearn.metrics import adjusted_rand_score

    from segmentation_assets.clustering import fitting

    matrix, truth = planted(customers, features)
    revenue = pd.Series(np.arange(float(customers)), index=matrix.index)
    spent: dict[str, float] = {}
    evaluate = fitting.evaluate
    fitting.evaluate = lambda *given: _timed(lambda: evaluate(*given), spent)
    started = time.process_time()
    settings, gates = ClusteringSettings(), LeaderboardSettings()
    result = fitting.fit_clustering(matrix, revenue, ALGORITHMS[name], settings, gates)
    cpu = time.process_time() - started
    if result.failure or result.refit_failure:
        sys.exit(result.failure or result.refit_failure)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    other = _ALTERNATIVES[name](matrix.to_numpy(), result.estimator)
    return {
        "fit": cpu - spent["trials"],
        "trials": spent["trials"],
        "cpu": cpu,
        "peak": peak,
        "k": int(result.estimator.n_clusters_),
        "ari": adjusted_rand_score(truth, result.labels),
        "other": time.process_time() - started,
        "other_ari": adjusted_rand_score(truth[: len(other)], other),
    }


def _timed(work: Callable[[], Any], spent: dict[str, float]) -> Any:
    started = time.process_time()
    found = work()
    spent["trials"] = time.process_time() - started
    return found


def _kmeans(values: np.ndarray, fitted: Any) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(fitted.n_clusters_, n_init=5, random_state=SEED).fit_predict(values)


def _mixture(values: np.ndarray, fitted: Any) -> np.ndarray:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(fitted.n_clusters_, covariance_type=fitted.covariance_type_, random_state=SEED)
    return mixture.fit_predict(values)


def _ward(values: np.ndarray, fitted: Any) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(fitted.n_clusters_).fit_predict(values[:QUADRATIC_ROWS])


def _dbscan(values: np.ndarray, fitted: Any) -> np.ndarray:
    from sklearn.cluster import DBSCAN
    from sklearn.decomposition import PCA

    density = getattr(fitted, "density_", fitted)
    places = PCA(10).fit_transform(values[:QUADRATIC_ROWS])
    return DBSCAN(eps=density.eps_, min_samples=density.min_samples_).fit_predict(places)


def _hdbscan(values: np.ndarray, fitted: Any) -> np.ndarray:
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    places = PCA(10).fit_transform(values[:QUADRATIC_ROWS])
    return HDBSCAN(min_cluster_size=200, min_samples=10, copy=True).fit_predict(places)


def _components(values: np.ndarray, fitted: Any) -> np.ndarray:
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    return KMeans(fitted.n_clusters_, n_init=5, random_state=SEED).fit_predict(PCA(10).fit_transform(values))


_ALTERNATIVES: dict[str, Callable[[np.ndarray, Any], np.ndarray]] = {
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
