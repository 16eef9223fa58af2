"""The space in which density is measured: all features, principal components or a t-SNE map."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from segmentation_assets.features.components import Components, fit_components
from segmentation_assets.tables.rounding import round_significant

Floats = npt.NDArray[np.float64]

SpaceName = Literal["full", "pca", "tsne"]

Space = dict[str, Any]
"""A fitted space as plain values, so that it can be stored with the model."""

MAP_DIMENSIONS = 2

USUAL_NEIGHBOUR = 11
"""Neighbour, the row itself counted as the first, whose distance is the farthest that a new row is placed from."""


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
        usual, _ = cKDTree(values).query(values, k=[min(USUAL_NEIGHBOUR, len(values))])
        return {"name": name, "rows": values, "places": found, "reach": round_significant(usual[:, 0])}, found
    components = fit_components(values, min(n_components, values.shape[1])) if np.ptp(values, axis=0).any() else None
    if components is None or not components.weights:
        return {"name": "full"}, values
    return {"name": name, **vars(components)}, components.project(values)


def enter_space(space: Space, values: Floats) -> Floats:
    """Return the positions of rows in a fitted space, each row by itself.

    Maps have no rule for new rows. A row stands where the nearest of the mapped rows stands, if that is no farther away
    than its own tenth neighbour is; else it stands beside the map, the farther the less it is like any mapped row.
    """
    if space["name"] == "full":
        return values
    if space["name"] == "tsne":
        distances, nearest = cKDTree(space["rows"]).query(values)
        places: Floats = space["places"][nearest].copy()
        reach = space["reach"][nearest]
        is_beside = distances > reach
        steps = np.divide(distances, reach, out=np.ones_like(distances), where=reach > 0)
        places[is_beside, 0] += np.ptp(space["places"][:, 0]) * (1.0 + steps[is_beside])
        return places
    return Components.from_plain(space).project(values)
