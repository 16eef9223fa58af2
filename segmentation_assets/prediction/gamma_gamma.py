"""Gamma-Gamma: what a customer spends per order day, learned from those who ordered again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, psi

from segmentation_assets.clustering.threads import one_thread
from segmentation_assets.errors import DataError, plural
from segmentation_assets.prediction.maximum_likelihood import Maximum, Objective, find_maximum
from segmentation_assets.prediction.purchase_histories import Floats

LEAST_CUSTOMERS = 50
"""Customers with a repeat order and a positive mean spend that a fit takes at least."""

HIGH_CORRELATION = 0.2
"""Correlation of frequency and spend, in absolute value, from which on a fit carries a warning."""

ROUGH_CUSTOMERS = 5_000
"""Customers that starts are compared on where there are more."""

_NAMES = ("p", "q", "v")
_STARTS = ((6.0, 4.0), (1.5, 2.0), (3.0, 10.0))

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FittedGammaGamma:
    """A fitted Gamma-Gamma model.

    Parameters
    ----------
    parameters : tuple of float
        p, q and v; v in money.
    covariance : tuple of tuple of float, or None
        Of the logarithms of the parameters; ``None`` where the Hessian has no inverse.
    loglik : float
    n_customers : int
        Customers fitted on.
    one_time_count : int
        Customers without a repeat order, left out of the fit.
    without_spend_count : int
        Customers with a repeat order whose mean spend is missing, zero or negative, left out of the fit.
    correlation : float or None
        Pearson correlation of frequency and mean spend among those fitted; ``None`` where one of them is constant.
    problem : str
        Why the fit is not to be trusted; empty where it is sound.

    Notes
    -----
    Spend on an order day of a customer is Gamma(p, nu), nu is Gamma(q, v) over customers, independently of how often
    they order. Every method scores rows on their own. Customers whose mean spend is not above 0 are scored as if they
    had ordered once: nothing is known of their spend.

    References
    ----------
    Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value.
    """

    parameters: tuple[float, float, float]
    covariance: Matrix | None
    loglik: float
    n_customers: int
    one_time_count: int
    without_spend_count: int
    correlation: float | None
    problem: str

    @property
    def standard_errors(self) -> tuple[float, ...]:
        """Standard errors of p, q and v by the delta method; NaN where there is no covariance."""
        if self.covariance is None:
            return (float("nan"),) * len(self.parameters)
        variances = np.diag(np.array(self.covariance))
        return tuple((np.array(self.parameters) * np.sqrt(variances)).tolist())

    @property
    def left_out(self) -> str:
        """Which customers were left out of the fit and how many; empty where there were none."""
        parts = {
            "without a repeat order": self.one_time_count,
            "with a mean spend that is missing or not above 0": self.without_spend_count,
        }
        return "; ".join(f"{plural(count, 'customer')} {words}" for words, count in parts.items() if count)

    @property
    def warning(self) -> str:
        """What to be careful of where spend depends on frequency, which the model rules out; empty where not much."""
        if self.correlation is None or abs(self.correlation) <= HIGH_CORRELATION:
            return ""
        tendency = "more" if self.correlation > 0 else "less"
        return (
            f"customers who order more often spend {tendency} per order (correlation {self.correlation:.2f}), but the "
            "model takes the two for independent: expected spend is biased at both ends"
        )

    @property
    def population_mean(self) -> float:
        """Mean spend per order day over customers; infinite where q is 1 or less."""
        p, q, v = self.parameters
        return p * v / (q - 1) if q > 1 else float("inf")

    def expect_spend(self, btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike) -> Floats:
        """Return the expected mean spend per order day of every customer, given what they spent.

        Parameters
        ----------
        btyd_frequency : array-like of shape (n_rows,)
            Days with an order after the first one.
        btyd_monetary_value : array-like of shape (n_rows,), money
            Mean spend on these days; any value where there are none.

        Returns
        -------
        ndarray of shape (n_rows,)
            The population mean for those who ordered once.
        """
        count, spent = sum_spend(btyd_frequency, btyd_monetary_value)
        p, q, v = self.parameters
        shape = p * count + q - 1
        return np.where(shape > 0, p * (v + spent) / np.where(shape > 0, shape, 1.0), np.inf)

    def compute_spend_variance(self, btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike) -> Floats:
        """Return the posterior variance of the mean spend of every customer; infinite where it has none."""
        count, spent = sum_spend(btyd_frequency, btyd_monetary_value)
        p, q, v = self.parameters
        shape = p * count + q - 2
        mean = p * (v + spent) / np.where(shape > 0, shape + 1, 1.0)
        return np.where(shape > 0, mean**2 / np.where(shape > 0, shape, 1.0), np.inf)

    def infer_nu(self, btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return shape and rate of the Gamma distribution of every customer's nu, given what they spent."""
        count, spent = sum_spend(btyd_frequency, btyd_monetary_value)
        p, q, v = self.parameters
        return p * count + q, v + spent

    def differentiate_log_spend(
        self, btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike
    ) -> tuple[Floats, Floats, Floats]:
        """Return the derivatives of log `expect_spend` by the logarithms of p, q and v."""
        count, spent = sum_spend(btyd_frequency, btyd_monetary_value)
        p, q, v = self.parameters
        shape = p * count + q - 1
        shape = np.where(shape > 0, shape, np.nan)
        return 1 - p * count / shape, -q / shape, v / (v + spent)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as a plain dict; `from_json` makes a model of it that scores the same to the bit."""
        return {
            "model": "gamma_gamma",
            "parameters": dict(zip(_NAMES, self.parameters, strict=True)),
            "log_parameter_covariance": None if self.covariance is None else [list(row) for row in self.covariance],
            "loglik": self.loglik,
            "n_customers": self.n_customers,
            "one_time_count": self.one_time_count,
            "without_spend_count": self.without_spend_count,
            "correlation": self.correlation,
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FittedGammaGamma:
        """Make a fitted model of what `to_json` returned."""
        covariance = stored["log_parameter_covariance"]
        p, q, v = (stored["parameters"][name] for name in _NAMES)
        return cls(
            parameters=(p, q, v),
            covariance=None if covariance is None else tuple(tuple(row) for row in covariance),
            loglik=stored["loglik"],
            n_customers=stored["n_customers"],
            one_time_count=stored["one_time_count"],
            without_spend_count=stored["without_spend_count"],
            correlation=stored["correlation"],
            problem=stored["problem"],
        )


def fit_gamma_gamma(btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike) -> FittedGammaGamma:
    """Fit the Gamma-Gamma model by maximum likelihood.

    Parameters
    ----------
    btyd_frequency : array-like of shape (n_rows,), whole, 0 or more
        Days with an order after the first one.
    btyd_monetary_value : array-like of shape (n_rows,), money
        Mean spend on these days. Customers without such days, and those whose mean is missing or not above 0, are left
        out and counted.

    Returns
    -------
    FittedGammaGamma
        A fit that cannot be trusted says why in `problem`.

    Raises
    ------
    DataError
        Values are impossible, or fewer than 50 customers are left.
    """
    count, spend = check_spend(btyd_frequency, btyd_monetary_value)
    is_repeat = count > 0
    is_fitted = is_repeat & (spend > 0)
    fitted, without = int(is_fitted.sum()), int((is_repeat & ~is_fitted).sum())
    if fitted < LEAST_CUSTOMERS:
        raise DataError(
            f"Gamma-Gamma takes {LEAST_CUSTOMERS} customers at least with a repeat order and a mean spend above 0, but "
            f"of {plural(len(count), 'customer')} {fitted:,} have both, {without:,} a repeat order without such a mean",
            "fit on more customers or a longer time.",
        )
    order = np.lexsort((spend[is_fitted], count[is_fitted]))
    count, spend = count[is_fitted][order], spend[is_fitted][order]
    unit = float(spend.mean())
    with one_thread():
        found = _climb(count, spend / unit)
    p, q, v = np.exp(found.log_parameters).tolist()
    infinite = "" if q > 1 else "q is 1 or less, so that the mean spend of all customers is infinite"
    return FittedGammaGamma(
        parameters=(p, q, v * unit),
        covariance=None if found.covariance is None else tuple(tuple(row) for row in found.covariance.tolist()),
        loglik=found.loglik - fitted * float(np.log(unit)),
        n_customers=fitted,
        one_time_count=int((~is_repeat).sum()),
        without_spend_count=without,
        correlation=_correlate(count, spend),
        problem="; ".join(filter(None, (found.problem, infinite))),
    )


def simulate_mean_spend(
    parameters: tuple[float, float, float], btyd_frequency: npt.ArrayLike, generator: np.random.Generator
) -> Floats:
    """Draw the mean spend of customers over their repeat order days.

    Parameters
    ----------
    parameters : tuple of float
        p, q and v.
    btyd_frequency : array-like of shape (n_rows,)
    generator : Generator

    Returns
    -------
    ndarray of shape (n_rows,)
        NaN where there are no such days.
    """
    p, q, v = parameters
    count = np.asarray(btyd_frequency, dtype=np.float64)
    nu = generator.gamma(q, 1 / v, len(count))
    orders = np.maximum(count, 1)
    return np.where(count > 0, generator.gamma(p * orders) / (nu * orders), np.nan)


def check_spend(btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Check frequencies and mean spends, and return them as floats.

    Raises
    ------
    DataError
        Lengths differ, a frequency is missing, negative or not whole, or a spend is infinite.
    """
    count = np.ascontiguousarray(btyd_frequency, dtype=np.float64)
    spend = np.ascontiguousarray(btyd_monetary_value, dtype=np.float64)
    if count.shape != spend.shape or count.ndim != 1:
        raise DataError(
            f"frequency and spend are columns of one length, but shapes are {count.shape} and {spend.shape}",
            "pass one row per customer.",
        )
    wrong = {
        "btyd_frequency is no whole number of 0 or more": ~((count >= 0) & (count == np.floor(count))),
        "btyd_frequency or btyd_monetary_value is infinite": np.isinf(count) | np.isinf(spend),
    }
    for problem, rows in wrong.items():
        if rows.any():
            where = f"{int(rows.sum()):,} of {plural(len(rows), 'row')}, first in row {int(rows.argmax())}"
            raise DataError(f"{problem} in {where}", "correct these rows.")
    return count, spend


def sum_spend(btyd_frequency: npt.ArrayLike, btyd_monetary_value: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return order days whose spend is known, and their total spend; both 0 where the mean is not above 0."""
    count, spend = check_spend(btyd_frequency, btyd_monetary_value)
    is_known = (count > 0) & (spend > 0)
    return np.where(is_known, count, 0.0), np.where(is_known, count * spend, 0.0)


def _climb(count: Floats, spend: Floats) -> Maximum:
    """Find the maximum; starts are compared on some of the customers, in equal steps through the sorted ones."""
    starts = [np.log([p, q, (q - 1) / p]) for p, q in _STARTS]
    step = max(1, len(count) // ROUGH_CUSTOMERS)
    rough = None if step == 1 else _likelihood(count[step // 2 :: step], spend[step // 2 :: step])
    return find_maximum(_likelihood(count, spend), starts, _NAMES, len(count), rough)


def _likelihood(count: Floats, spend: Floats) -> Objective:
    """Make the log-likelihood of customers sorted by count."""
    values, codes, sizes = np.unique(count, return_inverse=True, return_counts=True)
    log_known = float(count @ np.log(count) + count @ np.log(spend))
    log_spend, total = float(np.log(spend).sum()), count * spend

    def evaluate(logs: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(logs)
        log_rest = np.log(v + total)
        shapes, rest = p * values, np.bincount(codes, log_rest)
        value = sizes @ (gammaln(shapes + q) - gammaln(shapes) - gammaln(q) + q * np.log(v))
        value += p * log_known - log_spend - (shapes + q) @ rest
        by_p = sizes @ (values * (psi(shapes + q) - psi(shapes))) + log_known - values @ rest
        by_q = sizes @ (psi(shapes + q) - psi(q) + np.log(v)) - rest.sum()
        by_v = len(count) * q / v - ((p * count + q) / (v + total)).sum()
        return float(value), np.array([p * by_p, q * by_q, v * by_v])

    return evaluate


def _correlate(count: Floats, spend: Floats) -> float | None:
    if count.std() == 0 or spend.std() == 0:
        return None
    return float(np.corrcoef(count, spend)[0, 1])
