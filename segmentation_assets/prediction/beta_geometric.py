"""Repeat orders of customers who may leave after an order; the BG/NBD and the MBG/NBD are the two kinds."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.special import betaln, expit, psi

from segmentation_assets.prediction.beta_decline import average_decline
from segmentation_assets.prediction.purchase_histories import Floats, PurchaseHistories
from segmentation_assets.prediction.purchase_process import PurchaseProcess, SimulatedOrders, differentiate_rates

_SMALLEST_LEAVING_PROBABILITY = 1e-12


class BetaGeometricProcess(PurchaseProcess):
    """After every order a customer leaves with a probability of their own, Beta(a, b) distributed.

    Notes
    -----
    With k chances to have left so far (x repeat orders, and one more where customers may leave after their first
    order), D(T) = B(a, b + k) (alpha + T)^-(r + x) and
    odds = a / (b + k - 1) ((alpha + T) / (alpha + t_x))^(r + x), or 0 where k is 0.

    Of one who is there, the leaving probability p is Beta(a, b + k), and orders come at the time s ahead with density
    lambda exp(-lambda p s). Its mean is (r + x) / A times E[(1 + p s / A)^-(r + x + 1)] with A = alpha + T, and all
    orders in a horizon are its integral. Unlike the published form this needs no division by a - 1.
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    time_parameters: ClassVar[tuple[str, ...]] = ("alpha",)
    chances_at_birth: ClassVar[int]
    """Chances to leave before the first repeat order."""

    def suggest_starts(self, order_rate: float) -> list[Floats]:
        """Return parameters to begin a fit from, for customers with this mean rate of orders."""
        mixed = [(0.3, 0.8, 2.5), (1.0, 1.0, 4.0), (3.0, 0.5, 5.0)]
        return [np.array([r, r / order_rate, a, b]) for r, a, b in mixed]

    def differentiate(self, parameters: Floats, histories: PurchaseHistories) -> tuple[float, Floats]:
        """Return the log-likelihood of all histories and its gradient by the parameters."""
        r, alpha, _, _ = parameters
        weight, orders = histories.weight, r + histories.count
        odds = self.log_gone_odds(parameters, histories)
        gone = weight * expit(odds)
        until_end, until_last = alpha + histories.end, alpha + histories.last
        log_end = np.log(until_end)
        by_rate, by_rate_r, by_rate_alpha = differentiate_rates(r, alpha, histories)
        by_chance, by_a, by_b = self._differentiate_chances(parameters, histories, gone)
        value = by_rate + by_chance + weight @ (np.logaddexp(0.0, odds) - orders * log_end)
        by_r = by_rate_r - weight @ log_end + gone @ (log_end - np.log(until_last))
        by_alpha = by_rate_alpha - (weight - gone) @ (orders / until_end) - gone @ (orders / until_last)
        return float(value), np.array([by_r, by_alpha, by_a, by_b])

    def _differentiate_chances(
        self, parameters: Floats, histories: PurchaseHistories, gone: Floats
    ) -> tuple[float, float, float]:
        """Return the part of the log-likelihood that a and b alone decide; its derivatives with those of the odds."""
        _, _, a, b = parameters
        chances = histories.counts[0] + self.chances_at_birth
        customers, gone = histories.sum_by_count(histories.weight), histories.sum_by_count(gone)
        value = customers @ (betaln(a, b + chances) - betaln(a, b))
        shared = psi(a + b) - psi(a + b + chances)
        by_a = customers @ shared + gone.sum() / a
        by_b = customers @ (shared + psi(b + chances) - psi(b)) - gone @ (1 / (b + np.maximum(chances, 1) - 1))
        return float(value), float(by_a), float(by_b)

    def log_idle_density(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Return log D(T) of every history, up to a constant of its count."""
        r, alpha, _, _ = parameters
        density: Floats = -(r + histories.count) * np.log(alpha + histories.end)
        return density

    def log_gone_odds(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Return log(P(gone) / P(there)) at the end of every history; minus infinity where nobody can have left."""
        r, alpha, a, b = parameters
        chances = histories.count + self.chances_at_birth
        idle = np.log(alpha + histories.end) - np.log(alpha + histories.last)
        odds = np.log(a) - np.log(b + np.maximum(chances, 1) - 1) + (r + histories.count) * idle
        return np.where(chances > 0, odds, -np.inf)

    def fading_time(self, parameters: Floats, end: Floats) -> Floats:
        """Return alpha + T."""
        fading: Floats = parameters[1] + end
        return fading

    def order_rate(self, parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
        """Return the expected orders per unit of time, `ahead` of the end, of one who is there at the end."""
        r, alpha, a, b = parameters
        staying = b + count + self.chances_at_birth
        rate: Floats = (r + count) / (alpha + end) * self._mean_decline(parameters, a + staying, end, ahead)
        return rate

    def pair_rate(self, parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
        """Return the density of two orders, one at the time `ahead` and one at any one time before it."""
        r, alpha, a, b = parameters
        staying, orders = b + count + self.chances_at_birth, r + count
        both = orders * (orders + 1) / (alpha + end) ** 2 * (staying / (a + staying))
        rate: Floats = both * self._mean_decline(parameters, a + staying + 1, end, ahead)
        return rate

    def _mean_decline(self, parameters: Floats, size: Floats, end: Floats, ahead: Floats) -> Floats:
        """E[(1 + p s / A)^-n] of p ~ Beta(a, size - a), where size - n is the same for all histories."""
        r, alpha, a, b = parameters
        surplus = a + b + self.chances_at_birth - r - 1
        return average_decline(float(a), float(surplus), size, ahead / (alpha + end))

    def simulate(
        self, parameters: Floats, end: Floats, horizon: float, generator: np.random.Generator
    ) -> SimulatedOrders:
        """Draw customers with the given times since their first order."""
        r, alpha, a, b = parameters
        rate = generator.gamma(r, 1 / alpha, len(end))
        leaving = np.maximum(generator.beta(a, b, len(end)), _SMALLEST_LEAVING_PROBABILITY)
        most = generator.geometric(leaving) - self.chances_at_birth
        wanted = generator.poisson(rate * end)
        later = np.minimum(wanted + generator.poisson(rate * horizon), most)
        count = np.minimum(wanted, most)
        last = end * generator.beta(np.maximum(count, 1), wanted + 1 - np.minimum(count, wanted))
        return SimulatedOrders(count.astype(float), np.where(count > 0, last, 0.0), (later - count).astype(float))
