"""What the pictures of a month's clusterings show, as plain data that PNG files and the dashboard are drawn from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.reporting.clustering_comparison import MOST_COMPARED
from segmentation_assets.reporting.clustering_profile import as_plain
from segmentation_assets.reporting.projection import PRINCIPAL_COMPONENTS, MapFacts, Plane, project_rows
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.config.settings import MapSettings
    from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth

CHARTS = "charts.json"
"""Name of the file that holds the charts of a month, beside its pictures."""

SILHOUETTE_SAMPLE = 600
MAP_SAMPLE = 1_500

Chart = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Backdrop:
    """What the pictures of all algorithms of a month share.

    Parameters
    ----------
    plane : Plane or None
    rows : ndarray of int
        Customers of the silhouette plots and the heat map.
    distances : ndarray of shape (n_rows, n_rows)
        Between them, in the model matrix.
    customer_count : int
    """

    plane: Plane | None
    rows: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]
    customer_count: int


@dataclass(frozen=True, kw_only=True)
class ClusteringCharts:
    """All that is drawn of a month's clusterings; samples, whatever the number of customers.

    Parameters
    ----------
    not_due : str
        Why nothing was fitted this month; empty where something was.
    map : dict or None
        As `chart_map` returns it.
    comparison : dict
        As `chart_comparison` returns it; empty where nothing is new to compare.
    algorithms : dict of str to dict
        As `chart_clustering` returns it, of every algorithm that has a model.
    """

    not_due: str
    map: Chart | None
    comparison: Chart
    algorithms: Mapping[str, Chart]

    def to_json(self) -> str:
        """Write all of it down; numbers to ten significant digits, and null for what is not finite."""
        return json.dumps(as_plain(asdict(self)), ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ClusteringCharts:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


def make_charts(
    results: Sequence[AlgorithmResult], month: ClusteringMonth, agreement: pd.DataFrame, settings: MapSettings
) -> ClusteringCharts:
    """Prepare all that is drawn of a month.

    Parameters
    ----------
    results : sequence of AlgorithmResult
    month : ClusteringMonth
    agreement : DataFrame
        As `measure_agreement` returns it of the results that were due.
    settings : MapSettings
    """
    due = [result for result in results if not result.not_due]
    backdrop = make_backdrop(month, settings)
    return ClusteringCharts(
        not_due="" if due else next((result.not_due for result in results), ""),
        map=chart_map(backdrop),
        comparison=chart_comparison(due, month, agreement) if due else {},
        algorithms={result.name: chart_clustering(result, backdrop) for result in due if result.is_fitted},
    )


def make_backdrop(month: ClusteringMonth, settings: MapSettings = PRINCIPAL_COMPONENTS) -> Backdrop:
    """Draw the samples of the month, lay its customers out and measure the distances between some of them."""
    import numpy as np
    from sklearn.metrics import euclidean_distances
    from threadpoolctl import threadpool_limits

    values = month.matrix.to_numpy(dtype=np.float64)
    rows = draw_sample(len(values), SILHOUETTE_SAMPLE, month.seed)
    with threadpool_limits(1):
        distances = euclidean_distances(values[rows]) if values.shape[1] else np.zeros((len(rows), len(rows)))
    np.fill_diagonal(distances, 0.0)
    plane = project_rows(values, n_points=MAP_SAMPLE, seed=month.seed, settings=settings)
    return Backdrop(plane, rows, distances, len(values))


def chart_map(backdrop: Backdrop) -> Chart | None:
    """Return x and y of the customers on the map, and its facts as `MapFacts` takes them; None without a plane."""
    plane = backdrop.plane
    if plane is None:
        return None
    return {"x": plane.points[:, 0].tolist(), "y": plane.points[:, 1].tolist(), "facts": asdict(plane.facts)}


def facts_of(customer_map: Chart) -> MapFacts:
    """Return the facts of a map."""
    facts = customer_map["facts"]
    return MapFacts(**{**facts, "variance_shares": tuple(facts["variance_shares"])})


def chart_clustering(result: AlgorithmResult, backdrop: Backdrop) -> Chart:
    """Prepare what is drawn of one algorithm.

    Parameters
    ----------
    result : AlgorithmResult
        One with a model.
    backdrop : Backdrop

    Returns
    -------
    dict
        n_clusters, customer_count; sampled_count, the customers of silhouettes and memberships; map_clusters, the
        cluster of each customer on the map; silhouettes, per cluster its scores in descending order, noise a group of
        its own; memberships, per cluster the degree of each sampled customer, sorted by cluster and degree;
        reliability, figures, curves and search as in the documents of the fit. None or empty where there is no such
        thing. Scores and degrees have three decimals.
    """
    plane = backdrop.plane
    return {
        "n_clusters": result.fit["n_clusters"],
        "customer_count": backdrop.customer_count,
        "sampled_count": len(backdrop.rows),
        "map_clusters": None if plane is None else result.labels[plane.rows].tolist(),
        "silhouettes": _silhouettes(result, backdrop),
        "memberships": _memberships(result, backdrop),
        "reliability": result.evaluation.get("reliability", []),
        "figures": result.fit["figures"],
        "curves": result.fit["curves"],
        "search": result.fit["search"],
    }


def _silhouettes(result: AlgorithmResult, backdrop: Backdrop) -> Chart | None:
    """Measure the silhouette of each customer of the sample."""
    import numpy as np
    from sklearn.metrics import silhouette_samples

    labels = result.labels[backdrop.rows]
    if not 1 < len(set(labels.tolist())) < len(labels):
        return None
    scores = silhouette_samples(backdrop.distances, labels, metric="precomputed")
    groups = [(number, np.sort(scores[labels == number])[::-1]) for number in [*result.numbers, NOISE]]
    return {
        "mean": round(float(scores.mean()), 4),
        "clusters": [{"cluster": number, "scores": np.round(own, 3).tolist()} for number, own in groups if len(own)],
    }


def _memberships(result: AlgorithmResult, backdrop: Backdrop) -> list[list[float]] | None:
    """Sort the degrees of membership of the sample by cluster and degree, a list per cluster."""
    import numpy as np

    if result.memberships is None or len(result.numbers) < 2:
        return None
    degrees, labels = result.memberships[backdrop.rows], result.labels[backdrop.rows]
    own = degrees[np.arange(len(labels)), np.maximum(labels, 0)]
    order = np.lexsort((-own, labels))
    found: list[list[float]] = np.round(degrees[order].T, 3).tolist()
    return found


def chart_comparison(results: Sequence[AlgorithmResult], month: ClusteringMonth, agreement: pd.DataFrame) -> Chart:
    """Prepare what is drawn of all candidates beside each other.

    Parameters
    ----------
    results : sequence of AlgorithmResult
        Those that were due.
    month : ClusteringMonth
    agreement : DataFrame
        As `measure_agreement` returns it.

    Returns
    -------
    dict
        sizes, per candidate its name and the share of customers of each cluster, noise last; agreement, the names and
        a row of adjusted Rand indices for each, None without a model; compared_count, the customers it rests on, of
        customer_count. Candidates in the order of the leaderboard.
    """
    import pandas as pd

    names, numbers = sorted(set(month.rfm)), pd.factorize(month.rfm, sort=True)[0]
    sizes = {result.name: _shares(result.labels) for result in results}
    sizes[BASELINE] = [{**part, "name": names[part["cluster"]]} for part in _shares(numbers)]
    order = [str(name) for name in month.ranking["candidate"] if name in sizes]
    table = agreement.loc[order, order].astype(object)
    return {
        "sizes": [{"candidate": name, "clusters": sizes[name]} for name in order],
        "agreement": {"candidates": order, "values": table.where(table.notna(), None).to_numpy().tolist()},
        "compared_count": min(len(month.matrix), MOST_COMPARED),
        "customer_count": len(month.matrix),
    }


def _shares(labels: npt.NDArray[np.int64]) -> list[Chart]:
    """Measure the clusters of a partition, noise last."""
    import numpy as np

    numbers, counts = np.unique(labels, return_counts=True)
    parts = [
        {"cluster": number, "name": cluster_name(number), "share": round(count / len(labels), 6)}
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
    ]
    return sorted(parts, key=lambda part: (part["cluster"] == NOISE, part["cluster"]))


def cluster_name(number: int) -> str:
    """Name a cluster in a picture.

    Example
    -------
    >>> cluster_name(3), cluster_name(-1)
    ('3', 'noise')
    """
    return "noise" if number == NOISE else str(number)
