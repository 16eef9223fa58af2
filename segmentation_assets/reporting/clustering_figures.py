"""Pictures of one algorithm: the search for its number of clusters, and an overview of what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.config.settings import MapSettings
from segmentation_assets.reporting.clustering_curves import CURVE_PANELS
from segmentation_assets.reporting.clustering_report import SCORE_NAMES, score_text
from segmentation_assets.reporting.formatting import format_count
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, cluster_colour
from segmentation_assets.reporting.panels import entitle, open_panels, to_png
from segmentation_assets.reporting.projection import PRINCIPAL_COMPONENTS, Plane, project_rows
from segmentation_assets.reporting.slide_canvas import RULE, TEXT
from segmentation_assets.tables.sampling import draw_sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth

SILHOUETTE_SAMPLE = 600
MAP_SAMPLE = 1_500

_CHOSEN = SEGMENT_COLOURS[1]
_LINE = SEGMENT_COLOURS[0]
_NOT_DRAWN = ("k", "is_chosen", "covariance_type", "log_likelihood")
_HINTS = {
    "davies_bouldin": "smaller is better",
    "xie_beni": "smaller is better",
    "partition_entropy": "smaller is better",
    "bic": "smaller is better",
    "aic": "smaller is better",
    "inertia": "falls with k",
    "height": "falls with k",
    "smallest_share": "share of customers",
}


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


def draw_clustering(result: AlgorithmResult, backdrop: Backdrop) -> dict[str, tuple[str, bytes]]:
    """Draw the pictures of one algorithm.

    Parameters
    ----------
    result : AlgorithmResult
    backdrop : Backdrop

    Returns
    -------
    dict of str to (str, bytes)
        Name of the file → what it shows, and the PNG. An overview of the map, silhouettes, reliability and what else
        the algorithm has, and the search where several numbers were scored; empty without a model. The same input
        gives the same bytes.
    """
    if not result.is_fitted:
        return {}
    pictures = {f"{result.name}.png": ("Overview of the clusters", _overview(result, backdrop))}
    names = searched_scores(result.fit["search"])
    if names:
        pictures[f"{result.name}-search.png"] = ("Scores of every number of clusters tried", _search(result, names))
    return pictures


def searched_scores(search: Mapping[str, Any]) -> list[str]:
    """List the columns of a search worth drawing: those known for at least two numbers of clusters."""
    if len(set(search.get("k", ()))) < 2:
        return []
    names = [name for name in SCORE_NAMES if name in search and name not in _NOT_DRAWN]
    return [name for name in names if sum(value is not None for value in search[name]) > 1]


def _search(result: AlgorithmResult, names: list[str]) -> bytes:
    """Draw a panel per score over the numbers of clusters, with the chosen one marked."""
    search = result.fit["search"]
    is_mixture = "covariance_type" in search
    size = (4.6, 3.0) if is_mixture else (2.5, 1.8)
    with open_panels(len(names), columns=2 if is_mixture else 4, width=size[0], height=size[1]) as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            (_draw_criterion if is_mixture else _draw_score)(axes, search, name)
            hint = _HINTS.get(name, "larger is better")
            entitle(axes, SCORE_NAMES[name], f"k; {hint}")
            axes.set_xticks(sorted(set(search["k"])))
        return to_png(figure)


def _draw_score(axes: Any, search: Mapping[str, Any], name: str) -> None:
    known = [(k, value) for k, value in zip(search["k"], search[name], strict=True) if value is not None]
    axes.plot(*zip(*known, strict=True), color=_LINE, linewidth=1.4, marker="o", markersize=3.5)
    for k, value, is_chosen in zip(search["k"], search[name], search["is_chosen"], strict=True):
        if is_chosen and value is not None:
            axes.axvline(k, color=_CHOSEN, linewidth=1, linestyle=":")
            axes.plot([k], [value], marker="o", markersize=7, color=_CHOSEN)


def _draw_criterion(axes: Any, search: Mapping[str, Any], name: str) -> None:
    """Draw an information criterion, a line per shape of the covariances."""
    rows = list(zip(search["covariance_type"], search["k"], search[name], search["is_chosen"], strict=True))
    for place, kind in enumerate(dict.fromkeys(search["covariance_type"])):
        points = [(k, value) for found, k, value, _ in rows if found == kind]
        colour = SEGMENT_COLOURS[place * 2 % len(SEGMENT_COLOURS)]
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.4, marker="o", markersize=3.5, label=kind)
    chosen = [(k, value) for _, k, value, is_chosen in rows if is_chosen]
    axes.plot(*zip(*chosen, strict=True), color=TEXT, marker="o", markersize=9, fillstyle="none", linestyle="none")
    axes.legend(fontsize=7.5, frameon=False)


def _overview(result: AlgorithmResult, backdrop: Backdrop) -> bytes:
    """Draw the panels that apply to an algorithm."""
    drawings = _drawings(result, backdrop) or [lambda axes: entitle(axes, "There is nothing to draw")]
    with open_panels(len(drawings), columns=2, width=4.6, height=3.2) as (figure, panels):
        for axes, draw in zip(panels, drawings, strict=True):
            draw(axes)
        return to_png(figure)


def _drawings(result: AlgorithmResult, backdrop: Backdrop) -> list[Callable[[Any], None]]:
    """List what can be drawn of an algorithm."""
    drawings: list[Callable[[Any], None]] = []
    if backdrop.plane is not None:
        drawings.append(lambda axes: _draw_map(axes, result, backdrop))
    if 1 < len(set(result.labels[backdrop.rows].tolist())) < len(backdrop.rows):
        drawings.append(lambda axes: _draw_silhouettes(axes, result, backdrop))
    if result.evaluation.get("reliability"):
        drawings.append(lambda axes: _draw_reliability(axes, result.evaluation["reliability"]))
    if result.memberships is not None and len(result.numbers) > 1:
        drawings.append(lambda axes: _draw_memberships(axes, result, backdrop))
    drawn = [draw for name, draw in CURVE_PANELS.items() if name in result.fit["curves"]]
    return [*drawings, *(partial(_draw_curve, draw, result) for draw in drawn)]


def _draw_curve(draw: Callable[[Any, Mapping[str, Any]], None], result: AlgorithmResult, axes: Any) -> None:
    draw(axes, result.fit)


def _draw_map(axes: Any, result: AlgorithmResult, backdrop: Backdrop) -> None:
    """Draw customers in the plane, the largest cluster first."""
    import numpy as np

    plane = backdrop.plane
    if plane is None:
        return
    labels, points = result.labels[plane.rows], plane.points
    numbers, counts = np.unique(labels, return_counts=True)
    for number in numbers[np.argsort(-counts, kind="stable")].tolist():
        members = points[labels == number]
        is_noise = number == NOISE
        style = {"s": 12 if is_noise else 9, "marker": "x" if is_noise else "o", "linewidths": 0.8 if is_noise else 0}
        name = "noise" if is_noise else str(number)
        axes.scatter(members[:, 0], members[:, 1], color=cluster_colour(number), alpha=0.7, label=name, **style)
    handles, names = axes.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda place: (names[place] == "noise", len(names[place]), names[place]))
    axes.legend([handles[p] for p in order], [names[p] for p in order], fontsize=7.5, frameon=False, markerscale=1.8)
    entitle(axes, plane.facts.title, *plane.facts.axis_titles)


def _sample_words(drawn: int, count: int) -> str:
    of = f" of {format_count(count)}" if drawn < count else ""
    return f"{format_count(drawn)}{of} customers"


def _draw_silhouettes(axes: Any, result: AlgorithmResult, backdrop: Backdrop) -> None:
    """Draw the silhouette of each customer of the sample, sorted within its cluster; noise is a group of its own."""
    import numpy as np
    from sklearn.metrics import silhouette_samples

    labels = result.labels[backdrop.rows]
    scores = silhouette_samples(backdrop.distances, labels, metric="precomputed")
    start, ticks = 0, []
    for number in [*result.numbers, NOISE]:
        own = np.sort(scores[labels == number])[::-1]
        if not len(own):
            continue
        places = np.arange(start, start + len(own))
        axes.fill_betweenx(places, 0, own, color=cluster_colour(number), linewidth=0.5)
        ticks.append((start + len(own) / 2, "noise" if number == NOISE else str(number)))
        start += len(own) + max(2, len(labels) // 60)
    axes.axvline(0, color=RULE, linewidth=0.8)
    axes.axvline(scores.mean(), color=TEXT, linewidth=1, linestyle="--")
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.invert_yaxis()
    words = _sample_words(len(labels), backdrop.customer_count)
    entitle(axes, f"Silhouette of {words}, mean {score_text(scores.mean())}", "Silhouette", "Cluster")


def _draw_reliability(axes: Any, bins: list[Mapping[str, Any]]) -> None:
    """Draw confidence against what held-out refits show; the size of a point tells how many customers it stands for."""
    import numpy as np

    counts = np.array([part["count"] for part in bins], dtype=np.float64)
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    axes.plot(
        [part["mean_confidence"] for part in bins],
        [part["observed_share"] for part in bins],
        color=_LINE,
        linewidth=1,
        alpha=0.5,
    )
    axes.scatter(
        [part["mean_confidence"] for part in bins],
        [part["observed_share"] for part in bins],
        s=12 + 160 * counts / counts.max(),
        color=_LINE,
        alpha=0.75,
        linewidths=0,
    )
    axes.set(xlim=(-0.03, 1.05), ylim=(-0.03, 1.05))
    entitle(axes, "Reliability (point size: customers)", "Mean confidence", "Share that came back")


def _draw_memberships(axes: Any, result: AlgorithmResult, backdrop: Backdrop) -> None:
    """Draw the degrees of membership of the sample as a heat map, a column per customer, sorted by cluster."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    if result.memberships is None:
        return
    degrees, labels = result.memberships[backdrop.rows], result.labels[backdrop.rows]
    own = degrees[np.arange(len(labels)), np.maximum(labels, 0)]
    order = np.lexsort((-own, labels))
    shades = LinearSegmentedColormap.from_list("membership", ["#ffffff", _LINE])
    axes.imshow(degrees[order].T, aspect="auto", cmap=shades, vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks(range(degrees.shape[1]))
    words = _sample_words(len(labels), backdrop.customer_count)
    entitle(axes, f"Membership of {words}, white 0, blue 1", "Customers, sorted by cluster and membership", "Cluster")
