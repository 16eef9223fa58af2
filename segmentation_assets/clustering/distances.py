"""Distances to centres, computed row by row so that one row alone gives the same double as a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ROWS_AT_ONCE = 2_048
"""Rows of a block: few enough for its numbers to stay near the processor."""

Floats = npt.NDArray[np.float64]


def centre_distances(values: Floats, centres: Floats) -> Floats:
    """Compute the Euclidean distance of every row to every centre.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    centres : ndarray of shape (n_clusters, n_features)

    Returns
    -------
    ndarray of shape (n_rows, n_clusters)

    Notes
    -----
    Matrix products are avoided: their last bits depend on how many rows are multiplied at once.
    """
    rows = np.ascontiguousarray(values, dtype=np.float64)
    result = np.empty((len(rows), len(centres)))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        for number, centre in enumerate(centres):
            result[start : start + ROWS_AT_ONCE, number] = np.sqrt(np.square(part - centre).sum(axis=1))
    return result
