"""The picture that compares all candidates of a month: sizes, scores and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.clustering.metrics import NOISE
from segmentation_assets.reporting.clustering_report import score_text
from segmentation_assets.reporting.formatting import is_known
from segmentation_assets.reporting.palette import SEGMENT_COLOURS, UNKNOWN_COLOUR, cluster_colour
from segmentation_assets.reporting.panels import entitle, open_panels, to_png
from segmentation_assets.reporting.slide_canvas import RULE, TEXT
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth

_SCORES = {
    "silhouette": "Silhouette with noise",
    "stability": "Stability",
    "coverage": "Coverage",
    "davies_bouldin": "Davies-Bouldin, smaller is better",
}
_PASSED, _FAILED = SEGMENT_COLOURS[0], "#b4bbc4"


def draw_comparison(results: Sequence[AlgorithmResult], month: ClusteringMonth, agreement: pd.DataFrame) -> bytes:
    """Draw the comparison.

    Parameters
    ----------
    results : sequence of AlgorithmResult
    month : ClusteringMonth
    agreement : DataFrame
        As `measure_agreement` returns it.

    Returns
    -------
    bytes
        PNG; the same input gives the same bytes.
    """
    import pandas as pd

    board = month.ranking
    partitions = {result.name: result.labels for result in results if not result.not_due}
    partitions[BASELINE] = pd.factorize(month.rfm, sort=True)[0]
    order = [str(name) for name in board["candidate"] if name in partitions]
    with open_panels(6, columns=2, width=5.0, height=2.9, left=1.2) as (figure, panels):
        _draw_sizes(panels[0], [(name, partitions[name]) for name in order])
        _draw_agreement(panels[1], agreement.loc[order, order])
        for axes, (column, title) in zip(panels[2:], _SCORES.items(), strict=True):
            _draw_bars(axes, board, column, title)
        return to_png(figure)


def _draw_sizes(axes: Any, partitions: Sequence[tuple[str, npt.NDArray[np.int64]]]) -> None:
    """Draw a bar per candidate, divided into its clusters and the noise."""
    import numpy as np

    for place, (_, labels) in enumerate(partitions):
        start = 0.0
        numbers, counts = np.unique(labels, return_counts=True)
        shares = dict(zip(numbers.tolist(), (counts / len(labels)).tolist(), strict=True))
        for number in sorted(shares, key=lambda found: (found == NOISE, found)):
            colour = cluster_colour(number)
            axes.barh(place, shares[number], left=start, color=colour, edgecolor="white", linewidth=0.8, height=0.7)
            start += shares[number]
    _name_rows(axes, [name for name, _ in partitions])
    axes.set_xlim(0, 1)
    entitle(axes, "Sizes of the clusters, noise in grey", "Share of customers")


def _name_rows(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [algorithm_label(name) for name in names])
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)


def _draw_agreement(axes: Any, agreement: pd.DataFrame) -> None:
    """Draw the adjusted Rand indices as a heat map with their numbers."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    values = agreement.to_numpy(dtype=np.float64)
    shades = LinearSegmentedColormap.from_list("agreement", ["#ffffff", SEGMENT_COLOURS[0]]).with_extremes(bad=RULE)
    axes.imshow(np.ma.masked_invalid(values), aspect="auto", cmap=shades, vmin=0, vmax=1, interpolation="nearest")
    for row, column in np.argwhere(np.isfinite(values)):
        colour = "white" if values[row, column] > 0.6 else TEXT
        text = score_text(float(values[row, column]), digits=2)
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    names = [algorithm_label(str(name)) for name in agreement.columns]
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names])
    axes.tick_params(axis="both", labelsize=6, length=0)
    entitle(axes, "Agreement (adjusted Rand index)")


def _draw_bars(axes: Any, board: pd.DataFrame, column: str, title: str) -> None:
    """Draw a bar per candidate; grey where it failed a gate or is the baseline."""
    rows = board.to_dict("records")
    for place, row in enumerate(rows):
        if not is_known(row[column]):
            axes.text(0, place, " not measured", va="center", fontsize=7, color=UNKNOWN_COLOUR)
            continue
        value = float(row[column])
        axes.barh(place, value, color=_PASSED if is_known(row["rank"]) else _FAILED, height=0.65)
        axes.text(max(value, 0.0), place, f" {score_text(value, digits=2)}", va="center", fontsize=7, color=TEXT)
    _name_rows(axes, [str(row["candidate"]) for row in rows])
    axes.axvline(0, color=RULE, linewidth=0.8)
    axes.margins(x=0.12)
    entitle(axes, title, "Blue: passed every gate and is ranked")
