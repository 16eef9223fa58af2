"""How features go together: rank correlations on a sample of the customers, each with the pairs it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.storage.engine import Connection, quote_identifier

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

SAMPLE = 10_000
"""Customers that correlations rest on at most."""

LEAST_PAIRS = 30
"""Customers with both values that a correlation needs."""

_DIGITS = 4


@dataclass(frozen=True)
class Partner:
    """A feature that goes with another one: its rank correlation, and the customers who have both."""

    name: str
    correlation: float
    pair_count: int


@dataclass(frozen=True)
class Correlations:
    """Rank correlations of every two features.

    Parameters
    ----------
    names : tuple of str
    values : ndarray of float64, shape (n_features, n_features)
        Four decimals; NaN where there are too few pairs, or one of the two does not vary among them.
    pair_counts : ndarray of int64, shape (n_features, n_features)
    sample_count, customer_count : int
        Customers looked at, and all customers.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    pair_counts: npt.NDArray[np.int64]
    sample_count: int
    customer_count: int

    def partners_of(self, name: str, count: int = 3) -> tuple[Partner, ...]:
        """List the features that go with one most closely, by the size of the correlation, then in declared order."""
        if name not in self.names:
            return ()
        own = self.names.index(name)
        row = self.values[own]
        known = [place for place in range(len(self.names)) if place != own and row[place] == row[place]]
        closest = sorted(known, key=lambda place: -abs(row[place]))[:count]
        return tuple(Partner(self.names[p], float(row[p]), int(self.pair_counts[own, p])) for p in closest)


def sample_customers(connection: Connection, relation: str, names: Sequence[str], seed: int) -> pd.DataFrame:
    """Draw customers for correlations: the same ones for the same seed, whatever the order of rows.

    Parameters
    ----------
    connection : Connection
    relation : str
        SQL table expression with `customer_id` and the columns named.
    names : sequence of str
        Numeric columns.
    seed : int

    Returns
    -------
    DataFrame of float64, shape (at most `SAMPLE`, n_features)
        Sorted by a hash of seed and customer.
    """
    columns = ", ".join(f"CAST({quote_identifier(name)} AS DOUBLE) AS {quote_identifier(name)}" for name in names)
    order = f"ORDER BY md5('{int(seed)}|' || customer_id), customer_id LIMIT {SAMPLE}"
    chosen = f"SELECT customer_id FROM {relation} {order}"
    return connection.execute(f"SELECT {columns} FROM {relation} WHERE customer_id IN ({chosen}) {order}").df()


def correlate_ranks(sample: pd.DataFrame, customer_count: int) -> Correlations:
    """Correlate the ranks of every two columns.

    Parameters
    ----------
    sample : DataFrame of float64, shape (n_customers, n_features)
        NaN where a value is missing.
    customer_count : int
        Customers that the sample was drawn from.

    Returns
    -------
    Correlations

    Notes
    -----
    Spearman's correlation where no value is missing: ranks are taken over the known values of each column, ties share
    their mean rank, and a pair counts where both values are known. It does not change under any rising transformation,
    so it is that of the logarithms too. Twice a rank is a whole number, so that all sums are exact.
    """
    import numpy as np

    ranks = sample.rank().to_numpy(dtype="float64") * 2
    known = ~np.isnan(ranks)
    filled, mask = np.where(known, ranks, 0.0), known.astype("float64")
    pairs = mask.T @ mask
    sums, squares = filled.T @ mask, (filled**2).T @ mask
    covariances = pairs * (filled.T @ filled) - sums * sums.T
    spreads = pairs * squares - sums**2
    scales = np.sqrt(spreads * spreads.T)
    usable = (pairs >= LEAST_PAIRS) & (scales > 0)
    values = np.full(pairs.shape, np.nan)
    np.divide(covariances, scales, out=values, where=usable)
    return Correlations(
        names=tuple(map(str, sample.columns)),
        values=np.clip(values, -1, 1).round(_DIGITS),
        pair_counts=pairs.astype("int64"),
        sample_count=len(sample),
        customer_count=customer_count,
    )
