"""What an autoencoder is measured against: principal components of the same width, and itself with other seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from segmentation_assets.clustering.autoencoder_network import row_errors
from segmentation_assets.clustering.matching import adjusted_rand_index
from segmentation_assets.features.components import Components
from segmentation_assets.tables.rounding import round_number

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

AUTOENCODER, PCA = "autoencoder", "pca"


def component_error(components: Components, values: Floats) -> float:
    """Return the mean squared error of rows, shape (n_rows, n_features), rebuilt from their principal components."""
    projected = components.project(values)
    rebuilt = np.tile(components.centres, (len(values), 1))
    for place, weights in enumerate(components.weights):
        rebuilt += projected[:, place : place + 1] * np.array(weights)
    return round_number(float(row_errors(values, rebuilt).mean()))


def compare(errors: Sequence[float], silhouettes: Sequence[float | None]) -> dict[str, Any]:
    """Set the autoencoder beside the principal components.

    Parameters
    ----------
    errors : sequence of float
        Of the autoencoder and of the components: mean squared error of rows that neither was fitted on.
    silhouettes : sequence of float or None
        Of the clusters of both, on the features themselves.

    Returns
    -------
    dict
        ``autoencoder_holdout_error``, ``pca_holdout_error``, ``autoencoder_silhouette``, ``pca_silhouette`` (NaN where
        undefined) and ``winner``: ``autoencoder`` where its silhouette is larger, otherwise ``pca``.

    Example
    -------
    >>> compare([0.2, 0.3], [0.5, 0.5])["winner"]
    'pca'
    """
    own, other = (-np.inf if score is None else score for score in silhouettes)
    own_silhouette, other_silhouette = (float("nan") if score is None else score for score in silhouettes)
    return {
        "autoencoder_holdout_error": errors[0],
        "pca_holdout_error": errors[1],
        "autoencoder_silhouette": own_silhouette,
        "pca_silhouette": other_silhouette,
        "winner": AUTOENCODER if own > other else PCA,
    }


def describe_comparison(comparison: dict[str, Any]) -> str:
    """Say which of both won, with both numbers."""
    names = {AUTOENCODER: "the autoencoder", PCA: "as many principal components"}
    first = comparison["winner"]
    second = PCA if first == AUTOENCODER else AUTOENCODER
    scores, errors = (
        [comparison[f"{side}_{kind}"] for side in (first, second)] for kind in ("silhouette", "holdout_error")
    )
    verb = "wins" if first == AUTOENCODER else "win"
    return (
        f"{names[first]} {verb} over {names[second]}: silhouette on the features {scores[0]:.4f} against "
        f"{scores[1]:.4f}, held-out error {errors[0]:.4g} against {errors[1]:.4g}"
    )


def measure_spread(errors: Sequence[float], partitions: Sequence[Integers]) -> dict[str, Any]:
    """Measure how far trainings with different seeds agree.

    Parameters
    ----------
    errors : sequence of float
        Held-out error per training.
    partitions : sequence of ndarray of shape (n_rows,)
        Clusters of the same rows per training.

    Returns
    -------
    dict
        ``holdout_errors`` and ``n_clusters``, lists with an entry per training; ``ari_mean`` and ``ari_min`` over all
        pairs of partitions, NaN for a single one.
    """
    agreements = [adjusted_rand_index(one, other) for one, other in combinations(partitions, 2)]
    return {
        "holdout_errors": list(errors),
        "n_clusters": [len(np.unique(labels)) for labels in partitions],
        "ari_mean": round_number(float(np.mean(agreements))) if agreements else float("nan"),
        "ari_min": round_number(min(agreements)) if agreements else float("nan"),
    }


def describe_spread(spread: dict[str, Any]) -> list[str]:
    """Say how far several trainings agree; nothing for a single one."""
    errors, numbers = spread["holdout_errors"], spread["n_clusters"]
    if len(errors) < 2:
        return []
    return [
        f"{len(errors)} trainings with different seeds: held-out error {min(errors):.4g} to {max(errors):.4g}, "
        f"{min(numbers)} to {max(numbers)} clusters, adjusted Rand index between them {spread['ari_mean']:.2f} on "
        f"average and {spread['ari_min']:.2f} at least"
    ]
