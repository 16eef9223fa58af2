"""Probabilities of several classes from their scores, each row by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def row_softmax(scores: Floats) -> Floats:
    """Turn scores into probabilities.

    Parameters
    ----------
    scores : ndarray of float, shape (n_rows, n_classes)

    Returns
    -------
    ndarray of float64, same shape
        Rows add up to 1.

    Notes
    -----
    Classes are summed up one after the other: the order in which a library sums up a row depends on how many rows there
    are, which shows in the last bit.

    Examples
    --------
    >>> import numpy as np
    >>> row_softmax(np.log([[1.0, 3.0], [2.0, 2.0]])).round(6).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    import numpy as np

    rows = np.ascontiguousarray(scores, dtype="float64")
    weights = np.exp(rows - rows.max(axis=1, keepdims=True))
    total = np.zeros(len(weights))
    for weight in weights.T:
        total += weight
    found: Floats = weights / total[:, None]
    return found
