"""Pictures of one algorithm: the search for its number of clusters, and an overview of what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.reporting.clustering_charts import Chart, cluster_name, facts_of
from segmentation_assets.reporting.clustering_curves import CURVE_PANELS
from segmentation_assets.reporting.clustering_report import SCORE_NAMES, score_text
from segmentation_assets.reporting.formatting import format_count
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, cluster_colour
from segmentation_assets.reporting.panels import entitle, open_panels, to_png
from segmentation_assets.reporting.slide_canvas import RULE, TEXT

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


def draw_clustering(name: str, chart: Chart, customer_map: Chart | None) -> dict[str, tuple[str, bytes]]:
    """Draw the pictures of one algorithm.

    Parameters
    ----------
    name : str
        Of the algorithm.
    chart : dict
        As `chart_clustering` returns it.
    customer_map : dict or None
        As `chart_map` returns it.

    Returns
    -------
    dict of str to (str, bytes)
        Name of the file → what it shows, and the PNG. An overview of the map, silhouettes, reliability and what else
        the algorithm has, and the search where several numbers were scored. The same input gives the same bytes.
    """
    pictures = {f"{name}.png": ("Overview of the clusters", _overview(chart, customer_map))}
    scores = searched_scores(chart["search"])
    if scores:
        pictures[f"{name}-search.png"] = ("Scores of every number of clusters tried", _search(chart["search"], scores))
    return pictures


def searched_scores(search: Mapping[str, Any]) -> list[str]:
    """List the columns of a search worth drawing: those known for at least two numbers of clusters."""
    if len(set(search.get("k", ()))) < 2:
        return []
    names = [name for name in SCORE_NAMES if name in search and name not in _NOT_DRAWN]
    return [name for name in names if sum(value is not None for value in search[name]) > 1]


def search_hint(name: str) -> str:
    """Say how a score of the search is read."""
    return _HINTS.get(name, "larger is better")


def _search(search: Mapping[str, Any], names: list[str]) -> bytes:
    """Draw a panel per score over the numbers of clusters, with the chosen one marked."""
    is_mixture = "covariance_type" in search
    size = (4.6, 3.0) if is_mixture else (2.5, 1.8)
    with open_panels(len(names), columns=2 if is_mixture else 4, width=size[0], height=size[1]) as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            (_draw_criterion if is_mixture else _draw_score)(axes, search, name)
            entitle(axes, SCORE_NAMES[name], f"k; {search_hint(name)}")
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


def _overview(chart: Chart, customer_map: Chart | None) -> bytes:
    """Draw the panels that apply to an algorithm."""
    drawings = _drawings(chart, customer_map) or [lambda axes: entitle(axes, "There is nothing to draw")]
    with open_panels(len(drawings), columns=2, width=4.6, height=3.2) as (figure, panels):
        for axes, draw in zip(panels, drawings, strict=True):
            draw(axes)
        return to_png(figure)


def _drawings(chart: Chart, customer_map: Chart | None) -> list[Callable[[Any], None]]:
    """List what can be drawn of an algorithm."""
    drawings: list[Callable[[Any], None]] = []
    if customer_map is not None:
        drawings.append(lambda axes: _draw_map(axes, chart["map_clusters"], customer_map))
    if chart["silhouettes"]:
        drawings.append(lambda axes: _draw_silhouettes(axes, chart))
    if chart["reliability"]:
        drawings.append(lambda axes: _draw_reliability(axes, chart["reliability"]))
    if chart["memberships"]:
        drawings.append(lambda axes: _draw_memberships(axes, chart))
    drawn = [draw for name, draw in CURVE_PANELS.items() if name in chart["curves"]]
    return [*drawings, *(partial(_draw_curve, draw, chart) for draw in drawn)]


def _draw_curve(draw: Callable[[Any, Mapping[str, Any]], None], chart: Chart, axes: Any) -> None:
    draw(axes, chart)


def _draw_map(axes: Any, clusters: list[int], customer_map: Chart) -> None:
    """Draw customers in the plane, the largest cluster first."""
    import numpy as np

    labels, points = np.array(clusters), np.column_stack([customer_map["x"], customer_map["y"]])
    numbers, counts = np.unique(labels, return_counts=True)
    for number in numbers[np.argsort(-counts, kind="stable")].tolist():
        members = points[labels == number]
        is_noise = number == NOISE
        style = {"s": 12 if is_noise else 9, "marker": "x" if is_noise else "o", "linewidths": 0.8 if is_noise else 0}
        colour, label = cluster_colour(number), cluster_name(number)
        axes.scatter(members[:, 0], members[:, 1], color=colour, alpha=0.7, label=label, **style)
    handles, names = axes.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda place: (names[place] == "noise", len(names[place]), names[place]))
    axes.legend([handles[p] for p in order], [names[p] for p in order], fontsize=7.5, frameon=False, markerscale=1.8)
    facts = facts_of(customer_map)
    entitle(axes, facts.title, *facts.axis_titles)


def sample_words(chart: Chart) -> str:
    """Say whom silhouettes and memberships show."""
    drawn, count = chart["sampled_count"], chart["customer_count"]
    of = f" of {format_count(count)}" if drawn < count else ""
    return f"{format_count(drawn)}{of} customers"


def _draw_silhouettes(axes: Any, chart: Chart) -> None:
    """Draw the silhouette of each customer of the sample, sorted within its cluster; noise is a group of its own."""
    import numpy as np

    start, ticks, mean = 0, [], chart["silhouettes"]["mean"]
    for part in chart["silhouettes"]["clusters"]:
        own = part["scores"]
        places = np.arange(start, start + len(own))
        axes.fill_betweenx(places, 0, own, color=cluster_colour(part["cluster"]), linewidth=0.5)
        ticks.append((start + len(own) / 2, cluster_name(part["cluster"])))
        start += len(own) + silhouette_gap(chart)
    axes.axvline(0, color=RULE, linewidth=0.8)
    axes.axvline(mean, color=TEXT, linewidth=1, linestyle="--")
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.invert_yaxis()
    entitle(axes, f"Silhouette of {sample_words(chart)}, mean {score_text(mean)}", "Silhouette", "Cluster")


def silhouette_gap(chart: Chart) -> int:
    """Return the rows left free between two clusters of a silhouette plot."""
    return max(2, int(chart["sampled_count"]) // 60)


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


def _draw_memberships(axes: Any, chart: Chart) -> None:
    """Draw the degrees of membership of the sample as a heat map, a column per customer."""
    from matplotlib.colors import LinearSegmentedColormap

    degrees = chart["memberships"]
    shades = LinearSegmentedColormap.from_list("membership", ["#ffffff", _LINE])
    axes.imshow(degrees, aspect="auto", cmap=shades, vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks(range(len(degrees)))
    title = f"Membership of {sample_words(chart)}, white 0, blue 1"
    entitle(axes, title, "Customers, sorted by cluster and membership", "Cluster")
