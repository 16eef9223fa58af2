"""Two kinds of intervals: of what is expected of a customer, and of what the customer will spend."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, ndtri

from segmentation_assets.prediction.purchase_histories import Floats


def bound_expectation(expected: Floats, log_variance: Floats, level: float) -> tuple[Floats, Floats]:
    """Bound an expectation by how well the parameters are known.

    Parameters
    ----------
    expected : ndarray of shape (n_rows,), 0 or more
    log_variance : ndarray of shape (n_rows,)
        Variance of its logarithm over the sampling of the parameters.
    level : float, 0 to 1

    Returns
    -------
    low, high : ndarray of shape (n_rows,)
        Normal on the logarithm.

    Examples
    --------
    >>> low, high = bound_expectation(np.array([10.0]), np.array([0.01]), 0.8)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([8.8], [11.37])
    """
    width = ndtri((1 + level) / 2) * np.sqrt(log_variance)
    return expected * np.exp(-width), expected * np.exp(width)


def bound_spend(
    orders: tuple[Floats, Floats],
    no_order_probability: Floats,
    spend: tuple[Floats, Floats],
    spend_shape: float,
    level: float,
) -> tuple[Floats, Floats]:
    """Bound what one customer will spend.

    Parameters
    ----------
    orders : tuple of ndarray of shape (n_rows,)
        Mean and variance of the order days Y in the horizon.
    no_order_probability : ndarray of shape (n_rows,)
        P(Y = 0).
    spend : tuple of ndarray of shape (n_rows,)
        Shape and rate of the Gamma distribution of nu, given what the customer spent before.
    spend_shape : float, above 0
        p of the Gamma-Gamma model: spend on n order days is Gamma(p n, nu).
    level : float, 0 to 1

    Returns
    -------
    low, high : ndarray of shape (n_rows,)
        Both ends belong to the interval.

    Notes
    -----
    Spend is 0 with P(Y = 0). Otherwise it is taken for Gamma(k, nu / c), where k and c match the mean p E[Y | Y > 0]
    and the variance p E[Y | Y > 0] + p² Var(Y | Y > 0) of nu times spend. With nu Gamma distributed, spend is a ratio
    of two Gamma variables, whose quantiles are those of a Beta distribution; they exist also where the variance of
    spend does not. Without variance in Y it is the exact predictive distribution.

    Where P(Y = 0) is at most (1 - level) / 2, both tails beyond the interval have that probability. Where it is more,
    the lower end is 0 and the upper end leaves 1 - level above it. Where it is more than the level, the interval is 0
    alone. A spend of exactly 0 counts as covered wherever the lower end is 0; hence the coverage of the last kind of
    customers is their P(Y = 0), above the level, and over a base with many of them no interval with 0 in it could
    cover less.

    Examples
    --------
    >>> def bound(no_order):
    ...     one = np.ones(1)
    ...     orders, spend = ((1 - no_order) * one, (1 - no_order) * no_order * one), (400 * one, 4000 * one)
    ...     return [float(end[0].round(1)) for end in bound_spend(orders, no_order * one, spend, 4.0, 0.8)]
    >>> bound(0.0), bound(0.5), bound(0.9)
    ([17.4, 67.1], [0.0, 41.8], [0.0, 0.0])
    """
    mean, variance = orders
    is_possible = (no_order_probability < 1) & (mean > 0)
    chance = np.where(is_possible, 1 - no_order_probability, 1.0)
    of_buyers = np.where(is_possible, mean / chance, 1.0)
    spread = np.where(is_possible, np.maximum((variance + mean**2) / chance - of_buyers**2, 0.0), 0.0)
    inflation = 1 + spend_shape * spread / of_buyers
    shape, scale = spend_shape * of_buyers / inflation, inflation * spend[1]
    tail = (1 - level) / 2

    def find_quantile(probability: Floats) -> Floats:
        share = np.minimum((probability - no_order_probability) / chance, 1.0)
        rows = np.flatnonzero(is_possible & (share > 0))
        above = betaincinv(spend[0][rows], shape[rows], 1 - share[rows])
        found = np.zeros_like(share)
        found[rows] = scale[rows] * (1 - above) / above
        return found

    upper = np.where(no_order_probability > tail, level, 1 - tail)
    return find_quantile(np.full_like(upper, tail)), find_quantile(upper)
