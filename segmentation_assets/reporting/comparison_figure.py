"""The picture that compares all candidates of a month: sizes, scores and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segmentation_assets.reporting.clustering_charts import Chart
from segmentation_assets.reporting.clustering_report import score_text
from segmentation_assets.reporting.formatting import is_known
from segmentation_assets.reporting.leaderboard_scores import Score, known_scores
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, UNKNOWN_COLOUR, cluster_colour
from segmentation_assets.reporting.panels import entitle, open_panels, to_png
from segmentation_assets.reporting.slide_canvas import RULE, TEXT
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    import pandas as pd

_PASSED, _FAILED = SEGMENT_COLOURS[0], "#b4bbc4"


def draw_comparison(comparison: Chart, ranking: pd.DataFrame) -> bytes:
    """Draw the comparison.

    Parameters
    ----------
    comparison : dict
        As `chart_comparison` returns it.
    ranking : DataFrame
        Rows of ``clusters/leaderboard``, in the order to be drawn.

    Returns
    -------
    bytes
        PNG; the same input gives the same bytes.
    """
    drawn = [score for score in known_scores(ranking) if score.is_drawn]
    with open_panels(2 + len(drawn), columns=2, width=5.0, height=2.9, left=1.2) as (figure, panels):
        _draw_sizes(panels[0], comparison["sizes"])
        _draw_agreement(panels[1], comparison["agreement"])
        for axes, score in zip(panels[2:], drawn, strict=True):
            _draw_bars(axes, ranking, score)
        return to_png(figure)


def _draw_sizes(axes: Any, sizes: Sequence[Chart]) -> None:
    """Draw a bar per candidate, divided into its clusters and the noise."""
    for place, candidate in enumerate(sizes):
        start = 0.0
        for part in candidate["clusters"]:
            colour = cluster_colour(part["cluster"])
            axes.barh(place, part["share"], left=start, color=colour, edgecolor="white", linewidth=0.8, height=0.7)
            start += part["share"]
    _name_rows(axes, [candidate["candidate"] for candidate in sizes])
    axes.set_xlim(0, 1)
    entitle(axes, "Sizes of the clusters, noise in grey", "Share of customers")


def _name_rows(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [algorithm_label(name) for name in names])
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)


def _draw_agreement(axes: Any, agreement: Chart) -> None:
    """Draw the adjusted Rand indices as a heat map with their numbers."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    values = np.array(agreement["values"], dtype=np.float64)
    shades = LinearSegmentedColormap.from_list("agreement", ["#ffffff", SEGMENT_COLOURS[0]]).with_extremes(bad=RULE)
    axes.imshow(np.ma.masked_invalid(values), aspect="auto", cmap=shades, vmin=0, vmax=1, interpolation="nearest")
    for row, column in np.argwhere(np.isfinite(values)):
        colour = "white" if values[row, column] > 0.6 else TEXT
        text = score_text(float(values[row, column]), digits=2)
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    names = [algorithm_label(name) for name in agreement["candidates"]]
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names])
    axes.tick_params(axis="both", labelsize=6, length=0)
    entitle(axes, "Agreement (adjusted Rand index)")


def _draw_bars(axes: Any, ranking: pd.DataFrame, score: Score) -> None:
    """Draw a bar per candidate; grey where it failed a gate or is the baseline."""
    rows = ranking.to_dict("records")
    for place, row in enumerate(rows):
        if not is_known(row[score.column]):
            axes.text(0, place, " not measured", va="center", fontsize=7, color=UNKNOWN_COLOUR)
            continue
        value = float(row[score.column])
        axes.barh(place, value, color=_PASSED if is_known(row["rank"]) else _FAILED, height=0.65)
        axes.text(max(value, 0.0), place, f" {score_text(value, digits=2)}", va="center", fontsize=7, color=TEXT)
    _name_rows(axes, [str(row["candidate"]) for row in rows])
    axes.axvline(0, color=RULE, linewidth=0.8)
    axes.margins(x=0.12)
    entitle(axes, score.heading, f"Blue: passed every gate. {score.reading.capitalize()}")
