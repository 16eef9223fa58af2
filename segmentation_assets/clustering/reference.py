"""Reference data without clusters: the same columns and rank correlations, but one smooth cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.clustering.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

QUANTILES = 2_000
"""Quantiles of a column that its distribution is kept as, at most."""

CORRECTIONS, TRIAL_ROWS = 4, 4_000
"""How often the correlations are corrected, and on how many drawn rows."""


@dataclass(frozen=True)
class GaussianCopula:
    """The distribution of each column, and normal scores that are correlated as the columns' ranks are.

    Parameters
    ----------
    quantiles : ndarray of shape (n_quantiles, n_columns)
        Each column's values in ascending order, evenly spaced in rank.
    factor : ndarray of shape (n_columns, n_columns)
        Turns independent normal numbers into correlated ones.
    """

    quantiles: Floats
    factor: Floats

    def draw(self, count: int, seed: int) -> Floats:
        """Draw rows, shape (count, n_columns); every column has the values of its own distribution."""
        import numpy as np
        from scipy.special import ndtr

        independent = np.random.default_rng(seed).standard_normal((count, len(self.factor)))
        with one_thread():
            normal = independent @ self.factor.T
        ranks = ndtr(normal) * (len(self.quantiles) - 1)
        places = np.arange(len(self.quantiles))
        columns = (np.interp(ranks[:, place], places, self.quantiles[:, place]) for place in range(ranks.shape[1]))
        return np.column_stack(list(columns))


def fit_copula(values: Floats) -> GaussianCopula:
    """Fit the copula to rows.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    GaussianCopula

    Notes
    -----
    Normal scores with the correlation ``2 sin(pi r / 6)`` have the rank correlation r, as long as no values are equal.
    Where many are, as in a column of a few counts, less of it is left; so the correlations are raised by what a draw
    lacks, several times. Where that leaves the matrix with a negative eigenvalue, it is set to zero.

    References
    ----------
    Spearman's r and the normal: Kruskal (1958), doi:10.1080/01621459.1958.10501481; correlations to anything: Cario and
    Nelson (1997); reference distributions for clusterings: Tibshirani, Walther and Hastie (2001),
    doi:10.1111/1467-9868.00293.
    """
    import numpy as np

    steps = np.linspace(0, len(values) - 1, min(len(values), QUANTILES)).round().astype(int)
    quantiles = np.sort(values, axis=0)[steps]
    wanted = _rank_correlations(values)
    latent = 2 * np.sin(np.pi * wanted / 6)
    copula = GaussianCopula(quantiles, _factor(latent))
    for number in range(CORRECTIONS):
        latent = np.clip(latent + wanted - _rank_correlations(copula.draw(TRIAL_ROWS, number)), -1.0, 1.0)
        copula = GaussianCopula(quantiles, _factor(latent))
    return copula


def _rank_correlations(values: Floats) -> Floats:
    """Spearman's correlations of the columns; 0 with a constant one, and 1 on the diagonal."""
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    centred = ranks - ranks.mean(axis=0)
    lengths = np.sqrt(np.square(centred).sum(axis=0))
    scaled = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    with one_thread():
        correlations: Floats = scaled.T @ scaled
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _factor(correlations: Floats) -> Floats:
    """Return a factor of the nearest matrix without negative eigenvalues, its rows of length 1."""
    import numpy as np

    with one_thread():
        spread, axes = np.linalg.eigh(correlations)
    factor: Floats = axes * np.sqrt(np.maximum(spread, 0.0))
    factor /= np.sqrt(np.square(factor).sum(axis=1, keepdims=True))
    return factor
