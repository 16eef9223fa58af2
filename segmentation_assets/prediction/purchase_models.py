"""The models of repeat orders by name: fitting one, and what a fitted one says of customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.errors import DataError, closest_hint, plural
from segmentation_assets.prediction.bg_nbd import BgNbd
from segmentation_assets.prediction.maximum_likelihood import Objective, find_maximum
from segmentation_assets.prediction.mbg_nbd import MbgNbd
from segmentation_assets.prediction.pareto_nbd import ParetoNbd
from segmentation_assets.prediction.purchase_histories import Floats, PurchaseHistories
from segmentation_assets.prediction.purchase_process import PurchaseProcess

ModelName = Literal["bg_nbd", "mbg_nbd", "pareto_nbd"]

MODELS: dict[str, PurchaseProcess] = {process.name: process for process in (BgNbd(), MbgNbd(), ParetoNbd())}
"""Every model of repeat orders by its name."""

LEAST_CUSTOMERS = 50
"""Customers that a fit takes at least."""

ROUGH_CUSTOMERS = 2_000
"""Customers that starts are compared on where there are more groups of equal ones."""

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FittedPurchaseModel:
    """A fitted model of repeat orders.

    Parameters
    ----------
    name : str
        Key in `MODELS`.
    parameters : tuple of float
        In the order of the model's ``parameter_names``; times in the unit it was fitted in.
    covariance : tuple of tuple of float, or None
        Of the logarithms of the parameters; ``None`` where the Hessian has no inverse.
    loglik : float
        Log-likelihood of the histories, constants that no parameter decides left out as in the literature.
    n_customers : int
        Customers fitted on.
    problem : str
        Why the fit is not to be trusted; empty where it is sound.

    Notes
    -----
    Every method scores rows on their own: one row alone gets the same bits as in any batch.
    """

    name: str
    parameters: tuple[float, ...]
    covariance: Matrix | None
    loglik: float
    n_customers: int
    problem: str

    @property
    def process(self) -> PurchaseProcess:
        """The model that was fitted."""
        return MODELS[self.name]

    @property
    def standard_errors(self) -> tuple[float, ...]:
        """Standard errors of the parameters by the delta method; NaN where there is no covariance."""
        if self.covariance is None:
            return (float("nan"),) * len(self.parameters)
        variances = np.diag(np.array(self.covariance))
        return tuple((np.array(self.parameters) * np.sqrt(variances)).tolist())

    def compute_alive_probability(self, histories: PurchaseHistories) -> Floats:
        """Return the probability that a customer has not left for good at the end of the history.

        Notes
        -----
        Under BG/NBD it is 1 for everyone who ordered once; take it from another model.
        """
        return self._by_rows(histories, self._alive)

    def expect_orders(self, histories: PurchaseHistories, horizon: float, discount_rate: float = 0.0) -> Floats:
        """Return the expected order days within a horizon after the end of the history.

        Parameters
        ----------
        histories : PurchaseHistories
        horizon : float, above 0, unit of time of the model
        discount_rate : float, per unit of time
            Continuous rate at which later orders count less; 0 counts all alike.

        Returns
        -------
        ndarray of shape (n_rows,)
        """

        def expect(rows: PurchaseHistories) -> Floats:
            return self._alive(rows) * self.expect_orders_if_there(rows, horizon, discount_rate)

        return self._by_rows(histories, expect)

    def compute_order_variance(self, histories: PurchaseHistories, horizon: float) -> Floats:
        """Return the variance of the order days within a horizon, exact under the model.

        Notes
        -----
        E[Y(Y - 1)] is twice the integral over pairs of times of the density that orders fall on both, which depends on
        the later time alone.
        """

        def spread(rows: PurchaseHistories) -> Floats:
            alive = self._alive(rows)
            mean = alive * self.expect_orders_if_there(rows, horizon)
            pairs = alive * self._at_ends(rows, horizon, self.process.pairs_if_there)
            return np.maximum(pairs + mean - mean**2, 0.0)

        return self._by_rows(histories, spread)

    def compute_no_order_probability(self, histories: PurchaseHistories, horizon: float) -> Floats:
        """Return the probability of no order within a horizon: the likelihood at its end over that at its beginning."""

        def idle(rows: PurchaseHistories) -> Floats:
            _check_horizon(horizon)
            now = self._log_likelihood_part(rows)
            return np.exp(np.minimum(self._log_likelihood_part(rows.wait(horizon)) - now, 0.0))

        return self._by_rows(histories, idle)

    def expect_newcomer_orders(self, times: npt.ArrayLike) -> Floats:
        """Return the expected repeat order days of a new customer until each time since the first order.

        Parameters
        ----------
        times : array-like of shape (n_times,), 0 or more
        """
        ahead = _check_horizon(times)
        zeros = np.zeros_like(ahead)
        newcomer = PurchaseHistories(zeros[:1], zeros[:1], zeros[:1], zeros[:1] + 1)
        alive = self._alive(newcomer)
        return alive * self.process.orders_if_there(np.array(self.parameters), zeros, zeros, ahead)

    def expect_orders_if_there(
        self, histories: PurchaseHistories, horizon: float, discount_rate: float = 0.0
    ) -> Floats:
        """Return the expected order days within a horizon of customers known not to have left."""

        def expect(parameters: Floats, count: Floats, end: Floats, ahead: Floats) -> Floats:
            return self.process.orders_if_there(parameters, count, end, ahead, discount_rate)

        return self._at_ends(histories, horizon, expect)

    def log_alive_probability(self, histories: PurchaseHistories) -> Floats:
        """Return the logarithm of the probability that a customer has not left, precise where that is all but 0."""
        return -np.logaddexp(0.0, self.process.log_gone_odds(np.array(self.parameters), histories))

    def move(self, shift: Floats) -> FittedPurchaseModel:
        """Return the model with the logarithms of its parameters shifted."""
        moved = np.array(self.parameters) * np.exp(shift)
        return replace(self, parameters=tuple(moved.tolist()))

    def to_json(self) -> dict[str, Any]:
        """Return all of it as a plain dict; `from_json` makes a model of it that scores the same to the bit."""
        return {
            "model": self.name,
            "parameters": dict(zip(self.process.parameter_names, self.parameters, strict=True)),
            "log_parameter_covariance": None if self.covariance is None else [list(row) for row in self.covariance],
            "loglik": self.loglik,
            "n_customers": self.n_customers,
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FittedPurchaseModel:
        """Make a fitted model of what `to_json` returned.

        Raises
        ------
        DataError
            The model has a name that is not known.
        """
        process = find_model(stored["model"])
        covariance = stored["log_parameter_covariance"]
        return cls(
            name=process.name,
            parameters=tuple(stored["parameters"][name] for name in process.parameter_names),
            covariance=None if covariance is None else tuple(tuple(row) for row in covariance),
            loglik=stored["loglik"],
            n_customers=stored["n_customers"],
            problem=stored["problem"],
        )

    def _by_rows(self, histories: PurchaseHistories, score: Callable[[PurchaseHistories], Floats]) -> Floats:
        scored = [score(rows) for rows in histories.split()]
        return scored[0] if len(scored) == 1 else np.concatenate(scored)

    def _alive(self, rows: PurchaseHistories) -> Floats:
        return np.exp(self.log_alive_probability(rows))

    def _log_likelihood_part(self, rows: PurchaseHistories) -> Floats:
        """Log-likelihood without what only the count decides."""
        parameters = np.array(self.parameters)
        odds = self.process.log_gone_odds(parameters, rows)
        part: Floats = self.process.log_idle_density(parameters, rows) + np.logaddexp(0.0, odds)
        return part

    def _at_ends(
        self, rows: PurchaseHistories, horizon: float, score: Callable[[Floats, Floats, Floats, Floats], Floats]
    ) -> Floats:
        """Score distinct pairs of count and end, and give every row that of its own."""
        ends, ahead = rows.ends, np.full_like(rows.ends.time, _check_horizon(horizon))
        return score(np.array(self.parameters), ends.count, ends.time, ahead)[ends.code]


def fit_purchase_model(name: str, histories: PurchaseHistories) -> FittedPurchaseModel:
    """Fit a model of repeat orders by maximum likelihood.

    Parameters
    ----------
    name : {"bg_nbd", "mbg_nbd", "pareto_nbd"}
    histories : PurchaseHistories
        Of all customers, those who ordered once included.

    Returns
    -------
    FittedPurchaseModel
        In the unit of time of the histories. A fit that cannot be trusted says why in `problem`.

    Raises
    ------
    DataError
        The name is unknown, there are fewer than 50 customers, or none of them ordered again.

    Notes
    -----
    Equal histories are one term of the likelihood. Where more than 2,000 different ones are left, the starts are
    compared on 2,000 customers taken in equal steps through the sorted histories, and the best of them climbs on with
    all. Times are in units of their mean meanwhile, so that days and weeks give the same fit.
    """
    process = find_model(name)
    _check_enough(histories, process.label)
    with one_thread():
        return _fit(process, histories)


def find_model(name: str) -> PurchaseProcess:
    """Return a model of repeat orders by its name.

    Raises
    ------
    DataError
        There is no such model.

    Examples
    --------
    >>> find_model("mbg_nbd").label
    'MBG/NBD'
    """
    if name not in MODELS:
        raise DataError(f"there is no model of repeat orders called {name!r}", closest_hint(name, MODELS))
    return MODELS[name]


def _fit(process: PurchaseProcess, histories: PurchaseHistories) -> FittedPurchaseModel:
    """Fit in units of the mean time observed, and express the result in the unit of the histories."""
    unit = float(histories.weight @ histories.end / histories.customer_count)
    grouped = histories.measure_in(unit).group()
    thinned = grouped.thin(ROUGH_CUSTOMERS)
    orders = float(grouped.weight @ grouped.count)
    starts = [np.log(start) for start in process.suggest_starts(orders / histories.customer_count)]
    rough = None if thinned is grouped else _likelihood(process, thinned)
    found = find_maximum(
        _likelihood(process, grouped), starts, process.parameter_names, histories.customer_count, rough
    )
    scale = np.array([unit if parameter in process.time_parameters else 1.0 for parameter in process.parameter_names])
    return FittedPurchaseModel(
        name=process.name,
        parameters=tuple((np.exp(found.log_parameters) * scale).tolist()),
        covariance=None if found.covariance is None else tuple(tuple(row) for row in found.covariance.tolist()),
        loglik=found.loglik - orders * float(np.log(unit)),
        n_customers=round(histories.customer_count),
        problem=found.problem,
    )


def _check_horizon(horizon: npt.ArrayLike) -> Floats:
    ahead = np.ascontiguousarray(horizon, dtype=np.float64)
    if not (np.isfinite(ahead) & (ahead >= 0)).all():
        raise DataError(f"a horizon is a time of 0 or more, not {ahead.min():g}", "look ahead, not back.")
    return ahead


def _likelihood(process: PurchaseProcess, histories: PurchaseHistories) -> Objective:
    def evaluate(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = process.differentiate(parameters, histories)
        return value, gradient * parameters

    return evaluate


def _check_enough(histories: PurchaseHistories, label: str) -> None:
    customers = round(histories.customer_count)
    if customers < LEAST_CUSTOMERS:
        raise DataError(
            f"{label} takes {LEAST_CUSTOMERS} customers at least, but there {'is' if customers == 1 else 'are'} "
            f"{plural(customers, 'customer')}",
            "fit on more customers.",
        )
    if not histories.count.any():
        raise DataError(
            f"{label} learns from customers who order again, but none of {plural(customers, 'customer')} has: "
            "btyd_frequency is 0 in all rows",
            "observe them for longer.",
        )
