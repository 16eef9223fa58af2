"""Charts of one clustering for the dashboard, as plain plotly dictionaries made from `ClusteringCharts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.reporting.clustering_charts import Chart, cluster_name, facts_of
from segmentation_assets.reporting.clustering_curves import cut_height
from segmentation_assets.reporting.clustering_figures import (
    sample_words,
    search_hint,
    searched_scores,
    silhouette_gap,
)
from segmentation_assets.reporting.clustering_report import SCORE_NAMES, score_text
from segmentation_assets.reporting.figures import Figure
from segmentation_assets.reporting.formatting import format_count, format_share
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, UNKNOWN_COLOUR, cluster_colour

_LINE, _MARK = SEGMENT_COLOURS[0], SEGMENT_COLOURS[1]


class Panel(NamedTuple):
    """A chart with what stands around it.

    Parameters
    ----------
    name : str
        Part of the id of its element.
    title : str
    figure : dict
        Plotly's data and layout.
    is_small : bool
        Whether it is one of a row of small ones.
    note : str
        What stands below it.
    """

    name: str
    title: str
    figure: Figure
    is_small: bool = False
    note: str = ""


def list_panels(chart: Chart, customer_map: Chart | None) -> list[Panel]:
    """Draw what there is of an algorithm: map, silhouettes, what only this one has, reliability, then the search.

    Parameters
    ----------
    chart : dict
        As `chart_clustering` returns it.
    customer_map : dict or None
        As `chart_map` returns it.
    """
    panels = [] if customer_map is None else [_map_panel(chart, customer_map)]
    if chart["silhouettes"]:
        panels.append(_silhouette_panel(chart))
    if chart["memberships"]:
        panels.append(_membership_panel(chart))
    panels += [draw(chart) for name, draw in _CURVE_PANELS.items() if name in chart["curves"]]
    if chart["reliability"]:
        panels.append(_reliability_panel(chart["reliability"]))
    draw_search = _criterion_panel if "covariance_type" in chart["search"] else _score_panel
    return [*panels, *(draw_search(chart["search"], name) for name in searched_scores(chart["search"]))]


def plot_layout(x: str, y: str, **axes: Mapping[str, Any]) -> Figure:
    """Return a layout with titles of the axes, and what else is wanted of them."""
    return {
        "xaxis": {"title": {"text": x}, "zeroline": False, **axes.get("xaxis", {})},
        "yaxis": {"title": {"text": y}, "zeroline": False, **axes.get("yaxis", {})},
        "hovermode": "closest",
    }


def _mark_line(axis: str, at: float) -> Figure:
    """Return a dashed line across the chart, at a value of an axis."""
    along, across = ("x", "y") if axis == "x" else ("y", "x")
    ends = {f"{along}0": at, f"{along}1": at, f"{across}0": 0, f"{across}1": 1, f"{across}ref": "paper"}
    return {"type": "line", **ends, "line": {"color": UNKNOWN_COLOUR, "dash": "dash", "width": 1.5}}


def _map_panel(chart: Chart, customer_map: Chart) -> Panel:
    """Draw customers in the plane, the largest cluster first."""
    facts, places = facts_of(customer_map), _places_by_cluster(chart["map_clusters"])
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": cluster_name(number),
            "x": [customer_map["x"][place] for place in own],
            "y": [customer_map["y"][place] for place in own],
            "marker": {
                "color": cluster_colour(number),
                "symbol": "x-thin-open" if number == NOISE else "circle",
                "size": 5,
                "opacity": 0.7,
            },
            "hoverinfo": "text",
            "hovertext": _cluster_words(number),
            "legendrank": 1000 + (number if number != NOISE else 999),
        }
        for number, own in sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    layout = {**plot_layout(*facts.axis_titles), "showlegend": True}
    return Panel("map", facts.title, {"data": traces, "layout": layout}, note=facts.reading)


def _places_by_cluster(clusters: Sequence[int]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for place, number in enumerate(clusters):
        places.setdefault(number, []).append(place)
    return places


def _cluster_words(number: int) -> str:
    return "Noise" if number == NOISE else f"Cluster {number}"


def _silhouette_panel(chart: Chart) -> Panel:
    """Draw the silhouette of each customer of the sample, sorted within its cluster."""
    traces, ticks, start = [], [], 0
    for part in chart["silhouettes"]["clusters"]:
        own, colour = part["scores"], cluster_colour(part["cluster"])
        mean = score_text(sum(own) / len(own), digits=2)
        words = f"{_cluster_words(part['cluster'])}: {format_count(len(own))} of the sample, mean {mean}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": cluster_name(part["cluster"]),
                "x": [0, *own, 0],
                "y": [start, *range(start, start + len(own)), start + len(own) - 1],
                "fill": "toself",
                "fillcolor": colour,
                "line": {"color": colour, "width": 1},
                "hoverinfo": "text",
                "text": words,
                "hoveron": "fills",
            }
        )
        ticks.append((start + len(own) / 2, cluster_name(part["cluster"])))
        start += len(own) + silhouette_gap(chart)
    mean = chart["silhouettes"]["mean"]
    rows = {"tickvals": [at for at, _ in ticks], "ticktext": [name for _, name in ticks], "autorange": "reversed"}
    layout = {
        **plot_layout("Silhouette", "Cluster", yaxis={**rows, "showgrid": False}),
        "shapes": [_mark_line("x", mean)],
    }
    note = "Of each customer: above 0 nearer to its own cluster, below 0 nearer to another. Dashed: the mean."
    title = f"Silhouette of {sample_words(chart)}, mean {score_text(mean)}"
    return Panel("silhouettes", title, {"data": traces, "layout": layout}, note=note)


def _membership_panel(chart: Chart) -> Panel:
    """Draw the degrees of membership of the sample as a heat map, a column per customer."""
    degrees = chart["memberships"]
    trace = {
        "type": "heatmap",
        "z": degrees,
        "y": [cluster_name(number) for number in range(len(degrees))],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hovertemplate": "Cluster %{y}: %{z:.2f}<extra></extra>",
    }
    layout = plot_layout(
        "Customers, sorted by cluster and membership",
        "Cluster",
        xaxis={"showticklabels": False, "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
    )
    note = "Strong colour is a membership near 1. It is a degree within the model and no confidence."
    return Panel("memberships", f"Membership of {sample_words(chart)}", {"data": [trace], "layout": layout}, note=note)


def _reliability_panel(bins: Sequence[Mapping[str, Any]]) -> Panel:
    """Draw confidence against what held-out refits show."""
    largest = max(part["count"] for part in bins)
    x, y = ([part[name] for part in bins] for name in ("mean_confidence", "observed_share"))
    equal = {**_curve([0, 1], [0, 1], UNKNOWN_COLOUR, "as stated"), "hoverinfo": "skip"}
    points = {
        **_curve(x, y, _LINE, "found"),
        "mode": "lines+markers",
        "marker": {"color": _LINE, "size": [round(5 + 13 * (part["count"] / largest) ** 0.5, 1) for part in bins]},
        "hoverinfo": "text",
        "hovertext": [
            f"Stated {format_share(part['mean_confidence'])}, came back {format_share(part['observed_share'])}"
            for part in bins
        ],
    }
    unit = {"range": [-0.04, 1.06], "tickformat": ".0%"}
    layout = plot_layout("Mean confidence", "Share that came back", xaxis=unit, yaxis=unit)
    note = "On the grey line, confidence is what held-out refits show. The size of a point stands for its customers."
    return Panel("reliability", "Is the confidence true?", {"data": [equal, points], "layout": layout}, note=note)


def _curve(x: Sequence[Any], y: Sequence[Any], colour: str, name: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2},
    }


def _spaced(first: float, last: float, count: int) -> list[float]:
    """Return evenly spaced numbers."""
    return [round(first + (last - first) * place / max(count - 1, 1), 6) for place in range(count)]


def _k_distance_panel(chart: Chart) -> Panel:
    curve, figures = chart["curves"]["k_distance"], chart["figures"]
    trace = _curve(_spaced(0, 1, len(curve)), curve, _LINE, "distance")
    layout = plot_layout("Share of customers", "Distance", xaxis={"tickformat": ".0%"})
    figure = {"data": [trace], "layout": {**layout, "shapes": [_mark_line("y", figures["eps"])]}}
    note = f"Dashed: the radius that was taken, eps {figures['eps']:.3g}."
    return Panel("k-distance", f"Distance to neighbour {figures['min_samples']}, sorted", figure, note=note)


def _dendrogram_panel(chart: Chart) -> Panel:
    """Draw the upper tree; below each leaf stands how many customers it holds."""
    curves = chart["curves"]
    across = [place for merge in curves["dendrogram_across"] for place in (*merge, None)]
    heights = [height for merge in curves["dendrogram_heights"] for height in (*merge, None)]
    leaves = [format_count(count) for count in curves["dendrogram_leaves"]]
    trace = {**_curve(across, heights, _LINE, "merge"), "hoverinfo": "y"}
    ticks = {"tickvals": [5 + 10 * number for number in range(len(leaves))], "ticktext": leaves, "tickangle": -90}
    layout = plot_layout(
        "Customers of each branch",
        "Cost of the merge",
        xaxis={**ticks, "showgrid": False, "range": [0, 10 * len(leaves)]},
        yaxis={"rangemode": "tozero"},
    )
    cut = cut_height(curves["merge_heights"], chart["n_clusters"])
    layout["shapes"] = [] if cut is None else [_mark_line("y", cut)]
    title = f"Dendrogram, cut into {chart['n_clusters']}"
    note = "The upper tree. Dashed: the cut." if cut is not None else "The upper tree."
    return Panel("dendrogram", title, {"data": [trace], "layout": layout}, note=note)


def _training_panel(chart: Chart) -> Panel:
    curves = {"training": chart["curves"]["training_error"], "held out": chart["curves"]["holdout_error"]}
    epochs = int(chart["figures"].get("epochs", len(curves["training"])))
    traces = [
        _curve(_spaced(1, epochs, len(curve)), curve, colour, name)
        for (name, curve), colour in zip(curves.items(), (_LINE, _MARK), strict=True)
    ]
    layout = plot_layout("Epoch", "Mean squared error", yaxis={"rangemode": "tozero"})
    figure = {"data": traces, "layout": {**layout, "showlegend": True}}
    return Panel("training", "Error of rebuilding the customers", figure)


_CURVE_PANELS: dict[str, Callable[[Chart], Panel]] = {
    "dendrogram_across": _dendrogram_panel,
    "k_distance": _k_distance_panel,
    "training_error": _training_panel,
}
"""Panel by the curve that it needs."""


def _score_panel(search: Mapping[str, Any], name: str) -> Panel:
    """Draw a score over the numbers of clusters, the chosen one marked."""
    known = [(k, value) for k, value in zip(search["k"], search[name], strict=True) if value is not None]
    chosen = [k for k, is_chosen in zip(search["k"], search["is_chosen"], strict=True) if is_chosen]
    trace = {
        **_curve([k for k, _ in known], [value for _, value in known], _LINE, SCORE_NAMES[name]),
        "mode": "lines+markers",
        "marker": {
            "color": [_MARK if k in chosen else _LINE for k, _ in known],
            "size": [11 if k in chosen else 6 for k, _ in known],
            "opacity": 1,
        },
        "hovertemplate": "k = %{x}: %{y:.4g}<extra></extra>",
    }
    figure = {"data": [trace], "layout": plot_layout(f"k; {search_hint(name)}", "", xaxis={"dtick": 1})}
    return Panel(f"search-{name.replace('_', '-')}", SCORE_NAMES[name], figure, is_small=True)


def _criterion_panel(search: Mapping[str, Any], name: str) -> Panel:
    """Draw an information criterion, a line per shape of the covariances."""
    rows = list(zip(search["covariance_type"], search["k"], search[name], search["is_chosen"], strict=True))
    traces = []
    for place, kind in enumerate(dict.fromkeys(search["covariance_type"])):
        own = [(k, value) for found, k, value, _ in rows if found == kind]
        colour = SEGMENT_COLOURS[place * 2 % len(SEGMENT_COLOURS)]
        line = _curve([k for k, _ in own], [value for _, value in own], colour, kind)
        traces.append(
            {**line, "mode": "lines+markers", "hovertemplate": f"{kind}, k = %{{x}}: %{{y:,.0f}}<extra></extra>"}
        )
    chosen = [(k, value) for _, k, value, is_chosen in rows if is_chosen]
    ring = {"color": UNKNOWN_COLOUR, "size": 16, "symbol": "circle-open", "line": {"width": 2}}
    traces.append(
        {
            **_curve([k for k, _ in chosen], [value for _, value in chosen], UNKNOWN_COLOUR, "chosen"),
            "mode": "markers",
            "marker": ring,
            "hoverinfo": "skip",
        }
    )
    layout = {**plot_layout(f"k; {search_hint(name)}", "", xaxis={"dtick": 1}), "showlegend": True}
    return Panel(f"search-{name}", SCORE_NAMES[name], {"data": traces, "layout": layout})
