"""Seeded samples of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def draw_sample(count: int, size: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw row positions without replacement.

    Parameters
    ----------
    count : int
        Rows to draw from.
    size : int
        Rows to draw; all of them when there are no more.
    seed : int

    Returns
    -------
    ndarray of shape (min(count, size),)
        Positions in ascending order.
    """
    import numpy as np

    if count <= size:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=size, replace=False))
