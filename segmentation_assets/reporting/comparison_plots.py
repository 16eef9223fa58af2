"""Charts of all candidates beside each other for the dashboard, as plain plotly dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.reporting.clustering_charts import Chart, cluster_name
from segmentation_assets.reporting.clustering_plots import plot_layout
from segmentation_assets.reporting.clustering_report import score_text
from segmentation_assets.reporting.figures import Figure, plotly_text
from segmentation_assets.reporting.formatting import format_share
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, UNKNOWN_COLOUR, cluster_colour


def build_sizes_figure(sizes: Sequence[Chart], labels: Mapping[str, str]) -> Figure:
    """Draw a bar per candidate, divided into its clusters and the noise.

    Parameters
    ----------
    sizes : sequence of dict
        ``sizes`` of `chart_comparison`.
    labels : mapping of str to str
        Candidate → name as people write it.
    """
    numbers = {part["cluster"] for candidate in sizes for part in candidate["clusters"]}
    order = sorted(numbers, key=lambda number: (number == NOISE, number))
    return {
        "data": [_size_trace(number, sizes, labels) for number in order],
        "layout": {
            **plot_layout("Share of customers", "", xaxis={"tickformat": ".0%", "range": [0, 1]}),
            "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False},
            "barmode": "stack",
            "bargap": 0.3,
        },
    }


def _size_trace(number: int, sizes: Sequence[Chart], labels: Mapping[str, str]) -> Figure:
    found = [
        (labels[candidate["candidate"]], part["name"], part["share"])
        for candidate in sizes
        for part in candidate["clusters"]
        if part["cluster"] == number
    ]
    return {
        "type": "bar",
        "orientation": "h",
        "name": cluster_name(number),
        "x": [share for _, _, share in found],
        "y": [plotly_text(label) for label, _, _ in found],
        "marker": {"color": cluster_colour(number)},
        "hoverinfo": "text",
        "hovertext": [
            f"{plotly_text(label)}, {_part_words(number, name)}: {format_share(share)}" for label, name, share in found
        ],
        "textposition": "none",
    }


def _part_words(number: int, name: str) -> str:
    """Name a part of a bar: a cluster by its number, a cell of the RFM map by its name."""
    return plotly_text(name) if name != str(number) else f"cluster {name}"


def build_agreement_figure(agreement: Chart, labels: Mapping[str, str]) -> Figure:
    """Draw the adjusted Rand indices of every two candidates as a heat map with its numbers.

    Parameters
    ----------
    agreement : dict
        ``agreement`` of `chart_comparison`.
    labels : mapping of str to str
    """
    names = [plotly_text(labels[name]) for name in agreement["candidates"]]
    texts = [[score_text(value, digits=2) for value in row] for row in agreement["values"]]
    trace = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": agreement["values"],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "text": texts,
        "texttemplate": "%{text}",
        "hovertemplate": "%{y} and %{x}: %{text}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
    }
    categories = {"type": "category", "showgrid": False}
    layout = plot_layout("", "", xaxis={**categories, "tickangle": -40}, yaxis={**categories, "autorange": "reversed"})
    return {"data": [trace], "layout": {**layout, "margin": {"b": 90}}}


def build_score_figure(rows: Sequence[tuple[str, float | None, str, bool]]) -> Figure:
    """Draw a bar per candidate of one score.

    Parameters
    ----------
    rows : sequence of (str, float or None, str, bool)
        Label, value, the value and what it rests on in words, and whether the candidate is ranked; what is not is grey.
    """
    known = [
        (plotly_text(label), value, words, is_ranked) for label, value, words, is_ranked in rows if value is not None
    ]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [value for _, value, _, _ in known],
        "y": [label for label, _, _, _ in known],
        "marker": {"color": [SEGMENT_COLOURS[0] if is_ranked else UNKNOWN_COLOUR for _, _, _, is_ranked in known]},
        "hoverinfo": "text",
        "hovertext": [f"{label}: {plotly_text(words)}" for label, _, words, _ in known],
        "textposition": "none",
    }
    layout = plot_layout("", "", xaxis={"zeroline": True, "nticks": 4})
    layout["yaxis"] = {
        "type": "category",
        "autorange": "reversed",
        "showgrid": False,
        "categoryorder": "array",
        "categoryarray": [plotly_text(label) for label, _, _, _ in rows],
        "range": [len(rows) - 0.5, -0.5],
    }
    return {"data": [trace], "layout": {**layout, "bargap": 0.3}}
