"""A part of the customers that does not depend on the order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def sample_customers(rows: pd.DataFrame, most: int, *, seed: int) -> pd.DataFrame:
    """Take all rows of as many customers as wanted, drawn by a seed, or of all where there are no more.

    Parameters
    ----------
    rows : DataFrame
        With ``customer_id``.
    most : int
    seed : int

    Examples
    --------
    >>> import pandas as pd
    >>> len(sample_customers(pd.DataFrame({"customer_id": ["a", "b", "a", "c"]}), 2, seed=1)["customer_id"].unique())
    2
    """
    import numpy as np

    customers = np.sort(rows["customer_id"].unique())
    if len(customers) <= most:
        return rows
    chosen = np.random.default_rng(seed).permutation(customers)[:most]
    return rows[rows["customer_id"].isin(chosen)].reset_index(drop=True)
