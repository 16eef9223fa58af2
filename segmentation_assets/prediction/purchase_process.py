"""What every model of repeat orders tells, and what follows from that for all of them alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import gammaln, psi

from segmentation_assets.prediction.purchase_histories import Floats, PurchaseHistories

_NODE_COUNT = 12
_NODES, _NODE_WEIGHTS = leggauss(_NODE_COUNT)


@dataclass(frozen=True, eq=False)
class SimulatedOrders:
    """Histories that a model made: `count` and `last` of each customer, and the orders in the horizon after it."""

    count: Floats
    last: Floats
    later: Floats


class PurchaseProcess(ABC):
    """Customers order at a rate of their own until, unseen, they leave for good.

    Notes
    -----
    The rate of orders is Gamma distributed over customers, with shape r and rate alpha: given x orders in time T,
    and that the customer is still there, it is Gamma(r + x, alpha + T). With
    D(T), the part of the likelihood that falls with time in which nothing is ordered, all models are

        log L = constant(x) + log D(T) + log(1 + odds), odds = P(gone) / P(there).

    Parameters are arrays in the order of `parameter_names`, all above 0; times in any one unit.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    parameter_names: ClassVar[tuple[str, ...]]
    time_parameters: ClassVar[tuple[str, ...]]
    """Parameters that are times; the others have no unit."""

    @abstractmethod
    def suggest_starts(self, order_rate: float) -> list[Floats]:
        """Return parameters to begin a fit from, for customers with this mean rate of orders."""

    @abstractmethod
    def differentiate(self, parameters: Floats, histories: PurchaseHistories) -> tuple[float, Floats]:
        """Return the log-likelihood of all histories and its gradient by the parameters."""

    @abstractmethod
    def log_idle_density(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Return log D(T) of every history."""

    @abstractmethod
    def log_gone_odds(self, parameters: Floats, histories: PurchaseHistories) -> Floats:
        """Return log(P(gone) / P(there)) at the end of every history."""

    @abstractmethod
    def fading_time(self, parameters: Floats, end: Floats) -> Floats:
        """Return the time over which the rate of orders of those who are there now falls off."""

    @abstractmethod
    def order_rate(self, parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
        """Return the expected orders per unit of time, `ahead` of the end, of one who is there at the end."""

    @abstractmethod
    def pair_rate(self, parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
        """Return the density of two orders, one at the time `ahead` and one at any one time before it."""

    @abstractmethod
    def simulate(
        self, parameters: Floats, end: Floats, horizon: float, generator: np.random.Generator
    ) -> SimulatedOrders:
        """Draw customers with the given times since their first order."""

    def orders_if_there(
        self, parameters: Floats, count: Floats, end: Floats, horizon: Floats, discount_rate: float = 0.0
    ) -> Floats:
        """Return the expected orders within the horizon of those there at the end, discounted at a continuous rate."""
        total = np.zeros_like(end)
        for ahead, weight in self._times_ahead(parameters, end, horizon):
            total += weight * np.exp(-discount_rate * ahead) * self.order_rate(parameters, count, end, ahead)
        return total

    def pairs_if_there(self, parameters: Floats, count: Floats, end: Floats, horizon: Floats) -> Floats:
        """Return E[Y (Y - 1)] of the orders Y within the horizon, of those there at the end."""
        total = np.zeros_like(end)
        for ahead, weight in self._times_ahead(parameters, end, horizon):
            total += 2 * weight * ahead * self.pair_rate(parameters, count, end, ahead)
        return total

    def _times_ahead(self, parameters: Floats, end: Floats, horizon: Floats) -> list[tuple[Floats, Floats]]:
        """Return times and weights of a Gauss-Legendre rule over log(fading time + time ahead)."""
        fading = self.fading_time(parameters, end)
        length = np.log1p(horizon / fading)
        places = [
            ((node + 1) / 2 * length, weight / 2 * length) for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True)
        ]
        return [(fading * np.expm1(place), weight * fading * np.exp(place)) for place, weight in places]


def differentiate_rates(shape: float, rate: float, histories: PurchaseHistories) -> tuple[float, float, float]:
    """Return the part of the log-likelihood that is of the Gamma distribution of rates alone, and its derivatives.

    Parameters
    ----------
    shape, rate : float
        r and alpha.
    histories : PurchaseHistories

    Returns
    -------
    tuple of float
        Sum of log Gamma(r + x) - log Gamma(r) + r log(alpha), and its derivatives by r and alpha.
    """
    values, _ = histories.counts
    customers = histories.sum_by_count(histories.weight)
    total = customers.sum()
    value = customers @ (gammaln(shape + values) - gammaln(shape)) + total * shape * np.log(rate)
    by_shape = customers @ (psi(shape + values) - psi(shape)) + total * np.log(rate)
    return float(value), float(by_shape), float(total * shape / rate)
