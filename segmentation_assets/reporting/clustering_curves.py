"""Panels drawn from the curves of a fit: k-distance, dendrogram and training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segmentation_assets.reporting.formatting import format_count
from segmentation_assets.reporting.palette import SEGMENT_COLOURS
from segmentation_assets.reporting.panels import entitle
from segmentation_assets.reporting.slide_canvas import MUTED

_LINE, _MARK = SEGMENT_COLOURS[0], SEGMENT_COLOURS[1]

Fit = Mapping[str, Any]


def draw_k_distance(axes: Any, fit: Fit) -> None:
    """Draw the sorted distances to the k-th neighbour, with the radius that was taken."""
    import numpy as np

    curve, figures = fit["curves"]["k_distance"], fit["figures"]
    axes.plot(np.linspace(0, 1, len(curve)), curve, color=_LINE, linewidth=1.5)
    axes.axhline(figures["eps"], color=_MARK, linewidth=1.2, linestyle="--")
    axes.text(0.01, figures["eps"], f"eps {figures['eps']:.3g}", color=_MARK, fontsize=8, va="bottom")
    title = f"Distance to neighbour {figures['min_samples']}, sorted"
    entitle(axes, title, "Share of customers", "Distance")


def draw_dendrogram(axes: Any, fit: Fit) -> None:
    """Draw the upper tree, with the cut that was chosen; below each leaf stands how many customers it holds."""
    curves = fit["curves"]
    for across, heights in zip(curves["dendrogram_across"], curves["dendrogram_heights"], strict=True):
        axes.plot(across, heights, color=_LINE, linewidth=1)
    cut = cut_height(curves["merge_heights"], fit["n_clusters"])
    if cut is not None:
        axes.axhline(cut, color=_MARK, linewidth=1.2, linestyle="--")
    leaves = [format_count(count) for count in curves["dendrogram_leaves"]]
    places = [5 + 10 * number for number in range(len(leaves))]
    axes.set_xticks(places, leaves, rotation=90)
    axes.tick_params(axis="x", labelsize=6.5, colors=MUTED)
    axes.set(xlim=(0, 10 * len(leaves)), ylim=(0, None))
    entitle(axes, f"Dendrogram, cut into {fit['n_clusters']}", "", "Cost of the merge")


def cut_height(merge_heights: list[float], n_clusters: int) -> float | None:
    """Return the middle of the merges between which a tree falls into so many clusters.

    Parameters
    ----------
    merge_heights : list of float
        Of the last merges, ascending.
    n_clusters : int

    Returns
    -------
    float or None
        None where the tree is not cut, or below the merges given.

    Example
    -------
    >>> cut_height([1.0, 2.0, 6.0], 2), cut_height([1.0, 2.0, 6.0], 1)
    (4.0, None)
    """
    if not 2 <= n_clusters <= len(merge_heights):
        return None
    return (merge_heights[-n_clusters] + merge_heights[1 - n_clusters]) / 2


def draw_training(axes: Any, fit: Fit) -> None:
    """Draw the errors of the epochs of a training."""
    import numpy as np

    epochs = int(fit["figures"].get("epochs", len(fit["curves"]["training_error"])))
    for name, words, colour in (("training_error", "training", _LINE), ("holdout_error", "held out", _MARK)):
        curve = fit["curves"][name]
        axes.plot(np.linspace(1, epochs, len(curve)), curve, color=colour, linewidth=1.5, label=words)
    axes.set_ylim(0, None)
    axes.legend(fontsize=7.5, frameon=False)
    entitle(axes, "Error of rebuilding the customers", "Epoch", "Mean squared error")


CURVE_PANELS: dict[str, Callable[[Any, Fit], None]] = {
    "k_distance": draw_k_distance,
    "dendrogram_across": draw_dendrogram,
    "training_error": draw_training,
}
"""Panel by the curve that it needs."""
