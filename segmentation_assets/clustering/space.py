"""The space in which density is measured: all features, principal components or a t-SNE map."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from segmentation_assets.features.components import Components, fit_components
from segmentation_assets.tables.rounding import round_significant

Floats = npt.NDArray[np.float64]

SpaceName = Literal["full", "pca", "tsne"]

Space = dict[str, Any]
"""A fitted space as plain values, so that it can be stored with the model."""

MAP_DIMENSIONS = 2


def fit_space(values: Floats, name: SpaceName, n_components: int, seed: int) -> tuple[Space, Floats]:
    """Fit a space and return it with the positions of the rows.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    name : str
        ``full``: the features as they are; ``pca``: the first `n_components` principal components; ``tsne``: a map of
        two dimensions (van der Maaten and Hinton 2008), which distorts densities and is here to be compared with.
    n_components : int
        Principal components, at most as many as there are features.
    seed : int
        Of the map.

    Returns
    -------
    tuple of (dict, ndarray of shape (n_rows, n_dimensions))
    """
    if name == "full":
        return {"name": name}, values
    if name == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, max(1.0, (len(values) - 1) / 3))
        places = TSNE(MAP_DIMENSIONS, perplexity=perplexity, random_state=seed, init="pca", n_jobs=1)
        found = round_significant(places.fit_transform(values))
        return {"name": name, "rows": values, "places": found}, found
    components = fit_components(values, min(n_components, values.shape[1])) if np.ptp(values, axis=0).any() else None
    if components is None or not components.weights:
        return {"name": "full"}, values
    return {"name": name, **vars(components)}, components.project(values)


def enter_space(space: Space, values: Floats) -> Floats:
    """Return the positions of rows in a fitted space, each row by itself.

    On a map a row stands where the nearest of the mapped rows stands: maps have no rule for new rows.
    """
    if space["name"] == "full":
        return values
    if space["name"] == "tsne":
        from scipy.spatial import cKDTree

        _, nearest = cKDTree(space["rows"]).query(values)
        places: Floats = space["places"][nearest]
        return places
    return Components.from_plain(space).project(values)
