"""Mean of (1 + p s)^-n over a Beta distributed p, precise for all parameters a fit can meet."""

from __future__ import annotations

import numpy as np
from scipy.special import betainccinv, betaincinv, hyp2f1

from segmentation_assets.prediction.purchase_histories import Floats

_LARGE_A = 90.0
_LARGE_SIZE = 120.0
_LONG_AHEAD = 9.0
_NODE_COUNT = 121
_OUTERMOST_NODE = 3.4


def average_decline(a: float, surplus: float, size: Floats, ahead: Floats) -> Floats:
    """Return E[(1 + p s)^-n] of p ~ Beta(a, size - a), where n = size - surplus.

    Parameters
    ----------
    a : float, above 0
    surplus : float
        May be negative.
    size : ndarray of shape (n_rows,)
        Above a and above the surplus.
    ahead : ndarray of shape (n_rows,), 0 or more
        s.

    Returns
    -------
    ndarray of shape (n_rows,), 0 to 1

    Notes
    -----
    It is (1 + s)^-a 2F1(a, surplus; size; s / (1 + s)), which scipy computes to six digits and more except for large
    parameters: where a is above 90, or s above 9 and n or size above 120, its Gamma functions may overflow. There the
    mean is summed over quantiles of p, at the nodes of a tanh-sinh rule (Takahasi, Mori 1974), to three digits.

    References
    ----------
    Takahasi, Mori (1974), Double Exponential Formulas for Numerical Integration, doi:10.2977/prims/1195192451.

    Examples
    --------
    >>> ahead = np.array([3.0])
    >>> bool(np.isclose(average_decline(1.0, 1.0, np.array([2.0]), ahead), np.log(1 + ahead) / ahead)[0])
    True
    """
    is_large = np.maximum(size, size - surplus) > _LARGE_SIZE
    is_summed = (a > _LARGE_A) | (is_large & (ahead > _LONG_AHEAD))
    share = np.where(is_summed, 0.0, ahead / (1 + ahead))
    decline: Floats = np.exp(-a * np.log1p(ahead)) * hyp2f1(a, surplus, size, share)
    rows = np.flatnonzero(is_summed)
    if rows.size:
        decline[rows] = _average_over_quantiles(a, surplus, size[rows], ahead[rows])
    return decline


def _average_over_quantiles(a: float, surplus: float, size: Floats, ahead: Floats) -> Floats:
    """Sum over quantiles of p, which depend on its distribution alone."""
    sizes, code = np.unique(size, return_inverse=True)
    nodes = np.linspace(-_OUTERMOST_NODE, _OUTERMOST_NODE, _NODE_COUNT)
    lower, upper = (1 / (1 + np.exp(sign * np.pi * np.sinh(nodes))) for sign in (-1.0, 1.0))
    weights = np.cosh(nodes) * lower * upper
    total = np.zeros_like(ahead)
    for low, high, weight in zip(lower.tolist(), upper.tolist(), (weights / weights.sum()).tolist(), strict=True):
        quantiles = betaincinv(a, sizes - a, low) if low < high else betainccinv(a, sizes - a, high)
        # scipy does not find some of the outermost
        quantiles = np.where(np.isnan(quantiles), float(low > high), quantiles)
        total += weight * np.exp(-(size - surplus) * np.log1p(quantiles[code] * ahead))
    return total
