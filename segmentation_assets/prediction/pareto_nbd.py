"""Pareto/NBD: customers may leave at any time, whether they order or not."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, sqrt
from typing import ClassVar

import numpy as np

from segmentation_assets.prediction.purchase_histories import Distinct, Floats, PurchaseHistories
from segmentation_assets.prediction.purchase_process import PurchaseProcess, SimulatedOrders, differentiate_rates

_LOG_PRECISION = 39.0
_MOST_TERMS = 1_000


class ParetoNbd(PurchaseProcess):
    """The Pareto/NBD: lifetimes are exponential, their rates Gamma(s, beta) distributed over customers.

    Notes
    -----
    D(T) = (alpha + T)^-(r + x) (beta + T)^-s. With F(t) = s times the integral of (alpha + u)^-(r + x)
    (beta + u)^-(s + 1) over u from t on, odds = (F(t_x) - F(T)) / D(T). As F(t) <= D(t), nothing cancels in
    1 + odds = 1 - F(T) / D(T) + F(t_x) / D(T). The share F(t) / D(t) is s / (r + s + x) times
    2F1(1, r + x; r + s + x + 1; (alpha - beta) / (alpha + t)) where alpha >= beta, and otherwise times
    (alpha + t) / (beta + t) 2F1(1, s + 1; r + s + x + 1; (beta - alpha) / (beta + t)); both by the continued fraction
    of Gauss, whose number of terms alpha / beta decides. It depends on x and t only and is computed once per distinct
    pair: a fit of a million customers takes seconds with times in whole days, a minute where all times differ.

    The derivatives of F by alpha and beta are again such integrals; those by r and s are complex-step derivatives
    (Squire, Trapp 1998), exact to rounding.

    References
    ----------
    Schmittlein, Morrison, Colombo (1987), Counting Your Customers: Who Are They and What Will They Do Next?,
    doi:10.1287/mnsc.33.1.1.
    Fader, Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related Expressions.
    Squire, Trapp (1998), Using Complex Variables to Estimate Derivatives of Real Functions,
    doi:10.1137/S003614459631241X.
    """

    name: ClassVar[str] = "pareto_nbd"
    label: ClassVar[str] = "Pareto/NBD"
    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    time_parameters: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def suggest_starts(self, order_rate: float) -> list[Floats]:
        """Return parameters to begin a fit from, for customers with this mean rate of orders."""
        mixed = [(0.5, 0.6, 0.5), (1.0, 1.0, 1.0), (3.0, 0.5, 1.0)]
        return [np.array([r, r / order_rate, s, beta]) for r, s, beta in mixed]

    def differentiate(self, parameters: Floats, histories: PurchaseHistories) -> tuple[float, Floats]:
        """Return the log-likelihood of all histories and its gradient by the parameters."""
        r, alpha, s, beta = parameters
        weight, ends, lasts = histories.weight, histories.ends, histories.lasts
        log_share_end, by_end = _differentiate_log_share(parameters, ends)
        log_share_last, by_last = _differentiate_log_share(parameters, lasts)
        log_left = log_share_last[lasts.code] + self._log_idle_loss(parameters, histories)
        log_total = np.logaddexp(np.log1p(-np.exp(log_share_end))[ends.code], log_left)
        by_rate, by_rate_r, by_rate_alpha = differentiate_rates(r, alpha, histories)
        size = weight.sum()
        value = by_rate + size * s * np.log(beta) + weight @ (log_total + self.log_idle_density(parameters, histories))
        gone = weight * np.exp(log_left - log_total)
        gradient = np.array([by_rate_r, by_rate_alpha, size * np.log(beta), size * s / beta])
        gradient += _differentiate_idle(parameters, histories.end, gone - weight, histories.count)
        gradient -= _differentiate_idle(parameters, histories.last, gone, histories.count)
        gradient += by_last @ np.bincount(lasts.code, gone, len(lasts.count))
        still = np.bincount(ends.code, weight * np.exp(-log_total), len(ends.count))
        gradient -= by_end @ (still * np.exp(log_share_end))
        return float(value), gradient

    def log_idle_density(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Return log D(T) of every history."""
        r, alpha, s, beta = parameters
        density: Floats = -(r + histories.count) * np.log(alpha + histories.end) - s * np.log(beta + histories.end)
        return density

    def log_gone_odds(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Return log(P(gone) / P(there)) at the end of every history."""
        ends, lasts = histories.ends, histories.lasts
        log_share_end = compute_log_share(parameters, ends.count, ends.time, count_terms(parameters))[ends.code]
        log_share_last = compute_log_share(parameters, lasts.count, lasts.time, count_terms(parameters))[lasts.code]
        log_left = log_share_last + self._log_idle_loss(parameters, histories)
        share_gone = -np.expm1(np.minimum(log_share_end - log_left, 0.0))
        odds: Floats = log_left + np.log(np.maximum(share_gone, np.finfo(np.float64).tiny))
        return odds

    def _log_idle_loss(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Log D(t_x) - log D(T)."""
        r, alpha, s, beta = parameters
        by_orders = np.log(alpha + histories.end) - np.log(alpha + histories.last)
        by_lifetime = np.log(beta + histories.end) - np.log(beta + histories.last)
        loss: Floats = (r + histories.count) * by_orders + s * by_lifetime
        return loss

    def fading_time(self, parameters: Floats, end: Floats) -> Floats:
        """Return beta + T."""
        fading: Floats = parameters[3] + end
        return fading

    def order_rate(self, parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
        """Return the expected orders per unit of time, `ahead` of the end, of one who is there at the end."""
        r, alpha, _, _ = parameters
        rate: Floats = (r + count) / (alpha + end) * self._share_staying(parameters, end, ahead)
        return rate

    def pair_rate(self, parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
        """Return the density of two orders, one at the time `ahead` and one at any one time before it."""
        r, alpha, _, _ = parameters
        both = (r + count) * (r + count + 1) / (alpha + end) ** 2
        rate: Floats = both * self._share_staying(parameters, end, ahead)
        return rate

    def _share_staying(self, parameters: Floats, end: Floats, ahead: Floats) -> Floats:
        _, _, s, beta = parameters
        share: Floats = np.exp(-s * np.log1p(ahead / (beta + end)))
        return share

    def simulate(
        self, parameters: Floats, end: Floats, horizon: float, generator: np.random.Generator
    ) -> SimulatedOrders:
        """Draw customers with the given times since their first order."""
        r, alpha, s, beta = parameters
        rate = generator.gamma(r, 1 / alpha, len(end))
        leaving = np.maximum(generator.gamma(s, 1 / beta, len(end)), np.finfo(np.float64).tiny)
        lifetime = np.minimum(generator.standard_exponential(len(end)), leaving * (end + horizon)) / leaving
        active = np.minimum(lifetime, end)
        count = generator.poisson(rate * active)
        last = active * generator.beta(np.maximum(count, 1), 1)
        later = generator.poisson(rate * (lifetime - active))
        return SimulatedOrders(count.astype(float), np.where(count > 0, last, 0.0), later.astype(float))


def compute_log_share(parameters: Floats, count: Floats, time: Floats, term_count: int) -> Floats:
    """Return log(F(t) / D(t)).

    Parameters
    ----------
    parameters : ndarray of shape (4,), above 0
        r, alpha, s, beta.
    count, time : ndarray of shape (n,)
        Repeat orders and time t.
    term_count : int
        Terms of the continued fraction.

    Returns
    -------
    ndarray of shape (n,)
        Below 0.
    """
    (b, c, z), factor = _gauss_arguments(parameters, count, time)
    log_share: Floats = np.log(parameters[2] / (c - 1) * factor * evaluate_gauss_fraction(b, c, z, term_count)[0])
    return log_share


def _gauss_arguments(
    parameters: Floats, count: Floats, time: Floats
) -> tuple[tuple[Floats | float, Floats, Floats], Floats | float]:
    """Arguments b, c and z of 2F1(1, b; c; z), and what it is multiplied with."""
    r, alpha, s, beta = parameters
    c = r + s + count + 1
    if alpha >= beta:
        return (r + count, c, (alpha - beta) / (alpha + time)), 1.0
    return (s + 1, c, (beta - alpha) / (beta + time)), (alpha + time) / (beta + time)


def count_terms(parameters: Floats) -> int:
    """Return the terms of the continued fraction that give full precision for all counts and times.

    Notes
    -----
    The error falls by (1 - w) / (1 + w) per term with w = sqrt(min(alpha, beta) / max(alpha, beta)). There are at most
    1,000 terms, which are enough for a ratio up to 5,000; beyond it customers of the first days lose digits.

    Examples
    --------
    >>> count_terms(np.array([0.5, 10.0, 0.6, 11.0]))
    21
    """
    _, alpha, _, beta = parameters
    root = sqrt(min(alpha, beta) / max(alpha, beta))
    if root == 1:
        return 10
    return min(10 + ceil(_LOG_PRECISION / -log((1 - root) / (1 + root))), _MOST_TERMS)


def evaluate_gauss_fraction(
    b: Floats | float, c: Floats | float, z: Floats, term_count: int, slopes: Sequence[tuple[float, float]] = ()
) -> list[Floats]:
    """Return 2F1(1, b; c; z) by the continued fraction of Gauss, and derivatives of it.

    Parameters
    ----------
    b, c : ndarray or float
        c > b > 0.
    z : ndarray, 0 <= z < 1
    term_count : int, 1 or more
    slopes : sequence of (float, float)
        How b and c change, for each derivative.

    Returns
    -------
    list of ndarray
        The value, then the derivatives.

    References
    ----------
    Olver et al. (2010), NIST Handbook of Mathematical Functions, section 15.7.

    Examples
    --------
    >>> z = np.array([0.5])
    >>> bool(np.isclose(evaluate_gauss_fraction(1.0, 2.0, z, 30)[0], -np.log(1 - z) / z)[0])
    True
    """
    rest, falls = np.ones_like(z), [np.zeros_like(z) for _ in slopes]
    for term in range(term_count, 0, -1):
        half, is_odd = term // 2, term % 2
        below, above = c + (term - 2), c + (term - 1)
        left, right = (b + half, c + (half - 1)) if is_odd else (half, c - b + (half - 1))
        step = left * right / (below * above)
        part = step * z / rest
        for place, (by_b, by_c) in enumerate(slopes):
            rise = by_b * right + left * by_c if is_odd else left * (by_c - by_b)
            slope = (rise - step * by_c * (below + above)) / (below * above)
            falls[place] = -(slope * z - part * falls[place]) / rest
        rest = 1 - part
    value: Floats = 1 / rest
    return [value, *(-fall * value**2 for fall in falls)]


def _differentiate_log_share(parameters: Floats, pairs: Distinct) -> tuple[Floats, Floats]:
    """Return log(F(t) / D(t)) of distinct pairs, below 0, and its derivatives by the parameters, a row of each."""
    r, alpha, s, beta = parameters
    count, time, terms = pairs.count, pairs.time, count_terms(parameters)
    arguments, factor = _gauss_arguments(parameters, count, time)
    by_r, by_s = ((1.0, 1.0), (0.0, 1.0)) if alpha >= beta else ((0.0, 1.0), (1.0, 1.0))
    value, slope_r, slope_s = evaluate_gauss_fraction(*arguments, terms, (by_r, by_s))
    size = r + s + count
    log_share = np.log(s / size * factor * value)
    order_loss = (r + count) / (alpha + time)
    kept = order_loss * np.exp(compute_log_share(parameters, count + 1, time, terms) - log_share)
    by_beta = kept - s / (beta + time) * np.expm1(-log_share)
    rises = (slope_r / value - 1 / size, slope_s / value - 1 / size + 1 / s)
    gradient = np.array([rises[0], order_loss - kept, rises[1], by_beta])
    return np.minimum(log_share, -np.finfo(np.float64).eps), gradient


def _differentiate_idle(parameters: Floats, time: Floats, weight: Floats, count: Floats) -> Floats:
    """Return the derivatives of the sum of -weight log D(time)."""
    r, alpha, s, beta = parameters
    by_alpha, by_beta = weight / (alpha + time), weight / (beta + time)
    return np.array(
        [weight @ np.log(alpha + time), by_alpha @ (r + count), weight @ np.log(beta + time), s * by_beta.sum()]
    )
